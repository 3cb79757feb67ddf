//! Fitted models of one neuron.

use std::fmt;

use nemos_core::{Backend, Names, Samples, ToDesign};
use nemos_solvers::{ColumnOutcome, Regularizer};

use crate::fitted::fit::Fit;
use crate::{Error, Exp, FittedPopulationGlm, InverseLink, ObservationModel, Poisson, PopulationGlm, Score};

/// What fitting a [`Glm`](crate::Glm) gives: coefficients, an intercept, and how the fit ended.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct FittedGlm<O = Poisson, L = Exp>(FittedPopulationGlm<O, L>);

impl<O: ObservationModel, L: InverseLink> FittedGlm<O, L> {
    pub(crate) fn new(specification: PopulationGlm<O, L>, fit: Fit) -> Self {
        FittedGlm(FittedPopulationGlm::new(specification, fit))
    }

    pub(crate) fn from_population(population: FittedPopulationGlm<O, L>) -> Self {
        FittedGlm(population)
    }

    /// This model as a population of one.
    pub fn population(&self) -> &FittedPopulationGlm<O, L> {
        &self.0
    }

    /// A population of one as a model of one neuron.
    ///
    /// # Errors
    /// [`Error::SeveralNeurons`] if there are more.
    pub fn try_from_population(population: FittedPopulationGlm<O, L>) -> Result<Self, Error> {
        match population.n_neurons() {
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

    /// The penalty.
    pub fn regularizer(&self) -> &Regularizer {
        self.0.regularizer()
    }

    /// `[n_features]`: one coefficient per column of the design.
    #[doc(alias("coef_", "params"))]
    pub fn coef(&self) -> &[f64] {
        let column = self.0.fit().parameters.column(0);
        &column[..column.len() - 1]
    }

    /// The coefficients of a named block of features.
    ///
    /// # Errors
    /// [`Error::Data`] where the features had no names, or none this one.
    pub fn coef_of(&self, block: &str) -> Result<&[f64], Error> {
        let columns = self.0.features().block(block)?.columns();
        Ok(&self.coef()[columns])
    }

    /// The names of the features, and of the blocks that they fall into.
    pub fn features(&self) -> &Names {
        self.0.features()
    }

    /// The predictor where every feature is zero.
    #[doc(alias("intercept_", "bias"))]
    pub fn intercept(&self) -> f64 {
        self.0.intercept()[0]
    }

    /// How the fit ended, with the evidence.
    pub fn outcome(&self) -> &ColumnOutcome {
        &self.0.outcome().columns[0]
    }

    /// Name of the solver that ran.
    pub fn solver(&self) -> &str {
        &self.0.outcome().solver
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
        self.0.scale()[0]
    }

    /// Residual degrees of freedom: rows used, less what was estimated from them.
    pub fn dof_resid(&self) -> f64 {
        self.0.dof_resid()[0]
    }

    /// The expected counts: one row per row of `samples`, NaN where it holds one.
    ///
    /// # Shapes
    /// `[n_samples, 1]`, in the kind of `samples`.
    ///
    /// # Errors
    /// As [`FittedPopulationGlm::predict`].
    pub fn predict<B: Backend, S: Samples<B>>(&self, samples: &S) -> Result<S::Output, Error> {
        self.0.predict(samples)
    }

    /// How well the model describes counts.
    ///
    /// # Errors
    /// If design and counts do not fit each other or, in shape or by name, the model.
    pub fn score<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
        score: Score,
    ) -> Result<f64, Error> {
        self.0.score(design, counts, score)
    }

    /// The log-likelihood of every count: see [`FittedPopulationGlm::log_likelihood_by_sample`].
    ///
    /// # Errors
    /// As [`score`](FittedGlm::score).
    pub fn log_likelihood_by_sample<B: Backend, S: Samples<B>>(
        &self,
        samples: &S,
        counts: &(impl ToDesign<B> + ?Sized),
    ) -> Result<S::Output, Error> {
        self.0.log_likelihood_by_sample(samples, counts)
    }

    /// The deviance, summed over samples.
    ///
    /// # Errors
    /// As [`score`](FittedGlm::score).
    pub fn deviance<B: Backend>(&self, design: &(impl ToDesign<B> + ?Sized), counts: &(impl ToDesign<B> + ?Sized)) -> Result<f64, Error> {
        Ok(self.0.deviance(design, counts)?[0])
    }
}

impl<O: ObservationModel, L: InverseLink> fmt::Display for FittedGlm<O, L> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
