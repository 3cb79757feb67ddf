//! Raw lags.
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::Window;
use crate::spec::{Evaluate, Spec};

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
#[doc(alias = "HistoryConv")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct History {
    window: Window,
}

impl History {
    /// One function for each sample of this window, or for so many samples back in time.
    pub fn new(window: impl Into<Window>) -> Self {
        History { window: window.into() }
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

    fn window(&self) -> Option<Window> {
        Some(self.window)
    }

    fn set_window(&mut self, window: Window) -> bool {
        self.window = window;
        true
    }

    fn is_lags(&self) -> bool {
        true
    }

    /// As functions, lags are the kernel that they are: one at each sample of the window.
    fn evaluate(&self, _spans: &[f64]) -> Evaluate<'_> {
        let n_lags = self.window.n_samples();
        let lag = move |at: usize| if at / n_lags == at % n_lags { 1.0 } else { 0.0 };
        Evaluate::AllSamples(Box::new(move |samples| Ok((0..samples.len() * n_lags).map(lag).collect())))
    }
}
