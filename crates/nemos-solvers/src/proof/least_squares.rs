//! Newton steps as weighted least squares over rows.
//!
//! With slopes `s` and curvatures `h` of the rows, the Newton step is the minimum of
//!
//! ```text
//! ½ Σₜ hₜ (zₜ · d + sₜ / hₜ)² + ½ Σᵢ ridgeᵢ (wᵢ + dᵢ)²
//! ```
//!
//! Squared moments of the rows lose half the digits of what tells nearly collinear features apart, and all of them where a
//! mean is large; the rows themselves, centred and scaled, do not.
//!
//! # References
//! Björck (1996), *Numerical Methods for Least Squares Problems*, sections 2.2 and 4.4.

use ndarray::{Array2, aview1};
use nemos_core::{LeastSquares, SymmetricEigen};

use crate::problem::row_problem::{RowLoss, RowProblem};
use crate::proof::exact::{self, Sum};
use crate::proof::point::Point;

/// A Newton step, and what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// For coefficients and intercept.
    pub(crate) change: Vec<f64>,
    /// `[n_rows]`: what it does to the predictors.
    pub(crate) of_rows: Vec<f64>,
    /// Half the square of the Newton decrement.
    pub(crate) decrement: f64,
    /// Directions of the features that the rows tell apart.
    pub(crate) rank: usize,
    /// Whether the slopes after the step vanish, as far as the curvature goes. Rows with a slope and no curvature may keep
    /// them from it: then neither the step nor the decrement says how far the minimum is.
    pub(crate) is_whole: bool,
    /// The largest over the smallest singular value of the weighted rows, scaled, along those.
    pub(crate) condition: f64,
}

/// Rows about a centre: `[n_rows, n_features + 1]`, weighed by the roots of curvatures.
pub(crate) struct Centred {
    /// Features that may move and vary.
    pub(crate) features: Vec<usize>,
    pub(crate) mean: Vec<f64>,
    /// `[n_rows, features + 1]`: features less their means, times the root of the curvature; last the intercept.
    pub(crate) rows: Array2<f64>,
    /// How large the features are, at most, beside their standard deviations.
    size: f64,
    /// Features that vary, yet not where there is curvature.
    pub(crate) unseen: Vec<usize>,
}

// What features differ by in a direction, as a share of their size, below which it is their own rounding.
const ROUNDING: f64 = 8.0 * f64::EPSILON;
// The share of its parts that a slope which vanishes may have left.
const LEFT: f64 = 1e-7;
// Where the squared moments have a condition below this, they lose no digits that matter.
const EASY: f64 = 1e8;

impl Centred {
    pub(crate) fn new(problem: &RowProblem<'_>, point: &Point) -> Self {
        let weight: f64 = point.rows.iter().map(|row| row.curvature).sum();
        let roots: Vec<f64> = point.rows.iter().map(|row| row.curvature.sqrt()).collect();
        // Where there is no curvature, all rows count the same.
        let share = |row: usize| {
            if weight > 0.0 {
                point.rows[row].curvature / weight
            } else {
                1.0 / roots.len() as f64
            }
        };
        let mean = exact::sums(problem.features.view(), share);
        // Of each feature: squares about the mean and about zero, under the weights, and the ends of its range.
        let mut seen = vec![(0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY); mean.len()];
        for (row, root) in problem.features.rows().into_iter().zip(&roots) {
            for ((x, mean), seen) in row.iter().zip(&mean).zip(&mut seen) {
                let (about, raw) = ((x - mean) * root, x * root);
                *seen = (seen.0 + about * about, seen.1 + raw * raw, seen.2.min(*x), seen.3.max(*x));
            }
        }
        let (mut features, mut unseen, mut size) = (Vec::new(), Vec::new(), 1.0_f64);
        for feature in (0..mean.len()).filter(|&feature| problem.free[feature]) {
            let (about, raw, low, high) = seen[feature];
            let (norm, raw) = (about.sqrt(), raw.sqrt());
            // What is left of a constant is its rounding error.
            if norm > ROUNDING * raw || problem.ridge[feature] > 0.0 {
                size = if norm > 0.0 { size.max(raw / norm) } else { size };
                features.push(feature);
            } else if high - low > ROUNDING * low.abs().max(high.abs()) {
                unseen.push(feature);
            }
        }
        let mut rows = Array2::zeros((roots.len(), features.len() + 1));
        for ((mut to, from), root) in rows.rows_mut().into_iter().zip(problem.features.rows()).zip(&roots) {
            for (to, &feature) in to.iter_mut().zip(&features) {
                *to = (from[feature] - mean[feature]) * root;
            }
            to[features.len()] = *root;
        }
        Centred {
            features,
            mean,
            rows,
            size,
            unseen,
        }
    }

