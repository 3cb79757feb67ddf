//! The mean negative log-likelihood of classes: a softmax couples the coefficients of all classes of a neuron.

use ndarray::{Array2, s};
use nemos_core::tensor::Tensor;
use nemos_core::{Backend, Design, Matrix};
use nemos_solvers::{Error, Evaluation, Gram, Objective, Order, Parameters, Request};

use crate::data::{Chunk, Data};
use crate::sums::Sums;
use crate::survey::Survey;
use crate::{LogSoftmax, Support};

/// The mean over samples of `−ln p(label)`, one column per neuron: what fitting a classifier minimises, less the penalty.
///
/// ```text
/// ln p(class k) = ηₖ − ln Σₗ exp(ηₗ),      ηₖ = design · wₖ + bₖ
/// ```
///
/// The parameters of a neuron are one block of coefficients and an intercept per class.
#[derive(Debug)]
pub(crate) struct CategoricalObjective<'a, B: Backend, D, Y> {
    data: Data<'a, D, Y>,
    n_classes: usize,
    n_counts: Vec<usize>,
    weight: Vec<f64>,
    has_offset: bool,
    /// `[n_classes, n_neurons]`
    frequencies: Array2<f64>,
    gram: Gram,
    backend: std::marker::PhantomData<B>,
}

impl<'a, B: Backend, D: Design<B>, Y: Design<B>> CategoricalObjective<'a, B, D, Y> {
    pub(crate) fn new(design: &'a D, labels: &'a Y, n_classes: usize, free: Option<Array2<bool>>) -> Result<Self, crate::Error> {
        let survey = Survey::new(design, labels, Support::Classes(n_classes))?;
        let n_neurons = survey.n_counts.len();
        let data = Data::new(design, labels, survey.pieces, n_neurons);
        let all: Vec<usize> = (0..n_neurons).collect();
        let counted = data.for_each_chunk(
            &all,
            || Array2::<f64>::zeros((n_classes, n_neurons)),
            |counts, chunk| {
                *counts += &class_weights(&chunk, n_classes);
                Ok(())
            },
        )?;
        let counted = counted
            .into_iter()
            .fold(Array2::zeros((n_classes, n_neurons)), |total: Array2<f64>, counts| total + counts);
        // A class that does not occur counts half: its probability has no finite logarithm.
        let frequencies = Array2::from_shape_fn(counted.dim(), |(class, neuron)| {
            let n = survey.n_counts[neuron] as f64;
            (counted[(class, neuron)] / survey.weight[neuron]).max(0.5 / n)
        });
        Ok(CategoricalObjective {
            data,
            n_classes,
            n_counts: survey.n_counts,
            weight: survey.weight,
            has_offset: survey.has_offset,
            gram: Gram {
                mean: survey.mean,
                covariance: survey.covariance,
                precision: survey.precision,
                weight: frequencies.mapv(|p| (p * (1.0 - p)).max(1e-8)),
                ridge: None,
                free,
            },
            frequencies,
            backend: std::marker::PhantomData,
        })
    }

    /// No effect of any feature, and intercepts that give the classes their frequencies; these sum to zero.
    pub(crate) fn start(&self) -> Parameters {
        let width = self.gram.mean.len() + 1;
        let mut start = Parameters::zeros(width * self.n_classes, self.n_counts.len());
        for (neuron, frequencies) in self.frequencies.columns().into_iter().enumerate() {
            let mean = frequencies.iter().map(|p| p.ln()).sum::<f64>() / self.n_classes as f64;
            for (class, p) in frequencies.iter().enumerate() {
                start.column_mut(neuron)[(class + 1) * width - 1] = p.ln() - mean;
            }
        }
        start
    }

    pub(crate) fn n_counts(&self) -> &[usize] {
        &self.n_counts
    }

    pub(crate) fn has_offset(&self) -> bool {
        self.has_offset
    }

    fn add(&self, chunk: &Chunk<B>, at: &(Tensor<B::Burn, 2>, Tensor<B::Burn, 2>), sums: &mut Sums) {
        let (n_rows, n_features) = (chunk.features.dims()[0], chunk.features.dims()[1]);
        let n_columns = sums.losses.len();
        let width = n_features + 1;
        let features = chunk.features.clone().into_tensor();
        let log_probabilities = log_probabilities(chunk, at, self.n_classes);
        let hits = chunk.hits(self.n_classes);
        let weigh = |terms: Tensor<B::Burn, 3>| chunk.weigh_classes(terms);
        let losses = weigh(log_probabilities.clone() * hits.clone()).sum_dim(2).sum_dim(0).neg();
        let losses = Matrix::<B>::from_tensor(losses.reshape([1, n_columns])).to_vec();
        sums.losses.iter_mut().zip(losses).for_each(|(sum, loss)| *sum += loss);
        let probabilities = log_probabilities.exp();
        let slopes = weigh(probabilities.clone() - hits).reshape([n_rows, n_columns * self.n_classes]);
        let gradient = Tensor::cat(vec![features.clone().transpose().matmul(slopes.clone()), slopes.sum_dim(0)], 0);
        let gradient = Matrix::<B>::from_tensor(gradient).to_array();
        for (index, values) in gradient.columns().into_iter().enumerate() {
            let (neuron, class) = (index / self.n_classes, index % self.n_classes);
            let block = &mut sums.gradient.column_mut(neuron)[class * width..(class + 1) * width];
            block.iter_mut().zip(values).for_each(|(sum, slope)| *sum += slope);
        }
        if sums.curvature.is_empty() {
            return;
        }
        let ones = Tensor::ones([n_rows, 1], (&B::device(), B::DTYPE));
        let features = Tensor::cat(vec![features, ones], 1);
        let of_class = |class: usize| probabilities.clone().narrow(2, class, 1);
        for first in 0..self.n_classes {
            for second in 0..=first {
                // pₖ (δₖₗ − pₗ)
                let same = if first == second { 1.0 } else { 0.0 };
                let weights = weigh(of_class(first) * (of_class(second).neg() + same)).reshape([n_rows, n_columns]);
                for (neuron, curvature) in sums.curvature.iter_mut().enumerate() {
                    let weighted = features.clone() * weights.clone().narrow(1, neuron, 1);
                    let product = Matrix::<B>::from_tensor(weighted.transpose().matmul(features.clone())).to_array();
                    let block = s![first * width..(first + 1) * width, second * width..(second + 1) * width];
                    let mut block = curvature.slice_mut(block);
                    block += &product;
                }
            }
        }
    }
}

