//! Features of every family, pointwise, filtered and combined.

use nemos::basis::{
    BSpline, Basis, Category, Custom, CyclicBSpline, Family, Fourier, History, Identity, MSpline, OrthogonalizedExponential,
    RaisedCosineLinear, RaisedCosineLog, Window, Zero,
};
use nemos::core::convolution::{Causality, Shift};
use nemos::core::{Backend, Design, Matrix, NdArray, Rows, Segments};
use nemos_testkit::Tolerance;

/// Between zero and one, two columns of 160 rows in segments of 90 and 70; `f32` holds all of them. One is missing.
fn samples() -> Matrix<NdArray> {
    let mut samples: Vec<f64> = (0..320).map(|at| f64::from(at * 37 % 256) / 256.0).collect();
    samples[61] = f64::NAN;
    Matrix::from_vec(samples, [160, 2]).expect("160 × 2 values")
}

fn bases() -> Vec<Basis> {
    vec![
        BSpline::new(6).bounds(0.1, 1.0).into(),
        CyclicBSpline::new(7).bounds(0.0, 1.0).into(),
        MSpline::new(5).into(),
        Fourier::new(3).bounds(0.0, 1.0).into(),
        OrthogonalizedExponential::new([1.0, 2.5, 4.0]).bounds(0.0, 1.0).into(),
        Identity::new().bounds(0.0, 0.9).into(),
        Category::numbered([0.0, 0.25, 0.5]).into(),
        Custom::new("square", |x| x * x).function(|x| 1.0 / (1.0 + x)).into(),
        History::new(Window::samples(4)).into(),
        RaisedCosineLinear::new(4) * RaisedCosineLog::new(3),
        BSpline::new(5) + Zero::new(),
        RaisedCosineLog::new(4).convolved(Window::samples(9)),
        BSpline::new(4).convolved(Window::samples(7).causality(Causality::Acausal)),
        MSpline::new(4).convolved(Window::samples(6).causality(Causality::AntiCausal(Shift::None))),
    ]
}

/// The same features as `NdArray` computes in double precision: all rows, and rows from the middle across the end of a segment.
pub(crate) fn features<B: Backend>(tolerance: Tolerance) {
    let (there, here) = (samples(), samples().to_backend::<B>());
    let segments = || Segments::from_lengths([90, 70]);
    let there = Design::from(there).with_segments(segments()).expect("160 rows");
    let here = Design::from(here).with_segments(segments()).expect("160 rows");
    for basis in bases() {
        let inputs = vec![&there; basis.n_inputs()];
        let expected = basis.design(inputs.as_slice()).expect("usable samples");
        let inputs = vec![&here; basis.n_inputs()];
        let got = basis.design(inputs.as_slice()).expect("usable samples");
        for rows in [0..160, 70..101] {
            let agrees = tolerance.check(
                "features",
                &got.chunk(rows.clone()).expect("rows exist").to_vec(),
                &expected.chunk(rows).expect("rows exist").to_vec(),
            );
            assert!(agrees.is_ok(), "{} {basis:?}: {agrees:?}", B::NAME);
        }
    }
}
