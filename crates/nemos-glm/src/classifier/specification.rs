//! Classifiers: which of several classes each sample belongs to.

use std::sync::Arc;

use ndarray::Array2;
use nemos_core::{Backend, ToDesign};
use nemos_solvers::{Auto, Parameters, Regularizer, Solver, Stopping};

use crate::classifier::categorical::{Categorical, Targets, centre};
use crate::engine::survey::Survey;
use crate::fit::task::Task;
use crate::{
    Checkpoint, Error, FeatureMask, FitPlan, FittedClassifierGlm, FittedClassifierPopulationGlm, GlmObjective, Observations, Options,
    Problems,
};

/// A classifier of many neurons (or trials, or observers) that share a design: which of `n_classes` classes each sample
/// belongs to, by a generalized linear model with categorical observations.
///
/// ```text
/// ln p(class k) = ηₖ − ln Σₗ exp(ηₗ),      ηₖ = design · coefₖ + interceptₖ
/// ```
///
/// All classes have coefficients of their own. Adding the same number to all of them changes nothing; without a penalty
/// they sum to zero over classes.
///
/// # Shapes
/// design `[n_samples, n_features]`, labels `[n_samples, n_neurons]` of whole numbers from 0 to `n_classes − 1`
/// ([`Classes`](crate::Classes) makes them from labels of any kind). A NaN label leaves the row out for that neuron.
///
/// # Options
/// | option | default |
/// |---|---|
/// | `regularizer` | `Ridge(1.0)`, as in NeMoS |
/// | `feature_mask` | every neuron may use every feature |
/// | `stopping` | [`Stopping::default`] |
/// | `memory_limit` | none |
/// | `checkpoint` | none |
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ClassifierPopulationGlm {
    n_classes: usize,
    options: Options,
}

impl ClassifierPopulationGlm {
    /// For this many classes, two at least.
    pub fn new(n_classes: usize) -> Self {
        ClassifierPopulationGlm {
            n_classes,
            options: Options {
                regularizer: Regularizer::Ridge(1.0.into()),
                ..Options::default()
            },
        }
    }

    /// Takes a penalty on the coefficients.
    pub fn regularizer(mut self, regularizer: Regularizer) -> Self {
        self.options.regularizer = regularizer;
        self
    }

    /// Lets each neuron use only some of the features: a flag per feature and neuron, for all classes, or
    /// `[n_features, n_neurons · n_classes]` with the classes of a neuron side by side.
    pub fn feature_mask(mut self, mask: impl Into<FeatureMask>) -> Self {
        self.options.mask = Some(mask.into());
        self
    }

    /// Says when a fit stops, whatever its solver.
    pub fn stopping(mut self, stopping: Stopping) -> Self {
        self.options.stopping = stopping;
        self
    }

    /// Lets fits take no more memory than so many bytes; see [`PopulationGlm::memory_limit`](crate::PopulationGlm::memory_limit).
    pub fn memory_limit(mut self, bytes: f64) -> Self {
        self.options.memory_limit = Some(bytes);
        self
    }

    /// Keeps fits in a file while they run, so that one that is stopped goes on.
    pub fn checkpoint(mut self, checkpoint: Checkpoint) -> Self {
        self.options.checkpoint = Some(checkpoint);
        self
    }

    /// What a [`fit`](ClassifierPopulationGlm::fit) of these data will take; see [`PopulationGlm::plan`](crate::PopulationGlm::plan).
    ///
    /// # Errors
    /// As [`PopulationGlm::plan`](crate::PopulationGlm::plan), and if there are fewer than two classes.
    pub fn plan<B: Backend>(&self, design: &(impl ToDesign<B> + ?Sized), labels: &(impl ToDesign<B> + ?Sized)) -> Result<FitPlan, Error> {
        self.check_classes()?;
        self.task(Targets::Labels, design, labels).plan(&self.options)
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

    /// How many classes.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// The penalty.
    pub fn penalty(&self) -> &Regularizer {
        &self.options.regularizer
    }

    /// The mask, if there is one.
    pub fn mask(&self) -> Option<&FeatureMask> {
        self.options.mask.as_ref()
    }

    /// Fits the model, with the solver that suits its size.
    ///
    /// # Errors
    /// If design and labels differ in rows or times, are empty, infinite, or missing in every row; if labels are not whole
    /// numbers below the number of classes; if the penalty or the mask does not fit the coefficients.
    pub fn fit<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        labels: &(impl ToDesign<B> + ?Sized),
    ) -> Result<FittedClassifierPopulationGlm, Error> {
        self.fit_with(&Auto::new(), design, labels)
    }

