//! Axes along which features are uncorrelated.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use nemos_core::SymmetricEigen;

use crate::error::Error;
use crate::linear::vector::dot;

/// Axes of the features that may move: `coef = rotation · v`, in which the features have variance one and no
/// correlation. Axes along which no feature varies are left out.
#[derive(Clone, Debug)]
pub(crate) struct Axes {
    /// `[n_free]`: the features that may move.
    pub(crate) free: Vec<usize>,
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
    /// The axes of these features; `ridge`, one number for each of all features, adds to their variances.
    ///
    /// With `D` the scales of the features and `C` their correlations, any `R` with `Rᵀ C R = 1` whitens by `D⁻¹ R`. Where
    /// `C` is safely regular that is `L⁻ᵀ` of its Cholesky factor, twenty times cheaper than eigenvectors; else it is
    /// eigenvectors over the roots of their eigenvalues, those left out that are rounding error.
    pub(crate) fn new(free: Vec<usize>, covariance: &Array2<f64>, ridge: Option<&[f64]>, precision: f64) -> Result<Self, Error> {
        let covariance = selected(covariance, &free);
        let mut shared = covariance.clone();
        if let Some(ridge) = ridge {
            for (index, &feature) in free.iter().enumerate() {
                shared[(index, index)] += ridge[feature];
            }
        }
        let scale = to_correlation(&mut shared);
        let Rotation { rotation, inverse, null } = match regular_factor(&shared, precision) {
            Some(factor) => by_cholesky(factor, &scale),
            None => by_eigenvectors(&shared, &scale, precision)?,
        };
        let variance = match ridge {
            None => Array1::ones(rotation.ncols()),
            // diag(rotationᵀ · covariance · rotation)
            Some(_) => (&covariance.dot(&rotation) * &rotation).sum_axis(Axis(0)),
        };
        Ok(Axes {
            free,
            rotation,
            inverse,
            null,
            variance,
        })
    }

    /// Turned so that the covariance is diagonal along the axes too, and with it the ridge, which is the rest to one. Then so
    /// is `weight · covariance + strength · ridge` for every weight and strength: problems that differ in these alone
    /// are whitened exactly by the same axes.
    pub(crate) fn aligned(mut self, covariance: &Array2<f64>) -> Result<Self, Error> {
        let along = self.rotation.t().dot(&selected(covariance, &self.free)).dot(&self.rotation);
        let eigen = SymmetricEigen::new(along.view())?;
        self.rotation = self.rotation.dot(&eigen.vectors);
        self.inverse = eigen.vectors.t().dot(&self.inverse);
        self.variance = eigen.values.iter().map(|value| value.max(0.0)).collect();
        Ok(self)
    }

    /// Directions that the features span.
    pub(crate) fn rank(&self) -> usize {
        self.rotation.ncols()
    }
}

/// A change of variables without what it does to features; as in [`Axes`].
struct Rotation {
    rotation: Array2<f64>,
    inverse: Array2<f64>,
    null: Option<Array2<f64>>,
}

/// Directions that some features span, without the axes themselves.
pub(crate) fn rank(free: &[usize], covariance: &Array2<f64>, precision: f64) -> Result<usize, Error> {
    let mut shared = selected(covariance, free);
    to_correlation(&mut shared);
    if is_regular(&shared, precision) {
        return Ok(free.len());
    }
    let eigen = SymmetricEigen::new(shared.view())?;
    let cut = cut(&eigen, precision);
    Ok(eigen.values.iter().filter(|&&value| value > cut).count())
}

/// The rows and columns of these features.
fn selected(covariance: &Array2<f64>, free: &[usize]) -> Array2<f64> {
    if free.len() == covariance.nrows() {
        return covariance.clone();
    }
    Array2::from_shape_fn((free.len(), free.len()), |(i, j)| covariance[(free[i], free[j])])
}

/// Whether every eigenvalue lies above the cut, told without eigenvalues: what is left after no less than the cut was
/// taken off the diagonal has a Cholesky factor. The cut is bounded by the largest sum of a row (Gershgorin).
fn is_regular(correlation: &Array2<f64>, precision: f64) -> bool {
    let size = correlation.nrows();
    let sums = correlation.rows().into_iter().map(|row| row.iter().map(|x| x.abs()).sum::<f64>());
    let highest = sums.fold(0.0, f64::max);
    let mut less = correlation.clone();
    less.diag_mut().mapv_inplace(|x| x - highest * precision * size as f64);
    cholesky(less).is_some()
}

/// The Cholesky factor of a correlation matrix that is safely regular.
fn regular_factor(correlation: &Array2<f64>, precision: f64) -> Option<Array2<f64>> {
    is_regular(correlation, precision).then(|| cholesky(correlation.clone())).flatten()
}

