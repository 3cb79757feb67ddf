//! Weights and offsets on the host.

use nemos_core::{Backend, HostFloat, Matrix};

/// One value per row, or one per row and neuron: weights, or an offset.
pub(crate) struct PerRow {
    values: Vec<f64>,
    /// Values in a row.
    width: usize,
}

impl PerRow {
    /// Reads `[n_rows, 1]` or `[n_rows, n_neurons]`.
    pub(crate) fn new<B: Backend>(values: &Matrix<B>) -> Self {
        PerRow {
            values: values.to_vec(),
            width: values.dims()[1],
        }
    }

    /// The value of a row and a neuron.
    pub(crate) fn at(&self, row: usize, neuron: usize) -> f64 {
        self.values[row * self.width + neuron % self.width]
    }

    /// Adds to `[n_rows, n_neurons]`.
    pub(crate) fn add_to<E: HostFloat>(&self, to: &mut [E], n_neurons: usize) {
        for (row, values) in to.chunks_exact_mut(n_neurons).zip(self.values.chunks_exact(self.width)) {
            for (neuron, to) in row.iter_mut().enumerate() {
                *to = E::from_f64(to.into_f64() + values[neuron % self.width]);
            }
        }
    }
}
