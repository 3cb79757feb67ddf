//! Models beyond Poisson: against statsmodels, against each other, and with weights, offsets, masks and classes.

use crate::common::simulate;
use ndarray::{Array2, array};
use nemos_core::{Backend, Cpu, Design, Features, Matrix, NdArray, ToDesign};
use nemos_glm::{
    Bernoulli, ClassifierGlm, ClassifierPopulationGlm, Error, FeatureMask, Gamma, Gaussian, Glm, Identity, InverseLink, NegativeBinomial,
    NormalCdf, ObservationModel, Poisson, PopulationGlm, Regularizer, Score, Softplus, Status,
};
use nemos_solvers::{Acceleration, GradientDescent, Objective, Order, Request, StepLength, Stopping};

fn tight() -> Stopping {
    Stopping::new().tolerance(1e-20)
}

fn assert_close(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    let largest = expected.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    for (got, expected) in got.iter().zip(expected) {
        assert!(
            (got - expected).abs() <= tolerance * largest,
            "{got} is not {expected}, to {tolerance} of {largest}"
        );
    }
}

/// `x = sin 0.3 t`, `y = ⌊e^(0.8 x + 0.5) ((7 t² + 3 t) mod 11) / 4⌋`, weights `1 + t mod 3`, offsets `ln(1 + (t mod 4) / 2)`.
struct Formula<B: Backend> {
    x: Matrix<B>,
    y: Vec<f64>,
    weights: Matrix<B>,
    offset: Matrix<B>,
}

fn formula<B: Backend>() -> Formula<B> {
    let t = || (0..200).map(f64::from);
    let x: Vec<f64> = t().map(|t| (0.3 * t).sin()).collect();
    let y = t()
        .zip(&x)
        .map(|(t, x)| ((0.8 * x + 0.5).exp() * ((7.0 * t * t + 3.0 * t) % 11.0) / 4.0).floor());
    Formula {
        y: y.collect(),
        x: Matrix::from_column(x),
        weights: Matrix::from_column(t().map(|t| 1.0 + t % 3.0).collect()),
        offset: Matrix::from_column(t().map(|t| (1.0 + 0.5 * (t % 4.0)).ln()).collect()),
    }
}

#[test]
fn a_dispersion_is_estimated_together_with_the_coefficients() {
    let data = formula::<Cpu>();
    let counts = Matrix::from_column(data.y);
    let fitted = Glm::new(NegativeBinomial::estimated())
        .stopping(tight())
        .fit(&data.x, &counts)
        .unwrap();
    // statsmodels 0.15, NegativeBinomial(loglike_method="nb2"): constant, slope, dispersion, log-likelihood.
    assert_close(&[fitted.intercept(), fitted.coef()[0], fitted.scale()], &NB2, 1e-6);
    let log_likelihood = fitted.score(&data.x, &counts, Score::LogLikelihood).unwrap() * 200.0;
    assert_close(&[log_likelihood], &[-315.312_733_677_606_96], 1e-9);
    assert_eq!(fitted.outcome().status, Status::Converged);
    // At the scale that was found, a model of known scale ends in the same place.
    let known = Glm::new(NegativeBinomial::new(fitted.scale()))
        .stopping(tight())
        .fit(&data.x, &counts)
        .unwrap();
    assert_close(known.coef(), fitted.coef(), 1e-8);
}

#[test]
fn counts_that_scatter_less_than_poisson_have_no_dispersion() {
    let x = Matrix::<Cpu>::from_column((0..300).map(|t| f64::from(t % 3)).collect());
    let counts = Matrix::from_column((0..300).map(|t| f64::from(2 + t % 3)).collect());
    let fitted = Glm::new(NegativeBinomial::estimated()).fit(&x, &counts).unwrap();
    let poisson = Glm::new(Poisson).fit(&x, &counts).unwrap();
    assert!(fitted.scale() < 1e-5, "{}", fitted.scale());
    assert_close(fitted.coef(), poisson.coef(), 1e-4);
}

