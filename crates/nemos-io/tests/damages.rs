//! Random damage to every kind of file that is read: bytes flipped, cut, repeated, moved. Each ends in a value or an error:
//! no panic, no memory beyond ten times the file, no hang.
//!
//! The corpus is what the other tests read, or what lies in the folder that `NEMOS_DAMAGE_CORPUS` names. `NEMOS_DAMAGES` says how many damages are tried, `NEMOS_DAMAGE_SEED` from which
//! number on; a failure names its number, and `NEMOS_DAMAGES=1 NEMOS_DAMAGE_SEED=that` tries it alone.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "io/common.rs"]
mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nemos_core::{Cpu, Rows};
use nemos_glm::{Exp, FittedPopulationGlm, Poisson};
use nemos_io::{CsvFile, Error, Loaded, NpyRows, NpzFile, NwbFile, NwbKind, Pynapple, SaveModel, SavedModel, load_file, read_npy};
use peak_alloc::PeakAlloc;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use common::Scratch;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// In a normal run; a long one is asked for.
const FEW: u64 = 1500;

/// What none of these files should take to read, however damaged and however busy the machine.
const LONGEST: Duration = Duration::from_secs(20);

/// A file takes at most this many times its length in memory, and small ones this much.
const MOST_TIMES: usize = 10;
const SMALL: usize = 1 << 20;
/// The headers of HDF5 count their messages in sixteen bits, and the reader makes room for as many, for one header at a time.
const HEADER: usize = 8_500_000;

fn corpus() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = ["tests/data", "tests/data/field", "../../tests/golden/cases/saved_models"].map(|folder| here.join(folder));
    let given = std::env::var_os("NEMOS_DAMAGE_CORPUS").map(|folder| vec![PathBuf::from(folder)]);
    let folders = given.unwrap_or(own.to_vec());
    let all = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let is_read = |path: &PathBuf| {
        let ending = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        let known = ["nwb", "npz", "npy", "csv", "safetensors"].contains(&ending.as_str());
        known && path.file_stem().unwrap() != "hostile"
    };
    let mut files: Vec<PathBuf> = all.map(|entry| entry.unwrap().path()).filter(is_read).collect();
    files.sort();
    files
}

/// Damages bytes in one of the ways in which disks, networks and hands do.
fn damage(bytes: &mut Vec<u8>, rng: &mut impl Rng) {
    let at = |rng: &mut dyn FnMut(usize) -> usize, length: usize| rng(length.max(1));
    for _ in 0..rng.random_range(1..4) {
        let length = bytes.len();
        if length == 0 {
            return;
        }
        let mut draw = |most: usize| rng.random_range(0..most);
        let from = at(&mut draw, length);
        let until = (from + 1 + at(&mut draw, 64)).min(length);
        match draw(8) {
            0 => bytes[from] ^= 1 << draw(8),
            1 => bytes[from] = draw(256) as u8,
            2 => bytes[from] = [0, 0x7f, 0x80, 0xff][draw(4)],
            3 => bytes.truncate(from),
            4 => drop(bytes.drain(from..until)),
            5 => {
                let piece = bytes[from..until].to_vec();
                let to = at(&mut draw, length);
                bytes.splice(to..to, piece);
            }
            6 => bytes[from..until].fill([0, 0xff][draw(2)]),
            _ => {
                let piece = bytes[from..until].to_vec();
                let to = at(&mut draw, length - piece.len() + 1);
                bytes[to..to + piece.len()].copy_from_slice(&piece);
            }
        }
    }
}

/// Reads whatever can be read of a file, in every way that there is.
fn read(path: &Path) {
    let _ = load_file::<Cpu>(path).map(|loaded| match loaded {
        Loaded::Nwb(file) => {
            read_nwb(&file);
            let _ = file.lenient(|file| {
                read_nwb(file);
                Ok(())
            });
        }
        Loaded::Npz(file) => read_npz(&file),
        Loaded::Csv(file) => {
            read_csv(&file);
            let _ = file.lenient(|file| {
                read_csv(file);
                Ok(())
            });
        }
        _ => {}
    });
    // By its name as well, whatever its content says.
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("nwb") => drop(NwbFile::open(path)),
        Some("npz") => {
            let _ = NpzFile::open(path).map(|file| read_npz(&file));
            let _ = Pynapple::<Cpu>::read_lenient(path);
            let _ = SavedModel::load_nemos(path).map(|saved| FittedPopulationGlm::<Poisson, Exp>::from_saved(&saved));
        }
        Some("npy") => {
            let _ = read_npy(path);
            let _ = NpyRows::open(path).map(read_rows);
        }
        Some("csv") => drop(CsvFile::open(path)),
        _ => {
            let _ = SavedModel::load(path).map(|saved| FittedPopulationGlm::<Poisson, Exp>::from_saved(&saved));
        }
    }
}

