//! What every family tells about itself.

use crate::Error;
use crate::bounds::Bounds;
use crate::strided::Pointwise;

/// A family, as the plan of a basis sees it.
pub(crate) trait Spec {
    fn name(&self) -> &'static str;

    fn validate(&self) -> Result<(), Error>;

    fn n_functions(&self) -> usize;

    fn n_inputs(&self) -> usize {
        1
    }

    /// The bounds, where the family scales or limits its samples.
    fn bounds(&self) -> Option<&Bounds> {
        None
    }

    fn bounds_mut(&mut self) -> Option<&mut Bounds> {
        None
    }

    /// Whether rows outside given bounds are overwritten.
    fn fills(&self) -> bool {
        true
    }

    /// Whether samples are mapped from their bounds to 0..1.
    fn scales(&self) -> bool {
        self.bounds().is_some()
    }

    /// Whether values are per unit of the input, so that stretching the bounds divides them.
    fn is_density(&self) -> bool {
        false
    }

    /// The functions on host memory, for samples whose bounds are this far apart (one span per input); none where a function is
    /// not one of single samples.
    fn host(&self, spans: &[f64]) -> Option<Box<dyn Pointwise>>;
}

/// The limits that all splines share.
pub(crate) fn spline_limits(family: &'static str, n_functions: usize, order: usize, least_order: usize) -> Result<(), Error> {
    if order < least_order {
        return Err(Error::Order {
            family,
            got: order,
            least: least_order,
        });
    }
    if n_functions < order {
        return Err(Error::TooFewFunctions {
            family,
            got: n_functions,
            least: order,
            why: "one for each order of the spline",
        });
    }
    Ok(())
}
