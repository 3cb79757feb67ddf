//! Laws, degenerate cases, errors and files of hidden Markov models.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod acceleration;
mod curvature;
mod degenerate;
mod errors;
mod fits;
mod held_out;
mod helpers;
mod laws;
mod order;
mod printed;
mod scales;
mod sessions;
mod standard_errors;
mod units;
