//! Fused loops agree with tensor operations and automatic differentiation, count by count.

use nemos_core::{Backend, Cpu, Matrix};

use crate::engine::loops::{Lanes, LoopFloat, Loops, Measure, Observed};
use crate::engine::model::{At, Information, Model, Pair};
use crate::engine::tensors::row;
use crate::{
    Bernoulli, Exp, Gamma, Gaussian, Identity, InverseLink, Logistic, NegativeBinomial, ObservationModel, Poisson, Reciprocal, Softplus,
};

type Burn = <Cpu as Backend>::Burn;
/// A loop over some counts.
type Sweep<'a> = &'a mut dyn FnMut(&dyn Loops<f64>, &mut [f64], Observed<'_, f64>, &mut Lanes);

fn values(tensor: nemos_core::tensor::Tensor<Burn, 2>) -> Vec<f64> {
    Matrix::<Cpu>::from_tensor(tensor).to_vec()
}

fn column(values: &[f64]) -> nemos_core::tensor::Tensor<Burn, 2> {
    Matrix::<Cpu>::from_column(values.to_vec()).into_tensor()
}

/// Every count with every predictor.
fn crossed(predictors: &[f64], counts: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let pairs = counts
        .iter()
        .flat_map(|&count| predictors.iter().map(move |&predictor| (predictor, count)));
    pairs.unzip()
}

fn assert_agrees(observation: impl ObservationModel, link: impl InverseLink, (predictors, counts): (Vec<f64>, Vec<f64>)) {
    let scale = observation.scale().start() * 0.7;
    let name = format!("{observation:?} {link:?}");
    let model: &dyn Model<Burn> = &Pair { observation, link };
    let loops = f64::of(model.loops().unwrap());
    let at = At {
        predictor: column(&predictors),
        scale: row::<Cpu>(&[scale]),
        factor: row::<Cpu>(&[model.loss_factor(scale)]),
    };
    let (loss, slope) = model.slope(column(&counts), at.predictor.clone(), at.scale.clone());
    let weight = values(model.curvature(Information::Expected, column(&counts), at.clone(), (0, 0)));
    let observed_curvature = values(model.curvature(Information::Observed, column(&counts), at.clone(), (0, 0)));
    let log_likelihood = values(model.log_likelihood(column(&counts), at.predictor.clone(), at.scale.clone()));
    let deviance = values(model.deviance(column(&counts), at.predictor, at.scale));
    let (loss, slope) = (values(loss), values(slope));
    let weights = vec![3.0; counts.len()];
    let observed = Observed {
        counts: &counts,
        weights: Some(&weights),
    };
    let mut fused = weights.clone();
    let mut lanes = Lanes::new(&[scale]);
    loops.weights(&predictors, observed, &lanes, (&mut fused, (0, 0)));
    for i in 0..counts.len() {
        let close = |what: &str, got: f64, expected: f64| {
            let same = (got - expected).abs() <= 1e-9 * (1.0 + expected.abs()) || (!got.is_finite() && !expected.is_finite());
            assert!(same, "{name}: {what} of {} at {}: {got}, not {expected}", counts[i], predictors[i]);
        };
        close("weight", fused[i], 3.0 * weight[i]);
        let alone = loops.row(predictors[i], counts[i], scale);
        close("loss of a row", alone.value, loss[i]);
        close("slope of a row", alone.slope, slope[i]);
        close("expected curvature of a row", alone.expected, weight[i]);
        // Those of tensors are differences of slopes, which lose half of the digits where the slope itself bends.
        let rounding = 1e-9 * slope[i].abs() + 1e-7 * (1.0 + observed_curvature[i].abs());
        let same = (alone.curvature - observed_curvature[i]).abs() <= rounding || !observed_curvature[i].is_finite();
        assert!(
            same,
            "{name}: curvature of {} at {}: {}, not {}",
            counts[i], predictors[i], alone.curvature, observed_curvature[i]
        );
        let one = |with: Sweep<'_>| {
            let (mut predictor, mut lanes) = ([predictors[i]], Lanes::new(&[scale]));
            let observed = Observed {
                counts: &counts[i..=i],
                weights: Some(&[3.0]),
            };
            with(&*loops, &mut predictor, observed, &mut lanes);
            let mut total = 0.0;
            lanes.drain(|_, loss, _| total += loss);
            (total, predictor[0])
        };
        let (total, written) = one(&mut |loops, predictor, observed, lanes| loops.slopes(predictor, observed, lanes));
        close("loss", total, 3.0 * loss[i]);
        close("slope", written, 3.0 * slope[i]);
        for (measure, expected) in [(Measure::LogLikelihood, log_likelihood[i]), (Measure::Deviance, deviance[i])] {
            let (total, written) = one(&mut |loops, predictor, observed, lanes| loops.measure(measure, predictor, observed, lanes));
            close("measure", total, 3.0 * expected);
            close("measure of the count", written, expected);
        }
    }
    lanes.drain(|_, _, _| {});
}

