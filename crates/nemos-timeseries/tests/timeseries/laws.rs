//! What holds for every recording. Times are multiples of an eighth of a second, so that they often meet edges, exactly.

use nemos_core::{Cpu, Matrix, NdArray, ToDesign};
use nemos_timeseries::*;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Everything happens before this time.
const END: f64 = 64.0;

fn line() -> IntervalSet {
    IntervalSet::new([(0.0, END)]).expect("in order")
}

/// Up to eight epochs whose edges are multiples of `unit`, some of which touch.
fn epochs(unit: f64) -> impl Strategy<Value = IntervalSet> {
    let last = (END / unit) as u32;
    let pair = (0..last, 0..last).prop_map(move |(a, b)| (f64::from(a.min(b)) * unit, f64::from(a.max(b)) * unit));
    let short = (0..last - 4, 0u32..4).prop_map(move |(start, n)| (f64::from(start) * unit, f64::from(start + n) * unit));
    let any = proptest::collection::vec(prop_oneof![1 => pair, 4 => short], 0..8);
    any.prop_map(|intervals| IntervalSet::new(intervals).expect("in order"))
}

fn times() -> impl Strategy<Value = Vec<f64>> {
    let eighths = proptest::collection::vec(0..(END * 8.0) as u32 + 1, 0..80);
    eighths.prop_map(|mut eighths| {
        eighths.sort_unstable();
        eighths.into_iter().map(|eighth| f64::from(eighth) / 8.0).collect()
    })
}

fn events() -> impl Strategy<Value = Ts> {
    times().prop_map(|times| Ts::within(times, &line()).expect("sorted"))
}

/// A signal without two samples at one time; one value in eight is missing.
fn signal() -> impl Strategy<Value = Tsd<Cpu>> {
    times().prop_map(|mut times| {
        times.dedup();
        let value = |(row, time): (usize, &f64)| if row % 8 == 7 { f64::NAN } else { (time * 1.7).sin() };
        let values: Vec<f64> = times.iter().enumerate().map(value).collect();
        Tsd::new(Ts::within(times, &line()).expect("sorted"), values).expect("as many")
    })
}

fn same(left: &[f64], right: &[f64]) -> bool {
    let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12 || a.is_nan() && b.is_nan();
    left.len() == right.len() && left.iter().zip(right).all(close)
}

fn is_supported(axis: &Ts) -> bool {
    axis.times().iter().all(|&time| axis.support().find(time).is_some()) && axis.segments().n_rows() == axis.len()
}

/// The rows of an epoch, looked for one by one.
fn rows_of(axis: &Ts, epoch: usize) -> Vec<usize> {
    (0..axis.len())
        .filter(|&row| axis.support().find(axis.times()[row]) == Some(epoch))
        .collect()
}

