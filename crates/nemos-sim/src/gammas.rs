//! Filters that are a difference of two gamma densities: inhibition first, excitation later.

use crate::Error;
use crate::incomplete_gamma::{density, quantile};

/// A coupling filter: an excitatory gamma density less an inhibitory one, of norm one.
///
/// ```text
/// filter[l] ∝ gamma(xₗ; excitation) − gamma(xₗ; inhibition)
/// ```
/// at even steps `xₗ` from 0 to the upper percentile of whichever density reaches further. With the default shapes the
/// inhibitory part is highest right after a spike, as a refractory period is.
///
/// # Options
/// | option | default | |
/// |---|---|---|
/// | `inhibition` | 1, 1 | shape, at least one, and rate |
/// | `excitation` | 2, 2 | the same |
/// | `upper_percentile` | 0.99 | in `[0, 1)` |
///
/// # Example
/// ```
/// use nemos_sim::DifferenceOfGammas;
/// let filter = DifferenceOfGammas::new().excitation(4.0, 2.0).filter(100)?;
/// assert!(filter[0] < 0.0 && filter[30] > 0.0);
/// # Ok::<(), nemos_sim::Error>(())
/// ```
#[doc(alias = "difference_of_gammas")]
#[derive(Copy, Clone, Debug, PartialEq)]
#[must_use]
pub struct DifferenceOfGammas {
    /// Shape and rate.
    inhibition: [f64; 2],
    excitation: [f64; 2],
    upper_percentile: f64,
}

impl Default for DifferenceOfGammas {
    fn default() -> Self {
        DifferenceOfGammas {
            inhibition: [1.0, 1.0],
            excitation: [2.0, 2.0],
            upper_percentile: 0.99,
        }
    }
}

impl DifferenceOfGammas {
    /// The default difference.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets shape and rate of the inhibitory density.
    pub fn inhibition(mut self, shape: f64, rate: f64) -> Self {
        self.inhibition = [shape, rate];
        self
    }

    /// Sets shape and rate of the excitatory density.
    pub fn excitation(mut self, shape: f64, rate: f64) -> Self {
        self.excitation = [shape, rate];
        self
    }

    /// Sets how much of either density the filter covers at least.
    pub fn upper_percentile(mut self, probability: f64) -> Self {
        self.upper_percentile = probability;
        self
    }

    /// The filter over this many lags.
    ///
    /// # Errors
    /// [`Error::Gamma`] if an option is out of range, [`Error::NoFilter`] if the densities are the same at all lags,
    /// [`Error::EmptyWindow`] without lags.
    pub fn filter(&self, window: usize) -> Result<Vec<f64>, Error> {
        self.validate()?;
        if window == 0 {
            return Err(Error::EmptyWindow { name: "a filter" });
        }
        let reach = |[shape, rate]: [f64; 2]| quantile(self.upper_percentile, shape, rate);
        let end = reach(self.inhibition).max(reach(self.excitation));
        let last = (window - 1).max(1) as f64;
        let at = |lag: usize| {
            let x = end * (lag as f64 / last);
            let [excitation, inhibition] = [self.excitation, self.inhibition].map(|[shape, rate]| density(x, shape, rate));
            excitation - inhibition
        };
        let mut filter: Vec<f64> = (0..window).map(at).collect();
        let norm = filter.iter().map(|value| value * value).sum::<f64>().sqrt();
        // Two densities may be equal at every lag that is looked at, such as one lag alone.
        if !(norm > 0.0 && norm < f64::INFINITY) {
            return Err(Error::NoFilter { norm });
        }
        filter.iter_mut().for_each(|value| *value /= norm);
        Ok(filter)
    }

    fn validate(&self) -> Result<(), Error> {
        let [inhibition, excitation] = [self.inhibition, self.excitation];
        for (name, got) in [("the inhibitory shape", inhibition[0]), ("the excitatory shape", excitation[0])] {
            // Below one the density is infinite at lag 0; far above, its quantile takes for ever.
            if !(1.0..1e6).contains(&got) {
                let expected = "a shape from one to a million, so that it is finite at lag 0";
                return Err(Error::Gamma { name, got, expected });
            }
        }
        for (name, got) in [("the inhibitory rate", inhibition[1]), ("the excitatory rate", excitation[1])] {
            if !(got > 0.0 && got < f64::INFINITY) {
                let expected = "a rate above zero";
                return Err(Error::Gamma { name, got, expected });
            }
        }
        if !(0.0..1.0).contains(&self.upper_percentile) {
            return Err(Error::Gamma {
                name: "the upper percentile",
                got: self.upper_percentile,
                expected: "one from zero to below one",
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_filter_is_that_of_nemos() {
        // difference_of_gammas(6) of NeMoS 0.2.8.
        let expected = [-0.982516318, 0.182540783, 0.026128364, -0.018761448, -0.015544129, -0.008015301];
        let filter = DifferenceOfGammas::new().filter(6).unwrap();
        assert!(
            filter.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-9),
            "{filter:?}"
        );
    }

    #[test]
    fn options_out_of_range_are_refused() {
        let filter = DifferenceOfGammas::new();
        for bad in [0.5, 0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(filter.inhibition(bad, 1.0).filter(5), Err(Error::Gamma { .. })));
        }
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(filter.excitation(2.0, bad).filter(5), Err(Error::Gamma { .. })));
        }
        for bad in [-0.1, 1.0, f64::NAN] {
            assert!(matches!(filter.upper_percentile(bad).filter(5), Err(Error::Gamma { .. })));
        }
        assert!(matches!(filter.excitation(1.0, 1.0).filter(5), Err(Error::NoFilter { .. })));
        assert!(matches!(
            filter.inhibition(2.0, 1.0).excitation(3.0, 1.0).filter(1),
            Err(Error::NoFilter { .. })
        ));
        for extreme in [1e-308, 1e300] {
            let found = filter.excitation(2.0, extreme).filter(5);
            assert!(found.is_err() || found.is_ok_and(|filter| filter.iter().all(|value| value.is_finite())));
        }
        assert!(matches!(filter.filter(0), Err(Error::EmptyWindow { .. })));
        assert_eq!(filter.filter(1).unwrap(), [-1.0]);
    }
}
