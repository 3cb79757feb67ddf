//! The Newton step of a quadratic function.

use ndarray::{Array1, Array2};
use nemos_core::{SymmetricEigen, solve_positive_definite};

use crate::linear::vector::negative;

/// `−curvature⁻¹ gradient`; along directions without curvature, as far as the largest curvature times 1e-12 allows.
pub(crate) fn newton_step(curvature: &Array2<f64>, gradient: &[f64]) -> Option<Vec<f64>> {
    let downhill = negative(gradient);
    if let Some(step) = solve_positive_definite(curvature.view(), &downhill) {
        return Some(step);
    }
    let eigen = SymmetricEigen::new(curvature.view()).ok()?;
    let floor = eigen.values.last()? * 1e-12;
    let mut along = eigen.vectors.t().dot(&Array1::from(downhill));
    along.iter_mut().zip(&eigen.values).for_each(|(x, &value)| *x /= value.max(floor));
    let step = eigen.vectors.dot(&along).to_vec();
    step.iter().all(|x| x.is_finite()).then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_singular_curvature_still_gives_a_step() {
        let step = newton_step(&array![[1.0, 1.0], [1.0, 1.0]], &[1.0, 1.0]).unwrap();
        assert!((step[0] + 0.5).abs() < 1e-12 && (step[1] + 0.5).abs() < 1e-12, "{step:?}");
        assert_eq!(newton_step(&array![[f64::NAN]], &[1.0]), None);
    }
}
