//! Built-in links and observation models that are chosen while a program runs: what a grid over them needs.

use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};
use nemos_glm::{
    Bernoulli, BuiltIn, Exp, Gamma, Gaussian, Identity, InverseLink, LinkForm, Logistic, Mean, NegativeBinomial, NormalCdf,
    ObservationModel, Poisson, Reciprocal, Scale, Softplus, Support,
};

/// Any built-in link: a type for models whose link is searched for.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{Glm, LinkForm, Poisson};
/// use nemos_select::{AnyLink, Folds, Grid, GridSearch};
/// let stimulus = Matrix::<Cpu>::from_column((0..60).map(|bin| f64::from(bin % 5)).collect());
/// let counts = Matrix::from_column((0..60).map(|bin| f64::from(1 + bin % 5 + bin % 2)).collect());
/// let model = Glm::new(Poisson).link(AnyLink::new(LinkForm::Exp));
/// let grid = Grid::new().over("link", [LinkForm::Exp, LinkForm::Softplus, LinkForm::Identity]);
/// let search = GridSearch::new(model, grid).folds(Folds::k(3)).fit(&stimulus, &counts)?;
/// assert_ne!(search.best().settings().get("link"), Some(&LinkForm::Exp.into()));
/// # Ok::<(), nemos_select::Error>(())
/// ```
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct AnyLink(LinkForm);

impl AnyLink {
    /// The link of this form.
    pub fn new(form: LinkForm) -> Self {
        AnyLink(form)
    }
}

impl Default for AnyLink {
    /// The exponential.
    fn default() -> Self {
        AnyLink(LinkForm::Exp)
    }
}

impl InverseLink for AnyLink {
    fn rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        match self.0 {
            LinkForm::Softplus => Softplus.rate(predictor),
            LinkForm::Identity => Identity.rate(predictor),
            LinkForm::Logistic => Logistic.rate(predictor),
            LinkForm::Reciprocal => Reciprocal.rate(predictor),
            LinkForm::NormalCdf => NormalCdf.rate(predictor),
            _ => Exp.rate(predictor),
        }
    }

    fn log_rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        match self.0 {
            LinkForm::Softplus => Softplus.log_rate(predictor),
            LinkForm::Identity => Identity.log_rate(predictor),
            LinkForm::Logistic => Logistic.log_rate(predictor),
            LinkForm::Reciprocal => Reciprocal.log_rate(predictor),
            LinkForm::NormalCdf => NormalCdf.log_rate(predictor),
            _ => Exp.log_rate(predictor),
        }
    }

    fn log_complement<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        match self.0 {
            LinkForm::Softplus => Softplus.log_complement(predictor),
            LinkForm::Identity => Identity.log_complement(predictor),
            LinkForm::Logistic => Logistic.log_complement(predictor),
            LinkForm::Reciprocal => Reciprocal.log_complement(predictor),
            LinkForm::NormalCdf => NormalCdf.log_complement(predictor),
            _ => Exp.log_complement(predictor),
        }
    }

    fn predictor(&self, rate: f64) -> Option<f64> {
        match self.0 {
            LinkForm::Softplus => Softplus.predictor(rate),
            LinkForm::Identity => Identity.predictor(rate),
            LinkForm::Logistic => Logistic.predictor(rate),
            LinkForm::Reciprocal => Reciprocal.predictor(rate),
            LinkForm::NormalCdf => NormalCdf.predictor(rate),
            _ => Exp.predictor(rate),
        }
    }

    fn form(&self) -> Option<LinkForm> {
        Some(self.0)
    }

    fn from_form(form: LinkForm) -> Option<Self> {
        Some(AnyLink(form))
    }
}

/// Any built-in observation model: a type for models whose observation model is searched for. Log-likelihoods of counts and
/// log-densities of measurements do not compare.
///
/// # Example
/// ```
/// use nemos_glm::{NegativeBinomial, ObservationModel, Poisson, PopulationGlm};
/// use nemos_select::{AnyModel, Grid, Tunable};
/// let model = PopulationGlm::new(AnyModel::of(Poisson));
/// let overdispersed = NegativeBinomial::new(0.5).built_in().ok_or("built in")?;
/// let other = model.with("observation", &overdispersed.into())?;
/// assert_eq!(other.observation_model(), &AnyModel::of(NegativeBinomial::new(0.5)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct AnyModel(Known);

#[derive(Clone, Debug, PartialEq)]
enum Known {
    Poisson(Poisson),
    Gamma(Gamma),
    Gaussian(Gaussian),
    Bernoulli(Bernoulli),
    NegativeBinomial(NegativeBinomial),
}

impl From<Poisson> for AnyModel {
    fn from(model: Poisson) -> Self {
        AnyModel(Known::Poisson(model))
    }
}

impl From<Gamma> for AnyModel {
    fn from(model: Gamma) -> Self {
        AnyModel(Known::Gamma(model))
    }
}

