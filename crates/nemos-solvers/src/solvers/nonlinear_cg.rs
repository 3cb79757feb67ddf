//! Nonlinear conjugate gradients.

use ndarray::Array2;

use crate::descent::descent::Descent;
use crate::descent::direction::Direction;
use crate::error::Error;
use crate::linear::vector::{add, difference, dot, negative};
use crate::problem::objective::Objective;
use crate::problem::parameters::Parameters;
use crate::run::solver::Solver;
use crate::run::state::State;
use crate::run::stopping::Stopping;

/// Nonlinear conjugate gradients (Polak–Ribière, restarted) by columns, in the space that the second moments of the
/// features whiten. It keeps one direction per column, where [`Lbfgs`](crate::Lbfgs) keeps ten pairs. It gives up after
/// 10000 steps, unless told otherwise.
///
/// # References
/// Nocedal & Wright (2006), *Numerical Optimization*, section 5.2, eq. 5.45.
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use nemos_solvers::{NonlinearCg, Stopping, minimize};
/// # let problem = &problems()[0];
/// let solution = minimize(&*problem.objective, &NonlinearCg::new(), Stopping::new(), &problem.start)?;
/// assert!(solution.outcome.all_converged());
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[doc(alias = "NonlinearCG")]
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct NonlinearCg {}

impl NonlinearCg {
    /// With the default options: there are none.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Solver for NonlinearCg {
    fn name(&self) -> &'static str {
        "nonlinear conjugate gradients"
    }

    fn begin(&self, objective: &dyn Objective, start: &Parameters, stopping: Stopping) -> Result<State, Error> {
        Descent::new(self.name(), objective, start, stopping, |_| Conjugate::new()).map(State::new)
    }

    fn max_steps(&self) -> usize {
        10_000
    }
}

/// The last direction of one column.
#[derive(Clone, Debug)]
struct Conjugate {
    /// Direction and gradient of the last step, or nothing at first.
    last: Option<(Vec<f64>, Vec<f64>)>,
    /// Curvature along the last step as a share of the expected one.
    ratio: f64,
}

impl Conjugate {
    fn new() -> Self {
        Conjugate { last: None, ratio: 1.0 }
    }
}

impl Direction for Conjugate {
    fn direction(&mut self, _point: &[f64], gradient: &[f64], _curvature: Option<&Array2<f64>>) -> Vec<f64> {
        let mut direction = negative(gradient);
        if let Some((last, before)) = &self.last {
            // Polak–Ribière: share = gᵀ(g − g₋) / g₋ᵀg₋, none where that is negative (eq. 5.45)
            let share = (dot(gradient, &difference(gradient, before)) / dot(before, before)).max(0.0);
            let mut conjugate = direction.clone();
            add(&mut conjugate, share, last);
            if dot(gradient, &conjugate) < 0.0 {
                direction = conjugate;
            }
        }
        // As far as the minimum along it, if the curvature is as it was along the last step.
        let length = -dot(gradient, &direction) / (self.ratio * dot(&direction, &direction));
        let step = direction.iter().map(|d| length * d).collect();
        self.last = Some((direction, gradient.to_vec()));
        step
    }

    fn update(&mut self, step: &[f64], change: &[f64]) {
        let ratio = dot(step, change) / dot(step, step);
        if ratio > 0.0 && ratio.is_finite() {
            self.ratio = ratio;
        }
    }

    fn reset(&mut self) -> bool {
        self.ratio = 1.0;
        self.last.take().is_some()
    }

    fn decrement(&self, gradient: &[f64], slope: f64) -> f64 {
        // What the slope promises is the fall along one direction alone.
        let all = 0.5 * dot(gradient, gradient) / self.ratio.max(1.0);
        all.max(-0.5 * slope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_limit_is_the_one_in_the_text() {
        assert_eq!(NonlinearCg::new().max_steps(), 10_000);
    }

    #[test]
    fn two_steps_minimise_a_quadratic_of_two_dimensions() {
        // f = ½ (3x² + 2xy + 2y²), exact lengths: conjugate gradients end after two steps.
        let gradient = |x: &[f64]| vec![3.0 * x[0] + x[1], x[0] + 2.0 * x[1]];
        let mut method = Conjugate::new();
        let mut x = vec![1.0, -2.0];
        for _ in 0..2 {
            let g = gradient(&x);
            let direction = method.direction(&x, &g, None);
            let exact = -dot(&g, &direction) / dot(&direction, &gradient(&direction));
            let step: Vec<f64> = direction.iter().map(|d| exact * d).collect();
            x.iter_mut().zip(&step).for_each(|(x, s)| *x += s);
            method.update(&step, &gradient(&step));
        }
        assert!(x.iter().all(|x| x.abs() < 1e-14), "{x:?}");
    }
}
