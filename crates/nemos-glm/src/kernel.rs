//! Fused loops: link, loss and slope of a built-in pair in one pass over a block in host memory.

use nemos_core::HostFloat;
use nemos_core::simd::{exp, ln, ln_1p_unit, vectorized};

use crate::{InverseLink, LinkForm, ModelForm, ObservationModel};

/// A pair of observation model and link whose loss and slope are known in closed form.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kernel {
    PoissonExp,
    PoissonSoftplus,
}

/// Running sums of a block: lane `i` belongs to neuron `i mod n_neurons`.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    losses: Vec<f64>,
    slopes: Vec<f64>,
    n_neurons: usize,
}

// Enough lanes for the widest vector instructions, also where there is one neuron.
const MIN_LANES: usize = 32;

impl Lanes {
    pub(crate) fn new(n_neurons: usize) -> Self {
        let lanes = n_neurons * MIN_LANES.div_ceil(n_neurons.max(1));
        Lanes {
            losses: vec![0.0; lanes],
            slopes: vec![0.0; lanes],
            n_neurons,
        }
    }

    /// Adds the sums to totals per neuron, and starts anew.
    pub(crate) fn drain(&mut self, mut add: impl FnMut(usize, f64, f64)) {
        for (lane, (loss, slope)) in self.losses.iter_mut().zip(&mut self.slopes).enumerate() {
            add(lane % self.n_neurons, std::mem::take(loss), std::mem::take(slope));
        }
    }
}

impl Kernel {
    pub(crate) fn of(observation: &impl ObservationModel, link: &impl InverseLink) -> Option<Kernel> {
        match (observation.form()?, link.form()?) {
            (ModelForm::Poisson, LinkForm::Exp) => Some(Kernel::PoissonExp),
            (ModelForm::Poisson, LinkForm::Softplus) => Some(Kernel::PoissonSoftplus),
            _ => None,
        }
    }

    /// Adds losses and slopes of a block `[n_rows, n_neurons]` to `lanes`, and writes the slopes over the predictor.
    /// Missing counts add nothing.
    pub(crate) fn slopes<E: HostFloat>(self, predictor: &mut [E], counts: &[E], lanes: &mut Lanes) {
        match self {
            Kernel::PoissonExp => sweep(predictor, counts, lanes, poisson_exp),
            Kernel::PoissonSoftplus => sweep(predictor, counts, lanes, poisson_softplus),
        }
    }

    /// Writes Fisher weights to `weights`; zero where counts are missing.
    pub(crate) fn weights<E: HostFloat>(self, predictor: &[E], counts: &[E], weights: &mut [E]) {
        let weight = |predictor: f64| match self {
            Kernel::PoissonExp => exp(predictor),
            Kernel::PoissonSoftplus => softplus_weight(predictor),
        };
        for ((out, &predictor), &count) in weights.iter_mut().zip(predictor).zip(counts) {
            *out = E::from_f64(if count.into_f64().is_nan() {
                0.0
            } else {
                weight(predictor.into_f64())
            });
        }
    }
}

/// `exp(η) − y η`, and `exp(η) − y`.
#[inline(always)]
fn poisson_exp(predictor: f64, count: f64) -> (f64, f64) {
    let rate = exp(predictor);
    (rate - count * predictor, rate - count)
}

/// With `e = exp(−|η|)`: `rate = max(η, 0) + ln(1 + e)`, and its steepness is `1 / (1 + e)` above zero, `e / (1 + e)` below.
#[inline(always)]
fn softplus(predictor: f64) -> (f64, f64, f64) {
    let e = exp(-predictor.abs());
    let above = predictor > 0.0;
    let rate = (if above { predictor } else { 0.0 }) + ln_1p_unit(e);
    let steepness = (if above { 1.0 } else { e }) / (1.0 + e);
    let log_rate = if predictor < -40.0 { predictor } else { ln(rate) };
    (rate, log_rate, steepness)
}

#[inline(always)]
fn poisson_softplus(predictor: f64, count: f64) -> (f64, f64) {
    let (rate, log_rate, steepness) = softplus(predictor);
    // steepness / rate tends to 1 far below zero, where both underflow.
    let relative = if predictor < -40.0 { 1.0 } else { steepness / rate };
    (rate - count * log_rate, steepness - count * relative)
}

