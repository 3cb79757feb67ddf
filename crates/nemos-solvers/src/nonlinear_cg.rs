//! Nonlinear conjugate gradients.

use ndarray::Array2;

use crate::descent::{Descent, Rule, dot};
use crate::frame::Frame;
use crate::lbfgs::foretold;
use crate::penalized::require_smooth;
use crate::space::Space;
use crate::stopping::Stopping;
use crate::{Error, Objective, Order, Parameters, Progress, Solver};

/// Nonlinear conjugate gradients (Polak–Ribière, restarted) by columns, in the space that the Gram matrix of the
/// features whitens. It keeps one direction per column, where [`Lbfgs`](crate::Lbfgs) keeps ten pairs.
///
/// # Options
/// | option | default | meaning |
/// |---|---|---|
/// | `tolerance` | 1e-10 | stop when the estimated distance to the minimum, relative to the larger of the objective and its fall since the start, is below this |
/// | `max_steps` | 10000 | passes over the data |
///
/// # References
/// Nocedal & Wright (2006), *Numerical Optimization*, section 5.2, eq. 5.45.
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use nemos_solvers::{NonlinearCg, minimize};
/// # let problem = &problems()[0];
/// let solution = minimize(&*problem.objective, &NonlinearCg::new(), &problem.start)?;
/// assert!(solution.outcome.all_converged());
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct NonlinearCg {
    stopping: Stopping,
}

impl Default for NonlinearCg {
    fn default() -> Self {
        NonlinearCg { stopping: Stopping::SLOW }
    }
}

impl NonlinearCg {
    /// With the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// When to stop.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.stopping.tolerance = tolerance;
        self
    }

    /// Passes over the data at most.
    #[must_use]
    pub fn max_steps(mut self, max_steps: usize) -> Self {
        self.stopping.max_steps = max_steps;
        self
    }
}

/// What [`NonlinearCg`] carries from step to step.
#[derive(Clone, Debug)]
pub struct NonlinearCgState(Descent<Conjugate>);

impl Solver for NonlinearCg {
    type State = NonlinearCgState;

    fn init(&self, objective: &dyn Objective, start: &Parameters) -> Result<NonlinearCgState, Error> {
        require_smooth(objective, "nonlinear conjugate gradients")?;
        let space = Space::new(objective.gram(), start.n_parameters())?;
        let rule = |problem| (Conjugate::new(space.curvature(problem)), None);
        let settings = (Frame::Whitened(space.clone()), self.stopping.tolerance, Order::Gradient);
        Ok(NonlinearCgState(Descent::new(objective, start, settings, rule)?))
    }

    fn step(
        &self,
        objective: &dyn Objective,
        mut at: Parameters,
        mut state: NonlinearCgState,
    ) -> Result<(Parameters, NonlinearCgState), Error> {
        state.0.step(objective, &mut at)?;
        Ok((at, state))
    }

    fn progress(&self, state: &NonlinearCgState) -> Vec<Progress> {
        state.0.progress()
    }

    fn name(&self, _state: &NonlinearCgState) -> &'static str {
        "nonlinear conjugate gradients"
    }

    fn max_steps(&self) -> usize {
        self.stopping.max_steps
    }
}

/// The last direction of one column.
#[derive(Clone, Debug)]
struct Conjugate {
    expected: Vec<f64>,
    /// Direction and gradient of the last step, or nothing at first.
    last: Option<(Vec<f64>, Vec<f64>)>,
    /// Curvature along the last step as a share of what was foretold.
    ratio: f64,
}

impl Conjugate {
    fn new(expected: Vec<f64>) -> Self {
        Conjugate {
            expected,
            last: None,
            ratio: 1.0,
        }
    }

    fn scaled(&self, gradient: &[f64]) -> Vec<f64> {
        gradient.iter().zip(&self.expected).map(|(g, p)| g / p).collect()
    }
}

impl Rule for Conjugate {
    fn heading(&mut self, _point: &[f64], gradient: &[f64], _curvature: Option<&Array2<f64>>) -> Vec<f64> {
        let steepest = self.scaled(gradient);
        let mut direction: Vec<f64> = steepest.iter().map(|z| -z).collect();
        if let Some((last, before)) = &self.last {
            let change: Vec<f64> = gradient.iter().zip(before).map(|(new, old)| new - old).collect();
            let share = (dot(&steepest, &change) / dot(before, &self.scaled(before))).max(0.0);
            let conjugate: Vec<f64> = direction.iter().zip(last).map(|(d, last)| d + share * last).collect();
            if dot(gradient, &conjugate) < 0.0 {
                direction = conjugate;
            }
        }
        // As far as the minimum along it, if the curvature is as it was along the last step.
        let length = -dot(gradient, &direction) / (self.ratio * foretold(&self.expected, &direction));
        let heading = direction.iter().map(|d| length * d).collect();
        self.last = Some((direction, gradient.to_vec()));
        heading
    }

    fn learn(&mut self, step: &[f64], change: Vec<f64>) {
        let ratio = dot(step, &change) / foretold(&self.expected, step);
        if ratio > 0.0 && ratio.is_finite() {
            self.ratio = ratio;
        }
    }

    fn forget(&mut self) -> bool {
        self.ratio = 1.0;
        self.last.take().is_some()
    }

    fn foretold(&self, step: &[f64]) -> f64 {
        foretold(&self.expected, step)
    }

    fn decrement(&self, gradient: &[f64], slope: f64) -> f64 {
        // What the slope promises is the fall along one direction alone.
        let all = 0.5 * dot(gradient, &self.scaled(gradient)) / self.ratio.max(1.0);
        all.max(-0.5 * slope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_match_the_table() {
        let stopping = Stopping {
            tolerance: 1e-10,
            max_steps: 10_000,
        };
        assert_eq!(NonlinearCg::new(), NonlinearCg { stopping });
    }

    #[test]
    fn two_steps_minimise_a_quadratic_of_two_dimensions() {
        // f = ½ (3x² + 2xy + 2y²), exact lengths: conjugate gradients end after two steps.
        let gradient = |x: &[f64]| vec![3.0 * x[0] + x[1], x[0] + 2.0 * x[1]];
        let mut rule = Conjugate::new(vec![1.0, 1.0]);
        let mut x = vec![1.0, -2.0];
        for _ in 0..2 {
            let g = gradient(&x);
            let heading = rule.heading(&x, &g, None);
            let exact = -dot(&g, &heading) / dot(&heading, &gradient(&heading));
            let step: Vec<f64> = heading.iter().map(|d| exact * d).collect();
            x.iter_mut().zip(&step).for_each(|(x, s)| *x += s);
            rule.learn(&step, gradient(&step));
        }
        assert!(x.iter().all(|x| x.abs() < 1e-14), "{x:?}");
    }
}
