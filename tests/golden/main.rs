//! Golden cases: what NeMoS, pynapple and statsmodels returned for the same inputs.
//!
//! Every suite reads all cases of its file in `tests/golden/cases`, or in the folder that `NEMOS_GOLDEN_DIR` names
//! (from the root of the repository, or absolute), so that other seeds of the generator are tested in the same way.
//! A case that a runner does not understand fails.

mod basis;
mod cards;
mod classifier;
mod field;
mod fits;
mod glm;
mod hmm;
mod inference;
mod inference_model;
mod model;
mod nist;
mod objective;
mod observation;
mod proximal;
mod ranks;
mod real_data;
mod recordings;
mod saved_models;
mod select;
mod serve;
mod simulation;
mod suite;
mod timeseries;

#[test]
fn glm() {
    suite::run("glm", glm::run);
}

#[test]
fn population() {
    suite::run("population", glm::run);
}

#[test]
fn classifier() {
    suite::run("classifier", classifier::run);
}

#[test]
fn observation() {
    suite::run("observation", observation::run);
}

#[test]
fn proximal() {
    suite::run("proximal", proximal::run);
}

#[test]
fn saved_models() {
    suite::run("saved_models", saved_models::run);
}

#[test]
fn real_data() {
    suite::run("real_data", real_data::run);
}

#[test]
fn simulation() {
    suite::run("simulation", simulation::run);
}

#[test]
fn timeseries() {
    suite::run("timeseries", timeseries::run);
}

#[test]
fn basis() {
    suite::run("basis", basis::run);
}

#[test]
fn composite() {
    suite::run("composite", basis::run);
}

#[test]
fn convolve() {
    suite::run("convolve", basis::run_convolve);
}

#[test]
fn inference() {
    suite::run("inference", inference::run);
}

#[test]
fn select() {
    suite::run("select", select::run);
}

#[test]
fn field() {
    suite::run_on_all_cores("field", field::run);
}

#[test]
fn hmm() {
    suite::run("hmm", hmm::run);
}

#[test]
fn nist() {
    suite::run("nist", nist::run);
}

/// Not a test: what `tests/interop/fits.py` talks to.
#[test]
#[ignore = "answers questions on standard input"]
fn serve() {
    serve::serve();
}
