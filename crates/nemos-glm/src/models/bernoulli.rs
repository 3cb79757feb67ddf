//! Bernoulli observations: a spike or none in each bin, a choice to the left or to the right.

use nemos_core::simd::{ln, ln_1p_exp};
use nemos_core::special;
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};
use rand::Rng;

use crate::engine::loops::{BothPrecisions, FusedModel, LnFactorials, both};
use crate::links::at::{FusedLink, logistic};
use crate::models::built_in::{BuiltIn, Row};
use crate::models::samplers;
use crate::{Draw, Identity, LinkForm, Logistic, Mean, ObservationModel, Support};

/// Zeros and ones, where the rate is the probability of a one.
///
/// ```text
/// (1)  loss           = −counts · ln rate − (1 − counts) · ln(1 − rate)
/// (2)  log-likelihood = −loss
/// (3)  deviance       = 2 [counts · ln(counts / rate) + (1 − counts) · ln((1 − counts) / (1 − rate))]
/// (4)  variance       = rate (1 − rate)
/// (5)  Fisher weight  = (∂rate/∂predictor)² / (rate (1 − rate))
/// ```
///
/// # References
/// McCullagh & Nelder (1989), *Generalized Linear Models*, chapter 4.
#[doc(alias("BernoulliObservations", "LogisticRegression"))]
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Bernoulli;

impl ObservationModel for Bernoulli {
    type DefaultLink = Logistic;

    fn log_likelihood<T: BurnBackend>(&self, counts: Tensor<T, 2>, mean: &Mean<'_, T>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        // The term that does not count may be 0 · ln 0. Links that are none of a probability may lead above one.
        let none = counts.equal_elem(0.0);
        no_more_than_one(mean.log_rate()).mask_where(none, no_more_than_one(mean.log_complement()))
    }

    fn deviance<T: BurnBackend>(&self, counts: Tensor<T, 2>, rate: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        let none = counts.equal_elem(0.0);
        no_more_than_one(rate.clone().log()).mask_where(none, no_more_than_one(special::ln_1p(rate.neg()))) * -2.0
    }

    fn variance<T: BurnBackend>(&self, rate: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        rate.clone() * (rate.neg() + 1.0)
    }

    fn support(&self) -> Support {
        Support::Binary
    }

    fn is_exponential_family(&self) -> bool {
        true
    }

    fn built_in(&self) -> Option<BuiltIn> {
        Some(BuiltIn::new(&ROW, None))
    }

    fn from_built_in(built_in: &BuiltIn) -> Option<Self> {
        built_in.is(&ROW).then_some(Bernoulli)
    }
}

/// Logarithms of probabilities; NaN for those of what is none.
fn no_more_than_one<T: BurnBackend>(log: Tensor<T, 2>) -> Tensor<T, 2> {
    let above = log.clone().greater_elem(0.0);
    log.mask_fill(above, f32::NAN)
}

impl Draw for Bernoulli {
    fn draw<R: Rng + ?Sized>(&self, rate: f64, _scale: f64, rng: &mut R) -> f64 {
        if !(0.0..=1.0).contains(&rate) {
            return f64::NAN;
        }
        if samplers::uniform(rng) < rate { 1.0 } else { 0.0 }
    }
}

pub(crate) static ROW: Row = Row {
    name: "Bernoulli",
    loops,
    curvature_bound: |_, _| None,
    scatter: nemos_core::Scatter::Bernoulli,
};

fn loops(link: LinkForm) -> Option<BothPrecisions> {
    match link {
        LinkForm::Logistic => Some(both::<Bernoulli, Logistic>()),
        LinkForm::Identity => Some(both::<Bernoulli, Identity>()),
        _ => None,
    }
}

impl FusedModel for Bernoulli {
    const DEVIANCE_FACTOR: f64 = 2.0;

    #[inline(always)]
    fn term<L: FusedLink>(predictor: f64, count: f64, _scale: f64) -> (f64, f64) {
        if L::FORM == LinkForm::Logistic {
            // `ln(1 + e^η)` of silence, and `ln(1 + e^−η)` of a spike: no difference of either with `y η`.
            let (rate, complement) = logistic(predictor);
            let silent = count == 0.0;
            let loss = ln_1p_exp(if silent { predictor } else { -predictor });
            return (loss, if silent { rate } else { -complement });
        }
        // `−y ln η − (1 − y) ln(1 − η)`: not a number outside 0..=1.
        let (silent, of_this) = (count == 0.0, if count == 0.0 { 1.0 - predictor } else { predictor });
        let valid = if (0.0..=1.0).contains(&predictor) { of_this } else { f64::NAN };
        (-ln(valid), if silent { 1.0 / valid } else { -1.0 / valid })
    }

    #[inline(always)]
    fn weight<L: FusedLink>(predictor: f64, _scale: f64) -> f64 {
        if L::FORM == LinkForm::Logistic {
            let (rate, complement) = logistic(predictor);
            return rate * complement;
        }
        (predictor * (1.0 - predictor)).recip()
    }

    #[inline(always)]
    fn curvature<L: FusedLink>(predictor: f64, count: f64, scale: f64) -> f64 {
        match L::FORM {
            LinkForm::Logistic => Self::weight::<L>(predictor, scale),
            _ if count == 0.0 => ((1.0 - predictor) * (1.0 - predictor)).recip(),
            _ => (predictor * predictor).recip(),
        }
    }

    #[inline(always)]
    fn log_likelihood_rest(_count: f64, _scale: f64, _table: &LnFactorials) -> f64 {
        0.0
    }

    #[inline(always)]
    fn deviance_rest(_count: f64, _scale: f64) -> f64 {
        0.0
    }
}
