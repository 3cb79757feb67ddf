//! Some of the columns of a design.

use std::ops::Range;

use crate::{Backend, Design, Error, Matrix, Names, Rows, check_rows_exist};

/// Columns of others by their numbers; what can compute them alone does.
struct SomeColumns<'a, B: Backend> {
    of: Design<'a, B>,
    numbers: Vec<usize>,
}

impl<B: Backend> SomeColumns<'_, B> {
    fn numbers(&self, columns: &[usize]) -> Result<Vec<usize>, Error> {
        let available = self.numbers.len();
        let number = |&column: &usize| self.numbers.get(column).copied().ok_or(Error::ColumnOutside { column, available });
        columns.iter().map(number).collect()
    }
}

impl<B: Backend> Rows<B> for SomeColumns<'_, B> {
    fn n_rows(&self) -> usize {
        self.of.n_rows()
    }

    fn n_columns(&self) -> usize {
        self.numbers.len()
    }

    fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, Error> {
        if self.numbers.is_empty() {
            check_rows_exist(&rows, self.of.n_rows())?;
            return Ok(Matrix::zeros([rows.len(), 0]));
        }
        self.of.rows().chunk_of(rows, &self.numbers)
    }

    fn chunk_of(&self, rows: Range<usize>, columns: &[usize]) -> Result<Matrix<B>, Error> {
        self.of.rows().chunk_of(rows, &self.numbers(columns)?)
    }
}

impl<'a, B: Backend> Design<'a, B> {
    /// These columns, in this order, repeats allowed, with the times, segments, weights and offset of all of them. Columns keep
    /// their names; blocks are not kept, since they may be cut. Nothing is copied: a basis computes no other columns than these.
    ///
    /// # Errors
    /// [`Error::ColumnOutside`] if there is no such column.
    ///
    /// # Example
    /// ```
    /// use nemos_core::{Cpu, Design, Matrix, Names};
    /// let design = Design::<Cpu>::from(Matrix::from_vec(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 3])?);
    /// let some = design.with_names(Names::new(["a", "b", "c"]))?.select_columns(&[2, 0])?;
    /// assert_eq!(some.to_matrix()?.to_vec(), [3.0, 1.0, 6.0, 4.0]);
    /// assert_eq!(some.names().columns(), ["c", "a"]);
    /// # Ok::<(), nemos_core::Error>(())
    /// ```
    pub fn select_columns(&self, columns: &[usize]) -> Result<Design<'a, B>, Error> {
        let available = self.n_columns();
        if let Some(&column) = columns.iter().find(|&&column| column >= available) {
            return Err(Error::ColumnOutside { column, available });
        }
        let names = match self.names().columns() {
            [] => Names::none(),
            names => Names::new(columns.iter().map(|&column| names[column].clone())),
        };
        let rows = SomeColumns {
            of: self.clone(),
            numbers: columns.to_vec(),
        };
        Ok(self.clone().with_other_rows(rows, names))
    }
}

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use super::*;
    use crate::{Cpu, Segments};

    #[test]
    fn what_belongs_to_rows_stays_with_them() {
        let matrix = Matrix::<Cpu>::from_vec((0..12).map(f64::from).collect(), [4, 3]).unwrap();
        let design = Design::from(matrix)
            .with_segments(Segments::from_lengths([1, 3]))
            .and_then(|design| design.with_times(vec![0.0, 1.0, 2.0, 3.0]))
            .and_then(|design| design.with_offset(Matrix::from_column(vec![1.0, 2.0, 3.0, 4.0])))
            .unwrap();
        let some = design.select_columns(&[2, 1]).unwrap();
        assert_eq!(some.dims(), [4, 2]);
        assert_eq!(some.chunk(1..3).unwrap().to_vec(), [5.0, 4.0, 8.0, 7.0]);
        assert_eq!(some.rows().gather(&[3, 0]).unwrap().to_vec(), [11.0, 10.0, 2.0, 1.0]);
        assert_eq!(some.rows().chunk_of(0..2, &[1]).unwrap().to_vec(), [1.0, 4.0]);
        assert_eq!((some.segments(), some.times()), (design.segments(), design.times()));
        assert_eq!(some.offset().unwrap().to_vec(), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(design.select_columns(&[]).unwrap().chunk(0..2).unwrap().dims(), [2, 0]);
        assert!(matches!(
            design.select_columns(&[3]),
            Err(Error::ColumnOutside { column: 3, available: 3 })
        ));
        assert!(some.rows().chunk_of(0..1, &[2]).is_err() && some.chunk(3..5).is_err());
    }
}
