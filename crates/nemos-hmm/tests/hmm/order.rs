//! States in another order take what is said of each with them.

use nemos_core::{Cpu, Design, Matrix};
use nemos_glm::{Bernoulli, Poisson};
use nemos_hmm::{FittedGlmHmm, GlmHmm, HmmParameters, StateModel};

use crate::helpers::{design, drawn, parameters};

const LENGTHS: [usize; 2] = [300, 300];

type Seen = (Design<'static, Cpu>, Matrix<Cpu>);

/// The rare state is the first: fits put it last.
fn rare_first() -> HmmParameters {
    let of = parameters(0.95, &[(3.0, 0.0, 1.0), (-2.0, 0.0, 1.0)]);
    let steps = nemos_hmm::Transitions::fixed(&ndarray::array![[0.9, 0.1], [0.03, 0.97]]).unwrap();
    HmmParameters::new(vec![0.5; 2], steps, &[of.state(0), of.state(1)]).unwrap()
}

fn assert_same_errors<S: StateModel>(a: &FittedGlmHmm<S>, b: &FittedGlmHmm<S>, (x, y): &Seen, order: [usize; 2]) {
    let (a, b) = (a.standard_errors(x, y).unwrap(), b.standard_errors(x, y).unwrap());
    for (new, old) in order.into_iter().enumerate() {
        let (found, right) = (a.state(new).coef[(0, 0)], b.state(old).coef[(0, 0)]);
        assert!((found - right).abs() < 1e-3 * right, "{found} {right}");
        let (found, right) = (a.transitions()[(new, new)], b.transitions()[(old, old)]);
        assert!((found - right).abs() < 1e-3 * right, "{found} {right}");
    }
}

#[test]
fn a_prior_mean_goes_with_its_states() {
    let pooled = rare_first();
    let truth = GlmHmm::new(2, Bernoulli).with_parameters(pooled.clone()).unwrap();
    let seen = (design(&LENGTHS), drawn(&truth, &LENGTHS, 3).1);
    let model = GlmHmm::new(2, Bernoulli).prior_mean(pooled.clone()).prior_sd(0.3).tolerance(1e-12);
    let free = model.clone().restarts(2).fit(&seen.0, &seen.1).unwrap();
    assert!(free.parameters().state(0).coef[(0, 0)] < 0.0, "{free}");
    let given = model.start_from(pooled.clone()).fit(&seen.0, &seen.1).unwrap();
    assert!((free.objective() - given.objective()).abs() < 1e-4, "{free}\n{given}");
    assert_same_errors(&free, &given, &seen, [1, 0]);
    assert_same_errors(&given.permuted(&[1, 0]).unwrap(), &given, &seen, [1, 0]);
    // What a fit says of itself can be fitted again, from where it ended.
    let again = free.specification().clone().restarts(1).start_from(free.parameters().clone());
    let again = again.fit(&seen.0, &seen.1).unwrap();
    let (found, right) = (again.parameters().state(0).coef[(0, 0)], free.parameters().state(0).coef[(0, 0)]);
    assert!((found - right).abs() < 1e-3, "{found} {right}");
    assert_eq!(free.specification().options().prior_mean, Some(pooled.permuted(&[1, 0]).unwrap()));
}

#[test]
fn concentrations_go_with_their_states() {
    let of = parameters(0.9, &[(0.5, 1.6, 1.0), (-0.4, -0.8, 1.0)]);
    let truth = GlmHmm::new(2, Poisson).with_parameters(of.clone()).unwrap();
    let seen = (design(&LENGTHS), drawn(&truth, &LENGTHS, 4).1);
    let model = GlmHmm::new(2, Poisson)
        .transition_concentration(vec![1.0, 2.0, 1.0, 9.0])
        .initial_concentration(vec![1.0, 3.0])
        .tolerance(1e-12)
        .start_from(of);
    let fitted = model.fit(&seen.0, &seen.1).unwrap();
    let turned = fitted.permuted(&[1, 0]).unwrap();
    assert_same_errors(&turned, &fitted, &seen, [1, 0]);
    let options = turned.specification().options();
    assert_eq!(options.transition_concentration, vec![9.0, 1.0, 2.0, 1.0].into());
    assert_eq!(options.initial_concentration, vec![3.0, 1.0].into());
    assert_eq!(turned.permuted(&[1, 0]).unwrap(), fitted);
}

#[test]
fn what_is_shared_leans_on_the_first_state_of_the_mean_in_any_order() {
    let of = parameters(0.9, &[(0.5, 1.6, 1.0), (-0.4, -0.8, 1.0)]);
    let truth = GlmHmm::new(2, Poisson).with_parameters(of.clone()).unwrap();
    let seen = (design(&LENGTHS), drawn(&truth, &LENGTHS, 4).1);
    let model = GlmHmm::new(2, Poisson).share_columns([0]).prior_mean(of.clone()).prior_sd(0.05);
    let fitted = model.tolerance(1e-12).start_from(of).fit(&seen.0, &seen.1).unwrap();
    assert_same_errors(&fitted.permuted(&[1, 0]).unwrap(), &fitted, &seen, [1, 0]);
}

#[test]
fn priors_that_do_not_fit_are_left_alone() {
    let model = GlmHmm::new(2, Poisson)
        .transition_concentration(vec![1.0; 9])
        .prior_mean(parameters(0.9, &[(0.1, 0.2, 1.0)]));
    let given = model
        .with_parameters(parameters(0.9, &[(0.5, 1.6, 1.0), (-0.4, -0.8, 1.0)]))
        .unwrap();
    let turned = given.permuted(&[1, 0]).unwrap();
    assert_eq!(turned.specification(), given.specification());
}
