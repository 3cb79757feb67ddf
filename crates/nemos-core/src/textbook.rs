//! Factorisations of small matrices without buffers, for processes that may have few [addresses](crate::addresses): slower than faer's for
//! large ones, and as right.

use ndarray::{Array2, ArrayView2};

/// The lower triangle `L` of `L Lᵀ`, zeros above; nothing where a pivot is not positive. Only the lower triangle is read.
pub(crate) fn cholesky(matrix: ArrayView2<'_, f64>) -> Option<Array2<f64>> {
    let mut lower = Array2::<f64>::zeros(matrix.dim());
    for row in 0..matrix.nrows() {
        for column in 0..=row {
            let known: f64 = (0..column).map(|before| lower[(row, before)] * lower[(column, before)]).sum();
            let rest = matrix[(row, column)] - known;
            lower[(row, column)] = if row > column {
                rest / lower[(column, column)]
            } else if rest > 0.0 {
                rest.sqrt()
            } else {
                return None;
            };
        }
    }
    Some(lower)
}

/// Solves `L Lᵀ x = right`.
pub(crate) fn solve(lower: &Array2<f64>, right: &[f64]) -> Vec<f64> {
    let mut x = right.to_vec();
    for row in 0..x.len() {
        let known: f64 = (0..row).map(|before| lower[(row, before)] * x[before]).sum();
        x[row] = (x[row] - known) / lower[(row, row)];
    }
    for row in (0..x.len()).rev() {
        let known: f64 = (row + 1..x.len()).map(|after| lower[(after, row)] * x[after]).sum();
        x[row] = (x[row] - known) / lower[(row, row)];
    }
    x
}

// Enough for any matrix: each sweep squares what is left.
const SWEEPS: usize = 60;

/// Eigenvalues, rising, and eigenvectors in columns, by Jacobi's rotations; nothing where they do not end. Only the lower triangle is read.
///
/// # References
/// Golub & Van Loan (2013), *Matrix Computations*, section 8.5. Demmel & Veselić (1992), "Jacobi's method is more accurate than QR".
pub(crate) fn eigen(matrix: ArrayView2<'_, f64>) -> Option<(Vec<f64>, Array2<f64>)> {
    let n = matrix.nrows();
    let mut a = Array2::from_shape_fn((n, n), |(row, column)| matrix[(row.max(column), row.min(column))]);
    let largest = a.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    // Eigenvectors in rows, so that a rotation turns two of these.
    let mut vectors = Array2::<f64>::eye(n);
    for _ in 0..SWEEPS {
        let mut is_diagonal = true;
        for p in 0..n {
            for q in p + 1..n {
                let beside = a[(p, q)];
                let small = 0.5 * (a[(p, p)].abs() * a[(q, q)].abs()).sqrt();
                if beside.abs() <= f64::EPSILON * small.max(1e-2 * largest) {
                    continue;
                }
                is_diagonal = false;
                // The smaller of the two angles that make the pair diagonal.
                let half = 0.5 * (a[(q, q)] - a[(p, p)]) / beside;
                let tangent = half.signum() / (half.abs() + half.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                let sine = tangent * cosine;
                rotate_rows(&mut a, (p, q), (cosine, sine));
                for row in 0..n {
                    let (left, right) = (a[(row, p)], a[(row, q)]);
                    a[(row, p)] = cosine * left - sine * right;
                    a[(row, q)] = sine * left + cosine * right;
                }
                rotate_rows(&mut vectors, (p, q), (cosine, sine));
            }
        }
        if is_diagonal {
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by(|i, j| a[(*i, *i)].total_cmp(&a[(*j, *j)]));
            let values = order.iter().map(|&place| a[(place, place)]).collect();
            return Some((values, Array2::from_shape_fn((n, n), |(row, column)| vectors[(order[column], row)])));
        }
    }
    None
}

fn rotate_rows(matrix: &mut Array2<f64>, (p, q): (usize, usize), (cosine, sine): (f64, f64)) {
    let (mut first, mut second) = matrix.multi_slice_mut((ndarray::s![p, ..], ndarray::s![q, ..]));
    first.iter_mut().zip(&mut second).for_each(|(first, second)| {
        (*first, *second) = (cosine * *first - sine * *second, sine * *first + cosine * *second);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SymmetricEigen;

    fn matrix(n: usize) -> Array2<f64> {
        let rows = Array2::from_shape_fn((n + 5, n), |(row, column)| {
            ((row * 37 + column * 11) % 23) as f64 - 11.0 + f64::from(u8::from(row == column))
        });
        rows.t().dot(&rows)
    }

    #[test]
    fn what_is_found_is_what_faer_finds() {
        for n in [1, 2, 3, 20] {
            let matrix = matrix(n);
            let largest = matrix.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
            let (values, vectors) = eigen(matrix.view()).unwrap();
            let other = SymmetricEigen::new(matrix.view()).unwrap();
            assert!(
                values.iter().zip(&other.values).all(|(a, b)| (a - b).abs() < 1e-12 * largest),
                "{n}"
            );
            let rebuilt = (&vectors * &ndarray::Array1::from(values)).dot(&vectors.t());
            assert!((&rebuilt - &matrix).iter().all(|apart| apart.abs() < 1e-12 * largest), "{n}");
            let unit = vectors.t().dot(&vectors) - Array2::<f64>::eye(n);
            assert!(unit.iter().all(|apart| apart.abs() < 1e-13), "{n}");
        }
    }

    #[test]
    fn what_is_factorised_is_rebuilt_and_solved() {
        let matrix = matrix(12) + Array2::<f64>::eye(12);
        let lower = cholesky(matrix.view()).unwrap();
        let largest = matrix.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        assert!((&lower.dot(&lower.t()) - &matrix).iter().all(|apart| apart.abs() < 1e-13 * largest));
        let x: Vec<f64> = (0..12).map(f64::from).collect();
        let right = matrix.dot(&ndarray::Array1::from(x.clone())).to_vec();
        assert!(solve(&lower, &right).iter().zip(&x).all(|(found, x)| (found - x).abs() < 1e-8));
        assert!(cholesky(ndarray::array![[1.0, 2.0], [2.0, 1.0]].view()).is_none());
        assert!(cholesky(ndarray::array![[f64::NAN]].view()).is_none());
        // Columns that are the same.
        let (values, _) = eigen(Array2::from_elem((9, 9), 1e3).view()).unwrap();
        assert!(values[..8].iter().all(|value| value.abs() < 1e-10) && (values[8] - 9e3).abs() < 1e-10);
        assert_eq!(eigen(ndarray::array![[2.0, 0.0], [0.0, 0.0]].view()).unwrap().0, [0.0, 2.0]);
    }
}
