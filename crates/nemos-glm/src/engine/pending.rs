//! Sums that a device has not given back yet.

use ndarray::Array2;
use nemos_core::tensor::Tensor;
use nemos_core::{Backend, Error, Operand, Sums};

use crate::engine::numbers::{Numbers, pack_matrices};
use crate::engine::shards::Sum;

/// Sums over the rows of many chunks, the same ones for each chunk, in the same order. A device is waited for once, at the end of
/// a pass, where its results can wait that long.
pub(crate) struct Pending<B: Backend> {
    sums: Sums<B>,
    /// Sums of each chunk, once that is known.
    per_chunk: Option<usize>,
    /// Sums that wait, and numbers in them.
    waiting: (usize, usize),
    /// What was read before.
    total: Vec<Array2<f64>>,
}

// Numbers that wait on a device at a time.
const WAITING: usize = 1 << 24;

impl<B: Backend> Pending<B> {
    pub(crate) fn new() -> Self {
        Pending {
            sums: Sums::new(),
            per_chunk: None,
            waiting: (0, 0),
            total: Vec::new(),
        }
    }

    /// `[1, n_columns]`: the sums over rows.
    pub(crate) fn rows(&mut self, values: Tensor<B::Burn, 2>) {
        self.wait_for(values.dims()[1]);
        self.sums.rows(values);
    }

    /// `[n_features, n_columns]`: features transposed times slopes.
    pub(crate) fn gradient(&mut self, features: &Operand<B>, slopes: Tensor<B::Burn, 2>) {
        self.wait_for(features.features().dims()[1] * slopes.dims()[1]);
        self.sums.gradient(features, slopes);
    }

    /// `[n_columns of the rows, n_columns of the rows]` for each column of weights: `Σₜ wₜ xₜ xₜᵀ`.
    pub(crate) fn second_moments(&mut self, rows: &Operand<B>, weights: &Tensor<B::Burn, 2>) {
        for column in 0..weights.dims()[1] {
            self.wait_for(rows.features().dims()[1].pow(2));
            self.sums.second_moment(rows, Some(weights.clone().narrow(1, column, 1)));
        }
    }

    fn wait_for(&mut self, numbers: usize) {
        self.waiting = (self.waiting.0 + 1, self.waiting.1 + numbers);
    }

    /// Says that a chunk is complete: reads what waits where there is much of it, or where reading costs nothing.
    pub(crate) fn end_of_chunk(&mut self) -> Result<(), Error> {
        self.per_chunk.get_or_insert(self.waiting.0);
        if B::HOST || self.waiting.1 > WAITING {
            self.settle()?;
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), Error> {
        let per_chunk = self.per_chunk.unwrap_or(1).max(1);
        for (place, values) in std::mem::take(&mut self.sums).read()?.into_iter().enumerate() {
            match self.total.get_mut(place % per_chunk) {
                Some(total) => *total += &values,
                None => self.total.push(values),
            }
        }
        self.waiting = (0, 0);
        Ok(())
    }

    /// The sums over all chunks, in the order in which those of a chunk were added; none where there were no chunks.
    pub(crate) fn finish(mut self) -> Result<Vec<Array2<f64>>, Error> {
        self.settle()?;
        Ok(self.total)
    }
}

impl<B: Backend> Sum for Pending<B> {
    fn merge(&mut self, later: Self) {
        // Only where values are in host memory are there several shards, and nothing waits there.
        if self.total.is_empty() {
            *self = later;
            return;
        }
        self.total.iter_mut().zip(&later.total).for_each(|(a, b)| *a += b);
    }

    fn pack(&self, to: &mut Vec<f64>) {
        pack_matrices(&self.total, to);
    }

    fn unpack(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        self.total = from.matrices()?;
        Some(())
    }
}
