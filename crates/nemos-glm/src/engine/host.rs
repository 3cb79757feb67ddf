//! Passes over data in host memory: predictor, losses, slopes and gradient without a tensor in between.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, ShapeBuilder};
use nemos_core::tensor::backend::Backend as BurnBackend;
use nemos_core::{Backend, HostFloat, HostRows, Matrix, Onto, multiply};

use crate::engine::chunk::Chunk;
use crate::engine::loops::{Lanes, LoopFloat, Loops, Observed};
use crate::engine::model::Model;
use crate::engine::problems::Problems;
use crate::engine::products::{FITS, Products, view};
use crate::engine::sums::Sums;

/// Less beside the leverage of a row than this is rounding: the row is fitted whatever its count.
pub(crate) const NOTHING_BESIDE: f64 = 1e-6;

/// The problems that a pass computes for.
#[derive(Copy, Clone)]
pub(crate) struct Asked<'a> {
    pub(crate) problems: &'a Problems,
    /// Which of them.
    pub(crate) columns: &'a [usize],
    /// Where the sums of each go, where others are asked for that see none of these rows.
    pub(crate) places: Option<&'a [usize]>,
    /// Predictors of each.
    pub(crate) n_predictors: usize,
    /// Columns of the counts of each.
    pub(crate) n_targets: usize,
}

impl<'a> Asked<'a> {
    /// These columns of some problems of a model.
    pub(crate) fn of<T: BurnBackend>(problems: &'a Problems, columns: &'a [usize], model: &dyn Model<T>) -> Self {
        Asked {
            problems,
            columns,
            places: None,
            n_predictors: model.n_predictors(),
            n_targets: model.n_targets(),
        }
    }
}

/// Memory that loops use again for every chunk.
#[derive(Debug)]
pub(crate) struct Scratch<E> {
    pub(crate) lanes: Lanes,
    /// The fold whose problems the lanes are for, where they are not for all.
    fold: Option<u8>,
    pub(crate) predictor: Vec<E>,
    counts: Vec<E>,
    weights: Vec<E>,
    gradient: Vec<E>,
    products: Products<E>,
}

/// A chunk in host memory, seen by the problems that were asked for.
pub(crate) struct OnHost<'a, E> {
    pub(crate) n_rows: usize,
    features: Option<&'a [E]>,
    pub(crate) observed: Observed<'a, E>,
}

/// The memory of a chunk.
pub(crate) struct Handles<B: Backend> {
    features: Option<HostRows<B>>,
    counts: HostRows<B>,
    weights: Option<HostRows<B>>,
    offset: Option<HostRows<B>>,
}

impl<B: Backend> Handles<B> {
    pub(crate) fn new(chunk: &Chunk<B>) -> Self {
        Handles {
            features: chunk.features.as_ref().filter(|features| features.dims()[1] > 0).map(Matrix::host),
            counts: chunk.counts.host(),
            weights: chunk.weights.as_ref().map(Matrix::host),
            offset: chunk.offset.as_ref().map(Matrix::host),
        }
    }

    fn slices<E: HostFloat>(&self, chunk: &Chunk<B>, with_rows: bool) -> Option<Slices<'_, E>> {
        let columns = |matrix: &Option<Matrix<B>>| matrix.as_ref().map_or(0, |matrix| matrix.dims()[1]);
        Some(Slices {
            features: slice(&self.features)?,
            counts: (self.counts.as_slice()?, chunk.counts.dims()[1]),
            weights: slice(&self.weights)?.map(|values| (values, columns(&chunk.weights))),
            offset: slice(&self.offset)?.map(|values| (values, columns(&chunk.offset))),
            n_rows: chunk.n_rows(),
            rows: with_rows.then(|| (0..chunk.n_rows()).map(|row| chunk.rows.at(row)).collect()),
        })
    }
}

/// Nothing where there is no such matrix; a failure where its values are not in host memory.
fn slice<B: Backend, E: HostFloat>(handle: &Option<HostRows<B>>) -> Option<Option<&[E]>> {
    match handle {
        None => Some(None),
        Some(handle) => handle.as_slice().map(Some),
    }
}

