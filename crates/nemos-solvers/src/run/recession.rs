//! Whether an objective has a minimum at all.

use ndarray::Array2;

use crate::error::Error;
use crate::linear::newton_step::newton_step;
use crate::linear::vector::{add, dot};
use crate::problem::expected_curvature::ExpectedCurvature;
use crate::problem::objective::{Objective, Order, Request};
use crate::problem::parameters::Parameters;
use crate::problem::penalized::nonsmooth_parts;
use crate::space::change::Space;

/// Whether the objective of each of these columns goes on falling for ever along its Newton step.
///
/// Near a minimum the slope twenty Newton steps on is −19 times the slope here. Where there is none, the curvature
/// fades along with the slope: a Newton step keeps its length however flat it gets, and the slope never turns up.
/// Coefficients under a penalty are held: it grows for ever.
pub(crate) fn recedes(objective: &dyn Objective, parameters: &Parameters, problems: &[usize]) -> Result<Vec<bool>, Error> {
    let unable = Ok(vec![false; problems.len()]);
    let penalties = nonsmooth_parts(objective, parameters.n_parameters(), parameters.n_problems());
    let Some(expected) = objective.expected_curvature().map(|expected| expected.select(problems)) else {
        // Nothing is known of which parameters are coefficients, and of what a ridge holds.
        return match &penalties {
            None => falls_for_ever(objective, parameters, problems, None),
            Some(_) => unable,
        };
    };
    let loose: Vec<Vec<bool>> = problems
        .iter()
        .enumerate()
        .map(|(index, &problem)| {
            let smooth = penalties.as_ref().map(|penalties| penalties[problem].smooth_places());
            let smooth = smooth.unwrap_or_else(|| vec![true; parameters.n_parameters()]);
            let width = expected.n_features() + 1;
            let has_ridge = |parameter: usize| {
                let (predictor, feature) = (parameter / width, parameter % width);
                expected.ridge.is_some() && feature < width - 1 && expected.ridge_at(predictor * (width - 1) + feature, index) > 0.0
            };
            smooth
                .iter()
                .enumerate()
                .map(|(parameter, smooth)| *smooth && !has_ridge(parameter))
                .collect()
        })
        .collect();
    falls_for_ever(objective, parameters, problems, Some(holding(expected, &loose)))
}

/// The same where all parameters may move that are expected to.
fn falls_for_ever(
    objective: &dyn Objective,
    parameters: &Parameters,
    problems: &[usize],
    expected: Option<ExpectedCurvature>,
) -> Result<Vec<bool>, Error> {
    const STEPS_ON: f64 = 20.0;
    let unable = Ok(vec![false; problems.len()]);
    let suspects = Suspects {
        objective,
        problems,
        numbers: (0..problems.len()).collect(),
        space: Space::whitened(expected.as_ref(), parameters.n_parameters())?,
    };
    let start = parameters.select(problems);
    // One step first: what does have a minimum comes close to it, and weighs no longer beside what recedes.
    let Some((_, first)) = suspects.newton_steps(&start)? else {
        return unable;
    };
    let here = suspects.moved(&start, &first, 1.0);
    let Some((gradient, steps)) = suspects.newton_steps(&here)? else {
        return unable;
    };
    let there = suspects.gradient(&suspects.moved(&here, &steps, STEPS_ON))?;
    let falls_on = |column: usize| {
        let (slope, slope_on) = (
            dot(gradient.column(column), steps.column(column)),
            dot(there.column(column), steps.column(column)),
        );
        slope < 0.0 && slope_on.is_finite() && slope_on <= 0.25 * slope.abs()
    };
    Ok((0..problems.len()).map(falls_on).collect())
}

/// What is expected where only these of the parameters may move, `[n_parameters]` for each problem.
fn holding(expected: ExpectedCurvature, loose: &[Vec<bool>]) -> ExpectedCurvature {
    let n_features = expected.n_features();
    let free = |place: usize, problem: usize| {
        let parameter = place / n_features * (n_features + 1) + place % n_features;
        loose[problem][parameter] && expected.is_free(place, problem)
    };
    let (n_predictors, n_problems) = expected.weight.dim();
    ExpectedCurvature {
        free: Some(Array2::from_shape_fn((n_predictors * n_features, n_problems), |(i, j)| free(i, j))),
        ..expected
    }
}

/// The columns in question, in a space of their own.
struct Suspects<'a> {
    objective: &'a dyn Objective,
    problems: &'a [usize],
    /// The problems counted from zero, as the space counts them.
    numbers: Vec<usize>,
    space: Space,
}

impl Suspects<'_> {
    fn request(&self, order: Order<'static>) -> Request<'_> {
        Request {
            columns: self.problems,
            rows: None,
            order,
        }
    }

    /// Gradients at these parameters, in the space.
    fn gradient(&self, parameters: &Parameters) -> Result<Parameters, Error> {
        let evaluation = self.objective.evaluate(parameters, self.request(Order::Gradient))?;
        Ok(self.space.gradient(evaluation.gradient, &self.numbers))
    }

    /// Gradients at these parameters, and the Newton steps from them, zero where there is none: both in the space.
    fn newton_steps(&self, parameters: &Parameters) -> Result<Option<(Parameters, Parameters)>, Error> {
        let evaluation = self.objective.evaluate(parameters, self.request(Order::Curvature))?;
        let Some(curvature) = evaluation.curvature else { return Ok(None) };
        let gradient = self.space.gradient(evaluation.gradient, &self.numbers);
        let mut steps = Parameters::zeros(self.space.dimension(), self.problems.len());
        for (column, curvature) in curvature.into_iter().enumerate() {
            if let Some(step) = newton_step(&self.space.curvature(curvature, column), gradient.column(column)) {
                steps.column_mut(column).copy_from_slice(&step);
            }
        }
        Ok(Some((gradient, steps)))
    }

    /// Parameters moved by steps of the space; both changes of variables are linear.
    fn moved(&self, parameters: &Parameters, steps: &Parameters, length: f64) -> Parameters {
        let mut moved = parameters.clone();
        let steps = self.space.parameters_at(steps, &self.numbers);
        add(moved.as_mut_slice(), length, steps.as_slice());
        moved
    }
}
