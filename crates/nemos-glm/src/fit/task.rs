//! Fitting: from options and data to parameters, scales and degrees of freedom.

use std::sync::Arc;

use ndarray::Array2;
use nemos_core::{Backend, Design, Share};
use nemos_solvers::{
    ColumnOutcome, Error as SolverError, Objective, Parameters, Penalized, Regularizer, Solution, Solver, Status, Stopping, minimize,
    minimize_each,
};
use serde::{Deserialize, Serialize};

use crate::engine::measure::{Described, From, Quantity};
use crate::engine::model::Model;
use crate::engine::objective::GlmObjective;
use crate::engine::problems::Problems;
use crate::engine::survey::Survey;
use crate::fit::checkpoint::Checkpoint;
use crate::fit::dispersion;
use crate::fit::finished_group::FinishedGroup;
use crate::fit::parts::Whole;
use crate::fit::plan::FitPlan;
use crate::fit::recorded::Recorded;
use crate::fit::room::Room;
use crate::fit::saved::Saved;
use crate::fitted::fit::Fit;
use crate::{Error, FeatureMask, Scale};

/// What a fit is told besides its model: the same for all kinds of models. Models have a method for each; as one value
/// they can be saved, and given to another model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Options {
    /// The penalty on the coefficients.
    pub regularizer: Regularizer,
    /// Which features each neuron may use; all where there is nothing.
    pub mask: Option<FeatureMask>,
    /// What fits start from; no effect of any feature where there is nothing.
    pub start: Option<Parameters>,
    /// When a fit stops.
    pub stopping: Stopping,
    /// Bytes that a fit may take; no limit where there is nothing. It is of the machine, and is not saved.
    #[serde(skip)]
    pub memory_limit: Option<f64>,
    /// Where a fit is kept while it runs. It is of the machine, and is not saved.
    #[serde(skip)]
    pub checkpoint: Option<Checkpoint>,
}

/// What is fitted: a model of each column of the counts on the same design.
pub(crate) struct Task<'a, B: Backend> {
    pub(crate) model: Arc<dyn Model<B::Burn>>,
    pub(crate) design: Design<'a, B>,
    pub(crate) counts: Design<'a, B>,
}

impl<'a, B: Backend> Task<'a, B> {
    pub(crate) fn n_neurons(&self) -> usize {
        self.counts.n_columns() / self.model.n_targets()
    }

    /// The penalty on these features, with names of blocks replaced by the features that they stand for.
    pub(crate) fn penalty(&self, options: &Options) -> Result<Regularizer, Error> {
        let n_features = self.design.n_columns();
        let regularizer = options.regularizer.resolve(self.design.names(), n_features)?;
        regularizer.validate_classes(n_features, self.n_neurons(), self.model.n_predictors())?;
        Ok(regularizer)
    }

    /// `[n_predictors · n_features, n_neurons]`: the coefficients that may move.
    pub(crate) fn free(&self, options: &Options) -> Result<Option<Array2<bool>>, Error> {
        let Some(mask) = &options.mask else { return Ok(None) };
        let (n_features, n_neurons, n_predictors) = (self.design.n_columns(), self.n_neurons(), self.model.n_predictors());
        // One flag per feature and neuron, for all classes; or one for every class.
        let (mask, per_neuron) = match mask {
            FeatureMask::Coefficients(all) if all.dim() == (n_features, n_neurons * n_predictors) => (all.clone(), n_predictors),
            _ => (mask.resolve(self.design.names(), n_features, n_neurons)?, 1),
        };
        Ok(Some(Array2::from_shape_fn(
            (n_predictors * n_features, n_neurons),
            |(place, neuron)| mask[(place % n_features, neuron * per_neuron + place / n_features % per_neuron)],
        )))
    }

