//! Small dense linear algebra on the host, in double precision. Everything that names `faer`'s factorisations is here.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::householder::{
    apply_block_householder_sequence_transpose_on_the_left_in_place_scratch as transpose_on_the_left_scratch,
    apply_block_householder_sequence_transpose_on_the_left_in_place_with_conj as apply_transpose_on_the_left,
};
use faer::linalg::solvers::Solve;
use faer::{Conj, Mat, Par, Side};
use ndarray::{Array2, ArrayView2};

use crate::Error;
use crate::addresses::{are_few, factorized};
use crate::textbook;

/// Eigenvalues, rising, and eigenvectors (in columns) of a symmetric matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct SymmetricEigen {
    /// The eigenvalues, from the smallest to the largest.
    pub values: Vec<f64>,
    /// `[n, n]`: column `i` is the eigenvector of `values[i]`.
    pub vectors: Array2<f64>,
}

impl SymmetricEigen {
    /// Decomposes a symmetric matrix; only its lower triangle is read.
    ///
    /// # Errors
    /// [`Error::NoEigenvalues`] if the iteration fails, as it does for NaN.
    pub fn new(matrix: ArrayView2<'_, f64>) -> Result<Self, Error> {
        let size = matrix.nrows();
        let failed = || Error::NoEigenvalues { size };
        if matrix.iter().any(|value| !value.is_finite()) {
            return Err(failed());
        }
        if are_few() {
            let (values, vectors) = textbook::eigen(matrix).ok_or_else(failed)?;
            return Ok(SymmetricEigen { values, vectors });
        }
        let eigen = to_faer(matrix).self_adjoint_eigen(Side::Lower).map_err(|_| failed())?;
        let vectors = eigen.U();
        Ok(SymmetricEigen {
            values: eigen.S().column_vector().iter().copied().collect(),
            vectors: Array2::from_shape_fn((size, size), |(row, column)| vectors[(row, column)]),
        })
    }
}

/// Solves `matrix · x = right` for a symmetric positive definite matrix, or `None` where it is not.
pub fn solve_positive_definite(matrix: ArrayView2<'_, f64>, right: &[f64]) -> Option<Vec<f64>> {
    // A pivot that is rounding error alone belongs to a singular matrix.
    let cut = f64::EPSILON * right.len() as f64;
    let is_regular = |pivot: &dyn Fn(usize) -> f64| (0..right.len()).all(|row| pivot(row).powi(2) > cut * matrix[(row, row)]);
    let solution = if are_few() {
        let lower = textbook::cholesky(matrix)?;
        is_regular(&|row| lower[(row, row)]).then(|| textbook::solve(&lower, right))?
    } else {
        let factor = to_faer(matrix).llt(Side::Lower).ok()?;
        let right = Mat::from_fn(right.len(), 1, |row, _| right[row]);
        let solution = is_regular(&|row| factor.L()[(row, row)]).then(|| factor.solve(&right))?;
        (0..solution.nrows()).map(|row| solution[(row, 0)]).collect()
    };
    solution.iter().all(|value| value.is_finite()).then_some(solution)
}

/// `[n, n]`: the lower triangle `L` of a symmetric positive definite matrix `L Lᵀ`, zeros above; nothing where it is not.
pub fn cholesky(matrix: ArrayView2<'_, f64>) -> Option<Array2<f64>> {
    if are_few() {
        return textbook::cholesky(matrix).filter(|lower| lower.iter().all(|value| value.is_finite()));
    }
    let factor = to_faer(matrix).llt(Side::Lower).ok()?;
    let lower = Array2::from_shape_fn(
        matrix.dim(),
        |(row, column)| if column <= row { factor.L()[(row, column)] } else { 0.0 },
    );
    lower.iter().all(|value| value.is_finite()).then_some(lower)
}

