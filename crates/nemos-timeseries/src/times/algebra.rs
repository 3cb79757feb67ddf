//! The algebra of epochs: union, intersection, difference, and dropping, merging and cutting by length.
//!
//! Edges that are the same but for rounding are the same here, too: nothing is left between them.

use nemos_core::time_tolerance;

use super::intervals::{Interval, IntervalSet};
use crate::Error;
use crate::error::{at_most, positive};

impl IntervalSet {
    /// What lies in either set. Intervals that touch become one. Metadata are dropped, since an interval may come from several.
    #[must_use]
    pub fn union(&self, other: &IntervalSet) -> IntervalSet {
        let mut all: Vec<Interval> = self.intervals().iter().chain(other.intervals()).copied().collect();
        all.sort_by(|left, right| left.start.total_cmp(&right.start));
        IntervalSet::trusted(merge(all, 0.0)).with_grain(self.grain().max(other.grain()))
    }

    /// What lies in both sets, with the metadata of `self`.
    #[doc(alias = "intersect")]
    #[must_use]
    pub fn intersection(&self, other: &IntervalSet) -> IntervalSet {
        let (mut intervals, mut origins) = (Vec::new(), Vec::new());
        self.for_each_near(other, |index, interval, others| {
            for &other in others {
                let piece = Interval {
                    start: interval.start.max(other.start),
                    end: interval.end.min(other.end),
                };
                // Where two only touch there is nothing, unless one is a moment: the support of a single sample.
                let moment = [*interval, other].into_iter().find(|interval| interval.length() == 0.0);
                match moment.or(Some(piece).filter(|piece| !piece.is_empty())) {
                    // A moment between two intervals that touch belongs to the later one.
                    Some(moment) if moment.length() == 0.0 && intervals.last() == Some(&moment) => {
                        origins.pop();
                        origins.push(index);
                    }
                    Some(piece) => {
                        intervals.push(piece);
                        origins.push(index);
                    }
                    None => {}
                }
            }
        });
        self.derived(intervals, &origins)
    }

    /// What lies in `self` but not in `other`, with the metadata of `self`.
    #[doc(alias = "set_diff")]
    #[must_use]
    pub fn difference(&self, other: &IntervalSet) -> IntervalSet {
        let (mut intervals, mut origins) = (Vec::new(), Vec::new());
        self.for_each_near(other, |index, interval, others| {
            if interval.length() == 0.0 {
                if others.is_empty() {
                    intervals.push(*interval);
                    origins.push(index);
                }
                return;
            }
            let mut start = interval.start;
            let mut keep = |piece: Interval| {
                if !piece.is_empty() {
                    intervals.push(piece);
                    origins.push(index);
                }
            };
            for other in others.iter().filter(|other| other.length() > 0.0) {
                keep(Interval { start, end: other.start });
                start = start.max(other.end);
            }
            keep(Interval { start, end: interval.end });
        });
        self.derived(intervals, &origins)
    }

    /// Calls `work` with the number of each interval, the interval, and those of the other set that overlap or touch it; edges
    /// that are those of the interval but for rounding are the very same.
    fn for_each_near(&self, other: &IntervalSet, mut work: impl FnMut(usize, &Interval, &[Interval])) {
        let mut first = 0;
        let mut near = Vec::new();
        let others = other.intervals();
        for (index, interval) in self.intervals().iter().enumerate() {
            let (low, high) = (time_tolerance(interval.start), time_tolerance(interval.end));
            while others.get(first).is_some_and(|other| other.end < interval.start - low) {
                first += 1;
            }
            let snapped = |time: f64| {
                if (time - interval.start).abs() <= low {
                    interval.start
                } else if (time - interval.end).abs() <= high {
                    interval.end
                } else {
                    time
                }
            };
            near.clear();
            let inside = others[first..].iter().take_while(|other| other.start <= interval.end + high);
            near.extend(inside.map(|other| Interval {
                start: snapped(other.start),
                end: snapped(other.end),
            }));
            work(index, interval, &near);
        }
    }

    /// The intervals longer than `seconds`, with their metadata.
    #[doc(alias = "drop_short_intervals")]
    #[must_use]
    pub fn drop_short(&self, seconds: f64) -> IntervalSet {
        self.filter(|index| self.beyond(index, seconds) > 0.0)
    }

    /// The intervals shorter than `seconds`, with their metadata.
    #[doc(alias = "drop_long_intervals")]
    #[must_use]
    pub fn drop_long(&self, seconds: f64) -> IntervalSet {
        self.filter(|index| self.beyond(index, seconds) < 0.0)
    }

    /// How much longer than `seconds` an interval is; nothing if that is rounding.
    fn beyond(&self, index: usize, seconds: f64) -> f64 {
        let interval = self.intervals()[index];
        let more = interval.length() - seconds;
        if more.abs() <= interval.tolerance() { 0.0 } else { more }
    }

    /// Joins neighbours that are no more than `seconds` apart. Metadata are dropped.
    #[doc(alias = "merge_close_intervals")]
    #[must_use]
    pub fn merge_close(&self, seconds: f64) -> IntervalSet {
        IntervalSet::trusted(merge(self.intervals().iter().copied(), seconds)).with_grain(self.grain())
    }

