//! Poisson observations: spike counts.

use nemos_core::special;
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::observation::information;
use crate::{Exp, InverseLink, ModelForm, ObservationModel, Support};

/// Spike counts whose variance is their mean.
///
/// ```text
/// (1)  loss           = rate − counts · ln rate
/// (2)  log-likelihood = −loss − ln Γ(counts + 1)
/// (3)  deviance       = 2 [counts · ln(counts / rate) − counts + rate]
/// (4)  variance       = rate
/// (5)  Fisher weight  = (∂rate/∂predictor)² / rate
/// ```
///
/// # References
/// McCullagh & Nelder (1989), *Generalized Linear Models*, chapter 6.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Poisson;

impl ObservationModel for Poisson {
    type DefaultLink = Exp;

    fn negative_log_likelihood<T: BurnBackend, L: InverseLink>(
        &self,
        counts: Tensor<T, 2>,
        predictor: Tensor<T, 2>,
        link: &L,
        _scale: Tensor<T, 2>,
    ) -> Tensor<T, 2> {
        link.rate(predictor.clone()) - counts * link.log_rate(predictor)
    }

    fn log_likelihood<T: BurnBackend, L: InverseLink>(
        &self,
        counts: Tensor<T, 2>,
        predictor: Tensor<T, 2>,
        link: &L,
        _scale: Tensor<T, 2>,
    ) -> Tensor<T, 2> {
        // 0 · ln 0 is 0: a rate of zero is sure to bring no spikes.
        let none = counts.clone().equal_elem(0.0);
        let explained = (counts.clone() * link.log_rate(predictor.clone())).mask_fill(none, 0.0);
        explained - link.rate(predictor) - special::ln_gamma(counts + 1.0)
    }

    fn deviance<T: BurnBackend>(&self, counts: Tensor<T, 2>, rate: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        let none = counts.clone().equal_elem(0.0);
        let surprise = (counts.clone() * (counts.clone() / rate.clone()).log()).mask_fill(none, 0.0);
        (surprise - counts + rate) * 2.0
    }

    fn variance<T: BurnBackend>(&self, rate: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        rate
    }

    fn support(&self) -> Support {
        Support::NonNegative
    }

    fn fisher_weight<T: BurnBackend, L: InverseLink>(
        &self,
        _counts: Tensor<T, 2>,
        predictor: Tensor<T, 2>,
        link: &L,
        _scale: Tensor<T, 2>,
    ) -> Tensor<T, 2> {
        information(predictor, link, |rate| rate)
    }

    fn form(&self) -> Option<ModelForm> {
        Some(ModelForm::Poisson)
    }

    fn from_form(form: ModelForm) -> Option<Self> {
        (form == ModelForm::Poisson).then_some(Poisson)
    }
}
