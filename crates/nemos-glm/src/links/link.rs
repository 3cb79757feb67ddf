//! Inverse links: from predictor to rate.

use std::fmt::Debug;

use nemos_core::special;
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};
use serde::{Deserialize, Serialize};

/// The function that turns a predictor into a rate, elementwise.
///
/// *Implementor must* use burn operations that differentiate, and return a tensor of the shape given.
/// *Implementor may* override [`log_rate`](InverseLink::log_rate) and [`log_complement`](InverseLink::log_complement)
/// where the logarithms are known without rounding, and [`predictor`](InverseLink::predictor) where the function can be
/// inverted in closed form.
///
/// # Example
/// ```
/// use nemos_core::tensor::{Tensor, backend::Backend};
/// use nemos_glm::{Glm, InverseLink, Poisson};
///
/// /// rate = predictor²
/// #[derive(Clone, Debug)]
/// struct Square;
/// impl InverseLink for Square {
///     fn rate<T: Backend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
///         predictor.clone() * predictor
///     }
/// }
/// let _ = Glm::new(Poisson).link(Square);
/// ```
#[doc(alias = "inverse_link_function")]
pub trait InverseLink: Clone + Debug + Send + Sync + 'static {
    /// The rate, elementwise: `[n_samples, n_neurons]` in and out.
    fn rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2>;

    /// The logarithm of the rate, elementwise.
    fn log_rate<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        self.rate(predictor).log()
    }

    /// The logarithm of one minus the rate, elementwise: for rates that are probabilities.
    fn log_complement<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        special::ln_1p(self.rate(predictor).neg())
    }

    /// The predictor that gives a rate, where it can be told in closed form. Otherwise it is searched for.
    fn predictor(&self, _rate: f64) -> Option<f64> {
        None
    }

    /// Which built-in function this is, so that a fused loop can take its place and a fitted model can be saved; nothing
    /// for all others.
    fn form(&self) -> Option<LinkForm> {
        None
    }

    /// The built-in link of this form, if it is one of this type.
    fn from_form(_form: LinkForm) -> Option<Self> {
        None
    }
}

/// The built-in inverse links: one that is chosen while a program runs, by name or from a list.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LinkForm {
    /// [`Exp`](crate::Exp)
    #[default]
    Exp,
    /// [`Softplus`](crate::Softplus)
    Softplus,
    /// [`Identity`](crate::Identity)
    Identity,
    /// [`Logistic`](crate::Logistic)
    Logistic,
    /// [`Reciprocal`](crate::Reciprocal)
    Reciprocal,
    /// [`NormalCdf`](crate::NormalCdf)
    NormalCdf,
}