proptest! {
    #[test]
    fn epochs_are_in_order_and_do_not_overlap(a in epochs(0.25), b in epochs(0.25)) {
        for set in [a.union(&b), a.intersection(&b), a.difference(&b), a.merge_close(1.0), a.split(0.75).unwrap()] {
            prop_assert!(set.intervals().iter().all(|interval| interval.start < interval.end));
            prop_assert!(set.intervals().windows(2).all(|pair| pair[0].end <= pair[1].start));
            prop_assert_eq!(set.metadata().n_rows(), set.len());
        }
    }

    #[test]
    fn complements_of_epochs_obey_de_morgan(a in epochs(0.25), b in epochs(0.25)) {
        let not = |set: &IntervalSet| line().difference(set);
        prop_assert_eq!(not(&a.union(&b)), not(&a).intersection(&not(&b)));
        prop_assert_eq!(not(&a.intersection(&b)), not(&a).union(&not(&b)));
        prop_assert_eq!(not(&not(&a)), a.merge_close(0.0));
        let (both, either) = (a.intersection(&b).total_length(), a.union(&b).total_length());
        prop_assert_eq!(both + either, a.total_length() + b.total_length());
        prop_assert_eq!(a.difference(&b).total_length() + both, a.total_length());
    }

    #[test]
    fn lengths_part_epochs(a in epochs(0.25), seconds in 0u8..12) {
        let seconds = f64::from(seconds) / 4.0;
        let (long, short) = (a.drop_short(seconds), a.drop_long(seconds));
        let equal = a.filter(|index| a.intervals()[index].length() == seconds);
        prop_assert_eq!(long.len() + short.len() + equal.len(), a.len());
        if seconds > 0.0 {
            let pieces = a.split(seconds).unwrap();
            prop_assert!(pieces.intervals().iter().all(|piece| piece.length() == seconds));
            let whole: f64 = a.intervals().iter().map(|interval| (interval.length() / seconds).floor()).sum();
            prop_assert_eq!(pieces.len() as f64, whole);
        }
    }

    #[test]
    fn restricting_keeps_what_epochs_hold_and_nothing_changes_the_second_time(events in events(), a in epochs(0.125)) {
        let inside = events.restrict(&a);
        let expected: Vec<f64> = events.times().iter().copied().filter(|&time| a.find(time).is_some()).collect();
        prop_assert_eq!(inside.times(), expected);
        prop_assert_eq!(&inside.restrict(&a), &inside);
        prop_assert_eq!(inside.support(), &a);
        for (epoch, rows) in inside.rows_by_epoch().into_iter().enumerate() {
            prop_assert_eq!(rows.collect::<Vec<_>>(), rows_of(&inside, epoch));
        }
    }

    #[test]
    fn restricting_commutes_with_counting_whole_bins(events in events(), a in epochs(1.0)) {
        let late = events.restrict(&a).count::<Cpu>(0.5).unwrap();
        let early = events.count::<Cpu>(0.5).unwrap().restrict(&a);
        prop_assert_eq!(early.to_vec(), late.to_vec());
        prop_assert_eq!(early.sample_times(), late.sample_times());
    }

    #[test]
    fn counts_are_those_of_the_definition(events in events(), a in epochs(0.125), bin in prop_oneof![Just(0.25), Just(0.5), Just(3.0)]) {
        let inside = events.restrict(&a);
        let counted = inside.count::<Cpu>(bin).unwrap();
        let mut expected = Vec::new();
        for (epoch, interval) in a.intervals().iter().enumerate() {
            let rows = rows_of(&inside, epoch);
            let mut left = interval.start;
            while left + bin / 2.0 <= interval.end {
                expected.push(rows.iter().filter(|&&row| (left..left + bin).contains(&inside.times()[row])).count() as f64);
                left += bin;
            }
        }
        prop_assert_eq!(counted.to_vec(), expected);
    }

    #[test]
    fn counts_of_a_partition_add_up(units in proptest::collection::vec(events(), 0..6), seconds in 1u8..9) {
        let group = TsGroup::new(units, &line());
        let pieces = line().split(f64::from(seconds)).unwrap();
        let inside = group.restrict(&pieces);
        let whole = group.restrict(&pieces.merge_close(0.0));
        let sums = |frame: TsdFrame<Cpu>| frame.values().to_array().sum_axis(ndarray::Axis(0)).to_vec();
        prop_assert_eq!(sums(inside.count(0.5).unwrap()), sums(whole.count(0.5).unwrap()));
        for (unit, events) in inside.units().iter().enumerate() {
            prop_assert_eq!(events.count_epochs::<Cpu>().to_vec().iter().sum::<f64>(), whole.units()[unit].len() as f64);
        }
    }

    #[test]
    fn averages_are_those_of_the_definition(signal in signal(), a in epochs(0.125)) {
        let inside = signal.restrict(&a);
        let averaged = inside.bin_average(0.5).unwrap();
        let (times, values) = (inside.sample_times(), inside.to_vec());
        let expected = averaged.sample_times().iter().map(|centre| {
            let epoch = a.find(*centre);
            let bin = centre - 0.25..centre + 0.25;
            let held: Vec<f64> = (0..times.len()).filter(|&row| bin.contains(&times[row]) && a.find(times[row]) == epoch).map(|row| values[row]).collect();
            held.iter().sum::<f64>() / held.len() as f64
        });
        prop_assert!(same(&averaged.to_vec(), &expected.collect::<Vec<_>>()));
    }

    #[test]
    fn values_come_from_the_closest_sample_of_the_epoch(signal in signal(), at in events(), a in epochs(0.125)) {
        let inside = signal.restrict(&a);
        let (times, values) = (inside.sample_times(), inside.to_vec());
        for which in [Nearest::Closest, Nearest::Before, Nearest::After] {
            let found = at.value_from(&inside, which);
            let expected = found.sample_times().iter().map(|&time| {
                let allowed = |row: &usize| match which {
                    Nearest::Closest => true,
                    Nearest::Before => times[*row] <= time,
                    Nearest::After => times[*row] >= time,
                };
                let rows = rows_of(inside.axis(), a.find(time).unwrap()).into_iter().filter(allowed);
                // The later of two.
                let closest = rows.rev().min_by(|&left, &right| (times[left] - time).abs().total_cmp(&(times[right] - time).abs()));
                closest.map_or(f64::NAN, |row| values[row])
            });
            prop_assert!(same(&found.to_vec(), &expected.collect::<Vec<_>>()), "{:?}", which);
            prop_assert_eq!(found.axis(), &at.restrict(&a));
        }
    }

    #[test]
    fn interpolation_is_exact_on_lines_and_on_samples(signal in signal(), at in events(), a in epochs(0.125)) {
        let inside = signal.restrict(&a);
        prop_assert!(same(&inside.interpolate(inside.axis(), Outside::Hold).to_vec(), &inside.to_vec()));
        let straight: Vec<f64> = inside.sample_times().iter().map(|time| 3.0 * time - 1.0).collect();
        let straight = Tsd::<Cpu>::new(inside.axis().clone(), straight).unwrap();
        let found = straight.interpolate(&at, Outside::Fill(f64::NAN));
        for (time, value) in found.sample_times().iter().zip(found.to_vec()) {
            let rows = rows_of(inside.axis(), a.find(*time).unwrap());
            let between = rows.iter().any(|&row| inside.sample_times()[row] <= *time) && rows.iter().any(|&row| inside.sample_times()[row] >= *time);
            let is_right = if between { (value - (3.0 * time - 1.0)).abs() < 1e-9 } else { value.is_nan() };
            prop_assert!(is_right, "{value} at {time}");
        }
    }

    #[test]
    fn both_sides_of_a_threshold_and_missing_samples_are_everything(signal in signal(), a in epochs(0.125)) {
        let inside = signal.restrict(&a);
        let (above, below) = (inside.threshold(Threshold::Above(0.2)), inside.threshold(Threshold::AtMost(0.2)));
        prop_assert_eq!(above.len() + below.len(), inside.drop_missing().len());
        prop_assert!(above.to_vec().iter().all(|value| *value > 0.2));
        prop_assert!(above.support().intersection(below.support()).is_empty());
        prop_assert!(above.support().difference(inside.support()).is_empty());
    }

    #[test]
    fn no_operation_leaves_its_support(signal in signal(), events in events(), a in epochs(0.125)) {
        let (inside, events) = (signal.restrict(&a), events.restrict(&a));
        let signals = [
            inside.clone(),
            inside.between(3.0, 40.0),
            inside.drop_missing(),
            inside.bin_average(0.3).unwrap(),
            inside.interpolate(&events, Outside::Hold),
            events.value_from(&inside, Nearest::Closest),
            inside.threshold(Threshold::Below(0.0)),
            inside.smooth(0.5, Edges::Weighted).unwrap(),
            inside.convolve(&[0.5, 0.5], Causality::Causal(Shift::None)).unwrap(),
            inside.derivative(),
            events.count(0.3).unwrap(),
            events.count_epochs(),
            events.time_diff(DiffTime::Center),
        ];
        for (index, signal) in signals.iter().enumerate() {
            prop_assert!(is_supported(signal.axis()), "operation {index}");
            prop_assert_eq!(signal.to_design().n_rows(), signal.sample_times().len());
        }
        prop_assert!(is_supported(&events.between(1.0, 9.0)));
    }

    #[test]
    fn nothing_crosses_a_gap(signal in signal(), a in epochs(1.0)) {
        let inside = signal.restrict(&a);
        type Work = fn(&Tsd<Cpu>) -> Tsd<Cpu>;
        let works: [Work; 3] = [
            |signal| signal.convolve(&[1.0, -2.0, 0.5], Causality::Acausal).unwrap(),
            |signal| signal.derivative(),
            |signal| signal.axis().time_diff(DiffTime::Start),
        ];
        for work in works {
            let together = work(&inside).to_vec();
            let apart = (0..a.len()).flat_map(|epoch| {
                // Rows, not times: what happens on a common edge belongs to the later epoch.
                let rows = inside.axis().rows_by_epoch()[epoch].clone();
                let axis = Ts::new(inside.sample_times()[rows.clone()].to_vec()).unwrap();
                work(&Tsd::new(axis, inside.to_vec()[rows].to_vec()).unwrap()).to_vec()
            });
            prop_assert!(same(&together, &apart.collect::<Vec<_>>()));
        }
    }

    #[test]
    fn backends_agree(signal in signal(), a in epochs(0.125)) {
        let other = Tsd::<NdArray>::new(signal.axis().clone(), signal.values().to_backend::<NdArray>()).unwrap();
        prop_assert!(same(&signal.restrict(&a).to_vec(), &other.restrict(&a).to_vec()));
        prop_assert!(same(&signal.bin_average(0.5).unwrap().to_vec(), &other.bin_average(0.5).unwrap().to_vec()));
        let single = Tsd::<Cpu<f32>>::new(signal.axis().clone(), signal.values().to_backend::<Cpu<f32>>()).unwrap();
        prop_assert_eq!(single.restrict(&a).to_vec().len(), signal.restrict(&a).len());
    }
}

