//! Whether samples are even, and how far apart.

use super::events::Ts;
use crate::Error;

/// The mean time between samples of the same epoch, or nothing where no epoch has two at different times.
pub(crate) fn mean_step(axis: &Ts) -> Option<f64> {
    let (total, n_steps) = steps(axis);
    (total > 0.0).then(|| total / n_steps as f64)
}

/// The time between samples of the same epoch, all together, and how many steps there are.
fn steps(axis: &Ts) -> (f64, usize) {
    let epochs = axis.rows_by_epoch().into_iter().filter(|rows| rows.len() > 1);
    epochs.fold((0.0, 0), |(total, n_steps), rows| {
        let length = axis.times()[rows.end - 1] - axis.times()[rows.start];
        (total + length, n_steps + rows.len() - 1)
    })
}

/// That no epoch has two samples.
pub(crate) fn no_rate(axis: &Ts) -> Error {
    Error::TooFewSamples {
        name: "a sampling rate",
        least: 2,
        got: axis.len().min(1),
    }
}

impl Ts {
    /// Seconds between samples on average, where no sample is further than a tenth of a step from where it would be if all
    /// steps of its epoch were the same.
    pub(crate) fn sampling_step(&self) -> Result<f64, Error> {
        let times = self.times();
        let (total, n_steps) = steps(self);
        if n_steps == 0 {
            return Err(no_rate(self));
        }
        let step = total / n_steps as f64;
        for rows in self.rows_by_epoch().into_iter().filter(|rows| rows.len() > 1) {
            let own = (times[rows.end - 1] - times[rows.start]) / (rows.len() - 1) as f64;
            let is_off = |row: usize| (times[row] - times[rows.start] - (row - rows.start) as f64 * own).abs() > 0.1 * step;
            // A short epoch tells its step to a tenth at either end, a long one to a percent.
            let differs = (own - step).abs();
            let is_other = differs > 0.01 * step && differs * (rows.len() - 1) as f64 > 0.2 * step;
            if step <= 0.0 || is_other || rows.clone().any(is_off) {
                let off = |row: &usize| (times[row + 1] - times[*row] - step).abs();
                let row = (rows.start..rows.end - 1).max_by(|left, right| off(left).total_cmp(&off(right)));
                let row = row.unwrap_or(rows.start);
                return Err(Error::Irregular {
                    row,
                    got: times[row + 1] - times[row],
                    expected: step,
                });
            }
        }
        Ok(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IntervalSet;

    fn step(times: impl Iterator<Item = f64>) -> Result<f64, Error> {
        Ts::new(times.collect::<Vec<_>>()).unwrap().sampling_step()
    }

    #[test]
    fn rounded_times_are_even() {
        for rate in [1024.0, 30_000.0, 29_999.7] {
            let found = step((0..100_000).map(|k| (f64::from(k) / rate * 1e6).round() / 1e6)).unwrap();
            assert!((found * rate - 1.0).abs() < 1e-6, "{rate}: {found}");
            assert!(step((0..1000).map(|k| 1.7e9 + f64::from(k) / rate)).is_ok());
        }
    }

    #[test]
    fn lost_frames_and_changes_of_rate_are_not_even() {
        let lost = step((0..1000).filter(|k| *k != 700).map(|k| f64::from(k) * 0.01));
        assert!(matches!(lost, Err(Error::Irregular { row: 699, .. })), "{lost:?}");
        let faster = step((0..1000).map(|k| if k < 500 { f64::from(k) } else { 500.0 + f64::from(k - 500) * 0.9 }));
        assert!(matches!(faster, Err(Error::Irregular { .. })));
        assert!(matches!(step([0.0, 0.0].into_iter()), Err(Error::Irregular { .. })));
        let epochs = IntervalSet::new([(0.0, 99.0), (200.0, 250.0)]).unwrap();
        let times = (0..100).map(f64::from).chain((0..100).map(|k| 200.0 + f64::from(k) * 0.5));
        let axis = Ts::within(times.collect::<Vec<_>>(), &epochs).unwrap();
        assert!(matches!(axis.sampling_step(), Err(Error::Irregular { .. })));
        assert!(matches!(step([1.0].into_iter()), Err(Error::TooFewSamples { .. })));
    }
}
