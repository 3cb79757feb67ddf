//! The logistic function: effects add to log-odds.

use nemos_core::simd::ln_1p_exp;
use nemos_core::special;
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::links::at::{At, FusedLink, logistic};
use crate::{InverseLink, LinkForm, ScalarLink};

/// `rate = 1 / (1 + exp(−predictor))`: a probability whose log-odds is the predictor.
#[doc(alias("expit", "sigmoid"))]
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Logistic;

impl InverseLink for Logistic {
    fn rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        self.log_rate(predictor).exp()
    }

    fn log_rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        special::ln_1p_exp(predictor.neg()).neg()
    }

    fn log_complement<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        special::ln_1p_exp(predictor).neg()
    }

    fn predictor(&self, rate: f64) -> Option<f64> {
        Some(rate.ln() - (-rate).ln_1p())
    }

    fn form(&self) -> Option<LinkForm> {
        Some(LinkForm::Logistic)
    }

    fn from_form(form: LinkForm) -> Option<Self> {
        (form == LinkForm::Logistic).then_some(Logistic)
    }
}

impl FusedLink for Logistic {
    const FORM: LinkForm = LinkForm::Logistic;

    #[inline(always)]
    fn at(predictor: f64) -> At {
        let (rate, complement) = logistic(predictor);
        At {
            rate,
            log_rate: -ln_1p_exp(-predictor),
            steepness: rate * complement,
            relative: complement,
        }
    }
}

impl ScalarLink for Logistic {
    fn rate_of(&self, predictor: f64) -> f64 {
        1.0 / (1.0 + libm::exp(-predictor))
    }

    fn slope_of(&self, predictor: f64) -> f64 {
        self.rate_of(predictor) * self.rate_of(-predictor)
    }
}
