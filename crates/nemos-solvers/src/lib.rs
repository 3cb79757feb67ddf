//! Minimising many independent problems at once: objectives, solvers and penalties. Nothing here knows a model.
//!
//! A population of neurons is a batch of problems that share a design. [`Parameters`] holds one column per problem, an
//! [`Objective`] evaluates any subset of the columns in one pass over the data, and a [`Solver`] moves every column by
//! its own step: line searches, convergence and failure are per column, and a column that is done leaves the batch.
//! What a column ends with does not depend on which others were solved beside it.
//!
//! Parameters live on the host in double precision, whatever computes the objective: one step costs one upload of
//! the parameters and one read-back of values and gradients.
//!
//! | item | what it is |
//! |---|---|
//! | [`Objective`] | value, gradient and, where asked, curvature, per column |
//! | [`Gram`] | second moments of the features: what makes steps of every scale and correlation easy |
//! | [`Solver`] | smooth objectives: [`Lbfgs`], [`Newton`], [`Bfgs`], [`NonlinearCg`], [`GradientDescent`], [`Svrg`] |
//! | | any penalty: [`ProximalNewton`], [`ProximalGradient`], [`ProxSvrg`] |
//! | | [`Auto`], which picks one; or your own |
//! | [`Stochastic`] | solvers that may see other data at every step |
//! | [`Watch`] | looks on while a solver runs |
//! | [`minimize`] | runs a solver until every column is done |
//! | [`Outcome`], [`Status`] | how each column ended, with the evidence |
//! | [`Regularizer`], [`Strength`], [`Groups`] | penalties on coefficients, and their proximal maps |
//! | [`Penalized`] | an objective with a penalty |

mod auto;
mod axes;
mod bfgs;
mod centred;
mod coordinate_descent;
mod descent;
mod error;
mod first_order;
mod frame;
mod gauge;
mod gradient_descent;
mod gram;
mod group_step;
mod groups;
mod kinks;
mod lbfgs;
mod line_search;
mod meter;
mod minimize;
mod newton;
mod nonlinear_cg;
mod objective;
mod outcome;
mod parameters;
mod penalized;
mod polish;
mod prox_svrg;
mod proximal_gradient;
mod proximal_newton;
mod quadratic;
mod recession;
mod regularizer;
mod solver;
mod space;
mod stopping;
mod strength;
mod svrg;
mod variance_reduced;
mod watch;

pub use auto::{Auto, AutoState};
pub use bfgs::{Bfgs, BfgsState};
pub use error::Error;
pub use first_order::{Acceleration, StepLength};
pub use gradient_descent::{GradientDescent, GradientDescentState};
pub use gram::Gram;
pub use groups::Groups;
pub use lbfgs::{Lbfgs, LbfgsState};
pub use minimize::{Solution, minimize};
pub use newton::{Newton, NewtonState};
pub use nonlinear_cg::{NonlinearCg, NonlinearCgState};
pub use objective::{Evaluation, Objective, Order, Request, Smoothness};
pub use outcome::{ColumnOutcome, Outcome, Status};
pub use parameters::Parameters;
pub use penalized::Penalized;
pub use prox_svrg::{ProxSvrg, ProxSvrgState};
pub use proximal_gradient::{ProximalGradient, ProximalGradientState};
pub use proximal_newton::{ModelCurvature, ProximalNewton, ProximalNewtonState};
pub use regularizer::Regularizer;
pub use solver::{Progress, Solver, Stochastic};
pub use strength::Strength;
pub use svrg::{Svrg, SvrgState};
pub use watch::Watch;
