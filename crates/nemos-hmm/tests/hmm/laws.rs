//! Laws that hold for all models and data.

use nemos_core::{Cpu, Design, Matrix, Segments};
use nemos_glm::{Bernoulli, Glm, Poisson, Regularizer, Score, Stopping};
use nemos_hmm::{GlmHmm, HmmParameters, StateGlm, Transitions};
use proptest::prelude::*;

use crate::helpers::{ChoiceHmm, PoissonHmm, assert_rises, column, design, drawn, parameters};

prop_compose! {
    /// Three states of one neuron with one feature, and counts in two sessions, some of which are missing.
    fn scenes()(
        of in prop::collection::vec((-0.8..0.8_f64, -1.0..1.5_f64), 3),
        stay in 0.4..0.97_f64,
        counts in prop::collection::vec(prop_oneof![4 => 0.0..7.0_f64, 1 => Just(f64::NAN)], 30),
        cut in 1..29_usize,
    ) -> (HmmParameters, Vec<f64>, usize) {
        let of: Vec<_> = of.into_iter().map(|(coef, intercept)| (coef, intercept, 1.0)).collect();
        (parameters(stay, &of), counts.into_iter().map(f64::floor).collect(), cut)
    }
}

fn model() -> PoissonHmm {
    GlmHmm::new(3, Poisson)
}

