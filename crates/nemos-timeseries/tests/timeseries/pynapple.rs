//! Numbers that pynapple 0.11.4 returned for the inputs below, for operations without golden cases.

use nemos_core::{Cpu, Matrix};
use nemos_timeseries::{
    Around, Band, Binning, Causality, Decoded, Edges, Filter, IntervalSet, Metric, Normalization, Prior, Shift, TrialEdge, Ts, TsGroup,
    Tsd, TsdFrame,
};

fn session() -> IntervalSet {
    IntervalSet::new([(0.0, 20.0)]).unwrap()
}

fn units() -> TsGroup {
    units_at([0.37, 0.53])
}

/// Units of which no spike lies halfway between two samples of the signal, where rounding decides which is closer.
fn apart() -> TsGroup {
    units_at([0.370213, 0.530429])
}

/// Two units, first·k² and second·k² + 0.11, modulo the twenty seconds of the session.
fn units_at([first, second]: [f64; 2]) -> TsGroup {
    let unit = |n: i32, slope: f64, shift: f64| {
        let times = (0..n).map(|k| (f64::from(k * k) * slope + shift) % 20.0);
        // The numbers are of times with nine decimals.
        Ts::sorted(times.map(|time| (time * 1e9).round() / 1e9).collect::<Vec<_>>()).unwrap()
    };
    TsGroup::new([unit(60, first, 0.0), unit(40, second, 0.11)], &session())
}

fn signal() -> Tsd<Cpu> {
    let support = IntervalSet::new([(0.0, 19.95)]).unwrap();
    let axis = Ts::regular(0.0, 0.1, 200).unwrap().restrict(&support);
    let values: Vec<f64> = axis.times().iter().map(|t| 3.0 * t.sin() + (2.2 * t).cos()).collect();
    Tsd::new(axis, values).unwrap()
}

fn pair(first: &Tsd<Cpu>, second: Vec<f64>) -> TsdFrame<Cpu> {
    let values = first.to_vec().into_iter().zip(second).flat_map(|(first, second)| [first, second]);
    TsdFrame::new(first.axis().clone(), Matrix::from_vec(values.collect(), [first.len(), 2]).unwrap()).unwrap()
}

#[track_caller]
fn close(got: &[f64], expected: &[f64]) {
    assert_eq!(got.len(), expected.len(), "{got:?}");
    for (at, (got, expected)) in got.iter().zip(expected).enumerate() {
        let is_close = (got - expected).abs() <= 2e-9 * expected.abs().max(1.0) || got.is_nan() && expected.is_nan();
        assert!(is_close, "entry {at} is {got}, not {expected}");
    }
}

/// The samples at which filters were compared.
#[track_caller]
fn close_at_five(got: &Tsd<Cpu>, expected: [f64; 5]) {
    let got = got.to_vec();
    close(&[0, 1, 50, 100, 199].map(|row| got[row]), &expected);
}

#[test]
fn correlograms() {
    // Slopes that bring no two spikes to the edge of a bin, where pynapple's rounding decides.
    let units = units_at([0.370213, 0.530429]);
    // compute_autocorrelogram(units, 0.1, 0.3), compute_crosscorrelogram; 0.3·2 ÷ 0.1 loses a bin on either side to rounding.
    let auto = units.autocorrelograms(0.1, 0.2, Normalization::Rate).unwrap();
    close(&auto.values.column(0).to_vec(), &[3.0, 4.0, 0.0, 4.0, 3.0]);
    close(&auto.values.column(1).to_vec(), &[1.5, 2.75, 0.0, 2.75, 1.5]);
    let cross = units.crosscorrelograms(0.1, 0.2, Normalization::Relative).unwrap();
    assert_eq!(cross.pairs, [(0, 1)]);
    close(&cross.values.column(0).to_vec(), &[0.916666666667, 1.25, 1.0, 1.5, 1.25]);
    // compute_eventcorrelogram(units, [3.3, 9.1, 15.7], 0.25, 0.5)
    let events = Ts::within([3.3, 9.1, 15.7], &session()).unwrap();
    let around = units.event_correlograms(&events, 0.25, 0.5, Normalization::Relative).unwrap();
    let (a, b, c) = (1.333333333333, 0.888888888889, 0.666666666667);
    close(&around.values.column(0).to_vec(), &[a, a, 2.222222222222, b, b]);
    close(&around.values.column(1).to_vec(), &[c, c, c, a, 0.0]);
}

