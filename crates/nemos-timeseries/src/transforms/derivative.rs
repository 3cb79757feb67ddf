//! Differences along time.

use nemos_core::Backend;

use crate::signals::{Kind, Signal, Tsd, matrix, with_host};
use crate::times::Ts;

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
    /// use nemos_timeseries::{DiffTime, Ts};
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

impl<B: Backend, K: Kind> Signal<B, K> {
    /// The change per second at every sample, within epochs: the slope of the parabola through it and its neighbours, at the
    /// ends of an epoch that of the line. NaN where an epoch has one sample, or two share a time.
    #[must_use]
    pub fn derivative(&self) -> Self {
        let (times, [n_rows, width]) = (self.sample_times(), self.values().dims());
        let mut slopes = vec![f64::NAN; n_rows * width];
        with_host(self.values(), |values| {
            let slope = |left: usize, right: usize, column: usize| {
                let (step, rise) = (
                    times[right] - times[left],
                    values[right * width + column] - values[left * width + column],
                );
                if step > 0.0 { rise / step } else { f64::NAN }
            };
            for rows in self.axis().rows_by_epoch().into_iter().filter(|rows| rows.len() > 1) {
                for row in rows.clone() {
                    for column in 0..width {
                        slopes[row * width + column] = if row == rows.start {
                            slope(row, row + 1, column)
                        } else if row == rows.end - 1 {
                            slope(row - 1, row, column)
                        } else {
                            // The parabola through three samples: each slope counts by the step on the other side.
                            let (before, after) = (times[row] - times[row - 1], times[row + 1] - times[row]);
                            (slope(row - 1, row, column) * after + slope(row, row + 1, column) * before) / (before + after)
                        };
                    }
                }
            }
        });
        self.with_values(self.axis().clone(), matrix(slopes, [n_rows, width]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IntervalSet;
    use crate::times::mean_step;
    use nemos_core::Cpu;

    #[test]
    fn the_slope_of_a_parabola_is_exact_inside() {
        let axis = Ts::new([0.0, 1.0, 3.0, 4.0, 10.0, 20.0]).unwrap();
        let epochs = IntervalSet::new([(0.0, 5.0), (9.0, 11.0), (19.0, 21.0)]).unwrap();
        let squares = Tsd::<Cpu>::new(axis, vec![0.0, 1.0, 9.0, 16.0, 100.0, 400.0])
            .unwrap()
            .restrict(&epochs);
        let slopes = squares.derivative().to_vec();
        assert_eq!(slopes[..4], [1.0, 2.0, 6.0, 7.0]);
        assert!(slopes[4].is_nan() && slopes[5].is_nan());
        assert_eq!(mean_step(squares.axis()), Some(4.0 / 3.0));
        assert_eq!(squares.axis().time_diff::<Cpu>(DiffTime::End).sample_times(), [1.0, 3.0, 4.0]);
        assert_eq!(mean_step(&Ts::new([1.0, 1.0]).unwrap()), None);
    }

    #[test]
    fn slopes_are_those_of_pynapple() {
        // Numbers from pynapple 0.11.4: Tsd.derivative over the epochs [0, 3] and [4, 21].
        let epochs = IntervalSet::new([(0.0, 3.0), (4.0, 21.0)]).unwrap();
        let axis = Ts::within([0.0, 1.0, 2.0, 5.0, 6.0, 7.5, 20.0], &epochs).unwrap();
        let signal = Tsd::<Cpu>::new(axis, vec![0.0, 1.0, 4.0, 9.0, 16.0, 25.0, 3.0]).unwrap();
        let slopes = signal.derivative().to_vec();
        let expected = [1.0, 2.0, 3.0, 7.0, 6.6, 5.168_571_428, -1.76];
        assert!(slopes.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-8), "{slopes:?}");
        let at_once = Tsd::<Cpu>::new(Ts::new([1.0, 1.0]).unwrap(), vec![0.0, 5.0]).unwrap();
        assert!(at_once.derivative().to_vec().iter().all(|slope| slope.is_nan()));
    }
}