fn log_likelihood(parameters: &HmmParameters, design: &Design<'static, Cpu>, counts: &Matrix<Cpu>) -> f64 {
    let fitted = model().with_parameters(parameters.clone()).unwrap();
    fitted.on(design, counts).unwrap().log_likelihood().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_order_of_states_changes_nothing((parameters, counts, cut) in scenes(), order in Just(vec![0, 1, 2]).prop_shuffle()) {
        let (design, counts) = (design(&[cut, 30 - cut]), column(counts));
        let permuted = parameters.permuted(&order).unwrap();
        let (a, b) = (log_likelihood(&parameters, &design, &counts), log_likelihood(&permuted, &design, &counts));
        prop_assert!((a - b).abs() <= 1e-12 * a.abs());
        let of = |parameters: HmmParameters| {
            model().with_parameters(parameters).unwrap().on(&design, &counts).unwrap().smoothed_array().unwrap()
        };
        let (smoothed, other) = (of(parameters), of(permuted));
        for (new, &old) in order.iter().enumerate() {
            for row in 0..30 {
                prop_assert!((smoothed[(row, old)] - other[(row, new)]).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn sessions_are_independent((parameters, counts, cut) in scenes()) {
        let whole = log_likelihood(&parameters, &design(&[cut, 30 - cut]), &column(counts.clone()));
        let part = |rows: std::ops::Range<usize>| {
            let features = design(&[30]).chunk(rows.clone()).unwrap();
            log_likelihood(&parameters, &Design::from(features), &column(counts[rows].to_vec()))
        };
        let parts = part(0..cut) + part(cut..30);
        prop_assert!((whole - parts).abs() <= 1e-12 * whole.abs().max(1.0));
    }

    #[test]
    fn the_best_path_is_no_more_probable_than_all((parameters, counts, cut) in scenes()) {
        let (design, counts) = (design(&[cut, 30 - cut]), column(counts));
        let fitted = model().with_parameters(parameters).unwrap();
        let seen = fitted.on(&design, &counts).unwrap();
        prop_assert!(seen.decoded().unwrap().log_probability <= seen.log_likelihood().unwrap());
    }

    #[test]
    fn the_objective_rises_at_every_iteration((parameters, counts, cut) in scenes(), sd in 0.3..3.0_f64, sticky in 0.0..3.0_f64) {
        let (design, counts) = (design(&[cut, 30 - cut]), column(counts));
        let model = model().prior_sd(sd).stickiness(sticky).transition_concentration(1.5).initial_concentration(1.2);
        let fitted = model.start_from(parameters).max_iterations(60).fit(&design, &counts).unwrap();
        assert_rises(fitted.history());
        prop_assert_eq!(fitted.history().last().copied(), Some(fitted.objective()));
        let again = fitted.on(&design, &counts).unwrap().log_likelihood().unwrap();
        prop_assert!((again - fitted.log_likelihood()).abs() <= 1e-11 * again.abs());
    }

    #[test]
    fn slopes_follow_from_smoothed_states((parameters, counts, cut) in scenes(), state in 0..3_usize) {
        // Fisher's identity: ∂L/∂b_k = Σₜ γₜₖ (yₜ − μₜₖ) for Poisson counts.
        let (design, counts) = (design(&[cut, 30 - cut]), column(counts));
        let fitted = model().with_parameters(parameters.clone()).unwrap();
        let smoothed = fitted.on(&design, &counts).unwrap().smoothed_array().unwrap();
        let of = parameters.state(state);
        let slope: f64 = counts.to_vec().iter().enumerate().filter(|(_, count)| !count.is_nan()).map(|(row, count)| {
            let rate = (of.intercept[0] + of.coef[(0, 0)] * crate::helpers::feature(row)).exp();
            smoothed[(row, state)] * (count - rate)
        }).sum();
        let shifted = |by: f64| {
            let states: Vec<_> = (0..3).map(|k| {
                let mut glm = parameters.state(k);
                glm.intercept[0] += if k == state { by } else { 0.0 };
                glm
            }).collect();
            let moved = HmmParameters::new(parameters.initial().to_vec(), parameters.transitions().clone(), &states).unwrap();
            log_likelihood(&moved, &design, &counts)
        };
        let difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
        prop_assert!((slope - difference).abs() <= 1e-6 * slope.abs().max(1.0), "{} {}", slope, difference);
    }

    #[test]
    fn missing_rows_are_steps_of_the_chain((parameters, counts, _) in scenes(), gap in 1..6_usize) {
        // Rows without counts act as powers of A: the same as one step that is such a power.
        let first = [&counts[..12], &vec![f64::NAN; gap], &counts[12..20]].concat();
        let power = (0..gap).fold(ndarray::Array2::eye(3), |power: ndarray::Array2<f64>, _| {
            power.dot(&parameters.transitions().matrix(&[]).unwrap())
        });
        let fitted = model().with_parameters(parameters.clone()).unwrap();
        let design = design(&[20 + gap]);
        let whole = column(first.clone());
        let seen = fitted.on(&design, &whole).unwrap();
        let (filtered, predicted) = (seen.filtered_array().unwrap(), seen.predicted_array().unwrap());
        let step = parameters.transitions().matrix(&[]).unwrap();
        let ahead = filtered.row(11).dot(&power).dot(&step);
        for state in 0..3 {
            prop_assert!((ahead[state] - predicted[(12 + gap, state)]).abs() < 1e-12);
        }
        prop_assert!(seen.log_predictive().unwrap()[12..12 + gap].iter().all(|evidence| evidence.abs() < 1e-12));
        // A row of the design that is missing is one whose counts are.
        let mut features: Vec<f64> = (0..20 + gap).map(crate::helpers::feature).collect();
        features[12..12 + gap].fill(f64::NAN);
        let counts: Vec<f64> = first.iter().enumerate().map(|(row, count)| if (12..12 + gap).contains(&row) { 3.0 } else { *count }).collect();
        let by_design = fitted.on(&Design::from(column(features)), &column(counts)).unwrap().log_likelihood().unwrap();
        prop_assert!((by_design - seen.log_likelihood().unwrap()).abs() < 1e-12 * by_design.abs());
    }

    #[test]
    fn a_missing_count_of_one_neuron_is_a_factor_of_one(
        (parameters, counts, cut) in scenes(),
        of_other in prop::collection::vec(prop_oneof![3 => 0.0..4.0_f64, 1 => Just(f64::NAN)], 30),
    ) {
        // Log-emissions of two neurons are the sums of those of each, what is missing being zero; whatever else the chain is.
        let other: Vec<f64> = of_other.into_iter().map(f64::floor).collect();
        let both = counts.iter().zip(&other).flat_map(|(a, b)| [*a, *b]).collect();
        let both = Matrix::<Cpu>::from_vec(both, [30, 2]).unwrap();
        let states: Vec<_> = (0..3).map(|k| {
            let one = parameters.state(k);
            StateGlm {
                coef: ndarray::array![[one.coef[(0, 0)], -0.3]],
                intercept: vec![one.intercept[0], 0.2 * k as f64],
                scale: vec![1.0; 2],
            }
        }).collect();
        let build = |states: &[StateGlm]| {
            HmmParameters::new(parameters.initial().to_vec(), parameters.transitions().clone(), states).unwrap()
        };
        let joint = model().with_parameters(build(&states)).unwrap();
        let second: Vec<_> = states.iter().map(|state| StateGlm {
            coef: state.coef.slice(ndarray::s![.., 1..]).to_owned(),
            intercept: state.intercept[1..].to_vec(),
            scale: vec![1.0],
        }).collect();
        let (first, second) = (model().with_parameters(parameters.clone()).unwrap(), model().with_parameters(build(&second)).unwrap());
        let design = design(&[cut, 30 - cut]);
        let (counts, other) = (column(counts), column(other));
        let seen = joint.on(&design, &both).unwrap();
        let sum = first.on(&design, &counts).unwrap().log_emissions().to_owned() + second.on(&design, &other).unwrap().log_emissions();
        let away = (&sum - &seen.log_emissions()).iter().fold(0.0_f64, |away, difference| away.max(difference.abs()));
        prop_assert!(away < 1e-12, "{}", away);
    }

    #[test]
    fn doubled_sessions_double_the_log_likelihood((parameters, counts, cut) in scenes()) {
        let lengths = [cut, 30 - cut];
        let once = log_likelihood(&parameters, &design(&lengths), &column(counts.clone()));
        let features = design(&lengths).to_matrix().unwrap();
        let doubled = Design::from(Matrix::stack(vec![features.clone(), features]).unwrap());
        let doubled = doubled.with_segments(Segments::from_lengths([lengths, lengths].concat())).unwrap();
        let twice = log_likelihood(&parameters, &doubled, &column([counts.clone(), counts].concat()));
        prop_assert!((twice - 2.0 * once).abs() <= 1e-12 * twice.abs().max(1.0));
    }

    #[test]
    fn a_fit_ends_the_same_whatever_the_order_of_its_start((parameters, counts, cut) in scenes(), order in Just(vec![0, 1, 2]).prop_shuffle()) {
        let (design, counts) = (design(&[cut, 30 - cut]), column(counts));
        let of = |start: HmmParameters| {
            model().prior_sd(0.5).transition_concentration(1.5).start_from(start).max_iterations(15).fit(&design, &counts).unwrap()
        };
        let (a, b) = (of(parameters.clone()), of(parameters.permuted(&order).unwrap()));
        prop_assert!((a.objective() - b.objective()).abs() <= 1e-8 * a.objective().abs(), "{} {}", a, b);
        let permuted = a.permuted(&order).unwrap();
        for state in 0..3 {
            let (a, b) = (permuted.parameters().state(state), b.parameters().state(state));
            prop_assert!((a.intercept[0] - b.intercept[0]).abs() < 1e-5, "{:?} {:?}", a, b);
        }
    }

    #[test]
    fn one_state_is_its_generalized_linear_model(
        choices in prop::collection::vec(0..2_u8, 40),
        missing in 0..40_usize,
        sd in 0.3..3.0_f64,
    ) {
        let mut choices: Vec<f64> = choices.into_iter().map(f64::from).collect();
        // Both occur, and one is missing.
        (choices[(missing + 1) % 40], choices[(missing + 2) % 40], choices[missing]) = (0.0, 1.0, f64::NAN);
        let (design, choices) = (design(&[15, 25]), column(choices));
        let hidden = ChoiceHmm::new(1, Bernoulli).prior_sd(sd).tolerance(1e-14).fit(&design, &choices).unwrap();
        let ridge = Regularizer::Ridge((1.0 / (sd * sd * 39.0)).into());
        let glm = Glm::new(Bernoulli).regularizer(ridge).stopping(Stopping::new().tolerance(1e-16)).fit(&design, &choices).unwrap();
        let state = hidden.parameters().state(0);
        prop_assert!((state.coef[(0, 0)] - glm.coef()[0]).abs() < 1e-7 && (state.intercept[0] - glm.intercept()).abs() < 1e-7);
    }
}

#[test]
fn neurons_add_up() {
    let (a, b) = (vec![0.0, 2.0, 5.0, 1.0], vec![1.0, f64::NAN, 0.0, 3.0]);
    let both = Matrix::<Cpu>::from_vec(a.iter().zip(&b).flat_map(|(a, b)| [*a, *b]).collect(), [4, 2]).unwrap();
    let one = |of: &[(f64, f64, f64)]| GlmHmm::new(2, Poisson).with_parameters(parameters(0.8, of)).unwrap();
    let (first, second) = ([(0.3, 0.1, 1.0), (-0.2, 1.0, 1.0)], [(0.5, -1.0, 1.0), (0.1, 0.4, 1.0)]);
    let states: Vec<_> = (0..2)
        .map(|k| nemos_hmm::StateGlm {
            coef: ndarray::array![[first[k].0, second[k].0]],
            intercept: vec![first[k].1, second[k].1],
            scale: vec![1.0; 2],
        })
        .collect();
    let joint = HmmParameters::new(vec![0.5; 2], Transitions::staying(2, 0.8).unwrap(), &states).unwrap();
    let joint = GlmHmm::new(2, Poisson).with_parameters(joint).unwrap();
    let design = design(&[4]);
    let sum = one(&first).on(&design, &column(a)).unwrap().log_emissions().to_owned()
        + one(&second).on(&design, &column(b)).unwrap().log_emissions();
    let joint = joint.on(&design, &both).unwrap().log_emissions().to_owned();
    assert!((sum - joint).iter().all(|difference| difference.abs() < 1e-13));
}

#[test]
fn doubled_sessions_double_the_likelihood_and_leave_the_maximum() {
    let truth = GlmHmm::new(2, Poisson)
        .with_parameters(parameters(0.9, &[(0.5, -1.0, 1.0), (-0.5, 1.5, 1.0)]))
        .unwrap();
    let (_, counts) = drawn(&truth, &[60, 40], 3);
    let start = parameters(0.8, &[(0.1, -0.5, 1.0), (-0.1, 1.0, 1.0)]);
    let model = GlmHmm::new(2, Poisson).start_from(start).tolerance(1e-12);
    let once = model.fit(&design(&[60, 40]), &counts).unwrap();
    let features = design(&[60, 40]).to_matrix().unwrap();
    let doubled = Design::from(Matrix::stack(vec![features.clone(), features]).unwrap());
    let doubled = doubled.with_segments(Segments::from_lengths([60, 40, 60, 40])).unwrap();
    let twice = model.fit(&doubled, &Matrix::stack(vec![counts.clone(), counts]).unwrap()).unwrap();
    assert!((twice.log_likelihood() - 2.0 * once.log_likelihood()).abs() < 1e-7);
    for state in 0..2 {
        let (a, b) = (once.parameters().state(state), twice.parameters().state(state));
        assert!((a.coef[(0, 0)] - b.coef[(0, 0)]).abs() < 1e-4 && (a.intercept[0] - b.intercept[0]).abs() < 1e-4);
    }
}

#[test]
fn one_state_is_the_generalized_linear_model() {
    let truth = GlmHmm::new(1, Bernoulli)
        .with_parameters(parameters(1.0, &[(2.0, -0.3, 1.0)]))
        .unwrap();
    let (_, counts) = drawn(&truth, &[120, 80], 5);
    let design = design(&[120, 80]);
    let hidden = ChoiceHmm::new(1, Bernoulli)
        .prior_sd(0.7)
        .tolerance(1e-13)
        .fit(&design, &counts)
        .unwrap();
    // A prior of sd σ on the total is a ridge of 1/(σ² n) on the mean.
    let ridge = Regularizer::Ridge((1.0 / (0.49 * 200.0)).into());
    let glm = Glm::new(Bernoulli).regularizer(ridge).stopping(Stopping::new().tolerance(1e-16));
    let glm = glm.fit(&design, &counts).unwrap();
    let state = hidden.parameters().state(0);
    assert!((state.coef[(0, 0)] - glm.coef()[0]).abs() < 1e-8 && (state.intercept[0] - glm.intercept()).abs() < 1e-8);
    let score = 200.0 * glm.score(&design, &counts, Score::LogLikelihood).unwrap();
    assert!(
        (hidden.log_likelihood() - score).abs() < 1e-8,
        "{} {score}",
        hidden.log_likelihood()
    );
    assert_eq!(hidden.occupancy(), [1.0]);
}