/// Values of a chunk, with the number of their columns.
struct Slices<'a, E> {
    features: Option<&'a [E]>,
    counts: (&'a [E], usize),
    weights: Option<(&'a [E], usize)>,
    offset: Option<(&'a [E], usize)>,
    n_rows: usize,
    /// Numbers of the rows in the whole data, where somebody asks which fold they are in.
    rows: Option<Vec<usize>>,
}

/// Where parameters are, in the precision of the loops, column after column.
pub(crate) enum Predictors<'a, E> {
    /// Coefficients and intercepts.
    Parameters(&'a [E]),
    /// An intercept for each column of predictors, beside the offset.
    Intercepts(&'a [E]),
}

impl<E: LoopFloat> Scratch<E> {
    /// One scale per problem asked for.
    pub(crate) fn new(scales: &[f64], n_predictors: usize) -> Self {
        let [predictor, counts, weights, gradient] = [const { Vec::new() }; 4];
        Scratch {
            lanes: lanes(scales, n_predictors),
            fold: None,
            predictor,
            counts,
            weights,
            gradient,
            products: Products::new(),
        }
    }

    /// Without any memory, for no more chunks.
    pub(crate) fn empty() -> Self {
        Scratch::new(&[], 1)
    }

    /// Takes other problems: those that keep a fold, or all of them. One scale for each.
    pub(crate) fn turn_to(&mut self, fold: Option<u8>, scales: &[f64], n_predictors: usize) {
        if fold != self.fold {
            (self.fold, self.lanes) = (fold, lanes(scales, n_predictors));
        }
    }

    /// Computes the predictors of a chunk, and lets `act` loop over them. Nothing where its values are not in host memory.
    pub(crate) fn with<B: Backend, R>(
        &mut self,
        chunk: &Chunk<B>,
        asked: Asked<'_>,
        predictors: &Predictors<'_, E>,
        act: impl FnOnce(&mut Work<'_, E>) -> R,
    ) -> Option<R> {
        let handles = Handles::new(chunk);
        let slices = handles.slices::<E>(chunk, asked.problems.folds().is_some())?;
        self.predict(&slices, asked, predictors);
        let (mut counts, mut weights) = (std::mem::take(&mut self.counts), std::mem::take(&mut self.weights));
        let on_host = OnHost {
            n_rows: slices.n_rows,
            features: slices.features,
            observed: Observed {
                counts: slices.counts_of(asked, &mut counts),
                weights: slices.weights_of(asked, &mut weights),
            },
        };
        let mut work = Work {
            on_host,
            lanes: &mut self.lanes,
            predictor: &mut self.predictor,
            gradient: &mut self.gradient,
            products: &mut self.products,
            n_predictors: asked.n_predictors,
            places: asked.places,
        };
        let result = act(&mut work);
        (self.counts, self.weights) = (counts, weights);
        Some(result)
    }

    /// Writes predictors `[n_rows, n_columns · n_predictors]`.
    fn predict(&mut self, slices: &Slices<'_, E>, asked: Asked<'_>, predictors: &Predictors<'_, E>) {
        let n_rows = slices.n_rows;
        let width = asked.columns.len() * asked.n_predictors;
        self.predictor.clear();
        // No more than is needed: what a list that grows has besides is as much again.
        self.predictor.reserve_exact(n_rows * width);
        let (values, stride) = match predictors {
            Predictors::Parameters(values) => (values, values.len() / width.max(1)),
            Predictors::Intercepts(values) => (values, 1),
        };
        for _ in 0..n_rows {
            self.predictor.extend((0..width).map(|column| values[(column + 1) * stride - 1]));
        }
        if let Some((offset, of_width)) = slices.offset {
            for (row, predictor) in self.predictor.chunks_exact_mut(width).enumerate() {
                for (place, predictor) in predictor.iter_mut().enumerate() {
                    let column = asked.problems.offset_column(asked.columns[place / asked.n_predictors], of_width);
                    *predictor = E::from_f64(predictor.into_f64() + offset[row * of_width + column].into_f64());
                }
            }
        }
        if let (Predictors::Parameters(values), Some(features)) = (predictors, slices.features) {
            let n_features = stride - 1;
            let features = view((n_rows, n_features), features);
            let coef = ArrayView2::from_shape((n_features, width).strides((1, stride)), values).expect(FITS);
            let predictor = ArrayViewMut2::from_shape((n_rows, width), &mut self.predictor).expect(FITS);
            multiply(predictor, Onto::Them, features, coef);
        }
    }
}

/// A lane for each predictor, with the scale of its problem.
fn lanes(scales: &[f64], n_predictors: usize) -> Lanes {
    let scales: Vec<f64> = scales.iter().flat_map(|&scale| std::iter::repeat_n(scale, n_predictors)).collect();
    Lanes::new(&scales)
}

impl<'a, E: HostFloat> Slices<'a, E> {
    /// The counts that the problems see: as they are where every problem has its own column, in order.
    fn counts_of<'s>(&'s self, asked: Asked<'_>, scratch: &'s mut Vec<E>) -> &'s [E] {
        let (values, width) = self.counts;
        let n_targets = asked.n_targets;
        if asked.problems.are_all_responses(asked.columns, width / n_targets) {
            return values;
        }
        let first: Vec<usize> = asked
            .columns
            .iter()
            .map(|&problem| asked.problems.response(problem) * n_targets)
            .collect();
        scratch.clear();
        scratch.reserve_exact(self.n_rows * first.len() * n_targets);
        for row in values.chunks_exact(width) {
            match n_targets {
                1 => scratch.extend(first.iter().map(|&column| row[column])),
                _ => first
                    .iter()
                    .for_each(|&column| scratch.extend_from_slice(&row[column..column + n_targets])),
            }
        }
        scratch
    }

    /// The weights that the problems see: zero in the fold that one leaves out; nothing where all are one.
    fn weights_of<'s>(&'s self, asked: Asked<'_>, scratch: &'s mut Vec<E>) -> Option<&'s [E]> {
        let folds = asked.problems.folds();
        if folds.is_none() && self.weights.is_none() {
            return None;
        }
        scratch.clear();
        scratch.reserve_exact(self.n_rows * asked.columns.len());
        let one = E::from_f64(1.0);
        match self.weights {
            None => scratch.resize(self.n_rows * asked.columns.len(), one),
            Some((values, width)) => {
                let columns = asked.columns.iter().map(|&problem| asked.problems.weight_column(problem, width));
                let columns: Vec<usize> = columns.collect();
                for row in values.chunks_exact(width) {
                    scratch.extend(columns.iter().map(|&column| row[column]));
                }
            }
        }
        if let Some((folds, rows)) = folds.zip(self.rows.as_ref()) {
            let kept = folds.kept(asked.columns);
            let kept: Vec<Vec<E>> = kept.into_iter().map(|kept| kept.into_iter().map(E::from_f64).collect()).collect();
            for (weights, &row) in scratch.chunks_exact_mut(asked.columns.len()).zip(rows) {
                for (weight, &kept) in weights.iter_mut().zip(&kept[usize::from(folds.of_row[row])]) {
                    if kept == E::default() {
                        *weight = E::default();
                    }
                }
            }
        }
        Some(scratch)
    }
}