impl From<Gaussian> for AnyModel {
    fn from(model: Gaussian) -> Self {
        AnyModel(Known::Gaussian(model))
    }
}

impl From<Bernoulli> for AnyModel {
    fn from(model: Bernoulli) -> Self {
        AnyModel(Known::Bernoulli(model))
    }
}

impl From<NegativeBinomial> for AnyModel {
    fn from(model: NegativeBinomial) -> Self {
        AnyModel(Known::NegativeBinomial(model))
    }
}

impl AnyModel {
    /// One of the built-in models.
    pub fn of(model: impl Into<AnyModel>) -> Self {
        model.into()
    }

    fn act<R>(&self, with: impl Act<R>) -> R {
        match &self.0 {
            Known::Poisson(model) => with.on(model),
            Known::Gamma(model) => with.on(model),
            Known::Gaussian(model) => with.on(model),
            Known::Bernoulli(model) => with.on(model),
            Known::NegativeBinomial(model) => with.on(model),
        }
    }
}

/// What is done with any of the models.
trait Act<R> {
    fn on<O: ObservationModel>(self, model: &O) -> R;
}

struct LogLikelihood<'a, 'm, T: BurnBackend>(Tensor<T, 2>, &'a Mean<'m, T>, Tensor<T, 2>);

impl<T: BurnBackend> Act<Tensor<T, 2>> for LogLikelihood<'_, '_, T> {
    fn on<O: ObservationModel>(self, model: &O) -> Tensor<T, 2> {
        model.log_likelihood(self.0, self.1, self.2)
    }
}

struct Loss<'a, 'm, T: BurnBackend>(Tensor<T, 2>, &'a Mean<'m, T>, Tensor<T, 2>);

impl<T: BurnBackend> Act<Tensor<T, 2>> for Loss<'_, '_, T> {
    fn on<O: ObservationModel>(self, model: &O) -> Tensor<T, 2> {
        model.loss(self.0, self.1, self.2)
    }
}

struct Deviance<T: BurnBackend>(Tensor<T, 2>, Tensor<T, 2>, Tensor<T, 2>);

impl<T: BurnBackend> Act<Tensor<T, 2>> for Deviance<T> {
    fn on<O: ObservationModel>(self, model: &O) -> Tensor<T, 2> {
        model.deviance(self.0, self.1, self.2)
    }
}

struct Variance<T: BurnBackend>(Tensor<T, 2>, Tensor<T, 2>);

impl<T: BurnBackend> Act<Tensor<T, 2>> for Variance<T> {
    fn on<O: ObservationModel>(self, model: &O) -> Tensor<T, 2> {
        model.variance(self.0, self.1)
    }
}

/// What does not depend on data.
struct About {
    loss_factor: f64,
    support: Support,
    scale: Scale,
    is_exponential_family: bool,
    built_in: Option<BuiltIn>,
}

struct Describe(f64);

impl Act<About> for Describe {
    fn on<O: ObservationModel>(self, model: &O) -> About {
        About {
            loss_factor: model.loss_factor(self.0),
            support: model.support(),
            scale: model.scale(),
            is_exponential_family: model.is_exponential_family(),
            built_in: model.built_in(),
        }
    }
}

impl ObservationModel for AnyModel {
    type DefaultLink = AnyLink;

    fn log_likelihood<T: BurnBackend>(&self, counts: Tensor<T, 2>, mean: &Mean<'_, T>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        self.act(LogLikelihood(counts, mean, scale))
    }

    fn deviance<T: BurnBackend>(&self, counts: Tensor<T, 2>, rate: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        self.act(Deviance(counts, rate, scale))
    }

    fn variance<T: BurnBackend>(&self, rate: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        self.act(Variance(rate, scale))
    }

    fn loss<T: BurnBackend>(&self, counts: Tensor<T, 2>, mean: &Mean<'_, T>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        self.act(Loss(counts, mean, scale))
    }

    fn loss_factor(&self, scale: f64) -> f64 {
        self.act(Describe(scale)).loss_factor
    }

    fn support(&self) -> Support {
        self.act(Describe(1.0)).support
    }

    fn scale(&self) -> Scale {
        self.act(Describe(1.0)).scale
    }

    fn is_exponential_family(&self) -> bool {
        self.act(Describe(1.0)).is_exponential_family
    }

    fn built_in(&self) -> Option<BuiltIn> {
        self.act(Describe(1.0)).built_in
    }

    fn from_built_in(built_in: &BuiltIn) -> Option<Self> {
        let known = [
            Poisson::from_built_in(built_in).map(Known::Poisson),
            Gamma::from_built_in(built_in).map(Known::Gamma),
            Gaussian::from_built_in(built_in).map(Known::Gaussian),
            Bernoulli::from_built_in(built_in).map(Known::Bernoulli),
            NegativeBinomial::from_built_in(built_in).map(Known::NegativeBinomial),
        ];
        known.into_iter().flatten().next().map(AnyModel)
    }
}
