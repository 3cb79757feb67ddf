//! What is wrong with an input is said, with what would be right.

use ndarray::{Array3, array};
use nemos_core::{Cpu, Matrix};
use nemos_glm::{Bernoulli, Gamma, Poisson};
use nemos_hmm::{Drive, Error, GlmHmm, HmmParameters, StateGlm, Transitions, states_curve};

use crate::helpers::{PoissonHmm, column, design, parameters, states};

fn message<T>(result: Result<T, Error>, parts: &[&str]) {
    let error = result.err().expect("an error").to_string();
    for part in parts {
        assert!(error.contains(part), "{error:?} has no {part:?}");
    }
}

fn two() -> HmmParameters {
    parameters(0.9, &[(0.1, 0.0, 1.0), (0.1, 1.0, 1.0)])
}

fn counts() -> Matrix<Cpu> {
    column((0..20).map(|row| f64::from(row % 5)).collect())
}

#[test]
fn options_out_of_range() {
    let (design, counts) = (design(&[20]), counts());
    let fit = |model: PoissonHmm| model.fit(&design, &counts);
    message(fit(GlmHmm::new(0, Poisson)), &["no states"]);
    message(fit(GlmHmm::new(2, Poisson).prior_sd(0.0)), &["prior_sd is 0", "above zero"]);
    message(fit(GlmHmm::new(2, Poisson).restarts(0)), &["restarts is 0"]);
    message(fit(GlmHmm::new(2, Poisson).tolerance(f64::NAN)), &["tolerance is NaN"]);
    message(fit(GlmHmm::new(2, Poisson).stickiness(-1.0)), &["stickiness is -1"]);
    message(
        fit(GlmHmm::new(2, Poisson).transition_concentration(0.5)),
        &["transition_concentration holds 0.5", "1 or more"],
    );
    message(
        fit(GlmHmm::new(2, Poisson).initial_concentration(vec![1.0, 2.0, 3.0])),
        &["initial_concentration has shape [3]", "[2]"],
    );
    message(fit(GlmHmm::new(2, Poisson).share_columns([4])), &["4"]);
    message(fit(GlmHmm::new(2, Poisson).share(["stimulus"])), &["names"]);
    message(fit(GlmHmm::new(3, Poisson).start_from(two())), &["the start has shape [2]", "[3]"]);
    message(states_curve(&GlmHmm::new(1, Poisson), &[1], &design, &counts, 2), &["folds", "2"]);
    // Driven transitions have a prior of their own.
    let driven = || GlmHmm::new(2, Poisson).driven(Drive::Shared, 1.0);
    let drive = column((0..20).map(f64::from).collect());
    for model in [driven().stickiness(2.0), driven().transition_concentration(3.0)] {
        message(
            model.max_iterations(2).fit_driven(&design, &counts, &drive),
            &["stickiness, is 3", "Gaussian prior", "`driven`"],
        );
    }
    message(GlmHmm::of_classes(2, 1).fit(&design, &counts), &["number of classes"]);
}

#[test]
fn zeros_under_a_prior() {
    let chain = Transitions::fixed(&array![[0.9, 0.1], [0.0, 1.0]]).unwrap();
    let start = HmmParameters::new(vec![1.0, 0.0], chain, &states(&[(0.0, 0.0, 1.0), (0.0, 1.0, 1.0)])).unwrap();
    let model = GlmHmm::new(2, Poisson).start_from(start);
    message(
        model.clone().transition_concentration(2.0).fit(&design(&[20]), &counts()),
        &["the transition starts at 0 in place [1, 0]", "concentration of 2"],
    );
    message(
        model.clone().initial_concentration(2.0).fit(&design(&[20]), &counts()),
        &["initial probability starts at 0 in place [1]"],
    );
    // Without a prior zeros stay zeros, also beside a sticky part.
    let fitted = model.stickiness(2.0).fit(&design(&[20]), &counts()).unwrap();
    assert_eq!(fitted.parameters().transitions().matrix(&[]).unwrap()[(1, 0)], 0.0);
    assert_eq!(fitted.parameters().initial(), [1.0, 0.0]);
}

