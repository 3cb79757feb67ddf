//! Gaussian observations: signals with a constant spread.

use nemos_core::simd::ln;
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};
use rand::Rng;

use crate::engine::loops::{BothPrecisions, FusedModel, LnFactorials, both};
use crate::links::at::FusedLink;
use crate::models::built_in::{BuiltIn, Row};
use crate::models::draw::is_mean;
use crate::models::samplers;
use crate::{Draw, Identity, LinkForm, Mean, ObservationModel, Scale};

/// Observations with a constant variance, the scale.
///
/// ```text
/// (1)  loss           = (counts − rate)²                        without the usual ½
/// (2)  log-likelihood = −½ ln(2π scale) − (counts − rate)² / (2 scale)
/// (3)  deviance       = (counts − rate)²                        at scale one
/// (4)  variance       = scale
/// (5)  Fisher weight  = 2 (∂rate/∂predictor)²
/// ```
///
/// The loss being twice the usual one, a ridge of strength `s` is `s/2` on the usual scale.
#[doc(alias("GaussianObservations", "LinearRegression"))]
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaussian;

impl ObservationModel for Gaussian {
    type DefaultLink = Identity;

    fn log_likelihood<T: BurnBackend>(&self, counts: Tensor<T, 2>, mean: &Mean<'_, T>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        let squares = self.loss(counts, mean, scale.clone());
        (squares / scale.clone() + (scale * (2.0 * std::f64::consts::PI)).log()) * -0.5
    }

    fn deviance<T: BurnBackend>(&self, counts: Tensor<T, 2>, rate: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        let residual = counts - rate;
        residual.clone() * residual
    }

    fn variance<T: BurnBackend>(&self, rate: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        rate.ones_like() * scale
    }

    fn loss<T: BurnBackend>(&self, counts: Tensor<T, 2>, mean: &Mean<'_, T>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        let residual = counts - mean.rate();
        residual.clone() * residual
    }

    fn loss_factor(&self, scale: f64) -> f64 {
        0.5 / scale
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
        built_in.is(&ROW).then_some(Gaussian)
    }
}

impl Draw for Gaussian {
    fn draw<R: Rng + ?Sized>(&self, rate: f64, scale: f64, rng: &mut R) -> f64 {
        if !(rate.is_finite() && is_mean(scale)) {
            return f64::NAN;
        }
        rate + scale.sqrt() * samplers::normal(rng)
    }
}

pub(crate) static ROW: Row = Row {
    name: "Gaussian",
    loops,
    curvature_bound: |_, _| None,
    scatter: nemos_core::Scatter::Gaussian,
};

fn loops(link: LinkForm) -> Option<BothPrecisions> {
    match link {
        LinkForm::Identity => Some(both::<Gaussian, Identity>()),
        _ => None,
    }
}

impl FusedModel for Gaussian {
    const DEVIANCE_FACTOR: f64 = 1.0;

    #[inline(always)]
    fn term<L: FusedLink>(predictor: f64, count: f64, _scale: f64) -> (f64, f64) {
        // The rate is the predictor, of either sign.
        let residual = predictor - count;
        (residual * residual, 2.0 * residual)
    }

    #[inline(always)]
    fn weight<L: FusedLink>(_predictor: f64, _scale: f64) -> f64 {
        2.0
    }

    #[inline(always)]
    fn curvature<L: FusedLink>(_predictor: f64, _count: f64, _scale: f64) -> f64 {
        2.0
    }

    #[inline(always)]
    fn factor(scale: f64) -> f64 {
        0.5 / scale
    }

    #[inline(always)]
    fn log_likelihood_rest(_count: f64, scale: f64, _table: &LnFactorials) -> f64 {
        -0.5 * ln(scale * std::f64::consts::TAU)
    }

    #[inline(always)]
    fn deviance_rest(_count: f64, _scale: f64) -> f64 {
        0.0
    }
}
