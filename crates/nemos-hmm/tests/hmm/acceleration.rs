//! Steps that are taken further: the same maximum, sooner.

use nemos_glm::{Bernoulli, Exp, Gamma, Poisson};
use nemos_hmm::{Acceleration, Drive, FittedGlmHmm, GlmHmm, HmmParameters, StateModel};

use crate::helpers::{ChoiceHmm, assert_rises, column, design, drawn, parameters};

const LENGTHS: [usize; 3] = [200, 150, 250];

/// Fits with and without, to the very end.
fn both<S: StateModel>(model: &GlmHmm<S>, fit: impl Fn(&GlmHmm<S>) -> FittedGlmHmm<S>) -> [FittedGlmHmm<S>; 2] {
    let model = model.clone().tolerance(1e-13).max_iterations(20_000);
    let fits = [Acceleration::None, Acceleration::Squarem].map(|acceleration| fit(&model.clone().acceleration(acceleration)));
    for fitted in &fits {
        assert_rises(fitted.history());
        assert!(fitted.is_converged(), "{fitted}");
    }
    let [plain, fast] = &fits;
    assert!((plain.objective() - fast.objective()).abs() < 1e-7, "{plain} {fast}");
    fits
}

fn assert_same(a: &HmmParameters, b: &HmmParameters) {
    for state in 0..a.n_states() {
        let (a, b) = (a.state(state), b.state(state));
        assert!((a.coef[(0, 0)] - b.coef[(0, 0)]).abs() < 1e-3, "{a:?} {b:?}");
        assert!((a.intercept[0] - b.intercept[0]).abs() < 1e-3, "{a:?} {b:?}");
    }
}

#[test]
fn the_same_maximum_is_reached_in_fewer_iterations() {
    // States that differ little, and change often, are told apart slowly.
    let of = parameters(0.6, &[(0.3, 0.0, 1.0), (-0.1, 1.2, 1.0)]);
    let (_, counts) = drawn(&GlmHmm::new(2, Poisson).with_parameters(of.clone()).unwrap(), &LENGTHS, 5);
    let design = design(&LENGTHS);
    let [plain, fast] = both(&GlmHmm::new(2, Poisson).start_from(of), |model| {
        model.fit(&design, &counts).unwrap()
    });
    assert_same(plain.parameters(), fast.parameters());
    assert!(
        4 * fast.iterations() < plain.iterations(),
        "{} {}",
        fast.iterations(),
        plain.iterations()
    );
}

#[test]
fn choices_under_priors_and_scales_and_driven_transitions_end_where_they_would() {
    let design = design(&LENGTHS);
    let of = parameters(0.9, &[(1.5, 0.4, 1.0), (-0.5, -0.6, 1.0)]);
    let model = ChoiceHmm::new(2, Bernoulli)
        .prior_sd(1.0)
        .transition_concentration(2.0)
        .initial_concentration(1.5);
    let (_, counts) = drawn(&model.with_parameters(of.clone()).unwrap(), &LENGTHS, 5);
    let [plain, fast] = both(&model.start_from(of), |model| model.fit(&design, &counts).unwrap());
    assert_same(plain.parameters(), fast.parameters());
    assert!(fast.iterations() < plain.iterations());

    let of = parameters(0.9, &[(0.4, 0.4, 0.5), (-0.5, 1.4, 0.3)]);
    let model = GlmHmm::new(2, Gamma).link(Exp);
    let (_, counts) = drawn(&model.with_parameters(of.clone()).unwrap(), &LENGTHS, 5);
    let [plain, fast] = both(&model.start_from(of.clone()), |model| model.fit(&design, &counts).unwrap());
    assert_same(plain.parameters(), fast.parameters());
    assert!(fast.iterations() < plain.iterations());

    let (cue, counts) = (column((0..600).map(|row| f64::from(row % 7) / 3.0 - 1.0).collect()), counts);
    let model = GlmHmm::new(2, Gamma).link(Exp).driven(Drive::PerState, 1.0).start_from(driven(&of));
    let [plain, fast] = both(&model, |model| model.fit_driven(&design, &counts, &cue).unwrap());
    assert_same(plain.parameters(), fast.parameters());
    assert!(fast.iterations() < plain.iterations());
}

fn driven(of: &HmmParameters) -> HmmParameters {
    let transitions = nemos_hmm::Transitions::driven(Drive::PerState, &of.transitions().baseline(), &ndarray::Array3::zeros((2, 2, 1)));
    HmmParameters::new(of.initial().to_vec(), transitions.unwrap(), &[of.state(0), of.state(1)]).unwrap()
}

#[test]
fn zeros_stay_zeros_however_far_parameters_are_taken() {
    let of = parameters(0.95, &[(0.3, 0.0, 1.0), (-0.3, 0.6, 1.0), (0.1, 1.2, 1.0)]);
    let steps = ndarray::array![[0.95, 0.05, 0.0], [0.0, 0.95, 0.05], [0.05, 0.0, 0.95]];
    let ring = nemos_hmm::Transitions::fixed(&steps).unwrap();
    let of = HmmParameters::new(vec![1.0, 0.0, 0.0], ring, &[of.state(0), of.state(1), of.state(2)]).unwrap();
    let (_, counts) = drawn(&GlmHmm::new(3, Poisson).with_parameters(of.clone()).unwrap(), &LENGTHS, 2);
    let fitted = GlmHmm::new(3, Poisson).start_from(of).fit(&design(&LENGTHS), &counts).unwrap();
    assert_rises(fitted.history());
    let steps = fitted.parameters().transitions().matrix(&[]).unwrap();
    assert_eq!([steps[(0, 2)], steps[(1, 0)], steps[(2, 1)]], [0.0; 3]);
    assert_eq!(fitted.parameters().initial(), [1.0, 0.0, 0.0]);
}
