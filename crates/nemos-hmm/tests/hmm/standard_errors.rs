//! Standard errors: against the curvature of the log-likelihood by second differences, in other coordinates.

use ndarray::{Array2, Array3, array};
use nemos_core::{Cpu, Design, Matrix, Segments, inverse_positive_definite};
use nemos_glm::{Bernoulli, Exp, Gamma, Gaussian, NegativeBinomial, Poisson};
use nemos_hmm::{Drive, Error, Finding, FittedGlmHmm, GlmHmm, HmmParameters, Part, StateGlm, StateModel, Transitions};

use crate::curvature::{Number, Plain, assert_errors, logistic};
use crate::helpers::{ChoiceHmm, GaussianHmm, PoissonHmm, column, design, drawn, feature, parameters};

const LENGTHS: [usize; 3] = [120, 80, 100];

/// Coefficient and intercept of every state, the scale of the second, and probabilities.
fn usual() -> Vec<Number> {
    vec![
        Box::new(|p| p.state(0).coef[(0, 0)]),
        Box::new(|p| p.state(1).coef[(0, 0)]),
        Box::new(|p| p.state(0).intercept[0]),
        Box::new(|p| p.state(1).intercept[0] - p.state(0).intercept[0]),
        Box::new(|p| p.transitions().matrix(&[]).unwrap()[(0, 1)]),
        Box::new(|p| p.transitions().matrix(&[]).unwrap()[(1, 1)]),
    ]
}

