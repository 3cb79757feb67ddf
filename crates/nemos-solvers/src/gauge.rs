//! How far a point is from the minimum, for solvers whose own steps do not tell.

use crate::centred::Centred;
use crate::coordinate_descent::{minimize_model, units};
use crate::descent::dot;
use crate::kinks::ColumnPenalty;
use crate::penalized::kinks;
use crate::proximal_newton::foretold;
use crate::quadratic::Quadratic;
use crate::space::Space;
use crate::{Error, Objective, Parameters};

/// Estimates distances to the minimum by the curvature that the Gram matrix foretells.
///
/// Points and gradients are centred: see [`Centred`].
#[derive(Clone, Debug)]
pub(crate) struct Gauge {
    pub(crate) space: Centred,
    /// What smooth objectives are measured in.
    whitened: Option<Space>,
    /// The part of the penalty without a gradient, of every column.
    pub(crate) penalties: Option<Vec<ColumnPenalty>>,
}

impl Gauge {
    pub(crate) fn new(objective: &dyn Objective, n_parameters: usize, n_problems: usize) -> Result<Self, Error> {
        let space = Centred::new(objective.gram(), n_parameters, n_problems)?;
        let penalties = kinks(objective, n_parameters, n_problems);
        let whitened = match (&penalties, objective.gram()) {
            (None, Some(gram)) => Some(Space::new(Some(gram), n_parameters)?),
            _ => None,
        };
        Ok(Gauge {
            space,
            whitened,
            penalties,
        })
    }

    /// Half the Newton decrement squared, or nothing where no curvature is foretold.
    pub(crate) fn decrement(&self, problem: usize, point: &[f64], gradient: &[f64]) -> Option<f64> {
        let gram = self.space.gram()?;
        if let Some(space) = &self.whitened {
            // Centring was undone for the space, which centres by itself.
            let raw = self.space.uncentred(gradient);
            let slopes = space.gradient(Parameters::from_columns(raw.len(), [&raw[..]]), &[problem]);
            let curvature = space.curvature(problem);
            return Some(0.5 * slopes.column(0).iter().zip(curvature).map(|(g, p)| g * g / p).sum::<f64>());
        }
        let penalty = self.penalties.as_ref().map(|penalties| &penalties[problem])?;
        let (base, extra) = foretold(Some(gram), problem, point.len());
        let units = units(penalty, &self.space.free(problem));
        let end = minimize_model(&Quadratic::new(base, extra), gradient, point, &units);
        let heading: Vec<f64> = end.iter().zip(point).map(|(end, start)| end - start).collect();
        Some(-0.5 * penalty.slope(gradient, point, &heading))
    }

    /// Curvature along a step as a share of what was foretold, where `change` is the change of gradient over it.
    pub(crate) fn flatness(&self, problem: usize, step: &[f64], change: &[f64]) -> f64 {
        let (base, extra) = foretold(self.space.gram(), problem, step.len());
        let model = Quadratic::new(base, extra);
        let ridge: f64 = step.iter().zip(model.extra()).map(|(s, e)| s * s * e).sum();
        match self.space.gram() {
            Some(_) => dot(step, change) / (dot(step, &model.base_times(step)) + ridge),
            None => f64::INFINITY,
        }
    }

    /// The penalty's part without a gradient.
    pub(crate) fn penalty(&self, problem: usize, point: &[f64]) -> f64 {
        self.penalties.as_ref().map_or(0.0, |penalties| penalties[problem].value(point))
    }

    /// The proximal map of that part.
    pub(crate) fn shrink(&self, problem: usize, point: &mut [f64], step: f64) {
        if let Some(penalties) = &self.penalties {
            penalties[problem].shrink(point, step);
        }
    }

    /// Norm of the least subgradient.
    pub(crate) fn gradient_norm(&self, problem: usize, point: &[f64], gradient: &[f64]) -> f64 {
        match &self.penalties {
            Some(penalties) => penalties[problem].least_subgradient(gradient, point),
            None => dot(gradient, gradient).sqrt(),
        }
    }

    /// One over the largest curvature that is foretold for a problem, or one where none is: a step that is not too long
    /// at the start.
    pub(crate) fn step_length(&self, problem: usize, n_parameters: usize) -> f64 {
        const POWER_STEPS: usize = 20;
        let (base, extra) = foretold(self.space.gram(), problem, n_parameters);
        let model = Quadratic::new(base, extra);
        let mut vector: Vec<f64> = vec![1.0; n_parameters];
        let mut largest = 0.0;
        for _ in 0..POWER_STEPS {
            let mut product = model.base_times(&vector);
            product
                .iter_mut()
                .zip(vector.iter().zip(model.extra()))
                .for_each(|(p, (v, e))| *p += v * e);
            largest = dot(&product, &product).sqrt() / dot(&vector, &vector).sqrt();
            vector = product;
            let size = dot(&vector, &vector).sqrt();
            vector.iter_mut().for_each(|value| *value /= size);
        }
        if f64::is_finite(largest) && largest > 0.0 {
            1.0 / largest
        } else {
            1.0
        }
    }
}
