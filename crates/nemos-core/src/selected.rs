//! Some of the rows of a design.

use std::borrow::Cow;
use std::ops::Range;

use crate::{Backend, Design, Error, Matrix, Rows, Segments};

/// Rows of others by their numbers; where many follow each other they are read as chunks.
struct Selected<'a, B: Backend> {
    rows: Design<'a, B>,
    numbers: Vec<usize>,
}

// Chunks shorter than this are gathered row by row.
const SHORT: usize = 8;

impl<B: Backend> Rows<B> for Selected<'_, B> {
    fn n_rows(&self) -> usize {
        self.numbers.len()
    }

    fn n_columns(&self) -> usize {
        self.rows.n_columns()
    }

    fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, Error> {
        let available = self.numbers.len();
        let (start, end) = (rows.start, rows.end);
        let numbers = self.numbers.get(rows).ok_or(Error::RowsOutside { start, end, available })?;
        let runs: Vec<Range<usize>> = runs(numbers).collect();
        match runs.as_slice() {
            [only] => self.rows.chunk(only.clone()),
            _ if runs.len() * SHORT >= numbers.len() => self.rows.rows().gather(numbers),
            _ => Matrix::stack(runs.into_iter().map(|run| self.rows.chunk(run)).collect::<Result<_, _>>()?),
        }
    }

    fn gather(&self, rows: &[usize]) -> Result<Matrix<B>, Error> {
        let available = self.numbers.len();
        let number = |&row: &usize| {
            let outside = Error::RowsOutside {
                start: row,
                end: row + 1,
                available,
            };
            self.numbers.get(row).copied().ok_or(outside)
        };
        self.rows.rows().gather(&rows.iter().map(number).collect::<Result<Vec<_>, _>>()?)
    }
}

/// Numbers that follow each other.
fn runs(numbers: &[usize]) -> impl Iterator<Item = Range<usize>> {
    numbers.chunk_by(|a, b| a + 1 == *b).map(|run| run[0]..run[0] + run.len())
}

impl<'a, B: Backend> Design<'a, B> {
    /// These rows, in this order, with what belongs to them: names, times, weights, offset. Nothing is copied but the weights
    /// and the offset. Segments are cut where rows are left out, so that nothing looks across the cut.
    ///
    /// # Errors
    /// [`Error::RowsOutside`] if there is no such row.
    ///
    /// # Example
    /// ```
    /// use nemos_core::{Cpu, Design, Matrix};
    /// let design = Design::<Cpu>::from(Matrix::from_column(vec![0.0, 1.0, 2.0, 3.0, 4.0]));
    /// let without = design.select_rows(&[0, 1, 3, 4])?;
    /// assert_eq!(without.to_matrix()?.to_vec(), [0.0, 1.0, 3.0, 4.0]);
    /// assert_eq!(without.segments().ranges(), &[0..2, 2..4]);
    /// # Ok::<(), nemos_core::Error>(())
    /// ```
    pub fn select_rows(&self, rows: &[usize]) -> Result<Design<'a, B>, Error> {
        self.check_whole("a selection of rows")?;
        let available = self.n_rows();
        if let Some(&row) = rows.iter().find(|row| **row >= available) {
            return Err(Error::RowsOutside {
                start: row,
                end: row + 1,
                available,
            });
        }
        let ends: Vec<usize> = self.segments().ranges().iter().map(|range| range.end).collect();
        let segment = |row: usize| ends.partition_point(|&end| end <= row);
        let together = |a: &usize, b: &usize| a + 1 == *b && segment(*a) == segment(*b);
        let segments = Segments::from_lengths(rows.chunk_by(together).map(<[usize]>::len));
        let some = |matrix: Option<&Matrix<B>>| matrix.map(|matrix| matrix.select_rows(rows)).transpose();
        let (weights, offset) = (some(self.weights())?, some(self.offset())?);
        let times = self.times().map(|times| rows.iter().map(|&row| times[row]).collect::<Vec<f64>>());
        let names = self.names().clone();
        let numbers = rows.to_vec();
        let mut design = Design::from_rows(Selected {
            rows: self.clone(),
            numbers,
        })
        .with_names(names)?
        .with_segments(segments)?;
        if let Some(times) = times {
            design = design.with_times(Cow::Owned(times))?;
        }
        if let Some(weights) = weights {
            design = design.with_weights(weights)?;
        }
        match offset {
            Some(offset) => design.with_offset(offset),
            None => Ok(design),
        }
    }
}

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use super::*;
    use crate::{Cpu, Names};

    #[test]
    fn what_belongs_to_rows_goes_with_them() {
        let matrix = Matrix::<Cpu>::from_vec((0..20).map(f64::from).collect(), [10, 2]).unwrap();
        let column = |of: fn(usize) -> f64| Matrix::<Cpu>::from_column((0..10).map(of).collect());
        let design = Design::from(matrix)
            .with_names(Names::new(["a", "b"]))
            .and_then(|design| design.with_times((0..10).map(|row| 0.1 * f64::from(row)).collect::<Vec<_>>()))
            .and_then(|design| design.with_segments(Segments::from_lengths([4, 6])))
            .and_then(|design| design.with_weights(column(|row| row as f64)))
            .and_then(|design| design.with_offset(column(|row| -(row as f64))))
            .unwrap();
        let some = design.select_rows(&[2, 3, 4, 8, 9]).unwrap();
        assert_eq!(
            some.to_matrix().unwrap().to_vec(),
            [4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 16.0, 17.0, 18.0, 19.0]
        );
        assert_eq!(some.chunk(1..4).unwrap().to_vec(), [6.0, 7.0, 8.0, 9.0, 16.0, 17.0]);
        assert_eq!(some.rows().gather(&[4, 0]).unwrap().to_vec(), [18.0, 19.0, 4.0, 5.0]);
        assert_eq!(some.segments().ranges(), &[0..2, 2..3, 3..5]);
        assert_eq!(some.times().unwrap()[3], 0.8);
        assert_eq!(some.weights().unwrap().to_vec(), [2.0, 3.0, 4.0, 8.0, 9.0]);
        assert_eq!(some.offset().unwrap().to_vec(), [-2.0, -3.0, -4.0, -8.0, -9.0]);
        assert_eq!(some.names().column("b").unwrap(), 1);
        assert!(matches!(design.select_rows(&[10]), Err(Error::RowsOutside { available: 10, .. })));
        assert!(some.chunk(3..6).is_err() && some.rows().gather(&[5]).is_err());
        assert_eq!(design.select_rows(&[]).unwrap().dims(), [0, 2]);
    }

    #[test]
    fn long_runs_are_read_as_chunks() {
        let matrix = Matrix::<Cpu>::from_column((0..100).map(f64::from).collect());
        let rows: Vec<usize> = (0..40).chain(60..100).collect();
        let some = Design::from(matrix).select_rows(&rows).unwrap();
        let expected: Vec<f64> = rows.iter().map(|&row| row as f64).collect();
        assert_eq!(some.to_matrix().unwrap().to_vec(), expected);
    }
}
