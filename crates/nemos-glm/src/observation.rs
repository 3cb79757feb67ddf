//! Observation models: how counts scatter about a rate.

use std::fmt::Debug;

use nemos_core::Autodiff;
use nemos_core::tensor::{DType, Tensor, backend::Backend as BurnBackend};

use crate::InverseLink;

/// How counts scatter about a rate.
///
/// Tensors are `[n_samples, n_neurons]`, the scale is `[1, n_neurons]`, and everything is elementwise. What is a function
/// of the predictor takes the link along, so that a model can stay where nothing is lost: Poisson with `Exp` uses the
/// predictor, not `ln(exp(predictor))`.
///
/// *Implementor must* write everything in burn operations that differentiate. No derivative need be written.
/// *Implementor may* leave out of [`negative_log_likelihood`](ObservationModel::negative_log_likelihood) what does not
/// depend on the predictor, and ignore the scale where the model has none; [`log_likelihood`](ObservationModel::log_likelihood)
/// is whole.
pub trait ObservationModel: Clone + Debug + Send + Sync {
    /// The link that a model takes unless told otherwise.
    type DefaultLink: InverseLink + Default;

    /// The loss that a fit minimises.
    fn negative_log_likelihood<T: BurnBackend, L: InverseLink>(
        &self,
        counts: Tensor<T, 2>,
        predictor: Tensor<T, 2>,
        link: &L,
        scale: Tensor<T, 2>,
    ) -> Tensor<T, 2>;

    /// The logarithm of the probability (or density) of the counts, with every constant.
    fn log_likelihood<T: BurnBackend, L: InverseLink>(
        &self,
        counts: Tensor<T, 2>,
        predictor: Tensor<T, 2>,
        link: &L,
        scale: Tensor<T, 2>,
    ) -> Tensor<T, 2>;

