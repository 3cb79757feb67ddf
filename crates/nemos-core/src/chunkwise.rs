//! Matrices that are made a chunk of rows at a time.

use std::ops::Range;

use burn_tensor::DType;
use rayon::prelude::*;

use crate::{Backend, Error, HostFloat, Matrix, row_chunks, zeros};

impl<B: Backend> Matrix<B> {
    /// A matrix whose rows `chunk` makes, some at a time. In host memory chunks are made in parallel and written to their
    /// place, so that little more than the result ever exists.
    ///
    /// # Shapes
    /// For rows `a..b`, `chunk` gives `[b − a, columns]`; the result is `[rows, columns]`.
    ///
    /// # Errors
    /// The first that `chunk` gives, and [`Error::ChunkShape`] if a chunk has another shape.
    ///
    /// # Example
    /// ```
    /// use nemos_core::{Cpu, Error, Matrix};
    /// let squares = |rows: std::ops::Range<usize>| Ok::<_, Error>(Matrix::from_column(rows.map(|row| (row * row) as f64).collect()));
    /// assert_eq!(Matrix::<Cpu>::by_chunks([4, 1], 3, squares)?.to_vec(), [0.0, 1.0, 4.0, 9.0]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn by_chunks<E: From<Error> + Send>(
        [rows, columns]: [usize; 2],
        chunk_rows: usize,
        chunk: impl Fn(Range<usize>) -> Result<Self, E> + Send + Sync,
    ) -> Result<Self, E> {
        let chunk_rows = chunk_rows.max(1);
        let checked = |range: Range<usize>| {
            let expected = [range.len(), columns];
            let made = chunk(range)?;
            if made.dims() == expected {
                Ok(made)
            } else {
                let got = made.dims();
                Err(Error::ChunkShape { got, expected }.into())
            }
        };
        if rows == 0 || columns == 0 {
            return Ok(Self::zeros([rows, columns]));
        }
        if !B::HOST {
            let chunks = row_chunks(rows, chunk_rows).map(checked).collect::<Result<_, E>>()?;
            return Ok(Self::stack(chunks)?);
        }
        if B::DTYPE == DType::F32 {
            Ok(Self::from_host(
                filled::<B, f32, E>([rows, columns], chunk_rows, checked)?,
                [rows, columns],
            )?)
        } else {
            Ok(Self::from_host(
                filled::<B, f64, E>([rows, columns], chunk_rows, checked)?,
                [rows, columns],
            )?)
        }
    }
}

fn filled<B: Backend, F: HostFloat, E: Send>(
    [rows, columns]: [usize; 2],
    chunk_rows: usize,
    chunk: impl Fn(Range<usize>) -> Result<Matrix<B>, E> + Send + Sync,
) -> Result<Vec<F>, E> {
    let mut values = zeros::<F>(rows * columns);
    let chunks: Vec<_> = row_chunks(rows, chunk_rows).zip(values.chunks_mut(chunk_rows * columns)).collect();
    chunks.into_par_iter().try_for_each(|(range, to)| {
        let made = chunk(range)?;
        match made.host().as_slice::<F>() {
            Some(from) => to.copy_from_slice(from),
            None => to.iter_mut().zip(made.to_vec()).for_each(|(to, from)| *to = F::from_f64(from)),
        }
        Ok(())
    })?;
    Ok(values)
}
