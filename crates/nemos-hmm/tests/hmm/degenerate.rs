//! Degenerate cases, one by one: what happens, and what is said of it.

use ndarray::array;
use nemos_core::tensor::{Tensor, backend::Backend};
use nemos_core::{Cpu, Matrix};
use nemos_glm::{Bernoulli, Exp, Mean, ObservationModel, Poisson};
use nemos_hmm::{Error, Finding, GlmHmm, HmmParameters, HmmStatus, Part, StateGlm, Transitions};

use crate::helpers::{ChoiceHmm, assert_rises, column, design, drawn, feature, parameters};

#[test]
fn one_session_sets_the_first_state_for_sure_and_says_so() {
    let truth = GlmHmm::new(2, Poisson)
        .with_parameters(parameters(0.9, &[(0.2, -1.0, 1.0), (0.1, 2.0, 1.0)]))
        .unwrap();
    let (_, counts) = drawn(&truth, &[200], 2);
    let fitted = GlmHmm::new(2, Poisson)
        .restarts(3)
        .max_iterations(400)
        .fit(&design(&[200]), &counts)
        .unwrap();
    assert!(fitted.findings().contains(&Finding::OneSession));
    let initial = fitted.parameters().initial();
    assert!(
        initial.iter().all(|p| p.is_finite()) && initial.iter().any(|p| *p > 0.999),
        "{initial:?}"
    );
    assert!(fitted.objective().is_finite() && fitted.is_converged(), "{fitted}");
}

#[test]
fn a_first_state_of_probability_zero_is_no_nan() {
    // 0 · ln 0 is 0 in the objective, and a count of zero leaves a zero.
    let mut start = parameters(0.8, &[(0.1, -1.0, 1.0), (0.1, 1.5, 1.0)]);
    start = nemos_hmm::HmmParameters::new(vec![1.0, 0.0], start.transitions().clone(), &[start.state(0), start.state(1)]).unwrap();
    let counts = column(
        (0..40)
            .map(|row| if row / 10 % 2 == 0 { 0.0 } else { 4.0 } + f64::from(row % 2))
            .collect(),
    );
    let fitted = GlmHmm::new(2, Poisson).start_from(start).fit(&design(&[40]), &counts).unwrap();
    assert_eq!(fitted.parameters().initial(), [1.0, 0.0]);
    assert!(fitted.objective().is_finite());
}

#[test]
fn a_state_without_observations_keeps_its_model_and_is_named() {
    // Nothing is near the third state.
    let start = parameters(0.9, &[(0.0, 0.0, 1.0), (0.0, 2.0, 1.0), (0.0, 12.0, 1.0)]);
    let counts = column(
        (0..60)
            .map(|row| f64::from(if row / 15 % 2 == 0 { 1 + row % 2 } else { 6 + row % 3 }))
            .collect(),
    );
    let fitted = GlmHmm::new(3, Poisson)
        .start_from(start.clone())
        .fit(&design(&[60]), &counts)
        .unwrap();
    assert_eq!(fitted.status(), HmmStatus::Degenerate);
    let empty = fitted
        .findings()
        .iter()
        .find(|finding| matches!(finding, Finding::EmptyState { state: 2, .. }));
    assert!(
        empty.is_some_and(|finding| finding.to_string().contains("state 2 holds 0.00")),
        "{fitted}"
    );
    assert_eq!(fitted.parameters().state(2), start.state(2));
    let rows = |parameters: &nemos_hmm::HmmParameters| parameters.transitions().matrix(&[]).unwrap().row(2).to_vec();
    assert_eq!(rows(fitted.parameters()), rows(&start));
    assert!(fitted.require_converged().unwrap_err().to_string().contains("degenerate"));
}

#[test]
fn more_states_than_the_data_bear_are_reported() {
    let counts = column(vec![0.0, 3.0, 1.0, 0.0, 9.0, 2.0]);
    let fitted = GlmHmm::new(5, Poisson).max_iterations(50).fit(&design(&[6]), &counts).unwrap();
    assert!(
        fitted
            .findings()
            .iter()
            .any(|finding| matches!(finding, Finding::EmptyState { .. })),
        "{fitted}"
    );
    assert!(fitted.objective().is_finite());
}

