//! Residuals and influence: what a model leaves over, row by row.

use ndarray::{Array2, Array3, ArrayView1, Axis, concatenate};
use nemos_core::Backend;
use nemos_glm::Support;
use rand::{Rng, RngExt};

use crate::by_row::Seen;
use crate::distribution::{beta_tail, lower_gamma, normal_quantile, normal_tail, upper_gamma};
use crate::{Error, Inference};
use statrs::function::beta::beta;

/// Which residuals, with `w` the weights (one on average), `φ` the scale and `h` the leverage.
///
/// | kind | formula |
/// |---|---|
/// | `Response` | `y − μ` |
/// | `Working` | `(y − μ) / (∂μ/∂η)` |
/// | `Pearson` | `√w (y − μ) / √V` |
/// | `Deviance` | `sign(y − μ) √(w d)` |
/// | `StandardizedPearson`, `StandardizedDeviance` | the same, over `√(φ (1 − h))` |
/// | `Anscombe` | `√w (A(y) − A(μ)) / (A′(μ) √V)`, nearest to normal of those without chance |
///
/// Of binned spikes none of these looks normal, because counts are few: look at
/// [`quantile_residuals`](Inference::quantile_residuals).
///
/// # References
/// McCullagh & Nelder (1989), *Generalized Linear Models*, section 2.4; Anscombe (1953), *JRSS B* 15.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Residual {
    /// Count less rate.
    Response,
    /// On the scale of the predictor.
    Working,
    /// Over the standard deviation.
    Pearson,
    /// Root of the deviance, with a sign.
    Deviance,
    /// Pearson's, of variance one.
    StandardizedPearson,
    /// The deviance's, of variance one.
    StandardizedDeviance,
    /// Transformed to be nearly normal.
    Anscombe,
}

/// How much single rows bear upon a fit, `[n_rows, n_neurons]` each; zero in rows that it did not use.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Influence {
    /// The diagonal of `W Z A Zᵀ`: how far the fit of a row follows its own count. They sum to the effective degrees of freedom.
    pub leverage: Array2<f64>,
    /// Cook's distance, `r² h / ((1 − h) p)` with `r` the standardized Pearson residual: how far all fitted values move without the
    /// row.
    pub cooks_distance: Array2<f64>,
}

