//! The reciprocal: effects add to waiting times.

use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::{InverseLink, LinkForm};

/// `rate = 1 / predictor`, for predictors above zero.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Reciprocal;

impl InverseLink for Reciprocal {
    fn rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        predictor.recip()
    }

    fn log_rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        predictor.log().neg()
    }

    fn predictor(&self, rate: f64) -> Option<f64> {
        Some(rate.recip())
    }

    fn form(&self) -> Option<LinkForm> {
        Some(LinkForm::Reciprocal)
    }

    fn from_form(form: LinkForm) -> Option<Self> {
        (form == LinkForm::Reciprocal).then_some(Reciprocal)
    }
}
