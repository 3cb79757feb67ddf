//! Newton's method with the Fisher information in place of the Hessian (Fisher scoring).

use ndarray::{Array1, Array2};
use nemos_core::{SymmetricEigen, solve_positive_definite};

use crate::descent::{Descent, Rule};
use crate::frame::Frame;
use crate::lbfgs::foretold;
use crate::penalized::require_smooth;
use crate::space::Space;
use crate::stopping::Stopping;
use crate::{Error, Objective, Order, Parameters, Progress, Solver};

/// Fisher scoring by columns: few passes, each of which costs `n_features` times as much as a gradient. For few
/// features and few columns.
///
/// # Options
/// | option | default | meaning |
/// |---|---|---|
/// | `tolerance` | 1e-10 | stop when the estimated distance to the minimum, relative to the larger of the objective and its fall since the start, is below this |
/// | `max_steps` | 100 | passes over the data |
///
/// # References
/// McCullagh & Nelder (1989), *Generalized Linear Models*, section 2.5.
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use nemos_solvers::{Newton, minimize};
/// # let problem = &problems()[0];
/// let solution = minimize(&*problem.objective, &Newton::new(), &problem.start)?;
/// assert!(solution.outcome.all_converged());
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Newton {
    stopping: Stopping,
}

impl Default for Newton {
    fn default() -> Self {
        Newton {
            stopping: Stopping {
                max_steps: 100,
                ..Stopping::FAST
            },
        }
    }
}

impl Newton {
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

/// What [`Newton`] carries from step to step.
#[derive(Clone, Debug)]
pub struct NewtonState(Descent<Scoring>);

impl Solver for Newton {
    type State = NewtonState;

    fn init(&self, objective: &dyn Objective, start: &Parameters) -> Result<NewtonState, Error> {
        require_smooth(objective, "Newton")?;
        let space = Space::new(objective.gram(), start.n_parameters())?;
        let scoring = |problem| {
            let expected = space.curvature(problem);
            (Scoring { expected }, None)
        };
        let settings = (Frame::Whitened(space.clone()), self.stopping.tolerance, Order::Curvature);
        Ok(NewtonState(Descent::new(objective, start, settings, scoring)?))
    }

    fn step(&self, objective: &dyn Objective, mut at: Parameters, mut state: NewtonState) -> Result<(Parameters, NewtonState), Error> {
        state.0.step(objective, &mut at)?;
        Ok((at, state))
    }

    fn progress(&self, state: &NewtonState) -> Vec<Progress> {
        state.0.progress()
    }

    fn name(&self, _state: &NewtonState) -> &'static str {
        "Newton"
    }

    fn max_steps(&self) -> usize {
        self.stopping.max_steps
    }
}

/// The direction that the curvature at the point gives.
#[derive(Clone, Debug)]
struct Scoring {
    expected: Vec<f64>,
}

impl Rule for Scoring {
    fn heading(&mut self, _point: &[f64], gradient: &[f64], curvature: Option<&Array2<f64>>) -> Vec<f64> {
        curvature
            .and_then(|curvature| newton_step(curvature, gradient))
            .unwrap_or_else(|| gradient.iter().zip(&self.expected).map(|(g, p)| -g / p).collect())
    }

    fn learn(&mut self, _step: &[f64], _change: Vec<f64>) {}

    fn forget(&mut self) -> bool {
        false
    }

    fn foretold(&self, step: &[f64]) -> f64 {
        foretold(&self.expected, step)
    }
}

/// `−curvature⁻¹ gradient`; along directions without curvature, as far as the largest curvature times 1e-12 allows.
pub(crate) fn newton_step(curvature: &Array2<f64>, gradient: &[f64]) -> Option<Vec<f64>> {
    let downhill: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    if let Some(step) = solve_positive_definite(curvature.view(), &downhill) {
        return Some(step);
    }
    let eigen = SymmetricEigen::new(curvature.view()).ok()?;
    let floor = eigen.values.last()? * 1e-12;
    let mut along = eigen.vectors.t().dot(&Array1::from(downhill));
    along.iter_mut().zip(&eigen.values).for_each(|(x, &value)| *x /= value.max(floor));
    let step = eigen.vectors.dot(&along).to_vec();
    step.iter().all(|x| x.is_finite()).then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn defaults_match_the_table() {
        let stopping = Stopping {
            tolerance: 1e-10,
            max_steps: 100,
        };
        assert_eq!(Newton::new(), Newton { stopping });
    }

    #[test]
    fn a_singular_curvature_still_gives_a_step() {
        let step = newton_step(&array![[1.0, 1.0], [1.0, 1.0]], &[1.0, 1.0]).unwrap();
        assert!((step[0] + 0.5).abs() < 1e-12 && (step[1] + 0.5).abs() < 1e-12, "{step:?}");
        assert_eq!(newton_step(&array![[f64::NAN]], &[1.0]), None);
    }
}