#[test]
fn weights_and_offsets_are_those_of_statsmodels() {
    let data = formula::<Cpu>();
    let counts = Matrix::from_column(data.y.clone());
    let design = data.x.to_design().with_weights(data.weights.clone()).unwrap();
    let both = design.clone().with_offset(data.offset).unwrap();
    // statsmodels 0.15, GLM(Poisson, offset, freq_weights).
    let fitted = Glm::new(Poisson).stopping(tight()).fit(&both, &counts).unwrap();
    assert_close(&[fitted.intercept(), fitted.coef()[0]], &POISSON, 1e-9);
    let total: f64 = data.weights.to_vec().iter().sum();
    let score = |kind| fitted.score(&both, &counts, kind).unwrap();
    assert_close(&[score(Score::LogLikelihood) * total], &[-710.568_400_867_630_5], 1e-10);
    assert_close(
        &[score(Score::McFadden)],
        &[1.0 - 710.568_400_867_630_5 / 834.908_211_201_015_2],
        1e-9,
    );
    assert_close(
        &[score(Score::Cohen)],
        &[1.0 - 821.039_471_791_824_8 / 1_069.719_092_458_594_3],
        1e-9,
    );
    // GLM(Gamma, log, var_weights): its scale takes weights as they are, ours as ratios.
    let positive = Matrix::from_column(data.y.iter().map(|y| y + 0.5).collect());
    let fitted = Glm::new(Gamma)
        .link(nemos_glm::Exp)
        .stopping(tight())
        .fit(&design, &positive)
        .unwrap();
    assert_close(&[fitted.intercept(), fitted.coef()[0]], &GAMMA, 1e-9);
    assert_close(&[fitted.scale()], &[1.170_148_717_251_514_8 * 200.0 / total], 1e-9);
    // GLM(Binomial, probit).
    let binary = Matrix::from_column(data.y.iter().map(|&y| f64::from(u8::from(y > 2.0))).collect());
    let fitted = Glm::new(Bernoulli).link(NormalCdf).stopping(tight()).fit(&data.x, &binary).unwrap();
    assert_close(&[fitted.intercept(), fitted.coef()[0]], &PROBIT, 1e-7);
}

// statsmodels 0.15 on the data of `formula`, constants first.
const NB2: [f64; 3] = [0.170_079_776_784_5, 1.040_982_531_184, 0.814_279_282_060_6];
const POISSON: [f64; 2] = [-0.356_415_091_396_9, 0.983_336_043_926_6];
const GAMMA: [f64; 2] = [0.589_839_995_898_3, 0.711_302_063_905_6];
const PROBIT: [f64; 2] = [-1.108_163_147_027, 1.226_142_943_678];

/// A row of weight two is two rows, and one of weight zero is none.
fn assert_weights_repeat_rows<B: Backend, O: ObservationModel, L: InverseLink>(model: Glm<O, L>, value: fn(f64) -> f64) {
    let data = formula::<B>();
    let y: Vec<f64> = data.y.iter().map(|&y| value(y)).collect();
    let weights: Vec<f64> = (0..200).map(|t| f64::from(t % 3)).collect();
    let rows: Vec<usize> = (0..200).flat_map(|t| vec![t; t % 3]).collect();
    let weighted = data.x.to_design().with_weights(Matrix::from_column(weights)).unwrap();
    let counts = Matrix::<B>::from_column(y);
    let (x, repeated) = (data.x.select_rows(&rows).unwrap(), counts.select_rows(&rows).unwrap());
    let a = model.clone().stopping(tight()).fit(&weighted, &counts).unwrap();
    let b = model.clone().stopping(tight()).fit(&x, &repeated).unwrap();
    assert_close(a.coef(), b.coef(), 1e-9);
    assert_close(&[a.intercept()], &[b.intercept()], 1e-9);
    for score in [Score::LogLikelihood, Score::McFadden, Score::Cohen] {
        // The scale of the repeated rows has more degrees of freedom.
        if a.scale() == b.scale() || score == Score::Cohen {
            let scores = (a.score(&weighted, &counts, score).unwrap(), b.score(&x, &repeated, score).unwrap());
            assert_close(&[scores.0], &[scores.1], 1e-9);
        }
    }
}

