//! Gamma observations: positive signals whose spread grows with their mean, such as fluorescence.

use nemos_core::special;
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::observation::information;
use crate::{InverseLink, ModelForm, ObservationModel, Reciprocal, Scale, Support};

/// Positive observations with a constant coefficient of variation `√scale`.
///
/// ```text
/// (1)  loss           = counts / rate + ln rate
/// (2)  log-likelihood = (k − 1) ln counts + k ln k − ln Γ(k) − k · loss        k = 1 / scale
/// (3)  deviance       = 2 [(counts − rate) / rate − ln(counts / rate)]         at scale one
/// (4)  variance       = scale · rate²
/// (5)  Fisher weight  = (∂rate/∂predictor)² / rate²
/// ```
///
/// # References
/// McCullagh & Nelder (1989), *Generalized Linear Models*, chapter 8.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Gamma;

impl ObservationModel for Gamma {
    type DefaultLink = Reciprocal;

    fn negative_log_likelihood<T: BurnBackend, L: InverseLink>(
        &self,
        counts: Tensor<T, 2>,
        predictor: Tensor<T, 2>,
        link: &L,
        _scale: Tensor<T, 2>,
    ) -> Tensor<T, 2> {
        counts / link.rate(predictor.clone()) + link.log_rate(predictor)
    }

    fn log_likelihood<T: BurnBackend, L: InverseLink>(
        &self,
        counts: Tensor<T, 2>,
        predictor: Tensor<T, 2>,
        link: &L,
        scale: Tensor<T, 2>,
    ) -> Tensor<T, 2> {
        let shape = scale.clone().recip();
        let loss = self.negative_log_likelihood(counts.clone(), predictor, link, scale);
        let constant = shape.clone() * shape.clone().log() - special::ln_gamma(shape.clone());
        (shape.clone() - 1.0) * counts.log() + constant - shape * loss
    }

    fn deviance<T: BurnBackend>(&self, counts: Tensor<T, 2>, rate: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        let ratio = counts / rate;
        (ratio.clone() - 1.0 - ratio.log()) * 2.0
    }

    fn variance<T: BurnBackend>(&self, rate: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        rate.clone() * rate * scale
    }

    fn support(&self) -> Support {
        Support::Positive
    }

    fn scale(&self) -> Scale {
        Scale::Pearson
    }

    fn fisher_weight<T: BurnBackend, L: InverseLink>(
        &self,
        _counts: Tensor<T, 2>,
        predictor: Tensor<T, 2>,
        link: &L,
        _scale: Tensor<T, 2>,
    ) -> Tensor<T, 2> {
        information(predictor, link, |rate| rate.clone() * rate)
    }

    fn form(&self) -> Option<ModelForm> {
        Some(ModelForm::Gamma)
    }

    fn from_form(form: ModelForm) -> Option<Self> {
        (form == ModelForm::Gamma).then_some(Gamma)
    }
}
