//! Counts of units that were not all observed at the same time.

use nemos_core::{Backend, time_tolerance};

use super::group::TsGroup;
use crate::Error;
use crate::signals::{TsdFrame, matrix};
use crate::times::{Bins, IntervalSet};

impl TsGroup {
    /// As [`count`](TsGroup::count), with NaN in the bins that lie not wholly within the times at which a unit was observed. A
    /// fit leaves these bins out for that unit alone.
    ///
    /// # Shapes
    /// `[n_bins, n_units]`; `observed` has a set for each unit, in their order.
    ///
    /// # Errors
    /// [`Error::Differ`] unless there is one set for each unit; as [`count`](TsGroup::count).
    ///
    /// # Example
    /// ```
    /// use nemos_core::Cpu;
    /// use nemos_timeseries::{IntervalSet, Ts, TsGroup};
    /// let session = IntervalSet::new([(0.0, 3.0)])?;
    /// let units = TsGroup::new([Ts::new([0.5, 2.5])?, Ts::new([0.5])?], &session);
    /// let observed = [session.clone(), IntervalSet::new([(0.0, 1.0)])?];
    /// let counts = units.count_observed::<Cpu>(1.0, &observed)?;
    /// assert_eq!(counts.column("0")?.to_vec(), [1.0, 0.0, 1.0]);
    /// assert!(counts.column("1")?.to_vec()[1..].iter().all(|count| count.is_nan()));
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    pub fn count_observed<B: Backend>(&self, bin_size: f64, observed: &[IntervalSet]) -> Result<TsdFrame<B>, Error> {
        if observed.len() != self.len() {
            return Err(Error::Differ {
                left_name: "the list of times of observation",
                left: observed.len(),
                right_name: "the group",
                right: self.len(),
            });
        }
        let counts = self.count::<B>(bin_size)?;
        let bins = Bins::new(self.support(), bin_size)?;
        let epochs: Vec<_> = self.support().intervals().iter().zip(bins.by_epoch()).collect();
        let width = self.len();
        let mut values = counts.values().to_vec();
        for (unit, observed) in observed.iter().enumerate() {
            let unseen = self.support().difference(observed);
            let mut unseen = unseen.intervals().iter().peekable();
            for (epoch, rows) in &epochs {
                // Pieces come in the order of the epochs that they are cut from.
                while let Some(piece) = unseen.next_if(|piece| piece.start < epoch.end) {
                    let tolerance = time_tolerance(piece.start).max(time_tolerance(piece.end));
                    // The bins that end after the piece begins, and begin before it ends.
                    let bins_until = |time: f64| (time - epoch.start) / bin_size;
                    let first = bins_until(piece.start + tolerance).max(0.0).floor() as usize;
                    let end = (bins_until(piece.end - tolerance).ceil() as usize).min(rows.len());
                    for row in first.min(end)..end {
                        values[(rows.start + row) * width + unit] = f64::NAN;
                    }
                }
            }
        }
        Ok(self.frame(counts.axis().clone(), matrix(values, [counts.len(), width])))
    }
}
