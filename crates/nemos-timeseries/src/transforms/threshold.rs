//! Keeping what lies above or below a value.

use nemos_core::Backend;

use crate::signals::{Scalar, Signal, with_host};
use crate::times::{Interval, IntervalSet, runs};

/// Which values [`Tsd::threshold`](crate::Tsd::threshold) keeps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// Above this one.
    Above(f64),
    /// This one and above.
    AtLeast(f64),
    /// Below this one.
    Below(f64),
    /// This one and below.
    AtMost(f64),
}

impl Threshold {
    fn keeps(self, value: f64) -> bool {
        match self {
            Threshold::Above(limit) => value > limit,
            Threshold::AtLeast(limit) => value >= limit,
            Threshold::Below(limit) => value < limit,
            Threshold::AtMost(limit) => value <= limit,
        }
    }
}

impl<B: Backend> Signal<B, Scalar> {
    /// The samples on one side of a value, and as their support the epochs in which the signal is there.
    ///
    /// An epoch begins halfway between the last sample outside and the first inside, and ends likewise; where the signal is
    /// inside from the first sample on, or until the last, at that sample. A NaN is outside.
    ///
    /// # Example
    /// ```
    /// use nemos_core::Cpu;
    /// use nemos_timeseries::{IntervalSet, Threshold, Ts, Tsd};
    /// let speed = Tsd::<Cpu>::new(Ts::regular(0.0, 1.0, 5)?, vec![0.0, 3.0, 4.0, 0.0, 5.0])?;
    /// let running = speed.threshold(Threshold::Above(2.0));
    /// assert_eq!(running.support(), &IntervalSet::new([(0.5, 2.5), (3.5, 4.0)])?);
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    #[must_use]
    pub fn threshold(&self, threshold: Threshold) -> Self {
        let times = self.sample_times();
        let (mut kept, mut epochs) = (Vec::new(), Vec::new());
        with_host(self.values(), |values| {
            for rows in self.axis().rows_by_epoch() {
                let between = |left: usize| times[left] + (times[left + 1] - times[left]) / 2.0;
                for run in runs(rows.clone(), |row| threshold.keeps(values[row])) {
                    epochs.push(Interval {
                        start: if run.start > rows.start {
                            between(run.start - 1)
                        } else {
                            times[run.start]
                        },
                        end: if run.end < rows.end {
                            between(run.end - 1)
                        } else {
                            times[run.end - 1]
                        },
                    });
                    kept.push(run);
                }
            }
        });
        self.keep(&kept, &IntervalSet::trusted(epochs))
    }
}
