//! Fitted models: of many neurons, and of one.

use ndarray::{ArrayView2, ShapeBuilder, s};
use nemos_core::{Backend, Design, Matrix, Samples};
use nemos_solvers::{ColumnOutcome, Outcome, Parameters, Regularizer, Status};

use crate::fit::Fit;
use crate::predictor::Predictor;
use crate::{Error, InverseLink, ObservationModel, PopulationGlm, Score};

/// What fitting a [`PopulationGlm`] gives.
#[derive(Clone, Debug)]
#[must_use]
pub struct FittedPopulationGlm<B: Backend, O, L> {
    specification: PopulationGlm<O, L>,
    intercept: Vec<f64>,
    fit: Fit<B>,
}

impl<B: Backend, O: ObservationModel, L: InverseLink> FittedPopulationGlm<B, O, L> {
    pub(crate) fn new(specification: PopulationGlm<O, L>, fit: Fit<B>) -> Self {
        let last = fit.parameters.n_parameters() - 1;
        let intercept = fit.parameters.columns().map(|column| column[last]).collect();
        FittedPopulationGlm {
            specification,
            intercept,
            fit,
        }
    }

    /// A model whose parameters were given rather than fitted.
    pub(crate) fn given(specification: PopulationGlm<O, L>, parameters: Parameters) -> Self {
        let (n_features, n_neurons) = (parameters.n_parameters() - 1, parameters.n_problems());
        let scale = vec![specification.observation.scale().start(); n_neurons];
        let fit = Fit {
            coef: Matrix::from(parameters.to_array(n_features)),
            parameters,
            outcome: Outcome::new("none", vec![ColumnOutcome::new(Status::Given, n_features); n_neurons]),
            dof_resid: vec![f64::NAN; n_neurons],
            scale,
            has_offset: false,
        };
        Self::new(specification, fit)
    }

    /// Takes other scales and residual degrees of freedom, one of each per neuron: for models that were fitted elsewhere.
    ///
    /// # Errors
    /// [`Error::Parameters`] unless there is one per neuron.
    pub fn with_scale(mut self, scale: Vec<f64>, dof_resid: Vec<f64>) -> Result<Self, Error> {
        for values in [&scale, &dof_resid] {
            if values.len() != self.intercept.len() {
                return Err(Error::Parameters {
                    coef: self.intercept.len(),
                    intercept: values.len(),
                });
            }
        }
        (self.fit.scale, self.fit.dof_resid) = (scale, dof_resid);
        Ok(self)
    }

    /// Takes how a fit ended, one column per neuron: for models that were fitted elsewhere.
    ///
    /// # Errors
    /// [`Error::Parameters`] unless there is one per neuron.
    pub fn with_outcome(mut self, outcome: Outcome) -> Result<Self, Error> {
        if outcome.columns.len() != self.intercept.len() {
            return Err(Error::Parameters {
                coef: self.intercept.len(),
                intercept: outcome.columns.len(),
            });
        }
        self.fit.outcome = outcome;
        Ok(self)
    }

    /// Asks for an offset in [`predict`](FittedPopulationGlm::predict): for models that were fitted with one elsewhere.
    pub fn needing_offset(mut self) -> Self {
        self.fit.has_offset = true;
        self
    }

    /// The model without its data: observation model, link, penalty and mask.
    pub fn specification(&self) -> &PopulationGlm<O, L> {
        &self.specification
    }

    /// The observation model.
    pub fn observation(&self) -> &O {
        &self.specification.observation
    }

    /// The link.
    pub fn link(&self) -> &L {
        &self.specification.link
    }

    /// The penalty.
    pub fn regularizer(&self) -> &Regularizer {
        &self.specification.regularizer
    }

