//! The exponential: effects multiply.

use nemos_core::simd::exp;
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::links::at::{At, FusedLink};
use crate::{InverseLink, LinkForm, ScalarLink};

/// `rate = exp(predictor)`: effects multiply.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Exp;

impl InverseLink for Exp {
    fn rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        predictor.exp()
    }

    fn log_rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        predictor
    }

    fn predictor(&self, rate: f64) -> Option<f64> {
        Some(rate.ln())
    }

    fn form(&self) -> Option<LinkForm> {
        Some(LinkForm::Exp)
    }

    fn from_form(form: LinkForm) -> Option<Self> {
        (form == LinkForm::Exp).then_some(Exp)
    }
}

impl FusedLink for Exp {
    const FORM: LinkForm = LinkForm::Exp;

    #[inline(always)]
    fn at(predictor: f64) -> At {
        let rate = exp(predictor);
        At {
            rate,
            log_rate: predictor,
            steepness: rate,
            relative: 1.0,
        }
    }
}

impl ScalarLink for Exp {
    fn rate_of(&self, predictor: f64) -> f64 {
        libm::exp(predictor)
    }

    fn slope_of(&self, predictor: f64) -> f64 {
        libm::exp(predictor)
    }
}
