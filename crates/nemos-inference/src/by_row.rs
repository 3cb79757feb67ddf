//! Passes over rows on the host: what needs every row of a neuron, such as leverage.

use ndarray::{Array2, ArrayView1, Axis, concatenate};
use nemos_core::{Backend, row_chunks};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use crate::described::AtRows;
use crate::{Error, Inference};

/// Some rows, with what the model says of them. All are `[n_rows, n_neurons]` but the features.
pub(crate) struct Seen {
    pub(crate) first: usize,
    /// `[n_rows, n_parameters]`: standardised features, and ones.
    pub(crate) features: Array2<f64>,
    pub(crate) counts: Array2<f64>,
    pub(crate) predictor: Array2<f64>,
    /// One on average over the rows used of a neuron; zero in the others.
    pub(crate) weights: Array2<f64>,
    pub(crate) at: AtRows,
}

impl Seen {
    pub(crate) fn n_rows(&self) -> usize {
        self.features.nrows()
    }

    /// Expected information of a row, at scale one.
    pub(crate) fn information(&self, row: usize, neuron: usize) -> f64 {
        let slope = self.at.slope[(row, neuron)];
        self.weights[(row, neuron)] * slope * slope / self.at.variance[(row, neuron)]
    }

    /// What a row's features are multiplied with in its score, at scale one.
    pub(crate) fn score(&self, row: usize, neuron: usize) -> f64 {
        let residual = self.counts[(row, neuron)] - self.at.rate[(row, neuron)];
        self.weights[(row, neuron)] * residual * self.at.slope[(row, neuron)] / self.at.variance[(row, neuron)]
    }

    /// Whether the fit of a neuron used a row.
    pub(crate) fn is_used(&self, row: usize, neuron: usize) -> bool {
        self.weights[(row, neuron)] > 0.0
    }

    /// `[n_rows]`: leverages, the diagonal of `W Z A Zᵀ`; zero in rows that were not used.
    pub(crate) fn leverage(&self, neuron: usize, inverse: &Array2<f64>) -> Vec<f64> {
        let spread = self.features.dot(inverse);
        let each = spread.rows().into_iter().zip(self.features.rows()).enumerate();
        let leverage = each.map(|(row, (spread, features))| {
            if self.is_used(row, neuron) {
                self.information(row, neuron) * spread.dot(&features)
            } else {
                0.0
            }
        });
        leverage.collect()
    }
}

// Rows that are looked at together.
const ROWS: usize = 1024;

impl<B: Backend> Inference<'_, B> {
    /// Shows rows to `look`, some at a time and in order. Rows with a missing feature are there, with NaN in what the model says.
    pub(crate) fn each_chunk(&self, mut look: impl FnMut(&Seen) -> Result<(), Error>) -> Result<(), Error> {
        let n_neurons = self.n_neurons();
        let mean = ndarray::aview1(&self.columns.mean);
        let deviation = ndarray::aview1(&self.columns.deviation);
        let parameters = self.parameters.to_array(self.n_features() + 1);
        let rows = ROWS.min((1 << 20) / n_neurons.max(1)).max(1);
        for range in row_chunks(self.design.n_rows(), rows) {
            let features = (self.design.chunk(range.clone())?.to_array() - mean) / deviation;
            let features = concatenate![Axis(1), features, Array2::ones((range.len(), 1))];
            let mut predictor = features.dot(&parameters);
            if let Some(offset) = self.design.offset() {
                predictor += &offset.rows(range.clone())?.to_array();
            }
            let counts = self.counts.chunk(range.clone())?.to_array();
            let weights = self.weights_of(range.clone(), &counts)?;
            let at = self.model.at_rows(predictor.clone(), counts.clone())?;
            look(&Seen {
                first: range.start,
                features,
                counts,
                predictor,
                weights,
                at,
            })?;
        }
        Ok(())
    }

    /// `[n_rows, n_neurons]`: weights that are one on average over the rows used, zero in those that were not used.
    fn weights_of(&self, range: std::ops::Range<usize>, counts: &Array2<f64>) -> Result<Array2<f64>, Error> {
        let factor: Vec<f64> = (0..self.n_neurons())
            .map(|neuron| self.of_neurons[neuron].n_rows / self.objective.total_weights()[neuron])
            .collect();
        let part = |values: Option<&nemos_core::Matrix<B>>| values.map(|values| values.rows(range.clone())).transpose();
        let (known, offset) = (part(self.design.weights())?, part(self.design.offset())?);
        let (known, offset) = (known.map(|known| known.to_array()), offset.map(|offset| offset.to_array()));
        let of = |values: &Option<Array2<f64>>, (row, neuron): (usize, usize), otherwise: f64| {
            let values = values.as_ref();
            values.map_or(otherwise, |values| values[(row, if values.ncols() == 1 { 0 } else { neuron })])
        };
        Ok(Array2::from_shape_fn(counts.dim(), |(row, neuron)| {
            let is_there = self.columns.complete[range.start + row] && !counts[(row, neuron)].is_nan();
            if is_there && !of(&offset, (row, neuron), 0.0).is_nan() {
                of(&known, (row, neuron), 1.0) * factor[neuron]
            } else {
                0.0
            }
        }))
    }

    /// For every row, in order, the counts of the neurons and their weights, zero where a fit did not use it.
    pub(crate) fn each_count(&self, mut look: impl FnMut(usize, ArrayView1<'_, f64>, ArrayView1<'_, f64>)) -> Result<(), Error> {
        for range in row_chunks(self.design.n_rows(), ROWS) {
            let counts = self.counts.chunk(range.clone())?.to_array();
            let weights = self.weights_of(range.clone(), &counts)?;
            for (place, row) in range.enumerate() {
                look(row, counts.row(place), weights.row(place));
            }
        }
        Ok(())
    }

    /// `[n_parameters, n_segments]` for each neuron: scores summed over groups of rows, for standardised features, at scale one.
    pub(crate) fn group_scores(&self, of_row: &[usize], n_groups: usize) -> Result<Vec<Array2<f64>>, Error> {
        let n_parameters = self.n_features() + 1;
        let mut sums = vec![Array2::zeros((n_parameters, n_groups)); self.n_neurons()];
        self.each_chunk(|seen| {
            sums.par_iter_mut().enumerate().for_each(|(neuron, sums)| {
                for row in (0..seen.n_rows()).filter(|&row| seen.is_used(row, neuron)) {
                    let mut sum = sums.column_mut(of_row[seen.first + row]);
                    sum.scaled_add(seen.score(row, neuron), &seen.features.row(row));
                }
            });
            Ok(())
        })?;
        Ok(sums)
    }
}
