//! Proximal gradient descent, accelerated (FISTA).

use crate::first_order::{Acceleration, FirstOrder, Settings, StepLength};
use crate::stopping::Stopping;
use crate::{Error, Objective, Parameters, Progress, Solver, Stochastic};

/// Proximal gradient descent by columns, accelerated unless told otherwise (FISTA): many cheap steps, for any penalty.
///
/// ```text
/// w ← prox(w − length · gradient(w), length)
/// ```
///
/// Features are centred while it runs (the intercept is that at their means), which lets steps be longer. The penalty's
/// smooth part is part of the gradient, the rest is left to its [proximal map](crate::Regularizer::proximal).
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
/// Beck & Teboulle (2009), *SIAM Journal on Imaging Sciences* 2(1); O'Donoghue & Candès (2015), *Foundations of
/// Computational Mathematics* 15.
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use nemos_solvers::{Penalized, ProximalGradient, Regularizer, minimize};
/// # let problem = &problems()[0];
/// let lasso = Regularizer::Lasso(0.1.into());
/// let objective = Penalized::new(&*problem.objective, &lasso);
/// let solution = minimize(&objective, &ProximalGradient::new(), &problem.start)?;
/// assert!(solution.outcome.all_converged());
/// assert!(solution.parameters.column(0).contains(&0.0));
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ProximalGradient(Settings);

impl Default for ProximalGradient {
    fn default() -> Self {
        ProximalGradient(Settings {
            stopping: Stopping::SLOW,
            acceleration: Acceleration::NesterovWithRestart,
            step_length: StepLength::Searched,
        })
    }
}

impl ProximalGradient {
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

/// What [`ProximalGradient`] carries from step to step.
#[derive(Clone, Debug)]
pub struct ProximalGradientState(FirstOrder);

impl Solver for ProximalGradient {
    type State = ProximalGradientState;

    fn init(&self, objective: &dyn Objective, start: &Parameters) -> Result<ProximalGradientState, Error> {
        Ok(ProximalGradientState(FirstOrder::new(objective, start, self.0)?))
    }

    fn step(
        &self,
        objective: &dyn Objective,
        mut at: Parameters,
        mut state: ProximalGradientState,
    ) -> Result<(Parameters, ProximalGradientState), Error> {
        state.0.step(objective, &mut at, self.0)?;
        Ok((at, state))
    }

    fn progress(&self, state: &ProximalGradientState) -> Vec<Progress> {
        state.0.progress()
    }

    fn name(&self, _state: &ProximalGradientState) -> &'static str {
        "proximal gradient"
    }

    fn max_steps(&self) -> usize {
        self.0.stopping.max_steps
    }
}

impl Stochastic for ProximalGradient {
    fn reopen(&self, mut state: ProximalGradientState) -> ProximalGradientState {
        state.0.reopen();
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_match_the_table() {
        let expected = ProximalGradient(Settings {
            stopping: Stopping {
                tolerance: 1e-10,
                max_steps: 10_000,
            },
            acceleration: Acceleration::NesterovWithRestart,
            step_length: StepLength::Searched,
        });
        assert_eq!(ProximalGradient::new(), expected);
    }
}
