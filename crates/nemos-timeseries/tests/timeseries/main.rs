//! What the time series promise.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alignment;
mod laws;
mod pieces;
mod pynapple;
mod spectra;
mod tolerance;