impl<B: Backend, D: Design<B>, Y: Design<B>> Objective for CategoricalObjective<'_, B, D, Y> {
    fn evaluate(&self, at: &Parameters, request: Request<'_>) -> Result<Evaluation, Error> {
        let device = on_device::<B>(at, self.n_classes);
        let new = || Sums::new(at.n_parameters(), request);
        let add = |sums: &mut Sums, chunk: Chunk<B>| {
            self.add(&chunk, &device, sums);
            Ok(())
        };
        let shards = match request.rows {
            None => self.data.for_each_chunk(request.columns, new, add)?,
            Some([]) => Vec::new(),
            Some(rows) => {
                let mut sums = new();
                add(&mut sums, self.data.gather(rows, request.columns)?)?;
                vec![sums]
            }
        };
        let mut sums = shards.into_iter().reduce(Sums::merge).unwrap_or_else(new);
        if let Some(free) = &self.gram.free {
            sums.hold(request.columns, free, self.gram.mean.len());
        }
        let factor = request.rows.map_or(1.0, |rows| self.n_rows() as f64 / rows.len().max(1) as f64);
        let mut evaluation = sums.means(request.columns, |neuron| factor / self.weight[neuron]);
        if request.order == Order::Gradient {
            evaluation.curvature = None;
        }
        Ok(evaluation)
    }

    fn n_rows(&self) -> usize {
        self.data.n_rows()
    }

    fn n_blocks(&self) -> usize {
        self.n_classes
    }

    fn gram(&self) -> Option<&Gram> {
        Some(&self.gram)
    }

    fn resolution(&self) -> f64 {
        4.0 * B::epsilon()
    }
}

/// Coefficients `[n_features, n_neurons · n_classes]` and intercepts `[1, n_neurons · n_classes]` on the device, the
/// classes of a neuron side by side.
pub(crate) fn on_device<B: Backend>(at: &Parameters, n_classes: usize) -> (Tensor<B::Burn, 2>, Tensor<B::Burn, 2>) {
    let width = at.n_parameters() / n_classes;
    let all = Array2::from_shape_fn((width, at.n_problems() * n_classes), |(row, column)| {
        at.column(column / n_classes)[column % n_classes * width + row]
    });
    let coef = Matrix::<B>::from_array(all.slice(s![..width - 1, ..]));
    let intercept = Matrix::<B>::from_array(all.slice(s![width - 1.., ..]));
    (coef.into_tensor(), intercept.into_tensor())
}

/// `[n_rows, n_neurons, n_classes]`
pub(crate) fn log_probabilities<B: Backend>(
    chunk: &Chunk<B>,
    (coef, intercept): &(Tensor<B::Burn, 2>, Tensor<B::Burn, 2>),
    n_classes: usize,
) -> Tensor<B::Burn, 3> {
    let predictor = chunk.features.clone().into_tensor().matmul(coef.clone()) + intercept.clone();
    let [n_rows, width] = predictor.dims();
    LogSoftmax.log_probabilities(predictor.reshape([n_rows, width / n_classes, n_classes]))
}

impl<B: Backend> Chunk<B> {
    /// `[n_rows, n_neurons, n_classes]`: one where the label is the class; nothing but zeros where it is missing.
    pub(crate) fn hits(&self, n_classes: usize) -> Tensor<B::Burn, 3> {
        let [n_rows, n_neurons] = self.counts.dims();
        let classes = Matrix::<B>::from_vec((0..n_classes).map(|class| class as f64).collect(), [1, n_classes]).expect("one row");
        let classes = classes
            .into_tensor()
            .reshape([1, 1, n_classes])
            .expand([n_rows, n_neurons, n_classes]);
        let labels = self.counts.clone().into_tensor().reshape([n_rows, n_neurons, 1]);
        let hits = labels.expand([n_rows, n_neurons, n_classes]).equal(classes.clone());
        classes.zeros_like().mask_fill(hits, 1.0)
    }

    /// Terms `[n_rows, n_neurons, anything]` times weights, and zero where labels are missing.
    pub(crate) fn weigh_classes(&self, terms: Tensor<B::Burn, 3>) -> Tensor<B::Burn, 3> {
        let [n_rows, n_neurons, width] = terms.dims();
        let ones = self.counts.clone().into_tensor().ones_like();
        let weights = self.weigh(ones).reshape([n_rows, n_neurons, 1]).expand([n_rows, n_neurons, width]);
        let none = weights.clone().equal_elem(0.0);
        (terms * weights).mask_fill(none, 0.0)
    }
}

/// `[n_classes, n_neurons]`: weights of the rows of each class.
pub(crate) fn class_weights<B: Backend>(chunk: &Chunk<B>, n_classes: usize) -> Array2<f64> {
    let n_neurons = chunk.counts.dims()[1];
    let sums = chunk
        .weigh_classes(chunk.hits(n_classes))
        .sum_dim(0)
        .reshape([n_neurons, n_classes]);
    Matrix::<B>::from_tensor(sums).to_array().reversed_axes()
}
