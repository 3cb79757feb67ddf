//! Runs a solver until every column is done, and says how each ended.

use crate::error::Error;
use crate::problem::objective::Objective;
use crate::problem::parameters::Parameters;
use crate::proof::finish::{Doubt, finish};
use crate::run::method::Method;
use crate::run::outcome::{ColumnOutcome, Outcome, Status};
use crate::run::progress::Progress;
use crate::run::recession::recedes;
use crate::run::solver::Solver;
use crate::run::state::State;
use crate::run::stopping::Stopping;

/// Where a solver ended, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Solution {
    /// `[n_parameters, n_problems]`.
    pub parameters: Parameters,
    /// One entry per problem.
    pub outcome: Outcome,
}

// Steps along which less than this share of the expected curvature is left raise the question whether there is a minimum.
const FLAT: f64 = 1e-3;
// Below this share distances by the expected curvature may be short by as much.
const FADED: f64 = 0.1;
// Curvatures held in memory at a time while that question is answered.
const COLUMNS_AT_A_TIME: usize = 8;

/// The state of a solver before its first step, for those who step by themselves; see [`State`].
///
/// # Errors
/// [`Error::Penalty`] if the solver does not handle the objective's penalty; and where options are out of range, or the
/// data cannot be read.
pub fn begin(objective: &dyn Objective, solver: &dyn Solver, stopping: Stopping, start: &Parameters) -> Result<State, Error> {
    match objective.penalty().filter(|penalty| !solver.handles(penalty)) {
        Some(penalty) => Err(Error::Penalty {
            solver: solver.name(),
            penalty: penalty.name(),
        }),
        None => solver.begin(objective, start, stopping),
    }
}

/// Minimises every column from `start`.
///
/// Not converging is no error: the [`Outcome`] says how each column ended.
///
/// # Errors
/// As [`begin`].
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use nemos_solvers::{Auto, Stopping, minimize};
/// # let problem = &problems()[0];
/// let solution = minimize(&*problem.objective, &Auto::new(), Stopping::new(), &problem.start)?;
/// assert_eq!(solution.parameters.n_problems(), solution.outcome.columns.len());
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
pub fn minimize(objective: &dyn Objective, solver: &dyn Solver, stopping: Stopping, start: &Parameters) -> Result<Solution, Error> {
    let mut state = begin(objective, solver, stopping, start)?;
    run_to_end(&mut state, objective, solver, stopping)?;
    conclude(&state, objective, stopping, start)
}

/// Steps until every column is done, or the limit of steps is reached.
pub(crate) fn run_to_end(method: &mut dyn Method, objective: &dyn Objective, solver: &dyn Solver, stopping: Stopping) -> Result<(), Error> {
    for _ in 0..stopping.max_steps.unwrap_or(solver.max_steps()) {
        if method.progress().iter().all(|column| column.status.is_some()) {
            break;
        }
        method.step(objective)?;
        solver.after_step(&method.progress());
    }
    Ok(())
}

/// Looks at how the columns of a method ended that has run from `start`.
pub(crate) fn conclude(method: &dyn Method, objective: &dyn Objective, stopping: Stopping, start: &Parameters) -> Result<Solution, Error> {
    let (mut parameters, progress) = (method.parameters().clone(), method.progress());
    let mut columns: Vec<ColumnOutcome> = progress.iter().map(ColumnOutcome::from).collect();
    let doubts: Vec<Doubt> = columns
        .iter()
        .zip(&progress)
        .map(|(column, progress)| doubt(column, progress))
        .collect();
    let looked_at = finish(objective, stopping, start, (&mut parameters, &mut columns), &doubts)?;
    // Where rows were too many for a proof, curvature that has faded raises the question whether there is a minimum.
    let suspects: Vec<usize> = (0..columns.len())
        .filter(|&j| !looked_at[j] && columns[j].status != Status::NonFinite && progress[j].curvature_share < FLAT)
        .collect();
    for suspects in suspects.chunks(COLUMNS_AT_A_TIME) {
        for (&problem, recedes) in suspects.iter().zip(recedes(objective, &parameters, suspects)?) {
            if recedes {
                columns[problem].status = Status::NoMaximum;
            }
        }
    }
    let outcome = Outcome::new(method.name(), columns);
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

/// How much there is to doubt in what a solver says of a column.
fn doubt(column: &ColumnOutcome, progress: &Progress) -> Doubt {
    if column.status != Status::Converged || progress.curvature_share < FLAT {
        Doubt::Grave
    } else if progress.curvature_share < FADED {
        Doubt::Some
    } else {
        Doubt::None
    }
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
            is_proven: false,
            condition: None,
        }
    }
}
