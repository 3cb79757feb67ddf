//! Intervals from the profile of the likelihood.

use ndarray::Array2;
use nemos_core::{Backend, Matrix, row_chunks};
use nemos_glm::{Regularizer, Scale};

use crate::error::check_level;
use crate::rows::with_extras;
use crate::{Covariance, Error, Inference, Reference, Standing};

// An end that lies further out than this many standard errors is infinite.
const FARTHEST: f64 = 50.0;
const WIDER: f64 = 1.4;
const ROUNDS: usize = 60;

/// One end of an interval, searched for one value at a time. Distances are in standard errors from the estimate.
#[derive(Copy, Clone, Debug)]
struct End {
    at: f64,
    /// A distance inside, and how far its deviance is from the threshold.
    inside: (f64, f64),
    outside: Option<(f64, f64)>,
    done: bool,
}

impl End {
    /// From the end of Wald's interval.
    fn new(start: f64, threshold: f64) -> Self {
        End {
            at: start,
            inside: (0.0, -threshold),
            outside: None,
            done: start.is_nan(),
        }
    }

    fn take(&mut self, excess: f64) {
        if self.done {
            return;
        }
        // The end that stays twice in a row counts half (Illinois).
        if excess < 0.0 {
            self.outside = self.outside.map(|(x, y)| (x, if self.inside.0 > 0.0 { 0.5 * y } else { y }));
            self.inside = (self.at, excess);
        } else {
            if self.outside.is_some() {
                self.inside.1 *= 0.5;
            }
            self.outside = Some((self.at, excess));
        }
        let next = match self.outside {
            None => self.at * WIDER,
            Some((out, above)) => self.inside.0 + (out - self.inside.0) * self.inside.1 / (self.inside.1 - above),
        };
        if self.outside.is_none() && next > FARTHEST {
            (self.at, self.done) = (f64::INFINITY, true);
            return;
        }
        self.done = excess.is_nan() || (next - self.at).abs() <= 1e-9 * self.at;
        self.at = if excess.is_nan() { f64::NAN } else { next };
    }
}

