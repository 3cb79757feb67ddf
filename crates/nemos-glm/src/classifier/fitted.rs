//! Fitted classifiers: of many neurons, and of one.

use std::fmt;

use ndarray::{Array2, Array3, ArrayView2, Axis, ShapeBuilder};
use nemos_core::{Backend, Design, Matrix, Names, Samples, ToDesign};
use nemos_solvers::{ColumnOutcome, Outcome, Parameters};

use crate::classifier::categorical::Targets;
use crate::engine::by_row;
use crate::fitted::fit::Fit;
use crate::fitted::table;
use crate::{ClassifierPopulationGlm, Error, Score};

/// What fitting a [`ClassifierPopulationGlm`] gives.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct FittedClassifierPopulationGlm {
    specification: ClassifierPopulationGlm,
    fit: Fit,
}

impl FittedClassifierPopulationGlm {
    pub(crate) fn new(specification: ClassifierPopulationGlm, fit: Fit) -> Self {
        FittedClassifierPopulationGlm { specification, fit }
    }

    pub(crate) fn given(specification: ClassifierPopulationGlm, parameters: Parameters) -> Self {
        let fit = Fit::given(parameters, specification.n_classes(), 1.0);
        FittedClassifierPopulationGlm { specification, fit }
    }

    /// Takes how a fit ended and its residual degrees of freedom, one of each per neuron: for models that were fitted
    /// elsewhere.
    ///
    /// # Errors
    /// [`Error::Parameters`] unless there is one per neuron.
    pub fn with_outcome(mut self, outcome: Outcome, dof_resid: Vec<f64>) -> Result<Self, Error> {
        self.fit.one_per_neuron(outcome.columns.len())?;
        self.fit.one_per_neuron(dof_resid.len())?;
        (self.fit.outcome, self.fit.dof_resid) = (outcome, dof_resid);
        Ok(self)
    }

    /// Takes names of the features and of the neurons: for models that were fitted elsewhere.
    ///
    /// # Errors
    /// [`Error::Data`] unless there are as many of each as the model has.
    pub fn with_names(mut self, features: Names, neurons: Vec<String>) -> Result<Self, Error> {
        self.fit.set_names((features, neurons), self.n_features())?;
        Ok(self)
    }

    /// The model without its data: classes, penalty and mask.
    pub fn specification(&self) -> &ClassifierPopulationGlm {
        &self.specification
    }

    pub(crate) fn fit(&self) -> &Fit {
        &self.fit
    }

    fn n_classes(&self) -> usize {
        self.specification.n_classes()
    }

    pub(crate) fn n_features(&self) -> usize {
        self.fit.parameters.n_parameters() / self.n_classes() - 1
    }

    fn n_neurons(&self) -> usize {
        self.fit.n_neurons()
    }

    /// The names of the features, and of the blocks that they fall into.
    pub fn features(&self) -> &Names {
        &self.fit.features
    }

    /// `[n_neurons]`: the names of the neurons.
    pub fn neurons(&self) -> &[String] {
        &self.fit.neurons
    }

