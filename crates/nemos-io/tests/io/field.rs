//! Recordings as laboratories have them: clocks that jump, missing times, damaged tables, and what becomes of them.
//!
//! `tests/interop/field_recordings.py` writes the files; where `NEMOS_FIELD_DIR` names a folder, its files are read instead.

use std::path::PathBuf;

use nemos_core::Cpu;
use nemos_io::{CsvFile, Error, Lenient, NwbFile, NwbKind, Reason, read_csv, read_npy, write_npy};
use nemos_timeseries::{IntervalSet, Ts};

use crate::common::Scratch;

fn folder() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/field");
    std::env::var_os("NEMOS_FIELD_DIR").map_or(here, PathBuf::from)
}

fn open(name: &str) -> NwbFile {
    NwbFile::open(folder().join(name)).unwrap()
}

fn ends(set: &IntervalSet) -> Vec<(f64, f64)> {
    set.intervals().iter().map(|interval| (interval.start, interval.end)).collect()
}

/// What was left out: how many rows, and why.
fn left_out<T>(found: &Lenient<T>) -> Vec<(usize, Reason)> {
    found.left_out.iter().map(|left| (left.rows.len(), left.reason)).collect()
}

#[test]
fn a_stretch_of_times_that_are_no_clock_is_an_error_that_says_where() {
    let session = open("times.nwb");
    assert_eq!(session.series("good").unwrap().between(0.0, 10.0).tsd::<Cpu>().unwrap().len(), 101);
    for (name, bad) in [
        ("nan_mid", 500),
        ("nan_last", 999),
        ("nan_first", 0),
        ("clock_back", 500),
        ("clock_reset", 600),
    ] {
        let series = session.series(name).unwrap();
        for error in [
            series.clone().between(0.0, 10.0).tsd::<Cpu>().unwrap_err(),
            series.tsd::<Cpu>().unwrap_err(),
        ] {
            let Error::Times { row, object, .. } = &error else {
                panic!("{error}")
            };
            assert_eq!((*row, object.as_str()), (bad, format!("/acquisition/{name}/timestamps").as_str()));
            let text = error.to_string();
            assert!(text.contains("times.nwb") && text.contains("NwbFile::lenient"), "{text}");
        }
    }
}

#[test]
fn what_is_damaged_is_read_and_what_was_left_out_is_told() {
    let session = open("times.nwb");
    let whole = |name: &str| session.lenient(|session| session.series(name)?.tsd::<Cpu>()).unwrap();
    let part = |name: &str| {
        session
            .lenient(|session| session.series(name)?.between(0.0, 10.0).tsd::<Cpu>())
            .unwrap()
    };
    for (name, n, reason) in [
        ("nan_mid", 1, Reason::TimeNotFinite),
        ("nan_last", 1, Reason::TimeNotFinite),
        ("nan_first", 3, Reason::TimeNotFinite),
        ("clock_back", 100, Reason::TimeBackwards),
        ("clock_reset", 400, Reason::TimeBackwards),
    ] {
        let found = whole(name);
        assert_eq!(left_out(&found), [(n, reason)], "{name}");
        assert_eq!(found.value.len(), 1000 - n, "{name}");
        // Every sample that is left is at its time: sample k was taken at k / 10.
        for (time, value) in found.value.sample_times().iter().zip(found.value.to_vec()) {
            assert!((time * 10.0 - value).abs() < 1e-9, "{name}");
        }
        let expected = if name == "nan_first" { 98 } else { 101 };
        assert_eq!(part(name).value.len(), expected, "{name}");
    }
    // Nothing is left out of what is not damaged.
    assert!(whole("good").left_out.is_empty());
    assert_eq!(whole("nan_mid").left_out[0].rows, [500]);
    assert_eq!(whole("nan_mid").left_out[0].object, "/acquisition/nan_mid/timestamps");
}