    /// The objective of a fit, less the penalty.
    pub(crate) fn objective(&self, options: &Options, problems: Option<Problems>, which: Survey) -> Result<GlmObjective<'a, B>, Error> {
        self.objective_within(options, problems, which, None)
    }

    /// The same, with no more than some room.
    fn objective_within(
        &self,
        options: &Options,
        problems: Option<Problems>,
        which: Survey,
        room: Option<Room>,
    ) -> Result<GlmObjective<'a, B>, Error> {
        if let Scale::Fixed(scale) = self.model.scale()
            && !(scale.is_finite() && scale > 0.0)
        {
            return Err(Error::Option(SolverError::Option {
                option: "scale of the observation model",
                got: scale,
                expected: "finite and positive",
            }));
        }
        let given = problems.is_some();
        let problems = problems.unwrap_or_else(|| Problems::one_per_response(self.n_neurons()));
        let free = self.free(options)?;
        let data = (self.design.clone(), self.counts.clone());
        let free = free.map(|free| {
            if given {
                free.select(ndarray::Axis(1), &problems.responses())
            } else {
                free
            }
        });
        let mut objective = GlmObjective::new(self.model.clone(), data, problems, which, room)?;
        objective.hold_all_but(free);
        Ok(objective)
    }

    /// Fits each neuron, a group at a time.
    pub(crate) fn fit(&self, options: &Options, solver: &dyn Solver) -> Result<Fit, Error> {
        let ready = || Ok::<_, Error>((self.penalty(options)?, self.plan(options)?));
        // An error of one process is one of all, before any waits for sums of the others.
        let (regularizer, plan) = match self.design.share() {
            Some(share) => share.world().agree(ready())?,
            None => ready()?,
        };
        plan.give_back(options);
        let mut saved = match &options.checkpoint {
            Some(checkpoint) => {
                let world = self.design.share().map(Share::world);
                Some(Saved::open(checkpoint, self.fingerprint(options, solver, &plan)?, world)?)
            }
            None => None,
        };
        if let ([group], [room]) = (plan.groups.as_slice(), plan.rooms.as_slice())
            && group.features.is_none()
        {
            return self.fit_group((options, &regularizer), (*room, &plan), solver, (saved.as_mut(), 0, true));
        }
        let free = self.free(options)?;
        let mut whole = Whole::new(self, names_of_neurons(&self.counts, self.n_neurons()));
        let n_targets = self.model.n_targets();
        for (index, (group, room)) in plan.groups.iter().zip(&plan.rooms).enumerate() {
            if index > 0 {
                plan.give_back(options);
            }
            let part = self.part(options, &regularizer, group, free.as_ref())?;
            let is_last = index + 1 == plan.groups.len();
            let fit = part.task.fit_group(
                (&part.options, &part.regularizer),
                (*room, &plan),
                solver,
                (saved.as_mut(), index, is_last),
            );
            whole.take(group, fit.map_err(|error| group.of_all(error, n_targets))?);
        }
        Ok(whole.fit())
    }

    /// Fits all neurons together.
    fn fit_group(
        &self,
        (options, regularizer): (&Options, &Regularizer),
        (room, plan): (Room, &FitPlan),
        solver: &dyn Solver,
        (mut saved, index, is_last): (Option<&mut Saved>, usize, bool),
    ) -> Result<Fit, Error> {
        if let Some(saved) = &mut saved
            && let Some(words) = saved.finished(index)?
        {
            let shape = [self.model.n_predictors() * (self.design.n_columns() + 1), self.n_neurons()];
            let finished = FinishedGroup::from_words(&words, shape).ok_or_else(|| saved.damaged())?;
            return Ok(Fit {
                parameters: finished.parameters,
                outcome: finished.outcome,
                dof_resid: finished.dof_resid,
                scale: finished.scale,
                has_offset: self.design.offset().is_some(),
                features: self.design.names().clone(),
                neurons: names_of_neurons(&self.counts, self.n_neurons()),
            });
        }
        let mut objective = self.objective_within(options, None, Survey::WithMoments, Some(room))?;
        plan.give_back(options);
        if let Some(saved) = &mut saved
            && let Some(found) = saved.survey(index, &objective.surveyed())?
            && !objective.take_survey(&found)?
        {
            return Err(saved.of_other_data());
        }
        let start = start_of(options, &objective)?;
        let fit = self.fit_objective(
            &options.stopping,
            regularizer,
            (&mut objective, &start),
            (solver, saved.as_deref_mut()),
        )?;
        if let Some(saved) = saved {
            // A limit of steps may be another one when the fit goes on.
            let limit = options.stopping.max_steps.unwrap_or(usize::MAX);
            let is_cut = |column: &ColumnOutcome| column.status == Status::StepLimit || column.evaluations >= limit;
            if fit.outcome.columns.iter().any(is_cut) {
                saved.leave(is_last)?;
            } else {
                let finished = FinishedGroup {
                    parameters: fit.parameters.clone(),
                    outcome: fit.outcome.clone(),
                    scale: fit.scale.clone(),
                    dof_resid: fit.dof_resid.clone(),
                };
                saved.finish(index, finished.words())?;
            }
        }
        Ok(fit)
    }

    /// Fits each of these problems under one penalty after the other, each from where the last one ended; strengths per neuron
    /// are per problem.
    pub(crate) fn fit_problems(
        &self,
        options: &Options,
        problems: Problems,
        penalties: &[Regularizer],
        solver: &dyn Solver,
    ) -> Result<Vec<Fit>, Error> {
        let n_features = self.design.n_columns();
        let resolve = |regularizer: &Regularizer| {
            let regularizer = regularizer.resolve(self.design.names(), n_features)?;
            regularizer.validate_classes(n_features, problems.n_problems(), self.model.n_predictors())?;
            Ok(regularizer)
        };
        let penalties = penalties.iter().map(resolve).collect::<Result<Vec<_>, Error>>()?;
        let mut objective = self.objective(options, Some(problems.clone()), Survey::WithMoments)?;
        let first = start_of(options, &objective)?;
        if self.model.scale() == Scale::MaximumLikelihood {
            // Every penalty has scales of its own.
            let mut fits: Vec<Fit> = Vec::with_capacity(penalties.len());
            for penalty in &penalties {
                let start = match fits.last() {
                    Some(last) => from_where_it_ended(last, &first),
                    None => first.clone(),
                };
                fits.push(self.fit_objective(&options.stopping, penalty, (&mut objective, &start), (solver, None))?);
            }
            return Ok(fits);
        }
        let solutions = minimize_each(&objective, &penalties, solver, options.stopping, &first)?;
        let fits = solutions.into_iter().zip(&penalties);
        fits.map(|(solution, penalty)| self.finished(solution, penalty, &objective))
            .collect()
    }

    fn fit_objective(
        &self,
        stopping: &Stopping,
        regularizer: &Regularizer,
        (objective, start): (&mut GlmObjective<'a, B>, &Parameters),
        (solver, mut saved): (&dyn Solver, Option<&mut Saved>),
    ) -> Result<Fit, Error> {
        let mut solution = solve(objective, regularizer, (solver, stopping, saved.as_deref_mut()), start)?;
        if self.model.scale() == Scale::MaximumLikelihood {
            solution = alternate(objective, regularizer, (solver, stopping, saved), solution)?;
        }
        self.finished(solution, regularizer, objective)
    }

    /// A fit from where a solver ended.
    fn finished(&self, mut solution: Solution, regularizer: &Regularizer, objective: &GlmObjective<'a, B>) -> Result<Fit, Error> {
        let edges = solution.outcome.columns.iter_mut().zip(objective.on_edge());
        edges
            .filter(|(_, on_edge)| **on_edge)
            .for_each(|(column, _)| column.status = Status::NoMaximum);
        let dof_resid = degrees_of_freedom(regularizer, &solution, objective);
        let neurons = names_of_neurons(&self.counts, self.n_neurons());
        let problems = objective.problems();
        let mut fit = Fit {
            parameters: solution.parameters,
            outcome: solution.outcome,
            scale: objective.scale().to_vec(),
            has_offset: objective.has_offset(),
            dof_resid,
            features: self.design.names().clone(),
            neurons: problems.responses().into_iter().map(|neuron| neurons[neuron].clone()).collect(),
        };
        if self.model.scale() == Scale::Pearson {
            let data = (self.design.clone(), self.counts.clone());
            let chi2 = pearson_chi2(&*self.model, &fit, problems.clone(), data)?;
            // Without degrees of freedom there is no scale.
            let scale = |(chi2, &dof): (&f64, &f64)| if dof > 0.0 { chi2 / dof } else { f64::NAN };
            fit.scale = chi2.iter().zip(&fit.dof_resid).map(scale).collect();
        }
        Ok(fit)
    }
}

