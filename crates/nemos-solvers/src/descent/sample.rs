//! Rows that a curvature is estimated from.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

// Rows per dimension of a sample that tells a curvature, and how dear it may be in gradients of the same column.
const ROWS_PER_DIMENSION: usize = 50;
const GRADIENTS_PER_SAMPLE: usize = 8;
const SEED: u64 = 1;
// Curvatures held in memory at a time: so many bytes of them, and a few at least. The products of features serve all of them.
const CURVATURE_BYTES: usize = 4 << 20;
const FEW_COLUMNS: usize = 8;

/// How many rows tell a curvature well enough; all of them where they are fewer than twice as many.
#[doc(hidden)]
pub fn sample_size(n_rows: usize, dimension: usize) -> usize {
    let dimension = dimension.max(1);
    (GRADIENTS_PER_SAMPLE * n_rows / dimension).max(ROWS_PER_DIMENSION * dimension)
}

/// How many curvatures of so many dimensions are held in memory at a time.
#[doc(hidden)]
pub fn curvatures_at_a_time(dimension: usize) -> usize {
    (CURVATURE_BYTES / (8 * dimension.max(1).pow(2))).max(FEW_COLUMNS)
}

/// Rows that tell a curvature well enough, or nothing for all of them: about as many as cost a few gradients of the same
/// column, and enough for every dimension. The same ones each time, so that a fit can be repeated.
pub(crate) fn sample(n_rows: usize, dimension: usize) -> Option<Vec<usize>> {
    let size = sample_size(n_rows, dimension);
    if 2 * size > n_rows {
        return None;
    }
    let rng = &mut ChaCha8Rng::seed_from_u64(SEED);
    let mut rows: Vec<usize> = (0..size).map(|_| rng.random_range(0..n_rows)).collect();
    // In order, for data that are read block by block.
    rows.sort_unstable();
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_taken_of_long_data_alone() {
        assert_eq!(sample(0, 10), None);
        assert_eq!(sample(5_000, 60), None);
        let rows = sample(1_000_000, 60).unwrap();
        assert_eq!(rows.len(), 8 * 1_000_000 / 60);
        assert!(rows.is_sorted() && rows[rows.len() - 1] < 1_000_000);
        assert_eq!(Some(rows), sample(1_000_000, 60));
    }
}
