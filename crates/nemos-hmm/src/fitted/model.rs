//! Fitted hidden Markov models.

use nemos_core::{Backend, Names, Samples, ToDesign};

use crate::error::check_shape;
use crate::fit::data::Data;
use crate::fit::report::{Finding, HmmStatus, Restart};
use crate::fit::run::Run;
use crate::fitted::inferred::Inferred;
use crate::options::Shared;
use crate::state_model::StateModel;
use crate::{Error, GlmHmm, GlmStates, HmmParameters};

/// What a fit leaves besides its run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Described {
    pub(crate) restarts: Vec<Restart>,
    /// `[n_states]`: mean smoothed probability.
    pub(crate) occupancy: Vec<f64>,
    /// Rows with an observation.
    pub(crate) n_rows: usize,
    /// Observations.
    pub(crate) n_entries: f64,
    pub(crate) is_scale_fitted: bool,
    pub(crate) n_shared: usize,
    /// Features that are not zero everywhere.
    pub(crate) n_used: usize,
    pub(crate) features: Names,
    pub(crate) neurons: Names,
}

/// A hidden Markov model with its parameters, and how they were found.
///
/// States stand in the order of their occupancy, the most frequent first, unless a fit was started from given parameters: then they keep
/// the order of the start. Where they change places, what the [specification](FittedGlmHmm::specification) says of each goes with them.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedGlmHmm<S = GlmStates<nemos_glm::Poisson, nemos_glm::Exp>> {
    pub(crate) specification: GlmHmm<S>,
    pub(crate) parameters: HmmParameters,
    pub(crate) status: HmmStatus,
    pub(crate) objective: f64,
    pub(crate) log_likelihood: f64,
    pub(crate) history: Vec<f64>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) described: Described,
}

/// Ends within so many nats of the best count as the same.
const SAME_END: f64 = 0.1;

impl<S: StateModel> FittedGlmHmm<S> {
    pub(crate) fn fitted(specification: GlmHmm<S>, run: Run, described: Described) -> Self {
        FittedGlmHmm {
            specification,
            parameters: run.parameters,
            status: run.status.unwrap_or(HmmStatus::StepLimit),
            objective: run.objective,
            log_likelihood: run.log_likelihood,
            history: run.history,
            findings: run.findings,
            described,
        }
    }

    pub(crate) fn given(specification: GlmHmm<S>, parameters: HmmParameters) -> Result<Self, Error> {
        let expected = [specification.n_states, specification.states.n_predictors()];
        let got = [parameters.n_states(), parameters.n_predictors()];
        check_shape("parameters", &got, &expected, "states, predictors of a neuron")?;
        let (of_model, of_parameters) = (specification.options.drive, parameters.transitions.drive());
        if of_model != of_parameters {
            return Err(Error::Drive {
                model: if of_model.is_some() {
                    "driven by covariates"
                } else {
                    "the same at every row"
                },
                given: "the parameters have other ones, and what they need was not given",
                remedy: "GlmHmm::driven with the drive of the parameters",
            });
        }
        let described = Described {
            restarts: Vec::new(),
            occupancy: vec![f64::NAN; parameters.n_states()],
            n_rows: 0,
            n_entries: 0.0,
            is_scale_fitted: false,
            n_shared: 0,
            n_used: parameters.n_features(),
            features: Names::none(),
            neurons: Names::none(),
        };
        Ok(FittedGlmHmm {
            specification,
            parameters,
            status: HmmStatus::Given,
            objective: f64::NAN,
            log_likelihood: f64::NAN,
            history: Vec::new(),
            findings: Vec::new(),
            described,
        })
    }

    /// The specification that was fitted. What it says of each state (the mean of the prior, concentrations, a start that was given) stands in
    /// the order of the states.
    pub fn specification(&self) -> &GlmHmm<S> {
        &self.specification
    }

    /// The parameters.
    pub fn parameters(&self) -> &HmmParameters {
        &self.parameters
    }

    /// How the fit ended.
    pub fn status(&self) -> HmmStatus {
        self.status
    }

    /// Whether it converged, and is not degenerate.
    pub fn is_converged(&self) -> bool {
        self.status == HmmStatus::Converged
    }

