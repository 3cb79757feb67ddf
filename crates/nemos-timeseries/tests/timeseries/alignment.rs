//! Laws of correlograms and surrogates, against plain loops.

use nemos_timeseries::{IntervalSet, Normalization, Ts, TsGroup};
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

proptest! {
    #[test]
    fn correlograms_count_every_pair(first in events(), second in events()) {
        let line = IntervalSet::new([(0.0, 200.0)]).unwrap();
        let group = TsGroup::new([first.clone(), second.clone()], &line);
        let found = group.crosscorrelograms(0.5, 2.0, Normalization::Rate).unwrap();
        for (lag, got) in found.lags.iter().zip(found.values.column(0)) {
            // Half of what lies on an edge.
            let share = |a: f64, b: f64| match (b - a - lag).abs() {
                off if off < 0.25 => 1.0,
                0.25 => 0.5,
                _ => 0.0,
            };
            let near = |a: &f64| second.times().iter().map(|b| share(*a, *b)).sum::<f64>();
            let pairs: f64 = first.times().iter().map(near).sum();
            let expected = pairs / (first.len() as f64 * 0.5);
            prop_assert!((got - expected).abs() < 1e-9 || got.is_nan() && expected.is_nan());
        }
    }

    #[test]
    fn surrogates_stay_in_their_support(events in events(), epochs in epochs(), seed in 0..1000_u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let events = events.restrict(&epochs);
        let surrogates = [
            events.shuffle_intervals(&mut rng),
            events.resample(&mut rng),
            events.shift_circularly(0.0, 50.0, &mut rng).unwrap(),
            events.jitter(3.0, &mut rng).unwrap(),
        ];
        for (which, surrogate) in surrogates.iter().enumerate() {
            prop_assert!(surrogate.times().is_sorted());
            prop_assert_eq!(&surrogate.restrict(&epochs), surrogate);
            // A jitter may carry an event out of the epochs.
            prop_assert!(which == 3 || surrogate.len() == events.len());
        }
    }
}