    /// Cuts every interval into pieces of `seconds` from its start, each with the metadata of where it came from. A
    /// rest that is shorter than a piece is left out.
    ///
    /// # Errors
    /// [`Error::NotPositive`] unless `seconds` is positive and finite, [`Error::TooMany`] if there are too many pieces.
    pub fn split(&self, seconds: f64) -> Result<IntervalSet, Error> {
        positive("the length of a piece", seconds)?;
        let (mut intervals, mut origins) = (Vec::new(), Vec::new());
        for (index, interval) in self.intervals().iter().enumerate() {
            // What rounding took away does not make a piece too short.
            let n_pieces = ((interval.length() + interval.tolerance()) / seconds).floor();
            at_most(MOST_PIECES, "pieces of epochs", n_pieces + intervals.len() as f64)?;
            let edge = |piece: usize| (interval.start + piece as f64 * seconds).min(interval.end);
            let pieces = (0..n_pieces as usize).map(|piece| Interval {
                start: edge(piece),
                end: edge(piece + 1),
            });
            intervals.extend(pieces.filter(|piece| piece.start < piece.end));
            origins.resize(intervals.len(), index);
        }
        Ok(self.derived(intervals, &origins))
    }
}

/// More pieces than this are a mistake of units.
const MOST_PIECES: f64 = 1e8;

/// Joins sorted intervals that overlap, touch, or are no more than `gap` apart.
pub(crate) fn merge(intervals: impl IntoIterator<Item = Interval>, gap: f64) -> Vec<Interval> {
    let mut merged: Vec<Interval> = Vec::new();
    for interval in intervals {
        match merged.last_mut() {
            Some(last) if interval.start - last.end <= gap + time_tolerance(interval.start) => last.end = last.end.max(interval.end),
            _ => merged.push(interval),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(intervals: &[(f64, f64)]) -> IntervalSet {
        IntervalSet::new(intervals.iter().copied()).unwrap()
    }

    #[test]
    fn sets_combine_as_on_paper() {
        let (a, b) = (set(&[(0.0, 4.0), (6.0, 9.0)]), set(&[(1.0, 2.0), (3.0, 7.0), (9.0, 10.0)]));
        assert_eq!(a.union(&b), set(&[(0.0, 10.0)]));
        assert_eq!(a.intersection(&b), set(&[(1.0, 2.0), (3.0, 4.0), (6.0, 7.0)]));
        assert_eq!(a.difference(&b), set(&[(0.0, 1.0), (2.0, 3.0), (7.0, 9.0)]));
        assert_eq!(b.difference(&a), set(&[(4.0, 6.0), (9.0, 10.0)]));
        let none = IntervalSet::default();
        assert_eq!(
            [a.union(&none), none.union(&a), a.difference(&none)],
            [a.clone(), a.clone(), a.clone()]
        );
        let moment = crate::Ts::new([4.0]).unwrap().support().clone();
        assert_eq!([a.intersection(&moment), moment.intersection(&a)], [moment.clone(), moment.clone()]);
        assert!(a.intersection(&none).is_empty() && none.difference(&a).is_empty());
    }

    #[test]
    fn a_moment_is_there_once() {
        let moment = crate::Ts::new([1.0]).unwrap().support().clone();
        let touching = set(&[(0.0, 1.0), (1.0, 2.0)]).with_column("trial", vec![0.0, 1.0]).unwrap();
        for touching in [
            touching.clone(),
            IntervalSet::described([(0.0, 1.0), (1.0, 2.0)], touching.metadata()).unwrap(),
        ] {
            let both = [touching.intersection(&moment), moment.intersection(&touching)];
            assert_eq!(both.map(|found| found.len()), [1, 1]);
        }
        assert_eq!(moment.difference(&IntervalSet::default()), moment);
        assert!(moment.difference(&moment).is_empty() && moment.difference(&set(&[(0.5, 1.5)])).is_empty());
        assert_eq!(moment.difference(&set(&[(2.0, 3.0)])), moment);
    }

    #[test]
    fn metadata_follow_through_cuts() {
        let trials = set(&[(0.0, 4.0), (6.0, 9.0)]).with_column("reward", vec![1.0, 2.0]).unwrap();
        let rewards = |set: IntervalSet| set.metadata().numbers("reward").unwrap().to_vec();
        assert_eq!(rewards(trials.difference(&set(&[(1.0, 2.0)]))), [1.0, 1.0, 2.0]);
        assert_eq!(rewards(trials.intersection(&set(&[(3.0, 7.0)]))), [1.0, 2.0]);
        assert_eq!(rewards(trials.split(2.0).unwrap()), [1.0, 1.0, 2.0]);
    }

    #[test]
    fn lengths_decide_what_is_kept() {
        let intervals = set(&[(0.0, 1.0), (1.5, 3.5), (9.0, 12.0)]);
        assert_eq!(intervals.drop_short(1.0), set(&[(1.5, 3.5), (9.0, 12.0)]));
        assert_eq!(intervals.drop_long(3.0), set(&[(0.0, 1.0), (1.5, 3.5)]));
        assert_eq!(intervals.merge_close(0.5), set(&[(0.0, 3.5), (9.0, 12.0)]));
        assert_eq!(intervals.split(1.0).unwrap().len(), 6);
        assert_eq!(set(&[(0.0, 0.3)]).split(0.1).unwrap().len(), 3);
        assert!(matches!(intervals.split(0.0), Err(Error::NotPositive { .. })));
        assert!(matches!(intervals.split(1e-9), Err(Error::TooMany { .. })));
        assert_eq!(set(&[(1.7e9, 1.7e9 + 0.3)]).split(0.1).unwrap().len(), 3);
    }
}