    /// This fit, if it converged and is not degenerate.
    ///
    /// # Errors
    /// [`Error::NotConverged`] with the status and the first finding that speaks against it.
    pub fn require_converged(self) -> Result<Self, Error> {
        if self.is_converged() {
            return Ok(self);
        }
        let finding = self.findings.iter().find(|finding| finding.is_degenerate());
        let why = finding.map_or(String::new(), |finding| format!(": {finding}"));
        let status = format!("{}{why}", self.status);
        Err(Error::NotConverged { status })
    }

    /// What a reader of the fit must know.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The log-likelihood with the priors, without their constants: what the fit maximised. NaN for given parameters.
    pub fn objective(&self) -> f64 {
        self.objective
    }

    /// The log-likelihood of the data of the fit, with all constants. NaN for given parameters.
    pub fn log_likelihood(&self) -> f64 {
        self.log_likelihood
    }

    /// The objective at the start and after every iteration; the last one belongs to the parameters.
    pub fn history(&self) -> &[f64] {
        &self.history
    }

    /// Iterations of the fit.
    pub fn iterations(&self) -> usize {
        self.history.len().saturating_sub(1)
    }

    /// How each start ended, in order.
    pub fn restarts(&self) -> &[Restart] {
        &self.described.restarts
    }

    /// How many starts ended within 0.1 nats of the best, of how many that were followed to their end. One alone says that the best was not
    /// found reliably.
    pub fn agreement(&self) -> (usize, usize) {
        let ended = || self.described.restarts.iter().filter(|restart| restart.status.is_some());
        let agreeing = ended().filter(|restart| (restart.objective - self.objective).abs() <= SAME_END);
        (agreeing.count(), ended().count())
    }

    /// `[n_states]`: the mean smoothed probability of each state over the rows of the fit. NaN for given parameters.
    pub fn occupancy(&self) -> &[f64] {
        &self.described.occupancy
    }

    /// Rows with at least one observation.
    pub fn n_observed_rows(&self) -> usize {
        self.described.n_rows
    }

    /// Names of the features.
    pub fn features(&self) -> &Names {
        &self.described.features
    }

    /// Names of the neurons; their numbers, where they have none.
    pub fn neurons(&self) -> Vec<String> {
        self.described.neurons.columns_or_numbers(self.parameters.n_neurons())
    }

    /// Free parameters; a feature that is zero everywhere has none. Under priors an upper bound of how free they are.
    pub fn n_parameters(&self) -> usize {
        let parameters = &self.parameters;
        let held = self.specification.options.held;
        let (n_states, n_neurons, n_features) = (parameters.n_states(), parameters.n_neurons(), self.described.n_used);
        let own = n_states * (n_features - self.described.n_shared + 1) + self.described.n_shared;
        let coef = own * n_neurons * parameters.n_predictors.saturating_sub(1).max(1);
        let scales = if self.described.is_scale_fitted { n_states * n_neurons } else { 0 };
        let initial = parameters.initial.iter().filter(|p| **p > 0.0).count() - 1;
        let count = |held: bool, n: usize| if held { 0 } else { n };
        count(held.coef, coef) + scales + count(held.initial, initial) + count(held.transitions, parameters.transitions.n_free())
    }

    /// Akaike's information criterion: `−2 L + 2 n_parameters`. NaN for given parameters.
    pub fn aic(&self) -> f64 {
        -2.0 * self.log_likelihood + 2.0 * self.n_parameters() as f64
    }

    /// The Bayesian information criterion: `−2 L + n_parameters · ln n`, n being rows with an observation. NaN for given
    /// parameters.
    pub fn bic(&self) -> f64 {
        -2.0 * self.log_likelihood + self.n_parameters() as f64 * (self.described.n_rows as f64).ln()
    }

