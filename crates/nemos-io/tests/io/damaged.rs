//! NWB files that are damaged or hostile: each is an error or something that can be read, and never more than that.
//!
//! `NEMOS_FUZZ_STEP` sets how many bytes lie between two that are flipped.

use std::path::Path;
use std::time::{Duration, Instant};

use nemos_core::Cpu;
use nemos_io::{Error, NwbFile, NwbKind};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::common::Scratch;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/");

/// What none of these files should take to read, however damaged and however busy the machine.
const LONGEST: Duration = Duration::from_secs(20);

fn whole(name: &str) -> Vec<u8> {
    std::fs::read(format!("{DATA}{name}")).unwrap()
}

/// Reads whatever can be read, and says of how many entries that fails.
fn failures(path: &Path) -> Result<usize, Error> {
    let start = Instant::now();
    let file = NwbFile::open(path)?;
    let failures = file.entries().iter().filter(|entry| read(&file, &entry.path, entry.kind).is_err());
    let n_failures = failures.count() + usize::from(file.electrodes().is_err());
    assert!(start.elapsed() < LONGEST, "{:?}", start.elapsed());
    Ok(n_failures)
}

fn read(file: &NwbFile, path: &str, kind: NwbKind) -> Result<(), Error> {
    match kind {
        NwbKind::Units => {
            let units = file.units_table(path)?;
            units.group()?;
            units.between(1.0, 2.0).group()?;
        }
        NwbKind::Intervals => drop(file.intervals(path)?),
        NwbKind::Ts => {
            let series = file.series(path)?;
            series.times()?;
            series.between(1.0, 2.0).texts()?;
        }
        NwbKind::TsdFrame => drop(file.series(path)?.frame::<Cpu>()?),
        _ => {
            let series = file.series(path)?;
            series.tensor::<Cpu>()?;
            series.between(1.0, 2.0).tensor::<Cpu>()?;
        }
    }
    Ok(())
}

#[test]
fn files_cut_short_are_errors() {
    for name in ["small.nwb", "latest.nwb"] {
        let whole = whole(name);
        assert_eq!(failures(Path::new(&format!("{DATA}{name}"))).unwrap(), 0);
        let mut n_stated = 0;
        for end in (0..whole.len()).step_by(499).chain([whole.len() - 1]) {
            let cut = Scratch::of(&format!("cut_{name}"), &whole[..end]);
            let error = NwbFile::open(&cut.0).unwrap_err();
            n_stated += usize::from(matches!(error, Error::CutShort { got, .. } if got == end as u64));
        }
        // All but those that end within the superblock, which states the length.
        assert!(n_stated >= whole.len() / 499, "{n_stated}");
    }
}

#[test]
fn flipped_bytes_never_panic() {
    let step = std::env::var("NEMOS_FUZZ_STEP").map_or(197, |step| step.parse().unwrap());
    for name in ["small.nwb", "latest.nwb", "odd.nwb"] {
        let whole = whole(name);
        // What is not zero is structure or data; flips in empty space find little.
        let full: Vec<usize> = (0..whole.len()).filter(|&index| whole[index] != 0).collect();
        for &index in full.iter().step_by(step) {
            for change in [0, 0xff, 0x7f, whole[index] ^ 1, whole[index].wrapping_add(1)] {
                let mut bytes = whole.clone();
                bytes[index] = change;
                let _ = failures(&Scratch::of(&format!("flipped_{name}"), &bytes).0);
            }
        }
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for _ in 0..(20_000 / step) {
            let mut bytes = whole.clone();
            for _ in 0..rng.random_range(2..5) {
                let index = full[rng.random_range(0..full.len())] + rng.random_range(0..3);
                let change = [rng.random_range(0..=255), 0xff, 0x7f, 0][rng.random_range(0..4)];
                bytes.get_mut(index).into_iter().for_each(|byte| *byte = change);
            }
            let _ = failures(&Scratch::of(&format!("flipped_{name}"), &bytes).0);
        }
    }
}

#[test]
fn many_references_to_one_long_text_are_refused() {
    // 20,000 rows that all refer to a text of 60,000 letters: 1.2 GB out of a file of 116 kB.
    let file = NwbFile::open(format!("{DATA}hostile.nwb")).unwrap();
    let error = file.intervals("trials").unwrap_err().to_string();
    assert!(
        error.contains("/intervals/trials/choice") && error.contains("texts are longer than the file"),
        "{error}"
    );
}

#[test]
fn long_texts_that_were_never_written_are_refused() {
    // 20,000 texts of 5,000 letters each, none of which is in the file.
    let file = NwbFile::open(format!("{DATA}hostile.nwb")).unwrap();
    let error = file.intervals("labelled").unwrap_err().to_string();
    assert!(error.contains("/intervals/labelled/label") && error.contains("memory"), "{error}");
}

#[test]
fn groups_that_link_to_themselves_are_listed_once() {
    let start = Instant::now();
    let file = NwbFile::open(format!("{DATA}hostile.nwb")).unwrap();
    assert_eq!(file.entries().len(), 2);
    assert!(start.elapsed() < LONGEST, "{:?}", start.elapsed());
}

#[test]
fn a_damaged_conversion_is_an_error_and_not_one() {
    let whole = whole("small.nwb");
    // The attribute as HDF5 lays it out: its name, its type, its shape, its value.
    let (name, value) = (b"conversion\0", 0.01_f64.to_le_bytes());
    let is_conversion = |at: &usize| whole[*at..].starts_with(name) && whole[at + 48..].starts_with(&value);
    let at = (0..whole.len() - 64).find(is_conversion).unwrap();
    let position = |bytes: &[u8]| {
        let file = Scratch::of("conversion.nwb", bytes);
        let session = NwbFile::open(&file.0).unwrap();
        session.series("position").unwrap().frame::<Cpu>().map(|_| ())
    };
    position(&whole).unwrap();
    let patches: [(usize, &[u8]); 3] = [
        (48, &f64::NAN.to_le_bytes()),
        (48, &f64::INFINITY.to_le_bytes()),
        // A time instead of a number.
        (16, &[0x12]),
    ];
    for (offset, patch) in patches {
        let mut bytes = whole.clone();
        bytes[at + offset..at + offset + patch.len()].copy_from_slice(patch);
        let error = position(&bytes).unwrap_err().to_string();
        assert!(
            error.contains("attribute conversion of /processing/behavior/Position/position/data"),
            "{error}"
        );
    }
}

#[test]
fn channels_have_one_conversion_factor_each_or_it_is_an_error() {
    let session = NwbFile::open(format!("{DATA}odd.nwb")).unwrap();
    let fits = session.series("fits").unwrap().frame::<Cpu>().unwrap();
    // 1 · 2 · 0.5 + 1 and 1 · 4 · 0.5 + 1
    assert_eq!(fits.values().to_vec()[..2], [2.0, 3.0]);
    let error = session.series("too_few").unwrap().frame::<Cpu>().unwrap_err();
    assert!(matches!(error, Error::SeriesChannels { got: 1, expected: 2, .. }), "{error}");
}

#[test]
fn what_is_no_hdf5_file_is_an_error() {
    for bytes in [&b""[..], b"not a recording", b"\x89HDF\r\n\x1a\n"] {
        let file = Scratch::of("text.nwb", bytes);
        assert!(matches!(NwbFile::open(&file.0), Err(Error::Hdf5 { .. })));
    }
}
