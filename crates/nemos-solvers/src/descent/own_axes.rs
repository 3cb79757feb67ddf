//! Axes of a column's own, for columns whose curvature has moved far from the expected one.
//!
//! The whitening of a problem rests on the curvature at the intercept-only fit. Where coefficients are large (a refractory
//! cell hardly ever fires right after a spike: coefficients of −4 at the first lags) the curvature along some
//! directions falls to a hundredth of that, and L-BFGS, which must learn each of them from a pair, takes ten times
//! the passes of Newton's method. One look at the curvature `H` of such a column mends that: with
//!
//! ```text
//! own = Lᵀ · point,   H = L Lᵀ      so that the curvature is one in own coordinates
//! ```
//!
//! its curvature is one again along every axis. It is taken where the curvature among a few features (`few_axes.rs`) was not enough.
//! As the look is worth less than it would be to Newton's method, which takes it at every step, it may be at a sample of the rows:
//! what the sample gets wrong is learnt from pairs.

use ndarray::{Array2, ArrayView2};
use nemos_core::cholesky;

use crate::linear::vector::{add, dot};

/// A linear change of variables of one column, on top of that of the space.
#[derive(Clone, Debug)]
pub(crate) struct OwnAxes {
    /// `L`, row after row.
    lower: Vec<f64>,
    width: usize,
}

// Curvatures below this share of the largest one are as good as none: steps along them are no longer than this allows.
const FLOOR: f64 = 1e-8;

impl OwnAxes {
    /// The axes that whiten a curvature, or nothing where it has no use.
    pub(crate) fn new(curvature: &Array2<f64>) -> Option<Self> {
        let largest = curvature.diag().iter().fold(0.0, |largest: f64, value| largest.max(*value));
        let mut raised = curvature.clone();
        raised.diag_mut().mapv_inplace(|value| value + FLOOR * largest);
        let lower = cholesky(raised.view())?;
        let usable = lower.diag().iter().all(|value| value.is_normal());
        usable.then(|| OwnAxes::of_lower(lower.view()))
    }

    /// From `L`, a lower triangle without a zero on its diagonal.
    pub(crate) fn of_lower(lower: ArrayView2<'_, f64>) -> Self {
        OwnAxes {
            width: lower.nrows(),
            lower: lower.iter().copied().collect(),
        }
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.lower[row * self.width..][..row + 1]
    }

    /// From own coordinates to points of the space.
    pub(crate) fn point(&self, own: &[f64]) -> Vec<f64> {
        let mut point = own.to_vec();
        for row in (0..self.width).rev() {
            let (before, last) = self.row(row).split_at(row);
            point[row] /= last[0];
            let (known, rest) = (point[row], &mut point[..row]);
            add(rest, -known, before);
        }
        point
    }

    /// From points of the space to own coordinates.
    pub(crate) fn own(&self, point: &[f64]) -> Vec<f64> {
        let mut own = vec![0.0; self.width];
        for (row, &value) in point.iter().enumerate() {
            add(&mut own[..=row], value, self.row(row));
        }
        own
    }

    /// From gradients in the space to gradients in own coordinates.
    pub(crate) fn gradient(&self, gradient: &[f64]) -> Vec<f64> {
        let mut own = Vec::with_capacity(self.width);
        for (row, &slope) in gradient.iter().enumerate() {
            let (before, last) = self.row(row).split_at(row);
            own.push((slope - dot(before, &own)) / last[0]);
        }
        own
    }

    /// From gradients in own coordinates back to gradients in the space.
    pub(crate) fn gradient_back(&self, own: &[f64]) -> Vec<f64> {
        (0..self.width).map(|row| dot(self.row(row), &own[..=row])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_curvature_is_one_in_own_coordinates() {
        let curvature = array![[1.0, 0.2, 0.0], [0.2, 0.5, 0.01], [0.0, 0.01, 0.002]];
        let axes = OwnAxes::new(&curvature).unwrap();
        // Half the square of own coordinates is the quadratic form of points, but for the floor.
        let point = [0.3, -2.0, 5.0];
        let form = ndarray::aview1(&point).dot(&curvature.dot(&ndarray::aview1(&point)));
        let own = axes.own(&point);
        assert!((dot(&own, &own) - form).abs() < 1e-6 * form);
        // The slope of the form in own coordinates is those coordinates.
        let slope = curvature.dot(&ndarray::aview1(&point)).to_vec();
        assert!(axes.gradient(&slope).iter().zip(&own).all(|(a, b)| (a - b).abs() < 1e-4));
        let close = |a: Vec<f64>| a.iter().zip([1.0, -2.0, 3.0]).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(close(axes.point(&axes.own(&[1.0, -2.0, 3.0]))));
        assert!(close(axes.gradient_back(&axes.gradient(&[1.0, -2.0, 3.0]))));
        assert!(OwnAxes::new(&array![[f64::NAN]]).is_none() && OwnAxes::new(&array![[0.0]]).is_none());
    }
}
