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
//! `bᵢ · r ≥ 0` for every row, and `Σᵢ bᵢ · r = ‖r‖² > 0`. So each answer brings its own proof, to as many digits
//! as are used: what goes against a direction by less than rounding counts as level. Rows of doubles differ by as little as their last
//! digit, so that twice the digits are used where that does not take too long.
//!
//! # References
//! Lawson & Hanson (1974), *Solving Least Squares Problems*, chapter 23, whose algorithm of active sets this is.

use ndarray::ArrayView2;
use qd::Quad;

use crate::problem::class_rows::ClassRows;
use crate::proof::digits::{Digits, add_scaled, dot, is_something, least_squares, norm, null_space, unit};

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

/// Which way the predictor of a row may go for ever.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Pinned,
    Down,
    Up,
}

const ROUNDS_PER_DIMENSION: usize = 10;
// Products that may be taken with twice the digits, some tenths of a second: rows times features squared, and least squares over as many
// rows as features, one more at a time.
const ROOM: f64 = 1e7;

fn fits_twice_the_digits(n_rows: usize, width: usize) -> bool {
    let (n_rows, width) = (n_rows as f64, width as f64);
    n_rows * width.powi(2) + n_rows.min(width).powi(3) * width <= ROOM
}

/// `features`: `[n_rows, n]`, those that may move; an intercept may move as well. `ways`: `[n_rows]`.
pub(crate) fn cone(features: ArrayView2<'_, f64>, ways: &[Way]) -> Cone {
    let found = if fits_twice_the_digits(features.nrows(), features.ncols() + 1) {
        with_digits::<Quad>(features, ways)
    } else {
        with_digits::<f64>(features, ways)
    };
    found.unwrap_or(Cone::Unclear)
}

/// The same of classes: each row allows the predictors of other classes to fall beside that of its own.
pub(crate) fn cone_of_classes(rows: &ClassRows) -> Cone {
    let found = if fits_twice_the_digits(rows.n_comparisons(), rows.n_free()) {
        of_classes::<Quad>(rows)
    } else {
        of_classes::<f64>(rows)
    };
    found.unwrap_or(Cone::Unclear)
}

fn of_classes<D: Digits>(rows: &ClassRows) -> Option<Cone> {
    let n_features = rows.features.ncols();
    let is_free = |class: usize, place: usize| place == n_features || rows.free[class * n_features + place];
    let places: Vec<(usize, usize)> = (0..rows.n_classes)
        .flat_map(|class| (0..=n_features).map(move |place| (class, place)))
        .filter(|&(class, place)| is_free(class, place))
        .collect();
    let mut free = Vec::with_capacity(rows.n_comparisons());
    for (row, &label) in unit_rows::<D>(rows.features.view())?.iter().zip(&rows.labels) {
        for other in (0..rows.n_classes).filter(|&class| class != label) {
            let signed = places.iter().map(|&(class, place)| match class {
                _ if class == other => row[place],
                _ if class == label => -row[place],
                _ => D::new(0.0),
            });
            free.extend(unit(&signed.collect::<Vec<D>>()));
        }
    }
    open_or_closed(&free, places.len())
}

/// The same in numbers of one kind; nothing where their rounding would decide.
fn with_digits<D: Digits>(features: ArrayView2<'_, f64>, ways: &[Way]) -> Option<Cone> {
    let (mut pinned, mut free) = (Vec::new(), Vec::new());
    for (row, way) in unit_rows::<D>(features)?.into_iter().zip(ways) {
        match way {
            Way::Pinned => pinned.push(row),
            Way::Down => free.push(row),
            Way::Up => free.push(row.into_iter().map(|x| -x).collect()),
        }
    }
    of_rows(&pinned, &free, features.ncols() + 1)
}

/// Of rows of length one, the free ones signed so that each may fall.
fn of_rows<D: Digits>(pinned: &[Vec<D>], free: &[Vec<D>], width: usize) -> Option<Cone> {
    let space = null_space(pinned, width)?;
    if space.is_empty() {
        return Some(Cone::Closed);
    }
    let mut inside = Vec::new();
    for row in free {
        let parts: Vec<D> = space.iter().map(|direction| dot(direction, row)).collect();
        if is_something::<D>(norm(&parts).rounded())? {
            inside.extend(unit(&parts));
        }
    }
    open_or_closed(&inside, space.len())
}

