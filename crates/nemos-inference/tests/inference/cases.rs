//! Data for tests.

use nemos_core::{Backend, Design, Matrix, Segments};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson};

pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Uniform features of variance one.
pub(crate) fn features(rng: &mut impl Rng, n_rows: usize, n_features: usize) -> Vec<f64> {
    (0..n_rows * n_features)
        .map(|_| 12.0_f64.sqrt() * (rng.random::<f64>() - 0.5))
        .collect()
}

/// A Poisson count of this rate.
pub(crate) fn poisson(rng: &mut impl Rng, rate: f64) -> f64 {
    if rate > 0.0 { Poisson::new(rate).unwrap().sample(rng) } else { 0.0 }
}

/// Counts of one neuron that the features drive.
pub(crate) fn counts(rng: &mut impl Rng, features: &[f64], coef: &[f64], intercept: f64) -> Vec<f64> {
    let rows = features.chunks_exact(coef.len());
    let rates: Vec<f64> = rows
        .map(|row| (intercept + row.iter().zip(coef).map(|(x, w)| x * w).sum::<f64>()).exp())
        .collect();
    rates.into_iter().map(|rate| poisson(rng, rate)).collect()
}

/// A design of these features in trials of equal length, and counts.
pub(crate) fn poisson_case<B: Backend>(seed: u64, (n_trials, length): (usize, usize), coef: &[f64]) -> (Design<'static, B>, Matrix<B>) {
    let mut rng = rng(seed);
    let n_rows = n_trials * length;
    let features = features(&mut rng, n_rows, coef.len());
    let counts = counts(&mut rng, &features, coef, 0.2);
    let design = Design::from(Matrix::from_vec(features, [n_rows, coef.len()]).unwrap());
    (
        design.with_segments(Segments::from_lengths(vec![length; n_trials])).unwrap(),
        Matrix::from_column(counts),
    )
}

/// The largest difference, as a share of the largest number.
pub(crate) fn apart<'a>(got: impl IntoIterator<Item = &'a f64>, expected: impl IntoIterator<Item = &'a f64>) -> f64 {
    let pairs: Vec<(f64, f64)> = got.into_iter().copied().zip(expected.into_iter().copied()).collect();
    let largest = pairs.iter().map(|pair| pair.1.abs()).fold(0.0, f64::max);
    let worst = pairs
        .iter()
        .map(|(a, b)| if a.is_nan() && b.is_nan() { 0.0 } else { (a - b).abs() });
    worst.map(|x| if x.is_nan() { f64::INFINITY } else { x }).fold(0.0, f64::max) / largest
}
