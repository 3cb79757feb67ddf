//! No features.
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::spec::{Evaluate, Spec};
use crate::strided::{Pointwise, Strided};

/// No features at all: takes an input and gives no column, which keeps a place in a list of models.
///
/// # Shapes
/// `[n_samples, n_columns]` give `[n_samples, 0]`.
///
/// # Example
/// ```
/// use nemos_basis::{BSpline, Zero};
/// let basis = BSpline::new(5) + Zero::new();
/// assert_eq!(basis.n_output_features(&[1, 1])?, 5);
/// # Ok::<(), nemos_basis::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct Zero {}

impl Zero {
    /// No features.
    pub fn new() -> Self {
        Zero::default()
    }
}

impl Spec for Zero {
    fn name(&self) -> &'static str {
        "Zero"
    }

    fn validate(&self) -> Result<(), Error> {
        Ok(())
    }

    fn n_functions(&self) -> usize {
        0
    }

    fn check_filter(&self, _window: usize) -> Result<(), Error> {
        Err(Error::NotAFilter { what: self.name() })
    }

    fn evaluate(&self, _spans: &[f64]) -> Evaluate<'_> {
        Evaluate::EachSample(Box::new(Nothing))
    }
}

struct Nothing;

impl Pointwise for Nothing {
    fn write(&self, _samples: &[&[f64]], _out: &mut Strided<'_>) {}
}
