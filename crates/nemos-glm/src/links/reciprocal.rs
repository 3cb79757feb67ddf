//! The reciprocal: effects add to waiting times.

use nemos_core::simd::ln;
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::links::at::{At, FusedLink};
use crate::{InverseLink, LinkForm, ScalarLink};

/// `rate = 1 / predictor`, for predictors above zero.
#[doc(alias = "one_over_x")]
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

impl FusedLink for Reciprocal {
    const FORM: LinkForm = LinkForm::Reciprocal;

    #[inline(always)]
    fn at(predictor: f64) -> At {
        let rate = 1.0 / predictor;
        At {
            rate,
            log_rate: -ln(predictor),
            steepness: -rate * rate,
            relative: -rate,
        }
    }
}

impl ScalarLink for Reciprocal {
    fn rate_of(&self, predictor: f64) -> f64 {
        1.0 / predictor
    }

    fn slope_of(&self, predictor: f64) -> f64 {
        -1.0 / (predictor * predictor)
    }
}