    /// Slopes of the smooth part along the centred features that vary, and along the intercept.
    pub(crate) fn gradient(&self, problem: &RowProblem<'_>, point: &Point) -> Vec<f64> {
        let slope = |row: usize| point.rows[row].slope;
        let intercept = exact::sum(point.rows.iter().map(|row| row.slope));
        let sums = exact::sums_about(problem.features.view(), &self.mean, slope);
        let along = |&feature: &usize| sums[feature] + problem.ridge[feature] * point.at[feature];
        self.features.iter().map(along).chain([intercept]).collect()
    }

    /// The same slopes where those of the rows are given, and coefficients with a ridge have moved by this; without rounding, so that what
    /// nearly collinear features differ by counts.
    fn exact_gradient(&self, problem: &RowProblem<'_>, point: &Point, slopes: &[f64], moved: impl Fn(usize) -> f64) -> Vec<f64> {
        let sums = exact::products_about(problem.features.view(), &self.mean, slopes);
        let of_feature = |(place, &feature): (usize, &usize)| sums[feature] + problem.ridge[feature] * (point.at[feature] + moved(place));
        let intercept = exact::sum(slopes.iter().copied());
        self.features.iter().enumerate().map(of_feature).chain([intercept]).collect()
    }

    /// The same after a change along the centred features and the intercept, as far as the curvature goes.
    fn slopes_after(&self, problem: &RowProblem<'_>, point: &Point, along: &[f64]) -> Vec<f64> {
        let of_rows = problem.features.rows().into_iter().map(|x| {
            let mut change = Sum::default();
            change.add(along[self.features.len()]);
            for (&feature, &value) in self.features.iter().zip(along) {
                change.add_product(x[feature], value);
                change.add_product(-self.mean[feature], value);
            }
            change.value()
        });
        let slopes: Vec<f64> = of_rows
            .zip(&point.rows)
            .map(|(change, row)| row.slope + row.curvature * change)
            .collect();
        self.exact_gradient(problem, point, &slopes, |place| along[place])
    }

    /// `[features + 1, features + 1]`: the curvature along the centred features and the intercept, ridge included.
    pub(crate) fn curvature(&self, problem: &RowProblem<'_>) -> Array2<f64> {
        let mut curvature = self.rows.t().dot(&self.rows);
        for (place, &feature) in self.features.iter().enumerate() {
            curvature[(place, place)] += problem.ridge[feature];
        }
        curvature
    }

    /// Whether the slopes of the quadratic model vanish at the end of a step, beside those of single rows.
    fn is_whole(&self, problem: &RowProblem<'_>, point: &Point, (along, of_rows): (&[f64], &[f64])) -> bool {
        let enough = point.little();
        let slopes = self.slopes_left(problem, point, of_rows);
        let coefficients = self.features.iter().zip(along).all(|(&feature, change)| {
            let ridge = Pull::of_ridge(problem.ridge[feature], point.at[feature], *change);
            slopes[feature].vanishes(ridge, enough)
        });
        let mut others = self.unseen.iter().copied().chain([self.mean.len()]);
        coefficients && others.all(|place| slopes[place].vanishes(Pull::default(), enough))
    }

    /// The slopes of the quadratic model along the centred features, and at last the intercept, after the predictors changed by
    /// this.
    pub(crate) fn slopes_left(&self, problem: &RowProblem<'_>, point: &Point, of_rows: &[f64]) -> Vec<SlopeLeft> {
        let mut slopes = vec![SlopeLeft::default(); self.mean.len() + 1];
        for ((features, loss), change) in problem.features.rows().into_iter().zip(&point.rows).zip(of_rows) {
            let (slope, size) = (
                loss.slope + loss.curvature * change,
                loss.slope.abs() + (loss.curvature * change).abs(),
            );
            let places = features.iter().zip(&self.mean).chain([(&1.0, &0.0)]);
            for (left, (raw, mean)) in slopes.iter_mut().zip(places) {
                let x = raw - mean;
                left.slope += x * slope;
                // What is left of a constant is its rounding error, and so is its slope.
                left.size += (x.abs() + ROUNDING / LEFT * raw.abs()) * size;
                left.bend += loss.curvature * x * x;
            }
        }
        slopes
    }

