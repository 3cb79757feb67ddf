//! Rows as recordings have them: several chunks, gaps, folds, weights and offsets of each neuron, features computed on demand, neurons
//! that hardly fire.

use ndarray::Array2;
use nemos::basis::{BSpline, Family, RaisedCosineLog, Window};
use nemos::core::{Backend, Design, Matrix, NdArray, ToDesign};
use nemos::glm::{LinkForm, NegativeBinomial, ObservationForm, Poisson, Problems, Regularizer, Score};
use nemos::sim::Simulate;
use nemos::solvers::{Auto, Objective, Order, Request, Status, Stopping};
use nemos_testkit::Tolerance;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::fits::{Any, model};

const N: usize = 2300;

/// Everything that `Rows` may ask of a backend.
pub(crate) fn rows<B: Backend>(tolerance: Tolerance) {
    gaps::<B>(tolerance);
    folds::<B>(tolerance);
    batches::<B>(tolerance);
    on_demand::<B>(tolerance);
    scales::<B>(tolerance);
    few_spikes::<B>(tolerance);
    no_features::<B>(tolerance);
    draws::<B>();
}

fn wave(step: usize) -> f64 {
    f64::from((step as f64 * 0.7).sin() as f32)
}

fn matrix<B: Backend>(columns: usize, of: impl Fn(usize) -> f64) -> Matrix<B> {
    Matrix::from_vec((0..N * columns).map(of).collect(), [N, columns]).expect("N rows")
}

/// Four features and three neurons.
fn plain<B: Backend>() -> (Matrix<B>, Matrix<B>) {
    let design = matrix(4, |at| wave(at * at % 977));
    (design, matrix(3, |at| (2.0 + 2.0 * wave(at * 5 % 631)).round()))
}

fn close<B: Backend>(tolerance: Tolerance, what: &str, got: &[f64], expected: &[f64]) {
    let agrees = tolerance.check(what, got, expected);
    assert!(agrees.is_ok(), "{}: {agrees:?}", B::NAME);
}

fn flat(coef: ndarray::ArrayView2<'_, f64>) -> Vec<f64> {
    coef.iter().copied().collect()
}

fn exactly(model: &Any) -> Any {
    model.clone().stopping(Stopping::new().tolerance(1e-16))
}

/// As far as the precision of `B` goes.
fn as_exact_as<B: Backend>(model: &Any) -> Any {
    if B::epsilon() < 1e-10 { exactly(model) } else { model.clone() }
}

/// More gaps than runs are cut for, a missing count, weights and offsets of each neuron.
fn gaps<B: Backend>(tolerance: Tolerance) {
    fn data<B: Backend>() -> (Design<'static, B>, Matrix<B>) {
        let (design, counts) = plain::<B>();
        let mut design = design.to_array();
        (0..N).step_by(97).for_each(|row| design[(row, row % 4)] = f64::NAN);
        let mut counts = counts.to_array();
        counts[(1200, 1)] = f64::NAN;
        let design = Design::from(Matrix::from(design))
            .with_weights(matrix::<B>(3, |at| ((at % 5) as f64) * 0.5))
            .and_then(|design| design.with_offset(matrix::<B>(3, |at| 0.25 * wave(at % 113))));
        (design.expect("one row for each"), Matrix::from(counts))
    }
    let model = model(Poisson).link(LinkForm::Softplus).regularizer(Regularizer::Ridge(0.01.into()));
    let (design, counts) = data::<NdArray>();
    let expected = exactly(&model).fit(&design, &counts).expect("usable data");
    let (design_here, counts_here) = data::<B>();
    let fitted = as_exact_as::<B>(&model).fit(&design_here, &counts_here).expect("usable data");
    assert!(fitted.outcome().all_converged(), "{} {:?}", B::NAME, fitted.outcome());
    close::<B>(tolerance, "coef", &flat(fitted.coef()), &flat(expected.coef()));
    for score in [Score::LogLikelihood, Score::McFadden] {
        let got = expected.score(&design_here, &counts_here, score).expect("as fitted");
        let off = (got - expected.score(&design, &counts, score).expect("as fitted")).abs();
        assert!(off <= 2e-6, "{}: {score:?} is off by {off:.1e}", B::NAME);
    }
    assert_eq!(fitted.dof_resid(), expected.dof_resid());
    let rates = |matrix: Result<Matrix<B>, nemos::core::Error>| matrix.expect("as fitted").to_vec();
    let got = expected.predict(&design_here).expect("as fitted").to_matrix();
    let there = expected.predict(&design).expect("as fitted").to_matrix().expect("held").to_vec();
    let got = rates(got);
    assert_eq!(got.iter().filter(|rate| rate.is_nan()).count(), N.div_ceil(97) * 3);
    let known: Vec<usize> = (0..there.len()).filter(|&at| !there[at].is_nan()).collect();
    let pick = |values: &[f64]| known.iter().map(|&at| values[at]).collect::<Vec<_>>();
    close::<B>(tolerance, "rates", &pick(&got), &pick(&there));
}

