//! Kernels of losses, against the tensor operations of the models that they stand for: count by count, and in sums.

use nemos::core::tensor::Tensor;
use nemos::core::{Autodiff, Backend, Curve, Matrix, NdArray, Scatter, Terms, own_terms};
use nemos::glm::{
    Bernoulli, Exp, Gamma, Gaussian, Identity, InverseLink, Logistic, Mean, NegativeBinomial, ObservationModel, Poisson, Reciprocal,
    Softplus,
};

/// Every pair of a model and a link that has a kernel, at predictors and counts far and near; nothing where the backend has none.
pub(crate) fn kernels<B: Backend>() {
    let predictors = [-60.0, -39.9, -17.0, -3.0, -0.2, 0.0, 0.7, 5.0, 40.0];
    let near = [-3.0, -0.2, 0.7, 5.0];
    let above = [0.05, 0.3, 1.3, 6.0];
    let (counts, positive, binary) = ([0.0, 1.0, 2.0, 7.0, 70.0], [0.1, 1.0, 3.4], [0.0, 1.0]);
    agree::<B, _, _>((Poisson, Exp), (Scatter::Poisson, Curve::Exp), &predictors, &counts);
    agree::<B, _, _>((Poisson, Softplus), (Scatter::Poisson, Curve::Softplus), &predictors, &counts);
    agree::<B, _, _>((Poisson, Identity), (Scatter::Poisson, Curve::Identity), &above, &counts);
    agree::<B, _, _>((Gamma, Exp), (Scatter::Gamma, Curve::Exp), &near, &positive);
    agree::<B, _, _>((Gamma, Softplus), (Scatter::Gamma, Curve::Softplus), &near, &positive);
    agree::<B, _, _>((Gamma, Reciprocal), (Scatter::Gamma, Curve::Reciprocal), &above, &positive);
    agree::<B, _, _>((Gamma, Identity), (Scatter::Gamma, Curve::Identity), &above, &positive);
    agree::<B, _, _>((Gaussian, Identity), (Scatter::Gaussian, Curve::Identity), &near, &counts);
    agree::<B, _, _>((Bernoulli, Logistic), (Scatter::Bernoulli, Curve::Logistic), &predictors, &binary);
    let probabilities = [0.05, 0.3, 0.5, 0.9, -0.2, 1.2];
    agree::<B, _, _>(
        (Bernoulli, Identity),
        (Scatter::Bernoulli, Curve::Identity),
        &probabilities,
        &binary,
    );
    let negative_binomial = NegativeBinomial::new(0.5);
    let scatter = Scatter::NegativeBinomial;
    agree::<B, _, _>((negative_binomial, Exp), (scatter, Curve::Exp), &predictors, &counts);
    agree::<B, _, _>((negative_binomial, Softplus), (scatter, Curve::Softplus), &predictors, &counts);
    agree::<B, _, _>((negative_binomial, Identity), (scatter, Curve::Identity), &above, &counts);
    weights_and_gaps::<B>();
}

fn row<B: Backend>(values: &[f64]) -> Tensor<B::Burn, 2> {
    Matrix::<B>::from_vec(values.to_vec(), [1, values.len()])
        .expect("one row")
        .into_tensor()
}

/// Loss and slope by automatic differentiation of the model's tensors.
fn in_tensors<B: Backend>(
    (observation, link): &(impl ObservationModel, impl InverseLink),
    predictors: &[f64],
    counts: &[f64],
    scale: f64,
) -> [Vec<f64>; 2] {
    let leaf = Tensor::<Autodiff<B::Burn>, 2>::from_inner(row::<B>(predictors)).require_grad();
    let scale = Tensor::from_inner(row::<B>(&vec![scale; counts.len()]));
    let loss = observation.loss(Tensor::from_inner(row::<B>(counts)), &Mean::new(leaf.clone(), link), scale);
    let value = loss.clone().inner();
    let slope = leaf.grad_remove(&mut loss.backward()).expect("the loss depends on the predictor");
    [value, slope].map(|tensor| Matrix::<B>::from_tensor(tensor).to_vec())
}