    /// Twice the log-likelihood that a model with `rate = counts` has above this one, times the scale where the scale is
    /// [`Scale::Pearson`].
    fn deviance<T: BurnBackend>(&self, counts: Tensor<T, 2>, rate: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2>;

    /// The variance of counts with these rates.
    fn variance<T: BurnBackend>(&self, rate: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2>;

    /// Which counts have a probability at all: any, unless a model says otherwise.
    fn support(&self) -> Support {
        Support::Real
    }

    /// Where the scale (dispersion) comes from: it is one, for models that have none.
    fn scale(&self) -> Scale {
        Scale::Fixed(1.0)
    }

    /// The loss and its slope in the predictor.
    fn slope<T: BurnBackend, L: InverseLink>(
        &self,
        counts: Tensor<T, 2>,
        predictor: Tensor<T, 2>,
        link: &L,
        scale: Tensor<T, 2>,
    ) -> (Tensor<T, 2>, Tensor<T, 2>) {
        let leaf = Tensor::<Autodiff<T>, 2>::from_inner(predictor).require_grad();
        let loss = self.negative_log_likelihood(Tensor::from_inner(counts), leaf.clone(), link, Tensor::from_inner(scale));
        let value = loss.clone().inner();
        let mut gradients = loss.sum().backward();
        let slope = leaf.grad_remove(&mut gradients).unwrap_or_else(|| value.zeros_like());
        (value, slope)
    }

    /// The expected curvature of the loss in the predictor (Fisher information): by differences of slopes, unless a
    /// model knows better.
    fn fisher_weight<T: BurnBackend, L: InverseLink>(
        &self,
        counts: Tensor<T, 2>,
        predictor: Tensor<T, 2>,
        link: &L,
        scale: Tensor<T, 2>,
    ) -> Tensor<T, 2> {
        // Central differences lose least near the cube root of the precision.
        let step = if predictor.dtype() == DType::F64 { 6e-6 } else { 5e-3 };
        let slope_at = |offset: f64| self.slope(counts.clone(), predictor.clone() + offset, link, scale.clone()).1;
        ((slope_at(step) - slope_at(-step)) / (2.0 * step)).clamp_min(0.0)
    }

    /// Which built-in model this is, so that a fused loop can take its place and a fitted model can be saved; nothing
    /// for all others.
    fn form(&self) -> Option<ModelForm> {
        None
    }

    /// The built-in model of this form, if it is one of this type.
    fn from_form(_form: ModelForm) -> Option<Self> {
        None
    }
}

/// `(∂rate/∂predictor)² / variance`: the Fisher information of a model whose loss is its negative log-likelihood.
pub(crate) fn information<T: BurnBackend, L: InverseLink>(
    predictor: Tensor<T, 2>,
    link: &L,
    variance: impl Fn(Tensor<T, 2>) -> Tensor<T, 2>,
) -> Tensor<T, 2> {
    let leaf = Tensor::<Autodiff<T>, 2>::from_inner(predictor).require_grad();
    let rate = link.rate(leaf.clone());
    let value = rate.clone().inner();
    let mut gradients = rate.sum().backward();
    let steepness = leaf.grad_remove(&mut gradients).unwrap_or_else(|| value.zeros_like());
    let variance = variance(value);
    // Where the variance underflows to zero the steepness has vanished before.
    let vanished = variance.clone().lower_equal_elem(0.0);
    (steepness.clone() * steepness / variance).mask_fill(vanished, 0.0)
}

/// Where the scale (dispersion) of the observations comes from.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Scale {
    /// It is known.
    Fixed(f64),
    /// It does not change the coefficients, and is estimated after them: the sum of squared residuals, each over its
    /// variance at scale one, divided by the residual degrees of freedom.
    Pearson,
    /// It changes the coefficients, and is estimated together with them by maximum likelihood.
    MaximumLikelihood,
}

impl Scale {
    /// The scale before anything is known of the data.
    pub fn start(self) -> f64 {
        match self {
            Scale::Fixed(scale) => scale,
            Scale::Pearson | Scale::MaximumLikelihood => 1.0,
        }
    }
}

/// The built-in observation models.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ModelForm {
    /// [`Poisson`](crate::Poisson)
    Poisson,
    /// [`Gamma`](crate::Gamma)
    Gamma,
    /// [`Gaussian`](crate::Gaussian)
    Gaussian,
    /// [`Bernoulli`](crate::Bernoulli)
    Bernoulli,
    /// [`NegativeBinomial`](crate::NegativeBinomial)
    NegativeBinomial {
        /// Its dispersion, or nothing where it is estimated.
        scale: Option<f64>,
    },
}

/// Which counts an observation model gives a probability.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Support {
    /// Any number.
    Real,
    /// Zero and above.
    NonNegative,
    /// Above zero.
    Positive,
    /// Zero and one.
    Binary,
    /// Whole numbers from zero up to one less than this.
    Classes(usize),
}

impl Support {
    /// Whether a count that is a number has a probability.
    #[inline(always)]
    pub fn contains(self, count: f64) -> bool {
        match self {
            Support::Real => true,
            Support::NonNegative => count >= 0.0,
            Support::Positive => count > 0.0,
            Support::Binary => count == 0.0 || count == 1.0,
            Support::Classes(n) => count >= 0.0 && count < n as f64 && count.fract() == 0.0,
        }
    }

    /// What the counts must be, in words.
    pub fn describe(self) -> &'static str {
        match self {
            Support::Real => "any number",
            Support::NonNegative => "zero or more",
            Support::Positive => "more than zero",
            Support::Binary => "zero or one",
            Support::Classes(_) => "a whole number from zero, below the number of classes",
        }
    }

    /// Whether counts with this mean lie on the edge of the support: then no finite predictor is the best.
    pub(crate) fn on_edge(self, mean: f64) -> bool {
        match self {
            Support::Real | Support::Positive | Support::Classes(_) => false,
            Support::NonNegative => mean == 0.0,
            Support::Binary => mean == 0.0 || mean == 1.0,
        }
    }
}