/// Some of the rows of a file that they stay in.
fn read_rows(rows: impl Rows<Cpu>) {
    let n_rows = rows.n_rows();
    let _ = (rows.chunk(0..n_rows.min(100)), rows.chunk(n_rows.saturating_sub(3)..n_rows));
}

fn read_npz(file: &NpzFile) {
    for name in file.names() {
        let _ = file.array(name);
    }
}

fn read_csv(file: &CsvFile) {
    let _ = (file.table(), file.frame::<Cpu>(), file.units(), file.intervals(), file.events());
}

fn read_nwb(file: &NwbFile) {
    let _ = file.electrodes();
    for entry in file.entries() {
        let _ = read_entry(file, &entry.path, entry.kind);
    }
}

fn read_entry(file: &NwbFile, path: &str, kind: NwbKind) -> Result<(), Error> {
    match kind {
        NwbKind::Units => {
            let units = file.units_table(path)?;
            let _ = units.observed();
            let _ = units.group();
            let _ = units.between(1.0, 2.0).group();
        }
        NwbKind::Intervals => drop((file.intervals(path), file.table(path))),
        _ => {
            let series = file.series(path)?;
            let part = series.clone().between(1.0, 2.0);
            let _ = (series.times(), part.tensor::<Cpu>());
            if kind == NwbKind::Ts {
                let _ = series.texts();
            }
            let _ = series.rows().map(read_rows);
            let _ = series.frame::<Cpu>();
            let _ = series.transposed().tensor::<Cpu>();
        }
    }
    Ok(())
}

/// Reads a file, and says what is wrong with how that went.
fn fault(path: &Path, length: usize) -> Option<String> {
    let (start, before) = (Instant::now(), MEMORY.current_usage());
    MEMORY.reset_peak_usage();
    let panicked = catch_unwind(AssertUnwindSafe(|| read(path))).is_err();
    let taken = MEMORY.peak_usage().saturating_sub(before);
    let is_nwb = path.extension().is_some_and(|ending| ending == "nwb");
    let most = (MOST_TIMES * length).max(SMALL) + if is_nwb { HEADER } else { 0 };
    if panicked {
        Some("a panic".into())
    } else if taken > most {
        Some(format!("{taken} bytes of memory"))
    } else if start.elapsed() > LONGEST {
        Some(format!("{:?}", start.elapsed()))
    } else {
        None
    }
}

#[test]
fn damage_ends_in_a_value_or_an_error() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (first, n) = (number("NEMOS_DAMAGE_SEED", 0), number("NEMOS_DAMAGES", FEW));
    // A model as this library writes it, which no other test keeps.
    let model = Scratch::new("model.safetensors");
    let nemos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/cases/saved_models/poisson_ridge.npz");
    SavedModel::load_nemos(nemos).unwrap().save(&model.0).unwrap();
    let mut corpus = corpus();
    corpus.push(model.0.clone());
    let whole: Vec<Vec<u8>> = corpus.iter().map(|path| std::fs::read(path).unwrap()).collect();
    for (path, bytes) in corpus.iter().zip(&whole) {
        // What the library keeps for good, and how much an undamaged file takes.
        read(path);
        assert_eq!(fault(path, bytes.len()), None, "{}", path.display());
    }
    let mut faults = Vec::new();
    for seed in first..first + n {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let which = rng.random_range(0..corpus.len());
        let mut bytes = whole[which].clone();
        damage(&mut bytes, &mut rng);
        let name = corpus[which].file_name().unwrap().to_string_lossy().into_owned();
        let file = Scratch::of(&name, &bytes);
        faults.extend(fault(&file.0, bytes.len()).map(|fault| format!("{name}, seed {seed}: {fault}")));
    }
    assert!(faults.is_empty(), "{} of {n}:\n{}", faults.len(), faults.join("\n"));
}
