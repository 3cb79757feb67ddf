//! One tolerance for time: edges that were computed in two ways are one edge, everywhere.

use nemos_core::{Cpu, Matrix, time_tolerance};
use nemos_timeseries::*;
use proptest::prelude::*;

/// Trials as people write them: a start, and a start plus a length.
fn trials(n: usize, start: f64, length: f64) -> Vec<(f64, f64)> {
    let at = |k: usize| start + k as f64 * length;
    (0..n).map(|k| (at(k), at(k) + length)).collect()
}

/// The same trials with the edges of a grid.
fn grid(n: usize, start: f64, length: f64) -> Vec<(f64, f64)> {
    let at = |k: usize| start + k as f64 * length;
    (0..n).map(|k| (at(k), at(k + 1))).collect()
}

fn set(intervals: Vec<(f64, f64)>) -> IntervalSet {
    IntervalSet::new(intervals).unwrap()
}

fn lengths() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.3),
        Just(0.1),
        Just(0.7),
        Just(1.0 / 30.0),
        1e-3..10.0_f64,
        (1..1000_u32).prop_map(|ms| f64::from(ms) / 1000.0),
        (1..1000_u32).prop_map(|parts| 1.0 / f64::from(parts)),
    ]
}

fn starts() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), -100.0..1e4_f64, Just(1.7e9), 1.6e9..1.8e9_f64]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn trials_written_as_start_and_length_keep_their_number(n in 1..200_usize, start in starts(), length in lengths()) {
        let trials = trials(n, start, length);
        prop_assert_eq!(IntervalSet::new(trials.clone()).unwrap().len(), n);
        let table = Table::new(n).with("k", (0..n).map(|k| k as f64).collect::<Vec<_>>()).unwrap();
        let set = IntervalSet::described(trials, &table).unwrap();
        prop_assert_eq!(set.metadata().numbers("k").unwrap().len(), n);
        prop_assert!(set.intervals().windows(2).all(|pair| pair[0].end <= pair[1].start));
    }

    #[test]
    fn sets_whose_edges_were_computed_two_ways_give_no_slivers(n in 1..60_usize, start in starts(), length in lengths(), k in 0..60_usize) {
        let (a, b) = (set(trials(n, start, length)), set(grid(n, start, length)));
        prop_assert_eq!(a.intersection(&b).len(), n);
        prop_assert_eq!(&a.intersection(&b), &a);
        prop_assert!(a.difference(&b).is_empty() && b.difference(&a).is_empty());
        prop_assert_eq!(a.union(&b).len(), 1);
        // Every second trial against the others: they touch, and nothing is in both.
        let every = |set: &IntervalSet, odd: usize| set.filter(|index| index % 2 == odd);
        prop_assert!(every(&a, 0).intersection(&every(&b, 1)).is_empty());
        prop_assert_eq!(every(&a, 0).difference(&every(&b, 1)), every(&a, 0));
        prop_assert_eq!(every(&a, 0).union(&every(&b, 1)).len(), 1);
        let short = start + (k % n) as f64 * length;
        let cut = a.difference(&set(vec![(short, short + length)]));
        prop_assert_eq!(cut.len(), n - 1);
        // All are as long as each other.
        prop_assert!(a.drop_short(length).is_empty() && a.drop_long(length).is_empty());
        prop_assert_eq!(a.merge_close(0.0).len(), 1);
        prop_assert_eq!(a.merge_close(0.0).split(length).unwrap().len(), n);
        let gaps = every(&a, 0);
        prop_assert_eq!(gaps.merge_close(length).len(), 1);
    }
}