    /// `[n_features, n_neurons]`: one column of coefficients per neuron.
    #[expect(clippy::missing_panics_doc, reason = "invariant: parameters are whole columns")]
    pub fn coef(&self) -> ArrayView2<'_, f64> {
        let (n_parameters, n_neurons) = (self.fit.parameters.n_parameters(), self.fit.parameters.n_problems());
        let all = ArrayView2::from_shape((n_parameters, n_neurons).f(), self.fit.parameters.as_slice());
        all.expect("parameters are whole columns").slice_move(s![..n_parameters - 1, ..])
    }

    /// `[n_neurons]`: the predictors where every feature is zero.
    pub fn intercept(&self) -> &[f64] {
        &self.intercept
    }

    /// How the fit of each neuron ended, with the evidence.
    pub fn outcome(&self) -> &Outcome {
        &self.fit.outcome
    }

    /// Passes the model on if the fit of every neuron converged.
    ///
    /// # Errors
    /// [`Error::NotConverged`] with the first neuron that did not, and its status.
    pub fn require_converged(self) -> Result<Self, Error> {
        match self.fit.outcome.first_failure() {
            None => Ok(self),
            Some((neuron, status)) => Err(Error::NotConverged { neuron, status }),
        }
    }

    /// `[n_neurons]`: scale (dispersion) of the observations, one where the model has none.
    pub fn scale(&self) -> &[f64] {
        &self.fit.scale
    }

    /// `[n_neurons]`: residual degrees of freedom, the rows used less what was estimated from them.
    pub fn dof_resid(&self) -> &[f64] {
        &self.fit.dof_resid
    }

    /// Whether the model was fitted with an offset, and asks for one in [`predict`](FittedPopulationGlm::predict).
    pub fn has_offset(&self) -> bool {
        self.fit.has_offset
    }

    /// The expected counts: one row per row of `samples`, NaN where it holds one.
    ///
    /// # Shapes
    /// `[n_samples, n_neurons]`, in the kind of `samples`.
    ///
    /// # Errors
    /// If `samples` does not have one column per coefficient, holds an infinity, or lacks the offset that the model was
    /// fitted with.
    pub fn predict<S: Samples<B>>(&self, samples: &S) -> Result<S::Output, Error> {
        Ok(samples.wrap(self.predictor().rates(samples)?))
    }

    /// How well the model describes counts, over all neurons.
    ///
    /// # Errors
    /// If design and counts do not fit each other or the model.
    pub fn score(&self, design: &impl Design<B>, counts: &impl Design<B>, score: Score) -> Result<f64, Error> {
        Ok(score.of(&score.tallies(&self.predictor(), design, counts)?))
    }

    /// How well the model describes the counts of each neuron: `[n_neurons]`.
    ///
    /// # Errors
    /// As [`score`](FittedPopulationGlm::score).
    pub fn score_by_neuron(&self, design: &impl Design<B>, counts: &impl Design<B>, score: Score) -> Result<Vec<f64>, Error> {
        let tallies = score.tallies(&self.predictor(), design, counts)?;
        Ok(tallies.iter().map(|tally| score.of(std::slice::from_ref(tally))).collect())
    }

    /// `[n_neurons]`: the sums of squared residuals, each over its variance at scale one (Pearson's χ²).
    ///
    /// # Errors
    /// As [`score`](FittedPopulationGlm::score).
    pub fn pearson_chi2(&self, design: &impl Design<B>, counts: &impl Design<B>) -> Result<Vec<f64>, Error> {
        self.predictor().pearson_chi2(design, counts)
    }

    /// `[n_neurons]`: the deviances, summed over samples.
    ///
    /// # Errors
    /// As [`score`](FittedPopulationGlm::score).
    pub fn deviance(&self, design: &impl Design<B>, counts: &impl Design<B>) -> Result<Vec<f64>, Error> {
        self.predictor().deviance(design, counts)
    }

    fn predictor(&self) -> Predictor<'_, B, O, L> {
        Predictor::new(&self.specification, &self.fit)
    }
}

/// What fitting a [`Glm`](crate::Glm) gives: coefficients, an intercept, and how the fit ended.
#[derive(Clone, Debug)]
#[must_use]
pub struct FittedGlm<B: Backend, O, L>(FittedPopulationGlm<B, O, L>);

impl<B: Backend, O: ObservationModel, L: InverseLink> FittedGlm<B, O, L> {
    pub(crate) fn from_population(population: FittedPopulationGlm<B, O, L>) -> Self {
        FittedGlm(population)
    }

    /// This model as a population of one.
    pub fn population(&self) -> &FittedPopulationGlm<B, O, L> {
        &self.0
    }

    /// A population of one as a model of one neuron.
    ///
    /// # Errors
    /// [`Error::SeveralNeurons`] if there are more.
    pub fn try_from_population(population: FittedPopulationGlm<B, O, L>) -> Result<Self, Error> {
        match population.intercept().len() {
            1 => Ok(FittedGlm(population)),
            n_neurons => Err(Error::SeveralNeurons { n_neurons }),
        }
    }

    /// The observation model.
    pub fn observation(&self) -> &O {
        self.0.observation()
    }

    /// The link.
    pub fn link(&self) -> &L {
        self.0.link()
    }

    /// `[n_features]`: one coefficient per column of the design.
    pub fn coef(&self) -> &[f64] {
        let column = self.0.fit.parameters.column(0);
        &column[..column.len() - 1]
    }

    /// The predictor where every feature is zero.
    pub fn intercept(&self) -> f64 {
        self.0.intercept[0]
    }

    /// How the fit ended, with the evidence.
    pub fn outcome(&self) -> &ColumnOutcome {
        &self.0.fit.outcome.columns[0]
    }

    /// Name of the solver that ran.
    pub fn solver(&self) -> &'static str {
        self.0.fit.outcome.solver
    }

    /// Passes the model on if its fit converged.
    ///
    /// # Errors
    /// [`Error::NotConverged`] with the status otherwise.
    pub fn require_converged(self) -> Result<Self, Error> {
        self.0.require_converged().map(FittedGlm)
    }

    /// Scale (dispersion) of the observations, one where the model has none.
    pub fn scale(&self) -> f64 {
        self.0.fit.scale[0]
    }

    /// Residual degrees of freedom: rows used, less what was estimated from them.
    pub fn dof_resid(&self) -> f64 {
        self.0.fit.dof_resid[0]
    }

    /// The expected counts: one row per row of `samples`, NaN where it holds one.
    ///
    /// # Shapes
    /// `[n_samples, 1]`, in the kind of `samples`.
    ///
    /// # Errors
    /// As [`FittedPopulationGlm::predict`].
    pub fn predict<S: Samples<B>>(&self, samples: &S) -> Result<S::Output, Error> {
        self.0.predict(samples)
    }

    /// How well the model describes counts.
    ///
    /// # Errors
    /// If design and counts do not fit each other or the model.
    pub fn score(&self, design: &impl Design<B>, counts: &impl Design<B>, score: Score) -> Result<f64, Error> {
        self.0.score(design, counts, score)
    }

    /// The deviance, summed over samples.
    ///
    /// # Errors
    /// As [`score`](FittedGlm::score).
    pub fn deviance(&self, design: &impl Design<B>, counts: &impl Design<B>) -> Result<f64, Error> {
        Ok(self.0.deviance(design, counts)?[0])
    }
}
