//! Fitting: from a specification and data to parameters, scales and degrees of freedom.

use ndarray::Array2;
use nemos_core::{Backend, Design, Matrix};
use nemos_solvers::{Objective, Outcome, Parameters, Penalized, Regularizer, Solution, Solver, Status, minimize};

use crate::objective::GlmObjective;
use crate::population::PopulationGlm;
use crate::predictor::Predictor;
use crate::{Error, InverseLink, ObservationModel, Scale, dispersion};

/// The result of a fit, one column per neuron.
#[derive(Clone, Debug)]
pub(crate) struct Fit<B: Backend> {
    /// `[n_features, n_neurons]`
    pub(crate) coef: Matrix<B>,
    pub(crate) parameters: Parameters,
    pub(crate) outcome: Outcome,
    /// Residual degrees of freedom per neuron.
    pub(crate) dof_resid: Vec<f64>,
    /// Scale per neuron.
    pub(crate) scale: Vec<f64>,
    /// Whether the design had an offset.
    pub(crate) has_offset: bool,
}

impl<O: ObservationModel, L: InverseLink> PopulationGlm<O, L> {
    /// The penalty on these features, with names of blocks replaced by the features that they stand for.
    pub(crate) fn penalty<B: Backend>(&self, design: &impl Design<B>, counts: &impl Design<B>) -> Result<Regularizer, Error> {
        let regularizer = self.regularizer.resolve(&design.named_blocks(), design.n_features())?;
        regularizer.validate(design.n_features(), counts.n_features())?;
        Ok(regularizer)
    }

    /// The objective of a fit, less the penalty.
    pub(crate) fn prepare<'a, B: Backend, D: Design<B>, Y: Design<B>>(
        &'a self,
        design: &'a D,
        counts: &'a Y,
    ) -> Result<GlmObjective<'a, B, D, Y, O, L>, Error> {
        let (n_features, n_neurons) = (design.n_features(), counts.n_features());
        if let Scale::Fixed(scale) = self.observation.scale()
            && !(scale.is_finite() && scale > 0.0)
        {
            return Err(Error::Option(nemos_solvers::Error::Option {
                option: "scale of the observation model",
                got: scale,
                expected: "finite and positive",
            }));
        }
        let mask = self
            .mask
            .as_ref()
            .map(|mask| mask.resolve(&design.named_blocks(), n_features, n_neurons))
            .transpose()?;
        let mut objective = GlmObjective::new(design, counts, &self.observation, &self.link)?;
        objective.hold_all_but(mask);
        Ok(objective)
    }

    /// The parameters that a fit starts from.
    pub(crate) fn start_of<B: Backend, D: Design<B>, Y: Design<B>>(
        &self,
        objective: &GlmObjective<'_, B, D, Y, O, L>,
    ) -> Result<Parameters, Error> {
        let made = objective.start();
        let Some(given) = &self.start else { return Ok(made) };
        let expected = [made.n_parameters() - 1, made.n_problems()];
        let got = [given.n_parameters() - 1, given.n_problems()];
        if got != expected {
            return Err(Error::StartShape { got, expected });
        }
        if let Some(value) = given.as_slice().iter().find(|value| !value.is_finite()) {
            return Err(Error::Option(nemos_solvers::Error::Option {
                option: "initial parameter",
                got: *value,
                expected: "finite",
            }));
        }
        let mut start = given.clone();
        if let Some(free) = objective.gram().and_then(|gram| gram.free.as_ref()) {
            for ((feature, neuron), _) in free.indexed_iter().filter(|(_, free)| !**free) {
                start.column_mut(neuron)[feature] = 0.0;
            }
        }
        Ok(start)
    }

    pub(crate) fn fit_all<B: Backend>(
        &self,
        solver: &impl Solver,
        design: &impl Design<B>,
        counts: &impl Design<B>,
    ) -> Result<Fit<B>, Error> {
        let regularizer = self.penalty(design, counts)?;
        let mut objective = self.prepare(design, counts)?;
        let start = self.start_of(&objective)?;
        let mut solution = minimize(&Penalized::new(&objective, &regularizer), solver, &start)?;
        if self.observation.scale() == Scale::MaximumLikelihood {
            solution = alternate(&mut objective, &regularizer, solver, solution)?;
        }
        for (column, _) in solution
            .outcome
            .columns
            .iter_mut()
            .zip(objective.on_edge())
            .filter(|(_, on_edge)| **on_edge)
        {
            column.status = Status::NoMaximum;
        }
        let free = objective.gram().and_then(|gram| gram.free.as_ref());
        let dof_resid = degrees_of_freedom(&regularizer, &solution, objective.n_counts(), free);
        let mut fit = Fit {
            coef: Matrix::from(solution.parameters.to_array(design.n_features())),
            parameters: solution.parameters,
            outcome: solution.outcome,
            scale: objective.scale().to_vec(),
            has_offset: objective.has_offset(),
            dof_resid,
        };
        if self.observation.scale() == Scale::Pearson {
            let chi2 = Predictor::new(self, &fit).pearson_chi2(design, counts)?;
            fit.scale = chi2.iter().zip(&fit.dof_resid).map(|(chi2, dof)| chi2 / dof).collect();
        }
        Ok(fit)
    }
}

