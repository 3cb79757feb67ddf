//! Events: times at which something happened, in order, within a time support.

use std::ops::Range;
use std::sync::Arc;

use nemos_core::{Segments, time_tolerance};

use super::intervals::{Interval, IntervalSet};
use super::rows::gather;
use crate::Error;

/// Events: spikes, licks, stimulus onsets; and the time axis of every signal.
///
/// Times are in seconds, finite and in order. The time support says when events could have been seen at all, and no
/// event lies outside it. Cloning is cheap.
///
/// # Example
/// ```
/// use nemos_timeseries::{IntervalSet, Ts};
/// let spikes = Ts::new([0.2, 1.1, 1.4, 3.0])?;
/// let trial = IntervalSet::new([(1.0, 2.0)])?;
/// let inside = spikes.restrict(&trial);
/// assert_eq!(inside.times(), [1.1, 1.4]);
/// assert_eq!(inside.rate(), 2.0);
/// # Ok::<(), nemos_timeseries::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Ts {
    times: Arc<Vec<f64>>,
    /// Those of the times that are meant: cutting an end off copies nothing.
    rows: Range<usize>,
    support: IntervalSet,
}

impl PartialEq for Ts {
    fn eq(&self, other: &Self) -> bool {
        self.times() == other.times() && self.support == other.support
    }
}

impl Ts {
    /// Events at these times, which are in order; their support is from the first to the last.
    ///
    /// # Errors
    /// [`Error::TimeNotFinite`], or [`Error::Unsorted`]: see [`Ts::sorted`].
    pub fn new(times: impl Into<Vec<f64>>) -> Result<Self, Error> {
        let times = times.into();
        if let Some(index) = times.iter().position(|time| !time.is_finite()) {
            return Err(Error::TimeNotFinite { index, time: times[index] });
        }
        if let Some(index) = times.windows(2).position(|pair| pair[0] > pair[1]) {
            return Err(Error::Unsorted {
                index: index + 1,
                time: times[index + 1],
                before: times[index],
            });
        }
        let support = IntervalSet::spanning(&times);
        Ok(Ts::trusted(times, support))
    }

    /// Events at these times, in any order.
    ///
    /// # Errors
    /// [`Error::TimeNotFinite`].
    pub fn sorted(times: impl Into<Vec<f64>>) -> Result<Self, Error> {
        let mut times = times.into();
        times.sort_by(f64::total_cmp);
        Self::new(times)
    }

    /// Events at these times that lie in the support, and that support.
    ///
    /// # Errors
    /// As [`Ts::new`].
    pub fn within(times: impl Into<Vec<f64>>, support: &IntervalSet) -> Result<Self, Error> {
        Ok(Self::new(times)?.restrict(support))
    }

    /// `n` times from `start` on, `step` seconds apart: the axis of a signal that is sampled evenly.
    ///
    /// # Errors
    /// [`Error::NotPositive`] unless the step is positive and finite, [`Error::TimeNotFinite`] unless the start is finite.
    pub fn regular(start: f64, step: f64, n: usize) -> Result<Self, Error> {
        crate::error::positive("the step between two times", step)?;
        Self::new((0..n).map(|index| start + index as f64 * step).collect::<Vec<f64>>())
    }

    /// Times that are known to be in order and in the support.
    pub(crate) fn trusted(times: Vec<f64>, support: IntervalSet) -> Self {
        Ts {
            rows: 0..times.len(),
            times: Arc::new(times),
            support,
        }
    }

    /// These rows, which exist and lie in the support.
    fn part(&self, rows: Range<usize>, support: IntervalSet) -> Self {
        Ts {
            times: self.times.clone(),
            rows: self.rows.start + rows.start..self.rows.start + rows.end,
            support,
        }
    }

    /// The times in seconds, in order.
    pub fn times(&self) -> &[f64] {
        &self.times[self.rows.clone()]
    }

