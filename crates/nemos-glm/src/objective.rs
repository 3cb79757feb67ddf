//! The mean negative log-likelihood of every neuron, by blocks of rows.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::Array2;
use nemos_core::tensor::{DType, Tensor};
use nemos_core::{Backend, Design, HostFloat, Matrix};
use nemos_solvers::{Error, Evaluation, Gram, Objective, Order, Parameters, Request};

use crate::kernel::{Kernel, Lanes};
use crate::rows::{Piece, in_shards};
use crate::survey::Survey;
use crate::{InverseLink, ObservationModel, start};

/// The mean over samples of a model's negative log-likelihood, one column per neuron: what a fit minimises, less the
/// penalty.
///
/// ```text
/// fⱼ(w, b) = 1/Tⱼ Σₜ loss(counts[t, j], design[t] · w + b)
/// ```
///
/// over the `Tⱼ` rows in which neither the design nor the count is missing.
#[derive(Debug)]
pub struct GlmObjective<'a, B: Backend, D, Y, O, L> {
    design: &'a D,
    counts: &'a Y,
    observation: &'a O,
    link: &'a L,
    kernel: Option<Kernel>,
    pieces: Vec<Piece>,
    n_counts: Vec<usize>,
    silent: Vec<bool>,
    start: Vec<f64>,
    gram: Gram,
    backend: std::marker::PhantomData<B>,
}

impl<'a, B: Backend, D: Design<B>, Y: Design<B>, O: ObservationModel, L: InverseLink> GlmObjective<'a, B, D, Y, O, L> {
    /// Checks and surveys the data.
    pub(crate) fn new(design: &'a D, counts: &'a Y, observation: &'a O, link: &'a L) -> Result<Self, crate::Error> {
        let survey = Survey::new(design, counts, observation.support())?;
        let silent: Vec<bool> = survey.mean_count.iter().map(|&mean| mean == 0.0).collect();
        let start = start::intercepts::<B>(link, &survey)?;
        // Every sample has the same weight where only the intercept acts.
        let row = |values: Vec<f64>| Matrix::<B>::from_vec(values, [1, silent.len()]).map(Matrix::into_tensor);
        let weight = observation.fisher_weight(row(survey.mean_count)?, row(start.clone())?, link);
        let usable = |weight: f64| if weight.is_finite() && weight > 0.0 { weight } else { 1.0 };
        let weight = Matrix::<B>::from_tensor(weight).to_array().mapv(usable);
        Ok(GlmObjective {
            design,
            counts,
            observation,
            link,
            kernel: Kernel::of(observation, link),
            pieces: survey.pieces,
            n_counts: survey.n_counts,
            silent,
            start,
            gram: Gram {
                mean: survey.mean,
                covariance: survey.covariance,
                precision: survey.precision,
                weight,
                ridge: None,
                free: None,
            },
            backend: std::marker::PhantomData,
        })
    }

    /// Where a fit starts: no effect of any feature, and the intercept that gives each neuron its mean count.
    pub fn start(&self) -> Parameters {
        let n_features = self.gram.mean.len();
        let mut start = Parameters::zeros(n_features + 1, self.start.len());
        for (neuron, &intercept) in self.start.iter().enumerate() {
            start.column_mut(neuron)[n_features] = intercept;
        }
        start
    }

    /// Rows used per neuron: neither the design nor the count is missing.
    pub fn n_counts(&self) -> &[usize] {
        &self.n_counts
    }

    /// Neurons without a spike. Their loss falls for ever as the rate goes to zero; here it is held at zero, so that
    /// they stay where they start.
    pub fn silent(&self) -> &[bool] {
        &self.silent
    }

    /// The counts of some neurons in the rows of a piece.
    fn counts_of(&self, piece: &Piece, columns: &[usize]) -> Result<Matrix<B>, Error> {
        let counts = piece.of(self.counts)?;
        let all = columns.len() == self.n_counts.len() && columns.is_sorted();
        Ok(if all { counts } else { counts.select_columns(columns)? })
    }

