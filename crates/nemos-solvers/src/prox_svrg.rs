//! Stochastic variance-reduced proximal gradient.

use crate::first_order::StepLength;
use crate::variance_reduced::{Settings, VarianceReduced};
use crate::{Error, Objective, Parameters, Progress, Solver, Stochastic};

/// Stochastic variance-reduced proximal gradient descent, for any penalty: steps on a few rows at a time, corrected by a
/// full gradient once per epoch. For data that are so long that a pass is dear; one step of the solver is an epoch.
///
/// ```text
/// g = gradient(w, rows) − gradient(reference, rows) + gradient(reference)
/// w ← prox(w − length g, length)
/// ```
///
/// Rows are drawn with replacement, the same ones for every column. The full gradient at the start of an epoch tells how
/// far the column is, and decides on its status.
///
/// # Options
/// | option | default | meaning |
/// |---|---|---|
/// | `tolerance` | 1e-10 | stop when the estimated distance to the minimum, relative to the larger of the objective and its fall since the start, is below this |
/// | `max_steps` | 10000 | epochs |
/// | `step_length` | from the [`Smoothness`](crate::Smoothness) of the objective, or 1e-3 where it is not known | how long the steps are |
/// | `batch_size` | from the smoothness and the ridge, or 1 | rows per step |
/// | `seed` | 123 | of the rows that are drawn |
///
/// # References
/// Xiao & Zhang (2014), *SIAM Journal on Optimization* 24(4); Sebbouh et al. (2019), *NeurIPS*.
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use nemos_solvers::{Penalized, ProxSvrg, Regularizer, minimize};
/// # let problem = &problems()[1];
/// let lasso = Regularizer::Lasso(0.05.into());
/// let objective = Penalized::new(&*problem.objective, &lasso);
/// let solution = minimize(&objective, &ProxSvrg::new().tolerance(1e-6), &problem.start)?;
/// assert!(solution.outcome.all_converged());
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProxSvrg(Settings);

impl ProxSvrg {
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

    /// Epochs at most.
    #[must_use]
    pub fn max_steps(mut self, max_steps: usize) -> Self {
        self.0.stopping.max_steps = max_steps;
        self
    }

    /// How long the steps are.
    #[must_use]
    pub fn step_length(mut self, step_length: f64) -> Self {
        self.0.step_length = StepLength::Fixed(step_length);
        self
    }

    /// Rows per step.
    #[must_use]
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.0.batch_size = Some(batch_size);
        self
    }

    /// Seed of the rows that are drawn.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }
}

/// What [`ProxSvrg`] carries from epoch to epoch.
#[derive(Clone, Debug)]
pub struct ProxSvrgState(VarianceReduced);

impl Solver for ProxSvrg {
    type State = ProxSvrgState;

    fn init(&self, objective: &dyn Objective, start: &Parameters) -> Result<ProxSvrgState, Error> {
        Ok(ProxSvrgState(VarianceReduced::new(objective, start, self.0)?))
    }

    fn step(&self, objective: &dyn Objective, mut at: Parameters, mut state: ProxSvrgState) -> Result<(Parameters, ProxSvrgState), Error> {
        state.0.step(objective, &mut at, self.0.stopping.tolerance)?;
        Ok((at, state))
    }

    fn progress(&self, state: &ProxSvrgState) -> Vec<Progress> {
        state.0.progress()
    }

    fn name(&self, _state: &ProxSvrgState) -> &'static str {
        "ProxSVRG"
    }

    fn max_steps(&self) -> usize {
        self.0.stopping.max_steps
    }
}

impl Stochastic for ProxSvrg {
    fn reopen(&self, mut state: ProxSvrgState) -> ProxSvrgState {
        state.0.reopen();
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stopping::Stopping;

    #[test]
    fn defaults_match_the_table() {
        let expected = ProxSvrg(Settings {
            stopping: Stopping {
                tolerance: 1e-10,
                max_steps: 10_000,
            },
            step_length: StepLength::Searched,
            batch_size: None,
            seed: 123,
        });
        assert_eq!(ProxSvrg::new(), expected);
    }
}
