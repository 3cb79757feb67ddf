//! Scales: of greatest likelihood, on their floor, at a limit.

use nemos_core::{Cpu, Matrix};
use nemos_glm::{Exp, Gamma, Gaussian, NegativeBinomial};
use nemos_hmm::{Finding, GlmHmm, HmmParameters, HmmStatus, StateGlm, Transitions};

use crate::helpers::{GaussianHmm, column, design, feature, parameters};

#[test]
fn a_state_that_explains_equal_observations_exactly_is_on_the_floor_and_is_not_chosen() {
    // Noise, and fifteen observations that are the same.
    let noise = |row: usize| feature(row * 3 + 1) + feature(row * 5 + 2) + feature(row * 11);
    let counts: Vec<f64> = (0..150)
        .map(|row| if (60..75).contains(&row) { 7.25 } else { noise(row) })
        .collect();
    let design = nemos_core::Design::from(Matrix::<Cpu>::zeros([150, 1]));
    let start = parameters(0.9, &[(0.0, 0.0, 1.0), (0.0, 7.25, 1e-3)]);
    let model = GaussianHmm::new(2, Gaussian).start_from(start);
    let collapsed = model.fit(&design, &column(counts.clone())).unwrap();
    assert_eq!(collapsed.status(), HmmStatus::Degenerate, "{collapsed}");
    assert!(
        collapsed
            .findings()
            .iter()
            .any(|finding| matches!(finding, Finding::ScaleFloor { state: 1, .. })),
        "{collapsed}"
    );
    assert!(collapsed.parameters().state(1).scale[0] > 0.0);
    // Of several starts a sound one is kept, though its objective is lower.
    let split = |row: usize| noise(row) + if (row / 25).is_multiple_of(2) { 1.5 } else { -1.5 };
    let split = (0..150).map(|row| if (60..75).contains(&row) { 7.25 } else { split(row) });
    let split = column(split.collect());
    for restarts in [4, 8] {
        let fitted = GaussianHmm::new(2, Gaussian)
            .restarts(restarts)
            .seed(6)
            .fit(&design, &split)
            .unwrap();
        assert!(fitted.is_converged(), "{fitted}");
        let collapsed = fitted
            .restarts()
            .iter()
            .filter(|restart| restart.status == Some(HmmStatus::Degenerate));
        let highest = collapsed.map(|restart| restart.objective).reduce(f64::max);
        assert!(highest.is_some_and(|highest| highest > fitted.objective() + 50.0), "{fitted}");
    }
}

#[test]
fn counts_that_vary_less_than_poisson_counts_reach_its_limit() {
    let counts = column(
        (0..120)
            .map(|row| f64::from(if row / 20 % 2 == 0 { 4 + row % 2 } else { 16 + row % 3 }))
            .collect(),
    );
    let fitted = GlmHmm::new(2, NegativeBinomial::estimated())
        .restarts(2)
        .fit(&design(&[120]), &counts)
        .unwrap();
    assert!(
        fitted
            .findings()
            .iter()
            .any(|finding| matches!(finding, Finding::PoissonLimit { .. })),
        "{fitted}"
    );
    assert!(fitted.is_converged(), "{fitted}");
    assert!(fitted.parameters().state(0).scale[0] < 1e-5);
}

#[test]
fn one_state_has_the_scale_of_greatest_likelihood() {
    // Divisor n, not n − p; and of a Gamma model the likeliest shape, not Pearson's.
    let design = design(&[80]);
    let counts: Vec<f64> = (0..80).map(|row| 1.5 + 0.5 * feature(row) + 0.3 * feature(row * 7 + 3)).collect();
    let gaussian = GaussianHmm::new(1, Gaussian)
        .tolerance(1e-14)
        .fit(&design, &column(counts.clone()))
        .unwrap();
    let state = gaussian.parameters().state(0);
    let residuals = counts
        .iter()
        .enumerate()
        .map(|(row, y)| y - state.intercept[0] - state.coef[(0, 0)] * feature(row));
    let variance = residuals.map(|r| r * r).sum::<f64>() / 80.0;
    assert!((state.scale[0] - variance).abs() < 1e-9 * variance);
    let most = -40.0 * ((2.0 * std::f64::consts::PI * variance).ln() + 1.0);
    assert!(
        (gaussian.log_likelihood() - most).abs() < 1e-8,
        "{} {most}",
        gaussian.log_likelihood()
    );
    let gamma = GlmHmm::new(1, Gamma)
        .link(Exp)
        .tolerance(1e-14)
        .fit(&design, &column(counts.clone()))
        .unwrap();
    let state = gamma.parameters().state(0);
    let at = |factor: f64| {
        let scaled = StateGlm {
            scale: vec![state.scale[0] * factor],
            ..state.clone()
        };
        let parameters = HmmParameters::new(vec![1.0], Transitions::staying(1, 1.0).unwrap(), &[scaled]).unwrap();
        let model = GlmHmm::new(1, Gamma).link(Exp).with_parameters(parameters).unwrap();
        model.on(&design, &column(counts.clone())).unwrap().log_likelihood().unwrap()
    };
    let (low, here, high) = (at(0.999), at(1.0), at(1.001));
    assert!(here > low && here > high && (high - low).abs() < 1e-4, "{low} {here} {high}");
}

#[test]
fn equal_observations_put_the_scale_of_a_gamma_state_on_the_floor() {
    let noise = |row: usize| (feature(row * 3 + 1) + feature(row * 5 + 2)).exp();
    let counts = column(
        (0..150)
            .map(|row| if (60..75).contains(&row) { 40.0 } else { noise(row) })
            .collect(),
    );
    let start = parameters(0.9, &[(0.0, 0.0, 0.5), (0.0, 40.0_f64.ln(), 1e-3)]);
    let model = GlmHmm::new(2, Gamma).link(Exp).start_from(start);
    let fitted = model
        .fit(&nemos_core::Design::from(Matrix::<Cpu>::zeros([150, 1])), &counts)
        .unwrap();
    assert_eq!(fitted.status(), HmmStatus::Degenerate, "{fitted}");
    assert!(
        fitted
            .findings()
            .iter()
            .any(|finding| matches!(finding, Finding::ScaleFloor { state: 1, .. })),
        "{fitted}"
    );
    assert!(fitted.objective().is_finite());
}

#[test]
fn an_empty_state_keeps_its_scale() {
    let start = parameters(0.9, &[(0.0, 0.0, 1.0), (0.0, 5.0, 1.0), (0.0, 900.0, 0.7)]);
    let counts = column(
        (0..90)
            .map(|row| feature(row * 3) + if row / 15 % 2 == 0 { 0.0 } else { 5.0 })
            .collect(),
    );
    let fitted = GaussianHmm::new(3, Gaussian)
        .start_from(start.clone())
        .fit(&design(&[90]), &counts)
        .unwrap();
    assert_eq!(fitted.status(), HmmStatus::Degenerate);
    assert_eq!(fitted.parameters().state(2), start.state(2));
}
