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
//! | [`Poisson`] | observation models |
//! | [`Exp`], [`Softplus`], [`Identity`] | inverse links: from predictor to rate |
//! | [`ObservationModel`], [`InverseLink`] | traits, to bring your own |
//! | [`Score`] | how well a fitted model describes data |

mod error;
mod fit;
mod fitted;
mod glm;
mod kernel;
mod link;
mod links;
mod objective;
mod observation;
mod poisson;
mod population;
mod rows;
mod score;
mod start;
mod survey;

pub use error::Error;
pub use fitted::FittedGlm;
pub use glm::Glm;
pub use link::{InverseLink, LinkForm};
pub use links::{Exp, Identity, Softplus};
pub use nemos_solvers::{Outcome, Regularizer, Status, Strength};
pub use objective::GlmObjective;
pub use observation::{ModelForm, ObservationModel, Support};
pub use poisson::Poisson;
pub use population::{FittedPopulationGlm, PopulationGlm};
pub use score::Score;
