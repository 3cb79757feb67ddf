//! Convolution in host memory: every sample adds its multiple of the kernel to the rows that it reaches, or, for long kernels
//! over dense signals, by Fourier transforms.

use std::ops::Range;

use nemos_core::simd::vectorized;

use crate::convolve::{Kernel, Series, fft};
use crate::strided::Strided;

/// Shorter windows than this are never filtered by transforms.
pub(crate) const LONG_WINDOW: usize = 32;

impl Kernel {
    /// Writes these rows of one channel; `values` of `out` begin with the first of them.
    pub(crate) fn write(&self, series: &Series<'_>, segments: &[Range<usize>], rows: Range<usize>, out: &mut Strided<'_>) {
        let mut next = rows.start;
        for segment in segments {
            let complete = self.complete(segment, series.lead, &rows);
            if complete.is_empty() {
                continue;
            }
            for row in next..complete.start {
                out.row(row - rows.start, self.n_functions).fill(f64::NAN);
            }
            next = complete.end;
            if self.is_lags {
                self.copy_lags(series, &complete, rows.start, out);
            } else {
                let sums = self.sums(series, &complete);
                for (row, sums) in complete.zip(sums.chunks_exact(self.n_functions)) {
                    out.row(row - rows.start, self.n_functions).copy_from_slice(sums);
                }
            }
        }
        for row in next..rows.end {
            out.row(row - rows.start, self.n_functions).fill(f64::NAN);
        }
    }

    fn copy_lags(&self, series: &Series<'_>, complete: &Range<usize>, first: usize, out: &mut Strided<'_>) {
        for row in complete.clone() {
            let newest = row.strict_add_signed(series.lead);
            for (lag, value) in out.row(row - first, self.window).iter_mut().enumerate() {
                *value = series.view.row(newest - lag)[series.column];
            }
        }
    }

    /// The filtered rows `complete`, `[n_rows, n_functions]`, apart from anything else so that they stay in the nearest cache.
    fn sums(&self, series: &Series<'_>, complete: &Range<usize>) -> Vec<f64> {
        let Series { view, column, lead } = *series;
        let n = self.n_functions;
        let first = complete.start.strict_add_signed(lead) + 1 - self.window;
        let end = complete.end.strict_add_signed(lead);
        if self.window >= LONG_WINDOW {
            let samples: Vec<f64> = (first..end).map(|sample| view.row(sample)[column]).collect();
            if self.values.iter().all(|value| value.is_finite()) && fft::pays(&samples, self.window, n) {
                return self.spectra.filter(&self.values, n, &samples);
            }
        }
        // Kernels that are NaN stay so, although samples of zero are skipped.
        let begin: Vec<f64> = self.values[..n].iter().map(|value| value * 0.0).collect();
        let mut sums = begin.repeat(complete.len());
        vectorized(|| {
            for sample in first..end {
                let value = view.values[(sample - view.first_row) * view.n_columns + column];
                if value == 0.0 {
                    continue;
                }
                // It is the newest sample of row `sample − lead`, and the oldest of the one `window − 1` later: kernel and rows are
                // both contiguous, so that one loop adds all lags of all functions.
                let newest_of = sample as isize - lead - complete.start as isize;
                let skipped = (-newest_of).max(0) as usize;
                let start = newest_of.max(0) as usize;
                let reached = (self.window - skipped).min(complete.len() - start);
                let kernel = &self.values[skipped * n..(skipped + reached) * n];
                for (sum, kernel) in sums[start * n..(start + reached) * n].iter_mut().zip(kernel) {
                    *sum += value * kernel;
                }
            }
        });
        sums
    }
}
