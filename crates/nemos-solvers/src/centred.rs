//! The space that proximal solvers step in: features centred, each coefficient still its own.

use std::sync::Arc;

use ndarray::Array2;

use crate::space::free_sets;
use crate::{Error, Gram, Parameters, axes};

/// Parameters whose intercept is the predictor at the mean features: `[coef, intercept + mean · coef]` for each block.
///
/// Intercepts and coefficients hardly affect each other there, and penalties see the coefficients that they know.
#[derive(Clone, Debug)]
pub(crate) struct Centred {
    gram: Option<Arc<Gram>>,
    /// Directions that the free features of each problem span.
    ranks: Vec<usize>,
    n_parameters: usize,
    n_blocks: usize,
}

impl Centred {
    /// The space of an objective that knows its features, or else that of the parameters themselves.
    pub(crate) fn new(gram: Option<&Gram>, n_parameters: usize, n_problems: usize) -> Result<Self, Error> {
        let (ranks, n_blocks) = match gram {
            None => (vec![n_parameters.saturating_sub(1); n_problems], 1),
            Some(gram) => {
                let (sets, of) = free_sets(gram);
                let ranks: Vec<usize> = sets
                    .iter()
                    .map(|free| axes::rank(free, &gram.covariance, gram.precision))
                    .collect::<Result<_, _>>()?;
                let n_blocks = gram.weight.nrows();
                let of_problem = |sets: &[usize]| sets.iter().map(|&set| ranks[set]).sum();
                (of.chunks_exact(n_blocks).map(of_problem).collect(), n_blocks)
            }
        };
        Ok(Centred {
            gram: gram.cloned().map(Arc::new),
            ranks,
            n_parameters,
            n_blocks,
        })
    }

    /// What is known of the features.
    pub(crate) fn gram(&self) -> Option<&Arc<Gram>> {
        self.gram.as_ref()
    }

    /// Directions that the free features of a problem span.
    pub(crate) fn rank(&self, problem: usize) -> usize {
        self.ranks[problem]
    }

    /// Which parameters of a problem may move.
    pub(crate) fn free(&self, problem: usize) -> Vec<bool> {
        let stride = self.n_parameters / self.n_blocks;
        let masks = self.gram.as_ref().and_then(|gram| gram.free.as_ref());
        let is_free = |place: usize| match masks {
            Some(free) if place % stride != stride - 1 => free[(place / stride * (stride - 1) + place % stride, problem)],
            _ => true,
        };
        (0..self.n_parameters).map(is_free).collect()
    }

    /// From points of the space to parameters.
    pub(crate) fn parameters_at(&self, points: &Parameters) -> Parameters {
        self.shifted(points, -1.0)
    }

    /// From parameters to points of the space.
    pub(crate) fn point_of(&self, parameters: &Parameters) -> Parameters {
        self.shifted(parameters, 1.0)
    }

    fn shifted(&self, from: &Parameters, sign: f64) -> Parameters {
        let mut to = from.clone();
        if let Some(gram) = &self.gram {
            for block in to.as_mut_slice().chunks_exact_mut(self.n_parameters / self.n_blocks) {
                let (intercept, coef) = block.split_last_mut().expect("a block ends with its intercept");
                *intercept += sign * crate::descent::dot(coef, &gram.mean);
            }
        }
        to
    }

    /// From gradients in the parameters to gradients in the space.
    pub(crate) fn gradient(&self, mut gradient: Parameters, problems: &[usize]) -> Parameters {
        let Some(gram) = &self.gram else { return gradient };
        for (index, &problem) in problems.iter().enumerate() {
            let free = gram.free.as_ref().map(|_| self.free(problem));
            let column = gradient.column_mut(index);
            for block in column.chunks_exact_mut(self.n_parameters / self.n_blocks) {
                let (intercept, coef) = block.split_last_mut().expect("a block ends with its intercept");
                coef.iter_mut()
                    .zip(&gram.mean)
                    .for_each(|(slope, mean)| *slope -= *intercept * mean);
            }
            if let Some(free) = free {
                column
                    .iter_mut()
                    .zip(free)
                    .filter(|(_, free)| !free)
                    .for_each(|(slope, _)| *slope = 0.0);
            }
        }
        gradient
    }

    /// From a gradient in the space back to one in the parameters.
    pub(crate) fn uncentred(&self, gradient: &[f64]) -> Vec<f64> {
        let mut gradient = gradient.to_vec();
        if let Some(gram) = &self.gram {
            for block in gradient.chunks_exact_mut(self.n_parameters / self.n_blocks) {
                let (intercept, coef) = block.split_last_mut().expect("a block ends with its intercept");
                coef.iter_mut()
                    .zip(&gram.mean)
                    .for_each(|(slope, mean)| *slope += *intercept * mean);
            }
        }
        gradient
    }

    /// From a curvature in the parameters to one in the space.
    pub(crate) fn hessian(&self, mut hessian: Array2<f64>) -> Array2<f64> {
        let Some(gram) = &self.gram else { return hessian };
        let stride = self.n_parameters / self.n_blocks;
        // Rows, then columns: each coefficient's less its mean times the intercept's.
        for _ in 0..2 {
            for block in 0..self.n_blocks {
                let intercept = hessian.row((block + 1) * stride - 1).to_owned();
                for (feature, &mean) in gram.mean.iter().enumerate() {
                    hessian.row_mut(block * stride + feature).scaled_add(-mean, &intercept);
                }
            }
            hessian.swap_axes(0, 1);
        }
        hessian
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, array};

    #[test]
    fn gradients_and_curvatures_follow_the_parameters() {
        let gram = Gram {
            mean: vec![2.0, -1.0],
            covariance: Array2::eye(2),
            precision: 1e-15,
            weight: array![[1.0]],
            ridge: None,
            free: None,
        };
        let space = Centred::new(Some(&gram), 3, 1).unwrap();
        let step = Parameters::from_columns(3, [&[0.5, 0.25, -1.0][..]]);
        let moved = Array1::from(space.parameters_at(&step).as_slice().to_vec());
        let gradient = Parameters::from_columns(3, [&[1.0, 3.0, -2.0][..]]);
        let hessian = array![[2.0, 0.3, 0.1], [0.3, 1.0, 0.4], [0.1, 0.4, 3.0]];
        let here = Array1::from(step.as_slice().to_vec());
        let slope = space.gradient(gradient.clone(), &[0]);
        assert!(
            (crate::descent::dot(slope.as_slice(), step.as_slice()) - crate::descent::dot(gradient.as_slice(), &moved.to_vec())).abs()
                < 1e-14
        );
        assert!((here.dot(&space.hessian(hessian.clone()).dot(&here)) - moved.dot(&hessian.dot(&moved))).abs() < 1e-13);
        assert_eq!(space.point_of(&space.parameters_at(&step)), step);
    }
}
