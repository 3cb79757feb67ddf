//! Gamma observations: positive signals whose spread grows with their mean, such as fluorescence.

use nemos_core::simd::{ln, ln_gamma_rest};
use nemos_core::special;
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};
use rand::Rng;

use crate::engine::loops::{BothPrecisions, FusedModel, both};
use crate::links::at::FusedLink;
use crate::models::built_in::{BuiltIn, Row};
use crate::models::draw::{is_mean, is_no_scale};
use crate::models::samplers;
use crate::{Draw, Exp, Identity, LinkForm, Mean, ObservationModel, Reciprocal, Scale, Softplus, Support};

/// Positive observations with a constant coefficient of variation `√scale`.
///
/// ```text
/// (1)  loss           = counts / rate + ln rate
/// (2)  log-likelihood = (k − 1) ln counts + k ln k − ln Γ(k) − k · loss        k = 1 / scale
/// (3)  deviance       = 2 [(counts − rate) / rate − ln(counts / rate)]         at scale one
/// (4)  variance       = scale · rate²
/// (5)  Fisher weight  = (∂rate/∂predictor)² / rate²
/// ```
///
/// # References
/// McCullagh & Nelder (1989), *Generalized Linear Models*, chapter 8.
#[doc(alias("GammaObservations", "GammaRegressor"))]
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Gamma;

impl ObservationModel for Gamma {
    type DefaultLink = Reciprocal;

    fn log_likelihood<T: BurnBackend>(&self, counts: Tensor<T, 2>, mean: &Mean<'_, T>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        // With t = counts / rate − 1: no parts that are as large as the shape cancel, as they would in the formula with the loss.
        let shape = scale.recip();
        let t = counts.clone() / mean.rate() - 1.0;
        // Where the two nearly cancel, ln(1 + t) is taken of t; where t is −1, of the counts.
        let is_near = t.clone().abs().lower_elem(0.1);
        let log = (counts.clone().log() - mean.log_rate()).mask_where(is_near, special::ln_1p(t.clone().clamp(-0.5, 0.5)));
        let excess = t - log;
        shape.clone().neg() * excess - counts.log() - special::ln_gamma_rest(shape)
    }

    fn deviance<T: BurnBackend>(&self, counts: Tensor<T, 2>, rate: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        let ratio = counts / rate;
        (ratio.clone() - 1.0 - ratio.log()) * 2.0
    }

    fn variance<T: BurnBackend>(&self, rate: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        rate.clone() * rate * scale
    }

    fn loss<T: BurnBackend>(&self, counts: Tensor<T, 2>, mean: &Mean<'_, T>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        counts / mean.rate() + mean.log_rate()
    }

    fn loss_factor(&self, scale: f64) -> f64 {
        1.0 / scale
    }

    fn support(&self) -> Support {
        Support::Positive
    }

    fn scale(&self) -> Scale {
        Scale::Pearson
    }

    fn is_exponential_family(&self) -> bool {
        true
    }

    fn built_in(&self) -> Option<BuiltIn> {
        Some(BuiltIn::new(&ROW, None))
    }

    fn from_built_in(built_in: &BuiltIn) -> Option<Self> {
        built_in.is(&ROW).then_some(Gamma)
    }
}

impl Draw for Gamma {
    fn draw<R: Rng + ?Sized>(&self, rate: f64, scale: f64, rng: &mut R) -> f64 {
        if !(is_mean(rate) && rate > 0.0 && is_mean(scale)) {
            return f64::NAN;
        }
        if is_no_scale(scale) {
            return rate;
        }
        let draw = samplers::gamma(1.0 / scale, rng) * scale * rate;
        // A draw that underflows is still above zero, as the model's support is.
        if is_mean(draw) { draw.max(f64::MIN_POSITIVE) } else { f64::NAN }
    }
}

pub(crate) static ROW: Row = Row {
    name: "Gamma",
    loops,
    curvature_bound: |_, _| None,
    scatter: nemos_core::Scatter::Gamma,
};

fn loops(link: LinkForm) -> Option<BothPrecisions> {
    match link {
        LinkForm::Exp => Some(both::<Gamma, Exp>()),
        LinkForm::Softplus => Some(both::<Gamma, Softplus>()),
        LinkForm::Reciprocal => Some(both::<Gamma, Reciprocal>()),
        LinkForm::Identity => Some(both::<Gamma, Identity>()),
        _ => None,
    }
}

impl FusedModel for Gamma {
    const DEVIANCE_FACTOR: f64 = 2.0;

    #[inline(always)]
    fn term<L: FusedLink>(predictor: f64, count: f64, _scale: f64) -> (f64, f64) {
        if L::FORM == LinkForm::Reciprocal {
            // `y η − ln η`, and `y − 1/η`: not a number below zero, where there is no rate.
            let log = if predictor > 0.0 { ln(predictor) } else { f64::NAN };
            return (count * predictor - log, count - 1.0 / predictor);
        }
        let at = L::at(predictor);
        let ratio = count / at.rate;
        (ratio + at.log_rate, at.relative * (1.0 - ratio))
    }

    #[inline(always)]
    fn weight<L: FusedLink>(predictor: f64, _scale: f64) -> f64 {
        let at = L::at(predictor);
        at.relative * at.relative
    }

    #[inline(always)]
    fn curvature<L: FusedLink>(predictor: f64, count: f64, _scale: f64) -> f64 {
        let at = L::at(predictor);
        match L::FORM {
            LinkForm::Exp => count / at.rate,
            LinkForm::Reciprocal => 1.0 / (predictor * predictor),
            LinkForm::Identity => (2.0 * count / predictor - 1.0) / (predictor * predictor),
            // Of softplus: rate″ = rate′ (1 − rate′).
            _ => {
                let (ratio, rest) = (count / at.rate, 1.0 - at.steepness);
                at.relative * (at.relative * (2.0 * ratio - 1.0) + rest * (1.0 - ratio))
            }
        }
    }

    /// With `k = 1 / scale` and `t = counts / rate − 1`: `−k (t − ln(1 + t)) − ln counts + (k ln k − k − ln Γ(k))`. Where `k` is large, so
    /// are the parts of the formula with the loss, and they cancel.
    #[inline(always)]
    fn log_likelihood_but_rest<L: FusedLink>(predictor: f64, count: f64, scale: f64) -> f64 {
        let shape = 1.0 / scale;
        let ratio = count / L::at(predictor).rate;
        let ln_ratio = ln(count) - L::at(predictor).log_rate;
        -shape * ratio_less_its_log(ratio, ln_ratio) - ln(count) - ln_gamma_rest(shape)
    }

    #[inline(always)]
    fn deviance_rest(count: f64, _scale: f64) -> f64 {
        -2.0 * (1.0 + ln(count))
    }
}

/// `ratio − 1 − ln ratio`, by its series where the two nearly cancel.
#[inline(always)]
fn ratio_less_its_log(ratio: f64, ln_ratio: f64) -> f64 {
    let t = ratio - 1.0;
    // With s = t / (2 + t): ln(1 + t) = 2 (s + s³/3 + s⁵/5 + …), and t = 2 s / (1 − s).
    let s = t / (2.0 + t);
    let q = s * s;
    let tail = q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0 + q / 13.0)))));
    let near = t * s - 2.0 * s * tail;
    if t.abs() < 0.1 { near } else { t - ln_ratio }
}
