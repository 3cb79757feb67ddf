//! Whether rows leave a direction of recession open, from the features alone.
//!
//! Rows that are pinned leave the null space of their features. In there, let `bᵢ` be the features of every other row, signed so
//! that its predictor may fall along them. With the least squares
//!
//! ```text
//! r = Σᵢ (1 + λᵢ) bᵢ,   λ ≥ 0 such that ‖r‖ is least
//! ```
//!
//! either `r = 0`, and the `1 + λᵢ` are multipliers by which there is no such direction, or `−r` is one: where `‖r‖` is least,
//! `bᵢ · r ≥ 0` for every row, and `Σᵢ bᵢ · r = ‖r‖² > 0`. So each answer brings its own proof.
//!
//! # References
//! Lawson & Hanson (1974), *Solving Least Squares Problems*, chapter 23, whose algorithm of active sets this is.

use ndarray::{Array1, Array2, ArrayView1};
use nemos_core::{LeastSquares, null_space};

/// What the features say of directions along which no row's loss rises.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cone {
    /// There is one, along which some row's loss falls for ever.
    Open,
    /// There is none.
    Closed,
    /// Rows that differ by less than rounding would decide.
    Unclear,
}

// What is left of a row in the null space of others that is only rounding, as a share of the row.
const NOTHING: f64 = 1e-9;
// What rows may move along directions that they do not see.
const ROUNDED: f64 = 1e-13;
// As much of a unit vector that counts as no part of it.
const LEVEL: f64 = 1e-9;
// As much beside the multipliers that a sum which vanishes may have left.
const BALANCED: f64 = 1e-13;
const ROUNDS_PER_DIMENSION: usize = 10;

/// `pinned`: `[n, width]`, features that may not move; `free`: `[m, width]`, features along which a predictor may fall.
pub(crate) fn cone(pinned: &Array2<f64>, free: &Array2<f64>) -> Cone {
    let Some(space) = null_space(pinned.view(), NOTHING) else {
        return Cone::Unclear;
    };
    if space.ncols() == 0 {
        return Cone::Closed;
    }
    let largest = |matrix: &Array2<f64>| matrix.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    if largest(&pinned.dot(&space)) > ROUNDED * largest(pinned) {
        return Cone::Unclear;
    }
    let inside = free.dot(&space);
    let mut rows: Vec<Array1<f64>> = Vec::with_capacity(inside.nrows());
    for (row, whole) in inside.rows().into_iter().zip(free.rows()) {
        let (length, before) = (norm(row), norm(whole));
        if length > NOTHING * before {
            rows.push(&row / length);
        }
    }
    open_or_closed(&rows, space.ncols())
}

/// Of unit vectors: whether some direction goes against some of them and along none.
fn open_or_closed(rows: &[Array1<f64>], width: usize) -> Cone {
    let mut multipliers = vec![0.0; rows.len()];
    let mut active: Vec<usize> = Vec::new();
    let sum = |multipliers: &[f64]| {
        let mut sum = Array1::<f64>::zeros(width);
        for (row, multiplier) in rows.iter().zip(multipliers) {
            sum.scaled_add(1.0 + multiplier, row);
        }
        sum
    };
    for _ in 0..ROUNDS_PER_DIMENSION * width + 10 {
        let rest = sum(&multipliers);
        let length = norm(rest.view());
        let weight: f64 = multipliers.iter().map(|multiplier| 1.0 + multiplier).sum();
        if length <= BALANCED * weight {
            return Cone::Closed;
        }
        // The row that goes most against what is left.
        let against = |row: usize| rows[row].dot(&rest) / length;
        let steepest = (0..rows.len()).filter(|row| !active.contains(row)).map(|row| (against(row), row));
        let steepest = steepest.min_by(|a, b| a.0.total_cmp(&b.0));
        match steepest {
            Some((slope, row)) if slope < -LEVEL => active.push(row),
            _ => {
                // Rows that count are level with the rest; none goes against it.
                let level = active.iter().all(|&row| against(row) >= -LEVEL);
                return if level && length > LEVEL { Cone::Open } else { Cone::Unclear };
            }
        }
        if !settle(rows, &mut active, &mut multipliers) {
            return Cone::Unclear;
        }
    }
    Cone::Unclear
}

