//! What the tests of nemos share: tolerances with names and reasons, golden cases as arrays, gradient checks.
//!
//! | item | what it is |
//! |---|---|
//! | [`Tolerance`] | how far a number may be from what is expected, and why |
//! | [`Card`] | a backend: the processor in the role of a graphics card |
//! | [`Case`] | one reference case: arrays and numbers by name |
//! | [`check_gradient`] | compares a gradient with central finite differences |
//! | [`problems`] | a zoo of problems that every solver meets, on [`HostObjective`] and [`Softmax`] |
//! | [`in_ranks`] | threads in the place of the processes of a cluster |
//! | [`refractory`] | a population in which one column's curvature is far from the expected one |

mod card;
mod case;
mod gradient;
mod host_objective;
mod problems;
mod ranks;
mod refractory;
mod softmax;
mod tolerance;

pub use card::Card;
pub use case::{Case, numbers};
pub use gradient::check_gradient;
pub use host_objective::{Digits, HostObjective, Loss};
pub use problems::{Problem, problems};
pub use ranks::in_ranks;
pub use refractory::refractory;
pub use softmax::Softmax;
pub use tolerance::Tolerance;