impl<B: Backend> Inference<'_, B> {
    /// `[n_rows, n_neurons]`: residuals; NaN in rows that the fit did not use.
    ///
    /// # Errors
    /// [`Error::NoResiduals`] if the model has none of this kind; if the data cannot be read.
    pub fn residuals(&self, kind: Residual) -> Result<Array2<f64>, Error> {
        let anscombe = match kind {
            Residual::Anscombe => Some(self.anscombe()?),
            _ => None,
        };
        let needs_leverage = matches!(kind, Residual::StandardizedPearson | Residual::StandardizedDeviance);
        let mut parts = Vec::new();
        self.each_chunk(|seen| {
            let mut values = Array2::from_elem(seen.counts.dim(), f64::NAN);
            for neuron in 0..self.n_neurons() {
                let leverage = if needs_leverage {
                    self.leverage_of(seen, neuron)
                } else {
                    Vec::new()
                };
                for row in (0..seen.n_rows()).filter(|&row| seen.is_used(row, neuron)) {
                    let standard = || (self.of_neurons[neuron].scale * (1.0 - leverage[row])).sqrt();
                    values[(row, neuron)] = match (kind, &anscombe) {
                        (Residual::Response, _) => residual(seen, row, neuron),
                        (Residual::Working, _) => residual(seen, row, neuron) / seen.at.slope[(row, neuron)],
                        (Residual::Pearson, _) => pearson(seen, row, neuron),
                        (Residual::Deviance, _) => deviance(seen, row, neuron),
                        (Residual::StandardizedPearson, _) => pearson(seen, row, neuron) / standard(),
                        (Residual::StandardizedDeviance, _) => deviance(seen, row, neuron) / standard(),
                        (Residual::Anscombe, Some(anscombe)) => {
                            let (y, mu) = (seen.counts[(row, neuron)], seen.at.rate[(row, neuron)]);
                            seen.weights[(row, neuron)].sqrt() * anscombe(y, mu)
                        }
                        (Residual::Anscombe, None) => f64::NAN,
                    };
                }
            }
            parts.push(values);
            Ok(())
        })?;
        Ok(stack(&parts, (self.design.n_rows(), self.n_neurons())))
    }

    /// Leverages and Cook's distances.
    ///
    /// # Errors
    /// If the data cannot be read.
    #[doc(alias("get_influence", "hatvalues"))]
    pub fn influence(&self) -> Result<Influence, Error> {
        let (mut leverages, mut cooks) = (Vec::new(), Vec::new());
        self.each_chunk(|seen| {
            let (mut h, mut distance) = (Array2::zeros(seen.counts.dim()), Array2::zeros(seen.counts.dim()));
            for neuron in 0..self.n_neurons() {
                let of = &self.of_neurons[neuron];
                for (row, leverage) in self.leverage_of(seen, neuron).into_iter().enumerate() {
                    h[(row, neuron)] = leverage;
                    if seen.is_used(row, neuron) {
                        let r = pearson(seen, row, neuron).powi(2) / (of.scale * (1.0 - leverage));
                        distance[(row, neuron)] = r * leverage / ((1.0 - leverage) * of.edf);
                    }
                }
            }
            leverages.push(h);
            cooks.push(distance);
            Ok(())
        })?;
        let dims = (self.design.n_rows(), self.n_neurons());
        Ok(Influence {
            leverage: stack(&leverages, dims),
            cooks_distance: stack(&cooks, dims),
        })
    }

    fn leverage_of(&self, seen: &Seen, neuron: usize) -> Vec<f64> {
        match &self.of_neurons[neuron].bread {
            Ok(bread) => seen.leverage(neuron, &bread.inverse.to_array()),
            Err(_) => vec![f64::NAN; seen.n_rows()],
        }
    }

    /// `[n_rows, n_neurons]`: randomised quantile residuals, `Φ⁻¹(F(y−) + u (F(y) − F(y−)))` with `u` uniform: normal if the model is
    /// right, however small the counts. Other draws give other residuals; look at several.
    ///
    /// # Errors
    /// [`Error::NoResiduals`] for a model of one's own, whose distribution function is not known; if the data cannot be read.
    ///
    /// # References
    /// Dunn & Smyth (1996), *J. Computational and Graphical Statistics* 5.
    pub fn quantile_residuals<R: Rng + ?Sized>(&self, rng: &mut R) -> Result<Array2<f64>, Error> {
        let (below, at) = self.distribution_at_counts()?;
        Ok(Array2::from_shape_fn(below.dim(), |place| {
            if below[place].is_nan() {
                return f64::NAN;
            }
            quantile_residual(below[place], at[place], rng.random())
        }))
    }

    /// `[n_rows, n_neurons]` twice: the distribution function of the model just below each count, and at it.
    ///
    /// # Errors
    /// As [`quantile_residuals`](Inference::quantile_residuals).
    pub fn distribution_at_counts(&self) -> Result<(Array2<f64>, Array2<f64>), Error> {
        let Some(name) = self.kind.built_in.clone() else {
            return Err(Error::NoResiduals {
                model: self.kind.title.clone(),
                what: "quantile",
            });
        };
        let (mut below, mut at) = (Vec::new(), Vec::new());
        let scales = self.model.scale();
        self.each_chunk(|seen| {
            let mut parts = Array3::from_elem((2, seen.n_rows(), self.n_neurons()), f64::NAN);
            for neuron in 0..self.n_neurons() {
                let scale = match name.as_str() {
                    "NegativeBinomial" => scales[neuron],
                    _ => self.of_neurons[neuron].scale,
                };
                for row in (0..seen.n_rows()).filter(|&row| seen.is_used(row, neuron)) {
                    let (low, high) = distribution(&name, seen.counts[(row, neuron)], seen.at.rate[(row, neuron)], scale);
                    parts[(0, row, neuron)] = low;
                    parts[(1, row, neuron)] = high;
                }
            }
            below.push(parts.index_axis(Axis(0), 0).to_owned());
            at.push(parts.index_axis(Axis(0), 1).to_owned());
            Ok(())
        })?;
        let dims = (self.design.n_rows(), self.n_neurons());
        Ok((stack(&below, dims), stack(&at, dims)))
    }

    /// `[n_rows + 1, n_neurons]`: residuals summed along the rows in the order of `by`, or as they are: the residual process. A slope
    /// says that rates are too low there, so that sorted by a covariate it shows what a model lacks. Rows that were not used add
    /// nothing.
    ///
    /// # Errors
    /// If there is not one number of `by` for each row; if the data cannot be read.
    pub fn cumulative_residuals(&self, by: Option<ArrayView1<'_, f64>>) -> Result<Array2<f64>, Error> {
        self.design.check_whole("a sum of residuals along the rows")?;
        let residuals = self.residuals(Residual::Response)?;
        let mut order: Vec<usize> = (0..residuals.nrows()).collect();
        if let Some(by) = by {
            crate::error::check_length(
                "the covariate",
                "entries",
                by.len(),
                (residuals.nrows(), "one per row of the design"),
            )?;
            order.sort_by(|&a, &b| by[a].total_cmp(&by[b]));
        }
        let mut sums = Array2::zeros((residuals.nrows() + 1, residuals.ncols()));
        for (place, row) in order.into_iter().enumerate() {
            for neuron in 0..residuals.ncols() {
                let add = residuals[(row, neuron)];
                sums[(place + 1, neuron)] = sums[(place, neuron)] + if add.is_nan() { 0.0 } else { add };
            }
        }
        Ok(sums)
    }

    /// The transform of a count and a rate into Anscombe's residual.
    fn anscombe(&self) -> Result<fn(f64, f64) -> f64, Error> {
        match self.kind.built_in.as_deref() {
            Some("Poisson") => Ok(|y, mu| 1.5 * (y.powf(2.0 / 3.0) - mu.powf(2.0 / 3.0)) / mu.powf(1.0 / 6.0)),
            Some("Gamma") => Ok(|y, mu| 3.0 * (y.cbrt() - mu.cbrt()) / mu.cbrt()),
            Some("Gaussian") => Ok(|y, mu| y - mu),
            Some("Bernoulli") => Ok(|y, mu| {
                const THIRDS: f64 = 2.0 / 3.0;
                let whole = beta(THIRDS, THIRDS);
                whole * (beta_tail(y, THIRDS, THIRDS) - beta_tail(mu, THIRDS, THIRDS)) / (mu * (1.0 - mu)).powf(1.0 / 6.0)
            }),
            _ => Err(Error::NoResiduals {
                model: self.kind.title.clone(),
                what: "Anscombe",
            }),
        }
    }

    pub(crate) fn has_counts(&self) -> bool {
        self.kind.support == Support::NonNegative
    }
}

