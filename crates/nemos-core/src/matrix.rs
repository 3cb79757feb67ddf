//! Matrices: `[n_samples, n_columns]` on a backend.

use std::ops::Range;

use burn_tensor::{DType, Int, Tensor, TensorData, TensorPrimitive};
use ndarray::{Array2, ArrayView2};

use crate::device::{check_launch, heard, products};
use crate::{Backend, Error, HostFloat, HostRows, check_columns_exist, check_rows_exist, upload};

/// A matrix on `B::device()` in `B::DTYPE`; time is always the first axis.
///
/// Cloning is cheap: values are shared.
///
/// # Shapes
/// `[n_samples, n_columns]`, row after row in memory.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// let samples = Matrix::<Cpu>::from_vec(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [3, 2])?;
/// assert_eq!(samples.rows(1..3)?.to_vec(), [3.0, 4.0, 5.0, 6.0]);
/// # Ok::<(), nemos_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Matrix<B: Backend>(Tensor<B::Burn, 2>);

impl<B: Backend> Matrix<B> {
    /// A matrix of these values, given row after row.
    ///
    /// # Errors
    /// [`Error::ValuesDoNotFill`] unless there are `rows × columns` values; [`Error::Device`] where the device of the backend cannot be used;
    /// [`Error::Buffer`] where it cannot hold them.
    pub fn from_vec(values: Vec<f64>, [rows, columns]: [usize; 2]) -> Result<Self, Error> {
        if values.len() != rows * columns {
            return Err(Error::ValuesDoNotFill {
                values: values.len(),
                rows,
                columns,
            });
        }
        Self::try_upload(upload::in_precision::<B, f64>(values), [rows, columns])
    }

    /// A matrix of values in host precision, given row after row: no copy where that is the backend's precision.
    ///
    /// # Errors
    /// As [`from_vec`](Matrix::from_vec).
    pub fn from_host<E: HostFloat>(values: Vec<E>, [rows, columns]: [usize; 2]) -> Result<Self, Error> {
        if values.len() != rows * columns {
            return Err(Error::ValuesDoNotFill {
                values: values.len(),
                rows,
                columns,
            });
        }
        Self::try_upload(upload::in_precision::<B, E>(values), [rows, columns])
    }

    /// A matrix of one column.
    ///
    /// # Panics
    /// Where the device of the backend cannot be used ([`Backend::check`]).
    pub fn from_column(values: Vec<f64>) -> Self {
        let rows = values.len();
        Self::from_checked(values, [rows, 1])
    }

    /// A matrix of zeros.
    ///
    /// # Panics
    /// Where the device of the backend cannot be used ([`Backend::check`]).
    pub fn zeros(dims: [usize; 2]) -> Self {
        fine(usable::<B>(dims));
        if dims.contains(&0) {
            return Self::empty(dims);
        }
        Matrix(Tensor::zeros(dims, (&B::device(), B::DTYPE)))
    }

    /// A matrix without elements. It is allocated but never computed: a device may refuse to launch on nothing.
    fn empty(dims: [usize; 2]) -> Self {
        Matrix(Tensor::empty(dims, (&B::device(), B::DTYPE)))
    }

    pub(crate) fn from_checked(values: Vec<f64>, dims: [usize; 2]) -> Self {
        Self::upload(upload::in_precision::<B, f64>(values), dims)
    }

    fn upload(values: TensorData, dims: [usize; 2]) -> Self {
        fine(Self::try_upload(values, dims))
    }

    fn try_upload(values: TensorData, dims: [usize; 2]) -> Result<Self, Error> {
        usable::<B>(dims)?;
        if dims.contains(&0) {
            return Ok(Self::empty(dims));
        }
        let data = TensorData {
            shape: dims.into(),
            ..values
        };
        Ok(Matrix(Tensor::from_data(data, (&B::device(), B::DTYPE))))
    }

    /// A copy of an array.
    ///
    /// # Panics
    /// Where the device of the backend cannot be used ([`Backend::check`]).
    pub fn from_array(array: ArrayView2<'_, f64>) -> Self {
        Self::upload(upload::array_in_precision::<B>(array), array.dim().into())
    }

    /// Takes a tensor in, moving it to the backend's device and precision if it is elsewhere.
    pub fn from_tensor(tensor: Tensor<B::Burn, 2>) -> Self {
        if tensor.dims().contains(&0) {
            return Self::empty(tensor.dims());
        }
        let tensor = tensor.to_device(&B::device());
        Matrix(if tensor.dtype() == B::DTYPE {
            tensor
        } else {
            tensor.cast(B::DTYPE)
        })
    }

    /// The tensor inside.
    pub fn into_tensor(self) -> Tensor<B::Burn, 2> {
        self.0
    }

    /// Rows and columns.
    pub fn dims(&self) -> [usize; 2] {
        self.0.dims()
    }

    /// The values, row after row.
    ///
    /// # Panics
    /// If the device fails; [`try_to_vec`](Matrix::try_to_vec) gives an error then.
    pub fn to_vec(&self) -> Vec<f64> {
        fine(self.try_to_vec())
    }

