//! Limited-memory BFGS.

use std::collections::VecDeque;

use ndarray::Array2;

use crate::descent::{Descent, Rule, add, dot};
use crate::frame::Frame;
use crate::penalized::require_smooth;
use crate::space::Space;
use crate::stopping::Stopping;
use crate::{Error, Objective, Order, Parameters, Progress, Solver};

/// Limited-memory BFGS, by columns, in the space that the Gram matrix of the features whitens.
///
/// The first inverse Hessian of a column is the one that its Gram matrix foretells, which is exact at an intercept-only
/// start; the pairs of steps and gradient changes correct it from there. One pass over the data per step.
///
/// # Options
/// | option | default | meaning |
/// |---|---|---|
/// | `tolerance` | 1e-10 | stop when the estimated distance to the minimum, relative to the larger of the objective and its fall since the start, is below this |
/// | `max_steps` | 500 | passes over the data |
/// | `memory` | 10 | pairs kept |
///
/// # References
/// Nocedal & Wright (2006), *Numerical Optimization*, algorithm 7.4.
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use nemos_solvers::{Lbfgs, minimize};
/// # let problem = &problems()[0];
/// let solution = minimize(&*problem.objective, &Lbfgs::new(), &problem.start)?;
/// assert!(solution.outcome.all_converged());
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Lbfgs {
    stopping: Stopping,
    memory: usize,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Lbfgs {
            stopping: Stopping::FAST,
            memory: 10,
        }
    }
}

impl Lbfgs {
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

    /// Pairs of steps and gradient changes kept.
    #[must_use]
    pub fn memory(mut self, memory: usize) -> Self {
        self.memory = memory;
        self
    }
}

/// What [`Lbfgs`] carries from step to step.
#[derive(Clone, Debug)]
pub struct LbfgsState(Descent<Memory>);

impl Solver for Lbfgs {
    type State = LbfgsState;

    fn init(&self, objective: &dyn Objective, start: &Parameters) -> Result<LbfgsState, Error> {
        require_smooth(objective, "L-BFGS")?;
        let space = Space::new(objective.gram(), start.n_parameters())?;
        let memory = |problem| (Memory::new(space.curvature(problem), self.memory), None);
        let settings = (Frame::Whitened(space.clone()), self.stopping.tolerance, Order::Gradient);
        Ok(LbfgsState(Descent::new(objective, start, settings, memory)?))
    }

    fn step(&self, objective: &dyn Objective, mut at: Parameters, mut state: LbfgsState) -> Result<(Parameters, LbfgsState), Error> {
        state.0.step(objective, &mut at)?;
        Ok((at, state))
    }

    fn progress(&self, state: &LbfgsState) -> Vec<Progress> {
        state.0.progress()
    }

    fn name(&self, _state: &LbfgsState) -> &'static str {
        "L-BFGS"
    }

    fn max_steps(&self) -> usize {
        self.stopping.max_steps
    }
}

/// The pairs of one column.
#[derive(Clone, Debug)]
struct Memory {
    pairs: VecDeque<Pair>,
    limit: usize,
    expected: Vec<f64>,
}

#[derive(Clone, Debug)]
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// 1 / (step · change)
    rho: f64,
}

impl Memory {
    fn new(expected: Vec<f64>, limit: usize) -> Self {
        Memory {
            pairs: VecDeque::new(),
            limit,
            expected,
        }
    }
}

impl Rule for Memory {
    fn heading(&mut self, _point: &[f64], gradient: &[f64], _curvature: Option<&Array2<f64>>) -> Vec<f64> {
        let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut shares = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let share = pair.rho * dot(&pair.step, &q);
            add(&mut q, -share, &pair.change);
            shares.push(share);
        }
        // The newest pair scales the foretold inverse Hessian (eq. 7.20, in its metric).
        let scale = self.pairs.back().map_or(1.0, |pair| {
            let foretold: f64 = pair.change.iter().zip(&self.expected).map(|(y, p)| y * y / p).sum();
            1.0 / (pair.rho * foretold)
        });
        for (q, p) in q.iter_mut().zip(&self.expected) {
            *q *= scale / p;
        }
        for (pair, share) in self.pairs.iter().zip(shares.into_iter().rev()) {
            let correction = share - pair.rho * dot(&pair.change, &q);
            add(&mut q, correction, &pair.step);
        }
        q
    }

    fn learn(&mut self, step: &[f64], change: Vec<f64>) {
        let product = dot(step, &change);
        // A pair without positive curvature, or with curvature that is rounding error, would spoil the estimate.
        if product > f64::EPSILON * f64::EPSILON * dot(&change, &change).sqrt() * dot(step, step).sqrt() && product.recip().is_finite() {
            self.pairs.push_back(Pair {
                rho: product.recip(),
                step: step.to_vec(),
                change,
            });
        }
        while self.pairs.len() > self.limit {
            self.pairs.pop_front();
        }
    }

    fn forget(&mut self) -> bool {
        let any = !self.pairs.is_empty();
        self.pairs.clear();
        any
    }

    fn foretold(&self, step: &[f64]) -> f64 {
        foretold(&self.expected, step)
    }
}

/// Curvature along a step where the space is whitened.
pub(crate) fn foretold(expected: &[f64], step: &[f64]) -> f64 {
    step.iter().zip(expected).map(|(s, p)| s * s * p).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_match_the_table() {
        let stopping = Stopping {
            tolerance: 1e-10,
            max_steps: 500,
        };
        assert_eq!(Lbfgs::new(), Lbfgs { stopping, memory: 10 });
    }

    #[test]
    fn without_pairs_the_direction_is_the_foretold_newton_step() {
        let mut memory = Memory::new(vec![2.0, 4.0], 10);
        assert_eq!(memory.heading(&[0.0; 2], &[1.0, 1.0], None), [-0.5, -0.25]);
    }

    #[test]
    fn enough_pairs_give_the_newton_step_of_a_quadratic() {
        // f = ½ (3x² + 2xy + 2y²): with exact pairs along two conjugate directions the estimate is exact.
        let mut memory = Memory::new(vec![1.0, 1.0], 10);
        memory.learn(&[1.0, 0.0], vec![3.0, 1.0]);
        memory.learn(&[-1.0, 3.0], vec![0.0, 5.0]);
        let direction = memory.heading(&[0.0; 2], &[3.0, 1.0], None);
        assert!((direction[0] + 1.0).abs() < 1e-12 && direction[1].abs() < 1e-12, "{direction:?}");
    }
}
