//! Values at other times, on lines between samples.

use std::ops::Range;

use nemos_core::{Backend, time_tolerance};

use super::lookup::{advance, resample};
use crate::signals::{Kind, Signal};
use crate::times::Ts;

/// What [`Signal::interpolate`] gives before the first and after the last sample of an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outside {
    /// The value of that sample.
    Hold,
    /// This value, for example NaN.
    Fill(f64),
}

impl<B: Backend, K: Kind> Signal<B, K> {
    /// The signal at those of the times that lie in its support: on a line between the samples around each, within epochs.
    /// An epoch without samples gives NaN.
    #[must_use]
    pub fn interpolate(&self, at: &Ts, outside: Outside) -> Self {
        let (axis, samples) = (at.restrict(self.support()), self.sample_times());
        resample(self, axis, |times, rows, values, out| match out.len() / times.len() {
            // A constant that the compiler sees.
            1 => lines(times, (samples, rows, values), outside, out, 1),
            width => lines(times, (samples, rows, values), outside, out, width),
        })
    }
}

/// Writes `width` values for each time: those on the lines between the samples of `rows`.
#[inline(always)]
fn lines(times: &[f64], (samples, rows, values): (&[f64], &Range<usize>, &[f64]), outside: Outside, out: &mut [f64], width: usize) {
    let row = |row: usize| &values[row * width..(row + 1) * width];
    let (mut at, mut after) = (0, rows.start);
    while at < times.len() {
        after = advance(samples, after, rows.end, times[at]);
        let (is_first, is_last) = (after == rows.start, after == rows.end);
        if !is_last && samples[after] <= times[at] + time_tolerance(times[at]) {
            out[at * width..(at + 1) * width].copy_from_slice(row(after));
            at += 1;
        } else if is_first || is_last {
            let own = &mut out[at * width..(at + 1) * width];
            match outside {
                Outside::Fill(value) => own.fill(value),
                Outside::Hold if rows.is_empty() => own.fill(f64::NAN),
                Outside::Hold => own.copy_from_slice(row(if is_last { rows.end - 1 } else { rows.start })),
            }
            at += 1;
        } else {
            let (left, right) = (row(after - 1), row(after));
            let (start, end) = (samples[after - 1], samples[after]);
            let per_second = 1.0 / (end - start);
            let between = times[at..].iter().take_while(|time| **time < end);
            for (&time, out) in between.zip(out[at * width..].chunks_exact_mut(width)) {
                let share = (time - start) * per_second;
                for ((out, left), right) in out.iter_mut().zip(left).zip(right) {
                    *out = left + share * (right - left);
                }
                at += 1;
            }
        }
    }
}
