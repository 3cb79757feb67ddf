//! Recordings that are four times as large as the memory of the process that fits them.
//!
//! ```text
//! cargo test --release --workspace --test larger -- --ignored --nocapture
//! ```
//!
//! takes some minutes, and five gigabytes for the fit that holds everything. With `NEMOS_LARGE=folder` the counts stay in
//! `folder/counts.npy`, and a `counts.nwb` there that holds them as the series `counts` is fitted too; h5py and pynwb write it:
//!
//! ```python
//! counts = numpy.load("counts.npy", mmap_mode="r")
//! nwb.add_acquisition(pynwb.TimeSeries("counts", data=counts, unit="spikes", rate=1000.0, starting_time=0.0005))
//! ```

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use nemos::basis::RaisedCosineLog;
use nemos::cpu::*;
use nemos::io::{NpyRows, NwbFile};
use nemos::rand::{RngExt, SeedableRng};
use nemos::timeseries::Binned;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const N_UNITS: usize = 40;
const BIN: f64 = 0.001;
/// Of a process with a limit.
const THREADS: usize = 2;

/// As long as makes so many bytes of counts and features, 2 GB and more in the test.
fn seconds(bytes: f64) -> f64 {
    (bytes / (8.0 * 4.0 * N_UNITS as f64)).ceil() * BIN
}

/// Units that fire some ten times a second.
fn units(seconds: f64) -> Result<TsGroup> {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    let unit = |_| {
        let (mut time, mut times) = (0.0, Vec::new());
        while time < seconds {
            time += -0.1 * (1.0 - rng.random::<f64>()).ln() + 0.002;
            times.push(time);
        }
        Ts::new(times)
    };
    let units: Vec<Ts> = (0..N_UNITS).map(unit).collect::<std::result::Result<_, _>>()?;
    Ok(TsGroup::new(units, &IntervalSet::new([(0.0, seconds)])?))
}

/// The counts as bytes, in NumPy's own format, written a chunk at a time.
fn write_counts(path: &Path, counts: &Binned<'_>) -> Result<()> {
    let n_rows = counts.axis().len();
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({n_rows}, {N_UNITS}), }}");
    let padded = format!("{header:<117}\n");
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    file.write_all(b"\x93NUMPY\x01\x00")?;
    file.write_all(&(padded.len() as u16).to_le_bytes())?;
    file.write_all(padded.as_bytes())?;
    for rows in nemos::core::row_chunks(n_rows, 1 << 14) {
        let chunk: Matrix = nemos::core::Rows::chunk(counts, rows)?;
        let bytes: Vec<u8> = chunk.to_vec().into_iter().map(|count| count as u8).collect();
        file.write_all(&bytes)?;
    }
    Ok(file.flush()?)
}

/// Seconds that the processors have worked for this process; those by the clock where the system does not say.
fn seconds_worked(begin: Instant) -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name in brackets: hundredths of a second in the program, and in the system for it.
    let numbers = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let worked: Vec<f64> = numbers.skip(11).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
    if worked.len() == 2 {
        worked.iter().sum::<f64>() / 100.0
    } else {
        begin.elapsed().as_secs_f64()
    }
}

/// The seconds of a coupled fit, worked and by the clock, and what it finds.
fn fit(kind: &str, folder: &Path, bytes: f64) -> Result<([f64; 2], Vec<f64>)> {
    let basis = RaisedCosineLog::new(3).convolved(20).label("spikes");
    let model = PopulationGlm::new(Poisson).regularizer(ridge(1e-4));
    let start = || (Instant::now(), seconds_worked(Instant::now()));
    let begin;
    let fitted = match kind {
        "memory" | "spikes" => {
            let units = units(seconds(bytes))?;
            begin = start();
            if kind == "spikes" {
                let counts = units.binned(BIN)?;
                let features = basis.design::<Cpu>(&counts)?;
                println!("{}", model.plan(&features, &counts)?);
                model.fit(&features, &counts)?
            } else {
                let counts: TsdFrame = units.count(BIN)?;
                let features = basis.compute_features(&counts)?;
                model.fit(&features, &counts)?
            }
        }
        "npy" => {
            let counts = NpyRows::open(folder.join("counts.npy"))?;
            begin = start();
            model.fit(&basis.design::<Cpu>(&counts)?, &counts)?
        }
        _ => {
            let counts = NwbFile::open(folder.join("counts.nwb"))?.series("counts")?.rows()?;
            begin = start();
            model.fit(&basis.design::<Cpu>(&counts)?, &counts)?
        }
    };
    let (clock, worked) = begin;
    let seconds = [seconds_worked(clock) - worked, clock.elapsed().as_secs_f64()];
    assert!(fitted.outcome().all_converged());
    let mut found: Vec<f64> = fitted.coef().iter().copied().collect();
    found.extend(fitted.intercept());
    Ok((seconds, found))
}

