//! The change of variables that a solver steps in: parameters as they are, centred, or centred and whitened.

use ndarray::Array2;

use crate::error::Error;
use crate::linear::axes;
use crate::linear::vector::dot;
use crate::model::quadratic::Quadratic;
use crate::problem::expected_curvature::ExpectedCurvature;
use crate::problem::parameters::Parameters;
use crate::space::centring::{centre, centre_curvature, centre_gradient, uncentre};
use crate::space::feature_sets::feature_sets;
use crate::space::whitening::Whitening;

/// A change of variables, from points of a space to parameters and back.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    n_parameters: usize,
    /// What is known of the problems; where nothing is, points are the parameters themselves.
    expected: Option<ExpectedCurvature>,
    whitening: Option<Whitening>,
    /// Directions that the free features of each problem span, where there is no whitening.
    ranks: Vec<usize>,
}

impl Space {
    /// Where the expected curvature is one in every direction: for smooth objectives.
    pub(crate) fn whitened(expected: Option<&ExpectedCurvature>, n_parameters: usize) -> Result<Self, Error> {
        Ok(Space {
            n_parameters,
            whitening: expected.map(Whitening::new).transpose()?,
            expected: expected.cloned(),
            ranks: Vec::new(),
        })
    }

    /// Where features are centred and each coefficient is still its own: for penalties that know coefficients.
    pub(crate) fn centred(expected: Option<&ExpectedCurvature>, n_parameters: usize) -> Result<Self, Error> {
        Ok(Space {
            n_parameters,
            ranks: expected.map(ranks).transpose()?.unwrap_or_default(),
            expected: expected.cloned(),
            whitening: None,
        })
    }

    /// What is known of the problems.
    pub(crate) fn expected(&self) -> Option<&ExpectedCurvature> {
        self.expected.as_ref()
    }

    pub(super) fn whitening(&self) -> Option<&Whitening> {
        self.whitening.as_ref()
    }

    /// Dimensions of the space.
    pub(crate) fn dimension(&self) -> usize {
        self.whitening.as_ref().map_or(self.n_parameters, Whitening::dimension)
    }

    /// Directions that the free features of a problem span, over its predictors.
    pub(crate) fn rank(&self, problem: usize) -> usize {
        match &self.whitening {
            Some(whitening) => whitening.rank(problem),
            None => self.ranks.get(problem).copied().unwrap_or(self.n_parameters.saturating_sub(1)),
        }
    }

    /// Which parameters of a problem may move, intercepts included.
    pub(crate) fn free(&self, problem: usize) -> Vec<bool> {
        let Some(expected) = &self.expected else {
            return vec![true; self.n_parameters];
        };
        let (n_features, width) = (expected.n_features(), expected.n_features() + 1);
        let is_free = |place: usize| match place % width {
            feature if feature == n_features => true,
            feature => expected.is_free(place / width * n_features + feature, problem),
        };
        (0..self.n_parameters).map(is_free).collect()
    }

    /// From points to parameters, a column for each of `problems`.
    pub(crate) fn parameters_at(&self, points: &Parameters, problems: &[usize]) -> Parameters {
        let Some(expected) = &self.expected else { return points.clone() };
        let mut parameters = match &self.whitening {
            Some(whitening) => whitening.parameters_at(points, problems),
            None => points.clone(),
        };
        uncentre(expected, &mut parameters, problems);
        parameters
    }

    /// From parameters to points.
    pub(crate) fn point_of(&self, parameters: &Parameters, problems: &[usize]) -> Parameters {
        let mut points = parameters.clone();
        if let Some(expected) = &self.expected {
            centre(expected, &mut points, problems);
        }
        match &self.whitening {
            Some(whitening) => whitening.point_of(&points, problems),
            None => points,
        }
    }

