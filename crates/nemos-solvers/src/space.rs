//! The space that solvers step in: features centred, scaled and rotated so that they are uncorrelated.
//!
//! In it the curvature of every column is close to a diagonal that is known in advance, however collinear or badly
//! scaled the features are. Directions in which no feature varies are left out: what they carry cannot be told from
//! the data.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use nemos_core::SymmetricEigen;

use crate::{Error, Gram, Parameters};

/// A change of variables from `v` `[rank + 1]` to parameters `[n_features + 1]`:
/// `coef = rotation · v[..rank]`, `intercept = v[rank] − mean · coef`.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    axes: Option<Axes>,
    n_parameters: usize,
}

#[derive(Clone, Debug)]
struct Axes {
    mean: Array1<f64>,
    /// `[n_features, rank]`: axes of variance one in the scaled features.
    rotation: Array2<f64>,
    /// `[rank, n_features]`: takes coefficients back to `v`.
    inverse: Array2<f64>,
    /// `[n_features, n_features − rank]`, orthonormal: directions that change no predictor, or nothing where a penalty
    /// decides on them.
    null: Option<Array2<f64>>,
    /// `[rank, n_problems]`: expected curvature along each axis.
    curvature: Array2<f64>,
    weight: Array2<f64>,
}

impl Space {
    /// The space of an objective that knows its features, or else the space of the parameters themselves.
    pub(crate) fn new(gram: Option<&Gram>, n_parameters: usize) -> Result<Self, Error> {
        let axes = gram.map(Axes::new).transpose()?;
        Ok(Space { axes, n_parameters })
    }

    /// Dimensions of the space.
    pub(crate) fn dimension(&self) -> usize {
        self.axes.as_ref().map_or(self.n_parameters, |axes| axes.rotation.ncols() + 1)
    }

    /// Directions that the features span.
    pub(crate) fn rank(&self) -> usize {
        self.dimension().saturating_sub(1)
    }

    /// Expected curvature of a problem along each dimension.
    pub(crate) fn curvature(&self, problem: usize) -> Vec<f64> {
        match &self.axes {
            None => vec![1.0; self.n_parameters],
            Some(axes) => axes
                .curvature
                .column(problem)
                .iter()
                .copied()
                .chain([axes.weight[(0, problem)]])
                .collect(),
        }
    }

    /// From points of the space to parameters, a column each.
    pub(crate) fn parameters_at(&self, points: &Parameters) -> Parameters {
        let Some(axes) = &self.axes else { return points.clone() };
        let (rank, n_problems) = (axes.rotation.ncols(), points.n_problems());
        let mut parameters = Parameters::zeros(self.n_parameters, n_problems);
        let v = rows(points.as_slice(), rank + 1);
        // A row per problem: [n_problems, rank] · [rank, n_features]
        let coef = v.slice(ndarray::s![.., ..rank]).dot(&axes.rotation.t());
        for (problem, coef) in coef.axis_iter(Axis(0)).enumerate() {
            let column = parameters.column_mut(problem);
            for (to, &from) in column.iter_mut().zip(&coef) {
                *to = from;
            }
            column[self.n_parameters - 1] = points.column(problem)[rank] - axes.mean.dot(&coef);
        }
        parameters
    }

    /// From parameters to points of the space. What lies in directions that change no predictor is lost.
    pub(crate) fn point_of(&self, parameters: &Parameters) -> Parameters {
        let Some(axes) = &self.axes else { return parameters.clone() };
        let rank = axes.rotation.ncols();
        let mut points = Parameters::zeros(rank + 1, parameters.n_problems());
        for (problem, column) in parameters.columns().enumerate() {
            let coef = ndarray::aview1(&column[..self.n_parameters - 1]);
            let point = points.column_mut(problem);
            for (to, row) in point.iter_mut().zip(axes.inverse.rows()) {
                *to = row.dot(&coef);
            }
            point[rank] = column[self.n_parameters - 1] + axes.mean.dot(&coef);
        }
        points
    }