    /// `[n_features of the block, n_neurons · n_classes]`: the coefficients of a named block of features, the classes of a
    /// neuron side by side.
    ///
    /// # Errors
    /// [`Error::Data`] where the features had no names, or none this one.
    #[expect(clippy::missing_panics_doc, reason = "invariant: parameters are whole columns")]
    pub fn coef_of(&self, block: &str) -> Result<ArrayView2<'_, f64>, Error> {
        let columns = self.fit.features.block(block)?.columns();
        let shape = (self.n_features() + 1, self.n_neurons() * self.n_classes());
        let all = ArrayView2::from_shape(shape.f(), self.fit.parameters.as_slice());
        Ok(all.expect("parameters are whole columns").slice_move(ndarray::s![columns, ..]))
    }

    /// `[n_features, n_neurons, n_classes]`
    pub fn coef(&self) -> Array3<f64> {
        let (n_features, n_neurons) = (self.n_features(), self.fit.parameters.n_problems());
        Array3::from_shape_fn((n_features, n_neurons, self.n_classes()), |(feature, neuron, class)| {
            self.fit.parameters.column(neuron)[class * (n_features + 1) + feature]
        })
    }

    /// `[n_neurons, n_classes]`
    pub fn intercept(&self) -> Array2<f64> {
        let width = self.n_features() + 1;
        Array2::from_shape_fn((self.fit.parameters.n_problems(), self.n_classes()), |(neuron, class)| {
            self.fit.parameters.column(neuron)[(class + 1) * width - 1]
        })
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
        self.fit.require_converged()?;
        Ok(self)
    }

    /// `[n_neurons]`: residual degrees of freedom.
    pub fn dof_resid(&self) -> &[f64] {
        &self.fit.dof_resid
    }

    /// The most probable class of each sample, NaN where the design holds one: `[n_samples, n_neurons]`, in the kind of
    /// `samples`.
    ///
    /// # Errors
    /// If `samples` does not have one column per coefficient, calls them otherwise than in the fit, or holds an infinity.
    pub fn predict<B: Backend, S: Samples<B>>(&self, samples: &S) -> Result<S::Output, Error> {
        let (n_classes, n_neurons) = (self.n_classes(), self.n_neurons());
        let labels = self.by_chunks(&samples.to_design(), n_neurons, |log_probabilities: Matrix<B>| {
            let labels = log_probabilities.to_vec().chunks_exact(n_classes).map(most_probable).collect();
            Ok(Matrix::from_vec(labels, [log_probabilities.dims()[0], n_neurons])?)
        })?;
        Ok(samples.wrap(labels, self.fit.names()))
    }

    /// Logarithms of the probabilities of the classes: `[n_samples, n_neurons · n_classes]`, the classes of a neuron side
    /// by side, in the kind of `samples`.
    ///
    /// # Errors
    /// As [`predict`](FittedClassifierPopulationGlm::predict).
    pub fn predict_log_probability<B: Backend, S: Samples<B>>(&self, samples: &S) -> Result<S::Output, Error> {
        let values = self.by_chunks(&samples.to_design(), self.n_neurons() * self.n_classes(), Ok)?;
        Ok(samples.wrap(values, self.class_names()))
    }

    /// Probabilities of the classes: `[n_samples, n_neurons · n_classes]`, the classes of a neuron side by side, in the
    /// kind of `samples`.
    ///
    /// # Errors
    /// As [`predict`](FittedClassifierPopulationGlm::predict).
    #[doc(alias = "predict_proba")]
    pub fn predict_probability<B: Backend, S: Samples<B>>(&self, samples: &S) -> Result<S::Output, Error> {
        let width = self.n_neurons() * self.n_classes();
        let values = self.by_chunks(&samples.to_design(), width, |log_probabilities: Matrix<B>| {
            Ok(Matrix::from_tensor(log_probabilities.into_tensor().exp()))
        })?;
        Ok(samples.wrap(values, self.class_names()))
    }

    /// How well the model describes labels, over all neurons. The null model gives each class its frequency among the
    /// labels that are scored; McFadden's and Cohen's pseudo-R² are the same.
    ///
    /// # Errors
    /// If design and labels do not fit each other or, in shape or by name, the model.
    pub fn score<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        labels: &(impl ToDesign<B> + ?Sized),
        score: Score,
    ) -> Result<f64, Error> {
        score.of_all(&self.tallies(score, design, labels)?)
    }

    /// How well the model describes the labels of each neuron: `[n_neurons]`.
    ///
    /// # Errors
    /// As [`score`](FittedClassifierPopulationGlm::score).
    pub fn score_by_neuron<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        labels: &(impl ToDesign<B> + ?Sized),
        score: Score,
    ) -> Result<Vec<f64>, Error> {
        let tallies = self.tallies(score, design, labels)?;
        Ok(tallies.iter().map(|tally| score.of(std::slice::from_ref(tally))).collect())
    }

    fn tallies<B: Backend>(
        &self,
        score: Score,
        design: &(impl ToDesign<B> + ?Sized),
        labels: &(impl ToDesign<B> + ?Sized),
    ) -> Result<Vec<crate::fitted::score::Tally>, Error> {
        self.described((design.to_design(), labels.to_design()), |mut described| {
            score.tallies(&mut described, &self.fit.parameters)
        })
    }

    /// What `of` makes of the log-probabilities `[n_rows, n_neurons · n_classes]` of some rows: `[n_rows, width]`.
    fn by_chunks<B: Backend>(
        &self,
        design: &Design<'_, B>,
        width: usize,
        of: impl Fn(Matrix<B>) -> Result<Matrix<B>, Error> + Send + Sync,
    ) -> Result<Matrix<B>, Error> {
        self.fit.check_design(design, self.n_features())?;
        let model = self.specification.model(Targets::Labels);
        by_row::predicted(&model, &self.fit.parameters, design, width, |predictor: Matrix<B>| {
            let dims = predictor.dims();
            let log_probabilities = model.log_probabilities(predictor.into_tensor());
            of(Matrix::from_tensor(log_probabilities.reshape(dims)))
        })
    }

    fn class_names(&self) -> Names {
        Names::new(self.class_labels())
    }

    fn class_labels(&self) -> impl Iterator<Item = String> {
        let neurons = self.fit.neurons.iter();
        neurons.flat_map(|neuron| (0..self.n_classes()).map(move |class| format!("{neuron}[{class}]")))
    }
}

