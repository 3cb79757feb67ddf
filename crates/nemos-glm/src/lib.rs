//! Generalized linear models of spike trains: which inputs, past spikes and other neurons drive each cell.
//!
//! ```text
//! predictor = design · coef + intercept        [n_samples, n_neurons]
//! rate      = link(predictor)
//! counts    ~ observation model with mean `rate`
//! ```
//!
//! A [`Glm`] (one neuron) or [`PopulationGlm`] (many) is a specification: an [`ObservationModel`], an [`InverseLink`] and
//! a penalty. Fitting it to a design and counts gives a [`FittedGlm`] or [`FittedPopulationGlm`], which predicts and
//! scores. A likelihood is written once, in burn operations on the predictor; gradients follow by automatic
//! differentiation, a block of samples at a time. Pairs of a built-in model and link run in one fused loop on the
//! processor.
//!
//! | item | what it is |
//! |---|---|
//! | [`Poisson`], [`Gamma`], [`Gaussian`], [`Bernoulli`], [`NegativeBinomial`] | observation models |
//! | [`Exp`], [`Softplus`], [`Logistic`], [`Identity`], [`Reciprocal`], [`NormalCdf`] | inverse links: from predictor to rate |
//! | [`ObservationForm`], [`LinkForm`], [`AnyGlm`] | a model and a link that are chosen while a program runs |
//! | [`ClassifierGlm`], [`ClassifierPopulationGlm`] | which of several classes each sample belongs to |
//! | [`FeatureMask`] | which features each neuron may use |
//! | [`Options`] | what a fit is told besides its model |
//! | [`FitPlan`] | the memory that a fit will take, and how its work is cut |
//! | [`Checkpoint`] | where a fit is kept, so that one that is stopped goes on |
//! | [`Training`] | a fit that is fed batch by batch |
//! | [`Problems`], [`GlmObjective`] | folds, strengths, states or replicates as one batch over one design |
//! | [`Observations`], [`Summed`] | a model without its types, for mixtures of models: log-likelihoods by row, rates |
//! | [`SecondMoment`] | informations, and the middle of sandwich covariances |
//! | [`ObservationModel`], [`InverseLink`] | traits, to bring your own |
//! | [`Draw`], [`ScalarLink`] | the same for one number at a time, for simulation |
//! | [`Score`] | how well a fitted model describes data |

mod classifier;
mod engine;
mod error;
mod fit;
mod fitted;
mod links;
mod models;

pub use classifier::categorical::LogSoftmax;
pub use classifier::classes::Classes;
pub use classifier::fitted::{FittedClassifierGlm, FittedClassifierPopulationGlm};
pub use classifier::specification::{ClassifierGlm, ClassifierPopulationGlm};
pub use engine::model::Information;
pub use engine::objective::GlmObjective;
pub use engine::observations::{Observations, Summed};
pub use engine::problems::Problems;
pub use engine::second::SecondMoment;
pub use error::Error;
pub use fit::checkpoint::Checkpoint;
pub use fit::glm::Glm;
pub use fit::mask::FeatureMask;
pub use fit::plan::FitPlan;
pub use fit::population::PopulationGlm;
pub use fit::task::Options;
pub use fit::training::Training;
pub use fitted::population::FittedPopulationGlm;
pub use fitted::score::Score;
pub use fitted::single::FittedGlm;
pub use links::exp::Exp;
pub use links::identity::Identity;
pub use links::link::{InverseLink, LinkForm};
pub use links::logistic::Logistic;
pub use links::normal_cdf::NormalCdf;
pub use links::reciprocal::Reciprocal;
pub use links::scalar::ScalarLink;
pub use links::softplus::Softplus;
pub use models::bernoulli::Bernoulli;
pub use models::built_in::BuiltIn;
pub use models::draw::Draw;
pub use models::form::ObservationForm;
pub use models::gamma::Gamma;
pub use models::gaussian::Gaussian;
pub use models::mean::Mean;
pub use models::negative_binomial::NegativeBinomial;
pub use models::observation::{ObservationModel, Scale, Support};
pub use models::poisson::Poisson;
pub use nemos_solvers::{ColumnOutcome, Groups, Outcome, Regularizer, Status, Stopping, Strength, elastic_net, group_lasso, lasso, ridge};

/// A model of one neuron whose observations and link are chosen while a program runs.
pub type AnyGlm = Glm<ObservationForm, LinkForm>;
/// A model of many neurons whose observations and link are chosen while a program runs.
pub type AnyPopulationGlm = PopulationGlm<ObservationForm, LinkForm>;
/// What fitting an [`AnyGlm`] gives, and what any saved model of one neuron is loaded as.
pub type AnyFittedGlm = FittedGlm<ObservationForm, LinkForm>;
/// What fitting an [`AnyPopulationGlm`] gives, and what any saved model of many neurons is loaded as.
pub type AnyFittedPopulationGlm = FittedPopulationGlm<ObservationForm, LinkForm>;
