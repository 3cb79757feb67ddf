//! One session in the layout that h5py writes by default, and in the newest one, against a JSON of what pynwb was given.
//!
//! `tests/interop/write_nwb.py` writes them; where `NEMOS_RECORDINGS_DIR` names a folder, its files are read instead.

use nemos_core::Cpu;
use nemos_io::NwbFile;
use serde_json::Value;

use crate::common::folder;

fn truth() -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder().join("small.json")).unwrap()).unwrap()
}

fn both() -> [NwbFile; 2] {
    ["small.nwb", "latest.nwb"].map(|name| NwbFile::open(folder().join(name)).unwrap())
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        Value::Bool(flag) => vec![f64::from(u8::from(*flag))],
        other => vec![other.as_f64().unwrap()],
    }
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn everything_is_listed_under_names_that_differ() {
    for file in both() {
        let mut listed: Vec<String> = file
            .entries()
            .iter()
            .map(|entry| format!("{} {}", entry.name, entry.kind))
            .collect();
        listed.sort();
        assert_eq!(
            listed,
            [
                "acquisition/speed Tsd",
                "behavior/speed Tsd",
                "epochs IntervalSet",
                "lfp TsdFrame",
                "light Tsd",
                "movie TsdTensor",
                "notes Ts",
                "position TsdFrame",
                "running Tsd",
                "trials IntervalSet",
                "units TsGroup",
            ]
        );
        let (notes, truth) = (file.series("notes").unwrap(), &truth()["notes"]);
        assert_eq!(notes.times().unwrap().times(), numbers(&truth["times"]));
        assert_eq!(notes.texts().unwrap(), texts(&truth["texts"]));
        let by_path = file.series("/processing/behavior/speed").unwrap().times().unwrap();
        assert_eq!(by_path, file.series("behavior/speed").unwrap().times().unwrap());
    }
}

#[test]
fn units_keep_their_spikes_numbers_and_metadata_and_the_silent_one() {
    let truth = truth();
    for file in both() {
        let group = file.units().unwrap();
        assert_eq!(group.ids(), [3, 5, 8, 9]);
        for (&id, unit) in group.ids().iter().zip(group.units()) {
            assert_eq!(unit.times(), numbers(&truth["units"][id.to_string()]), "unit {id}");
        }
        let table = group.metadata();
        assert_eq!(table.texts("quality").unwrap(), texts(&truth["quality"]));
        assert_eq!(table.numbers("depth").unwrap(), numbers(&truth["depth"]));
        let good: Vec<f64> = table
            .flags("is_good")
            .unwrap()
            .iter()
            .map(|&flag| f64::from(u8::from(flag)))
            .collect();
        assert_eq!(good, numbers(&truth["is_good"]));
        let electrodes = numbers(&truth["electrode"]);
        let regions: Vec<&str> = electrodes.iter().map(|&row| texts(&truth["location"])[row as usize]).collect();
        assert_eq!(table.texts("region").unwrap(), regions);
        assert!(table.column("waveform_mean").is_err(), "columns of arrays are left out");
        assert!(table.column("electrode_group").is_err(), "references are left out");
    }
}

#[test]
fn series_come_in_their_units_with_their_times() {
    let truth = truth();
    for file in both() {
        let position = file.series("position").unwrap().frame::<Cpu>().unwrap();
        let stored = numbers(&truth["position"]["stored"]);
        assert_eq!(position.values().to_vec(), stored.iter().map(|x| x * 0.01).collect::<Vec<_>>());
        assert_eq!(position.sample_times(), numbers(&truth["position"]["times"]));

        let speed = numbers(&truth["speed"]);
        // A link to the times of the position.
        let linked = file.series("behavior/speed").unwrap().tsd::<Cpu>().unwrap();
        assert_eq!(linked.sample_times(), position.sample_times());
        assert_eq!(linked.to_vec(), speed.iter().map(|&x| f64::from(x as f32)).collect::<Vec<_>>());
        let even = file.series("acquisition/speed").unwrap().tsd::<Cpu>().unwrap();
        assert_eq!((even.to_vec(), even.sample_times()[1]), (speed, 0.02));

        let (lfp, of) = (file.series("lfp").unwrap().frame::<Cpu>().unwrap(), &truth["lfp"]);
        let channels = numbers(&of["channels"]);
        let stored = numbers(&of["stored"]);
        for (index, (got, stored)) in lfp.values().to_vec().into_iter().zip(stored).enumerate() {
            let expected = stored * channels[index % 4] * 2e-6 + 1e-5;
            assert!((got - expected).abs() < 1e-18, "{got} {expected}");
        }
        let times: Vec<f64> = (0..300).map(|sample| 0.5 + f64::from(sample) / 100.0).collect();
        assert_eq!(lfp.sample_times(), times);

        for (name, stored) in [("light", &truth["light"]["stored"]), ("running", &truth["running"])] {
            assert_eq!(file.series(name).unwrap().tsd::<Cpu>().unwrap().to_vec(), numbers(stored));
        }
        let movie = file.series("movie").unwrap().tensor::<Cpu>().unwrap();
        assert_eq!((movie.shape(), movie.sample_times()[0]), (&[3, 4][..], 1.0));
        assert_eq!(movie.values().to_vec(), numbers(&truth["movie"]["stored"]));
    }
}

#[test]
fn intervals_are_in_order_with_their_metadata() {
    for file in both() {
        let trials = file.intervals("trials").unwrap();
        assert_eq!(trials.starts().collect::<Vec<_>>(), [0.5, 2.5, 5.0]);
        assert_eq!(trials.ends().collect::<Vec<_>>(), [1.5, 3.5, 6.5]);
        assert_eq!(trials.metadata().texts("choice").unwrap(), ["right", "left", "left"]);
        assert_eq!(trials.metadata().flags("correct").unwrap(), [false, true, true]);
        assert_eq!(trials.metadata().numbers("contrast").unwrap(), [0.2, 0.1, 0.4]);
        assert_eq!(file.electrodes().unwrap().texts("location").unwrap(), texts(&truth()["location"]));
    }
}