/// The inverse of a symmetric positive definite matrix, or `None` where it is not: it is scaled to a unit diagonal first, so that
/// units of rows and columns do not matter.
pub fn inverse_positive_definite(matrix: ArrayView2<'_, f64>) -> Option<Array2<f64>> {
    let size = matrix.nrows();
    let scale: Vec<f64> = (0..size).map(|row| matrix[(row, row)].sqrt()).collect();
    if !scale.iter().all(|scale| scale.is_finite() && *scale > 0.0) {
        return None;
    }
    // A pivot that is rounding error alone belongs to a singular matrix.
    let cut = f64::EPSILON * size as f64;
    let scaled = Array2::from_shape_fn((size, size), |(row, column)| matrix[(row, column)] / (scale[row] * scale[column]));
    let inverse = if are_few() {
        let lower = textbook::cholesky(scaled.view())?;
        let unit = |place: usize| (0..size).map(|row| f64::from(u8::from(row == place))).collect::<Vec<_>>();
        let columns = (0..size).map(|column| textbook::solve(&lower, &unit(column)));
        let columns = (0..size)
            .all(|row| lower[(row, row)].powi(2) > cut)
            .then(|| columns.collect::<Vec<_>>())?;
        Mat::from_fn(size, size, |row, column| columns[column][row])
    } else {
        let factor = to_faer(scaled.view()).llt(Side::Lower).ok()?;
        let is_regular = (0..size).all(|row| factor.L()[(row, row)].powi(2) > cut);
        is_regular.then(|| factor.solve(&Mat::<f64>::identity(size, size)))?
    };
    let inverse = Array2::from_shape_fn((size, size), |(row, column)| {
        let symmetric = 0.5 * (inverse[(row, column)] + inverse[(column, row)]);
        symmetric / (scale[row] * scale[column])
    });
    inverse.iter().all(|value| value.is_finite()).then_some(inverse)
}

/// The `x` of least norm among those that minimise `‖matrix · x − right‖²`, for each column of `right`.
///
/// # Errors
/// [`Error::NoEigenvalues`] if the singular value decomposition fails, as it does for NaN.
pub fn least_squares(matrix: ArrayView2<'_, f64>, right: ArrayView2<'_, f64>) -> Result<Array2<f64>, Error> {
    let failed = || Error::NoEigenvalues { size: matrix.ncols() };
    if matrix.iter().any(|value| !value.is_finite()) {
        return Err(failed());
    }
    factorized(|| least_norm(matrix, right)).ok_or_else(failed)
}

fn least_norm(matrix: ArrayView2<'_, f64>, right: ArrayView2<'_, f64>) -> Option<Array2<f64>> {
    let svd = to_faer(matrix).thin_svd().ok()?;
    let singular: Vec<f64> = svd.S().column_vector().iter().copied().collect();
    let cut = f64::EPSILON * matrix.nrows().max(matrix.ncols()) as f64 * singular.first().copied().unwrap_or(0.0);
    let mut projected = svd.U().transpose() * to_faer(right);
    for (row, &value) in singular.iter().enumerate() {
        for column in 0..projected.ncols() {
            projected[(row, column)] = if value > cut { projected[(row, column)] / value } else { 0.0 };
        }
    }
    let solution = svd.V() * projected;
    Some(Array2::from_shape_fn((solution.nrows(), solution.ncols()), |(row, column)| {
        solution[(row, column)]
    }))
}

/// The `x` that minimises `‖matrix · x − right‖²`, by a QR factorisation with column pivoting: columns that those before them
/// nearly span are told apart as far as the rows can. Rows may differ by many orders of magnitude: each keeps its own digits.
#[derive(Clone, Debug, PartialEq)]
pub struct LeastSquares {
    /// `[n_columns]`; zero for columns that others span.
    pub solution: Vec<f64>,
    /// Columns that none of the others span.
    pub rank: usize,
    /// The largest number on the diagonal of R over the smallest one above the cut: about the condition of the matrix.
    pub condition: f64,
    /// The columns that count, and the triangle `[rank, rank]` of them.
    columns: Vec<usize>,
    upper: Array2<f64>,
}

impl LeastSquares {
    /// Solves; a column counts as spanned where what others leave of it is up to `cut` of the largest column. Nothing where a
    /// number is not finite.
    ///
    /// # References
    /// Golub & Van Loan (2013), *Matrix Computations*, section 5.4.2. Cox & Higham (1998), "Stability of Householder QR
    /// factorization for weighted least squares problems": with the largest rows first, errors are small row by row.
    pub fn new(matrix: ArrayView2<'_, f64>, right: &[f64], cut: f64) -> Option<Self> {
        if matrix.iter().chain(right).any(|value| !value.is_finite()) {
            return None;
        }
        Some(factorized(|| LeastSquares::of_finite(matrix, right, cut)))
    }

