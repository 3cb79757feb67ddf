//! Rows of sorted times: finding them, and copying them with their values.

use std::ops::Range;

use nemos_core::HostFloat;
use rayon::prelude::*;

/// As `partition_point`, for an answer that is near the beginning: steps double until they pass it.
pub(crate) fn partition_near(times: &[f64], is_before: impl Fn(f64) -> bool) -> usize {
    let mut step = 1;
    while step < times.len() && is_before(times[step]) {
        step *= 2;
    }
    let from = step / 2;
    from + times[from..times.len().min(step + 1)].partition_point(|&time| is_before(time))
}

/// The stretches of rows for which something is true.
pub(crate) fn runs(rows: Range<usize>, is_in: impl Fn(usize) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut row = rows.start;
    std::iter::from_fn(move || {
        let first = (row..rows.end).find(|&row| is_in(row))?;
        row = (first..rows.end).find(|&row| !is_in(row)).unwrap_or(rows.end);
        Some(first..row)
    })
}

/// Bytes that one thread copies at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// The rows of these ranges, one after the other, from values with `width` in a row.
pub(crate) fn gather<E: HostFloat>(values: &[E], rows: &[Range<usize>], width: usize) -> Vec<E> {
    let mut gathered = nemos_core::zeros(rows.iter().map(|rows| rows.len() * width).sum());
    let mut chunks = Vec::new();
    let (mut rest, mut from) = (gathered.as_mut_slice(), 0);
    while from < rows.len() {
        // As many ranges as fill a chunk; a long range is one of its own.
        let (mut until, mut len) = (from, 0);
        while until < rows.len() && len * size_of::<E>() < CHUNK_BYTES {
            len += rows[until].len() * width;
            until += 1;
        }
        let (own, others) = rest.split_at_mut(len);
        chunks.push((&rows[from..until], own));
        (rest, from) = (others, until);
    }
    chunks.into_par_iter().for_each(|(rows, mut out)| {
        for rows in rows {
            let (own, others) = out.split_at_mut(rows.len() * width);
            own.copy_from_slice(&values[rows.start * width..rows.end * width]);
            out = others;
        }
    });
    gathered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubling_steps_find_what_bisection_finds() {
        let times: Vec<f64> = (0..50).map(|step| f64::from(step / 2)).collect();
        for n in 0..times.len() {
            for limit in -1..27 {
                let before = |time: f64| time < f64::from(limit);
                assert_eq!(
                    partition_near(&times[..n], before),
                    times[..n].partition_point(|&time| before(time))
                );
            }
        }
    }
}
