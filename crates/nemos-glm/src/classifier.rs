//! Classifiers: which of several classes each sample belongs to.

use ndarray::Array2;
use nemos_core::tensor::{Tensor, activation, backend::Backend as BurnBackend};
use nemos_core::{Backend, Design};
use nemos_solvers::{Auto, Parameters, Penalized, Regularizer, Solution, Solver, minimize};

use crate::categorical::CategoricalObjective;
use crate::{Error, FeatureMask, FittedClassifierGlm, FittedClassifierPopulationGlm};

/// From predictors to logarithms of probabilities: `ηₖ − ln Σₗ exp(ηₗ)` over classes. The link of classifiers.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct LogSoftmax;

impl LogSoftmax {
    /// `[n_samples, n_neurons, n_classes]` in and out.
    pub fn log_probabilities<T: BurnBackend>(&self, predictor: Tensor<T, 3>) -> Tensor<T, 3> {
        activation::log_softmax(predictor, 2)
    }
}

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
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ClassifierPopulationGlm {
    n_classes: usize,
    regularizer: Regularizer,
    mask: Option<FeatureMask>,
}

impl ClassifierPopulationGlm {
    /// For this many classes, two at least.
    pub fn new(n_classes: usize) -> Self {
        ClassifierPopulationGlm {
            n_classes,
            regularizer: Regularizer::Ridge(1.0.into()),
            mask: None,
        }
    }

    /// Takes a penalty on the coefficients.
    pub fn regularizer(mut self, regularizer: Regularizer) -> Self {
        self.regularizer = regularizer;
        self
    }

    /// Lets each neuron use only some of the features: a flag per feature and neuron, for all classes, or
    /// `[n_features, n_neurons · n_classes]` with the classes of a neuron side by side.
    pub fn feature_mask(mut self, mask: impl Into<FeatureMask>) -> Self {
        self.mask = Some(mask.into());
        self
    }

    /// How many classes.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// The penalty.
    pub fn penalty(&self) -> &Regularizer {
        &self.regularizer
    }

    /// The mask, if there is one.
    pub fn mask(&self) -> Option<&FeatureMask> {
        self.mask.as_ref()
    }

    /// Fits the model, with the solver that suits its size.
    ///
    /// # Errors
    /// If design and labels differ in rows or times, are empty, infinite, or missing in every row; if labels are not whole
    /// numbers below the number of classes; if the penalty or the mask does not fit the coefficients.
    pub fn fit<B: Backend>(&self, design: &impl Design<B>, labels: &impl Design<B>) -> Result<FittedClassifierPopulationGlm<B>, Error> {
        self.fit_with(&Auto::new(), design, labels)
    }

    /// Fits the model with a solver of choice.
    ///
    /// # Errors
    /// As [`fit`](ClassifierPopulationGlm::fit), if an option of the solver is out of range, and if it cannot handle the penalty.
    pub fn fit_with<B: Backend>(
        &self,
        solver: &impl Solver,
        design: &impl Design<B>,
        labels: &impl Design<B>,
    ) -> Result<FittedClassifierPopulationGlm<B>, Error> {
        let (n_features, n_neurons) = (design.n_features(), labels.n_features());
        self.check_classes()?;
        let blocks = design.named_blocks();
        let regularizer = self.regularizer.resolve(&blocks, n_features)?;
        regularizer.validate_classes(n_features, n_neurons, self.n_classes)?;
        let mask = self
            .mask
            .as_ref()
            .map(|mask| self.resolve(mask, &blocks, n_features, n_neurons))
            .transpose()?;
        let objective = CategoricalObjective::<B, _, _>::new(design, labels, self.n_classes, mask)?;
        if objective.has_offset() {
            return Err(Error::OffsetOfClasses);
        }
        let mut solution = minimize(&Penalized::new(&objective, &regularizer), solver, &objective.start())?;
        centre(&mut solution.parameters, self.n_classes, regularizer == Regularizer::Unregularized);
        let dof_resid = degrees_of_freedom(&regularizer, &solution, objective.n_counts(), self.n_classes);
        Ok(FittedClassifierPopulationGlm::new(self.clone(), solution, dof_resid))
    }

