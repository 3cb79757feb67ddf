//! What turns features into rates: a model with its parameters, without the history of its fit.

use nemos_core::{Backend, Design, HostFloat, Matrix, row_blocks};

use crate::data::{Chunk, Data, OnDevice};
use crate::fit::Fit;
use crate::per_row::PerRow;
use crate::rows::{Piece, in_shards};
use crate::survey::{check_shapes, complete_pieces};
use crate::{Error, InverseLink, ObservationModel, PopulationGlm};

/// A model with its parameters.
#[derive(Debug)]
pub(crate) struct Predictor<'a, B: Backend, O, L> {
    specification: &'a PopulationGlm<O, L>,
    fit: &'a Fit<B>,
}

/// Sums over the rows of a design that can be used.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) pieces: Vec<Piece>,
    /// `[n_neurons]`
    pub(crate) sums: Vec<f64>,
    /// `[n_neurons]`: weights of the rows used, together.
    pub(crate) weight: Vec<f64>,
    /// `[n_neurons]`: how many rows were used.
    pub(crate) n_rows: Vec<f64>,
    /// `[n_neurons]`: weighted sums of the counts.
    pub(crate) count_sum: Vec<f64>,
}

impl Pass {
    fn new(n_neurons: usize) -> Self {
        let zeros = || vec![0.0; n_neurons];
        Pass {
            pieces: Vec::new(),
            sums: zeros(),
            weight: zeros(),
            n_rows: zeros(),
            count_sum: zeros(),
        }
    }

    fn merge(mut self, other: Pass) -> Pass {
        self.pieces.extend(other.pieces);
        for (mine, theirs) in [
            (&mut self.sums, other.sums),
            (&mut self.weight, other.weight),
            (&mut self.n_rows, other.n_rows),
            (&mut self.count_sum, other.count_sum),
        ] {
            mine.iter_mut().zip(theirs).for_each(|(a, b)| *a += b);
        }
        self
    }

    /// The sums, as if weights were one on average.
    pub(crate) fn totals(&self) -> Vec<f64> {
        let scaled = self.sums.iter().zip(self.n_rows.iter().zip(&self.weight));
        scaled.map(|(sum, (n, weight))| sum * n / weight).collect()
    }
}

impl<'a, B: Backend, O: ObservationModel, L: InverseLink> Predictor<'a, B, O, L> {
    pub(crate) fn new(specification: &'a PopulationGlm<O, L>, fit: &'a Fit<B>) -> Self {
        Predictor { specification, fit }
    }

    pub(crate) fn observation(&self) -> &O {
        &self.specification.observation
    }

    pub(crate) fn link(&self) -> &L {
        &self.specification.link
    }

    fn n_neurons(&self) -> usize {
        self.fit.parameters.n_problems()
    }

    /// The parameters where tensors are.
    pub(crate) fn on_device(&self) -> OnDevice<B> {
        let row = |values: Vec<f64>| Matrix::<B>::from_vec(values, [1, self.n_neurons()]).expect("one value per neuron");
        let last = self.fit.parameters.n_parameters() - 1;
        OnDevice {
            coef: self.fit.coef.clone().into_tensor(),
            intercept: row(self.fit.parameters.columns().map(|column| column[last]).collect()).into_tensor(),
            scale: row(self.fit.scale.clone()).into_tensor(),
        }
    }

    fn check_design(&self, design: &impl Design<B>) -> Result<(), Error> {
        let (got, expected) = (design.n_features(), self.fit.coef.dims()[0]);
        if got != expected {
            return Err(nemos_core::Error::Columns {
                name: "design",
                got,
                expected,
                why: "one per fitted coefficient",
            }
            .into());
        }
        if self.fit.has_offset && design.offset(0..0)?.is_none() {
            return Err(Error::OffsetMissing);
        }
        Ok(())
    }