#[test]
fn tiny_recordings_pass_through_everything() {
    let supports = [IntervalSet::default(), IntervalSet::new([(1.0, 1.0)]).unwrap(), line()];
    for n_samples in 0..3 {
        for support in &supports {
            let axis = Ts::within((0..n_samples).map(f64::from).collect::<Vec<f64>>(), support).unwrap();
            let values = Matrix::<Cpu>::zeros([axis.len(), 2]);
            let frame = TsdFrame::new(axis.clone(), values).unwrap();
            let lengths = [
                frame.restrict(&line()).len(),
                frame.convolve(&[1.0; 5], Causality::AntiCausal(Shift::None)).unwrap().len(),
                frame.smooth(0.1, Edges::Zeros).unwrap().len(),
                frame.derivative().len(),
                frame.interpolate(&axis, Outside::Hold).len(),
                axis.value_from(&frame, Nearest::After).len(),
            ];
            assert_eq!(lengths, [axis.len(); 6], "{n_samples} {support:?}");
            assert_eq!(frame.bin_average(0.5).unwrap().len(), axis.count::<Cpu>(0.5).unwrap().len());
            assert_eq!(axis.time_diff::<Cpu>(DiffTime::End).len(), axis.len().saturating_sub(1));
        }
    }
}

#[test]
fn tiny_recordings_are_tuned_aligned_and_decoded() {
    let window = Around::new(1.0, 2.0).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for n_samples in 0..4 {
        for n_units in 0..3 {
            let axis = Ts::within((0..n_samples).map(f64::from).collect::<Vec<_>>(), &line()).unwrap();
            let units = TsGroup::new(vec![axis.clone(); n_units], &line());
            for value in [1.0, f64::NAN] {
                let place = Tsd::<Cpu>::new(axis.clone(), vec![value; axis.len()]).unwrap();
                // One sample has no rate, and a feature that is missing throughout no bins.
                let curves = units.tuning_curves(&place, &[Binning::new(3)]);
                assert_eq!(curves.is_ok(), n_samples > 1 && value == 1.0, "{n_samples} {value}");
                if let Ok(curves) = curves {
                    let counts = units.count::<Cpu>(1.0).unwrap();
                    assert_eq!(curves.information().len(), n_units);
                    let bayes = curves.decode_bayes(&counts, 1.0, Prior::Occupancy).unwrap();
                    let template = curves.decode_template(&counts, Metric::Cosine).unwrap();
                    assert_eq!([bayes.features.len(), template.features.len()], [counts.len(); 2]);
                }
                assert_eq!(place.perievent(&axis, window).is_ok(), n_samples > 1);
                assert_eq!(place.triggered_average(&units, 1.0, window).unwrap().n_columns(), n_units);
                assert_eq!(place.trial_tensor(&line(), TrialEdge::End).shape(), [1, 1, axis.len()]);
            }
            assert_eq!(units.perievent(&axis, window).len(), n_units);
            assert_eq!(units.autocorrelograms(0.5, 1.0, Normalization::Rate).unwrap().lags.len(), 5);
            assert_eq!(units.trial_counts(&line(), 1.0, TrialEdge::Start).unwrap().shape()[0], n_units);
            assert_eq!(units.shuffle_intervals(&mut rng).len(), n_units);
            assert_eq!(units.resample(&mut rng).len(), n_units);
            assert_eq!(units.jitter(f64::MAX, &mut rng).unwrap().len(), n_units);
            assert_eq!(units.shift_circularly(-1e300, 1e300, &mut rng).unwrap().len(), n_units);
        }
    }
}

