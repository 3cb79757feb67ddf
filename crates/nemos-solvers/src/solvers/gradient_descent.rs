//! Gradient descent, accelerated, with a proximal map where the penalty needs one (FISTA).

use crate::error::Error;
use crate::gradients::gradient_steps::{Acceleration, GradientSteps, Settings};
use crate::gradients::step_length::StepLength;
use crate::penalty::regularizer::Regularizer;
use crate::problem::objective::Objective;
use crate::problem::parameters::Parameters;
use crate::run::solver::Solver;
use crate::run::state::State;
use crate::run::stopping::Stopping;

/// Gradient descent by columns, accelerated unless told otherwise: many cheap steps, for any penalty.
///
/// ```text
/// w ← prox(w − length · gradient(w), length)
/// ```
///
/// The penalty's smooth part is part of the gradient, the rest is left to its
/// [proximal map](crate::Regularizer::proximal) (FISTA). Of a smooth penalty that map is the identity, and what remains is
/// gradient descent with Nesterov's momentum. Features are centred while it runs (the intercept is that at their means),
/// which lets steps be longer. It can be given other data at every step ([`State::reopen`]). It gives up after 10000 steps,
/// unless told otherwise.
///
/// # Options
/// | option | default | meaning |
/// |---|---|---|
/// | `acceleration` | `NesterovWithRestart` | momentum |
/// | `step_length` | `Searched` | how long the steps are |
///
/// # References
/// Nesterov (1983), *Soviet Mathematics Doklady* 27(2); Beck & Teboulle (2009), *SIAM Journal on Imaging Sciences* 2(1);
/// O'Donoghue & Candès (2015), *Foundations of Computational Mathematics* 15.
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use nemos_solvers::{GradientDescent, Penalized, Regularizer, Stopping, minimize};
/// # let problem = &problems()[0];
/// for penalty in [Regularizer::Unregularized, Regularizer::Lasso(0.1.into())] {
///     let objective = Penalized::new(&*problem.objective, &penalty);
///     let solution = minimize(&objective, &GradientDescent::new(), Stopping::new(), &problem.start)?;
///     assert!(solution.outcome.all_converged());
///     assert_eq!(solution.parameters.column(0).contains(&0.0), !penalty.is_smooth());
/// }
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[doc(alias("ProximalGradient", "FISTA", "NAG"))]
#[derive(Copy, Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GradientDescent(Settings);

impl GradientDescent {
    /// With the default options.
    pub fn new() -> Self {
        Self::default()
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

impl Solver for GradientDescent {
    fn name(&self) -> &'static str {
        "gradient descent"
    }

    fn begin(&self, objective: &dyn Objective, start: &Parameters, stopping: Stopping) -> Result<State, Error> {
        GradientSteps::new(self.name(), self.0, objective, start, stopping).map(State::new)
    }

    fn handles(&self, _penalty: &Regularizer) -> bool {
        true
    }

    fn max_steps(&self) -> usize {
        10_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_match_the_table() {
        let expected = GradientDescent(Settings {
            acceleration: Acceleration::NesterovWithRestart,
            step_length: StepLength::Searched,
        });
        assert_eq!(GradientDescent::new(), expected);
        assert_eq!(GradientDescent::new().max_steps(), 10_000);
    }
}