    /// `[n_samples, n_neurons]`: NaN where the design has one.
    pub(crate) fn rates(&self, design: &impl Design<B>) -> Result<Matrix<B>, Error> {
        self.check_design(design)?;
        let (n_samples, n_neurons) = (design.n_samples(), self.n_neurons());
        let device = self.on_device();
        let block_rows = B::block_rows(design.n_features().max(n_neurons));
        Matrix::by_blocks([n_samples, n_neurons], block_rows, |rows| {
            let features = design.block(rows.clone())?;
            // Finds infinities; what is missing stays NaN.
            Piece::complete("design", &features, rows.start)?;
            let chunk = Chunk {
                offset: design.offset(rows)?,
                weights: None,
                counts: features.clone(),
                features,
            };
            Ok(Matrix::from_tensor(self.link().rate(chunk.predictor(&device))))
        })
    }

    /// Adds up `sums` `[n_neurons]` of chunks of rows in which no feature is missing, in one pass over the data.
    pub(crate) fn sum(
        &self,
        design: &impl Design<B>,
        counts: &impl Design<B>,
        sums: impl Fn(&Chunk<B>) -> Vec<f64> + Send + Sync,
    ) -> Result<Pass, Error> {
        check_shapes(design, counts)?;
        self.check_design(design)?;
        let n_neurons = self.n_neurons();
        if counts.n_features() != n_neurons {
            return Err(nemos_core::Error::Columns {
                name: "counts",
                got: counts.n_features(),
                expected: n_neurons,
                why: "one per fitted neuron",
            }
            .into());
        }
        let data = Data::new(design, counts, Vec::new(), n_neurons);
        let all: Vec<usize> = (0..n_neurons).collect();
        let blocks: Vec<_> = row_blocks(design.n_samples(), B::block_rows(design.n_features() + n_neurons)).collect();
        let shards = in_shards(&blocks, |blocks| {
            let mut pass = Pass::new(n_neurons);
            for rows in blocks {
                let block = design.block(rows.clone())?;
                for piece in complete_pieces(design, &block, rows.clone())? {
                    let chunk = data.chunk_of(&block, rows.start, &piece, &all)?;
                    pass.add(sums(&chunk), &chunk);
                    pass.pieces.push(piece);
                }
            }
            Ok::<_, Error>(pass)
        })?;
        let total = shards.into_iter().fold(Pass::new(n_neurons), Pass::merge);
        if total.pieces.is_empty() {
            return Err(nemos_core::Error::AllMissing {
                name: "design",
                rows: design.n_samples(),
            }
            .into());
        }
        Ok(total)
    }
}

impl Pass {
    fn add<B: Backend>(&mut self, sums: Vec<f64>, chunk: &Chunk<B>) {
        self.sums.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
        let host = chunk.counts.host();
        if let Some(counts) = host.as_slice::<f64>() {
            self.add_counts(counts, chunk.weights.as_ref().map(PerRow::new));
        } else if let Some(counts) = host.as_slice::<f32>() {
            self.add_counts(counts, chunk.weights.as_ref().map(PerRow::new));
        } else {
            self.add_tensors(chunk);
        }
    }

    fn add_counts<E: HostFloat>(&mut self, counts: &[E], weights: Option<PerRow>) {
        let n_neurons = self.sums.len();
        for (row, counts) in counts.chunks_exact(n_neurons).enumerate() {
            for (neuron, count) in counts.iter().enumerate() {
                let weight = weights.as_ref().map_or(1.0, |weights| weights.at(row, neuron));
                let count = count.into_f64();
                if !count.is_nan() && weight > 0.0 {
                    self.weight[neuron] += weight;
                    self.n_rows[neuron] += 1.0;
                    self.count_sum[neuron] += weight * count;
                }
            }
        }
    }

    /// The same where the values are: the sums come back, and not the counts.
    fn add_tensors<B: Backend>(&mut self, chunk: &Chunk<B>) {
        let ones = chunk.present_counts().ones_like();
        let used = chunk.weigh(ones.clone()).greater_elem(0.0).float();
        let totals = [
            (&mut self.weight, chunk.sum(ones)),
            (&mut self.n_rows, Matrix::<B>::from_tensor(used.sum_dim(0)).to_vec()),
            (&mut self.count_sum, chunk.sum(chunk.present_counts())),
        ];
        for (mine, more) in totals {
            mine.iter_mut().zip(more).for_each(|(a, b)| *a += b);
        }
    }
}
