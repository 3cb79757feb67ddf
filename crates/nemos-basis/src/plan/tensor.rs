//! Rows of a plan in tensor operations, where values are not in host memory.

use std::ops::Range;

use nemos_core::tensor::{Tensor, TensorData, backend::Backend as BurnBackend};
use nemos_core::{Backend, Design, Error, Matrix, Segments, check_rows_exist};

use super::atom::{Atom, Work};
use super::host::{Data, View};
use super::{Part, Plan};

type Tensor3<B> = Tensor<<B as Backend>::Burn, 3>;

/// Rows of the inputs on the device.
struct Device<'a, B: Backend> {
    inputs: Vec<(Matrix<B>, usize)>,
    segments: &'a [Range<usize>],
}

impl Plan {
    /// The features of these rows: in loops over host memory where the backend has its values there, else in tensor operations.
    ///
    /// Both give the same rows to the last bit however they are asked for, because every row is summed in the same order; filters
    /// that run as Fourier transforms are the exception.
    pub(crate) fn rows<B: Backend>(&self, inputs: &[Design<'_, B>], segments: &Segments, rows: Range<usize>) -> Result<Matrix<B>, Error> {
        let n_samples = inputs.first().map_or(0, Design::n_rows);
        check_rows_exist(&rows, n_samples)?;
        let n_features = self.n_features;
        if rows.is_empty() || n_features == 0 {
            return Ok(Matrix::zeros([rows.len(), n_features]));
        }
        let needed = self.needed(&rows, n_samples, inputs.len());
        let mut chunks = Vec::with_capacity(inputs.len());
        for (input, needed) in inputs.iter().zip(needed) {
            chunks.push((input.chunk(needed.clone())?, needed.start));
        }
        let segments = segments.ranges();
        if B::HOST {
            return self.rows_on_host(&chunks, segments, rows);
        }
        let device = Device { inputs: chunks, segments };
        let mut terms = Vec::new();
        for (part, _) in self.terms.iter().filter(|(part, _)| part.functions() * part.channels() > 0) {
            let values = part.tensor(&device, rows.clone());
            let [n_rows, channels, functions] = values.dims();
            terms.push(values.reshape([n_rows, channels * functions]));
        }
        Ok(Matrix::from_tensor(Tensor::cat(terms, 1)))
    }

    fn rows_on_host<B: Backend>(
        &self,
        chunks: &[(Matrix<B>, usize)],
        segments: &[Range<usize>],
        rows: Range<usize>,
    ) -> Result<Matrix<B>, Error> {
        let handles: Vec<_> = chunks.iter().map(|(chunk, _)| chunk.host()).collect();
        let widened: Vec<Option<Vec<f64>>> = chunks
            .iter()
            .zip(&handles)
            .map(|((chunk, _), handle)| handle.as_slice::<f64>().is_none().then(|| chunk.to_vec()))
            .collect();
        let views = chunks
            .iter()
            .zip(&handles)
            .zip(&widened)
            .map(|(((chunk, first_row), handle), widened)| View {
                values: widened.as_deref().or_else(|| handle.as_slice()).unwrap_or_default(),
                first_row: *first_row,
                n_columns: chunk.dims()[1],
            });
        let data = Data {
            views: views.collect(),
            segments,
        };
        let dims = [rows.len(), self.n_features];
        if B::DTYPE == nemos_core::tensor::DType::F32 {
            Matrix::from_host(self.host_rows_single(&data, rows), dims)
        } else {
            Matrix::from_host(self.host_rows(&data, rows), dims)
        }
    }
}

impl Part {
    /// `[n_rows, n_channels, n_functions]`; there is at least one of each.
    fn tensor<B: Backend>(&self, device: &Device<'_, B>, rows: Range<usize>) -> Tensor3<B> {
        match self {
            Part::Atom(atom) => atom.tensor(device, rows),
            Part::Sum(left, right) => {
                let parts = [left, right].into_iter().filter(|part| part.functions() > 0);
                Tensor::cat(parts.map(|part| part.tensor(device, rows.clone())).collect(), 2)
            }
            Part::Product(left, right) => {
                let dims = [rows.len(), self.channels(), self.functions()];
                let left: Tensor<B::Burn, 4> = left.tensor(device, rows.clone()).unsqueeze_dim(3);
                let right: Tensor<B::Burn, 4> = right.tensor(device, rows).unsqueeze_dim(2);
                (left * right).reshape(dims)
            }
        }
    }
}

impl Atom {
    fn tensor<B: Backend>(&self, device: &Device<'_, B>, rows: Range<usize>) -> Tensor3<B> {
        let inputs = &device.inputs[self.inputs.clone()];
        match &self.work {
            Work::Filter { kernel, lead } => {
                let (samples, first_row) = &inputs[0];
                kernel.tensor(&samples.clone().into_tensor(), *first_row, (device.segments, *lead), rows)
            }
            Work::Stored(stored) => {
                let width = self.columns * self.functions;
                let values = stored[rows.start * width..rows.end * width].to_vec();
                self.upload::<B>(values, rows.len())
            }
            Work::Pointwise { kind, scales, .. } => {
                let samples: Vec<Tensor<B::Burn, 2>> = inputs
                    .iter()
                    .map(|(samples, first_row)| samples.clone().into_tensor().narrow(0, rows.start - first_row, rows.len()))
                    .collect();
                let row = |value: &dyn Fn(usize) -> f64| -> Tensor<B::Burn, 2> {
                    let data = TensorData::new((0..self.columns).map(value).collect::<Vec<_>>(), [1, self.columns]);
                    Tensor::from_data(data.convert_dtype(B::DTYPE), (&B::device(), B::DTYPE))
                };
                let units = samples.iter().zip(scales).map(|(samples, scales)| {
                    let unit = (samples.clone() - row(&|column| scales[column].low)) / row(&|column| scales[column].span);
                    // What is outside is overwritten; what is a bound may be a rounding beyond it.
                    let is_bounded = self.outside.is_some() && scales.iter().all(|scale| scale.is_bounded());
                    let unit = if is_bounded { unit.clamp(0.0, 1.0) } else { unit };
                    unit.reshape([rows.len() * self.columns, 1])
                });
                let units = Tensor::cat(units.collect(), 1);
                let values = match kind.tensor(units) {
                    Some(values) => values.reshape([rows.len(), self.columns, self.functions]),
                    None => return self.on_host(device, rows),
                };
                let values = if kind.spec().is_density() {
                    values / row(&|column| scales[0][column].span).unsqueeze_dim::<3>(2)
                } else {
                    values
                };
                self.filled(self.or_missing(values, &samples), &samples, row)
            }
        }
    }

