//! Matrices whose rows fall into segments.

use std::ops::Range;

use crate::{Backend, Design, Error, Matrix, Samples, Segments};

/// A matrix together with the segments that its rows fall into.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Design, Matrix, Segments};
/// let counts = Matrix::<Cpu>::zeros([30, 2]);
/// let trials = counts.segmented(Segments::from_lengths([10, 20]))?;
/// assert_eq!(trials.segments().ranges().len(), 2);
/// # Ok::<(), nemos_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Segmented<B: Backend> {
    values: Matrix<B>,
    segments: Segments,
}

impl<B: Backend> Matrix<B> {
    /// This matrix, with its rows in these segments.
    ///
    /// # Errors
    /// [`Error::RowsDiffer`] unless the segments cover the rows.
    pub fn segmented(self, segments: Segments) -> Result<Segmented<B>, Error> {
        if segments.n_samples() != self.dims()[0] {
            return Err(Error::RowsDiffer {
                left_name: "the matrix",
                left: self.dims()[0],
                right_name: "the segments together",
                right: segments.n_samples(),
            });
        }
        Ok(Segmented { values: self, segments })
    }
}

impl<B: Backend> Design<B> for Segmented<B> {
    fn n_samples(&self) -> usize {
        self.values.dims()[0]
    }

    fn n_features(&self) -> usize {
        self.values.dims()[1]
    }

    fn block(&self, rows: Range<usize>) -> Result<Matrix<B>, Error> {
        self.values.rows(rows)
    }

    fn segments(&self) -> Segments {
        self.segments.clone()
    }
}

impl<B: Backend> Samples<B> for Segmented<B> {
    type Output = Matrix<B>;

    fn wrap(&self, values: Matrix<B>) -> Matrix<B> {
        values
    }
}

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use super::*;
    use crate::Cpu;

    #[test]
    fn segments_cover_the_rows_or_are_refused() {
        let matrix = Matrix::<Cpu>::from_column(vec![1.0, 2.0, 3.0]);
        let segmented = matrix.clone().segmented(Segments::from_lengths([1, 2])).unwrap();
        assert_eq!(segmented.block(1..3).unwrap().to_vec(), [2.0, 3.0]);
        let error = matrix.segmented(Segments::from_lengths([1, 1])).unwrap_err();
        assert!(matches!(error, Error::RowsDiffer { left: 3, right: 2, .. }));
    }
}
