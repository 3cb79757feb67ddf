//! The generalized linear model of one neuron.

use ndarray::Array2;
use nemos_core::{Backend, Design, ToDesign};
use nemos_solvers::{Auto, Regularizer, Solver, Stopping};

use crate::{
    Checkpoint, Error, Exp, FeatureMask, FitPlan, FittedGlm, GlmObjective, InverseLink, ObservationModel, Options, Poisson, PopulationGlm,
    Training,
};

/// A generalized linear model of one neuron: a specification, which fitting turns into a [`FittedGlm`].
///
/// ```text
/// rate = link(design · coef + intercept + offset),     counts ~ observation model with mean `rate`
/// loss(coef, intercept) = 1/T Σₜ loss(counts[t], predictor[t]) + penalty(coef)
/// ```
///
/// # Shapes
/// design `[n_samples, n_features]`, counts `[n_samples, 1]`. Rows with a NaN are left out of the fit. Weights and
/// offsets come with the design ([`Design`](nemos_core::Design)).
///
/// # Options
/// | option | default |
/// |---|---|
/// | `link` | that of the observation model |
/// | `regularizer` | `Unregularized` |
/// | `start` | no effect of any feature, and the intercept that gives the mean count |
/// | `stopping` | [`Stopping::default`] |
/// | `memory_limit` | none |
/// | `checkpoint` | none |
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
pub struct Glm<O = Poisson, L = Exp>(PopulationGlm<O, L>);

impl<O: ObservationModel> Glm<O, O::DefaultLink> {
    /// A model with the default link of its observations, and no penalty.
    pub fn new(observation: O) -> Self {
        Glm(PopulationGlm::new(observation))
    }
}

impl<O: ObservationModel, L: InverseLink> Glm<O, L> {
    /// Takes another link.
    pub fn link<M: InverseLink>(self, link: M) -> Glm<O, M> {
        Glm(self.0.link(link))
    }

    /// Takes a penalty on the coefficients.
    #[doc(alias = "regularizer_strength")]
    pub fn regularizer(self, regularizer: Regularizer) -> Self {
        Glm(self.0.regularizer(regularizer))
    }

    /// Lets the neuron use only some of the features. The coefficients of the others are exactly zero.
    pub fn feature_mask(self, mask: impl Into<FeatureMask>) -> Self {
        Glm(self.0.feature_mask(mask))
    }

    /// Says when a fit stops, whatever its solver.
    pub fn stopping(self, stopping: Stopping) -> Self {
        Glm(self.0.stopping(stopping))
    }

    /// Starts fits from these parameters.
    #[expect(clippy::missing_panics_doc, reason = "invariant: one column of coefficients and one intercept")]
    pub fn start(self, coef: &[f64], intercept: f64) -> Self {
        Glm(self.0.start(&one_column(coef), &[intercept]).expect("one column and one intercept"))
    }

    /// Lets fits take no more memory than so many bytes; see [`PopulationGlm::memory_limit`].
    pub fn memory_limit(self, bytes: f64) -> Self {
        Glm(self.0.memory_limit(bytes))
    }

    /// Keeps fits in a file while they run, so that one that is stopped goes on.
    pub fn checkpoint(self, checkpoint: Checkpoint) -> Self {
        Glm(self.0.checkpoint(checkpoint))
    }

    /// What a [`fit`](Glm::fit) of these data will take; see [`PopulationGlm::plan`].
    ///
    /// # Errors
    /// As [`PopulationGlm::plan`].
    pub fn plan<B: Backend>(&self, design: &(impl ToDesign<B> + ?Sized), counts: &(impl ToDesign<B> + ?Sized)) -> Result<FitPlan, Error> {
        self.0.plan(design, counts)
    }

