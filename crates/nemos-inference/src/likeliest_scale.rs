//! Scales of most likelihood, and how sure they are.

use nemos_core::Backend;
use nemos_glm::Scale;
use statrs::function::gamma::digamma;

use crate::distribution::{rising_root, trigamma};
use crate::{Error, Inference};

impl<B: Backend> Inference<'_, B> {
    /// `[n_neurons]`: the scales of most likelihood at the coefficients of the fit.
    pub(crate) fn most_likely_scales(&self, deviance: &[f64]) -> Result<Vec<f64>, Error> {
        match (self.kind.scale, self.kind.built_in.as_deref()) {
            (Scale::Pearson, Some("Gaussian")) => Ok(self.per_row(deviance)),
            (Scale::Pearson, Some("Gamma")) => Ok(self.per_row(deviance).into_iter().map(gamma_scale).collect()),
            (Scale::Pearson, _) => self.searched_scales(),
            _ => Ok(self.model.scale()),
        }
    }

    fn per_row(&self, deviance: &[f64]) -> Vec<f64> {
        deviance
            .iter()
            .zip(&self.of_neurons)
            .map(|(deviance, of)| deviance / of.n_rows)
            .collect()
    }

    /// For a model of one's own: golden sections of the logarithm of the scale, each of which takes a pass over the data.
    fn searched_scales(&self) -> Result<Vec<f64>, Error> {
        const RATIO: f64 = 0.618_033_988_749_894_9;
        let n = self.n_neurons();
        let (mut low, mut high) = (vec![-14.0_f64; n], vec![14.0_f64; n]);
        let at = |low: &[f64], high: &[f64], share: f64| -> Vec<f64> { (0..n).map(|j| low[j] + share * (high[j] - low[j])).collect() };
        let value = |at: &[f64]| self.log_likelihoods_at(&*self.model, &at.iter().map(|x| x.exp()).collect::<Vec<_>>());
        for _ in 0..60 {
            let (left, right) = (at(&low, &high, 1.0 - RATIO), at(&low, &high, RATIO));
            let (of_left, of_right) = (value(&left)?, value(&right)?);
            for j in 0..n {
                if of_left[j] > of_right[j] {
                    high[j] = right[j];
                } else {
                    low[j] = left[j];
                }
            }
        }
        Ok(at(&low, &high, 0.5).into_iter().map(f64::exp).collect())
    }

    /// `[n_neurons]`: standard errors of dispersions that were estimated together with the coefficients (negative binomial), with the
    /// coefficients held, as R's `glm.nb` gives them (of `theta`, which is one over the scale). NaN for other models.
    ///
    /// # Errors
    /// If the data cannot be read.
    pub fn scale_standard_errors(&self) -> Result<Vec<f64>, Error> {
        if self.kind.scale != Scale::MaximumLikelihood || self.kind.built_in.as_deref() != Some("NegativeBinomial") {
            return Ok(vec![f64::NAN; self.n_neurons()]);
        }
        let scale = self.model.scale();
        let mut information = vec![0.0; self.n_neurons()];
        self.each_chunk(|seen| {
            for (neuron, sum) in information.iter_mut().enumerate() {
                let t = 1.0 / scale[neuron];
                for row in (0..seen.n_rows()).filter(|&row| seen.is_used(row, neuron)) {
                    let (y, m) = (seen.counts[(row, neuron)], seen.at.rate[(row, neuron)]);
                    let second = trigamma(y + t) - trigamma(t) + 1.0 / t - 2.0 / (m + t) + (y + t) / (m + t).powi(2);
                    *sum -= seen.weights[(row, neuron)] * second;
                }
            }
            Ok(())
        })?;
        let information = self.design.summed(information)?;
        let each = information.iter().zip(&scale);
        // From theta to the scale by the delta method.
        Ok(each.map(|(information, scale)| scale * scale / information.sqrt()).collect())
    }
}

/// The scale of most likelihood of Gamma observations: the zero of `ln k − ψ(k) = D/2n`, with `k` one over the scale.
pub(crate) fn gamma_scale(mean_deviance: f64) -> f64 {
    if mean_deviance.is_nan() || mean_deviance <= 0.0 {
        return f64::NAN;
    }
    let ln_shape = rising_root(-30.0, 30.0, |s| 0.5 * mean_deviance - ln_less_digamma(s));
    (-ln_shape).exp()
}

/// `ln k − ψ(k)` of `k = e^s`, by its series where the two nearly cancel.
fn ln_less_digamma(s: f64) -> f64 {
    let k = s.exp();
    if k > 50.0 {
        let q = 1.0 / (k * k);
        return 0.5 / k + q * (1.0 / 12.0 - q * (1.0 / 120.0 - q / 252.0));
    }
    s - digamma(k)
}
