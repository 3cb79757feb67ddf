//! What holds for every fit.

use crate::common::simulate;
use ndarray::{Array2, Axis, concatenate};
use nemos_core::{Cpu, Matrix};
use nemos_glm::{FittedGlm, Glm, Poisson, Regularizer, Score, Stopping};
use nemos_solvers::Lbfgs;
use proptest::prelude::*;

fn fit(design: &Array2<f64>, counts: &Array2<f64>, ridge: f64) -> FittedGlm {
    let model = Glm::new(Poisson).regularizer(Regularizer::Ridge(ridge.into()));
    model
        .clone()
        .stopping(Stopping::new().tolerance(1e-20))
        .fit_with(
            &Lbfgs::new(),
            &Matrix::<Cpu>::from(design.clone()),
            &Matrix::<Cpu>::from(counts.clone()),
        )
        .unwrap()
}

fn assert_close(got: &[f64], expected: &[f64]) -> Result<(), TestCaseError> {
    let largest = expected.iter().fold(1e-3_f64, |largest, x| largest.max(x.abs()));
    for (got, expected) in got.iter().zip(expected) {
        prop_assert!((got - expected).abs() <= 1e-8 * largest, "{} is not {}", got, expected);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_and_repetition_of_the_samples_do_not_matter(seed in 0..1000_u64, ridge in 0.0..0.5_f64) {
        let data = simulate::<Cpu>([150, 3, 1], seed, f64::exp);
        let (x, y) = (data.design.to_array(), data.counts.to_array());
        let once = fit(&x, &y, ridge);
        let reversed: Vec<usize> = (0..150).rev().collect();
        let (x2, y2) = (x.select(Axis(0), &reversed), y.select(Axis(0), &reversed));
        let twice = fit(&concatenate![Axis(0), x, x2], &concatenate![Axis(0), y, y2], ridge);
        assert_close(twice.coef(), once.coef())?;
    }

    #[test]
    fn a_feature_in_other_units_has_its_coefficient_in_other_units(seed in 0..1000_u64, scale in -6.0..6.0_f64, offset in -10.0..10.0_f64) {
        let data = simulate::<Cpu>([150, 3, 1], seed, f64::exp);
        let (x, y) = (data.design.to_array(), data.counts.to_array());
        let scale = 10_f64.powf(scale);
        let mut other = x.clone();
        other.column_mut(1).mapv_inplace(|x| (x + offset) * scale);
        let (plain, other) = (fit(&x, &y, 0.0), fit(&other, &y, 0.0));
        let back: Vec<f64> = other.coef().iter().enumerate().map(|(i, w)| if i == 1 { w * scale } else { *w }).collect();
        assert_close(&back, plain.coef())?;
    }

    #[test]
    fn the_gradient_vanishes_where_a_fit_converges(seed in 0..1000_u64, ridge in 0.0..0.5_f64) {
        // Σₜ (yₜ − rateₜ) = 0 and 1/T Σₜ (yₜ − rateₜ) xₜ = ridge · w: the score equations of the canonical link.
        let data = simulate::<Cpu>([200, 4, 1], seed, f64::exp);
        let (x, y) = (data.design.to_array(), data.counts.to_array());
        let fitted = fit(&x, &y, ridge);
        let residual = &y - &fitted.predict(&data.design).unwrap().to_array();
        // A tolerance of 1e-20 on the decrement leaves gradients near its root.
        prop_assert!(residual.mean().unwrap().abs() < 1e-9);
        for (feature, w) in fitted.coef().iter().enumerate() {
            let score = residual.column(0).dot(&x.column(feature)) / 200.0;
            prop_assert!((score - ridge * w).abs() < 1e-9, "{} {}", score, ridge * w);
        }
    }

    #[test]
    fn a_fit_scores_between_the_null_model_and_the_perfect_one(seed in 0..1000_u64) {
        let data = simulate::<Cpu>([150, 3, 1], seed, f64::exp);
        let fitted = fit(&data.design.to_array(), &data.counts.to_array(), 0.0);
        for score in [Score::McFadden, Score::Cohen] {
            let score = fitted.score(&data.design, &data.counts, score).unwrap();
            prop_assert!((-1e-12..1.0).contains(&score), "{}", score);
        }
    }
}
