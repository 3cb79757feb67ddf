//! Proximal Newton: a quadratic model of the loss, minimised with the penalty by coordinate descent.

use std::collections::VecDeque;
use std::sync::Arc;

use ndarray::Array2;

use crate::centred::Centred;
use crate::coordinate_descent::{Unit, minimize_model, units};
use crate::descent::{Descent, Rule, add, dot};
use crate::frame::Frame;
use crate::kinks::ColumnPenalty;
use crate::penalized::kinks;
use crate::quadratic::{Base, Quadratic};
use crate::stopping::Stopping;
use crate::{Error, Gram, Objective, Order, Parameters, Progress, Solver};

/// Where [`ProximalNewton`] takes the curvature of its model from.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelCurvature {
    /// Exact for few features and few columns; else from gradients, and exact for few columns that take long.
    #[default]
    Auto,
    /// Evaluated at every step: few steps, each of which costs `n_features` times as much as a gradient.
    Exact,
    /// From the Gram matrix of the features, corrected by the steps taken and the changes of gradient over them.
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
/// `B` is exact, or starts from what the Gram matrix of the features foretells (which is exact at an intercept-only
/// start) and is corrected like L-BFGS does; then a step costs one gradient.
///
/// # Options
/// | option | default | meaning |
/// |---|---|---|
/// | `tolerance` | 1e-10 | stop when the estimated distance to the minimum, relative to the larger of the objective and its fall since the start, is below this |
/// | `max_steps` | 500 | passes over the data |
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
/// use nemos_solvers::{Penalized, ProximalNewton, Regularizer, minimize};
/// # let problem = &problems()[0];
/// let lasso = Regularizer::Lasso(0.1.into());
/// let objective = Penalized::new(&*problem.objective, &lasso);
/// let solution = minimize(&objective, &ProximalNewton::new(), &problem.start)?;
/// assert!(solution.outcome.all_converged());
/// assert!(solution.parameters.column(0).contains(&0.0));
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ProximalNewton {
    stopping: Stopping,
    curvature: ModelCurvature,
    memory: usize,
}

impl Default for ProximalNewton {
    fn default() -> Self {
        ProximalNewton {
            stopping: Stopping::FAST,
            curvature: ModelCurvature::Auto,
            memory: 10,
        }
    }
}

// A pass with curvatures costs about 1 + n_features/32 gradient passes for one column, and saves about two of three.
const FEW_PARAMETERS: usize = 64;
const FEW_PROBLEMS: usize = 4;
// Evaluations after which gradients alone have become dearer than exact curvatures would have been.
const PATIENCE: usize = 40;

impl ProximalNewton {
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

    fn order(&self, start: &Parameters) -> Order {
        let few = start.n_parameters() <= FEW_PARAMETERS && start.n_problems() <= FEW_PROBLEMS;
        match self.curvature {
            ModelCurvature::Exact => Order::Curvature,
            ModelCurvature::Auto if few => Order::Curvature,
            _ => Order::Gradient,
        }
    }
}

/// What [`ProximalNewton`] carries from step to step.
#[derive(Clone, Debug)]
pub struct ProximalNewtonState(Descent<Model>);

impl Solver for ProximalNewton {
    type State = ProximalNewtonState;

    fn init(&self, objective: &dyn Objective, start: &Parameters) -> Result<ProximalNewtonState, Error> {
        let (n_parameters, n_problems) = (start.n_parameters(), start.n_problems());
        let space = Centred::new(objective.gram(), n_parameters, n_problems)?;
        let penalties = kinks(objective, n_parameters, n_problems);
        let rule = |problem: usize| {
            let penalty = match &penalties {
                Some(penalties) => penalties[problem].clone(),
                None => ColumnPenalty::none(n_parameters),
            };
            let units = units(&penalty, &space.free(problem));
            let (base, extra) = foretold(space.gram(), problem, n_parameters);
            let model = Model::new(Quadratic::new(base, extra), units, self.memory);
            (model, Some(penalty))
        };
        let frame = Frame::Centred(space.clone());
        let settings = (frame, self.stopping.tolerance, self.order(start));
        let descent = Descent::new(objective, start, settings, rule)?;
        let may_switch = self.curvature == ModelCurvature::Auto && start.n_problems() <= FEW_PROBLEMS;
        Ok(ProximalNewtonState(if may_switch { descent.patience(PATIENCE) } else { descent }))
    }