fn assert_weights_repeat_rows_of_all_models<B: Backend>() {
    assert_weights_repeat_rows::<B, _, _>(Glm::new(Poisson), |y| y);
    assert_weights_repeat_rows::<B, _, _>(Glm::new(Poisson).link(Softplus), |y| y);
    assert_weights_repeat_rows::<B, _, _>(Glm::new(Gaussian), |y| y);
    assert_weights_repeat_rows::<B, _, _>(Glm::new(Gamma).link(nemos_glm::Exp), |y| y + 0.5);
    assert_weights_repeat_rows::<B, _, _>(Glm::new(Bernoulli), |y| f64::from(u8::from(y > 2.0)));
    assert_weights_repeat_rows::<B, _, _>(Glm::new(NegativeBinomial::new(0.5)), |y| y);
}

#[test]
fn a_row_of_weight_two_is_two_rows_on_slices() {
    assert_weights_repeat_rows_of_all_models::<Cpu>();
}

#[test]
fn a_row_of_weight_two_is_two_rows_on_tensors() {
    assert_weights_repeat_rows_of_all_models::<NdArray>();
}

#[test]
fn weights_may_differ_between_neurons() {
    let data = simulate::<Cpu>([400, 3, 2], 5, f64::exp);
    let weights = Array2::from_shape_fn((400, 2), |(row, neuron)| f64::from(u8::from((row + neuron) % 4 > 0)));
    let design = data.design.to_design().with_weights(weights).unwrap();
    let fitted = PopulationGlm::new(Poisson).stopping(tight()).fit(&design, &data.counts).unwrap();
    for neuron in 0..2 {
        let rows: Vec<usize> = (0..400).filter(|row| (row + neuron) % 4 > 0).collect();
        let alone = Glm::new(Poisson)
            .stopping(tight())
            .fit(
                &data.design.select_rows(&rows).unwrap(),
                &data.counts.select_columns(&[neuron]).unwrap().select_rows(&rows).unwrap(),
            )
            .unwrap();
        assert_close(&fitted.coef().column(neuron).to_vec(), alone.coef(), 1e-8);
        assert_eq!(fitted.dof_resid()[neuron], alone.dof_resid());
    }
}

#[test]
fn a_model_fitted_with_an_offset_asks_for_one() {
    let data = formula::<Cpu>();
    let counts = Matrix::from_column(data.y);
    let design = data.x.to_design().with_offset(data.offset.clone()).unwrap();
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    assert!(matches!(fitted.predict(&data.x), Err(Error::OffsetMissing)));
    // Under an exponential link an offset is a factor of the rate.
    let zeros = data.x.to_design().with_offset(Matrix::zeros([200, 1])).unwrap();
    let rates = |design: &Design<'_, Cpu>| fitted.predict(design).unwrap().to_matrix().unwrap().to_vec();
    let (with, without) = (rates(&design), rates(&zeros));
    for ((with, without), offset) in with.iter().zip(without).zip(data.offset.to_vec()) {
        assert!((with - without * offset.exp()).abs() < 1e-12);
    }
    let short = data.x.to_design().with_offset(Matrix::zeros([200, 3])).unwrap();
    assert!(Glm::new(Poisson).fit(&short, &counts).unwrap_err().to_string().contains("offset"));
}

#[test]
fn a_missing_offset_leaves_the_row_out() {
    let data = formula::<Cpu>();
    let counts = Matrix::from_column(data.y);
    let mut offset = data.offset.to_vec();
    offset[7] = f64::NAN;
    let design = data.x.to_design().with_offset(Matrix::from_column(offset)).unwrap();
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    assert_eq!(fitted.dof_resid(), 200.0 - 1.0 - 2.0);
    assert!(fitted.predict(&design).unwrap().to_matrix().unwrap().to_vec()[7].is_nan());
}

