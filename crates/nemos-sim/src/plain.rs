//! Samples without their kind: what is computed for them stays a matrix.

use std::ops::Range;

use nemos_core::{Backend, Design, Error, Matrix, Samples, Segments};

/// The same rows; results are not wrapped.
pub(crate) struct Plain<'a, S>(pub(crate) &'a S);

impl<B: Backend, S: Design<B>> Design<B> for Plain<'_, S> {
    fn n_samples(&self) -> usize {
        self.0.n_samples()
    }

    fn n_features(&self) -> usize {
        self.0.n_features()
    }

    fn block(&self, rows: Range<usize>) -> Result<Matrix<B>, Error> {
        self.0.block(rows)
    }

    fn gather(&self, rows: &[usize]) -> Result<Matrix<B>, Error> {
        self.0.gather(rows)
    }

    fn weights(&self, rows: Range<usize>) -> Result<Option<Matrix<B>>, Error> {
        self.0.weights(rows)
    }

    fn offset(&self, rows: Range<usize>) -> Result<Option<Matrix<B>>, Error> {
        self.0.offset(rows)
    }

    fn times(&self) -> Option<&[f64]> {
        self.0.times()
    }

    fn named_blocks(&self) -> Vec<(String, Range<usize>)> {
        self.0.named_blocks()
    }

    fn segments(&self) -> Segments {
        self.0.segments()
    }
}

impl<B: Backend, S: Design<B>> Samples<B> for Plain<'_, S> {
    type Output = Matrix<B>;

    fn wrap(&self, values: Matrix<B>) -> Matrix<B> {
        values
    }
}