    /// Every piece through the fused loop, shards in parallel, if values are in host memory.
    fn evaluate_host<E: HostFloat>(&self, kernel: Kernel, at: &Parameters, request: Request<'_>) -> Result<Option<Sums>, Error> {
        let weights: Vec<E> = at.as_slice().iter().map(|&w| E::from_f64(w)).collect();
        let shards = in_shards(&self.pieces, |pieces| {
            let mut sums = Sums::new(at.n_parameters(), request);
            let mut scratch = Scratch::<E>::new(kernel, request.columns.len());
            for piece in pieces {
                let (features, counts) = (piece.of(self.design)?.host(), self.counts_of(piece, request.columns)?.host());
                let (Some(features), Some(counts)) = (features.as_slice::<E>(), counts.as_slice::<E>()) else {
                    return Ok(None);
                };
                scratch.add(features, counts, &weights, &mut sums);
            }
            Ok::<_, Error>(Some(sums))
        })?;
        Ok(shards.into_iter().reduce(|a, b| Some(a?.merge(b?))).flatten())
    }

    /// Every piece through tensor operations, one read-back for each.
    fn evaluate_tensors(&self, at: &Parameters, request: Request<'_>) -> Result<Sums, Error> {
        let n_features = at.n_parameters() - 1;
        let n_columns = request.columns.len();
        let weights = Matrix::<B>::from(at.to_array(n_features)).into_tensor();
        let intercept = at.columns().map(|column| column[n_features]).collect();
        let intercept = Matrix::<B>::from_vec(intercept, [1, n_columns])?.into_tensor();
        let mut sums = Sums::new(at.n_parameters(), request);
        for piece in &self.pieces {
            let features = piece.of(self.design)?.into_tensor();
            let counts = self.counts_of(piece, request.columns)?.into_tensor();
            let missing = counts.clone().is_nan();
            let counts = counts.mask_fill(missing.clone(), 1.0);
            let predictor = features.clone().matmul(weights.clone()) + intercept.clone();
            let (losses, slopes) = self.observation.slope(counts.clone(), predictor.clone(), self.link);
            let (losses, slopes) = (losses.mask_fill(missing.clone(), 0.0), slopes.mask_fill(missing.clone(), 0.0));
            let gradient = features.clone().transpose().matmul(slopes.clone());
            let packed = Tensor::cat(vec![losses.sum_dim(0), gradient, slopes.sum_dim(0)], 0);
            sums.add_packed(&Matrix::<B>::from_tensor(packed).to_array());
            if request.order == Order::Curvature {
                let fisher = self.observation.fisher_weight(counts, predictor, self.link).mask_fill(missing, 0.0);
                let ones = Tensor::ones([piece.n_rows(), 1], (&B::device(), B::DTYPE));
                let features = Tensor::cat(vec![features, ones], 1);
                for (index, curvature) in sums.curvature.iter_mut().enumerate() {
                    let weighted = features.clone() * fisher.clone().narrow(1, index, 1);
                    *curvature += &Matrix::<B>::from_tensor(weighted.transpose().matmul(features.clone())).to_array();
                }
            }
        }
        Ok(sums)
    }
}

impl<B: Backend, D: Design<B>, Y: Design<B>, O: ObservationModel, L: InverseLink> Objective for GlmObjective<'_, B, D, Y, O, L> {
    fn evaluate(&self, at: &Parameters, request: Request<'_>) -> Result<Evaluation, Error> {
        let fused = match (self.kernel.filter(|_| B::HOST), B::DTYPE) {
            (Some(kernel), DType::F64) => self.evaluate_host::<f64>(kernel, at, request)?,
            (Some(kernel), _) => self.evaluate_host::<f32>(kernel, at, request)?,
            (None, _) => None,
        };
        let sums = match fused {
            Some(sums) => sums,
            None => self.evaluate_tensors(at, request)?,
        };
        Ok(sums.means(request.columns, &self.n_counts, &self.silent))
    }

    fn gram(&self) -> Option<&Gram> {
        Some(&self.gram)
    }

    fn resolution(&self) -> f64 {
        4.0 * B::epsilon()
    }
}

