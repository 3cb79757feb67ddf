//! Epochs: stretches of time, one after the other.

use std::ops::Range;
use std::sync::Arc;

use nemos_core::time_tolerance;
use rayon::prelude::*;

use super::rows::partition_near;
use crate::{Column, Error, Table};

/// A stretch of time in seconds, ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// When it begins.
    pub start: f64,
    /// When it ends.
    pub end: f64,
}

impl Interval {
    /// How long it is, in seconds.
    pub fn length(&self) -> f64 {
        self.end - self.start
    }

    /// Whether it is no longer than what rounding may make of nothing.
    ///
    /// # Example
    /// ```
    /// use nemos_timeseries::Interval;
    /// assert!(Interval { start: 0.1 + 0.2, end: 0.3 }.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.length() <= self.tolerance()
    }

    /// By how much its length may be off.
    pub(super) fn tolerance(&self) -> f64 {
        time_tolerance(self.start) + time_tolerance(self.end)
    }
}

/// Epochs, trials or sessions: intervals in order of time, of which no two overlap.
///
/// Intervals that overlap are merged when a set is made, and empty ones dropped. Intervals that only touch stay apart, as
/// trials that follow each other do: what happens at their common edge belongs to the later one. Cloning is cheap.
///
/// Edges that differ by no more than the [tolerance of time](nemos_core::time_tolerance) are one edge, however they were
/// computed: trials written as `(start, start + length)` touch where they should, and stay as many as they are.
///
/// # Example
/// ```
/// use nemos_timeseries::IntervalSet;
/// let running = IntervalSet::new([(0.0, 20.0), (30.0, 60.0)])?;
/// let light = IntervalSet::new([(10.0, 40.0)])?;
/// assert_eq!(running.intersection(&light), IntervalSet::new([(10.0, 20.0), (30.0, 40.0)])?);
/// assert_eq!(running.total_length(), 50.0);
/// # Ok::<(), nemos_timeseries::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct IntervalSet {
    intervals: Arc<Vec<Interval>>,
    metadata: Arc<Table>,
    /// Times in here are differences of other times, and no better known than this, in seconds; 0 where they are not.
    grain: f64,
}

impl PartialEq for IntervalSet {
    fn eq(&self, other: &Self) -> bool {
        self.intervals == other.intervals && self.metadata == other.metadata
    }
}

impl<'a> IntoIterator for &'a IntervalSet {
    type Item = &'a Interval;
    type IntoIter = std::slice::Iter<'a, Interval>;

    /// The intervals, in the order of time.
    fn into_iter(self) -> Self::IntoIter {
        self.intervals.iter()
    }
}

impl IntervalSet {
    /// The set of these intervals, each from a start to an end in seconds, in any order.
    ///
    /// # Errors
    /// [`Error::Interval`] if one ends before it starts, or is not finite.
    pub fn new(intervals: impl IntoIterator<Item = (f64, f64)>) -> Result<Self, Error> {
        let intervals: Vec<(f64, f64)> = intervals.into_iter().collect();
        Ok(Self::trusted(
            assembled(&intervals)?.into_iter().map(|(interval, _)| interval).collect(),
        ))
    }

    /// The set of these intervals, each with its row of metadata, in any order. Empty ones are dropped with their row.
    ///
    /// # Errors
    /// [`Error::Interval`] if one ends before it starts, or is not finite; [`Error::Overlap`] if two overlap, since a
    /// merged interval has no row; [`Error::MetadataRows`] unless there is one row for each.
    ///
    /// # Example
    /// ```
    /// use nemos_timeseries::{IntervalSet, Table};
    /// let table = Table::new(2).with("reward", vec![true, false])?;
    /// let trials = IntervalSet::described([(5.0, 6.0), (0.0, 1.0)], &table)?;
    /// assert_eq!(trials.metadata().flags("reward")?, [false, true]);
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    pub fn described(intervals: impl IntoIterator<Item = (f64, f64)>, metadata: &Table) -> Result<Self, Error> {
        let intervals: Vec<(f64, f64)> = intervals.into_iter().collect();
        check_rows(metadata, intervals.len())?;
        let assembled = assembled(&intervals)?;
        if let Some(&[first, second, ..]) = assembled.iter().map(|(_, rows)| rows.as_slice()).find(|rows| rows.len() > 1) {
            return Err(Error::Overlap { first, second });
        }
        let rows: Vec<usize> = assembled.iter().flat_map(|(_, rows)| rows.iter().copied()).collect();
        let set = Self::trusted(assembled.into_iter().map(|(interval, _)| interval).collect());
        Ok(set.with_metadata(metadata.select(&rows)))
    }

