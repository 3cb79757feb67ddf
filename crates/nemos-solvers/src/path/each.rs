//! An objective under one penalty after the other.

use crate::error::Error;
use crate::path::ridges::RidgePath;
use crate::penalty::regularizer::Regularizer;
use crate::problem::objective::Objective;
use crate::problem::parameters::Parameters;
use crate::problem::penalized::Penalized;
use crate::run::minimize::{Solution, minimize};
use crate::run::outcome::Status;
use crate::run::solver::Solver;
use crate::run::stopping::Stopping;

/// Minimises an objective under each of these penalties, in order: each begins where the last one ended. From the strongest to the
/// weakest penalty a solve ends after few passes.
///
/// Under ridges, where the [solver picks](Solver::picks) by itself, the curvature is looked at once, for all strengths: see
/// `RidgePath`.
///
/// # Errors
/// As [`begin`](crate::begin).
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use nemos_solvers::{Auto, Stopping, minimize_each, ridge};
/// # let problem = &problems()[0];
/// let ridges = [ridge(1.0), ridge(0.1), ridge(0.01)];
/// let solutions = minimize_each(&*problem.objective, &ridges, &Auto::new(), Stopping::new(), &problem.start)?;
/// assert!(solutions.iter().all(|solution| solution.outcome.all_converged()));
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
pub fn minimize_each(
    objective: &dyn Objective,
    penalties: &[Regularizer],
    solver: &dyn Solver,
    stopping: Stopping,
    start: &Parameters,
) -> Result<Vec<Solution>, Error> {
    let mut solutions: Vec<Solution> = Vec::with_capacity(penalties.len());
    let mut path: Option<RidgePath> = None;
    for (place, penalty) in penalties.iter().enumerate() {
        let penalized = Penalized::new(objective, penalty);
        let last = solutions.last();
        let from = last.map_or_else(|| start.clone(), |last| where_it_ended(last, start));
        // Columns that did not converge begin anew.
        let all_converged = last.is_some_and(|last| last.outcome.all_converged());
        path = match path {
            Some(path) if all_converged => path.go_on(objective, &penalized)?,
            None if all_converged && solver.picks() => RidgePath::begin((objective, &penalties[place..]), &penalized, stopping, &from)?,
            _ => None,
        };
        solutions.push(match &mut path {
            Some(path) => path.minimize(&penalized, stopping, &from)?,
            None => minimize(&penalized, solver, stopping, &from)?,
        });
    }
    Ok(solutions)
}

/// The parameters of the last solve where it converged; those of a first start elsewhere.
fn where_it_ended(last: &Solution, first: &Parameters) -> Parameters {
    let mut start = first.clone();
    for (problem, column) in last.outcome.columns.iter().enumerate() {
        if column.status == Status::Converged {
            start.column_mut(problem).copy_from_slice(last.parameters.column(problem));
        }
    }
    start
}
