//! Tests of searches, in one program: models are compiled once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod classes;
mod folds;
mod leaks;
mod path;
mod pipelines;
mod searches;
mod steps;
mod variables;

use ndarray::Array2;
use nemos_core::{Cpu, Matrix};

/// Numbers between 0 and 1 that look random: a linear congruential generator, as Knuth's MMIX has it.
pub(crate) fn noise(n: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..n).map(|_| next()).collect()
}

/// Inputs `[n_rows, n_features]`, and counts of neurons that follow them, the first most.
pub(crate) fn population(n_rows: usize, n_features: usize, n_neurons: usize) -> (Matrix<Cpu>, Matrix<Cpu>) {
    let inputs = Array2::from_shape_vec((n_rows, n_features), noise(n_rows * n_features, 1)).unwrap() - 0.5;
    let weights = Array2::from_shape_vec((n_features, n_neurons), noise(n_features * n_neurons, 2)).unwrap() - 0.5;
    let scatter = noise(n_rows * n_neurons, 3);
    let rates = inputs.dot(&weights);
    let counts = Array2::from_shape_fn((n_rows, n_neurons), |(row, neuron)| {
        let gain = 2.0 / (1 + neuron) as f64;
        ((gain * rates[(row, neuron)]).exp() + 1.5 * scatter[row * n_neurons + neuron]).floor()
    });
    (Matrix::from(inputs), Matrix::from(counts))
}

pub(crate) fn close(got: f64, expected: f64, tolerance: f64) {
    assert!(
        (got - expected).abs() <= tolerance * expected.abs().max(1e-12),
        "{got} is not {expected}"
    );
}
