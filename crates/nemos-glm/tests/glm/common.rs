//! Data that tests draw: features with correlations, and Poisson counts of known weights.

use ndarray::Array2;
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};
use nemos_core::{Backend, Matrix};
use nemos_glm::{Exp, Mean, ObservationModel, Support};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson, StandardNormal};

/// Features, counts, and the coefficients and intercepts that made them.
pub(crate) struct Simulated<B: Backend> {
    pub(crate) design: Matrix<B>,
    pub(crate) counts: Matrix<B>,
    /// `[n_features, n_neurons]`
    pub(crate) coef: Array2<f64>,
    pub(crate) intercept: Vec<f64>,
}

/// Draws `n_samples` rows for `n_neurons` with rates about `exp(intercept)` under `rate`.
pub(crate) fn simulate<B: Backend>([n_samples, n_features, n_neurons]: [usize; 3], seed: u64, rate: fn(f64) -> f64) -> Simulated<B> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
    let mut design = Array2::<f64>::zeros((n_samples, n_features));
    for mut row in design.rows_mut() {
        let shared = normal();
        row.mapv_inplace(|_| 0.4 * normal() + 0.2 * shared);
    }
    let coef = Array2::from_shape_fn((n_features, n_neurons), |_| 0.7 * normal());
    let intercept: Vec<f64> = (0..n_neurons).map(|_| 0.3 * normal()).collect();
    let predictor = design.dot(&coef);
    let counts = Array2::from_shape_fn((n_samples, n_neurons), |(row, neuron)| {
        let rate = rate(predictor[(row, neuron)] + intercept[neuron]);
        Poisson::new(rate).expect("rates are positive").sample(&mut rng)
    });
    Simulated {
        design: design.into(),
        counts: counts.into(),
        coef,
        intercept,
    }
}

pub(crate) fn softplus(x: f64) -> f64 {
    x.exp().ln_1p()
}

/// Poisson again, written as a user would: no derivative, no closed form, so that fits go through tensors.
#[derive(Clone, Debug)]
pub(crate) struct Mine;

impl ObservationModel for Mine {
    type DefaultLink = Exp;
    fn log_likelihood<T: BurnBackend>(&self, y: Tensor<T, 2>, mean: &Mean<'_, T>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        y * mean.log_rate() - mean.rate()
    }
    fn deviance<T: BurnBackend>(&self, y: Tensor<T, 2>, rate: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        nemos_glm::Poisson.deviance(y, rate, scale)
    }
    fn variance<T: BurnBackend>(&self, rate: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        rate
    }
    fn support(&self) -> Support {
        Support::NonNegative
    }
}
