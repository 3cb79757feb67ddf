//! Fused loops: link, loss and slope of a built-in pair in one pass over a block in host memory.

use nemos_core::HostFloat;
use nemos_core::simd::{exp, ln, ln_1p_exp, ln_1p_unit, vectorized};

use crate::{InverseLink, LinkForm, ModelForm, ObservationModel};

/// A pair of observation model and link whose loss and slope are known in closed form.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kernel {
    PoissonExp,
    PoissonSoftplus,
    PoissonIdentity,
    GammaExp,
    GammaSoftplus,
    GammaReciprocal,
    GammaIdentity,
    GaussianIdentity,
    BernoulliLogistic,
    BernoulliIdentity,
    NegativeBinomialExp,
    NegativeBinomialSoftplus,
    NegativeBinomialIdentity,
}

/// What one pass over a block needs besides the predictor.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Block<'a, E> {
    /// `[n_rows, n_neurons]`, NaN where missing.
    pub(crate) counts: &'a [E],
    /// `[n_rows, n_neurons]`, all one where there is nothing.
    pub(crate) weights: Option<&'a [E]>,
}

/// Running sums of a block: lane `i` belongs to neuron `i mod n_neurons`.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    losses: Vec<f64>,
    slopes: Vec<f64>,
    /// Scale of the neuron of each lane.
    scales: Vec<f64>,
    n_neurons: usize,
}

// Enough lanes for the widest vector instructions, also where there is one neuron.
const MIN_LANES: usize = 32;

impl Lanes {
    /// One scale per neuron.
    pub(crate) fn new(scales: &[f64]) -> Self {
        let n_neurons = scales.len();
        let repeats = MIN_LANES.div_ceil(n_neurons.max(1));
        Lanes {
            losses: vec![0.0; n_neurons * repeats],
            slopes: vec![0.0; n_neurons * repeats],
            scales: scales.repeat(repeats),
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
            (ModelForm::Poisson, LinkForm::Identity) => Some(Kernel::PoissonIdentity),
            (ModelForm::Gamma, LinkForm::Exp) => Some(Kernel::GammaExp),
            (ModelForm::Gamma, LinkForm::Softplus) => Some(Kernel::GammaSoftplus),
            (ModelForm::Gamma, LinkForm::Reciprocal) => Some(Kernel::GammaReciprocal),
            (ModelForm::Gamma, LinkForm::Identity) => Some(Kernel::GammaIdentity),
            (ModelForm::Gaussian, LinkForm::Identity) => Some(Kernel::GaussianIdentity),
            (ModelForm::Bernoulli, LinkForm::Logistic) => Some(Kernel::BernoulliLogistic),
            (ModelForm::Bernoulli, LinkForm::Identity) => Some(Kernel::BernoulliIdentity),
            (ModelForm::NegativeBinomial { .. }, LinkForm::Exp) => Some(Kernel::NegativeBinomialExp),
            (ModelForm::NegativeBinomial { .. }, LinkForm::Softplus) => Some(Kernel::NegativeBinomialSoftplus),
            (ModelForm::NegativeBinomial { .. }, LinkForm::Identity) => Some(Kernel::NegativeBinomialIdentity),
            _ => None,
        }
    }

