//! Every backend passes the same test, written once: make, move, slice, multiply, fit; and on
//! processors, compute features.

use nemos::basis::{BSpline, Basis, CyclicBSpline, Family, MSpline, RaisedCosineLinear, RaisedCosineLog, Window};
use nemos::core::{Backend, Matrix, Names, NdArray, Rows, Samples, ToDesign};
use nemos::glm::{
    Bernoulli, ClassifierPopulationGlm, Exp, FeatureMask, Gamma, Gaussian, Groups, Identity, InverseLink, NegativeBinomial, NormalCdf,
    ObservationModel, Poisson, PopulationGlm, Regularizer, Score, Softplus,
};
use nemos_testkit::Tolerance;

/// The test, in the order in which data take their way through a backend.
fn conforms<B: Backend>(tolerance: Tolerance) {
    make::<B>();
    move_between::<B>();
    slice::<B>();
    multiply::<B>(tolerance);
    fit::<B>(tolerance);
    models::<B>(tolerance);
    classes::<B>(tolerance);
}

/// Six numbers that every precision holds exactly.
fn sample<B: Backend>() -> Matrix<B> {
    Matrix::from_vec(vec![1.0, -2.5, 0.0, 4.0, f64::NAN, 0.125], [3, 2]).expect("six values")
}

fn assert_equal(what: &str, got: &[f64], expected: &[f64]) {
    let equal = |(got, expected): (&f64, &f64)| got == expected || (got.is_nan() && expected.is_nan());
    let same = got.len() == expected.len() && got.iter().zip(expected).all(equal);
    assert!(same, "{what}: {got:?} is not {expected:?}");
}

fn make<B: Backend>() {
    assert_eq!(sample::<B>().dims(), [3, 2]);
    assert_equal("values", &sample::<B>().to_vec(), &[1.0, -2.5, 0.0, 4.0, f64::NAN, 0.125]);
    assert_equal("array", sample::<B>().to_array().column(1).to_vec().as_slice(), &[-2.5, 4.0, 0.125]);
    assert_equal("zeros", &Matrix::<B>::zeros([2, 2]).to_vec(), &[0.0; 4]);
    assert!(Matrix::<B>::zeros([0, 3]).to_vec().is_empty());
    assert!(Matrix::<B>::from_vec(vec![1.0], [2, 2]).is_err());
    // Made by burn in its default precision, and cast on the way in.
    let tensor = sample::<B>().into_tensor();
    assert_equal("tensor", &Matrix::<B>::from_tensor(tensor).to_vec(), &sample::<B>().to_vec());
}

fn move_between<B: Backend>() {
    let there: Matrix<NdArray<f64>> = sample::<B>().to_backend();
    let back: Matrix<B> = there.to_backend();
    assert_equal("there", &there.to_vec(), &sample::<B>().to_vec());
    assert_equal("back", &back.to_vec(), &sample::<B>().to_vec());
}

fn slice<B: Backend>() {
    let matrix = sample::<B>();
    assert_equal(
        "rows",
        &matrix.rows(1..3).expect("rows exist").to_vec(),
        &[0.0, 4.0, f64::NAN, 0.125],
    );
    assert_equal("no rows", &matrix.rows(2..2).expect("rows exist").to_vec(), &[]);
    let picked = matrix.select_rows(&[2, 0, 2]).expect("rows exist");
    assert_equal("rows by number", &picked.to_vec(), &[f64::NAN, 0.125, 1.0, -2.5, f64::NAN, 0.125]);
    let picked = matrix.select_columns(&[1]).expect("the column exists");
    assert_equal("columns by number", &picked.to_vec(), &[-2.5, 4.0, 0.125]);
    assert_equal("chunk", &matrix.chunk(0..1).expect("rows exist").to_vec(), &[1.0, -2.5]);
    let beside = Matrix::beside(vec![picked, matrix.clone()]).expect("equal rows");
    assert_equal("beside", &beside.rows(0..1).expect("rows exist").to_vec(), &[-2.5, 1.0, -2.5]);
    assert!(matrix.rows(2..4).is_err() && matrix.select_columns(&[2]).is_err());
    assert_eq!(matrix.wrap(matrix.clone(), Names::none()).dims(), [3, 2]);
}