    /// NaN where a sample is: a clamp may take one for a number, as shaders are allowed to.
    fn or_missing<T: BurnBackend>(&self, values: Tensor<T, 3>, samples: &[Tensor<T, 2>]) -> Tensor<T, 3> {
        if self.outside.is_none() {
            return values;
        }
        let dims = values.dims();
        samples.iter().fold(values, |values, samples| {
            let missing = samples.clone().is_nan().unsqueeze_dim::<3>(2);
            values.mask_fill(missing.expand(dims), f32::NAN)
        })
    }

    /// Overwrites all channels of a row where one of them is outside the bounds.
    fn filled<T: BurnBackend>(
        &self,
        values: Tensor<T, 3>,
        samples: &[Tensor<T, 2>],
        row: impl Fn(&dyn Fn(usize) -> f64) -> Tensor<T, 2>,
    ) -> Tensor<T, 3> {
        let Some((bounds, fill)) = &self.outside else {
            return values;
        };
        let dims = values.dims();
        samples.iter().zip(bounds).fold(values, |values, (samples, bounds)| {
            let below = samples.clone().lower(row(&|column| bounds[column].0).expand(samples.dims()));
            let above = samples.clone().greater(row(&|column| bounds[column].1).expand(samples.dims()));
            let outside = below.bool_or(above).any_dim(1).unsqueeze_dim::<3>(2);
            values.mask_fill(outside.expand(dims), *fill)
        })
    }

    /// What only the host can compute: read back, computed there, and brought back.
    fn on_host<B: Backend>(&self, device: &Device<'_, B>, rows: Range<usize>) -> Tensor3<B> {
        let values: Vec<Vec<f64>> = device.inputs.iter().map(|(samples, _)| samples.to_vec()).collect();
        let views = device.inputs.iter().zip(&values).map(|((samples, first_row), values)| View {
            values,
            first_row: *first_row,
            n_columns: samples.dims()[1],
        });
        let data = Data {
            views: views.collect(),
            segments: device.segments,
        };
        self.upload::<B>(self.alone_on_host(&data, &rows), rows.len())
    }

    fn upload<B: Backend>(&self, values: Vec<f64>, n_rows: usize) -> Tensor3<B> {
        let data = TensorData::new(values, [n_rows, self.channels(), self.functions]).convert_dtype(B::DTYPE);
        Tensor::from_data(data, (&B::device(), B::DTYPE))
    }
}