    /// Adds losses and slopes of a block `[n_rows, n_neurons]` to `lanes`, and writes the slopes over the predictor.
    /// Missing counts add nothing.
    pub(crate) fn slopes<E: HostFloat>(self, predictor: &mut [E], block: Block<'_, E>, lanes: &mut Lanes) {
        match self {
            Kernel::PoissonExp => sweep(predictor, block, lanes, |predictor, count, _| poisson_exp(predictor, count)),
            Kernel::PoissonSoftplus => sweep(predictor, block, lanes, |predictor, count, _| poisson(softplus(predictor), count)),
            Kernel::PoissonIdentity => sweep(predictor, block, lanes, |predictor, count, _| poisson(identity(predictor), count)),
            Kernel::GammaExp => sweep(predictor, block, lanes, |predictor, count, _| gamma(exponential(predictor), count)),
            Kernel::GammaSoftplus => sweep(predictor, block, lanes, |predictor, count, _| gamma(softplus(predictor), count)),
            Kernel::GammaReciprocal => sweep(predictor, block, lanes, |predictor, count, _| gamma_reciprocal(predictor, count)),
            Kernel::GammaIdentity => sweep(predictor, block, lanes, |predictor, count, _| gamma(identity(predictor), count)),
            Kernel::GaussianIdentity => sweep(predictor, block, lanes, |predictor, count, _| gaussian_identity(predictor, count)),
            Kernel::BernoulliLogistic => sweep(predictor, block, lanes, |predictor, count, _| bernoulli_logistic(predictor, count)),
            Kernel::BernoulliIdentity => sweep(predictor, block, lanes, |predictor, count, _| bernoulli_identity(predictor, count)),
            Kernel::NegativeBinomialExp => sweep(predictor, block, lanes, |predictor, count, scale| {
                negative_binomial(exponential(predictor), count, scale)
            }),
            Kernel::NegativeBinomialSoftplus => sweep(predictor, block, lanes, |predictor, count, scale| {
                negative_binomial(softplus(predictor), count, scale)
            }),
            Kernel::NegativeBinomialIdentity => sweep(predictor, block, lanes, |predictor, count, scale| {
                negative_binomial(identity(predictor), count, scale)
            }),
        }
    }

    /// Writes Fisher weights to `out`; zero where counts are missing.
    pub(crate) fn weights<E: HostFloat>(self, predictor: &[E], block: Block<'_, E>, lanes: &Lanes, out: &mut [E]) {
        let weight = |predictor: f64, scale: f64| match self {
            Kernel::PoissonExp => exp(predictor),
            Kernel::PoissonSoftplus => softplus(predictor).poisson_weight(),
            Kernel::PoissonIdentity => identity(predictor).poisson_weight(),
            Kernel::GammaExp => 1.0,
            Kernel::GammaSoftplus => softplus(predictor).relative.powi(2),
            Kernel::GammaIdentity => identity(predictor).relative.powi(2),
            Kernel::GammaReciprocal => (predictor * predictor).recip(),
            Kernel::GaussianIdentity => 2.0,
            Kernel::BernoulliLogistic => {
                let (rate, complement) = logistic(predictor);
                rate * complement
            }
            Kernel::BernoulliIdentity => (predictor * (1.0 - predictor)).recip(),
            Kernel::NegativeBinomialExp => negative_binomial_weight(exponential(predictor), scale),
            Kernel::NegativeBinomialSoftplus => negative_binomial_weight(softplus(predictor), scale),
            Kernel::NegativeBinomialIdentity => negative_binomial_weight(identity(predictor), scale),
        };
        for (index, (out, &predictor)) in out.iter_mut().zip(predictor).enumerate() {
            let sample_weight = block.weights.map_or(1.0, |weights| weights[index].into_f64());
            *out = E::from_f64(if block.counts[index].into_f64().is_nan() {
                0.0
            } else {
                sample_weight * weight(predictor.into_f64(), lanes.scales[index % lanes.scales.len()])
            });
        }
    }
}

/// A link at one predictor.
#[derive(Copy, Clone)]
struct At {
    rate: f64,
    log_rate: f64,
    /// ∂rate/∂predictor
    steepness: f64,
    /// ∂(ln rate)/∂predictor = steepness / rate
    relative: f64,
}

impl At {
    #[inline(always)]
    fn poisson_weight(self) -> f64 {
        self.steepness * self.relative
    }
}

#[inline(always)]
fn exponential(predictor: f64) -> At {
    let rate = exp(predictor);
    At {
        rate,
        log_rate: predictor,
        steepness: rate,
        relative: 1.0,
    }
}

