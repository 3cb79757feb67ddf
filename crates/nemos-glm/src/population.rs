//! The generalized linear model of many neurons that share a design.

use ndarray::Array2;
use nemos_core::{Backend, Design};
use nemos_solvers::{Auto, Parameters, Regularizer, Solver, Stochastic};

use crate::{Error, FeatureMask, FittedPopulationGlm, GlmObjective, InverseLink, ObservationModel, Training};

/// A generalized linear model of many neurons that share a design: each is fitted as if alone, all at once.
///
/// ```text
/// rate = link(design · coef + intercept + offset),     counts ~ observation model with mean `rate`
/// ```
///
/// # Shapes
/// design `[n_samples, n_features]`, counts `[n_samples, n_neurons]`. A row with a NaN in the design is left out of the
/// fit; a NaN in the counts of one neuron leaves the row out for that neuron. Weights and offsets come with the design
/// ([`Annotated`](nemos_core::Annotated)).
///
/// # Options
/// | option | default |
/// |---|---|
/// | `link` | that of the observation model |
/// | `regularizer` | `Unregularized` |
/// | `feature_mask` | every neuron may use every feature |
/// | `start` | no effect of any feature, and intercepts that give the mean counts |
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
    pub(crate) observation: O,
    pub(crate) link: L,
    pub(crate) regularizer: Regularizer,
    pub(crate) mask: Option<FeatureMask>,
    pub(crate) start: Option<Parameters>,
}

impl<O: ObservationModel> PopulationGlm<O, O::DefaultLink> {
    /// A model with the default link of its observations, and no penalty.
    pub fn new(observation: O) -> Self {
        PopulationGlm {
            observation,
            link: Default::default(),
            regularizer: Regularizer::Unregularized,
            mask: None,
            start: None,
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
            mask: self.mask,
            start: self.start,
        }
    }

    /// Takes a penalty on the coefficients.
    pub fn regularizer(mut self, regularizer: Regularizer) -> Self {
        self.regularizer = regularizer;
        self
    }

    /// Lets each neuron use only some of the features. The coefficients of the others are exactly zero.
    pub fn feature_mask(mut self, mask: impl Into<FeatureMask>) -> Self {
        self.mask = Some(mask.into());
        self
    }

    /// The mask, if there is one.
    pub fn mask(&self) -> Option<&FeatureMask> {
        self.mask.as_ref()
    }

    /// Starts fits from these parameters: coefficients `[n_features, n_neurons]`, one intercept per neuron.
    ///
    /// # Errors
    /// [`Error::Parameters`] unless there is one intercept per column of coefficients.
    pub fn start(mut self, coef: &Array2<f64>, intercept: &[f64]) -> Result<Self, Error> {
        self.start = Some(parameters(coef, intercept)?);
        Ok(self)
    }

    /// Fits the model, with the solver that suits its size.
    ///
    /// Not converging is no error: see [`FittedPopulationGlm::outcome`].
    ///
    /// # Errors
    /// As [`Glm::fit`](crate::Glm::fit), for any number of columns of counts; if the mask does not fit the coefficients.
    pub fn fit<B: Backend>(&self, design: &impl Design<B>, counts: &impl Design<B>) -> Result<FittedPopulationGlm<B, O, L>, Error> {
        self.fit_with(&Auto::new(), design, counts)
    }

    /// Fits the model with a solver of choice.
    ///
    /// # Errors
    /// As [`fit`](PopulationGlm::fit), if an option of the solver is out of range, and if it cannot handle the penalty.
    pub fn fit_with<B: Backend>(
        &self,
        solver: &impl Solver,
        design: &impl Design<B>,
        counts: &impl Design<B>,
    ) -> Result<FittedPopulationGlm<B, O, L>, Error> {
        Ok(FittedPopulationGlm::new(self.clone(), self.fit_all(solver, design, counts)?))
    }

    /// A fitted model with these parameters, as if a fit had ended there: to predict from, to score, to simulate. Scales
    /// are those of the observation model, or one.
    ///
    /// # Shapes
    /// coef `[n_features, n_neurons]`, one intercept per neuron.
    ///
    /// # Errors
    /// [`Error::Parameters`] unless there is one intercept per column of coefficients.
    pub fn with_parameters<B: Backend>(&self, coef: &Array2<f64>, intercept: &[f64]) -> Result<FittedPopulationGlm<B, O, L>, Error> {
        Ok(FittedPopulationGlm::given(self.clone(), parameters(coef, intercept)?))
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
        self.penalty(design, counts)?;
        self.prepare(design, counts)
    }

    /// Begins a fit that is fed batch by batch. The data given here only say where to start.
    ///
    /// # Errors
    /// As [`fit`](PopulationGlm::fit).
    pub fn initialize<B: Backend, S: Stochastic>(
        &self,
        solver: S,
        design: &impl Design<B>,
        counts: &impl Design<B>,
    ) -> Result<Training<B, O, L, S>, Error> {
        Training::new(self.clone(), solver, design, counts)
    }
}

/// One column of coefficients and an intercept per neuron.
pub(crate) fn parameters(coef: &Array2<f64>, intercept: &[f64]) -> Result<Parameters, Error> {
    let (n_features, n_neurons) = coef.dim();
    if intercept.len() != n_neurons {
        return Err(Error::Parameters {
            coef: n_neurons,
            intercept: intercept.len(),
        });
    }
    let mut parameters = Parameters::zeros(n_features + 1, n_neurons);
    for (neuron, (coef, &intercept)) in coef.columns().into_iter().zip(intercept).enumerate() {
        let column = parameters.column_mut(neuron);
        column.iter_mut().zip(coef).for_each(|(to, &from)| *to = from);
        column[n_features] = intercept;
    }
    Ok(parameters)
}
