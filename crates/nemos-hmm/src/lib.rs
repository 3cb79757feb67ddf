//! Hidden states: hidden Markov models whose observations are generalized linear models.
//!
//! ```text
//! π, A      initial and transition probabilities               P(zₜ = j | zₜ₋₁ = i) = A[i, j]
//! counts[t, n] ~ model with mean link(design[t] · coef_kn + intercept_kn),  k = zₜ
//! ```
//!
//! Animals switch strategies, brains switch states. A [`GlmHmm`] is a specification: how many states, which observation model, which
//! priors. Fitting it gives a [`FittedGlmHmm`], which says [how the fit ended](HmmStatus) with [what a reader must know](Finding);
//! [`FittedGlmHmm::on`] looks at data: filtered, predicted and smoothed probabilities, the most probable path, drawn paths.
//!
//! | item | what it is |
//! |---|---|
//! | [`GlmHmm`], [`Options`], [`Acceleration`] | the model to fit, one neuron or many, with its priors and starts |
//! | [`GlmStates`], [`ClassStates`], [`StateModel`] | what states are models of: counts, or labels of classes |
//! | [`HmmParameters`], [`StateGlm`], [`Transitions`], [`Drive`] | parameters as plain numbers |
//! | [`FittedGlmHmm`] | parameters, how they were found, and how many starts agree |
//! | [`HmmStatus`], [`Finding`], [`Restart`] | how a fit ended, with the evidence |
//! | [`Inferred`], [`Decoded`], [`Dwell`] | what data say of the states |
//! | [`StandardErrors`], [`Bootstrap`] | how sure parameters are |
//! | [`Part`], [`Held`] | what a fit leaves as it starts |
//! | [`DrawStates`], [`SimulatedStates`] | drawing states and counts, row by row |
//! | [`HeldOut`], [`states_curve`], [`states_curve_driven`], [`CurvePoint`] | comparing models by what they did not see |
//!
//! Recursions run on the host in double precision, in plain numbers where that is safe and in logarithms where it is not, whatever backend
//! holds the data. Sessions, restarts and neurons run in parallel; sums are added up in a fixed order.

#![deny(missing_docs)]

mod chain;
mod error;
mod fit;
mod fitted;
mod options;
mod parameters;
mod specification;
mod state_model;
mod transitions;

pub use error::Error;
pub use fit::report::{Finding, HmmStatus, Restart};
pub use fitted::bootstrap::Bootstrap;
pub use fitted::compare::HeldOut;
pub use fitted::curve::{CurvePoint, states_curve, states_curve_driven};
pub use fitted::decoded::{Decoded, Dwell};
pub use fitted::inferred::Inferred;
pub use fitted::model::FittedGlmHmm;
pub use fitted::simulate::{DrawStates, SimulatedStates};
pub use fitted::standard_errors::StandardErrors;
pub use options::{Acceleration, Concentration, Held, Options, Part, PriorSd, Shared, Start};
pub use parameters::{HmmParameters, StateGlm};
pub use specification::GlmHmm;
pub use state_model::{ClassStates, GlmStates, StateForm, StateModel};
pub use transitions::{Drive, Transitions};
