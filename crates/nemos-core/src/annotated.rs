//! Designs whose rows carry weights and an offset.

use std::ops::Range;

use crate::{Backend, Design, Error, Matrix, Samples, Segments};

/// A design whose rows carry weights, an offset, or both.
///
/// Weights say how much each row counts in a fit: means over samples are `Σ w · loss / Σ w`, so that only their ratios
/// matter, and a row of weight zero is left out. The offset is added to the predictor: under an exponential link, the
/// logarithm of how long the neuron was looked at in each bin (the exposure).
///
/// # Shapes
/// Both `[n_samples, 1]`, or `[n_samples, n_neurons]` where they differ between neurons.
///
/// # Example
/// ```
/// use nemos_core::{Annotated, Cpu, Design, Matrix};
/// let design = Matrix::<Cpu>::from_column(vec![0.1, 0.2, 0.3]);
/// let exposure = Matrix::from_column(vec![1.0_f64.ln(), 2.0_f64.ln(), 0.5_f64.ln()]);
/// let design = Annotated::new(&design).with_offset(exposure)?;
/// assert!(design.offset(0..3)?.is_some() && design.weights(0..3)?.is_none());
/// # Ok::<(), nemos_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Annotated<'a, B: Backend, D> {
    design: &'a D,
    weights: Option<Matrix<B>>,
    offset: Option<Matrix<B>>,
}

impl<'a, B: Backend, D: Design<B>> Annotated<'a, B, D> {
    /// A design without weights and offset, so far.
    pub fn new(design: &'a D) -> Self {
        Annotated {
            design,
            weights: None,
            offset: None,
        }
    }

    /// With these weights.
    ///
    /// # Errors
    /// [`Error::RowsDiffer`] unless there is one row per row of the design, [`Error::Weight`] if a weight is negative or
    /// not finite.
    pub fn with_weights(mut self, weights: Matrix<B>) -> Result<Self, Error> {
        self.check_rows("weights", &weights)?;
        let n_columns = weights.dims()[1];
        if let Some((index, value)) = weights
            .to_vec()
            .into_iter()
            .enumerate()
            .find(|(_, w)| !(w.is_finite() && *w >= 0.0))
        {
            return Err(Error::Weight {
                value,
                row: index / n_columns,
                column: index % n_columns,
            });
        }
        self.weights = Some(weights);
        Ok(self)
    }

    /// With this offset. A row where it is NaN is left out of a fit, and gives NaN in a prediction.
    ///
    /// # Errors
    /// [`Error::RowsDiffer`] unless there is one row per row of the design, [`Error::Infinite`] if a value is infinite.
    pub fn with_offset(mut self, offset: Matrix<B>) -> Result<Self, Error> {
        self.check_rows("offset", &offset)?;
        let n_columns = offset.dims()[1];
        if let Some(index) = offset.to_vec().iter().position(|x| x.is_infinite()) {
            return Err(Error::Infinite {
                name: "offset",
                row: index / n_columns,
                column: index % n_columns,
            });
        }
        self.offset = Some(offset);
        Ok(self)
    }

    fn check_rows(&self, name: &'static str, values: &Matrix<B>) -> Result<(), Error> {
        let [rows, columns] = values.dims();
        if rows != self.design.n_samples() {
            return Err(Error::RowsDiffer {
                left_name: "the design",
                left: self.design.n_samples(),
                right_name: name,
                right: rows,
            });
        }
        if columns == 0 {
            return Err(Error::Empty { name, rows, columns });
        }
        Ok(())
    }
}

impl<B: Backend, D: Design<B>> Design<B> for Annotated<'_, B, D> {
    fn n_samples(&self) -> usize {
        self.design.n_samples()
    }

    fn n_features(&self) -> usize {
        self.design.n_features()
    }

    fn block(&self, rows: Range<usize>) -> Result<Matrix<B>, Error> {
        self.design.block(rows)
    }

    fn gather(&self, rows: &[usize]) -> Result<Matrix<B>, Error> {
        self.design.gather(rows)
    }

    fn weights(&self, rows: Range<usize>) -> Result<Option<Matrix<B>>, Error> {
        self.weights.as_ref().map(|weights| weights.rows(rows)).transpose()
    }

    fn offset(&self, rows: Range<usize>) -> Result<Option<Matrix<B>>, Error> {
        self.offset.as_ref().map(|offset| offset.rows(rows)).transpose()
    }

    fn times(&self) -> Option<&[f64]> {
        self.design.times()
    }

    fn named_blocks(&self) -> Vec<(String, Range<usize>)> {
        self.design.named_blocks()
    }

    fn segments(&self) -> Segments {
        self.design.segments()
    }
}

impl<B: Backend, D: Samples<B>> Samples<B> for Annotated<'_, B, D> {
    type Output = D::Output;

    fn wrap(&self, values: Matrix<B>) -> D::Output {
        self.design.wrap(values)
    }
}

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use super::*;
    use crate::Cpu;

    #[test]
    fn weights_and_offsets_must_fit_the_design() {
        let design = Matrix::<Cpu>::zeros([3, 2]);
        let annotated = || Annotated::new(&design);
        let column = |values: &[f64]| Matrix::<Cpu>::from_column(values.to_vec());
        assert!(matches!(annotated().with_weights(column(&[1.0])), Err(Error::RowsDiffer { .. })));
        assert!(matches!(
            annotated().with_weights(column(&[1.0, -1.0, 0.0])),
            Err(Error::Weight { row: 1, .. })
        ));
        assert!(annotated().with_weights(column(&[1.0, f64::NAN, 0.0])).is_err());
        assert!(matches!(
            annotated().with_offset(column(&[1.0, 0.0, f64::INFINITY])),
            Err(Error::Infinite { row: 2, .. })
        ));
        let both = annotated()
            .with_weights(column(&[1.0, 2.0, 0.0]))
            .unwrap()
            .with_offset(column(&[0.0; 3]))
            .unwrap();
        assert_eq!(both.weights(1..2).unwrap().unwrap().to_vec(), [2.0]);
        assert_eq!(both.n_features(), 2);
    }
}
