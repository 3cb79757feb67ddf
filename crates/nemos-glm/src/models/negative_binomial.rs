//! Negative binomial observations: spike counts that scatter more than Poisson.

use nemos_core::simd::{ln, ln_1p_exp as ln_1p_exp_of, ln_gamma_rise};
use nemos_core::special::{self, ln_1p, ln_1p_exp};
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};
use rand::Rng;

use crate::engine::loops::{BothPrecisions, FusedModel, LnFactorials, both, spikes};
use crate::links::at::{FusedLink, logistic};
use crate::models::built_in::{BuiltIn, Row};
use crate::models::draw::{is_mean, is_no_scale};
use crate::models::samplers;
use crate::{Draw, Exp, Identity, LinkForm, Mean, ObservationModel, Scale, Softplus, Support};

/// Spike counts whose variance grows with the square of their mean: a Poisson rate that fluctuates from bin to bin.
///
/// ```text
/// (1)  loss           = (counts + 1/scale) · ln(1 + scale · rate) − counts · ln(scale · rate)
/// (2)  log-likelihood = −loss + ln Γ(counts + 1/scale) − ln Γ(1/scale) − ln Γ(counts + 1)
/// (3)  deviance       = 2 [counts · ln(counts / rate) − (counts + 1/scale) · ln((1 + scale · counts) / (1 + scale · rate))]
/// (4)  variance       = rate + scale · rate²
/// (5)  Fisher weight  = (∂rate/∂predictor)² / variance
/// ```
///
/// The scale is the dispersion: 1/scale is R's `theta`. It is known ([`new`](NegativeBinomial::new)), or estimated for each
/// neuron together with its coefficients ([`estimated`](NegativeBinomial::estimated)), as R's `glm.nb` does.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{Glm, NegativeBinomial};
/// let stimulus = Matrix::<Cpu>::from_column((0..400).map(|bin| f64::from(bin % 2)).collect());
/// let counts = Matrix::from_column((0..400).map(|bin| f64::from([0, 9, 1, 2, 6, 0, 0, 14][bin % 8])).collect());
/// let fitted = Glm::new(NegativeBinomial::estimated()).fit(&stimulus, &counts)?;
/// assert!(fitted.scale() > 0.5);
/// # Ok::<(), nemos_glm::Error>(())
/// ```
///
/// # References
/// Venables & Ripley (2002), *Modern Applied Statistics with S*, section 7.4.
#[doc(alias = "NegativeBinomialObservations")]
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct NegativeBinomial {
    scale: Option<f64>,
}

impl NegativeBinomial {
    /// With a known dispersion, above zero.
    pub fn new(scale: f64) -> Self {
        NegativeBinomial { scale: Some(scale) }
    }

    /// With a dispersion for each neuron that is estimated together with its coefficients, by maximum likelihood.
    pub fn estimated() -> Self {
        NegativeBinomial { scale: None }
    }
}

impl ObservationModel for NegativeBinomial {
    type DefaultLink = Exp;

    fn log_likelihood<T: BurnBackend>(&self, counts: Tensor<T, 2>, mean: &Mean<'_, T>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        let rise = special::ln_gamma_rise(counts.clone(), scale.clone().recip());
        let rest = rise - counts.clone() * scale.clone().log() - special::ln_factorial(counts.clone());
        rest - self.loss(counts, mean, scale)
    }

    fn deviance<T: BurnBackend>(&self, counts: Tensor<T, 2>, rate: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        let none = counts.clone().equal_elem(0.0);
        let surprise = (counts.clone() * (counts.clone() / rate.clone()).log()).mask_fill(none, 0.0);
        let spread = ln_1p(counts.clone() * scale.clone()) - ln_1p(rate * scale.clone());
        (surprise - (counts + scale.recip()) * spread) * 2.0
    }

    fn variance<T: BurnBackend>(&self, rate: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        rate.clone() + rate.clone() * rate * scale
    }

