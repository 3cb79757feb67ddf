//! Whether counts scatter more than a Poisson model says.

use nemos_core::Backend;
use nemos_glm::Scale;

use crate::{Error, Inference, Reference};

/// Whether the counts of one neuron scatter more than their model says.
///
/// # References
/// Dean (1992), *JASA* 87; Cameron & Trivedi (1990), *J. Econometrics* 46.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Overdispersion {
    /// Windows that were looked at.
    pub n_windows: usize,
    /// Pearson's χ² over its degrees of freedom: one if the model is right.
    pub pearson_ratio: f64,
    /// The probability of such a χ², or a larger one.
    pub pearson_p: f64,
    /// The same for the deviance.
    pub deviance_p: f64,
    /// Dean's score test against a negative binomial, `Σ ((y − μ)² − y) / √(2 Σ μ²)`: standard normal if the model is right.
    pub dean: f64,
    /// Its probability, on one side.
    pub dean_p: f64,
    /// Cameron and Trivedi's excess of the variance over the mean, `variance = (1 + α) mean`.
    pub linear_alpha: f64,
    /// Its t statistic.
    pub linear_t: f64,
    /// The same for `variance = mean + α mean²`.
    pub quadratic_alpha: f64,
    /// Its t statistic.
    pub quadratic_t: f64,
}

impl Overdispersion {
    /// From counts and their expectations, and the parameters that were estimated from them.
    pub fn of(counts: &[f64], rates: &[f64], n_parameters: f64) -> Self {
        let pairs = || {
            counts
                .iter()
                .copied()
                .zip(rates.iter().copied())
                .filter(|(y, mu)| !(y.is_nan() || mu.is_nan()))
        };
        let n = pairs().count();
        let dof = n as f64 - n_parameters;
        let sum = |of: fn(f64, f64) -> f64| pairs().map(|(y, mu)| of(y, mu)).sum::<f64>();
        let chi2 = sum(|y, mu| (y - mu).powi(2) / mu);
        let deviance = sum(|y, mu| 2.0 * (if y > 0.0 { y * (y / mu).ln() } else { 0.0 } - (y - mu)));
        let squares = sum(|_, mu| mu * mu);
        let dean = sum(|y, mu| (y - mu).powi(2) - y) / (2.0 * squares).sqrt();
        let excess = |y: f64, mu: f64| ((y - mu).powi(2) - y) / mu;
        // Least squares on one, and on the rate.
        let linear = pairs().map(|(y, mu)| excess(y, mu)).sum::<f64>() / n as f64;
        let quadratic = pairs().map(|(y, mu)| excess(y, mu) * mu).sum::<f64>() / squares;
        let of_linear = pairs().map(|(y, mu)| (excess(y, mu) - linear).powi(2)).sum::<f64>() / (n as f64 - 1.0);
        let of_quadratic = pairs().map(|(y, mu)| (excess(y, mu) - quadratic * mu).powi(2)).sum::<f64>() / (n as f64 - 1.0);
        let tail = |x: f64| {
            if dof > 0.0 {
                Reference::ChiSquared(dof).upper_tail(x)
            } else {
                f64::NAN
            }
        };
        Overdispersion {
            n_windows: n,
            pearson_ratio: chi2 / dof,
            pearson_p: tail(chi2),
            deviance_p: tail(deviance),
            dean,
            dean_p: Reference::Normal.upper_tail(dean),
            linear_alpha: linear,
            linear_t: linear / (of_linear / n as f64).sqrt(),
            quadratic_alpha: quadratic,
            quadratic_t: quadratic / (of_quadratic / squares).sqrt(),
        }
    }
}

impl<B: Backend> Inference<'_, B> {
    /// `[n_neurons]`: whether counts scatter more than the model says, looked at in windows of consecutive rows that each expect at
    /// least so many counts (zero: in every row).
    ///
    /// In bins of a millisecond the expected counts are so small that χ² has no meaning: four spikes where the model expects 0.004 give
    /// a ratio of thousands. Take windows that expect one spike or more.
    ///
    /// # Errors
    /// [`Error::NoSuchTest`] unless the observations are counts; if the data cannot be read.
    pub fn overdispersion(&self, at_least: f64) -> Result<Vec<Overdispersion>, Error> {
        if !self.has_counts() {
            return Err(Error::NoSuchTest {
                test: "a test of overdispersion",
                why: "needs counts of which more than one may fall into a bin",
            });
        }
        self.design.check_whole("a test of overdispersion")?;
        let n_neurons = self.n_neurons();
        let mut windows: Vec<(Vec<f64>, Vec<f64>)> = vec![(Vec::new(), Vec::new()); n_neurons];
        let mut open = vec![(0.0, 0.0); n_neurons];
        self.each_chunk(|seen| {
            for row in 0..seen.n_rows() {
                for neuron in (0..n_neurons).filter(|&neuron| seen.is_used(row, neuron)) {
                    let (count, rate) = &mut open[neuron];
                    *count += seen.counts[(row, neuron)];
                    *rate += seen.at.rate[(row, neuron)];
                    if *rate >= at_least {
                        windows[neuron].0.push(*count);
                        windows[neuron].1.push(*rate);
                        open[neuron] = (0.0, 0.0);
                    }
                }
            }
            Ok(())
        })?;
        // What is left over belongs to the last window.
        let each = windows
            .into_iter()
            .zip(open)
            .zip(&self.of_neurons)
            .map(|(((mut counts, mut rates), (count, rate)), of)| {
                if let (Some(last), Some(expected)) = (counts.last_mut(), rates.last_mut()) {
                    *last += count;
                    *expected += rate;
                }
                Overdispersion::of(&counts, &rates, of.edf)
            });
        Ok(each.collect())
    }

    /// `[n_neurons]`: p-values of likelihood-ratio tests of this Poisson model against a negative binomial one with an estimated scale, of
    /// the same data. The Poisson model lies on the edge of the other, so that p is half of that of χ² with one degree of freedom.
    ///
    /// # Errors
    /// [`Error::NotComparable`] unless `other` is of the same rows and counts, and estimates a scale of most likelihood.
    ///
    /// # References
    /// Self & Liang (1987), *JASA* 82.
    pub fn against_negative_binomial(&self, other: &Inference<'_, B>) -> Result<Vec<f64>, Error> {
        let comparison = crate::compare(&[self, other])?;
        if self.kind.scale != Scale::Fixed(1.0) || other.kind.scale != Scale::MaximumLikelihood {
            return Err(Error::NotComparable {
                first: 0,
                second: 1,
                neuron: 0,
                why: "the first must be a Poisson model, and the second a negative binomial one whose scale is estimated",
            });
        }
        let each = comparison.criteria[0].iter().zip(&comparison.criteria[1]);
        Ok(each
            .map(|(poisson, other)| {
                let ratio = 2.0 * (other.log_likelihood - poisson.log_likelihood);
                0.5 * Reference::ChiSquared(1.0).upper_tail(ratio.max(0.0))
            })
            .collect())
    }
}
