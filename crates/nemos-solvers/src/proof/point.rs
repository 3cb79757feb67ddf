//! A problem looked at from one point: its rows there, its value, and what rounding leaves uncertain.

use crate::error::Error;
use crate::penalty::column::ColumnPenalty;
use crate::problem::row_problem::{RowLoss, RowProblem};
use crate::proof::exact::{self, Sum};

/// Where a problem is looked at, and what is seen there.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    /// Coefficients and intercept.
    pub(crate) at: Vec<f64>,
    pub(crate) rows: Vec<RowLoss>,
    /// Losses and penalties.
    pub(crate) value: f64,
    /// Whether no row bends downwards: then what is near a minimum is near the only one. Curvatures below zero count as zero.
    pub(crate) is_convex: bool,
    /// What rounding may do to the value: of the terms, and of the predictors that they are taken at.
    pub(crate) blur: f64,
    /// How far above a minimum coefficients lie at most for being written down: `½ Σₜ hₜ (Σⱼ |xₜⱼ wⱼ| ε / 2)²`, where each is off by up
    /// to half its last digit, and features that hardly differ let none make up for another.
    pub(crate) grain: f64,
}

impl Point {
    pub(crate) fn new(problem: &RowProblem<'_>, penalty: &ColumnPenalty, at: Vec<f64>) -> Result<Self, Error> {
        let predictors = predictors(problem, &at);
        let mut rows = (problem.losses)(&predictors)?;
        let is_convex = !rows.iter().any(bends_down);
        rows.iter_mut().for_each(|row| row.curvature = row.curvature.max(0.0));
        let coef = &at[..at.len() - 1];
        let ridge = coef.iter().zip(&problem.ridge).map(|(w, ridge)| 0.5 * ridge * w * w);
        let smooth = || rows.iter().map(|row| row.value).chain(ridge.clone());
        let nonsmooth = penalty.value(&at);
        let of_predictors = rows.iter().zip(&predictors).map(|(row, predictor)| (row.slope * predictor).abs());
        let magnitude = smooth().map(f64::abs).sum::<f64>() + nonsmooth + of_predictors.sum::<f64>();
        let written = |(features, row): (ndarray::ArrayView1<'_, f64>, &RowLoss)| {
            let off: f64 = features.iter().zip(coef).map(|(x, w)| (x * w).abs()).sum::<f64>() * f64::EPSILON / 2.0;
            0.5 * row.curvature * off * off
        };
        let grain: f64 = problem.features.rows().into_iter().zip(&rows).map(written).sum();
        Ok(Point {
            grain,
            value: exact::sum(smooth().chain([nonsmooth])),
            is_convex,
            blur: 16.0 * f64::EPSILON * magnitude,
            at,
            rows,
        })
    }

    /// A distance to the minimum that is too little to matter, whatever the tolerance.
    pub(crate) fn little(&self) -> f64 {
        1e-14 * self.value.abs().max(1.0 / self.rows.len().max(1) as f64)
    }

    /// The same with no curvature below the expected one: steps from it are shorter.
    pub(crate) fn cautious(&self) -> Self {
        let mut point = self.clone();
        for row in point.rows.iter_mut().filter(|row| row.expected.is_finite()) {
            row.curvature = row.curvature.max(row.expected);
        }
        point
    }

    pub(crate) fn is_finite(&self) -> bool {
        self.value.is_finite() && self.rows.iter().all(|row| row.slope.is_finite() && row.curvature.is_finite())
    }
}

/// Whether the loss of a row bends downwards. Beside its slope, a curvature this small is rounding.
fn bends_down(row: &RowLoss) -> bool {
    row.curvature < -1e-9 * (row.slope.abs() + row.expected.abs())
}

/// What is known of the losses of the rows before any place is looked at, from a few predictors.
pub(crate) struct Losses {
    /// Whether no row bends downwards at any of them: then there is one minimum.
    pub(crate) is_convex: bool,
    /// `[n_rows]`: the least loss of each row.
    pub(crate) least: Vec<f64>,
}

impl Losses {
    pub(crate) fn new(problem: &RowProblem<'_>) -> Result<Self, Error> {
        let n_rows = problem.features.nrows();
        let (mut is_convex, mut least) = (true, vec![f64::INFINITY; n_rows]);
        for predictor in [-300.0, -6.0, -2.0, -0.5, 0.5, 2.0, 6.0, 300.0] {
            let rows = (problem.losses)(&vec![predictor; n_rows])?;
            is_convex &= !rows.iter().any(bends_down);
            for (least, row) in least.iter_mut().zip(rows) {
                *least = least.min(if row.value.is_nan() { f64::INFINITY } else { row.value });
            }
        }
        Ok(Losses { is_convex, least })
    }
}

// Numbers whose products take a millisecond in twice the precision. Where there are more, parts of a predictor that are this small
// together are summed as they come: that leaves thirteen digits behind the point.
const MANY: usize = 100_000;
const PLAIN: f64 = 100.0;

/// `[n_rows]`, not rounded but in the end, where large parts may cancel.
fn predictors(problem: &RowProblem<'_>, at: &[f64]) -> Vec<f64> {
    let (coef, intercept) = at.split_at(at.len() - 1);
    let rows = problem.features.rows().into_iter().enumerate();
    rows.map(|(row, features)| {
        let offset = problem.offset.as_ref().map_or(0.0, |offset| offset[row]);
        let (mut plain, mut size) = (0.0, 0.0);
        for (x, w) in features.iter().zip(coef) {
            plain += x * w;
            size += (x * w).abs();
        }
        if problem.features.len() > MANY && size + intercept[0].abs() + offset.abs() <= PLAIN {
            return plain + intercept[0] + offset;
        }
        let mut predictor = Sum::default();
        features.iter().zip(coef).for_each(|(x, w)| predictor.add_product(*x, *w));
        predictor.add(intercept[0]);
        predictor.add(offset);
        predictor.value()
    })
    .collect()
}
