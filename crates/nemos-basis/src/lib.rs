//! Basis functions: turn what was measured into features.
//!
//! A model of a neuron is linear in its features, so its features decide what it can see. A family gives a few smooth functions;
//! used on samples, each function is a feature; [`convolved`](Basis::convolved), each is a filter over the recent past. Bases add
//! (`a + b`: features side by side) and multiply (`a * b`: every pair), and any of them is a [`Basis`].
//!
//! | family | functions | for |
//! |---|---|---|
//! | [`BSpline`] | bumps that sum to one | a tuning curve, a position |
//! | [`CyclicBSpline`] | the same on a circle | an angle, a phase |
//! | [`MSpline`] | bumps that integrate to one | a density |
//! | [`RaisedCosineLinear`] | bumps of one shape, evenly spaced | a tuning curve, a filter of even detail |
//! | [`RaisedCosineLog`] | fine first, coarse later | a filter over the recent past |
//! | [`OrthogonalizedExponential`] | decays, made orthonormal | a filter that forgets |
//! | [`Fourier`] | sines and cosines of one or several inputs | a rhythm, a grid cell |
//! | [`Identity`] | the sample itself | a speed |
//! | [`History`] | raw lags | a short filter without assumptions |
//! | [`Category`] | one column each | a choice, a context |
//! | [`Zero`] | none | a model without this input |
//! | [`Custom`] | your own | anything else |

mod basis;
mod bounds;
mod convolve;
mod cosines;
mod design;
mod error;
/// The families, one file each.
mod families {
    mod bspline;
    mod category;
    mod custom;
    mod cyclic_bspline;
    mod exponential;
    mod fourier;
    mod history;
    mod identity;
    mod mspline;
    mod raised_cosine_linear;
    mod raised_cosine_log;
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
    pub use raised_cosine_linear::RaisedCosineLinear;
    pub use raised_cosine_log::{Decay, RaisedCosineLog};
    pub use zero::Zero;
}
mod family;
mod family_table;
mod filter_bank;
mod filters;
mod grid;
mod identifiability;
mod inputs;
mod labels;
mod layout;
mod learned_bounds;
mod operators;
mod piecewise;
mod plan;
mod print;
mod room;
mod saved;
mod source;
mod spec;
mod strided;
mod window;

pub use basis::Basis;
pub use convolve::convolve;
pub use design::BasisDesign;
pub use error::Error;
pub use families::{
    BSpline, Category, Custom, CyclicBSpline, Decay, Fourier, Frequencies, History, Identity, MSpline, OrthogonalizedExponential,
    RaisedCosineLinear, RaisedCosineLog, Unknown, Zero,
};
pub use family::Family;
pub use filters::Filters;
pub use grid::Grid;
pub use identifiability::{Intercept, apply_identifiability_constraints, identifiable_columns, identifiable_columns_by_component};
pub use inputs::Inputs;
pub use layout::Layout;
pub use learned_bounds::{FittedTransformer, Transformer};
pub use nemos_core::convolution::{Causality, Shift};
pub use window::Window;