fn log_likelihood<S: StateModel>(model: &GlmHmm<S>, parameters: &HmmParameters, data: (&Design<'static, Cpu>, &Matrix<Cpu>)) -> f64 {
    let fitted = model.with_parameters(parameters.clone()).unwrap();
    fitted.on(data.0, data.1).unwrap().log_likelihood().unwrap()
}

fn fitted<S: StateModel>(model: GlmHmm<S>, start: HmmParameters, data: (&Design<'static, Cpu>, &Matrix<Cpu>)) -> FittedGlmHmm<S> {
    let fitted = model
        .start_from(start)
        .tolerance(1e-14)
        .max_iterations(5000)
        .fit(data.0, data.1)
        .unwrap();
    assert!(fitted.is_converged(), "{fitted}");
    fitted
}

fn poisson() -> (FittedGlmHmm, Design<'static, Cpu>, Matrix<Cpu>) {
    let of = parameters(0.85, &[(0.5, 0.2, 1.0), (-0.4, 1.1, 1.0)]);
    let (_, counts) = drawn(&GlmHmm::new(2, Poisson).with_parameters(of.clone()).unwrap(), &LENGTHS, 4);
    let mut counts = counts.to_vec();
    counts[40..46].fill(f64::NAN);
    let (design, counts) = (design(&LENGTHS), column(counts));
    (fitted(GlmHmm::new(2, Poisson), of, (&design, &counts)), design, counts)
}

#[test]
fn they_are_those_of_the_curvature_of_the_log_likelihood() {
    let (fitted, design, counts) = poisson();
    let errors = fitted.standard_errors(&design, &counts).unwrap();
    let coordinates = Plain {
        n_features: 1,
        n_neurons: 1,
        has_scales: false,
        has_initial: fitted.parameters().initial()[1] > 1e-6 && fitted.parameters().initial()[0] > 1e-6,
    };
    let at = fitted.parameters();
    let objective = |p: &HmmParameters| log_likelihood(fitted.specification(), p, (&design, &counts));
    let build = |of: &[f64]| coordinates.parameters(of, at);
    assert_errors(&errors, (&build, &objective, &coordinates.coordinates(at)), &usual());
    // In place, and by the delta method.
    let direct = errors.state(1);
    assert!((direct.coef[(0, 0)] - errors.standard_error(|p| p.state(1).coef[(0, 0)])).abs() < 1e-9 * direct.coef[(0, 0)]);
    assert!((errors.transitions()[(0, 1)] - errors.transitions()[(0, 0)]).abs() < 1e-9);
    // States that are known would be surer.
    let smoothed = fitted.on(&design, &counts).unwrap().smoothed_array().unwrap();
    let rate = |row: usize| (at.state(0).intercept[0] + at.state(0).coef[(0, 0)] * feature(row)).exp();
    let seen = (0..300).filter(|row| !(40..46).contains(row));
    let known: f64 = seen.map(|row| smoothed[(row, 0)] * rate(row)).sum();
    assert!(errors.state(0).intercept[0] > 1.0 / known.sqrt());
    let text = errors.to_string();
    assert!(
        text.contains("state 0        s.e.     state 1        s.e.") && text.contains("to 1"),
        "{text}"
    );
}

#[test]
fn scales_are_among_what_is_not_known() {
    let of = parameters(0.9, &[(0.8, 0.5, 0.3), (-0.5, 2.5, 0.8)]);
    let coordinates = Plain {
        n_features: 1,
        n_neurons: 1,
        has_scales: true,
        has_initial: false,
    };
    let mut numbers = usual();
    numbers.push(Box::new(|p| p.state(0).scale[0]));
    numbers.push(Box::new(|p| p.state(1).scale[0]));
    let design = design(&LENGTHS);
    let hold = [Part::Initial];
    let model = GaussianHmm::new(2, Gaussian).hold(hold);
    let (_, counts) = drawn(&model.with_parameters(of.clone()).unwrap(), &LENGTHS, 1);
    let gaussian = fitted(model, of.clone(), (&design, &counts));
    let errors = gaussian.standard_errors(&design, &counts).unwrap();
    let objective = |p: &HmmParameters| log_likelihood(gaussian.specification(), p, (&design, &counts));
    let build = |of: &[f64]| coordinates.parameters(of, gaussian.parameters());
    assert_errors(
        &errors,
        (&build, &objective, &coordinates.coordinates(gaussian.parameters())),
        &numbers,
    );
    let in_place = errors.state(1).scale[0];
    assert!((in_place - errors.standard_error(|p| p.state(1).scale[0])).abs() < 1e-5 * in_place);

    let model = GlmHmm::new(2, Gamma).link(Exp).hold(hold);
    let (_, counts) = drawn(&model.with_parameters(of.clone()).unwrap(), &LENGTHS, 1);
    let gamma = fitted(model, of.clone(), (&design, &counts));
    let errors = gamma.standard_errors(&design, &counts).unwrap();
    let objective = |p: &HmmParameters| log_likelihood(gamma.specification(), p, (&design, &counts));
    let build = |of: &[f64]| coordinates.parameters(of, gamma.parameters());
    assert_errors(
        &errors,
        (&build, &objective, &coordinates.coordinates(gamma.parameters())),
        &numbers,
    );

    let model = GlmHmm::new(2, NegativeBinomial::estimated()).hold(hold);
    let (_, counts) = drawn(&model.with_parameters(of.clone()).unwrap(), &LENGTHS, 1);
    let negative = fitted(model, of, (&design, &counts));
    let errors = negative.standard_errors(&design, &counts).unwrap();
    let objective = |p: &HmmParameters| log_likelihood(negative.specification(), p, (&design, &counts));
    let build = |of: &[f64]| coordinates.parameters(of, negative.parameters());
    assert_errors(
        &errors,
        (&build, &objective, &coordinates.coordinates(negative.parameters())),
        &numbers,
    );
}

#[test]
fn priors_are_part_of_the_curvature() {
    let of = parameters(0.85, &[(2.0, 0.3, 1.0), (-1.0, -0.5, 1.0)]);
    let model = ChoiceHmm::new(2, Bernoulli)
        .prior_sd(0.8)
        .transition_concentration(3.0)
        .stickiness(2.0)
        .initial_concentration(2.0);
    let (_, counts) = drawn(&model.with_parameters(of.clone()).unwrap(), &LENGTHS, 9);
    let design = design(&LENGTHS);
    let fitted = fitted(model, of, (&design, &counts));
    let errors = fitted.standard_errors(&design, &counts).unwrap();
    let coordinates = Plain {
        n_features: 1,
        n_neurons: 1,
        has_scales: false,
        has_initial: true,
    };
    let objective = |p: &HmmParameters| {
        let coef = p.state(0).coef[(0, 0)].powi(2) + p.state(1).coef[(0, 0)].powi(2);
        let steps = p.transitions().matrix(&[]).unwrap();
        let moves = 4.0 * (steps[(0, 0)].ln() + steps[(1, 1)].ln()) + 2.0 * (steps[(0, 1)].ln() + steps[(1, 0)].ln());
        let first: f64 = p.initial().iter().map(|p| p.ln()).sum();
        log_likelihood(fitted.specification(), p, (&design, &counts)) - coef / (2.0 * 0.64) + moves + first
    };
    assert!((objective(fitted.parameters()) - fitted.objective()).abs() < 1e-9);
    let mut numbers = usual();
    numbers.push(Box::new(|p| p.initial()[0]));
    let at = fitted.parameters();
    let build = |of: &[f64]| coordinates.parameters(of, at);
    assert_errors(&errors, (&build, &objective, &coordinates.coordinates(at)), &numbers);
    assert!((errors.initial()[0] - errors.initial()[1]).abs() < 1e-9 && errors.initial()[0] > 0.0);
}

#[test]
fn populations_with_gaps_have_them_and_what_is_shared_moves_together() {
    let state = |coef: f64, a: f64, b: f64| StateGlm {
        coef: array![[coef, -coef]],
        intercept: vec![a, b],
        scale: vec![1.0; 2],
    };
    let steps = Transitions::staying(2, 0.9).unwrap();
    let of = HmmParameters::new(vec![0.5; 2], steps, &[state(0.4, 0.1, 1.0), state(0.4, 1.2, -0.2)]).unwrap();
    let (_, counts) = drawn(&GlmHmm::new(2, Poisson).with_parameters(of.clone()).unwrap(), &LENGTHS, 2);
    let mut counts = counts.to_vec();
    // The second neuron is lost in the second session, and both for a while.
    (120..200).for_each(|row| counts[2 * row + 1] = f64::NAN);
    counts[500..512].fill(f64::NAN);
    let (design, counts) = (design(&LENGTHS), Matrix::from_vec(counts, [300, 2]).unwrap());
    let model = GlmHmm::new(2, Poisson).hold([Part::Initial]);
    let own = fitted(model.clone(), of.clone(), (&design, &counts));
    let coordinates = Plain {
        n_features: 1,
        n_neurons: 2,
        has_scales: false,
        has_initial: false,
    };
    let mut numbers = usual();
    numbers.push(Box::new(|p| p.state(0).intercept[1]));
    numbers.push(Box::new(|p| p.state(1).coef[(0, 1)]));
    let objective = |p: &HmmParameters| log_likelihood(own.specification(), p, (&design, &counts));
    let build = |of: &[f64]| coordinates.parameters(of, own.parameters());
    let errors = own.standard_errors(&design, &counts).unwrap();
    assert_errors(&errors, (&build, &objective, &coordinates.coordinates(own.parameters())), &numbers);
    // One coefficient for both states of each neuron: coordinates without those of the second state.
    let shared = fitted(model.share_columns([0]), of, (&design, &counts));
    let all = coordinates.coordinates(shared.parameters());
    let fewer: Vec<f64> = [&all[..4], &all[6..]].concat();
    let build = |of: &[f64]| coordinates.parameters(&[&of[..4], &of[..2], &of[4..]].concat(), shared.parameters());
    let errors = shared.standard_errors(&design, &counts).unwrap();
    let objective = |p: &HmmParameters| log_likelihood(shared.specification(), p, (&design, &counts));
    assert_errors(&errors, (&build, &objective, &fewer), &numbers);
    assert_eq!(errors.standard_error(|p| p.state(0).coef[(0, 0)] - p.state(1).coef[(0, 0)]), 0.0);
}

#[test]
fn driven_transitions_have_them() {
    let cue = |row: usize| f64::from(u8::from(row % 13 < 3)) - 0.5;
    let inputs = column((0..300).map(cue).collect());
    for drive in [Drive::PerState, Drive::Shared] {
        let rows = if drive == Drive::PerState { 2 } else { 1 };
        let weights = Array3::from_shape_fn((rows, 2, 1), |(_, j, _)| if j == 0 { -0.6 } else { 0.6 });
        let baseline = array![[1.5, 0.0], [0.0, 1.2]];
        let transitions = Transitions::driven(drive, &baseline, &weights).unwrap();
        let states = crate::helpers::states(&[(0.4, 0.0, 1.0), (-0.3, 1.6, 1.0)]);
        let of = HmmParameters::new(vec![0.5; 2], transitions, &states).unwrap();
        let model = GlmHmm::new(2, Poisson).driven(drive, 1.5).hold([Part::Initial]);
        let given = model.with_parameters(of.clone()).unwrap();
        let mut rng = <rand_chacha::ChaCha8Rng as rand::SeedableRng>::seed_from_u64(6);
        let segments = Segments::from_lengths(LENGTHS);
        let drawn = given
            .simulate(&segments, |row, _| vec![feature(row)], &inputs.to_array(), &mut rng)
            .unwrap();
        let (design, counts) = (design(&LENGTHS), Matrix::<Cpu>::from_array(drawn.counts.view()));
        let fitted = model
            .start_from(of)
            .tolerance(1e-14)
            .max_iterations(5000)
            .fit_driven(&design, &counts, &inputs)
            .unwrap();
        let at = fitted.parameters();
        // Log-odds of the second state, and half the difference of weights.
        let (b, w) = (at.transitions().baseline(), at.transitions().weights());
        let mut start = vec![b[(0, 1)] - b[(0, 0)], b[(1, 1)] - b[(1, 0)]];
        start.extend((0..rows).map(|row| 0.5 * (w[(row, 1, 0)] - w[(row, 0, 0)])));
        for state in [at.state(0), at.state(1)] {
            start.extend([state.coef[(0, 0)], state.intercept[0]]);
        }
        let build = |of: &[f64]| {
            let weights = Array3::from_shape_fn((rows, 2, 1), |(row, j, _)| if j == 0 { -of[2 + row] } else { of[2 + row] });
            let transitions = Transitions::driven(drive, &array![[0.0, of[0]], [0.0, of[1]]], &weights).unwrap();
            let rest = &of[2 + rows..];
            let states = crate::helpers::states(&[(rest[0], rest[1], 1.0), (rest[2], rest[3], 1.0)]);
            HmmParameters::new(at.initial().to_vec(), transitions, &states).unwrap()
        };
        let objective = |p: &HmmParameters| {
            let fitted = fitted.specification().with_parameters(p.clone()).unwrap();
            let squares: f64 = p.transitions().weights().iter().map(|w| w * w).sum();
            fitted.on_driven(&design, &counts, &inputs).unwrap().log_likelihood().unwrap() - squares / (2.0 * 2.25)
        };
        let numbers: Vec<Number> = vec![
            Box::new(|p| p.state(0).coef[(0, 0)]),
            Box::new(|p| p.state(1).intercept[0]),
            Box::new(|p| p.transitions().matrix(&[0.0]).unwrap()[(0, 1)]),
            Box::new(|p| p.transitions().matrix(&[0.5]).unwrap()[(1, 1)]),
            Box::new(|p| p.transitions().weights()[(0, 1, 0)]),
        ];
        let errors = fitted.standard_errors_driven(&design, &counts, &inputs).unwrap();
        assert_errors(&errors, (&build, &objective, &start), &numbers);
        let of_weight = errors.weights()[(0, 1, 0)];
        assert!((of_weight - errors.standard_error(|p| p.transitions().weights()[(0, 1, 0)])).abs() < 1e-9 * of_weight);
        assert!(fitted.standard_errors(&design, &counts).is_err());
    }
}

#[test]
fn classes_have_them() {
    let state = |a: f64, b: f64| StateGlm {
        coef: array![[a, -a, 0.0]],
        intercept: vec![b, 0.2, -b - 0.2],
        scale: vec![1.0],
    };
    let of = HmmParameters::new(
        vec![0.5; 2],
        Transitions::staying(2, 0.9).unwrap(),
        &[state(1.0, 0.8), state(-0.8, -0.9)],
    )
    .unwrap();
    let model = GlmHmm::of_classes(2, 3).prior_sd(1.0).hold([Part::Initial]);
    let (_, counts) = drawn(&model.with_parameters(of.clone()).unwrap(), &LENGTHS, 3);
    let design = design(&LENGTHS);
    let fitted = fitted(model, of, (&design, &counts));
    let at = fitted.parameters();
    // Classes sum to zero: the third follows from the others.
    let mut start = Vec::new();
    for state in [at.state(0), at.state(1)] {
        start.extend([state.coef[(0, 0)], state.coef[(0, 1)], state.intercept[0], state.intercept[1]]);
    }
    let steps = at.transitions().matrix(&[]).unwrap();
    start.extend([(steps[(0, 0)] / steps[(0, 1)]).ln(), (steps[(1, 1)] / steps[(1, 0)]).ln()]);
    let build = |of: &[f64]| {
        let state = |of: &[f64]| StateGlm {
            coef: array![[of[0], of[1], -of[0] - of[1]]],
            intercept: vec![of[2], of[3], -of[2] - of[3]],
            scale: vec![1.0],
        };
        let (a, b) = (logistic(of[8]), logistic(of[9]));
        let steps = Transitions::fixed(&array![[a, 1.0 - a], [1.0 - b, b]]).unwrap();
        HmmParameters::new(at.initial().to_vec(), steps, &[state(&of[..4]), state(&of[4..8])]).unwrap()
    };
    let objective = |p: &HmmParameters| {
        let squares: f64 = (0..2).flat_map(|k| p.state(k).coef.into_iter()).map(|w| w * w).sum();
        log_likelihood(fitted.specification(), p, (&design, &counts)) - 0.5 * squares
    };
    let mut numbers = usual();
    numbers.push(Box::new(|p| p.state(1).coef[(0, 2)]));
    numbers.push(Box::new(|p| p.state(0).intercept[2]));
    let errors = fitted.standard_errors(&design, &counts).unwrap();
    assert_errors(&errors, (&build, &objective, &start), &numbers);
    let direct = errors.state(0).intercept[2];
    assert!((direct - errors.standard_error(|p| p.state(0).intercept[2])).abs() < 1e-9 * direct);
}

#[test]
fn one_state_has_those_of_its_generalized_linear_model() {
    let of = parameters(1.0, &[(0.5, 0.3, 1.0)]);
    let (_, counts) = drawn(&GlmHmm::new(1, Poisson).with_parameters(of).unwrap(), &LENGTHS, 7);
    let design = design(&LENGTHS);
    let fitted = GlmHmm::new(1, Poisson).tolerance(1e-14).fit(&design, &counts).unwrap();
    let errors = fitted.standard_errors(&design, &counts).unwrap();
    let state = fitted.parameters().state(0);
    let mut information = Array2::<f64>::zeros((2, 2));
    for row in 0..300 {
        let x = array![feature(row), 1.0];
        let rate = (state.coef[(0, 0)] * x[0] + state.intercept[0]).exp();
        information += &Array2::from_shape_fn((2, 2), |(i, j)| rate * x[i] * x[j]);
    }
    let covariance = inverse_positive_definite(information.view()).unwrap();
    let got = errors.state(0);
    assert!((got.coef[(0, 0)] - covariance[(0, 0)].sqrt()).abs() < 1e-6 * got.coef[(0, 0)]);
    assert!((got.intercept[0] - covariance[(1, 1)].sqrt()).abs() < 1e-6 * got.intercept[0]);
}

#[test]
fn estimates_are_spread_as_they_say() {
    // Squares of errors in units of standard errors are one on average: of 60 draws of six numbers within a tenth or two.
    let of = parameters(0.85, &[(0.5, 0.2, 1.0), (-0.4, 1.1, 1.0)]);
    let model = GlmHmm::new(2, Poisson);
    let design = design(&LENGTHS);
    let numbers = usual();
    let mut squares = vec![0.0; numbers.len()];
    for seed in 0..60 {
        let (_, counts) = drawn(&model.with_parameters(of.clone()).unwrap(), &LENGTHS, 100 + seed);
        let fitted = model.clone().start_from(of.clone()).fit(&design, &counts).unwrap();
        let errors = fitted.standard_errors(&design, &counts).unwrap();
        for (square, number) in squares.iter_mut().zip(&numbers) {
            *square += ((number(fitted.parameters()) - number(&of)) / errors.standard_error(number)).powi(2) / 60.0;
        }
    }
    let mean = squares.iter().sum::<f64>() / squares.len() as f64;
    assert!((0.75..1.35).contains(&mean), "{squares:?}");
    assert!(squares.iter().all(|square| (0.5..1.9).contains(square)), "{squares:?}");
}

#[test]
fn where_there_are_none_it_is_said() {
    let (fitted, design, counts) = poisson();
    // Elsewhere than at the maximum.
    let mut away = fitted.parameters().state(0);
    away.intercept[0] += 0.3;
    let at = fitted.parameters();
    let away = HmmParameters::new(at.initial().to_vec(), at.transitions().clone(), &[away, at.state(1)]).unwrap();
    let away = GlmHmm::new(2, Poisson).with_parameters(away).unwrap();
    let error = away.standard_errors(&design, &counts).unwrap_err();
    assert!(matches!(error, Error::NotAtMaximum { to_gain } if to_gain > 0.05), "{error}");
    // Of what is held they are zero.
    let held = GlmHmm::new(2, Poisson)
        .start_from(at.clone())
        .hold([Part::Transitions, Part::Initial]);
    let held = held.fit(&design, &counts).unwrap().standard_errors(&design, &counts).unwrap();
    assert!(held.transitions().iter().all(|error| *error == 0.0) && held.state(0).coef[(0, 0)] > 0.0);
    // Collinear features.
    let twice = Matrix::<Cpu>::from_vec((0..300).flat_map(|row| [feature(row), feature(row)]).collect(), [300, 2]).unwrap();
    let twice = Design::from(twice).with_segments(Segments::from_lengths(LENGTHS)).unwrap();
    let both: PoissonHmm = GlmHmm::new(2, Poisson).restarts(2);
    let both = both.fit(&twice, &counts).unwrap();
    let error = both.standard_errors(&twice, &counts).unwrap_err().to_string();
    assert!(error.contains("the coefficient of"), "{error}");
}

#[test]
fn a_neuron_without_spikes_in_a_state_has_none_there() {
    let counts = (0..200).flat_map(|row: u32| {
        if (row / 10).is_multiple_of(2) {
            [row * 7 % 4, row % 2]
        } else {
            [0, 60 + row % 3]
        }
    });
    let counts = Matrix::<Cpu>::from_vec(counts.map(f64::from).collect(), [200, 2]).unwrap();
    let design = Design::from(Matrix::<Cpu>::zeros([200, 1]));
    let fitted = GlmHmm::new(2, Poisson).restarts(2).fit(&design, &counts).unwrap();
    let silent = fitted.findings().iter().find_map(|finding| match finding {
        Finding::NoMaximum { state, neuron: 0, .. } => Some(*state),
        _ => None,
    });
    let silent = silent.expect("a state without spikes");
    let errors = fitted.standard_errors(&design, &counts).unwrap();
    assert!(errors.state(silent).intercept[0].is_nan());
    assert!(errors.standard_error(|p| p.state(silent).intercept[0]).is_nan());
    let other = errors.state(1 - silent);
    assert!(
        other
            .intercept
            .iter()
            .chain(&errors.state(silent).intercept[1..])
            .all(|error| *error > 0.0)
    );
    // A feature that is zero everywhere has no coefficient.
    assert_eq!(other.coef[(0, 0)], 0.0);
}
