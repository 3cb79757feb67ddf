//! Which losses have a kernel, and what goes in and comes out.

use burn_tensor::{Tensor, TensorPrimitive};

use super::check_launch;
use crate::Backend;
use crate::matrix::primitive;

/// How counts scatter about a rate, for losses that have a kernel.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scatter {
    /// `rate − count · ln rate`
    Poisson,
    /// `count / rate + ln rate`
    Gamma,
    /// `(count − rate)²`
    Gaussian,
    /// `−ln rate`, or `−ln(1 − rate)` for a count of zero
    Bernoulli,
    /// `ln(1 + scale · rate) / scale + count · ln(1 + 1 / (scale · rate))`
    NegativeBinomial,
}

/// How a rate follows from a predictor, for losses that have a kernel.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    /// `exp(predictor)`
    Exp,
    /// `ln(1 + exp(predictor))`
    Softplus,
    /// `predictor`
    Identity,
    /// `1 / (1 + exp(−predictor))`: of [`Scatter::Bernoulli`].
    Logistic,
    /// `1 / predictor`: of [`Scatter::Gamma`].
    Reciprocal,
}

/// What losses are computed from.
///
/// # Shapes
/// predictor and counts `[n_rows, n_columns]`; weights and offset the same, or `[n_rows, 1]`; intercept and scale `[1, n_columns]`. None is
/// empty. The intercept and the offset are added to the predictor; a count that is NaN is missing.
#[derive(Clone, Debug)]
pub struct Terms<F> {
    /// Predictors, without intercept and offset.
    pub predictor: F,
    /// Counts.
    pub counts: F,
    /// Weights; all one where there are none.
    pub weights: Option<F>,
    /// What is added to the predictor in each row.
    pub offset: Option<F>,
    /// What is added to the predictor in each column.
    pub intercept: F,
    /// Dispersions.
    pub scale: F,
}

/// Slopes of losses in the predictor, and sums over the rows of each part: all times weights.
///
/// # Shapes
/// slopes `[n_rows, n_columns]`; sums `[n_parts, n_columns]`.
#[derive(Clone, Debug)]
pub struct TermSums<F> {
    /// One for each count.
    pub slopes: F,
    /// Sums of the losses.
    pub losses: F,
    /// Sums of the slopes.
    pub slope_sums: F,
}

/// Losses and slopes by the kernel of a backend, where it has one. Tensor operations give the same.
pub fn own_terms<B: Backend>(terms: Terms<Tensor<B::Burn, 2>>, scatter: Scatter, curve: Curve) -> Option<TermSums<Tensor<B::Burn, 2>>> {
    check_launch("terms", &terms.predictor.dims());
    let inside = Terms {
        predictor: primitive::<B, 2>(terms.predictor),
        counts: primitive::<B, 2>(terms.counts),
        weights: terms.weights.map(primitive::<B, 2>),
        offset: terms.offset.map(primitive::<B, 2>),
        intercept: primitive::<B, 2>(terms.intercept),
        scale: primitive::<B, 2>(terms.scale),
    };
    let sums = B::own_terms(inside, scatter, curve)?;
    let tensor = |values| Tensor::from_primitive(TensorPrimitive::Float(values));
    Some(TermSums {
        slopes: tensor(sums.slopes),
        losses: tensor(sums.losses),
        slope_sums: tensor(sums.slope_sums),
    })
}