/// With `e = exp(−|η|)`: `rate = max(η, 0) + ln(1 + e)`, and its steepness is `1 / (1 + e)` above zero, `e / (1 + e)` below.
#[inline(always)]
fn softplus(predictor: f64) -> At {
    let e = exp(-predictor.abs());
    let above = predictor > 0.0;
    let rate = (if above { predictor } else { 0.0 }) + ln_1p_unit(e);
    let steepness = (if above { 1.0 } else { e }) / (1.0 + e);
    // Far below zero rate and steepness underflow, and their ratio tends to one.
    let far = predictor < -40.0;
    At {
        rate,
        log_rate: if far { predictor } else { ln(rate) },
        steepness,
        relative: if far { 1.0 } else { steepness / rate },
    }
}

/// Below zero there is no rate.
#[inline(always)]
fn identity(predictor: f64) -> At {
    let rate = if predictor >= 0.0 { predictor } else { f64::NAN };
    At {
        rate,
        log_rate: ln(rate),
        steepness: 1.0,
        relative: 1.0 / rate,
    }
}

/// `1 / (1 + e^−η)` and `1 / (1 + e^η)`.
#[inline(always)]
fn logistic(predictor: f64) -> (f64, f64) {
    let e = exp(-predictor.abs());
    let (large, small) = (1.0 / (1.0 + e), e / (1.0 + e));
    if predictor > 0.0 { (large, small) } else { (small, large) }
}

/// `exp(η) − y η`, and `exp(η) − y`.
#[inline(always)]
fn poisson_exp(predictor: f64, count: f64) -> (f64, f64) {
    let rate = exp(predictor);
    (rate - count * predictor, rate - count)
}

#[inline(always)]
fn poisson(at: At, count: f64) -> (f64, f64) {
    (at.rate - spikes(count, at.log_rate), at.steepness - spikes(count, at.relative))
}

/// `count · each`, zero without spikes, be `each` infinite: a rate of zero is sure to bring none.
#[inline(always)]
pub(crate) fn spikes(count: f64, each: f64) -> f64 {
    if count == 0.0 { 0.0 } else { count * each }
}

#[inline(always)]
fn gamma(at: At, count: f64) -> (f64, f64) {
    let ratio = count / at.rate;
    (ratio + at.log_rate, at.relative * (1.0 - ratio))
}

/// `y η − ln η`, and `y − 1/η`: not a number below zero, where there is no rate.
#[inline(always)]
fn gamma_reciprocal(predictor: f64, count: f64) -> (f64, f64) {
    let log = if predictor > 0.0 { ln(predictor) } else { f64::NAN };
    (count * predictor - log, count - 1.0 / predictor)
}

#[inline(always)]
fn gaussian_identity(predictor: f64, count: f64) -> (f64, f64) {
    let residual = predictor - count;
    (residual * residual, 2.0 * residual)
}

/// `ln(1 + e^η) − y η`, and `rate − y`.
#[inline(always)]
fn bernoulli_logistic(predictor: f64, count: f64) -> (f64, f64) {
    let (rate, _) = logistic(predictor);
    (ln_1p_exp(predictor) - count * predictor, rate - count)
}

/// `−y ln η − (1 − y) ln(1 − η)`: not a number outside 0..=1.
#[inline(always)]
fn bernoulli_identity(predictor: f64, count: f64) -> (f64, f64) {
    let (silent, of_this) = (count == 0.0, if count == 0.0 { 1.0 - predictor } else { predictor });
    let valid = if (0.0..=1.0).contains(&predictor) { of_this } else { f64::NAN };
    (-ln(valid), if silent { 1.0 / valid } else { -1.0 / valid })
}

/// With `z = ln(scale · rate)`: `(y + 1/scale) ln(1 + e^z) − y z`.
#[inline(always)]
fn negative_binomial(at: At, count: f64, scale: f64) -> (f64, f64) {
    let z = at.log_rate + ln(scale);
    let total = count + 1.0 / scale;
    let (share, _) = logistic(z);
    (total * ln_1p_exp(z) - spikes(count, z), at.relative * (total * share - count))
}