/// The same in a process of its own, whose addresses are limited to so many kilobytes.
fn apart(kind: &str, folder: &Path, bytes: f64, limit: Option<f64>) -> Result<([f64; 2], Vec<f64>)> {
    // The stack and the free memory of each thread count.
    let threads = limit.map(|_| ("RAYON_NUM_THREADS", THREADS.to_string()));
    let limit = limit.map_or("unlimited".to_string(), |bytes| format!("{:.0}", bytes / 1024.0));
    let output = Command::new("sh")
        .envs(threads)
        .args([
            "-c",
            &format!("ulimit -v {limit}; exec \"$0\" --exact a_fit_that_is_named --ignored --nocapture"),
        ])
        .arg(std::env::current_exe()?)
        .envs([("NEMOS_FIT", kind.to_string()), ("NEMOS_BYTES", bytes.to_string())])
        .env("NEMOS_FOLDER", folder)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = || text.lines().find_map(|line| line.strip_prefix("found: "));
    let found = found().ok_or_else(|| format!("{kind}: {text}{}", String::from_utf8_lossy(&output.stderr)))?;
    let mut numbers = found.split(' ');
    let mut seconds = [0.0; 2];
    for seconds in &mut seconds {
        *seconds = numbers.next().ok_or("no time")?.parse()?;
    }
    let bits = numbers.map(|bits| u64::from_str_radix(bits, 16).map(f64::from_bits));
    Ok((seconds, bits.collect::<std::result::Result<_, _>>()?))
}

/// That files and spikes are fitted in a quarter of the memory, with the same numbers.
fn compare(bytes: f64, limit: Option<f64>, slower: f64) -> Result<()> {
    let kept = std::env::var_os("NEMOS_LARGE").map(PathBuf::from);
    let folder = kept
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(format!("nemos_larger_{}_{}", std::process::id(), limit.unwrap_or(0.0))));
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("counts.npy");
    if !file.exists() {
        write_counts(&file, &units(seconds(bytes))?.binned(BIN)?)?;
    }
    let (in_memory, expected) = apart("memory", &folder, bytes, None)?;
    let gigabytes = bytes / 1e9;
    println!(
        "{gigabytes:.2} GB of counts and features: {:.1} s of work in memory, {:.1} s by the clock",
        in_memory[0], in_memory[1]
    );
    let mut kinds = vec!["spikes", "npy"];
    if folder.join("counts.nwb").exists() {
        kinds.push("nwb");
    }
    for kind in kinds {
        let (seconds, found) = apart(kind, &folder, bytes, limit)?;
        let times = seconds[0] / in_memory[0];
        println!(
            "{kind}: {:.1} s of work, {times:.2} of that, {:.1} s by the clock",
            seconds[0], seconds[1]
        );
        // Where addresses are few, less than a gibibyte for each thread and two more, products round otherwise.
        if limit.is_none_or(|limit| limit >= (THREADS + 2) as f64 * (1_u64 << 30) as f64) {
            assert_eq!(found, expected, "{kind}");
        }
        let apart = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(found.len() == expected.len() && apart < 1e-12, "{kind}: {apart:e}");
        assert!(seconds[0] < slower * in_memory[0] + 0.5, "{kind}");
    }
    if kept.is_none() {
        std::fs::remove_dir_all(folder)?;
    }
    Ok(())
}

#[test]
fn spikes_and_files_give_the_bits_of_what_is_in_memory() -> Result<()> {
    // No limit: what products of matrices set aside alone is more than these.
    compare(2e7, None, 10.0)
}

// What products set aside on a server with a large cache would be more than this.
#[test]
#[cfg(target_os = "linux")]
fn few_addresses_are_enough() -> Result<()> {
    compare(2e7, Some(6e8), 10.0)
}

#[test]
#[ignore = "takes minutes and gigabytes; see above"]
fn a_quarter_of_the_memory_is_enough() -> Result<()> {
    let bytes: f64 = std::env::var("NEMOS_BYTES").unwrap_or_else(|_| "4e9".into()).parse()?;
    compare(bytes, Some(0.25 * bytes), 1.3)
}

#[test]
#[ignore = "run by the tests above, in a process of its own"]
fn a_fit_that_is_named() -> Result<()> {
    let (Ok(kind), Ok(bytes)) = (std::env::var("NEMOS_FIT"), std::env::var("NEMOS_BYTES")) else {
        return Ok(());
    };
    let folder = PathBuf::from(std::env::var_os("NEMOS_FOLDER").ok_or("no folder")?);
    let (seconds, found) = fit(&kind, &folder, bytes.parse()?)?;
    let bits: Vec<String> = found.iter().map(|number| format!("{:x}", number.to_bits())).collect();
    println!("found: {} {} {}", seconds[0], seconds[1], bits.join(" "));
    Ok(())
}
