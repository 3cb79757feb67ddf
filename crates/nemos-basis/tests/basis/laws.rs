//! What holds for every choice of options and samples.

use nemos_basis::*;
use nemos_core::{Cpu, Design, Matrix, Segments};
use proptest::prelude::*;

type Host = Matrix<Cpu>;

fn features(basis: impl Into<Basis>, samples: &[f64]) -> ndarray::Array2<f64> {
    basis
        .into()
        .compute_features(&Host::from_column(samples.to_vec()))
        .expect("samples of one input")
        .to_array()
}

fn same(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-9 * (1.0 + left.abs()) || left.is_nan() && right.is_nan()
}

fn causality() -> impl Strategy<Value = Causality> {
    prop_oneof![
        Just(Causality::Causal(Shift::OneSample)),
        Just(Causality::Causal(Shift::None)),
        Just(Causality::AntiCausal(Shift::OneSample)),
        Just(Causality::AntiCausal(Shift::None)),
        Just(Causality::Acausal),
    ]
}

/// The definition, sample by sample.
fn brute_force(kernel: &ndarray::Array2<f64>, series: &[f64], causality: Causality) -> Vec<f64> {
    let (window, n) = kernel.dim();
    let (window, length) = (window as isize, series.len() as isize);
    let (before, shift) = match causality {
        Causality::Causal(Shift::OneSample) => (window - 1, 1),
        Causality::Causal(Shift::None) => (window - 1, 0),
        Causality::AntiCausal(Shift::OneSample) => (0, -1),
        Causality::AntiCausal(Shift::None) => (0, 0),
        Causality::Acausal => ((window - 1) / 2, 0),
    };
    let mut out = vec![f64::NAN; series.len() * n];
    for valid in 0..(length - window + 1).max(0) {
        let row = valid + before + shift;
        if (0..length).contains(&row) {
            for function in 0..n {
                let term = |lag: isize| kernel[(lag as usize, function)] * series[(valid + window - 1 - lag) as usize];
                out[row as usize * n + function] = (0..window).map(term).sum();
            }
        }
    }
    out
}

