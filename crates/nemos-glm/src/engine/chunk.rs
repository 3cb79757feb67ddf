//! Some rows of the data.

use nemos_core::{Backend, Matrix};

use crate::engine::selection::ChunkRows;

/// Some rows of the data: all columns of the counts, of weights and of the offset.
#[derive(Clone, Debug)]
pub(crate) struct Chunk<B: Backend> {
    /// `[n_rows, n_features]`; nothing in a pass that needs none.
    pub(crate) features: Option<Matrix<B>>,
    /// `[n_rows, n_responses]`, NaN where missing.
    pub(crate) counts: Matrix<B>,
    /// Whether it is known that no count is missing.
    pub(crate) is_whole: bool,
    /// `[n_rows, 1]`, or as many columns as there are kinds of weights.
    pub(crate) weights: Option<Matrix<B>>,
    /// `[n_rows, 1]` or `[n_rows, n_responses]`.
    pub(crate) offset: Option<Matrix<B>>,
    /// The number of each row in the whole data.
    pub(crate) rows: RowNumbers,
}

/// The numbers that rows have in the whole data.
#[derive(Clone, Debug)]
pub(crate) enum RowNumbers {
    Of(ChunkRows),
    Listed(Vec<usize>),
}

impl RowNumbers {
    /// The number of one row of the chunk.
    pub(crate) fn at(&self, index: usize) -> usize {
        match self {
            RowNumbers::Of(rows) => rows.row(index),
            RowNumbers::Listed(rows) => rows[index],
        }
    }
}

impl<B: Backend> Chunk<B> {
    /// The same rows with a centre taken off their features.
    pub(crate) fn less(&self, centre: &[f64]) -> Self {
        let less = |features: &Matrix<B>| Matrix::from_tensor(features.clone().into_tensor() - crate::engine::tensors::row::<B>(centre));
        Chunk {
            features: self.features.as_ref().map(less),
            ..self.clone()
        }
    }

    /// How many rows.
    pub(crate) fn n_rows(&self) -> usize {
        self.counts.dims()[0]
    }
}
