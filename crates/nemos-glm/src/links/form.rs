//! Built-in links that are chosen while a program runs.

use std::str::FromStr;

use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::models::form::plain;
use crate::{Error, Exp, Identity, InverseLink, LinkForm, Logistic, NormalCdf, Reciprocal, ScalarLink, Softplus};

impl FromStr for LinkForm {
    type Err = Error;

    /// By name, whatever its case, spaces and hyphens.
    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(match plain(text).as_str() {
            "exp" => LinkForm::Exp,
            "softplus" => LinkForm::Softplus,
            "identity" => LinkForm::Identity,
            "logistic" => LinkForm::Logistic,
            "reciprocal" => LinkForm::Reciprocal,
            "normalcdf" => LinkForm::NormalCdf,
            _ => {
                return Err(Error::UnknownName {
                    what: "inverse link",
                    name: text.into(),
                    known: "exp, softplus, identity, logistic, reciprocal, normal cdf",
                });
            }
        })
    }
}

impl InverseLink for LinkForm {
    fn rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        match self {
            LinkForm::Exp => Exp.rate(predictor),
            LinkForm::Softplus => Softplus.rate(predictor),
            LinkForm::Identity => Identity.rate(predictor),
            LinkForm::Logistic => Logistic.rate(predictor),
            LinkForm::Reciprocal => Reciprocal.rate(predictor),
            LinkForm::NormalCdf => NormalCdf.rate(predictor),
        }
    }

    fn log_rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        match self {
            LinkForm::Exp => Exp.log_rate(predictor),
            LinkForm::Softplus => Softplus.log_rate(predictor),
            LinkForm::Identity => Identity.log_rate(predictor),
            LinkForm::Logistic => Logistic.log_rate(predictor),
            LinkForm::Reciprocal => Reciprocal.log_rate(predictor),
            LinkForm::NormalCdf => NormalCdf.log_rate(predictor),
        }
    }

    fn log_complement<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        match self {
            LinkForm::Exp => Exp.log_complement(predictor),
            LinkForm::Softplus => Softplus.log_complement(predictor),
            LinkForm::Identity => Identity.log_complement(predictor),
            LinkForm::Logistic => Logistic.log_complement(predictor),
            LinkForm::Reciprocal => Reciprocal.log_complement(predictor),
            LinkForm::NormalCdf => NormalCdf.log_complement(predictor),
        }
    }

    fn predictor(&self, rate: f64) -> Option<f64> {
        match self {
            LinkForm::Exp => Exp.predictor(rate),
            LinkForm::Softplus => Softplus.predictor(rate),
            LinkForm::Identity => Identity.predictor(rate),
            LinkForm::Logistic => Logistic.predictor(rate),
            LinkForm::Reciprocal => Reciprocal.predictor(rate),
            LinkForm::NormalCdf => NormalCdf.predictor(rate),
        }
    }

    fn form(&self) -> Option<LinkForm> {
        Some(*self)
    }

    fn from_form(form: LinkForm) -> Option<Self> {
        Some(form)
    }
}

impl ScalarLink for LinkForm {
    fn rate_of(&self, predictor: f64) -> f64 {
        match self {
            LinkForm::Exp => Exp.rate_of(predictor),
            LinkForm::Softplus => Softplus.rate_of(predictor),
            LinkForm::Identity => Identity.rate_of(predictor),
            LinkForm::Logistic => Logistic.rate_of(predictor),
            LinkForm::Reciprocal => Reciprocal.rate_of(predictor),
            LinkForm::NormalCdf => NormalCdf.rate_of(predictor),
        }
    }

    fn slope_of(&self, predictor: f64) -> f64 {
        match self {
            LinkForm::Exp => Exp.slope_of(predictor),
            LinkForm::Softplus => Softplus.slope_of(predictor),
            LinkForm::Identity => Identity.slope_of(predictor),
            LinkForm::Logistic => Logistic.slope_of(predictor),
            LinkForm::Reciprocal => Reciprocal.slope_of(predictor),
            LinkForm::NormalCdf => NormalCdf.slope_of(predictor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_by_their_names() {
        for form in [
            LinkForm::Exp,
            LinkForm::Softplus,
            LinkForm::Identity,
            LinkForm::Logistic,
            LinkForm::Reciprocal,
            LinkForm::NormalCdf,
        ] {
            assert_eq!(format!("{form:?}").parse::<LinkForm>().unwrap(), form);
            let there_and_back = form.rate_of(form.predictor(0.3).unwrap_or(f64::NAN));
            assert!(there_and_back.is_nan() || (there_and_back - 0.3).abs() < 1e-15, "{form:?}");
        }
        assert_eq!("Normal CDF".parse::<LinkForm>().unwrap(), LinkForm::NormalCdf);
        let error = "log".parse::<LinkForm>().unwrap_err().to_string();
        assert_eq!(
            error,
            "\"log\" is no inverse link; there are exp, softplus, identity, logistic, reciprocal, normal cdf"
        );
    }
}
