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
//! | [`minimize`], [`Stopping`] | runs a solver until every column is done |
//! | [`minimize_each`] | under one penalty after the other |
//! | [`Auto`] | picks the solver; by name: |
//! | | smooth objectives: [`Lbfgs`], [`Newton`], [`Bfgs`], [`NonlinearCg`] |
//! | | any penalty: [`ProximalNewton`], [`GradientDescent`], [`Svrg`] |
//! | [`Regularizer`], [`Strength`], [`Groups`] | penalties on coefficients, and their proximal maps |
//! | [`Outcome`], [`Status`] | how each column ended, with the evidence |
//! | [`Callback`] | looks on while a solver runs |
//! | **objectives of one's own** | |
//! | [`Objective`] | value, gradient and, where asked, curvature, per column |
//! | [`Moments`], [`ExpectedCurvature`] | what is known before the first step: it makes steps of every scale and correlation easy |
//! | [`Penalized`] | an objective with a penalty |
//! | **solvers of one's own** | |
//! | [`Direction`], [`Descent`] | where a column goes next, and everything else |
//! | [`Solver`], [`State`], [`begin`] | settings, what they begin, and steps one by one |
//! | [`Method`] | steps that are not along directions |

mod descent;
mod error;
mod gradients;
mod linear;
mod model;
mod path;
mod penalty;
mod problem;
mod proof;
mod run;
mod solvers;
mod space;

pub use descent::descent::Descent;
pub use descent::direction::Direction;
#[doc(hidden)]
pub use descent::sample::{curvatures_at_a_time, sample_size};
pub use error::Error;
pub use gradients::gradient_steps::Acceleration;
pub use gradients::step_length::StepLength;
pub use path::each::minimize_each;
pub use penalty::groups::Groups;
pub use penalty::regularizer::{Regularizer, elastic_net, group_lasso, lasso, ridge};
pub use penalty::strength::Strength;
pub use problem::class_rows::ClassRows;
pub use problem::expected_curvature::ExpectedCurvature;
pub use problem::moments::Moments;
pub use problem::objective::{Evaluation, Objective, Order, Request, Smoothness};
pub use problem::parameters::Parameters;
pub use problem::penalized::Penalized;
pub use problem::row_problem::{Losses, RowLoss, RowProblem};
pub use run::callback::Callback;
pub use run::method::Method;
pub use run::minimize::{Solution, begin, minimize};
pub use run::outcome::{ColumnOutcome, Outcome, Status};
pub use run::progress::Progress;
pub use run::solver::Solver;
pub use run::state::State;
pub use run::stopping::Stopping;
pub use solvers::auto::Auto;
pub use solvers::bfgs::Bfgs;
pub use solvers::gradient_descent::GradientDescent;
pub use solvers::lbfgs::Lbfgs;
pub use solvers::newton::Newton;
pub use solvers::nonlinear_cg::NonlinearCg;
pub use solvers::proximal_newton::{ModelCurvature, ProximalNewton};
pub use solvers::svrg::Svrg;
