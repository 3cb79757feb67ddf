//! Steps by a curvature that is nearly known, and by pairs that correct it.

use std::sync::Arc;

use ndarray::Array2;

use crate::descent::direction::Direction;
use crate::descent::own_axes::OwnAxes;
use crate::descent::pairs::Pairs;

/// A factor of a curvature that is nearly that of the column, with pairs that say where it is not.
#[derive(Clone, Debug)]
pub(crate) struct NearlyKnown {
    curvature: Arc<OwnAxes>,
    pairs: Pairs,
}

const MEMORY: usize = 10;

impl NearlyKnown {
    pub(crate) fn new(curvature: Arc<OwnAxes>) -> Self {
        NearlyKnown {
            curvature,
            pairs: Pairs::new(MEMORY),
        }
    }

    /// Takes another curvature. `added` is what the objective has gained along each dimension, which pairs have seen nothing of.
    pub(crate) fn replace(&mut self, curvature: Arc<OwnAxes>, added: &[f64]) {
        self.curvature = curvature;
        self.pairs.add_curvature(added);
    }
}

impl Direction for NearlyKnown {
    fn direction(&mut self, _point: &[f64], gradient: &[f64], _curvature: Option<&Array2<f64>>) -> Vec<f64> {
        self.pairs
            .newton(gradient, |slopes| *slopes = self.curvature.point(&self.curvature.gradient(slopes)))
    }

    fn update(&mut self, step: &[f64], change: &[f64]) {
        self.pairs.learn(step, change);
    }

    fn reset(&mut self) -> bool {
        self.pairs.forget()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_curvature_that_is_known_gives_the_newton_step() {
        let factor = |ridge: f64| Arc::new(OwnAxes::new(&array![[3.0 + ridge, 1.0], [1.0, 2.0]]).unwrap());
        let mut method = NearlyKnown::new(factor(0.0));
        let close = |step: Vec<f64>| step.iter().zip([-1.0, 0.0]).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(close(method.direction(&[0.0; 2], &[3.0, 1.0], None)));
        // A pair of that curvature adds nothing to it, under another ridge neither.
        method.update(&[1.0, 0.0], &[3.0, 1.0]);
        assert!(close(method.direction(&[0.0; 2], &[3.0, 1.0], None)));
        method.replace(factor(2.0), &[2.0, 0.0]);
        assert!(close(method.direction(&[0.0; 2], &[5.0, 1.0], None)));
    }
}
