//! Bins: equal stretches of time from the start of every epoch.

use std::ops::Range;

use nemos_core::row_chunks;
use rayon::prelude::*;

use super::events::Ts;
use super::intervals::{Interval, IntervalSet};
use super::rows::partition_near;
use crate::Error;
use crate::error::positive;

/// More bins than this are a mistake of units.
const MOST_BINS: f64 = 1e11;

/// Bins of one size, from the start of every epoch on. The last one is kept while its centre is not after the end.
#[derive(Clone, Debug)]
pub(crate) struct Bins {
    size: f64,
    epochs: Vec<Epoch>,
    support: IntervalSet,
}

#[derive(Clone, Copy, Debug)]
struct Epoch {
    start: f64,
    /// The first and the last time that belong to the epoch, but for rounding its ends.
    low: f64,
    last: f64,
    /// Number of its first bin among all.
    first: usize,
    n_bins: usize,
    /// What counts as rounding within it.
    rounding: f64,
}

/// Consecutive bins of one epoch.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    epoch: Epoch,
    /// Numbers of the bins within the epoch.
    bins: Range<usize>,
    size: f64,
}

impl Bins {
    pub(crate) fn new(support: &IntervalSet, size: f64) -> Result<Self, Error> {
        positive("the size of a bin", size)?;
        let bins: f64 = support.intervals().iter().map(|interval| n_bins(support, *interval, size)).sum();
        if bins > MOST_BINS {
            return Err(Error::TooManyBins { bin_size: size, bins });
        }
        let mut first = 0;
        let epochs = support.with_first_and_last().map(|(interval, low, last)| {
            let n_bins = n_bins(support, interval, size) as usize;
            first += n_bins;
            Epoch {
                start: interval.start,
                low,
                last,
                first: first - n_bins,
                n_bins,
                rounding: support.tolerance(interval.start).max(support.tolerance(interval.end)),
            }
        });
        Ok(Bins {
            size,
            epochs: epochs.collect(),
            support: support.clone(),
        })
    }

    /// How many bins there are.
    pub(crate) fn len(&self) -> usize {
        self.epochs.last().map_or(0, |epoch| epoch.first + epoch.n_bins)
    }

    /// The centres of the bins.
    pub(crate) fn axis(&self) -> Ts {
        let centres = self
            .epochs
            .iter()
            .flat_map(|epoch| (0..epoch.n_bins).map(|bin| (epoch.start + (bin as f64 + 0.5) * self.size).min(epoch.last)));
        let mut times = nemos_core::with_room(self.len());
        times.extend(centres);
        Ts::trusted(times, self.support.clone())
    }

    /// The numbers of the bins of each epoch.
    pub(crate) fn by_epoch(&self) -> Vec<Range<usize>> {
        self.epochs.iter().map(|epoch| epoch.first..epoch.first + epoch.n_bins).collect()
    }

    /// The bins of these numbers, epoch by epoch.
    pub(crate) fn stretches(&self, bins: Range<usize>) -> impl Iterator<Item = Stretch> {
        let from = self.epochs.partition_point(|epoch| epoch.first + epoch.n_bins <= bins.start);
        let inside = self.epochs[from..].iter().take_while(move |epoch| epoch.first < bins.end);
        inside.map(move |&epoch| Stretch {
            bins: bins.start.saturating_sub(epoch.first)..epoch.n_bins.min(bins.end - epoch.first),
            epoch,
            size: self.size,
        })
    }

    /// Fills `rows`, `width` values for each bin, in parallel: `fill` is given consecutive bins of one epoch and the values
    /// of these bins. What one thread fills comes in order of time, with what `start` made for it.
    pub(crate) fn fill<E: Send, S>(
        &self,
        rows: &mut [E],
        width: usize,
        start: impl Fn() -> S + Sync,
        fill: impl Fn(&mut S, &Stretch, &mut [E]) + Sync,
    ) {
        // A chunk of rows stays in the cache while one unit after the other is counted into it.
        let chunk_rows = (CHUNK_VALUES / width.max(1)).max(1);
        let n_chunks = self.len().div_ceil(chunk_rows).div_ceil(4 * rayon::current_num_threads());
        let run_rows = chunk_rows * n_chunks.max(1);
        let runs: Vec<_> = row_chunks(self.len(), run_rows)
            .zip(rows.chunks_mut(run_rows * width.max(1)))
            .collect();
        runs.into_par_iter().for_each(|(run, mut rows)| {
            let mut state = start();
            for chunk in row_chunks(run.len(), chunk_rows) {
                for stretch in self.stretches(run.start + chunk.start..run.start + chunk.end) {
                    let (own, rest) = rows.split_at_mut(stretch.bins.len() * width);
                    fill(&mut state, &stretch, own);
                    rows = rest;
                }
            }
        });
    }
}