    fn of_finite(matrix: ArrayView2<'_, f64>, right: &[f64], cut: f64) -> Self {
        let size = |row: usize| matrix.row(row).iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
        let sizes: Vec<f64> = (0..matrix.nrows()).map(size).collect();
        let mut order: Vec<usize> = (0..matrix.nrows()).collect();
        order.sort_by(|a, b| sizes[*b].total_cmp(&sizes[*a]));
        let factor = Mat::from_fn(matrix.nrows(), matrix.ncols(), |row, column| matrix[(order[row], column)]).col_piv_qr();
        let (r, width) = (factor.thin_R(), matrix.ncols());
        let size = |place: usize| if place < r.nrows() { r[(place, place)].abs() } else { 0.0 };
        let rank = (0..width).take_while(|&place| size(place) > cut * size(0)).count();
        let mut projected = Mat::from_fn(right.len(), 1, |row, _| right[order[row]]);
        // The reflections themselves: the product with their matrix would round small rows by large ones.
        let (basis, coefficients) = (factor.Q_basis(), factor.Q_coeff());
        let request = transpose_on_the_left_scratch::<f64>(basis.nrows(), coefficients.nrows(), 1);
        apply_transpose_on_the_left(
            basis,
            coefficients,
            Conj::No,
            projected.as_mut(),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(request)),
        );
        let mut solved = LeastSquares {
            solution: Vec::new(),
            rank,
            condition: size(0) / size(rank.saturating_sub(1)),
            columns: factor.P().arrays().0[..rank].to_vec(),
            upper: Array2::from_shape_fn((rank, rank), |(row, column)| r[(row, column)]),
        };
        solved.solution = solved.back(width, |row| projected[(row, 0)]);
        solved
    }

    /// The `x` with `matrixᵀ matrix x = right`, and `right · x`. What `right` holds of nearly collinear columns counts to the last digit,
    /// where `solution` knows it as well as the rows were rounded.
    ///
    /// # References
    /// Björck (1996), *Numerical Methods for Least Squares Problems*, section 6.6.5 (the seminormal equations).
    pub fn seminormal(&self, right: &[f64]) -> (Vec<f64>, f64) {
        let mut half = vec![0.0; self.rank];
        for row in 0..self.rank {
            let known: f64 = (0..row).map(|above| self.upper[(above, row)] * half[above]).sum();
            half[row] = (right[self.columns[row]] - known) / self.upper[(row, row)];
        }
        let square = half.iter().map(|x| x * x).sum();
        (self.back(right.len(), |row| half[row]), square)
    }

    /// From the right side of the triangle to all columns.
    fn back(&self, width: usize, right: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut solution = vec![0.0; width];
        for row in (0..self.rank).rev() {
            let later = self.columns.iter().enumerate().skip(row + 1);
            let known: f64 = later.map(|(place, &column)| self.upper[(row, place)] * solution[column]).sum();
            solution[self.columns[row]] = (right(row) - known) / self.upper[(row, row)];
        }
        solution
    }
}