    /// A fitted model with these parameters, as if a fit had ended there.
    ///
    /// # Shapes
    /// coef `[n_features, n_neurons · n_classes]`, the classes of a neuron side by side; intercept likewise.
    ///
    /// # Errors
    /// [`Error::Parameters`] unless coefficients and intercepts are whole neurons.
    pub fn with_parameters<B: Backend>(&self, coef: &Array2<f64>, intercept: &[f64]) -> Result<FittedClassifierPopulationGlm<B>, Error> {
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
        for (column, (coef, &intercept)) in coef.columns().into_iter().zip(intercept).enumerate() {
            let (neuron, class) = (column / self.n_classes, column % self.n_classes);
            let block = &mut parameters.column_mut(neuron)[class * width..(class + 1) * width];
            block.iter_mut().zip(coef).for_each(|(to, &from)| *to = from);
            block[n_features] = intercept;
        }
        Ok(FittedClassifierPopulationGlm::given(self.clone(), parameters))
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

    /// `[n_classes · n_features, n_neurons]`
    fn resolve(
        &self,
        mask: &FeatureMask,
        blocks: &[(String, std::ops::Range<usize>)],
        n_features: usize,
        n_neurons: usize,
    ) -> Result<Array2<bool>, Error> {
        let per_class = |mask: Array2<bool>, classes: usize| {
            Array2::from_shape_fn((self.n_classes * n_features, n_neurons), |(row, neuron)| {
                mask[(row % n_features, neuron * classes + row / n_features % classes)]
            })
        };
        match mask {
            FeatureMask::Coefficients(all) if all.ncols() == n_neurons * self.n_classes && all.nrows() == n_features => {
                Ok(per_class(all.clone(), self.n_classes))
            }
            _ => Ok(per_class(mask.resolve(blocks, n_features, n_neurons)?, 1)),
        }
    }
}

/// Subtracts the mean over classes: from the intercepts, which nothing penalises, and from coefficients where nothing does.
fn centre(parameters: &mut Parameters, n_classes: usize, coefficients: bool) {
    let width = parameters.n_parameters() / n_classes;
    let first = if coefficients { 0 } else { width - 1 };
    for neuron in 0..parameters.n_problems() {
        let column = parameters.column_mut(neuron);
        for row in first..width {
            let mean = (0..n_classes).map(|class| column[class * width + row]).sum::<f64>() / n_classes as f64;
            (0..n_classes).for_each(|class| column[class * width + row] -= mean);
        }
    }
}

/// Rows used, less what was estimated from them: one class follows from the others.
fn degrees_of_freedom(regularizer: &Regularizer, solution: &Solution, n_counts: &[usize], n_classes: usize) -> Vec<f64> {
    let width = solution.parameters.n_parameters() / n_classes;
    let free_classes = (n_classes - 1) as f64;
    let n_coef = |neuron: usize| match regularizer {
        // The rank counts every class.
        Regularizer::Unregularized => free_classes / n_classes as f64 * solution.outcome.columns[neuron].rank as f64,
        Regularizer::Ridge(_) => free_classes * (width - 1) as f64,
        _ => {
            let column = solution.parameters.column(neuron);
            let coef = column.chunks_exact(width).flat_map(|block| &block[..width - 1]);
            coef.filter(|coef| **coef != 0.0).count() as f64
        }
    };
    (0..n_counts.len())
        .map(|neuron| n_counts[neuron] as f64 - n_coef(neuron) - free_classes)
        .collect()
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

    /// Fits the model, with the solver that suits its size.
    ///
    /// # Errors
    /// As [`ClassifierPopulationGlm::fit`], and if there are several columns of labels.
    pub fn fit<B: Backend>(&self, design: &impl Design<B>, labels: &impl Design<B>) -> Result<FittedClassifierGlm<B>, Error> {
        self.fit_with(&Auto::new(), design, labels)
    }

    /// Fits the model with a solver of choice.
    ///
    /// # Errors
    /// As [`fit`](ClassifierGlm::fit), if an option of the solver is out of range, and if it cannot handle the penalty.
    pub fn fit_with<B: Backend>(
        &self,
        solver: &impl Solver,
        design: &impl Design<B>,
        labels: &impl Design<B>,
    ) -> Result<FittedClassifierGlm<B>, Error> {
        if labels.n_features() > 1 {
            return Err(Error::SeveralNeurons {
                n_neurons: labels.n_features(),
            });
        }
        FittedClassifierGlm::try_from_population(self.0.fit_with(solver, design, labels)?)
    }

    /// This model as a population of one.
    pub fn population(&self) -> &ClassifierPopulationGlm {
        &self.0
    }
}
