//! The generalized linear model of many neurons that share a design.

use std::sync::Arc;

use ndarray::Array2;
use nemos_core::{Backend, ToDesign};
use nemos_solvers::{Auto, Parameters, Regularizer, Solver, Stopping};

use crate::engine::model::{Model, Pair};
use crate::engine::survey::Survey;
use crate::fit::task::Task;
use crate::{
    Checkpoint, Error, Exp, FeatureMask, FitPlan, FittedPopulationGlm, GlmObjective, InverseLink, ObservationModel, Observations, Options,
    Poisson, Problems, Training,
};

/// A generalized linear model of many neurons that share a design: each is fitted as if alone, all at once.
///
/// ```text
/// rate = link(design · coef + intercept + offset),     counts ~ observation model with mean `rate`
/// ```
///
/// # Shapes
/// design `[n_samples, n_features]`, counts `[n_samples, n_neurons]`. A row with a NaN in the design is left out of the
/// fit; a NaN in the counts of one neuron leaves the row out for that neuron. Weights and offsets come with the design
/// ([`Design`](nemos_core::Design)).
///
/// # Options
/// | option | default |
/// |---|---|
/// | `link` | that of the observation model |
/// | `regularizer` | `Unregularized` |
/// | `feature_mask` | every neuron may use every feature |
/// | `start` | no effect of any feature, and intercepts that give the mean counts |
/// | `stopping` | [`Stopping::default`] |
/// | `memory_limit` | none |
/// | `checkpoint` | none |
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
#[doc(alias = "MultiOutputRegressor")]
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct PopulationGlm<O = Poisson, L = Exp> {
    pub(crate) observation: O,
    pub(crate) link: L,
    pub(crate) options: Options,
}

impl<O: ObservationModel> PopulationGlm<O, O::DefaultLink> {
    /// A model with the default link of its observations, and no penalty.
    pub fn new(observation: O) -> Self {
        PopulationGlm {
            link: observation.default_link(),
            observation,
            options: Options::default(),
        }
    }
}

impl<O: ObservationModel, L: InverseLink> PopulationGlm<O, L> {
    /// Takes another link.
    pub fn link<M: InverseLink>(self, link: M) -> PopulationGlm<O, M> {
        PopulationGlm {
            observation: self.observation,
            link,
            options: self.options,
        }
    }

    /// Takes a penalty on the coefficients.
    #[doc(alias = "regularizer_strength")]
    pub fn regularizer(mut self, regularizer: Regularizer) -> Self {
        self.options.regularizer = regularizer;
        self
    }

    /// Lets each neuron use only some of the features. The coefficients of the others are exactly zero.
    pub fn feature_mask(mut self, mask: impl Into<FeatureMask>) -> Self {
        self.options.mask = Some(mask.into());
        self
    }

    /// Says when a fit stops, whatever its solver.
    pub fn stopping(mut self, stopping: Stopping) -> Self {
        self.options.stopping = stopping;
        self
    }

    /// Starts fits from these parameters: coefficients `[n_features, n_neurons]`, one intercept per neuron.
    ///
    /// # Errors
    /// [`Error::Parameters`] unless there is one intercept per column of coefficients.
    pub fn start(mut self, coef: &Array2<f64>, intercept: &[f64]) -> Result<Self, Error> {
        self.options.start = Some(parameters(coef, intercept)?);
        Ok(self)
    }

    /// Lets fits take no more memory than so many bytes, beside what there is when they start. Neurons are fitted in groups, and rows
    /// read in blocks, that are as small as that asks for; [`plan`](PopulationGlm::plan) says how small.
    ///
    /// It holds for [`fit`](PopulationGlm::fit). Solvers that keep a curvature of each neuron, as [`Newton`](nemos_solvers::Newton) and
    /// [`Bfgs`](nemos_solvers::Bfgs) do, take `8 (p + 1)²` bytes more for each neuron of a group, several times over. Fits of
    /// [problems](PopulationGlm::fit_problems), and so the folds of a search, and fits that are fed
    /// [batch by batch](PopulationGlm::initialize) know no limit.
    pub fn memory_limit(mut self, bytes: f64) -> Self {
        self.options.memory_limit = Some(bytes);
        self
    }