    /// Fits the model, with the solver that suits its size.
    ///
    /// Not converging is no error: see [`FittedGlm::outcome`].
    ///
    /// # Errors
    /// If design and counts differ in rows or times, are empty, infinite, or missing in every row; if there are several
    /// columns of counts, or counts that the observation model gives no probability; if strengths of the penalty are
    /// negative, not finite, or do not fit the features.
    pub fn fit<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
    ) -> Result<FittedGlm<O, L>, Error> {
        self.fit_with(&Auto::new(), design, counts)
    }

    /// Fits the model with a solver of choice.
    ///
    /// # Errors
    /// As [`fit`](Glm::fit), if an option of the solver is out of range, and if it cannot handle the penalty.
    #[doc(alias = "solver_name")]
    pub fn fit_with<B: Backend>(
        &self,
        solver: &dyn Solver,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
    ) -> Result<FittedGlm<O, L>, Error> {
        let task = self.0.task(design, counts);
        one_neuron(&task.counts)?;
        let fit = task.fit(&self.0.options, solver)?;
        Ok(FittedGlm::new(self.0.clone(), fit))
    }

    /// A fitted model with these parameters, as if a fit had ended there: to predict from, to score, to simulate. The
    /// scale is that of the observation model, or one.
    #[expect(clippy::missing_panics_doc, reason = "invariant: one column of coefficients and one intercept")]
    pub fn with_parameters(&self, coef: &[f64], intercept: f64) -> FittedGlm<O, L> {
        let population = self.0.with_parameters(&one_column(coef), &[intercept]);
        FittedGlm::from_population(population.expect("one column and one intercept"))
    }

    /// What a fit minimises, less the penalty: for solvers of your own, and for looking at values and gradients.
    ///
    /// # Errors
    /// As [`fit`](Glm::fit).
    pub fn objective<'a, B: Backend>(
        &self,
        design: &'a (impl ToDesign<B> + ?Sized),
        counts: &'a (impl ToDesign<B> + ?Sized),
    ) -> Result<GlmObjective<'a, B>, Error> {
        one_neuron(&counts.to_design())?;
        self.0.objective(design, counts)
    }

    /// The observation model.
    pub fn observation_model(&self) -> &O {
        self.0.observation_model()
    }

    /// The link.
    pub fn inverse_link(&self) -> &L {
        self.0.inverse_link()
    }

    /// The penalty.
    pub fn penalty(&self) -> &Regularizer {
        self.0.penalty()
    }

    /// What a fit is told besides its model.
    pub fn options(&self) -> &Options {
        self.0.options()
    }

    /// Takes all options at once: those of another model, or of a file.
    pub fn with_options(self, options: Options) -> Self {
        Glm(self.0.with_options(options))
    }

    /// Begins a fit that is fed batch by batch. The data given here only say where to start.
    ///
    /// # Errors
    /// As [`fit`](Glm::fit), and if the solver needs all data at once.
    ///
    /// # Example
    /// ```
    /// use nemos_core::{Cpu, Matrix};
    /// use nemos_glm::{FittedGlm, Glm, Poisson};
    /// use nemos_solvers::{Acceleration, GradientDescent, StepLength};
    ///
    /// let stimulus = Matrix::<Cpu>::from_column((0..50).map(|bin| f64::from(bin % 2)).collect());
    /// let counts = Matrix::from_column((0..50).map(|bin| f64::from(1 + bin % 2 * 2)).collect());
    /// let solver = GradientDescent::new().acceleration(Acceleration::Plain).step_length(StepLength::Fixed(0.2));
    /// let mut training = Glm::new(Poisson).initialize(&solver, &stimulus, &counts)?;
    /// for _ in 0..300 {
    ///     training.update(&stimulus, &counts)?;
    /// }
    /// let fitted = FittedGlm::try_from_population(training.fitted()?)?;
    /// assert!((fitted.coef()[0].exp() - 3.0).abs() < 0.05);
    /// # Ok::<(), nemos_glm::Error>(())
    /// ```
    #[doc(alias("initialize_params", "initialize_solver_and_state"))]
    pub fn initialize<B: Backend>(
        &self,
        solver: &dyn Solver,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
    ) -> Result<Training<O, L>, Error> {
        one_neuron(&counts.to_design())?;
        self.0.initialize(solver, design, counts)
    }

    /// This model as a population of one.
    pub fn population(&self) -> &PopulationGlm<O, L> {
        &self.0
    }
}

impl<O, L> From<PopulationGlm<O, L>> for Glm<O, L> {
    /// The same model, of one neuron.
    fn from(population: PopulationGlm<O, L>) -> Self {
        Glm(population)
    }
}

fn one_column(coef: &[f64]) -> Array2<f64> {
    Array2::from_shape_fn((coef.len(), 1), |(feature, _)| coef[feature])
}

fn one_neuron<B: Backend>(counts: &Design<'_, B>) -> Result<(), Error> {
    match counts.n_columns() {
        0 | 1 => Ok(()),
        n_neurons => Err(Error::SeveralNeurons { n_neurons }),
    }
}
