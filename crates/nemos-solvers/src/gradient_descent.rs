//! Gradient descent, accelerated.

use crate::first_order::{Acceleration, FirstOrder, Settings, StepLength};
use crate::penalized::require_smooth;
use crate::stopping::Stopping;
use crate::{Error, Objective, Parameters, Progress, Solver, Stochastic};

/// Gradient descent by columns, with Nesterov's momentum unless told otherwise: many cheap steps, for smooth penalties.
///
/// ```text
/// w ← w − length · gradient(w)
/// ```
///
/// Features are centred while it runs (the intercept is that at their means), which lets steps be longer.
///
/// # Options
/// | option | default | meaning |
/// |---|---|---|
/// | `tolerance` | 1e-10 | stop when the estimated distance to the minimum, relative to the larger of the objective and its fall since the start, is below this |
/// | `max_steps` | 10000 | steps |
/// | `acceleration` | `NesterovWithRestart` | momentum |
/// | `step_length` | `Searched` | how long the steps are |
///
/// # References
/// Nesterov (1983), *Soviet Mathematics Doklady* 27(2); O'Donoghue & Candès (2015), *Foundations of Computational
/// Mathematics* 15.
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use nemos_solvers::{GradientDescent, minimize};
/// # let problem = &problems()[0];
/// let solution = minimize(&*problem.objective, &GradientDescent::new(), &problem.start)?;
/// assert!(solution.outcome.all_converged());
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct GradientDescent(Settings);

impl Default for GradientDescent {
    fn default() -> Self {
        GradientDescent(Settings {
            stopping: Stopping::SLOW,
            acceleration: Acceleration::NesterovWithRestart,
            step_length: StepLength::Searched,
        })
    }
}

impl GradientDescent {
    /// With the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// When to stop.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.0.stopping.tolerance = tolerance;
        self
    }

    /// Steps at most.
    #[must_use]
    pub fn max_steps(mut self, max_steps: usize) -> Self {
        self.0.stopping.max_steps = max_steps;
        self
    }

    /// Momentum.
    #[must_use]
    pub fn acceleration(mut self, acceleration: Acceleration) -> Self {
        self.0.acceleration = acceleration;
        self
    }

    /// How long the steps are.
    #[must_use]
    pub fn step_length(mut self, step_length: StepLength) -> Self {
        self.0.step_length = step_length;
        self
    }
}

/// What [`GradientDescent`] carries from step to step.
#[derive(Clone, Debug)]
pub struct GradientDescentState(FirstOrder);

impl Solver for GradientDescent {
    type State = GradientDescentState;

    fn init(&self, objective: &dyn Objective, start: &Parameters) -> Result<GradientDescentState, Error> {
        require_smooth(objective, "gradient descent")?;
        Ok(GradientDescentState(FirstOrder::new(objective, start, self.0)?))
    }

    fn step(
        &self,
        objective: &dyn Objective,
        mut at: Parameters,
        mut state: GradientDescentState,
    ) -> Result<(Parameters, GradientDescentState), Error> {
        state.0.step(objective, &mut at, self.0)?;
        Ok((at, state))
    }

    fn progress(&self, state: &GradientDescentState) -> Vec<Progress> {
        state.0.progress()
    }

    fn name(&self, _state: &GradientDescentState) -> &'static str {
        "gradient descent"
    }

    fn max_steps(&self) -> usize {
        self.0.stopping.max_steps
    }
}

impl Stochastic for GradientDescent {
    fn reopen(&self, mut state: GradientDescentState) -> GradientDescentState {
        state.0.reopen();
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_match_the_table() {
        let expected = GradientDescent(Settings {
            stopping: Stopping {
                tolerance: 1e-10,
                max_steps: 10_000,
            },
            acceleration: Acceleration::NesterovWithRestart,
            step_length: StepLength::Searched,
        });
        assert_eq!(GradientDescent::new(), expected);
    }
}