/// Three folds of two neurons as one batch, one fold across chunks.
fn folds<B: Backend>(tolerance: Tolerance) {
    let of_row = (0..N)
        .map(|row| if row < 900 { 0 } else { 1 + (row / 50 % 2) as u8 })
        .collect::<Vec<_>>();
    let left_out = (0..6).map(|problem| Some((problem / 2) as u8));
    let problems = Problems::of_responses([0, 2, 0, 2, 0, 2])
        .leaving_out(of_row, left_out)
        .expect("six problems");
    let model = model(Poisson).regularizer(Regularizer::Ridge(0.02.into()));
    let (design, counts) = plain::<NdArray>();
    let expected = exactly(&model)
        .fit_problems(&Auto::new(), problems.clone(), &design, &counts)
        .expect("usable data");
    let (design, counts) = plain::<B>();
    let fitted = as_exact_as::<B>(&model)
        .fit_problems(&Auto::new(), problems, &design, &counts)
        .expect("usable data");
    assert!(fitted.outcome().all_converged(), "{} {:?}", B::NAME, fitted.outcome());
    close::<B>(tolerance, "coef of folds", &flat(fitted.coef()), &flat(expected.coef()));
}

/// Values, gradients and curvatures of some problems, over all rows and over rows by their numbers.
fn batches<B: Backend>(tolerance: Tolerance) {
    let some: Vec<usize> = (0..300).map(|step| step * 37 % N).collect();
    let found = |rows: Option<&[usize]>, order: Order| {
        fn evaluated<B: Backend>(rows: Option<&[usize]>, order: Order) -> Vec<f64> {
            let (design, counts) = plain::<B>();
            let objective = model(Poisson).objective(&design, &counts).expect("usable data");
            let columns = [2, 0];
            let at = objective.start().select(&columns);
            let request = Request {
                columns: &columns,
                rows,
                order,
            };
            let found = objective.evaluate(&at, request).expect("finite");
            let curvature = found.curvature.iter().flatten().flatten().copied();
            let values = found.values.iter().chain(found.gradient.as_slice()).copied();
            values.chain(curvature).collect()
        }
        (evaluated::<B>(rows, order), evaluated::<NdArray>(rows, order))
    };
    for rows in [None, Some(some.as_slice())] {
        for order in [Order::Gradient, Order::Curvature] {
            let (got, expected) = found(rows, order);
            close::<B>(tolerance, "an evaluation", &got, &expected);
        }
    }
}

/// Features that are computed, and counts that are widened, a chunk at a time; the first rows of a filter are missing.
fn on_demand<B: Backend>(tolerance: Tolerance) {
    fn fitted<B: Backend>(stopping: Stopping) -> (Vec<f64>, Vec<f64>) {
        let inputs = matrix::<B>(1, |at| 0.5 + 0.5 * wave(at * 3 % 401));
        let basis = BSpline::new(5).bounds(-0.1, 1.1) + RaisedCosineLog::new(3).convolved(Window::samples(12));
        let features = basis.design((&inputs, &inputs)).expect("usable inputs");
        let counts = Array2::from_shape_fn((N, 2), |(row, neuron)| (row * (neuron + 3) % 7 % 4) as u8);
        let model = model(Poisson).regularizer(Regularizer::Ridge(0.01.into())).stopping(stopping);
        let fitted = model.fit(&features, &counts).expect("usable data");
        assert!(fitted.outcome().all_converged(), "{} {:?}", B::NAME, fitted.outcome());
        let held = features.to_design().to_matrix().expect("room for few features");
        let of_held = model.fit(&held, &Matrix::from(counts.mapv(f64::from))).expect("usable data");
        (flat(fitted.coef()), flat(of_held.coef()))
    }
    let (expected, _) = fitted::<NdArray>(Stopping::new().tolerance(1e-16));
    let (lazy, held) = fitted::<B>(Stopping::new().tolerance(if B::epsilon() < 1e-10 { 1e-16 } else { 1e-6 }));
    close::<B>(tolerance, "coef of features on demand", &lazy, &expected);
    close::<B>(tolerance, "coef of the same, held", &held, &expected);
}