#[test]
fn perievent_alignment() {
    // compute_perievent(signal, [0.12, 5.26, 19.8], (0.3, 0.2)), whose first lag, −0.3, is lost to rounding.
    let triggers = Ts::new([0.12, 5.26, 19.8]).unwrap();
    let aligned = signal().perievent(&triggers, Around::new(0.2, 0.2).unwrap()).unwrap();
    close(aligned.sample_times(), &[-0.2, -0.1, 0.0, 0.1, 0.2]);
    let expected = [
        [f64::NAN, -2.554897533745, 2.696585730239],
        [1.0, -2.220424515895, 3.055442041197],
        [1.275397699271, -1.880195212198, 3.35317105749],
        [1.500759655605, -1.544742293424, 3.582539921008],
        [1.676552851481, -1.223414865202, f64::NAN],
    ];
    close(&aligned.values().to_vec(), expected.as_flattened());
    // compute_perievent(unit 0, [3.3, 9.1, 15.7], (0.5, 1.0))
    let events = Ts::new([3.3, 9.1, 15.7]).unwrap();
    let aligned = units().units()[0].perievent(&events, Around::new(0.5, 1.0).unwrap());
    close(aligned.units()[0].times(), &[-0.38, -0.37, -0.13, -0.05, 0.03, 0.38, 0.83]);
    close(aligned.units()[1].times(), &[0.15, 0.15, 0.63, 0.87, 0.98]);
    close(aligned.units()[2].times(), &[-0.13, 0.03, 0.62]);
}

#[test]
fn event_triggered_averages() {
    // compute_event_triggered_average(signal, [5.03, 9.14, 9.17, 14.6], 0.2, (0.4, 0.6)); its first lag, −0.6, is rounding.
    let events = TsGroup::new([Ts::new([5.03, 9.14, 9.17, 14.6]).unwrap()], &session());
    let average = signal().triggered_average(&events, 0.2, Around::new(0.4, 0.6).unwrap()).unwrap();
    close(average.sample_times(), &[-0.4, -0.2, 0.0, 0.2, 0.4, 0.6]);
    close(
        &average.values().to_vec(),
        &[
            1.609386494826,
            1.341356056815,
            0.936073189511,
            0.426933433179,
            -0.135851842595,
            -0.692955644125,
        ],
    );
}

#[test]
fn tuning_curves_and_information() {
    // compute_tuning_curves(units, signal, bins=5, range=(-4, 4)), compute_mutual_information
    let curves = apart().tuning_curves(&signal(), &[Binning::new(5).range(-4.0, 4.0)]).unwrap();
    close(
        &curves.curve(0).unwrap(),
        &[2.258064516129, 2.264150943396, 3.870967741935, 3.6, 3.142857142857],
    );
    close(
        &curves.curve(1).unwrap(),
        &[1.290322580645, 2.641509433962, 1.935483870968, 2.4, 1.142857142857],
    );
    assert_eq!(
        curves.occupancy().iter().copied().collect::<Vec<_>>(),
        [31.0, 53.0, 31.0, 50.0, 35.0]
    );
    let information = curves.information();
    close(
        &[information[0].per_second, information[0].per_spike],
        &[0.096397139253, 0.032052048802],
    );
    close(
        &[information[1].per_second, information[1].per_spike],
        &[0.129435588118, 0.064555999574],
    );
    // Two features, the signal and its square: bins=[3, 2], range=[(-4, 4), (0, 16)].
    let squares = signal().to_vec().iter().map(|value| value * value).collect();
    let bins = [Binning::new(3).range(-4.0, 4.0), Binning::new(2).range(0.0, 16.0)];
    let curves = apart().tuning_curves(&pair(&signal(), squares), &bins).unwrap();
    close(
        &curves.curve(0).unwrap(),
        &[
            2.075471698113,
            2.222222222222,
            4.074074074074,
            f64::NAN,
            2.941176470588,
            3.333333333333,
        ],
    );
    close(
        &curves.curve(1).unwrap(),
        &[2.264150943396, 1.666666666667, 2.592592592593, f64::NAN, 1.56862745098, 1.25],
    );
    // Means of the time and its square, bins=4 over the range of the feature.
    let times = Tsd::new(signal().axis().clone(), signal().sample_times().to_vec()).unwrap();
    let squares = times.to_vec().iter().map(|time| time * time).collect();
    let means = pair(&times, squares).tuning_curves(&signal(), &[Binning::new(4)]).unwrap();
    close(&means.curve(0).unwrap(), &[11.75, 11.425581395349, 7.044444444444, 9.793617021277]);
    close(
        &means.curve(1).unwrap(),
        &[167.052142857143, 151.708139534884, 84.303333333333, 128.43085106383],
    );
}