#[test]
fn a_stretch_of_units_is_the_same_whatever_the_order_in_the_file() {
    let session = open("times.nwb");
    let units = session.units_table("units").unwrap();
    let all = units.clone().group().unwrap();
    assert_eq!(all.units().iter().map(Ts::len).collect::<Vec<_>>(), [1000; 3]);
    for (from, to) in [(0.0, 10.0), (35.0, 45.0), (30.0, 60.0), (99.0, 200.0), (-5.0, 0.3)] {
        let part = units.clone().between(from, to).group().unwrap();
        for (part, all) in part.units().iter().zip(all.units()) {
            assert_eq!(part.times(), &all.times()[all.rows_between(from, to)], "{from} to {to}");
        }
        assert_eq!(part.metadata(), all.metadata());
    }
    let first = units.between(0.0, 10.0).group().unwrap();
    assert_eq!(first.units().iter().map(Ts::len).collect::<Vec<_>>(), [101, 101, 101]);
}

#[test]
fn a_missing_spike_names_its_unit_and_the_others_can_be_read() {
    let session = open("units.nwb");
    for error in [
        session.units().unwrap_err(),
        session.units_table("units").unwrap().between(0.0, 1.0).group().unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(matches!(error, Error::Times { row: 0, .. }), "{text}");
        assert!(
            text.contains("unit 5") && text.contains("/units/spike_times") && text.contains("units.nwb"),
            "{text}"
        );
    }
    let found = session.lenient(NwbFile::units).unwrap();
    let reasons: Vec<Reason> = found.left_out.iter().map(|left| left.reason).collect();
    assert_eq!(reasons, [Reason::TimeNotFinite, Reason::Unobserved, Reason::Renumbered]);
    assert_eq!(found.value.ids(), [0, 1]);
    assert_eq!(found.value.units()[0].times(), [1.0, 2.0]);
    // The groups of electrodes are objects of their own, which the table points to.
    assert_eq!(found.value.metadata().texts("region").unwrap(), ["CA3", "CA1"]);
    let observed = session.units_table("units").unwrap().observed().unwrap().unwrap();
    assert_eq!(ends(&observed[0]), [(0.0, 4.0)]);
    assert_eq!(ends(&observed[1]), [(0.0, 2.0), (3.0, 4.0)]);
    let counts = found.value.count_observed::<Cpu>(1.0, &observed).unwrap().values().to_vec();
    assert!(
        counts[5].is_nan() && counts.iter().filter(|count| count.is_nan()).count() == 1,
        "{counts:?}"
    );
}

#[test]
fn units_without_spikes_are_units() {
    let session = open("silent.nwb");
    let units = session.units().unwrap();
    assert_eq!(
        (units.ids(), units.units().iter().map(Ts::len).sum::<usize>()),
        ([5, 7].as_slice(), 0)
    );
    assert_eq!(units.metadata().texts("quality").unwrap(), ["good", "mua"]);
    assert_eq!(session.units_table("units").unwrap().between(0.0, 1.0).group().unwrap().len(), 2);
}

#[test]
fn lzf_and_half_precision_are_read() {
    let session = open("times.nwb");
    let wave = session.series("lzf").unwrap().tsd::<Cpu>().unwrap().to_vec();
    assert_eq!(wave.len(), 2000);
    assert!(wave.iter().enumerate().all(|(k, value)| *value == (k as f64 / 50.0).sin()));
    let half = session.series("half").unwrap();
    assert_eq!(half.tsd::<Cpu>().unwrap().to_vec(), [0.5, 1.0, -2.0]);
    let array = read_npy(folder().join("half.npy")).unwrap();
    // The smallest half that is 6e-8 or near: one unit of 2⁻²⁴.
    assert_eq!(array.into_iter().collect::<Vec<_>>(), [0.5, -2.0, 2.0_f64.powi(-24), f64::INFINITY]);
    assert_eq!(read_npy(folder().join("fortran.npy")).unwrap()[[1, 0]], 3.0);
}

