//! Tolerances with names and reasons.

/// How far a result may be from what is expected.
///
/// A value passes when it differs by no more than `relative · |expected| + of_largest · max|expected| + absolute`. NaN
/// equals NaN alone, and an infinity equals itself alone.
///
/// | name | allows | because |
/// |---|---|---|
/// | [`FORMULA`](Tolerance::FORMULA) | 1e-8 relative + 1e-10 | a formula without iteration, on both sides in f64 |
/// | [`CLOSED_FORM`](Tolerance::CLOSED_FORM) | 1e-9 relative + 1e-12 | sums and counts: only their order differs |
/// | [`SAVED`](Tolerance::SAVED) | 1e-10 relative + 1e-12 | the same coefficients, one matrix product apart |
/// | [`SMOOTH_FIT`](Tolerance::SMOOTH_FIT) | 1e-6 of the largest | both fits stop at a decrement far below; conditions up to 1e3 amplify it |
/// | [`LASSO_FIT`](Tolerance::LASSO_FIT) | 1e-5 of the largest | the reference's proximal steps stop at 1e-14 per step, not in total |
/// | [`SCORE`](Tolerance::SCORE) | 1e-6 relative + 1e-12 | scores are flat at a fit: they inherit its square; near zero they are the rounding of two sums |
/// | [`LOG_PROBABILITY`](Tolerance::LOG_PROBABILITY) | 1e-5 | of the ridge classifier, whose classes share one flat direction |
/// | [`RECORDING_FIT`](Tolerance::RECORDING_FIT) | 1e-5 of the largest | designs of powers of a position are conditioned like 1e8 |
/// | [`HIDDEN_STATES`](Tolerance::HIDDEN_STATES) | 1e-9 relative + 1e-10 | recursions over up to sixty rows, on both sides in f64 |
/// | [`HIDDEN_FIT`](Tolerance::HIDDEN_FIT) | 2e-5 of the largest | EM is linear: parameters are known to the root of what the objective is |
/// | [`P_VALUE`](Tolerance::P_VALUE) | 1e-6 | tails of statistics that are themselves known to 1e-6 |
/// | [`PROFILE`](Tolerance::PROFILE) | 1e-5 of the largest | an end is where a deviance crosses a line, which both sides search for |
/// | [`SIMULATED`](Tolerance::SIMULATED) | 1 % | quantiles of 10,000 draws |
/// | [`SINGLE`](Tolerance::SINGLE) | 1e-3 of the largest | a fit in f32: seven digits, of which a solve keeps about half |
/// | [`SINGLE_SCORE`](Tolerance::SINGLE_SCORE) | 1e-3 relative + 1e-5 | scores in f32: a pseudo-R² is a difference of two sums |
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    relative: f64,
    of_largest: f64,
    absolute: f64,
}

impl Tolerance {
    /// A formula without iteration.
    pub const FORMULA: Tolerance = Tolerance::new(1e-8, 0.0, 1e-10);
    /// Sums and counts.
    pub const CLOSED_FORM: Tolerance = Tolerance::new(1e-9, 0.0, 1e-12);
    /// What a saved model gives.
    pub const SAVED: Tolerance = Tolerance::new(1e-10, 0.0, 1e-12);
    /// Coefficients and rates of a fit without penalty or with a ridge.
    pub const SMOOTH_FIT: Tolerance = Tolerance::new(0.0, 1e-6, 0.0);
    /// Coefficients and rates of a fit with a lasso, elastic net or group lasso.
    pub const LASSO_FIT: Tolerance = Tolerance::new(0.0, 1e-5, 0.0);
    /// Scores and scales.
    pub const SCORE: Tolerance = Tolerance::new(1e-6, 0.0, 1e-12);
    /// Log-probabilities of a classifier.
    pub const LOG_PROBABILITY: Tolerance = Tolerance::new(0.0, 0.0, 1e-5);
    /// Fits of the recordings.
    pub const RECORDING_FIT: Tolerance = Tolerance::new(0.0, 1e-5, 0.0);
    /// Laws of hidden states and log-likelihoods at given parameters.
    pub const HIDDEN_STATES: Tolerance = Tolerance::new(1e-9, 0.0, 1e-10);
    /// Parameters of a hidden Markov model at the end of EM.
    pub const HIDDEN_FIT: Tolerance = Tolerance::new(0.0, 2e-5, 0.0);
    /// P-values.
    pub const P_VALUE: Tolerance = Tolerance::new(0.0, 0.0, 1e-6);
    /// Ends of profile intervals.
    pub const PROFILE: Tolerance = Tolerance::new(0.0, 1e-5, 0.0);
    /// Quantiles of draws.
    pub const SIMULATED: Tolerance = Tolerance::new(1e-2, 0.0, 0.0);
    /// Fits in single precision.
    pub const SINGLE: Tolerance = Tolerance::new(0.0, 1e-3, 0.0);

