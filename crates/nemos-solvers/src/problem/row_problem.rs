//! One problem row by row: what a proof of its minimum looks at.

use std::fmt;

use ndarray::Array2;

use crate::error::Error;

/// One problem as a sum over rows, in double precision: `value = Σₜ loss(ηₜ) + ½ Σᵢ ridgeᵢ wᵢ²` with the predictor
/// `ηₜ = xₜ · w + b + offsetₜ`. Parameters are the coefficients `w` and then the intercept `b`.
///
/// Objectives that can hold their rows [give it](crate::Objective::by_row) so that a minimum can be proven, and
/// where need be reached, whatever the scales, means and correlations of the features.
///
/// *Implementor must* give one offset per row, one flag and one ridge per feature, and one loss per predictor; must leave out rows
/// of weight zero; and must take the intercept for the last parameter. Losses that are convex in the predictor have minima that can be
/// proven.
pub struct RowProblem<'a> {
    /// `[n_rows, n_features]`: the rows that count.
    pub features: Array2<f64>,
    /// `[n_rows]`
    pub offset: Option<Vec<f64>>,
    /// `[n_features]`: which coefficients may move.
    pub free: Vec<bool>,
    /// `[n_features]`: strength of the square of each coefficient.
    pub ridge: Vec<f64>,
    /// What takes values to nats, over all rows together: zero where that is not known.
    pub nats: f64,
    /// The loss of each row at these predictors.
    pub losses: Losses<'a>,
}

/// From predictors `[n_rows]` to the loss of each row, its weight included. It fails where the data cannot be read.
pub type Losses<'a> = Box<dyn Fn(&[f64]) -> Result<Vec<RowLoss>, Error> + Send + Sync + 'a>;

/// The loss of one row at one predictor.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct RowLoss {
    /// The loss.
    pub value: f64,
    /// Its derivative in the predictor.
    pub slope: f64,
    /// Its second derivative.
    pub curvature: f64,
    /// Its expected second derivative, which does not fade as fast far from the minimum.
    pub expected: f64,
}

impl fmt::Debug for RowProblem<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RowProblem")
            .field("features", &self.features.dim())
            .finish_non_exhaustive()
    }
}