    fn step(
        &self,
        objective: &dyn Objective,
        mut at: Parameters,
        mut state: ProximalNewtonState,
    ) -> Result<(Parameters, ProximalNewtonState), Error> {
        state.0.step(objective, &mut at)?;
        Ok((at, state))
    }

    fn progress(&self, state: &ProximalNewtonState) -> Vec<Progress> {
        state.0.progress()
    }

    fn name(&self, _state: &ProximalNewtonState) -> &'static str {
        "proximal Newton"
    }

    fn max_steps(&self) -> usize {
        self.stopping.max_steps
    }
}

/// The curvature of a problem that the Gram matrix foretells, in centred parameters, and what is added to its diagonal:
/// the ridge, and as much as the covariances are uncertain.
pub(crate) fn foretold(gram: Option<&Arc<Gram>>, problem: usize, n_parameters: usize) -> (Base, Vec<f64>) {
    let Some(gram) = gram else {
        return (Base::Uniform(1.0), vec![0.0; n_parameters]);
    };
    let n_features = gram.mean.len();
    let weights = gram.weight.column(problem).to_vec();
    let mut extra = vec![0.0; n_parameters];
    for (block, weight) in weights.iter().enumerate() {
        for feature in 0..n_features {
            let ridge = gram
                .ridge
                .as_ref()
                .map_or(0.0, |ridge| ridge[(block * n_features + feature, problem)]);
            let uncertain = gram.precision * n_features as f64 * weight * gram.covariance[(feature, feature)];
            extra[block * (n_features + 1) + feature] = ridge + uncertain;
        }
    }
    let gram = gram.clone();
    (Base::Gram { gram, weights }, extra)
}

/// The quadratic model of one column.
#[derive(Clone, Debug)]
struct Model {
    quadratic: Quadratic,
    /// Weights of the base before any pair was seen.
    weights: Vec<f64>,
    units: Vec<Unit>,
    pairs: VecDeque<Pair>,
    limit: usize,
}

#[derive(Clone, Debug)]
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// The base, before any pair was seen, times the step.
    base: Vec<f64>,
}

impl Model {
    fn new(quadratic: Quadratic, units: Vec<Unit>, limit: usize) -> Self {
        Model {
            weights: quadratic.weights(),
            quadratic,
            units,
            pairs: VecDeque::new(),
            limit,
        }
    }

    /// Builds the model anew from the pairs: updates by outer products (Nocedal & Wright 2006, eq. 6.19) of a base that
    /// the steepest pair scales, because a step too long costs a pass and one too short hardly anything.
    fn rebuild(&mut self) {
        let extra = self.quadratic.extra().to_vec();
        let through = |step: &[f64]| step.iter().zip(&extra).map(|(s, e)| s * s * e).sum::<f64>();
        let ratio = |pair: &Pair| (dot(&pair.step, &pair.change) - through(&pair.step)) / dot(&pair.step, &pair.base);
        let scale = self.pairs.iter().map(ratio).fold(f64::NAN, f64::max);
        let scale = if scale.is_finite() { scale.max(MIN_SCALE) } else { 1.0 };
        let mut outer: Vec<(f64, Vec<f64>)> = Vec::with_capacity(2 * self.pairs.len());
        for pair in &self.pairs {
            let mut product: Vec<f64> = pair.base.iter().map(|value| scale * value).collect();
            product
                .iter_mut()
                .zip(pair.step.iter().zip(&extra))
                .for_each(|(value, (s, e))| *value += s * e);
            for (sign, vector) in &outer {
                add(&mut product, sign * dot(vector, &pair.step), vector);
            }
            let (modelled, seen) = (dot(&pair.step, &product), dot(&pair.step, &pair.change));
            if modelled > 0.0 {
                outer.push((-1.0, product.iter().map(|value| value / modelled.sqrt()).collect()));
                outer.push((1.0, pair.change.iter().map(|value| value / seen.sqrt()).collect()));
            }
        }
        let weights = self.weights.clone();
        self.quadratic.set_weights(|block| scale * weights[block]);
        self.quadratic.set_outer(&outer);
    }
}

