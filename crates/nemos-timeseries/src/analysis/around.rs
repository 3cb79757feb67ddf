//! Windows around events.

use nemos_core::time_tolerance;

use crate::Error;
use crate::error::at_most;
use crate::times::{Interval, IntervalSet, Ts};

/// How far to look before and after an event, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Around {
    before: f64,
    after: f64,
}

impl Around {
    /// From `before` seconds before an event to `after` seconds after it; neither is negative.
    ///
    /// # Errors
    /// [`Error::Window`] unless both are finite and not negative, and one is positive.
    pub fn new(before: f64, after: f64) -> Result<Self, Error> {
        if before.is_finite() && after.is_finite() && before >= 0.0 && after >= 0.0 && before + after > 0.0 {
            Ok(Around { before, after })
        } else {
            Err(Error::Window { before, after })
        }
    }

    pub(super) fn before(self) -> f64 {
        self.before
    }

    pub(super) fn after(self) -> f64 {
        self.after
    }

    /// The window as the support of what lies in it.
    pub(super) fn support(self) -> IntervalSet {
        IntervalSet::trusted(vec![Interval {
            start: -self.before,
            end: self.after,
        }])
    }

    /// How many steps fit before, and all lags as an axis.
    pub(super) fn lags(self, step: f64) -> Result<(usize, Ts), Error> {
        let [before, after] = [self.before, self.after].map(|reach| ((reach + time_tolerance(reach)) / step).floor());
        at_most(MOST_LAGS, "lags in the window around an event", before + after)?;
        let lag = |index: usize| ((index as f64 - before) * step).clamp(-self.before, self.after);
        let lags = (0..=(before + after) as usize).map(lag);
        Ok((before as usize, Ts::trusted(lags.collect(), self.support())))
    }
}

/// More lags than this are a mistake of units.
const MOST_LAGS: f64 = 1e8;