    /// When events could have been seen.
    pub fn support(&self) -> &IntervalSet {
        &self.support
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Events per second of the support; NaN where the support has no length.
    pub fn rate(&self) -> f64 {
        match self.support.total_length() {
            length if length > 0.0 => self.len() as f64 / length,
            _ => f64::NAN,
        }
    }

    /// The rows that each epoch of the support holds.
    pub fn rows_by_epoch(&self) -> Vec<Range<usize>> {
        self.support.rows(self.times())
    }

    /// The same as segments, which convolution and differences do not cross.
    pub fn segments(&self) -> Segments {
        Segments::from_lengths(self.rows_by_epoch().into_iter().map(|rows| rows.len()))
    }

    /// The events within these epochs, which become the support.
    #[must_use]
    pub fn restrict(&self, epochs: &IntervalSet) -> Self {
        let epochs = epochs.clone().with_grain(self.support.grain());
        self.select(&epochs.rows(self.times()), &epochs)
    }

    /// The rows that these epochs hold.
    pub(crate) fn select(&self, rows: &[Range<usize>], epochs: &IntervalSet) -> Self {
        match rows {
            [rows] => self.part(rows.clone(), epochs.clone()),
            rows => Ts::trusted(gather(self.times(), rows, 1), epochs.clone()),
        }
    }

    /// The rows from `start` to `end`, both included, and what rounding took to the other side of them.
    pub fn rows_between(&self, start: f64, end: f64) -> Range<usize> {
        self.rows_near(start, end, self.support.tolerance(start).max(self.support.tolerance(end)))
    }

    /// The rows from `start` to `end` and those that are no more than `tolerance` outside.
    pub(crate) fn rows_near(&self, start: f64, end: f64, tolerance: f64) -> Range<usize> {
        let first = self.times().partition_point(|&time| time < start - tolerance);
        let rows = first..self.times().partition_point(|&time| time <= end + tolerance);
        // NaN is nowhere.
        if rows.start <= rows.end && start <= end {
            rows
        } else {
            first..first
        }
    }

    /// The events from `start` to `end`, both included. The support stays what it was.
    #[doc(alias("get_slice", "get"))]
    #[must_use]
    pub fn between(&self, start: f64, end: f64) -> Self {
        self.part(self.rows_between(start, end), self.support.clone())
    }

    /// The row closest to this time, the later of two that are as close but for rounding; none if there are no events, or the time is NaN.
    pub fn nearest(&self, time: f64) -> Option<usize> {
        if time.is_nan() {
            return None;
        }
        let times = self.times();
        let after = times.partition_point(|&other| other < time);
        let before = after.checked_sub(1);
        match (before, times.get(after)) {
            (Some(before), Some(next)) if (next - time) - (time - times[before]) > time_tolerance(time) => Some(before),
            (before, None) => before,
            _ => Some(after),
        }
    }

    /// How well lags from these events are known: no better than the events themselves.
    pub(crate) fn grain(&self) -> f64 {
        let own = self.times().iter().fold(0.0, |grain, &time| time_tolerance(time).max(grain));
        self.support.grain().max(own)
    }

    /// Epochs in which events follow each other by no more than `gap` seconds.
    #[doc(alias = "find_support")]
    #[must_use]
    pub fn bouts(&self, gap: f64) -> IntervalSet {
        let instants = self.times().iter().map(|&time| Interval { start: time, end: time });
        let joined = IntervalSet::trusted(instants.collect()).merge_close(gap);
        joined.filter(|index| joined.intervals()[index].length() > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_finite_and_in_order_or_refused() {
        assert!(matches!(Ts::new([0.0, f64::NAN]), Err(Error::TimeNotFinite { index: 1, .. })));
        assert!(matches!(Ts::new([0.0, 2.0, 1.0]), Err(Error::Unsorted { index: 2, .. })));
        assert_eq!(Ts::sorted([2.0, 0.0, 1.0]).unwrap().times(), [0.0, 1.0, 2.0]);
        assert!(matches!(Ts::sorted([f64::NAN]), Err(Error::TimeNotFinite { .. })));
        assert!(matches!(Ts::regular(0.0, 0.0, 3), Err(Error::NotPositive { .. })));
    }

    #[test]
    fn none_and_one_event_are_fine() {
        let none = Ts::new([]).unwrap();
        assert!(none.is_empty() && none.support().is_empty() && none.rate().is_nan() && none.nearest(0.0).is_none());
        let one = Ts::new([3.0]).unwrap();
        assert_eq!((one.support().len(), one.rate().is_nan(), one.nearest(9.0)), (1, true, Some(0)));
        assert_eq!(one.rows_by_epoch().as_slice(), std::slice::from_ref(&(0..1)));
        assert!(one.restrict(&IntervalSet::default()).is_empty());
    }

    #[test]
    fn restricting_keeps_both_ends() {
        let events = Ts::new([0.0, 1.0, 2.0, 3.0, 4.0]).unwrap();
        let epochs = IntervalSet::new([(1.0, 2.0), (3.5, 9.0)]).unwrap();
        let inside = events.restrict(&epochs);
        assert_eq!(inside.times(), [1.0, 2.0, 4.0]);
        assert_eq!(inside.segments().ranges(), &[0..2, 2..3]);
        assert_eq!(events.between(1.0, 2.5).times(), [1.0, 2.0]);
        assert_eq!(events.between(2.5, 1.0).len(), 0);
        assert_eq!(
            [events.nearest(1.5), events.nearest(1.6), events.nearest(-1.0)],
            [Some(2), Some(2), Some(0)]
        );
        assert_eq!(events.nearest(f64::NAN), None);
    }

    #[test]
    fn bouts_join_events_that_are_close() {
        let events = Ts::new([0.0, 0.5, 3.0, 6.0, 6.2, 6.4]).unwrap();
        assert_eq!(events.bouts(0.5), IntervalSet::new([(0.0, 0.5), (6.0, 6.4)]).unwrap());
    }
}
