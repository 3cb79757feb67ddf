//! What a pass over data asks of a device: products and sums that are as exact as `f32` allows, and no work on nothing.
//!
//! | on | a product | a sum over rows |
//! |---|---|---|
//! | a processor | the backend's own | in `f64` |
//! | a card | in full `f32`, long sums in parts of a thousand rows | compensated, in parts |
//! | both | parts come back together ([`Sums`]) | and are added in `f64` |

#[cfg(feature = "card")]
pub(crate) mod check;
pub(crate) mod heard;
#[cfg(feature = "card")]
pub(crate) mod kernels;
#[cfg(feature = "card")]
pub(crate) mod limits;
pub(crate) mod pairs;
pub(crate) mod products;
mod sums;
#[cfg(feature = "card")]
pub(crate) mod terms;

pub use pairs::{Curve, Scatter, TermSums, Terms, own_terms};
pub use products::Operand;
pub use sums::Sums;

/// Stops a debug build where an operation would run on a device without elements to run on.
///
/// A processor does nothing then. A driver of a card may refuse, and the refusal spoils what comes after it, far from its cause.
///
/// # Panics
/// In debug builds and tests, on any backend, if one of `dims` is zero.
#[track_caller]
pub fn check_launch(operation: &'static str, dims: &[usize]) {
    debug_assert!(
        !dims.contains(&0),
        "{operation} would launch on the shape {dims:?}, which has no elements; a card refuses that"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "select_rows would launch on the shape [0, 3]")]
    fn a_launch_on_nothing_is_stopped() {
        check_launch("select_rows", &[0, 3]);
    }
}
