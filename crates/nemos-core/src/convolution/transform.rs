//! Sums by fast Fourier transforms: for long kernels over dense signals.

use std::fmt;
use std::sync::{Arc, OnceLock};

use realfft::num_complex::Complex64;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

/// The spectra of a bank of filters, made when they are first needed.
#[derive(Default)]
pub(crate) struct Spectra(OnceLock<Transform>);

impl fmt::Debug for Spectra {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Spectra").field(&self.0.get().is_some()).finish()
    }
}

struct Transform {
    size: usize,
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    /// One per function, divided by the length of the self.
    filters: Vec<Vec<Complex64>>,
}

/// Shorter windows than this are never filtered by transforms.
pub(crate) const SHORTEST: usize = 32;

// Nanoseconds of a transform of length N, with what is done to its values, per N log₂ N; see the costs of direct sums.
const TRANSFORM: f64 = 0.16;

/// Length of the transforms for a window: long enough that most of each is output.
fn length(window: usize) -> usize {
    (4 * window).next_power_of_two()
}

/// Rows that one transform gives: what remains when what has wrapped around is left out.
pub(crate) fn new_rows(window: usize) -> usize {
    length(window) - window + 1
}

/// Nanoseconds that these rows take: one transform of the samples, and one back for each function.
pub(crate) fn cost(n_rows: usize, window: usize, n_functions: usize) -> f64 {
    let (size, whole) = ((n_rows + window - 1).next_power_of_two(), length(window));
    let n_transforms = if size < whole {
        // Those of the filters are made anew.
        1 + 2 * n_functions
    } else {
        n_rows.div_ceil(new_rows(window)) * (n_functions + 1)
    };
    let size = size.min(whole) as f64;
    n_transforms as f64 * size * size.log2() * TRANSFORM
}

impl Spectra {
    /// Rows `[samples.len() − window + 1, n_functions]` of the samples filtered by `kernel` `[window, n_functions]`
    /// (overlap–save: Press et al. (2007), *Numerical Recipes*, section 13.1).
    pub(crate) fn filter(&self, kernel: &[f64], n_functions: usize, samples: &[f64]) -> Vec<f64> {
        let window = kernel.len() / n_functions;
        // Few rows fit in a shorter transform, made for them.
        let (size, whole) = (samples.len().next_power_of_two(), length(window));
        if size < whole {
            return Transform::new(kernel, n_functions, size).filter(window, samples);
        }
        let transform = self.0.get_or_init(|| Transform::new(kernel, n_functions, whole));
        transform.filter(window, samples)
    }
}

impl Transform {
    fn filter(&self, window: usize, samples: &[f64]) -> Vec<f64> {
        let (n_functions, size) = (self.filters.len(), self.size);
        let (n_rows, new_rows) = (samples.len() + 1 - window, size + 1 - window);
        let mut rows = vec![0.0; n_rows * n_functions];
        let mut padded = self.forward.make_input_vec();
        let mut spectrum = self.forward.make_output_vec();
        let mut product = self.inverse.make_input_vec();
        let mut filtered = self.inverse.make_output_vec();
        for (index, rows) in rows.chunks_mut(new_rows * n_functions).enumerate() {
            let samples = &samples[index * new_rows..];
            let filled = samples.len().min(size);
            padded[..filled].copy_from_slice(&samples[..filled]);
            padded[filled..].fill(0.0);
            self.forward
                .process(&mut padded, &mut spectrum)
                .expect("buffers are made for this transform");
            for (function, filter) in self.filters.iter().enumerate() {
                for ((product, sample), filter) in product.iter_mut().zip(&spectrum).zip(filter) {
                    *product = sample * filter;
                }
                // The imaginary parts of both ends are zero but for rounding, which the inverse refuses.
                product[0].im = 0.0;
                product[size / 2].im = 0.0;
                self.inverse
                    .process(&mut product, &mut filtered)
                    .expect("buffers are made for this transform");
                // The first window − 1 entries hold what wrapped around.
                let values = &filtered[window - 1..];
                if n_functions == 1 {
                    rows.copy_from_slice(&values[..rows.len()]);
                } else {
                    let places = rows.iter_mut().skip(function).step_by(n_functions);
                    places.zip(values).for_each(|(place, value)| *place = *value);
                }
            }
        }
        rows
    }

    fn new(kernel: &[f64], n_functions: usize, size: usize) -> Self {
        let mut planner = RealFftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
        let filters = (0..n_functions).map(|function| {
            let mut padded = forward.make_input_vec();
            for (to, from) in padded.iter_mut().zip(kernel.iter().skip(function).step_by(n_functions)) {
                *to = from / size as f64;
            }
            let mut spectrum = forward.make_output_vec();
            forward
                .process(&mut padded, &mut spectrum)
                .expect("buffers are made for this transform");
            spectrum
        });
        Transform {
            size,
            filters: filters.collect(),
            forward,
            inverse,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convolution::sums;

    #[test]
    fn transforms_are_for_long_kernels_over_dense_signals() {
        let pays = |n_non_zero, window| cost(20_000, window, 8) < sums::by_sample_cost(20_000, n_non_zero, window, 8);
        assert!(pays(20_000, 100) && pays(20_000, 2000));
        assert!(!pays(400, 100) && !pays(20_000 / 19, 64));
    }
}
