//! Values at other times: those of the closest sample.

use std::ops::Range;

use nemos_core::{Backend, row_chunks, time_tolerance};
use rayon::prelude::*;

use crate::signals::{Kind, Signal, matrix, with_host};
use crate::times::{Ts, partition_near};

/// Which sample [`Ts::value_from`] takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nearest {
    /// The closest, the later of two that are as close but for rounding.
    #[default]
    Closest,
    /// The last one that is not after.
    Before,
    /// The first one that is not before.
    After,
}

impl Ts {
    /// The value of a signal at each of these times that lies in its support: of one of its samples in the same epoch, NaN
    /// if it has none there.
    ///
    /// # Example
    /// ```
    /// use nemos_core::Cpu;
    /// use nemos_timeseries::{Nearest, Ts, Tsd};
    /// let position = Tsd::<Cpu>::new(Ts::new([0.0, 1.0, 2.0])?, vec![10.0, 20.0, 30.0])?;
    /// let spikes = Ts::new([0.2, 1.9, 5.0])?;
    /// assert_eq!(spikes.value_from(&position, Nearest::Closest).to_vec(), [10.0, 30.0]);
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    #[must_use]
    pub fn value_from<B: Backend, K: Kind>(&self, signal: &Signal<B, K>, which: Nearest) -> Signal<B, K> {
        self.value_within(signal, which, f64::INFINITY)
    }

    /// As [`value_from`](Ts::value_from), NaN where the sample is further than `farthest` seconds away.
    ///
    /// # Example
    /// ```
    /// use nemos_core::Cpu;
    /// use nemos_timeseries::{Nearest, Ts, Tsd};
    /// let position = Tsd::<Cpu>::new(Ts::new([0.0, 1.0, 5.0])?, vec![10.0, 20.0, 30.0])?;
    /// let values = Ts::new([0.9, 3.0])?.value_within(&position, Nearest::Closest, 0.5).to_vec();
    /// assert!(values[0] == 20.0 && values[1].is_nan());
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    #[must_use]
    pub fn value_within<B: Backend, K: Kind>(&self, signal: &Signal<B, K>, which: Nearest, farthest: f64) -> Signal<B, K> {
        let (axis, samples) = (self.restrict(signal.support()), signal.sample_times());
        resample(signal, axis, |times, rows, values, out| {
            let width = out.len() / times.len();
            let mut after = rows.start;
            for (&time, out) in times.iter().zip(out.chunks_exact_mut(width)) {
                after = advance(samples, after, rows.end, time);
                match nearest(samples, time, after, rows, which).filter(|&row| is_near(samples[row], time, farthest)) {
                    Some(row) => out.copy_from_slice(&values[row * width..(row + 1) * width]),
                    None => out.fill(f64::NAN),
                }
            }
        })
    }
}

/// Whether a sample is no further away than this, but for rounding.
#[inline(always)]
pub(crate) fn is_near(sample: f64, time: f64, farthest: f64) -> bool {
    (sample - time).abs() <= farthest + time_tolerance(time)
}

/// The sample that is meant, given the first one that is not before but for rounding.
#[inline(always)]
pub(crate) fn nearest(samples: &[f64], time: f64, after: usize, rows: &Range<usize>, which: Nearest) -> Option<usize> {
    let next = (after < rows.end).then_some(after);
    let before = || match next {
        Some(next) if samples[next] <= time + time_tolerance(time) => Some(next),
        _ => (after > rows.start).then(|| after - 1),
    };
    match which {
        Nearest::After => next,
        Nearest::Before => before(),
        Nearest::Closest => match (before(), next) {
            (Some(before), Some(next)) if (samples[next] - time) - (time - samples[before]) > time_tolerance(time) => Some(before),
            (before, None) => before,
            (_, next) => next,
        },
    }
}

/// Times that one thread looks up in a row.
const CHUNK_TIMES: usize = 1 << 14;

