//! How much a unit says about a feature.

use ndarray::Axis;

use super::tuning::TuningCurves;

/// Information between the activity of a unit and a feature.
///
/// ```text
/// I = Σₓ p(x)·λ(x)·log₂(λ(x)/λ̄)        bits per second; divided by λ̄, bits per spike
/// ```
/// # References
/// Skaggs, McNaughton, Gothard & Markus (1993), "An information-theoretic approach to deciphering the hippocampal code",
/// *Advances in Neural Information Processing Systems* 5.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Information {
    /// Bits per second.
    pub per_second: f64,
    /// Bits per spike; NaN for a unit without spikes.
    pub per_spike: f64,
}

impl TuningCurves {
    /// The information between each unit and the features, from the curves, the occupancy and the mean rates `λ̄`, which for
    /// curves of signals are means weighted by the occupancy.
    ///
    /// Rates of units are those over all epochs of the feature, as in pynapple: where it leaves the range of the bins, or
    /// is NaN, a unit that fires more there can come out below zero. Restrict to epochs in which it is known first.
    ///
    /// # Example
    /// ```
    /// use nemos_core::Cpu;
    /// use nemos_timeseries::{Binning, IntervalSet, Ts, TsGroup, Tsd};
    /// // A cell that fires in one of two places only says one bit with every spike.
    /// let axis = Ts::within([0.5, 1.5, 2.5, 3.5], &IntervalSet::new([(0.0, 4.0)])?)?;
    /// let place = Tsd::<Cpu>::new(axis, vec![1.0, 2.0, 8.0, 9.0])?;
    /// let cell = TsGroup::new([Ts::new([2.1, 2.2, 2.9, 3.4])?], place.support());
    /// let curves = cell.tuning_curves(&place, &[Binning::new(2).range(0.0, 10.0)])?;
    /// assert_eq!(curves.information()[0].per_spike, 1.0);
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    #[doc(alias("compute_mutual_information", "compute_1d_mutual_info"))]
    #[must_use]
    pub fn information(&self) -> Vec<Information> {
        let total: f64 = self.occupancy().iter().sum();
        let units = self.values().axis_iter(Axis(0)).enumerate();
        let information = units.map(|(unit, curve)| {
            let visited = || curve.iter().zip(self.occupancy()).filter(|(rate, _)| !rate.is_nan());
            // Signals have no rate over the epochs: theirs is the mean of the curve, which leaves out nothing that was visited.
            let weighted: f64 = visited().map(|(rate, occupancy)| rate * occupancy / total).sum();
            let mean = self.rates().map_or(weighted, |rates| rates[unit]);
            let term = |rate: f64, occupancy: f64| {
                let bits = (rate / mean).log2();
                // λ·log λ goes to zero with λ.
                if bits.is_finite() { occupancy / total * rate * bits } else { 0.0 }
            };
            let per_second: f64 = visited().map(|(rate, occupancy)| term(*rate, *occupancy)).sum();
            Information {
                per_second,
                per_spike: per_second / mean,
            }
        });
        information.collect()
    }
}
