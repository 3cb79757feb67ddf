//! Second moments of the features: facts of the data alone.

use std::sync::{Arc, OnceLock};

use ndarray::Array2;

use crate::error::Error;
use crate::linear::axes::Axes;

/// Means and covariances of the features over the rows of one selection.
///
/// They belong to the data and not to a problem: all problems that see the same rows share them by [`Arc`], and the
/// axes along which the features are uncorrelated are found once, for all solves. They do not change once they are made.
///
/// # Example
/// ```
/// use ndarray::array;
/// use nemos_solvers::Moments;
/// let moments = Moments::new(vec![0.5, 0.0], array![[0.25, 0.1], [0.1, 1.0]], 2.0 * f64::EPSILON);
/// assert_eq!(moments.covariance.nrows(), moments.mean.len());
/// ```
#[derive(Clone, Debug)]
pub struct Moments {
    /// `[n_features]`: means over the rows.
    pub mean: Vec<f64>,
    /// `[n_features, n_features]`: covariances over the rows.
    pub covariance: Array2<f64>,
    /// Relative error of the covariances: directions of less variance than this count as none.
    pub precision: f64,
    axes: OnceLock<Arc<Axes>>,
}

impl Moments {
    /// From means, covariances and their relative error.
    pub fn new(mean: Vec<f64>, covariance: Array2<f64>, precision: f64) -> Self {
        Moments {
            mean,
            covariance,
            precision,
            axes: OnceLock::new(),
        }
    }

    /// The axes of all features, found at the first call.
    pub(crate) fn axes(&self) -> Result<Arc<Axes>, Error> {
        if let Some(axes) = self.axes.get() {
            return Ok(axes.clone());
        }
        let free = (0..self.mean.len()).collect();
        let axes = Arc::new(Axes::new(free, &self.covariance, None, self.precision)?);
        Ok(self.axes.get_or_init(|| axes).clone())
    }
}
