//! Raw lags.

use crate::Error;
use crate::Window;
use crate::spec::Spec;
use crate::strided::Pointwise;

/// The samples of a window as they are: one function per lag, the nearest first.
///
/// # Shapes
/// `[n_samples, n_columns]` give `[n_samples, n_columns · n_lags]`. Rows whose window leaves its segment are NaN.
///
/// # Errors
/// [`Error::EmptyWindow`] without lags.
///
/// # Example
/// ```
/// use nemos_basis::{Family, History, Window};
/// use nemos_core::{Cpu, Matrix};
/// let counts = Matrix::<Cpu>::from_column(vec![1.0, 2.0, 3.0, 4.0]);
/// let lags = History::new(Window::samples(2)).compute_features(&counts)?;
/// assert_eq!(lags.rows(2..4)?.to_vec(), [2.0, 1.0, 3.0, 2.0]);
/// # Ok::<(), nemos_basis::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct History {
    window: Window,
}

impl History {
    /// One function for each sample of this window.
    pub fn new(window: Window) -> Self {
        History { window }
    }

    pub(crate) fn window(&self) -> Window {
        self.window
    }
}

impl Spec for History {
    fn name(&self) -> &'static str {
        "History"
    }

    fn validate(&self) -> Result<(), Error> {
        Ok(())
    }

    fn n_functions(&self) -> usize {
        self.window.n_samples()
    }

    fn host(&self, _spans: &[f64]) -> Option<Box<dyn Pointwise>> {
        None
    }
}