impl<B: Backend> Inference<'_, B> {
    /// `[n_neurons]`: intervals of one coefficient from the profile of the likelihood: all values at which the best fit of the other
    /// parameters has a deviance of no more than a quantile of χ² (of F, times the scale, where that was estimated) above the least.
    ///
    /// They need not be symmetric. An end that is not found within 50 standard errors is infinite, which is an answer: the
    /// likelihood does not fall that way. NaN where nothing can be said of the coefficient.
    ///
    /// # Errors
    /// [`Error::NoSuchTest`] after a penalty; if there is no such column; [`Error::Level`] unless the level lies between 0 and 1.
    ///
    /// # References
    /// Venzon & Moolgavkar (1988), *Applied Statistics* 37.
    pub fn profile(&self, feature: usize, level: f64) -> Result<Vec<[f64; 2]>, Error> {
        check_level(level)?;
        if self.ridge.is_some() || self.sparse.is_some() {
            return Err(Error::NoSuchTest {
                test: "a profile interval",
                why: "needs a fit without a penalty",
            });
        }
        if feature >= self.n_features() {
            let available = self.n_features();
            return Err(nemos_core::Error::ColumnOutside {
                column: feature,
                available,
            }
            .into());
        }
        let estimates = self.estimates(&Covariance::Model)?;
        let (values, errors) = (estimates.parameters(), estimates.standard_errors());
        let least = self.minus_twice_log_likelihood(&*self.model, None)?;
        let threshold = |neuron: usize| {
            let of = &self.of_neurons[neuron];
            match of.scale_is_estimated {
                true => Reference::F(1.0, of.dof_resid()).quantile(level) * of.scale,
                false => Reference::ChiSquared(1.0).quantile(level) * of.scale,
            }
        };
        let mut ends: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
        for (side, found) in [-1.0, 1.0].into_iter().zip(&mut ends) {
            let start = |neuron: usize| {
                let is_known = estimates.standing(feature, neuron) == Standing::Estimated;
                let critical = if is_known {
                    self.of_neurons[neuron].reference().critical(level)
                } else {
                    f64::NAN
                };
                End::new(critical, threshold(neuron))
            };
            let mut search: Vec<End> = (0..self.n_neurons()).map(start).collect();
            for _ in 0..ROUNDS {
                if search.iter().all(|end| end.done) {
                    break;
                }
                let held: Vec<f64> = search
                    .iter()
                    .enumerate()
                    .map(|(neuron, end)| {
                        let distance = if end.at.is_finite() { end.at } else { 0.0 };
                        let error = errors[(feature, neuron)];
                        if error.is_nan() {
                            0.0
                        } else {
                            values[(feature, neuron)] + side * distance * error
                        }
                    })
                    .collect();
                let deviance = self.held_at(feature, &held)?;
                for (neuron, end) in search.iter_mut().enumerate() {
                    end.take(deviance[neuron] - least[neuron] - threshold(neuron));
                }
            }
            let value = |(neuron, end): (usize, &End)| values[(feature, neuron)] + side * end.at * errors[(feature, neuron)];
            *found = search.iter().enumerate().map(value).collect();
        }
        Ok((0..self.n_neurons()).map(|neuron| [ends[0][neuron], ends[1][neuron]]).collect())
    }

    /// `[n_neurons]`: the least deviances with one coefficient held at a value for each neuron, which goes into the offset.
    fn held_at(&self, feature: usize, values: &[f64]) -> Result<Vec<f64>, Error> {
        let mut offset = Array2::zeros((self.design.n_rows(), self.n_neurons()));
        for range in row_chunks(self.design.n_rows(), 1024) {
            let column = self.design.chunk(range.clone())?.select_columns(&[feature])?.to_vec();
            let known = self.design.offset().map(|offset| offset.rows(range.clone())).transpose()?;
            let known = known.map(|known| known.to_array());
            for (place, row) in range.enumerate() {
                for (neuron, value) in values.iter().enumerate() {
                    let before = known
                        .as_ref()
                        .map_or(0.0, |known| known[(place, if known.ncols() == 1 { 0 } else { neuron })]);
                    offset[(row, neuron)] = before + value * column[place];
                }
            }
        }
        let offset = Matrix::from_array(offset.view());
        let design = with_extras(self.design.clone(), None, Some(offset))?;
        let mut free = Array2::from_elem((self.n_features(), self.n_neurons()), false);
        for (neuron, of) in self.of_neurons.iter().enumerate() {
            of.free
                .iter()
                .filter(|&&other| other != feature)
                .for_each(|&other| free[(other, neuron)] = true);
        }
        let mut options = self.model.options().clone();
        options.regularizer = Regularizer::Unregularized;
        options.mask = Some(free.into());
        options.start = Some(self.model.parameters().clone());
        let fitted = self.model.refit(options, &design, &self.counts)?;
        let fitted = match self.kind.scale {
            Scale::Pearson => fitted.at_scale(vec![1.0; self.n_neurons()])?,
            _ => fitted,
        };
        self.minus_twice_log_likelihood(&*fitted, Some(&design))
    }

    /// `[n_neurons]`: deviances; minus twice the log-likelihoods where the scale is one of most likelihood.
    fn minus_twice_log_likelihood(
        &self,
        model: &dyn crate::described::Described<B>,
        design: Option<&nemos_core::Design<'_, B>>,
    ) -> Result<Vec<f64>, Error> {
        let design = design.unwrap_or(&self.design);
        if self.kind.scale != Scale::MaximumLikelihood {
            return model.deviance(design, &self.counts);
        }
        let mean = model.log_likelihood(design, &self.counts)?;
        Ok(mean
            .iter()
            .zip(&self.of_neurons)
            .map(|(mean, of)| -2.0 * mean * of.n_rows)
            .collect())
    }
}
