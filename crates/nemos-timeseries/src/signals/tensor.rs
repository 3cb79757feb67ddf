//! Signals whose samples are arrays: images along time.

use ndarray::ArrayD;
use nemos_core::{Backend, Matrix, Names};

use super::kind::Kind;
use super::signal::{Signal, check_rows};
use crate::Error;
use crate::times::Ts;

/// A signal whose samples are arrays of one shape: calcium movies, spectrograms, perievent matrices.
///
/// # Shapes
/// `[n_samples, …shape]`; as a matrix `[n_samples, n_values]`, the last axis fastest.
///
/// # Example
/// ```
/// use ndarray::ArrayD;
/// use nemos_core::Cpu;
/// use nemos_timeseries::{Ts, TsdTensor};
/// let movie = TsdTensor::<Cpu>::from_array(Ts::regular(0.0, 0.1, 5)?, &ArrayD::zeros(vec![5, 2, 3]))?;
/// assert_eq!(movie.between(0.1, 0.35).to_array().shape(), [3, 2, 3]);
/// # Ok::<(), nemos_timeseries::Error>(())
/// ```
pub type TsdTensor<B> = Signal<B, Tensor>;

/// Samples that are arrays of one shape: the kind of a [`TsdTensor`].
#[derive(Clone, Debug)]
pub struct Tensor {
    shape: Vec<usize>,
}

impl Kind for Tensor {
    fn names(&self) -> Names {
        Names::none()
    }
}

impl<B: Backend> Signal<B, Tensor> {
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
        Ok(Signal::assembled(axis, values, Tensor { shape }))
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
        &self.kind().shape
    }

    /// The values, `[n_samples, …shape]`.
    #[expect(clippy::missing_panics_doc, reason = "invariant: the shape was checked when it was made")]
    pub fn to_array(&self) -> ArrayD<f64> {
        let shape: Vec<usize> = [self.len()].into_iter().chain(self.shape().iter().copied()).collect();
        ArrayD::from_shape_vec(shape, self.values().to_vec()).expect("the shape was checked when it was made")
    }
}