#[test]
fn data_that_do_not_fit() {
    let model = GlmHmm::new(2, Poisson);
    let ones = design(&[20]);
    message(model.fit(&ones, &column(vec![1.0; 19])), &["20", "19"]);
    let of_design = |counts: Matrix<Cpu>| nemos_core::Design::from(counts);
    let weighted = of_design(counts()).with_weights(column(vec![2.0; 20])).unwrap();
    message(model.fit(&ones, &weighted), &["the counts have weights", "left out"]);
    let beside = of_design(counts()).with_offset(column(vec![0.1; 20])).unwrap();
    message(model.fit(&ones, &beside), &["the counts have an offset", "belongs to the design"]);
    message(model.fit(&ones, &column(vec![f64::NAN; 20])), &["neuron 0", "missing"]);
    message(model.fit(&ones, &column(vec![-1.0; 20])), &["-1", "row 0"]);
    message(model.fit(&Matrix::<Cpu>::zeros([0, 1]), &Matrix::zeros([0, 1])), &["0"]);
    let weighted = design(&[20]).with_weights(column(vec![1.0; 20])).unwrap();
    message(model.fit(&weighted, &counts()), &["weights of its rows", "NaN"]);
    let mut infinite = vec![0.0; 20];
    infinite[3] = f64::INFINITY;
    message(model.fit(&column(infinite), &counts()), &["row 3"]);
    let gamma = GlmHmm::new(2, Gamma);
    message(gamma.fit(&ones, &column(vec![0.0; 20])), &["more than zero"]);
    let fitted = model.with_parameters(two()).unwrap();
    let wide = Matrix::<Cpu>::zeros([20, 3]);
    message(
        fitted.on(&wide, &counts()).map(|_| ()),
        &["parameters has shape [1, 1, 1]", "[3, 1, 1]"],
    );
    message(fitted.held_out(&ones, &counts(), &[4]), &["no session 4", "have 1"]);
}

#[test]
fn what_drives_transitions() {
    let (ones, counts, drive) = (design(&[10, 10]), counts(), column((0..20).map(f64::from).collect()));
    let plain = GlmHmm::new(2, Poisson);
    let driven = plain.clone().driven(Drive::PerState, 1.0);
    message(driven.fit(&ones, &counts), &["driven by covariates", "`_driven`"]);
    message(
        plain.fit_driven(&ones, &counts, &drive),
        &["the same at every row", "GlmHmm::driven"],
    );
    let mut missing: Vec<f64> = (0..20).map(f64::from).collect();
    missing[10] = f64::NAN;
    assert!(
        driven
            .clone()
            .max_iterations(2)
            .fit_driven(&ones, &counts, &column(missing.clone()))
            .is_ok()
    );
    missing[7] = f64::NAN;
    message(
        driven.fit_driven(&ones, &counts, &column(missing)),
        &["NaN in row 7, column 0", "first row of a session"],
    );
    message(driven.with_parameters(two()), &["GlmHmm::driven"]);
    message(states_curve(&driven, &[1], &design(&[10, 10]), &counts, 2), &["`_driven`"]);
    let weights = Array3::zeros((2, 2, 2));
    message(
        Transitions::driven(Drive::Shared, &array![[0.0, 0.0], [0.0, 0.0]], &weights),
        &["[2, 2, 2]", "[1, 2, 2]"],
    );
}

