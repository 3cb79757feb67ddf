//! Proximal Newton: a quadratic model of the loss, minimised with the penalty by coordinate descent.

use ndarray::Array2;

use crate::descent::descent::{Descent, Lingering, Setting};
use crate::descent::direction::Direction;
use crate::error::Error;
use crate::linear::vector::difference;
use crate::model::coordinate_descent::{minimize_model, units};
use crate::model::corrected::Corrected;
use crate::model::descender::Unit;
use crate::model::quadratic::{Base, Quadratic};
use crate::penalty::column::ColumnPenalty;
use crate::penalty::regularizer::Regularizer;
use crate::problem::objective::{Objective, Order};
use crate::problem::parameters::Parameters;
use crate::problem::penalized::nonsmooth_parts;
use crate::run::solver::Solver;
use crate::run::state::State;
use crate::run::stopping::Stopping;
use crate::space::change::Space;

/// Where [`ProximalNewton`] takes the curvature of its model from.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum ModelCurvature {
    /// Exact for few features and few columns; else from gradients, and exact for few columns that take long.
    #[default]
    Auto,
    /// Evaluated at every step: few steps, each of which costs `n_features` times as much as a gradient.
    Exact,
    /// From the second moments of the features, corrected by the steps taken and the changes of gradient over them.
    FromGradients,
}

/// Proximal Newton steps by columns: for lasso, elastic net and group lasso, and for smooth problems as well.
///
/// A step minimises a quadratic model of the loss plus the penalty, by coordinate descent (by groups, for a group lasso)
/// on the host, and searches along the line to that minimum:
///
/// ```text
/// d = argmin_d  gradient · d + ½ dᵀ B d + penalty(w + d)
/// ```
///
/// `B` is exact, or starts from the expected curvature (which is exact at an intercept-only start) and is corrected like
/// L-BFGS does; then a step costs one gradient. It gives up after 500 steps, unless told otherwise.
///
/// # Options
/// | option | default | meaning |
/// |---|---|---|
/// | `curvature` | `Auto` | where the curvature of the model comes from |
/// | `memory` | 10 | pairs of steps and gradient changes kept |
///
/// # References
/// Lee, Sun & Saunders (2014), *SIAM Journal on Optimization* 24(3); Friedman, Hastie & Tibshirani (2010), *Journal of
/// Statistical Software* 33(1); Scheinberg & Tang (2016), *Mathematical Programming* 160.
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use nemos_solvers::{Penalized, ProximalNewton, Regularizer, Stopping, minimize};
/// # let problem = &problems()[0];
/// let lasso = Regularizer::Lasso(0.1.into());
/// let objective = Penalized::new(&*problem.objective, &lasso);
/// let solution = minimize(&objective, &ProximalNewton::new(), Stopping::new(), &problem.start)?;
/// assert!(solution.outcome.all_converged());
/// assert!(solution.parameters.column(0).contains(&0.0));
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[doc(alias = "glmnet")]
#[derive(Copy, Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ProximalNewton {
    curvature: ModelCurvature,
    memory: usize,
}

impl Default for ProximalNewton {
    fn default() -> Self {
        ProximalNewton {
            curvature: ModelCurvature::Auto,
            memory: 10,
        }
    }
}

// A pass with curvatures costs about 1 + n_features/32 gradient passes for one column, and saves about two of three.
const FEW_PARAMETERS: usize = 64;
const FEW_PROBLEMS: usize = 4;
// Evaluations after which gradients alone have become dearer than exact curvatures would have been.
const LINGERS_AFTER: usize = 40;

impl ProximalNewton {
    /// With the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the curvature of the model comes from.
    #[must_use]
    pub fn curvature(mut self, curvature: ModelCurvature) -> Self {
        self.curvature = curvature;
        self
    }

    /// Pairs of steps and gradient changes kept.
    #[must_use]
    pub fn memory(mut self, memory: usize) -> Self {
        self.memory = memory;
        self
    }

    fn order(&self, start: &Parameters) -> Order<'static> {
        let few = start.n_parameters() <= FEW_PARAMETERS && start.n_problems() <= FEW_PROBLEMS;
        match self.curvature {
            ModelCurvature::Exact => Order::Curvature,
            ModelCurvature::Auto if few => Order::Curvature,
            _ => Order::Gradient,
        }
    }
}

impl Solver for ProximalNewton {
    fn name(&self) -> &'static str {
        "proximal Newton"
    }

    fn begin(&self, objective: &dyn Objective, start: &Parameters, stopping: Stopping) -> Result<State, Error> {
        let (n_parameters, n_problems) = (start.n_parameters(), start.n_problems());
        let space = Space::centred(objective.expected_curvature(), n_parameters)?;
        let penalties =
            nonsmooth_parts(objective, n_parameters, n_problems).unwrap_or_else(|| vec![ColumnPenalty::none(n_parameters); n_problems]);
        let order = self.order(start);
        let model = |problem: usize| Model {
            units: units(&penalties[problem], &space.free(problem)),
            quadratic: Corrected::new(Quadratic::expected(space.expected(), problem, n_parameters), self.memory),
            order,
        };
        let may_switch = self.curvature == ModelCurvature::Auto && n_problems <= FEW_PROBLEMS;
        let setting = Setting {
            space: space.clone(),
            penalties: Some(penalties.clone()),
            lingering: if may_switch {
                Lingering::Exact(LINGERS_AFTER)
            } else {
                Lingering::GoOn
            },
        };
        Descent::with(self.name(), setting, (objective, start), stopping, model).map(State::new)
    }

    fn handles(&self, _penalty: &Regularizer) -> bool {
        true
    }
}

/// The quadratic model of one column, and the units that its minimum is sought by.
#[derive(Clone, Debug)]
struct Model {
    quadratic: Corrected,
    units: Vec<Unit>,
    order: Order<'static>,
}

impl Direction for Model {
    fn direction(&mut self, point: &[f64], gradient: &[f64], curvature: Option<&Array2<f64>>) -> Vec<f64> {
        let end = match curvature {
            Some(curvature) => {
                // A singular curvature still has a minimum under a diagonal as small as its rounding errors.
                let uncertain = curvature.diag().mapv(|value| value.abs() * f64::EPSILON * point.len() as f64);
                let exact = Quadratic::new(Base::Dense(curvature.clone()), uncertain.to_vec());
                minimize_model(&exact, gradient, point, &self.units)
            }
            None => minimize_model(self.quadratic.model(), gradient, point, &self.units),
        };
        difference(&end, point)
    }

    fn update(&mut self, step: &[f64], change: &[f64]) {
        self.quadratic.update(step, change);
    }

    fn reset(&mut self) -> bool {
        self.quadratic.reset()
    }

    fn order(&self) -> Order<'static> {
        self.order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_match_the_table() {
        let expected = ProximalNewton {
            curvature: ModelCurvature::Auto,
            memory: 10,
        };
        assert_eq!(ProximalNewton::new(), expected);
        assert_eq!(ProximalNewton::new().max_steps(), 500);
    }
}
