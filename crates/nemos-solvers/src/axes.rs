//! Axes along which features are uncorrelated.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use nemos_core::SymmetricEigen;

use crate::Error;

/// Axes of the features that may move: `coef = rotation · v`, in which the features have variance one and no
/// correlation. Axes along which no feature varies are left out.
#[derive(Clone, Debug)]
pub(crate) struct Axes {
    /// `[n_free]`: the features that may move.
    pub(crate) free: Vec<usize>,
    /// `[n_free]`: their means.
    pub(crate) mean: Array1<f64>,
    /// `[n_free, rank]`
    pub(crate) rotation: Array2<f64>,
    /// `[rank, n_free]`: takes coefficients back to `v`.
    pub(crate) inverse: Array2<f64>,
    /// `[n_free, n_free − rank]`, orthonormal: directions that change no predictor, or nothing where all do.
    pub(crate) null: Option<Array2<f64>>,
    /// `[rank]`: variance of the features along each axis.
    pub(crate) variance: Array1<f64>,
}

impl Axes {
    /// The axes of features with these means and covariances; `ridge` adds to their variances.
    pub(crate) fn new(free: Vec<usize>, mean: &[f64], covariance: &Array2<f64>, ridge: &[f64], precision: f64) -> Result<Self, Error> {
        let n_free = free.len();
        let covariance = Array2::from_shape_fn((n_free, n_free), |(i, j)| covariance[(free[i], free[j])]);
        let mut shared = covariance.clone();
        for (index, &feature) in free.iter().enumerate() {
            shared[(index, index)] += ridge[feature];
        }
        let scale = to_correlation(&mut shared);
        let eigen = if n_free == 0 {
            SymmetricEigen {
                values: Vec::new(),
                vectors: Array2::zeros((0, 0)),
            }
        } else {
            SymmetricEigen::new(shared.view())?
        };
        let cut = cut(&eigen, precision);
        let first = eigen.values.iter().position(|&value| value > cut).unwrap_or(n_free);
        let unscaled = |columns: ArrayView2<'_, f64>| &columns / &scale.view().insert_axis(Axis(1));
        let kept = eigen.vectors.slice(ndarray::s![.., first..]);
        let mut rotation = unscaled(kept);
        let mut inverse = kept.t().to_owned() * &scale;
        for (axis, &value) in eigen.values[first..].iter().enumerate() {
            rotation.column_mut(axis).mapv_inplace(|x| x / value.sqrt());
            inverse.row_mut(axis).mapv_inplace(|x| x * value.sqrt());
        }
        let variance = rotation.t().dot(&covariance).dot(&rotation).diag().to_owned();
        let null = (first > 0).then(|| orthonormal(unscaled(eigen.vectors.slice(ndarray::s![.., ..first]))));
        Ok(Axes {
            mean: free.iter().map(|&feature| mean[feature]).collect(),
            free,
            rotation,
            inverse,
            null,
            variance,
        })
    }

    /// Directions that the features span.
    pub(crate) fn rank(&self) -> usize {
        self.rotation.ncols()
    }
}

/// Directions that some features span, without the axes themselves.
pub(crate) fn rank(free: &[usize], covariance: &Array2<f64>, precision: f64) -> Result<usize, Error> {
    let n_free = free.len();
    let mut shared = Array2::from_shape_fn((n_free, n_free), |(i, j)| covariance[(free[i], free[j])]);
    to_correlation(&mut shared);
    // Much cheaper than eigenvalues: a Cholesky factor of what is left after no less than the cut was taken off.
    let highest = shared
        .rows()
        .into_iter()
        .map(|row| row.iter().map(|x| x.abs()).sum::<f64>())
        .fold(0.0, f64::max);
    let mut less = shared.clone();
    less.diag_mut().mapv_inplace(|x| x - highest * precision * n_free as f64);
    if n_free == 0 || nemos_core::solve_positive_definite(less.view(), &vec![0.0; n_free]).is_some() {
        return Ok(n_free);
    }
    let eigen = SymmetricEigen::new(shared.view())?;
    let cut = cut(&eigen, precision);
    Ok(eigen.values.iter().filter(|&&value| value > cut).count())
}

/// Scales a covariance to a diagonal of ones, so that what counts as collinear does not depend on units; returns the
/// scales.
fn to_correlation(covariance: &mut Array2<f64>) -> Array1<f64> {
    let scale: Array1<f64> = covariance.diag().mapv(|variance| {
        if variance > 0.0 && variance.is_finite() {
            variance.sqrt()
        } else {
            1.0
        }
    });
    for ((i, j), value) in covariance.indexed_iter_mut() {
        *value /= scale[i] * scale[j];
    }
    scale
}

/// Eigenvalues up to this are rounding error.
fn cut(eigen: &SymmetricEigen, precision: f64) -> f64 {
    eigen.values.last().copied().unwrap_or(0.0) * precision * eigen.values.len() as f64
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

    #[test]
    fn rank_is_told_with_and_without_axes() {
        let twins = array![[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1e-6]];
        for (free, expected) in [(vec![0, 1, 2], 2), (vec![0, 2], 2), (vec![0, 1], 1), (vec![], 0)] {
            let axes = Axes::new(free.clone(), &[0.0; 3], &twins, &[0.0; 3], 2e-15).unwrap();
            assert_eq!((axes.rank(), rank(&free, &twins, 2e-15).unwrap()), (expected, expected));
        }
    }

    #[test]
    fn constant_features_are_left_out() {
        let axes = Axes::new(vec![0, 1], &[5.0; 2], &array![[1.0, 0.0], [0.0, 0.0]], &[0.0; 2], 2e-15).unwrap();
        assert_eq!(axes.rank(), 1);
    }
}
