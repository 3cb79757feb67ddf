//! Files of pynwb and pynapple against what was written into them.
//!
//! `tests/interop/recordings.py` writes them; where `NEMOS_RECORDINGS_DIR` names a folder, its files are read instead.

use std::io::Read;
use std::path::Path;

use nemos_core::{Cpu, Design, ToDesign};
use nemos_io::{Error, NwbFile, NwbKind, Pynapple};
use nemos_timeseries::{IntervalSet, TsGroup};
use serde_json::Value;

use crate::common::{Scratch, folder};

fn expected() -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder().join("expected.json")).unwrap()).unwrap()
}

/// The session, which lies in an archive because most of it is empty space.
fn session_bytes() -> Vec<u8> {
    let plain = folder().join("session.nwb");
    if plain.exists() {
        return std::fs::read(plain).unwrap();
    }
    let archive = std::fs::File::open(folder().join("session.nwb.zip")).unwrap();
    let mut bytes = Vec::new();
    let mut archive = zip::ZipArchive::new(archive).unwrap();
    archive.by_index(0).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        Value::Number(number) => vec![number.as_f64().unwrap()],
        other => panic!("{other} is no number"),
    }
}

#[track_caller]
fn close(got: &[f64], expected: &Value) {
    let expected = numbers(expected);
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{got} is not {expected}");
    }
}

#[test]
fn a_session_lists_what_it_holds() {
    let file = Scratch::of("list.nwb", &session_bytes());
    let session = NwbFile::open(&file.0).unwrap();
    let kind = |name: &str| session.entries().iter().find(|entry| entry.name == name).map(|entry| entry.kind);
    assert_eq!(kind("units"), Some(NwbKind::Units));
    assert_eq!(kind("epochs"), Some(NwbKind::Intervals));
    assert_eq!(kind("trials"), Some(NwbKind::Intervals));
    assert_eq!(kind("SpatialSeries"), Some(NwbKind::TsdFrame));
    assert_eq!(kind("speed"), Some(NwbKind::Tsd));
    assert_eq!(kind("lfp"), Some(NwbKind::Tsd));
    assert_eq!(kind("movie"), Some(NwbKind::TsdTensor));
    assert_eq!(session.entries().len(), 7);
    let table = session.to_string();
    assert!(table.contains("SpatialSeries  TsdFrame"), "{table}");
    let error = session.series("position").unwrap_err().to_string();
    assert!(error.contains("SpatialSeries") && !error.contains("trials"), "{error}");
    assert!(matches!(session.intervals("lfp"), Err(Error::NoEntry { .. })));
    let series = session.series("movie").unwrap();
    assert!(series.frame::<Cpu>().unwrap_err().to_string().contains("tensor"));
}

#[test]
fn units_come_with_their_metadata_and_silent_ones_stay() {
    let file = Scratch::of("units.nwb", &session_bytes());
    let units: TsGroup = NwbFile::open(&file.0).unwrap().units().unwrap();
    let expected = expected();
    let expected = expected["units"].as_array().unwrap();
    assert_eq!(units.len(), 4);
    let metadata = units.metadata();
    for (row, (unit, expected)) in units.units().iter().zip(expected).enumerate() {
        close(unit.times(), &expected["spike_times"]);
        assert_eq!(metadata.texts("quality").unwrap()[row], expected["quality"].as_str().unwrap());
        assert_eq!(metadata.texts("region").unwrap()[row], expected["location"].as_str().unwrap());
        assert_eq!(metadata.numbers("depth").unwrap()[row], expected["depth"].as_f64().unwrap());
        assert_eq!(
            f64::from(u8::from(metadata.flags("good").unwrap()[row])),
            expected["good"].as_f64().unwrap()
        );
    }
    assert!(units.units()[1].is_empty());
}

#[test]
fn series_come_in_their_units_with_their_times() {
    let file = Scratch::of("series.nwb", &session_bytes());
    let session = NwbFile::open(&file.0).unwrap();
    let expected = expected();
    let position = session.series("SpatialSeries").unwrap().frame::<Cpu>().unwrap();
    close(position.sample_times(), &expected["position"]["times"]);
    close(&position.values().to_vec(), &expected["position"]["values"]);
    for name in ["speed", "lfp"] {
        let signal = session.series(name).unwrap().tsd::<Cpu>().unwrap();
        close(signal.sample_times(), &expected[name]["times"]);
        close(&signal.to_vec(), &expected[name]["values"]);
    }
    let movie = session.series("movie").unwrap().tensor::<Cpu>().unwrap().to_array();
    assert_eq!(movie.shape(), [10, 3, 4]);
    assert_eq!(movie.sum(), expected["movie"]["sum"].as_f64().unwrap());
}

#[test]
fn a_stretch_of_a_series_is_that_stretch_of_the_whole() {
    let file = Scratch::of("stretch.nwb", &session_bytes());
    let session = NwbFile::open(&file.0).unwrap();
    for name in ["SpatialSeries", "lfp"] {
        let series = session.series(name).unwrap();
        let whole = series.frame::<Cpu>().unwrap();
        for (start, end) in [
            (2.0, 4.0),
            (2.01, 4.01),
            (-5.0, 2.3),
            (3.9, 1e9),
            (3.0, 3.0),
            (4.0, 2.0),
            (1e9, 2e9),
            (f64::NAN, 3.0),
        ] {
            let part = series.clone().between(start, end).frame::<Cpu>().unwrap();
            let rows: Vec<usize> = (0..whole.len())
                .filter(|&row| (start..=end).contains(&whole.sample_times()[row]))
                .collect();
            if start.is_nan() {
                continue;
            }
            let times: Vec<f64> = rows.iter().map(|&row| whole.sample_times()[row]).collect();
            assert_eq!(part.sample_times(), times, "{name} from {start} to {end}");
            let width = whole.n_columns();
            let all = whole.values().to_vec();
            let values: Vec<f64> = rows.iter().flat_map(|&row| all[row * width..(row + 1) * width].to_vec()).collect();
            assert_eq!(part.values().to_vec(), values, "{name} from {start} to {end}");
        }
    }
}

