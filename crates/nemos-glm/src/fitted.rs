//! A fitted model of one neuron.

use nemos_core::{Backend, Design, Samples};
use nemos_solvers::{ColumnOutcome, Status};

use crate::fit::Fit;
use crate::score::Predictor;
use crate::{Error, InverseLink, ObservationModel, Score};

/// What fitting a [`Glm`](crate::Glm) gives: coefficients, an intercept, and how the fit ended.
#[derive(Clone, Debug)]
#[must_use]
pub struct FittedGlm<B: Backend, O, L> {
    observation: O,
    link: L,
    fit: Fit<B>,
}

impl<B: Backend, O: ObservationModel, L: InverseLink> FittedGlm<B, O, L> {
    pub(crate) fn new(observation: O, link: L, fit: Fit<B>) -> Self {
        FittedGlm { observation, link, fit }
    }

    /// `[n_features]`: one coefficient per column of the design.
    pub fn coef(&self) -> &[f64] {
        let column = self.fit.parameters.column(0);
        &column[..column.len() - 1]
    }

    /// The predictor where every feature is zero.
    pub fn intercept(&self) -> f64 {
        self.fit.parameters.column(0)[self.fit.parameters.n_parameters() - 1]
    }

    /// How the fit ended, with the evidence.
    pub fn outcome(&self) -> &ColumnOutcome {
        &self.fit.outcome.columns[0]
    }

    /// Name of the solver that ran.
    pub fn solver(&self) -> &'static str {
        self.fit.outcome.solver
    }

    /// Passes the model on if its fit converged.
    ///
    /// # Errors
    /// [`Error::NotConverged`] with the status otherwise.
    pub fn require_converged(self) -> Result<Self, Error> {
        match self.outcome().status {
            Status::Converged => Ok(self),
            status => Err(Error::NotConverged { neuron: 0, status }),
        }
    }

    /// Scale (dispersion) of the observations, one where the model has none.
    pub fn scale(&self) -> f64 {
        self.observation.scale()
    }

    /// Residual degrees of freedom: rows used, less what was estimated from them.
    pub fn dof_resid(&self) -> f64 {
        self.fit.dof_resid[0]
    }

    /// The expected counts: one row per row of `samples`, NaN where it holds one.
    ///
    /// # Shapes
    /// `[n_samples, 1]`, in the kind of `samples`.
    ///
    /// # Errors
    /// If `samples` does not have one column per coefficient, or holds an infinity.
    pub fn predict<S: Samples<B>>(&self, samples: &S) -> Result<S::Output, Error> {
        Ok(samples.wrap(self.predictor().rates(samples)?))
    }

    /// How well the model describes counts.
    ///
    /// # Errors
    /// If design and counts do not fit each other or the model.
    pub fn score(&self, design: &impl Design<B>, counts: &impl Design<B>, score: Score) -> Result<f64, Error> {
        Ok(score.of(&score.tallies(&self.predictor(), design, counts)?))
    }

    fn predictor(&self) -> Predictor<'_, B, O, L> {
        let last = self.fit.parameters.n_parameters() - 1;
        Predictor {
            observation: &self.observation,
            link: &self.link,
            coef: &self.fit.coef,
            intercept: &self.fit.parameters.column(0)[last..],
        }
    }
}