#[test]
fn decoding() {
    let curves = apart().tuning_curves(&signal(), &[Binning::new(5).range(-4.0, 4.0)]).unwrap();
    let counts = apart().count::<Cpu>(2.0).unwrap();
    let best = |decoded: &Decoded<Cpu>| decoded.features.values().to_vec();
    let by_bin = |decoded: &Decoded<Cpu>, row: usize| decoded.by_bin.values().to_vec()[5 * row..5 * row + 5].to_vec();
    // decode_bayes(curves, units, session, 2.0), with and without a uniform prior
    let uniform = curves.decode_bayes(&counts, 2.0, Prior::Uniform).unwrap();
    close(&best(&uniform), &[-3.2, 0.0, -1.6, -1.6, 0.0, -3.2, 0.0, -1.6, -1.6, 0.0]);
    let row = [0.290299280419, 0.167201482581, 0.158564458361, 0.142814286224, 0.241120492415];
    close(&by_bin(&uniform, 0), &row);
    let visited = curves.decode_bayes(&counts, 2.0, Prior::Occupancy).unwrap();
    close(&best(&visited), &[-3.2, 0.0, -1.6, -1.6, 1.6, -3.2, 1.6, -1.6, -1.6, 1.6]);
    let row = [0.16282288304, 0.328229528886, 0.133403304793, 0.24030476881, 0.135239514471];
    close(&by_bin(&visited, 2), &row);
    // decode_template(curves, units, session, 2.0)
    let cosine = curves.decode_template(&counts, Metric::Cosine).unwrap();
    close(&best(&cosine), &[-3.2, 3.2, 1.6, -1.6, -3.2, 1.6, 0.0, -1.6, -1.6, 3.2]);
    let row = [0.000226269943, 0.051316701949, 0.002945514498, 0.001131862276, 0.018308432323];
    close(&by_bin(&cosine, 0), &row);
    let euclidean = curves.decode_template(&counts, Metric::Euclidean).unwrap();
    let row = [8.907549207409, 8.743201600427, 7.208071553855, 7.424284477308, 8.073640657683];
    close(&by_bin(&euclidean, 1), &row);
    let correlation = curves.decode_template(&counts, Metric::Correlation).unwrap();
    close(&by_bin(&correlation, 0), &[0.0, 2.0, 0.0, 0.0, 0.0]);
    assert!(best(&correlation)[7].is_nan());
}

#[test]
fn butterworth_filters() {
    // apply_…_filter(signal, …, fs=10), of order 4 or 3
    let made = |band, order: usize| signal().filter(&Filter::butterworth(band).order(order)).unwrap();
    let expected = [-0.017145459861, 0.090245966462, -0.001612072423, -0.01877713977, -0.013290543257];
    close_at_five(&made(Band::Pass(0.5, 2.0), 4), expected);
    let expected = [0.999633523966, 1.241296709585, -2.872315545857, -2.630462263528, 3.56020934537];
    close_at_five(&made(Band::Low(1.0), 3), expected);
    let expected = [
        6.096840289251e-04,
        3.196617842798e-02,
        -7.323029378787e-07,
        -1.787100657187e-04,
        -1.423067384236e-04,
    ];
    close_at_five(&made(Band::High(1.0), 4), expected);
    let expected = [1.013804013347, 1.181979833133, -2.871681106722, -2.582618743349, 3.581549418324];
    close_at_five(&made(Band::Stop(0.5, 2.0), 3), expected);
}

