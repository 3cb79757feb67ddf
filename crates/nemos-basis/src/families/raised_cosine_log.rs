//! Raised cosines, evenly spaced along a logarithm.

use nemos_core::simd;
use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::bounds::Bounds;
use crate::cosines::{Cosines, Warp, cosines, limits};
use crate::spec::{Evaluate, Spec};

/// Where the last of the logarithmically spaced functions ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decay {
    /// All functions have come down to zero at the end: what a filter that forgets needs.
    #[default]
    ToZero,
    /// The last function peaks at the end.
    Open,
}

/// Raised cosines with peaks in equal steps of a logarithm: fine near the start, coarse later.
///
/// ```text
/// φ(j)(v) as in RaisedCosineLinear, of v = ln(c u + 1) / ln(c + 1),  c = time_scaling
/// p(j) in equal steps from 0 to 1 − width / (n_functions + width − 1), or to 1 with Decay::Open
/// ```
///
/// # Shapes
/// `[n_samples, n_columns]` give `[n_samples, n_columns · n_functions]`. NaN gives NaN, and so does `u ≤ −1/c`.
///
/// # Options
/// | option | default | |
/// |---|---|---|
/// | `width` | 2 | half the width of a bump, in steps between peaks: 1.5, 2, 2.5, … |
/// | `time_scaling` | 50 | how much finer the start is than the end |
/// | `decay` | `ToZero` | where the last function ends |
/// | `bounds` | smallest and largest sample of each column | what is mapped to 0..1 |
/// | `fill_value` | NaN | a row with a sample outside given bounds |
///
/// # Errors
/// [`Error::TooFewFunctions`] below 2; [`Error::Width`] unless twice the width is a whole number above 2;
/// [`Error::TimeScaling`] unless it is positive.
///
/// # Example
/// ```
/// use nemos_basis::{Family, RaisedCosineLog};
/// let grid = RaisedCosineLog::new(4).on_grid([11])?;
/// assert_eq!(grid.values[(0, 0)], 1.0);
/// assert!(grid.values.row(10).iter().all(|value| value.abs() < 1e-12));
/// # Ok::<(), nemos_basis::Error>(())
/// ```
/// # References
/// Pillow et al. (2005), *Journal of Neuroscience* 25(47). doi:10.1523/JNEUROSCI.3305-05.2005
#[doc(alias("RaisedCosineLogEval", "RaisedCosineLogConv"))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct RaisedCosineLog {
    n_functions: usize,
    width: f64,
    time_scaling: f64,
    decay: Decay,
    bounds: Bounds,
}

impl RaisedCosineLog {
    /// This many functions.
    pub fn new(n_functions: usize) -> Self {
        RaisedCosineLog {
            n_functions,
            width: 2.0,
            time_scaling: 50.0,
            decay: Decay::ToZero,
            bounds: Bounds::default(),
        }
    }

    /// Sets half the width of a bump, in steps between peaks.
    pub fn width(mut self, width: f64) -> Self {
        self.width = width;
        self
    }

    /// Sets how much finer the start is than the end.
    pub fn time_scaling(mut self, time_scaling: f64) -> Self {
        self.time_scaling = time_scaling;
        self
    }

    /// Sets where the last function ends.
    pub fn decay(mut self, decay: Decay) -> Self {
        self.decay = decay;
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

    fn last_peak(&self) -> f64 {
        match self.decay {
            Decay::ToZero => 1.0 - self.width / (self.n_functions as f64 + self.width - 1.0),
            Decay::Open => 1.0,
        }
    }
}

impl Spec for RaisedCosineLog {
    fn name(&self) -> &'static str {
        "RaisedCosineLog"
    }

    fn validate(&self) -> Result<(), Error> {
        limits(self.name(), self.n_functions, self.width)?;
        if !(self.time_scaling > 0.0 && self.time_scaling.is_finite()) {
            return Err(Error::TimeScaling { got: self.time_scaling });
        }
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
            last: self.last_peak(),
            warp: Logarithmic {
                scaling: self.time_scaling,
                total: (self.time_scaling + 1.0).ln(),
            },
        }))
    }

    fn tensor<T: BurnBackend>(&self, unit: Tensor<T, 2>) -> Option<Tensor<T, 2>> {
        let warped = (unit * self.time_scaling + 1.0).log() / (self.time_scaling + 1.0).ln();
        let missing = warped.clone().lower_equal_elem(f64::NEG_INFINITY);
        Some(cosines(
            warped.mask_fill(missing, f64::NAN),
            self.n_functions,
            self.width,
            self.last_peak(),
        ))
    }
}

#[derive(Clone, Copy)]
struct Logarithmic {
    scaling: f64,
    total: f64,
}

impl Warp for Logarithmic {
    #[inline(always)]
    fn warp(self, sample: f64) -> f64 {
        let inside = self.scaling * sample + 1.0;
        let inside = if inside > 0.0 { inside } else { f64::NAN };
        simd::ln(inside) / self.total
    }
}
