//! The most rows of a recording whose times rise.

/// The places of the most times that rise, or stay: the fewest are left out.
///
/// Patience sorting: of all rising sequences of each length, the one that begins latest is kept (Fredman 1975, *Discrete
/// Mathematics* 11(1)).
pub(crate) fn longest_rising(times: &[f64]) -> Vec<usize> {
    const NONE: usize = usize::MAX;
    let mut ends: Vec<usize> = Vec::new();
    let mut after = vec![NONE; times.len()];
    // From the end: of a time and one that runs back behind it, the first is kept.
    for (place, &time) in times.iter().enumerate().rev() {
        let length = ends.partition_point(|&end| times[end] >= time);
        after[place] = length.checked_sub(1).map_or(NONE, |shorter| ends[shorter]);
        match ends.get_mut(length) {
            Some(end) => *end = place,
            None => ends.push(place),
        }
    }
    let mut rising = Vec::with_capacity(ends.len());
    let mut place = ends.last().copied().unwrap_or(NONE);
    while place != NONE {
        rising.push(place);
        place = after[place];
    }
    rising
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_times_are_left_out() {
        assert_eq!(longest_rising(&[]), [0_usize; 0]);
        assert_eq!(longest_rising(&[0.0, 1.0, 1.0, 2.0]), [0, 1, 2, 3]);
        // One step back costs one sample, and so does one far ahead.
        assert_eq!(longest_rising(&[0.0, 1.0, 2.0, 1.5, 3.0]), [0, 1, 2, 4]);
        assert_eq!(longest_rising(&[0.0, 1.0, 1000.0, 2.0, 3.0]), [0, 1, 3, 4]);
        // A clock that starts again: the longer run stays.
        let times: Vec<f64> = (0..60).chain(0..40).map(f64::from).collect();
        let rising = longest_rising(&times);
        assert!(rising.len() == 60 && rising.windows(2).all(|pair| times[pair[0]] <= times[pair[1]]));
    }
}
