//! Problems that share second moments and a mask share everything that depends on these alone.

use std::collections::HashMap;

use crate::problem::expected_curvature::ExpectedCurvature;

/// Features that may move, and whose second moments they have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FeatureSet {
    /// Number of the moments.
    pub(crate) moments: usize,
    pub(crate) free: Vec<usize>,
}

/// The distinct sets, and which set each predictor of each problem has: `problem · n_predictors + predictor`.
pub(crate) fn feature_sets(expected: &ExpectedCurvature) -> (Vec<FeatureSet>, Vec<usize>) {
    let n_features = expected.n_features();
    let (n_predictors, n_problems) = expected.weight.dim();
    let mut known: HashMap<FeatureSet, usize> = HashMap::new();
    let mut sets = Vec::new();
    let mut of = Vec::with_capacity(n_predictors * n_problems);
    for (problem, predictor) in (0..n_problems).flat_map(|problem| (0..n_predictors).map(move |predictor| (problem, predictor))) {
        let set = FeatureSet {
            moments: expected.index_of(problem),
            free: (0..n_features)
                .filter(|i| expected.is_free(predictor * n_features + i, problem))
                .collect(),
        };
        of.push(*known.entry(set).or_insert_with_key(|set| {
            sets.push(set.clone());
            sets.len() - 1
        }));
    }
    (sets, of)
}

/// For each set, the places that have it: index among the problems, and predictor.
pub(crate) fn members(of: &[usize], n_sets: usize, n_predictors: usize) -> Vec<Vec<(usize, usize)>> {
    let mut members = vec![Vec::new(); n_sets];
    for (place, &set) in of.iter().enumerate() {
        members[set].push((place / n_predictors, place % n_predictors));
    }
    members
}