/// Masked fits are fits of the features that are left, and the other coefficients are exactly zero.
fn assert_masked<B: Backend>(regularizer: Regularizer) {
    let data = simulate::<B>([600, 4, 3], 8, f64::exp);
    let mask = array![[true, false, true], [true, true, false], [false, true, true], [true, true, false]];
    let model = PopulationGlm::new(Poisson)
        .regularizer(regularizer.clone())
        .feature_mask(mask.clone());
    let fitted = model.clone().stopping(tight()).fit(&data.design, &data.counts).unwrap();
    for neuron in 0..3 {
        let kept: Vec<usize> = (0..4).filter(|&feature| mask[(feature, neuron)]).collect();
        let alone = Glm::new(Poisson)
            .regularizer(regularizer.clone())
            .stopping(tight())
            .fit(
                &data.design.select_columns(&kept).unwrap(),
                &data.counts.select_columns(&[neuron]).unwrap(),
            )
            .unwrap();
        let coef = fitted.coef();
        let got: Vec<f64> = kept.iter().map(|&feature| coef[(feature, neuron)]).collect();
        assert_close(&got, alone.coef(), 1e-7);
        assert_eq!(fitted.dof_resid()[neuron], alone.dof_resid());
        assert!(
            (0..4)
                .filter(|feature| !kept.contains(feature))
                .all(|feature| coef[(feature, neuron)] == 0.0)
        );
    }
}

#[test]
fn masked_fits_are_fits_of_the_features_that_are_left() {
    for regularizer in [
        Regularizer::Unregularized,
        Regularizer::Ridge(0.1.into()),
        Regularizer::Lasso(0.02.into()),
    ] {
        assert_masked::<Cpu>(regularizer.clone());
        assert_masked::<NdArray>(regularizer);
    }
}

#[test]
fn blocks_of_features_are_masked_and_penalised_by_name() {
    let data = simulate::<Cpu>([500, 3, 2], 9, f64::exp);
    let features = Features::new()
        .with("speed", data.design.select_columns(&[0]).unwrap())
        .unwrap()
        .with("place", data.design.select_columns(&[1, 2]).unwrap())
        .unwrap();
    let masked = PopulationGlm::new(Poisson)
        .feature_mask(FeatureMask::Blocks(vec![("place".into(), vec![true, false])]))
        .fit(&features, &data.counts)
        .unwrap();
    assert_eq!(masked.coef().column(1).to_vec()[1..], [0.0, 0.0]);
    assert!(masked.coef()[(1, 0)] != 0.0);
    let per_block = Regularizer::Ridge(nemos_glm::Strength::PerBlock(vec![("place".into(), 0.3)]));
    let per_feature = Regularizer::Ridge(nemos_glm::Strength::PerFeature(vec![0.0, 0.3, 0.3]));
    let fit = |regularizer| {
        PopulationGlm::new(Poisson)
            .regularizer(regularizer)
            .fit(&features, &data.counts)
            .unwrap()
    };
    assert_eq!(fit(per_block).coef(), fit(per_feature).coef());
    let unknown = Regularizer::Ridge(nemos_glm::Strength::PerBlock(vec![("time".into(), 0.3)]));
    let error = PopulationGlm::new(Poisson)
        .regularizer(unknown)
        .fit(&features, &data.counts)
        .unwrap_err();
    assert!(error.to_string().contains("time") && error.to_string().contains("speed"), "{error}");
    let wrong = PopulationGlm::new(Poisson)
        .feature_mask(array![[true]])
        .fit(&features, &data.counts)
        .unwrap_err();
    assert!(matches!(wrong, Error::MaskShape { .. }));
}

