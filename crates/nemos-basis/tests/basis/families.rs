//! Reference values of the families, and the two ways to compute them.

use nemos_basis::*;
use nemos_core::{Cpu, Matrix, NdArray, Rows};

const AT: [f64; 7] = [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0];

fn assert_rows(basis: impl Into<Basis>, rows: &[&[f64]], tolerance: f64) {
    let basis = basis.into();
    let samples = Matrix::<Cpu>::from_column(AT.to_vec());
    let got = basis.compute_features(&samples).expect("samples of one input").to_array();
    for ((row, got), at) in rows.iter().zip(got.rows()).zip(AT) {
        for (expected, got) in row.iter().zip(got) {
            assert!(
                (expected - got).abs() <= tolerance,
                "at {at}: {got} instead of {expected} in {basis:?}"
            );
        }
    }
}

#[test]
fn splines_have_the_values_of_their_recursions() {
    // Worked out from the recursions by hand, and the same in NeMoS 0.2.8 (x64).
    assert_rows(
        MSpline::new(5),
        &[
            &[8.0, 0.0, 0.0, 0.0, 0.0],
            &[4.096, 1.736, 0.208, 0.008, 0.0],
            &[1.0, 2.375, 1.0, 0.125, 0.0],
            &[0.0, 1.0, 2.0, 1.0, 0.0],
            &[0.0, 0.125, 1.0, 2.375, 1.0],
            &[0.0, 0.008, 0.208, 1.736, 4.096],
            &[0.0, 0.0, 0.0, 0.0, 8.0],
        ],
        1e-13,
    );
    assert_rows(
        BSpline::new(6).order(3),
        &[
            &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            &[0.36, 0.56, 0.08, 0.0, 0.0, 0.0],
            &[0.0, 0.5, 0.5, 0.0, 0.0, 0.0],
            &[0.0, 0.0, 0.5, 0.5, 0.0, 0.0],
            &[0.0, 0.0, 0.0, 0.5, 0.5, 0.0],
            &[0.0, 0.0, 0.0, 0.08, 0.56, 0.36],
            &[0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        ],
        1e-14,
    );
    let sixth = 1.0 / 6.0;
    assert_rows(
        CyclicBSpline::new(6),
        &[
            &[sixth, 4.0 * sixth, sixth, 0.0, 0.0, 0.0],
            &[0.032 / 3.0, 1.244 / 3.0, 1.616 / 3.0, 0.036, 0.0, 0.0],
            &[0.0, 1.0 / 48.0, 23.0 / 48.0, 23.0 / 48.0, 1.0 / 48.0, 0.0],
            &[0.0, 0.0, 0.0, sixth, 4.0 * sixth, sixth],
            &[23.0 / 48.0, 1.0 / 48.0, 0.0, 0.0, 1.0 / 48.0, 23.0 / 48.0],
        ],
        1e-14,
    );
}

#[test]
fn raised_cosines_have_the_values_of_their_formula() {
    assert_rows(
        RaisedCosineLog::new(4),
        &[
            &[1.0, 0.5, 0.0, 0.0],
            &[0.0, 0.2881529181, 0.9529026539, 0.7118470819],
            &[0.0, 0.0, 0.2661930044, 0.9419663888],
            &[0.0, 0.0, 0.0, 0.388449229],
            &[0.0, 0.0, 0.0, 0.0768094658],
            &[0.0, 0.0, 0.0, 0.0105832709],
            &[0.0; 4],
        ],
        1e-10,
    );
    assert_rows(
        RaisedCosineLog::new(3).width(1.5).time_scaling(10.0).decay(Decay::Open),
        &[&[1.0, 0.25, 0.0], &[0.676120464, 0.8172004084, 0.0066791276]],
        1e-10,
    );
    let beyond = RaisedCosineLinear::new(5).bounds(0.0, 1.0);
    let beyond = beyond.evaluate(&Matrix::<Cpu>::from_column(vec![-0.2])).unwrap().to_vec();
    assert!((beyond[0] - 0.654508).abs() < 1e-6 && (beyond[1] - 0.024472).abs() < 1e-6 && beyond[2] == 0.0);
}

#[test]
fn a_sample_on_an_inner_knot_belongs_to_the_piece_on_its_left() {
    // Knots are those of NeMoS, evenly from 0 to just above 1: 0.25 lies below the second one.
    let samples = Matrix::<Cpu>::from_column(vec![0.0, 0.25, 0.5, 0.75, 1.0]);
    let pieces = |basis: Basis| {
        let values = basis.compute_features(&samples).unwrap().to_array();
        values
            .rows()
            .into_iter()
            .map(|row| row.iter().position(|value| *value > 0.0).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(pieces(BSpline::new(4).order(1).into()), [0, 0, 1, 2, 3]);
    assert_eq!(pieces(MSpline::new(4).order(1).into()), [0, 0, 1, 2, 3]);
}

#[test]
fn defaults_match_the_tables() {
    assert_eq!(BSpline::new(5), BSpline::new(5).order(4).fill_value(f64::NAN));
    assert_eq!(CyclicBSpline::new(5), CyclicBSpline::new(5).order(4).fill_value(f64::NAN));
    assert_eq!(MSpline::new(5), MSpline::new(5).order(4).fill_value(f64::NAN));
    assert_eq!(RaisedCosineLinear::new(5), RaisedCosineLinear::new(5).width(2.0));
    assert_eq!(
        RaisedCosineLog::new(5),
        RaisedCosineLog::new(5).width(2.0).time_scaling(50.0).decay(Decay::ToZero)
    );
    assert_eq!(Category::new(2), Category::new(2).unknown(Unknown::Zeros));
    assert_eq!(
        Window::samples(4),
        Window::samples(4).causality(Causality::Causal(Shift::OneSample))
    );
    assert_eq!(Fourier::new(3).kept_frequencies(), [[1], [2]]);
}

/// One of every family, with settings away from their defaults.
fn zoo() -> Vec<Basis> {
    vec![
        BSpline::new(6).into(),
        BSpline::new(3).order(1).bounds(0.2, 1.7).into(),
        BSpline::new(9).order(6).into(),
        CyclicBSpline::new(4).into(),
        CyclicBSpline::new(7).order(2).bounds(0.0, 1.5).fill_value(7.0).into(),
        MSpline::new(7).order(3).into(),
        MSpline::new(4).order(1).bounds(0.5, 1.0).into(),
        RaisedCosineLinear::new(6).width(2.5).into(),
        RaisedCosineLog::new(5).width(1.5).into(),
        OrthogonalizedExponential::new([0.5, 3.0, 9.0]).into(),
        Fourier::new(4).with_constant().into(),
        Fourier::new(vec![5, 2]).bounds(0.0, 0.7).into(),
        Identity::new().bounds(0.1, 1.5).fill_value(-1.0).into(),
        History::new(Window::samples(3)).into(),
        Category::numbered([1.0, 0.5, 2.0]).into(),
        Zero::new() + BSpline::new(4),
        Custom::new("wave", f64::sin).function(f64::cos).into(),
        Custom::of_inputs("outer", 1, [2], |x, out| out.copy_from_slice(&[x[0], x[0] * x[0]])).into(),
        RaisedCosineLog::new(3).convolved(Window::samples(5)),
        BSpline::new(4).convolved(Window::samples(5).causality(Causality::Acausal)),
        History::new(Window::samples(4).causality(Causality::AntiCausal(Shift::None))).into(),
        RaisedCosineLinear::new(3).convolved(Window::samples(7).causality(Causality::AntiCausal(Shift::OneSample))),
        OrthogonalizedExponential::new([1.0, 2.0]).convolved(Window::samples(4)),
    ]
}

fn wiggle(n_samples: usize, n_columns: usize) -> Vec<f64> {
    let sample = |i: usize| if i == 11 { f64::NAN } else { ((i * i + 3 * i) % 19) as f64 / 9.0 };
    (0..n_samples * n_columns).map(sample).collect()
}

fn same(left: &[f64], right: &[f64], tolerance: f64) -> bool {
    let close = |(left, right): (&f64, &f64)| (left - right).abs() <= tolerance || left.is_nan() && right.is_nan();
    left.len() == right.len() && left.iter().zip(right).all(close)
}

#[test]
fn loops_over_host_memory_compute_what_tensor_operations_do() {
    let values = wiggle(60, 2);
    let host = Matrix::<Cpu>::from_vec(values.clone(), [60, 2]).unwrap();
    let tensor = Matrix::<NdArray>::from_vec(values, [60, 2]).unwrap();
    let half = Fourier::new(3).label("half");
    let nested = (BSpline::new(4) + RaisedCosineLog::new(2).convolved(Window::samples(3))) * half + Identity::new();
    for basis in zoo().into_iter().chain([nested]) {
        let (left, right) = match basis.n_inputs() {
            1 => (basis.compute_features(&host), basis.compute_features(&tensor)),
            2 => (basis.compute_features([&host; 2]), basis.compute_features([&tensor; 2])),
            _ => (basis.compute_features([&host; 4]), basis.compute_features([&tensor; 4])),
        };
        let (left, right) = (left.unwrap().to_vec(), right.unwrap().to_vec());
        assert!(same(&left, &right, 1e-12), "{basis:?}\n{left:?}\n{right:?}");
    }
}

#[test]
fn single_precision_rounds_double_precision() {
    let double = Matrix::<Cpu>::from_vec(wiggle(40, 1), [40, 1]).unwrap();
    let single = double.to_backend::<Cpu<f32>>();
    let basis = BSpline::new(5).label("a") + RaisedCosineLog::new(3).convolved(Window::samples(4));
    let left = basis.compute_features([&double; 2]).unwrap().to_vec();
    let right = basis.compute_features([&single; 2]).unwrap().to_vec();
    assert!(same(&left, &right, 1e-6));
}

#[test]
fn any_chunk_equals_the_same_rows_of_the_whole_to_the_last_bit() {
    let input = Matrix::<Cpu>::from_vec(wiggle(90, 2), [90, 2]).unwrap();
    for basis in zoo() {
        let inputs = vec![&input; basis.n_inputs()];
        let whole = basis.compute_features(inputs.as_slice()).unwrap();
        let design = basis.design(inputs.as_slice()).unwrap();
        for rows in [0..90, 0..1, 5..17, 40..41, 80..90, 30..30] {
            let (chunk, rows) = (design.chunk(rows.clone()).unwrap(), whole.rows(rows).unwrap());
            let bits = |matrix: &Matrix<Cpu>| matrix.to_vec().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&chunk), bits(&rows), "{basis:?}");
        }
        assert!(design.chunk(80..91).is_err());
    }
}

#[test]
fn recordings_of_no_one_or_two_samples_do_not_panic() {
    for n_samples in 0..3 {
        let input = Matrix::<Cpu>::from_vec(wiggle(n_samples, 1), [n_samples, 1]).unwrap();
        for basis in zoo() {
            let inputs = vec![&input; basis.n_inputs()];
            match basis.compute_features(inputs.as_slice()) {
                Ok(features) => assert_eq!(features.dims()[0], n_samples),
                Err(error) => assert!(matches!(error, Error::TooFewSamples { .. }), "{error}"),
            }
        }
    }
}

#[test]
fn samples_on_a_bound_are_inside_in_the_precision_of_the_data() {
    // 264 of 1,000 positions are clipped at 1.1, which single precision holds as 1.10000002.
    let double = Matrix::<Cpu>::from_column((0..1000).map(|k| (f64::from(k) * 1.1 / 736.0).min(1.1)).collect());
    let single = double.to_backend::<Cpu<f32>>();
    let back = single.to_backend::<Cpu>();
    for basis in [
        Basis::from(BSpline::new(5).bounds(0.0, 1.1)),
        CyclicBSpline::new(5).bounds(0.0, 1.1).into(),
        RaisedCosineLinear::new(4).bounds(0.0, 1.1).into(),
        RaisedCosineLog::new(4).bounds(0.0, 1.1).into(),
        Basis::from(BSpline::new(5)).with_bounds_from(&double).unwrap(),
        Basis::from(BSpline::new(5)).with_bounds_from(&single).unwrap(),
    ] {
        let expected = basis.compute_features(&double).unwrap().to_vec();
        let of_single = basis.compute_features(&single).unwrap().to_vec();
        let of_file = basis.compute_features(&back).unwrap().to_vec();
        assert!(
            [&expected, &of_single, &of_file]
                .iter()
                .all(|all| all.iter().all(|value| !value.is_nan())),
            "{basis:?}"
        );
        assert!(same(&of_single, &expected, 1e-5) && same(&of_file, &expected, 1e-5), "{basis:?}");
    }
}