fn agree<B: Backend, O: ObservationModel, L: InverseLink>(
    model: (O, L),
    (scatter, curve): (Scatter, Curve),
    predictors: &[f64],
    counts: &[f64],
) {
    let crossed = |of: fn((f64, f64)) -> f64| -> Vec<f64> {
        let pairs = counts
            .iter()
            .flat_map(|&count| predictors.iter().map(move |&predictor| (predictor, count)));
        // What a card holds of them.
        pairs.map(of).map(|value| f64::from(value as f32)).collect()
    };
    let (predictors, counts) = (crossed(|pair| pair.0), crossed(|pair| pair.1));
    let (scale, zeros) = (0.5, vec![0.0; counts.len()]);
    let terms = Terms {
        predictor: row::<B>(&predictors),
        counts: row::<B>(&counts),
        weights: None,
        offset: None,
        intercept: row::<B>(&zeros),
        scale: row::<B>(&vec![scale; counts.len()]),
    };
    let Some(terms) = own_terms::<B>(terms, scatter, curve) else {
        return;
    };
    let read = |tensor| Matrix::<B>::from_tensor(tensor).to_vec();
    let (losses, slopes) = (read(terms.losses), read(terms.slopes));
    assert_eq!(read(terms.slope_sums), slopes, "one row is its own sum");
    let there = in_tensors::<NdArray>(&model, &predictors, &counts, scale);
    let here = in_tensors::<B>(&model, &predictors, &counts, scale);
    for at in 0..counts.len() {
        let (predictor, count) = (predictors[at], counts[at]);
        let check = |what: &str, got: f64, expected: f64| {
            // An exponential may be off by two roundings for each unit of its argument, and a loss is a difference of its two parts.
            let parts = 1.0 + expected.abs() + (count * predictor).abs();
            let allowed = (8.0 + 2.0 * predictor.abs()) * B::epsilon() * parts;
            let same = (got - expected).abs() <= allowed || (!got.is_finite() && !expected.is_finite());
            let (observation, link) = &model;
            assert!(
                same,
                "{observation:?} {link:?}: {what} of {count} at {predictor} is {got:e}, not {expected:e}"
            );
        };
        for (expected, of) in [(&there, "in double precision"), (&here, "by tensors")] {
            check(&format!("loss {of}"), losses[at], expected[0][at]);
            // Where there is no loss, nobody asks for its slope.
            if expected[0][at].is_finite() {
                check(&format!("slope {of}"), slopes[at], expected[1][at]);
            }
        }
    }
}

/// Several parts, and what is missing or has no weight, beside offsets of each row, of all columns or of each.
fn weights_and_gaps<B: Backend>() {
    let (n, m) = (300, 3);
    let wave = |at: usize| f64::from((at as f64 * 0.7).sin() as f32);
    let matrix = |columns: usize, of: &dyn Fn(usize) -> f64| {
        let values: Vec<f64> = (0..n * columns).map(|at| f64::from(of(at) as f32)).collect();
        let tensor = Matrix::<B>::from_vec(values.clone(), [n, columns]).expect("n rows").into_tensor();
        (values, tensor)
    };
    let (predictor, on_card) = matrix(m, &|at| if at % 50 == 3 { 800.0 } else { wave(at) });
    let (counts, counts_on_card) = matrix(m, &|at| if at.is_multiple_of(77) { f64::NAN } else { (at % 4) as f64 });
    let intercept = [0.25, -0.5, 0.0];
    for columns in [1, m] {
        // Where the predictor is far too high, the weight is zero.
        let (weights, weights_on_card) = matrix(m, &|at| if at % 50 == 3 { 0.0 } else { 0.5 * (at % 3) as f64 });
        let (offset, offset_on_card) = matrix(columns, &|at| 0.5 * wave(at + 11));
        let terms = Terms {
            predictor: on_card.clone(),
            counts: counts_on_card.clone(),
            weights: Some(weights_on_card),
            offset: Some(offset_on_card),
            intercept: row::<B>(&intercept),
            scale: row::<B>(&[1.0; 3]),
        };
        let Some(terms) = own_terms::<B>(terms, Scatter::Poisson, Curve::Exp) else {
            return;
        };
        let (mut losses, mut slope_sums) = (vec![0.0; m], vec![0.0; m]);
        let slopes: Vec<f64> = (0..n * m)
            .map(|at| {
                let (row, column) = (at / m, at % m);
                if weights[at] == 0.0 || counts[at].is_nan() {
                    return 0.0;
                }
                let predictor = predictor[at] + intercept[column] + offset[if columns == 1 { row } else { at }];
                losses[column] += weights[at] * (predictor.exp() - counts[at] * predictor);
                slope_sums[column] += weights[at] * (predictor.exp() - counts[at]);
                weights[at] * (predictor.exp() - counts[at])
            })
            .collect();
        let close = |what: &str, got: Vec<f64>, expected: &[f64]| {
            let furthest = got
                .iter()
                .zip(expected)
                .map(|(a, b)| (a - b).abs() / (1.0 + b.abs()))
                .fold(0.0, f64::max);
            assert!(got.len() == expected.len() && furthest <= 3e-6, "{what} are off by {furthest:.1e}");
        };
        let sum_of_parts = |tensor: Tensor<B::Burn, 2>| Matrix::<B>::from_tensor(tensor).to_array().sum_axis(ndarray::Axis(0)).to_vec();
        close("slopes", Matrix::<B>::from_tensor(terms.slopes).to_vec(), &slopes);
        close("losses", sum_of_parts(terms.losses), &losses);
        close("sums of slopes", sum_of_parts(terms.slope_sums), &slope_sums);
    }
}
