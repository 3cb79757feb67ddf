//! An objective with a penalty.

use ndarray::Array2;

use crate::error::Error;
use crate::penalty::column::ColumnPenalty;
use crate::penalty::regularizer::Regularizer;
use crate::problem::class_rows::ClassRows;
use crate::problem::expected_curvature::ExpectedCurvature;
use crate::problem::objective::{Evaluation, Objective, Order, Request, Smoothness};
use crate::problem::parameters::Parameters;
use crate::problem::row_problem::RowProblem;

/// `objective + penalty`; intercepts are not penalised.
///
/// Evaluations include the smooth part of the penalty (a ridge, and the ridge's share of an elastic net). The
/// nonsmooth part is left to the solver, which finds it in [`penalty`](Objective::penalty).
pub struct Penalized<'a> {
    objective: &'a dyn Objective,
    regularizer: &'a Regularizer,
    expected: Option<ExpectedCurvature>,
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
        // Moments are shared: what is copied here has a number per coefficient and problem at most.
        let expected = objective.expected_curvature().map(|expected| {
            let (n_features, n_predictors, n_problems) = (expected.n_features(), expected.n_predictors(), expected.weight.ncols());
            let strength = |place: usize, problem: usize| {
                let (predictor, feature) = (place / n_features, place % n_features);
                regularizer.shares(feature, problem, problem * n_predictors + predictor).0
            };
            let ridge = regularizer
                .has_ridge()
                .then(|| Array2::from_shape_fn((n_features * n_predictors, n_problems), |(i, j)| strength(i, j)));
            ExpectedCurvature { ridge, ..expected.clone() }
        });
        Penalized {
            objective,
            regularizer,
            expected,
        }
    }
}

impl Objective for Penalized<'_> {
    fn evaluate(&self, at: &Parameters, request: Request<'_>) -> Result<Evaluation, Error> {
        let mut evaluation = self.objective.evaluate(at, request)?;
        if !self.regularizer.has_ridge() {
            return Ok(evaluation);
        }
        let n_predictors = self.n_predictors();
        let width = at.n_parameters() / n_predictors;
        for (index, &problem) in request.columns.iter().enumerate() {
            let coef = at.column(index);
            for place in (0..coef.len()).filter(|place| place % width != width - 1) {
                // ½ s w², its slope s w and its curvature s.
                let strength = self
                    .regularizer
                    .shares(place % width, problem, problem * n_predictors + place / width)
                    .0;
                evaluation.values[index] += 0.5 * strength * coef[place] * coef[place];
                evaluation.gradient.column_mut(index)[place] += strength * coef[place];
                let among = match request.order {
                    Order::CurvatureAmong(features) => features[index].binary_search(&place).ok(),
                    _ => Some(place),
                };
                if let (Some(curvature), Some(place)) = (&mut evaluation.curvature, among) {
                    curvature[index][(place, place)] += strength;
                }
            }
        }
        Ok(evaluation)
    }

    fn n_rows(&self) -> usize {
        self.objective.n_rows()
    }

    fn n_predictors(&self) -> usize {
        self.objective.n_predictors()
    }

    fn expected_curvature(&self) -> Option<&ExpectedCurvature> {
        self.expected.as_ref()
    }

    fn penalty(&self) -> Option<&Regularizer> {
        (!self.regularizer.is_smooth()).then_some(self.regularizer)
    }

    fn smoothness(&self) -> Result<Option<Smoothness>, Error> {
        let strengths = self.expected.iter().flat_map(|expected| &expected.ridge).flatten();
        let steepest = strengths.fold(0.0, |a: f64, &b| a.max(b));
        let add = |bounds: Smoothness| Smoothness {
            worst_row: bounds.worst_row + steepest,
            mean: bounds.mean + steepest,
        };
        Ok(self.objective.smoothness()?.map(add))
    }

    fn nats(&self, problem: usize) -> f64 {
        self.objective.nats(problem)
    }

    fn akin(&self, problem: usize) -> usize {
        self.objective.akin(problem)
    }

    fn hold_rows(&self) -> Result<(), Error> {
        self.objective.hold_rows()
    }

    fn by_row(&self, problem: usize) -> Result<Option<RowProblem<'_>>, Error> {
        let mut rows = self.objective.by_row(problem)?;
        if let Some(rows) = rows.as_mut().filter(|_| self.n_predictors() == 1) {
            for (feature, ridge) in rows.ridge.iter_mut().enumerate() {
                *ridge += self.regularizer.shares(feature, problem, problem).0;
            }
        }
        Ok(rows)
    }

    fn by_class(&self, problem: usize) -> Result<Option<ClassRows>, Error> {
        let mut rows = self.objective.by_class(problem)?;
        if let Some(rows) = &mut rows {
            let (n_features, n_classes) = (rows.features.ncols(), rows.n_classes);
            for (place, free) in rows.free.iter_mut().enumerate() {
                let shares = self
                    .regularizer
                    .shares(place % n_features, problem, problem * n_classes + place / n_features);
                *free &= shares.0 == 0.0;
            }
        }
        Ok(rows)
    }

    fn curvatures_held(&self) -> usize {
        self.objective.curvatures_held()
    }

    fn resolution(&self) -> f64 {
        self.objective.resolution()
    }
}

/// The nonsmooth part of an objective's penalty, for every column; nothing where there is none.
pub(crate) fn nonsmooth_parts(objective: &dyn Objective, n_parameters: usize, n_problems: usize) -> Option<Vec<ColumnPenalty>> {
    let n_predictors = objective.n_predictors().max(1);
    let regularizer = objective.penalty().filter(|regularizer| !regularizer.is_smooth())?;
    let n_features = (n_parameters / n_predictors).saturating_sub(1);
    let of_column = |problem| regularizer.of_column(n_features, n_predictors, problem);
    Some((0..n_problems).map(of_column).collect())
}