/// Sums over rows of losses, gradients and curvatures.
struct Sums {
    losses: Vec<f64>,
    gradient: Parameters,
    /// Lower triangles at least.
    curvature: Vec<Array2<f64>>,
}

impl Sums {
    fn new(n_parameters: usize, request: Request<'_>) -> Self {
        let n_columns = request.columns.len();
        let n_curvatures = if request.order == Order::Curvature { n_columns } else { 0 };
        Sums {
            losses: vec![0.0; n_columns],
            gradient: Parameters::zeros(n_parameters, n_columns),
            curvature: vec![Array2::zeros((n_parameters, n_parameters)); n_curvatures],
        }
    }

    fn merge(mut self, other: Sums) -> Sums {
        self.losses.iter_mut().zip(other.losses).for_each(|(a, b)| *a += b);
        self.gradient
            .as_mut_slice()
            .iter_mut()
            .zip(other.gradient.as_slice())
            .for_each(|(a, b)| *a += b);
        self.curvature.iter_mut().zip(&other.curvature).for_each(|(a, b)| *a += b);
        self
    }

    /// Adds rows of losses, gradients of the coefficients, and gradients of the intercepts.
    fn add_packed(&mut self, packed: &Array2<f64>) {
        for (column, values) in packed.columns().into_iter().enumerate() {
            self.losses[column] += values[0];
            self.gradient
                .column_mut(column)
                .iter_mut()
                .zip(values.iter().skip(1))
                .for_each(|(a, b)| *a += b);
        }
    }

    /// Divides each column by its number of samples.
    fn means(mut self, columns: &[usize], n_counts: &[usize], silent: &[bool]) -> Evaluation {
        for (index, &neuron) in columns.iter().enumerate() {
            let share = if silent[neuron] { 0.0 } else { 1.0 / n_counts[neuron] as f64 };
            self.losses[index] *= share;
            self.gradient.column_mut(index).iter_mut().for_each(|slope| *slope *= share);
            if let Some(curvature) = self.curvature.get_mut(index) {
                *curvature *= share;
                for i in 0..curvature.nrows() {
                    for j in 0..i {
                        curvature[(j, i)] = curvature[(i, j)];
                    }
                }
            }
        }
        let curvature = (!self.curvature.is_empty()).then_some(self.curvature);
        Evaluation {
            values: self.losses,
            gradient: self.gradient,
            curvature,
        }
    }
}

/// Memory that the fused loop uses again for every block.
#[derive(Debug)]
struct Scratch<E> {
    kernel: Kernel,
    lanes: Lanes,
    predictor: Vec<E>,
    gradient: Vec<E>,
    weights: Vec<E>,
    weighted: Vec<E>,
}

impl<E: HostFloat> Scratch<E> {
    fn new(kernel: Kernel, n_columns: usize) -> Self {
        let [predictor, gradient, weights, weighted] = [const { Vec::new() }; 4];
        Scratch {
            kernel,
            lanes: Lanes::new(n_columns),
            predictor,
            gradient,
            weights,
            weighted,
        }
    }

    /// Adds one block: `features` `[n_rows, n_features]`, `counts` `[n_rows, n_columns]`, `parameters` by columns.
    fn add(&mut self, features: &[E], counts: &[E], parameters: &[E], sums: &mut Sums) {
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
        let predictor = MatMut::from_row_major_slice_mut(&mut self.predictor, n_rows, n_columns);
        matmul(predictor, Accum::Add, features_in_rows, coef, one, Par::Seq);
        if !sums.curvature.is_empty() {
            self.add_curvature(features, counts, sums);
        }

        self.kernel.slopes(&mut self.predictor, counts, &mut self.lanes);
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
    fn add_curvature(&mut self, features: &[E], counts: &[E], sums: &mut Sums) {
        let n_columns = sums.losses.len();
        let n_parameters = sums.gradient.n_parameters();
        let n_rows = counts.len() / n_columns;
        self.weights.resize(counts.len(), E::default());
        self.kernel.weights(&self.predictor, counts, &mut self.weights);
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
