//! B-splines on a circle.

use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::bounds::Bounds;
use crate::piecewise::{Ends, Piecewise, cyclic_knots, recursion, spline_limits};
use crate::spec::{Evaluate, Spec};

/// B-splines that go on at the start where they end: for angles, phases and times of day.
///
/// Function `j` is the B-spline on equal steps `h = 1 / n_functions` whose support begins at `(j − order + 1) h`, wrapped into 0..1.
/// Values sum to one; values and derivatives agree at both ends. Function 0 is not centred at 0.
///
/// # Shapes
/// `[n_samples, n_columns]` give `[n_samples, n_columns · n_functions]`. NaN gives NaN, and so do samples outside the bounds.
///
/// # Options
/// | option | default | |
/// |---|---|---|
/// | `order` | 4 | degree plus one; at least 2 |
/// | `bounds` | smallest and largest sample of each column | one turn: what is mapped to 0..1 |
/// | `fill_value` | NaN | a row with a sample outside given bounds |
///
/// # Errors
/// [`Error::TooFewFunctions`] unless there are at least `order`; [`Error::Order`] if it is below 2.
///
/// # Example
/// ```
/// use nemos_basis::{CyclicBSpline, Family};
/// let grid = CyclicBSpline::new(6).bounds(0.0, std::f64::consts::TAU).on_grid([9])?;
/// assert!((&grid.values.row(0) - &grid.values.row(8)).iter().all(|gap| gap.abs() < 1e-12));
/// # Ok::<(), nemos_basis::Error>(())
/// ```
/// # References
/// Eilers & Marx (1996), *Statistical Science* 11(2). doi:10.1214/ss/1038425655
#[doc(alias("CyclicBSplineEval", "CyclicBSplineConv"))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct CyclicBSpline {
    n_functions: usize,
    order: usize,
    bounds: Bounds,
}

impl CyclicBSpline {
    /// This many functions around the circle.
    pub fn new(n_functions: usize) -> Self {
        CyclicBSpline {
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

    /// Sets the two samples that are the same point of the circle.
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

impl Spec for CyclicBSpline {
    fn name(&self) -> &'static str {
        "CyclicBSpline"
    }

    fn validate(&self) -> Result<(), Error> {
        spline_limits(self.name(), self.n_functions, self.order, 2)?;
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
        let knots = cyclic_knots(self.n_functions, self.order);
        Evaluate::EachSample(Box::new(Piecewise::new(&knots, self.order, Ends::Wrapped, |_| 1.0)))
    }

    fn tensor<T: BurnBackend>(&self, unit: Tensor<T, 2>) -> Option<Tensor<T, 2>> {
        let outside = unit.clone().lower_elem(0.0).bool_or(unit.clone().greater_elem(1.0));
        let (n, wrapped) = (self.n_functions, self.order - 1);
        let straight = recursion(unit, &cyclic_knots(n, self.order), self.order);
        // The functions that reach past 1 go on in the first ones.
        let start = straight.clone().narrow(1, 0, wrapped) + straight.clone().narrow(1, n, wrapped);
        let functions = Tensor::cat(vec![start, straight.narrow(1, wrapped, n - wrapped)], 1);
        Some(functions.mask_fill(outside.expand([-1, n as i32]), f64::NAN))
    }
}
