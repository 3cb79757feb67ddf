//! How far a point is from the minimum, for methods whose own steps do not tell.

use crate::error::Error;
use crate::linear::vector::{add, difference, dot, norm};
use crate::model::coordinate_descent::{minimize_model, units};
use crate::model::quadratic::Quadratic;
use crate::penalty::column::ColumnPenalty;
use crate::problem::objective::Objective;
use crate::problem::parameters::Parameters;
use crate::problem::penalized::nonsmooth_parts;
use crate::space::change::Space;
use crate::space::whitening::Whitening;

/// Measures distances to the minimum by the expected curvature. Points and gradients are centred.
#[derive(Clone, Debug)]
pub(crate) struct Optimality {
    pub(crate) space: Space,
    /// What smooth objectives are measured in, from centred gradients.
    whitening: Option<Whitening>,
    /// The nonsmooth part of the penalty, of every column.
    penalties: Option<Vec<ColumnPenalty>>,
}

impl Optimality {
    pub(crate) fn new(objective: &dyn Objective, n_parameters: usize, n_problems: usize) -> Result<Self, Error> {
        let expected = objective.expected_curvature();
        let penalties = nonsmooth_parts(objective, n_parameters, n_problems);
        // Under a nonsmooth penalty distances come from the quadratic model, and axes would be found for nothing.
        let whitening = match (&penalties, expected) {
            (None, Some(expected)) => Some(Whitening::new(expected)?),
            _ => None,
        };
        Ok(Optimality {
            space: Space::centred(expected, n_parameters)?,
            whitening,
            penalties,
        })
    }

    /// The expected fall to the minimum: with the expected curvature `H`, `½ gradientᵀ H⁻¹ gradient` for a smooth
    /// objective; under a penalty `−½ (gradient · d + rise of the penalty)`, with `d` the step to the minimum of the
    /// quadratic model. Nothing where no curvature is known.
    pub(crate) fn decrement(&self, problem: usize, point: &[f64], gradient: &[f64]) -> Option<f64> {
        let expected = self.space.expected()?;
        if let Some(whitening) = &self.whitening {
            let slopes = whitening.gradient(&Parameters::from_columns(gradient.len(), [gradient]), &[problem]);
            return Some(0.5 * dot(slopes.as_slice(), slopes.as_slice()));
        }
        let penalty = self.penalties.as_ref().map(|penalties| &penalties[problem])?;
        let model = Quadratic::expected(Some(expected), problem, point.len());
        let end = minimize_model(&model, gradient, point, &units(penalty, &self.space.free(problem)));
        Some(-0.5 * penalty.slope(gradient, point, &difference(&end, point)))
    }

    /// Curvature along a step as a share of the expected one, where `change` is the change of gradient over it.
    pub(crate) fn curvature_share(&self, problem: usize, step: &[f64], change: &[f64]) -> f64 {
        match self.space.expected() {
            Some(_) => dot(step, change) / self.space.expected_along(problem, step),
            None => f64::INFINITY,
        }
    }

    /// The nonsmooth part of the penalty.
    pub(crate) fn penalty(&self, problem: usize, point: &[f64]) -> f64 {
        self.penalties.as_ref().map_or(0.0, |penalties| penalties[problem].value(point))
    }

    /// The proximal map of that part; the identity where there is none.
    pub(crate) fn shrink(&self, problem: usize, point: &mut [f64], step: f64) {
        if let Some(penalties) = &self.penalties {
            penalties[problem].shrink(point, step);
        }
    }

    /// Norm of the least subgradient.
    pub(crate) fn gradient_norm(&self, problem: usize, point: &[f64], gradient: &[f64]) -> f64 {
        match &self.penalties {
            Some(penalties) => penalties[problem].least_subgradient(gradient, point),
            None => norm(gradient),
        }
    }

    /// One over the largest expected curvature of a problem, by power iteration, or one where none is known: a step that
    /// is not too long at the start.
    pub(crate) fn step_length(&self, problem: usize, n_parameters: usize) -> f64 {
        const POWER_STEPS: usize = 20;
        let model = Quadratic::expected(self.space.expected(), problem, n_parameters);
        let mut vector: Vec<f64> = vec![1.0; n_parameters];
        let mut largest = 0.0;
        for _ in 0..POWER_STEPS {
            let mut product = model.base_times(&vector);
            let diagonal: Vec<f64> = vector.iter().zip(model.extra()).map(|(v, extra)| v * extra).collect();
            add(&mut product, 1.0, &diagonal);
            // Below the largest eigenvalue, and within a few per cent of it: the search of the length does the rest.
            largest = norm(&product) / norm(&vector);
            vector = product;
            let size = norm(&vector);
            vector.iter_mut().for_each(|value| *value /= size);
        }
        if f64::is_finite(largest) && largest > 0.0 {
            1.0 / largest
        } else {
            1.0
        }
    }
}
