//! A fitted model whatever its types: what inference asks of it on a backend.

use std::fmt::Debug;
use std::sync::Arc;

use ndarray::Array2;
use nemos_core::tensor::{DType, Tensor};
use nemos_core::{Autodiff, Backend, Design, Matrix, Names};
use nemos_glm::{FittedPopulationGlm, GlmObjective, InverseLink, LinkForm, ObservationModel, Options, Problems, Scale, Score, Support};
use nemos_solvers::{Outcome, Parameters, Regularizer};

use crate::Error;

/// What is known of a model besides its numbers.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    /// How it is called in a table.
    pub(crate) title: String,
    /// The name of a built-in observation model.
    pub(crate) built_in: Option<String>,
    pub(crate) scale: Scale,
    pub(crate) support: Support,
    pub(crate) is_exponential_family: bool,
}

/// A link on the host: rates, and their derivatives in the predictor.
pub(crate) trait HostLink: Debug + Send + Sync {
    fn rate_and_slope(&self, predictor: &[f64]) -> (Vec<f64>, Vec<f64>);
    fn form(&self) -> Option<LinkForm>;
}

/// What a model says of some rows, `[n_rows, n_neurons]` each.
pub(crate) struct AtRows {
    pub(crate) rate: Array2<f64>,
    /// Derivative of the rate in the predictor.
    pub(crate) slope: Array2<f64>,
    /// Variance, at scale one where a scale is estimated after the coefficients.
    pub(crate) variance: Array2<f64>,
    /// Deviance of each count, at the same scale.
    pub(crate) deviance: Array2<f64>,
}

/// A fitted model of many neurons, whatever its types.
pub(crate) trait Described<B: Backend>: Debug + Send + Sync {
    fn kind(&self) -> Kind;

    /// Predictors of each neuron: one, or one for each class.
    fn n_predictors(&self) -> usize {
        1
    }

    /// `[n_predictors · (n_features + 1), n_neurons]`: predictor after predictor, the coefficients and then the intercept.
    fn parameters(&self) -> &Parameters;
    fn outcome(&self) -> &Outcome;
    fn scale(&self) -> Vec<f64>;
    fn features(&self) -> &Names;
    fn neurons(&self) -> &[String];
    fn options(&self) -> &Options;
    fn link(&self) -> Arc<dyn HostLink>;

    /// The same model with other scales.
    fn at_scale(&self, scale: Vec<f64>) -> Result<Box<dyn Described<B>>, Error>;

    /// The loss of these problems at the scales of the fit.
    fn objective<'a>(&self, problems: Problems, design: Design<'a, B>, counts: Design<'a, B>) -> Result<GlmObjective<'a, B>, Error>;

    /// What fits of these problems minimise, without the penalty, with all that solvers can know before they start.
    fn training<'a>(&self, problems: Problems, design: &'a Design<'_, B>, counts: &'a Design<'_, B>) -> Result<GlmObjective<'a, B>, Error>;

    /// Fits the model again, with other options.
    fn refit(&self, options: Options, design: &Design<'_, B>, counts: &Design<'_, B>) -> Result<Box<dyn Described<B>>, Error>;

    /// Mean log-likelihoods, weighted.
    fn log_likelihood(&self, design: &Design<'_, B>, counts: &Design<'_, B>) -> Result<Vec<f64>, Error>;

    fn deviance(&self, design: &Design<'_, B>, counts: &Design<'_, B>) -> Result<Vec<f64>, Error>;

    /// Deviances of the model, and of a constant rate.
    fn deviances(&self, design: &Design<'_, B>, counts: &Design<'_, B>) -> Result<[Vec<f64>; 2], Error>;

    fn pearson_chi2(&self, design: &Design<'_, B>, counts: &Design<'_, B>) -> Result<Vec<f64>, Error>;

    /// What the model says of rows with these predictors and counts, `[n_rows, n_neurons]`.
    fn at_rows(&self, predictor: Array2<f64>, counts: Array2<f64>) -> Result<AtRows, Error>;
}

impl<B: Backend, O: ObservationModel, L: InverseLink> Described<B> for FittedPopulationGlm<O, L> {
    fn kind(&self) -> Kind {
        Kind {
            title: format!("{:?} GLM, link {:?}", self.observation(), self.link()),
            built_in: self.observation().built_in().map(|model| model.name().to_owned()),
            scale: self.observation().scale(),
            support: self.observation().support(),
            is_exponential_family: self.observation().is_exponential_family(),
        }
    }

    fn parameters(&self) -> &Parameters {
        self.parameters()
    }

    fn outcome(&self) -> &Outcome {
        self.outcome()
    }

    fn scale(&self) -> Vec<f64> {
        self.scale().to_vec()
    }

    fn features(&self) -> &Names {
        self.features()
    }

    fn neurons(&self) -> &[String] {
        self.neurons()
    }

    fn options(&self) -> &Options {
        self.specification().options()
    }

    fn link(&self) -> Arc<dyn HostLink> {
        Arc::new(OnBackend::<B, L>::new(self.link().clone()))
    }

    fn at_scale(&self, scale: Vec<f64>) -> Result<Box<dyn Described<B>>, Error> {
        Ok(Box::new(self.clone().with_scale(scale, self.dof_resid().to_vec())?))
    }

    fn objective<'a>(&self, problems: Problems, design: Design<'a, B>, counts: Design<'a, B>) -> Result<GlmObjective<'a, B>, Error> {
        Ok(self.objective(problems, design, counts)?)
    }

