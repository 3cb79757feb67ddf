//! Whether an objective has a minimum at all.

use ndarray::Array2;

use crate::descent::dot;
use crate::newton::newton_step;
use crate::penalized::kinks;
use crate::space::Space;
use crate::{Error, Gram, Objective, Order, Parameters, Request};

/// Whether the objective of each of these columns goes on falling for ever along its Newton step.
///
/// Near a minimum the slope twenty Newton steps on is −19 times the slope here. Where there is none, the curvature
/// fades along with the slope: a Newton step keeps its length however flat it gets, and the slope never turns up.
/// Coefficients under a penalty without a gradient are held: their penalty grows for ever.
pub(crate) fn recedes(objective: &dyn Objective, parameters: &Parameters, problems: &[usize]) -> Result<Vec<bool>, Error> {
    const STEPS_ON: f64 = 20.0;
    let unable = Ok(vec![false; problems.len()]);
    let penalties = kinks(objective, parameters.n_parameters(), parameters.n_problems());
    let gram = match (&penalties, objective.gram()) {
        (None, gram) => gram.cloned(),
        (Some(_), None) => return unable,
        (Some(penalties), Some(gram)) => {
            let loose: Vec<Vec<bool>> = penalties.iter().map(|penalty| penalty.without_kinks()).collect();
            Some(holding(gram, &loose))
        }
    };
    let space = Space::new(gram.as_ref(), parameters.n_parameters())?;
    let start = parameters.select(problems);
    // One step first: what does have a minimum comes close to it, and weighs no longer beside what recedes.
    let Some((_, first)) = newton_steps(objective, &space, &start, problems)? else {
        return unable;
    };
    let here = moved(&start, &space.parameters_at(&first, problems), 1.0);
    let Some((gradient, steps)) = newton_steps(objective, &space, &here, problems)? else {
        return unable;
    };
    let far = moved(&here, &space.parameters_at(&steps, problems), STEPS_ON);
    let request = Request {
        columns: problems,
        rows: None,
        order: Order::Gradient,
    };
    let there = space.gradient(objective.evaluate(&far, request)?.gradient, problems);
    let falls_on = |column: usize| {
        let (slope, slope_on) = (
            dot(gradient.column(column), steps.column(column)),
            dot(there.column(column), steps.column(column)),
        );
        slope < 0.0 && slope_on.is_finite() && slope_on <= 0.25 * slope.abs()
    };
    Ok((0..problems.len()).map(falls_on).collect())
}

/// A Gram matrix in which only these of the parameters may move, `[n_parameters]` for each problem.
fn holding(gram: &Gram, loose: &[Vec<bool>]) -> Gram {
    let n_features = gram.mean.len();
    let free = |place: usize, problem: usize| {
        let parameter = place / n_features * (n_features + 1) + place % n_features;
        loose[problem][parameter] && gram.free.as_ref().is_none_or(|free| free[(place, problem)])
    };
    let (n_blocks, n_problems) = gram.weight.dim();
    Gram {
        free: Some(Array2::from_shape_fn((n_blocks * n_features, n_problems), |(i, j)| free(i, j))),
        ..gram.clone()
    }
}

/// Gradients at these points, and the Newton steps from them, zero where there is none: both in the space.
fn newton_steps(
    objective: &dyn Objective,
    space: &Space,
    points: &Parameters,
    problems: &[usize],
) -> Result<Option<(Parameters, Parameters)>, Error> {
    let request = Request {
        columns: problems,
        rows: None,
        order: Order::Curvature,
    };
    let evaluation = objective.evaluate(points, request)?;
    let Some(curvature) = evaluation.curvature else { return Ok(None) };
    let gradient = space.gradient(evaluation.gradient, problems);
    let mut steps = Parameters::zeros(space.dimension(), problems.len());
    for (column, curvature) in curvature.iter().enumerate() {
        if let Some(step) = newton_step(&space.hessian(curvature, problems[column]), gradient.column(column)) {
            steps.column_mut(column).copy_from_slice(&step);
        }
    }
    Ok(Some((gradient, steps)))
}

fn moved(points: &Parameters, steps: &Parameters, length: f64) -> Parameters {
    let mut moved = points.clone();
    crate::descent::add(moved.as_mut_slice(), length, steps.as_slice());
    moved
}
