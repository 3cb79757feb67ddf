//! An objective with a penalty.

use ndarray::Array2;

use crate::kinks::ColumnPenalty;
use crate::{Error, Evaluation, Gram, Objective, Parameters, Regularizer, Request, Smoothness};

/// `objective + penalty`; intercepts are not penalised.
///
/// Evaluations include the smooth part of the penalty (a ridge, and the ridge's share of an elastic net). The part
/// without a gradient is left to the solver, which finds it in [`penalty`](Objective::penalty).
pub struct Penalized<'a> {
    objective: &'a dyn Objective,
    regularizer: &'a Regularizer,
    gram: Option<Gram>,
}

impl std::fmt::Debug for Penalized<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Penalized")
            .field("regularizer", self.regularizer)
            .finish_non_exhaustive()
    }
}

impl<'a> Penalized<'a> {
    /// Adds a penalty, which must have been [validated](Regularizer::validate), to an objective.
    pub fn new(objective: &'a dyn Objective, regularizer: &'a Regularizer) -> Self {
        let gram = objective.gram().cloned().map(|gram| {
            let (n_features, n_blocks, n_problems) = (gram.mean.len(), objective.n_blocks(), gram.weight.ncols());
            let strength = |place: usize, neuron: usize| {
                let (block, feature) = (place / n_features, place % n_features);
                regularizer.shares(feature, neuron, neuron * n_blocks + block).0
            };
            let has_ridge = matches!(regularizer, Regularizer::Ridge(_) | Regularizer::ElasticNet { .. });
            let ridge = has_ridge.then(|| Array2::from_shape_fn((n_features * n_blocks, n_problems), |(i, j)| strength(i, j)));
            Gram { ridge, ..gram }
        });
        Penalized {
            objective,
            regularizer,
            gram,
        }
    }
}

impl Objective for Penalized<'_> {
    fn evaluate(&self, at: &Parameters, request: Request<'_>) -> Result<Evaluation, Error> {
        let mut evaluation = self.objective.evaluate(at, request)?;
        if !matches!(self.regularizer, Regularizer::Ridge(_) | Regularizer::ElasticNet { .. }) {
            return Ok(evaluation);
        }
        let n_blocks = self.n_blocks();
        let width = at.n_parameters() / n_blocks;
        for (index, &problem) in request.columns.iter().enumerate() {
            let coef = at.column(index);
            for place in (0..coef.len()).filter(|place| place % width != width - 1) {
                // ½ s w², its slope s w and its curvature s.
                let strength = self
                    .regularizer
                    .shares(place % width, problem, problem * n_blocks + place / width)
                    .0;
                evaluation.values[index] += 0.5 * strength * coef[place] * coef[place];
                evaluation.gradient.column_mut(index)[place] += strength * coef[place];
                if let Some(curvature) = &mut evaluation.curvature {
                    curvature[index][(place, place)] += strength;
                }
            }
        }
        Ok(evaluation)
    }

    fn n_rows(&self) -> usize {
        self.objective.n_rows()
    }

    fn n_blocks(&self) -> usize {
        self.objective.n_blocks()
    }

    fn gram(&self) -> Option<&Gram> {
        self.gram.as_ref()
    }

    fn penalty(&self) -> Option<&Regularizer> {
        self.regularizer.has_kinks().then_some(self.regularizer)
    }

    fn smoothness(&self) -> Result<Option<Smoothness>, Error> {
        let strengths = self.gram.iter().flat_map(|gram| &gram.ridge).flatten();
        let steepest = strengths.fold(0.0, |a: f64, &b| a.max(b));
        let add = |bounds: Smoothness| Smoothness {
            worst_row: bounds.worst_row + steepest,
            mean: bounds.mean + steepest,
        };
        Ok(self.objective.smoothness()?.map(add))
    }

    fn resolution(&self) -> f64 {
        self.objective.resolution()
    }
}

/// The part without a gradient of an objective's penalty, for every column; nothing where there is none.
pub(crate) fn kinks(objective: &dyn Objective, n_parameters: usize, n_problems: usize) -> Option<Vec<ColumnPenalty>> {
    let n_blocks = objective.n_blocks().max(1);
    let regularizer = objective.penalty().filter(|regularizer| regularizer.has_kinks())?;
    let n_features = (n_parameters / n_blocks).saturating_sub(1);
    Some(
        (0..n_problems)
            .map(|problem| ColumnPenalty::new(regularizer, n_features, n_blocks, problem))
            .collect(),
    )
}

/// Refuses penalties without a gradient on behalf of a solver that needs one.
pub(crate) fn require_smooth(objective: &dyn Objective, solver: &'static str) -> Result<(), Error> {
    match objective.penalty() {
        Some(regularizer) if regularizer.has_kinks() => Err(Error::Penalty {
            solver,
            penalty: regularizer.name(),
            able: "ProximalNewton, ProximalGradient, ProxSvrg and Auto",
        }),
        _ => Ok(()),
    }
}