/// `[n_rows][n + 1]`: each row less the first one, in units that are powers of two, so that no digit is lost; then a one for the intercept;
/// all scaled to length one.
fn unit_rows<D: Digits>(features: ArrayView2<'_, f64>) -> Option<Vec<Vec<D>>> {
    let about = features.rows().into_iter().next()?;
    let scale: Vec<f64> = features
        .columns()
        .into_iter()
        .zip(about)
        .map(|(column, about)| {
            let size = column.iter().fold(0.0, |size: f64, x| size.max((x - about).abs()));
            if size > 0.0 {
                (-size.log2().ceil()).clamp(-1000.0, 1000.0).exp2()
            } else {
                0.0
            }
        })
        .collect();
    let unit_row = |row: ndarray::ArrayView1<'_, f64>| {
        let places = row.into_iter().zip(about).zip(&scale);
        let differences = places.map(|((x, about), scale)| (D::new(*x) - D::new(*about)) * D::new(*scale));
        unit(&differences.chain([D::new(1.0)]).collect::<Vec<D>>())
    };
    features.rows().into_iter().map(unit_row).collect()
}

/// Of unit vectors: whether some direction goes against some of them and along none.
fn open_or_closed<D: Digits>(rows: &[Vec<D>], width: usize) -> Option<Cone> {
    let mut multipliers = vec![D::new(0.0); rows.len()];
    let mut active: Vec<usize> = Vec::new();
    for _ in 0..ROUNDS_PER_DIMENSION * width + 10 {
        let mut rest = vec![D::new(0.0); width];
        let mut weight = 0.0;
        for (row, multiplier) in rows.iter().zip(&multipliers) {
            let factor = D::new(1.0) + *multiplier;
            add_scaled(&mut rest, factor, row);
            weight += factor.rounded();
        }
        let length = norm(&rest).rounded();
        if length <= D::NOTHING * weight {
            return balances(rows, &active, &multipliers, &rest).then_some(Cone::Closed);
        }
        // The row that goes most against what is left.
        let against = |row: usize| dot(&rows[row], &rest).rounded() / length;
        let steepest = (0..rows.len()).filter(|row| !active.contains(row)).map(|row| (against(row), row));
        let steepest = steepest.min_by(|a, b| a.0.total_cmp(&b.0));
        match steepest {
            Some((slope, row)) if is_something::<D>(-slope)? => active.push(row),
            _ => {
                // Rows that count are level with the rest; none goes against it.
                let level = active.iter().all(|&row| against(row) >= -D::NOTHING);
                return (level && length > D::SOMETHING).then_some(Cone::Open);
            }
        }
        settle(rows, &mut active, &mut multipliers)?;
    }
    None
}

/// Whether multipliers may change so that the rest of their sum, which is rounding, vanishes: the active ones by less than they are.
fn balances<D: Digits>(rows: &[Vec<D>], active: &[usize], multipliers: &[D], rest: &[D]) -> bool {
    let columns: Vec<&[D]> = active.iter().map(|&row| rows[row].as_slice()).collect();
    let Some(changes) = least_squares(&columns, rest) else {
        return false;
    };
    let mut left = rest.to_vec();
    for (column, change) in columns.iter().zip(&changes) {
        add_scaled(&mut left, -*change, column);
    }
    let mut changes = active.iter().zip(&changes);
    let are_small = changes.all(|(&row, change)| change.rounded().abs() <= 0.5 * (1.0 + multipliers[row].rounded()));
    are_small && norm(&left).rounded() <= D::NOTHING * rows.len() as f64
}

