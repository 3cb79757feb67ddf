//! Small dense linear algebra on the host, in double precision. Everything that names `faer`'s factorisations is here.

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};
use ndarray::{Array2, ArrayView2};

use crate::Error;

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
    let factor = to_faer(matrix).llt(Side::Lower).ok()?;
    // A pivot that is rounding error alone belongs to a singular matrix.
    let cut = f64::EPSILON * right.len() as f64;
    if (0..right.len()).any(|row| factor.L()[(row, row)].powi(2) <= cut * matrix[(row, row)]) {
        return None;
    }
    let right = Mat::from_fn(right.len(), 1, |row, _| right[row]);
    let solution = factor.solve(&right);
    let solution: Vec<f64> = (0..solution.nrows()).map(|row| solution[(row, 0)]).collect();
    solution.iter().all(|value| value.is_finite()).then_some(solution)
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
    let svd = to_faer(matrix).thin_svd().map_err(|_| failed())?;
    let singular: Vec<f64> = svd.S().column_vector().iter().copied().collect();
    let cut = f64::EPSILON * matrix.nrows().max(matrix.ncols()) as f64 * singular.first().copied().unwrap_or(0.0);
    let mut projected = svd.U().transpose() * to_faer(right);
    for (row, &value) in singular.iter().enumerate() {
        for column in 0..projected.ncols() {
            projected[(row, column)] = if value > cut { projected[(row, column)] / value } else { 0.0 };
        }
    }
    let solution = svd.V() * projected;
    Ok(Array2::from_shape_fn((solution.nrows(), solution.ncols()), |(row, column)| {
        solution[(row, column)]
    }))
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
    fn least_squares_of_a_collinear_matrix_has_least_norm() {
        let solution = least_squares(
            array![[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]].view(),
            array![[2.0], [4.0], [6.0]].view(),
        )
        .unwrap();
        assert!((solution[(0, 0)] - 1.0).abs() < 1e-14 && (solution[(1, 0)] - 1.0).abs() < 1e-14);
    }

    #[test]
    fn nan_is_an_error_rather_than_a_loop() {
        assert!(SymmetricEigen::new(array![[f64::NAN]].view()).is_err());
    }
}