/// Predictors of a chunk, to loop over.
pub(crate) struct Work<'a, E> {
    pub(crate) on_host: OnHost<'a, E>,
    pub(crate) lanes: &'a mut Lanes,
    pub(crate) predictor: &'a mut Vec<E>,
    gradient: &'a mut Vec<E>,
    products: &'a mut Products<E>,
    pub(crate) n_predictors: usize,
    places: Option<&'a [usize]>,
}

impl<E: LoopFloat> Work<'_, E> {
    /// Adds losses, gradients and, where there is room for them, curvatures.
    pub(crate) fn add(&mut self, loops: &dyn Loops<E>, sums: &mut Sums<'_>) {
        if !sums.among.is_empty() {
            self.add_curvature_among(loops, sums);
        } else if !sums.curvature.is_empty() {
            self.add_curvature(loops, &mut sums.curvature);
        }
        loops.slopes(self.predictor, self.on_host.observed, self.lanes);
        let (n_predictors, places) = (self.n_predictors, self.places);
        // Where a column of predictors belongs among those of the sums.
        let place = |column: usize| {
            places.map_or(column, |places| {
                places[column / n_predictors] * n_predictors + column % n_predictors
            })
        };
        let stride = sums.gradient.n_parameters() / n_predictors;
        let gradient = sums.gradient.as_mut_slice();
        if let Some(features) = self.on_host.features {
            product(features, self.predictor, self.lanes.n_columns(), self.gradient);
            for (column, from) in self.gradient.chunks_exact((stride - 1).max(1)).enumerate() {
                let to = &mut gradient[place(column) * stride..][..stride - 1];
                to.iter_mut().zip(from).for_each(|(total, &slope)| *total += slope.into_f64());
            }
        }
        self.lanes.drain(|column, loss, slope| {
            sums.losses[place(column) / n_predictors] += loss;
            gradient[(place(column) + 1) * stride - 1] += slope;
        });
    }

    /// Adds `Σₜ weightₜ (xₜ, 1)(xₜ, 1)ᵀ` for every problem, weights being expected curvatures of the loss.
    pub(crate) fn add_curvature(&mut self, loops: &dyn Loops<E>, curvature: &mut [Array2<f64>]) {
        let n_columns = curvature.len();
        let mut weights = vec![E::default(); self.on_host.n_rows * n_columns];
        for pair in pairs(self.n_predictors) {
            loops.weights(self.predictor, self.on_host.observed, self.lanes, (&mut weights, pair));
            self.add_products(&weights, pair, curvature);
        }
    }

    /// The same among a few features of each problem, which has one predictor.
    fn add_curvature_among(&mut self, loops: &dyn Loops<E>, sums: &mut Sums<'_>) {
        let n_columns = sums.curvature.len();
        let mut weights = vec![E::default(); self.on_host.n_rows * n_columns];
        loops.weights(self.predictor, self.on_host.observed, self.lanes, (&mut weights, (0, 0)));
        let features = self.on_host.features.unwrap_or_default();
        for (column, (few, sum)) in sums.among.iter().zip(&mut sums.curvature).enumerate() {
            self.products.set_few(features, self.on_host.n_rows, few);
            self.products
                .add_to_one(weights.iter().skip(column).step_by(n_columns), (0, 0), sum);
        }
    }

    /// Adds `Σₜ weightₜ (xₜ, 1)(xₜ, 1)ᵀ` to the part of each problem's matrix that belongs to a pair of predictors.
    /// `weights` is `[n_rows, n_columns]`.
    pub(crate) fn add_products(&mut self, weights: &[E], pair: (usize, usize), sums: &mut [Array2<f64>]) {
        self.products
            .set_rows(self.on_host.features.unwrap_or_default(), self.on_host.n_rows);
        self.products.add(weights, pair, sums);
    }

    /// Adds `Σₜ gₜ gₜᵀ` for every problem, `g` being the score of a row; with a matrix `A` for each problem, the scores are over
    /// `1 − h`, and `h = (xₜ, 1)ᵀ A (xₜ, 1)` times the expected curvature of the loss.
    pub(crate) fn add_scores(&mut self, loops: &dyn Loops<E>, of_leverage: Option<&[Array2<f64>]>, sums: &mut [Array2<f64>]) {
        let (n_columns, n_predictors) = (sums.len(), self.n_predictors);
        let leverage = of_leverage.map(|matrices| self.leverage(loops, matrices));
        loops.slopes(self.predictor, self.on_host.observed, self.lanes);
        self.lanes.drain(|_, _, _| {});
        for pair in pairs(n_predictors) {
            let slopes = self.predictor.chunks_exact(n_predictors);
            let mut weights: Vec<E> = slopes
                .map(|slopes| E::from_f64(slopes[pair.0].into_f64() * slopes[pair.1].into_f64()))
                .collect();
            debug_assert_eq!(weights.len(), self.on_host.n_rows * n_columns);
            if let Some(leverage) = &leverage {
                for (weight, h) in weights.iter_mut().zip(leverage) {
                    let beside = 1.0 - h.into_f64();
                    let divisor = if beside.abs() < NOTHING_BESIDE { f64::NAN } else { beside * beside };
                    *weight = E::from_f64(weight.into_f64() / divisor);
                }
            }
            self.add_products(&weights, pair, sums);
        }
    }

    /// `[n_rows, n_columns]`: `(xₜ, 1)ᵀ A (xₜ, 1)` times the expected curvature of the loss.
    fn leverage(&mut self, loops: &dyn Loops<E>, matrices: &[Array2<f64>]) -> Vec<E> {
        let size = self.on_host.n_rows * matrices.len();
        let (mut curvature, mut forms) = (vec![E::default(); size], vec![E::default(); size]);
        loops.weights(self.predictor, self.on_host.observed, self.lanes, (&mut curvature, (0, 0)));
        self.products
            .set_rows(self.on_host.features.unwrap_or_default(), self.on_host.n_rows);
        self.products.quadratic_forms(matrices, &mut forms);
        for (form, curvature) in forms.iter_mut().zip(&curvature) {
            *form = E::from_f64(form.into_f64() * curvature.into_f64());
        }
        forms
    }

    /// `[n_features, n_columns]`, column after column: the gradient of some of the rows, whose slopes stand where the
    /// predictors were.
    pub(crate) fn gradient_of(&mut self, rows: std::ops::Range<usize>, width: usize) -> &[E] {
        let Some(features) = self.on_host.features else { return &[] };
        let n_features = features.len() / self.on_host.n_rows;
        let features = &features[rows.start * n_features..rows.end * n_features];
        product(
            features,
            &self.predictor[rows.start * width..rows.end * width],
            width,
            self.gradient,
        );
        self.gradient
    }
}

/// The lower triangle of pairs of predictors.
pub(crate) fn pairs(n_predictors: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n_predictors).flat_map(|first| (0..=first).map(move |second| (first, second)))
}

/// `[n_features, n_columns]`, column after column: features transposed times slopes.
fn product<E: HostFloat>(features: &[E], slopes: &[E], n_columns: usize, to: &mut Vec<E>) {
    let n_rows = slopes.len() / n_columns;
    let n_features = features.len() / n_rows.max(1);
    to.resize(n_features * n_columns, E::default());
    let gradient = ArrayViewMut2::from_shape((n_features, n_columns).f(), to).expect(FITS);
    let features = view((n_rows, n_features), features);
    multiply(gradient, Onto::Nothing, features.reversed_axes(), view((n_rows, n_columns), slopes));
}
