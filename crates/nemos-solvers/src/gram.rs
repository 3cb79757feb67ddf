//! Second moments of the features: the curvature that is known before the first step.

use ndarray::Array2;

/// Means and covariances of the features, with what turns them into the curvature of each problem.
///
/// With features centred, the curvature of problem `j` is near
///
/// ```text
/// Hⱼ = weightⱼ · covariance + diag(ridgeⱼ),     and weightⱼ for the centred intercept
/// ```
///
/// exactly so at the intercept-only fit of a generalized linear model, where every sample has the same weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Gram {
    /// `[n_features]`: means over the samples.
    pub mean: Vec<f64>,
    /// `[n_features, n_features]`: covariances over the samples.
    pub covariance: Array2<f64>,
    /// Relative error of the covariances: directions of less variance than this count as none.
    pub precision: f64,
    /// `[n_blocks, n_problems]`: mean curvature of one sample's loss in its predictor, at the start.
    pub weight: Array2<f64>,
    /// `[n_blocks · n_features, n_problems]`: curvature that a penalty adds, or nothing.
    pub ridge: Option<Array2<f64>>,
    /// `[n_blocks · n_features, n_problems]`: the coefficients that may move, the others stay where they start and have
    /// no gradient; all of them where there is nothing.
    pub free: Option<Array2<bool>>,
}
