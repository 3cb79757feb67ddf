//! The fused loop over a chunk in host memory: predictor, losses, slopes and gradient without a tensor in between.

use std::any::Any;

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, MatMut, MatRef, Par};
use nemos_core::{Backend, HostFloat};

use crate::data::Chunk;
use crate::kernel::{Block, Kernel, Lanes};
use crate::per_row::PerRow;
use crate::sums::Sums;

/// Memory that the fused loop uses again for every chunk.
#[derive(Debug)]
pub(crate) struct Scratch<E> {
    lanes: Lanes,
    predictor: Vec<E>,
    gradient: Vec<E>,
    sample_weights: Vec<E>,
    weights: Vec<E>,
    weighted: Vec<E>,
}

impl<E: HostFloat> Scratch<E> {
    /// One scale per column.
    pub(crate) fn new(scales: &[f64]) -> Self {
        let [predictor, gradient, sample_weights, weights, weighted] = [const { Vec::new() }; 5];
        Scratch {
            lanes: Lanes::new(scales),
            predictor,
            gradient,
            sample_weights,
            weights,
            weighted,
        }
    }

    /// Adds one chunk, `parameters` being by columns. Returns whether its values were in host memory.
    pub(crate) fn add<B: Backend>(&mut self, kernel: Kernel, chunk: &Chunk<B>, parameters: &[E], sums: &mut Sums) -> bool {
        let (features, counts) = (chunk.features.host(), chunk.counts.host());
        let (Some(features), Some(counts)) = (features.as_slice::<E>(), counts.as_slice::<E>()) else {
            return false;
        };
        let slices = Slices {
            kernel,
            features,
            counts,
            weights: chunk.weights.as_ref().map(PerRow::new),
            offset: chunk.offset.as_ref().map(PerRow::new),
            parameters,
        };
        // Compiled once here, rather than in every program that fits a model.
        let this: &mut dyn Any = self;
        if let Some(double) = this.downcast_mut::<Scratch<f64>>() {
            add_double(double, slices.cast(), sums);
        } else if let Some(single) = this.downcast_mut::<Scratch<f32>>() {
            add_single(single, slices.cast(), sums);
        }
        true
    }

    fn add_slices(&mut self, slices: Slices<'_, E>, sums: &mut Sums) {
        let Slices {
            kernel,
            features,
            counts,
            parameters,
            ..
        } = slices;
        let n_columns = sums.losses.len();
        let n_parameters = sums.gradient.n_parameters();
        let n_features = n_parameters - 1;
        let n_rows = counts.len() / n_columns;
        let features_in_rows = MatRef::from_row_major_slice(features, n_rows, n_features);
        let coef = MatRef::from_column_major_slice_with_stride(parameters, n_features, n_columns, n_parameters);
        let one = E::from_f64(1.0);

        self.predictor.clear();
        for _ in 0..n_rows {
            self.predictor
                .extend((0..n_columns).map(|column| parameters[column * n_parameters + n_features]));
        }
        if let Some(offset) = &slices.offset {
            offset.add_to(&mut self.predictor, n_columns);
        }
        let predictor = MatMut::from_row_major_slice_mut(&mut self.predictor, n_rows, n_columns);
        matmul(predictor, Accum::Add, features_in_rows, coef, one, Par::Seq);
        let mut sample_weights = std::mem::take(&mut self.sample_weights);
        sample_weights.clear();
        if let Some(weights) = &slices.weights {
            sample_weights.resize(counts.len(), E::default());
            weights.add_to(&mut sample_weights, n_columns);
        }
        let block = Block {
            counts,
            weights: slices.weights.is_some().then_some(&sample_weights[..]),
        };
        if !sums.curvature.is_empty() {
            self.weights.resize(counts.len(), E::default());
            kernel.weights(&self.predictor, block, &self.lanes, &mut self.weights);
            self.add_curvature(features, sums);
        }

        kernel.slopes(&mut self.predictor, block, &mut self.lanes);
        self.sample_weights = sample_weights;
        let slopes = MatRef::from_row_major_slice(&self.predictor, n_rows, n_columns);
        self.gradient.resize(n_features * n_columns, E::default());
        let gradient = MatMut::from_column_major_slice_mut(&mut self.gradient, n_features, n_columns);
        matmul(gradient, Accum::Replace, features_in_rows.transpose(), slopes, one, Par::Seq);
        for (column, block) in self.gradient.chunks_exact(n_features).enumerate() {
            sums.gradient
                .column_mut(column)
                .iter_mut()
                .zip(block)
                .for_each(|(total, &slope)| *total += slope.into_f64());
        }
        self.lanes.drain(|column, loss, slope| {
            sums.losses[column] += loss;
            sums.gradient.column_mut(column)[n_features] += slope;
        });
    }

    /// Adds `Σₜ weightₜ (xₜ, 1)(xₜ, 1)ᵀ` for every column.
    fn add_curvature(&mut self, features: &[E], sums: &mut Sums) {
        let n_columns = sums.losses.len();
        let n_parameters = sums.gradient.n_parameters();
        let n_rows = self.weights.len() / n_columns;
        let mut products = vec![E::default(); n_parameters * n_parameters];
        for (column, curvature) in sums.curvature.iter_mut().enumerate() {
            self.weighted.clear();
            for (row, weights) in features.chunks_exact(n_parameters - 1).zip(self.weights.chunks_exact(n_columns)) {
                let root = E::from_f64(weights[column].into_f64().sqrt());
                self.weighted
                    .extend(row.iter().map(|x| E::from_f64(x.into_f64() * root.into_f64())));
                self.weighted.push(root);
            }
            let weighted = MatRef::from_row_major_slice(&self.weighted, n_rows, n_parameters);
            triangular::matmul(
                MatMut::from_row_major_slice_mut(&mut products, n_parameters, n_parameters),
                BlockStructure::TriangularLower,
                Accum::Replace,
                weighted.transpose(),
                BlockStructure::Rectangular,
                weighted,
                BlockStructure::Rectangular,
                E::from_f64(1.0),
                Par::Seq,
            );
            curvature
                .iter_mut()
                .zip(&products)
                .for_each(|(total, &product)| *total += product.into_f64());
        }
    }
}

/// One chunk in host memory.
struct Slices<'a, E> {
    kernel: Kernel,
    features: &'a [E],
    counts: &'a [E],
    weights: Option<PerRow>,
    offset: Option<PerRow>,
    parameters: &'a [E],
}

impl<'a, E: HostFloat> Slices<'a, E> {
    /// The same slices under the name of their type.
    fn cast<F: HostFloat>(self) -> Slices<'a, F> {
        Slices {
            kernel: self.kernel,
            features: bytemuck::cast_slice(self.features),
            counts: bytemuck::cast_slice(self.counts),
            weights: self.weights,
            offset: self.offset,
            parameters: bytemuck::cast_slice(self.parameters),
        }
    }
}

#[inline(never)]
fn add_double(scratch: &mut Scratch<f64>, slices: Slices<'_, f64>, sums: &mut Sums) {
    scratch.add_slices(slices, sums);
}

#[inline(never)]
fn add_single(scratch: &mut Scratch<f32>, slices: Slices<'_, f32>, sums: &mut Sums) {
    scratch.add_slices(slices, sums);
}
