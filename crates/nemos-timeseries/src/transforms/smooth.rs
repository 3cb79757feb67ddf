//! Smoothing with a Gaussian.

use nemos_core::Backend;
use nemos_core::convolution::{Causality, Kernel};

use crate::Error;
use crate::convolve::convolved;
use crate::error::positive;
use crate::signals::{Kind, Signal};
use crate::times::mean_step;

/// What smoothing takes for samples before the first and after the last of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Edges {
    /// Zeros: the ends of an epoch sink towards zero.
    #[default]
    Zeros,
    /// Nothing: weights are scaled so that those of the samples that exist add up to one.
    Weighted,
}

/// Further out, weights are less than 1e-14 of the largest.
const REACH: f64 = 8.0;

impl<B: Backend, K: Kind> Signal<B, K> {
    /// The signal smoothed by a Gaussian of this standard deviation in seconds, within epochs. Samples count as even, as far
    /// apart as they are on average.
    ///
    /// # Errors
    /// [`Error::NotPositive`] unless the deviation is positive and finite.
    pub fn smooth(&self, deviation: f64, edges: Edges) -> Result<Self, Error> {
        positive("the standard deviation", deviation)?;
        let deviation = deviation / mean_step(self.axis()).unwrap_or(f64::INFINITY);
        let longest = self.axis().rows_by_epoch().iter().map(ExactSizeIterator::len).max();
        let kernel = gaussian(deviation, longest.unwrap_or(1));
        let kernel = Kernel::new(kernel, 1);
        self.map_columns(|_, values| {
            let mut smooth = convolved(values, &kernel, Causality::Acausal);
            if edges == Edges::Weighted {
                let weights = convolved(&vec![1.0; values.len()], &kernel, Causality::Acausal);
                for (value, weight) in smooth.iter_mut().zip(weights) {
                    *value /= weight;
                }
            }
            Ok(smooth)
        })
    }
}

/// Weights of a Gaussian with this deviation in samples that adds up to one, `longest` samples to each side at most.
fn gaussian(deviation: f64, longest: usize) -> Vec<f64> {
    let reach = (REACH * deviation).ceil();
    if reach == 0.0 {
        return vec![1.0];
    }
    let half = reach.min(longest as f64) as usize;
    let weight = |lag: usize| (-0.5 * (lag.abs_diff(half) as f64 / deviation).powi(2)).exp();
    let mut weights: Vec<f64> = (0..=2 * half).map(weight).collect();
    // A Gaussian that is cut off is wide, and the sum of all of its weights is the integral.
    let total = if half as f64 == reach {
        weights.iter().sum()
    } else {
        deviation * std::f64::consts::TAU.sqrt()
    };
    for weight in &mut weights {
        *weight /= total;
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IntervalSet, Ts, Tsd};
    use nemos_core::Cpu;

    #[test]
    fn a_pulse_becomes_a_gaussian_and_a_constant_stays() {
        let axis = Ts::regular(0.0, 0.5, 41).unwrap();
        let mut pulse = vec![0.0; 41];
        pulse[20] = 1.0;
        let smooth = Tsd::<Cpu>::new(axis.clone(), pulse)
            .unwrap()
            .smooth(1.0, Edges::Zeros)
            .unwrap()
            .to_vec();
        // exp(−(1 s)² / 2 (1 s)²), relative to the peak.
        assert!((smooth[22] / smooth[20] - (-0.5_f64).exp()).abs() < 1e-12);
        assert!((smooth.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let flat = Tsd::<Cpu>::new(axis, vec![3.0; 41]).unwrap();
        let epochs = IntervalSet::new([(0.0, 3.0), (3.2, 20.0)]).unwrap();
        let smooth = |edges, deviation| flat.restrict(&epochs).smooth(deviation, edges).unwrap().to_vec();
        for deviation in [0.1, 2.0, 1e9] {
            assert!(
                smooth(Edges::Weighted, deviation).iter().all(|value| (value - 3.0).abs() < 1e-9),
                "{deviation}"
            );
        }
        assert!(smooth(Edges::Zeros, 2.0)[0] < 2.0 && smooth(Edges::Zeros, 1e9)[0] < 1e-7);
    }

    #[test]
    fn samples_that_are_alone_stay_as_they_are() {
        for edges in [Edges::Zeros, Edges::Weighted] {
            let smooth = |times: &[f64], values: &[f64]| {
                let signal = Tsd::<Cpu>::new(Ts::new(times).unwrap(), values.to_vec()).unwrap();
                signal.smooth(1.0, edges).unwrap().to_vec()
            };
            assert_eq!((smooth(&[], &[]), smooth(&[2.0], &[5.0])), (vec![], vec![5.0]));
        }
        let signal = Tsd::<Cpu>::new(Ts::new([0.0]).unwrap(), vec![1.0]).unwrap();
        assert!(matches!(signal.smooth(0.0, Edges::Zeros), Err(Error::NotPositive { .. })));
    }
}