    /// As [`described`](IntervalSet::described), for intervals of which some overlap: these are merged, and the table says
    /// so.
    ///
    /// A merged interval keeps the values on which its rows agree. Where they differ, a number is NaN, and texts stand
    /// side by side with `|` between; a column of flags that differ becomes one of numbers, 0, 1 or NaN. If any were
    /// merged, a column `merged` of texts has the rows of each merged interval, as `"3 4"`, and nothing for the others.
    ///
    /// # Errors
    /// [`Error::Interval`] and [`Error::MetadataRows`], as [`described`](IntervalSet::described).
    ///
    /// # Example
    /// ```
    /// use nemos_timeseries::{IntervalSet, Table};
    /// let table = Table::new(3).with("choice", vec!["left", "right", "left"])?.with("block", vec![1.0, 1.0, 2.0])?;
    /// let trials = IntervalSet::merged([(0.0, 2.2), (2.0, 4.0), (5.0, 6.0)], &table)?;
    /// assert_eq!(trials.metadata().texts("choice")?, ["left|right", "left"]);
    /// assert_eq!(trials.metadata().numbers("block")?, [1.0, 2.0]);
    /// assert_eq!(trials.metadata().texts("merged")?, ["0 1", ""]);
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    pub fn merged(intervals: impl IntoIterator<Item = (f64, f64)>, metadata: &Table) -> Result<Self, Error> {
        let intervals: Vec<(f64, f64)> = intervals.into_iter().collect();
        check_rows(metadata, intervals.len())?;
        let assembled = assembled(&intervals)?;
        let groups: Vec<Vec<usize>> = assembled.iter().map(|(_, rows)| rows.clone()).collect();
        let set = Self::trusted(assembled.into_iter().map(|(interval, _)| interval).collect());
        Ok(set.with_metadata(metadata.merged(&groups)))
    }

    /// From the first to the last of sorted times; a single time is an interval without length.
    pub(crate) fn spanning(times: &[f64]) -> Self {
        match (times.first(), times.last()) {
            (Some(&start), Some(&end)) => Self::trusted(vec![Interval { start, end }]),
            _ => IntervalSet::default(),
        }
    }

    /// Intervals that are known to be in order.
    pub(crate) fn trusted(intervals: Vec<Interval>) -> Self {
        IntervalSet {
            metadata: Arc::new(Table::new(intervals.len())),
            intervals: Arc::new(intervals),
            grain: 0.0,
        }
    }

    fn with_metadata(self, metadata: Table) -> Self {
        IntervalSet {
            metadata: Arc::new(metadata),
            ..self
        }
    }

    /// The same set, whose times are no better known than this.
    pub(crate) fn with_grain(mut self, seconds: f64) -> Self {
        self.grain = self.grain.max(seconds);
        self
    }

    /// What is known at best of the times in here.
    pub(crate) fn grain(&self) -> f64 {
        self.grain
    }

    /// What counts as rounding near a time of this set.
    pub(crate) fn tolerance(&self, time: f64) -> f64 {
        time_tolerance(time).max(self.grain)
    }

    /// The same intervals with one more column of metadata: one row per interval as they are in the set, merged and in order
    /// of time. Where yours are in another order, take [`described`](IntervalSet::described).
    ///
    /// # Errors
    /// [`Error::MetadataRows`] unless the column has one row per interval.
    #[doc(alias = "set_info")]
    pub fn with_column(mut self, name: impl Into<String>, column: impl Into<Column>) -> Result<Self, Error> {
        self.metadata = Arc::new(self.metadata.as_ref().clone().with(name, column)?);
        Ok(self)
    }