/// Rows used, less what was estimated from them: the directions that the features span without a penalty, all of them
/// under a ridge, and those whose coefficient is not zero under a lasso; and the intercept.
fn degrees_of_freedom(regularizer: &Regularizer, solution: &Solution, n_counts: &[usize], free: Option<&Array2<bool>>) -> Vec<f64> {
    let n_features = solution.parameters.n_parameters() - 1;
    let n_coef = |neuron: usize| match regularizer {
        Regularizer::Unregularized => solution.outcome.columns[neuron].rank,
        Regularizer::Ridge(_) => free.map_or(n_features, |free| free.column(neuron).iter().filter(|free| **free).count()),
        _ => solution.parameters.column(neuron)[..n_features]
            .iter()
            .filter(|coef| **coef != 0.0)
            .count(),
    };
    (0..n_counts.len())
        .map(|neuron| n_counts[neuron] as f64 - n_coef(neuron) as f64 - 1.0)
        .collect()
}

// Coefficients and scales are nearly orthogonal, so that alternating between them converges in a few rounds.
const ROUNDS: usize = 50;
const SETTLED: f64 = 1e-8;

/// Estimates scales at fixed coefficients, and coefficients at fixed scales, until neither moves.
fn alternate<B: Backend, D: Design<B>, Y: Design<B>, O: ObservationModel, L: InverseLink>(
    objective: &mut GlmObjective<'_, B, D, Y, O, L>,
    regularizer: &Regularizer,
    solver: &impl Solver,
    mut solution: Solution,
) -> Result<Solution, Error> {
    let mut moving: Vec<usize> = Vec::new();
    for _ in 0..ROUNDS {
        let before = objective.scale().to_vec();
        let after = dispersion::maximum_likelihood(objective, &solution.parameters)?;
        moving = (0..before.len()).filter(|&j| (after[j] / before[j]).ln().abs() > SETTLED).collect();
        objective.set_scale(after);
        if moving.is_empty() {
            break;
        }
        let steps: Vec<_> = solution
            .outcome
            .columns
            .iter()
            .map(|column| (column.steps, column.evaluations))
            .collect();
        solution = minimize(&Penalized::new(objective, regularizer), solver, &solution.parameters)?;
        for (column, (steps, evaluations)) in solution.outcome.columns.iter_mut().zip(steps) {
            column.steps += steps;
            column.evaluations += evaluations;
        }
    }
    for neuron in moving {
        solution.outcome.columns[neuron].status = Status::StepLimit;
    }
    Ok(solution)
}