    fn loss<T: BurnBackend>(&self, counts: Tensor<T, 2>, mean: &Mean<'_, T>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        // Nothing cancels, as it would in `(counts + 1/scale) · ln(1 + scale · rate) − counts · ln(scale · rate)`.
        let log_scaled = mean.log_rate() + scale.clone().log();
        let none = counts.clone().equal_elem(0.0);
        let surprise = (counts * ln_1p_exp(log_scaled.clone().neg())).mask_fill(none, 0.0);
        ln_1p_exp(log_scaled) / scale + surprise
    }

    fn support(&self) -> Support {
        Support::NonNegative
    }

    fn scale(&self) -> Scale {
        self.scale.map_or(Scale::MaximumLikelihood, Scale::Fixed)
    }

    fn is_exponential_family(&self) -> bool {
        true
    }

    fn built_in(&self) -> Option<BuiltIn> {
        Some(BuiltIn::new(&ROW, self.scale))
    }

    fn from_built_in(built_in: &BuiltIn) -> Option<Self> {
        let scale = built_in.scale();
        built_in.is(&ROW).then_some(NegativeBinomial { scale })
    }
}

impl Draw for NegativeBinomial {
    fn draw<R: Rng + ?Sized>(&self, rate: f64, scale: f64, rng: &mut R) -> f64 {
        if !(is_mean(rate) && is_mean(scale)) {
            return f64::NAN;
        }
        if is_no_scale(scale) {
            return samplers::poisson(rate, rng);
        }
        let mean = samplers::gamma(1.0 / scale, rng) * scale * rate;
        if is_mean(mean) { samplers::poisson(mean, rng) } else { f64::NAN }
    }
}

pub(crate) static ROW: Row = Row {
    name: "NegativeBinomial",
    loops,
    curvature_bound: |_, _| None,
    scatter: nemos_core::Scatter::NegativeBinomial,
};

fn loops(link: LinkForm) -> Option<BothPrecisions> {
    match link {
        LinkForm::Exp => Some(both::<NegativeBinomial, Exp>()),
        LinkForm::Softplus => Some(both::<NegativeBinomial, Softplus>()),
        LinkForm::Identity => Some(both::<NegativeBinomial, Identity>()),
        _ => None,
    }
}

impl FusedModel for NegativeBinomial {
    const DEVIANCE_FACTOR: f64 = 2.0;
    const REST_APART: bool = true;

    /// With `z = ln(scale · rate)`: `ln(1 + e^z) / scale + y ln(1 + e^−z)`, in which nothing cancels.
    #[inline(always)]
    fn term<L: FusedLink>(predictor: f64, count: f64, scale: f64) -> (f64, f64) {
        let at = L::at(predictor);
        let z = at.log_rate + ln(scale);
        let (share, rest) = logistic(z);
        let loss = ln_1p_exp_of(z) / scale + spikes(count, ln_1p_exp_of(-z));
        (loss, at.relative * (share / scale - count * rest))
    }

    #[inline(always)]
    fn weight<L: FusedLink>(predictor: f64, scale: f64) -> f64 {
        let at = L::at(predictor);
        at.steepness * at.relative / (1.0 + scale * at.rate)
    }

    #[inline(always)]
    fn curvature<L: FusedLink>(predictor: f64, count: f64, scale: f64) -> f64 {
        let at = L::at(predictor);
        let (share, rest) = logistic(at.log_rate + ln(scale));
        // In the logarithm of the rate, and what the bend of that adds.
        let in_log = (count + 1.0 / scale) * share * rest;
        let slope = share / scale - count * rest;
        match L::FORM {
            LinkForm::Exp => in_log,
            LinkForm::Identity => (in_log - slope) / (predictor * predictor),
            // Of softplus: (ln rate)″ = (ln rate)′ (1 − rate′ − (ln rate)′).
            _ => at.relative * (at.relative * in_log + slope * (1.0 - at.steepness - at.relative)),
        }
    }

    #[inline(always)]
    fn log_likelihood_rest(count: f64, scale: f64, table: &LnFactorials) -> f64 {
        ln_gamma_rise(count, 1.0 / scale) - count * ln(scale) - table.of(count)
    }

    #[inline(always)]
    fn deviance_rest(count: f64, scale: f64) -> f64 {
        let z = ln(scale) + ln(count);
        -2.0 * (ln_1p_exp_of(z) / scale + spikes(count, ln_1p_exp_of(-z)))
    }
}
