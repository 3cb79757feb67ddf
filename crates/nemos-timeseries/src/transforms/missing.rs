//! Leaving out samples that are missing.

use nemos_core::Backend;

use crate::signals::{Kind, Signal, with_host};
use crate::times::{Interval, runs};

impl<B: Backend, K: Kind> Signal<B, K> {
    /// The samples without NaN. Where some are missing in between, an epoch is cut in two: from its start to the last sample
    /// before them, and from the first one after them.
    #[doc(alias = "dropna")]
    #[must_use]
    pub fn drop_missing(&self) -> Self {
        let (times, width) = (self.sample_times(), self.n_columns());
        let (mut kept, mut epochs, mut origins) = (Vec::new(), Vec::new(), Vec::new());
        with_host(self.values(), |values| {
            let is_complete = |row: usize| !values[row * width..(row + 1) * width].iter().any(|value| value.is_nan());
            let intervals = self.support().intervals().iter().zip(self.axis().rows_by_epoch());
            for (origin, (interval, rows)) in intervals.enumerate() {
                // An epoch without samples says that there were none, and stays.
                if rows.is_empty() {
                    epochs.push(*interval);
                    origins.push(origin);
                }
                for run in runs(rows.clone(), is_complete) {
                    epochs.push(Interval {
                        start: if run.start == rows.start {
                            interval.start
                        } else {
                            times[run.start]
                        },
                        end: if run.end == rows.end { interval.end } else { times[run.end - 1] },
                    });
                    origins.push(origin);
                    kept.push(run);
                }
            }
        });
        self.keep(&kept, &self.support().derived(epochs, &origins))
    }
}

#[cfg(test)]
mod tests {
    use crate::{IntervalSet, Ts, Tsd};
    use nemos_core::Cpu;

    #[test]
    fn epochs_are_cut_where_samples_are_missing() {
        let nan = f64::NAN;
        let epochs = IntervalSet::new([(-1.0, 5.5), (6.0, 8.0), (9.0, 10.0), (20.0, 21.0)]).unwrap();
        let epochs = epochs.with_column("trial", vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let times = Ts::within((0..11).map(f64::from).collect::<Vec<_>>(), &epochs).unwrap();
        let signal = Tsd::<Cpu>::new(times, vec![0.0, 1.0, nan, nan, 4.0, nan, 6.0, 7.0, 8.0, nan, nan]).unwrap();
        let complete = signal.drop_missing();
        assert_eq!(complete.to_vec(), [0.0, 1.0, 4.0, 6.0, 7.0, 8.0]);
        let ends: Vec<(f64, f64)> = complete.support().starts().zip(complete.support().ends()).collect();
        assert_eq!(ends, [(-1.0, 1.0), (4.0, 4.0), (6.0, 8.0), (20.0, 21.0)]);
        assert_eq!(complete.support().metadata().numbers("trial").unwrap(), [1.0, 1.0, 2.0, 4.0]);
        assert_eq!(complete.drop_missing().sample_times(), complete.sample_times());
    }

    #[test]
    fn nothing_missing_changes_nothing() {
        let signal = Tsd::<Cpu>::new(Ts::regular(0.0, 1.0, 3).unwrap(), vec![1.0, 2.0, 3.0]).unwrap();
        let same = signal.drop_missing();
        assert_eq!((same.to_vec(), same.support()), (signal.to_vec(), signal.support()));
        let none = Tsd::<Cpu>::new(Ts::default(), Vec::<f64>::new()).unwrap();
        assert!(none.drop_missing().sample_times().is_empty());
    }
}
