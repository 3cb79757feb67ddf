//! What becomes a matrix: arrays, vectors and slices.
//!
//! Of double precision alone: with two kinds to choose from, `Array2::zeros` could no longer be inferred. Single precision
//! comes in through [`Matrix::from_host`].

use ndarray::{Array1, Array2, ArrayView2};

use crate::{Backend, Error, Matrix};

impl<B: Backend> From<Array2<f64>> for Matrix<B> {
    fn from(array: Array2<f64>) -> Self {
        let dims = array.dim().into();
        if !array.is_standard_layout() {
            return Self::from_array(array.view());
        }
        let n_values = array.len();
        match array.into_raw_vec_and_offset() {
            (values, None | Some(0)) if values.len() == n_values => Self::from_checked(values, dims),
            (values, offset) => Self::from_checked(values[offset.unwrap_or(0)..][..n_values].to_vec(), dims),
        }
    }
}

impl<B: Backend> From<Vec<f64>> for Matrix<B> {
    fn from(column: Vec<f64>) -> Self {
        Self::from_column(column)
    }
}

impl<B: Backend> From<&Array2<f64>> for Matrix<B> {
    fn from(array: &Array2<f64>) -> Self {
        Self::from_array(array.view())
    }
}

impl<B: Backend> From<ArrayView2<'_, f64>> for Matrix<B> {
    fn from(array: ArrayView2<'_, f64>) -> Self {
        Self::from_array(array)
    }
}

impl<B: Backend> From<Array1<f64>> for Matrix<B> {
    /// One column.
    fn from(column: Array1<f64>) -> Self {
        Self::from_column(column.to_vec())
    }
}

impl<B: Backend> From<&[f64]> for Matrix<B> {
    /// One column.
    fn from(column: &[f64]) -> Self {
        Self::from_column(column.to_vec())
    }
}

impl<B: Backend> TryFrom<Vec<Vec<f64>>> for Matrix<B> {
    type Error = Error;

    /// One inner vector for each row; all of one length.
    fn try_from(rows: Vec<Vec<f64>>) -> Result<Self, Error> {
        let expected = rows.first().map_or(0, Vec::len);
        if let Some(row) = rows.iter().find(|row| row.len() != expected) {
            return Err(Error::Columns {
                name: "a row",
                got: row.len(),
                expected,
                why: "as many as the first row has",
            });
        }
        let dims = [rows.len(), expected];
        Ok(Self::from_checked(rows.concat(), dims))
    }
}

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use super::*;
    use crate::Cpu;
    use ndarray::array;

    #[test]
    fn arrays_and_vectors_of_either_precision_become_matrices() {
        let expected = Matrix::<Cpu>::from_vec(vec![1.0, 2.0, 3.0, 4.0], [2, 2]).unwrap().to_array();
        assert_eq!(Matrix::<Cpu>::from(array![[1.0, 2.0], [3.0, 4.0]]).to_array(), expected);
        assert_eq!(
            Matrix::<Cpu>::from(&array![[1.0, 3.0], [2.0, 4.0]].reversed_axes()).to_array(),
            expected
        );
        assert_eq!(
            Matrix::<Cpu>::from_host(vec![1.0_f32, 2.0, 3.0, 4.0], [2, 2]).unwrap().to_array(),
            expected
        );
        assert_eq!(
            Matrix::<Cpu>::try_from(vec![vec![1.0, 2.0], vec![3.0, 4.0]]).unwrap().to_array(),
            expected
        );
        assert_eq!(Matrix::<Cpu>::from(array![1.0, 2.0]).dims(), [2, 1]);
        assert_eq!(Matrix::<Cpu>::try_from(Vec::<Vec<f64>>::new()).unwrap().dims(), [0, 0]);
    }

    #[test]
    fn ragged_rows_are_refused() {
        let error = Matrix::<Cpu>::try_from(vec![vec![1.0, 2.0], vec![3.0]]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a row has 1 columns; 2 are needed (as many as the first row has)"
        );
    }
}
