//! Runs a solver until every column is done, and says how each ended.

use crate::recession::recedes;
use crate::{ColumnOutcome, Error, Objective, Outcome, Parameters, Progress, Solver, Status};

/// Where a solver ended, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Solution {
    /// `[n_parameters, n_problems]`.
    pub parameters: Parameters,
    /// One entry per problem.
    pub outcome: Outcome,
}

// Steps flatter than this share of what was foretold raise the question whether there is a minimum at all.
const FLAT: f64 = 1e-3;
// Curvatures held in memory at a time while that question is answered.
const COLUMNS_AT_A_TIME: usize = 8;

/// Minimises every column from `start`.
///
/// Not converging is no error: the [`Outcome`] says how each column ended.
///
/// # Errors
/// Where options are out of range, or the data cannot be read.
pub fn minimize<S: Solver>(objective: &dyn Objective, solver: &S, start: &Parameters) -> Result<Solution, Error> {
    let mut state = solver.init(objective, start)?;
    let mut parameters = start.clone();
    for _ in 0..solver.max_steps() {
        if solver.progress(&state).iter().all(|column| column.status.is_some()) {
            break;
        }
        (parameters, state) = solver.step(objective, parameters, state)?;
    }
    let progress = solver.progress(&state);
    let mut columns: Vec<ColumnOutcome> = progress.iter().map(ColumnOutcome::from).collect();
    let suspects: Vec<usize> = (0..columns.len())
        .filter(|&j| columns[j].status != Status::NonFinite && progress[j].flatness < FLAT)
        .collect();
    for suspects in suspects.chunks(COLUMNS_AT_A_TIME) {
        for (&problem, recedes) in suspects.iter().zip(recedes(objective, &parameters, suspects)?) {
            if recedes {
                columns[problem].status = Status::NoMaximum;
            }
        }
    }
    let outcome = Outcome::new(solver.name(&state), columns);
    for (problem, column) in outcome
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.status != Status::Converged)
    {
        tracing::warn!(problem, status = %column.status, steps = column.steps, gradient_norm = column.gradient_norm, "a column did not converge");
    }
    Ok(Solution { parameters, outcome })
}

impl From<&Progress> for ColumnOutcome {
    fn from(progress: &Progress) -> Self {
        ColumnOutcome {
            status: progress.status.unwrap_or(Status::StepLimit),
            steps: progress.steps,
            evaluations: progress.evaluations,
            value: progress.value,
            gradient_norm: progress.gradient_norm,
            decrement: progress.decrement,
            rank: progress.rank,
        }
    }
}
