//! Choosing a model: folds, grids and searches, paths, pipelines, variables.
//!
//! A model is chosen by what it says of data that it has not seen. [`Folds`] cut rows into those that are trained on and those
//! that are tested on; a [`GridSearch`] fits every candidate of a [`Grid`] on every fold and fits the best one to all
//! rows. Folds and neurons are one batch of the engine, which shares every pass over the design; strengths start from each other.
//!
//! | item | what it is |
//! |---|---|
//! | [`Folds`], [`Splits`], [`Split`] | how rows are cut: a plan, and what it gives |
//! | [`Grid`], [`Settings`], [`Value`], [`log_spaced`] | which values parameters take |
//! | [`Distributions`], [`Distribution`] | parameters at random |
//! | [`GridSearch`], [`Search`] | a search, in one go or by [successive halving](GridSearch::fit_halving), and what it found |
//! | [`Table`], [`Row`] | the scores of every candidate: printed, sorted, as CSV, as a curve |
//! | [`Rule`], [`Choice`] | the best, or the simplest within one standard error; for all neurons, or for each |
//! | [`Scoring`] | log-likelihood, pseudo-R², bits per spike, or your own |
//! | [`cross_validate`], [`learning_curve`] | one specification on folds, and on growing training rows |
//! | [`Pipeline`], [`FittedPipeline`] | a basis and a model as one value: bounds and scales come from training rows alone |
//! | [`Step`], [`Linear`] | a step of one's own between basis and model |
//! | [`PathSearch`], [`Path`], [`Criterion`] | a lasso from the strength at which nothing is active downwards |
//! | [`VariableSearch`], [`active_blocks`] | which blocks of features each neuron needs |
//! | [`Tunable`], [`Searchable`] | parameters by path; what can be searched |

mod batch;
mod checkpoint;
mod classes;
mod cross_validate;
mod cuts;
mod ends;
mod error;
mod fitted_pipeline;
mod fold_features;
mod folds;
mod found;
mod grid;
mod halving;
mod path;
mod path_run;
mod path_search;
mod path_units;
mod pipeline;
mod pipeline_parameters;
mod random;
mod refit;
mod routes;
mod row;
mod rule;
mod scoring;
mod search;
mod searchable;
mod splits;
mod step;
mod stepped;
mod steps;
mod table;
mod tunable;
mod value;
mod variable_search;
mod variables;

pub use cross_validate::{LearningPoint, cross_validate, learning_curve};
pub use error::Error;
pub use fitted_pipeline::FittedPipeline;
pub use folds::Folds;
pub use found::Search;
pub use grid::{Grid, Settings};
pub use path::{Criterion, Path};
pub use path_search::PathSearch;
pub use pipeline::Pipeline;
pub use random::{Distribution, Distributions};
pub use refit::Refitted;
pub use row::Row;
pub use rule::{Choice, Rule};
pub use scoring::{OwnScore, Scoring};
pub use search::GridSearch;
pub use searchable::Searchable;
pub use splits::{Split, Splits};
pub use step::{Linear, Step};
pub use table::{CurvePoint, Table};
pub use tunable::Tunable;
pub use value::{Value, log_spaced};
pub use variable_search::{Direction, VariableSearch};
pub use variables::{VariableStep, Variables, active_blocks};
