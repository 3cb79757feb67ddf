//! A population that hears one cell with strong refractoriness, which is one of its own.

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson, StandardNormal};

use crate::{HostObjective, Loss};

const N_STIMULI: usize = 8;
const N_NEURONS: usize = 6;

/// Counts of six neurons, of which the first is refractory, and features that they share: `n_lags`
/// lags of the first one's counts, and a stimulus of eight numbers.
///
/// ```text
/// ln rate₀ =  0.5 + Σ_lag h(lag) y₀(t − lag) + stimulus · k₀,   h = −4 at the first four lags, then −4 exp(−(lag − 4)/3)
/// ln rateⱼ = −0.5 + 0.1 Σ_lag exp(−lag/3) y₀(t − lag) + stimulus · kⱼ
/// ```
///
/// Where the first cell has just fired its rate falls to a hundredth, and with it the curvature along the first lags:
/// what is expected from an intercept-only fit is off by a factor of fifty there, for that one column.
///
/// # Panics
/// If there are no rows.
pub fn refractory(n_rows: usize, n_lags: usize) -> HostObjective {
    let rng = &mut ChaCha8Rng::seed_from_u64(21);
    let history = |lag: usize| if lag <= 4 { -4.0 } else { -4.0 * (-(lag as f64 - 4.0) / 3.0).exp() };
    let stimulus_effect = |neuron: usize, dimension: usize| 0.25 * ((3 * neuron + 2 * dimension) as f64).sin();
    let mut design = Array2::zeros((n_rows, n_lags + N_STIMULI));
    let mut counts = Array2::zeros((n_rows, N_NEURONS));
    for row in 0..n_rows {
        for lag in 1..=n_lags.min(row) {
            design[(row, lag - 1)] = counts[(row - lag, 0)];
        }
        for dimension in 0..N_STIMULI {
            design[(row, n_lags + dimension)] = rng.sample(StandardNormal);
        }
        for neuron in 0..N_NEURONS {
            let mut predictor: f64 = if neuron == 0 { 0.5 } else { -0.5 };
            for lag in 1..=n_lags {
                let effect = if neuron == 0 {
                    history(lag)
                } else {
                    0.1 * (-(lag as f64) / 3.0).exp()
                };
                predictor += effect * design[(row, lag - 1)];
            }
            for dimension in 0..N_STIMULI {
                predictor += stimulus_effect(neuron, dimension) * design[(row, n_lags + dimension)];
            }
            let rate: f64 = predictor.exp();
            let poisson = Poisson::new(rate.max(1e-12)).expect("rates are positive and finite");
            counts[(row, neuron)] = poisson.sample(rng);
        }
    }
    HostObjective::new(design, counts, Loss::Poisson)
}