    /// The intervals, in order.
    pub fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    /// What is known about each interval.
    pub fn metadata(&self) -> &Table {
        &self.metadata
    }

    /// How many intervals there are.
    pub fn len(&self) -> usize {
        self.intervals.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.intervals.is_empty()
    }

    /// The length of all intervals together, in seconds.
    #[doc(alias = "tot_length")]
    pub fn total_length(&self) -> f64 {
        // Not `sum`, which is -0 for no intervals.
        self.intervals.iter().map(Interval::length).fold(0.0, |sum, length| sum + length)
    }

    /// When each interval starts.
    pub fn starts(&self) -> impl ExactSizeIterator<Item = f64> {
        self.intervals.iter().map(|interval| interval.start)
    }

    /// When each interval ends.
    pub fn ends(&self) -> impl ExactSizeIterator<Item = f64> {
        self.intervals.iter().map(|interval| interval.end)
    }

    /// The middle of each interval.
    #[doc(alias = "get_intervals_center")]
    pub fn centers(&self) -> impl ExactSizeIterator<Item = f64> {
        self.intervals.iter().map(|interval| interval.start + interval.length() / 2.0)
    }

    /// The interval that holds this time: the later one where two touch.
    #[doc(alias = "in_interval")]
    pub fn find(&self, time: f64) -> Option<usize> {
        let after = self.intervals.partition_point(|interval| self.low(interval) <= time);
        let end = |index: usize| self.intervals[index].end;
        after
            .checked_sub(1)
            .filter(|&index| time <= end(index) + self.tolerance(end(index)))
    }

    /// The intervals of which `keep` is true, with their metadata; it is given their number.
    #[must_use]
    pub fn filter(&self, keep: impl Fn(usize) -> bool) -> Self {
        let kept: Vec<usize> = (0..self.len()).filter(|&index| keep(index)).collect();
        self.derived(kept.iter().map(|&index| self.intervals[index]).collect(), &kept)
    }

    /// These intervals cut or copied from those of `self`, each with the metadata of the one that it came from.
    pub(crate) fn derived(&self, intervals: Vec<Interval>, origins: &[usize]) -> Self {
        IntervalSet {
            intervals: Arc::new(intervals),
            metadata: Arc::new(self.metadata.select(origins)),
            grain: self.grain,
        }
    }

    /// The first time that an interval holds: its start, but for rounding.
    fn low(&self, interval: &Interval) -> f64 {
        interval.start - self.tolerance(interval.start)
    }

    /// Each interval with the first and the last time that it holds: its ends, but for rounding, or just before what the
    /// next one holds.
    pub(crate) fn with_first_and_last(&self) -> impl Iterator<Item = (Interval, f64, f64)> {
        let next = self.intervals.iter().skip(1).map(|next| self.low(next)).chain([f64::INFINITY]);
        self.intervals.iter().zip(next).map(|(interval, next)| {
            let last = interval.end + self.tolerance(interval.end);
            (*interval, self.low(interval), last.min(next.next_down()))
        })
    }

    /// The rows of sorted times that each interval holds. Rows of touching intervals do not overlap.
    pub(crate) fn rows(&self, times: &[f64]) -> Vec<Range<usize>> {
        let ends: Vec<(Interval, f64, f64)> = self.with_first_and_last().collect();
        // Both are in order: only the first interval of a chunk is searched for, the others are near.
        let chunks = ends.par_chunks(PARALLEL_INTERVALS).flat_map_iter(|intervals| {
            let mut from = times.partition_point(|&time| time < intervals[0].1);
            intervals.iter().map(move |(_, first, last)| {
                let start = from + partition_near(&times[from..], |time| time < *first);
                from = start + partition_near(&times[start..], |time| time <= *last);
                start..from
            })
        });
        chunks.collect()
    }
}

