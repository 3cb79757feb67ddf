//! From where a solver stopped to a proven end.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::error::Error;
use crate::penalty::column::ColumnPenalty;
use crate::problem::objective::Objective;
use crate::problem::parameters::Parameters;
use crate::problem::penalized::nonsmooth_parts;
use crate::proof::run::{Ended, Limits, prove};
use crate::proof::separated::find_separated;
use crate::run::outcome::{ColumnOutcome, Status};
use crate::run::stopping::Stopping;

// Products that the proofs of a fit may cost whatever the fit did, rows times parameters squared: some milliseconds.
const CHEAP: f64 = 4e6;
// And as a share of those that the fit cost, by how much there is to doubt.
const SHARE_WHERE_FADED: f64 = 0.2;
const SHARE_WHERE_GRAVE: f64 = 3.0;
const DEAR: f64 = 3e9;
// Rows times features that are copied.
const ROOM: f64 = 1e7;

/// How much there is to doubt in what a solver says of a column.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    None,
    Some,
    Grave,
}

/// Looks at columns in doubt, and at all where that costs little; takes them to their minimum where they are not there, and
/// writes down how they ended. Says which it looked at.
pub(crate) fn finish(
    objective: &dyn Objective,
    stopping: Stopping,
    start: &Parameters,
    (parameters, columns): (&mut Parameters, &mut [ColumnOutcome]),
    doubts: &[Doubt],
) -> Result<Vec<bool>, Error> {
    let (n_parameters, n_problems) = (parameters.n_parameters(), parameters.n_problems());
    let (n_rows, n) = (objective.n_rows() as f64, n_parameters as f64);
    let mut looked_at = vec![false; n_problems];
    if n_rows * n > ROOM {
        return Ok(looked_at);
    }
    if objective.n_predictors() > 1 {
        return find_separated(objective, parameters, columns);
    }
    let cost = n_rows * n * n;
    // How often the rows of a problem may be looked at.
    let looks = |problem: usize| {
        let column = &columns[problem];
        if column.status == Status::Given {
            return 0;
        }
        if cost * n_problems as f64 <= CHEAP {
            return usize::MAX;
        }
        // Where the caller's own limit came first, the status says so.
        if column.status == Status::StepLimit && stopping.max_steps.is_some() {
            return 0;
        }
        let spent = column.evaluations as f64 * 4.0 * n_rows * n;
        let allowed = match doubts[problem] {
            Doubt::None => 0.0,
            Doubt::Some => SHARE_WHERE_FADED * spent,
            Doubt::Grave => (SHARE_WHERE_GRAVE * spent).min(DEAR),
        };
        // What a solver evaluates goes through blocked products, which take a tenth of the time.
        (allowed / (10.0 * cost)) as usize
    };
    let chosen: Vec<(usize, usize)> = (0..n_problems)
        .map(|problem| (problem, looks(problem)))
        .filter(|(_, looks)| *looks > 0)
        .collect();
    if !chosen.is_empty() {
        objective.hold_rows()?;
    }
    let penalties = nonsmooth_parts(objective, n_parameters, n_problems);
    let finished = chosen.into_par_iter().map(|(problem, looks)| {
        let Some(rows) = objective.by_row(problem)? else { return Ok(None) };
        let none = ColumnPenalty::none(n_parameters);
        let penalty = penalties.as_ref().map_or(&none, |penalties| &penalties[problem]);
        let was = &columns[problem];
        // A step limit of the caller's own is one for all steps.
        let left = stopping.max_steps.map_or(usize::MAX, |limit| limit.saturating_sub(was.steps));
        let limits = Limits {
            tolerance: stopping.tolerance,
            looks: looks.min(left.max(1)),
            may_step: left > 0,
        };
        let ended = prove((&rows, penalty), limits, (parameters.column(problem), start.column(problem)), was)?;
        Ok(Some((problem, ended)))
    });
    let rank_is_known = penalties.is_none() && objective.expected_curvature().is_none_or(|expected| expected.ridge.is_none());
    let finished: Vec<Option<(usize, Ended)>> = finished.collect::<Result<_, Error>>()?;
    for (problem, ended) in finished.into_iter().flatten() {
        let column = &mut columns[problem];
        column.steps += ended.steps;
        column.evaluations += ended.evaluations;
        column.status = ended.status;
        looked_at[problem] = true;
        let Some(point) = ended.point else { continue };
        column.is_proven = ended.is_proven;
        column.condition = Some(ended.condition).filter(|condition| condition.is_finite());
        column.decrement = ended.decrement;
        column.value = point.value;
        column.gradient_norm = ended.gradient_norm;
        // Directions that nothing but a penalty holds are none that the features span.
        if rank_is_known {
            column.rank = ended.rank;
        }
        parameters.column_mut(problem).copy_from_slice(&point.at);
    }
    Ok(looked_at)
}
