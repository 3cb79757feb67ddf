//! The suites of fits on graphics cards: on the processor in the role of one, and on those that features bring. Within 1e-3, as every fit
//! in single precision.

use nemos::core::Backend;
use nemos_testkit::Card;

use crate::{classifier, glm, suite};

fn fits<B: Backend>() {
    suite::run("glm", glm::run_on::<B>);
    suite::run("population", glm::run_on::<B>);
    suite::run("classifier", classifier::run_on::<B>);
}

#[test]
fn fits_as_a_card() {
    fits::<Card>();
}

#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn fits_if_there<B: Backend>() {
    match B::check() {
        Ok(()) => fits::<B>(),
        Err(error) => println!("not tried: {error}"),
    }
}

#[cfg(feature = "wgpu")]
#[test]
fn fits_on_wgpu() {
    fits_if_there::<nemos::core::Wgpu>();
}

#[cfg(feature = "cuda")]
#[test]
fn fits_on_cuda() {
    fits_if_there::<nemos::core::Cuda>();
}
