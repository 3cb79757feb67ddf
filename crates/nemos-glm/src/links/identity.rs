//! The identity: effects add.

use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::{InverseLink, LinkForm};

/// `rate = predictor`.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity;

impl InverseLink for Identity {
    fn rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        predictor
    }

    fn predictor(&self, rate: f64) -> Option<f64> {
        Some(rate)
    }

    fn form(&self) -> Option<LinkForm> {
        Some(LinkForm::Identity)
    }

    fn from_form(form: LinkForm) -> Option<Self> {
        (form == LinkForm::Identity).then_some(Identity)
    }
}