#[test]
fn a_neuron_that_is_silent_in_a_state_has_no_maximum_there() {
    // Silent while the second neuron is loud.
    let counts: Vec<f64> = (0..200)
        .flat_map(|row: u32| {
            if (row / 20).is_multiple_of(2) {
                [f64::from(row * 7 % 4), f64::from(row % 2)]
            } else {
                [0.0, f64::from(6 + row % 4)]
            }
        })
        .collect();
    let counts = Matrix::<Cpu>::from_vec(counts, [200, 2]).unwrap();
    let fitted = GlmHmm::new(2, Poisson).restarts(3).fit(&design(&[100, 100]), &counts).unwrap();
    assert_eq!(fitted.status(), HmmStatus::Degenerate, "{fitted}");
    let silent = fitted.findings().iter().find_map(|finding| match finding {
        Finding::NoMaximum { state, neuron: 0, .. } => Some(*state),
        _ => None,
    });
    let silent = silent.expect("a state without spikes");
    assert!(fitted.parameters().state(silent).intercept[0] < -5.0);
    assert!(
        !fitted
            .findings()
            .iter()
            .any(|finding| matches!(finding, Finding::NoMaximum { neuron: 1, .. })),
        "{fitted}"
    );
    // A spike there is very improbable, and a number.
    let late = Matrix::<Cpu>::from_vec(vec![3.0, 8.0], [1, 2]).unwrap();
    let design = design(&[1]);
    let surprise = fitted.on(&design, &late).unwrap().log_emissions()[(0, silent)];
    assert!(surprise < -10.0 && surprise.is_finite(), "{surprise}");
}

#[test]
fn a_state_of_sure_choices_has_no_maximum_without_a_prior_and_one_with_the_default() {
    // Chance in the first state, always right in the second.
    let choices = |row: usize| {
        if (row / 50).is_multiple_of(2) {
            f64::from(u8::from((row * 31) % 7 < 3))
        } else {
            1.0
        }
    };
    let counts = column((0..400).map(choices).collect());
    let start = parameters(0.95, &[(0.0, 0.0, 1.0), (0.0, 3.0, 1.0)]);
    let model = ChoiceHmm::new(2, Bernoulli).start_from(start).max_iterations(3000);
    let flat = model.clone().flat_prior().fit(&design(&[400]), &counts).unwrap();
    assert_rises(flat.history());
    assert_eq!(flat.status(), HmmStatus::Degenerate, "{flat}");
    assert!(
        flat.findings()
            .iter()
            .any(|finding| matches!(finding, Finding::NoMaximum { state: 1, .. })),
        "{flat}"
    );
    // Weights that only a prior holds: the feature tells the choice without an error in the second state.
    let told = column(
        (0..400)
            .map(|row| {
                if row / 50 % 2 == 0 {
                    choices(row)
                } else {
                    f64::from(u8::from(feature(row) > 0.0))
                }
            })
            .collect(),
    );
    let start = parameters(0.95, &[(0.0, 0.0, 1.0), (4.0, 0.0, 1.0)]);
    let fitted = ChoiceHmm::new(2, Bernoulli)
        .start_from(start)
        .max_iterations(3000)
        .fit(&design(&[400]), &told)
        .unwrap();
    assert!(fitted.is_converged(), "{fitted}");
    assert!(fitted.parameters().state(1).coef[(0, 0)] < 40.0);
}

#[test]
fn states_that_start_the_same_stay_the_same_and_are_named() {
    let start = parameters(0.5, &[(0.1, 0.5, 1.0), (0.1, 0.5, 1.0)]);
    let counts = column((0..100).map(|row| f64::from(row / 10 % 2 * 5 + row % 3)).collect());
    let fitted = GlmHmm::new(2, Poisson).start_from(start).fit(&design(&[100]), &counts).unwrap();
    let equal = fitted
        .findings()
        .iter()
        .any(|finding| matches!(finding, Finding::EqualStates { first: 0, second: 1, .. }));
    assert!(equal, "{fitted}");
    assert!(fitted.to_string().contains("take fewer states"));
}

#[test]
fn a_session_without_observations_adds_nothing() {
    let model = GlmHmm::new(2, Poisson)
        .with_parameters(parameters(0.8, &[(0.3, 0.0, 1.0), (-0.3, 1.5, 1.0)]))
        .unwrap();
    let mut counts: Vec<f64> = (0..20).map(|row| f64::from(row % 5)).collect();
    counts[12..].fill(f64::NAN);
    let (design, counts) = (design(&[12, 8]), column(counts));
    let each = model.on(&design, &counts).unwrap().session_log_likelihoods().unwrap();
    assert!(each[0] < 0.0 && each[1].abs() < 1e-14, "{each:?}");
    // In a fit it counts as a session of which nothing is known.
    let fitted = GlmHmm::new(2, Poisson).fit(&design, &counts).unwrap();
    assert!((fitted.log_likelihood() - fitted.on(&design, &counts).unwrap().session_log_likelihoods().unwrap()[0]).abs() < 1e-10);
    assert_eq!(fitted.n_observed_rows(), 12);
}