proptest! {
    #[test]
    fn every_sample_belongs_to_one_trial_and_every_trial_has_its_due(n in 1..20_usize, start in starts(), step in prop_oneof![Just(0.001), Just(0.01), Just(1.0 / 30.0), Just(0.1)], per in 1..40_usize) {
        let trials = set(trials(n, start, per as f64 * step));
        let samples: Vec<f64> = (0..n * per).map(|k| start + k as f64 * step).collect();
        let axis = Ts::new(samples).unwrap();
        let counts = axis.restrict(&trials).count_epochs::<Cpu>().to_vec();
        prop_assert!(counts.iter().all(|count| *count == per as f64), "{:?}", counts);
        for (row, time) in axis.times().iter().enumerate() {
            prop_assert_eq!(trials.find(*time), Some(row / per));
        }
        let counts = axis.restrict(&trials).count::<Cpu>(step).unwrap().to_vec();
        prop_assert_eq!(counts, vec![1.0; n * per]);
        let signal = Tsd::<Cpu>::new(axis.clone(), vec![1.0; n * per]).unwrap();
        let tensor = signal.trial_tensor(&trials, TrialEdge::Start);
        prop_assert_eq!(tensor.shape(), [1, n, per]);
        prop_assert!(tensor.iter().all(|value| *value == 1.0));
        let group = TsGroup::new([axis], &trials);
        let counts = group.trial_counts(&trials, step, TrialEdge::Start).unwrap();
        prop_assert!(counts.iter().all(|count| *count == 1.0));
    }

    #[test]
    fn perievent_then_count_gives_every_bin_its_due(start in starts(), step in prop_oneof![Just(0.001), Just(0.002), Just(1.0 / 300.0)], per in 1..12_usize, side in 1..6_usize, at in proptest::collection::vec(60..900_usize, 1..20)) {
        let spikes = Ts::new((0..1000).map(|k| start + k as f64 * step).collect::<Vec<_>>()).unwrap();
        let bin = per as f64 * step;
        // Triggers that lie on a spike, computed another way.
        let mut triggers: Vec<f64> = at.iter().map(|&k| start + (k as f64 * step - step) + step).collect();
        triggers.sort_by(f64::total_cmp);
        let triggers = Ts::new(triggers).unwrap();
        let reach = side as f64 * bin;
        let aligned = spikes.perievent(&triggers, Around::new(reach, reach).unwrap());
        let counts = aligned.count::<Cpu>(bin).unwrap();
        prop_assert_eq!(counts.len(), 2 * side);
        for (bin, row) in counts.values().to_array().rows().into_iter().enumerate() {
            for (trigger, count) in row.iter().enumerate() {
                let expected = (0..1000_isize).filter(|k| {
                    let lag = k - at_sorted(&at)[trigger] as isize + (side * per) as isize;
                    (bin * per) as isize <= lag && lag < ((bin + 1) * per) as isize
                });
                prop_assert_eq!(*count, expected.count() as f64, "bin {} of trigger {}", bin, trigger);
            }
        }
    }

    #[test]
    fn autocorrelograms_are_even_and_crosscorrelograms_mirror(
        first in proptest::collection::vec(0..2000_u32, 1..120),
        second in proptest::collection::vec(0..2000_u32, 1..120),
        start in starts(),
        step in prop_oneof![Just(0.001), Just(0.0005), Just(1.0 / 30.0), Just(0.1)],
        bin in 1..7_u32,
        bins in 1..12_u32,
    ) {
        let times = |steps: Vec<u32>| Ts::sorted(steps.into_iter().map(|k| start + f64::from(k) * step).collect::<Vec<_>>()).unwrap();
        let line = set(vec![(start, start + 2000.0 * step)]);
        let group = TsGroup::new([times(first), times(second)], &line);
        let swapped = TsGroup::new([group.units()[1].clone(), group.units()[0].clone()], &line);
        let (bin, window) = (f64::from(bin) * step, f64::from(bins) * f64::from(bin) * step);
        let close = |left: f64, right: f64| (left - right).abs() <= 1e-9 * left.abs().max(1.0) || left.is_nan() && right.is_nan();
        let auto = group.autocorrelograms(bin, window, Normalization::Rate).unwrap();
        let n_lags = auto.lags.len();
        for column in auto.values.columns() {
            prop_assert!((0..n_lags).all(|lag| close(column[lag], column[n_lags - 1 - lag])), "{:?}", column);
        }
        let cross = group.crosscorrelograms(bin, window, Normalization::Relative).unwrap();
        let mirror = swapped.crosscorrelograms(bin, window, Normalization::Relative).unwrap();
        for lag in 0..n_lags {
            prop_assert!(close(cross.values[[lag, 0]], mirror.values[[n_lags - 1 - lag, 0]]));
        }
    }
}

