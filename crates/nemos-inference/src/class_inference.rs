//! A fitted classifier together with the data that it was fitted to.

use ndarray::ArrayView2;
use nemos_core::{Backend, Names, ToDesign};
use nemos_glm::{FittedClassifierGlm, FittedClassifierPopulationGlm};
use rand::Rng;

use crate::{
    Against, Bootstrap, BootstrappedClasses, ClassEstimates, ClassSummary, Covariance, Criteria, Dispersion, Error, Inference, Settings,
    Terms, TestTable, Tests,
};

/// A fitted classifier on the data that it was fitted to: what [`Inference`] is for models of counts.
///
/// Adding the same numbers to the coefficients of all classes changes no probability, so nothing can be said of the coefficients of
/// one class, but of those of a class [against](Against) another one, or against the mean of all. They are logarithms of odds.
///
/// ```text
/// ln p(class a) / p(class b) = design · (coef_a − coef_b) + intercept_a − intercept_b
/// information of classes k, l = Σ w pₖ (δₖₗ − pₗ) z zᵀ        z = (x, 1)
/// ```
///
/// | ask for | with |
/// |---|---|
/// | standard errors, p-values, intervals, curves of odds | [`estimates`](ClassInference::estimates), and then [`ClassEstimates::of`] |
/// | probabilities with bands | [`ClassEstimates::probabilities`] |
/// | intervals by drawing trials anew | [`bootstrap`](ClassInference::bootstrap) |
/// | tests of blocks of features over all classes | [`likelihood_ratio`](ClassInference::likelihood_ratio), [`ClassEstimates::wald`] |
/// | AIC, BIC, deviance explained | [`criteria`](ClassInference::criteria), [`compare`](crate::compare) |
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{ClassifierGlm, Regularizer};
/// use nemos_inference::{Against, Covariance, InferClasses};
/// // Of 40 trials without a cue, 20 end on the left and 10 on the right; of 40 with one, 10 and 20.
/// let cue = Matrix::<Cpu>::from_column((0..80).map(|trial| f64::from(trial / 40)).collect());
/// let choice = |trial: i32| [0, 0, 1, 2, 2, 2, 1, 0][(trial % 4 + trial / 40 * 4) as usize];
/// let choices = Matrix::from_column((0..80).map(|trial| f64::from(choice(trial))).collect());
/// let fitted = ClassifierGlm::new(3).regularizer(Regularizer::Unregularized).fit(&cue, &choices)?;
/// let estimates = fitted.inference(&cue, &choices)?.estimates(&Covariance::Model)?;
/// let right_or_left = estimates.of(2, Against::Class(0))?;
/// // Odds of 10 to 20, and of 20 to 10: the variance of the logarithm of their ratio.
/// let variance: f64 = 1.0 / 20.0 + 1.0 / 10.0 + 1.0 / 10.0 + 1.0 / 20.0;
/// assert!((right_or_left.parameters()[(0, 0)] - 4.0_f64.ln()).abs() < 1e-6);
/// assert!((right_or_left.standard_errors()[(0, 0)] - variance.sqrt()).abs() < 1e-6);
/// # Ok::<(), nemos_inference::Error>(())
/// ```
#[derive(Debug)]
pub struct ClassInference<'a, B: Backend>(Inference<'a, B>);

/// What a fitted classifier can be asked, given the data of its fit.
pub trait InferClasses {
    /// The classifier on its data, with the default [`Settings`].
    ///
    /// # Errors
    /// As [`inference_with`](InferClasses::inference_with).
    fn inference<'a, B: Backend>(
        &self,
        design: &'a (impl ToDesign<B> + ?Sized),
        labels: &'a (impl ToDesign<B> + ?Sized),
    ) -> Result<ClassInference<'a, B>, Error> {
        self.inference_with(Settings::new(), design, labels)
    }

    /// The classifier on its data.
    ///
    /// # Errors
    /// As [`Infer::inference_with`](crate::Infer::inference_with), and [`Error::NotForClassifiers`] if a dispersion shall be estimated.
    fn inference_with<'a, B: Backend>(
        &self,
        settings: Settings,
        design: &'a (impl ToDesign<B> + ?Sized),
        labels: &'a (impl ToDesign<B> + ?Sized),
    ) -> Result<ClassInference<'a, B>, Error>;

    /// The table of the classes, each against the first one, with their standard errors under the model.
    ///
    /// # Errors
    /// As [`inference_with`](InferClasses::inference_with), and [`Error::NotNormal`] after a lasso.
    fn summary<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        labels: &(impl ToDesign<B> + ?Sized),
    ) -> Result<ClassSummary, Error> {
        self.inference(design, labels)?.summary(&Covariance::Model, Against::Class(0))
    }
}

impl InferClasses for FittedClassifierPopulationGlm {
    fn inference_with<'a, B: Backend>(
        &self,
        settings: Settings,
        design: &'a (impl ToDesign<B> + ?Sized),
        labels: &'a (impl ToDesign<B> + ?Sized),
    ) -> Result<ClassInference<'a, B>, Error> {
        if settings.dispersion == Dispersion::Pearson {
            return Err(Error::NotForClassifiers {
                what: "an estimated dispersion",
                why: "the variances of classes have none; take a covariance by clusters",
            });
        }
        let data = (design.to_design(), labels.to_design());
        Ok(ClassInference(Inference::new(Box::new(self.clone()), settings, data)?))
    }
}