/// The parameters of the last fit where it converged; those of a first start elsewhere.
fn from_where_it_ended(last: &Fit, first: &Parameters) -> Parameters {
    let mut start = first.clone();
    for (problem, column) in last.outcome.columns.iter().enumerate() {
        if column.status == Status::Converged {
            start.column_mut(problem).copy_from_slice(last.parameters.column(problem));
        }
    }
    start
}

/// The names of the columns of counts; their numbers, where they have none.
pub(crate) fn names_of_neurons<B: Backend>(counts: &Design<'_, B>, n_neurons: usize) -> Vec<String> {
    let names = counts.names().columns_or_numbers(n_neurons);
    // Where each class of a neuron has a column, columns are no neurons.
    if names.len() == n_neurons {
        names
    } else {
        (0..n_neurons).map(|neuron| neuron.to_string()).collect()
    }
}

/// `[n_neurons]`: the sums of squared residuals, each over its variance at scale one; for weighted rows, as if the weights
/// were one on average.
pub(crate) fn pearson_chi2<B: Backend>(
    model: &dyn Model<B::Burn>,
    fit: &Fit,
    problems: Problems,
    data: (Design<'_, B>, Design<'_, B>),
) -> Result<Vec<f64>, Error> {
    let unit = match model.scale() {
        Scale::Pearson => vec![1.0; fit.scale.len()],
        _ => fit.scale.clone(),
    };
    let mut described = Described::new(model, &unit, data)?;
    described.problems = problems;
    Ok(described.sum(Quantity::Pearson, From::Parameters(&fit.parameters))?.totals())
}

