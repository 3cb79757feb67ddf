//! Passes over data: rows, read a chunk at a time, become sums in a fixed order.
//!
//! ```text
//! Data        a design and counts, and which of their rows can be used
//!  └ Chunk    some rows of both, with their weights and offset
//!     └ Scratch | tensors    predictors, losses, slopes of the problems asked for: fused loops, or burn operations
//!        └ Sums              added up within a shard, and over shards by a fixed tree
//! ```
//!
//! A problem is one set of coefficients. [`Problems`] says which data each sees: which column of the counts, which column
//! of the weights, which rows it leaves out. Nothing is copied for it.

pub(crate) mod by_row;
pub(crate) mod chunk;
pub(crate) mod data;
pub(crate) mod evaluation;
pub(crate) mod host;
pub(crate) mod loops;
pub(crate) mod measure;
pub(crate) mod model;
pub(crate) mod moments;
pub(crate) mod numbers;
pub(crate) mod objective;
pub(crate) mod observations;
pub(crate) mod pending;
pub(crate) mod problems;
pub(crate) mod products;
pub(crate) mod row_problem;
pub(crate) mod second;
pub(crate) mod selection;
pub(crate) mod shards;
pub(crate) mod sums;
pub(crate) mod support;
pub(crate) mod survey;
pub(crate) mod surveyed;
pub(crate) mod tensors;
pub(crate) mod totals;
pub(crate) mod views;
mod weights;