    /// From gradients in the parameters to gradients in the space.
    pub(crate) fn gradient(&self, gradient: Parameters) -> Parameters {
        let Some(axes) = &self.axes else { return gradient };
        let (rank, n_problems) = (axes.rotation.ncols(), gradient.n_problems());
        let all = rows(gradient.as_slice(), self.n_parameters);
        let mut centred = all.slice(ndarray::s![.., ..self.n_parameters - 1]).to_owned();
        for (mut row, column) in centred.axis_iter_mut(Axis(0)).zip(gradient.columns()) {
            row.scaled_add(-column[self.n_parameters - 1], &axes.mean);
        }
        let rotated = centred.dot(&axes.rotation);
        let mut out = Parameters::zeros(rank + 1, n_problems);
        for (problem, row) in rotated.axis_iter(Axis(0)).enumerate() {
            let column = out.column_mut(problem);
            for (to, &from) in column.iter_mut().zip(&row) {
                *to = from;
            }
            column[rank] = gradient.column(problem)[self.n_parameters - 1];
        }
        out
    }

    /// From a curvature in the parameters to one in the space.
    pub(crate) fn hessian(&self, hessian: Array2<f64>) -> Array2<f64> {
        let Some(axes) = &self.axes else { return hessian };
        let (rank, n_features) = (axes.rotation.ncols(), self.n_parameters - 1);
        // Columns of the Jacobian: a move along an axis changes coefficients by `rotation` and the intercept by −mean·rotation.
        let mut jacobian = Array2::zeros((n_features + 1, rank + 1));
        jacobian.slice_mut(ndarray::s![..n_features, ..rank]).assign(&axes.rotation);
        jacobian
            .slice_mut(ndarray::s![n_features, ..rank])
            .assign(&-axes.mean.dot(&axes.rotation));
        jacobian[(n_features, rank)] = 1.0;
        jacobian.t().dot(&hessian).dot(&jacobian)
    }

    /// Among the parameters that give the same predictors, those of least norm.
    pub(crate) fn least_norm(&self, parameters: &mut Parameters) {
        let Some(Axes {
            mean, null: Some(null), ..
        }) = &self.axes
        else {
            return;
        };
        for problem in 0..parameters.n_problems() {
            let (intercept, coef) = parameters
                .column_mut(problem)
                .split_last_mut()
                .expect("parameters end with the intercept");
            let before = ndarray::aview1(coef).to_owned();
            let excess = null.dot(&null.t().dot(&before));
            for (to, &from) in coef.iter_mut().zip(&excess) {
                *to -= from;
            }
            *intercept += mean.dot(&excess);
        }
    }
}

/// Columns of [`Parameters`] as the rows of an array.
fn rows(values: &[f64], width: usize) -> ArrayView2<'_, f64> {
    ArrayView2::from_shape((values.len() / width.max(1), width), values).expect("parameters are whole columns")
}

