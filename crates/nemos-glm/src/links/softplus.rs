//! The softplus: effects multiply at low rates and add at high ones.

use nemos_core::special;
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::{InverseLink, LinkForm};

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