/// Scales that are estimated together with the coefficients.
fn scales<B: Backend>(tolerance: Tolerance) {
    fn data<B: Backend>() -> (Matrix<B>, Matrix<B>) {
        let (design, _) = plain::<B>();
        let drives = |at: usize| (1.0 + wave(at / 2 * at / 2 % 977)) * if at.is_multiple_of(7) { 6.0 } else { 1.0 };
        (design, matrix(2, |at| drives(at).round()))
    }
    let model = model(NegativeBinomial::estimated());
    let (design, counts) = data::<NdArray>();
    let expected = exactly(&model).fit(&design, &counts).expect("usable data");
    let (design, counts) = data::<B>();
    let fitted = as_exact_as::<B>(&model).fit(&design, &counts).expect("usable data");
    assert!(fitted.outcome().all_converged(), "{} {:?}", B::NAME, fitted.outcome());
    close::<B>(tolerance, "scales", fitted.scale(), expected.scale());
    close::<B>(tolerance, "coef", &flat(fitted.coef()), &flat(expected.coef()));
}

/// One neuron without a spike, one with a spike in a thousand rows, one that fires: under a link and a model in which small rates are
/// differences of ones.
fn few_spikes<B: Backend>(tolerance: Tolerance) {
    fn data<B: Backend>() -> (Matrix<B>, Matrix<B>) {
        let (design, _) = plain::<B>();
        let counts = matrix(3, |at| match at % 3 {
            0 => 0.0,
            1 => f64::from(u8::from(at / 3 % 1000 == 700)),
            _ => (2.0 + 2.0 * wave(at * 5 % 631)).round(),
        });
        (design, counts)
    }
    fn agree<B: Backend>(tolerance: Tolerance, observation: impl Into<ObservationForm>) {
        let model = model(observation)
            .link(LinkForm::Softplus)
            .regularizer(Regularizer::Ridge(1e-4.into()));
        let (design, counts) = data::<NdArray>();
        let expected = exactly(&model).fit(&design, &counts).expect("usable data");
        let (here, counts_here) = data::<B>();
        let fitted = as_exact_as::<B>(&model).fit(&here, &counts_here).expect("usable data");
        let columns = &fitted.outcome().columns;
        assert_eq!(columns[0].status, Status::NoMaximum, "{}", B::NAME);
        assert!(
            columns[1..].iter().all(|column| column.status == Status::Converged),
            "{} {columns:?}",
            B::NAME
        );
        for neuron in 1..3 {
            let coef = |coef: ndarray::ArrayView2<'_, f64>| coef.column(neuron).to_vec();
            close::<B>(tolerance, "coef of few spikes", &coef(fitted.coef()), &coef(expected.coef()));
        }
        close::<B>(
            tolerance,
            "intercepts",
            &fitted.intercept().to_vec()[1..],
            &expected.intercept().to_vec()[1..],
        );
        let scores = |here: Vec<f64>| here[1..].to_vec();
        let got = scores(expected.score_by_neuron(&here, &counts_here, Score::McFadden).expect("as fitted"));
        let there = scores(expected.score_by_neuron(&design, &counts, Score::McFadden).expect("as fitted"));
        for (got, there) in got.iter().zip(&there) {
            assert!((got - there).abs() <= 2e-6, "{}: a score of {there} is {got}", B::NAME);
        }
    }
    agree::<B>(tolerance, Poisson);
    agree::<B>(tolerance, NegativeBinomial::new(0.01));
}

/// A model of intercepts alone.
fn no_features<B: Backend>(tolerance: Tolerance) {
    let (_, counts) = plain::<NdArray>();
    let expected = model(Poisson).fit(&Matrix::zeros([N, 0]), &counts).expect("usable data");
    let (_, counts) = plain::<B>();
    let fitted = model(Poisson).fit(&Matrix::zeros([N, 0]), &counts).expect("usable data");
    close::<B>(
        tolerance,
        "intercepts alone",
        &fitted.intercept().to_vec(),
        &expected.intercept().to_vec(),
    );
}

/// Counts that are drawn at rates of this backend.
fn draws<B: Backend>() {
    let (design, counts) = plain::<NdArray>();
    let fitted = model(Poisson).fit(&design, &counts).expect("usable data");
    let (design, _) = plain::<B>();
    let simulated = fitted
        .simulate_with_rates(&design, &mut ChaCha8Rng::seed_from_u64(1))
        .expect("as fitted");
    let mean = |matrix: Matrix<B>| {
        let values = matrix.to_vec();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let (drawn, rates) = (mean(simulated.counts), mean(simulated.rates));
    // Of 6,900 counts, whose mean is known to two percent.
    assert!((drawn / rates - 1.0).abs() < 0.06, "{}: {drawn} at rates of {rates}", B::NAME);
}
