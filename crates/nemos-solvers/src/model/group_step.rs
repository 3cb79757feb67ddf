//! The exact step of one group of a group lasso.

use ndarray::{Array1, Array2};
use nemos_core::SymmetricEigen;

/// The curvature of a group along its own axes.
#[derive(Clone, Debug)]
pub(crate) struct GroupCurvature {
    matrix: Array2<f64>,
    eigen: Option<SymmetricEigen>,
}

impl GroupCurvature {
    pub(crate) fn new(matrix: Array2<f64>) -> Self {
        let eigen = SymmetricEigen::new(matrix.view()).ok();
        GroupCurvature { matrix, eigen }
    }

    /// The curvature times a vector.
    pub(crate) fn times(&self, vector: &[f64]) -> Vec<f64> {
        self.matrix.dot(&ndarray::aview1(vector)).to_vec()
    }

    /// `argmin  ½ xᵀ B x − pull · x + strength ‖x‖`
    ///
    /// Where `‖pull‖ ≤ strength` that is zero. Elsewhere `(B + strength/ν) x = pull` with `ν = ‖x‖`, which is found by
    /// Newton steps on `1/‖x/ν‖ = 1`: its left side is concave in `ν`, so that they rise towards the root and never pass it.
    ///
    /// # References
    /// Qin, Scheinberg & Goldfarb (2013), *Mathematical Programming Computation* 5, section 2.
    pub(crate) fn minimize(&self, pull: &[f64], strength: f64) -> Vec<f64> {
        let pulled = ndarray::aview1(pull);
        let zero = vec![0.0; pull.len()];
        let Some(eigen) = &self.eigen else { return zero };
        if pulled.dot(&pulled).sqrt() <= strength {
            return zero;
        }
        let along = eigen.vectors.t().dot(&pulled);
        // Rounding may leave an eigenvalue negative, and an equation without a root.
        let floor = eigen.values.last().copied().unwrap_or(0.0) * f64::EPSILON;
        let curvature: Array1<f64> = eigen.values.iter().map(|value| value.max(floor)).collect();
        let mut norm = 0.0_f64;
        for _ in 0..100 {
            let (mut size, mut fall) = (0.0, 0.0);
            for (a, b) in along.iter().zip(&curvature) {
                let ratio = a / (b * norm + strength);
                size += ratio * ratio;
                fall += b * ratio * ratio / (b * norm + strength);
            }
            // With s = size: d(s^−½)/dν = s^(−3/2) · fall
            let rise = (1.0 - size.powf(-0.5)) / (size.powf(-1.5) * fall);
            if !rise.is_finite() || rise <= 4.0 * f64::EPSILON * norm {
                break;
            }
            norm += rise;
        }
        let scaled: Array1<f64> = along
            .iter()
            .zip(&curvature)
            .map(|(a, b)| a * norm / (b * norm + strength))
            .collect();
        eigen.vectors.dot(&scaled).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_step_satisfies_its_equation() {
        let matrix = array![[3.0, 1.0, 0.0], [1.0, 2.0, 1e-4], [0.0, 1e-4, 1e-6]];
        let group = GroupCurvature::new(matrix.clone());
        for strength in [1e-3, 0.5, 3.0] {
            let x = Array1::from(group.minimize(&[3.0, -1.0, 0.2], strength));
            let norm = x.dot(&x).sqrt();
            // B x + strength x/‖x‖ = pull
            let residual = matrix.dot(&x) + &x * (strength / norm) - array![3.0, -1.0, 0.2];
            assert!(residual.iter().all(|r| r.abs() < 1e-9), "{strength}: {residual}");
        }
        assert_eq!(group.minimize(&[3.0, -1.0, 0.2], 4.0), [0.0; 3]);
    }
}
