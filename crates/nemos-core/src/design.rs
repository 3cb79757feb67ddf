//! Designs: where a model gets its rows, a block at a time.

use std::ops::Range;

use crate::{Backend, Error, Matrix, Segments};

/// What can give its rows a block at a time: a matrix, named features, a time series, a basis that computes them on
/// demand, a file.
///
/// *Implementor must* return from [`block`](Design::block) a matrix of `rows.len()` rows and `n_features` columns, the
/// same one for the same rows on every call, and accept any `rows` within `0..n_samples`.
/// *Implementor may* fail to read a block ([`Error::Read`]); what asked for it stops with that error.
/// *Implementor may* give the times of its rows, and the segments that they fall into.
///
/// # Shapes
/// `[n_samples, n_features]`. A row that holds a NaN is left out of a fit and gives NaN in a prediction.
pub trait Design<B: Backend>: Sync {
    /// Number of rows: one per sample, or time bin.
    fn n_samples(&self) -> usize;

    /// Number of columns.
    fn n_features(&self) -> usize;

    /// The rows in this range.
    ///
    /// # Errors
    /// [`Error::Read`] where rows come from a file that cannot be read; [`Error::RowsOutside`] where they do not exist.
    fn block(&self, rows: Range<usize>) -> Result<Matrix<B>, Error>;

    /// These rows, in this order, repeats allowed.
    ///
    /// # Errors
    /// As [`block`](Design::block).
    fn gather(&self, rows: &[usize]) -> Result<Matrix<B>, Error> {
        Matrix::stack(rows.iter().map(|&row| self.block(row..row + 1)).collect::<Result<_, _>>()?)
    }

    /// How much each of the rows in this range counts in a fit, `[n_rows, 1]` or `[n_rows, n_neurons]`; all the same
    /// where there is nothing. Weights are relative, and never negative.
    ///
    /// # Errors
    /// As [`block`](Design::block).
    fn weights(&self, _rows: Range<usize>) -> Result<Option<Matrix<B>>, Error> {
        Ok(None)
    }

    /// What is added to the predictor of each of the rows in this range, `[n_rows, 1]` or `[n_rows, n_neurons]`: under
    /// an exponential link the logarithm of the exposure.
    ///
    /// # Errors
    /// As [`block`](Design::block).
    fn offset(&self, _rows: Range<usize>) -> Result<Option<Matrix<B>>, Error> {
        Ok(None)
    }

    /// Times of the rows in seconds, where they are known.
    fn times(&self) -> Option<&[f64]> {
        None
    }

    /// The names of blocks of columns, and the columns of each, where they have names.
    fn named_blocks(&self) -> Vec<(String, Range<usize>)> {
        Vec::new()
    }

    /// The ranges of rows that must not leak into each other: one that covers everything, unless said otherwise.
    fn segments(&self) -> Segments {
        Segments::single(self.n_samples())
    }
}

/// Rows along time that can wrap a result in their own kind: what goes in with times comes out with times.
pub trait Samples<B: Backend>: Design<B> {
    /// What a result of one row per sample becomes.
    type Output;

    /// Wraps `values`, which has one row per row of `self`.
    fn wrap(&self, values: Matrix<B>) -> Self::Output;
}

impl<B: Backend> Design<B> for Matrix<B> {
    fn n_samples(&self) -> usize {
        self.dims()[0]
    }

    fn n_features(&self) -> usize {
        self.dims()[1]
    }

    fn block(&self, rows: Range<usize>) -> Result<Matrix<B>, Error> {
        self.rows(rows)
    }

    fn gather(&self, rows: &[usize]) -> Result<Matrix<B>, Error> {
        self.select_rows(rows)
    }
}

impl<B: Backend> Samples<B> for Matrix<B> {
    type Output = Matrix<B>;

    fn wrap(&self, values: Matrix<B>) -> Matrix<B> {
        values
    }
}

/// The ranges that cover `n_samples` rows, `block_rows` at a time.
pub fn row_blocks(n_samples: usize, block_rows: usize) -> impl ExactSizeIterator<Item = Range<usize>> {
    let block_rows = block_rows.max(1);
    (0..n_samples.div_ceil(block_rows)).map(move |index| index * block_rows..((index + 1) * block_rows).min(n_samples))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_every_row_once() {
        for (n_samples, block_rows) in [(0, 4), (1, 4), (8, 4), (9, 4), (3, 0)] {
            let rows: Vec<usize> = row_blocks(n_samples, block_rows).flatten().collect();
            assert_eq!(rows, (0..n_samples).collect::<Vec<_>>());
        }
    }
}
