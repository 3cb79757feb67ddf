//! What the readers and writers promise.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
mod damaged;
mod field;
mod layouts;
mod models;
mod odd;
mod recordings;
#[cfg(feature = "zarr")]
mod zarr;