    /// Fits the model with a solver of choice.
    ///
    /// # Errors
    /// As [`fit`](ClassifierPopulationGlm::fit), if an option of the solver is out of range, and if it cannot handle the penalty.
    pub fn fit_with<B: Backend>(
        &self,
        solver: &dyn Solver,
        design: &(impl ToDesign<B> + ?Sized),
        labels: &(impl ToDesign<B> + ?Sized),
    ) -> Result<FittedClassifierPopulationGlm, Error> {
        self.fit_targets(Targets::Labels, solver, design, labels)
    }

    /// Fits the model to shares: how much of each sample belongs to each class, such as the expected transitions of a hidden
    /// Markov model. A whole share of one class is the same as its label.
    ///
    /// # Shapes
    /// shares `[n_samples, n_neurons · n_classes]`, the classes of a neuron side by side, none below zero. They need not sum to
    /// one: a sample counts as much as its shares together.
    ///
    /// # Errors
    /// As [`fit_with`](ClassifierPopulationGlm::fit_with).
    pub fn fit_shares<B: Backend>(
        &self,
        solver: &dyn Solver,
        design: &(impl ToDesign<B> + ?Sized),
        shares: &(impl ToDesign<B> + ?Sized),
    ) -> Result<FittedClassifierPopulationGlm, Error> {
        self.fit_targets(Targets::Shares, solver, design, shares)
    }

    /// What fits of these problems minimise, less the penalty: replicates or folds as one batch over one design. Strengths "per neuron"
    /// are per problem there. Probabilities tell the parameters of the classes up to what is added to all of them.
    ///
    /// # Errors
    /// As [`fit`](ClassifierPopulationGlm::fit), and if the problems do not fit the data.
    pub fn objective_of<'a, B: Backend>(
        &self,
        problems: Problems,
        design: &'a (impl ToDesign<B> + ?Sized),
        labels: &'a (impl ToDesign<B> + ?Sized),
    ) -> Result<GlmObjective<'a, B>, Error> {
        self.checked_task(Targets::Labels, design, labels)?
            .objective(&self.options, Some(problems), Survey::WithMoments)
    }

    fn checked_task<'a, B: Backend>(
        &self,
        targets: Targets,
        design: &'a (impl ToDesign<B> + ?Sized),
        counts: &'a (impl ToDesign<B> + ?Sized),
    ) -> Result<Task<'a, B>, Error> {
        self.check_classes()?;
        let task = self.task(targets, design, counts);
        if task.design.offset().is_some() {
            return Err(Error::OffsetOfClasses);
        }
        Ok(task)
    }

    fn fit_targets<B: Backend>(
        &self,
        targets: Targets,
        solver: &dyn Solver,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
    ) -> Result<FittedClassifierPopulationGlm, Error> {
        let mut fit = self.checked_task(targets, design, counts)?.fit(&self.options, solver)?;
        let unpenalised = *self.penalty() == Regularizer::Unregularized;
        centre(&mut fit.parameters, self.n_classes, unpenalised);
        Ok(FittedClassifierPopulationGlm::new(self.clone(), fit))
    }

    /// A fitted model with these parameters, as if a fit had ended there.
    ///
    /// # Shapes
    /// coef `[n_features, n_neurons · n_classes]`, the classes of a neuron side by side; intercept likewise.
    ///
    /// # Errors
    /// [`Error::Parameters`] unless coefficients and intercepts are whole neurons.
    pub fn with_parameters(&self, coef: &Array2<f64>, intercept: &[f64]) -> Result<FittedClassifierPopulationGlm, Error> {
        self.check_classes()?;
        let (n_features, n_columns) = coef.dim();
        if intercept.len() != n_columns || n_columns % self.n_classes != 0 {
            return Err(Error::Parameters {
                coef: n_columns,
                intercept: intercept.len(),
            });
        }
        let width = n_features + 1;
        let mut parameters = Parameters::zeros(width * self.n_classes, n_columns / self.n_classes);
        let columns = parameters.as_mut_slice().chunks_exact_mut(width);
        for (column, (coef, &intercept)) in columns.zip(coef.columns().into_iter().zip(intercept)) {
            column.iter_mut().zip(coef).for_each(|(to, &from)| *to = from);
            column[n_features] = intercept;
        }
        Ok(FittedClassifierPopulationGlm::given(self.clone(), parameters))
    }

    /// The observation model on a backend, without its types: labels in, a predictor for each class.
    ///
    /// # Errors
    /// If there are fewer than two classes.
    pub fn observations<B: Backend>(&self) -> Result<Observations<B>, Error> {
        self.check_classes()?;
        Ok(Observations(Arc::new(self.model(Targets::Labels))))
    }

    fn task<'a, B: Backend>(
        &self,
        targets: Targets,
        design: &'a (impl ToDesign<B> + ?Sized),
        counts: &'a (impl ToDesign<B> + ?Sized),
    ) -> Task<'a, B> {
        Task {
            model: Arc::new(self.model(targets)),
            design: design.to_design(),
            counts: counts.to_design(),
        }
    }

    pub(crate) fn model(&self, targets: Targets) -> Categorical {
        Categorical {
            n_classes: self.n_classes,
            targets,
        }
    }

    fn check_classes(&self) -> Result<(), Error> {
        if self.n_classes >= 2 {
            return Ok(());
        }
        Err(Error::Option(nemos_solvers::Error::Option {
            option: "number of classes",
            got: self.n_classes as f64,
            expected: "two or more",
        }))
    }
}