    /// From gradients in the parameters to gradients at points.
    pub(crate) fn gradient(&self, mut gradient: Parameters, problems: &[usize]) -> Parameters {
        if let Some(expected) = &self.expected {
            centre_gradient(expected, &mut gradient, problems);
        }
        match &self.whitening {
            Some(whitening) => whitening.gradient(&gradient, problems),
            None => gradient,
        }
    }

    /// From a curvature in the parameters of a problem to one at points.
    pub(crate) fn curvature(&self, curvature: Array2<f64>, problem: usize) -> Array2<f64> {
        let curvature = match &self.expected {
            Some(expected) => centre_curvature(expected, curvature, problem),
            None => curvature,
        };
        match &self.whitening {
            Some(whitening) => whitening.curvature(&curvature, problem),
            None => curvature,
        }
    }

    /// `stepᵀ H step` with the expected curvature `H` of a problem.
    pub(crate) fn expected_along(&self, problem: usize, step: &[f64]) -> f64 {
        match &self.whitening {
            Some(_) => dot(step, step),
            None => Quadratic::expected(self.expected.as_ref(), problem, step.len()).along(step),
        }
    }

    /// Among the parameters that give the same predictors, those of least norm.
    pub(crate) fn least_norm(&self, parameters: &mut Parameters) {
        if let (Some(expected), Some(whitening)) = (&self.expected, &self.whitening) {
            let problems: Vec<usize> = (0..parameters.n_problems()).collect();
            centre(expected, parameters, &problems);
            whitening.least_norm(parameters);
            uncentre(expected, parameters, &problems);
        }
    }
}

