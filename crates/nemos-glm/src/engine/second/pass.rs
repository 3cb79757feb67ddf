//! A pass over rows for second moments: what it needs of an objective, and scores of runs of rows.

use std::ops::Range;

use ndarray::{Array1, Array2};
use nemos_core::tensor::Tensor;
use nemos_core::{Backend, Matrix};
use nemos_solvers::Parameters;

use crate::Error;
use crate::engine::chunk::Chunk;
use crate::engine::host::{Asked, Predictors, Scratch, Work};
use crate::engine::loops::{LoopFloat, Loops};
use crate::engine::model::Model;
use crate::engine::numbers::Numbers;
use crate::engine::objective::GlmObjective;
use crate::engine::shards::Sum;
use crate::engine::tensors::{OnDevice, Seen};

/// What a pass over rows needs of an objective.
pub(crate) struct Pass<'o, B: Backend, E> {
    pub(crate) asked: Asked<'o>,
    pub(crate) scales: Vec<f64>,
    loops: Option<std::sync::Arc<dyn Loops<E>>>,
    values: Vec<E>,
    pub(crate) on_device: OnDevice<B>,
    model: &'o dyn Model<B::Burn>,
}

impl<'o, B: Backend, E: LoopFloat> Pass<'o, B, E> {
    pub(crate) fn new(objective: &'o GlmObjective<'_, B>, at: &Parameters, columns: &'o [usize]) -> Self {
        let at = at.select(columns);
        let scales = objective.scales_of(columns);
        Pass {
            asked: objective.asked(columns),
            loops: objective.model.loops().filter(|_| B::HOST).map(E::of),
            values: at.as_slice().iter().map(|&value| E::from_f64(value)).collect(),
            on_device: OnDevice::new(&*objective.model, &at, &scales),
            model: &*objective.model,
            scales,
        }
    }

    /// Fused loops over a chunk, where there are some for it.
    pub(crate) fn on_host<R>(
        &self,
        scratch: &mut Scratch<E>,
        chunk: &Chunk<B>,
        act: impl FnOnce(&mut Work<'_, E>, &dyn Loops<E>) -> R,
    ) -> Option<R> {
        let loops = self.loops.as_deref()?;
        scratch.with(chunk, self.asked, &Predictors::Parameters(&self.values), |work| act(work, loops))
    }

    /// `[n_rows, n_columns]`: the slopes of one predictor of each problem.
    pub(crate) fn of_predictor(&self, slopes: Tensor<B::Burn, 2>, predictor: usize) -> Tensor<B::Burn, 2> {
        let n_predictors = self.asked.n_predictors;
        if n_predictors == 1 {
            return slopes;
        }
        let columns: Vec<usize> = (0..self.asked.columns.len())
            .map(|column| column * n_predictors + predictor)
            .collect();
        let selected = Matrix::<B>::from_tensor(slopes).select_columns(&columns);
        selected.expect("predictors of every problem").into_tensor()
    }

    /// `[n_parameters, n_columns]`, column after column, for each run of rows: the scores, summed.
    pub(crate) fn scores(
        &self,
        scratch: &mut Scratch<E>,
        chunk: &Chunk<B>,
        runs: &[(usize, Range<usize>)],
    ) -> Result<Vec<(usize, Vec<f64>)>, Error> {
        let width = self.asked.columns.len() * self.asked.n_predictors;
        let on_host = self.on_host(scratch, chunk, |work, loops| {
            loops.slopes(work.predictor, work.on_host.observed, work.lanes);
            work.lanes.drain(|_, _, _| {});
            let sum_of = |work: &mut Work<'_, E>, rows: Range<usize>| {
                let slopes = (0..width).map(|column| {
                    let rows = rows.clone();
                    rows.map(|row| work.predictor[row * width + column].into_f64()).sum::<f64>()
                });
                let slopes: Vec<f64> = slopes.collect();
                let gradient = work.gradient_of(rows, width);
                let n_features = gradient.len() / width;
                let columns = slopes.iter().enumerate().flat_map(|(column, slope)| {
                    let of_column = &gradient[column * n_features..(column + 1) * n_features];
                    of_column.iter().map(|value| value.into_f64()).chain([*slope])
                });
                columns.collect::<Vec<f64>>()
            };
            runs.iter().map(|(segment, rows)| (*segment, sum_of(work, rows.clone()))).collect()
        });
        if let Some(sums) = on_host {
            return Ok(sums);
        }
        let seen = Seen::new(chunk, self.asked)?;
        let slopes = Matrix::<B>::from_tensor(seen.slopes(self.model, &self.on_device)).try_to_array()?;
        let features = chunk.features.as_ref().map(Matrix::try_to_array).transpose()?.unwrap_or_default();
        let sum_of = |rows: &Range<usize>| {
            let columns = (0..self.asked.columns.len()).flat_map(|column| {
                let scores = rows
                    .clone()
                    .map(|row| score(&features, &slopes, (row, column), self.asked.n_predictors));
                scores.reduce(|sum, score| sum + score).unwrap_or_default()
            });
            columns.collect()
        };
        Ok(runs.iter().map(|(segment, rows)| (*segment, sum_of(rows))).collect())
    }
}

/// What one shard of a pass carries: the sums, and memory that loops use again.
pub(crate) struct Shard<E, S> {
    pub(crate) sums: S,
    pub(crate) scratch: Scratch<E>,
}

impl<E: LoopFloat, S: Sum> Sum for Shard<E, S> {
    fn merge(&mut self, later: Self) {
        self.sums.merge(later.sums);
    }

    fn settle(&mut self) {
        self.sums.settle();
    }

    fn pack(&self, to: &mut Vec<f64>) {
        self.sums.pack(to);
    }

    fn unpack(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        self.sums.unpack(from)
    }
}

/// The score of one row: slopes of its predictors, each times the features and one.
pub(crate) fn score(features: &Array2<f64>, slopes: &Array2<f64>, (row, column): (usize, usize), n_predictors: usize) -> Array1<f64> {
    let x = features.row(row);
    let slopes = (0..n_predictors).map(|predictor| slopes[(row, column * n_predictors + predictor)]);
    let parts = slopes.flat_map(|slope| x.iter().map(move |x| slope * x).chain([slope]));
    parts.collect()
}