#[test]
fn two_classes_are_a_logistic_regression() {
    let data = formula::<Cpu>();
    let labels = Matrix::from_column(data.y.iter().map(|&y| f64::from(u8::from(y > 2.0))).collect());
    let logistic = Glm::new(Bernoulli).stopping(tight()).fit(&data.x, &labels).unwrap();
    let classes = ClassifierGlm::new(2)
        .regularizer(Regularizer::Unregularized)
        .stopping(tight())
        .fit(&data.x, &labels)
        .unwrap();
    let coef = classes.coef();
    assert_close(&[coef[(0, 1)] - coef[(0, 0)]], logistic.coef(), 1e-8);
    assert_close(&[classes.intercept()[1] - classes.intercept()[0]], &[logistic.intercept()], 1e-8);
    assert!((coef[(0, 1)] + coef[(0, 0)]).abs() < 1e-12, "coefficients sum to zero over classes");
    for score in [Score::LogLikelihood, Score::McFadden] {
        let both = (
            classes.score(&data.x, &labels, score).unwrap(),
            logistic.score(&data.x, &labels, score).unwrap(),
        );
        assert_close(&[both.0], &[both.1], 1e-9);
    }
    assert_eq!(classes.dof_resid(), logistic.dof_resid());
}

#[test]
fn classifiers_of_many_neurons_are_those_of_each() {
    let data = simulate::<Cpu>([300, 3, 3], 3, f64::exp);
    let mut labels = data.counts.to_array().mapv(|count: f64| count.min(2.0));
    labels[(5, 1)] = f64::NAN;
    let labels = Matrix::from(labels);
    let model = ClassifierPopulationGlm::new(3).regularizer(Regularizer::Ridge(0.05.into()));
    let together = model
        .clone()
        .stopping(tight())
        .fit(&data.design, &labels)
        .unwrap()
        .require_converged()
        .unwrap();
    for neuron in 0..3 {
        let one = labels.select_columns(&[neuron]).unwrap();
        let alone = model.clone().stopping(tight()).fit(&data.design, &one).unwrap();
        let both = (
            together.coef().index_axis_move(ndarray::Axis(1), neuron),
            alone.coef().index_axis_move(ndarray::Axis(1), 0),
        );
        assert_close(
            &both.0.iter().copied().collect::<Vec<_>>(),
            &both.1.iter().copied().collect::<Vec<_>>(),
            1e-9,
        );
        let scores = (
            together.score_by_neuron(&data.design, &labels, Score::LogLikelihood).unwrap()[neuron],
            alone.score(&data.design, &one, Score::LogLikelihood).unwrap(),
        );
        assert_close(&[scores.0], &[scores.1], 1e-9);
    }
    let probabilities = together.predict_probability(&data.design).unwrap();
    assert_eq!(probabilities.dims(), [300, 9]);
    assert!(
        probabilities
            .to_array()
            .rows()
            .into_iter()
            .all(|row| (row.sum() - 3.0).abs() < 1e-12)
    );
}

#[test]
fn a_class_that_never_occurs_has_no_maximum() {
    let data = formula::<Cpu>();
    let labels = Matrix::from_column(data.y.iter().map(|&y| f64::from(u8::from(y > 2.0))).collect());
    let fitted = ClassifierGlm::new(3).fit(&data.x, &labels).unwrap();
    assert_eq!(fitted.outcome().status, Status::NoMaximum);
    let error = ClassifierGlm::new(1).fit(&data.x, &labels).unwrap_err();
    assert!(error.to_string().contains("classes"), "{error}");
    let halves = Matrix::from_column(data.y.iter().map(|y| y * 0.5).collect());
    assert!(matches!(
        ClassifierGlm::new(3).fit(&data.x, &halves),
        Err(Error::OutsideSupport { .. })
    ));
}

#[test]
fn counts_on_the_edge_of_their_support_have_no_maximum() {
    let x = Matrix::<Cpu>::from_column((0..20).map(f64::from).collect());
    let ones = Matrix::from_vec(vec![1.0; 20], [20, 1]).unwrap();
    let zeros = Matrix::zeros([20, 1]);
    for counts in [&ones, &zeros] {
        let fitted = Glm::new(Bernoulli).fit(&x, counts).unwrap();
        assert_eq!(fitted.outcome().status, Status::NoMaximum);
        assert!(fitted.intercept().is_finite());
    }
    // Nothing is special about a signal that is zero throughout.
    let fitted = Glm::new(Gaussian).fit(&x, &zeros).unwrap();
    assert_eq!((fitted.coef()[0], fitted.intercept()), (0.0, 0.0));
    assert_eq!(fitted.outcome().status, Status::Converged);
}