/// The parameters that a fit starts from.
pub(crate) fn start_of<B: Backend>(options: &Options, objective: &GlmObjective<'_, B>) -> Result<Parameters, Error> {
    let made = objective.start();
    let Some(given) = &options.start else { return Ok(made) };
    // Of several problems of a neuron, each starts where the neuron does.
    let n_neurons = objective.data.counts.n_columns() / objective.model.n_targets();
    let of_problems =
        (given.n_problems() == n_neurons && n_neurons != made.n_problems()).then(|| given.select(&objective.problems().responses()));
    let given = of_problems.as_ref().unwrap_or(given);
    let expected = [made.n_parameters() - 1, made.n_problems()];
    let got = [given.n_parameters() - 1, given.n_problems()];
    if got != expected {
        return Err(Error::StartShape { got, expected });
    }
    if let Some(value) = given.as_slice().iter().find(|value| !value.is_finite()) {
        return Err(Error::Option(SolverError::Option {
            option: "initial parameter",
            got: *value,
            expected: "finite",
        }));
    }
    let mut start = given.clone();
    if let Some(free) = objective.free() {
        for ((feature, neuron), _) in free.indexed_iter().filter(|(_, free)| !**free) {
            start.column_mut(neuron)[feature] = 0.0;
        }
    }
    Ok(start)
}

/// Rows used, less what was estimated from them: the directions that the features span without a penalty, all of them
/// under a ridge, and those whose coefficient is not zero under a lasso; and the intercept. Of the classes of a classifier,
/// one follows from the others.
fn degrees_of_freedom<B: Backend>(regularizer: &Regularizer, solution: &Solution, objective: &GlmObjective<'_, B>) -> Vec<f64> {
    let n_predictors = objective.n_predictors();
    let width = solution.parameters.n_parameters() / n_predictors;
    let independent = (n_predictors - 1).max(1) as f64;
    let n_coef = |problem: usize| match regularizer {
        // The rank counts every predictor.
        Regularizer::Unregularized => independent / n_predictors as f64 * solution.outcome.columns[problem].rank as f64,
        Regularizer::Ridge(_) => match objective.free() {
            Some(free) if n_predictors == 1 => free.column(problem).iter().filter(|free| **free).count() as f64,
            _ => independent * (width - 1) as f64,
        },
        _ => {
            let column = solution.parameters.column(problem);
            let coef = column.chunks_exact(width).flat_map(|of_predictor| &of_predictor[..width - 1]);
            coef.filter(|coef| **coef != 0.0).count() as f64
        }
    };
    let n_counts = objective.n_counts().iter().enumerate();
    n_counts.map(|(problem, &n)| n as f64 - n_coef(problem) - independent).collect()
}

// Coefficients and scales are nearly orthogonal, so that alternating between them converges in a few rounds.
const ROUNDS: usize = 50;
const SETTLED: f64 = 1e-8;

/// Minimises from a start; what evaluations bring is taken from a file, and kept there, where there is one.
fn solve<B: Backend>(
    objective: &GlmObjective<'_, B>,
    regularizer: &Regularizer,
    (solver, stopping, saved): (&dyn Solver, &Stopping, Option<&mut Saved>),
    start: &Parameters,
) -> Result<Solution, Error> {
    let Some(saved) = saved else {
        return Ok(minimize(&Penalized::new(objective, regularizer), solver, *stopping, start)?);
    };
    let recorded = Recorded::new(objective, saved);
    Ok(minimize(&Penalized::new(&recorded, regularizer), solver, *stopping, start)?)
}

/// Estimates scales at fixed coefficients, and coefficients at fixed scales, until neither moves.
fn alternate<B: Backend>(
    objective: &mut GlmObjective<'_, B>,
    regularizer: &Regularizer,
    (solver, stopping, mut saved): (&dyn Solver, &Stopping, Option<&mut Saved>),
    mut solution: Solution,
) -> Result<Solution, Error> {
    let settled = SETTLED.max(100.0 * B::epsilon());
    let mut moving: Vec<usize> = Vec::new();
    for _ in 0..ROUNDS {
        let before = objective.scale().to_vec();
        let after = dispersion::maximum_likelihood(objective, &solution.parameters)?;
        moving = (0..before.len()).filter(|&j| (after[j] / before[j]).ln().abs() > settled).collect();
        objective.set_scale(after);
        if moving.is_empty() {
            break;
        }
        let spent: Vec<_> = solution
            .outcome
            .columns
            .iter()
            .map(|column| (column.steps, column.evaluations))
            .collect();
        solution = solve(
            objective,
            regularizer,
            (solver, stopping, saved.as_deref_mut()),
            &solution.parameters,
        )?;
        for (column, (steps, evaluations)) in solution.outcome.columns.iter_mut().zip(spent) {
            column.steps += steps;
            column.evaluations += evaluations;
        }
    }
    for problem in moving {
        solution.outcome.columns[problem].status = Status::StepLimit;
    }
    Ok(solution)
}