#[test]
fn epochs_and_trials_come_with_their_metadata() {
    let file = Scratch::of("epochs.nwb", &session_bytes());
    let session = NwbFile::open(&file.0).unwrap();
    let expected = expected();
    for name in ["epochs", "trials"] {
        let set = session.intervals(name).unwrap();
        close(&set.starts().collect::<Vec<_>>(), &expected[name]["start"]);
        close(&set.ends().collect::<Vec<_>>(), &expected[name]["end"]);
    }
    let epochs = session.intervals("epochs").unwrap();
    assert_eq!(epochs.metadata().texts("tags").unwrap(), ["sleep", "wake, track"]);
    let trials = session.intervals("trials").unwrap();
    assert_eq!(trials.metadata().texts("choice").unwrap(), ["L", "R", "L", "R", "L", "R"]);
    assert_eq!(trials.metadata().flags("correct").unwrap(), [true, false, true, false, true, false]);
    assert_eq!(session.electrodes().unwrap().texts("location").unwrap()[3], "größer");
}

#[test]
fn a_recording_that_pynapple_made_lists_and_loads() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data/phy_A8604.nwb");
    let session = NwbFile::open(path).unwrap();
    assert_eq!(session.entries().len(), 2);
    let units = session.units().unwrap();
    // As pynapple counts them.
    assert_eq!(units.units().iter().map(|unit| unit.len()).sum::<usize>(), 21_354);
    assert_eq!(units.metadata().texts("location").unwrap().len(), 3);
    assert_eq!(session.electrodes().unwrap().n_rows(), 383);
    assert_eq!(session.intervals("epochs").unwrap().metadata().texts("tags").unwrap(), ["wake"]);
}

#[test]
fn objects_of_pynapple_are_read_and_written() {
    let all = expected();
    let expected = &all["pynapple"];
    let again = Scratch::of("again.npz", b"");
    let pass = |name: &str| {
        let first = Pynapple::<Cpu>::read(folder().join(format!("pynapple_{name}.npz"))).unwrap();
        match std::env::var_os("NEMOS_REWRITTEN_DIR") {
            Some(folder) => first.write(Path::new(&folder).join(format!("pynapple_{name}.npz"))).unwrap(),
            None => first.write(&again.0).unwrap(),
        }
        first.write(&again.0).unwrap();
        [first, Pynapple::read(&again.0).unwrap()]
    };
    let support = |epochs: &IntervalSet| {
        close(&epochs.starts().collect::<Vec<_>>(), &expected["intervals"]["start"]);
        close(&epochs.ends().collect::<Vec<_>>(), &expected["intervals"]["end"]);
    };
    for name in ["intervals", "ts", "tsd", "frame", "tensor", "group"] {
        let part = &expected[name];
        for object in pass(name) {
            match (name, object) {
                ("intervals", Pynapple::IntervalSet(epochs)) => support(&epochs),
                ("ts", Pynapple::Ts(events)) => {
                    close(events.times(), &part["times"]);
                    support(events.support());
                }
                ("tsd", Pynapple::Tsd(signal)) => {
                    close(&signal.to_vec(), &part["values"]);
                    support(signal.support());
                }
                ("frame", Pynapple::TsdFrame(signal)) => {
                    close(signal.sample_times(), &part["times"]);
                    close(&signal.values().to_vec(), &part["values"]);
                }
                ("tensor", Pynapple::TsdTensor(signal)) => {
                    close(&signal.values().to_vec(), &part["values"]);
                    assert_eq!(signal.shape(), [2, 3]);
                }
                ("group", Pynapple::TsGroup(units)) => {
                    assert_eq!(units.ids(), [2, 5]);
                    for (unit, id) in units.units().iter().zip(["2", "5"]) {
                        close(unit.times(), &part[id]);
                    }
                    support(units.support());
                }
                (name, other) => panic!("{name} was read as {other:?}"),
            }
        }
    }
}

#[test]
fn rows_that_stay_in_the_file_are_those_of_the_frame() {
    let file = Scratch::of("rows.nwb", &session_bytes());
    let session = NwbFile::open(&file.0).unwrap();
    for name in ["SpatialSeries", "lfp"] {
        let series = session.series(name).unwrap().between(2.01, 4.01);
        let (frame, rows) = (series.frame::<Cpu>().unwrap(), series.rows().unwrap());
        let (of_frame, of_file): (Design<'_, Cpu>, Design<'_, Cpu>) = (frame.to_design(), rows.to_design());
        assert_eq!(of_file.names(), of_frame.names());
        assert_eq!(of_file.times(), of_frame.times());
        assert_eq!(of_file.segments(), of_frame.segments());
        assert_eq!(rows.axis(), frame.axis());
        let n = frame.len();
        for part in [0..n, 1..n - 1, n..n] {
            let expected = of_frame.chunk(part.clone()).unwrap().to_vec();
            assert_eq!(of_file.chunk(part.clone()).unwrap().to_vec(), expected, "{name} {part:?}");
        }
        assert!(of_file.chunk(0..n + 1).is_err());
    }
    let movie = session.series("movie").unwrap().rows().unwrap_err().to_string();
    assert!(movie.contains("several axes") && movie.contains("tensor"), "{movie}");
    let across = session.series("lfp").unwrap().transposed().rows().unwrap_err().to_string();
    assert!(across.contains("lie across") || across.contains("times for"), "{across}");
}
