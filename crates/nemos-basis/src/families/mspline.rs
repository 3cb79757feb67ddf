//! M-splines: B-splines that integrate to one.

use nemos_core::tensor::{Tensor, TensorData, backend::Backend as BurnBackend};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::bounds::Bounds;
use crate::piecewise::{Ends, Piecewise, clamped_knots, recursion, spline_limits};
use crate::spec::{Evaluate, Spec};

/// M-splines: the functions of [`BSpline`](crate::BSpline), each scaled to integrate to one over the input.
///
/// ```text
/// M(i, k)(x) = k / (t(i+k) − t(i)) · B(i, k)(u) / (high − low)
/// ```
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
/// use nemos_basis::{Family, MSpline};
/// let grid = MSpline::new(4).order(2).on_grid([3])?;
/// let first = grid.values.row(0);
/// assert!((first[0] - 6.0).abs() < 1e-12 && first[1] == 0.0);
/// # Ok::<(), nemos_basis::Error>(())
/// ```
/// # References
/// Ramsay (1988), *Statistical Science* 3(4). doi:10.1214/ss/1177012761
#[doc(alias("MSplineEval", "MSplineConv"))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct MSpline {
    n_functions: usize,
    order: usize,
    bounds: Bounds,
}

impl MSpline {
    /// This many functions.
    pub fn new(n_functions: usize) -> Self {
        MSpline {
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

    /// What makes function `index` integrate to one on 0..1.
    fn factor(&self, knots: &[f64], index: usize) -> f64 {
        self.order as f64 / (knots[index + self.order] - knots[index])
    }
}

impl Spec for MSpline {
    fn name(&self) -> &'static str {
        "MSpline"
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

    fn is_density(&self) -> bool {
        true
    }

    fn evaluate(&self, spans: &[f64]) -> Evaluate<'_> {
        let knots = clamped_knots(self.n_functions, self.order);
        let ends = Ends::Clamped { outside: 0.0 };
        Evaluate::EachSample(Box::new(Piecewise::new(&knots, self.order, ends, |index| {
            self.factor(&knots, index) / spans[0]
        })))
    }

    fn tensor<T: BurnBackend>(&self, unit: Tensor<T, 2>) -> Option<Tensor<T, 2>> {
        let (device, precision) = (unit.device(), unit.dtype());
        let outside = unit.clone().lower_elem(0.0).bool_or(unit.clone().greater_elem(1.0));
        let knots = clamped_knots(self.n_functions, self.order);
        let factors: Vec<f64> = (0..self.n_functions).map(|index| self.factor(&knots, index)).collect();
        let factors = TensorData::new(factors, [1, self.n_functions]).convert_dtype(precision);
        let functions = recursion(unit, &knots, self.order) * Tensor::from_data(factors, (&device, precision));
        Some(functions.mask_fill(outside.expand([-1, self.n_functions as i32]), 0.0))
    }
}
