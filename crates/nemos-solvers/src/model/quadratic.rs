//! Quadratic models of an objective: curvatures that are sums of a known matrix, a diagonal and a few outer products.

use std::sync::Arc;

use ndarray::Array2;

use crate::linear::vector::{add, dot};
use crate::problem::expected_curvature::ExpectedCurvature;
use crate::problem::moments::Moments;

/// The bulk of a curvature.
#[derive(Clone, Debug)]
pub(crate) enum Base {
    /// Known number by number.
    Dense(Array2<f64>),
    /// `weight · covariance` for the coefficients of each predictor, `weight` for its intercept.
    Moments { moments: Arc<Moments>, weights: Vec<f64> },
    /// A multiple of one.
    Uniform(f64),
}

/// A curvature `base + diag(extra) + Σ_k sign_k u_k u_kᵀ`.
#[derive(Clone, Debug)]
pub(crate) struct Quadratic {
    base: Base,
    extra: Vec<f64>,
    /// `[dimension, n_outer]`, a row per dimension.
    outer: Vec<f64>,
    signs: Vec<f64>,
}

/// A vector and its product with a curvature, kept in step.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    /// base and diagonal times the vector
    bulk: Vec<f64>,
    /// `sign_k u_k · vector`
    outer: Vec<f64>,
}

impl Quadratic {
    /// A curvature without outer products.
    pub(crate) fn new(base: Base, extra: Vec<f64>) -> Self {
        Quadratic {
            base,
            extra,
            outer: Vec::new(),
            signs: Vec::new(),
        }
    }

    /// The curvature of a problem that is expected, in centred parameters: on the diagonal the ridge, and as much as the
    /// covariances are uncertain. One where nothing is known.
    pub(crate) fn expected(expected: Option<&ExpectedCurvature>, problem: usize, n_parameters: usize) -> Self {
        let mut extra = vec![0.0; n_parameters];
        let Some(expected) = expected else {
            return Quadratic::new(Base::Uniform(1.0), extra);
        };
        let (moments, n_features) = (expected.moments_of(problem).clone(), expected.n_features());
        let weights = expected.weight.column(problem).to_vec();
        for (predictor, weight) in weights.iter().enumerate() {
            for feature in 0..n_features {
                // Rounding may leave the covariance with a negative eigenvalue of this size, and the model without a minimum.
                let uncertain = moments.precision * n_features as f64 * weight * moments.covariance[(feature, feature)];
                let ridge = expected.ridge_at(predictor * n_features + feature, problem);
                extra[predictor * (n_features + 1) + feature] = ridge + uncertain;
            }
        }
        Quadratic::new(Base::Moments { moments, weights }, extra)
    }

    /// Adds outer products of these vectors with these signs.
    pub(crate) fn set_outer(&mut self, vectors: &[(f64, Vec<f64>)]) {
        self.signs = vectors.iter().map(|(sign, _)| *sign).collect();
        self.outer = (0..self.extra.len())
            .flat_map(|row| vectors.iter().map(move |(_, vector)| vector[row]))
            .collect();
    }

    /// Sets the scale of a base that is a multiple of something.
    pub(crate) fn set_weights(&mut self, new: impl Fn(usize) -> f64) {
        match &mut self.base {
            Base::Dense(_) => {}
            Base::Moments { weights, .. } => weights
                .iter_mut()
                .enumerate()
                .for_each(|(predictor, weight)| *weight = new(predictor)),
            Base::Uniform(weight) => *weight = new(0),
        }
    }

    /// The scale of each predictor of a base that is a multiple of something.
    pub(crate) fn weights(&self) -> Vec<f64> {
        match &self.base {
            Base::Dense(_) => Vec::new(),
            Base::Moments { weights, .. } => weights.clone(),
            Base::Uniform(weight) => vec![*weight],
        }
    }

    /// What is added to the diagonal of the base.
    pub(crate) fn extra(&self) -> &[f64] {
        &self.extra
    }

    pub(crate) fn dimension(&self) -> usize {
        self.extra.len()
    }

    // By dimension, because coordinate descent asks for one dimension of all vectors at a time.
    fn outer_row(&self, row: usize) -> &[f64] {
        let n_outer = self.signs.len();
        &self.outer[row * n_outer..(row + 1) * n_outer]
    }

    /// One number of the matrix.
    pub(crate) fn entry(&self, row: usize, column: usize) -> f64 {
        let bulk = match &self.base {
            Base::Dense(matrix) => matrix[(row, column)],
            Base::Moments { moments, weights } => {
                let width = moments.mean.len() + 1;
                let (i, j) = (row % width, column % width);
                // Predictors do not meet in what is expected, nor does a centred intercept meet its coefficients.
                match (row / width == column / width, i + 1 == width, j + 1 == width) {
                    (true, false, false) => weights[row / width] * moments.covariance[(i, j)],
                    (true, true, true) => weights[row / width],
                    _ => 0.0,
                }
            }
            Base::Uniform(weight) if row == column => *weight,
            Base::Uniform(_) => 0.0,
        };
        let diagonal = if row == column { self.extra[row] } else { 0.0 };
        let outer: f64 = self
            .outer_row(row)
            .iter()
            .zip(self.outer_row(column))
            .zip(&self.signs)
            .map(|((a, b), sign)| a * b * sign)
            .sum();
        bulk + diagonal + outer
    }

