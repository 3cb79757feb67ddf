//! Comparing time axes.

/// Times that differ by no more than this, in seconds, are the same: recorded times are precise to a nanosecond.
const SAME_TIME: f64 = 1e-9;

/// The first row where two time axes are more than a nanosecond apart; none if they agree as far as both go.
///
/// # Example
/// ```
/// use nemos_core::first_time_apart;
/// assert_eq!(first_time_apart(&[0.1, 0.2, 0.3], &[0.1, 0.1 + 0.1, 0.1 + 0.2]), None);
/// assert_eq!(first_time_apart(&[0.1, 0.2, 0.3], &[0.1, 0.25, 0.3]), Some(1));
/// ```
pub fn first_time_apart(left: &[f64], right: &[f64]) -> Option<usize> {
    // Written so that a NaN, which is never close, is apart.
    let is_same = |(left, right): (&f64, &f64)| (left - right).abs() <= SAME_TIME;
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
}