#[test]
fn what_takes_more_memory_than_there_is_is_refused() {
    let axis = Ts::new([0.0, 1.0, 2.0]).unwrap();
    let signal = Tsd::<Cpu>::new(axis.clone(), vec![1.0, 2.0, 3.0]).unwrap();
    let units = TsGroup::new([axis.clone()], axis.support());
    let far = Around::new(1e300, 1e300).unwrap();
    assert!(matches!(signal.perievent(&axis, far), Err(Error::TooMany { .. })));
    assert!(matches!(signal.triggered_average(&units, 1.0, far), Err(Error::TooMany { .. })));
    let bins = |binning: Binning| units.tuning_curves(&signal, &[binning]);
    assert!(matches!(bins(Binning::new(usize::MAX)), Err(Error::TooMany { .. })));
    assert!(matches!(bins(Binning::new(2).range(-1e308, 1e308)), Err(Error::Range { .. })));
    assert!(matches!(
        units.autocorrelograms(1e-12, 1e6, Normalization::Rate),
        Err(Error::TooMany { .. })
    ));
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    assert!(matches!(axis.shift_circularly(-1e308, 1e308, &mut rng), Err(Error::Range { .. })));
}

#[test]
fn what_cannot_be_a_recording_says_where() {
    assert!(matches!(
        Ts::new([0.0, 1.0, f64::INFINITY]),
        Err(Error::TimeNotFinite { index: 2, .. })
    ));
    assert!(matches!(Ts::new([0.0, 1.0, 0.5]), Err(Error::Unsorted { index: 2, .. })));
    assert!(matches!(
        IntervalSet::new([(0.0, 1.0), (3.0, 2.0)]),
        Err(Error::Interval { index: 1, .. })
    ));
    assert!(matches!(IntervalSet::new([(f64::NAN, 1.0)]), Err(Error::Interval { index: 0, .. })));
    let axis = Ts::new([0.0, 1.0]).unwrap();
    assert!(matches!(Tsd::<Cpu>::new(axis.clone(), vec![1.0]), Err(Error::Data(_))));
    assert!(matches!(Tsd::<Cpu>::new(axis.clone(), Matrix::zeros([2, 3])), Err(Error::Data(_))));
    assert!(matches!(axis.count::<Cpu>(-1.0), Err(Error::NotPositive { .. })));
    assert!(matches!(axis.count::<Cpu>(1e-15), Err(Error::TooManyBins { .. })));
}

