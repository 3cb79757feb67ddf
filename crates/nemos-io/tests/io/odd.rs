//! NWB files of unusual content, written by pynwb: what can be used of them is.
//!
//! `tests/interop/odd_nwb.py` writes `odd.nwb`; where `NEMOS_RECORDINGS_DIR` names a folder, its file is read instead.

use nemos_core::Cpu;
use nemos_io::{Error, NwbFile, NwbKind};
use nemos_timeseries::{IntervalSet, Ts};

use crate::common::folder;

fn open(name: &str) -> NwbFile {
    NwbFile::open(folder().join(name)).unwrap()
}

/// Starts and stops, one after the other.
fn ends(set: &IntervalSet) -> Vec<f64> {
    set.intervals().iter().flat_map(|interval| [interval.start, interval.end]).collect()
}

#[test]
fn trials_that_are_no_intervals_are_left_out_and_the_others_keep_their_metadata() {
    let trials = open("odd.nwb").intervals("trials").unwrap();
    // Rows 2, 6 and 0; the others have no stop, no start, no length, or stop before they start.
    assert_eq!(ends(&trials), [0.0, 0.5, 2.0, 3.0, 6.0, 7.0]);
    let table = trials.metadata();
    assert_eq!(table.texts("choice").unwrap(), ["choice2", "choice6", "choice0"]);
    assert_eq!(table.numbers("cue").unwrap(), [1.0, 3.0, 0.0]);
    assert_eq!(table.numbers("cue_index").unwrap(), [20.0, 60.0, 0.0]);
    assert_eq!(table.texts("marks").unwrap(), ["a, b", "", ""]);
    assert!(table.column("licks").is_err(), "lists of numbers are left out");
}

#[test]
fn intervals_that_touch_stay_and_those_that_overlap_are_merged() {
    let session = open("odd.nwb");
    let apart = session.intervals("apart").unwrap();
    assert_eq!(ends(&apart), [0.0, 1.0, 1.0, 2.0]);
    assert_eq!(apart.metadata().texts("tags").unwrap(), ["", ""]);
    let merged = session.intervals("overlapping").unwrap();
    assert_eq!(ends(&merged), [0.0, 3.0]);
    assert_eq!(merged.metadata().texts("merged").unwrap(), ["0 1"]);
}

#[test]
fn lists_of_tags_become_one_text() {
    for name in ["small.nwb", "latest.nwb"] {
        let epochs = open(name).intervals("epochs").unwrap();
        assert_eq!(epochs.metadata().texts("tags").unwrap(), ["dark, first", "light"]);
    }
}

#[test]
fn units_of_a_processing_module_are_listed_and_read() {
    let session = open("odd.nwb");
    let entry = session.entries().iter().find(|entry| entry.kind == NwbKind::Units).unwrap();
    assert_eq!((entry.name.as_str(), entry.path.as_str()), ("sorted", "/processing/ecephys/sorted"));
    let units = session.units_table("sorted").unwrap().group().unwrap();
    // It is the only table, and a path is as good as a name.
    assert_eq!(session.units().unwrap(), units);
    assert_eq!(session.units_table(&entry.path).unwrap().group().unwrap(), units);
    assert!(matches!(session.units_table("units"), Err(Error::NoEntry { .. })));
}

#[test]
fn units_are_supported_by_the_times_of_observation() {
    let units = open("odd.nwb").units().unwrap();
    assert_eq!(ends(units.support()), [0.0, 3.0, 4.0, 5.0]);
    // The spike at 9 s is outside.
    let times: Vec<&[f64]> = units.units().iter().map(Ts::times).collect();
    assert_eq!(times, [&[0.5, 1.0, 4.5][..], &[0.25], &[]]);
    assert_eq!(open("small.nwb").units().unwrap().support().total_length(), 8.0);
}

#[test]
fn a_stretch_of_units_is_that_stretch_of_all_of_them() {
    let real = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/phy_A8604.nwb");
    for name in ["small.nwb", "latest.nwb", "odd.nwb", real] {
        let session = open(name);
        let all = session.units().unwrap();
        let table = session.units_table(&session.entries().iter().find(|entry| entry.kind == NwbKind::Units).unwrap().path);
        let table = table.unwrap();
        let last = ends(all.support()).last().copied().unwrap();
        for (start, end) in [
            (0.5, 1.0),
            (2.0, 3.5),
            (0.25, 0.25),
            (-5.0, 0.7),
            (3.0, 1e9),
            (last, 1e9),
            (1e8, 1e9),
            (4.0, 2.0),
        ] {
            let part = table.clone().between(start, end).group().unwrap();
            assert_eq!((part.ids(), part.metadata()), (all.ids(), all.metadata()));
            for (part, all) in part.units().iter().zip(all.units()) {
                let inside = |time: &f64| (start..=end).contains(time) && start < end && start < last;
                let expected: Vec<f64> = all.times().iter().copied().filter(inside).collect();
                assert_eq!(part.times(), expected, "{name} from {start} to {end}");
            }
            let within = |&time: &f64| (start..=end).contains(&time);
            assert!(ends(part.support()).iter().all(within), "{name} from {start} to {end}");
        }
        assert_eq!(table.clone().between(f64::NEG_INFINITY, f64::INFINITY).group().unwrap(), all);
    }
}

#[test]
fn annotations_are_events_with_texts() {
    let session = open("odd.nwb");
    let entry = session.entries().iter().find(|entry| entry.name == "cues").unwrap();
    assert_eq!(entry.kind, NwbKind::Ts);
    let cues = session.series("cues").unwrap();
    assert_eq!(cues.times().unwrap().times(), [0.5, 2.0, 3.25]);
    assert_eq!(cues.texts().unwrap(), ["tone", "light", "tone"]);
    let late = cues.clone().between(1.0, 3.0);
    assert_eq!(
        (late.times().unwrap().times(), late.texts().unwrap()),
        ([2.0].as_slice(), vec!["light".to_owned()])
    );
    assert!(matches!(cues.tsd::<Cpu>(), Err(Error::Hdf5 { .. })));
}

#[test]
fn columns_are_named_by_axes_and_electrodes() {
    let session = open("odd.nwb");
    let lfp = session.series("lfp").unwrap().frame::<Cpu>().unwrap();
    assert_eq!(lfp.column_names(), ["13", "11"]);
    assert_eq!(lfp.metadata().texts("location").unwrap(), ["layer 3", "layer 1"]);
    assert_eq!(lfp.column("11").unwrap().to_vec(), [1.0, 3.0, 5.0, 7.0]);
    let position = session.series("left/Position/xy").unwrap().frame::<Cpu>().unwrap();
    assert_eq!(position.column_names(), ["x", "y"]);
}

#[test]
fn names_are_told_apart_and_images_elsewhere_are_not_listed() {
    let session = open("odd.nwb");
    let names: Vec<&str> = session.entries().iter().map(|entry| entry.name.as_str()).collect();
    assert!(
        names.contains(&"left/Position/xy") && names.contains(&"right/Position/xy"),
        "{names:?}"
    );
    assert!(!names.contains(&"film"));
}
