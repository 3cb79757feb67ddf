//! Sums over rows: what an evaluation of the objective adds up.

use ndarray::{Array2, s};
use nemos_solvers::{Evaluation, Order, Parameters, Request};

use crate::engine::host::pairs;
use crate::engine::numbers::Numbers;
use crate::engine::shards::{Sum, add};

/// Sums over rows of losses, gradients and curvatures, one column for each problem asked for.
pub(crate) struct Sums<'r> {
    pub(crate) losses: Vec<f64>,
    pub(crate) gradient: Parameters,
    /// Lower triangles at least.
    pub(crate) curvature: Vec<Array2<f64>>,
    /// The features of each column that curvatures are among; nothing where they are among all.
    pub(crate) among: &'r [Vec<usize>],
}

impl<'r> Sums<'r> {
    pub(crate) fn new(n_parameters: usize, request: Request<'r>) -> Self {
        let n_columns = request.columns.len();
        let square = |width: usize| Array2::zeros((width, width));
        let (curvature, among) = match request.order {
            Order::Curvature => (vec![square(n_parameters); n_columns], &[][..]),
            Order::CurvatureAmong(features) => (features.iter().map(|few| square(few.len() + 1)).collect(), features),
            _ => (Vec::new(), &[][..]),
        };
        Sums {
            losses: vec![0.0; n_columns],
            gradient: Parameters::zeros(n_parameters, n_columns),
            curvature,
            among,
        }
    }

    /// Adds what tensor operations summed: losses `[1, n_columns]`, gradients of the coefficients and of the intercepts, a column
    /// for each predictor, and the curvatures of each pair of predictors.
    pub(crate) fn add_read(&mut self, read: Vec<Array2<f64>>, n_predictors: usize) {
        let mut read = read.into_iter();
        let (Some(losses), Some(coef), Some(intercepts)) = (read.next(), read.next(), read.next()) else {
            return;
        };
        self.losses.iter_mut().zip(&losses).for_each(|(total, loss)| *total += loss);
        let stride = coef.nrows() + 1;
        let columns = self.gradient.as_mut_slice().chunks_exact_mut(stride);
        for (to, (coef, intercept)) in columns.zip(coef.columns().into_iter().zip(&intercepts)) {
            to.iter_mut()
                .zip(coef.iter().chain([intercept]))
                .for_each(|(total, slope)| *total += slope);
        }
        add_pairs(&mut self.curvature, read, n_predictors);
    }

    /// From gradients along features less a centre to those along the features. Curvatures stay about the centre.
    pub(crate) fn uncentre(&mut self, centre: &[f64]) {
        for predictor in self.gradient.as_mut_slice().chunks_exact_mut(centre.len() + 1) {
            let intercept = predictor[centre.len()];
            predictor
                .iter_mut()
                .zip(centre)
                .for_each(|(slope, centre)| *slope += centre * intercept);
        }
    }

    /// Takes the gradient and curvature of coefficients that may not move away.
    /// `free` is `[n_predictors · n_features, n_problems]`.
    pub(crate) fn hold(&mut self, columns: &[usize], free: &Array2<bool>, n_features: usize) {
        for (index, &problem) in columns.iter().enumerate() {
            for (held, _) in free.column(problem).iter().enumerate().filter(|(_, free)| !**free) {
                // The coefficients of each predictor end with an intercept.
                let parameter = held + held / n_features;
                self.gradient.column_mut(index)[parameter] = 0.0;
                // A few features are among those that may move.
                if let Some(curvature) = self.curvature.get_mut(index).filter(|_| self.among.is_empty()) {
                    curvature.row_mut(parameter).fill(0.0);
                    curvature.column_mut(parameter).fill(0.0);
                }
            }
        }
    }

    /// Multiplies each column by its share of the whole.
    pub(crate) fn means(mut self, columns: &[usize], share: impl Fn(usize) -> f64) -> Evaluation {
        for (index, &problem) in columns.iter().enumerate() {
            let share = share(problem);
            self.losses[index] *= share;
            self.gradient.column_mut(index).iter_mut().for_each(|slope| *slope *= share);
            if let Some(curvature) = self.curvature.get_mut(index) {
                *curvature *= share;
                mirror(curvature);
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

impl Sum for Sums<'_> {
    fn merge(&mut self, later: Self) {
        add(&mut self.losses, &later.losses);
        add(self.gradient.as_mut_slice(), later.gradient.as_slice());
        self.curvature.iter_mut().zip(&later.curvature).for_each(|(a, b)| *a += b);
    }

    fn pack(&self, to: &mut Vec<f64>) {
        to.extend_from_slice(&self.losses);
        to.extend_from_slice(self.gradient.as_slice());
        self.curvature.iter().for_each(|curvature| to.extend(curvature));
    }

    fn unpack(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        from.fill(&mut self.losses)?;
        from.fill(self.gradient.as_mut_slice())?;
        self.curvature.iter_mut().try_for_each(|curvature| from.fill_matrix(curvature))
    }
}

/// Adds matrices of each pair of predictors, problem after problem within a pair, to the matrices of the problems.
pub(crate) fn add_pairs(to: &mut [Array2<f64>], mut read: impl Iterator<Item = Array2<f64>>, n_predictors: usize) {
    for (first, second) in pairs(n_predictors) {
        for sum in to.iter_mut() {
            let Some(values) = read.next() else { return };
            let width = values.nrows();
            let mut part = sum.slice_mut(s![first * width..(first + 1) * width, second * width..(second + 1) * width]);
            part += &values;
        }
    }
}

/// Copies the lower triangle to the upper one.
pub(crate) fn mirror(matrix: &mut Array2<f64>) {
    for i in 0..matrix.nrows() {
        for j in 0..i {
            matrix[(j, i)] = matrix[(i, j)];
        }
    }
}