#[test]
fn collinear_features_give_one_of_many_maxima_and_their_rank() {
    let truth = GlmHmm::new(2, Poisson)
        .with_parameters(parameters(0.9, &[(0.6, -0.5, 1.0), (-0.6, 1.8, 1.0)]))
        .unwrap();
    let (_, counts) = drawn(&truth, &[150, 150], 8);
    let twice = Matrix::<Cpu>::from_vec((0..300).flat_map(|row| [feature(row), feature(row)]).collect(), [300, 2]).unwrap();
    let sessions = nemos_core::Design::from(twice)
        .with_segments(nemos_core::Segments::from_lengths([150, 150]))
        .unwrap();
    let both = GlmHmm::new(2, Poisson).seed(1).restarts(3).fit(&sessions, &counts).unwrap();
    let single = GlmHmm::new(2, Poisson)
        .seed(1)
        .restarts(3)
        .fit(&design(&[150, 150]), &counts)
        .unwrap();
    assert!((both.log_likelihood() - single.log_likelihood()).abs() < 1e-3, "{both} {single}");
    assert!(
        both.findings()
            .iter()
            .any(|finding| matches!(finding, Finding::Collinear { rank: 2, .. })),
        "{both}"
    );
    for state in 0..2 {
        let (both, single) = (both.parameters().state(state), single.parameters().state(state));
        let sum = both.coef[(0, 0)] + both.coef[(1, 0)];
        assert!((sum - single.coef[(0, 0)]).abs() < 1e-2, "{sum} {}", single.coef[(0, 0)]);
    }
}

#[test]
fn a_session_of_one_row_counts_for_the_first_state_alone() {
    let lengths = [1, 30, 1, 1];
    let counts = column(
        (0..33)
            .map(|row| f64::from(row % 4) + if row % 9 > 4 { 5.0 } else { 0.0 })
            .collect(),
    );
    let model = GlmHmm::new(2, Poisson)
        .with_parameters(parameters(0.8, &[(0.3, 0.0, 1.0), (-0.3, 1.8, 1.0)]))
        .unwrap();
    let sessions = design(&lengths);
    let seen = model.on(&sessions, &counts).unwrap();
    // Twenty-nine steps in all.
    assert!((seen.expected_transitions().unwrap().sum() - 29.0).abs() < 1e-10);
    let fitted = GlmHmm::new(2, Poisson).initial_concentration(2.0).fit(&sessions, &counts).unwrap();
    assert!(fitted.objective().is_finite());
}

#[test]
fn a_fit_that_is_cut_short_is_told_of_no_missing_maximum() {
    // A start at some distance: the first Newton steps are long, and the maximum is there all the same.
    let truth = GlmHmm::new(2, Poisson)
        .with_parameters(parameters(0.9, &[(0.2, -1.0, 1.0), (0.1, 2.0, 1.0)]))
        .unwrap();
    let (_, counts) = drawn(&truth, &[150, 150], 2);
    let far = GlmHmm::new(2, Poisson).start_from(parameters(0.9, &[(0.0, -0.2, 1.0), (0.0, 3.0, 1.0)]));
    let short = far.clone().max_iterations(1).fit(&design(&[150, 150]), &counts).unwrap();
    assert_eq!(short.status(), HmmStatus::StepLimit);
    assert_eq!(short.findings(), [], "{short}");
    let error = short.require_converged().unwrap_err().to_string();
    assert!(error.contains("iteration limit") && !error.contains("maximum"), "{error}");
    let whole = far.fit(&design(&[150, 150]), &counts).unwrap();
    assert!(whole.is_converged() && whole.findings().is_empty(), "{whole}");
}

