//! The mean of the counts, as a function of the predictor.

use nemos_core::Autodiff;
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};

use crate::InverseLink;

/// The mean of the counts at every predictor: the rate, and its logarithms where the link knows them without rounding.
///
/// # Shapes
/// `[n_rows, n_neurons]`, all of them.
pub struct Mean<'a, T: BurnBackend> {
    predictor: Tensor<T, 2>,
    link: &'a dyn LinkOn<T>,
}

impl<T: BurnBackend> std::fmt::Debug for Mean<'_, T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Mean").field("dims", &self.predictor.dims()).finish()
    }
}

impl<'a, T: BurnBackend> Mean<'a, T> {
    /// The mean at these predictors under a link.
    pub fn new(predictor: Tensor<T, 2>, link: &'a impl InverseLink) -> Self {
        Mean { predictor, link }
    }

    pub(crate) fn erased(predictor: Tensor<T, 2>, link: &'a dyn LinkOn<T>) -> Self {
        Mean { predictor, link }
    }

    /// The predictor.
    pub fn predictor(&self) -> Tensor<T, 2> {
        self.predictor.clone()
    }

    /// The rate.
    pub fn rate(&self) -> Tensor<T, 2> {
        self.link.rate(self.predictor.clone())
    }

    /// The logarithm of the rate.
    pub fn log_rate(&self) -> Tensor<T, 2> {
        self.link.log_rate(self.predictor.clone())
    }

    /// The logarithm of one minus the rate, for rates that are probabilities.
    pub fn log_complement(&self) -> Tensor<T, 2> {
        self.link.log_complement(self.predictor.clone())
    }
}

/// A link on one burn backend, whatever its type: models are compiled once for all links.
pub(crate) trait LinkOn<T: BurnBackend>: Send + Sync {
    fn rate(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2>;
    fn log_rate(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2>;
    fn log_complement(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2>;
}

impl<T: BurnBackend, L: InverseLink> LinkOn<T> for L {
    fn rate(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        InverseLink::rate(self, predictor)
    }

    fn log_rate(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        InverseLink::log_rate(self, predictor)
    }

    fn log_complement(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        InverseLink::log_complement(self, predictor)
    }
}

/// A link with what differentiates it.
pub(crate) trait SmoothLink<T: BurnBackend>: LinkOn<T> + LinkOn<Autodiff<T>> {}
impl<T: BurnBackend, L: LinkOn<T> + LinkOn<Autodiff<T>>> SmoothLink<T> for L {}

/// `[n_rows, n_neurons]`: the rate, and its derivative in the predictor.
pub(crate) fn rate_and_steepness<T: BurnBackend>(link: &dyn LinkOn<Autodiff<T>>, predictor: Tensor<T, 2>) -> (Tensor<T, 2>, Tensor<T, 2>) {
    let leaf = Tensor::<Autodiff<T>, 2>::from_inner(predictor).require_grad();
    let rate = link.rate(leaf.clone());
    let value = rate.clone().inner();
    let mut gradients = rate.backward();
    let steepness = leaf.grad_remove(&mut gradients).unwrap_or_else(|| value.zeros_like());
    (value, steepness)
}
