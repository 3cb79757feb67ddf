//! An objective with a smooth penalty added.

use ndarray::Array2;

use crate::{Error, Evaluation, Gram, Objective, Parameters, Regularizer, Request};

/// `objective + penalty`, where the last parameter of a column is its intercept, which is not penalised.
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
    /// Adds a penalty to an objective.
    pub fn new(objective: &'a dyn Objective, regularizer: &'a Regularizer) -> Self {
        let gram = objective.gram().cloned().map(|gram| {
            let shape = (gram.mean.len(), gram.weight.ncols());
            let ridge =
                (*regularizer != Regularizer::Unregularized).then(|| Array2::from_shape_fn(shape, |(i, j)| regularizer.ridge(i, j)));
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
        for (index, &problem) in request.columns.iter().enumerate() {
            let coef = at.column(index);
            for feature in 0..at.n_parameters().saturating_sub(1) {
                // ½ s w², its slope s w and its curvature s.
                let strength = self.regularizer.ridge(feature, problem);
                evaluation.values[index] += 0.5 * strength * coef[feature] * coef[feature];
                evaluation.gradient.column_mut(index)[feature] += strength * coef[feature];
                if let Some(curvature) = &mut evaluation.curvature {
                    curvature[index][(feature, feature)] += strength;
                }
            }
        }
        Ok(evaluation)
    }

    fn gram(&self) -> Option<&Gram> {
        self.gram.as_ref()
    }

    fn resolution(&self) -> f64 {
        self.objective.resolution()
    }
}