/// A classifier of one neuron, one animal, one observer: see [`ClassifierPopulationGlm`].
///
/// # Shapes
/// design `[n_samples, n_features]`, labels `[n_samples, 1]`.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{ClassifierGlm, Regularizer};
///
/// let contrast = Matrix::<Cpu>::from_column(vec![-2.0, -1.5, -0.2, 0.1, 0.3, 1.4, 2.1, 2.2]);
/// let choice = Matrix::from_column(vec![0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 2.0, 2.0]);
/// let fitted = ClassifierGlm::new(3).regularizer(Regularizer::Ridge(0.05.into())).fit(&contrast, &choice)?;
/// assert_eq!(fitted.predict(&contrast)?.to_vec()[0], 0.0);
/// # Ok::<(), nemos_glm::Error>(())
/// ```
#[doc(alias("multinomial", "CategoricalObservations", "softmax"))]
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ClassifierGlm(ClassifierPopulationGlm);

impl ClassifierGlm {
    /// For this many classes, two at least.
    pub fn new(n_classes: usize) -> Self {
        ClassifierGlm(ClassifierPopulationGlm::new(n_classes))
    }

    /// Takes a penalty on the coefficients.
    pub fn regularizer(self, regularizer: Regularizer) -> Self {
        ClassifierGlm(self.0.regularizer(regularizer))
    }

    /// Says when a fit stops, whatever its solver.
    pub fn stopping(self, stopping: Stopping) -> Self {
        ClassifierGlm(self.0.stopping(stopping))
    }

    /// Lets fits take no more memory than so many bytes; see [`PopulationGlm::memory_limit`](crate::PopulationGlm::memory_limit).
    pub fn memory_limit(self, bytes: f64) -> Self {
        ClassifierGlm(self.0.memory_limit(bytes))
    }

    /// Keeps fits in a file while they run, so that one that is stopped goes on.
    pub fn checkpoint(self, checkpoint: Checkpoint) -> Self {
        ClassifierGlm(self.0.checkpoint(checkpoint))
    }

    /// Fits the model, with the solver that suits its size.
    ///
    /// # Errors
    /// As [`ClassifierPopulationGlm::fit`], and if there are several columns of labels.
    pub fn fit<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        labels: &(impl ToDesign<B> + ?Sized),
    ) -> Result<FittedClassifierGlm, Error> {
        self.fit_with(&Auto::new(), design, labels)
    }

    /// Fits the model with a solver of choice.
    ///
    /// # Errors
    /// As [`fit`](ClassifierGlm::fit), if an option of the solver is out of range, and if it cannot handle the penalty.
    pub fn fit_with<B: Backend>(
        &self,
        solver: &dyn Solver,
        design: &(impl ToDesign<B> + ?Sized),
        labels: &(impl ToDesign<B> + ?Sized),
    ) -> Result<FittedClassifierGlm, Error> {
        let n_neurons = labels.to_design().n_columns();
        if n_neurons > 1 {
            return Err(Error::SeveralNeurons { n_neurons });
        }
        FittedClassifierGlm::try_from_population(self.0.fit_with(solver, design, labels)?)
    }

    /// This model as a population of one.
    pub fn population(&self) -> &ClassifierPopulationGlm {
        &self.0
    }
}

impl From<ClassifierPopulationGlm> for ClassifierGlm {
    fn from(population: ClassifierPopulationGlm) -> Self {
        ClassifierGlm(population)
    }
}
