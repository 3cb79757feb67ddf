//! Sums over rows: what passes over the data add up.

use ndarray::Array2;
use nemos_solvers::{Evaluation, Order, Parameters, Request};

/// Sums over rows of losses, gradients and curvatures.
pub(crate) struct Sums {
    pub(crate) losses: Vec<f64>,
    pub(crate) gradient: Parameters,
    /// Lower triangles at least.
    pub(crate) curvature: Vec<Array2<f64>>,
}

impl Sums {
    pub(crate) fn new(n_parameters: usize, request: Request<'_>) -> Self {
        let n_columns = request.columns.len();
        let n_curvatures = if request.order == Order::Curvature { n_columns } else { 0 };
        Sums {
            losses: vec![0.0; n_columns],
            gradient: Parameters::zeros(n_parameters, n_columns),
            curvature: vec![Array2::zeros((n_parameters, n_parameters)); n_curvatures],
        }
    }

    pub(crate) fn merge(mut self, other: Sums) -> Sums {
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
    pub(crate) fn add_packed(&mut self, packed: &Array2<f64>) {
        for (column, values) in packed.columns().into_iter().enumerate() {
            self.losses[column] += values[0];
            self.gradient
                .column_mut(column)
                .iter_mut()
                .zip(values.iter().skip(1))
                .for_each(|(a, b)| *a += b);
        }
    }

    /// Takes the gradient and curvature of coefficients that may not move away.
    /// `free` is `[n_blocks · n_features, n_neurons]`.
    pub(crate) fn hold(&mut self, columns: &[usize], free: &Array2<bool>, n_features: usize) {
        for (index, &neuron) in columns.iter().enumerate() {
            for (held, _) in free.column(neuron).iter().enumerate().filter(|(_, free)| !**free) {
                // Each block ends with an intercept.
                let parameter = held + held / n_features;
                self.gradient.column_mut(index)[parameter] = 0.0;
                if let Some(curvature) = self.curvature.get_mut(index) {
                    curvature.row_mut(parameter).fill(0.0);
                    curvature.column_mut(parameter).fill(0.0);
                }
            }
        }
    }

    /// Multiplies each column by its share of the whole.
    pub(crate) fn means(mut self, columns: &[usize], share: impl Fn(usize) -> f64) -> Evaluation {
        for (index, &neuron) in columns.iter().enumerate() {
            let share = share(neuron);
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
