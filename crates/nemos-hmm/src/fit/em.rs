//! Expectation and maximisation of several runs at once: what they share, the design and the counts, is read once for all.

use ndarray::Array2;
use nemos_core::{Backend, Matrix};
use nemos_glm::{GlmObjective, Problems, Scale, Summed};
use nemos_solvers::Objective;
use rayon::prelude::*;

use crate::fit::constant::Constant;
use crate::fit::data::Data;
use crate::fit::driven::{self, Expectations};
use crate::fit::glms::{Candidate, fit_scales, maximise};
use crate::fit::priors::Priors;
use crate::fit::run::Run;
use crate::fit::seen::Seen;
use crate::options::{Acceleration, Options};
use crate::{Error, Finding, HmmParameters};

/// What runs share: data, priors, and the problems of all of them as one objective.
pub(crate) struct Em<'d, 'a, B: Backend> {
    pub(crate) data: &'d Data<'a, B>,
    pub(crate) options: &'d Options,
    pub(crate) priors: Priors,
    pub(crate) seen: &'d Seen,
    /// `[n_neurons]`: the lowest scale that is let stand.
    pub(crate) floors: Vec<f64>,
    pub(crate) objective: GlmObjective<'a, B>,
    /// `[n_parameters]`: the spread of each feature, and one for intercepts.
    units: Vec<f64>,
    constant: Option<Constant>,
    pub(super) n_states: usize,
    n_slots: usize,
}

