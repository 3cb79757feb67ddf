//! Laws of the proximal maps: they hold for all coefficients, strengths and steps.

use ndarray::{Array2, ArrayView2};
use nemos_solvers::{Groups, Regularizer, Strength};
use proptest::prelude::*;

const N_FEATURES: usize = 5;

fn regularizers() -> impl Strategy<Value = Regularizer> {
    let strength = || {
        prop_oneof![
            (0.0..3.0).prop_map(Strength::Shared),
            prop::collection::vec(0.0..3.0, N_FEATURES).prop_map(Strength::PerFeature),
        ]
    };
    let groups = prop_oneof![
        Just(Groups::All),
        Just(Groups::Features(vec![vec![0, 2], vec![], vec![4]])),
        Just(Groups::Features(vec![vec![0, 1, 2, 3, 4]])),
    ];
    prop_oneof![
        Just(Regularizer::Unregularized),
        strength().prop_map(Regularizer::Ridge),
        strength().prop_map(Regularizer::Lasso),
        (strength(), 0.01..1.0).prop_map(|(strength, lasso_share)| Regularizer::ElasticNet { strength, lasso_share }),
        (0.0..3.0, groups).prop_map(|(strength, groups)| Regularizer::GroupLasso {
            strength: Strength::Shared(strength),
            groups,
        }),
    ]
}

fn coefs() -> impl Strategy<Value = Array2<f64>> {
    prop::collection::vec(-3.0..3.0, 2 * N_FEATURES)
        .prop_map(|values| Array2::from_shape_vec((N_FEATURES, 2), values).expect("two values per feature"))
}

fn proximal(regularizer: &Regularizer, coef: &Array2<f64>, step: f64) -> Array2<f64> {
    let mut coef = coef.clone();
    regularizer.proximal(coef.view_mut(), 0, step);
    coef
}

fn square(difference: ArrayView2<'_, f64>) -> f64 {
    difference.iter().map(|x| x * x).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_proximal_map_is_the_minimum_of_its_objective(
        regularizer in regularizers(), coef in coefs(), step in 0.01..3.0, elsewhere in coefs(), share in 0.0..1.0_f64,
    ) {
        let best = proximal(&regularizer, &coef, step);
        let objective = |at: &Array2<f64>| regularizer.value(at.view(), 0) + square((at - &coef).view()) / (2.0 * step);
        // The objective is strongly convex: everywhere else it is higher by at least the square of the distance.
        let other: Array2<f64> = &best * (1.0 - share) + &elsewhere * share;
        let rise = square((&other - &best).view()) / (2.0 * step);
        prop_assert!(objective(&other) >= objective(&best) + rise - 1e-9, "{best} {other}");
    }

    #[test]
    fn the_proximal_map_never_drives_points_apart(
        regularizer in regularizers(), a in coefs(), b in coefs(), step in 0.0..3.0,
    ) {
        let moved = proximal(&regularizer, &a, step) - proximal(&regularizer, &b, step);
        prop_assert!(square(moved.view()) <= square((&a - &b).view()) * (1.0 + 1e-12));
    }

    #[test]
    fn zero_stays_zero_and_no_step_changes_nothing(regularizer in regularizers(), coef in coefs(), step in 0.0..3.0) {
        let zero = Array2::zeros((N_FEATURES, 2));
        prop_assert_eq!(proximal(&regularizer, &zero, step), zero);
        prop_assert!(square((proximal(&regularizer, &coef, 0.0) - &coef).view()) < 1e-28);
    }
}
