//! What a pass over the data reads: features, counts, weights and offsets of some rows.

use nemos_core::tensor::{Bool, Tensor};
use nemos_core::{Backend, Design, Error, Matrix};

use crate::rows::{Piece, in_shards};
use crate::survey::Block;

/// A design and counts, with the rows that can be used.
#[derive(Debug)]
pub(crate) struct Data<'a, D, Y> {
    design: &'a D,
    counts: &'a Y,
    pieces: Vec<Piece>,
    n_neurons: usize,
    /// Number of the first row of each piece, among the rows that can be used.
    starts: Vec<usize>,
}

/// Some rows of the data, for some neurons.
#[derive(Clone, Debug)]
pub(crate) struct Chunk<B: Backend> {
    /// `[n_rows, n_features]`
    pub(crate) features: Matrix<B>,
    /// `[n_rows, n_columns]`, NaN where missing.
    pub(crate) counts: Matrix<B>,
    /// `[n_rows, 1]` or `[n_rows, n_columns]`.
    pub(crate) weights: Option<Matrix<B>>,
    /// `[n_rows, 1]` or `[n_rows, n_columns]`.
    pub(crate) offset: Option<Matrix<B>>,
}

impl<'a, D, Y> Data<'a, D, Y> {
    /// These rows of a design and of counts.
    pub(crate) fn new(design: &'a D, counts: &'a Y, pieces: Vec<Piece>, n_neurons: usize) -> Self {
        let starts = pieces.iter().scan(0, |end, piece| {
            let start = *end;
            *end += piece.n_rows();
            Some(start)
        });
        Data {
            starts: starts.collect(),
            design,
            counts,
            pieces,
            n_neurons,
        }
    }

    /// How many rows can be used.
    pub(crate) fn n_rows(&self) -> usize {
        self.starts
            .last()
            .map_or(0, |start| start + self.pieces[self.starts.len() - 1].n_rows())
    }

    /// Everything through `add`, by chunks, in parallel where values are in host memory.
    pub(crate) fn for_each_chunk<B: Backend, S: Send>(
        &self,
        columns: &[usize],
        new: impl Fn() -> S + Send + Sync,
        add: impl Fn(&mut S, Chunk<B>) -> Result<(), Error> + Send + Sync,
    ) -> Result<Vec<S>, Error>
    where
        D: Design<B>,
        Y: Design<B>,
    {
        let work = |pieces: &[Piece]| {
            let mut sums = new();
            for piece in pieces {
                add(&mut sums, self.chunk(piece, columns)?)?;
            }
            Ok(sums)
        };
        if B::HOST {
            in_shards(&self.pieces, work)
        } else {
            Ok(vec![work(&self.pieces)?])
        }
    }

    /// The rows of a piece.
    pub(crate) fn chunk<B: Backend>(&self, piece: &Piece, columns: &[usize]) -> Result<Chunk<B>, Error>
    where
        D: Design<B>,
        Y: Design<B>,
    {
        Ok(Chunk {
            features: piece.of(self.design)?,
            ..self.chunk_without_features(piece, columns)?
        })
    }

    /// The rows of a piece whose features have been read, in a block that starts at row `first`.
    pub(crate) fn chunk_of<B: Backend>(&self, block: &Matrix<B>, first: usize, piece: &Piece, columns: &[usize]) -> Result<Chunk<B>, Error>
    where
        D: Design<B>,
        Y: Design<B>,
    {
        let features = piece.of(&Block { matrix: block, first })?;
        Ok(Chunk {
            features,
            ..self.chunk_without_features(piece, columns)?
        })
    }

    /// The rows of a piece, without their features.
    pub(crate) fn chunk_without_features<B: Backend>(&self, piece: &Piece, columns: &[usize]) -> Result<Chunk<B>, Error>
    where
        D: Design<B>,
        Y: Design<B>,
    {
        let counts = self.of_columns(piece.of(self.counts)?, columns)?;
        Ok(Chunk {
            features: Matrix::zeros([counts.dims()[0], 0]),
            counts,
            weights: self.of_some_columns(piece.of_some(|rows| self.design.weights(rows))?, columns)?,
            offset: self.of_some_columns(piece.of_some(|rows| self.design.offset(rows))?, columns)?,
        })
    }

