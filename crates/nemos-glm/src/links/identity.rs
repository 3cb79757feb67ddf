//! The identity: effects add.

use nemos_core::simd::ln;
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::links::at::{At, FusedLink};
use crate::{InverseLink, LinkForm, ScalarLink};

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

impl FusedLink for Identity {
    const FORM: LinkForm = LinkForm::Identity;

    #[inline(always)]
    fn at(predictor: f64) -> At {
        let rate = if predictor >= 0.0 { predictor } else { f64::NAN };
        At {
            rate,
            log_rate: ln(rate),
            steepness: 1.0,
            relative: 1.0 / rate,
        }
    }
}

impl ScalarLink for Identity {
    fn rate_of(&self, predictor: f64) -> f64 {
        predictor
    }

    fn slope_of(&self, _predictor: f64) -> f64 {
        1.0
    }
}
