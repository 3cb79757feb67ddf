//! Steps on one problem whose rows are at hand, under any penalty.

use ndarray::Array2;

use crate::linear::vector::{add, dot};
use crate::model::coordinate_descent::{minimize_model_closely, units};
use crate::model::quadratic::{Base, Quadratic};
use crate::penalty::column::ColumnPenalty;
use crate::problem::row_problem::RowProblem;
use crate::proof::least_squares::{Centred, Pull, SlopeLeft, Step, newton_step};
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
    let end = minimize_model_closely(&model, &gradient, &start, &units(penalty, &free));
    let change: Vec<f64> = end.iter().zip(&start).map(|(end, start)| end - start).collect();
    // What the model falls by: slope and penalty, and half the curvature along the step.
    let fall = -penalty.slope(&gradient, &start, &change) - 0.5 * model.along(&change);
    // Where curvature has vanished, a step may be beyond what numbers hold.
    if !fall.is_finite() {
        return None;
    }
    let moved: Vec<f64> = places.iter().map(|&place| change[place]).collect();
    let mut whole = change.clone();
    whole[width - 1] = change[width - 1] - dot(&centred.mean, &change[..width - 1]);
    let of_rows = centred.of_rows(problem, &moved);
    let slopes = centred.slopes_left(problem, point, &of_rows);
    let is_whole = is_minimum((problem, penalty), point.little(), &end, &slopes);
    let step = Step {
        of_rows,
        change: whole,
        decrement: fall.max(0.0),
        rank: centred.features.len(),
        condition: f64::NAN,
        is_whole,
    };
    step.change.iter().all(|x| x.is_finite()).then_some(step)
}

/// Whether the slopes that the smooth model has at its end balance those of the penalty: the conditions of its minimum, which
/// sweeps may have missed.
fn is_minimum((problem, penalty): (&RowProblem<'_>, &ColumnPenalty), enough: f64, end: &[f64], slopes: &[SlopeLeft]) -> bool {
    let intercept = end.len() - 1;
    let is_free = |place: usize| place == intercept || problem.free[place];
    let vanishes = |place: usize, nonsmooth: f64, bend: f64| {
        let strength = if place < intercept { problem.ridge[place] } else { 0.0 };
        let ridge = Pull::of_ridge(strength, end[place], 0.0);
        let both = Pull {
            slope: ridge.slope + nonsmooth,
            size: ridge.size + nonsmooth.abs(),
            bend: ridge.bend + bend,
        };
        slopes[place].vanishes(both, enough)
    };
    let grouped: Vec<usize> = penalty.groups.iter().flat_map(|group| group.members.iter().copied()).collect();
    let mut singles = (0..end.len()).filter(|&place| is_free(place) && !grouped.contains(&place));
    let singles = singles.all(|place| match (end[place], penalty.lasso[place], slopes[place].slope) {
        (0.0, strength, slope) => slope.abs() <= strength || vanishes(place, -strength.copysign(slope), 0.0),
        (at, strength, _) => vanishes(place, strength * at.signum(), 0.0),
    });
    singles
        && penalty.groups.iter().all(|group| {
            let members = || group.members.iter().copied().filter(|&member| is_free(member));
            let norm = members().map(|member| end[member] * end[member]).sum::<f64>().sqrt();
            if norm == 0.0 {
                let steepness = members().map(|member| slopes[member].slope.powi(2)).sum::<f64>().sqrt();
                return steepness <= group.strength * (1.0 + 1e-7);
            }
            let bend = group.strength / norm;
            members().all(|member| vanishes(member, bend * end[member], bend))
        })
}

/// A point along a step. Coefficients that the whole step takes to zero are zero at its end.
pub(crate) fn along(point: &Point, step: &Step, length: f64) -> Vec<f64> {
    let mut at = point.at.clone();
    add(&mut at, length, &step.change);
    at
}
