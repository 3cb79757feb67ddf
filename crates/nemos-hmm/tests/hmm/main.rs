//! Laws, degenerate cases, errors and files of hidden Markov models.

mod degenerate;
mod errors;
mod fits;
mod helpers;
mod laws;
mod sessions;