// A base never shrinks by more than this against what was foretold: without curvature a model has no minimum.
const MIN_SCALE: f64 = 1e-8;

impl Rule for Model {
    fn heading(&mut self, point: &[f64], gradient: &[f64], curvature: Option<&Array2<f64>>) -> Vec<f64> {
        let end = match curvature {
            Some(curvature) => {
                let uncertain = curvature.diag().mapv(|value| value.abs() * f64::EPSILON * point.len() as f64);
                let exact = Quadratic::new(Base::Dense(curvature.clone()), uncertain.to_vec());
                minimize_model(&exact, gradient, point, &self.units)
            }
            None => minimize_model(&self.quadratic, gradient, point, &self.units),
        };
        end.iter().zip(point).map(|(end, start)| end - start).collect()
    }

    fn learn(&mut self, step: &[f64], change: Vec<f64>) {
        let product = dot(step, &change);
        // A pair without positive curvature, or with curvature that is rounding error, would spoil the model.
        if product > f64::EPSILON * f64::EPSILON * dot(&change, &change).sqrt() * dot(step, step).sqrt() && product.recip().is_finite() {
            let weights = self.weights.clone();
            self.quadratic.set_weights(|block| weights[block]);
            self.pairs.push_back(Pair {
                base: self.quadratic.base_times(step),
                step: step.to_vec(),
                change,
            });
        }
        while self.pairs.len() > self.limit {
            self.pairs.pop_front();
        }
        self.rebuild();
    }

    fn forget(&mut self) -> bool {
        let any = !self.pairs.is_empty();
        self.pairs.clear();
        self.rebuild();
        any
    }

    fn foretold(&self, step: &[f64]) -> f64 {
        let mut first = self.quadratic.clone();
        first.set_weights(|block| self.weights[block]);
        let ridge: f64 = step.iter().zip(first.extra()).map(|(s, e)| s * s * e).sum();
        dot(step, &first.base_times(step)) + ridge
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_match_the_table() {
        let expected = ProximalNewton {
            stopping: Stopping {
                tolerance: 1e-10,
                max_steps: 500,
            },
            curvature: ModelCurvature::Auto,
            memory: 10,
        };
        assert_eq!(ProximalNewton::new(), expected);
    }

    #[test]
    fn a_model_agrees_with_the_newest_pair() {
        // The secant equation: B · step = change.
        let quadratic = Quadratic::new(Base::Uniform(1.0), vec![0.1; 3]);
        let mut model = Model::new(quadratic, Vec::new(), 2);
        for (step, change) in [
            ([1.0, 0.0, 0.5], [2.0, 0.3, 1.0]),
            ([0.2, -1.0, 0.0], [0.3, -4.0, 1.0]),
            ([0.0, 1.0, 1.0], [1.0, 2.0, 2.0]),
        ] {
            model.learn(&step, change.to_vec());
            let mut product = model.quadratic.zero();
            (0..3).for_each(|place| model.quadratic.add_change(&mut product, place, step[place]));
            for (place, expected) in change.iter().enumerate() {
                assert!((model.quadratic.at(&product, place) - expected).abs() < 1e-12);
            }
        }
    }
}
