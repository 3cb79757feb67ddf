//! B-splines: smooth bumps that sum to one.

use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::bounds::Bounds;
use crate::piecewise::{Ends, Piecewise, clamped_knots, recursion, spline_limits};
use crate::spec::{Evaluate, Spec};

/// B-splines: smooth bumps, each over a few steps of an even grid, that sum to one inside the bounds.
///
/// ```text
/// B(i, 1)(u) = 1 where t(i) ≤ u < t(i+1), else 0
/// B(i, k)(u) = (u − t(i)) / (t(i+k−1) − t(i)) · B(i, k−1)(u) + (t(i+k) − u) / (t(i+k) − t(i+1)) · B(i+1, k−1)(u)
/// ```
/// on knots `t` in equal steps from 0 to 1, with `order` knots at either end; `u` is the sample scaled from its bounds to 0..1.
///
/// # Shapes
/// `[n_samples, n_columns]` give `[n_samples, n_columns · n_functions]`. NaN gives NaN.
///
/// # Options
/// | option | default | |
/// |---|---|---|
/// | `order` | 4 | degree plus one: 4 is cubic, 1 are boxes |
/// | `bounds` | smallest and largest sample of each column | what is mapped to 0..1 |
/// | `fill_value` | NaN | a row with a sample outside given bounds |
///
/// # Errors
/// [`Error::TooFewFunctions`] unless there are at least `order`; [`Error::Order`] if it is 0.
///
/// # Example
/// ```
/// use nemos_basis::{BSpline, Family};
/// let grid = BSpline::new(6).order(3).on_grid([5])?;
/// assert_eq!(grid.values.row(0).to_vec(), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
/// # Ok::<(), nemos_basis::Error>(())
/// ```
/// # References
/// de Boor (1978), *A Practical Guide to Splines*, ch. IX.
#[doc(alias("BSplineEval", "BSplineConv", "SplineTransformer"))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct BSpline {
    n_functions: usize,
    order: usize,
    bounds: Bounds,
}

impl BSpline {
    /// This many functions.
    pub fn new(n_functions: usize) -> Self {
        BSpline {
            n_functions,
            order: 4,
            bounds: Bounds::default(),
        }
    }

    /// Sets the order, which is the degree plus one.
    pub fn order(mut self, order: usize) -> Self {
        self.order = order;
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

impl Spec for BSpline {
    fn name(&self) -> &'static str {
        "BSpline"
    }

    fn validate(&self) -> Result<(), Error> {
        spline_limits(self.name(), self.n_functions, self.order, 1)?;
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
        let ends = Ends::Clamped { outside: f64::NAN };
        Evaluate::EachSample(Box::new(Piecewise::new(
            &clamped_knots(self.n_functions, self.order),
            self.order,
            ends,
            |_| 1.0,
        )))
    }

    fn tensor<T: BurnBackend>(&self, unit: Tensor<T, 2>) -> Option<Tensor<T, 2>> {
        let outside = unit.clone().lower_elem(0.0).bool_or(unit.clone().greater_elem(1.0));
        let functions = recursion(unit, &clamped_knots(self.n_functions, self.order), self.order);
        Some(functions.mask_fill(outside.expand([-1, self.n_functions as i32]), f64::NAN))
    }
}
