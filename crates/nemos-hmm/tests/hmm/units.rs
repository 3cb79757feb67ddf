//! Covariates in other units, and with other zeros, give the same fits.

use ndarray::Array2;
use nemos_core::{Cpu, Matrix};
use nemos_glm::Bernoulli;
use nemos_hmm::{Drive, GlmHmm};

use crate::helpers::{ChoiceHmm, column, feature};

const N: usize = 600;
const SIGNALS: [f64; 4] = [-1.4, -0.3, 0.6, 1.4];

/// What drives, and choices of two states whose stays depend on it.
fn choices() -> (Vec<f64>, Matrix<Cpu>) {
    let signal: Vec<f64> = (0..N)
        .map(|row| if (row / 7).is_multiple_of(2) { 1.0 } else { -1.0 } * (1.0 + 0.5 * feature(row)))
        .collect();
    let (mut state, mut choices) = (0, Vec::new());
    for (row, v) in signal.iter().enumerate() {
        let stay = 1.0 / (1.0 + (-2.0 - if state == 0 { 1.5 * v } else { -1.5 * v }).exp());
        let chance = |by: usize| 0.5 + 0.5 * feature(row * by + 31 * by + 5);
        if chance(37) > stay {
            state = 1 - state;
        }
        choices.push(f64::from(u8::from(chance(53) < [0.15, 0.85][state])));
    }
    (signal, column(choices))
}

/// The fit where what drives is `shift + scale · v`, and its matrices at some `v`.
fn driven(model: &ChoiceHmm, (signal, choices): (&[f64], &Matrix<Cpu>), (shift, scale): (f64, f64)) -> (f64, Vec<Array2<f64>>) {
    let drive = column(signal.iter().map(|v| shift + scale * v).collect());
    let fitted = model.fit_driven(&Matrix::zeros([N, 1]), choices, &drive).unwrap();
    assert!(fitted.is_converged(), "{fitted}");
    let transitions = fitted.parameters().transitions();
    let matrices = SIGNALS.iter().map(|v| transitions.matrix(&[shift + scale * v]).unwrap());
    (fitted.objective(), matrices.collect())
}

#[test]
fn what_drives_may_have_any_mean_and_unit() {
    let (signal, choices) = choices();
    for (drive, sd) in [
        (Drive::PerState, f64::INFINITY),
        (Drive::Shared, f64::INFINITY),
        (Drive::PerState, 1.0),
    ] {
        let model = |scale: f64| GlmHmm::new(2, Bernoulli).driven(drive, sd / scale).restarts(2).tolerance(1e-11);
        let (objective, matrices) = driven(&model(1.0), (&signal, &choices), (0.0, 1.0));
        assert!(matrices[0] != matrices[3]);
        for (shift, scale) in [(300.0, 1.0), (3000.0, 1.0), (1.7e9, 1.0), (0.0, 1e7), (0.0, 1e-7), (-4e4, 20.0)] {
            let (found, of) = driven(&model(scale), (&signal, &choices), (shift, scale));
            assert!(
                (found - objective).abs() < 1e-5,
                "{drive:?} {sd} {shift} {scale}: {found} {objective}"
            );
            let apart = of
                .iter()
                .zip(&matrices)
                .map(|(a, b)| (a - b).iter().fold(0.0, |most: f64, d| most.max(d.abs())));
            let apart = apart.fold(0.0, f64::max);
            assert!(apart < 1e-3, "{drive:?} {sd} {shift} {scale}: {apart}");
        }
    }
}

#[test]
fn a_drive_that_never_changes_is_the_baseline() {
    let (_, choices) = choices();
    let model = GlmHmm::new(2, Bernoulli).restarts(2);
    let x = Matrix::<Cpu>::zeros([N, 1]);
    let plain = model.fit(&x, &choices).unwrap();
    let constant = column(vec![0.1; N]);
    let driven = model.driven(Drive::PerState, 1.0).fit_driven(&x, &choices, &constant).unwrap();
    assert!(
        driven.is_converged() && (driven.objective() - plain.objective()).abs() < 1e-3,
        "{driven}\n{plain}"
    );
    assert!(driven.parameters().transitions().weights().iter().all(|weight| weight.abs() < 1e-6));
}
