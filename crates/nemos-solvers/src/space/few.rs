//! The few features whose curvature a column looks at first, and what that says of its space.

use ndarray::Array2;

use crate::descent::few_axes::FewAxes;
use crate::problem::parameters::Parameters;
use crate::space::centring::centre_few;
use crate::space::change::Space;

// Fewer features than this are not worth choosing among.
const FEW: usize = 8;

impl Space {
    /// The features that move the predictor most at these parameters of a problem, by coefficient times standard deviation: where its
    /// curvature is not the expected one, it is along these. So many that their products cost half a gradient; nothing where problems
    /// have several predictors, or nothing is expected.
    pub(crate) fn most_telling(&self, problem: usize, parameters: &[f64]) -> Option<Vec<usize>> {
        let expected = self.expected().filter(|expected| expected.n_predictors() == 1)?;
        let variance = expected.moments_of(problem).covariance.diag();
        let effects = parameters.iter().zip(variance).enumerate();
        let effects = effects.filter(|(feature, _)| expected.is_free(*feature, problem));
        let mut effects: Vec<(usize, f64)> = effects
            .map(|(feature, (coef, variance))| (feature, coef * coef * variance))
            .filter(|(_, effect)| *effect > 0.0)
            .collect();
        effects.sort_by(|a, b| b.1.total_cmp(&a.1));
        // Of k features k² / 2 products are added up for each row, of all p features 2 p for a gradient: k² = 2 p.
        effects.truncate(((2.0 * variance.len() as f64).sqrt() as usize).max(FEW));
        let mut features: Vec<usize> = effects.into_iter().map(|(feature, _)| feature).collect();
        features.sort_unstable();
        Some(features)
    }

    /// Axes of a problem that has this curvature, `[n_few + 1, n_few + 1]`, among a few features and the intercept, and elsewhere the expected one; nothing where
    /// they have no use.
    pub(crate) fn few_axes(&self, problem: usize, features: &[usize], curvature: Array2<f64>) -> Option<FewAxes> {
        let (expected, whitening) = (self.expected()?, self.whitening()?);
        let curvature = centre_few(expected, curvature, (problem, features));
        let intercept = expected.n_features();
        let moves = features.iter().copied().chain([intercept]);
        let mut units = Parameters::zeros(intercept + 1, features.len() + 1);
        for (column, place) in moves.enumerate() {
            units.column_mut(column)[place] = 1.0;
        }
        let moved = whitening.point_of(&units, &vec![problem; features.len() + 1]);
        FewAxes::new(&moved, &curvature)
    }
}