impl<'d, 'a, B: Backend> Em<'d, 'a, B> {
    /// For so many runs at once.
    pub(crate) fn new(
        data: &'d Data<'a, B>,
        (options, priors): (&'d Options, Priors),
        (seen, floors): (&'d Seen, Vec<f64>),
        (n_states, n_slots): (usize, usize),
    ) -> Result<Self, Error> {
        let n_neurons = data.n_neurons();
        let n_problems = n_slots * n_states * n_neurons;
        let problems = Problems::of_responses((0..n_problems).map(|problem| problem % n_neurons))
            .weighted_by((0..n_problems).map(|problem| problem / n_neurons))?
            .divided_by(vec![1.0; n_problems])?;
        let objective = data.observations.objective(problems, data.design.clone(), data.counts.clone())?;
        let moments = objective.expected_curvature().map(|expected| expected.moments[0].clone());
        let spread = |place: usize| {
            let variance = moments.as_ref().and_then(|moments| moments.covariance.diag().get(place).copied());
            variance.map_or(1.0, |variance| variance.max(0.0).sqrt())
        };
        let width = data.design.n_columns() + 1;
        let units = (0..objective.start().n_parameters()).map(|place| spread(place % width)).collect();
        Ok(Em {
            units,
            data,
            options,
            priors,
            seen,
            floors,
            objective,
            constant: None,
            n_states,
            n_slots,
        })
    }

    /// Takes the shorter way for runs from these starts, where no feature varies.
    pub(crate) fn look_for_constants(&mut self, starts: &[HmmParameters]) -> Result<(), Error> {
        if self.priors.mean.is_none() && !self.is_scale_fitted() {
            self.constant = Constant::new(self.data, self.seen, starts)?;
        }
        Ok(())
    }

    fn is_scale_fitted(&self) -> bool {
        !matches!(self.data.observations.scale(), Scale::Fixed(_)) && !self.options.held.scale
    }

    /// Where generalized linear models of all rows start: parameters of one state.
    pub(crate) fn flat_start(&self) -> nemos_solvers::Parameters {
        self.objective.start().select(&(0..self.data.n_neurons()).collect::<Vec<_>>())
    }

    /// What is still to be gained, in nats, when a run stops.
    fn tolerance(&self) -> f64 {
        self.options.tolerance * self.seen.rows as f64
    }

    /// Goes on with all runs that have not ended, to so many iterations each.
    pub(crate) fn advance(&mut self, runs: &mut [Run], max_iterations: usize) -> Result<(), Error> {
        loop {
            let is_open = |run: &Run| run.status.is_none() && (run.is_new || run.iterations() < max_iterations);
            let open: Vec<usize> = (0..runs.len()).filter(|&run| is_open(&runs[run])).collect();
            if open.is_empty() {
                return Ok(());
            }
            let new: Vec<usize> = open.iter().copied().filter(|&run| runs[run].is_new).collect();
            self.expect(runs, &new)?;
            let known: Vec<usize> = open
                .into_iter()
                .filter(|&run| runs[run].status.is_none() && !runs[run].is_new && runs[run].iterations() < max_iterations)
                .collect();
            self.maximise(runs, &known)?;
        }
    }

    /// One expectation of runs.
    pub(crate) fn expect(&self, runs: &mut [Run], active: &[usize]) -> Result<(), Error> {
        if active.is_empty() {
            return Ok(());
        }
        let taken = self.expectations(runs, active)?;
        for (&run, taken) in active.iter().zip(taken) {
            let run_of = &mut runs[run];
            let (objective, log_likelihood) = match taken {
                Ok(expected) => {
                    let log_likelihood = expected.log_likelihood;
                    run_of.expected = expected;
                    (log_likelihood + self.priors.log_density(&run_of.parameters), log_likelihood)
                }
                Err(row) if run_of.history.is_empty() => {
                    return Err(self.data.impossible_anywhere(&run_of.parameters, row));
                }
                Err(_) => (f64::NEG_INFINITY, f64::NEG_INFINITY),
            };
            run_of.take(objective, log_likelihood, (self.tolerance(), self.objective.resolution()));
        }
        Ok(())
    }

    /// Takes the expectation of a run again, whose last one belongs to parameters that it gave up.
    pub(crate) fn expect_again(&self, run: &mut Run) -> Result<(), Error> {
        for taken in self.expectations(std::slice::from_mut(run), &[0])? {
            run.expected = taken.map_err(|row| self.data.impossible_anywhere(&run.parameters, row))?;
        }
        Ok(())
    }

    /// `[n_rows, n_active · n_states]`: log-emissions of runs.
    pub(super) fn emissions(&self, runs: &[Run], active: &[usize]) -> Result<Array2<f64>, Error> {
        let n_neurons = self.data.n_neurons();
        let n_problems = active.len() * self.n_states * n_neurons;
        let n_parameters = self.objective.start().n_parameters();
        let columns = active.iter().flat_map(|&run| runs[run].parameters.glms.columns());
        let parameters = nemos_solvers::Parameters::from_columns(n_parameters, columns);
        let scales: Vec<f64> = active.iter().flat_map(|&run| runs[run].parameters.scales.iter().copied()).collect();
        if let Some(constant) = &self.constant
            && let Some(values) = constant.log_emissions(&self.data.observations, (&parameters, &scales))?
        {
            return Ok(values);
        }
        let problems = Problems::of_responses((0..n_problems).map(|problem| problem % n_neurons));
        let sums: Vec<usize> = (0..n_problems).map(|problem| problem / n_neurons).collect();
        let summed = Summed {
            parameters: &parameters,
            scales: &scales,
            problems: &problems,
            sum_of_problem: &sums,
        };
        Ok(self
            .data
            .observations
            .summed_log_likelihoods(summed, &self.data.design, &self.data.counts)?)
    }

    /// One maximisation of runs whose expectations were taken.
    pub(crate) fn maximise(&mut self, runs: &mut [Run], active: &[usize]) -> Result<(), Error> {
        if active.is_empty() {
            return Ok(());
        }
        let (n_states, n_neurons) = (self.n_states, self.data.n_neurons());
        let held = self.options.held;
        let smoothed: Vec<&[f64]> = active.iter().map(|&run| runs[run].expected.smoothed.as_slice()).collect();
        let masses = self.data.masses(self.seen, &smoothed, n_states)?;
        let mut candidates = Vec::new();
        for (&run, masses) in active.iter().zip(&masses) {
            let run_of = &mut runs[run];
            let mut parameters = run_of.parameters.clone();
            let needed = self.needed(&parameters);
            let is_empty: Vec<bool> = masses.iter().map(|&mass| n_states > 1 && mass < needed).collect();
            run_of.findings = (0..masses.len())
                .filter(|&problem| is_empty[problem])
                .map(|problem| Finding::EmptyState {
                    state: problem / n_neurons,
                    neuron: problem % n_neurons,
                    mass: masses[problem],
                })
                .collect();
            if !held.initial {
                parameters.initial = self.priors.initial_law(&run_of.expected.first, &parameters.initial);
            }
            if !held.transitions {
                let was = parameters.transitions.clone();
                match &self.data.drive {
                    None => {
                        parameters.transitions.baseline = self.priors.transition_law(&run_of.expected.pairs, &was.baseline, n_states);
                        // A state that nothing is known of keeps its transitions, too.
                        for state in 0..n_states {
                            if is_empty[state * n_neurons..(state + 1) * n_neurons].iter().all(|&empty| empty) {
                                let row = state * n_states..(state + 1) * n_states;
                                parameters.transitions.baseline[row.clone()].copy_from_slice(&was.baseline[row]);
                            }
                        }
                    }
                    Some(inputs) => {
                        let expectations = Expectations {
                            pairs: &run_of.expected.pairs_by_row,
                            inputs,
                            ridge: &self.priors.drive_ridge,
                        };
                        parameters.transitions = driven::maximise(self.data, &was, expectations, self.options.newton_steps)?;
                    }
                }
            }
            candidates.push(Candidate::new(run, parameters, is_empty));
        }
        let mut done = false;
        if let Some(constant) = self.constant.as_ref().filter(|_| !held.coef) {
            done = true;
            for (candidate, masses) in candidates.iter_mut().zip(&masses) {
                let smoothed = &runs[candidate.slot].expected.smoothed;
                done = done && take_intercepts(candidate, constant.intercepts(self.data, smoothed, masses)?);
            }
        }
        if done {
            self.put_back(runs, candidates);
            return Ok(());
        }
        let is_fitted = self.is_scale_fitted();
        if !held.coef || is_fitted {
            self.objective.replace_weights(self.weights(runs, active)?)?;
        }
        let engine = (&mut self.objective, &self.data.observations);
        if !held.coef {
            maximise(engine, &mut candidates, &self.priors, self.options.newton_steps)?;
            candidates
                .iter_mut()
                .for_each(|candidate| centre_classes(&mut candidate.parameters, self.priors.ridge == 0.0));
        }
        if is_fitted {
            let engine = (&mut self.objective, &self.data.observations);
            fit_scales(engine, &mut candidates, &masses, &self.floors)?;
        }
        self.put_back(runs, candidates);
        Ok(())
    }

    /// Gives runs the parameters that were found for them, with what there is to say of these.
    fn put_back(&self, runs: &mut [Run], candidates: Vec<Candidate>) {
        for candidate in candidates {
            let run = &mut runs[candidate.slot];
            if self.is_scale_fitted() {
                run.findings.extend(self.on_floor(&candidate));
            }
            let (findings, moving) = self.no_maximum(&candidate);
            run.findings.extend(findings);
            run.moving = moving;
            run.is_new = true;
            if self.options.acceleration == Acceleration::Squarem && self.n_states > 1 {
                let further = run
                    .trail
                    .further(&run.parameters, &candidate.parameters, (&self.units, &self.floors));
                run.plain = further.is_some().then(|| candidate.parameters.clone());
                let to = further.unwrap_or_else(|| candidate.parameters.clone());
                run.before = Some(std::mem::replace(&mut run.parameters, to));
            } else {
                run.before = Some(std::mem::replace(&mut run.parameters, candidate.parameters.clone()));
            }
            run.proposed = Some(candidate.parameters);
        }
    }

    /// Fits the models of the states of one run to given probabilities of states, `[n_rows, n_states]`.
    pub(crate) fn fit_states(&mut self, candidate: &mut Candidate, smoothed: &[f64], n_steps: usize) -> Result<(), Error> {
        let (n_states, width) = (self.n_states, self.n_slots * self.n_states);
        let rows = smoothed.chunks_exact(n_states);
        let weights: Vec<f64> = rows
            .flat_map(|row| {
                (0..width).map(|column| {
                    if column / n_states == candidate.slot {
                        row[column % n_states]
                    } else {
                        0.0
                    }
                })
            })
            .collect();
        self.objective
            .replace_weights(Matrix::from_vec(weights, [self.data.n_rows(), width])?)?;
        let masses = self.data.masses(self.seen, &[smoothed], n_states)?;
        let candidates = std::slice::from_mut(candidate);
        maximise((&mut self.objective, &self.data.observations), candidates, &self.priors, n_steps)?;
        if !matches!(self.data.observations.scale(), Scale::Fixed(_)) {
            fit_scales((&mut self.objective, &self.data.observations), candidates, &masses, &self.floors)?;
        }
        Ok(())
    }

    /// Moments of the features.
    pub(crate) fn moments(&self) -> Option<std::sync::Arc<nemos_solvers::Moments>> {
        self.objective.expected_curvature().map(|expected| expected.moments[0].clone())
    }

    /// Expected observations that a model needs: as many as parameters, or one where a prior stands for the coefficients.
    fn needed(&self, parameters: &HmmParameters) -> f64 {
        if self.priors.ridge > 0.0 {
            1.0
        } else {
            parameters.n_features() as f64 + 1.0
        }
    }

    /// `[n_rows, n_slots · n_states]`: smoothed probabilities as weights of rows.
    pub(crate) fn weights(&self, runs: &[Run], active: &[usize]) -> Result<Matrix<B>, Error> {
        let (n_states, width) = (self.n_states, self.n_slots * self.n_states);
        let dims = [self.data.n_rows(), width];
        if self.n_slots == 1 {
            return Ok(Matrix::from_vec(runs[active[0]].expected.smoothed.clone(), dims)?);
        }
        let mut weights = nemos_core::zeros::<f64>(dims[0] * width);
        weights.par_chunks_mut(width * 1024).enumerate().for_each(|(chunk, weights)| {
            for (place, weights) in weights.chunks_exact_mut(width).enumerate() {
                let row = chunk * 1024 + place;
                for &run in active {
                    let from = &runs[run].expected.smoothed[row * n_states..(row + 1) * n_states];
                    weights[run * n_states..(run + 1) * n_states].copy_from_slice(from);
                }
            }
        });
        Ok(Matrix::from_vec(weights, dims)?)
    }
}

/// Takes intercepts of greatest likelihood; false where there are none.
fn take_intercepts(candidate: &mut Candidate, intercepts: Option<Vec<(f64, bool)>>) -> bool {
    let Some(intercepts) = intercepts else { return false };
    let last = candidate.parameters.glms.n_parameters() - 1;
    for (problem, (intercept, is_maximum)) in intercepts.into_iter().enumerate() {
        if !candidate.frozen[problem] && intercept.is_finite() {
            candidate.parameters.glms.column_mut(problem)[last] = intercept;
            candidate.moves[problem] = if is_maximum { 0.0 } else { 1.0 };
            candidate.on_edge[problem] = !is_maximum;
        }
    }
    true
}

/// The same number added to all classes changes nothing: their intercepts sum to zero, and coefficients where nothing else says so.
fn centre_classes(parameters: &mut HmmParameters, with_coef: bool) {
    let (n_classes, width) = (parameters.n_predictors, parameters.n_features() + 1);
    if n_classes == 1 {
        return;
    }
    for problem in 0..parameters.glms.n_problems() {
        let column = parameters.glms.column_mut(problem);
        for place in (if with_coef { 0 } else { width - 1 })..width {
            let mean = (0..n_classes).map(|class| column[class * width + place]).sum::<f64>() / n_classes as f64;
            (0..n_classes).for_each(|class| column[class * width + place] -= mean);
        }
    }
}
