//! What is rounding, and what is a difference.

/// What counts as rounding near this time: a sample this little before an edge lies on it. Recorded times are precise to a
/// nanosecond, and seconds since 1970 to less.
pub(crate) fn rounding(time: f64) -> f64 {
    (2.0 * f64::EPSILON * time.abs()).max(0.5e-9)
}
