//! Built-in observation models that are chosen while a program runs.

use std::str::FromStr;

use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};
use rand::Rng;

use crate::models::built_in::BuiltIn;
use crate::{
    Bernoulli, Draw, Error, Gamma, Gaussian, InverseLink, LinkForm, Mean, NegativeBinomial, ObservationModel, Poisson, Scale, Support,
};

/// A built-in observation model that is chosen while a program runs: from a file of settings, or one of a list to compare.
///
/// It fits, scores, draws and is saved as the model inside does, and with [`LinkForm`] as its link every model has one type,
/// [`AnyGlm`](crate::AnyGlm).
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{AnyGlm, Glm, LinkForm, ObservationForm, Score};
///
/// let stimulus = Matrix::<Cpu>::from_column((0..60).map(|bin| f64::from(bin % 3)).collect());
/// let counts = Matrix::from_column((0..60).map(|bin| f64::from([1, 2, 6, 0, 3, 9][bin % 6])).collect());
/// let models: Vec<AnyGlm> = vec![
///     Glm::new("Poisson".parse::<ObservationForm>()?).link("softplus".parse::<LinkForm>()?),
///     Glm::new("negative binomial".parse::<ObservationForm>()?),
/// ];
/// for model in &models {
///     let fitted = model.fit(&stimulus, &counts)?;
///     assert!(fitted.score(&stimulus, &counts, Score::McFadden)? > 0.1);
/// }
/// # Ok::<(), nemos_glm::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ObservationForm {
    /// [`Poisson`]
    Poisson(Poisson),
    /// [`Gamma`]
    Gamma(Gamma),
    /// [`Gaussian`]
    Gaussian(Gaussian),
    /// [`Bernoulli`]
    Bernoulli(Bernoulli),
    /// [`NegativeBinomial`]
    NegativeBinomial(NegativeBinomial),
}

use ObservationForm as Form;

impl FromStr for ObservationForm {
    type Err = Error;

    /// By name, whatever its case, spaces and hyphens; a negative binomial may bring its dispersion, `"negative binomial(0.5)"`, and
    /// estimates it otherwise.
    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown = || Error::UnknownName {
            what: "observation model",
            name: text.into(),
            known: "poisson, gamma, gaussian, bernoulli, negative binomial, negative binomial(0.5)",
        };
        let (name, scale) = match text.split_once('(') {
            Some((name, rest)) => {
                let scale = rest.trim().strip_suffix(')').and_then(|number| number.trim().parse::<f64>().ok());
                (
                    name,
                    Some(scale.filter(|scale| scale.is_finite() && *scale > 0.0).ok_or_else(unknown)?),
                )
            }
            None => (text, None),
        };
        let named = match (plain(name).trim_end_matches("observations"), scale) {
            ("poisson", None) => Form::Poisson(Poisson),
            ("gamma", None) => Form::Gamma(Gamma),
            ("gaussian", None) => Form::Gaussian(Gaussian),
            ("bernoulli", None) => Form::Bernoulli(Bernoulli),
            ("negativebinomial", None) => Form::NegativeBinomial(NegativeBinomial::estimated()),
            ("negativebinomial", Some(scale)) => Form::NegativeBinomial(NegativeBinomial::new(scale)),
            _ => return Err(unknown()),
        };
        Ok(named)
    }
}