#[test]
fn counts_outside_the_support_are_named() {
    let x = Matrix::<Cpu>::from_column(vec![0.0, 1.0, 2.0]);
    let counts = Matrix::from_column(vec![1.0, 0.0, 2.0]);
    for (error, needs) in [
        (Glm::new(Gamma).fit(&x, &counts).unwrap_err(), "more than zero"),
        (Glm::new(Bernoulli).fit(&x, &counts).unwrap_err(), "zero or one"),
    ] {
        assert!(error.to_string().contains(needs), "{error}");
    }
    let scale = Glm::new(NegativeBinomial::new(0.0)).fit(&x, &counts).unwrap_err();
    assert!(scale.to_string().contains("scale"), "{scale}");
    // What a fit refuses, a score does.
    let (given, negative) = (
        Glm::new(Poisson).with_parameters(&[0.1], 0.0),
        Matrix::<Cpu>::from_column(vec![1.0, -1.0, 2.0]),
    );
    for error in [
        given.score(&x, &negative, Score::LogLikelihood).unwrap_err(),
        given.score(&x, &negative, Score::McFadden).unwrap_err(),
        given.score(&x, &negative, Score::Cohen).unwrap_err(),
        given.deviance(&x, &negative).unwrap_err(),
        given.log_likelihood_by_sample(&x, &negative).unwrap_err(),
    ] {
        assert!(matches!(error, Error::OutsideSupport { row: 1, column: 0, .. }), "{error}");
    }
}

#[test]
fn a_batch_of_all_rows_is_the_whole() {
    let data = simulate::<Cpu>([300, 3, 2], 4, f64::exp);
    let mut design = data.design.to_array();
    design[(17, 1)] = f64::NAN;
    let design = Matrix::<Cpu>::from(design);
    let model = PopulationGlm::new(Poisson);
    let objective = model.objective(&design, &data.counts).unwrap();
    assert_eq!(objective.n_rows(), 299);
    let mut at = objective.start();
    at.as_mut_slice().iter_mut().for_each(|x| *x += 0.1);
    let rows: Vec<usize> = (0..299).rev().collect();
    let evaluate = |rows: Option<&[usize]>| {
        let request = Request {
            columns: &[1, 0],
            rows,
            order: Order::Curvature,
        };
        objective.evaluate(&at, request).unwrap()
    };
    let (whole, batch) = (evaluate(None), evaluate(Some(&rows)));
    assert_close(&batch.values, &whole.values, 1e-13);
    assert_close(batch.gradient.as_slice(), whole.gradient.as_slice(), 1e-12);
    let third: Vec<usize> = (0..299).step_by(3).collect();
    let parts = [0, 1, 2].map(|first| {
        let rows: Vec<usize> = (first..299).step_by(3).collect();
        evaluate(Some(&rows)).values[0] * rows.len() as f64 / 299.0
    });
    assert!(third.len() == 100 && (parts.iter().sum::<f64>() - whole.values[0]).abs() < 1e-12);
}