    /// The values, row after row.
    ///
    /// # Errors
    /// [`Error::Device`] if the device fails, at this or anything since the last time it was waited for.
    pub fn try_to_vec(&self) -> Result<Vec<f64>, Error> {
        if self.dims().contains(&0) {
            return Ok(Vec::new());
        }
        let data = self.0.clone().try_into_data().map_err(heard::failed::<B>)?;
        heard::none_untold::<B>()?;
        Ok(upload::into_f64(data))
    }

    /// The values as an array.
    ///
    /// # Panics
    /// If the device fails; [`try_to_array`](Matrix::try_to_array) gives an error then.
    pub fn to_array(&self) -> Array2<f64> {
        fine(self.try_to_array())
    }

    /// The values as an array.
    ///
    /// # Errors
    /// As [`try_to_vec`](Matrix::try_to_vec).
    #[expect(clippy::missing_panics_doc, reason = "invariant: a matrix holds rows × columns values")]
    pub fn try_to_array(&self) -> Result<Array2<f64>, Error> {
        let values = self.try_to_vec()?;
        Ok(Array2::from_shape_vec(self.dims(), values).expect("a matrix holds rows × columns values"))
    }

    /// The rows in this range; shares the values where the backend can.
    ///
    /// # Errors
    /// [`Error::RowsOutside`] if there are no such rows.
    pub fn rows(&self, rows: Range<usize>) -> Result<Self, Error> {
        let available = self.dims()[0];
        check_rows_exist(&rows, available)?;
        if rows.len() == available {
            return Ok(self.clone());
        }
        let dims = [rows.len(), self.dims()[1]];
        if dims.contains(&0) {
            return Ok(Self::empty(dims));
        }
        Ok(Matrix(self.launched("rows").narrow(0, rows.start, rows.len())))
    }

    /// The rows of these numbers, in this order.
    ///
    /// # Errors
    /// [`Error::RowsOutside`] if one of them does not exist.
    pub fn select_rows(&self, rows: &[usize]) -> Result<Self, Error> {
        let available = self.dims()[0];
        if let Some(&start) = rows.iter().find(|&&row| row >= available) {
            return Err(Error::RowsOutside {
                start,
                end: start + 1,
                available,
            });
        }
        let dims = [rows.len(), self.dims()[1]];
        if dims.contains(&0) {
            return Ok(Self::empty(dims));
        }
        Ok(Matrix(self.launched("select_rows").select(0, indices::<B>(rows))))
    }

    /// The columns of these numbers, in this order.
    ///
    /// # Errors
    /// [`Error::ColumnOutside`] if one of them does not exist.
    pub fn select_columns(&self, columns: &[usize]) -> Result<Self, Error> {
        check_columns_exist(columns, self.dims()[1])?;
        let dims = [self.dims()[0], columns.len()];
        if dims.contains(&0) {
            return Ok(Self::empty(dims));
        }
        // In place: what burn selects from a part of a tensor, it copies first, with all columns.
        let (host, width) = (self.host(), self.dims()[1]);
        let picked = match B::DTYPE {
            DType::F32 => host.as_slice::<f32>().map(|values| pick(values, width, columns)),
            _ => host.as_slice::<f64>().map(|values| pick(values, width, columns)),
        };
        match picked {
            Some(values) => Self::try_upload(values, dims),
            None => Ok(Matrix(self.launched("select_columns").select(1, indices::<B>(columns)))),
        }
    }

    /// Matrices side by side.
    ///
    /// # Errors
    /// [`Error::RowsDiffer`] unless all have the same number of rows; [`Error::Empty`] if there is none.
    pub fn beside(parts: Vec<Self>) -> Result<Self, Error> {
        let Some(first) = parts.first() else {
            return Err(Error::Empty {
                name: "the list of parts",
                rows: 0,
                columns: 0,
            });
        };
        let left = first.dims()[0];
        if let Some(other) = parts.iter().find(|part| part.dims()[0] != left) {
            return Err(Error::RowsDiffer {
                left_name: "the first part",
                left,
                right_name: "another part",
                right: other.dims()[0],
            });
        }
        let columns = parts.iter().map(|part| part.dims()[1]).sum();
        let mut tensors: Vec<_> = parts
            .into_iter()
            .filter(|part| !part.dims().contains(&0))
            .map(|part| part.0)
            .collect();
        Ok(match tensors.len() {
            0 => Self::empty([left, columns]),
            1 => Matrix(tensors.remove(0)),
            _ => Matrix(Tensor::cat(tensors, 1)),
        })
    }

