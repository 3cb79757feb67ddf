//! The mean of a signal around events, of samples that need not be even.

use nemos_core::Backend;

use super::around::Around;
use crate::Error;
use crate::error::holds;
use crate::signals::{Kind, Signal, matrix, with_host};
use crate::times::{Bins, Ts};

impl<B: Backend, K: Kind> Signal<B, K> {
    /// The mean of all samples around the events of `triggers`, in bins of `bin_size` seconds of their lags, whether the
    /// samples are even or not: frames of a camera that come early and late, or drop out.
    ///
    /// A sample counts for every event whose epoch it lies in. A missing value is left out of its own column; a lag at which there
    /// is none is NaN.
    ///
    /// # Shapes
    /// `[n_lags, n_columns]`, at the middles of the bins.
    ///
    /// # Errors
    /// [`Error::NotPositive`], [`Error::TooManyBins`] or [`Error::TooMany`] if the bins cannot be.
    ///
    /// # Example
    /// ```
    /// use nemos_core::Cpu;
    /// use nemos_timeseries::{Around, Ts, Tsd};
    /// let frames = Ts::new([0.0, 0.11, 0.19, 0.31, 0.40, 0.52])?;
    /// let signal = Tsd::<Cpu>::new(frames, vec![0.0, 1.0, 3.0, 0.0, 2.0, 4.0])?;
    /// let average = signal.perievent_average(&Ts::new([0.1, 0.4])?, Around::new(0.0, 0.2)?, 0.1)?;
    /// assert_eq!(average.to_vec(), [2.0, 4.0]);             // of 1, 3 and 2; and of 4
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    #[doc(alias = "compute_event_triggered_average")]
    pub fn perievent_average(&self, triggers: &Ts, around: Around, bin_size: f64) -> Result<Self, Error> {
        let (samples, width) = (self.sample_times(), self.n_columns());
        let triggers = triggers.restrict(self.support());
        let window = around.support().with_grain(triggers.grain());
        let bins = Bins::new(&window, bin_size)?;
        let n_bins = bins.len();
        holds("values, lags times columns,", &[n_bins, width])?;
        let (mut sums, mut weights) = (vec![0.0; n_bins * width], vec![0.0; n_bins * width]);
        let tolerance = window.tolerance(around.before());
        with_host(self.values(), |values| {
            for (rows, epoch) in triggers.rows_by_epoch().into_iter().zip(self.axis().rows_by_epoch()) {
                for &trigger in &triggers.times()[rows] {
                    let near = self
                        .axis()
                        .rows_near(trigger - around.before(), trigger + around.after(), tolerance);
                    for row in near.start.max(epoch.start)..near.end.min(epoch.end) {
                        let bin = ((samples[row] - trigger + around.before() + tolerance) / bin_size) as usize;
                        for column in (0..width).filter(|_| bin < n_bins) {
                            let value = values[row * width + column];
                            if !value.is_nan() {
                                sums[bin * width + column] += value;
                                weights[bin * width + column] += 1.0;
                            }
                        }
                    }
                }
            }
        });
        let means: Vec<f64> = sums.iter().zip(&weights).map(|(sum, weight)| sum / weight).collect();
        Ok(self.with_values(bins.axis(), matrix(means, [n_bins, width])))
    }
}