    fn training<'a>(&self, problems: Problems, design: &'a Design<'_, B>, counts: &'a Design<'_, B>) -> Result<GlmObjective<'a, B>, Error> {
        let scale = (0..problems.n_problems())
            .map(|problem| self.scale()[problems.response(problem)])
            .collect();
        Ok(self.specification().objective_of(problems, design, counts)?.with_scale(scale)?)
    }

    fn refit(&self, options: Options, design: &Design<'_, B>, counts: &Design<'_, B>) -> Result<Box<dyn Described<B>>, Error> {
        Ok(Box::new(self.specification().clone().with_options(options).fit(design, counts)?))
    }

    fn log_likelihood(&self, design: &Design<'_, B>, counts: &Design<'_, B>) -> Result<Vec<f64>, Error> {
        Ok(self.score_by_neuron(design, counts, Score::LogLikelihood)?)
    }

    fn deviances(&self, design: &Design<'_, B>, counts: &Design<'_, B>) -> Result<[Vec<f64>; 2], Error> {
        Ok(self.deviances(design, counts)?)
    }

    fn deviance(&self, design: &Design<'_, B>, counts: &Design<'_, B>) -> Result<Vec<f64>, Error> {
        Ok(self.deviance(design, counts)?)
    }

    fn pearson_chi2(&self, design: &Design<'_, B>, counts: &Design<'_, B>) -> Result<Vec<f64>, Error> {
        Ok(self.pearson_chi2(design, counts)?)
    }

    fn at_rows(&self, predictor: Array2<f64>, counts: Array2<f64>) -> Result<AtRows, Error> {
        let (rate, slope) = rate_and_slope::<B, L>(self.link(), predictor.view());
        let tensor = |values: &Array2<f64>| Matrix::<B>::from_array(values.view()).into_tensor();
        let scale = match self.observation().scale() {
            Scale::Pearson => vec![1.0; self.n_neurons()],
            _ => self.scale().to_vec(),
        };
        let scale = Matrix::<B>::from_array(Array2::from_shape_fn((1, scale.len()), |(_, j)| scale[j]).view()).into_tensor();
        let array = |values: Tensor<B::Burn, 2>| Matrix::<B>::from_tensor(values).to_array();
        Ok(AtRows {
            variance: array(self.observation().variance(tensor(&rate), scale.clone())),
            deviance: array(self.observation().deviance(tensor(&counts), tensor(&rate), scale)),
            rate,
            slope,
        })
    }
}

/// A link, computed on a backend.
pub(crate) struct OnBackend<B, L>(L, std::marker::PhantomData<B>);

impl<B, L> OnBackend<B, L> {
    pub(crate) fn new(link: L) -> Self {
        OnBackend(link, std::marker::PhantomData)
    }
}

impl<B, L: Debug> Debug for OnBackend<B, L> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<B: Backend, L: InverseLink> HostLink for OnBackend<B, L> {
    fn rate_and_slope(&self, predictor: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let column = ndarray::ArrayView2::from_shape((predictor.len(), 1), predictor).expect("one column of as many rows");
        let (rate, slope) = rate_and_slope::<B, L>(&self.0, column);
        (rate.into_iter().collect(), slope.into_iter().collect())
    }

    fn form(&self) -> Option<LinkForm> {
        self.0.form()
    }
}

/// Rates, and their derivatives by automatic differentiation.
fn rate_and_slope<B: Backend, L: InverseLink>(link: &L, predictor: ndarray::ArrayView2<'_, f64>) -> (Array2<f64>, Array2<f64>) {
    if predictor.is_empty() {
        return (predictor.to_owned(), predictor.to_owned());
    }
    let at = Matrix::<B>::from_array(predictor).into_tensor();
    let leaf = Tensor::<Autodiff<B::Burn>, 2>::from_inner(at.clone()).require_grad();
    let rate = link.rate(leaf.clone());
    let value = rate.clone().inner();
    let mut gradients = rate.backward();
    let slope = leaf.grad_remove(&mut gradients).unwrap_or_else(|| value.zeros_like());
    let missing = at.is_nan();
    let array = |values: Tensor<B::Burn, 2>| Matrix::<B>::from_tensor(values.mask_fill(missing.clone(), f32::NAN)).to_array();
    (array(value), array(slope))
}

/// The strength of a ridge on each coefficient, `[n_features, n_neurons · n_predictors]`; nothing without a penalty.
pub(crate) fn ridge(
    regularizer: &Regularizer,
    names: &Names,
    (dims, n_predictors): ((usize, usize), usize),
) -> Result<Option<Array2<f64>>, Error> {
    use nemos_glm::Strength;
    let strength = match regularizer.resolve(names, dims.0)? {
        Regularizer::Unregularized => return Ok(None),
        Regularizer::Ridge(strength) => strength,
        other => return Err(Error::NotNormal { penalty: name_of(&other) }),
    };
    Ok(Some(Array2::from_shape_fn(dims, |(feature, column)| match &strength {
        Strength::Shared(strength) => *strength,
        Strength::PerNeuron(strengths) => strengths[column / n_predictors],
        Strength::PerFeature(strengths) => strengths[feature],
        Strength::PerCoefficient(strengths) => strengths[(feature, column)],
        // A ridge has no groups, and its blocks were resolved.
        _ => 0.0,
    })))
}

/// How exactly a backend adds.
pub(crate) fn precision<B: Backend>() -> f64 {
    if B::DTYPE == DType::F64 { 1e-10 } else { 1e-5 }
}

fn name_of(penalty: &Regularizer) -> &'static str {
    match penalty {
        Regularizer::Lasso(_) => "a lasso",
        Regularizer::ElasticNet { .. } => "an elastic net",
        Regularizer::GroupLasso { .. } => "a group lasso",
        _ => "this penalty",
    }
}