/// The least squares over the active multipliers; those that would fall below zero leave. Whether it could be solved.
fn settle(rows: &[Array1<f64>], active: &mut Vec<usize>, multipliers: &mut [f64]) -> bool {
    let Some(width) = rows.first().map(Array1::len) else { return false };
    let target = rows.iter().fold(Array1::<f64>::zeros(width), |sum, row| sum - row);
    while !active.is_empty() {
        let matrix = Array2::from_shape_fn((width, active.len()), |(place, column)| rows[active[column]][place]);
        let Some(solved) = LeastSquares::new(matrix.view(), &target.to_vec(), BALANCED) else {
            return false;
        };
        if solved.solution.iter().all(|value| *value > 0.0) {
            for (&row, value) in active.iter().zip(&solved.solution) {
                multipliers[row] = *value;
            }
            return true;
        }
        // As far towards the solution as all stay above zero.
        let share = active.iter().zip(&solved.solution).filter(|(_, value)| **value <= 0.0);
        let share = share.map(|(&row, value)| multipliers[row] / (multipliers[row] - value).max(f64::MIN_POSITIVE));
        let share = share.fold(1.0, f64::min);
        for (&row, value) in active.iter().zip(&solved.solution) {
            let moved = multipliers[row] + share * (value - multipliers[row]);
            multipliers[row] = if *value <= 0.0 && moved <= 1e-15 * multipliers[row].max(1.0) {
                0.0
            } else {
                moved
            };
        }
        active.retain(|&row| multipliers[row] > 0.0);
    }
    true
}

fn norm(vector: ArrayView1<'_, f64>) -> f64 {
    vector.dot(&vector).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn points_on_both_sides_close_the_cone() {
        // A choice of one side at x = -1 and 2, of the other at x = 0 and 1: no threshold separates them.
        let free = array![[1.0, -1.0], [1.0, 2.0], [-1.0, -0.0], [-1.0, -1.0]];
        assert_eq!(cone(&Array2::zeros((0, 2)), &free), Cone::Closed);
    }

    #[test]
    fn a_threshold_between_all_points_opens_it() {
        let free = array![[1.0, -1.0], [1.0, -2.0], [-1.0, -0.5], [-1.0, -1.0]];
        assert_eq!(cone(&Array2::zeros((0, 2)), &free), Cone::Open);
        // One point on the threshold changes nothing, and none does where what is pinned spans all.
        let touching = array![[1.0, 0.0], [1.0, -2.0], [-1.0, 0.0], [-1.0, -1.0]];
        assert_eq!(cone(&Array2::zeros((0, 2)), &touching), Cone::Open);
        assert_eq!(cone(&Array2::eye(2), &touching), Cone::Closed);
    }

    #[test]
    fn a_feature_of_silent_rows_alone_opens_it() {
        let pinned = array![[1.0, 0.0], [1.0, 0.0]];
        assert_eq!(cone(&pinned, &array![[1.0, 1.0], [1.0, 3.0]]), Cone::Open);
        assert_eq!(cone(&pinned, &array![[1.0, 1.0], [1.0, -3.0]]), Cone::Closed);
    }

    #[test]
    fn random_rows_agree_with_how_they_were_made() {
        use rand::{RngExt, SeedableRng};
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        for round in 0..300 {
            let (rows, width) = (8 + round % 40, 2 + round % 6);
            let way = Array1::from_shape_fn(width, |_| rng.random_range(-1.0..1.0));
            let mut free = Array2::from_shape_fn((rows, width), |_| rng.random_range(-1.0..1.0));
            for mut row in free.rows_mut() {
                if row.dot(&way) > 0.0 {
                    row.mapv_inplace(|x| -x);
                }
            }
            let none = Array2::zeros((0, width));
            assert_eq!(cone(&none, &free), Cone::Open, "{round}");
            // With the negative of their sum as one more row the multipliers are all one.
            let balance = -free.sum_axis(ndarray::Axis(0));
            free.push_row(balance.view()).unwrap();
            assert_eq!(cone(&none, &free), Cone::Closed, "{round}");
        }
    }
}
