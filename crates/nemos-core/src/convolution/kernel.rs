//! Kernels: banks of filters, and the fastest way to apply them.

use std::borrow::Cow;
use std::ops::Range;

use crate::convolution::{sums, transform};

/// One series of samples in memory, which may be a column of a matrix.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    values: &'a [f64],
    stride: usize,
}

impl<'a> Series<'a> {
    /// Samples next to each other.
    pub fn new(values: &'a [f64]) -> Self {
        Series { values, stride: 1 }
    }

    /// A column of rows of `n_columns` values.
    pub fn column(rows: &'a [f64], column: usize, n_columns: usize) -> Self {
        Series {
            values: rows.get(column..).unwrap_or_default(),
            stride: n_columns.max(1),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len().div_ceil(self.stride)
    }

    #[inline(always)]
    pub(crate) fn at(&self, sample: usize) -> f64 {
        self.values[sample * self.stride]
    }

    /// These samples; zeros where there are none.
    pub(crate) fn padded(&self, samples: Range<isize>) -> Cow<'a, [f64]> {
        if self.stride == 1 && samples.start >= 0 && samples.end <= self.values.len() as isize {
            return Cow::Borrowed(&self.values[samples.start as usize..samples.end as usize]);
        }
        let mut padded = vec![0.0; samples.len()];
        let (start, end) = (samples.start.max(0), samples.end.min(self.len() as isize));
        if start < end {
            let (existing, to) = (start as usize..end as usize, &mut padded[(start - samples.start) as usize..]);
            if self.stride == 1 {
                to[..existing.len()].copy_from_slice(&self.values[existing]);
            } else {
                to.iter_mut().zip(existing).for_each(|(value, sample)| *value = self.at(sample));
            }
        }
        Cow::Owned(padded)
    }
}

/// A bank of filters: `[window, n_functions]`; row 0 meets the newest sample of a window.
#[derive(Debug)]
pub struct Kernel {
    window: usize,
    n_functions: usize,
    /// Row after row.
    values: Vec<f64>,
    is_finite: bool,
    /// Whether function `i` is sample `i` of the window, so that values need only be copied.
    is_lags: bool,
    /// For long windows over dense signals.
    spectra: transform::Spectra,
}

impl Kernel {
    /// Filters with these values, row after row of `n_functions`.
    ///
    /// # Panics
    /// Unless there is at least one function, and a value for each lag and function.
    pub fn new(values: Vec<f64>, n_functions: usize) -> Self {
        assert!(
            n_functions > 0 && values.len().is_multiple_of(n_functions),
            "a kernel has a value for each lag and function, and a function"
        );
        Kernel {
            window: values.len() / n_functions,
            n_functions,
            is_finite: values.iter().all(|value| value.is_finite()),
            values,
            is_lags: false,
            spectra: transform::Spectra::default(),
        }
    }

    /// The lags themselves: function `i` is sample `i` of the window, nothing multiplied. A NaN stays in its own lag.
    pub fn lags(window: usize) -> Self {
        let one = |at: usize| if at / window == at % window { 1.0 } else { 0.0 };
        Kernel {
            is_lags: true,
            ..Kernel::new((0..window * window).map(one).collect(), window)
        }
    }

    /// Samples that each output is made of.
    pub fn window(&self) -> usize {
        self.window
    }

    /// Filters side by side.
    pub fn n_functions(&self) -> usize {
        self.n_functions
    }