/// A name in small letters, without what stands between them.
pub(crate) fn plain(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

impl From<Poisson> for ObservationForm {
    fn from(model: Poisson) -> Self {
        Form::Poisson(model)
    }
}

impl From<Gamma> for ObservationForm {
    fn from(model: Gamma) -> Self {
        Form::Gamma(model)
    }
}

impl From<Gaussian> for ObservationForm {
    fn from(model: Gaussian) -> Self {
        Form::Gaussian(model)
    }
}

impl From<Bernoulli> for ObservationForm {
    fn from(model: Bernoulli) -> Self {
        Form::Bernoulli(model)
    }
}

impl From<NegativeBinomial> for ObservationForm {
    fn from(model: NegativeBinomial) -> Self {
        Form::NegativeBinomial(model)
    }
}

/// The default link of the model inside.
fn default_link<O: ObservationModel>(_model: &O) -> LinkForm {
    O::DefaultLink::default().form().unwrap_or_default()
}

impl ObservationModel for ObservationForm {
    type DefaultLink = LinkForm;

    fn default_link(&self) -> LinkForm {
        match self {
            Form::Poisson(model) => default_link(model),
            Form::Gamma(model) => default_link(model),
            Form::Gaussian(model) => default_link(model),
            Form::Bernoulli(model) => default_link(model),
            Form::NegativeBinomial(model) => default_link(model),
        }
    }

    fn log_likelihood<T: BurnBackend>(&self, counts: Tensor<T, 2>, mean: &Mean<'_, T>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        match self {
            Form::Poisson(model) => model.log_likelihood(counts, mean, scale),
            Form::Gamma(model) => model.log_likelihood(counts, mean, scale),
            Form::Gaussian(model) => model.log_likelihood(counts, mean, scale),
            Form::Bernoulli(model) => model.log_likelihood(counts, mean, scale),
            Form::NegativeBinomial(model) => model.log_likelihood(counts, mean, scale),
        }
    }

    fn deviance<T: BurnBackend>(&self, counts: Tensor<T, 2>, rate: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        match self {
            Form::Poisson(model) => model.deviance(counts, rate, scale),
            Form::Gamma(model) => model.deviance(counts, rate, scale),
            Form::Gaussian(model) => model.deviance(counts, rate, scale),
            Form::Bernoulli(model) => model.deviance(counts, rate, scale),
            Form::NegativeBinomial(model) => model.deviance(counts, rate, scale),
        }
    }

    fn variance<T: BurnBackend>(&self, rate: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        match self {
            Form::Poisson(model) => model.variance(rate, scale),
            Form::Gamma(model) => model.variance(rate, scale),
            Form::Gaussian(model) => model.variance(rate, scale),
            Form::Bernoulli(model) => model.variance(rate, scale),
            Form::NegativeBinomial(model) => model.variance(rate, scale),
        }
    }

    fn loss<T: BurnBackend>(&self, counts: Tensor<T, 2>, mean: &Mean<'_, T>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        match self {
            Form::Poisson(model) => model.loss(counts, mean, scale),
            Form::Gamma(model) => model.loss(counts, mean, scale),
            Form::Gaussian(model) => model.loss(counts, mean, scale),
            Form::Bernoulli(model) => model.loss(counts, mean, scale),
            Form::NegativeBinomial(model) => model.loss(counts, mean, scale),
        }
    }

    fn loss_factor(&self, scale: f64) -> f64 {
        match self {
            Form::Poisson(model) => model.loss_factor(scale),
            Form::Gamma(model) => model.loss_factor(scale),
            Form::Gaussian(model) => model.loss_factor(scale),
            Form::Bernoulli(model) => model.loss_factor(scale),
            Form::NegativeBinomial(model) => model.loss_factor(scale),
        }
    }

    fn support(&self) -> Support {
        match self {
            Form::Poisson(model) => model.support(),
            Form::Gamma(model) => model.support(),
            Form::Gaussian(model) => model.support(),
            Form::Bernoulli(model) => model.support(),
            Form::NegativeBinomial(model) => model.support(),
        }
    }

    fn scale(&self) -> Scale {
        match self {
            Form::Poisson(model) => model.scale(),
            Form::Gamma(model) => model.scale(),
            Form::Gaussian(model) => model.scale(),
            Form::Bernoulli(model) => model.scale(),
            Form::NegativeBinomial(model) => model.scale(),
        }
    }

    fn is_exponential_family(&self) -> bool {
        match self {
            Form::Poisson(model) => model.is_exponential_family(),
            Form::Gamma(model) => model.is_exponential_family(),
            Form::Gaussian(model) => model.is_exponential_family(),
            Form::Bernoulli(model) => model.is_exponential_family(),
            Form::NegativeBinomial(model) => model.is_exponential_family(),
        }
    }

    fn built_in(&self) -> Option<BuiltIn> {
        match self {
            Form::Poisson(model) => model.built_in(),
            Form::Gamma(model) => model.built_in(),
            Form::Gaussian(model) => model.built_in(),
            Form::Bernoulli(model) => model.built_in(),
            Form::NegativeBinomial(model) => model.built_in(),
        }
    }

    fn from_built_in(built_in: &BuiltIn) -> Option<Self> {
        fn read<O: ObservationModel + Into<Form>>(built_in: &BuiltIn) -> Option<Form> {
            O::from_built_in(built_in).map(Into::into)
        }
        read::<Poisson>(built_in)
            .or_else(|| read::<Gamma>(built_in))
            .or_else(|| read::<Gaussian>(built_in))
            .or_else(|| read::<Bernoulli>(built_in))
            .or_else(|| read::<NegativeBinomial>(built_in))
    }
}

impl Draw for ObservationForm {
    fn draw<R: Rng + ?Sized>(&self, rate: f64, scale: f64, rng: &mut R) -> f64 {
        match self {
            Form::Poisson(model) => model.draw(rate, scale, rng),
            Form::Gamma(model) => model.draw(rate, scale, rng),
            Form::Gaussian(model) => model.draw(rate, scale, rng),
            Form::Bernoulli(model) => model.draw(rate, scale, rng),
            Form::NegativeBinomial(model) => model.draw(rate, scale, rng),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_model_is_found_by_its_name() {
        for name in BuiltIn::names() {
            let form: Form = name.parse().unwrap();
            let built_in = form.built_in().unwrap();
            assert_eq!(built_in.name(), name);
            assert_eq!(Form::from_built_in(&built_in), Some(form));
        }
        assert_eq!("PoissonObservations".parse::<Form>().unwrap(), Poisson.into());
        assert_eq!("Negative-Binomial(0.5)".parse::<Form>().unwrap(), NegativeBinomial::new(0.5).into());
    }

    #[test]
    fn what_is_no_model_says_which_there_are() {
        for text in [
            "",
            "binomial",
            "poisson(2)",
            "negative binomial(-1)",
            "negative binomial(x",
            "gamma()",
        ] {
            let error = text.parse::<Form>().unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")) && error.contains("poisson, gamma"), "{error}");
        }
    }

    #[test]
    fn default_links_are_those_of_the_models() {
        let link = |name: &str| name.parse::<Form>().unwrap().default_link();
        assert_eq!(link("poisson"), LinkForm::Exp);
        assert_eq!(link("gamma"), LinkForm::Reciprocal);
        assert_eq!(link("gaussian"), LinkForm::Identity);
        assert_eq!(link("bernoulli"), LinkForm::Logistic);
    }
}
