//! Own edges, limits of distance, groups made and merged, waits, averages of uneven frames, and times of observation.

use nemos_core::{Cpu, Matrix};
use nemos_timeseries::*;
use proptest::prelude::*;

fn set(intervals: &[(f64, f64)]) -> IntervalSet {
    IntervalSet::new(intervals.iter().copied()).unwrap()
}

fn times() -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(0..800_u32, 0..120).prop_map(|mut steps| {
        steps.sort_unstable();
        steps.into_iter().map(|step| f64::from(step) / 8.0).collect()
    })
}

proptest! {
    #[test]
    fn counts_between_even_edges_are_counts_of_bins(times in times(), size in prop_oneof![Just(0.5), Just(0.25), Just(2.0)]) {
        let line = set(&[(0.0, 100.0)]);
        let group = TsGroup::new([Ts::within(times, &line).unwrap(), Ts::default()], &line);
        let n = (100.0 / size) as usize;
        let edges: Vec<f64> = (0..=n).map(|k| k as f64 * size).collect();
        let (own, even) = (group.count_between::<Cpu>(&edges).unwrap(), group.count::<Cpu>(size).unwrap());
        // The last bin has both edges there, and only its left one here.
        let last = (n - 1) * 2;
        prop_assert_eq!(&own.values().to_vec()[..last], &even.values().to_vec()[..last]);
        prop_assert_eq!(own.sample_times(), even.sample_times());
        prop_assert_eq!(own.values().to_vec().iter().sum::<f64>(), group.units()[0].len() as f64);
    }

    #[test]
    fn bins_that_were_not_wholly_observed_are_missing(pairs in proptest::collection::vec((0..200_u32, 1..60_u32), 0..6), size in prop_oneof![Just(0.5), Just(1.5)]) {
        let session = set(&[(0.0, 20.0), (20.0, 33.25), (40.0, 47.0)]);
        let observed = IntervalSet::new(pairs.into_iter().map(|(start, n)| (f64::from(start) / 4.0, f64::from(start + n) / 4.0))).unwrap();
        let group = TsGroup::new([Ts::default(), Ts::default()], &session);
        let counts = group.count_observed::<Cpu>(size, &[observed.clone(), session.clone()]).unwrap();
        let column = |name: &str| counts.column(name).unwrap().to_vec();
        prop_assert!(column("1").iter().all(|count| *count == 0.0));
        let touched = observed.merge_close(0.0);
        let mut rows = column("0").into_iter();
        for epoch in session.intervals() {
            let mut start = epoch.start;
            while start + size / 2.0 <= epoch.end {
                // The part of the bin that lies in the epoch.
                let bin = set(&[(start, (start + size).min(epoch.end))]);
                let is_seen = bin.difference(&touched).is_empty();
                prop_assert_eq!(rows.next().unwrap().is_nan(), !is_seen, "bin from {}", start);
                start += size;
            }
        }
        prop_assert!(rows.next().is_none());
    }

    #[test]
    fn groups_come_apart_as_they_were_put_together(first in times(), second in times()) {
        let units = [Ts::new(first).unwrap(), Ts::new(second).unwrap()];
        let group = TsGroup::joined(units).with_ids([4, 9]).unwrap();
        let back = group.to_tsd::<Cpu>().to_tsgroup().unwrap();
        for (id, unit) in back.ids().iter().zip(back.units()) {
            prop_assert_eq!(unit.times(), group.unit(*id).unwrap().times());
        }
        let alone = |at: usize| TsGroup::new([group.units()[at].clone()], group.support()).with_ids([group.ids()[at]]).unwrap();
        let merged = alone(0).merge(&alone(1)).unwrap();
        prop_assert_eq!(merged.units(), group.units());
        prop_assert_eq!(merged.ids(), group.ids());
    }

    #[test]
    fn averages_of_even_frames_are_those_of_bins(values in proptest::collection::vec(-5.0..5.0_f64, 400), at in proptest::collection::vec(50..350_usize, 1..10)) {
        let frames = Tsd::<Cpu>::new(Ts::regular(0.0, 0.1, 400).unwrap(), values.clone()).unwrap();
        let mut at = at;
        at.sort_unstable();
        let triggers = Ts::new(at.iter().map(|&k| k as f64 * 0.1).collect::<Vec<_>>()).unwrap();
        let average = frames.perievent_average(&triggers, Around::new(0.3, 0.3).unwrap(), 0.1).unwrap();
        prop_assert_eq!(average.len(), 6);
        for (bin, mean) in average.to_vec().into_iter().enumerate() {
            let expected = at.iter().map(|k| values[k + bin - 3]).sum::<f64>() / at.len() as f64;
            prop_assert!((mean - expected).abs() < 1e-9, "bin {}: {} is not {}", bin, mean, expected);
        }
    }
}

#[test]
fn edges_of_counts_rise() {
    let spikes = Ts::new([0.0, 1.0]).unwrap();
    for bad in [
        &[][..],
        &[0.0],
        &[0.0, 0.0],
        &[1.0, 0.5],
        &[0.0, f64::NAN],
        &[f64::NEG_INFINITY, 0.0],
    ] {
        assert!(matches!(spikes.count_between::<Cpu>(bad), Err(Error::Edges { .. })), "{bad:?}");
    }
    // A bin outside the support is none.
    let counts = spikes.count_between::<Cpu>(&[0.0, 0.5, 1.0, 5.0]).unwrap();
    assert_eq!((counts.to_vec(), counts.sample_times()), (vec![1.0, 0.0], [0.25, 0.75].as_slice()));
}

