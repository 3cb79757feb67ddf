//! Choosing a model: folds, grids and searches, paths, pipelines.
#![allow(missing_docs)]

mod any;
mod batch;
mod checkpoint;
mod error;
mod folds;
mod grid;
mod number;
mod pipeline;
mod routes;
mod rule;
mod scoring;
mod search;
mod searchable;
mod splits;
mod standard;
mod table;
mod tunable;
mod value;

pub use any::{AnyLink, AnyModel};
pub use error::Error;
pub use folds::Folds;
pub use grid::{Grid, Settings};
pub use pipeline::{FittedPipeline, Pipeline};
pub use rule::{Choice, Rule};
pub use scoring::Scoring;
pub use search::{GridSearch, Refitted, Search};
pub use searchable::Searchable;
pub use splits::{Split, Splits};
pub use table::{CurvePoint, Row, Table};
pub use tunable::Tunable;
pub use value::{Value, log_spaced};
