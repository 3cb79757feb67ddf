//! Keeping what lies above or below a value.

use nemos_core::Backend;

use crate::events::gather;
use crate::signal::{select, with_host};
use crate::{Interval, IntervalSet, Signal, Ts, Tsd};

/// Which values [`Tsd::threshold`] keeps.
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

impl<B: Backend> Tsd<B> {
    /// The samples on one side of a value, and as their support the epochs in which the signal is there.
    ///
    /// An epoch begins halfway between the last sample outside and the first inside, and ends likewise; where the signal is
    /// inside from the first sample on, or until the last, at that sample. A NaN is outside.
    ///
    /// # Example
    /// ```
    /// use nemos_core::Cpu;
    /// use nemos_timeseries::{IntervalSet, Signal, Threshold, Ts, Tsd};
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
                let mut row = rows.start;
                while row < rows.end {
                    let first = row + values[row..rows.end].iter().take_while(|value| !threshold.keeps(**value)).count();
                    row = first + values[first..rows.end].iter().take_while(|value| threshold.keeps(**value)).count();
                    if first < row {
                        let between = |left: usize| times[left] + (times[left + 1] - times[left]) / 2.0;
                        kept.push(first..row);
                        epochs.push(Interval {
                            start: if first > rows.start { between(first - 1) } else { times[first] },
                            end: if row < rows.end { between(row - 1) } else { times[row - 1] },
                        });
                    }
                }
            }
        });
        let axis = Ts::trusted(gather(times, &kept, 1), IntervalSet::trusted(epochs));
        self.with_values(axis, select(self.values(), &kept))
    }
}
