//! Where numbers live and how they flow: backends, matrices, and the designs that models read their rows from.
//!
//! Everything in `nemos` that computes is generic over a [`Backend`], a compute device together with a
//! floating-point precision. Data carry it ([`Matrix<B>`], [`Design<B>`]); specifications of models, bases and
//! solvers do not. A pass over data is always a loop over chunks of rows ([`row_chunks`]), so that nothing of the
//! size of a whole recording need exist unless the caller made it.
//!
//! | item | what it is |
//! |---|---|
//! | [`Backend`] | device and precision, as a type: [`Cpu`], [`NdArray`], `Wgpu`, `Cuda` |
//! | [`Matrix`] | `[n_samples, n_columns]`; time is the first axis |
//! | [`Operand`], [`Sums`] | features ready for the products of a pass; its sums, read back at once |
//! | [`Rows`] | what can give its rows some at a time |
//! | [`Design`] | rows, and what belongs to them: names, times, segments, weights, an offset |
//! | [`ToDesign`], [`Samples`] | what can be seen as a design; what can wrap a result in its own kind |
//! | [`Features`] | named blocks of columns |
//! | [`Names`], [`Block`] | names of columns, and of the blocks and channels that they fall into |
//! | [`convolution`] | banks of filters along time |
//! | [`Segments`] | contiguous ranges of rows that must not leak into each other |
//! | [`World`], [`Share`], [`Peers`] | the processes of a program, the rows that each has, what carries their messages |
//!
//! # Glossary
//!
//! One word per idea, in every crate: *counts* (spikes per bin), *rate* (expected counts per bin), *predictor*
//! (design · coef + intercept), *design* (rows and what belongs to them), *coef*, *intercept*, *window* (length of a kernel
//! in samples), *lag*, *segment*, *block* (columns under one name), *channel* (columns of a block that belong to one column of
//! its input), *chunk* (rows that are read together), *n_rows*, *n_features*, *n_neurons*, *n_functions*.

mod addresses;
mod arithmetic;
mod backend;
mod chunkwise;
mod columns;
mod conversions;
pub mod convolution;
mod design;
mod device;
mod digest;
mod error;
mod features;
mod host;
mod linalg;
mod matrix;
mod memory;
mod multiply;
mod names;
mod narrow;
pub mod number;
mod print;
mod rows;
mod segments;
mod selected;
pub mod simd;
pub mod special;
mod textbook;
mod times;
mod upload;
mod world;

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
pub use backend::{Backend, Products};
pub use design::{Design, Samples, ToDesign};
pub use device::{Curve, Operand, Scatter, Sums, TermSums, Terms, check_launch, own_terms};
pub use digest::Digest;
pub use error::Error;
pub use features::Features;
pub use host::{HostFloat, HostRows};
pub use linalg::{LeastSquares, SymmetricEigen, cholesky, inverse_positive_definite, least_squares, solve_positive_definite};
pub use matrix::Matrix;
pub use memory::{check_memory, give_back_memory, with_room, zeros};
pub use multiply::{Onto, multiply, multiply_lower};
pub use names::{Block, Names};
pub use print::{counted, five_digits};
pub use rows::{Rows, check_columns_exist, check_rows_exist, row_chunks};
pub use segments::Segments;
pub use times::{first_time_apart, time_tolerance};
pub use world::{Part, Peers, Piece, Share, World};

/// The tensor crate that models, links and bases are written in. It is `burn::tensor` under another name.
pub use burn_tensor as tensor;

/// Automatic differentiation on top of a burn backend.
pub use burn_autodiff::Autodiff;
