//! Trials side by side: one row per epoch, padded with NaN to the longest.

use ndarray::Array3;
use nemos_core::Backend;
use rayon::prelude::*;

use crate::Error;
use crate::error::holds;
use crate::signals::{Kind, Signal, with_host};
use crate::times::{Bins, IntervalSet};
use crate::units::{TsGroup, count_into};

/// At which of their ends trials of different length are aligned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrialEdge {
    /// They begin together.
    #[default]
    Start,
    /// They end together.
    End,
}

impl TrialEdge {
    /// Where a trial begins in a row.
    fn offset(self, length: usize, longest: usize) -> usize {
        match self {
            TrialEdge::Start => 0,
            TrialEdge::End => longest - length,
        }
    }
}

impl TsGroup {
    /// Counts in bins of `bin_size` seconds from the start of every trial, NaN beyond its end.
    ///
    /// # Shapes
    /// `[n_units, n_trials, n_bins]`
    ///
    /// # Errors
    /// As [`TsGroup::count`].
    ///
    /// # Example
    /// ```
    /// use nemos_timeseries::{IntervalSet, TrialEdge, Ts, TsGroup};
    /// let session = IntervalSet::new([(0.0, 10.0)])?;
    /// let units = TsGroup::new([Ts::new([0.2, 1.4, 5.1])?], &session);
    /// let trials = IntervalSet::new([(0.0, 2.0), (5.0, 6.0)])?;
    /// let counts = units.trial_counts(&trials, 1.0, TrialEdge::Start)?;
    /// assert_eq!(counts.shape(), [1, 2, 2]);
    /// assert_eq!(counts[[0, 1, 0]], 1.0);
    /// assert!(counts[[0, 1, 1]].is_nan());
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    #[doc(alias("trial_count", "build_tensor"))]
    pub fn trial_counts(&self, trials: &IntervalSet, bin_size: f64, edge: TrialEdge) -> Result<Array3<f64>, Error> {
        let bins = Bins::new(trials, bin_size)?;
        let ranges = bins.by_epoch();
        let longest = ranges.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        holds("counts, units times trials times bins,", &[self.len(), trials.len(), longest])?;
        let by_unit = self.units().par_iter().map(|unit| {
            let counts = count_into::<f64>(std::slice::from_ref(unit), &bins);
            let mut padded = vec![f64::NAN; ranges.len() * longest];
            for (trial, range) in ranges.iter().enumerate() {
                let from = trial * longest + edge.offset(range.len(), longest);
                padded[from..from + range.len()].copy_from_slice(&counts[range.clone()]);
            }
            padded
        });
        Ok(array([self.len(), trials.len(), longest], by_unit.collect::<Vec<_>>().concat()))
    }
}

impl<B: Backend, K: Kind> Signal<B, K> {
    /// The samples of every trial side by side, from its start to its end, NaN beyond.
    ///
    /// # Shapes
    /// `[n_columns, n_trials, n_samples]`
    #[doc(alias("to_trial_tensor", "build_tensor"))]
    #[must_use]
    pub fn trial_tensor(&self, trials: &IntervalSet, edge: TrialEdge) -> Array3<f64> {
        let rows = trials.rows(self.sample_times());
        let width = self.n_columns();
        let longest = rows.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        let mut out = Array3::from_elem([width, trials.len(), longest], f64::NAN);
        with_host(self.values(), |values| {
            for (trial, rows) in rows.into_iter().enumerate() {
                let from = edge.offset(rows.len(), longest);
                for (at, row) in rows.enumerate() {
                    for column in 0..width {
                        out[[column, trial, from + at]] = values[row * width + column];
                    }
                }
            }
        });
        out
    }
}

fn array(dims: [usize; 3], values: Vec<f64>) -> Array3<f64> {
    Array3::from_shape_vec(dims, values).expect("invariant: as many values as the shape holds")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ts, Tsd};
    use nemos_core::Cpu;

    #[test]
    fn trials_align_at_either_end() {
        let signal = Tsd::<Cpu>::new(Ts::regular(0.0, 1.0, 8).unwrap(), (0..8).map(f64::from).collect::<Vec<_>>()).unwrap();
        let trials = IntervalSet::new([(0.0, 2.5), (4.0, 5.0), (20.0, 21.0)]).unwrap();
        let tensor = signal.trial_tensor(&trials, TrialEdge::End);
        assert_eq!(tensor.shape(), [1, 3, 3]);
        let row = |trial: usize| (0..3).map(|at| tensor[[0, trial, at]]).collect::<Vec<_>>();
        assert_eq!((row(0), &row(1)[1..]), (vec![0.0, 1.0, 2.0], [4.0, 5.0].as_slice()));
        assert!(row(1)[0].is_nan() && row(2).iter().all(|value| value.is_nan()));
        assert_eq!(signal.trial_tensor(&IntervalSet::default(), TrialEdge::Start).shape(), [1, 0, 0]);
        let group = TsGroup::new([signal.axis().clone()], signal.support());
        let counts = group.trial_counts(&trials, 0.5, TrialEdge::End).unwrap();
        assert_eq!(
            (counts.shape(), counts[[0, 1, 3]], counts[[0, 0, 4]]),
            ([1, 3, 5].as_slice(), 1.0, 1.0)
        );
    }
}