    /// Keeps fits in a file while they run, so that one that is stopped goes on. Fits of [problems](PopulationGlm::fit_problems), and those
    /// that are fed [batch by batch](PopulationGlm::initialize), are not kept.
    pub fn checkpoint(mut self, checkpoint: Checkpoint) -> Self {
        self.options.checkpoint = Some(checkpoint);
        self
    }

    /// What a [`fit`](PopulationGlm::fit) of these data will take: its memory, and how the work is cut. No data are read.
    ///
    /// # Errors
    /// [`Error::MemoryLimit`] if a limit is given that cannot be kept; if mask or penalty do not fit the data.
    pub fn plan<B: Backend>(&self, design: &(impl ToDesign<B> + ?Sized), counts: &(impl ToDesign<B> + ?Sized)) -> Result<FitPlan, Error> {
        self.task(design, counts).plan(&self.options)
    }

    /// Takes all options at once: those of another model, or of a file.
    pub fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// All options.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The mask, if there is one.
    pub fn mask(&self) -> Option<&FeatureMask> {
        self.options.mask.as_ref()
    }

    /// The penalty.
    pub fn penalty(&self) -> &Regularizer {
        &self.options.regularizer
    }

    /// The observation model.
    pub fn observation_model(&self) -> &O {
        &self.observation
    }

    /// The link.
    pub fn inverse_link(&self) -> &L {
        &self.link
    }

