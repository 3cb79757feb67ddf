//! Signals whose samples are arrays: images along time.

use ndarray::ArrayD;
use nemos_core::{Backend, Matrix};

use crate::frame::check_rows;
use crate::{Error, Signal, Ts};

/// A signal whose samples are arrays of one shape: calcium movies, spectrograms, perievent matrices.
///
/// # Shapes
/// `[n_samples, …shape]`; as a matrix `[n_samples, n_values]`, the last axis fastest.
///
/// # Example
/// ```
/// use ndarray::ArrayD;
/// use nemos_core::Cpu;
/// use nemos_timeseries::{Signal, Ts, TsdTensor};
/// let movie = TsdTensor::<Cpu>::from_array(Ts::regular(0.0, 0.1, 5)?, &ArrayD::zeros(vec![5, 2, 3]))?;
/// assert_eq!(movie.between(0.1, 0.35).to_array().shape(), [3, 2, 3]);
/// # Ok::<(), nemos_timeseries::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TsdTensor<B: Backend> {
    axis: Ts,
    values: Matrix<B>,
    shape: Vec<usize>,
}

impl<B: Backend> TsdTensor<B> {
    /// Samples of this shape, each a row of the matrix, the last axis fastest.
    ///
    /// # Errors
    /// [`Error::Data`] unless there is one row per time, and one column per value of the shape.
    pub fn new(axis: Ts, values: Matrix<B>, shape: impl Into<Vec<usize>>) -> Result<Self, Error> {
        let shape = shape.into();
        check_rows(&axis, &values)?;
        let expected = shape.iter().product();
        if values.dims()[1] != expected {
            return Err(Error::Data(nemos_core::Error::Columns {
                name: "the tensor",
                got: values.dims()[1],
                expected,
                why: "one per value of a sample",
            }));
        }
        Ok(TsdTensor { axis, values, shape })
    }

    /// Samples along the first axis of an array.
    ///
    /// # Errors
    /// [`Error::Data`] unless the first axis has one entry per time.
    pub fn from_array(axis: Ts, values: &ArrayD<f64>) -> Result<Self, Error> {
        let (n_samples, shape) = values.shape().split_first().map_or((1, [].as_slice()), |(n, shape)| (*n, shape));
        let matrix = Matrix::from_vec(values.iter().copied().collect(), [n_samples, shape.iter().product()])?;
        Self::new(axis, matrix, shape)
    }

    /// The shape of a sample.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.axis.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.axis.is_empty()
    }

    /// The values, `[n_samples, …shape]`.
    #[expect(clippy::missing_panics_doc, reason = "invariant: the shape was checked when it was made")]
    pub fn to_array(&self) -> ArrayD<f64> {
        let shape: Vec<usize> = [self.len()].into_iter().chain(self.shape.iter().copied()).collect();
        ArrayD::from_shape_vec(shape, self.values.to_vec()).expect("the shape was checked when it was made")
    }
}

impl<B: Backend> Signal<B> for TsdTensor<B> {
    fn axis(&self) -> &Ts {
        &self.axis
    }

    fn values(&self) -> &Matrix<B> {
        &self.values
    }

    fn with_values(&self, axis: Ts, values: Matrix<B>) -> Self {
        TsdTensor {
            axis,
            values,
            shape: self.shape.clone(),
        }
    }
}