#[test]
fn long_filters_over_dense_signals_are_what_their_definition_says_within_every_segment() {
    // Dense and long enough that Fourier transforms take over; the segment in the middle is shorter than the window.
    let (window, lengths) = (65, [700, 40, 900]);
    let wave = |at: usize| (at as f64 * 0.731).sin() + 1.5;
    let kernel = ndarray::Array2::from_shape_fn((window, 3), |(lag, function)| wave(7 * lag + function));
    let series: Vec<f64> = (0..1640).map(wave).collect();
    let segments = Segments::from_lengths(lengths);
    let (causal, ahead) = (Causality::Causal, Causality::AntiCausal);
    for causality in [
        causal(Shift::OneSample),
        causal(Shift::None),
        ahead(Shift::OneSample),
        ahead(Shift::None),
        Causality::Acausal,
    ] {
        let pieces = segments
            .ranges()
            .iter()
            .map(|segment| brute_force(&kernel, &series[segment.clone()], causality));
        let expected = pieces.collect::<Vec<_>>().concat();
        let samples = Design::from(Host::from_column(series.clone()))
            .with_segments(segments.clone())
            .expect("segments cover the rows");
        let got = convolve(kernel.view(), &samples, causality)
            .expect("a kernel of odd length")
            .to_matrix()
            .expect("rows in memory")
            .to_vec();
        assert!(
            got.iter().zip(&expected).all(|(&got, &expected)| same(got, expected)),
            "{causality:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bsplines_are_not_negative_and_sum_to_one(
        order in 1_usize..8, more in 0_usize..12, samples in prop::collection::vec(-3.0..5.0, 1..50),
    ) {
        for functions in features(BSpline::new(order + more).order(order).bounds(-3.0, 5.0), &samples).rows() {
            prop_assert!(functions.iter().all(|&value| value >= -1e-12));
            prop_assert!((functions.sum() - 1.0).abs() < 1e-11, "{functions}");
        }
    }

    #[test]
    fn cyclic_bsplines_sum_to_one_and_meet_at_the_seam_in_value_and_slope(order in 2_usize..7, more in 0_usize..8, sample in 0.0..1.0) {
        let basis = CyclicBSpline::new(order + more).order(order).bounds(0.0, 1.0);
        let step = 1e-5;
        let ends = features(basis, &[0.0, 1.0, step, 1.0 - step, 2.0 * step, 1.0 - 2.0 * step, sample]);
        prop_assert!((ends.row(6).sum() - 1.0).abs() < 1e-11);
        for function in 0..order + more {
            let at = |row: usize| ends[(row, function)];
            prop_assert!((at(0) - at(1)).abs() < 1e-11);
            if order > 2 {
                // One-sided slopes of second order on either side of the seam.
                let after = (4.0 * at(2) - at(4) - 3.0 * at(0)) / (2.0 * step);
                let before = (3.0 * at(1) - 4.0 * at(3) + at(5)) / (2.0 * step);
                prop_assert!((after - before).abs() < 1e-2, "{after} after, {before} before");
            }
        }
    }

    #[test]
    fn msplines_integrate_to_one(order in 1_usize..6, more in 0_usize..8, low in -5.0..5.0, span in 0.1..20.0) {
        let n_points = 40_000_u32;
        let step: f64 = span / f64::from(n_points);
        let middles: Vec<f64> = (0..n_points).map(|point| low + (f64::from(point) + 0.5) * step).collect();
        let values = features(MSpline::new(order + more).order(order).bounds(low, low + span), &middles);
        for function in values.columns() {
            prop_assert!(f64::abs(function.sum() * step - 1.0) < 1e-3);
        }
    }

    #[test]
    fn raised_cosines_of_whole_width_sum_to_a_constant_between_peaks(n in 4_usize..12, width in 2_u32..4, place in 0.0..1.0) {
        // Far enough from the ends that all bumps are there: their sum is the width.
        let reach = f64::from(width) / (n - 1) as f64;
        prop_assume!(reach < 0.5);
        let sample = reach + place * (1.0 - 2.0 * reach);
        let basis = RaisedCosineLinear::new(n).width(f64::from(width)).bounds(0.0, 1.0);
        prop_assert!((features(basis, &[sample]).sum() - f64::from(width)).abs() < 1e-11);
    }

    #[test]
    fn exponentials_are_orthonormal_where_their_rank_allows(rates in prop::collection::btree_set(1_u32..60, 1..6), n_samples in 6_usize..80) {
        let rates: Vec<f64> = rates.into_iter().map(|rate| f64::from(rate) / 5.0).collect();
        let samples: Vec<f64> = (0..n_samples).map(|sample| sample as f64).collect();
        let functions = features(OrthogonalizedExponential::new(rates), &samples);
        let present = functions.columns().into_iter().filter(|function| !function[0].is_nan()).collect::<Vec<_>>();
        prop_assert!(!present.is_empty());
        for (i, first) in present.iter().enumerate() {
            prop_assert!(first[0] >= 0.0);
            for (j, second) in present.iter().enumerate() {
                let expected = if i == j { 1.0 } else { 0.0 };
                prop_assert!((first.dot(second) - expected).abs() < 1e-10);
            }
        }
    }

    #[test]
    fn convolution_is_what_its_definition_says_within_every_segment(
        window in 1_usize..9, n in 1_usize..4, lengths in prop::collection::vec(0_usize..30, 1..4), causality in causality(), seed in 0_u64..1000,
        zeros in 0_u64..10,
    ) {
        let window = if causality == Causality::Acausal { window | 1 } else { window };
        let random = |at: usize| ((at as u64 + 1) * (seed + 7919) % 101) as f64 / 50.0 - 1.0;
        let kernel = ndarray::Array2::from_shape_fn((window, n), |(lag, function)| random(lag * n + function + 500));
        let n_samples: usize = lengths.iter().sum();
        let sample = |at: usize| if (at as u64 * 13 + seed) % 10 < zeros { 0.0 } else { random(at) };
        let series: Vec<f64> = (0..n_samples).map(sample).collect();
        let segments = Segments::from_lengths(lengths);
        let expected: Vec<f64> =
            segments.ranges().iter().flat_map(|segment| brute_force(&kernel, &series[segment.clone()], causality)).collect();
        let got = {
            let samples = Design::from(Host::from_column(series)).with_segments(segments).unwrap();
            convolve(kernel.view(), &samples, causality).unwrap().to_matrix().unwrap().to_vec()
        };
        prop_assert_eq!(got.len(), expected.len());
        prop_assert!(got.iter().zip(&expected).all(|(&got, &expected)| same(got, expected)), "{:?}\n{:?}", got, expected);
    }

    #[test]
    fn convolution_is_linear_and_shift_equivariant(
        left in prop::collection::vec(-2.0..2.0, 40), right in prop::collection::vec(-2.0..2.0, 40), factor in -3.0..3.0, delay in 0_usize..8,
    ) {
        let basis = RaisedCosineLog::new(3).convolved(Window::samples(6));
        let filter = |series: &[f64]| features(basis.clone(), series);
        let sum: Vec<f64> = left.iter().zip(&right).map(|(left, right)| left + factor * right).collect();
        let (of_sum, sum_of) = (filter(&sum), filter(&left) + factor * filter(&right));
        prop_assert!(of_sum.iter().zip(&sum_of).all(|(&left, &right)| same(left, right)));
        let delayed: Vec<f64> = std::iter::repeat_n(0.0, delay).chain(left.iter().copied()).collect();
        let (later, now) = (filter(&delayed), filter(&left));
        for row in 6..40 {
            prop_assert!(later.row(row + delay).iter().zip(now.row(row)).all(|(&left, &right)| same(left, right)));
        }
    }

    #[test]
    fn columns_of_a_product_are_products_with_the_right_factor_fastest(
        values in prop::collection::vec((0.0..1.0, 0.0..1.0), 2..20), n_left in 2_usize..6, n_right in 4_usize..7, columns in 1_usize..3,
    ) {
        let left_basis = RaisedCosineLinear::new(n_left).bounds(0.0, 1.0);
        let right_basis = BSpline::new(n_right).bounds(0.0, 1.0);
        let repeat = |pick: fn(&(f64, f64)) -> f64| {
            let repeated = values.iter().flat_map(|pair| (0..columns).map(move |column| pick(pair) / (column + 1) as f64));
            Host::from_vec(repeated.collect(), [values.len(), columns]).unwrap()
        };
        let (x, y) = (repeat(|pair| pair.0), repeat(|pair| pair.1));
        let left = left_basis.compute_features(&x).unwrap().to_array();
        let right = right_basis.compute_features(&y).unwrap().to_array();
        let product = (left_basis * right_basis).compute_features([&x, &y]).unwrap().to_array();
        for ((row, column), &value) in product.indexed_iter() {
            let (channel, i, j) = (column / (n_left * n_right), column / n_right % n_left, column % n_right);
            prop_assert_eq!(value, left[(row, channel * n_left + i)] * right[(row, channel * n_right + j)]);
        }
    }
}