/// A product of a size at which backends leave their simplest code, against sums in double precision.
fn multiply<B: Backend>(tolerance: Tolerance) {
    let (rows, inner, columns) = (300, 33, 17);
    let wave = |step: usize| f64::from((step as f64 * 0.37).sin() as f32);
    let left: Vec<f64> = (0..rows * inner).map(wave).collect();
    let right: Vec<f64> = (0..inner * columns).map(|step| wave(3 * step + 1)).collect();
    let expected: Vec<f64> = (0..rows * columns)
        .map(|at| {
            (0..inner)
                .map(|k| left[at / columns * inner + k] * right[k * columns + at % columns])
                .sum()
        })
        .collect();
    let left = Matrix::<B>::from_vec(left, [rows, inner]).expect("rows × inner values");
    let right = Matrix::<B>::from_vec(right, [inner, columns]).expect("inner × columns values");
    let product = left.matmul(&right).expect("shapes agree");
    let agrees = tolerance.check("product", &product.to_vec(), &expected);
    assert!(agrees.is_ok(), "{agrees:?}");
    assert!(left.matmul(&left).is_err());
    assert_eq!(
        Matrix::<B>::zeros([2, 0])
            .matmul(&Matrix::zeros([0, 3]))
            .expect("shapes agree")
            .to_vec(),
        [0.0; 6]
    );
}

/// Features of splines, cosines and filters, against the same by `NdArray` in double precision.
fn features<B: Backend>(tolerance: Tolerance) {
    let samples: Vec<f64> = (0..200).map(|at| f64::from(at * 37 % 200) / 199.0).collect();
    let samples = Matrix::<NdArray>::from_vec(samples, [100, 2]).expect("100 × 2 values");
    let bases: [Basis; 5] = [
        BSpline::new(6).bounds(0.1, 1.0).into(),
        CyclicBSpline::new(7).bounds(0.0, 1.0).into(),
        MSpline::new(5).into(),
        RaisedCosineLinear::new(4) * RaisedCosineLog::new(3),
        RaisedCosineLog::new(4).convolved(Window::samples(9)),
    ];
    for basis in bases {
        let inputs = vec![&samples; basis.n_inputs()];
        let expected = basis.compute_features(inputs.as_slice()).expect("usable samples");
        let samples = samples.to_backend::<B>();
        let inputs = vec![&samples; basis.n_inputs()];
        let got = basis.compute_features(inputs.as_slice()).expect("usable samples");
        let agrees = tolerance.check("features", &got.to_vec(), &expected.to_vec());
        assert!(agrees.is_ok(), "{basis:?}: {agrees:?}");
    }
}

/// Fits of three neurons, against the same fits by `NdArray` in double precision; one neuron misses a count.
fn fit<B: Backend>(tolerance: Tolerance) {
    let wave = |step: usize| (step as f64 * 0.7).sin();
    let design: Vec<f64> = (0..600 * 4).map(|at| wave(at * at % 977)).collect();
    let mut counts: Vec<f64> = (0..600 * 3).map(|at| (2.0 + 2.0 * wave(at * 5 % 631)).round()).collect();
    counts[3] = f64::NAN;
    let design = Matrix::<NdArray>::from_vec(design, [600, 4]).expect("600 × 4 values");
    let counts = Matrix::<NdArray>::from_vec(counts, [600, 3]).expect("600 × 3 values");
    let model = PopulationGlm::new(Poisson)
        .link(Softplus)
        .regularizer(Regularizer::Ridge(0.01.into()));
    let expected = model.fit(&design, &counts).expect("usable data");
    let (design, counts) = (design.to_backend::<B>(), counts.to_backend::<B>());
    let fitted = model.fit(&design, &counts).expect("usable data");
    assert!(fitted.outcome().all_converged(), "{:?}", fitted.outcome());
    let flat = |coef: ndarray::ArrayView2<'_, f64>| coef.iter().copied().collect::<Vec<_>>();
    let agrees = tolerance.check("coef", &flat(fitted.coef()), &flat(expected.coef()));
    assert!(agrees.is_ok(), "{agrees:?}");
    let agrees = tolerance.check("intercept", &fitted.intercept().to_vec(), &expected.intercept().to_vec());
    assert!(agrees.is_ok(), "{agrees:?}");
    assert_eq!(fitted.predict(&design).expect("as fitted").dims(), [600, 3]);
    assert!(fitted.score(&design, &counts, Score::McFadden).expect("as fitted").is_finite());
}

