//! Sums over the rows of a chunk, read back together.

use burn_tensor::{Tensor, TensorPrimitive, Transaction};
use ndarray::Array2;

use super::{Operand, check_launch, heard};
use crate::matrix::primitive;
use crate::{Backend, Error, HostFloat, Matrix, Products, upload};

/// Rows of a part that a device adds up.
const ROWS: usize = 1000;
/// Numbers of one sum that are worth reading back, rather than adding up on the device: few where it compensates what it rounds, a mebibyte
/// elsewhere.
const fn read<B: Backend>() -> usize {
    match B::PRODUCTS {
        Products::Own => 1 << 14,
        _ => 1 << 18,
    }
}

/// Sums over rows that come back from a device together: one wait for all sums of a pass.
///
/// Each call adds one sum; [`read`](Sums::read) gives them in the same order. Rows are added in parts of a thousand at most, and
/// the parts in `f64` or compensated, so that a sum of a million losses is as exact as one of a thousand.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix, Operand, Sums};
/// let features = Operand::new(Matrix::<Cpu>::from_vec(vec![1.0, 2.0, 3.0, 4.0], [2, 2])?);
/// let losses = Matrix::<Cpu>::from_vec(vec![0.5, 1.0, 1.5, 3.0], [2, 2])?.into_tensor();
/// let mut sums = Sums::new();
/// sums.rows(losses.clone());
/// sums.gradient(&features, losses);
/// let sums = sums.read()?;
/// assert_eq!(sums[0], ndarray::array![[2.0, 4.0]]);
/// assert_eq!(sums[1], ndarray::array![[5.0, 10.0], [7.0, 14.0]]);
/// # Ok::<(), nemos_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Sums<B: Backend> {
    sums: Vec<Sum>,
    /// `[n_terms, n_values]` each, in the order of `sums`.
    parts: Vec<Tensor<B::Burn, 2>>,
    /// Panics of devices before.
    panics: usize,
}

impl<B: Backend> Default for Sums<B> {
    fn default() -> Self {
        Sums::new()
    }
}

#[derive(Debug)]
enum Sum {
    Known(Array2<f64>),
    OnDevice { dims: [usize; 2], n_tensors: usize },
}

impl<B: Backend> Sums<B> {
    /// No sums yet.
    pub fn new() -> Self {
        Sums {
            sums: Vec::new(),
            parts: Vec::new(),
            panics: heard::so_far(),
        }
    }

    /// Adds `Xᵀ · S`.
    ///
    /// # Shapes
    /// `slopes`: `[n_rows, n_columns]`; the sum: `[n_features, n_columns]`.
    pub fn gradient(&mut self, features: &Operand<B>, slopes: Tensor<B::Burn, 2>) {
        let [rows, inner] = features.features().dims();
        let dims = [inner, slopes.dims()[1]];
        if rows == 0 || dims.contains(&0) {
            return self.sums.push(Sum::Known(Array2::zeros(dims)));
        }
        let parts = features.gradient_parts(slopes).into_iter().flat_map(|parts| {
            let n_parts = parts.dims()[0];
            let parts = parts.reshape([n_parts, dims[0] * dims[1]]);
            let together = n_parts.div_ceil((read::<B>() / (dims[0] * dims[1])).clamp(1, n_parts));
            if together == 1 {
                vec![parts]
            } else {
                in_parts::<B>(parts, together)
            }
        });
        let parts = parts.collect();
        self.push(dims, parts);
    }

    /// Adds `Σ_t w_t x_t x_tᵀ`, with `w = 1` where there are no weights.
    ///
    /// # Shapes
    /// `weights`: `[n_rows, 1]`; the sum: `[n_features, n_features]`.
    pub fn second_moment(&mut self, features: &Operand<B>, weights: Option<Tensor<B::Burn, 2>>) {
        self.gradient(features, features.weighted(weights));
    }

