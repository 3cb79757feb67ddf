//! The families, one file each.

mod bspline;
mod category;
mod custom;
mod cyclic_bspline;
mod exponential;
mod fourier;
mod history;
mod identity;
mod mspline;
mod raised_cosine;
mod zero;

pub use bspline::BSpline;
pub use category::{Category, Unknown};
pub use custom::Custom;
pub use cyclic_bspline::CyclicBSpline;
pub use exponential::OrthogonalizedExponential;
pub use fourier::{Fourier, Frequencies};
pub use history::History;
pub use identity::Identity;
pub use mspline::MSpline;
pub use raised_cosine::{Decay, RaisedCosineLinear, RaisedCosineLog};
pub use zero::Zero;