#[test]
fn numbers_that_are_no_parameters() {
    message(
        Transitions::fixed(&array![[0.9, 0.2], [0.0, 1.0]]),
        &["row 0 of transitions", "1.1"],
    );
    message(Transitions::fixed(&array![[0.9, 0.1]]), &["[1, 2]", "[1, 1]"]);
    message(Transitions::staying(0, 0.5), &["no states"]);
    message(Transitions::staying(2, f64::NAN), &["not a probability distribution"]);
    let chain = || Transitions::staying(2, 0.9).unwrap();
    message(
        HmmParameters::new(vec![0.5; 3], chain(), &states(&[(0.0, 0.0, 1.0); 2])),
        &["[3]", "[2]"],
    );
    message(
        HmmParameters::new(vec![0.7, 0.7], chain(), &states(&[(0.0, 0.0, 1.0); 2])),
        &["initial probabilities", "1.4"],
    );
    message(
        HmmParameters::new(vec![0.5; 2], chain(), &states(&[(0.0, 0.0, -1.0); 2])),
        &["a scale is -1"],
    );
    message(
        HmmParameters::new(vec![0.5; 2], chain(), &states(&[(f64::NAN, 0.0, 1.0); 2])),
        &["NaN", "finite"],
    );
    message(HmmParameters::new(vec![], chain(), &[]), &["no states"]);
    let nothing = ndarray::Array2::zeros((0, 0));
    message(Transitions::fixed(&nothing), &["no states"]);
    message(
        Transitions::driven(Drive::Shared, &nothing, &Array3::zeros((1, 0, 2))),
        &["no states"],
    );
    // The lengths are those that were given.
    let of = |columns: usize, n_scales: usize| {
        let state = StateGlm {
            coef: ndarray::Array2::zeros((1, columns)),
            intercept: vec![0.0; columns],
            scale: vec![1.0; n_scales],
        };
        HmmParameters::new(vec![0.5; 2], chain(), &[state.clone(), state])
    };
    message(of(1, 0), &["scales of a state has shape [0], but [1]"]);
    message(of(3, 2), &["scales of a state has shape [2], but [3]"]);
    message(of(0, 0), &["coefficients of a state has shape [1, 0], but [1, 1]"]);
    message(two().permuted(&[0, 0]), &["[0, 0] is no order of 2 states"]);
}

#[test]
fn rows_that_no_state_explains_are_named_with_their_neuron() {
    // A choice that has no probability in any state that can be reached: a predictor beyond all numbers.
    let state = |intercept: f64| (0.0, intercept, 1.0);
    let fitted = GlmHmm::new(2, Bernoulli)
        .with_parameters(parameters(0.9, &[state(-1e300), state(-1e308)]))
        .unwrap();
    let seen = column(vec![0.0, 1.0, 0.0]);
    let design = Matrix::<Cpu>::zeros([3, 1]);
    let ends = fitted.on(&design, &seen).unwrap().log_likelihood();
    // Even so the logarithms are numbers.
    assert!(ends.is_ok_and(|value| value < -1e299));
    let silent = GlmHmm::new(2, Poisson)
        .with_parameters(parameters(0.9, &[state(1000.0), state(1001.0)]))
        .unwrap();
    message(silent.on(&design, &seen).unwrap().log_likelihood(), &["row", "neuron 0", "NaN"]);
}

#[test]
fn what_a_file_says_is_checked() {
    let whole = serde_json::to_string(&two()).unwrap();
    assert_eq!(serde_json::from_str::<HmmParameters>(&whole).unwrap(), two());
    let refused = |from: &str, to: &str, why: &str| {
        let changed = whole.replacen(from, to, 1);
        assert_ne!(changed, whole, "{whole}");
        let error = serde_json::from_str::<HmmParameters>(&changed).unwrap_err().to_string();
        assert!(error.contains(why), "{error:?} has no {why:?}");
    };
    refused("\"initial\":[0.5,0.5]", "\"initial\":[]", "no states");
    refused("\"initial\":[0.5,0.5]", "\"initial\":[0.5,0.7]", "1.2");
    refused("\"initial\":[0.5,0.5]", "\"initial\":[0.5,0.25,0.25]", "transitions has shape [2]");
    refused("\"scales\":[1.0,1.0]", "\"scales\":[1.0,-1.0]", "a scale is -1");
    refused("\"scales\":[1.0,1.0]", "\"scales\":[1.0,1.0,1.0]", "scales has shape [3], but [4]");
    refused("\"n_predictors\":1", "\"n_predictors\":0", "predictors of a neuron has shape [0]");
    refused(
        "\"n_predictors\":1",
        "\"n_predictors\":3",
        "parameters of a model has shape [2], but [3]",
    );
    refused(
        "\"weights\":[]",
        "\"weights\":[1.0]",
        "weights of transitions has shape [1], but [0]",
    );
}
