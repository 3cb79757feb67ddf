//! The curvature of every problem that is known before the first step.

use std::sync::Arc;

use ndarray::{Array2, Axis};

use crate::problem::moments::Moments;

/// What turns second moments of the features into the expected curvature of each problem.
///
/// With features centred, the curvature of problem `j` in the coefficients of predictor `k` is near
///
/// ```text
/// H = weight[k, j] · covariance + diag(ridge[.., j]),     and weight[k, j] for the centred intercept
/// ```
///
/// exactly so at the intercept-only fit of a generalized linear model, where every sample has the same weight. A problem
/// has one predictor, or one per class of a classifier.
#[derive(Clone, Debug)]
pub struct ExpectedCurvature {
    /// Second moments of each selection of rows: of all of them, or one for each fold that is left out.
    pub moments: Vec<Arc<Moments>>,
    /// `[n_problems]`: which moments each problem sees; the first ones, for all, where it is empty.
    pub of_problem: Vec<usize>,
    /// `[n_predictors, n_problems]`: mean curvature of one sample's loss in its predictor, at the start.
    pub weight: Array2<f64>,
    /// `[n_predictors · n_features, n_problems]`: curvature that a penalty adds, or nothing.
    pub ridge: Option<Array2<f64>>,
    /// `[n_predictors · n_features, n_problems]`: the coefficients that may move, the others stay where they start and
    /// have no gradient; all of them where there is nothing.
    pub free: Option<Array2<bool>>,
    /// `[n_features]`: what is taken off the features in the curvatures that evaluations bring, where means are so large that
    /// products of the features as they are would cancel.
    pub centre: Option<Arc<Vec<f64>>>,
}

impl ExpectedCurvature {
    /// Where all problems see the same rows, all coefficients may move and no penalty adds to the curvature.
    pub fn new(moments: Arc<Moments>, weight: Array2<f64>) -> Self {
        ExpectedCurvature {
            moments: vec![moments],
            of_problem: Vec::new(),
            weight,
            ridge: None,
            free: None,
            centre: None,
        }
    }

    /// The second moments that a problem sees.
    ///
    /// # Panics
    /// If the problem's number of moments is not among them, which is a mistake in the caller's code.
    pub fn moments_of(&self, problem: usize) -> &Arc<Moments> {
        &self.moments[self.index_of(problem)]
    }

    /// What is known of these problems alone, in this order.
    pub(crate) fn select(&self, problems: &[usize]) -> Self {
        ExpectedCurvature {
            moments: self.moments.clone(),
            of_problem: problems.iter().map(|&problem| self.index_of(problem)).collect(),
            weight: self.weight.select(Axis(1), problems),
            ridge: self.ridge.as_ref().map(|ridge| ridge.select(Axis(1), problems)),
            free: self.free.as_ref().map(|free| free.select(Axis(1), problems)),
            centre: self.centre.clone(),
        }
    }

    /// Number of the moments that a problem sees.
    pub(crate) fn index_of(&self, problem: usize) -> usize {
        self.of_problem.get(problem).copied().unwrap_or(0)
    }

    /// Features per predictor.
    pub(crate) fn n_features(&self) -> usize {
        self.moments.first().map_or(0, |moments| moments.mean.len())
    }

    /// Predictors per problem.
    pub(crate) fn n_predictors(&self) -> usize {
        self.weight.nrows()
    }

    /// Whether a coefficient may move; `place` counts coefficients without intercepts.
    pub(crate) fn is_free(&self, place: usize, problem: usize) -> bool {
        self.free.as_ref().is_none_or(|free| free[(place, problem)])
    }

    /// Curvature that the penalty adds to a coefficient.
    pub(crate) fn ridge_at(&self, place: usize, problem: usize) -> f64 {
        self.ridge.as_ref().map_or(0.0, |ridge| ridge[(place, problem)])
    }
}