#[test]
fn batches_lead_where_all_data_lead() {
    let data = simulate::<Cpu>([4000, 3, 2], 6, f64::exp);
    let solver = GradientDescent::new()
        .acceleration(Acceleration::Plain)
        .step_length(StepLength::Fixed(0.3));
    let model = PopulationGlm::new(Poisson);
    let mut training = model.initialize(&solver, &data.design, &data.counts).unwrap();
    for step in 0..400 {
        let rows = step % 8 * 500..step % 8 * 500 + 500;
        training
            .update(&data.design.rows(rows.clone()).unwrap(), &data.counts.rows(rows).unwrap())
            .unwrap();
    }
    let whole = model.fit(&data.design, &data.counts).unwrap();
    let fitted = training.fitted().unwrap();
    for (batched, whole) in fitted.coef().iter().zip(whole.coef().iter()) {
        assert!((batched - whole).abs() < 0.05, "{batched} {whole}");
    }
    assert_eq!(fitted.outcome().columns[0].status, Status::StepLimit);
    assert!(training.score(&data.design, &data.counts, Score::McFadden).unwrap() > 0.0);
    // A batch without a spike says something too: rates fall.
    let before = fitted.intercept()[0];
    training.update(&Matrix::<Cpu>::zeros([50, 3]), &Matrix::zeros([50, 2])).unwrap();
    assert!(training.fitted().unwrap().intercept()[0] < before);
    // A batch that does not fit changes nothing.
    let before = training.fitted().unwrap();
    assert!(training.update(&Matrix::<Cpu>::zeros([50, 2]), &Matrix::zeros([50, 2])).is_err());
    assert_eq!(training.fitted().unwrap().coef(), before.coef());
    let estimated = PopulationGlm::new(NegativeBinomial::estimated()).initialize(&solver, &data.design, &data.counts);
    assert!(matches!(estimated.err(), Some(Error::ScaleInBatches)));
}

#[test]
fn steps_that_are_too_long_are_said_to_diverge() {
    let data = simulate::<Cpu>([400, 3, 1], 6, f64::exp);
    let solver = GradientDescent::new()
        .acceleration(Acceleration::Plain)
        .step_length(StepLength::Fixed(1e4));
    let mut training = PopulationGlm::new(Poisson).initialize(&solver, &data.design, &data.counts).unwrap();
    let mut failed = false;
    for _ in 0..50 {
        failed |= training.update(&data.design, &data.counts).is_err() || training.fitted().is_err();
    }
    let ended = training.fitted().map(|fitted| fitted.outcome().columns[0].status);
    assert!(failed || ended.is_ok_and(|status| status != Status::Converged));
}

#[test]
fn a_start_that_is_given_leads_to_the_same_end() {
    let data = simulate::<Cpu>([500, 2, 2], 2, f64::exp);
    let model = PopulationGlm::new(Poisson);
    let plain = model.clone().stopping(tight()).fit(&data.design, &data.counts).unwrap();
    let given = model
        .clone()
        .start(&data.coef, &data.intercept)
        .unwrap()
        .stopping(tight())
        .fit(&data.design, &data.counts)
        .unwrap();
    assert_close(
        &given.coef().iter().copied().collect::<Vec<_>>(),
        &plain.coef().iter().copied().collect::<Vec<_>>(),
        1e-8,
    );
    assert!(matches!(model.clone().start(&data.coef, &[0.0]), Err(Error::Parameters { .. })));
    let wrong = model.start(&Array2::zeros((5, 2)), &[0.0, 0.0]).unwrap();
    assert!(matches!(wrong.fit(&data.design, &data.counts), Err(Error::StartShape { .. })));
}

#[test]
fn parameters_that_were_given_are_not_said_to_be_fitted() {
    let fitted = Glm::new(Gaussian).link(Identity).with_parameters(&[2.0], 1.0);
    assert_eq!(fitted.predict(&Matrix::<Cpu>::from_column(vec![3.0])).unwrap().to_vec(), [7.0]);
    assert_eq!(fitted.outcome().status, Status::Given);
    assert!(fitted.require_converged().is_err());
}

#[test]
fn a_solver_that_cannot_handle_a_penalty_names_those_that_can() {
    let data = simulate::<Cpu>([100, 2, 1], 2, f64::exp);
    let error = Glm::new(Poisson)
        .regularizer(Regularizer::Lasso(0.1.into()))
        .fit_with(&nemos_solvers::Lbfgs::new(), &data.design, &data.counts)
        .unwrap_err();
    assert!(
        error.to_string().contains("lasso") && error.to_string().contains("Proximal"),
        "{error}"
    );
}

