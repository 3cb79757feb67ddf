//! What the solvers promise.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod columns;
mod custom;
mod laws;
mod lingering;
mod ridges;
mod saved;
mod zoo;
