//! Laws of epochs, events and signals, and clever loops against plain ones.

use nemos_core::Cpu;
use nemos_timeseries::{DiffTime, IntervalSet, Nearest, Outside, Scale, Signal, Threshold, Ts, TsGroup, Tsd};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Times on a grid of eighths, which add without rounding.
fn time() -> impl Strategy<Value = f64> {
    (0..800_i32).prop_map(|step| f64::from(step) / 8.0)
}

fn epochs() -> impl Strategy<Value = IntervalSet> {
    let interval = (time(), 0..120_i32).prop_map(|(start, length)| (start, start + f64::from(length) / 8.0));
    prop::collection::vec(interval, 0..8).prop_map(|intervals| IntervalSet::new(intervals).unwrap())
}

fn events() -> impl Strategy<Value = Ts> {
    prop::collection::vec(time(), 0..200).prop_map(|times| Ts::sorted(times).unwrap())
}

fn signal() -> impl Strategy<Value = Tsd<Cpu>> {
    (events(), epochs()).prop_map(|(axis, support)| {
        let axis = axis.restrict(&support);
        let values: Vec<f64> = axis.times().iter().map(|time| (time * 1.7).sin()).collect();
        Tsd::new(axis, values).unwrap()
    })
}

fn line() -> IntervalSet {
    IntervalSet::new([(-1.0, 200.0)]).unwrap()
}

/// Touching intervals stay apart in a set; as stretches of the line they are one.
fn joined(set: &IntervalSet) -> IntervalSet {
    set.union(&IntervalSet::default())
}

