//! The generalized linear model of many neurons that share a design.

use ndarray::{ArrayView2, ShapeBuilder, s};
use nemos_core::{Backend, Design, Samples};
use nemos_solvers::{Auto, Outcome, Regularizer, Solver};

use crate::fit::{Fit, Specification};
use crate::score::Predictor;
use crate::{Error, GlmObjective, InverseLink, ObservationModel, Score};

/// A generalized linear model of many neurons that share a design: each is fitted as if alone, all at once.
///
/// # Shapes
/// design `[n_samples, n_features]`, counts `[n_samples, n_neurons]`. A row with a NaN in the design is left out of the
/// fit; a NaN in the counts of one neuron leaves the row out for that neuron.
///
/// # Options
/// | option | default |
/// |---|---|
/// | `link` | that of the observation model (`Exp` for Poisson) |
/// | `regularizer` | `Unregularized` |
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{Poisson, PopulationGlm};
///
/// let stimulus = Matrix::<Cpu>::from_column(vec![0.0, 0.0, 1.0, 1.0]);
/// let counts = Matrix::from_vec(vec![1.0, 4.0, 3.0, 2.0, 4.0, 1.0, 8.0, 2.0], [4, 2])?;
/// let fitted = PopulationGlm::new(Poisson).fit(&stimulus, &counts)?;
/// assert_eq!(fitted.coef().dim(), (1, 2));
/// assert!(fitted.coef()[(0, 0)] > 0.0 && fitted.coef()[(0, 1)] < 0.0);
/// # Ok::<(), nemos_glm::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct PopulationGlm<O, L> {
    observation: O,
    link: L,
    regularizer: Regularizer,
}

impl<O: ObservationModel> PopulationGlm<O, O::DefaultLink> {
    /// A model with the default link of its observations, and no penalty.
    pub fn new(observation: O) -> Self {
        PopulationGlm {
            observation,
            link: Default::default(),
            regularizer: Regularizer::Unregularized,
        }
    }
}

impl<O: ObservationModel, L: InverseLink> PopulationGlm<O, L> {
    /// Takes another link.
    pub fn link<M: InverseLink>(self, link: M) -> PopulationGlm<O, M> {
        PopulationGlm {
            observation: self.observation,
            link,
            regularizer: self.regularizer,
        }
    }

    /// Takes a penalty on the coefficients.
    pub fn regularizer(mut self, regularizer: Regularizer) -> Self {
        self.regularizer = regularizer;
        self
    }

    /// Fits the model, with the solver that suits its size.
    ///
    /// Not converging is no error: see [`FittedPopulationGlm::outcome`].
    ///
    /// # Errors
    /// As [`Glm::fit`](crate::Glm::fit), for any number of columns of counts.
    pub fn fit<B: Backend>(&self, design: &impl Design<B>, counts: &impl Design<B>) -> Result<FittedPopulationGlm<B, O, L>, Error> {
        self.fit_with(&Auto::new(), design, counts)
    }

    /// Fits the model with a solver of choice.
    ///
    /// # Errors
    /// As [`fit`](PopulationGlm::fit), and if an option of the solver is out of range.
    pub fn fit_with<B: Backend>(
        &self,
        solver: &impl Solver,
        design: &impl Design<B>,
        counts: &impl Design<B>,
    ) -> Result<FittedPopulationGlm<B, O, L>, Error> {
        let specification = Specification {
            observation: &self.observation,
            link: &self.link,
            regularizer: &self.regularizer,
        };
        let fit = specification.fit(solver, design, counts)?;
        Ok(FittedPopulationGlm::new(self.observation.clone(), self.link.clone(), fit))
    }

    /// What a fit minimises, less the penalty: for solvers of your own, and for looking at values and gradients.
    ///
    /// # Errors
    /// As [`fit`](PopulationGlm::fit).
    pub fn objective<'a, B: Backend, D: Design<B>, Y: Design<B>>(
        &'a self,
        design: &'a D,
        counts: &'a Y,
    ) -> Result<GlmObjective<'a, B, D, Y, O, L>, Error> {
        GlmObjective::new(design, counts, &self.observation, &self.link)
    }
}

/// What fitting a [`PopulationGlm`] gives.
#[derive(Clone, Debug)]
#[must_use]
pub struct FittedPopulationGlm<B: Backend, O, L> {
    observation: O,
    link: L,
    intercept: Vec<f64>,
    fit: Fit<B>,
}

impl<B: Backend, O: ObservationModel, L: InverseLink> FittedPopulationGlm<B, O, L> {
    fn new(observation: O, link: L, fit: Fit<B>) -> Self {
        let last = fit.parameters.n_parameters() - 1;
        let intercept = fit.parameters.columns().map(|column| column[last]).collect();
        FittedPopulationGlm {
            observation,
            link,
            intercept,
            fit,
        }
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
    pub fn scale(&self) -> Vec<f64> {
        vec![self.observation.scale(); self.intercept.len()]
    }

    /// `[n_neurons]`: residual degrees of freedom, the rows used less what was estimated from them.
    pub fn dof_resid(&self) -> &[f64] {
        &self.fit.dof_resid
    }

    /// The expected counts: one row per row of `samples`, NaN where it holds one.
    ///
    /// # Shapes
    /// `[n_samples, n_neurons]`, in the kind of `samples`.
    ///
    /// # Errors
    /// If `samples` does not have one column per coefficient, or holds an infinity.
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

    fn predictor(&self) -> Predictor<'_, B, O, L> {
        Predictor {
            observation: &self.observation,
            link: &self.link,
            coef: &self.fit.coef,
            intercept: &self.intercept,
        }
    }
}
