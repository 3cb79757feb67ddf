//! Fitted models in words.

use ndarray::Array2;
use nemos_core::{Cpu, Design, Matrix, Names, Segments};
use nemos_glm::Poisson;
use nemos_hmm::{Drive, GlmHmm, HmmParameters, StateGlm, Transitions};

use crate::helpers::{column, design, drawn, parameters};

#[test]
fn a_fit_prints_its_coefficients_and_transitions() {
    let counts = column((0..100).map(|row| f64::from(row / 10 % 2 * 5 + row % 3)).collect());
    let sessions = design(&[50, 50]).with_names(Names::new(["contrast"])).unwrap();
    let fitted = GlmHmm::new(2, Poisson).restarts(8).fit(&sessions, &counts).unwrap();
    let text = "2 states, 1 neuron, 1 feature: converged after 8 iterations, log-likelihood -183.393\n\
                8 of 8 starts agree\n\
                \x20             state 0     state 1\n\
                contrast       0.0118      0.1861\n\
                intercept      1.7750     -0.0168\n\
                \x20         occupancy       dwell        to 0        to 1\n\
                state 0      0.5093      12.362      0.9191      0.0809\n\
                state 1      0.4907      11.896      0.0841      0.9159\n";
    assert_eq!(fitted.to_string(), text);
    // A quarter of many starts goes on to the end, unless all are there soon.
    let truth = GlmHmm::new(2, Poisson)
        .with_parameters(parameters(0.9, &[(0.5, 0.8, 1.0), (-0.4, -0.5, 1.0)]))
        .unwrap();
    let (_, counts) = drawn(&truth, &[200, 200], 1);
    let text = GlmHmm::new(2, Poisson)
        .restarts(8)
        .tolerance(1e-13)
        .fit(&design(&[200, 200]), &counts)
        .unwrap()
        .to_string();
    assert!(text.contains("starts followed to the end agree, 8 begun"), "{text}");
}

#[test]
fn parameters_that_were_given_say_nothing_of_a_fit() {
    let model = GlmHmm::new(1, Poisson)
        .with_parameters(parameters(1.0, &[(0.5, -1.0, 1.0)]))
        .unwrap();
    let text = "1 state, 1 neuron, 1 feature: parameters were given, not fitted\n\
                \x20             state 0\n\
                0              0.5000\n\
                intercept     -1.0000\n\
                \x20             dwell        to 0\n\
                state 0         inf      1.0000\n";
    assert_eq!(model.to_string(), text);
}

#[test]
fn a_large_model_fits_on_a_screen() {
    let (n_states, n_neurons, n_features) = (20, 30, 50);
    let state = StateGlm {
        coef: Array2::zeros((n_features, n_neurons)),
        intercept: vec![0.0; n_neurons],
        scale: vec![2.0; n_neurons],
    };
    let even = Array2::from_elem((n_states, n_states), 0.05_f64.ln());
    let chain = Transitions::driven(Drive::Shared, &even, &ndarray::Array3::zeros((1, n_states, 3))).unwrap();
    let given = HmmParameters::new(vec![0.05; n_states], chain, &vec![state; n_states]).unwrap();
    let model = GlmHmm::new(n_states, Poisson).driven(Drive::Shared, 1.0);
    let text = model.with_parameters(given).unwrap().to_string();
    assert!(text.lines().count() <= 32, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
    assert!(text.contains("… 40 more\nintercept") && text.contains("scale"), "{text}");
    assert!(text.contains("3 covariates") && text.ends_with("… 8 more\n"), "{text}");
}

#[test]
fn a_block_without_names_of_columns_counts_them_and_neurons_stand_with_their_states() {
    let names = Names::none().with_block("history", 2, []).unwrap();
    let values = (0..120).map(|place| f64::from(place % 7)).collect();
    let design = Design::from(Matrix::<Cpu>::from_vec(values, [60, 2]).unwrap());
    let design = design
        .with_segments(Segments::from_lengths([30, 30]))
        .unwrap()
        .with_names(names)
        .unwrap();
    let counts = (0..120).map(|place| f64::from(place / 20 % 2 * 4 + place % 3)).collect();
    let counts = Design::from(Matrix::<Cpu>::from_vec(counts, [60, 2]).unwrap())
        .with_names(Names::new(["a", "b"]))
        .unwrap();
    let text = GlmHmm::new(2, Poisson).max_iterations(1).fit(&design, &counts).unwrap().to_string();
    assert!(text.contains("after 1 iteration,") && text.contains("\none start\n"), "{text}");
    assert!(text.contains("a: state 0  a: state 1  b: state 0  b: state 1"), "{text}");
    assert!(text.contains("\nhistory[1]  "), "{text}");
}
