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
//! | [`ClassifierGlm`], [`ClassifierPopulationGlm`] | which of several classes each sample belongs to |
//! | [`FeatureMask`] | which features each neuron may use |
//! | [`Training`] | a fit that is fed batch by batch |
//! | [`ObservationModel`], [`InverseLink`] | traits, to bring your own |
//! | [`Score`] | how well a fitted model describes data |

mod bernoulli;
mod categorical;
mod classes;
mod classifier;
mod classifier_fitted;
mod data;
mod dispersion;
mod error;
mod fit;
mod fitted;
mod fused;
mod gamma;
mod gaussian;
mod glm;
mod kernel;
mod link;
mod links;
mod mask;
mod measure;
mod negative_binomial;
mod null;
mod objective;
mod observation;
mod per_row;
mod poisson;
mod population;
mod predictor;
mod rows;
mod score;
mod smoothness;
mod start;
mod sums;
mod survey;
mod training;

pub use bernoulli::Bernoulli;
pub use classes::Classes;
pub use classifier::{ClassifierGlm, ClassifierPopulationGlm, LogSoftmax};
pub use classifier_fitted::{FittedClassifierGlm, FittedClassifierPopulationGlm};
pub use error::Error;
pub use fitted::{FittedGlm, FittedPopulationGlm};
pub use gamma::Gamma;
pub use gaussian::Gaussian;
pub use glm::Glm;
pub use link::{InverseLink, LinkForm};
pub use links::{Exp, Identity, Logistic, NormalCdf, Reciprocal, Softplus};
pub use mask::FeatureMask;
pub use negative_binomial::NegativeBinomial;
pub use nemos_solvers::{ColumnOutcome, Groups, Outcome, Regularizer, Status, Strength};
pub use objective::GlmObjective;
pub use observation::{ModelForm, ObservationModel, Scale, Support};
pub use poisson::Poisson;
pub use population::PopulationGlm;
pub use score::Score;
pub use training::Training;