    /// Adds the sums over rows.
    ///
    /// # Shapes
    /// `values`: `[n_rows, n_columns]`; the sum: `[1, n_columns]`.
    pub fn rows(&mut self, values: Tensor<B::Burn, 2>) {
        let [rows, columns] = values.dims();
        if rows * columns == 0 {
            return self.sums.push(Sum::Known(Array2::zeros([1, columns])));
        }
        check_launch("rows of sums", &[rows, columns]);
        if B::HOST {
            let host = Matrix::<B>::from_tensor(values.clone()).host();
            let known = host.as_slice::<f64>().map(|values| over_rows(values, columns));
            if let Some(known) = known.or_else(|| host.as_slice::<f32>().map(|values| over_rows(values, columns))) {
                return self.sums.push(Sum::Known(known));
            }
        }
        let parts = match B::PRODUCTS {
            Products::Plain => vec![values],
            Products::Own => in_parts::<B>(values, ROWS.max((rows * columns).div_ceil(read::<B>()))),
            Products::InParts | Products::Split => in_parts::<B>(values, ROWS),
        };
        // What is read has one row per part.
        self.push([1, columns], parts);
    }

    /// Adds values as they are.
    ///
    /// # Shapes
    /// Those of `values`.
    pub fn values(&mut self, values: Tensor<B::Burn, 2>) {
        let dims = values.dims();
        if dims.contains(&0) {
            return self.sums.push(Sum::Known(Array2::zeros(dims)));
        }
        self.push(dims, vec![values.reshape([1, dims[0] * dims[1]])]);
    }

    /// The sums, in the order in which they were added: the one place where a pass waits for a device.
    ///
    /// # Errors
    /// [`Error::Device`] if a device fails, at this or anything since the last time it was waited for.
    #[expect(clippy::missing_panics_doc, reason = "invariant: a total has as many values as its shape")]
    pub fn read(self) -> Result<Vec<Array2<f64>>, Error> {
        let mut read = Vec::new().into_iter();
        if !self.parts.is_empty() {
            let mut transaction = Transaction::<B::Burn>::default();
            for part in self.parts {
                transaction = transaction.register(part);
            }
            read = transaction.try_execute().map_err(heard::failed::<B>)?.into_iter();
            heard::none_since::<B>(self.panics)?;
        }
        let total = |sum| match sum {
            Sum::Known(values) => values,
            Sum::OnDevice { dims, n_tensors } => {
                let mut total = vec![0.0; dims[0] * dims[1]];
                for part in read.by_ref().take(n_tensors).map(upload::into_f64) {
                    for values in part.chunks_exact(total.len()) {
                        total.iter_mut().zip(values).for_each(|(total, value)| *total += value);
                    }
                }
                Array2::from_shape_vec(dims, total).expect("as many values as the shape has")
            }
        };
        Ok(self.sums.into_iter().map(total).collect())
    }

    pub(super) fn read_one(self) -> Result<Array2<f64>, Error> {
        Ok(self.read()?.remove(0))
    }

    fn push(&mut self, dims: [usize; 2], parts: Vec<Tensor<B::Burn, 2>>) {
        let n_tensors = parts.len();
        self.parts.extend(parts);
        self.sums.push(Sum::OnDevice { dims, n_tensors });
    }
}

/// `[n_parts, n_columns]` each: sums over the rows of each part.
pub(super) fn in_parts<B: Backend>(values: Tensor<B::Burn, 2>, rows: usize) -> Vec<Tensor<B::Burn, 2>> {
    if B::PRODUCTS == Products::Own
        && let Some(sums) = B::own_sums(primitive::<B, 2>(values.clone()), rows)
    {
        return vec![Tensor::from_primitive(TensorPrimitive::Float(sums))];
    }
    let [n_rows, n_columns] = values.dims();
    let n_parts = n_rows / rows;
    let mut parts = Vec::new();
    if n_parts > 0 {
        let whole = values.clone().narrow(0, 0, n_parts * rows).reshape([n_parts, rows, n_columns]);
        parts.push(whole.sum_dim(1).reshape([n_parts, n_columns]));
    }
    if n_parts * rows < n_rows {
        parts.push(values.narrow(0, n_parts * rows, n_rows - n_parts * rows).sum_dim(0));
    }
    parts
}

fn over_rows<F: HostFloat>(values: &[F], columns: usize) -> Array2<f64> {
    let mut sums = Array2::zeros([1, columns]);
    for row in values.chunks_exact(columns) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value.into_f64());
    }
    sums
}