fn to_faer(matrix: ArrayView2<'_, f64>) -> Mat<f64> {
    Mat::from_fn(matrix.nrows(), matrix.ncols(), |row, column| matrix[(row, column)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn eigenvectors_rebuild_the_matrix() {
        let matrix = array![[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 2.0]];
        let eigen = SymmetricEigen::new(matrix.view()).unwrap();
        let scaled = &eigen.vectors * &ndarray::Array1::from(eigen.values.clone());
        let rebuilt = scaled.dot(&eigen.vectors.t());
        assert!((&rebuilt - &matrix).iter().all(|difference| difference.abs() < 1e-14));
        assert!(eigen.values.is_sorted());
    }

    #[test]
    fn a_singular_matrix_has_no_cholesky_solution() {
        assert_eq!(solve_positive_definite(array![[1.0, 1.0], [1.0, 1.0]].view(), &[1.0, 1.0]), None);
        assert_eq!(
            solve_positive_definite(array![[4.0, 0.0], [0.0, 16.0]].view(), &[1.0, 1.0]),
            Some(vec![0.25, 0.0625])
        );
    }

    #[test]
    fn rows_that_weigh_next_to_nothing_keep_their_digits() {
        // Large rows know of the sum alone, small ones of the difference: x = (1, 2).
        let tiny = 1e-9;
        let matrix = array![[0.3 * tiny, -0.7 * tiny], [0.1, 0.1], [0.7, 0.7], [0.9 * tiny, -0.4 * tiny]];
        let right = [-1.1 * tiny, 0.3, 2.1, 0.1 * tiny];
        let solved = LeastSquares::new(matrix.view(), &right, 1e-15).unwrap();
        assert!((solved.solution[0] - 1.0).abs() < 1e-6, "{solved:?}");
    }

    #[test]
    fn an_inverse_does_not_mind_units() {
        let matrix = array![[4e12, 1e6, 1.0], [1e6, 2.0, 1e-6], [1.0, 1e-6, 3e-12]];
        let product = inverse_positive_definite(matrix.view()).unwrap().dot(&matrix);
        let scale = [2e6, 1.0, 1e-6];
        for ((row, column), value) in product.indexed_iter() {
            let scaled = value * scale[row] / scale[column];
            assert!((scaled - f64::from(u8::from(row == column))).abs() < 1e-14, "{product}");
        }
        assert_eq!(inverse_positive_definite(array![[1.0, 1.0], [1.0, 1.0]].view()), None);
        assert_eq!(inverse_positive_definite(array![[1.0, 0.0], [0.0, -1.0]].view()), None);
        assert_eq!(inverse_positive_definite(array![[f64::NAN]].view()), None);
    }

    #[test]
    fn least_squares_of_a_collinear_matrix_has_least_norm() {
        let solution = least_squares(
            array![[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]].view(),
            array![[2.0], [4.0], [6.0]].view(),
        )
        .unwrap();
        assert!((solution[(0, 0)] - 1.0).abs() < 1e-14 && (solution[(1, 0)] - 1.0).abs() < 1e-14);
    }

    #[test]
    fn columns_that_nearly_agree_are_told_apart() {
        let x = |row: usize| ((row * 7919) % 101) as f64 / 101.0 - 0.5;
        let z = |row: usize| ((row * 104_729) % 97) as f64 / 97.0 - 0.5;
        let matrix = |difference: f64| {
            Array2::from_shape_fn((40, 3), |(row, column)| match column {
                0 => 1.0,
                1 => x(row),
                _ => x(row) + difference * z(row),
            })
        };
        let right: Vec<f64> = (0..40).map(|row| 0.5 + x(row) + z(row)).collect();
        let solved = LeastSquares::new(matrix(1e-12).view(), &right, 1e-15).unwrap();
        assert_eq!(solved.rank, 3);
        let [intercept, first, second] = solved.solution[..] else {
            panic!("three columns")
        };
        assert!((intercept - 0.5).abs() < 1e-3 && (first + second - 1.0).abs() < 1e-2 && (second * 1e-12 - 1.0).abs() < 1e-2);
        // The slope along the second direction alone: its step is one over its square.
        let (along, square) = solved.seminormal(&[0.0, 0.0, 1e-12]);
        let of_second: f64 = (0..40).map(|row| z(row) * z(row)).sum();
        assert!(
            (0.9..3.0).contains(&(square * of_second)) && (along[1] + along[2]).abs() < 1e-2 * along[2].abs(),
            "{square} {along:?}"
        );
        let same = LeastSquares::new(matrix(0.0).view(), &right, 1e-15).unwrap();
        assert_eq!((same.rank, same.solution.contains(&0.0)), (2, true));
        assert_eq!(LeastSquares::new(array![[f64::NAN]].view(), &[1.0], 1e-15), None);
    }

    #[test]
    fn nan_is_an_error_rather_than_a_loop() {
        assert!(SymmetricEigen::new(array![[f64::NAN]].view()).is_err());
    }
}
