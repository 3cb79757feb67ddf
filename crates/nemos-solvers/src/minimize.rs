//! Runs a solver until every column is done, and says how each ended.

use crate::descent::dot;
use crate::newton::newton_step;
use crate::space::Space;
use crate::{ColumnOutcome, Error, Objective, Order, Outcome, Parameters, Progress, Request, Solver, Status};

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

/// Whether the objective of each of these columns goes on falling for ever along its Newton step.
///
/// Near a minimum the slope twenty Newton steps on is −19 times the slope here. Where there is none, the curvature
/// fades along with the slope: a Newton step keeps its length however flat it gets, and the slope never turns up.
fn recedes(objective: &dyn Objective, parameters: &Parameters, problems: &[usize]) -> Result<Vec<bool>, Error> {
    const STEPS_ON: f64 = 20.0;
    let space = Space::new(objective.gram(), parameters.n_parameters())?;
    let start = space.point_of(&parameters.select(problems));
    // One step first: what does have a minimum comes close to it, and weighs no longer beside what recedes.
    let Some((_, first)) = newton_steps(objective, &space, &start, problems)? else {
        return Ok(vec![false; problems.len()]);
    };
    let here = moved(&start, &first, 1.0);
    let Some((gradient, steps)) = newton_steps(objective, &space, &here, problems)? else {
        return Ok(vec![false; problems.len()]);
    };
    let far = space.parameters_at(&moved(&here, &steps, STEPS_ON));
    let there = space.gradient(
        objective
            .evaluate(
                &far,
                Request {
                    columns: problems,
                    rows: None,
                    order: Order::Gradient,
                },
            )?
            .gradient,
    );
    let falls_on = |column: usize| {
        let (slope, slope_on) = (
            dot(gradient.column(column), steps.column(column)),
            dot(there.column(column), steps.column(column)),
        );
        slope < 0.0 && slope_on.is_finite() && slope_on <= 0.25 * slope.abs()
    };
    Ok((0..problems.len()).map(falls_on).collect())
}

/// Gradients at these points, and the Newton steps from them: zero where there is none.
fn newton_steps(
    objective: &dyn Objective,
    space: &Space,
    points: &Parameters,
    problems: &[usize],
) -> Result<Option<(Parameters, Parameters)>, Error> {
    let evaluation = objective.evaluate(
        &space.parameters_at(points),
        Request {
            columns: problems,
            rows: None,
            order: Order::Curvature,
        },
    )?;
    let Some(curvature) = evaluation.curvature else { return Ok(None) };
    let gradient = space.gradient(evaluation.gradient);
    let mut steps = Parameters::zeros(points.n_parameters(), problems.len());
    for (column, curvature) in curvature.into_iter().enumerate() {
        if let Some(step) = newton_step(&space.hessian(curvature), gradient.column(column)) {
            steps.column_mut(column).copy_from_slice(&step);
        }
    }
    Ok(Some((gradient, steps)))
}

fn moved(points: &Parameters, steps: &Parameters, length: f64) -> Parameters {
    let mut moved = points.clone();
    moved
        .as_mut_slice()
        .iter_mut()
        .zip(steps.as_slice())
        .for_each(|(x, d)| *x += length * d);
    moved
}