/// Features, counts from zero to four, weights and an offset; one count and one feature are missing, one neuron is nearly silent.
fn recording<B: Backend>() -> [Matrix<B>; 4] {
    let wave = |step: usize| (step as f64 * 0.7).sin();
    let mut design: Vec<f64> = (0..3000 * 4).map(|at| wave(at * at % 977)).collect();
    design[17] = f64::NAN;
    let mut counts: Vec<f64> = (0..3000 * 3)
        .map(|at| match at % 3 {
            2 => f64::from(u8::from(at % 330 == 2)),
            _ => (2.0 + 2.0 * wave(at * 5 % 631)).round(),
        })
        .collect();
    counts[30] = f64::NAN;
    let weights = (0..3000).map(|row| f64::from(row % 4)).collect();
    let offset = (0..3000).map(|row| 0.1 * wave(row)).collect();
    let matrix = |values, columns| Matrix::<B>::from_vec(values, [3000, columns]).expect("3000 rows");
    [matrix(design, 4), matrix(counts, 3), matrix(weights, 1), matrix(offset, 1)]
}

/// Every observation model, links, penalties, masks, weights, offsets, missing values: fits, scores, predictions and
/// log-likelihoods, against the same by `NdArray` in double precision.
fn models<B: Backend>(tolerance: Tolerance) {
    let ridge = || Regularizer::Ridge(0.01.into());
    let groups = Regularizer::GroupLasso {
        strength: 0.002.into(),
        groups: Groups::Features(vec![vec![0, 1], vec![2, 3]]),
    };
    agree::<B, _, _>(tolerance, PopulationGlm::new(Poisson), |count| count);
    agree::<B, _, _>(
        tolerance,
        PopulationGlm::new(Poisson).regularizer(Regularizer::Lasso(0.02.into())),
        |count| count,
    );
    agree::<B, _, _>(tolerance, PopulationGlm::new(Poisson).link(Softplus).regularizer(groups), |count| {
        count
    });
    agree::<B, _, _>(tolerance, PopulationGlm::new(Gaussian).regularizer(ridge()), |count| count);
    agree::<B, _, _>(tolerance, PopulationGlm::new(Gamma).link(Exp).regularizer(ridge()), |count| {
        count + 0.5
    });
    agree::<B, _, _>(tolerance, PopulationGlm::new(Bernoulli).regularizer(ridge()), |count| {
        count.min(1.0)
    });
    agree::<B, _, _>(
        tolerance,
        PopulationGlm::new(Bernoulli).link(NormalCdf).regularizer(ridge()),
        |count| count.min(1.0),
    );
    agree::<B, _, _>(
        tolerance,
        PopulationGlm::new(NegativeBinomial::new(0.5)).regularizer(ridge()),
        |count| count,
    );
    agree::<B, _, _>(tolerance, PopulationGlm::new(Gaussian).link(Identity), |count| count);
    let mask = ndarray::array![[true, false, true], [true, true, true], [false, true, true], [true, true, false]];
    let masked = PopulationGlm::new(Poisson)
        .regularizer(ridge())
        .feature_mask(FeatureMask::from(mask));
    agree::<B, _, _>(tolerance, masked, |count| count);
}

