//! How long the steps of a gradient method are.

use crate::error::Error;

/// How long the steps of a gradient method are.
#[derive(Copy, Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum StepLength {
    /// Searched at every step, from one over the largest expected curvature.
    #[default]
    Searched,
    /// This, always.
    Fixed(f64),
}

impl StepLength {
    pub(crate) fn validate(self) -> Result<(), Error> {
        match self {
            StepLength::Searched => Ok(()),
            StepLength::Fixed(length) => Error::check_positive("step length of the solver", length),
        }
    }
}