/// Values in a chunk of rows.
const CHUNK_VALUES: usize = 1 << 16;

impl Stretch {
    pub(crate) fn n_bins(&self) -> usize {
        self.bins.len()
    }

    /// The rows of sorted times that lie in these bins. None of those before `from` does: for the first row of the bins
    /// before, the answer is near.
    pub(crate) fn rows(&self, times: &[f64], from: usize) -> Range<usize> {
        let edge = self.epoch.start + self.bins.start as f64 * self.size - 2.0 * self.epoch.rounding;
        let edge = edge.max(self.epoch.low);
        let first = from + partition_near(&times[from..], |time| time < edge);
        let end = self.epoch.start + self.bins.end as f64 * self.size + self.epoch.rounding;
        first..first + partition_near(&times[first..], |time| time <= end.min(self.epoch.last))
    }

    /// Which of these bins holds a time.
    #[inline(always)]
    pub(crate) fn bin(&self, time: f64, per_size: f64) -> Option<usize> {
        let bin = ((time - self.epoch.start + self.epoch.rounding) * per_size) as usize;
        let bin = bin.wrapping_sub(self.bins.start);
        (bin < self.bins.len()).then_some(bin)
    }

    /// Where one of these bins ends; what lies there belongs to the next.
    #[inline(always)]
    pub(crate) fn right_edge(&self, bin: usize) -> f64 {
        self.epoch.start + (self.bins.start + bin + 1) as f64 * self.size - self.epoch.rounding
    }

    /// One over the size of a bin.
    pub(crate) fn per_size(&self) -> f64 {
        1.0 / self.size
    }
}

/// How many bins an epoch has.
fn n_bins(support: &IntervalSet, epoch: Interval, size: f64) -> f64 {
    ((epoch.length() + 2.0 * support.tolerance(epoch.end)) / size + 0.5).floor()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_is_kept_while_its_centre_is_not_after_the_end() {
        let bins = |length: f64, size: f64| {
            let epochs = IntervalSet::new([(10.0, 10.0 + length)]).unwrap();
            Bins::new(&epochs, size).unwrap().axis().times().to_vec()
        };
        assert_eq!(bins(1.0, 0.5), [10.25, 10.75]);
        assert_eq!(bins(1.2, 0.5), [10.25, 10.75]);
        assert_eq!(bins(1.25, 0.5), [10.25, 10.75, 11.25]);
        assert_eq!(bins(0.2, 0.5).len(), 0);
        assert_eq!(bins(0.3, 0.1).len(), 3);
    }

    #[test]
    fn every_stretch_finds_its_bins() {
        let epochs = IntervalSet::new([(0.0, 1.0), (1.0, 2.0), (5.0, 7.3)]).unwrap();
        let bins = Bins::new(&epochs, 0.5).unwrap();
        let lengths: Vec<_> = bins.stretches(1..7).map(|stretch| stretch.bins).collect();
        assert_eq!(lengths, [1..2, 0..2, 0..3]);
        let all: Vec<_> = bins.stretches(0..bins.len()).map(|stretch| stretch.bins.len()).collect();
        assert_eq!(all, [2, 2, 5]);
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        let epochs = IntervalSet::new([(0.0, 3600.0)]).unwrap();
        for size in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(Bins::new(&epochs, size), Err(Error::NotPositive { .. })), "{size}");
        }
        assert!(matches!(Bins::new(&epochs, 1e-9), Err(Error::TooManyBins { .. })));
    }
}
