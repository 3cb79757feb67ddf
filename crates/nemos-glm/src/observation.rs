//! Observation models: how counts scatter about a rate.

use std::fmt::Debug;

use nemos_core::Autodiff;
use nemos_core::tensor::{DType, Tensor, backend::Backend as BurnBackend};

use crate::InverseLink;

/// How counts scatter about a rate.
///
/// Tensors are `[n_samples, n_neurons]`, and everything is elementwise. What is a function of the predictor takes the
/// link along, so that a model can stay where nothing is lost: Poisson with `Exp` uses the predictor, not
/// `ln(exp(predictor))`.
///
/// *Implementor must* write [`negative_log_likelihood`](ObservationModel::negative_log_likelihood) in burn operations
/// that differentiate. No derivative need be written.
/// *Implementor may* leave out of it what does not depend on the predictor; [`log_likelihood`](ObservationModel::log_likelihood) is whole.
pub trait ObservationModel: Clone + Debug + Send + Sync {
    /// The link that a model takes unless told otherwise.
    type DefaultLink: InverseLink + Default;

    /// The loss that a fit minimises.
    fn negative_log_likelihood<T: BurnBackend, L: InverseLink>(
        &self,
        counts: Tensor<T, 2>,
        predictor: Tensor<T, 2>,
        link: &L,
    ) -> Tensor<T, 2>;

    /// The logarithm of the probability (or density) of the counts, with every constant.
    fn log_likelihood<T: BurnBackend, L: InverseLink>(&self, counts: Tensor<T, 2>, predictor: Tensor<T, 2>, link: &L) -> Tensor<T, 2>;

    /// Twice the log-likelihood that a model with `rate = counts` has above this one, at scale one.
    fn deviance<T: BurnBackend>(&self, counts: Tensor<T, 2>, rate: Tensor<T, 2>) -> Tensor<T, 2>;

    /// Which counts have a probability at all.
    fn support(&self) -> Support;

    /// Scale (dispersion) of the observations: one, for models that have none.
    fn scale(&self) -> f64 {
        1.0
    }

    /// The loss and its slope in the predictor.
    fn slope<T: BurnBackend, L: InverseLink>(
        &self,
        counts: Tensor<T, 2>,
        predictor: Tensor<T, 2>,
        link: &L,
    ) -> (Tensor<T, 2>, Tensor<T, 2>) {
        let leaf = Tensor::<Autodiff<T>, 2>::from_inner(predictor).require_grad();
        let loss = self.negative_log_likelihood(Tensor::from_inner(counts), leaf.clone(), link);
        let value = loss.clone().inner();
        let mut gradients = loss.sum().backward();
        let slope = leaf.grad_remove(&mut gradients).unwrap_or_else(|| value.zeros_like());
        (value, slope)
    }

    /// The expected curvature of the loss in the predictor (Fisher information): by differences of slopes, unless a
    /// model knows better.
    fn fisher_weight<T: BurnBackend, L: InverseLink>(&self, counts: Tensor<T, 2>, predictor: Tensor<T, 2>, link: &L) -> Tensor<T, 2> {
        // Central differences lose least near the cube root of the precision.
        let step = if predictor.dtype() == DType::F64 { 6e-6 } else { 5e-3 };
        let slope_at = |offset: f64| self.slope(counts.clone(), predictor.clone() + offset, link).1;
        ((slope_at(step) - slope_at(-step)) / (2.0 * step)).clamp_min(0.0)
    }

    /// Which built-in model this is, so that a fused loop can take its place; nothing for all others.
    fn form(&self) -> Option<ModelForm> {
        None
    }
}

/// The built-in observation models.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelForm {
    /// [`Poisson`](crate::Poisson)
    Poisson,
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
}

impl Support {
    /// Whether a count that is a number has a probability.
    #[inline(always)]
    pub fn contains(self, count: f64) -> bool {
        match self {
            Support::Real => true,
            Support::NonNegative => count >= 0.0,
            Support::Positive => count > 0.0,
        }
    }

    /// What the counts must be, in words.
    pub fn describe(self) -> &'static str {
        match self {
            Support::Real => "any number",
            Support::NonNegative => "zero or more",
            Support::Positive => "more than zero",
        }
    }
}
