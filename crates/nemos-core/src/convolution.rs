//! Convolution along time: banks of filters over series of samples.
//!
//! ```text
//! out(t, f) = Σ(lag = 0 .. window − 1) kernel(lag, f) · series(t + lead − lag)
//! ```
//! Row 0 of a kernel meets the newest sample of a window; the *lead*, how far ahead of a row that sample is, follows from
//! the [`Causality`]. Three ways give the same sums, and [`Kernel::filter`] takes the one that is the fastest for the samples
//! at hand: sample by sample (spike counts are mostly zeros, which cost nothing), lag by lag (a single filter over a dense
//! signal), or by Fourier transforms (long filters over dense signals).

mod causality;
mod kernel;
mod sums;
mod tensor;
mod transform;

pub use causality::{Causality, Shift};
pub use kernel::{Kernel, Series};