    /// From a change along the centred features and the intercept to one of coefficients and intercept.
    pub(crate) fn change(&self, along: &[f64]) -> Vec<f64> {
        let mut change = vec![0.0; self.mean.len() + 1];
        let mut intercept = Sum::default();
        intercept.add(along[self.features.len()]);
        for (&feature, &value) in self.features.iter().zip(along) {
            change[feature] = value;
            intercept.add_product(-self.mean[feature], value);
        }
        change[self.mean.len()] = intercept.value();
        change
    }

    /// What a change along the centred features and the intercept does to the predictor of each row.
    pub(crate) fn of_rows(&self, problem: &RowProblem<'_>, along: &[f64]) -> Vec<f64> {
        let rows = problem.features.rows().into_iter();
        rows.map(|x| {
            let features = self.features.iter().zip(along);
            let sum: f64 = features.map(|(&feature, value)| (x[feature] - self.mean[feature]) * value).sum();
            sum + along[self.features.len()]
        })
        .collect()
    }
}

/// What is left of a slope along one parameter.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct SlopeLeft {
    pub(crate) slope: f64,
    /// The sum of the absolute values of what the slope was summed from.
    size: f64,
    /// The curvature along the parameter.
    bend: f64,
}

/// What a penalty adds to a slope.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Pull {
    pub(crate) slope: f64,
    pub(crate) size: f64,
    pub(crate) bend: f64,
}

impl Pull {
    pub(crate) fn of_ridge(strength: f64, at: f64, change: f64) -> Self {
        Pull {
            slope: strength * (at + change),
            size: strength * (at.abs() + change.abs()),
            bend: strength,
        }
    }
}

impl SlopeLeft {
    /// Whether it vanishes, that of a penalty included: beside what it was summed from, or because a step along the parameter would
    /// gain no more than `enough`.
    pub(crate) fn vanishes(self, pull: Pull, enough: f64) -> bool {
        let (slope, bend) = (self.slope + pull.slope, self.bend + pull.bend);
        slope.abs() <= LEFT * (self.size + pull.size) || slope * slope <= 2.0 * bend * enough
    }
}

/// The Newton step of the smooth part from a point; nothing where there is none that is finite.
pub(crate) fn newton_step(problem: &RowProblem<'_>, point: &Point) -> Option<Step> {
    let centred = Centred::new(problem, point);
    let gradient = centred.gradient(problem, point);
    let (solved, is_regular) = solve(problem, point, &centred, &gradient)?;
    let (along, decrement, rank, condition) = solved;
    let finite = decrement.is_finite() && along.iter().all(|x| x.is_finite());
    let of_rows = centred.of_rows(problem, &along);
    finite.then(|| Step {
        is_whole: (is_regular && centred.unseen.is_empty()) || centred.is_whole(problem, point, (&along, &of_rows)),
        change: centred.change(&along),
        of_rows,
        decrement,
        rank,
        condition,
    })
}

/// Directions of the features that the rows tell apart, each row weighing the same.
pub(crate) fn rank_of_rows(problem: &RowProblem<'_>) -> usize {
    let n = problem.features.nrows();
    let (value, slope) = (0.0, 0.0);
    let row = RowLoss {
        value,
        slope,
        curvature: 1.0,
        expected: 1.0,
    };
    let flat = Point {
        at: vec![0.0; problem.free.len() + 1],
        rows: vec![row; n],
        value,
        is_convex: true,
        blur: 0.0,
        grain: 0.0,
    };
    let centred = Centred::new(problem, &flat);
    let gradient = centred.gradient(problem, &flat);
    solve(problem, &flat, &centred, &gradient).map_or(0, |((_, _, rank, _), _)| rank)
}

type Solved = (Vec<f64>, f64, usize, f64);

/// The step along the centred features and the intercept, from whichever form keeps the digits; and whether the curvature is regular,
/// so that it leaves no slope.
fn solve(problem: &RowProblem<'_>, point: &Point, centred: &Centred, gradient: &[f64]) -> Option<(Solved, bool)> {
    match by_moments(problem, centred, gradient) {
        Some(solved) => Some((solved, true)),
        None => by_rows(problem, point, centred).map(|solved| (solved, false)),
    }
}

