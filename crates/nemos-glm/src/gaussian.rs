//! Gaussian observations: signals with a constant spread.

use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::observation::information;
use crate::{Identity, InverseLink, ModelForm, ObservationModel, Scale};

/// Observations with a constant variance, the scale.
///
/// ```text
/// (1)  loss           = (counts − rate)²                        without the usual ½
/// (2)  log-likelihood = −½ ln(2π scale) − (counts − rate)² / (2 scale)
/// (3)  deviance       = (counts − rate)²                        at scale one
/// (4)  variance       = scale
/// (5)  Fisher weight  = 2 (∂rate/∂predictor)²
/// ```
///
/// The loss being twice the usual one, a ridge of strength `s` is `s/2` on the usual scale.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaussian;

impl ObservationModel for Gaussian {
    type DefaultLink = Identity;

    fn negative_log_likelihood<T: BurnBackend, L: InverseLink>(
        &self,
        counts: Tensor<T, 2>,
        predictor: Tensor<T, 2>,
        link: &L,
        _scale: Tensor<T, 2>,
    ) -> Tensor<T, 2> {
        let residual = counts - link.rate(predictor);
        residual.clone() * residual
    }

    fn log_likelihood<T: BurnBackend, L: InverseLink>(
        &self,
        counts: Tensor<T, 2>,
        predictor: Tensor<T, 2>,
        link: &L,
        scale: Tensor<T, 2>,
    ) -> Tensor<T, 2> {
        let squares = self.negative_log_likelihood(counts, predictor, link, scale.clone());
        (squares / scale.clone() + (scale * (2.0 * std::f64::consts::PI)).log()) * -0.5
    }

    fn deviance<T: BurnBackend>(&self, counts: Tensor<T, 2>, rate: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        let residual = counts - rate;
        residual.clone() * residual
    }

    fn variance<T: BurnBackend>(&self, rate: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        rate.ones_like() * scale
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
        information(predictor, link, |rate| rate.ones_like() * 0.5)
    }

    fn form(&self) -> Option<ModelForm> {
        Some(ModelForm::Gaussian)
    }

    fn from_form(form: ModelForm) -> Option<Self> {
        (form == ModelForm::Gaussian).then_some(Gaussian)
    }
}