#[test]
fn data_that_do_not_fit_their_times_say_how() {
    let session = open("times.nwb");
    let transposed = session.series("transposed").unwrap();
    let text = transposed.tsd::<Cpu>().unwrap_err().to_string();
    assert!(
        text.contains("time must be the first axis") && text.contains("[2, 6]") && text.contains("transposed"),
        "{text}"
    );
    let frame = transposed.transposed().between(0.0, 0.2).frame::<Cpu>().unwrap();
    assert_eq!(frame.values().to_vec(), [0.0, 6.0, 1.0, 7.0, 2.0, 8.0]);
    let text = session.series("short").unwrap().tsd::<Cpu>().unwrap_err().to_string();
    assert!(text.contains("6 times for 5 samples") && text.contains("lenient"), "{text}");
    let found = session.lenient(|session| session.series("short")?.tsd::<Cpu>()).unwrap();
    assert_eq!((found.value.len(), found.left_out[0].rows.as_slice()), (5, [5].as_slice()));
    // What is of no type that can be read is listed, and says what it is.
    let entry = session.entries().iter().find(|entry| entry.name == "complex").unwrap();
    assert_eq!(entry.kind, NwbKind::Unreadable);
    let text = session.series("complex").unwrap_err().to_string();
    assert!(
        text.contains("records of several fields") && text.contains("/acquisition/complex"),
        "{text}"
    );
}

#[test]
fn regions_of_interest_come_with_their_table() {
    let session = open("sessions.nwb");
    for (name, factor) in [("Fluorescence/RoiResponseSeries", 1.0), ("DfOverF/RoiResponseSeries", 2.0)] {
        let traces = session.series(name).unwrap().frame::<Cpu>().unwrap();
        assert_eq!(traces.column_names(), ["13", "11", "10"]);
        assert_eq!(traces.metadata().flags("iscell").unwrap(), [true, true, false]);
        assert_eq!(
            traces.column("11").unwrap().to_vec(),
            [1.0, 4.0, 7.0, 10.0].map(|value| value * factor)
        );
    }
    let table = session.table("/processing/ophys/ImageSegmentation/PlaneSegmentation").unwrap();
    assert_eq!(table.flags("iscell").unwrap(), [false, true, false, true]);
}

#[test]
fn intervals_as_signs_are_intervals() {
    let session = open("sessions.nwb");
    let run = session.entries().iter().find(|entry| entry.name == "run").unwrap();
    assert_eq!(run.kind, NwbKind::Intervals);
    assert_eq!(ends(&session.intervals("run").unwrap()), [(0.0, 1.0), (2.0, 5.0)]);
    // Two kinds, of which one begins while the other lasts, and one that never ends.
    let kinds = session.lenient(|session| session.intervals("kinds")).unwrap();
    assert_eq!(ends(&kinds.value), [(0.0, 1.0), (2.0, 5.0), (6.0, 9.0)]);
    assert!(kinds.value.metadata().numbers("kind").unwrap()[2].is_nan());
    assert_eq!(left_out(&kinds), [(1, Reason::NoInterval), (2, Reason::Merged)]);
}

#[test]
fn trials_keep_their_number_and_their_metadata() {
    let session = open("sessions.nwb");
    let trials = session.intervals("trials").unwrap();
    let numbers: Vec<f64> = (0..100).map(f64::from).collect();
    assert_eq!(trials.metadata().numbers("k").unwrap(), numbers);
    assert!(session.left_out().is_empty());
    let found = session.lenient(|session| session.intervals("overlapping")).unwrap();
    assert_eq!(ends(&found.value), [(0.0, 1.0), (1.0, 3.0), (3.0, 4.0), (4.0, 5.0)]);
    let k = found.value.metadata().numbers("k").unwrap();
    assert!(k[0] == 0.0 && k[1].is_nan() && k[2..] == [3.0, 4.0], "{k:?}");
    assert_eq!(
        found.value.metadata().texts("choice").unwrap(),
        ["left", "right|left", "right", "left"]
    );
    assert_eq!(found.value.metadata().texts("merged").unwrap()[1], "1 2");
    assert_eq!(found.left_out[0].rows, [1, 2]);
    // All five, as they are in the file.
    let table = session.table("overlapping").unwrap();
    assert_eq!(table.numbers("stop_time").unwrap(), [1.0, 2.5, 3.0, 4.0, 5.0]);
}

