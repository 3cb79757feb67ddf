//! What of repeated responses can be explained.

use ndarray::{ArrayView1, ArrayView2, Axis};

use crate::Error;
use crate::error::check_length;

/// How well rates explain responses to repeats of one stimulus: noise differs between repeats, and no model can explain it.
///
/// ```text
/// SP = (Var Σᵣ yᵣ − Σᵣ Var yᵣ) / (R (R − 1))        signal power
/// ```
///
/// Ratios are NaN where there is no signal power above the noise.
///
/// # References
/// Sahani & Linden (2003), *NIPS* 15; Schoppe et al. (2016), *Frontiers in Computational Neuroscience* 10.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Repeats {
    /// The variance over time of what the repeats have in common.
    pub signal_power: f64,
    /// The mean variance of a repeat that they do not.
    pub noise_power: f64,
    /// The correlation of the rates with the mean response.
    pub correlation: f64,
    /// What that of a perfect model would be.
    pub correlation_max: f64,
    /// One over the other, as if there were no noise.
    pub correlation_normalised: f64,
    /// The share of the signal power that the rates explain.
    pub explained_signal_power: f64,
}

impl Repeats {
    /// From responses `[n_repeats, n_bins]` and rates `[n_bins]`.
    ///
    /// # Errors
    /// [`Error::Length`] unless there is a rate for each bin, [`Error::TooFew`] with fewer than two repeats or bins.
    ///
    /// # Example
    /// ```
    /// use ndarray::array;
    /// use nemos_inference::Repeats;
    /// let responses = array![[0.0, 2.0, 5.0, 1.0], [1.0, 2.0, 4.0, 1.0], [0.0, 3.0, 5.0, 2.0]];
    /// let repeats = Repeats::new(responses.view(), array![0.3, 2.4, 4.7, 1.3].view())?;
    /// assert!(repeats.correlation_normalised > 0.98);
    /// # Ok::<(), nemos_inference::Error>(())
    /// ```
    pub fn new(responses: ArrayView2<'_, f64>, rates: ArrayView1<'_, f64>) -> Result<Self, Error> {
        let (n_repeats, n_bins) = responses.dim();
        check_length("the rates", "entries", rates.len(), (n_bins, "one per bin of the responses"))?;
        for (what, got) in [("repeats", n_repeats), ("bins", n_bins)] {
            if got < 2 {
                return Err(Error::TooFew { what, got, needed: 2 });
            }
        }
        let variance = |values: ArrayView1<'_, f64>| values.var(1.0);
        let r = n_repeats as f64;
        let sum = responses.sum_axis(Axis(0));
        let mean = &sum / r;
        let of_repeats: Vec<f64> = responses.rows().into_iter().map(variance).collect();
        let total: f64 = of_repeats.iter().sum();
        let power = (variance(sum.view()) - total) / (r * (r - 1.0));
        // No signal above noise: ratios to it have no meaning.
        let signal = if power > 0.0 { power } else { f64::NAN };
        let (of_mean, of_rates) = (variance(mean.view()), variance(rates));
        let centre = |values: ArrayView1<'_, f64>| values.mapv(|x| x - values.mean().unwrap_or(f64::NAN));
        let covariance = centre(mean.view()).dot(&centre(rates)) / (n_bins as f64 - 1.0);
        Ok(Repeats {
            signal_power: power,
            noise_power: total / r - power,
            correlation: covariance / (of_mean * of_rates).sqrt(),
            correlation_max: (signal / of_mean).sqrt(),
            correlation_normalised: covariance / (signal * of_rates).sqrt(),
            explained_signal_power: (of_mean - variance((&mean - &rates).view())) / signal,
        })
    }
}