/// The lower factor `L` of `L Lᵀ`, zeros above its diagonal; nothing where the matrix is not positive definite.
fn cholesky(mut matrix: Array2<f64>) -> Option<Array2<f64>> {
    let size = matrix.nrows();
    for row in 0..size {
        for column in 0..=row {
            let (a, b) = (matrix.row(row), matrix.row(column));
            let (a, b) = (&a.to_slice()?[..column], &b.to_slice()?[..column]);
            // Row by row, so that both factors are contiguous.
            let rest = matrix[(row, column)] - dot(a, b);
            if row != column {
                matrix[(row, column)] = rest / matrix[(column, column)];
            } else if rest > 0.0 {
                matrix[(row, row)] = rest.sqrt();
            } else {
                return None;
            }
        }
        matrix.slice_mut(s![row, row + 1..]).fill(0.0);
    }
    Some(matrix)
}

/// Rotation `D⁻¹ L⁻ᵀ` and its inverse `Lᵀ D`.
fn by_cholesky(factor: Array2<f64>, scale: &Array1<f64>) -> Rotation {
    let size = factor.nrows();
    // Row i of U = L⁻ᵀ, from the last: U[i, i] = 1/L[i, i] and U[i, i+1..] = −Σ_k L[k, i]/L[i, i] · U[k, i+1..].
    let mut rotation = Array2::zeros((size, size));
    for row in (0..size).rev() {
        let pivot = factor[(row, row)].recip();
        let (mut above, below) = rotation.view_mut().split_at(Axis(0), row + 1);
        let mut target = above.row_mut(row);
        for (index, known) in below.rows().into_iter().enumerate() {
            let share = -factor[(row + 1 + index, row)] * pivot;
            target.slice_mut(s![row + 1..]).scaled_add(share, &known.slice(s![row + 1..]));
        }
        target[row] = pivot;
    }
    rotation /= &scale.view().insert_axis(Axis(1));
    Rotation {
        rotation,
        inverse: factor.reversed_axes() * scale,
        null: None,
    }
}

/// Rotation by eigenvectors, its inverse, and the directions left out.
fn by_eigenvectors(correlation: &Array2<f64>, scale: &Array1<f64>, precision: f64) -> Result<Rotation, Error> {
    let eigen = SymmetricEigen::new(correlation.view())?;
    let cut = cut(&eigen, precision);
    let first = eigen.values.iter().position(|&value| value > cut).unwrap_or(eigen.values.len());
    let unscaled = |columns: ArrayView2<'_, f64>| &columns / &scale.view().insert_axis(Axis(1));
    let kept = eigen.vectors.slice(s![.., first..]);
    let mut rotation = unscaled(kept);
    let mut inverse = kept.t().to_owned() * scale;
    for (axis, &value) in eigen.values[first..].iter().enumerate() {
        rotation.column_mut(axis).mapv_inplace(|x| x / value.sqrt());
        inverse.row_mut(axis).mapv_inplace(|x| x * value.sqrt());
    }
    // coef = D⁻¹ v: directions of no variance stay so under the scales, but not orthogonal.
    let null = (first > 0).then(|| orthonormal(unscaled(eigen.vectors.slice(s![.., ..first]))));
    Ok(Rotation { rotation, inverse, null })
}

/// Scales a covariance to a diagonal of ones, so that what counts as collinear does not depend on units; returns the
/// scales.
fn to_correlation(covariance: &mut Array2<f64>) -> Array1<f64> {
    // A constant feature has no scale; its zeros stay zeros, and are cut.
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
            let axes = Axes::new(free.clone(), &twins, None, 2e-15).unwrap();
            assert_eq!((axes.rank(), rank(&free, &twins, 2e-15).unwrap()), (expected, expected));
        }
    }

    #[test]
    fn constant_features_are_left_out() {
        let axes = Axes::new(vec![0, 1], &array![[1.0, 0.0], [0.0, 0.0]], None, 2e-15).unwrap();
        assert_eq!(axes.rank(), 1);
    }

    #[test]
    fn both_ways_to_find_axes_whiten() {
        let covariance = array![[4.0, 1e-3, 0.5], [1e-3, 1e-6, 1e-4], [0.5, 1e-4, 2.0]];
        let mut correlation = covariance.clone();
        let scale = to_correlation(&mut correlation);
        let factor = regular_factor(&correlation, 2e-15).unwrap();
        for Rotation { rotation, inverse, null } in [by_cholesky(factor, &scale), by_eigenvectors(&correlation, &scale, 2e-15).unwrap()] {
            let identity = Array2::<f64>::eye(3);
            assert!(
                (rotation.t().dot(&covariance).dot(&rotation) - &identity)
                    .iter()
                    .all(|x| x.abs() < 1e-13)
            );
            assert!((inverse.dot(&rotation) - &identity).iter().all(|x| x.abs() < 1e-13));
            assert_eq!(null, None);
        }
    }
}