#[test]
fn every_pair_agrees_with_tensors() {
    let predictors = [-60.0, -39.9, -3.0, -0.2, 0.0, 0.7, 5.0, 40.0];
    let above = [0.05, 0.3, 1.3, 6.0];
    let (counts, positive, binary) = ([0.0, 1.0, 2.0, 7.0, 70.0], [0.1, 1.0, 3.4], [0.0, 1.0]);
    assert_agrees(Poisson, Exp, crossed(&predictors, &counts));
    assert_agrees(Poisson, Softplus, crossed(&predictors, &counts));
    assert_agrees(Poisson, Identity, crossed(&above, &counts));
    assert_agrees(Gamma, Exp, crossed(&[-3.0, -0.2, 0.7, 5.0], &positive));
    assert_agrees(Gamma, Softplus, crossed(&[-3.0, -0.2, 0.7, 5.0], &positive));
    assert_agrees(Gamma, Reciprocal, crossed(&above, &positive));
    assert_agrees(Gamma, Identity, crossed(&above, &positive));
    assert_agrees(Gaussian, Identity, crossed(&[-3.0, 0.0, 5.0], &counts));
    assert_agrees(Bernoulli, Logistic, crossed(&predictors, &binary));
    assert_agrees(Bernoulli, Identity, crossed(&[0.05, 0.3, 0.5, 0.9], &binary));
    assert_agrees(NegativeBinomial::new(0.7), Exp, crossed(&[-3.0, -0.2, 0.7, 5.0], &counts));
    assert_agrees(NegativeBinomial::new(0.7), Softplus, crossed(&[-3.0, -0.2, 0.7, 5.0], &counts));
    assert_agrees(NegativeBinomial::new(0.7), Identity, crossed(&above, &counts));
}

#[test]
fn what_is_no_probability_has_no_loss() {
    let model: &dyn Model<Burn> = &Pair {
        observation: Bernoulli,
        link: Identity,
    };
    let loops = f64::of(model.loops().unwrap());
    let (predictors, counts) = crossed(&[-0.2, 1.2], &[0.0, 1.0]);
    let (loss, _) = model.slope(column(&counts), column(&predictors), row::<Cpu>(&[1.0]));
    let deviance = model.deviance(column(&counts), column(&predictors), row::<Cpu>(&[1.0]));
    assert!(values(loss).into_iter().chain(values(deviance)).all(f64::is_nan));
    assert!(
        predictors
            .iter()
            .zip(&counts)
            .all(|(&predictor, &count)| loops.row(predictor, count, 1.0).value.is_nan())
    );
}

#[test]
fn missing_counts_and_rows_of_weight_zero_add_nothing() {
    let model: &dyn Model<Burn> = &Pair {
        observation: Poisson,
        link: Exp,
    };
    let loops = f64::of(model.loops().unwrap());
    let mut lanes = Lanes::new(&[1.0]);
    let mut predictor = [800.0, 0.5, 800.0];
    let observed = Observed {
        counts: &[f64::NAN, 1.0, 3.0],
        weights: Some(&[1.0, 2.0, 0.0]),
    };
    loops.slopes(&mut predictor, observed, &mut lanes);
    let mut total = 0.0;
    lanes.drain(|_, loss, _| total += loss);
    // 2 (e^0.5 − 0.5), and its slope 2 (e^0.5 − 1).
    assert!((total - 2.0 * (0.5_f64.exp() - 0.5)).abs() < 1e-14);
    assert!(predictor[0] == 0.0 && predictor[2] == 0.0 && (predictor[1] - 2.0 * (0.5_f64.exp() - 1.0)).abs() < 1e-14);
}

#[test]
fn classes_agree_with_tensors() {
    use crate::classifier::categorical::{Categorical, Targets};
    let categorical = Categorical {
        n_classes: 3,
        targets: Targets::Labels,
    };
    let model: &dyn Model<Burn> = &categorical;
    let loops = f64::of(model.loops().unwrap());
    // Two problems side by side, four rows; one label is missing.
    let predictor: Vec<f64> = (0..24).map(|at| f64::from(at * 7 % 13) - 6.0).collect();
    let labels = [0.0, 2.0, 1.0, f64::NAN, 2.0, 0.0, 1.0, 1.0];
    let weights = [1.0, 2.0, 0.5, 1.0, 0.0, 3.0, 1.0, 1.0];
    let of = |values: &[f64], width: usize| {
        let matrix = Matrix::<Cpu>::from_vec(values.to_vec(), [values.len() / width, width]);
        matrix.unwrap().into_tensor()
    };
    let scale = row::<Cpu>(&[1.0, 1.0]);
    let (loss, slope) = model.slope(of(&labels, 2), of(&predictor, 6), scale.clone());
    let (loss, slope) = (values(loss), values(slope));
    let at = At {
        predictor: of(&predictor, 6),
        factor: scale.clone(),
        scale,
    };
    let curvature = values(model.curvature(Information::Expected, of(&labels, 2), at, (2, 1)));
    let mut lanes = Lanes::new(&[1.0; 6]);
    let observed = Observed {
        counts: &labels,
        weights: Some(&weights),
    };
    let mut out = vec![9.0; 8];
    loops.weights(&predictor, observed, &lanes, (&mut out, (2, 1)));
    let mut written = predictor.clone();
    loops.slopes(&mut written, observed, &mut lanes);
    let mut losses = [0.0; 2];
    lanes.drain(|column, loss, _| losses[column / 3] += loss);
    let used = |place: usize| if labels[place].is_nan() { 0.0 } else { weights[place] };
    for problem in 0..2 {
        let expected: f64 = (0..4)
            .map(|row| row * 2 + problem)
            .filter(|&at| used(at) > 0.0)
            .map(|at| used(at) * loss[at])
            .sum();
        assert!((losses[problem] - expected).abs() < 1e-12, "{losses:?} {expected}");
    }
    for (place, written) in written.iter().enumerate() {
        let expected = if used(place / 3) > 0.0 {
            used(place / 3) * slope[place]
        } else {
            0.0
        };
        assert!((written - expected).abs() < 1e-12);
    }
    for (place, out) in out.iter().enumerate() {
        let expected = if used(place) > 0.0 { used(place) * curvature[place] } else { 0.0 };
        assert!((out - expected).abs() < 1e-12);
    }
}