/// The coefficients as a table, a screenful of them, and how the fits ended.
impl fmt::Display for FittedClassifierPopulationGlm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let neurons = nemos_core::counted(self.n_neurons(), "neuron");
        writeln!(formatter, "classifier GLM, {} classes, {neurons}", self.n_classes())?;
        table::write(formatter, &self.fit, &self.class_labels().collect::<Vec<_>>())
    }
}

/// The class of the highest value; NaN where there is one.
fn most_probable(log_probabilities: &[f64]) -> f64 {
    if log_probabilities.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let best = (1..log_probabilities.len()).fold(0, |best, class| {
        if log_probabilities[class] > log_probabilities[best] {
            class
        } else {
            best
        }
    });
    best as f64
}

/// What fitting a [`ClassifierGlm`](crate::ClassifierGlm) gives.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct FittedClassifierGlm(FittedClassifierPopulationGlm);

impl FittedClassifierGlm {
    /// A population of one as a model of one neuron.
    ///
    /// # Errors
    /// [`Error::SeveralNeurons`] if there are more.
    pub fn try_from_population(population: FittedClassifierPopulationGlm) -> Result<Self, Error> {
        match population.fit.parameters.n_problems() {
            1 => Ok(FittedClassifierGlm(population)),
            n_neurons => Err(Error::SeveralNeurons { n_neurons }),
        }
    }

    /// This model as a population of one.
    pub fn population(&self) -> &FittedClassifierPopulationGlm {
        &self.0
    }

    /// `[n_features, n_classes]`
    pub fn coef(&self) -> Array2<f64> {
        self.0.coef().index_axis_move(Axis(1), 0)
    }

    /// `[n_classes]`
    pub fn intercept(&self) -> Vec<f64> {
        self.0.intercept().row(0).to_vec()
    }

    /// `[n_features of the block, n_classes]`: the coefficients of the features with this name.
    ///
    /// # Errors
    /// If no block of the features has this name.
    pub fn coef_of(&self, block: &str) -> Result<ArrayView2<'_, f64>, Error> {
        self.0.coef_of(block)
    }

    /// How the fit ended, with the evidence.
    pub fn outcome(&self) -> &ColumnOutcome {
        &self.0.fit.outcome.columns[0]
    }

    /// Name of the solver that ran.
    pub fn solver(&self) -> &str {
        &self.0.fit.outcome.solver
    }

    /// Passes the model on if its fit converged.
    ///
    /// # Errors
    /// [`Error::NotConverged`] with the status otherwise.
    pub fn require_converged(self) -> Result<Self, Error> {
        self.0.require_converged().map(FittedClassifierGlm)
    }

    /// Residual degrees of freedom.
    pub fn dof_resid(&self) -> f64 {
        self.0.fit.dof_resid[0]
    }

    /// The most probable class of each sample, NaN where the design holds one: `[n_samples, 1]`.
    ///
    /// # Errors
    /// If `samples` does not have one column per coefficient, calls them otherwise than in the fit, or holds an infinity.
    pub fn predict<B: Backend, S: Samples<B>>(&self, samples: &S) -> Result<S::Output, Error> {
        self.0.predict(samples)
    }

    /// Logarithms of the probabilities of the classes: `[n_samples, n_classes]`.
    ///
    /// # Errors
    /// As [`predict`](FittedClassifierGlm::predict).
    pub fn predict_log_probability<B: Backend, S: Samples<B>>(&self, samples: &S) -> Result<S::Output, Error> {
        self.0.predict_log_probability(samples)
    }

    /// Probabilities of the classes: `[n_samples, n_classes]`.
    ///
    /// # Errors
    /// As [`predict`](FittedClassifierGlm::predict).
    #[doc(alias = "predict_proba")]
    pub fn predict_probability<B: Backend, S: Samples<B>>(&self, samples: &S) -> Result<S::Output, Error> {
        self.0.predict_probability(samples)
    }

    /// How well the model describes labels: see [`FittedClassifierPopulationGlm::score`].
    ///
    /// # Errors
    /// If design and labels do not fit each other or, in shape or by name, the model.
    pub fn score<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        labels: &(impl ToDesign<B> + ?Sized),
        score: Score,
    ) -> Result<f64, Error> {
        self.0.score(design, labels, score)
    }
}

impl fmt::Display for FittedClassifierGlm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