#[test]
fn tables_as_pandas_writes_them_are_read() {
    let frame = read_csv::<Cpu>(folder().join("index.csv")).unwrap();
    assert_eq!(
        (frame.sample_times(), frame.values().to_vec()),
        ([0.0, 0.1].as_slice(), vec![5.0, 6.0])
    );
    let texts = CsvFile::open(folder().join("texts.csv")).unwrap();
    assert_eq!(texts.table().unwrap().texts("label").unwrap(), ["a", "b, c"]);
    let units = CsvFile::open(folder().join("units.csv")).unwrap().units().unwrap();
    assert_eq!(units.unit(12).unwrap().times(), [0.2, 0.5]);
    let trials = CsvFile::open(folder().join("trials.csv")).unwrap().intervals().unwrap();
    assert_eq!(trials.metadata().texts("choice").unwrap(), ["left", "right"]);
}

#[test]
fn files_are_not_written_under_names_of_other_formats() {
    for name in ["array.npz", "array.CSV", "array.nwb", "array.pkl"] {
        let file = Scratch::new(name);
        let error = write_npy(&file.0, ndarray::array![1.0].view()).unwrap_err();
        assert!(matches!(error, Error::Ending { format: "npy", .. }) && !file.0.exists(), "{error}");
    }
    for name in ["array", "array.npy", "array.v2"] {
        write_npy(&Scratch::new(name).0, ndarray::array![1.0].view()).unwrap();
    }
}

#[test]
fn a_folder_is_no_file() {
    let error = NwbFile::open(folder()).unwrap_err().to_string();
    assert!(error.contains("Zarr"), "{error}");
}

#[test]
fn compressions_that_are_not_read_are_named_with_the_remedy() {
    let bytes = std::fs::read(folder().join("times.nwb")).unwrap();
    // Filter 32000 of the one series that h5py compressed with it, under other numbers.
    let lzf = [0x00, 0x7d, 8, 0, 1, 0, 3, 0, b'l', b'z', b'f'];
    let at = bytes.windows(lzf.len()).position(|window| window == lzf).unwrap();
    for (number, name) in [(32015_u16, "Zstandard"), (32001, "Blosc"), (32026, "Blosc2"), (32008, "bitshuffle")] {
        let mut bytes = bytes.clone();
        bytes[at..at + 2].copy_from_slice(&number.to_le_bytes());
        let file = Scratch::of("compressed.nwb", &bytes);
        let session = NwbFile::open(&file.0).unwrap();
        let text = session.series("lzf").unwrap().tsd::<Cpu>().unwrap_err().to_string();
        for part in [
            &format!("{name} compression"),
            "h5repack -f GZIP=4",
            "/acquisition/lzf",
            "compressed.nwb",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(session.series("good").unwrap().tsd::<Cpu>().unwrap().len(), 1000);
    }
}

#[test]
fn columns_of_true_and_false_are_flags() {
    let file = Scratch::of("flags.csv", b"start,stop,correct,side\n0,1,True,left\n2,3,False,right\n");
    let trials = CsvFile::open(&file.0).unwrap().intervals().unwrap();
    assert_eq!(trials.metadata().flags("correct").unwrap(), [true, false]);
    assert_eq!(trials.metadata().texts("side").unwrap(), ["left", "right"]);
}

#[test]
fn lines_may_end_as_on_old_macintoshes() {
    let file = Scratch::of("old.csv", b"time,x\r0,1\r1,2\r");
    assert_eq!(read_csv::<Cpu>(&file.0).unwrap().values().to_vec(), [1.0, 2.0]);
}

#[test]
fn units_whose_numbers_run_together_are_refused() {
    let file = Scratch::of("far.csv", b"unit,time\n9007199254740993,0.5\n9007199254740992,0.6\n");
    let error = CsvFile::open(&file.0).unwrap().units().unwrap_err().to_string();
    assert!(error.contains("2⁵³"), "{error}");
}
