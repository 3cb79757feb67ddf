//! Observation models: how counts scatter about a rate.

use std::fmt::Debug;

use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::models::built_in::BuiltIn;
use crate::{InverseLink, Mean};

/// How counts scatter about a rate.
///
/// Tensors are `[n_rows, n_neurons]`, the scale is `[1, n_neurons]` or has a row for each count, and everything is elementwise. What is a function of
/// the predictor is given a [`Mean`], which knows the rate and its logarithms, so that a model can stay where nothing is
/// lost: Poisson with `Exp` uses the predictor, not `ln(exp(predictor))`.
///
/// *Implementor must* write everything in burn operations that differentiate. No derivative need be written.
/// *Implementor may* write a [`loss`](ObservationModel::loss) without the terms that do not depend on the predictor;
/// [`log_likelihood`](ObservationModel::log_likelihood) is whole.
///
/// # Example
/// ```
/// use nemos_core::tensor::{Tensor, backend::Backend};
/// use nemos_glm::{Exp, Mean, ObservationModel};
///
/// /// Waiting times without memory.
/// #[derive(Clone, Debug)]
/// struct Exponential;
/// impl ObservationModel for Exponential {
///     type DefaultLink = Exp;
///     fn log_likelihood<T: Backend>(&self, counts: Tensor<T, 2>, mean: &Mean<'_, T>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
///         (counts / mean.rate() + mean.log_rate()).neg()
///     }
///     fn deviance<T: Backend>(&self, counts: Tensor<T, 2>, rate: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
///         let ratio = counts / rate;
///         (ratio.clone() - 1.0 - ratio.log()) * 2.0
///     }
///     fn variance<T: Backend>(&self, rate: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
///         rate.clone() * rate
///     }
/// }
/// let _ = nemos_glm::Glm::new(Exponential);
/// ```
#[doc(alias("families", "Observations"))]
pub trait ObservationModel: Clone + Debug + Send + Sync + 'static {
    /// The link that a model takes unless told otherwise.
    type DefaultLink: InverseLink + Default;

    /// The link that this one takes, for models whose link depends on more than their type.
    fn default_link(&self) -> Self::DefaultLink {
        Self::DefaultLink::default()
    }

    /// The logarithm of the probability (or density) of the counts, with every constant.
    fn log_likelihood<T: BurnBackend>(&self, counts: Tensor<T, 2>, mean: &Mean<'_, T>, scale: Tensor<T, 2>) -> Tensor<T, 2>;

    /// Twice the log-likelihood that a model with `rate = counts` has above this one, times the scale where the scale is
    /// [`Scale::Pearson`].
    fn deviance<T: BurnBackend>(&self, counts: Tensor<T, 2>, rate: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2>;

    /// The variance of counts with these rates.
    fn variance<T: BurnBackend>(&self, rate: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2>;

    /// What a fit minimises: the negative log-likelihood, unless a model leaves out what does not depend on the predictor.
    ///
    /// `log_likelihood = −loss_factor · loss + what does not depend on the predictor`
    fn loss<T: BurnBackend>(&self, counts: Tensor<T, 2>, mean: &Mean<'_, T>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        self.log_likelihood(counts, mean, scale).neg()
    }

    /// What takes the loss to the negative log-likelihood, at a scale: see [`loss`](ObservationModel::loss).
    fn loss_factor(&self, _scale: f64) -> f64 {
        1.0
    }

    /// Which counts have a probability at all: any, unless a model says otherwise.
    fn support(&self) -> Support {
        Support::Real
    }

    /// Where the scale (dispersion) comes from: it is one, for models that have none.
    fn scale(&self) -> Scale {
        Scale::Fixed(1.0)
    }

    /// Whether the slope of the log-likelihood in the rate is `(counts − rate) / variance`, as in an exponential family.
    /// The expected curvature then follows from the variance; otherwise the observed one takes its place.
    fn is_exponential_family(&self) -> bool {
        false
    }

    /// Which of the built-in models this is, so that a fused loop can take its place and a fitted model can be saved;
    /// nothing for all others.
    fn built_in(&self) -> Option<BuiltIn> {
        None
    }

    /// The built-in model of this name, if it is one of this type.
    fn from_built_in(_built_in: &BuiltIn) -> Option<Self> {
        None
    }
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

    /// Whether counts all lie on the edge of the support, where so many of them are above zero: then no finite predictor is the
    /// best. A mean would not tell: one row may weigh so much that the others are lost in its rounding.
    pub(crate) fn on_edge(self, n_above: usize, n_counts: usize) -> bool {
        match self {
            Support::Real | Support::Positive | Support::Classes(_) => false,
            Support::NonNegative => n_above == 0,
            Support::Binary => n_above == 0 || n_above == n_counts,
        }
    }
}