/// The quantile residual of a count, from the distribution function just below it and at it, and a uniform number:
/// `Φ⁻¹(F(y−) + u (F(y) − F(y−)))`.
pub fn quantile_residual(below: f64, at: f64, uniform: f64) -> f64 {
    normal_quantile(below + uniform * (at - below))
}

fn residual(seen: &Seen, row: usize, neuron: usize) -> f64 {
    seen.counts[(row, neuron)] - seen.at.rate[(row, neuron)]
}

fn pearson(seen: &Seen, row: usize, neuron: usize) -> f64 {
    (seen.weights[(row, neuron)] / seen.at.variance[(row, neuron)]).sqrt() * residual(seen, row, neuron)
}

fn deviance(seen: &Seen, row: usize, neuron: usize) -> f64 {
    let size = (seen.weights[(row, neuron)] * seen.at.deviance[(row, neuron)].max(0.0)).sqrt();
    size.copysign(residual(seen, row, neuron))
}

/// The distribution function of a built-in model just below a count, and at it.
fn distribution(model: &str, y: f64, mu: f64, scale: f64) -> (f64, f64) {
    match model {
        // P(N ≤ y) = Q(y + 1, μ)
        "Poisson" => (
            if y < 1.0 { 0.0 } else { upper_gamma(y.floor(), mu) },
            upper_gamma(y.floor() + 1.0, mu),
        ),
        "Bernoulli" => {
            if y > 0.0 {
                (1.0 - mu, 1.0)
            } else {
                (0.0, 1.0 - mu)
            }
        }
        "NegativeBinomial" => {
            let (size, success) = (1.0 / scale, 1.0 / (1.0 + scale * mu));
            let at = |y: f64| if y < 0.0 { 0.0 } else { beta_tail(success, size, y + 1.0) };
            (at(y.floor() - 1.0), at(y.floor()))
        }
        "Gamma" => {
            let at = lower_gamma(1.0 / scale, y / (mu * scale));
            (at, at)
        }
        _ => {
            let at = normal_tail((mu - y) / scale.sqrt());
            (at, at)
        }
    }
}

fn stack(parts: &[Array2<f64>], dims: (usize, usize)) -> Array2<f64> {
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    concatenate(Axis(0), &views).unwrap_or_else(|_| Array2::zeros(dims))
}
