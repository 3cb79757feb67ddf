//! Axes of a column's own, for columns whose curvature has moved far from the expected one.
//!
//! The whitening of a problem rests on the curvature at the intercept-only fit. Where coefficients are large (a refractory
//! cell hardly ever fires right after a spike: coefficients of −4 at the first lags) the curvature along some
//! directions falls to a hundredth of that, and L-BFGS, which must learn each of them from a pair, takes ten times
//! the passes of Newton's method. One look at the curvature `H` of such a column mends that: with
//!
//! ```text
//! point = M · own,   M = V Λ^(−1/2),   H = V Λ Vᵀ      so that   Mᵀ H M = 1
//! ```
//!
//! its curvature is one again along every axis. As the look is worth less than it would be to Newton's method, which takes it
//! at every step, it may be at a sample of the rows: what the sample gets wrong is learnt from pairs.

use ndarray::{Array2, Axis, aview1};
use nemos_core::SymmetricEigen;

use crate::linear::vector::dot;

/// A linear change of variables of one column, on top of that of the space.
#[derive(Clone, Debug)]
pub(crate) struct OwnAxes {
    /// `M`
    forward: Array2<f64>,
    /// `M⁻¹`
    inverse: Array2<f64>,
}

// Curvatures below this share of the largest one are as good as none: steps along them are no longer than this allows.
const FLOOR: f64 = 1e-8;

impl OwnAxes {
    /// The axes that whiten a curvature, or nothing where it has no use.
    pub(crate) fn new(curvature: &Array2<f64>) -> Option<Self> {
        let eigen = SymmetricEigen::new(curvature.view()).ok()?;
        let floor = eigen.values.last()? * FLOOR;
        let roots: Vec<f64> = eigen.values.iter().map(|value| value.max(floor).sqrt()).collect();
        let usable = roots.iter().all(|root| root.is_normal());
        let roots = aview1(&roots);
        usable.then(|| OwnAxes {
            forward: &eigen.vectors / &roots,
            inverse: &eigen.vectors.t() * &roots.insert_axis(Axis(1)),
        })
    }

    /// From own coordinates to points of the space.
    pub(crate) fn point(&self, own: &[f64]) -> Vec<f64> {
        times(&self.forward, own)
    }

    /// From points of the space to own coordinates.
    pub(crate) fn own(&self, point: &[f64]) -> Vec<f64> {
        times(&self.inverse, point)
    }

    /// From gradients in the space to gradients in own coordinates.
    pub(crate) fn gradient(&self, gradient: &[f64]) -> Vec<f64> {
        self.forward.t().dot(&aview1(gradient)).to_vec()
    }

    /// From gradients in own coordinates back to gradients in the space.
    pub(crate) fn gradient_back(&self, own: &[f64]) -> Vec<f64> {
        self.inverse.t().dot(&aview1(own)).to_vec()
    }
}

fn times(matrix: &Array2<f64>, vector: &[f64]) -> Vec<f64> {
    matrix
        .rows()
        .into_iter()
        .map(|row| row.to_slice().map_or_else(|| row.dot(&aview1(vector)), |row| dot(row, vector)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_curvature_is_one_in_own_coordinates() {
        let curvature = array![[1.0, 0.2, 0.0], [0.2, 0.5, 0.01], [0.0, 0.01, 0.002]];
        let axes = OwnAxes::new(&curvature).unwrap();
        let whitened = axes.forward.t().dot(&curvature).dot(&axes.forward);
        assert!((whitened - Array2::<f64>::eye(3)).iter().all(|x| x.abs() < 1e-12));
        let close = |a: Vec<f64>| a.iter().zip([1.0, -2.0, 3.0]).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(close(axes.point(&axes.own(&[1.0, -2.0, 3.0]))));
        assert!(close(axes.gradient_back(&axes.gradient(&[1.0, -2.0, 3.0]))));
        assert!(OwnAxes::new(&array![[f64::NAN]]).is_none() && OwnAxes::new(&array![[0.0]]).is_none());
    }
}
