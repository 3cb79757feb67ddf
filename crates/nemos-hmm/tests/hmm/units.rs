//! Covariates in other units, and with other zeros, give the same fits, and as sure ones.

use ndarray::Array2;
use nemos_core::{Backend, Cpu, Design, Matrix, Segments};
use nemos_glm::{Bernoulli, Poisson};
use nemos_hmm::{Drive, FittedGlmHmm, GlmHmm};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

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

/// Two features of mean `shift`, and counts of two states.
fn counts<B: Backend>(shift: f64) -> (Design<'static, B>, Matrix<B>) {
    let features = (0..N)
        .flat_map(|row| [shift + feature(row), shift + feature(row * 5 + 2)])
        .collect();
    let design = Design::from(Matrix::from_vec(features, [N, 2]).unwrap());
    let count = |row: usize| {
        let of_feature = (1.0 + feature(row * 11 + 3)) * (0.5 * feature(row)).exp();
        of_feature.floor() + if (row / 40).is_multiple_of(2) { 0.0 } else { 4.0 }
    };
    let segments = Segments::from_lengths([N / 2, N - N / 2]);
    (
        design.with_segments(segments).unwrap(),
        Matrix::from_column((0..N).map(count).collect()),
    )
}

fn fitted<B: Backend>(shift: f64) -> (FittedGlmHmm, Design<'static, B>, Matrix<B>) {
    let (design, counts) = counts::<B>(shift);
    let fitted = GlmHmm::new(2, Poisson).restarts(3).tolerance(1e-10).fit(&design, &counts).unwrap();
    (fitted, design, counts)
}

#[test]
fn standard_errors_do_not_depend_on_the_means_of_features() {
    let (plain, design, of) = fitted::<Cpu>(0.0);
    let right = plain.standard_errors(&design, &of).unwrap();
    let at = |parameters: &nemos_hmm::HmmParameters, shift: f64| {
        let state = parameters.state(1);
        (state.intercept[0] + shift * (state.coef[(0, 0)] + state.coef[(1, 0)])).exp()
    };
    for shift in [100.0, 3e4, 1e6] {
        let (moved, design, of) = fitted::<Cpu>(shift);
        assert!((moved.log_likelihood() - plain.log_likelihood()).abs() < 1e-4, "{shift}: {moved}");
        let found = moved.standard_errors(&design, &of).unwrap();
        for state in 0..2 {
            for place in 0..2 {
                let (found, right) = (found.state(state).coef[(place, 0)], right.state(state).coef[(place, 0)]);
                assert!((found - right).abs() < 1e-4 * right, "{shift}: {found} {right}");
            }
        }
        let (found, right) = (
            found.standard_error(|parameters| at(parameters, shift)),
            right.standard_error(|parameters| at(parameters, 0.0)),
        );
        assert!((found - right).abs() < 1e-3 * right, "{shift}: {found} {right}");
    }
}

#[test]
fn standard_errors_do_not_depend_on_the_mean_of_what_drives() {
    let (signal, choices) = choices();
    let x = Matrix::<Cpu>::zeros([N, 1]);
    let errors = |shift: f64| {
        let drive = column(signal.iter().map(|v| shift + v).collect());
        let model = GlmHmm::new(2, Bernoulli).driven(Drive::PerState, 1.0).restarts(2).tolerance(1e-11);
        let fitted = model.fit_driven(&x, &choices, &drive).unwrap();
        let errors = fitted.standard_errors_driven(&x, &choices, &drive).unwrap();
        let stay = errors.standard_error(|parameters| parameters.transitions().matrix(&[shift + 1.0]).unwrap()[(0, 0)]);
        (errors.weights(), stay)
    };
    let (right, stay) = errors(0.0);
    for shift in [100.0, 1e5] {
        let (found, found_stay) = errors(shift);
        assert!(
            (&found - &right)
                .iter()
                .all(|difference| difference.abs() < 1e-3 * right[(0, 0, 0)]),
            "{found} {right}"
        );
        assert!((found_stay - stay).abs() < 1e-3 * stay, "{shift}: {found_stay} {stay}");
    }
}

/// Two random features of mean `shift`, and counts of two states.
fn random<B: Backend>(shift: f64, seed: u64) -> FittedGlmHmm {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let x: Vec<f64> = (0..2 * N).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect();
    let mut count = |row: usize| {
        let of_feature = (2.0 * rng.random::<f64>() * (0.5 * x[2 * row]).exp()).floor();
        of_feature + if row / 40 % 2 == 1 { 4.0 } else { 0.0 }
    };
    let counts = Matrix::<B>::from_column((0..N).map(&mut count).collect());
    let features = Matrix::from_vec(x.iter().map(|x| x + shift).collect(), [N, 2]).unwrap();
    let design = Design::from(features).with_segments(Segments::from_lengths([N / 2, N - N / 2]));
    GlmHmm::new(2, Poisson).restarts(3).fit(&design.unwrap(), &counts).unwrap()
}

#[test]
fn a_fit_in_single_precision_ends_converged() {
    for seed in [3, 5, 7] {
        let right = random::<Cpu>(0.0, seed).log_likelihood();
        for shift in [0.0, 30.0, 100.0, 1000.0] {
            let found = random::<Cpu<f32>>(shift, seed);
            assert!(found.is_converged(), "{shift}: {found}");
            assert!((found.log_likelihood() - right).abs() < 0.01, "{shift}: {found} {right}");
        }
    }
}