    /// Scores and scales of fits in single precision.
    pub const SINGLE_SCORE: Tolerance = Tolerance::new(1e-3, 0.0, 1e-5);

    const fn new(relative: f64, of_largest: f64, absolute: f64) -> Self {
        Tolerance {
            relative,
            of_largest,
            absolute,
        }
    }

    /// Compares values in order.
    ///
    /// # Errors
    /// A sentence that names `what`, and the value that is furthest off.
    pub fn check(&self, what: &str, got: &[f64], expected: &[f64]) -> Result<(), String> {
        if got.len() != expected.len() {
            return Err(format!("{what} has {} values, not {}", got.len(), expected.len()));
        }
        let largest = expected
            .iter()
            .filter(|value| value.is_finite())
            .fold(0.0, |a: f64, b| a.max(b.abs()));
        let excess = |got: f64, expected: f64| {
            if got == expected || (got.is_nan() && expected.is_nan()) {
                return 0.0;
            }
            if !(got.is_finite() && expected.is_finite()) {
                return f64::INFINITY;
            }
            (got - expected).abs() / (self.relative * expected.abs() + self.of_largest * largest + self.absolute)
        };
        let all = got.iter().zip(expected).enumerate();
        let worst = all
            .map(|(index, (&got, &expected))| (excess(got, expected), index, got, expected))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        match worst {
            Some((excess, index, got, expected)) if excess > 1.0 => Err(format!(
                "{what}[{index}] is {got:e}, not {expected:e}: {excess:.1} times the tolerance"
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_value_is_named() {
        let error = Tolerance::SCORE.check("score", &[1.0, 2.1, 3.01], &[1.0, 2.0, 3.0]).unwrap_err();
        assert!(error.starts_with("score[1] is 2.1e0, not 2e0"), "{error}");
        assert!(Tolerance::SCORE.check("score", &[1.0], &[1.0 + 9e-7]).is_ok());
    }

    #[test]
    fn what_is_not_finite_equals_only_itself() {
        let values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        assert!(Tolerance::SINGLE.check("x", &values, &values).is_ok());
        for (got, expected) in [
            (f64::NAN, 1.0),
            (1.0, f64::NAN),
            (f64::INFINITY, f64::NEG_INFINITY),
            (1e300, f64::INFINITY),
        ] {
            assert!(
                Tolerance::SINGLE.check("x", &[got], &[expected]).is_err(),
                "{got} is not {expected}"
            );
        }
    }

    #[test]
    fn the_largest_sets_the_scale_for_all() {
        assert!(Tolerance::SMOOTH_FIT.check("coef", &[9e-5, 100.0], &[0.0, 100.0]).is_ok());
        assert!(Tolerance::SMOOTH_FIT.check("coef", &[2e-4, 100.0], &[0.0, 100.0]).is_err());
        assert!(Tolerance::SMOOTH_FIT.check("coef", &[], &[1.0]).is_err());
    }
}