    /// Looks at data: their log-likelihood, and what they say of the states. Log-emissions are computed once.
    ///
    /// # Errors
    /// If design and counts do not fit each other or, in shape or by name, the model, are infinite, or counts have no probability; if the transitions are driven
    /// ([`on_driven`](FittedGlmHmm::on_driven)).
    pub fn on<'a, B: Backend, D: Samples<B>>(
        &'a self,
        samples: &'a D,
        counts: &'a (impl ToDesign<B> + ?Sized),
    ) -> Result<Inferred<'a, D, B>, Error> {
        let observations = self.specification.states.observations::<B>()?;
        let data = Data::new(observations, samples.to_design(), counts.to_design(), None)?;
        self.check(&data)?;
        Inferred::new(samples, data, &self.parameters)
    }

    /// Looks at data whose transitions are driven: row `t` of what drives them belongs to the transition into row `t`.
    ///
    /// # Errors
    /// As [`on`](FittedGlmHmm::on), and if what drives transitions is missing in a row.
    pub fn on_driven<'a, B: Backend, D: Samples<B>>(
        &'a self,
        samples: &'a D,
        counts: &'a (impl ToDesign<B> + ?Sized),
        drive: &'a (impl ToDesign<B> + ?Sized),
    ) -> Result<Inferred<'a, D, B>, Error> {
        let observations = self.specification.states.observations::<B>()?;
        let drive = Some(drive.to_design());
        let data = Data::new(observations, samples.to_design(), counts.to_design(), drive)?;
        self.check(&data)?;
        Inferred::new(samples, data, &self.parameters)
    }

    /// Checks that data have the shape and, where both have names, the names of the fit.
    pub(crate) fn check<B: Backend>(&self, data: &Data<'_, B>) -> Result<(), Error> {
        data.check(&self.parameters)?;
        self.described.features.check_same("design", data.design.names())?;
        self.described.neurons.check_same("counts", data.counts.names())?;
        Ok(())
    }

    /// `[n_states]`: the share of time that the chain spends in each state in the long run; nothing where it depends on where the chain starts,
    /// or transitions are driven.
    pub fn stationary(&self) -> Option<Vec<f64>> {
        let transitions = &self.parameters.transitions;
        if transitions.drive().is_some() {
            return None;
        }
        crate::fitted::matching::stationary(&transitions.baseline, transitions.n_states())
    }

    /// `[n_states]`: expected rows of a stay, `1 / (1 − A[k, k])`; of driven transitions at zero covariates.
    pub fn expected_dwell(&self) -> Vec<f64> {
        let (n, step) = (self.parameters.n_states(), self.parameters.transitions.at_zero());
        (0..n).map(|k| 1.0 / (1.0 - step[k * n + k])).collect()
    }

    /// States by falling occupancy; ties by their first coefficient.
    pub(crate) fn order_by_occupancy(&self) -> Vec<usize> {
        let first = |k: usize| self.parameters.glms.column(k * self.parameters.n_neurons())[0];
        let mut order: Vec<usize> = (0..self.parameters.n_states()).collect();
        order.sort_by(|&a, &b| {
            let occupancy = &self.described.occupancy;
            occupancy[b].total_cmp(&occupancy[a]).then(first(a).total_cmp(&first(b)))
        });
        order
    }

    /// Columns of features that all states have the same coefficients of.
    fn shared_columns(&self) -> Vec<usize> {
        match &self.specification.options.shared {
            Shared::None => Vec::new(),
            Shared::Columns(columns) => columns.clone(),
            Shared::Blocks(names) => {
                let blocks = names.iter().filter_map(|name| self.described.features.block(name).ok());
                blocks.flat_map(nemos_core::Block::columns).collect()
            }
        }
    }

    /// The same fit with its states in another order: new state `k` is old state `order[k]`. Priors of each state go with it.
    ///
    /// # Errors
    /// [`Error::Order`] unless each state is named once.
    pub fn permuted(&self, order: &[usize]) -> Result<Self, Error> {
        let parameters = self.parameters.permuted(order)?;
        let place = |state: usize| order.iter().position(|&old| old == state).unwrap_or(state);
        let mut permuted = FittedGlmHmm {
            parameters,
            ..self.clone()
        };
        permuted.specification.options = self.specification.options.permuted(order, &self.shared_columns());
        permuted.described.occupancy = order.iter().map(|&k| self.described.occupancy[k]).collect();
        for finding in &mut permuted.findings {
            match finding {
                Finding::EmptyState { state, .. }
                | Finding::ScaleFloor { state, .. }
                | Finding::PoissonLimit { state, .. }
                | Finding::NoMaximum { state, .. }
                | Finding::Collinear { state, .. } => *state = place(*state),
                Finding::EqualStates { first, second, .. } => (*first, *second) = (place(*first), place(*second)),
                Finding::OneSession => {}
            }
        }
        Ok(permuted)
    }
}
