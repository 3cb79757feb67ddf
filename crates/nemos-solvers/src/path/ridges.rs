//! Ridges of many strengths: one look at the curvature serves them all.
//!
//! A ridge adds a known diagonal to the curvature `H` of an objective and a known slope to its gradient. So from one strength to the
//! next
//!
//! ```text
//! gradient = gradient of the last solve at its end + (new − old strength) · coef       no pass
//! step     = −(H₀ + new strength)⁻¹ gradient,  corrected by pairs                      no pass
//! ```
//!
//! where `H₀` was looked at once, at one strength, for one of all the problems whose curvature is much alike (folds of a neuron).
//! Where it has changed since, the pairs of steps and changes of the gradient of earlier strengths know: the path of minima is
//! smooth, and its next stretch is nearly along the last ones. A strength then takes one to three passes, the last of which only
//! finds that the minimum is reached.

use std::sync::Arc;

use ndarray::Array2;
use rayon::prelude::*;

use crate::descent::descent::{CURVATURE_PER_DIMENSION, Descent, Lingering, Setting};
use crate::descent::own_axes::OwnAxes;
use crate::error::Error;
use crate::path::nearly_known::NearlyKnown;
use crate::penalty::regularizer::Regularizer;
use crate::problem::objective::{Objective, Order, Request};
use crate::problem::parameters::Parameters;
use crate::problem::penalized::Penalized;
use crate::run::method::Method;
use crate::run::minimize::{Solution, conclude, run_to_end};
use crate::run::stopping::Stopping;
use crate::solvers::auto::Auto;
use crate::space::change::Space;

/// A descent that goes on from one ridge to the next.
pub(crate) struct RidgePath {
    descent: Descent<NearlyKnown>,
    families: Families,
    /// `[n_parameters, n_problems]`: the ridge on each parameter, intercepts included (with zeros).
    ridge: Parameters,
}

/// Problems of much the same curvature.
struct Families {
    /// For each problem, which one it belongs to.
    of: Vec<usize>,
    all: Vec<Family>,
}

#[derive(Clone)]
struct Family {
    /// The problem whose curvature stands for those of all.
    head: usize,
    size: usize,
    /// Of the head, in centred parameters, without a ridge.
    curvature: Arc<Array2<f64>>,
    /// Passes, one for each member, beyond the two that a strength takes, since the curvature was looked at.
    waste: usize,
}

// Curvatures and their factors, in numbers.
const ROOM: usize = 1 << 26;
// Passes that a look at the curvature saves, for each problem and strength, at least.
const SAVED: f64 = 2.0;
// Passes of a strength whose curvature is known well.
const FEW: usize = 2;

impl RidgePath {
    /// Looks at curvatures, and begins under the first of these penalties. Nothing where that is not worth it, or where something else
    /// than a ridge is among them, or a coefficient without one.
    pub(crate) fn begin(
        (objective, penalties): (&dyn Objective, &[Regularizer]),
        first: &Penalized<'_>,
        stopping: Stopping,
        start: &Parameters,
    ) -> Result<Option<Self>, Error> {
        let is_ridge = |penalty: &Regularizer| matches!(penalty, Regularizer::Ridge(_));
        if penalties.len() < 2 || !penalties.iter().all(is_ridge) || objective.n_predictors() != 1 || objective.penalty().is_some() {
            return Ok(None);
        }
        let (Some(ridge), mut families) = (held_ridge(first, start), Families::new(objective, start.n_problems())) else {
            return Ok(None);
        };
        let (dimension, n_families) = (start.n_parameters(), families.all.len());
        let saved = SAVED * (start.n_problems() * penalties.len()) as f64;
        if n_families as f64 * cost(dimension) > saved || 2 * n_families * dimension * dimension > ROOM {
            return Ok(None);
        }
        let space = Space::centred(first.expected_curvature(), dimension)?;
        let heads: Vec<usize> = (0..n_families).collect();
        if !families.look(objective, start, &space, &heads)? {
            return Ok(None);
        }
        let Some(factors) = families.factors(&ridge) else { return Ok(None) };
        let setting = Setting {
            space,
            penalties: None,
            lingering: Lingering::GoOn,
        };
        let method = |problem: usize| NearlyKnown::new(factors[problem].clone());
        let descent = Descent::with("L-BFGS", setting, (first, start), stopping, method)?;
        Ok(Some(RidgePath { descent, families, ridge }))
    }

