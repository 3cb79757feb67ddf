//! The softplus: effects multiply at low rates and add at high ones.

use nemos_core::simd::{exp, ln, ln_1p_unit};
use nemos_core::special;
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::links::at::{At, FusedLink};
use crate::{InverseLink, LinkForm, Logistic, ScalarLink};

/// `rate = ln(1 + exp(predictor))`: effects multiply at low rates and add at high ones.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Softplus;

// Below this, ln(1 + e^x) and e^x are the same number in either precision.
const NEGLIGIBLE: f64 = -40.0;

impl InverseLink for Softplus {
    fn rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        special::ln_1p_exp(predictor)
    }

    fn log_rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        // Far below zero the rate underflows long before its logarithm does. The clamp keeps the branch that is not
        // taken, and its derivative, finite.
        let far_below = predictor.clone().lower_elem(NEGLIGIBLE);
        let near = special::ln_1p_exp(predictor.clone().clamp_min(NEGLIGIBLE)).log();
        near.mask_where(far_below, predictor)
    }

    fn predictor(&self, rate: f64) -> Option<f64> {
        // ln(e^r − 1), which for large r is r itself: NeMoS overflows there.
        Some(if rate > 35.0 { rate } else { rate.exp_m1().ln() })
    }

    fn form(&self) -> Option<LinkForm> {
        Some(LinkForm::Softplus)
    }

    fn from_form(form: LinkForm) -> Option<Self> {
        (form == LinkForm::Softplus).then_some(Softplus)
    }
}

impl FusedLink for Softplus {
    const FORM: LinkForm = LinkForm::Softplus;

    /// With `e = exp(−|η|)`: `rate = max(η, 0) + ln(1 + e)`, and its steepness is `1 / (1 + e)` above zero, `e / (1 + e)`
    /// below.
    #[inline(always)]
    fn at(predictor: f64) -> At {
        let e = exp(-predictor.abs());
        let above = predictor > 0.0;
        let rate = (if above { predictor } else { 0.0 }) + ln_1p_unit(e);
        let steepness = (if above { 1.0 } else { e }) / (1.0 + e);
        // Far below zero rate and steepness underflow, and their ratio tends to one.
        let far = predictor < NEGLIGIBLE;
        At {
            rate,
            log_rate: if far { predictor } else { ln(rate) },
            steepness,
            relative: if far { 1.0 } else { steepness / rate },
        }
    }
}

impl ScalarLink for Softplus {
    fn rate_of(&self, predictor: f64) -> f64 {
        predictor.max(0.0) + libm::log1p(libm::exp(-predictor.abs()))
    }

    fn slope_of(&self, predictor: f64) -> f64 {
        Logistic.rate_of(predictor)
    }
}
