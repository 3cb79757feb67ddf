//! Gradients and curvatures against central finite differences, for every objective, on slices and on tensors.

use crate::common::simulate;
use nemos_core::{Backend, Cpu, Matrix, NdArray, ToDesign};
use nemos_glm::{
    Bernoulli, Exp, Gamma, Gaussian, Identity, InverseLink, LinkForm, Logistic, NegativeBinomial, NormalCdf, ObservationModel, Poisson,
    PopulationGlm, Reciprocal, Regularizer, Softplus, Support,
};
use nemos_solvers::{Objective, Order, Parameters, Penalized, Request};

/// At a point where every predictor is positive, so that any link will do. Some rows have weights and offsets.
fn assert_derivatives<B: Backend, O: ObservationModel, L: InverseLink>(observation: O, link: L, regularizer: Regularizer) {
    let data = simulate::<B>([700, 3, 2], 5, f64::exp);
    let counts = data.counts.to_array().mapv(|count| match observation.support() {
        Support::Binary => f64::from(u8::from(count > 0.0)),
        Support::Positive => count + 0.5,
        _ => count,
    });
    let counts = Matrix::<B>::from(counts);
    let column = |value: fn(f64) -> f64| Matrix::<B>::from_column((0..700).map(f64::from).map(value).collect());
    let design = data
        .design
        .to_design()
        .with_weights(column(|t| t % 3.0))
        .unwrap()
        .with_offset(column(|t| 0.1 * (t % 5.0)))
        .unwrap();
    let model = PopulationGlm::new(observation).link(link.clone());
    let likelihood = model.objective(&design, &counts).unwrap();
    let canonical = [Some(LinkForm::Exp), Some(LinkForm::Logistic)].contains(&link.form());
    let objective = Penalized::new(&likelihood, &regularizer);
    let at = Parameters::from_columns(4, [&[0.2, -0.3, 0.1, 4.0][..], &[-0.1, 0.25, 0.3, 3.0]]);
    let columns = [0, 1];
    let evaluate = |at: &Parameters, order| {
        objective
            .evaluate(
                at,
                Request {
                    columns: &columns,
                    rows: None,
                    order,
                },
            )
            .unwrap()
    };
    let here = evaluate(&at, Order::Curvature);
    let curvature = here.curvature.unwrap();
    for parameter in 0..4 {
        // The error of a central difference is near h²; with h = 1e-4 rounding and truncation balance.
        let h = 1e-4;
        let moved = |by: f64| {
            let mut moved = at.clone();
            (0..2).for_each(|column| moved.column_mut(column)[parameter] += by);
            evaluate(&moved, Order::Gradient)
        };
        let (up, down) = (moved(h), moved(-h));
        for column in 0..2 {
            let difference = (up.values[column] - down.values[column]) / (2.0 * h);
            let gradient = here.gradient.column(column)[parameter];
            assert!(
                (gradient - difference).abs() <= 1e-6 * (1.0 + difference.abs()),
                "{link:?}: {gradient} {difference}"
            );
            if !canonical {
                continue;
            }
            // With the canonical link the Fisher information is the Hessian.
            for other in 0..4 {
                let difference = (up.gradient.column(column)[other] - down.gradient.column(column)[other]) / (2.0 * h);
                let curvature = curvature[column][(parameter, other)];
                assert!(
                    (curvature - difference).abs() <= 1e-5 * (1.0 + difference.abs()),
                    "{curvature} {difference}"
                );
            }
        }
    }
}

fn assert_all<B: Backend>() {
    for regularizer in [Regularizer::Unregularized, Regularizer::Ridge(0.3.into())] {
        assert_derivatives::<B, _, _>(Poisson, Exp, regularizer.clone());
        assert_derivatives::<B, _, _>(Poisson, Softplus, regularizer.clone());
        assert_derivatives::<B, _, _>(Poisson, Identity, regularizer.clone());
        assert_derivatives::<B, _, _>(Gamma, Reciprocal, regularizer.clone());
        assert_derivatives::<B, _, _>(Gamma, Softplus, regularizer.clone());
        assert_derivatives::<B, _, _>(Gaussian, Identity, regularizer.clone());
        assert_derivatives::<B, _, _>(Bernoulli, Logistic, regularizer.clone());
        assert_derivatives::<B, _, _>(Bernoulli, NormalCdf, regularizer.clone());
        assert_derivatives::<B, _, _>(NegativeBinomial::new(0.7), Softplus, regularizer);
    }
}

#[test]
fn gradients_on_slices_match_finite_differences() {
    assert_all::<Cpu>();
}

#[test]
fn gradients_on_tensors_match_finite_differences() {
    assert_all::<NdArray>();
}

#[test]
fn slices_and_tensors_evaluate_alike() {
    let (a, b) = (
        simulate::<Cpu>([3000, 5, 3], 1, f64::exp),
        simulate::<NdArray>([3000, 5, 3], 1, f64::exp),
    );
    let model = PopulationGlm::new(Poisson);
    let (a, b) = (
        model.objective(&a.design, &a.counts).unwrap(),
        model.objective(&b.design, &b.counts).unwrap(),
    );
    let at = Parameters::from_columns(6, [&[0.1, 0.2, -0.3, 0.4, 0.0, -1.0][..], &[0.0, 0.3, 0.1, -0.4, 0.2, 0.5]]);
    // Any subset of the neurons, in any order.
    let request = Request {
        rows: None,
        columns: &[2, 0],
        order: Order::Curvature,
    };
    let (a, b) = (a.evaluate(&at, request).unwrap(), b.evaluate(&at, request).unwrap());
    let close = |a: f64, b: f64| assert!((a - b).abs() <= 1e-12 * (1.0 + b.abs()), "{a} {b}");
    a.values.iter().zip(&b.values).for_each(|(&a, &b)| close(a, b));
    a.gradient
        .as_slice()
        .iter()
        .zip(b.gradient.as_slice())
        .for_each(|(&a, &b)| close(a, b));
    for (a, b) in a.curvature.unwrap().iter().zip(&b.curvature.unwrap()) {
        a.iter().zip(b).for_each(|(&a, &b)| close(a, b));
    }
}
