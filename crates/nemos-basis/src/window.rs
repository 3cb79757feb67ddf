//! Windows: how far a filter reaches, and to which side.

use nemos_core::convolution::Causality;
use serde::{Deserialize, Serialize};

use crate::Error;

/// A window that looks both ways has a sample in its middle.
pub(crate) fn check_middle(causality: Causality, window: usize) -> Result<(), Error> {
    match causality {
        Causality::Acausal if window.is_multiple_of(2) => Err(Error::EvenWindow { window }),
        _ => Ok(()),
    }
}

/// The length of a filter, and the side to which it looks.
///
/// # Options
/// | option | default | |
/// |---|---|---|
/// | `causality` | `Causal(OneSample)` | back in time, without the current sample |
///
/// # Example
/// ```
/// use nemos_basis::{Causality, Window};
/// let window = Window::seconds(0.25, 0.001)?.causality(Causality::AntiCausal(Default::default()));
/// assert_eq!(window.n_samples(), 250);
/// # Ok::<(), nemos_basis::Error>(())
/// ```
#[doc(alias = "window_size")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub struct Window {
    n_samples: usize,
    causality: Causality,
}

impl From<usize> for Window {
    /// This many samples, back in time.
    fn from(n_samples: usize) -> Self {
        Window::samples(n_samples)
    }
}

impl Window {
    /// A window of this many samples.
    pub fn samples(n_samples: usize) -> Self {
        Window {
            n_samples,
            causality: Causality::default(),
        }
    }

    /// A window of this duration, for samples that are `bin_size` apart; rounded to whole samples.
    ///
    /// # Errors
    /// [`Error::WindowDuration`] unless both are positive and at least half a bin remains.
    pub fn seconds(duration: f64, bin_size: f64) -> Result<Self, Error> {
        let n_samples = (duration / bin_size).round();
        // Beyond 2⁵³ samples a count is no longer exact, and no recording is as long.
        if !(duration > 0.0 && bin_size > 0.0 && (1.0..9e15).contains(&n_samples)) {
            return Err(Error::WindowDuration { duration, bin_size });
        }
        Ok(Window::samples(n_samples as usize))
    }

    /// Sets the side to which the filter looks.
    pub fn causality(mut self, causality: Causality) -> Self {
        self.causality = causality;
        self
    }

    /// Length in samples.
    pub fn n_samples(&self) -> usize {
        self.n_samples
    }

    pub(crate) fn lead(&self) -> isize {
        self.causality.lead(self.n_samples)
    }

    pub(crate) fn validate(&self, label: &str) -> Result<(), Error> {
        if self.n_samples == 0 {
            return Err(Error::EmptyWindow { label: label.into() });
        }
        check_middle(self.causality, self.n_samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_round_to_whole_samples_and_bad_ones_are_refused() {
        assert_eq!(Window::seconds(0.2, 0.01).unwrap(), Window::samples(20));
        for (duration, bin_size) in [
            (0.0, 0.1),
            (1.0, 0.0),
            (-1.0, -0.1),
            (f64::NAN, 0.1),
            (0.01, 1.0),
            (f64::INFINITY, 1.0),
        ] {
            assert!(matches!(Window::seconds(duration, bin_size), Err(Error::WindowDuration { .. })));
        }
    }

    #[test]
    fn only_a_window_that_looks_both_ways_needs_an_odd_length() {
        assert!(Window::samples(4).validate("a").is_ok());
        let error = Window::samples(4).causality(Causality::Acausal).validate("a");
        assert!(matches!(error, Err(Error::EvenWindow { window: 4 })));
        assert!(matches!(Window::samples(0).validate("a"), Err(Error::EmptyWindow { .. })));
    }
}