impl Axes {
    fn new(gram: &Gram) -> Result<Self, Error> {
        let n_features = gram.mean.len();
        let mean_weight = gram.weight.mean().unwrap_or(1.0);
        let mut shared = gram.covariance.clone();
        if let Some(ridge) = &gram.ridge {
            let mean_ridge = ridge.mean_axis(Axis(1)).expect("there is at least one problem");
            for (feature, &strength) in mean_ridge.iter().enumerate() {
                shared[(feature, feature)] += strength / mean_weight.max(f64::MIN_POSITIVE);
            }
        }
        // Scaled to a diagonal of ones first: what counts as collinear must not depend on units.
        let scale: Array1<f64> = shared.diag().mapv(|variance| {
            if variance > 0.0 && variance.is_finite() {
                variance.sqrt()
            } else {
                1.0
            }
        });
        for ((i, j), value) in shared.indexed_iter_mut() {
            *value /= scale[i] * scale[j];
        }
        let eigen = SymmetricEigen::new(shared.view())?;
        let highest = eigen.values.last().copied().unwrap_or(0.0);
        let cut = highest * gram.precision * n_features as f64;
        let first = eigen.values.iter().position(|&value| value > cut).unwrap_or(n_features);
        let unscaled = |columns: ndarray::ArrayView2<'_, f64>| &columns / &scale.view().insert_axis(Axis(1));
        let kept = eigen.vectors.slice(ndarray::s![.., first..]);
        let mut rotation = unscaled(kept);
        let mut inverse = kept.t().to_owned() * &scale;
        for (axis, &value) in eigen.values[first..].iter().enumerate() {
            rotation.column_mut(axis).mapv_inplace(|x| x / value.sqrt());
            inverse.row_mut(axis).mapv_inplace(|x| x * value.sqrt());
        }
        let variance = rotation.t().dot(&gram.covariance).dot(&rotation).diag().to_owned();
        let squares = rotation.mapv(|x| x * x);
        let n_problems = gram.weight.ncols();
        let mut curvature = Array2::from_shape_fn((n_features - first, n_problems), |(axis, problem)| {
            variance[axis] * gram.weight[(0, problem)]
        });
        if let Some(ridge) = &gram.ridge {
            curvature += &squares.t().dot(ridge);
        }
        // Without a penalty nothing else decides on the directions that were left out.
        let null = (first > 0).then(|| orthonormal(unscaled(eigen.vectors.slice(ndarray::s![.., ..first]))));
        Ok(Axes {
            mean: Array1::from(gram.mean.clone()),
            rotation,
            inverse,
            null,
            curvature,
            weight: gram.weight.clone(),
        })
    }
}

/// The same span with orthonormal columns (Gram–Schmidt, twice for accuracy).
fn orthonormal(mut columns: Array2<f64>) -> Array2<f64> {
    for column in 0..columns.ncols() {
        for _ in 0..2 {
            for previous in 0..column {
                let overlap = columns.column(previous).dot(&columns.column(column));
                let previous = columns.column(previous).to_owned();
                columns.column_mut(column).scaled_add(-overlap, &previous);
            }
        }
        let norm = columns.column(column).dot(&columns.column(column)).sqrt();
        columns.column_mut(column).mapv_inplace(|x| x / norm.max(f64::MIN_POSITIVE));
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn gram(covariance: Array2<f64>) -> Gram {
        Gram {
            mean: vec![5.0; covariance.nrows()],
            covariance,
            precision: 2e-15,
            weight: array![[0.5, 2.0]],
            ridge: None,
            free: None,
        }
    }

    #[test]
    fn parameters_survive_the_way_there_and_back() {
        let space = Space::new(Some(&gram(array![[4.0, 1e-3], [1e-3, 1e-6]])), 3).unwrap();
        let parameters = Parameters::from_columns(3, [&[0.3, -20.0, 1.0][..], &[0.0, 7.0, -1.0]]);
        let back = space.parameters_at(&space.point_of(&parameters));
        for (a, b) in back.as_slice().iter().zip(parameters.as_slice()) {
            assert!((a - b).abs() < 1e-9 * (1.0 + b.abs()), "{a} {b}");
        }
    }

    #[test]
    fn collinear_features_share_the_coefficient() {
        // Two equal features: only their sum is told by the data, and least norm splits it evenly.
        let space = Space::new(Some(&gram(array![[1.0, 1.0], [1.0, 1.0]])), 3).unwrap();
        assert_eq!(space.rank(), 1);
        let mut parameters = Parameters::from_columns(3, [&[3.0, 1.0, 0.0][..]]);
        space.least_norm(&mut parameters);
        let column = parameters.column(0);
        assert!(
            (column[0] - 2.0).abs() < 1e-12 && (column[1] - 2.0).abs() < 1e-12 && column[2].abs() < 1e-12,
            "{column:?}"
        );
    }

    #[test]
    fn constant_features_are_left_out() {
        let space = Space::new(Some(&gram(array![[1.0, 0.0], [0.0, 0.0]])), 3).unwrap();
        assert_eq!(space.rank(), 1);
    }
}
