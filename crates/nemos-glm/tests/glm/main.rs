//! What the models promise.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checkpoints;
mod classes;
mod common;
mod fits;
mod gradients;
mod groups;
mod killed;
mod laws;
mod limits;
mod models;
mod null_model;
mod problems;