    /// Goes on under another ridge. What was learnt of curvatures stays, but for those that have cost more passes than a look does.
    pub(crate) fn go_on(mut self, objective: &dyn Objective, next: &Penalized<'_>) -> Result<Option<Self>, Error> {
        let parameters = self.descent.parameters().clone();
        let Some(ridge) = held_ridge(next, &parameters) else {
            return Ok(None);
        };
        self.families.count(self.descent.progress().iter().map(|column| column.evaluations));
        let stale = self.families.stale(parameters.n_parameters());
        if !stale.is_empty() {
            let space = Space::centred(next.expected_curvature(), parameters.n_parameters())?;
            self.families.look(objective, &parameters, &space, &stale)?;
        }
        let Some(factors) = self.families.factors(&ridge) else {
            return Ok(None);
        };
        let mut added = ridge.clone();
        added
            .as_mut_slice()
            .iter_mut()
            .zip(self.ridge.as_slice())
            .for_each(|(new, old)| *new -= old);
        self.ridge = ridge;
        self.descent.go_on(next, &added, |problem, method| {
            method.replace(factors[problem].clone(), added.column(problem));
        })?;
        Ok(Some(self))
    }

    /// Steps until every column is done.
    pub(crate) fn minimize(&mut self, objective: &Penalized<'_>, stopping: Stopping, start: &Parameters) -> Result<Solution, Error> {
        run_to_end(&mut self.descent, objective, &Auto::new(), stopping)?;
        conclude(&self.descent, objective, stopping, start)
    }
}

/// What a look at one curvature costs, in gradients of its column.
fn cost(dimension: usize) -> f64 {
    1.0 + dimension as f64 * CURVATURE_PER_DIMENSION
}

/// The ridge on each parameter; nothing where a coefficient that may move has none.
fn held_ridge(objective: &Penalized<'_>, like: &Parameters) -> Option<Parameters> {
    let expected = objective.expected_curvature()?;
    let mut ridge = Parameters::zeros(like.n_parameters(), like.n_problems());
    for problem in 0..like.n_problems() {
        let column = ridge.column_mut(problem);
        for (place, to) in column.iter_mut().take(expected.n_features()).enumerate() {
            *to = expected.ridge_at(place, problem);
            if *to <= 0.0 && expected.is_free(place, problem) {
                return None;
            }
        }
    }
    Some(ridge)
}

impl Families {
    fn new(objective: &dyn Objective, n_problems: usize) -> Self {
        let (mut all, mut of): (Vec<Family>, Vec<usize>) = (Vec::new(), Vec::with_capacity(n_problems));
        for problem in 0..n_problems {
            // A head comes before the others of its family.
            let head = objective.akin(problem).min(problem);
            let family = if head < problem { of[head] } else { all.len() };
            if family == all.len() {
                all.push(Family {
                    head: problem,
                    size: 0,
                    curvature: Arc::default(),
                    waste: 0,
                });
            }
            all[family].size += 1;
            of.push(family);
        }
        Families { of, all }
    }

    /// Looks at the curvatures of these families, at these parameters of the problems. Says whether the objective has any.
    fn look(&mut self, objective: &dyn Objective, at: &Parameters, space: &Space, families: &[usize]) -> Result<bool, Error> {
        let heads: Vec<usize> = families.iter().map(|&family| self.all[family].head).collect();
        let request = Request {
            columns: &heads,
            rows: None,
            order: Order::Curvature,
        };
        let Some(curvatures) = objective.evaluate(&at.select(&heads), request)?.curvature else {
            return Ok(false);
        };
        for ((&family, &head), curvature) in families.iter().zip(&heads).zip(curvatures) {
            self.all[family].curvature = Arc::new(space.curvature(curvature, head));
            self.all[family].waste = 0;
        }
        Ok(true)
    }

    /// For each problem a factor of its curvature under this ridge, which is shared where the ridge is that of the head.
    fn factors(&self, ridge: &Parameters) -> Option<Vec<Arc<OwnAxes>>> {
        let of_problem = |family: usize, problem: usize| {
            let mut curvature = (*self.all[family].curvature).clone();
            curvature
                .diag_mut()
                .iter_mut()
                .zip(ridge.column(problem))
                .for_each(|(to, ridge)| *to += ridge);
            OwnAxes::new(&curvature).map(Arc::new)
        };
        let heads = (0..self.all.len())
            .into_par_iter()
            .map(|family| of_problem(family, self.all[family].head));
        let heads: Vec<Arc<OwnAxes>> = heads.collect::<Option<_>>()?;
        let problems = self.of.par_iter().enumerate().map(|(problem, &family)| {
            let is_that_of_head = ridge.column(problem) == ridge.column(self.all[family].head);
            if is_that_of_head {
                Some(heads[family].clone())
            } else {
                of_problem(family, problem)
            }
        });
        problems.collect()
    }

    /// Counts the passes of a strength, one number for each problem.
    fn count(&mut self, evaluations: impl Iterator<Item = usize>) {
        for (&family, evaluations) in self.of.iter().zip(evaluations) {
            self.all[family].waste += evaluations.saturating_sub(FEW);
        }
    }

    /// Families whose curvature is due for a look: what has been wasted pays for it.
    fn stale(&self, dimension: usize) -> Vec<usize> {
        let is_stale = |family: &usize| self.all[*family].waste as f64 > cost(dimension);
        (0..self.all.len()).filter(is_stale).collect()
    }
}
