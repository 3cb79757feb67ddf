//! The normal distribution function: probit regression.

use nemos_core::special;
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::{InverseLink, LinkForm, ScalarLink};

/// `rate = Φ(predictor)`, the normal distribution function: probit regression.
#[doc(alias = "probit")]
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct NormalCdf;

impl InverseLink for NormalCdf {
    fn rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        self.log_rate(predictor).exp()
    }

    fn log_rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        special::ln_normal_cdf(predictor)
    }

    fn log_complement<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        special::ln_normal_cdf(predictor.neg())
    }

    fn form(&self) -> Option<LinkForm> {
        Some(LinkForm::NormalCdf)
    }

    fn from_form(form: LinkForm) -> Option<Self> {
        (form == LinkForm::NormalCdf).then_some(NormalCdf)
    }
}

impl ScalarLink for NormalCdf {
    fn rate_of(&self, predictor: f64) -> f64 {
        0.5 * libm::erfc(-predictor * std::f64::consts::FRAC_1_SQRT_2)
    }

    fn slope_of(&self, predictor: f64) -> f64 {
        libm::exp(-0.5 * predictor * predictor) / std::f64::consts::TAU.sqrt()
    }
}