/// The least squares over the active multipliers; those that would fall below zero leave.
fn settle<D: Digits>(rows: &[Vec<D>], active: &mut Vec<usize>, multipliers: &mut [D]) -> Option<()> {
    let mut target = vec![D::new(0.0); rows.first()?.len()];
    rows.iter().for_each(|row| add_scaled(&mut target, -D::new(1.0), row));
    while !active.is_empty() {
        let columns: Vec<&[D]> = active.iter().map(|&row| rows[row].as_slice()).collect();
        let solution = least_squares(&columns, &target)?;
        if solution.iter().all(|value| value.rounded() > 0.0) {
            active.iter().zip(solution).for_each(|(&row, value)| multipliers[row] = value);
            return Some(());
        }
        // As far towards the solution as all stay above zero; the first to get there leaves.
        let share = |row: usize, value: D| match multipliers[row] {
            multiplier if multiplier.rounded() > 0.0 => multiplier / (multiplier - value),
            _ => D::new(0.0),
        };
        let falling = active.iter().zip(&solution).filter(|(_, value)| value.rounded() <= 0.0);
        let first = falling.map(|(&row, value)| (row, share(row, *value)));
        let (leaving, share) = first.min_by(|a, b| a.1.rounded().total_cmp(&b.1.rounded()))?;
        for (&row, value) in active.iter().zip(&solution) {
            multipliers[row] = multipliers[row] + share * (*value - multipliers[row]);
        }
        multipliers[leaving] = D::new(0.0);
        active.retain(|&row| multipliers[row].rounded() > 0.0);
        multipliers
            .iter_mut()
            .filter(|value| value.rounded() < 0.0)
            .for_each(|value| *value = D::new(0.0));
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, Array2, array};

    /// In both precisions.
    fn cone_of(pinned: &Array2<f64>, free: &Array2<f64>) -> Cone {
        fn with<D: Digits>(pinned: &Array2<f64>, free: &Array2<f64>) -> Option<Cone> {
            let units = |matrix: &Array2<f64>| -> Vec<Vec<D>> {
                let rows = matrix
                    .rows()
                    .into_iter()
                    .map(|row| row.iter().map(|x| D::new(*x)).collect::<Vec<D>>());
                rows.map(|row| unit(&row).unwrap()).collect()
            };
            of_rows(&units(pinned), &units(free), free.ncols())
        }
        let (doubles, quads) = (with::<f64>(pinned, free), with::<Quad>(pinned, free));
        assert_eq!(doubles, quads);
        quads.unwrap()
    }

    #[test]
    fn points_on_both_sides_close_the_cone() {
        // A choice of one side at x = -1 and 2, of the other at x = 0 and 1: no threshold separates them.
        let free = array![[1.0, -1.0], [1.0, 2.0], [-1.0, -0.0], [-1.0, -1.0]];
        assert_eq!(cone_of(&Array2::zeros((0, 2)), &free), Cone::Closed);
    }

    #[test]
    fn a_threshold_between_all_points_opens_it() {
        let free = array![[1.0, -1.0], [1.0, -2.0], [-1.0, -0.5], [-1.0, -1.0]];
        assert_eq!(cone_of(&Array2::zeros((0, 2)), &free), Cone::Open);
        // One point on the threshold changes nothing, and none does where what is pinned spans all.
        let touching = array![[1.0, 0.0], [1.0, -2.0], [-1.0, 0.0], [-1.0, -1.0]];
        assert_eq!(cone_of(&Array2::zeros((0, 2)), &touching), Cone::Open);
        assert_eq!(cone_of(&Array2::eye(2), &touching), Cone::Closed);
    }

    #[test]
    fn a_feature_of_silent_rows_alone_opens_it() {
        let pinned = array![[1.0, 0.0], [1.0, 0.0]];
        assert_eq!(cone_of(&pinned, &array![[1.0, 1.0], [1.0, 3.0]]), Cone::Open);
        assert_eq!(cone_of(&pinned, &array![[1.0, 1.0], [1.0, -3.0]]), Cone::Closed);
    }

    #[test]
    fn classes_that_overlap_by_a_last_digit_close_it() {
        let ways = [Way::Down, Way::Down, Way::Up, Way::Up];
        for share in [1e-3, 1e-8, 1e-12, f64::EPSILON] {
            let apart = array![[-1.0], [0.5 - share], [0.5], [1.0]];
            let overlapping = array![[-1.0], [0.5 + share], [0.5], [1.0]];
            assert_eq!(cone(apart.view(), &ways), Cone::Open, "{share}");
            assert_eq!(cone(overlapping.view(), &ways), Cone::Closed, "{share}");
            // Also beside one huge cell, far from all others.
            let huge = |matrix: &Array2<f64>| {
                let mut wide = ndarray::concatenate![ndarray::Axis(1), *matrix, array![[0.0], [1.0], [-1.0], [0.5]]];
                wide[(0, 1)] = 1e8;
                wide
            };
            assert_eq!(cone(huge(&apart).view(), &ways), Cone::Open, "{share}");
        }
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
            assert_eq!(cone_of(&none, &free), Cone::Open, "{round}");
            // With the negative of their sum as one more row the multipliers are all one.
            let balance = -free.sum_axis(ndarray::Axis(0));
            free.push_row(balance.view()).unwrap();
            assert_eq!(cone_of(&none, &free), Cone::Closed, "{round}");
        }
    }
}