    /// Row after row: `[window, n_functions]`.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    pub(crate) fn is_lags(&self) -> bool {
        self.is_lags
    }

    /// Rows that are best filtered together: several transforms that hardly overlap, where transforms there are.
    pub fn chunk_rows(&self) -> usize {
        if self.window < transform::SHORTEST {
            1
        } else {
            transform::new_rows(self.window)
        }
    }

    /// The rows, among these, of one segment whose whole window lies in that segment.
    pub fn complete(&self, segment: &Range<usize>, lead: isize, rows: &Range<usize>) -> Range<usize> {
        let first = segment.start as isize + self.window as isize - 1 - lead;
        let end = segment.end as isize - lead;
        let start = first.max(segment.start as isize).max(rows.start as isize);
        let end = end.min(segment.end as isize).min(rows.end as isize);
        if start < end { start as usize..end as usize } else { 0..0 }
    }

    /// Writes filtered rows, `n_functions` values each: the first is made of the samples from `oldest` on, and every other of
    /// those one further. Samples that do not exist are zeros.
    pub fn filter<'r>(&self, series: Series<'_>, oldest: isize, rows: impl ExactSizeIterator<Item = &'r mut [f64]>) {
        if self.is_lags {
            return self.copy_lags(series, oldest, rows);
        }
        // Apart from what is beside them in their rows, sums stay in the nearest cache.
        let sums = self.filtered(series, oldest, rows.len());
        for (row, sums) in rows.zip(sums.chunks_exact(self.n_functions)) {
            row.copy_from_slice(sums);
        }
    }

    fn copy_lags<'r>(&self, series: Series<'_>, oldest: isize, rows: impl Iterator<Item = &'r mut [f64]>) {
        for (row, out) in rows.enumerate() {
            let first = oldest + row as isize;
            let seen = first..first + self.window as isize;
            if seen.start >= 0 && seen.end <= series.len() as isize {
                let newest = seen.end as usize - 1;
                for (lag, value) in out.iter_mut().enumerate() {
                    *value = series.at(newest - lag);
                }
            } else {
                let samples = series.padded(seen);
                out.iter_mut()
                    .zip(samples.iter().rev())
                    .for_each(|(value, sample)| *value = *sample);
            }
        }
    }

    /// Filtered rows with nothing beside them: `[n_rows, n_functions]`. See [`Kernel::filter`].
    pub fn filtered(&self, series: Series<'_>, oldest: isize, n_rows: usize) -> Vec<f64> {
        let (window, n_functions) = (self.window, self.n_functions);
        if self.is_lags {
            let mut rows = vec![0.0; n_rows * n_functions];
            self.copy_lags(series, oldest, rows.chunks_exact_mut(n_functions));
            return rows;
        }
        let seen = oldest..oldest + (n_rows + window) as isize - 1;
        let by_sample = || sums::by_sample(&self.values, n_functions, series, oldest, n_rows);
        // Sample by sample is the only way that skips zeros, keeps what is not finite where it is, and reads a column in place.
        let is_long = window >= transform::SHORTEST;
        let may_choose = self.is_finite && n_rows > 0 && (is_long || n_functions == 1 && series.stride == 1);
        if !may_choose {
            return by_sample();
        }
        let samples = series.padded(seen);
        if n_functions == 1 && window <= sums::SHORT {
            return sums::by_lag(&self.values, &samples, n_rows);
        }
        let n_non_zero = samples.iter().filter(|&&sample| sample != 0.0).count();
        let by_sample_cost = sums::by_sample_cost(n_rows, n_non_zero, window, n_functions);
        let by_lag_cost = sums::by_lag_cost(n_rows, window, n_functions);
        let transforms = is_long && transform::cost(n_rows, window, n_functions) < by_sample_cost.min(by_lag_cost);
        // Transforms would spread a NaN over all rows.
        if transforms && samples.iter().all(|sample| sample.is_finite()) {
            self.spectra.filter(&self.values, n_functions, &samples)
        } else if by_lag_cost < by_sample_cost {
            sums::by_lag(&self.values, &samples, n_rows)
        } else {
            by_sample()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(step: usize) -> f64 {
        (step as f64 * 0.731).sin() + (step as f64 * step as f64 * 0.013).cos()
    }

    fn filtered(kernel: &Kernel, series: Series<'_>, oldest: isize, n_rows: usize) -> Vec<f64> {
        let mut rows = vec![0.0; n_rows * kernel.n_functions()];
        kernel.filter(series, oldest, rows.chunks_exact_mut(kernel.n_functions()));
        rows
    }

    #[test]
    fn every_way_gives_the_sums_of_the_definition_with_zeros_outside() {
        for (window, n_functions) in [(1, 1), (3, 1), (5, 2), (40, 1), (40, 3), (300, 1), (300, 2)] {
            let kernel = Kernel::new((0..window * n_functions).map(wave).collect(), n_functions);
            for (n_samples, every) in [(1, 1), (60, 1), (60, 7), (5000, 1), (5000, 20)] {
                let sample = |at: usize| if at.is_multiple_of(every) { wave(3 * at + 1) } else { 0.0 };
                let both: Vec<f64> = (0..2 * n_samples)
                    .map(|at| if at % 2 == 1 { sample(at / 2) } else { f64::NAN })
                    .collect();
                let series = Series::column(&both, 1, 2);
                let oldest = 1 - window as isize / 2;
                let got = filtered(&kernel, series, oldest, n_samples);
                for (at, got) in got.into_iter().enumerate() {
                    let (row, function) = (at / n_functions, at % n_functions);
                    let seen = series.padded(oldest + row as isize..oldest + (row + window) as isize);
                    let terms = seen.iter().rev().enumerate();
                    let expected: f64 = terms
                        .map(|(lag, sample)| sample * kernel.values()[lag * n_functions + function])
                        .sum();
                    assert!(
                        (got - expected).abs() < 1e-11,
                        "window {window}, row {row}: {got} is not {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn sums_by_sample_and_by_lag_agree_to_the_last_bit() {
        // So that rows do not depend on how many zeros there are among those that are asked for with them.
        let kernel: Vec<f64> = (0..37).map(|lag| wave(lag) - 1.0).collect();
        for every in [1, 3, 10] {
            let samples: Vec<f64> = (0..5000).map(|at| if at % every == 0 { wave(at) } else { 0.0 }).collect();
            let n_rows = samples.len() + 1 - kernel.len();
            let bits = |values: Vec<f64>| values.into_iter().map(f64::to_bits).collect::<Vec<_>>();
            assert_eq!(
                bits(sums::by_sample(&kernel, 1, Series::new(&samples), 0, n_rows)),
                bits(sums::by_lag(&kernel, &samples, n_rows))
            );
        }
    }

    #[test]
    fn what_is_not_finite_reaches_no_further_than_the_window() {
        let kernel = Kernel::new(vec![1.0; 200], 1);
        let mut samples: Vec<f64> = (0..5000).map(wave).collect();
        samples[2500] = f64::NAN;
        let got = filtered(&kernel, Series::new(&samples), -199, 5000);
        assert!(
            got.iter()
                .enumerate()
                .all(|(row, value)| value.is_nan() == (2500..2700).contains(&row))
        );
        let lags = Kernel::lags(3);
        assert_eq!(
            filtered(&lags, Series::new(&[1.0, 2.0, 4.0]), -2, 3),
            [1.0, 0.0, 0.0, 2.0, 1.0, 0.0, 4.0, 2.0, 1.0]
        );
        // Functions that do not exist stay missing, also where samples are zero.
        let missing = Kernel::new(vec![f64::NAN; 40], 1);
        assert!(
            filtered(&missing, Series::new(&[0.0; 50]), 0, 11)
                .iter()
                .all(|value| value.is_nan())
        );
    }
}
