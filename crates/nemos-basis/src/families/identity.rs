//! The samples themselves.

use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::bounds::Bounds;
use crate::spec::{Evaluate, Mode, Spec};
use crate::strided::{Pointwise, Strided};

/// The samples themselves, as one function: `φ(x) = x`.
///
/// # Shapes
/// `[n_samples, n_columns]` give the same.
///
/// # Options
/// | option | default | |
/// |---|---|---|
/// | `bounds` | none | samples outside are replaced |
/// | `fill_value` | NaN | by this |
///
/// # Example
/// ```
/// use nemos_basis::{Family, Identity};
/// use nemos_core::{Cpu, Matrix};
/// let speed = Matrix::<Cpu>::from_column(vec![1.0, 9.0]);
/// assert_eq!(Identity::new().bounds(0.0, 5.0).fill_value(5.0).compute_features(&speed)?.to_vec(), [1.0, 5.0]);
/// # Ok::<(), nemos_basis::Error>(())
/// ```
#[doc(alias = "IdentityEval")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct Identity {
    bounds: Bounds,
}

impl Identity {
    /// The samples themselves.
    pub fn new() -> Self {
        Identity::default()
    }

    /// Sets the samples that are kept.
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

impl Spec for Identity {
    fn name(&self) -> &'static str {
        "Identity"
    }

    fn validate(&self) -> Result<(), Error> {
        self.bounds.validate(self.name())
    }

    fn n_functions(&self) -> usize {
        1
    }

    fn bounds(&self) -> Option<&Bounds> {
        Some(&self.bounds)
    }

    fn bounds_mut(&mut self) -> Option<&mut Bounds> {
        Some(&mut self.bounds)
    }

    fn scales(&self) -> bool {
        false
    }

    /// What is outside is replaced even where functions are asked for as they are.
    fn fills(&self, _mode: Mode) -> bool {
        true
    }

    fn check_filter(&self, _window: usize) -> Result<(), Error> {
        Err(Error::NotAFilter { what: self.name() })
    }

    fn evaluate(&self, _spans: &[f64]) -> Evaluate<'_> {
        Evaluate::EachSample(Box::new(Copied))
    }

    fn tensor<T: BurnBackend>(&self, samples: Tensor<T, 2>) -> Option<Tensor<T, 2>> {
        Some(samples)
    }
}

struct Copied;

impl Pointwise for Copied {
    fn write(&self, samples: &[&[f64]], out: &mut Strided<'_>) {
        for (row, &sample) in samples[0].iter().enumerate() {
            out.row(row, 1)[0] = sample;
        }
    }
}