#[inline(always)]
fn negative_binomial_weight(at: At, scale: f64) -> f64 {
    at.steepness * at.relative / (1.0 + scale * at.rate)
}

#[inline(always)]
pub(crate) fn sweep<E: HostFloat>(predictor: &mut [E], block: Block<'_, E>, lanes: &mut Lanes, term: impl Fn(f64, f64, f64) -> (f64, f64)) {
    match block.weights {
        None => sweep_weighted(predictor, block.counts, block.counts, lanes, |predictor, count, scale, _| {
            term(predictor, count, scale)
        }),
        Some(weights) => sweep_weighted(predictor, block.counts, weights, lanes, |predictor, count, scale, weight| {
            // A row of weight zero adds nothing, be its loss infinite.
            let (loss, slope) = term(predictor, count, scale);
            let none = weight == 0.0;
            (if none { 0.0 } else { loss * weight }, if none { 0.0 } else { slope * weight })
        }),
    }
}

#[inline(always)]
fn sweep_weighted<E: HostFloat>(
    predictor: &mut [E],
    counts: &[E],
    weights: &[E],
    lanes: &mut Lanes,
    term: impl Fn(f64, f64, f64, f64) -> (f64, f64),
) {
    let width = lanes.losses.len();
    vectorized(
        #[inline(always)]
        || {
            for ((predictor, counts), weights) in predictor.chunks_mut(width).zip(counts.chunks(width)).zip(weights.chunks(width)) {
                let sums = lanes.losses.iter_mut().zip(lanes.slopes.iter_mut()).zip(&lanes.scales);
                let data = predictor.iter_mut().zip(counts).zip(weights);
                for (((predictor, &count), &weight), ((loss_sum, slope_sum), &scale)) in data.zip(sums) {
                    let count = count.into_f64();
                    let missing = count.is_nan();
                    let (loss, slope) = term(predictor.into_f64(), count, scale, weight.into_f64());
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
    use crate::{Bernoulli, Exp, Gamma, Gaussian, Identity, Logistic, NegativeBinomial, Poisson, Reciprocal, Softplus};
    use nemos_core::{Cpu, Matrix};

    const PREDICTORS: [f64; 9] = [-800.0, -60.0, -39.9, -3.0, -0.2, 0.0, 0.7, 5.0, 40.0];
    const COUNTS: [f64; 9] = [0.0, 1.0, 3.0, 0.0, 2.0, 1.0, 0.0, 4.0, 30.0];

    fn assert_agrees_with_autodiff(observation: impl ObservationModel, link: impl InverseLink, predictors: &[f64], counts: &[f64]) {
        let kernel = Kernel::of(&observation, &link).unwrap();
        let scale = observation.scale().start();
        let tensor = |values: &[f64]| Matrix::<Cpu>::from_column(values.to_vec()).into_tensor();
        let (loss, slope) = observation.slope(tensor(counts), tensor(predictors), &link, tensor(&[scale]));
        let weight = observation.fisher_weight(tensor(counts), tensor(predictors), &link, tensor(&[scale]));
        let [loss, slope, weight] = [loss, slope, weight].map(|x| Matrix::<Cpu>::from_tensor(x).to_vec());
        let mut lanes = Lanes::new(&[scale]);
        let mut weights = counts.to_vec();
        kernel.weights(predictors, Block { counts, weights: None }, &lanes, &mut weights);
        for i in 0..counts.len() {
            let mut fused = [predictors[i]];
            let block = Block {
                counts: &counts[i..=i],
                weights: Some(&[3.0]),
            };
            kernel.slopes(&mut fused, block, &mut lanes);
            let mut total = 0.0;
            lanes.drain(|_, loss, _| total += loss);
            let close = |name: &str, a: f64, b: f64| {
                assert!(
                    (a - b).abs() <= 2e-13 * (1.0 + b.abs()),
                    "{observation:?} {link:?} {name} at {}: {a} {b}",
                    predictors[i]
                )
            };
            close("loss", total / 3.0, loss[i]);
            close("slope", fused[0] / 3.0, slope[i]);
            close("weight", weights[i], weight[i]);
        }
    }

    #[test]
    fn fused_loops_agree_with_automatic_differentiation() {
        assert_agrees_with_autodiff(Poisson, Exp, &PREDICTORS, &COUNTS);
        assert_agrees_with_autodiff(Poisson, Softplus, &PREDICTORS, &COUNTS);
        let near = [-20.0, -3.0, -0.2, 0.0, 0.7, 5.0, 20.0];
        let positive = [0.1, 1.0, 3.0, 0.5, 2.0, 4.0, 30.0];
        assert_agrees_with_autodiff(Gamma, Exp, &near, &positive);
        assert_agrees_with_autodiff(Gamma, Softplus, &near, &positive);
        assert_agrees_with_autodiff(Gamma, Reciprocal, &near.map(f64::exp), &positive);
        assert_agrees_with_autodiff(Gaussian, Identity, &near, &COUNTS[..7]);
        assert_agrees_with_autodiff(Bernoulli, Logistic, &near, &[0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0]);
        assert_agrees_with_autodiff(NegativeBinomial::new(0.7), Exp, &near, &COUNTS[..7]);
        assert_agrees_with_autodiff(NegativeBinomial::new(0.7), Softplus, &near, &COUNTS[..7]);
        let rates = [0.02, 0.1, 0.4, 0.5, 0.6, 0.9, 0.98];
        assert_agrees_with_autodiff(Poisson, Identity, &rates, &COUNTS[..7]);
        assert_agrees_with_autodiff(Gamma, Identity, &rates, &positive);
        assert_agrees_with_autodiff(Bernoulli, Identity, &rates, &[0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0]);
        assert_agrees_with_autodiff(NegativeBinomial::new(0.7), Identity, &rates, &COUNTS[..7]);
    }

    #[test]
    fn missing_counts_add_nothing() {
        let (mut predictor, mut lanes) = ([0.3, 0.1, 0.2, 0.5], Lanes::new(&[1.0; 2]));
        let block = Block {
            counts: &[1.0, f64::NAN, 0.0, 2.0],
            weights: None,
        };
        Kernel::PoissonExp.slopes(&mut predictor, block, &mut lanes);
        let mut losses = [0.0; 2];
        lanes.drain(|neuron, loss, _| losses[neuron] += loss);
        assert_eq!(predictor[1], 0.0);
        assert!((losses[0] - (0.3_f64.exp() - 0.3 + 0.2_f64.exp())).abs() < 1e-15);
        assert!((losses[1] - (0.5_f64.exp() - 2.0 * 0.5)).abs() < 1e-15);
    }

    #[test]
    fn a_rate_below_zero_is_no_rate() {
        for (loss, _) in [
            gamma_reciprocal(-1.0, 2.0),
            poisson(identity(-1.0), 0.0),
            bernoulli_identity(1.1, 1.0),
        ] {
            assert!(loss.is_nan());
        }
    }

    #[test]
    fn a_rate_of_zero_is_sure_to_bring_no_spikes() {
        assert_eq!(poisson(identity(0.0), 0.0).0, 0.0);
        assert_eq!(negative_binomial(identity(0.0), 0.0, 0.5).0, 0.0);
        assert_eq!(bernoulli_identity(0.0, 0.0).0, 0.0);
    }

    #[test]
    fn a_row_of_weight_zero_adds_nothing() {
        let (mut predictor, mut lanes) = ([800.0], Lanes::new(&[1.0]));
        let block = Block {
            counts: &[1.0],
            weights: Some(&[0.0]),
        };
        Kernel::PoissonExp.slopes(&mut predictor, block, &mut lanes);
        lanes.drain(|_, loss, slope| assert_eq!((loss, slope), (0.0, 0.0)));
    }
}
