//! What becomes active together on a path: single features, or groups.

use nemos_glm::{Groups, Regularizer};

/// Features that become active together, and what their strength is multiplied with.
pub(crate) struct Unit {
    pub(crate) features: Vec<usize>,
    pub(crate) factor: f64,
}

/// Features by what makes them active together, and the share of the strength that is no ridge.
pub(crate) fn units(penalty: &Regularizer, n_features: usize) -> (Vec<Unit>, f64) {
    let single = |feature| Unit {
        features: vec![feature],
        factor: 1.0,
    };
    match penalty {
        Regularizer::ElasticNet { lasso_share, .. } => ((0..n_features).map(single).collect(), *lasso_share),
        Regularizer::GroupLasso { groups, .. } => {
            let groups = match groups {
                Groups::Features(groups) => groups.clone(),
                _ => vec![(0..n_features).collect()],
            };
            let unit = |features: Vec<usize>| Unit {
                factor: (features.len() as f64).sqrt(),
                features,
            };
            (groups.into_iter().filter(|group| !group.is_empty()).map(unit).collect(), 1.0)
        }
        _ => ((0..n_features).map(single).collect(), 1.0),
    }
}
