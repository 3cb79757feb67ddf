//! Minima on the border of what a link allows.
//!
//! Under the identity a rate cannot fall below zero. Rows with spikes keep away from there by themselves; one without pulls
//! its predictor right onto the border, where no gradient vanishes. A barrier keeps it off: with `−ε · slopeₜ · ln ηₜ` added to each
//! such row, minima exist inside, and lie no higher above the one on the border than `ε Σ slopeₜ`.
//!
//! # References
//! Boyd & Vandenberghe (2004), *Convex Optimization*, section 11.2.

use crate::error::Error;
use crate::problem::row_problem::RowProblem;

/// Rows that end at a predictor of zero without a barrier of their own, and their slopes there.
pub(crate) fn rows_at_border(problem: &RowProblem<'_>) -> Result<Vec<(usize, f64)>, Error> {
    const NEAR: f64 = 1e-9;
    let n = problem.features.nrows();
    let [inside, outside, away] = [NEAR, -NEAR, 1.0].map(|predictor| (problem.losses)(&vec![predictor; n]));
    let (inside, outside, away) = (inside?, outside?, away?);
    let ends = |&row: &usize| {
        let (inside, away) = (inside[row], away[row]);
        let is_border = inside.value.is_finite() && !outside[row].value.is_finite();
        // A barrier's slope is as steep there as the border is near.
        is_border && inside.slope > 0.0 && inside.slope <= 1e3 * away.slope.abs()
    };
    Ok((0..n).filter(ends).map(|row| (row, inside[row].slope)).collect())
}

/// The same problem with barriers of this weight.
pub(crate) fn with_barriers<'p>(problem: &'p RowProblem<'_>, rows: &'p [(usize, f64)], weight: f64) -> RowProblem<'p> {
    RowProblem {
        features: problem.features.clone(),
        offset: problem.offset.clone(),
        free: problem.free.clone(),
        ridge: problem.ridge.clone(),
        nats: problem.nats,
        losses: Box::new(move |predictors| {
            let mut losses = (problem.losses)(predictors)?;
            for &(row, slope) in rows {
                let (loss, predictor, height) = (&mut losses[row], predictors[row], weight * slope);
                loss.value -= height * predictor.ln();
                loss.slope -= height / predictor;
                loss.curvature += height / (predictor * predictor);
                loss.expected = loss.curvature;
            }
            Ok(losses)
        }),
    }
}
