//! How far a column is while a solver runs.

use crate::run::outcome::Status;

/// How far one column is.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Why it stopped, or nothing while it is on its way.
    pub status: Option<Status>,
    /// Steps taken.
    pub steps: usize,
    /// Evaluations of the objective, rejected steps and looks at the curvature included.
    pub evaluations: usize,
    /// Objective at the current point.
    pub value: f64,
    /// Norm of its gradient.
    pub gradient_norm: f64,
    /// Estimated distance of the objective to its minimum: half the square of the Newton decrement,
    /// `½ gradientᵀ H⁻¹ gradient`.
    pub decrement: f64,
    /// Directions that the features which may move span, over all predictors of the column.
    pub rank: usize,
    /// Curvature along the latest steps `s` as a share of the expected one, `(s · change of gradient) / (sᵀ H s)`. Where it
    /// vanishes, the objective may have no minimum.
    pub curvature_share: f64,
}

impl Default for Progress {
    /// Nothing is known yet.
    fn default() -> Self {
        Progress {
            status: None,
            steps: 0,
            evaluations: 0,
            value: f64::NAN,
            gradient_norm: f64::NAN,
            decrement: f64::NAN,
            rank: 0,
            curvature_share: f64::INFINITY,
        }
    }
}

// Nats that the default tolerance leaves are a ten-millionth of these.
const MANY_NATS: f64 = 1e7;

/// What the distance to the minimum is measured against: the objective, or its fall since the start, but no more than so many
/// nats: neither the constants of a likelihood nor a bad start make a fit better. An objective that has risen is no
/// excuse to stop.
pub(crate) fn relative_scale(value: f64, start_value: f64, nats: f64) -> f64 {
    let scale = value.min(start_value).abs().max(start_value - value);
    if nats > 0.0 { scale.min(MANY_NATS / nats) } else { scale }
}
