//! Direct sums.

use crate::convolution::Series;
use crate::simd::vectorized;

// Nanoseconds on one x86-64 core with AVX-512, of rows that stay in its cache: what decides is their ratio, and that to a
// transform (`cargo bench --bench basis -- crossover` compares what is chosen with what is not).
/// A multiply-add, sample by sample and lag by lag.
const BY_SAMPLE: f64 = 0.17;
const BY_LAG: f64 = 0.08;
/// Every sample that is looked at, and what one that is not zero takes besides.
const LOOK: f64 = 1.3;
const NON_ZERO: f64 = 3.0;

/// Windows of a single filter that are summed lag by lag before a look at every sample would have paid.
pub(crate) const SHORT: usize = (LOOK / BY_LAG) as usize;

/// Nanoseconds that these rows take, sample by sample.
pub(crate) fn by_sample_cost(n_rows: usize, n_non_zero: usize, window: usize, n_functions: usize) -> f64 {
    n_rows as f64 * LOOK + n_non_zero as f64 * (NON_ZERO + (window * n_functions) as f64 * BY_SAMPLE)
}

/// Nanoseconds that these rows take, lag by lag, which only a single filter is worth.
pub(crate) fn by_lag_cost(n_rows: usize, window: usize, n_functions: usize) -> f64 {
    if n_functions == 1 {
        (n_rows * window) as f64 * BY_LAG
    } else {
        f64::INFINITY
    }
}

/// Every sample adds its multiple of the kernel to the rows that it reaches; those that are zero add nothing.
///
/// `[n_rows, n_functions]`; the first row is made of the samples from `oldest` on.
pub(crate) fn by_sample(kernel: &[f64], n_functions: usize, series: Series<'_>, oldest: isize, n_rows: usize) -> Vec<f64> {
    let (n, window) = (n_functions, kernel.len() / n_functions);
    if n_rows == 0 || window == 0 {
        return vec![0.0; n_rows * n];
    }
    let newest = oldest + window as isize - 1;
    let first = oldest.max(0) as usize;
    let end = ((newest + n_rows as isize).max(0) as usize).min(series.len());
    // Kernels that are NaN stay so, although samples of zero are skipped. Others begin with +0, never −0, as sums by lag do.
    let begin: Vec<f64> = kernel[..n].iter().map(|value| value * 0.0 + 0.0).collect();
    let mut sums = begin.repeat(n_rows);
    vectorized(|| {
        for sample in first..end {
            let value = series.at(sample);
            if value == 0.0 {
                continue;
            }
            // It is the newest sample of row `sample − newest`, and the oldest of the one `window − 1` later: kernel and rows
            // are both contiguous, so that one loop adds all lags of all functions.
            let newest_of = sample as isize - newest;
            let skipped = (-newest_of).max(0) as usize;
            let start = newest_of.max(0) as usize;
            let reached = (window - skipped).min(n_rows - start);
            let kernel = &kernel[skipped * n..(skipped + reached) * n];
            for (sum, kernel) in sums[start * n..(start + reached) * n].iter_mut().zip(kernel) {
                *sum += value * kernel;
            }
        }
    });
    sums
}

/// Rows that stay in the nearest cache while every lag is added to them.
const TILE: usize = 2048;

/// Every lag of a single filter adds its multiple of the samples to all rows, the oldest first: the terms of a row come in the
/// order of [`by_sample`], so that both give the same sums to the last bit.
///
/// `samples` holds all that the rows see, `n_rows + window − 1` of them.
pub(crate) fn by_lag(kernel: &[f64], samples: &[f64], n_rows: usize) -> Vec<f64> {
    let mut sums = vec![0.0; n_rows];
    for (tile, sums) in sums.chunks_mut(TILE).enumerate() {
        for (age, &weight) in kernel.iter().rev().enumerate() {
            let samples = &samples[tile * TILE + age..][..sums.len()];
            vectorized(|| add_multiple(sums, samples, weight));
        }
    }
    sums
}

#[inline(always)]
fn add_multiple(sums: &mut [f64], samples: &[f64], weight: f64) {
    for (sum, sample) in sums.iter_mut().zip(samples) {
        *sum += sample * weight;
    }
}
