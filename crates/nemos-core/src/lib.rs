//! Where numbers live and how they flow: backends, matrices, and the designs that models read their rows from.
//!
//! Everything in `nemos` that computes is generic over a [`Backend`], a compute device together with a
//! floating-point precision. Data carry it ([`Matrix<B>`], [`Design<B>`]); specifications of models, bases and
//! solvers do not. A pass over data is always a loop over blocks of rows ([`row_blocks`]), so that nothing of the
//! size of a whole recording need exist unless the caller made it.
//!
//! | item | what it is |
//! |---|---|
//! | [`Backend`] | device and precision, as a type: [`Cpu`], [`NdArray`], `Wgpu`, `Cuda` |
//! | [`Matrix`] | `[n_samples, n_columns]`; time is the first axis |
//! | [`Design`] | what can give its rows a block at a time |
//! | [`Samples`] | a design that can wrap a result in its own kind |
//! | [`Annotated`] | a design whose rows carry weights and an offset |
//! | [`Features`] | named blocks of columns |
//! | [`Segments`] | contiguous ranges of rows that must not leak into each other |
//! | [`Segmented`] | a matrix whose rows fall into segments |
//!
//! # Glossary
//!
//! One word per idea, in every crate: *counts* (spikes per bin), *rate* (expected counts per bin), *predictor*
//! (design · coef + intercept), *design* (features in rows), *coef*, *intercept*, *window* (length of a kernel in
//! samples), *lag*, *segment*, *n_samples*, *n_features*, *n_neurons*, *n_functions*.

mod annotated;
mod backend;
mod blockwise;
mod design;
mod error;
mod features;
mod host;
mod linalg;
mod matrix;
mod memory;
mod segmented;
mod segments;
pub mod simd;
pub mod special;
mod times;

pub use annotated::Annotated;
pub use backend::Backend;
#[cfg(feature = "cpu")]
pub use backend::Cpu;
#[cfg(feature = "cuda")]
pub use backend::Cuda;
#[cfg(feature = "ndarray")]
pub use backend::NdArray;
#[cfg(any(feature = "cpu", feature = "ndarray"))]
pub use backend::Precision;
#[cfg(feature = "wgpu")]
pub use backend::Wgpu;
pub use design::{Design, Samples, row_blocks};
pub use error::Error;
pub use features::Features;
pub use host::{HostFloat, HostRows};
pub use linalg::{SymmetricEigen, least_squares, solve_positive_definite};
pub use matrix::Matrix;
pub use memory::{with_room, zeros};
pub use segmented::Segmented;
pub use segments::Segments;
pub use times::first_time_apart;

/// The tensor crate that models, links and bases are written in. It is `burn::tensor` under another name.
pub use burn_tensor as tensor;

/// Automatic differentiation on top of a burn backend.
pub use burn_autodiff::Autodiff;