/// From squared moments, where they are well conditioned.
fn by_moments(problem: &RowProblem<'_>, centred: &Centred, gradient: &[f64]) -> Option<Solved> {
    let mut curvature = centred.curvature(problem);
    let scale: Vec<f64> = curvature.diag().iter().map(|x| x.sqrt()).collect();
    if scale.iter().any(|scale| !scale.is_normal()) {
        return None;
    }
    for ((i, j), value) in curvature.indexed_iter_mut() {
        *value /= scale[i] * scale[j];
    }
    let eigen = SymmetricEigen::new(curvature.view()).ok()?;
    let (lowest, highest) = (*eigen.values.first()?, *eigen.values.last()?);
    if !(lowest > 0.0 && highest / lowest < EASY) {
        return None;
    }
    let downhill: Vec<f64> = gradient.iter().zip(&scale).map(|(g, scale)| -g / scale).collect();
    let turned = eigen.vectors.t().dot(&aview1(&downhill));
    let decrement = 0.5 * turned.iter().zip(&eigen.values).map(|(x, value)| x * x / value).sum::<f64>();
    let solved: Vec<f64> = turned.iter().zip(&eigen.values).map(|(x, value)| x / value).collect();
    let along = eigen.vectors.dot(&aview1(&solved));
    let along = along.iter().zip(&scale).map(|(x, scale)| x / scale).collect();
    Some((along, decrement, centred.features.len(), (highest / lowest).sqrt()))
}

/// From the rows themselves, with the ridge as rows of its own.
///
/// Of what nearly collinear columns differ by, rounding of the rows leaves few digits, and what the slopes hold along it would be lost with
/// the rest. So the slopes that the step leaves are summed without rounding, and taken away by a second step.
fn by_rows(problem: &RowProblem<'_>, point: &Point, centred: &Centred) -> Option<Solved> {
    let n_rows = centred.rows.nrows();
    let width = centred.features.len() + 1;
    let ridges: Vec<(usize, usize)> = centred
        .features
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, feature)| problem.ridge[*feature] > 0.0)
        .collect();
    let mut matrix = Array2::zeros((n_rows + ridges.len(), width));
    let mut right = vec![0.0; n_rows + ridges.len()];
    for (row, values) in centred.rows.rows().into_iter().enumerate() {
        let (slope, curvature) = (point.rows[row].slope, point.rows[row].curvature);
        // A row without curvature and slope says nothing.
        if curvature > 0.0 {
            matrix.row_mut(row).assign(&values);
            right[row] = -slope / curvature.sqrt();
        }
    }
    for (index, &(place, feature)) in ridges.iter().enumerate() {
        let root = problem.ridge[feature].sqrt();
        matrix[(n_rows + index, place)] = root;
        right[n_rows + index] = -root * point.at[feature];
    }
    let scale: Vec<f64> = matrix.columns().into_iter().map(|column| column.dot(&column).sqrt()).collect();
    let scale: Vec<f64> = scale.into_iter().map(|scale| if scale > 0.0 { scale } else { 1.0 }).collect();
    for mut row in matrix.rows_mut() {
        row.iter_mut().zip(&scale).for_each(|(x, scale)| *x /= scale);
    }
    let solved = LeastSquares::new(matrix.view(), &right, ROUNDING * centred.size)?;
    let normal = |slopes: &[f64]| {
        let downhill: Vec<f64> = slopes.iter().zip(&scale).map(|(slope, scale)| -slope / scale).collect();
        solved.seminormal(&downhill)
    };
    // Half the square of the slopes, and not of what was projected: rows of no curvature but a slope count as well.
    let slopes: Vec<f64> = point.rows.iter().map(|row| row.slope).collect();
    let (_, square) = normal(&centred.exact_gradient(problem, point, &slopes, |_| 0.0));
    let mut along: Vec<f64> = solved.solution.iter().zip(&scale).map(|(x, scale)| x / scale).collect();
    let (correction, _) = normal(&centred.slopes_after(problem, point, &along));
    for ((along, correction), scale) in along.iter_mut().zip(correction).zip(&scale) {
        *along += correction / scale;
    }
    Some((along, 0.5 * square, solved.rank.min(width).saturating_sub(1), solved.condition))
}