#[test]
fn counts_and_averages_agree_about_times_since_1970() {
    for start in [0.0, 1.7e9] {
        let support = IntervalSet::new([(start, start + 1.0)]).unwrap();
        let times: Vec<f64> = (0..10).map(|k| start + f64::from(k) * 0.1).collect();
        let axis = Ts::within(times, &support).unwrap();
        assert_eq!(axis.count::<Cpu>(0.1).unwrap().to_vec(), [1.0; 10], "{start}");
        let signal = Tsd::<Cpu>::new(axis, (0..10).map(f64::from).collect::<Vec<_>>()).unwrap();
        assert_eq!(signal.bin_average(0.1).unwrap().to_vec(), signal.to_vec(), "{start}");
    }
}

#[test]
fn curves_decode_the_activity_of_their_own_units_only() {
    let place = Tsd::<Cpu>::new(Ts::regular(0.0, 1.0, 4).unwrap(), vec![1.0, 2.0, 7.0, 8.0]).unwrap();
    let units = [Ts::new([0.1, 1.2]).unwrap(), Ts::new([2.1, 2.8]).unwrap()];
    let group = |ids: [u64; 2]| TsGroup::new(units.clone(), place.support()).with_ids(ids).unwrap();
    let curves = group([1, 2]).tuning_curves(&place, &[Binning::new(2)]).unwrap();
    assert_eq!(curves.curve_of("2").unwrap(), curves.curve(1).unwrap());
    assert!(matches!(curves.curve_of("7"), Err(Error::UnknownName { .. })));
    assert!(
        curves
            .decode_bayes(&group([1, 2]).count::<Cpu>(1.0).unwrap(), 1.0, Prior::Uniform)
            .is_ok()
    );
    let others = group([2, 7]).count::<Cpu>(1.0).unwrap();
    assert!(matches!(
        curves.decode_bayes(&others, 1.0, Prior::Uniform),
        Err(Error::Units { index: 0, .. })
    ));
    assert!(matches!(curves.decode_template(&others, Metric::Cosine), Err(Error::Units { .. })));
}

#[test]
fn a_transition_that_no_kernel_has_is_refused() {
    let signal = Tsd::<Cpu>::new(Ts::regular(0.0, 0.01, 500).unwrap(), vec![0.0; 500]).unwrap();
    for bad in [0.0, 1e-20, 1e-7, 2.0, f64::NAN] {
        let filter = Filter::windowed_sinc(Band::Low(10.0)).transition(bad);
        assert!(matches!(signal.filter(&filter), Err(Error::Transition { .. })), "{bad}");
    }
}
