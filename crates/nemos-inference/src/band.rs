//! Bands about curves: of each point, of whole curves, of rates.

use ndarray::{Array1, Array2, Axis};
use nemos_glm::LinkForm;
use rand::Rng;

use crate::draws::{normal, quantile, student};
use crate::error::check_level;
use crate::wald::quadratic;
use crate::{Curve, Error, Reference};

/// A band about a curve: `[n_points, n_neurons]` each.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Band {
    /// The curve.
    pub value: Array2<f64>,
    /// The lower end.
    pub lower: Array2<f64>,
    /// The upper end.
    pub upper: Array2<f64>,
    /// `[n_neurons]`: how many standard errors the band spans to either side.
    pub critical: Vec<f64>,
}

// Simulated maxima from which a simultaneous band is read: its critical value is known to about 1 %.
const DRAWS: usize = 10_000;

impl Curve {
    /// A band that covers each point with this probability (0.95).
    ///
    /// # Errors
    /// [`Error::Level`] unless the level lies between 0 and 1.
    pub fn pointwise(&self, level: f64) -> Result<Band, Error> {
        check_level(level)?;
        Ok(self.band(self.reference.iter().map(|reference| reference.critical(level)).collect()))
    }

    /// A band that covers the whole curve with this probability: as wide as 10,000 simulated maxima say, to about 1 %. Points
    /// without a standard error count for nothing.
    ///
    /// # Errors
    /// [`Error::Level`] unless the level lies between 0 and 1.
    ///
    /// # References
    /// Ruppert, Wand & Carroll (2003), *Semiparametric Regression*, section 6.5.
    pub fn simultaneous<R: Rng + ?Sized>(&self, level: f64, rng: &mut R) -> Result<Band, Error> {
        check_level(level)?;
        let critical = (0..self.factor.len()).map(|neuron| {
            let errors = self.standard_error.column(neuron);
            let points: Vec<usize> = (0..errors.len()).filter(|&point| errors[point] > 0.0).collect();
            if points.is_empty() {
                return f64::NAN;
            }
            let mut unit = self.factor[neuron].select(Axis(0), &points);
            for (mut row, &point) in unit.rows_mut().into_iter().zip(&points) {
                row.mapv_inplace(|x| x / errors[point]);
            }
            let mut maxima: Vec<f64> = Vec::with_capacity(DRAWS);
            // As many at a time as stay small.
            for draws in nemos_core::row_chunks(DRAWS, 500) {
                let z = Array2::from_shape_simple_fn((unit.ncols(), draws.len()), || normal(rng));
                let along = unit.dot(&z);
                for draw in along.columns() {
                    let largest = draw.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
                    maxima.push(largest / student(self.reference[neuron], rng));
                }
            }
            quantile(&mut maxima, level)
        });
        Ok(self.band(critical.collect()))
    }

    /// The band of Scheffé: it covers any number of combinations of the parameters that the curve has, so it is wide.
    ///
    /// # Errors
    /// [`Error::Level`] unless the level lies between 0 and 1.
    pub fn scheffe(&self, level: f64) -> Result<Band, Error> {
        check_level(level)?;
        let critical = self.factor.iter().zip(&self.reference).map(|(factor, reference)| {
            let rank = quadratic_rank(factor) as f64;
            match reference {
                Reference::StudentT(dof) => (rank * Reference::F(rank, *dof).quantile(level)).sqrt(),
                _ => Reference::ChiSquared(rank).quantile(level).sqrt(),
            }
        });
        Ok(self.band(critical.collect()))
    }

    /// The band of Bonferroni: each point at the level that their number asks for.
    ///
    /// # Errors
    /// [`Error::Level`] unless the level lies between 0 and 1.
    pub fn bonferroni(&self, level: f64) -> Result<Band, Error> {
        check_level(level)?;
        let critical = self.reference.iter().enumerate().map(|(neuron, reference)| {
            let n = self.standard_error.column(neuron).iter().filter(|error| **error > 0.0).count();
            reference.critical(1.0 - (1.0 - level) / n.max(1) as f64)
        });
        Ok(self.band(critical.collect()))
    }

    fn band(&self, critical: Vec<f64>) -> Band {
        let half = &self.standard_error * &ndarray::aview1(&critical);
        Band {
            lower: &self.value - &half,
            upper: &self.value + &half,
            value: self.value.clone(),
            critical,
        }
    }

    /// A band of the curve as one of rates: its ends through the link, times this many bins per second (one for rates per bin). The
    /// band of a rate never goes below zero, as `rate ± standard errors` would.
    #[expect(clippy::missing_panics_doc, reason = "invariant: a link gives a rate for each predictor")]
    pub fn rates(&self, band: &Band, bins_per_second: f64) -> Band {
        let through = |values: &Array2<f64>| {
            let values = values.as_standard_layout();
            let flat: Vec<f64> = values.iter().copied().collect();
            let (rate, _) = self.link.rate_and_slope(&flat);
            Array2::from_shape_vec(values.dim(), rate).expect("as many rates as predictors") * bins_per_second
        };
        let (first, second) = (through(&band.lower), through(&band.upper));
        let both = |of: fn(f64, f64) -> f64| Array2::from_shape_fn(first.dim(), |at| of(first[at], second[at]));
        let (mut lower, mut upper) = (both(f64::min), both(f64::max));
        if self.link.form() == Some(LinkForm::Reciprocal) {
            // One over what may be zero is without bound.
            for (at, &end) in band.lower.indexed_iter().filter(|(_, end)| **end <= 0.0) {
                upper[at] = if end.is_nan() { f64::NAN } else { f64::INFINITY };
                lower[at] = second[at];
            }
        }
        let missing = |at: (usize, usize)| band.lower[at].is_nan();
        lower
            .indexed_iter_mut()
            .filter(|(at, _)| missing(*at))
            .for_each(|(_, x)| *x = f64::NAN);
        upper
            .indexed_iter_mut()
            .filter(|(at, _)| missing(*at))
            .for_each(|(_, x)| *x = f64::NAN);
        Band {
            value: through(&band.value),
            lower,
            upper,
            critical: band.critical.clone(),
        }
    }

    /// `[n_points, n_neurons]`: standard errors of the rates by the delta method, `|∂rate/∂predictor| · se`, times this many bins per
    /// second. Not for intervals: those come from [`rates`](Curve::rates).
    #[expect(clippy::missing_panics_doc, reason = "invariant: a link gives a slope for each predictor")]
    pub fn rate_standard_error(&self, bins_per_second: f64) -> Array2<f64> {
        let flat: Vec<f64> = self.value.iter().copied().collect();
        let (_, slope) = self.link.rate_and_slope(&flat);
        let slope = Array2::from_shape_vec(self.value.dim(), slope).expect("as many slopes as predictors");
        slope.mapv(f64::abs) * &self.standard_error * bins_per_second
    }
}

/// The rank of `factor · factorᵀ`.
fn quadratic_rank(factor: &Array2<f64>) -> usize {
    quadratic(&Array1::zeros(factor.ncols()), &factor.t().dot(factor)).map_or(0, |(_, rank)| rank)
}
