//! Every mistake has an error of its own.

use nemos_basis::*;
use nemos_core::{Cpu, Matrix};

fn column(values: &[f64]) -> Matrix<Cpu> {
    Matrix::from_column(values.to_vec())
}

fn error_of(basis: impl Into<Basis>, inputs: &[&Matrix<Cpu>]) -> Error {
    basis.into().compute_features(inputs).expect_err("bad input")
}

macro_rules! assert_error {
    ($basis:expr, $pattern:pat) => {{
        let samples = column(&[0.0, 0.5, 1.0, 0.2, 0.7, 0.1]);
        let basis = Basis::from($basis);
        let error = error_of(basis.clone(), &vec![&samples; basis.n_inputs()]);
        assert!(matches!(error, $pattern), "{error:?}");
    }};
}

#[test]
fn wrong_options_are_named() {
    assert_error!(BSpline::new(3), Error::TooFewFunctions { got: 3, least: 4, .. });
    assert_error!(BSpline::new(3).order(0), Error::Order { got: 0, least: 1, .. });
    assert_error!(CyclicBSpline::new(3).order(1), Error::Order { got: 1, least: 2, .. });
    assert_error!(MSpline::new(2).order(3), Error::TooFewFunctions { .. });
    assert_error!(RaisedCosineLinear::new(1), Error::TooFewFunctions { got: 1, least: 2, .. });
    assert_error!(RaisedCosineLinear::new(4).width(1.2), Error::Width { .. });
    assert_error!(RaisedCosineLog::new(4).width(1.0), Error::Width { .. });
    assert_error!(RaisedCosineLog::new(4).time_scaling(0.0), Error::TimeScaling { .. });
    assert_error!(RaisedCosineLog::new(4).bounds(1.0, 1.0), Error::Bounds { .. });
    assert_error!(BSpline::new(4).bounds(0.0, f64::NAN), Error::Bounds { .. });
    assert_error!(OrthogonalizedExponential::new([]), Error::TooFewFunctions { got: 0, .. });
    assert_error!(OrthogonalizedExponential::new([1.0, 1.0]), Error::RepeatedRate { .. });
    assert_error!(
        OrthogonalizedExponential::new([1.0, f64::INFINITY]),
        Error::DecayRate { index: 1, .. }
    );
    assert_error!(
        OrthogonalizedExponential::new([1., 2., 3., 4., 5., 6., 7.]),
        Error::TooFewSamples { got: 6, least: 7 }
    );
    assert_error!(Fourier::new(1), Error::NoFrequency);
    assert_error!(Fourier::new(3..3), Error::FrequencyRange { .. });
    assert_error!(Fourier::new(3).mask([true]), Error::FrequencyMask { got: 1, expected: 3 });
    assert_error!(
        Fourier::new(3).bounds_of_inputs([(0.0, 1.0), (0.0, 2.0)]),
        Error::BoundsCount { got: 2, expected: 1, .. }
    );
    assert_error!(Category::named(["a", "a"]), Error::DuplicateCategory { .. });
    assert_error!(Custom::of_inputs("none", 1, [0], |_, _| {}), Error::OutputShape { .. });
}

#[test]
fn wrong_windows_are_named() {
    let acausal = |window| Window::samples(window).causality(Causality::Acausal);
    assert_error!(BSpline::new(4).convolved(Window::samples(0)), Error::EmptyWindow { .. });
    assert_error!(BSpline::new(4).convolved(acausal(4)), Error::EvenWindow { window: 4 });
    assert_error!(History::new(acausal(2)), Error::EvenWindow { window: 2 });
    assert_error!(
        Identity::new().convolved(Window::samples(3)),
        Error::NotAFilter { what: "Identity" }
    );
    assert_error!(
        BSpline::new(4).pow(2).convolved(Window::samples(3)),
        Error::NotAFilter { what: "a product" }
    );
    assert_error!(
        BSpline::new(4).bounds(0.0, 1.0).convolved(Window::samples(3)),
        Error::BoundsOfFilter { .. }
    );
    assert_error!(
        OrthogonalizedExponential::new([1.0, 2.0, 3.0]).convolved(Window::samples(2)),
        Error::WindowTooShort { window: 2, least: 3 }
    );
    let kernel = ndarray::Array2::zeros((4, 1));
    assert!(matches!(
        convolve(kernel.view(), &column(&[1.0]), Causality::Acausal),
        Err(Error::EvenWindow { window: 4 })
    ));
    let empty = ndarray::Array2::zeros((0, 1));
    assert!(convolve(empty.view(), &column(&[1.0]), Causality::Acausal).is_err());
}

#[test]
fn wrong_compositions_are_named() {
    let a = || BSpline::new(4).label("a");
    assert_error!(a() + a(), Error::DuplicateLabel { .. });
    assert_error!(a().pow(2), Error::DuplicateLabel { .. });
    assert_error!(2 * a(), Error::DuplicateLabel { .. });
    assert_error!(BSpline::new(4).label("MSpline_2"), Error::ReservedLabel { .. });
    assert_error!(0 * BSpline::new(4), Error::NoCopies);
    assert_error!(BSpline::new(4).pow(0), Error::NoCopies);
    assert_error!(Fourier::new(3) * (BSpline::new(4) * Fourier::new(2)), Error::FourierProduct { .. });
    assert!((3 * BSpline::new(4)).labels().unwrap().contains(&"BSpline_2".to_string()));
}

