//! Bernoulli observations: a spike or none in each bin, a choice to the left or to the right.

use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::observation::information;
use crate::{InverseLink, Logistic, ModelForm, ObservationModel, Support};

/// Zeros and ones, where the rate is the probability of a one.
///
/// ```text
/// (1)  loss           = −counts · ln rate − (1 − counts) · ln(1 − rate)
/// (2)  log-likelihood = −loss
/// (3)  deviance       = 2 [counts · ln(counts / rate) + (1 − counts) · ln((1 − counts) / (1 − rate))]
/// (4)  variance       = rate (1 − rate)
/// (5)  Fisher weight  = (∂rate/∂predictor)² / (rate (1 − rate))
/// ```
///
/// # References
/// McCullagh & Nelder (1989), *Generalized Linear Models*, chapter 4.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Bernoulli;

impl ObservationModel for Bernoulli {
    type DefaultLink = Logistic;

    fn negative_log_likelihood<T: BurnBackend, L: InverseLink>(
        &self,
        counts: Tensor<T, 2>,
        predictor: Tensor<T, 2>,
        link: &L,
        scale: Tensor<T, 2>,
    ) -> Tensor<T, 2> {
        self.log_likelihood(counts, predictor, link, scale).neg()
    }

    fn log_likelihood<T: BurnBackend, L: InverseLink>(
        &self,
        counts: Tensor<T, 2>,
        predictor: Tensor<T, 2>,
        link: &L,
        _scale: Tensor<T, 2>,
    ) -> Tensor<T, 2> {
        // The term that does not count may be 0 · ln 0.
        let none = counts.equal_elem(0.0);
        link.log_rate(predictor.clone()).mask_where(none, link.log_complement(predictor))
    }

    fn deviance<T: BurnBackend>(&self, counts: Tensor<T, 2>, rate: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        let none = counts.equal_elem(0.0);
        rate.clone().log().mask_where(none, (rate.neg()).log1p()) * -2.0
    }

    fn variance<T: BurnBackend>(&self, rate: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        rate.clone() * (rate.neg() + 1.0)
    }

    fn support(&self) -> Support {
        Support::Binary
    }

    fn fisher_weight<T: BurnBackend, L: InverseLink>(
        &self,
        _counts: Tensor<T, 2>,
        predictor: Tensor<T, 2>,
        link: &L,
        _scale: Tensor<T, 2>,
    ) -> Tensor<T, 2> {
        information(predictor, link, |rate| rate.clone() * (rate.neg() + 1.0))
    }

    fn form(&self) -> Option<ModelForm> {
        Some(ModelForm::Bernoulli)
    }

    fn from_form(form: ModelForm) -> Option<Self> {
        (form == ModelForm::Bernoulli).then_some(Bernoulli)
    }
}
