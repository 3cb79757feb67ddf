//! The exponential: effects multiply.

use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::{InverseLink, LinkForm};

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
