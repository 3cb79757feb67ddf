//! Arrays of small numbers as rows: counts that fit into a byte take an eighth of the memory.

use std::ops::Range;

use ndarray::{Array2, s};

use crate::{Backend, Design, Error, Matrix, Names, Rows, Samples, ToDesign, check_columns_exist, check_rows_exist};

/// Numbers of a type that `f64` holds without loss, which become those of the backend a chunk at a time. As designs: `u8` for counts up to
/// 255, `u16` up to 65,535; others by [`Design::from_rows`].
///
/// # Example
/// ```
/// use ndarray::array;
/// use nemos_core::{Cpu, Rows};
/// let counts = array![[0_u8, 3], [255, 1]];
/// assert_eq!(Rows::<Cpu>::chunk(&counts, 1..2)?.to_vec(), [255.0, 1.0]);
/// # Ok::<(), nemos_core::Error>(())
/// ```
impl<B: Backend, T: Copy + Into<f64> + Send + Sync> Rows<B> for Array2<T> {
    fn n_rows(&self) -> usize {
        self.nrows()
    }

    fn n_columns(&self) -> usize {
        self.ncols()
    }

    fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, Error> {
        check_rows_exist(&rows, self.nrows())?;
        let dims = [rows.len(), self.ncols()];
        let values = self.slice(s![rows, ..]);
        Matrix::from_vec(values.iter().map(|value| (*value).into()).collect(), dims)
    }

    fn chunk_of(&self, rows: Range<usize>, columns: &[usize]) -> Result<Matrix<B>, Error> {
        check_rows_exist(&rows, self.nrows())?;
        check_columns_exist(columns, self.ncols())?;
        let dims = [rows.len(), columns.len()];
        let values = self.slice(s![rows, ..]);
        let values = values
            .rows()
            .into_iter()
            .flat_map(|row| columns.iter().map(move |&column| row[column].into()));
        Matrix::from_vec(values.collect(), dims)
    }
}

impl<B: Backend> ToDesign<B> for Array2<u8> {
    fn to_design(&self) -> Design<'_, B> {
        Design::from_rows(self)
    }
}

impl<B: Backend> Samples<B> for Array2<u8> {
    type Output = Matrix<B>;

    fn wrap(&self, values: Matrix<B>, _names: Names) -> Matrix<B> {
        values
    }
}

impl<B: Backend> ToDesign<B> for Array2<u16> {
    fn to_design(&self) -> Design<'_, B> {
        Design::from_rows(self)
    }
}

impl<B: Backend> Samples<B> for Array2<u16> {
    type Output = Matrix<B>;

    fn wrap(&self, values: Matrix<B>, _names: Names) -> Matrix<B> {
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cpu;

    #[test]
    fn chunks_of_bytes_are_numbers() {
        let counts = Array2::from_shape_fn((5, 3), |(row, column)| (row * 3 + column) as u16 * 4000);
        let design: Design<'_, Cpu> = counts.to_design();
        assert_eq!(design.chunk(2..4).unwrap().to_array(), counts.slice(s![2..4, ..]).mapv(f64::from));
        assert_eq!(design.chunk(5..5).unwrap().dims(), [0, 3]);
        assert!(matches!(design.chunk(3..6), Err(Error::RowsOutside { available: 5, .. })));
        let some = Rows::<Cpu>::chunk_of(&counts, 2..4, &[2, 0]).unwrap().to_array();
        assert_eq!(some, counts.select(ndarray::Axis(1), &[2, 0]).slice(s![2..4, ..]).mapv(f64::from));
        assert!(Rows::<Cpu>::chunk_of(&counts, 0..1, &[3]).is_err());
        let turned = counts.t().to_owned();
        assert_eq!(Rows::<Cpu>::chunk(&turned, 0..1).unwrap().n_columns(), 5);
    }
}
