//! Poisson observations: spike counts.

use nemos_core::simd::{exp, ln};
use nemos_core::special;
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};
use rand::Rng;

use crate::engine::loops::{BothPrecisions, FusedModel, LnFactorials, both, spikes};
use crate::links::at::FusedLink;
use crate::models::built_in::{BuiltIn, Row};
use crate::models::draw::is_mean;
use crate::models::samplers;
use crate::{Draw, Exp, Identity, LinkForm, Mean, ObservationModel, Softplus, Support};

/// Spike counts whose variance is their mean.
///
/// ```text
/// (1)  loss           = rate − counts · ln rate
/// (2)  log-likelihood = −loss − ln Γ(counts + 1)
/// (3)  deviance       = 2 [counts · ln(counts / rate) − counts + rate]
/// (4)  variance       = rate
/// (5)  Fisher weight  = (∂rate/∂predictor)² / rate
/// ```
///
/// # References
/// McCullagh & Nelder (1989), *Generalized Linear Models*, chapter 6.
#[doc(alias("PoissonObservations", "PoissonRegressor"))]
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Poisson;

impl ObservationModel for Poisson {
    type DefaultLink = Exp;

    fn log_likelihood<T: BurnBackend>(&self, counts: Tensor<T, 2>, mean: &Mean<'_, T>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        // 0 · ln 0 is 0: a rate of zero is sure to bring no spikes.
        let none = counts.clone().equal_elem(0.0);
        let explained = (counts.clone() * mean.log_rate()).mask_fill(none, 0.0);
        explained - mean.rate() - special::ln_factorial(counts)
    }

    fn deviance<T: BurnBackend>(&self, counts: Tensor<T, 2>, rate: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        let none = counts.clone().equal_elem(0.0);
        let surprise = (counts.clone() * (counts.clone() / rate.clone()).log()).mask_fill(none, 0.0);
        (surprise - counts + rate) * 2.0
    }

    fn variance<T: BurnBackend>(&self, rate: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        rate
    }

    fn loss<T: BurnBackend>(&self, counts: Tensor<T, 2>, mean: &Mean<'_, T>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        mean.rate() - counts * mean.log_rate()
    }

    fn support(&self) -> Support {
        Support::NonNegative
    }

    fn is_exponential_family(&self) -> bool {
        true
    }

    fn built_in(&self) -> Option<BuiltIn> {
        Some(BuiltIn::new(&ROW, None))
    }

    fn from_built_in(built_in: &BuiltIn) -> Option<Self> {
        built_in.is(&ROW).then_some(Poisson)
    }
}

impl Draw for Poisson {
    fn draw<R: Rng + ?Sized>(&self, rate: f64, _scale: f64, rng: &mut R) -> f64 {
        if is_mean(rate) { samplers::poisson(rate, rng) } else { f64::NAN }
    }
}

pub(crate) static ROW: Row = Row {
    name: "Poisson",
    loops,
    // Of softplus: (ln(1 + e^η))″ ≤ ¼, and the second derivative of −ln ln(1 + e^η) is below 0.17.
    curvature_bound: |link, count| (link == LinkForm::Softplus).then_some(0.17 * count + 0.25),
    scatter: nemos_core::Scatter::Poisson,
};

fn loops(link: LinkForm) -> Option<BothPrecisions> {
    match link {
        LinkForm::Exp => Some(both::<Poisson, Exp>()),
        LinkForm::Softplus => Some(both::<Poisson, Softplus>()),
        LinkForm::Identity => Some(both::<Poisson, Identity>()),
        _ => None,
    }
}

impl FusedModel for Poisson {
    const DEVIANCE_FACTOR: f64 = 2.0;
    const REST_APART: bool = true;

    #[inline(always)]
    fn term<L: FusedLink>(predictor: f64, count: f64, _scale: f64) -> (f64, f64) {
        if L::FORM == LinkForm::Exp {
            // `exp(η) − y η`, and `exp(η) − y`.
            let rate = exp(predictor);
            return (rate - count * predictor, rate - count);
        }
        let at = L::at(predictor);
        (at.rate - spikes(count, at.log_rate), at.steepness - spikes(count, at.relative))
    }

    #[inline(always)]
    fn weight<L: FusedLink>(predictor: f64, _scale: f64) -> f64 {
        let at = L::at(predictor);
        at.steepness * at.relative
    }

    #[inline(always)]
    fn curvature<L: FusedLink>(predictor: f64, count: f64, _scale: f64) -> f64 {
        let at = L::at(predictor);
        match L::FORM {
            LinkForm::Exp => at.rate,
            LinkForm::Identity => count / (predictor * predictor),
            // Of softplus: rate″ = rate′ (1 − rate′).
            _ => {
                let bend = at.steepness * (1.0 - at.steepness);
                bend + spikes(count, at.relative * (at.relative - (1.0 - at.steepness)))
            }
        }
    }

    #[inline(always)]
    fn log_likelihood_rest(count: f64, _scale: f64, table: &LnFactorials) -> f64 {
        -table.of(count)
    }

    #[inline(always)]
    fn deviance_rest(count: f64, _scale: f64) -> f64 {
        2.0 * (spikes(count, ln(count)) - count)
    }
}
