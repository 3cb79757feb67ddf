//! Comparing times: the one tolerance that everything uses.

/// How far a time may be from where it should be, in seconds, and still count as there: half a nanosecond, or two units
/// in its last place where that is more, as for seconds since 1970.
///
/// Recorded times are precise to a nanosecond, and what is computed in two ways (`3 · 0.1` and `0.1 + 0.2`) differs by a unit
/// in the last place or two. Whatever compares times, compares them with this tolerance: edges of intervals, lengths,
/// bins, windows, lags, the axes of designs.
///
/// # Example
/// ```
/// use nemos_core::time_tolerance;
/// assert_eq!(time_tolerance(0.3), 0.5e-9);
/// assert!((3.0 * 0.1 - 0.3_f64).abs() < time_tolerance(0.3));
/// assert!(time_tolerance(1.7e9) > 5e-7);
/// ```
pub fn time_tolerance(time: f64) -> f64 {
    (2.0 * f64::EPSILON * time.abs()).max(0.5e-9)
}

/// The first row where two time axes are further apart than the [tolerance](time_tolerance) of both; none if they agree as
/// far as both go.
///
/// # Example
/// ```
/// use nemos_core::first_time_apart;
/// assert_eq!(first_time_apart(&[0.1, 0.2, 0.3], &[0.1, 0.1 + 0.1, 0.1 + 0.2]), None);
/// assert_eq!(first_time_apart(&[0.1, 0.2, 0.3], &[0.1, 0.25, 0.3]), Some(1));
/// ```
pub fn first_time_apart(left: &[f64], right: &[f64]) -> Option<usize> {
    // Written so that a NaN, which is never close, is apart.
    let is_same = |(&left, &right): (&f64, &f64)| (left - right).abs() <= time_tolerance(left) + time_tolerance(right);
    left.iter().zip(right).position(|pair| !is_same(pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_part_beyond_a_nanosecond_or_at_a_nan() {
        assert_eq!(first_time_apart(&[3600.0, 3601.0], &[3600.0 + 0.9e-9, 3601.0 + 3e-9]), Some(1));
        assert_eq!(first_time_apart(&[f64::NAN], &[0.0]), Some(0));
        assert_eq!(first_time_apart(&[], &[1.0]), None);
    }

    #[test]
    fn axes_of_seconds_since_1970_may_differ_by_what_doubles_resolve() {
        let start = 1.7e9;
        let multiplied: Vec<f64> = (0..1000).map(|k| start + f64::from(k) * 0.1).collect();
        let divided: Vec<f64> = (0..1000).map(|k| (start * 10.0 + f64::from(k)) / 10.0).collect();
        assert_eq!(first_time_apart(&multiplied, &divided), None);
        assert_eq!(first_time_apart(&[start], &[start + 1e-5]), Some(0));
    }
}
