//! The first layer: features centred, each coefficient still its own.
//!
//! ```text
//! point    = [coef, intercept + mean · coef]              for each predictor
//! gradient = [slope − mean · slope₀, slope₀]              slope₀: of the intercept
//! ```
//!
//! Intercepts and coefficients hardly affect each other there, and penalties see the coefficients that they know.

use ndarray::{Array2, s};

use crate::linear::vector::{add, dot};
use crate::problem::expected_curvature::ExpectedCurvature;
use crate::problem::parameters::Parameters;

/// From points to parameters, in their place.
pub(crate) fn uncentre(expected: &ExpectedCurvature, points: &mut Parameters, problems: &[usize]) {
    shift(expected, points, problems, -1.0);
}

/// From parameters to points, in their place.
pub(crate) fn centre(expected: &ExpectedCurvature, parameters: &mut Parameters, problems: &[usize]) {
    shift(expected, parameters, problems, 1.0);
}

fn shift(expected: &ExpectedCurvature, columns: &mut Parameters, problems: &[usize], sign: f64) {
    let width = expected.n_features() + 1;
    for (index, &problem) in problems.iter().enumerate() {
        let mean = &expected.moments_of(problem).mean;
        for predictor in columns.column_mut(index).chunks_exact_mut(width) {
            let (intercept, coef) = predictor.split_last_mut().expect("a predictor ends with its intercept");
            *intercept += sign * dot(coef, mean);
        }
    }
}

/// From gradients in the parameters to gradients at points, in their place; nothing along coefficients that are held.
pub(crate) fn centre_gradient(expected: &ExpectedCurvature, gradient: &mut Parameters, problems: &[usize]) {
    let n_features = expected.n_features();
    for (index, &problem) in problems.iter().enumerate() {
        let mean = &expected.moments_of(problem).mean;
        for (predictor, column) in gradient.column_mut(index).chunks_exact_mut(n_features + 1).enumerate() {
            let (intercept, slopes) = column.split_last_mut().expect("a predictor ends with its intercept");
            add(slopes, -*intercept, mean);
            if expected.free.is_some() {
                for (feature, slope) in slopes.iter_mut().enumerate() {
                    if !expected.is_free(predictor * n_features + feature, problem) {
                        *slope = 0.0;
                    }
                }
            }
        }
    }
}

/// From a curvature in the parameters of a problem to one at points.
pub(crate) fn centre_curvature(expected: &ExpectedCurvature, curvature: Array2<f64>, problem: usize) -> Array2<f64> {
    less_means(curvature, &means(expected, problem))
}

/// The same among a few features.
pub(crate) fn centre_few(expected: &ExpectedCurvature, curvature: Array2<f64>, (problem, features): (usize, &[usize])) -> Array2<f64> {
    let means = means(expected, problem);
    let few: Vec<f64> = features.iter().map(|&feature| means[feature]).collect();
    less_means(curvature, &few)
}

/// Means of the features about the centre that curvatures are about.
fn means(expected: &ExpectedCurvature, problem: usize) -> Vec<f64> {
    let mut mean = expected.moments_of(problem).mean.clone();
    if let Some(centre) = &expected.centre {
        add(&mut mean, -1.0, centre);
    }
    mean
}

fn less_means(mut curvature: Array2<f64>, mean: &[f64]) -> Array2<f64> {
    let width = mean.len() + 1;
    // Rows, then columns: each coefficient's less its mean times the intercept's.
    for _ in 0..2 {
        for first in (0..curvature.nrows()).step_by(width) {
            let intercept = curvature.row(first + width - 1).to_owned();
            let mut rows = curvature.slice_mut(s![first..first + width - 1, ..]);
            for (mut row, &mean) in rows.rows_mut().into_iter().zip(mean) {
                row.scaled_add(-mean, &intercept);
            }
        }
        curvature.swap_axes(0, 1);
    }
    curvature
}