    /// Matrices below each other.
    ///
    /// # Errors
    /// [`Error::Columns`] unless all have the same number of columns; [`Error::Empty`] if there is none.
    pub fn stack(parts: Vec<Self>) -> Result<Self, Error> {
        let Some(first) = parts.first() else {
            return Err(Error::Empty {
                name: "the list of parts",
                rows: 0,
                columns: 0,
            });
        };
        let expected = first.dims()[1];
        if let Some(other) = parts.iter().find(|part| part.dims()[1] != expected) {
            return Err(Error::Columns {
                name: "a part",
                got: other.dims()[1],
                expected,
                why: "one per column of the first part",
            });
        }
        let rows = parts.iter().map(|part| part.dims()[0]).sum();
        let mut tensors: Vec<_> = parts
            .into_iter()
            .filter(|part| !part.dims().contains(&0))
            .map(|part| part.0)
            .collect();
        Ok(match tensors.len() {
            0 => Self::empty([rows, expected]),
            1 => Matrix(tensors.remove(0)),
            _ => Matrix(Tensor::cat(tensors, 0)),
        })
    }

    /// The matrix product with `right`.
    ///
    /// # Errors
    /// [`Error::Columns`] unless `self` has as many columns as `right` has rows.
    pub fn matmul(&self, right: &Matrix<B>) -> Result<Self, Error> {
        let ([rows, inner], [needed, columns]) = (self.dims(), right.dims());
        if inner != needed {
            return Err(Error::Columns {
                name: "the left matrix",
                got: inner,
                expected: needed,
                why: "one per row of the right matrix",
            });
        }
        if rows * inner * columns == 0 {
            return Ok(Self::zeros([rows, columns]));
        }
        Ok(Matrix(products::multiply::<B>(self.launched("matmul"), right.launched("matmul"))))
    }

    /// The tensor of an operation that a device runs. A matrix without elements never gets that far.
    fn launched(&self, operation: &'static str) -> Tensor<B::Burn, 2> {
        check_launch(operation, &self.dims());
        self.0.clone()
    }

    /// The first value that is as asked for, and its place row after row; values in host memory are looked at in place.
    pub(crate) fn find(&self, wanted: impl Fn(f64) -> bool) -> Result<Option<(usize, f64)>, Error> {
        let found = |values: &mut dyn Iterator<Item = f64>| values.enumerate().find(|(_, value)| wanted(*value));
        let host = self.host();
        if let Some(values) = host.as_slice::<f64>() {
            return Ok(found(&mut values.iter().copied()));
        }
        if let Some(values) = host.as_slice::<f32>() {
            return Ok(found(&mut values.iter().copied().map(f64::from)));
        }
        Ok(found(&mut self.try_to_vec()?.into_iter()))
    }

    /// Moves the values to another backend, rounding where it is less precise.
    pub fn to_backend<C: Backend>(&self) -> Matrix<C> {
        Matrix::from_checked(self.to_vec(), self.dims())
    }

    /// The values in host memory without a copy, if the backend keeps them there. Rows that are not contiguous are
    /// made so first.
    pub fn host(&self) -> HostRows<B> {
        // `into_primitive` on a clone shares the values; a transposed tensor is copied into rows here.
        let host = HostRows::new(primitive::<B, 2>(self.0.clone()));
        if !B::HOST || self.dims().contains(&0) || host.as_slice::<f64>().is_some() || host.as_slice::<f32>().is_some() {
            return host;
        }
        HostRows::new(primitive::<B, 2>(self.launched("host").add_scalar(0.0)))
    }
}

/// These columns of rows of some width.
fn pick<E: HostFloat>(values: &[E], width: usize, columns: &[usize]) -> TensorData {
    let rows = values.chunks_exact(width);
    let mut picked = Vec::with_capacity(rows.len() * columns.len());
    for row in rows {
        picked.extend(columns.iter().map(|&column| row[column]));
    }
    TensorData::new(picked, [values.len() / width, columns.len()])
}

/// That the device is there, and can hold a matrix of this shape.
fn usable<B: Backend>([rows, columns]: [usize; 2]) -> Result<(), Error> {
    B::check()?;
    let bytes = rows as f64 * columns as f64 * B::DTYPE.size() as f64;
    // Every device holds as much as this.
    const ALWAYS: f64 = (1 << 26) as f64;
    let largest = if bytes > ALWAYS { B::largest_tensor() } else { None };
    match largest.filter(|&largest| bytes > largest as f64) {
        Some(largest) => Err(Error::Buffer {
            backend: B::NAME,
            rows,
            columns,
            bytes,
            largest: largest as f64,
        }),
        None => Ok(()),
    }
}

/// For calls that have no error to give: what went wrong is said in its own words, rather than in those of what fell over it.
#[track_caller]
fn fine<R>(result: Result<R, Error>) -> R {
    result.unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn primitive<B: Backend, const D: usize>(tensor: Tensor<B::Burn, D>) -> burn_tensor::ops::FloatTensor<B::Burn> {
    match tensor.into_primitive() {
        TensorPrimitive::Float(values) => values,
        TensorPrimitive::QFloat(_) => unreachable!("a matrix is never quantised: every constructor makes floats"),
    }
}

fn indices<B: Backend>(rows: &[usize]) -> Tensor<B::Burn, 1, Int> {
    let rows: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
    Tensor::from_data(TensorData::new(rows.clone(), [rows.len()]), &B::device())
}
