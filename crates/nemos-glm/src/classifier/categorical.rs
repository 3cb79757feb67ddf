//! Categorical observations: which of several classes a row belongs to, or the share that each class has of it.
//!
//! ```text
//! ln p(class k) = ηₖ − ln Σₗ exp(ηₗ)
//! loss          = −Σₖ yₖ ln p(class k)              yₖ: one for the class of the row, or its share
//! slope         = (Σₗ yₗ) pₖ − yₖ
//! curvature     = (Σₗ yₗ) pₖ (δₖₗ − pₗ)
//! ```

use std::sync::Arc;

use nemos_core::tensor::{Tensor, activation, backend::Backend as BurnBackend};
use nemos_solvers::Parameters;

use crate::engine::loops::BothPrecisions;
use crate::engine::model::{At, Information, Model};
use crate::{Scale, Support};

/// From predictors to logarithms of probabilities: `ηₖ − ln Σₗ exp(ηₗ)` over classes. The link of classifiers.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct LogSoftmax;

impl LogSoftmax {
    /// `[n_rows, n_neurons, n_classes]` in and out.
    pub fn log_probabilities<T: BurnBackend>(&self, predictor: Tensor<T, 3>) -> Tensor<T, 3> {
        activation::log_softmax(predictor, 2)
    }
}

/// What the columns of the responses hold.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Targets {
    /// The number of the class of each row.
    Labels,
    /// The share that each class has of a row: as many columns as classes.
    Shares,
}

/// Categorical observations of so many classes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Categorical {
    pub(crate) n_classes: usize,
    pub(crate) targets: Targets,
}

impl Categorical {
    /// Columns of the counts for each response.
    pub(crate) fn columns_per_response(&self) -> usize {
        match self.targets {
            Targets::Labels => 1,
            Targets::Shares => self.n_classes,
        }
    }

    /// `[n_rows, n_problems, n_classes]`
    pub(crate) fn log_probabilities<T: BurnBackend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 3> {
        let [n_rows, width] = predictor.dims();
        LogSoftmax.log_probabilities(predictor.reshape([n_rows, width / self.n_classes, self.n_classes]))
    }

    /// `[n_rows, n_problems, n_classes]`
    fn targets_of<T: BurnBackend>(&self, counts: Tensor<T, 2>) -> Tensor<T, 3> {
        let [n_rows, width] = counts.dims();
        if self.targets == Targets::Shares {
            return counts.reshape([n_rows, width / self.n_classes, self.n_classes]);
        }
        let shape = [n_rows, width, self.n_classes];
        let labels = counts.reshape([n_rows, width, 1]).expand(shape);
        let classes = (0..self.n_classes).map(|class| {
            let of_class = labels.clone().narrow(2, class, 1);
            of_class.zeros_like().mask_fill(of_class.equal_elem(class as f64), 1.0)
        });
        Tensor::cat(classes.collect(), 2)
    }

    /// `[n_rows, n_problems]`
    fn sum_over_classes<T: BurnBackend>(terms: Tensor<T, 3>) -> Tensor<T, 2> {
        let [n_rows, n_problems, _] = terms.dims();
        terms.sum_dim(2).reshape([n_rows, n_problems])
    }
}

impl<T: BurnBackend> Model<T> for Categorical {
    fn n_predictors(&self) -> usize {
        self.n_classes
    }

    fn n_targets(&self) -> usize {
        self.columns_per_response()
    }

    fn support(&self) -> Support {
        Support::Classes(self.n_classes)
    }

    fn scale(&self) -> Scale {
        Scale::Fixed(1.0)
    }

    fn loss_factor(&self, _scale: f64) -> f64 {
        1.0
    }

    fn loops(&self) -> Option<BothPrecisions> {
        Some(BothPrecisions {
            double: Arc::new(*self),
            single: Arc::new(*self),
        })
    }

    fn targets(&self, counts: Tensor<T, 2>) -> Tensor<T, 2> {
        let targets = self.targets_of(counts);
        let [n_rows, n_problems, n_classes] = targets.dims();
        targets.reshape([n_rows, n_problems * n_classes])
    }

    fn rate(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        let dims = predictor.dims();
        self.log_probabilities(predictor).exp().reshape(dims)
    }

    fn predictor(&self, _rate: f64) -> Option<f64> {
        None
    }

    fn slope(&self, counts: Tensor<T, 2>, predictor: Tensor<T, 2>, _scale: Tensor<T, 2>) -> (Tensor<T, 2>, Tensor<T, 2>) {
        let dims = predictor.dims();
        let (log, targets) = (self.log_probabilities(predictor), self.targets_of(counts));
        let loss = Categorical::sum_over_classes(log.clone() * targets.clone()).neg();
        let slope = log.exp() * targets.clone().sum_dim(2) - targets;
        (loss, slope.reshape(dims))
    }

    fn curvature(&self, _information: Information, counts: Tensor<T, 2>, at: At<T>, (first, second): (usize, usize)) -> Tensor<T, 2> {
        let probabilities = self.log_probabilities(at.predictor).exp();
        let total = Categorical::sum_over_classes(self.targets_of(counts));
        let of_class = |class: usize| {
            let of_class = probabilities.clone().narrow(2, class, 1);
            let [n_rows, n_problems, _] = of_class.dims();
            of_class.reshape([n_rows, n_problems])
        };
        let same = if first == second { 1.0 } else { 0.0 };
        total * of_class(first) * (of_class(second).neg() + same)
    }

    fn log_likelihood(&self, counts: Tensor<T, 2>, predictor: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        Categorical::sum_over_classes(self.log_probabilities(predictor) * self.targets_of(counts))
    }

    fn deviance(&self, counts: Tensor<T, 2>, predictor: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        Categorical::sum_over_classes(self.log_probabilities(predictor) * self.targets_of(counts)) * -2.0
    }

    fn pearson(&self, counts: Tensor<T, 2>, predictor: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        let probabilities = self.log_probabilities(predictor).exp();
        let residual = self.targets_of(counts) - probabilities.clone();
        Categorical::sum_over_classes(residual.clone() * residual / probabilities)
    }

    fn variance(&self, predictor: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        let dims = predictor.dims();
        let probabilities = self.log_probabilities(predictor).exp().reshape(dims);
        probabilities.clone() * (probabilities.neg() + 1.0)
    }

    fn slope_in_scale(&self, counts: Tensor<T, 2>, _at: At<T>) -> Tensor<T, 2> {
        let [n_rows, width] = counts.dims();
        Tensor::zeros([n_rows, width / self.columns_per_response()], (&counts.device(), counts.dtype()))
    }

    fn null_log_likelihood(&self, classes: &[f64]) -> f64 {
        let total: f64 = classes.iter().sum();
        let present = classes.iter().filter(|weight| **weight > 0.0);
        present.map(|weight| weight * (weight / total).ln()).sum()
    }
}

/// Subtracts the mean over classes: from the intercepts, which nothing penalises, and from coefficients where nothing does.
pub(crate) fn centre(parameters: &mut Parameters, n_classes: usize, coefficients: bool) {
    let width = parameters.n_parameters() / n_classes;
    let first = if coefficients { 0 } else { width - 1 };
    for neuron in 0..parameters.n_problems() {
        let column = parameters.column_mut(neuron);
        for row in first..width {
            let mean = (0..n_classes).map(|class| column[class * width + row]).sum::<f64>() / n_classes as f64;
            (0..n_classes).for_each(|class| column[class * width + row] -= mean);
        }
    }
}
