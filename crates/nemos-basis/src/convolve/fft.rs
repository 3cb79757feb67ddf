//! Convolution by fast Fourier transform: for long kernels over dense signals.

use std::sync::{Arc, OnceLock};

use realfft::num_complex::Complex64;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

/// The spectra of a bank of filters, made when they are first needed.
#[derive(Default)]
pub(crate) struct Spectra(OnceLock<Transform>);

struct Transform {
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    /// One per function, divided by the length of the transform.
    filters: Vec<Vec<Complex64>>,
}

// Nanoseconds of a multiply-add of the direct sum, and of a transform of length N per N log₂ N, on one x86-64 core with
// AVX-512 (`cargo bench --bench basis -- crossover`): what decides is their ratio.
const DIRECT: f64 = 0.19;
const TRANSFORM: f64 = 0.30;

/// Length of the transforms for a window: long enough that most of each is output.
fn length(window: usize) -> usize {
    (4 * window).next_power_of_two()
}

/// Whether transforms are the faster way for these samples, and can be used: they would spread what is not finite.
pub(crate) fn pays(samples: &[f64], window: usize, n_functions: usize) -> bool {
    let n_rows = (samples.len() + 1).saturating_sub(window);
    let n_transforms = n_rows.div_ceil(length(window) - window + 1) * (n_functions + 1);
    let size = length(window) as f64;
    let transforms = n_transforms as f64 * size * size.log2() * TRANSFORM;
    let n_non_zero = samples.iter().filter(|&&sample| sample != 0.0).count();
    transforms < (n_non_zero * window * n_functions) as f64 * DIRECT && samples.iter().all(|sample| sample.is_finite())
}

impl Spectra {
    /// Rows `[samples.len() − window + 1, n_functions]` of the samples filtered by `kernel` `[window, n_functions]`
    /// (overlap–save: Press et al. (2007), *Numerical Recipes*, section 13.1).
    pub(crate) fn filter(&self, kernel: &[f64], n_functions: usize, samples: &[f64]) -> Vec<f64> {
        let window = kernel.len() / n_functions;
        let size = length(window);
        let transform = self.0.get_or_init(|| Transform::new(kernel, n_functions, size));
        let n_rows = samples.len() + 1 - window;
        let mut rows = vec![0.0; n_rows * n_functions];
        let mut block = transform.forward.make_input_vec();
        let mut spectrum = transform.forward.make_output_vec();
        let mut product = transform.inverse.make_input_vec();
        let mut filtered = transform.inverse.make_output_vec();
        for (index, rows) in rows.chunks_mut((size - window + 1) * n_functions).enumerate() {
            let samples = &samples[index * (size - window + 1)..];
            let filled = samples.len().min(size);
            block[..filled].copy_from_slice(&samples[..filled]);
            block[filled..].fill(0.0);
            transform
                .forward
                .process(&mut block, &mut spectrum)
                .expect("buffers are made for this transform");
            for (function, filter) in transform.filters.iter().enumerate() {
                for ((product, sample), filter) in product.iter_mut().zip(&spectrum).zip(filter) {
                    *product = sample * filter;
                }
                // The imaginary parts of both ends are zero but for rounding, which the inverse refuses.
                product[0].im = 0.0;
                product[size / 2].im = 0.0;
                transform
                    .inverse
                    .process(&mut product, &mut filtered)
                    .expect("buffers are made for this transform");
                // The first window − 1 entries hold what wrapped around.
                for (row, value) in rows.iter_mut().skip(function).step_by(n_functions).zip(&filtered[window - 1..]) {
                    *row = *value;
                }
            }
        }
        rows
    }
}

impl Transform {
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
            filters: filters.collect(),
            forward,
            inverse,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transforms_give_the_direct_sums() {
        let wave = |step: usize| (step as f64 * 0.731).sin() + (step as f64 * step as f64 * 0.013).cos();
        for (window, n_functions, n_samples) in [(3, 1, 3), (5, 2, 60), (40, 3, 1000), (300, 2, 5000)] {
            let kernel: Vec<f64> = (0..window * n_functions).map(wave).collect();
            let samples: Vec<f64> = (0..n_samples).map(|step| wave(3 * step + 1)).collect();
            let rows = Spectra::default().filter(&kernel, n_functions, &samples);
            assert_eq!(rows.len(), (n_samples - window + 1) * n_functions);
            for (row, values) in rows.chunks_exact(n_functions).enumerate() {
                for (function, value) in values.iter().enumerate() {
                    let direct: f64 = (0..window)
                        .map(|lag| kernel[lag * n_functions + function] * samples[row + window - 1 - lag])
                        .sum();
                    assert!(
                        (value - direct).abs() < 1e-11,
                        "row {row}, function {function}: {value} is not {direct}"
                    );
                }
            }
        }
    }

    #[test]
    fn transforms_are_for_long_kernels_over_dense_and_finite_signals() {
        let dense: Vec<f64> = (0..20_000).map(|step| f64::from(step).sin() + 2.0).collect();
        let sparse: Vec<f64> = (0..20_000).map(|step| f64::from(step % 50 == 0)).collect();
        assert!(pays(&dense, 100, 8));
        assert!(pays(&dense, 2000, 8));
        assert!(!pays(&dense, 8, 8));
        assert!(!pays(&sparse, 100, 8));
        let mut broken = dense;
        broken[77] = f64::NAN;
        assert!(!pays(&broken, 2000, 8));
    }
}
