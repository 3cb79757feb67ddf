//! Rows of numbers that are read some at a time.

use std::ops::Range;

use crate::{Backend, Error, Matrix};

/// What can give its rows some at a time: a matrix, a time series, a basis that computes them on demand, a file.
///
/// *Implementor must* return from [`chunk`](Rows::chunk) a matrix of `rows.len()` rows and `n_columns` columns, the same one
/// for the same rows on every call, and accept any `rows` within `0..n_rows`.
/// *Implementor may* fail to read ([`Error::Read`]); what asked for the rows stops with that error.
///
/// # Example
/// ```
/// use std::ops::Range;
/// use nemos_core::{Backend, Cpu, Design, Error, Matrix, Rows};
///
/// /// A ramp of any length, which never exists as a whole.
/// struct Ramp(usize);
/// impl<B: Backend> Rows<B> for Ramp {
///     fn n_rows(&self) -> usize {
///         self.0
///     }
///     fn n_columns(&self) -> usize {
///         1
///     }
///     fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, Error> {
///         Ok(Matrix::from_column(rows.map(|row| row as f64).collect()))
///     }
/// }
/// let ramp = Design::<Cpu>::from_rows(Ramp(1_000_000_000));
/// assert_eq!(ramp.chunk(7..9)?.to_vec(), [7.0, 8.0]);
/// # Ok::<(), Error>(())
/// ```
pub trait Rows<B: Backend>: Send + Sync {
    /// Number of rows: one per sample, or time bin.
    fn n_rows(&self) -> usize;

    /// Number of columns.
    fn n_columns(&self) -> usize;

    /// The rows in this range.
    ///
    /// # Errors
    /// [`Error::Read`] where rows come from a file that cannot be read; [`Error::RowsOutside`] where they do not exist.
    fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, Error>;

    /// Whether the rows are in the memory of the device already, so that what a pass has cut out of them may be kept for the next one.
    fn is_held(&self) -> bool {
        false
    }

    /// These columns of the rows in this range, in this order. What computes its columns one by one computes no others.
    ///
    /// # Errors
    /// As [`chunk`](Rows::chunk), and [`Error::ColumnOutside`] where there is no such column.
    fn chunk_of(&self, rows: Range<usize>, columns: &[usize]) -> Result<Matrix<B>, Error> {
        self.chunk(rows)?.select_columns(columns)
    }

    /// These rows, in this order, repeats allowed.
    ///
    /// # Errors
    /// As [`chunk`](Rows::chunk).
    fn gather(&self, rows: &[usize]) -> Result<Matrix<B>, Error> {
        if rows.is_empty() {
            return Ok(Matrix::zeros([0, self.n_columns()]));
        }
        let runs = rows.chunk_by(|row, next| row + 1 == *next);
        let chunks = runs.map(|run| self.chunk(run[0]..run[0] + run.len()));
        Matrix::stack(chunks.collect::<Result<_, _>>()?)
    }
}

impl<B: Backend> Rows<B> for Matrix<B> {
    fn n_rows(&self) -> usize {
        self.dims()[0]
    }

    fn n_columns(&self) -> usize {
        self.dims()[1]
    }

    fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, Error> {
        self.rows(rows)
    }

    fn is_held(&self) -> bool {
        true
    }

    fn gather(&self, rows: &[usize]) -> Result<Matrix<B>, Error> {
        self.select_rows(rows)
    }
}

impl<B: Backend, R: Rows<B> + ?Sized> Rows<B> for &R {
    fn n_rows(&self) -> usize {
        (**self).n_rows()
    }

    fn n_columns(&self) -> usize {
        (**self).n_columns()
    }

    fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, Error> {
        (**self).chunk(rows)
    }

    fn is_held(&self) -> bool {
        (**self).is_held()
    }

    fn chunk_of(&self, rows: Range<usize>, columns: &[usize]) -> Result<Matrix<B>, Error> {
        (**self).chunk_of(rows, columns)
    }

    fn gather(&self, rows: &[usize]) -> Result<Matrix<B>, Error> {
        (**self).gather(rows)
    }
}

/// That there are such rows among this many.
///
/// # Errors
/// [`Error::RowsOutside`] if not.
pub fn check_rows_exist(rows: &Range<usize>, available: usize) -> Result<(), Error> {
    if rows.start <= rows.end && rows.end <= available {
        return Ok(());
    }
    Err(Error::RowsOutside {
        start: rows.start,
        end: rows.end,
        available,
    })
}

/// Checks that every one of these columns exists.
///
/// # Errors
/// [`Error::ColumnOutside`] with the first that does not.
pub fn check_columns_exist(columns: &[usize], available: usize) -> Result<(), Error> {
    match columns.iter().find(|column| **column >= available) {
        Some(&column) => Err(Error::ColumnOutside { column, available }),
        None => Ok(()),
    }
}

/// The ranges that cover `n_rows` rows, `chunk_rows` at a time.
pub fn row_chunks(n_rows: usize, chunk_rows: usize) -> impl ExactSizeIterator<Item = Range<usize>> {
    let chunk_rows = chunk_rows.max(1);
    (0..n_rows.div_ceil(chunk_rows)).map(move |index| index * chunk_rows..((index + 1) * chunk_rows).min(n_rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_every_row_once() {
        for (n_rows, chunk_rows) in [(0, 4), (1, 4), (8, 4), (9, 4), (3, 0)] {
            let rows: Vec<usize> = row_chunks(n_rows, chunk_rows).flatten().collect();
            assert_eq!(rows, (0..n_rows).collect::<Vec<_>>());
        }
    }
}