#[test]
fn a_neuron_that_is_surely_silent_is_named_even_where_a_fit_is_cut_short() {
    // Silent everywhere, and where the second neuron is so loud that the state is beyond doubt.
    for quiet in [0, 3] {
        let counts = (0..100).flat_map(|row: u32| {
            if (row / 10).is_multiple_of(2) {
                [quiet + quiet * row % 4, 0]
            } else {
                [0, 90 + row % 3]
            }
        });
        let counts = Matrix::<Cpu>::from_vec(counts.map(f64::from).collect(), [100, 2]).unwrap();
        let sessions = Matrix::<Cpu>::zeros([100, 1]);
        let state = |quiet: f64, loud: f64| StateGlm {
            coef: ndarray::Array2::zeros((1, 2)),
            intercept: vec![quiet, loud],
            scale: vec![1.0; 2],
        };
        let start = HmmParameters::new(
            vec![0.5; 2],
            Transitions::staying(2, 0.9).unwrap(),
            &[state(0.0, -1.0), state(0.0, 4.0)],
        );
        let model = GlmHmm::new(2, Poisson).start_from(start.unwrap()).max_iterations(1);
        let short = model.fit(&sessions, &counts).unwrap();
        assert_eq!(short.status(), HmmStatus::StepLimit);
        let named = short
            .findings()
            .iter()
            .any(|finding| matches!(finding, Finding::NoMaximum { state: 1, neuron: 0, .. }));
        assert!(named, "{short}");
    }
}

#[test]
fn after_a_fall_occupancies_are_those_of_the_parameters() {
    // The likelihood of this model is not what its loss is of, so that every step away from the start is a fall.
    let counts = column((0..60).map(|row| f64::from(row / 10 % 2 * 3 + row % 3)).collect());
    let sessions = design(&[30, 30]);
    let start = GlmHmm::new(2, Poisson).restarts(2).fit(&sessions, &counts).unwrap();
    let fitted = GlmHmm::new(2, Lopsided)
        .start_from(start.parameters().clone())
        .hold([Part::Initial, Part::Transitions])
        .fit(&sessions, &counts)
        .unwrap();
    assert_eq!(fitted.status(), HmmStatus::Fell, "{fitted}");
    assert_eq!(fitted.parameters().state(0), start.parameters().state(0));
    let smoothed = fitted.on(&sessions, &counts).unwrap().smoothed_array().unwrap();
    let mean = smoothed.mean_axis(ndarray::Axis(0)).unwrap();
    for (found, wanted) in fitted.occupancy().iter().zip(&mean) {
        assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
    }
}

/// Poisson counts, whose loss is that of one count more.
#[derive(Clone, Debug, PartialEq)]
struct Lopsided;

impl ObservationModel for Lopsided {
    type DefaultLink = Exp;

    fn log_likelihood<T: Backend>(&self, counts: Tensor<T, 2>, mean: &Mean<'_, T>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        Poisson.log_likelihood(counts, mean, scale)
    }

    fn loss<T: Backend>(&self, counts: Tensor<T, 2>, mean: &Mean<'_, T>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        Poisson.loss(counts + 1.0, mean, scale)
    }

    fn deviance<T: Backend>(&self, counts: Tensor<T, 2>, rate: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        Poisson.deviance(counts, rate, scale)
    }

    fn variance<T: Backend>(&self, rate: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        Poisson.variance(rate, scale)
    }
}

#[test]
fn a_neuron_that_is_never_observed_is_an_error() {
    let counts = Matrix::<Cpu>::from_vec((0..40).flat_map(|row| [f64::from(row % 3), f64::NAN]).collect(), [40, 2]).unwrap();
    let error = GlmHmm::new(2, Poisson).fit(&design(&[40]), &counts).unwrap_err();
    assert!(
        matches!(error, Error::Glm(nemos_glm::Error::NeuronMissing { neuron: 1 })),
        "{error}"
    );
}

#[test]
fn a_state_of_one_class_has_no_maximum() {
    // Three classes by turns in the first state, one alone in the second.
    let labels = column(
        (0..400)
            .map(|row| if row / 50 % 2 == 0 { (row * 31 % 7 % 3) as f64 } else { 2.0 })
            .collect(),
    );
    let state = |a: f64| StateGlm {
        coef: array![[0.0, 0.0, 0.0]],
        intercept: vec![-a, -a, 2.0 * a],
        scale: vec![1.0],
    };
    let start = HmmParameters::new(vec![0.5; 2], Transitions::staying(2, 0.95).unwrap(), &[state(0.0), state(1.5)]).unwrap();
    let model = GlmHmm::of_classes(2, 3).start_from(start).max_iterations(3000);
    let flat = model.clone().flat_prior().fit(&design(&[400]), &labels).unwrap();
    assert_rises(flat.history());
    assert_eq!(flat.status(), HmmStatus::Degenerate, "{flat}");
    assert!(
        flat.findings()
            .iter()
            .any(|finding| matches!(finding, Finding::NoMaximum { state: 1, .. })),
        "{flat}"
    );
    let log_emissions = flat.on(&design(&[400]), &labels).unwrap().log_emissions().to_owned();
    assert!(log_emissions.iter().all(|value| value.is_finite()));
}
