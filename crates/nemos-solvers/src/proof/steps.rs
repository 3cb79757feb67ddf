//! Steps on one problem whose rows are at hand, under any penalty.

use ndarray::Array2;

use crate::linear::vector::{add, dot};
use crate::model::coordinate_descent::{minimize_model, units};
use crate::model::quadratic::{Base, Quadratic};
use crate::penalty::column::ColumnPenalty;
use crate::problem::row_problem::RowProblem;
use crate::proof::least_squares::{Centred, Step, newton_step};
use crate::proof::point::Point;

/// The step to the minimum of the quadratic model at a point, penalty included.
pub(crate) fn step_from(problem: &RowProblem<'_>, penalty: &ColumnPenalty, point: &Point) -> Option<Step> {
    if penalty.is_none() {
        newton_step(problem, point)
    } else {
        proximal_step(problem, penalty, point)
    }
}

/// The step under a penalty without a gradient, by coordinate descent.
fn proximal_step(problem: &RowProblem<'_>, penalty: &ColumnPenalty, point: &Point) -> Option<Step> {
    let centred = Centred::new(problem, point);
    let (along, dense) = (centred.gradient(problem, point), centred.curvature(problem));
    let width = point.at.len();
    // The places of what varies, among all parameters; the intercept is centred, and no penalty sees it.
    let places: Vec<usize> = centred.features.iter().copied().chain([width - 1]).collect();
    let mut curvature = Array2::zeros((width, width));
    let mut gradient = vec![0.0; width];
    for (i, &row) in places.iter().enumerate() {
        gradient[row] = along[i];
        for (j, &column) in places.iter().enumerate() {
            curvature[(row, column)] = dense[(i, j)];
        }
    }
    let free: Vec<bool> = problem.free.iter().copied().chain([true]).collect();
    let uncertain = curvature.diag().mapv(|value: f64| value.abs() * f64::EPSILON * width as f64);
    let mut start = point.at.clone();
    start[width - 1] = 0.0;
    let model = Quadratic::new(Base::Dense(curvature), uncertain.to_vec());
    let end = minimize_model(&model, &gradient, &start, &units(penalty, &free));
    let change: Vec<f64> = end.iter().zip(&start).map(|(end, start)| end - start).collect();
    // What the model falls by: slope and penalty, and half the curvature along the step.
    let fall = -penalty.slope(&gradient, &start, &change) - 0.5 * model.along(&change);
    let moved: Vec<f64> = places.iter().map(|&place| change[place]).collect();
    let mut whole = change.clone();
    whole[width - 1] = change[width - 1] - dot(&centred.mean, &change[..width - 1]);
    let of_rows = centred.of_rows(problem, &moved);
    // A feature that no curvature sees stays where the penalty holds it against its slope, or else nothing is known of it.
    let is_whole = centred.unseen.iter().all(|&feature| {
        let slope = centred.slope_left(problem, point, &of_rows, Some(feature));
        slope.slope.abs() <= penalty.lasso[feature].max(1e-7 * slope.size)
    });
    let step = Step {
        of_rows,
        change: whole,
        decrement: fall.max(0.0),
        rank: centred.features.len(),
        condition: f64::NAN,
        is_whole,
    };
    (step.decrement.is_finite() && step.change.iter().all(|x| x.is_finite())).then_some(step)
}

/// A point along a step. Coefficients that the whole step takes to zero are zero at its end.
pub(crate) fn along(point: &Point, step: &Step, length: f64) -> Vec<f64> {
    let mut at = point.at.clone();
    add(&mut at, length, &step.change);
    at
}