/// The intervals of a set, in order, each with those that were merged to it; empty ones are left out. Edges that are the same
/// but for rounding become the same.
fn assembled(intervals: &[(f64, f64)]) -> Result<Vec<(Interval, Vec<usize>)>, Error> {
    let mut sorted = Vec::with_capacity(intervals.len());
    for (index, &(start, end)) in intervals.iter().enumerate() {
        let interval = Interval { start, end };
        if !(start.is_finite() && end.is_finite() && (start <= end || interval.length() >= -interval.tolerance())) {
            return Err(Error::Interval { index, start, end });
        }
        if !interval.is_empty() {
            sorted.push((interval, index));
        }
    }
    sorted.sort_by(|(left, _), (right, _)| left.start.total_cmp(&right.start));
    let mut merged: Vec<(Interval, Vec<usize>)> = Vec::with_capacity(sorted.len());
    for (interval, index) in sorted {
        match merged.last_mut() {
            Some((last, rows)) if last.end - interval.start > time_tolerance(interval.start) => {
                last.end = last.end.max(interval.end);
                rows.push(index);
            }
            Some((last, _)) => {
                if interval.start - last.end <= time_tolerance(interval.start) {
                    last.end = interval.start;
                }
                merged.push((interval, vec![index]));
            }
            None => merged.push((interval, vec![index])),
        }
    }
    Ok(merged)
}

fn check_rows(metadata: &Table, n_intervals: usize) -> Result<(), Error> {
    if metadata.n_rows() == n_intervals {
        return Ok(());
    }
    Err(Error::MetadataRows {
        name: "of the intervals".into(),
        got: metadata.n_rows(),
        expected: n_intervals,
    })
}

/// Intervals that one thread looks up in a row.
const PARALLEL_INTERVALS: usize = 1 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_intervals_merge_and_touching_ones_stay_apart() {
        let set = IntervalSet::new([(5.0, 6.0), (0.0, 2.0), (1.0, 3.0), (3.0, 4.0), (7.0, 7.0)]).unwrap();
        let ends: Vec<(f64, f64)> = set.starts().zip(set.ends()).collect();
        assert_eq!(ends, [(0.0, 3.0), (3.0, 4.0), (5.0, 6.0)]);
        assert_eq!(
            [set.find(3.0), set.find(4.0), set.find(4.5), set.find(-1.0)],
            [Some(1), Some(1), None, None]
        );
        assert_eq!(set.rows(&[0.0, 3.0, 3.5, 4.5, 6.0]), [0..1, 1..3, 4..5]);
    }

    #[test]
    fn metadata_are_sorted_with_their_intervals() {
        let table = Table::new(4).with("trial", vec![0.0, 1.0, 2.0, 3.0]).unwrap();
        let set = IntervalSet::described([(5.0, 6.0), (0.0, 1.0), (2.0, 2.0), (1.0, 3.0)], &table).unwrap();
        assert_eq!(set.metadata().numbers("trial").unwrap(), [1.0, 3.0, 0.0]);
        assert_eq!(set.starts().collect::<Vec<_>>(), [0.0, 1.0, 5.0]);
        let overlap = IntervalSet::described([(5.0, 6.0), (0.0, 1.5), (2.0, 2.0), (1.0, 3.0)], &table);
        assert!(matches!(overlap, Err(Error::Overlap { first: 1, second: 3 })));
        let inside = IntervalSet::described([(0.0, 9.0), (1.0, 2.0), (3.0, 4.0), (20.0, 30.0)], &table);
        assert!(matches!(inside, Err(Error::Overlap { first: 0, second: 1 })));
        assert!(matches!(
            IntervalSet::described([(5.0, 6.0)], &table),
            Err(Error::MetadataRows { .. })
        ));
    }

    #[test]
    fn intervals_that_run_backwards_or_are_not_finite_are_refused() {
        for bad in [(2.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
            assert!(matches!(IntervalSet::new([(0.0, 1.0), bad]), Err(Error::Interval { index: 1, .. })));
        }
    }

    #[test]
    fn metadata_follow_their_intervals() {
        let trials = IntervalSet::new([(0.0, 1.0), (2.0, 5.0)]).unwrap();
        let trials = trials.with_column("correct", vec![true, false]).unwrap();
        let long = trials.filter(|trial| trials.intervals()[trial].length() > 2.0);
        assert_eq!(long.metadata().flags("correct").unwrap(), [false]);
    }
}
