//! The line search of one column: one trial per pass over the data.

/// What to do after a trial.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// The trial is the next point.
    Accept,
    /// Try this step length.
    Retry(f64),
    /// No step length helps.
    GiveUp,
}

/// Value and slope along the search direction.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Along {
    pub(crate) value: f64,
    pub(crate) slope: f64,
}

const MAX_TRIALS: usize = 40;
// Armijo's constant (Nocedal & Wright 2006, eq. 3.4).
const SUFFICIENT: f64 = 1e-4;

/// Judges the trial of step length `step`, which is trial number `trials` (from 1) along a direction.
///
/// A step is taken when it lowers the value by a share of what the slope promised. Where that promise is below
/// the resolution of values, slopes decide: the approximate Wolfe condition of Hager & Zhang (2005), eq. 27.
pub(crate) fn judge(start: Along, trial: Along, step: f64, trials: usize, resolution: f64) -> Verdict {
    if trials >= MAX_TRIALS {
        return Verdict::GiveUp;
    }
    if !trial.value.is_finite() || !trial.slope.is_finite() {
        return Verdict::Retry(step * 0.1);
    }
    if trial.value <= start.value + SUFFICIENT * step * start.slope {
        return Verdict::Accept;
    }
    let blur = resolution * start.value.abs();
    if trial.value <= start.value + blur && trial.slope.abs() <= (1.0 - 2.0 * SUFFICIENT) * start.slope.abs() {
        return Verdict::Accept;
    }
    // The zero of the slope by the secant, kept away from both ends.
    let secant = if trial.slope > start.slope {
        start.slope / (start.slope - trial.slope)
    } else {
        0.5
    };
    Verdict::Retry(step * secant.clamp(0.1, 0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Along = Along { value: 1.0, slope: -1.0 };

    #[test]
    fn a_step_that_lowers_the_value_is_taken() {
        assert_eq!(judge(START, Along { value: 0.6, slope: -0.1 }, 1.0, 1, 1e-15), Verdict::Accept);
    }

    #[test]
    fn a_step_too_far_is_shortened_towards_the_zero_of_the_slope() {
        // f = (t − ¼)² · 2 + 7/8 has slope −1 at 0, 3 at 1, and its minimum at ¼.
        let verdict = judge(START, Along { value: 2.0, slope: 3.0 }, 1.0, 1, 1e-15);
        assert_eq!(verdict, Verdict::Retry(0.25));
    }

    #[test]
    fn a_value_that_is_not_finite_shortens_the_step_and_then_gives_up() {
        let broken = Along {
            value: f64::NAN,
            slope: f64::NAN,
        };
        assert_eq!(judge(START, broken, 1.0, 1, 1e-15), Verdict::Retry(0.1));
        assert_eq!(judge(START, broken, 1.0, MAX_TRIALS, 1e-15), Verdict::GiveUp);
    }

    #[test]
    fn slopes_decide_where_values_cannot() {
        let start = Along { value: 1.0, slope: -1e-20 };
        assert_eq!(
            judge(
                start,
                Along {
                    value: 1.0 + 1e-16,
                    slope: 1e-22
                },
                1.0,
                1,
                1e-15
            ),
            Verdict::Accept
        );
    }
}