impl InferClasses for FittedClassifierGlm {
    fn inference_with<'a, B: Backend>(
        &self,
        settings: Settings,
        design: &'a (impl ToDesign<B> + ?Sized),
        labels: &'a (impl ToDesign<B> + ?Sized),
    ) -> Result<ClassInference<'a, B>, Error> {
        self.population().inference_with(settings, design, labels)
    }
}

impl<B: Backend> ClassInference<'_, B> {
    /// How many neurons (or trials, or observers) there are.
    pub fn n_neurons(&self) -> usize {
        self.0.n_neurons()
    }

    /// How many features there are.
    pub fn n_features(&self) -> usize {
        self.0.n_features()
    }

    /// How many classes there are.
    pub fn n_classes(&self) -> usize {
        self.0.model.n_predictors()
    }

    /// The names of the features, and of the blocks that they fall into.
    pub fn features(&self) -> &Names {
        self.0.model.features()
    }

    /// `[n_neurons]`: rows used, complete, with a label, of positive weight.
    pub fn n_rows(&self) -> Vec<f64> {
        self.0.n_rows()
    }

    /// `[n_neurons]`: effective degrees of freedom: of the classes but one, the ranks and the intercepts; less under a ridge.
    pub fn edf(&self) -> Vec<f64> {
        self.0.edf()
    }

    /// The classes with a covariance over all of them: standard errors, intervals, curves, Wald tests.
    ///
    /// # Errors
    /// As [`Inference::estimates`], and [`Error::NotForClassifiers`] for [`Covariance::Hc3`].
    pub fn estimates(&self, covariance: &Covariance) -> Result<ClassEstimates, Error> {
        if *covariance == Covariance::Hc3 {
            return Err(Error::NotForClassifiers {
                what: "HC3",
                why: "a row has a leverage for each pair of classes; take HC1, or clusters",
            });
        }
        Ok(ClassEstimates::new(self.0.estimates(covariance)?, self.n_classes()))
    }

    /// The table of the fit with this covariance: every class against one of them, or against their mean.
    ///
    /// # Errors
    /// As [`estimates`](ClassInference::estimates), and [`Error::NoSuchClass`].
    pub fn summary(&self, covariance: &Covariance, against: Against) -> Result<ClassSummary, Error> {
        let title = self.0.kind.title.clone();
        ClassSummary::new(title, &self.estimates(covariance)?, against, self.criteria()?)
    }

    /// Likelihood-ratio tests that these coefficients are the same in all classes, for every neuron, as
    /// [`Inference::likelihood_ratio`]: `q` counts them for all classes but one.
    ///
    /// # Errors
    /// As [`Inference::likelihood_ratio`], and [`Error::NotForClassifiers`] where a mask differs between classes.
    pub fn likelihood_ratio(&self, terms: impl Into<Terms>) -> Result<Tests, Error> {
        self.0.likelihood_ratio(terms)
    }

    /// The same for every named block of features: rows are blocks, columns are neurons.
    ///
    /// # Errors
    /// As [`likelihood_ratio`](ClassInference::likelihood_ratio); [`Error::NoTerms`] where the features have no blocks.
    pub fn likelihood_ratio_of_blocks(&self) -> Result<TestTable, Error> {
        self.0.likelihood_ratio_of_blocks()
    }

    /// Score tests that these coefficients are the same in all classes, as [`Inference::score_test`].
    ///
    /// # Errors
    /// As [`likelihood_ratio`](ClassInference::likelihood_ratio).
    pub fn score_test(&self, terms: impl Into<Terms>) -> Result<Tests, Error> {
        self.0.score_test(terms)
    }

    /// Fits the classifier again to segments or blocks of rows that are drawn anew, as [`Inference::bootstrap`]. A replicate whose
    /// classes are separated is dropped.
    ///
    /// # Errors
    /// As [`Inference::bootstrap`], and [`Error::NotForClassifiers`] if one step shall do for a fit.
    pub fn bootstrap<R: Rng + ?Sized>(&self, options: &Bootstrap, rng: &mut R) -> Result<BootstrappedClasses, Error> {
        Ok(BootstrappedClasses::new(self.0.bootstrap(options, rng)?, self.n_classes()))
    }

    /// The same with given numbers of copies of each segment or block, `[n_replicates, n_units]`.
    ///
    /// # Errors
    /// As [`bootstrap`](ClassInference::bootstrap), and unless there is a number for each.
    pub fn bootstrap_with(&self, options: &Bootstrap, copies: ArrayView2<'_, f64>) -> Result<BootstrappedClasses, Error> {
        Ok(BootstrappedClasses::new(self.0.bootstrap_with(options, copies)?, self.n_classes()))
    }

    /// How well the model of each neuron fits. The null model gives each class its share of the labels.
    ///
    /// # Errors
    /// If the data cannot be read.
    pub fn criteria(&self) -> Result<Vec<Criteria>, Error> {
        self.0.criteria()
    }

    pub(crate) fn neurons(&self) -> &[String] {
        self.0.model.neurons()
    }
}
