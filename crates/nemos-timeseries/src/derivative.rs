//! Differences along time.

use nemos_core::Backend;

use crate::columns::map_columns;
use crate::{Error, Signal, Ts, Tsd};

/// Which time the difference between two samples is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiffTime {
    /// That of the first.
    Start,
    /// The middle.
    #[default]
    Center,
    /// That of the second.
    End,
}

impl Ts {
    /// Seconds from each event to the next in the same epoch: inter-spike intervals.
    ///
    /// # Example
    /// ```
    /// use nemos_core::Cpu;
    /// use nemos_timeseries::{DiffTime, Signal, Ts};
    /// let intervals = Ts::new([0.0, 1.0, 4.0])?.time_diff::<Cpu>(DiffTime::Center);
    /// assert_eq!((intervals.to_vec(), intervals.sample_times()), (vec![1.0, 3.0], [0.5, 2.5].as_slice()));
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    #[must_use]
    pub fn time_diff<B: Backend>(&self, at: DiffTime) -> Tsd<B> {
        let share = match at {
            DiffTime::Start => 0.0,
            DiffTime::Center => 0.5,
            DiffTime::End => 1.0,
        };
        let (mut times, mut steps) = (Vec::new(), Vec::new());
        for rows in self.rows_by_epoch() {
            for pair in self.times()[rows].windows(2) {
                steps.push(pair[1] - pair[0]);
                times.push((pair[0] + share * (pair[1] - pair[0])).min(pair[1]));
            }
        }
        Tsd::trusted(Ts::trusted(times, self.support().clone()), steps)
    }
}

/// The mean time between samples of the same epoch, or nothing where no epoch has two at different times.
pub(crate) fn mean_step(axis: &Ts) -> Option<f64> {
    let (mut total, mut steps) = (0.0, 0);
    for rows in axis.rows_by_epoch().into_iter().filter(|rows| rows.len() > 1) {
        total += axis.times()[rows.end - 1] - axis.times()[rows.start];
        steps += rows.len() - 1;
    }
    (total > 0.0).then(|| total / steps as f64)
}

/// Slopes through the neighbours of every sample, of second order where steps differ, of first order at the ends of an
/// epoch. A sample that is alone has none: NaN.
pub(crate) fn derivative<B: Backend, S: Signal<B>>(signal: &S) -> Result<S, Error> {
    map_columns(signal, |times, values| {
        let last = values.len() - usize::from(!values.is_empty());
        let slope = |left: usize, right: usize| (values[right] - values[left]) / (times[right] - times[left]);
        let slopes = (0..values.len()).map(|row| match row {
            _ if values.len() == 1 => f64::NAN,
            0 => slope(0, 1),
            row if row == last => slope(last - 1, last),
            row => {
                // The parabola through three samples: each slope counts by the step on the other side.
                let (before, after) = (times[row] - times[row - 1], times[row + 1] - times[row]);
                (slope(row - 1, row) * after + slope(row, row + 1) * before) / (before + after)
            }
        });
        Ok(slopes.collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IntervalSet;
    use nemos_core::Cpu;

    #[test]
    fn the_slope_of_a_parabola_is_exact_inside() {
        let axis = Ts::new([0.0, 1.0, 3.0, 4.0, 10.0, 20.0]).unwrap();
        let epochs = IntervalSet::new([(0.0, 5.0), (9.0, 11.0), (19.0, 21.0)]).unwrap();
        let squares = Tsd::<Cpu>::new(axis, vec![0.0, 1.0, 9.0, 16.0, 100.0, 400.0])
            .unwrap()
            .restrict(&epochs);
        let slopes = squares.derivative().unwrap().to_vec();
        assert_eq!(slopes[..4], [1.0, 2.0, 6.0, 7.0]);
        assert!(slopes[4].is_nan() && slopes[5].is_nan());
        assert_eq!(mean_step(squares.axis()), Some(4.0 / 3.0));
        assert_eq!(squares.axis().time_diff::<Cpu>(DiffTime::End).sample_times(), [1.0, 3.0, 4.0]);
        assert_eq!(mean_step(&Ts::new([1.0, 1.0]).unwrap()), None);
    }
}