/// Directions that the free features of each problem span, over its predictors.
fn ranks(expected: &ExpectedCurvature) -> Result<Vec<usize>, Error> {
    let (sets, of) = feature_sets(expected);
    let ranks: Vec<usize> = sets
        .iter()
        .map(|set| {
            let moments = &expected.moments[set.moments];
            axes::rank(&set.free, &moments.covariance, moments.precision)
        })
        .collect::<Result<_, _>>()?;
    let of_problem = |sets: &[usize]| sets.iter().map(|&set| ranks[set]).sum();
    Ok(of.chunks_exact(expected.n_predictors().max(1)).map(of_problem).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::moments::Moments;
    use ndarray::{Array1, array};
    use std::sync::Arc;

    fn expected(covariance: Array2<f64>, weight: Array2<f64>) -> ExpectedCurvature {
        let mean = vec![5.0; covariance.nrows()];
        ExpectedCurvature::new(Arc::new(Moments::new(mean, covariance, 2e-15)), weight)
    }

    fn assert_close(a: &[f64], b: &[f64]) {
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9 * (1.0 + b.abs())), "{a:?} {b:?}");
    }

    /// A gradient at a point times a step equals the gradient in the parameters times what the step changes, and so do
    /// curvatures.
    fn assert_consistent(space: &Space, problem: usize, (step, gradient): (&[f64], &[f64])) {
        let step = Parameters::from_columns(step.len(), [step]);
        let moved = space.parameters_at(&step, &[problem]);
        let slope = space.gradient(Parameters::from_columns(gradient.len(), [gradient]), &[problem]);
        let change = dot(gradient, moved.as_slice());
        assert!((dot(slope.as_slice(), step.as_slice()) - change).abs() < 1e-12 * change.abs().max(1.0));
        let size = gradient.len();
        let hessian = Array2::from_shape_fn((size, size), |(i, j)| 0.1 / (1 + i + j) as f64) + Array2::<f64>::eye(size);
        let (here, there) = (Array1::from(step.as_slice().to_vec()), Array1::from(moved.as_slice().to_vec()));
        let curvature = here.dot(&space.curvature(hessian.clone(), problem).dot(&here));
        let expected = there.dot(&hessian.dot(&there));
        assert!((curvature - expected).abs() < 1e-12 * expected.max(1.0), "{curvature} {expected}");
    }

    #[test]
    fn parameters_survive_the_way_there_and_back() {
        let expected = expected(array![[4.0, 1e-3], [1e-3, 1e-6]], array![[0.5, 2.0]]);
        for space in [
            Space::whitened(Some(&expected), 3).unwrap(),
            Space::centred(Some(&expected), 3).unwrap(),
        ] {
            let parameters = Parameters::from_columns(3, [&[0.3, -20.0, 1.0][..], &[0.0, 7.0, -1.0]]);
            let back = space.parameters_at(&space.point_of(&parameters, &[0, 1]), &[0, 1]);
            assert_close(back.as_slice(), parameters.as_slice());
            assert_consistent(&space, 1, (&[0.5, 0.25, -1.0], &[1.0, 3.0, -2.0]));
        }
    }

    #[test]
    fn predictors_masks_and_selections_have_axes_of_their_own() {
        let mut expected = expected(array![[4.0, 1.0], [1.0, 2.0]], array![[0.5, 2.0], [1.0, 1.0]]);
        expected.free = Some(array![[true, true], [true, false], [true, true], [true, true]]);
        expected
            .moments
            .push(Arc::new(Moments::new(vec![1.0, -2.0], array![[1.0, 0.2], [0.2, 3.0]], 2e-15)));
        expected.of_problem = vec![0, 1];
        let space = Space::whitened(Some(&expected), 6).unwrap();
        assert_eq!((space.rank(0), space.rank(1), space.dimension()), (4, 3, 6));
        let parameters = Parameters::from_columns(6, [&[0.3, 0.0, 1.0, 2.0, 3.0, 4.0][..]]);
        let back = space.parameters_at(&space.point_of(&parameters, &[1]), &[1]);
        assert_close(back.as_slice(), parameters.as_slice());
        let gradient = [1.0, 0.0, -2.0, 0.5, 0.25, 3.0];
        for problem in [0, 1] {
            let step = [0.1, if problem == 1 { 0.0 } else { 0.7 }, -0.2, 0.3, 0.4, 0.5];
            assert_consistent(&space, problem, (&step, &gradient));
        }
    }

    #[test]
    fn the_expected_curvature_is_one_for_every_weight_and_strength() {
        // weight · covariance + ridge, the intercept apart, in centred parameters; then in the parameters themselves.
        let mut expected = expected(array![[4.0, 1.0], [1.0, 2.0]], array![[0.5, 2.0, 1.0]]);
        expected.ridge = Some(array![[0.1, 1.0, 1e-4], [3.0, 30.0, 3e-3]]);
        let back = array![[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [5.0, 5.0, 1.0]];
        for problems in [vec![0, 1, 2], vec![1]] {
            let expected = expected.select(&problems);
            let space = Space::whitened(Some(&expected), 3).unwrap();
            for problem in 0..problems.len() {
                let (weight, ridge) = (expected.weight[(0, problem)], expected.ridge.as_ref().unwrap().column(problem));
                let centred = array![
                    [4.0 * weight + ridge[0], weight, 0.0],
                    [weight, 2.0 * weight + ridge[1], 0.0],
                    [0.0, 0.0, weight]
                ];
                let whitened = space.curvature(back.t().dot(&centred).dot(&back), problem);
                assert!(
                    (&whitened - &Array2::<f64>::eye(3)).iter().all(|x| x.abs() < 1e-12),
                    "{problem}: {whitened}"
                );
            }
        }
    }

    #[test]
    fn collinear_features_share_the_coefficient() {
        // Two equal features: only their sum is told by the data, and least norm splits it evenly.
        let space = Space::whitened(Some(&expected(array![[1.0, 1.0], [1.0, 1.0]], array![[0.5, 2.0]])), 3).unwrap();
        assert_eq!(space.rank(0), 1);
        let mut parameters = Parameters::from_columns(3, [&[3.0, 1.0, 0.0][..]]);
        space.least_norm(&mut parameters);
        assert_close(parameters.column(0), &[2.0, 2.0, 0.0]);
    }
}