    /// The product with nothing.
    pub(crate) fn zero(&self) -> Product {
        Product {
            bulk: vec![0.0; self.dimension()],
            outer: vec![0.0; self.signs.len()],
        }
    }

    /// Follows a change of one number of the vector.
    pub(crate) fn add_change(&self, product: &mut Product, place: usize, change: f64) {
        self.add_bulk(&mut product.bulk, place, change);
        for ((total, value), sign) in product.outer.iter_mut().zip(self.outer_row(place)).zip(&self.signs) {
            *total += sign * value * change;
        }
    }

    fn add_bulk(&self, bulk: &mut [f64], place: usize, change: f64) {
        self.add_base(bulk, place, change);
        bulk[place] += self.extra[place] * change;
    }

    fn add_base(&self, bulk: &mut [f64], place: usize, change: f64) {
        match &self.base {
            Base::Dense(matrix) => add_row(bulk, change, matrix, place),
            Base::Moments { moments, weights } => {
                let width = moments.mean.len() + 1;
                let (predictor, feature) = (place / width, place % width);
                let change = change * weights[predictor];
                if feature + 1 == width {
                    bulk[place] += change;
                } else {
                    add_row(
                        &mut bulk[predictor * width..(predictor + 1) * width - 1],
                        change,
                        &moments.covariance,
                        feature,
                    );
                }
            }
            Base::Uniform(weight) => bulk[place] += weight * change,
        }
    }

    /// One number of the product.
    pub(crate) fn at(&self, product: &Product, place: usize) -> f64 {
        product.bulk[place] + dot(self.outer_row(place), &product.outer)
    }

    /// `vectorᵀ (base + diagonal) vector`, the outer products left out.
    pub(crate) fn along(&self, vector: &[f64]) -> f64 {
        let diagonal: f64 = vector.iter().zip(&self.extra).map(|(x, extra)| x * x * extra).sum();
        dot(vector, &self.base_times(vector)) + diagonal
    }

    /// The product of the base alone, at its present scale, with a vector.
    pub(crate) fn base_times(&self, vector: &[f64]) -> Vec<f64> {
        // Steps of a lasso are sparse.
        let mut bulk = vec![0.0; vector.len()];
        for (place, &value) in vector.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            self.add_base(&mut bulk, place, value);
        }
        bulk
    }
}

fn add_row(to: &mut [f64], factor: f64, matrix: &Array2<f64>, row: usize) {
    match matrix.row(row).as_slice() {
        Some(row) => add(to, factor, row),
        None => to.iter_mut().zip(matrix.row(row)).for_each(|(to, from)| *to += factor * from),
    }
}

impl Product {
    /// `Σ share · product`
    pub(crate) fn combined(products: &[&Product], shares: &[f64]) -> Product {
        let mut sum = Product {
            bulk: vec![0.0; products[0].bulk.len()],
            outer: vec![0.0; products[0].outer.len()],
        };
        for (product, &share) in products.iter().zip(shares) {
            add(&mut sum.bulk, share, &product.bulk);
            add(&mut sum.outer, share, &product.outer);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn products_equal_those_of_the_entries() {
        let moments = Moments::new(vec![0.0; 2], array![[2.0, 0.5], [0.5, 1.0]], 1e-15);
        let bases = [
            Base::Moments {
                moments: Arc::new(moments),
                weights: vec![3.0, 0.5],
            },
            Base::Uniform(2.0),
            Base::Dense(Array2::from_shape_fn((6, 6), |(i, j)| 1.0 / (1 + i + j) as f64)),
        ];
        for base in bases {
            let mut quadratic = Quadratic::new(base, vec![0.1, 0.0, 0.3, 0.0, 0.5, 0.0]);
            quadratic.set_outer(&[
                (-1.0, vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
                (1.0, vec![1.0, 0.0, -1.0, 0.0, 1.0, 2.0]),
            ]);
            let vector = [1.0, -2.0, 0.5, 0.0, 3.0, -1.0];
            let mut product = quadratic.zero();
            vector
                .iter()
                .enumerate()
                .for_each(|(place, &value)| quadratic.add_change(&mut product, place, value));
            for row in 0..6 {
                let expected: f64 = (0..6).map(|column| quadratic.entry(row, column) * vector[column]).sum();
                assert!((quadratic.at(&product, row) - expected).abs() < 1e-13);
            }
        }
    }
}
