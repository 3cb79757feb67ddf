//! What simulations promise.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod draws;
mod networks;
