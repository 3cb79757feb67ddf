//! Sessions that a fit did not see: with offsets, without observations, and none at all.

use nemos_core::{Cpu, Design, Matrix, Segments};
use nemos_glm::{Bernoulli, Exp, Gamma, Gaussian, Poisson};
use nemos_hmm::{GlmHmm, StateModel, states_curve};

use crate::helpers::{column, feature};

/// Two equal sessions of 200 rows, without features, with an offset.
fn sessions(offset: impl Fn(usize) -> f64) -> Design<'static, Cpu> {
    let design = Design::from(Matrix::<Cpu>::zeros([400, 1]));
    let design = design.with_segments(Segments::from_lengths([200, 200])).unwrap();
    design.with_offset(column((0..400).map(|row| offset(row % 200)).collect())).unwrap()
}

/// The baseline where one state has nothing but a constant, and sessions are equal: what is held out is described as what was not.
fn assert_no_bits<S: StateModel>(model: &GlmHmm<S>, count: impl Fn(usize) -> f64) {
    let design = sessions(|row| 0.6 * feature(row * 3 + 1));
    let counts = column((0..400).map(|row| count(row % 200)).collect());
    let held = model.fit(&design, &counts).unwrap().held_out(&design, &counts, &[1]).unwrap();
    assert!(held.bits_per_observation().abs() < 1e-6, "{held:?}");
}

#[test]
fn the_constant_beside_an_offset_has_most_likelihood() {
    // Counts of 7 where the offset is 2, and of 0 or 1 where it is −2.
    let is_high = |row: usize| row.is_multiple_of(2);
    let offset = |row| if is_high(row) { 2.0 } else { -2.0 };
    let count = |row: usize| if is_high(row) { 7.0 } else { f64::from(u8::from(row % 20 == 1)) };
    let (design, counts) = (sessions(offset), column((0..400).map(|row| count(row % 200)).collect()));
    let held = GlmHmm::new(1, Poisson).fit(&design, &counts).unwrap();
    let held = held.held_out(&design, &counts, &[1]).unwrap();
    // b = ln Σ y − ln Σ exp(offset)
    let b = ((0..200).map(count).sum::<f64>() / (0..200).map(|row| offset(row).exp()).sum::<f64>()).ln();
    let log_factorial = |k: f64| (1..=k as u32).map(|i| f64::from(i).ln()).sum::<f64>();
    let density = |row: usize| count(row) * (b + offset(row)) - (b + offset(row)).exp() - log_factorial(count(row));
    let right: f64 = (0..200).map(density).sum();
    assert!((held.baseline_log_likelihood - right).abs() < 1e-6, "{held:?} {right}");
    assert_no_bits(&GlmHmm::new(1, Poisson), |row| {
        ((1.5 + feature(row)) * (0.5 * feature(row * 3 + 1)).exp()).floor()
    });
    assert_no_bits(&GlmHmm::new(1, Bernoulli), |row| f64::from(u8::from(feature(row) > 0.3)));
    assert_no_bits(&GlmHmm::new(1, Gaussian), |row| 2.0 + feature(row));
    assert_no_bits(&GlmHmm::new(1, Gamma).link(Exp), |row| 1.5 + feature(row));
}

#[test]
fn a_session_without_observations_says_nothing() {
    let mut counts: Vec<f64> = (0..90)
        .map(|row| f64::from(row % 3) + if row / 10 % 2 == 1 { 9.0 } else { 0.0 })
        .collect();
    counts[30..60].fill(f64::NAN);
    let design = Design::from(Matrix::<Cpu>::zeros([90, 1]))
        .with_segments(Segments::from_lengths([30; 3]))
        .unwrap();
    let counts = column(counts);
    let curve = states_curve(&GlmHmm::new(1, Poisson).restarts(2), &[1, 2], &design, &counts, 3).unwrap();
    for point in &curve {
        let bits = point.bits();
        assert!(bits[1].is_nan() && point.folds[1].bits_per_spike().is_nan(), "{point:?}");
        let (mean, apart) = (0.5 * (bits[0] + bits[2]), bits[0] - bits[2]);
        assert!(
            (point.mean() - mean).abs() < 1e-12 && (point.spread() - apart.abs() / 2.0_f64.sqrt()).abs() < 1e-12,
            "{point:?}"
        );
    }
    assert!(curve[1].mean() > curve[0].mean() + 0.5);
}

#[test]
fn there_are_sessions_to_train_on_and_to_test_with() {
    let (design, counts) = (sessions(|_| 0.0), column((0..400).map(|row| f64::from(row % 3)).collect()));
    let fitted = GlmHmm::new(1, Poisson).fit(&design, &counts).unwrap();
    for test in [&[][..], &[0, 1]] {
        let error = fitted.held_out(&design, &counts, test).unwrap_err().to_string();
        assert!(error.contains(&format!("sessions held out is {}", test.len())), "{error}");
        assert!(error.contains("fewer than there are"), "{error}");
    }
    let error = fitted.held_out(&design, &counts, &[2]).unwrap_err().to_string();
    assert!(error.contains("no session 2"), "{error}");
}
