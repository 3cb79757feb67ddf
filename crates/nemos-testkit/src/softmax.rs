//! A classifier's objective on the host: several predictors per problem, coupled by a softmax.

use ndarray::{Array1, Array2};
use nemos_solvers::{Error, Evaluation, ExpectedCurvature, Objective, Order, Parameters, Request};

use crate::host_objective::expected;

/// The mean over rows of `ln Σₖ exp(ηₖ) − η_label`, one problem per column of labels.
#[derive(Clone, Debug)]
pub struct Softmax {
    /// `[n_rows, n_features]`
    pub design: Array2<f64>,
    /// `[n_rows, n_problems]`: classes, from zero.
    pub labels: Array2<usize>,
    n_classes: usize,
    expected: ExpectedCurvature,
}

impl Softmax {
    /// From a design and labels.
    pub fn new(design: Array2<f64>, labels: Array2<usize>, n_classes: usize) -> Self {
        let share = |class: usize, problem: usize| {
            labels.column(problem).iter().filter(|label| **label == class).count() as f64 / labels.nrows() as f64
        };
        let weight = Array2::from_shape_fn((n_classes, labels.ncols()), |(class, problem)| {
            share(class, problem) * (1.0 - share(class, problem))
        });
        Softmax {
            expected: expected(&design, weight),
            design,
            labels,
            n_classes,
        }
    }

    /// All zero: every class is as likely.
    pub fn start(&self) -> Parameters {
        Parameters::zeros((self.design.ncols() + 1) * self.n_classes, self.labels.ncols())
    }
}

impl Objective for Softmax {
    fn evaluate(&self, at: &Parameters, request: Request<'_>) -> Result<Evaluation, Error> {
        let width = self.design.ncols() + 1;
        let n_parameters = width * self.n_classes;
        let all: Vec<usize> = (0..self.design.nrows()).collect();
        let rows = request.rows.unwrap_or(&all);
        let mut values = vec![0.0; request.columns.len()];
        let mut gradient = Parameters::zeros(n_parameters, request.columns.len());
        let mut curvatures = Vec::new();
        for (index, &problem) in request.columns.iter().enumerate() {
            let mut curvature = Array2::zeros((n_parameters, n_parameters));
            for &row in rows {
                let features: Array1<f64> = self.design.row(row).iter().copied().chain([1.0]).collect();
                let classes = at.column(index).chunks_exact(width);
                let predictors: Vec<f64> = classes.map(|class| features.dot(&ndarray::aview1(class))).collect();
                let largest = predictors.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let log_total = largest + predictors.iter().map(|x| (x - largest).exp()).sum::<f64>().ln();
                let label = self.labels[(row, problem)];
                values[index] += log_total - predictors[label];
                let shares: Vec<f64> = predictors.iter().map(|x| (x - log_total).exp()).collect();
                for (class, share) in shares.iter().enumerate() {
                    let slope = share - f64::from(u8::from(class == label));
                    let slopes = &mut gradient.column_mut(index)[class * width..(class + 1) * width];
                    slopes.iter_mut().zip(&features).for_each(|(total, x)| *total += slope * x);
                }
                if request.order == Order::Curvature {
                    for ((i, j), value) in curvature.indexed_iter_mut() {
                        let (a, b) = (i / width, j / width);
                        let bend = shares[a] * (f64::from(u8::from(a == b)) - shares[b]);
                        *value += bend * features[i % width] * features[j % width];
                    }
                }
            }
            let share = 1.0 / rows.len() as f64;
            values[index] *= share;
            gradient.column_mut(index).iter_mut().for_each(|slope| *slope *= share);
            curvatures.push(curvature * share);
        }
        Ok(Evaluation {
            values,
            gradient,
            curvature: (request.order == Order::Curvature).then_some(curvatures),
        })
    }

    fn n_rows(&self) -> usize {
        self.design.nrows()
    }

    fn n_predictors(&self) -> usize {
        self.n_classes
    }

    fn expected_curvature(&self) -> Option<&ExpectedCurvature> {
        Some(&self.expected)
    }
}
