//! Second moments of the features, summed over rows.

use ndarray::Array2;
use nemos_core::tensor::DType;
use nemos_core::{Backend, Error, HostFloat, Matrix, Onto, Operand, Sums, multiply_lower};
use nemos_solvers::Moments;

use crate::engine::numbers::Numbers;
use crate::engine::products::view;
use crate::engine::shards::{Sum, add};

/// Sums over rows of the features and of their products, both about a point near their means, so that no digits are lost
/// to large means.
#[derive(Clone, Debug)]
pub(crate) struct MomentSums {
    weight: f64,
    sum: Vec<f64>,
    /// The lower triangle of columns (upper one of rows) at least.
    products: Array2<f64>,
    precision: f64,
}

// Covariances of f32 features are summed in f64, but the features are rounded: what that leaves of a collinear
// combination grows with the square of their means over their standard deviations.
const PRECISION_F64: f64 = 8.0 * f64::EPSILON;
const PRECISION_F32: f64 = 1e-10;
const PRECISION_TENSORS_F32: f64 = 1e-6;

impl Sum for MomentSums {
    fn merge(&mut self, later: Self) {
        self.weight += later.weight;
        add(&mut self.sum, &later.sum);
        self.products += &later.products;
        self.precision = self.precision.max(later.precision);
    }

    fn pack(&self, to: &mut Vec<f64>) {
        to.extend([self.weight, self.precision]);
        to.extend_from_slice(&self.sum);
        to.extend(&self.products);
    }

    fn unpack(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        (self.weight, self.precision) = (from.next()?, from.next()?);
        from.fill(&mut self.sum)?;
        from.fill_matrix(&mut self.products)
    }
}

impl MomentSums {
    pub(crate) fn new(n_features: usize) -> Self {
        MomentSums {
            weight: 0.0,
            sum: vec![0.0; n_features],
            products: Array2::zeros((n_features, n_features)),
            precision: PRECISION_F64,
        }
    }

    /// The weight of all rows together.
    pub(crate) fn weight(&self) -> f64 {
        self.weight
    }

    /// Adds rows of features `[n_rows, n_features]`. A row counts as much as it does for the mean column of `weights`.
    pub(crate) fn add<B: Backend>(&mut self, features: &Matrix<B>, weights: Option<&Matrix<B>>, about: &[f64]) -> Result<(), Error> {
        if !B::HOST {
            return self.add_tensor(features, weights, about);
        }
        let weights = match weights {
            None => None,
            Some(weights) => {
                let (rows, width) = (weights.try_to_vec()?, weights.dims()[1]);
                let means = rows.chunks_exact(width).map(|row| row.iter().sum::<f64>() / width as f64);
                Some(means.collect::<Vec<_>>())
            }
        };
        self.weight += weights.as_ref().map_or(features.dims()[0] as f64, |weights| weights.iter().sum());
        if self.sum.is_empty() {
            return Ok(());
        }
        let host = features.host();
        if let Some(values) = host.as_slice::<f64>() {
            self.add_host(values, weights, about);
        } else if let Some(values) = host.as_slice::<f32>() {
            self.precision = PRECISION_F32;
            self.add_host(values, weights, about);
        }
        Ok(())
    }

    fn add_host<E: HostFloat>(&mut self, features: &[E], weights: Option<Vec<f64>>, about: &[f64]) {
        let n_features = about.len();
        let mut centred = Vec::with_capacity(features.len());
        for row in features.chunks_exact(n_features) {
            centred.extend(row.iter().zip(about).map(|(x, about)| x.into_f64() - about));
        }
        for (index, row) in centred.chunks_exact_mut(n_features).enumerate() {
            let weight = weights.as_ref().map_or(1.0, |weights| weights[index]);
            self.sum.iter_mut().zip(&*row).for_each(|(sum, x)| *sum += weight * x);
            if weight != 1.0 {
                row.iter_mut().for_each(|x| *x *= weight.sqrt());
            }
        }
        self.add_products(&centred);
    }

    /// Adds the products of rows of centred features.
    #[inline(never)]
    fn add_products(&mut self, centred: &[f64]) {
        let n_features = self.sum.len();
        let centred = view((centred.len() / n_features, n_features), centred);
        // Symmetric, so that the rows of the array may stand for its columns.
        multiply_lower(self.products.view_mut().reversed_axes(), Onto::Them, centred.t(), centred);
    }

    /// The same where the values are: only sums come back.
    fn add_tensor<B: Backend>(&mut self, features: &Matrix<B>, weights: Option<&Matrix<B>>, about: &[f64]) -> Result<(), Error> {
        let single = B::DTYPE != DType::F64;
        self.precision = if single { PRECISION_TENSORS_F32 } else { PRECISION_F64 };
        let weights = weights.map(|weights| match weights.dims()[1] {
            1 => weights.clone().into_tensor(),
            _ => weights.clone().into_tensor().mean_dim(1),
        });
        let mut sums = Sums::<B>::new();
        if let Some(weights) = &weights {
            sums.rows(weights.clone());
        }
        if !self.sum.is_empty() {
            let centred = features.clone().into_tensor() - crate::engine::tensors::row::<B>(about);
            let centred = Operand::<B>::new(Matrix::from_tensor(centred));
            let rows = centred.features().clone().into_tensor();
            sums.rows(match &weights {
                None => rows,
                Some(weights) => rows * weights.clone(),
            });
            sums.second_moment(&centred, weights.clone());
        }
        let mut sums = sums.read()?.into_iter();
        self.weight += match weights {
            None => features.dims()[0] as f64,
            Some(_) => sums.next().map_or(0.0, |weight| weight.sum()),
        };
        if let Some((sum, products)) = sums.next().zip(sums.next()) {
            self.sum.iter_mut().zip(&sum).for_each(|(total, x)| *total += x);
            self.products += &products;
        }
        Ok(())
    }

    /// Means and covariances.
    pub(crate) fn moments(&self, about: &[f64]) -> Moments {
        let offset: Vec<f64> = self.sum.iter().map(|sum| sum / self.weight).collect();
        let covariance = Array2::from_shape_fn(self.products.dim(), |(i, j)| {
            // The lower triangle of columns is the upper one of rows; tensors fill both.
            self.products[(i.min(j), i.max(j))] / self.weight - offset[i] * offset[j]
        });
        let mean = offset.iter().zip(about).map(|(offset, about)| offset + about).collect();
        Moments::new(mean, covariance, self.precision)
    }
}