#[test]
fn what_is_far_from_every_sample_has_no_value() {
    let axis = Ts::within([0.0, 1.0, 2.0, 9.0], &set(&[(0.0, 10.0)])).unwrap();
    let place = Tsd::<Cpu>::new(axis, vec![0.1, 0.1, 0.9, 0.9]).unwrap();
    let cell = TsGroup::new([Ts::new([0.4, 2.3, 5.0, 9.6]).unwrap()], place.support());
    let bins = [Binning::new(2).range(0.0, 1.0)];
    let counts = |farthest: f64| {
        let curves = cell.tuning_curves_within(&place, &bins, farthest).unwrap();
        curves
            .curve(0)
            .unwrap()
            .iter()
            .map(|rate| (rate * 2.0 * 3.0).round())
            .collect::<Vec<f64>>()
    };
    let all = cell.tuning_curves(&place, &bins).unwrap();
    assert_eq!(all, cell.tuning_curves_within(&place, &bins, 100.0).unwrap());
    // Spikes 0.4, 0.3, 3 and 0.6 s from a sample, over two samples of 3 s each.
    assert_eq!(
        [counts(10.0), counts(0.6), counts(0.35)],
        [[1.0, 3.0], [1.0, 2.0], [0.0, 1.0]].map(|pair| pair.to_vec())
    );
    let values = cell.units()[0].value_within(&place, Nearest::Closest, 0.5).to_vec();
    assert_eq!(
        values.iter().map(|value| value.is_nan()).collect::<Vec<_>>(),
        [false, false, true, true]
    );
    let signals = TsdFrame::new(cell.units()[0].clone(), Matrix::<Cpu>::zeros([4, 1])).unwrap();
    assert!(
        signals
            .tuning_curves_within(&place, &bins, 0.1)
            .unwrap()
            .curve(0)
            .unwrap()
            .iter()
            .all(|mean| mean.is_nan())
    );
}

#[test]
fn groups_of_one_number_do_not_merge_and_metadata_find_their_kind() {
    let group = |id: u64| TsGroup::joined([Ts::new([0.0, 1.0]).unwrap()]).with_ids([id]).unwrap();
    assert!(matches!(group(1).merge(&group(1)), Err(Error::DuplicateUnit { id: 1 })));
    let good = |id, flag: bool| group(id).with_column("good", vec![flag]).unwrap();
    let flags = good(1, true).merge(&good(2, false)).unwrap();
    assert_eq!(flags.metadata().flags("good").unwrap(), [true, false]);
    let numbers = good(1, true).merge(&group(2)).unwrap();
    let found = numbers.metadata().numbers("good").unwrap();
    assert!(found[0] == 1.0 && found[1].is_nan());
    let text = group(2).with_column("good", vec!["yes"]).unwrap();
    assert!(matches!(good(1, true).merge(&text), Err(Error::ColumnKind { .. })));
    for value in [-1.0, 0.5, f64::NAN, f64::INFINITY, 1e300] {
        let odd = Tsd::<Cpu>::new(Ts::new([0.0, 1.0]).unwrap(), vec![1.0, value]).unwrap();
        assert!(matches!(odd.to_tsgroup(), Err(Error::NotAUnit { row: 1, .. })), "{value}");
    }
}

#[test]
fn waits_stay_in_their_epochs_and_add_up() {
    let epochs = set(&[(0.0, 1.0), (5.0, 6.0)]);
    let unit = Ts::within([0.0, 0.1, 0.3, 5.0, 5.4], &epochs).unwrap();
    let group = TsGroup::new([unit, Ts::default()], &epochs);
    let found = group.interval_distributions(&Binning::with_edges([0.0, 0.15, 0.25, 0.5])).unwrap();
    assert_eq!(found.counts.column(0).to_vec(), [1.0, 1.0, 1.0]);
    assert_eq!(found.counts.column(1).to_vec(), [0.0; 3]);
    let densities = found.densities();
    let total: f64 = (0..3)
        .map(|bin| densities[[bin, 0]] * (found.edges[bin + 1] - found.edges[bin]))
        .sum();
    assert!((total - 1.0).abs() < 1e-12 && densities[[0, 1]].is_nan());
    assert!(matches!(
        TsGroup::default().interval_distributions(&Binning::new(3)),
        Err(Error::Empty { .. })
    ));
}

#[test]
fn averages_of_frames_do_not_look_into_other_epochs() {
    let epochs = set(&[(0.0, 1.0), (1.2, 2.0)]);
    let axis = Ts::within([0.0, 0.52, 0.97, 1.2, 1.71], &epochs).unwrap();
    let frames = Tsd::<Cpu>::new(axis, vec![1.0, 2.0, f64::NAN, 8.0, 16.0]).unwrap();
    let average = frames
        .perievent_average(&Ts::new([0.5, 1.3]).unwrap(), Around::new(0.5, 1.0).unwrap(), 0.5)
        .unwrap();
    // Around 0.5: the first frame before, the second after; the third is missing. Around 1.3: the fourth before, the fifth after.
    assert_eq!(average.to_vec()[..2], [4.5, 9.0]);
    assert!(average.to_vec()[2].is_nan());
    assert!(
        frames
            .perievent_average(&Ts::default(), Around::new(1.0, 1.0).unwrap(), 0.5)
            .unwrap()
            .to_vec()
            .iter()
            .all(|mean| mean.is_nan())
    );
    let far = frames.perievent_average(&Ts::default(), Around::new(1e300, 0.0).unwrap(), 1e-3);
    assert!(matches!(far, Err(Error::TooManyBins { .. })));
}

#[test]
fn times_of_observation_are_one_set_for_each_unit() {
    let group = TsGroup::joined([Ts::new([0.0, 1.0]).unwrap()]);
    assert!(matches!(
        group.count_observed::<Cpu>(0.5, &[]),
        Err(Error::Differ { left: 0, right: 1, .. })
    ));
}