/// A signal at the times of `axis`, which has its support. `look_up` is given times of one epoch, one at least, the rows of
/// the epoch, all values, and where to write.
pub(super) fn resample<B, K, F>(signal: &Signal<B, K>, axis: Ts, look_up: F) -> Signal<B, K>
where
    B: Backend,
    K: Kind,
    F: Fn(&[f64], &Range<usize>, &[f64], &mut [f64]) + Sync,
{
    let width = signal.values().dims()[1];
    let mut out = nemos_core::zeros(axis.len() * width);
    if width > 0 {
        with_host(signal.values(), |values| {
            let mut chunks = Vec::new();
            let mut rest = out.as_mut_slice();
            for (rows, epoch) in axis.rows_by_epoch().into_iter().zip(signal.axis().rows_by_epoch()) {
                for rows in row_chunks(rows.len(), CHUNK_TIMES).map(|chunk| rows.start + chunk.start..rows.start + chunk.end) {
                    let (own, others) = rest.split_at_mut(rows.len() * width);
                    chunks.push((rows, epoch.clone(), own));
                    rest = others;
                }
            }
            let chunks = chunks.into_par_iter();
            chunks.for_each(|(rows, epoch, out)| look_up(&axis.times()[rows], &epoch, values, out));
        });
    }
    let dims = [axis.len(), width];
    signal.with_values(axis, matrix(out, dims))
}

/// The first sample from `after` to `end` that is not before `time` but for rounding: close by as a rule.
#[inline(always)]
pub(crate) fn advance(samples: &[f64], mut after: usize, end: usize, time: f64) -> usize {
    let time = time - time_tolerance(time);
    // Times as dense as the samples are found in a step or two, without a search.
    for _ in 0..4 {
        if after >= end || samples[after] >= time {
            return after;
        }
        after += 1;
    }
    after + partition_near(&samples[after..end], |sample| sample < time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IntervalSet, Outside, Tsd};
    use nemos_core::Cpu;

    fn signal() -> Tsd<Cpu> {
        let axis = Ts::new([0.0, 1.0, 2.0, 10.0, 11.0]).unwrap();
        let epochs = IntervalSet::new([(0.0, 4.0), (5.0, 6.0), (9.0, 12.0)]).unwrap();
        Tsd::new(axis, vec![0.0, 10.0, 20.0, 100.0, 110.0]).unwrap().restrict(&epochs)
    }

    #[test]
    fn samples_come_from_the_same_epoch() {
        let at = Ts::new([0.4, 0.5, 2.5, 4.5, 5.5, 9.1, 10.5, 11.0]).unwrap();
        let values = |which| at.value_from(&signal(), which).to_vec();
        let same = |got: Vec<f64>, expected: [f64; 7]| {
            assert!(
                got.iter().zip(&expected).all(|(a, b)| a == b || a.is_nan() && b.is_nan()) && got.len() == 7,
                "{got:?}, not {expected:?}"
            );
        };
        let nan = f64::NAN;
        same(values(Nearest::Closest), [0.0, 10.0, 20.0, nan, 100.0, 110.0, 110.0]);
        same(values(Nearest::Before), [0.0, 0.0, 20.0, nan, nan, 100.0, 110.0]);
        same(values(Nearest::After), [10.0, 10.0, nan, nan, 100.0, 110.0, 110.0]);
        same(
            signal().interpolate(&at, Outside::Hold).to_vec(),
            [4.0, 5.0, 20.0, nan, 100.0, 105.0, 110.0],
        );
        same(
            signal().interpolate(&at, Outside::Fill(-1.0)).to_vec(),
            [4.0, 5.0, -1.0, -1.0, -1.0, 105.0, 110.0],
        );
    }

    #[test]
    fn advancing_finds_what_bisection_finds() {
        let samples: Vec<f64> = (0..100).map(|step| f64::from(step * step / 7)).collect();
        for start in [0, 3, 50, 100] {
            for time in -1..1500 {
                let time = f64::from(time);
                let expected = start + samples[start..].partition_point(|&sample| sample < time);
                assert_eq!(advance(&samples, start, 100, time), expected);
            }
        }
    }
}