#[test]
fn wrong_inputs_are_named() {
    let (one, two) = (column(&[0.0, 1.0, 2.0]), Matrix::<Cpu>::zeros([3, 2]));
    let short = column(&[1.0, 2.0]);
    let basis = || BSpline::new(4) * MSpline::new(4);
    assert!(matches!(error_of(basis(), &[&one]), Error::Inputs { got: 1, expected: 2, .. }));
    assert!(matches!(error_of(basis(), &[]), Error::Inputs { got: 0, expected: 2, .. }));
    assert!(matches!(
        error_of(basis(), &[&one, &two]),
        Error::ProductChannels { left: 1, right: 2, .. }
    ));
    assert!(matches!(
        error_of(Fourier::new(3).dimensions(2), &[&one, &two]),
        Error::InputWidths { .. }
    ));
    assert!(matches!(
        error_of(basis(), &[&one, &short]),
        Error::Data(nemos_core::Error::RowsDiffer { left: 3, right: 2, .. })
    ));
    let missing = column(&[f64::NAN; 3]);
    assert!(matches!(
        error_of(BSpline::new(4), &[&missing]),
        Error::AllMissing { column: 0, .. }
    ));
    let infinite = column(&[0.0, f64::INFINITY, 1.0]);
    assert!(matches!(
        error_of(BSpline::new(4), &[&infinite]),
        Error::Data(nemos_core::Error::Infinite { row: 1, .. })
    ));
    let strict = Category::new(2).unknown(Unknown::Refused);
    assert!(matches!(error_of(strict, &[&one]), Error::UnknownCategory { row: 2, .. }));
    assert!(Category::named(["a"]).unknown(Unknown::Refused).encode(&["b"]).is_err());
}

#[test]
fn all_missing_samples_within_given_bounds_give_missing_features() {
    let missing = column(&[f64::NAN; 4]);
    for basis in [
        BSpline::new(4).bounds(0.0, 1.0).into(),
        RaisedCosineLog::new(3).convolved(Window::samples(2)),
    ] {
        assert!(
            basis
                .compute_features(&missing)
                .unwrap()
                .to_vec()
                .iter()
                .all(|value| value.is_nan())
        );
    }
}

#[test]
fn parts_are_found_replaced_and_listed_by_label() {
    let basis = (BSpline::new(5) * CyclicBSpline::new(6).label("angle")).label("both") + BSpline::new(7) + Identity::new().label("speed");
    let labels = basis.labels().unwrap();
    assert_eq!(labels[0], "((both + BSpline_1) + speed)");
    assert_eq!(labels[2..], ["both", "BSpline", "angle", "BSpline_1", "speed"]);
    assert_eq!(basis.part("BSpline_1").unwrap(), &BSpline::new(7).into());
    assert_eq!(basis.components().count(), 3);
    assert_eq!(basis.n_functions(), 5 * 6 + 7 + 1);
    let replaced = basis.replace("angle", Fourier::new(3)).unwrap();
    assert_eq!(replaced.part("angle").unwrap(), &Fourier::new(3).label("angle"));
    assert!(matches!(basis.part("phase"), Err(Error::UnknownLabel { .. })));
    let layout = basis.layout(&[1, 1, 2, 1]).unwrap();
    assert_eq!(layout.names().columns()[1], "both[0][1]");
    assert_eq!(layout.names().columns()[31], "BSpline_1[0][1]");
    assert_eq!(layout.columns("speed").unwrap(), 44..45);
    let parts = layout.split_by_feature(&Matrix::<Cpu>::zeros([3, 45])).unwrap();
    assert_eq!(parts[1].1.dims(), [3, 14]);
    assert!(matches!(
        layout.split_by_feature(&Matrix::<Cpu>::zeros([3, 4])),
        Err(Error::Features { got: 4, expected: 45 })
    ));
    assert!(matches!(
        layout.split_by_axis(ndarray::Array1::zeros(45).view(), 1),
        Err(Error::Axis { .. })
    ));
}

#[test]
fn array_valued_functions_put_their_axes_first() {
    let basis = Basis::from(Custom::of_inputs("plane", 1, [3], |x, out| out.fill(x[0])).function(|x| -x));
    let layout = basis.layout(&[2]).unwrap();
    let parts = layout
        .split_by_axis(ndarray::Array1::from_iter((0..12).map(f64::from)).view(), 0)
        .unwrap();
    assert_eq!(parts[0].1.shape(), [3, 2, 2]);
    let features = basis
        .compute_features(&Matrix::<Cpu>::from_vec(vec![5.0, 7.0], [1, 2]).unwrap())
        .unwrap();
    assert_eq!(features.to_vec(), [5.0, -5.0, 7.0, -7.0].repeat(3));
}

#[test]
fn exponentials_that_cannot_be_told_apart_leave_missing_columns() {
    let close = OrthogonalizedExponential::new([1.0, 1.0 + 1e-15, 2.0]);
    let features = close.compute_features(&column(&[0.0, 1.0, 2.0, 3.0])).unwrap().to_array();
    assert!(features.column(2).iter().all(|value| value.is_nan()));
    assert!(features.column(1).iter().all(|value| value.is_finite()));
}
