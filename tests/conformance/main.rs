//! Every backend passes the same test, written once: make, move, slice, multiply, fit, and compute features, in every way in which
//! users ask for them. What is expected comes from `NdArray` in double precision, another implementation.

mod features;
mod fits;
mod kernels;
mod rows;
mod short;

use nemos::core::{Backend, Matrix, Names, NdArray, Rows, Samples};
use nemos::glm::{LinkForm, Poisson, Regularizer, Score};
use nemos_testkit::Tolerance;

use short::Short;

/// The test, in the order in which data take their way through a backend.
fn conforms<B: Backend>(tolerance: Tolerance) {
    make::<B>();
    move_between::<B>();
    slice::<B>();
    multiply::<B>(tolerance);
    kernels::kernels::<B>();
    fit::<B>(tolerance);
    fits::models::<B>(tolerance);
    fits::classes::<B>(tolerance);
    features::features::<B>(tolerance);
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

/// Fits of three neurons, against the same fits by `NdArray` in double precision; one neuron misses a count.
fn fit<B: Backend>(tolerance: Tolerance) {
    let wave = |step: usize| (step as f64 * 0.7).sin();
    let design: Vec<f64> = (0..600 * 4).map(|at| wave(at * at % 977)).collect();
    let mut counts: Vec<f64> = (0..600 * 3).map(|at| (2.0 + 2.0 * wave(at * 5 % 631)).round()).collect();
    counts[3] = f64::NAN;
    let design = Matrix::<NdArray>::from_vec(design, [600, 4]).expect("600 × 4 values");
    let counts = Matrix::<NdArray>::from_vec(counts, [600, 3]).expect("600 × 3 values");
    let model = fits::model(Poisson)
        .link(LinkForm::Softplus)
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

#[cfg(feature = "cpu")]
mod cpu {
    use nemos::core::Cpu;
    use nemos_testkit::Card;

    use super::*;

    #[test]
    fn in_double_precision() {
        conforms::<Cpu>(Tolerance::SMOOTH_FIT);
        rows::rows::<Short<Cpu>>(Tolerance::SMOOTH_FIT);
    }

    #[test]
    fn in_single_precision() {
        conforms::<Cpu<f32>>(Tolerance::SINGLE);
        rows::rows::<Short<Cpu<f32>>>(Tolerance::SINGLE);
    }

    #[test]
    fn as_a_card_in_double_precision() {
        conforms::<Card<f64>>(Tolerance::SMOOTH_FIT);
        rows::rows::<Card<f64>>(Tolerance::SMOOTH_FIT);
    }

    #[test]
    fn as_a_card() {
        conforms::<Card>(Tolerance::SINGLE);
        rows::rows::<Card>(Tolerance::SINGLE);
    }
}

#[test]
fn ndarray_in_double_precision() {
    conforms::<NdArray<f64>>(Tolerance::SMOOTH_FIT);
}

#[test]
fn ndarray_in_single_precision() {
    conforms::<NdArray<f32>>(Tolerance::SINGLE);
}

/// A machine without such a card: what is missing is said, and nothing else is tried.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn is_missing<B: Backend>() -> bool {
    let Err(error) = B::check() else { return false };
    let text = error.to_string();
    assert!(text.contains(B::NAME) && text.contains("install"), "{text}");
    println!("not tried: {text}");
    true
}

#[cfg(feature = "wgpu")]
#[test]
fn wgpu() {
    if !is_missing::<nemos::core::Wgpu>() {
        conforms::<nemos::core::Wgpu>(Tolerance::SINGLE);
    }
}

#[cfg(feature = "wgpu")]
#[test]
fn wgpu_in_short_chunks() {
    if !is_missing::<nemos::core::Wgpu>() {
        rows::rows::<Short<nemos::core::Wgpu>>(Tolerance::SINGLE);
    }
}

#[cfg(feature = "cuda")]
#[test]
fn cuda() {
    if !is_missing::<nemos::core::Cuda>() {
        conforms::<nemos::core::Cuda>(Tolerance::SINGLE);
        rows::rows::<Short<nemos::core::Cuda>>(Tolerance::SINGLE);
    }
}