    /// Fits the model, with the solver that suits its size.
    ///
    /// Not converging is no error: see [`FittedPopulationGlm::outcome`].
    ///
    /// # Errors
    /// As [`Glm::fit`](crate::Glm::fit), for any number of columns of counts; if the mask does not fit the coefficients.
    pub fn fit<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
    ) -> Result<FittedPopulationGlm<O, L>, Error> {
        self.fit_with(&Auto::new(), design, counts)
    }

    /// Fits the model with a solver of choice.
    ///
    /// # Errors
    /// As [`fit`](PopulationGlm::fit), if an option of the solver is out of range, and if it cannot handle the penalty.
    #[doc(alias = "solver_name")]
    pub fn fit_with<B: Backend>(
        &self,
        solver: &dyn Solver,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
    ) -> Result<FittedPopulationGlm<O, L>, Error> {
        let fit = self.task(design, counts).fit(&self.options, solver)?;
        Ok(FittedPopulationGlm::new(self.clone(), fit))
    }

    /// A fitted model with these parameters, as if a fit had ended there: to predict from, to score, to simulate. Scales
    /// are those of the observation model, or one.
    ///
    /// # Shapes
    /// coef `[n_features, n_neurons]`, one intercept per neuron.
    ///
    /// # Errors
    /// [`Error::Parameters`] unless there is one intercept per column of coefficients.
    pub fn with_parameters(&self, coef: &Array2<f64>, intercept: &[f64]) -> Result<FittedPopulationGlm<O, L>, Error> {
        Ok(FittedPopulationGlm::given(self.clone(), parameters(coef, intercept)?))
    }

    /// What a fit minimises, less the penalty: for solvers of your own, and for looking at values and gradients.
    ///
    /// # Errors
    /// As [`fit`](PopulationGlm::fit).
    pub fn objective<'a, B: Backend>(
        &self,
        design: &'a (impl ToDesign<B> + ?Sized),
        counts: &'a (impl ToDesign<B> + ?Sized),
    ) -> Result<GlmObjective<'a, B>, Error> {
        let task = self.task(design, counts);
        task.penalty(&self.options)?;
        task.objective(&self.options, None, Survey::WithMoments)
    }

    /// What fits of these problems minimise, less the penalty: folds, strengths, states or replicates as one batch over
    /// one design. Strengths "per neuron" are per problem there.
    ///
    /// # Errors
    /// As [`fit`](PopulationGlm::fit), and if the problems do not fit the data.
    pub fn objective_of<'a, B: Backend>(
        &self,
        problems: Problems,
        design: &'a (impl ToDesign<B> + ?Sized),
        counts: &'a (impl ToDesign<B> + ?Sized),
    ) -> Result<GlmObjective<'a, B>, Error> {
        self.task(design, counts)
            .objective(&self.options, Some(problems), Survey::WithMoments)
    }

    /// The same without moments of the features: for looking at values and gradients. To minimise it takes more steps.
    ///
    /// # Errors
    /// As [`objective_of`](PopulationGlm::objective_of).
    pub fn objective_without_moments<'a, B: Backend>(
        &self,
        problems: Problems,
        design: &'a (impl ToDesign<B> + ?Sized),
        counts: &'a (impl ToDesign<B> + ?Sized),
    ) -> Result<GlmObjective<'a, B>, Error> {
        self.task(design, counts)
            .objective(&self.options, Some(problems), Survey::CountsOnly)
    }

    /// The observation model and link on a backend, without their types.
    pub fn observations<B: Backend>(&self) -> Observations<B> {
        Observations(self.model::<B>())
    }

    /// Fits of these problems, as if each were a neuron of a population: folds and strengths of many neurons as one batch, which
    /// share every pass over the design. Strengths "per neuron" are per problem there; a start may be per neuron or per problem.
    ///
    /// # Errors
    /// As [`fit_with`](PopulationGlm::fit_with), and if the problems do not fit the data.
    ///
    /// # Example
    /// One neuron without the first and without the last two rows:
    /// ```
    /// use nemos_core::{Cpu, Matrix};
    /// use nemos_glm::{Poisson, PopulationGlm, Problems};
    /// use nemos_solvers::Auto;
    ///
    /// let stimulus = Matrix::<Cpu>::from_column(vec![0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
    /// let counts = Matrix::from_column(vec![1.0, 3.0, 2.0, 4.0, 3.0, 3.0]);
    /// let problems = Problems::of_responses([0, 0]).leaving_out(vec![0, 0, 1, 1, 2, 2], [Some(0), Some(2)])?;
    /// let fitted = PopulationGlm::new(Poisson).fit_problems(&Auto::new(), problems, &stimulus, &counts)?;
    /// // 3.5 against 2.5 spikes per bin, and 3.5 against 1.5.
    /// assert!((fitted.coef()[(0, 0)].exp() - 7.0 / 5.0).abs() < 1e-6);
    /// assert!((fitted.coef()[(0, 1)].exp() - 7.0 / 3.0).abs() < 1e-6);
    /// # Ok::<(), nemos_glm::Error>(())
    /// ```
    pub fn fit_problems<B: Backend>(
        &self,
        solver: &dyn Solver,
        problems: Problems,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
    ) -> Result<FittedPopulationGlm<O, L>, Error> {
        let penalty = std::slice::from_ref(&self.options.regularizer);
        let mut fits = self.fit_penalties(solver, (problems, penalty), design, counts)?;
        Ok(fits.swap_remove(0))
    }

    /// Fits of these problems under one penalty after the other: each starts where the last one ended, and all share the moments of
    /// the features. From the strongest to the weakest penalty, a fit ends after few passes.
    ///
    /// # Errors
    /// As [`fit_problems`](PopulationGlm::fit_problems).
    pub fn fit_penalties<B: Backend>(
        &self,
        solver: &dyn Solver,
        (problems, penalties): (Problems, &[Regularizer]),
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
    ) -> Result<Vec<FittedPopulationGlm<O, L>>, Error> {
        let fits = self.task(design, counts).fit_problems(&self.options, problems, penalties, solver)?;
        let fitted = |(fit, penalty): (_, &Regularizer)| FittedPopulationGlm::new(self.clone().regularizer(penalty.clone()), fit);
        Ok(fits.into_iter().zip(penalties).map(fitted).collect())
    }

    /// Begins a fit that is fed batch by batch. The data given here only say where to start.
    ///
    /// # Errors
    /// As [`fit`](PopulationGlm::fit), and if the solver needs all data at once.
    #[doc(alias("initialize_params", "initialize_solver_and_state"))]
    pub fn initialize<B: Backend>(
        &self,
        solver: &dyn Solver,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
    ) -> Result<Training<O, L>, Error> {
        Training::new(self.clone(), solver, &self.task(design, counts))
    }

    pub(crate) fn task<'a, B: Backend>(
        &self,
        design: &'a (impl ToDesign<B> + ?Sized),
        counts: &'a (impl ToDesign<B> + ?Sized),
    ) -> Task<'a, B> {
        Task {
            model: self.model::<B>(),
            design: design.to_design(),
            counts: counts.to_design(),
        }
    }

    /// The model without its types, on a backend.
    pub(crate) fn model<B: Backend>(&self) -> Arc<dyn Model<B::Burn>> {
        Arc::new(Pair {
            observation: self.observation.clone(),
            link: self.link.clone(),
        })
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
