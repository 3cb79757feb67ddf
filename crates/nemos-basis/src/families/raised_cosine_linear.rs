//! Raised cosines, evenly spaced.

use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::bounds::Bounds;
use crate::cosines::{Cosines, Warp, cosines, limits};
use crate::spec::{Evaluate, Spec};

/// Raised cosines with peaks in equal steps.
///
/// ```text
/// φ(j)(u) = ½ (1 + cos(clip(π (u − p(j)) / (δ · width), −π, π)))        p(j) = j δ,  δ = 1 / (n_functions − 1)
/// ```
/// `u` is the sample scaled from its bounds to 0..1.
///
/// # Shapes
/// `[n_samples, n_columns]` give `[n_samples, n_columns · n_functions]`. NaN gives NaN.
///
/// # Options
/// | option | default | |
/// |---|---|---|
/// | `width` | 2 | half the width of a bump, in steps between peaks: 1.5, 2, 2.5, … |
/// | `bounds` | smallest and largest sample of each column | what is mapped to 0..1 |
/// | `fill_value` | NaN | a row with a sample outside given bounds |
///
/// # Errors
/// [`Error::TooFewFunctions`] below 2; [`Error::Width`] unless twice the width is a whole number above 2.
///
/// # Example
/// ```
/// use nemos_basis::{Family, RaisedCosineLinear};
/// let grid = RaisedCosineLinear::new(5).on_grid([5])?;
/// assert!((grid.values[(1, 0)] - 0.5).abs() < 1e-12 && grid.values[(1, 1)] == 1.0);
/// # Ok::<(), nemos_basis::Error>(())
/// ```
/// # References
/// Pillow et al. (2005), *Journal of Neuroscience* 25(47). doi:10.1523/JNEUROSCI.3305-05.2005
#[doc(alias("RaisedCosineLinearEval", "RaisedCosineLinearConv"))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct RaisedCosineLinear {
    n_functions: usize,
    width: f64,
    bounds: Bounds,
}

impl RaisedCosineLinear {
    /// This many functions.
    pub fn new(n_functions: usize) -> Self {
        RaisedCosineLinear {
            n_functions,
            width: 2.0,
            bounds: Bounds::default(),
        }
    }

    /// Sets half the width of a bump, in steps between peaks.
    pub fn width(mut self, width: f64) -> Self {
        self.width = width;
        self
    }

    /// Sets the samples that the functions span.
    pub fn bounds(mut self, low: f64, high: f64) -> Self {
        self.bounds.set(vec![(low, high)]);
        self
    }

    /// Sets what rows outside the bounds hold.
    pub fn fill_value(mut self, value: f64) -> Self {
        self.bounds.set_fill(value);
        self
    }
}

impl Spec for RaisedCosineLinear {
    fn name(&self) -> &'static str {
        "RaisedCosineLinear"
    }

    fn validate(&self) -> Result<(), Error> {
        limits(self.name(), self.n_functions, self.width)?;
        self.bounds.validate(self.name())
    }

    fn n_functions(&self) -> usize {
        self.n_functions
    }

    fn bounds(&self) -> Option<&Bounds> {
        Some(&self.bounds)
    }

    fn bounds_mut(&mut self) -> Option<&mut Bounds> {
        Some(&mut self.bounds)
    }

    fn evaluate(&self, _spans: &[f64]) -> Evaluate<'_> {
        Evaluate::EachSample(Box::new(Cosines {
            n_functions: self.n_functions,
            width: self.width,
            last: 1.0,
            warp: Linear,
        }))
    }

    fn tensor<T: BurnBackend>(&self, unit: Tensor<T, 2>) -> Option<Tensor<T, 2>> {
        Some(cosines(unit, self.n_functions, self.width, 1.0))
    }
}

#[derive(Clone, Copy)]
struct Linear;

impl Warp for Linear {
    #[inline(always)]
    fn warp(self, sample: f64) -> f64 {
        sample
    }
}
