//! Drawing spikes from models: what a fitted model would have seen, and networks whose spikes feed back.
//!
//! ```text
//! feed-forward   counts[t] ~ observation model with mean rate[t]
//! recurrent      rate[t, i] = link(intercept[i] + drive[t, i] + Σⱼ Σₗ filter[l, i, j] · counts[t − 1 − l, j])
//! ```
//!
//! Randomness is an argument: the same rates and the same generator in the same state give the same draws, whatever the
//! backend or the machine. (Rates that a fitted model predicts differ between backends in their last digits, and so then
//! may draws; those of a recurrent network do not.) Draws are made on the host in double precision, sample after sample and neuron after neuron; a rate that is
//! NaN gives a NaN and takes nothing from the generator. Logarithms and exponentials come from `libm`, whose results do
//! not depend on the platform.
//!
//! | item | what it is |
//! |---|---|
//! | [`Simulate`] | counts of a fitted model, for any samples |
//! | [`Draw`] | how an observation model draws one count; yours may, too |
//! | [`Recurrent`] | a coupled population, run step by step |
//! | [`Coupling`] | its filters, from coefficients and a basis, or as they are |
//! | [`Simulation`], [`End`] | what a run gives, and how it ended |
//! | [`Stability`] | whether activity that feeds back would grow |
//! | [`ScalarLink`] | a link of one predictor at a time; yours may be, too |
//! | [`DifferenceOfGammas`], [`regress_filter`], [`coupling_coef`], [`feedforward`] | filters and inputs by hand |

mod coupling;
mod error;
mod feedforward;
mod gammas;
mod incomplete_gamma;
mod recurrent;
mod ring;
mod simulate;
mod simulation;
mod stability;

pub use coupling::{Coupling, coupling_coef, regress_filter};
pub use error::Error;
pub use feedforward::feedforward;
pub use gammas::DifferenceOfGammas;
pub use nemos_glm::{Draw, ScalarLink};
pub use recurrent::Recurrent;
pub use simulate::{Simulate, Simulated};
pub use simulation::{End, Simulation};
pub use stability::Stability;