#[test]
fn odd_sizes_end_without_panic() {
    for n in 0..3 {
        let x = Matrix::<Cpu>::from_column((0..n).map(f64::from).collect());
        let missing = Matrix::<Cpu>::from_column(vec![f64::NAN; n as usize]);
        let ones = Matrix::from_column(vec![1.0; n as usize]);
        let lasso = Regularizer::Lasso(0.1.into());
        for counts in [&ones, &missing] {
            let ended = [
                Glm::new(Gamma).fit(&x, counts).is_ok(),
                Glm::new(Gaussian).regularizer(lasso.clone()).fit(&x, counts).is_ok(),
                Glm::new(Bernoulli).fit(&x, counts).is_ok(),
                Glm::new(NegativeBinomial::estimated()).fit(&x, counts).is_ok(),
                ClassifierGlm::new(2).fit(&x, counts).is_ok(),
                ClassifierGlm::new(2).regularizer(lasso.clone()).fit(&x, counts).is_ok(),
            ];
            let usable = n > 0 && counts.to_vec()[0] == 1.0;
            assert!(usable || ended.iter().all(|ended| !ended), "{n}: {ended:?}");
        }
        assert!(Glm::new(Poisson).fit(&missing, &ones).is_err());
        assert!(ClassifierGlm::new(2).fit(&missing, &ones).is_err());
    }
}

#[test]
fn strengths_of_classifiers_are_per_neuron_or_per_coefficient() {
    let data = simulate::<Cpu>([200, 2, 2], 3, f64::exp);
    let labels = Matrix::from(data.counts.to_array().mapv(|count: f64| count.min(1.0)));
    let fit = |strength| {
        let model = ClassifierPopulationGlm::new(2).regularizer(Regularizer::Ridge(strength));
        model.clone().stopping(tight()).fit(&data.design, &labels)
    };
    let shared = fit(0.2.into()).unwrap();
    let per_neuron = fit(nemos_glm::Strength::PerNeuron(vec![0.2, 0.2])).unwrap();
    let per_coefficient = fit(nemos_glm::Strength::PerCoefficient(Array2::from_elem((2, 4), 0.2))).unwrap();
    for other in [per_neuron, per_coefficient] {
        assert!((other.coef() - shared.coef()).iter().all(|difference| difference.abs() < 1e-10));
    }
    assert!(fit(nemos_glm::Strength::PerNeuron(vec![0.2; 4])).is_err());
}

#[test]
fn weights_are_relative_and_a_row_is_one_observation_whatever_its_weight() {
    let data = formula::<Cpu>();
    let counts = Matrix::<Cpu>::from_column(data.y.iter().map(|y| y + 0.5).collect());
    let rows: Vec<usize> = (0..200).flat_map(|t| vec![t; 1 + t % 2]).collect();
    let model = Glm::new(Gamma).link(nemos_glm::Exp).stopping(tight());
    let weighted = |factor: f64| {
        let weights: Matrix<Cpu> = Matrix::from_column((0..200).map(|t| factor * f64::from(1 + t % 2)).collect());
        model.fit(&data.x.to_design().with_weights(weights).unwrap(), &counts).unwrap()
    };
    let (one, ten) = (weighted(1.0), weighted(10.0));
    assert_close(
        &[ten.coef()[0], ten.intercept(), ten.scale()],
        &[one.coef()[0], one.intercept(), one.scale()],
        1e-9,
    );
    let twice = model
        .fit(&data.x.select_rows(&rows).unwrap(), &counts.select_rows(&rows).unwrap())
        .unwrap();
    assert_close(&[twice.coef()[0]], &[one.coef()[0]], 1e-9);
    assert_eq!((one.dof_resid(), ten.dof_resid(), twice.dof_resid()), (198.0, 198.0, 298.0));
    // Pearson's χ²: over weights of one on average, and over 300 rows.
    assert_close(&[one.scale() * 198.0 * 1.5], &[twice.scale() * 298.0], 1e-9);
}