proptest! {
    #[test]
    fn de_morgan_holds_on_a_bounded_line(a in epochs(), b in epochs()) {
        let not = |set: &IntervalSet| line().difference(set);
        prop_assert_eq!(joined(&not(&a.union(&b))), joined(&not(&a).intersection(&not(&b))));
        prop_assert_eq!(joined(&not(&a.intersection(&b))), joined(&not(&a).union(&not(&b))));
        prop_assert_eq!(joined(&a.difference(&b)), joined(&a.intersection(&not(&b))));
        prop_assert_eq!(a.total_length() + b.total_length(), a.union(&b).total_length() + a.intersection(&b).total_length());
    }

    #[test]
    fn restricting_twice_is_restricting_once(events in events(), epochs in epochs()) {
        let once = events.restrict(&epochs);
        prop_assert_eq!(&once.restrict(&epochs), &once);
        let plain: Vec<f64> = events.times().iter().copied().filter(|time| epochs.find(*time).is_some()).collect();
        prop_assert_eq!(once.times(), plain);
    }

    #[test]
    fn counting_whole_bins_commutes_with_restricting(events in events(), first in 0..20_i32, n in 1..20_i32) {
        let counts = events.restrict(&IntervalSet::new([(0.0, 100.0)]).unwrap()).count::<Cpu>(2.0).unwrap();
        let epoch = IntervalSet::new([(2.0 * f64::from(first), 2.0 * f64::from(first + n))]).unwrap();
        let cut = events.restrict(&epoch).count::<Cpu>(2.0).unwrap();
        prop_assert_eq!(counts.restrict(&epoch).to_vec(), cut.to_vec());
    }

    #[test]
    fn counts_of_a_partition_add_up(events in events(), cuts in prop::collection::vec(0..50_i32, 0..10)) {
        let mut edges: Vec<f64> = cuts.into_iter().map(|cut| 2.0 * f64::from(cut)).chain([0.0, 100.0]).collect();
        edges.sort_by(f64::total_cmp);
        let whole = IntervalSet::new([(0.0, 100.0)]).unwrap();
        let parts = IntervalSet::new(edges.windows(2).map(|pair| (pair[0], pair[1]))).unwrap();
        let counts = |epochs: &IntervalSet| events.restrict(epochs).count::<Cpu>(0.5).unwrap().to_vec();
        prop_assert_eq!(counts(&whole), counts(&parts));
        let by_epoch: f64 = events.restrict(&parts).count_epochs::<Cpu>().to_vec().iter().sum();
        prop_assert_eq!(by_epoch as usize, events.restrict(&whole).len());
    }

    #[test]
    fn bins_are_filled_as_one_by_one(signal in signal(), size in 1..40_i32) {
        let size = f64::from(size) / 8.0;
        let (counts, means) = (signal.axis().count::<Cpu>(size).unwrap(), signal.bin_average(size).unwrap());
        prop_assert_eq!(counts.sample_times(), means.sample_times());
        let (counts, values, averages) = (counts.to_vec(), signal.to_vec(), means.to_vec());
        for (bin, &centre) in means.sample_times().iter().enumerate() {
            let epoch = means.support().find(centre);
            let is_member = |time: f64| signal.support().find(time) == epoch && (centre - size / 2.0..centre + size / 2.0).contains(&time);
            let pairs = signal.sample_times().iter().zip(&values);
            let members: Vec<f64> = pairs.filter(|(time, _)| is_member(**time)).map(|(_, value)| *value).collect();
            prop_assert_eq!(counts[bin] as usize, members.len());
            let mean = members.iter().sum::<f64>() / members.len() as f64;
            prop_assert!((mean - averages[bin]).abs() < 1e-12 || mean.is_nan() && averages[bin].is_nan());
        }
    }

    #[test]
    fn the_closest_sample_is_the_closest(events in events(), signal in signal()) {
        let found = events.value_from(&signal, Nearest::Closest);
        let values = signal.to_vec();
        for (&time, value) in found.sample_times().iter().zip(found.to_vec()) {
            let distance = |row: usize| (signal.sample_times()[row] - time).abs();
            let rows = (0..signal.len()).filter(|row| signal.support().find(signal.sample_times()[*row]) == signal.support().find(time));
            match rows.min_by(|a, b| distance(*a).total_cmp(&distance(*b))) {
                Some(best) => prop_assert!((0..signal.len()).any(|row| values[row] == value && distance(row) == distance(best))),
                None => prop_assert!(value.is_nan()),
            }
        }
    }

    #[test]
    fn correlograms_count_every_pair(first in events(), second in events()) {
        let found = TsGroup::new([first.clone(), second.clone()], &line()).crosscorrelograms(0.5, 2.0, Scale::Rate).unwrap();
        for (lag, got) in found.lags.iter().zip(found.values.column(0)) {
            let is_near = |a: f64, b: f64| (lag - 0.25..lag + 0.25).contains(&(b - a));
            let pairs: usize = first.times().iter().map(|a| second.times().iter().filter(|b| is_near(*a, **b)).count()).sum();
            let expected = pairs as f64 / (first.len() as f64 * 0.5);
            prop_assert!((got - expected).abs() < 1e-9 || got.is_nan() && expected.is_nan());
        }
    }

    #[test]
    fn no_operation_leaves_its_support(signal in signal(), at in events(), epochs in epochs(), seed in 0..1000_u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let events = signal.axis();
        let axes = [
            signal.restrict(&epochs).axis().clone(),
            signal.between(10.0, 30.0).axis().clone(),
            signal.interpolate(&at, Outside::Hold).axis().clone(),
            signal.bin_average(0.7).unwrap().axis().clone(),
            signal.threshold(Threshold::Above(0.2)).axis().clone(),
            events.shuffle_intervals(&mut rng),
            events.jitter(3.0, &mut rng).unwrap(),
            events.resample(&mut rng),
            events.shift_circularly(0.0, 50.0, &mut rng).unwrap(),
            events.time_diff::<Cpu>(DiffTime::Center).axis().clone(),
        ];
        for (operation, axis) in axes.iter().enumerate() {
            let is_inside = axis.times().is_sorted() && axis.times().iter().all(|time| axis.support().find(*time).is_some());
            prop_assert!(is_inside, "operation {}", operation);
        }
    }
}
