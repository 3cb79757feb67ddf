//! What the bases promise.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod errors;
mod families;
mod laws;
mod names;
mod saved;
