//! NWB files that are odd, damaged or hostile: each is read, or is an error that says why.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use nemos_core::Cpu;
use nemos_io::{Error, NwbFile, NwbKind};
use nemos_timeseries::Signal;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/");

/// A file that no other test uses, removed in the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("nemos_damaged_{}_{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn open(name: &str) -> NwbFile {
    NwbFile::open(format!("{DATA}{name}")).unwrap()
}

/// Reads whatever can be read, and says of how many entries that fails.
fn failures(path: &Path) -> Result<usize, Error> {
    let file = NwbFile::open(path)?;
    let fails = |name: &str, kind: NwbKind| match kind {
        NwbKind::Units => file.units_of(name).is_err(),
        NwbKind::Intervals => file.intervals(name).is_err(),
        _ => {
            let series = file.series(name).unwrap();
            series.tensor::<Cpu>().is_err() || series.between(1.0, 2.0).tensor::<Cpu>().is_err()
        }
    };
    Ok(file.entries().iter().filter(|entry| fails(&entry.name, entry.kind)).count())
}

#[test]
fn the_newest_layout_is_read() {
    let truth: Value = serde_json::from_str(&std::fs::read_to_string(format!("{DATA}latest.json")).unwrap()).unwrap();
    let numbers = |value: &Value| -> Vec<f64> { serde_json::from_value(value.clone()).unwrap() };
    let file = open("latest.nwb");
    let units = file.units().unwrap();
    assert_eq!(units.ids(), [3, 5, 8, 9]);
    for (unit, id) in units.units().iter().zip(units.ids()) {
        assert_eq!(unit.times(), numbers(&truth["units"][id.to_string()]));
    }
    let epochs = file.intervals("epochs").unwrap();
    assert_eq!(epochs.metadata().texts("tags").unwrap(), ["dark, first", "light"]);
    // stored · conversion · factor of the channel + offset
    let lfp = file.series("lfp").unwrap().frame::<Cpu>().unwrap().values().to_vec();
    let stored = truth["lfp"]["stored"].as_array().unwrap();
    let factors = numbers(&truth["lfp"]["channels"]);
    for (row, stored) in lfp.chunks(4).zip(stored) {
        for ((value, stored), factor) in row.iter().zip(numbers(stored)).zip(&factors) {
            assert!((value - (stored * factor * 2e-6 + 1e-5)).abs() < 1e-15);
        }
    }
}

#[test]
fn trials_that_are_no_intervals_are_left_out_with_their_metadata() {
    let trials = open("odd.nwb").intervals("trials").unwrap();
    let ends: Vec<(f64, f64)> = trials.starts().zip(trials.ends()).collect();
    assert_eq!(ends, [(0.0, 1.0), (5.0, 5.5), (6.0, 7.0)]);
    assert_eq!(trials.metadata().numbers("contrast").unwrap(), [0.0, 0.5, 0.6]);
}

#[test]
fn units_of_a_second_sorter_are_apart() {
    let file = open("odd.nwb");
    assert_eq!(file.units().unwrap().units()[0].times(), [1.0, 2.0]);
    assert_eq!(file.units_of("second_sorter").unwrap().units()[1].times(), [3.5]);
    assert!(matches!(file.units_of("third_sorter"), Err(Error::NoEntry { .. })));
}

#[test]
fn a_conversion_that_is_wrong_is_an_error_and_not_one() {
    let file = open("odd.nwb");
    let read = |name: &str| file.series(name).unwrap().frame::<Cpu>();
    assert_eq!(read("in_volts").unwrap().values().to_vec()[..4], [1.0, 1.5, 2.0, 2.5]);
    let error = read("conversion_in_words").unwrap_err().to_string();
    assert!(error.contains("conversion"), "{error}");
    let error = read("few_factors").unwrap_err().to_string();
    assert!(error.contains("channel_conversion"), "{error}");
}

#[test]
fn files_cut_short_are_refused_when_opened() {
    let whole = std::fs::read(format!("{DATA}latest.nwb")).unwrap();
    assert_eq!(failures(Path::new(&format!("{DATA}latest.nwb"))).unwrap(), 0);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..60 {
        let cut = Scratch::new("cut.nwb", &whole[..rng.random_range(0..whole.len())]);
        assert!(matches!(NwbFile::open(&cut.0), Err(Error::Hdf5 { .. })));
    }
}

#[test]
fn flipped_bytes_never_panic() {
    for (name, seed) in [("latest.nwb", 3), ("odd.nwb", 4)] {
        let whole = std::fs::read(format!("{DATA}{name}")).unwrap();
        // What is not zero is structure or data; flips in empty space find little.
        let full: Vec<usize> = (0..whole.len()).filter(|&index| whole[index] != 0).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for _ in 0..1000 {
            let mut bytes = whole.clone();
            for _ in 0..rng.random_range(1..4) {
                let index = full[rng.random_range(0..full.len())] + rng.random_range(0..3);
                let change = [rng.random_range(0..=255), 0xff, 0x7f, 0][rng.random_range(0..4)];
                bytes.get_mut(index).into_iter().for_each(|byte| *byte = change);
            }
            let _ = failures(&Scratch::new(&format!("flipped_{name}"), &bytes).0);
        }
    }
}

#[test]
fn many_references_to_one_long_text_are_refused() {
    let error = open("hostile.nwb").intervals("trials").unwrap_err();
    assert!(error.to_string().contains("texts are longer than the file"), "{error}");
}

#[test]
fn what_is_no_hdf5_file_is_an_error() {
    for bytes in [&b""[..], b"not a recording", b"\x89HDF\r\n\x1a\n"] {
        let file = Scratch::new("text.nwb", bytes);
        assert!(matches!(NwbFile::open(&file.0), Err(Error::Hdf5 { .. })));
    }
}