fn at_sorted(at: &[usize]) -> Vec<usize> {
    let mut at = at.to_vec();
    at.sort_unstable();
    at
}

#[test]
fn a_hundred_trials_stay_a_hundred() {
    for length in [0.3, 0.1, 0.7, 1.0 / 30.0] {
        let trials = set(trials(100, 0.0, length));
        assert_eq!(trials.len(), 100, "{length}");
        assert!(trials.drop_short(length).is_empty());
        assert_eq!(trials.drop_short(length * 0.99).len(), 100);
    }
    // `0.3·k` and `0.3·(k − 1) + 0.3`: 61 pieces where there are 50.
    let (a, b) = (set(trials(50, 0.0, 0.3)), set(grid(50, 0.0, 0.3)));
    assert_eq!([a.intersection(&b).len(), b.intersection(&a).len()], [50, 50]);
}

#[test]
fn the_first_and_the_last_bin_of_a_window_hold_as_many_as_the_others() {
    let spikes = Ts::new((0..2000).map(|k| f64::from(k) * 0.001).collect::<Vec<_>>()).unwrap();
    let triggers = Ts::new((1..20).map(|k| f64::from(k) * 0.1).collect::<Vec<_>>()).unwrap();
    let around = spikes.perievent(&triggers, Around::new(0.05, 0.05).unwrap());
    let counts = around.count::<Cpu>(0.01).unwrap();
    assert_eq!(counts.len(), 10);
    assert!(counts.values().to_vec().iter().all(|count| *count == 10.0));
}

#[test]
fn an_autocorrelogram_of_times_on_a_grid_is_even() {
    // Spikes a millisecond apart and bins of 2 ms, as reported: 0 1 0 2 1.
    let spikes = Ts::new([0.0, 0.001, 0.003, 0.004]).unwrap();
    let group = TsGroup::new([spikes], &set(vec![(0.0, 1.0)]));
    let auto = group.autocorrelograms(0.002, 0.004, Normalization::Rate).unwrap();
    let counts: Vec<f64> = auto.values.column(0).iter().map(|rate| rate * 4.0 * 0.002).collect();
    // Lags of 1, 1, 2, 3, 3, 4 ms: 2 ms in the middle of its bin, 1 and 3 ms half in it each, 3 and 4 ms in the outer one.
    let expected = [2.0, 3.0, 0.0, 3.0, 2.0];
    assert!(counts.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-9), "{counts:?}");
}

#[test]
fn look_ups_find_the_sample_that_is_there_but_for_rounding() {
    // 0.1 + 0.2 is a little more than 0.3, and 3 · 0.1 as well.
    let signal = Tsd::<Cpu>::new(Ts::new([0.1, 0.2, 0.1 + 0.2]).unwrap(), vec![1.0, 2.0, 3.0]).unwrap();
    let at = Ts::new([0.1, 0.2, 0.3]).unwrap();
    for which in [Nearest::Closest, Nearest::Before, Nearest::After] {
        assert_eq!(at.value_from(&signal, which).to_vec(), [1.0, 2.0, 3.0], "{which:?}");
    }
    let nan = Outside::Fill(f64::NAN);
    assert_eq!(signal.interpolate(&at, nan).to_vec(), [1.0, 2.0, 3.0]);
    let back = Tsd::<Cpu>::new(at.clone(), vec![1.0, 2.0, 3.0]).unwrap();
    assert_eq!(back.interpolate(signal.axis(), nan).to_vec(), [1.0, 2.0, 3.0]);
    assert_eq!(signal.between(0.1, 0.3).len(), 3);
    assert_eq!(at.between(0.1, 0.1 + 0.2).len(), 3);
    // Halfway between two is the later one, whichever way the middle was computed.
    for middle in [0.15, 0.1 + 0.05, 0.3 * 0.5] {
        assert_eq!(Ts::new([middle]).unwrap().value_from(&signal, Nearest::Closest).to_vec(), [2.0]);
        assert_eq!(signal.at(middle), Some(vec![2.0]));
    }
}

