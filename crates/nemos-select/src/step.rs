//! Steps of one's own between the basis and the model of a pipeline.

use std::fmt;
use std::sync::Arc;

use ndarray::{Array1, Array2, ArrayView2};

use crate::{Error, Settings, Value};

/// A step of a [`Pipeline`](crate::Pipeline): it learns from the features of training rows how to make others of them, by a linear
/// map. So the model that comes out of a pipeline is one of the features themselves, whatever steps they went through.
///
/// *Implementor must* print all of its options: steps that print alike are taken to be the same.
///
/// # Example
/// The first few principal components:
/// ```
/// use nemos_core::SymmetricEigen;
/// use nemos_select::{Error, Linear, Settings, Step, Value};
/// use std::sync::Arc;
///
/// #[derive(Clone, Debug)]
/// struct Components {
///     n: usize,
/// }
/// impl Step for Components {
///     fn learn(&self, features: ndarray::ArrayView2<'_, f64>) -> Result<Linear, Error> {
///         let shift = features.mean_axis(ndarray::Axis(0)).unwrap_or_default();
///         let centred = &features - &shift;
///         let eigen = SymmetricEigen::new(centred.t().dot(&centred).view())?;
///         let first = eigen.values.len().saturating_sub(self.n);
///         Ok(Linear::Mixed { shift, matrix: eigen.vectors.slice(ndarray::s![.., first..]).to_owned() })
///     }
///     fn parameters(&self) -> Settings {
///         Settings::default().and("n", self.n)
///     }
///     fn with(&self, option: &str, value: &Value) -> Option<Arc<dyn Step>> {
///         match (option, value) {
///             ("n", Value::Count(n)) => Some(Arc::new(Components { n: *n })),
///             _ => None,
///         }
///     }
/// }
/// let features = ndarray::array![[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]];
/// let Linear::Mixed { matrix, .. } = Components { n: 1 }.learn(features.view())? else { unreachable!() };
/// assert!((matrix[(0, 0)] - matrix[(1, 0)]).abs() < 1e-12);
/// # Ok::<(), Error>(())
/// ```
pub trait Step: fmt::Debug + Send + Sync {
    /// The map that these features give.
    ///
    /// # Shapes
    /// `features`: `[n_rows, n_features]`, the training rows in which none is missing.
    ///
    /// # Errors
    /// If the features do not suit the step.
    fn learn(&self, features: ArrayView2<'_, f64>) -> Result<Linear, Error>;

    /// Its options and their values.
    fn parameters(&self) -> Settings {
        Settings::default()
    }

    /// The same step with an option at another value; nothing if there is no such option, or it cannot take the value.
    fn with(&self, _option: &str, _value: &Value) -> Option<Arc<dyn Step>> {
        None
    }
}

/// What a step makes of features.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Linear {
    /// Each feature less its shift, over its scale.
    Scaled {
        /// `[n_features]`
        shift: Array1<f64>,
        /// `[n_features]`, none of them zero.
        scale: Array1<f64>,
    },
    /// Some of the features, by number.
    Chosen(Vec<usize>),
    /// Other features: `(features − shift) · matrix`. They have numbers in place of names.
    Mixed {
        /// `[n_features]`
        shift: Array1<f64>,
        /// `[n_features, n_made]`
        matrix: Array2<f64>,
    },
}