fn agree<B: Backend, O: ObservationModel, L: InverseLink>(tolerance: Tolerance, model: PopulationGlm<O, L>, value: fn(f64) -> f64) {
    let [design, counts, weights, offset] = recording::<NdArray>();
    let counts = Matrix::<NdArray>::from(counts.to_array().mapv(value));
    let data = design
        .to_design()
        .with_weights(weights.clone())
        .and_then(|data| data.with_offset(offset.clone()));
    let data = data.expect("one weight and one offset for each row");
    // To the last digit, against which all others are seen.
    let exact = model.clone().stopping(nemos::solvers::Stopping::new().tolerance(1e-16));
    let expected = exact.fit(&data, &counts).expect("usable data");
    let here = [&design, &weights, &offset].map(|matrix| matrix.to_backend::<B>());
    let counts_here = counts.to_backend::<B>();
    let data_here = here[0]
        .to_design()
        .with_weights(here[1].clone())
        .and_then(|data| data.with_offset(here[2].clone()));
    let data_here = data_here.expect("one weight and one offset for each row");
    let as_exact = if B::epsilon() < 1e-10 { &exact } else { &model };
    let fitted = as_exact.fit(&data_here, &counts_here).expect("usable data");
    let check = |what: &str, got: &[f64], expected: &[f64]| {
        let agrees = tolerance.check(what, got, expected);
        assert!(agrees.is_ok(), "{} {model:?}: {agrees:?}", B::NAME);
    };
    assert!(fitted.outcome().all_converged(), "{} {model:?}: {:?}", B::NAME, fitted.outcome());
    check(
        "coef",
        &fitted.coef().iter().copied().collect::<Vec<_>>(),
        &expected.coef().iter().copied().collect::<Vec<_>>(),
    );
    check("intercept", &fitted.intercept().to_vec(), &expected.intercept().to_vec());
    for score in [Score::LogLikelihood, Score::McFadden, Score::Cohen] {
        let got = expected.score(&data_here, &counts_here, score).expect("as fitted");
        // A score near zero is as exact as one near one.
        let reference = expected.score(&data, &counts, score).expect("as fitted");
        check("score", &[1.0 + got], &[1.0 + reference]);
    }
    // The rows without missing values: a NaN is close to nothing.
    let rows = 100..400;
    let there = |matrix: Matrix<NdArray>| matrix.rows(rows.clone()).expect("rows exist").to_vec();
    let got = expected
        .predict(&data_here)
        .and_then(|rates| Ok(rates.to_matrix()?))
        .expect("as fitted");
    let rates = expected.predict(&data).and_then(|rates| Ok(rates.to_matrix()?)).expect("as fitted");
    check("rates", &there(got.to_backend()), &there(rates));
    assert!(got.rows(4..5).expect("the row exists").to_vec()[0].is_nan());
    let got = expected
        .log_likelihood_by_sample(&data_here, &counts_here)
        .and_then(|each| Ok(each.to_matrix()?));
    let each = expected
        .log_likelihood_by_sample(&data, &counts)
        .and_then(|each| Ok(each.to_matrix()?));
    check(
        "log-likelihoods",
        &there(got.expect("as fitted").to_backend()),
        &there(each.expect("as fitted")),
    );
}

/// Classes, against the same by `NdArray` in double precision.
fn classes<B: Backend>(tolerance: Tolerance) {
    let [design, counts, ..] = recording::<NdArray>();
    let labels = Matrix::<NdArray>::from(counts.to_array().mapv(|count| count.min(2.0)));
    let model = ClassifierPopulationGlm::new(3).regularizer(Regularizer::Ridge(0.05.into()));
    let expected = model.fit(&design, &labels).expect("usable data");
    let (design_here, labels_here) = (design.to_backend::<B>(), labels.to_backend::<B>());
    let fitted = model.fit(&design_here, &labels_here).expect("usable data");
    let probabilities = |matrix: Result<Matrix<B>, nemos::glm::Error>| {
        let rows = matrix.expect("as fitted").rows(100..400).expect("rows exist");
        rows.to_vec()
    };
    let agrees = tolerance.check(
        "probabilities",
        &probabilities(fitted.predict_probability(&design_here)),
        &probabilities(expected.predict_probability(&design_here)),
    );
    assert!(agrees.is_ok(), "{agrees:?}");
    let score = expected.score(&design_here, &labels_here, Score::McFadden).expect("as fitted");
    let agrees = tolerance.check(
        "score",
        &[score],
        &[expected.score(&design, &labels, Score::McFadden).expect("as fitted")],
    );
    assert!(agrees.is_ok(), "{agrees:?}");
}

#[cfg(feature = "cpu")]
#[test]
fn cpu_in_double_precision() {
    conforms::<nemos::core::Cpu<f64>>(Tolerance::SMOOTH_FIT);
    features::<nemos::core::Cpu<f64>>(Tolerance::SMOOTH_FIT);
}

#[cfg(feature = "cpu")]
#[test]
fn cpu_in_single_precision() {
    conforms::<nemos::core::Cpu<f32>>(Tolerance::SINGLE);
    features::<nemos::core::Cpu<f32>>(Tolerance::SINGLE);
}

#[test]
fn ndarray_in_double_precision() {
    conforms::<NdArray<f64>>(Tolerance::SMOOTH_FIT);
    features::<NdArray<f64>>(Tolerance::SMOOTH_FIT);
}

#[test]
fn ndarray_in_single_precision() {
    conforms::<NdArray<f32>>(Tolerance::SINGLE);
    features::<NdArray<f32>>(Tolerance::SINGLE);
}

#[cfg(feature = "wgpu")]
#[test]
fn wgpu() {
    conforms::<nemos::core::Wgpu>(Tolerance::SINGLE);
}

#[cfg(feature = "cuda")]
#[test]
fn cuda() {
    if !std::path::Path::new("/dev/nvidiactl").exists() {
        println!("cuda: skipped, this machine has no NVIDIA card");
        return;
    }
    conforms::<nemos::core::Cuda>(Tolerance::SINGLE);
}
