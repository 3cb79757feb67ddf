//! The generalized linear model of one neuron.

use nemos_core::{Backend, Design};
use nemos_solvers::{Auto, Regularizer, Solver};

use crate::fit::Specification;
use crate::{Error, FittedGlm, GlmObjective, InverseLink, ObservationModel};

/// A generalized linear model of one neuron: a specification, which fitting turns into a [`FittedGlm`].
///
/// ```text
/// rate = link(design · coef + intercept),     counts ~ observation model with mean `rate`
/// loss(coef, intercept) = 1/T Σₜ loss(counts[t], predictor[t]) + penalty(coef)
/// ```
///
/// # Shapes
/// design `[n_samples, n_features]`, counts `[n_samples, 1]`. Rows with a NaN are left out of the fit.
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
/// use nemos_glm::{Glm, Poisson};
///
/// let stimulus = Matrix::<Cpu>::from_column(vec![0.0, 0.0, 1.0, 1.0]);
/// let counts = Matrix::from_column(vec![1.0, 3.0, 4.0, 8.0]);
/// let fitted = Glm::new(Poisson).fit(&stimulus, &counts)?;
/// // Two spikes per bin without the stimulus, six with it.
/// assert!((fitted.intercept().exp() - 2.0).abs() < 1e-6);
/// assert!((fitted.coef()[0].exp() - 3.0).abs() < 1e-6);
/// # Ok::<(), nemos_glm::Error>(())
/// ```
///
/// # References
/// Truccolo et al. (2005), *Journal of Neurophysiology* 93. doi:10.1152/jn.00697.2004
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Glm<O, L> {
    observation: O,
    link: L,
    regularizer: Regularizer,
}

impl<O: ObservationModel> Glm<O, O::DefaultLink> {
    /// A model with the default link of its observations, and no penalty.
    pub fn new(observation: O) -> Self {
        Glm {
            observation,
            link: Default::default(),
            regularizer: Regularizer::Unregularized,
        }
    }
}

impl<O: ObservationModel, L: InverseLink> Glm<O, L> {
    /// Takes another link.
    pub fn link<M: InverseLink>(self, link: M) -> Glm<O, M> {
        Glm {
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
    /// Not converging is no error: see [`FittedGlm::outcome`].
    ///
    /// # Errors
    /// If design and counts differ in rows or times, are empty, infinite, or missing in every row; if there are several
    /// columns of counts, or counts that the observation model gives no probability; if the strength of the penalty is
    /// negative or not finite.
    pub fn fit<B: Backend>(&self, design: &impl Design<B>, counts: &impl Design<B>) -> Result<FittedGlm<B, O, L>, Error> {
        self.fit_with(&Auto::new(), design, counts)
    }

    /// Fits the model with a solver of choice.
    ///
    /// # Errors
    /// As [`fit`](Glm::fit), and if an option of the solver is out of range.
    pub fn fit_with<B: Backend>(
        &self,
        solver: &impl Solver,
        design: &impl Design<B>,
        counts: &impl Design<B>,
    ) -> Result<FittedGlm<B, O, L>, Error> {
        if counts.n_features() > 1 {
            return Err(Error::SeveralNeurons {
                n_neurons: counts.n_features(),
            });
        }
        let specification = Specification {
            observation: &self.observation,
            link: &self.link,
            regularizer: &self.regularizer,
        };
        let fit = specification.fit(solver, design, counts)?;
        Ok(FittedGlm::new(self.observation.clone(), self.link.clone(), fit))
    }

    /// What a fit minimises, less the penalty: for solvers of your own, and for looking at values and gradients.
    ///
    /// # Errors
    /// As [`fit`](Glm::fit).
    pub fn objective<'a, B: Backend, D: Design<B>, Y: Design<B>>(
        &'a self,
        design: &'a D,
        counts: &'a Y,
    ) -> Result<GlmObjective<'a, B, D, Y, O, L>, Error> {
        GlmObjective::new(design, counts, &self.observation, &self.link)
    }
}