#[test]
fn filters_stop_at_the_edges_of_trials() {
    // Ten trials of 0.7 s in bins of 0.1 s: three bins of each have no whole past.
    let trials = set(trials(10, 0.0, 0.7));
    let spikes = Ts::new((0..700).map(|k| f64::from(k) * 0.01).collect::<Vec<_>>()).unwrap();
    let counts = spikes.restrict(&trials).count::<Cpu>(0.1).unwrap();
    assert_eq!(counts.len(), 70);
    assert_eq!(counts.axis().segments().ranges().len(), 10);
}

#[test]
fn overlaps_that_are_none_are_merged_with_what_is_known_of_them() {
    let table = Table::new(5)
        .with("k", vec![0.0, 1.0, 2.0, 3.0, 4.0])
        .unwrap()
        .with("correct", vec![true, true, false, true, true])
        .unwrap();
    // Two of five overlap.
    let trials = [(0.0, 1.0), (1.0, 2.0), (1.5, 3.0), (3.0, 4.0), (4.0, 5.0)];
    assert!(matches!(
        IntervalSet::described(trials, &table),
        Err(Error::Overlap { first: 1, second: 2 })
    ));
    let merged = IntervalSet::merged(trials, &table).unwrap();
    assert_eq!(merged.len(), 4);
    let k = merged.metadata().numbers("k").unwrap();
    assert!(k[0] == 0.0 && k[1].is_nan() && k[2..] == [3.0, 4.0]);
    assert_eq!(merged.metadata().texts("merged").unwrap(), ["", "1 2", "", ""]);
    let correct = merged.metadata().numbers("correct").unwrap();
    assert!(correct[0] == 1.0 && correct[1].is_nan());
    let apart = IntervalSet::merged([(0.0, 1.0), (1.0, 2.0)], &Table::new(2)).unwrap();
    assert_eq!((apart.len(), apart.metadata().columns().count()), (2, 0));
}

#[test]
fn windows_say_what_is_wrong_with_them() {
    let error = Around::new(-1.0, 2.0).unwrap_err().to_string();
    assert!(
        error.contains("-1 s before") && error.contains("2 s after") && error.contains("not negative"),
        "{error}"
    );
}

#[test]
fn times_apart_by_more_than_the_tolerance_are_apart() {
    for time in [0.3, 4000.0, 1.7e9] {
        let gap = 3.0 * time_tolerance(time);
        let apart = set(vec![(time - 1.0, time), (time + gap, time + 1.0)]);
        assert!(apart.intervals()[0].end < apart.intervals()[1].start);
        assert_eq!(apart.union(&IntervalSet::default()).len(), 2);
        let overlap = set(vec![(time - 1.0, time + gap), (time, time + 1.0)]);
        assert_eq!(overlap.len(), 1);
    }
    let frame = TsdFrame::<Cpu>::new(Ts::new([0.0, 1.0]).unwrap(), Matrix::zeros([2, 1])).unwrap();
    assert_eq!(frame.between(f64::NAN, 1.0).len(), 0);
}

/// Waits of spikes on a grid lie on edges: each belongs to the bin that starts there, whenever the recording began.
#[test]
fn waits_on_an_edge_belong_to_the_bin_that_starts_there() {
    for start in [0.0, 17.3, 1.7e9] {
        let spikes = Ts::new((0..2000).map(|k| start + f64::from(k) * 0.01).collect::<Vec<_>>()).unwrap();
        let group = TsGroup::joined([spikes]);
        let counts = |edges: &[f64]| group.interval_distributions(&Binning::with_edges(edges.to_vec())).unwrap().counts;
        assert_eq!(counts(&[0.0, 0.01, 0.02]).column(0).to_vec(), [0.0, 1999.0], "{start}");
        assert_eq!(counts(&[0.0, 0.005, 0.01]).column(0).to_vec(), [0.0, 1999.0], "{start}");
    }
}