#[inline(always)]
fn softplus_weight(predictor: f64) -> f64 {
    let (rate, _, steepness) = softplus(predictor);
    if predictor < -40.0 {
        exp(predictor)
    } else {
        steepness * steepness / rate
    }
}

#[inline(always)]
fn sweep<E: HostFloat>(predictor: &mut [E], counts: &[E], lanes: &mut Lanes, loss_and_slope: impl Fn(f64, f64) -> (f64, f64)) {
    let width = lanes.losses.len();
    vectorized(
        #[inline(always)]
        || {
            for (predictor, counts) in predictor.chunks_mut(width).zip(counts.chunks(width)) {
                let sums = lanes.losses.iter_mut().zip(lanes.slopes.iter_mut());
                for ((predictor, &count), (loss_sum, slope_sum)) in predictor.iter_mut().zip(counts).zip(sums) {
                    let count = count.into_f64();
                    let missing = count.is_nan();
                    let (loss, slope) = loss_and_slope(predictor.into_f64(), count);
                    let slope = if missing { 0.0 } else { slope };
                    *loss_sum += if missing { 0.0 } else { loss };
                    *slope_sum += slope;
                    *predictor = E::from_f64(slope);
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exp, Poisson, Softplus};
    use nemos_core::{Cpu, Matrix};

    const PREDICTORS: [f64; 9] = [-800.0, -60.0, -39.9, -3.0, -0.2, 0.0, 0.7, 5.0, 40.0];
    const COUNTS: [f64; 9] = [0.0, 1.0, 3.0, 0.0, 2.0, 1.0, 0.0, 4.0, 30.0];

    fn assert_agrees_with_autodiff<L: InverseLink>(link: L) {
        let kernel = Kernel::of(&Poisson, &link).unwrap();
        let tensor = |values: &[f64]| Matrix::<Cpu>::from_column(values.to_vec()).into_tensor();
        let (loss, slope) = Poisson.slope(tensor(&COUNTS), tensor(&PREDICTORS), &link);
        let weight = Poisson.fisher_weight(tensor(&COUNTS), tensor(&PREDICTORS), &link);
        let [loss, slope, weight] = [loss, slope, weight].map(|x| Matrix::<Cpu>::from_tensor(x).to_vec());
        let mut weights = COUNTS;
        kernel.weights(&PREDICTORS, &COUNTS, &mut weights);
        for i in 0..COUNTS.len() {
            let (mut fused, mut lanes) = ([PREDICTORS[i]], Lanes::new(1));
            kernel.slopes(&mut fused, &COUNTS[i..=i], &mut lanes);
            let close = |name: &str, a: f64, b: f64| {
                assert!(
                    (a - b).abs() <= 1e-13 * (1.0 + b.abs()),
                    "{link:?} {name} at {}: {a} {b}",
                    PREDICTORS[i]
                )
            };
            close("loss", lanes.losses[0], loss[i]);
            close("slope", fused[0], slope[i]);
            close("weight", weights[i], weight[i]);
        }
    }

    #[test]
    fn fused_loops_agree_with_automatic_differentiation() {
        assert_agrees_with_autodiff(Exp);
        assert_agrees_with_autodiff(Softplus);
    }

    #[test]
    fn missing_counts_add_nothing() {
        let (mut predictor, mut lanes) = ([0.3, 0.1, 0.2, 0.5], Lanes::new(2));
        Kernel::PoissonExp.slopes(&mut predictor, &[1.0, f64::NAN, 0.0, 2.0], &mut lanes);
        let mut losses = [0.0; 2];
        lanes.drain(|neuron, loss, _| losses[neuron] += loss);
        assert_eq!(predictor[1], 0.0);
        assert!((losses[0] - (0.3_f64.exp() - 0.3 + 0.2_f64.exp())).abs() < 1e-15);
        assert!((losses[1] - (0.5_f64.exp() - 2.0 * 0.5)).abs() < 1e-15);
    }
}
