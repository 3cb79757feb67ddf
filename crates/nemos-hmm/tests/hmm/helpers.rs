//! Models and data that tests share.

use ndarray::{Array2, array};
use nemos_core::{Cpu, Design, Matrix, Segments};
use nemos_glm::{Bernoulli, Exp, Gaussian, Identity, Logistic, Poisson};
use nemos_hmm::{DrawStates, FittedGlmHmm, GlmHmm, GlmStates, HmmParameters, StateGlm, Transitions};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub(crate) type PoissonHmm = GlmHmm<GlmStates<Poisson, Exp>>;
pub(crate) type ChoiceHmm = GlmHmm<GlmStates<Bernoulli, Logistic>>;
pub(crate) type GaussianHmm = GlmHmm<GlmStates<Gaussian, Identity>>;

/// One feature and one neuron for each state.
pub(crate) fn states(of: &[(f64, f64, f64)]) -> Vec<StateGlm> {
    of.iter()
        .map(|&(coef, intercept, scale)| StateGlm {
            coef: array![[coef]],
            intercept: vec![intercept],
            scale: vec![scale],
        })
        .collect()
}

pub(crate) fn parameters(stay: f64, of: &[(f64, f64, f64)]) -> HmmParameters {
    let n = of.len();
    HmmParameters::new(vec![1.0 / n as f64; n], Transitions::staying(n, stay).unwrap(), &states(of)).unwrap()
}

/// A feature that looks random, and is not.
pub(crate) fn feature(row: usize) -> f64 {
    ((row * 7919 + 13) % 101) as f64 / 50.0 - 1.0
}

pub(crate) fn column(values: Vec<f64>) -> Matrix<Cpu> {
    Matrix::from_column(values)
}

/// A design of one feature in sessions of these lengths.
pub(crate) fn design(lengths: &[usize]) -> Design<'static, Cpu> {
    let segments = Segments::from_lengths(lengths.iter().copied());
    let values = column((0..segments.n_rows()).map(feature).collect());
    Design::from(values).with_segments(segments).unwrap()
}

/// Counts drawn from a model with one feature, in sessions of these lengths.
pub(crate) fn drawn<S: DrawStates>(model: &FittedGlmHmm<S>, lengths: &[usize], seed: u64) -> (Vec<usize>, Matrix<Cpu>) {
    let segments = Segments::from_lengths(lengths.iter().copied());
    let nothing = Array2::zeros((segments.n_rows(), 0));
    let drawn = model
        .simulate(
            &segments,
            |row, _| vec![feature(row)],
            &nothing,
            &mut ChaCha8Rng::seed_from_u64(seed),
        )
        .unwrap();
    (drawn.states, Matrix::from_array(drawn.counts.view()))
}

pub(crate) fn assert_rises(history: &[f64]) {
    for pair in history.windows(2) {
        assert!(pair[1] >= pair[0] - 1e-10 * pair[0].abs(), "{} after {}", pair[1], pair[0]);
    }
}