#[test]
fn windowed_sinc_filters() {
    // apply_…_filter(signal, …, fs=10, mode="sinc", transition_bandwidth=0.1)
    let made = |band| signal().filter(&Filter::windowed_sinc(band).transition(0.1)).unwrap();
    let expected = [-0.0680840773, 0.228311617883, -0.137865222191, -0.325252732578, 0.931469043179];
    close_at_five(&made(Band::Pass(0.5, 2.0)), expected);
    let expected = [0.757921699372, 1.080703319982, -2.871071477404, -2.630382693601, 2.044983749964];
    close_at_five(&made(Band::Low(1.0)), expected);
    let expected = [
        2.420783006277e-01,
        1.946943792892e-01,
        -1.275648597515e-03,
        -1.641465461395e-03,
        1.537556171044,
    ];
    close_at_five(&made(Band::High(1.0)), expected);
    let expected = [1.0680840773, 1.047086081388, -2.73448190381, -2.306771426485, 2.651070877829];
    close_at_five(&made(Band::Stop(0.5, 2.0)), expected);
}

#[test]
fn phases_slopes_and_smoothing() {
    // compute_hilbert_phase, compute_hilbert_envelope, derivative
    let expected = [0.475303856268, 5.595030536294, 3.683842374856, 2.376167436227, 0.091622799729];
    close_at_five(&signal().phase().unwrap(), expected);
    let expected = [1.124664928752, 1.651172838593, 3.353391666489, 3.650074387453, 3.597629939537];
    close_at_five(&signal().envelope().unwrap(), expected);
    let expected = [2.753976992711, 2.503798278026, 3.03184381305, -2.493705147861, 2.293688635184];
    close_at_five(&signal().derivative(), expected);
    let uneven = Tsd::<Cpu>::new(Ts::new([0.0, 1.0, 3.0, 3.5, 7.0]).unwrap(), vec![2.0, 1.0, 5.0, 4.0, 4.0]).unwrap();
    close(&uneven.derivative().to_vec(), &[-1.0, 0.0, -1.2, -1.75, 0.0]);
    // smooth(0.3·19.9/20) on a support of 19.9 s: pynapple's sampling rate is samples ÷ length, 200 ÷ 19.9.
    let expected = [0.81375774307, 1.0403420304, -2.746628047356, -2.364503212268, 1.659396733332];
    close_at_five(&signal().smooth(0.3, Edges::Zeros).unwrap(), expected);
}

#[test]
fn kernels_of_even_length() {
    // convolve([1, 2, 3, 4]) over the epochs [0, 3] and [4, 21], trim="both", "left" and "right"
    let epochs = IntervalSet::new([(0.0, 3.0), (4.0, 21.0)]).unwrap();
    let axis = Ts::within([0.0, 1.0, 2.0, 5.0, 6.0, 7.5, 20.0], &epochs).unwrap();
    let signal = Tsd::<Cpu>::new(axis, vec![0.0, 1.0, 4.0, 9.0, 16.0, 25.0, 3.0]).unwrap();
    let made = |reach| signal.convolve(&[1.0, 2.0, 3.0, 4.0], reach).unwrap().to_vec();
    assert_eq!(made(Causality::Acausal), [1.0, 6.0, 11.0, 34.0, 84.0, 137.0, 145.0]);
    assert_eq!(
        made(Causality::AntiCausal(Shift::None)),
        [11.0, 16.0, 16.0, 137.0, 145.0, 109.0, 12.0]
    );
    assert_eq!(made(Causality::Causal(Shift::None)), [0.0, 1.0, 6.0, 9.0, 34.0, 84.0, 137.0]);
}

#[test]
fn trials_side_by_side() {
    // build_tensor(units, [[0.2, 1.35], [5, 5.5]], 0.25)
    let trials = IntervalSet::new([(0.2, 1.35), (5.0, 5.5)]).unwrap();
    let counts = |edge| {
        units()
            .trial_counts(&trials, 0.25, edge)
            .unwrap()
            .iter()
            .copied()
            .collect::<Vec<_>>()
    };
    let (nan, first, second) = (f64::NAN, [2.0, 1.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0, 0.0]);
    let expected = [first, [1.0, 0.0, nan, nan, nan], second, [0.0, 2.0, nan, nan, nan]];
    close(&counts(TrialEdge::Start), expected.as_flattened());
    let expected = [first, [nan, nan, nan, 1.0, 0.0], second, [nan, nan, nan, 0.0, 2.0]];
    close(&counts(TrialEdge::End), expected.as_flattened());
    assert_eq!(signal().trial_tensor(&trials, TrialEdge::Start).shape(), [1, 2, 12]);
}
