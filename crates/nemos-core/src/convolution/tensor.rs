//! Convolution in tensor operations.

use std::ops::Range;

use burn_tensor::module::conv1d;
use burn_tensor::ops::ConvOptions;
use burn_tensor::{Tensor, TensorData, backend::Backend as BurnBackend};

use crate::convolution::Kernel;

impl Kernel {
    /// These rows of every column of samples, in tensor operations: NaN where the window leaves its segment.
    ///
    /// # Shapes
    /// `samples: [.., n_columns]`, of which the first has the row number `first_row`, give `[n_rows, n_columns, n_functions]`.
    pub fn tensor<T: BurnBackend>(
        &self,
        samples: &Tensor<T, 2>,
        first_row: usize,
        (segments, lead): (&[Range<usize>], isize),
        rows: Range<usize>,
    ) -> Tensor<T, 3> {
        let (device, precision) = (samples.device(), samples.dtype());
        let [_, columns] = samples.dims();
        let missing = |n_rows: usize| Tensor::full([n_rows, columns, self.n_functions()], f64::NAN, (&device, precision));
        // What slides over the series is the kernel with its oldest lag first: [n_functions, 1, window].
        let (n, window) = (self.n_functions(), self.window());
        let flipped = (0..n).flat_map(|function| (0..window).rev().map(move |lag| self.values()[lag * n + function]));
        let weight = TensorData::new(flipped.collect::<Vec<_>>(), [n, 1, window]).convert_dtype(precision);
        let weight = Tensor::<T, 3>::from_data(weight, (&device, precision));
        let mut pieces = Vec::new();
        let mut next = rows.start;
        for segment in segments {
            let complete = self.complete(segment, lead, &rows);
            if complete.is_empty() {
                continue;
            }
            if next < complete.start {
                pieces.push(missing(complete.start - next));
            }
            let oldest = complete.start.strict_add_signed(lead) + 1 - window;
            let series = samples.clone().narrow(0, oldest - first_row, complete.len() + window - 1);
            pieces.push(if self.is_lags() {
                let lag = |lag: usize| series.clone().narrow(0, window - 1 - lag, complete.len()).unsqueeze_dim(2);
                Tensor::cat((0..window).map(lag).collect(), 2)
            } else {
                let series = series.swap_dims(0, 1).unsqueeze_dim(1);
                conv1d(series, weight.clone(), None, ConvOptions::new([1], [0], [1], 1)).permute([2, 0, 1])
            });
            next = complete.end;
        }
        if next < rows.end {
            pieces.push(missing(rows.end - next));
        }
        Tensor::cat(pieces, 0)
    }
}