    /// Rows by their numbers among those that can be used.
    pub(crate) fn gather<B: Backend>(&self, rows: &[usize], columns: &[usize]) -> Result<Chunk<B>, Error>
    where
        D: Design<B>,
        Y: Design<B>,
    {
        let row_of = |&row: &usize| {
            let piece = self.starts.partition_point(|&start| start <= row) - 1;
            self.pieces[piece].row(row - self.starts[piece])
        };
        let rows: Vec<usize> = rows.iter().map(row_of).collect();
        let one_by_one = |get: &dyn Fn(std::ops::Range<usize>) -> Result<Option<Matrix<B>>, Error>| {
            let parts: Option<Vec<_>> = rows.iter().map(|&row| get(row..row + 1)).collect::<Result<_, _>>()?;
            parts.map(Matrix::stack).transpose()
        };
        let weights = one_by_one(&|rows| self.design.weights(rows))?;
        let offset = one_by_one(&|rows| self.design.offset(rows))?;
        Ok(Chunk {
            features: self.design.gather(&rows)?,
            counts: self.of_columns(self.counts.gather(&rows)?, columns)?,
            weights: self.of_some_columns(weights, columns)?,
            offset: self.of_some_columns(offset, columns)?,
        })
    }

    fn of_columns<B: Backend>(&self, all: Matrix<B>, columns: &[usize]) -> Result<Matrix<B>, Error> {
        let whole = columns.len() == self.n_neurons && columns.is_sorted();
        Ok(if whole { all } else { all.select_columns(columns)? })
    }

    /// One column stands for all neurons.
    fn of_some_columns<B: Backend>(&self, all: Option<Matrix<B>>, columns: &[usize]) -> Result<Option<Matrix<B>>, Error> {
        all.map(|all| {
            if all.dims()[1] == 1 {
                Ok(all)
            } else {
                self.of_columns(all, columns)
            }
        })
        .transpose()
    }
}

/// Parameters where tensors are.
pub(crate) struct OnDevice<B: Backend> {
    /// `[n_features, n_columns]`
    pub(crate) coef: Tensor<B::Burn, 2>,
    /// `[1, n_columns]`
    pub(crate) intercept: Tensor<B::Burn, 2>,
    /// `[1, n_columns]`
    pub(crate) scale: Tensor<B::Burn, 2>,
}

impl<B: Backend> Chunk<B> {
    /// Which counts are missing.
    pub(crate) fn missing(&self) -> Tensor<B::Burn, 2, Bool> {
        self.counts.clone().into_tensor().is_nan()
    }

    /// The counts, with ones in the place of those that are missing.
    pub(crate) fn present_counts(&self) -> Tensor<B::Burn, 2> {
        self.counts.clone().into_tensor().mask_fill(self.missing(), 1.0)
    }

    /// `[n_rows, n_columns]`: terms times weights, and zero where counts are missing.
    pub(crate) fn weigh(&self, terms: Tensor<B::Burn, 2>) -> Tensor<B::Burn, 2> {
        let terms = terms.mask_fill(self.missing(), 0.0);
        match &self.weights {
            None => terms,
            // A row of weight zero adds nothing, be its term infinite.
            Some(weights) => {
                let weights = weights.clone().into_tensor().expand(terms.dims());
                let none = weights.clone().equal_elem(0.0);
                (terms * weights).mask_fill(none, 0.0)
            }
        }
    }

    /// `[n_columns]`: sums of terms `[n_rows, n_columns]` times weights, without those of missing counts.
    pub(crate) fn sum(&self, terms: Tensor<B::Burn, 2>) -> Vec<f64> {
        Matrix::<B>::from_tensor(self.weigh(terms).sum_dim(0)).to_vec()
    }

    /// `[n_rows, n_columns]`
    pub(crate) fn predictor(&self, at: &OnDevice<B>) -> Tensor<B::Burn, 2> {
        let predictor = self.features.clone().into_tensor().matmul(at.coef.clone()) + at.intercept.clone();
        match &self.offset {
            None => predictor,
            Some(offset) => predictor + offset.clone().into_tensor(),
        }
    }
}
