//! How long it takes to compute features: four families at a million samples, and convolutions of spike counts.
//!
//! Without arguments, runs small versions of everything. As a peer of the comparison script:
//! `basis <workload> <data folder> <output folder> <repeat>`, which writes `timing.json`.

use std::path::Path;
use std::time::Instant;
use std::{env, fs};

use nemos_basis::{BSpline, Basis, CyclicBSpline, Family, MSpline, RaisedCosineLog, Window};
use nemos_core::{Cpu, Matrix};
use serde_json::json;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments == ["crossover"] {
        return crossover();
    }
    let [workload, data, out, repeat] = arguments.as_slice() else {
        return small();
    };
    let (basis, samples) = problem(workload, Path::new(data))?;
    let input_mb = memory_mb("VmRSS:");
    let times = measure(&basis, &samples, 1 + repeat.parse::<usize>()?)?;
    let rss_mb = memory_mb("VmHWM:");
    let timing = json!({ "cold_s": times[0], "warm_s": &times[1..], "rss_mb": rss_mb, "note": format!("inputs {input_mb:.0} MB") });
    fs::write(Path::new(out).join("timing.json"), timing.to_string())?;
    Ok(())
}

fn small() -> Outcome<()> {
    let samples = Matrix::from_column((0..20_000).map(|sample| f64::from(sample * 7919 % 20_000) / 20_000.0).collect());
    for family in ["BSpline", "MSpline", "RaisedCosineLog", "CyclicBSpline"] {
        let times = measure(&family_of(family)?, &samples, 5)?;
        println!("{family}/n=20000: {:.3e} s", times.into_iter().fold(f64::INFINITY, f64::min));
    }
    let sparse = (0..40_000).map(|at| if at % 19 == 0 { 1.0 } else { 0.0 });
    let dense = (0..40_000).map(|at| f64::from(at % 19) - 9.0);
    for (name, values) in [("sparse", sparse.collect::<Vec<_>>()), ("dense", dense.collect())] {
        let times = measure(&filters(), &Matrix::from_vec(values, [10_000, 4])?, 5)?;
        println!(
            "convolution/{name}/n=10000: {:.3e} s",
            times.into_iter().fold(f64::INFINITY, f64::min)
        );
    }
    Ok(())
}

fn family_of(name: &str) -> Outcome<Basis> {
    Ok(match name {
        "BSpline" => BSpline::new(20).into(),
        "MSpline" => MSpline::new(20).into(),
        "RaisedCosineLog" => RaisedCosineLog::new(20).into(),
        "CyclicBSpline" => CyclicBSpline::new(20).into(),
        _ => return Err(format!("no family {name}").into()),
    })
}

fn filters() -> Basis {
    RaisedCosineLog::new(8).convolved(Window::samples(100))
}

fn problem(workload: &str, data: &Path) -> Outcome<(Basis, Matrix<Cpu>)> {
    match workload.split_once('.') {
        Some(("W10a", family)) => Ok((family_of(family)?, npy(&data.join("x.npy"))?)),
        Some(("W3", "features")) => {
            // The script names the folder after the whole workload; the data of W3 lie beside it.
            let spikes = [data.join("spikes.npy"), data.with_file_name("W3").join("spikes.npy")];
            let spikes = spikes.iter().find(|path| path.exists()).ok_or("no spikes.npy")?;
            Ok((filters(), npy(spikes)?))
        }
        None if workload == "W10b" => Ok((filters(), npy(&data.join("x.npy"))?)),
        _ => Err(format!("no workload {workload}").into()),
    }
}

fn measure(basis: &Basis, samples: &Matrix<Cpu>, repeat: usize) -> Outcome<Vec<f64>> {
    let once = |_| -> Outcome<f64> {
        let start = Instant::now();
        let features = basis.compute_features(samples)?;
        let seconds = start.elapsed().as_secs_f64();
        assert_eq!(features.dims()[0], samples.dims()[0]);
        Ok(seconds)
    };
    (0..repeat).map(once).collect()
}

/// A C-ordered array of one or two axes, of `f8` or `i8`.
fn npy(path: &Path) -> Outcome<Matrix<Cpu>> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..start])?;
    let shape = header
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .ok_or("no shape")?
        .0;
    let dims = shape.split(',').filter_map(|axis| axis.trim().parse().ok()).collect::<Vec<usize>>();
    let (words, _) = bytes[start..].as_chunks::<8>();
    let values = if header.contains("<f8") {
        words.iter().map(|word| f64::from_le_bytes(*word)).collect()
    } else if header.contains("<i8") {
        words.iter().map(|word| i64::from_le_bytes(*word) as f64).collect()
    } else {
        return Err(format!("neither f8 nor i8: {header}").into());
    };
    Ok(Matrix::from_vec(values, [dims[0], dims.get(1).copied().unwrap_or(1)])?)
}

fn memory_mb(field: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|kilobytes| kilobytes.parse::<f64>().ok())
        .unwrap_or(0.0)
        / 1024.0
}

/// Times of dense signals filtered by windows of several lengths: as the library chooses, and by direct sums alone, which
/// a NaN in every stretch of the signal leaves it to.
fn crossover() -> Outcome<()> {
    println!("window   chosen s   direct s");
    for window in [16, 32, 64, 128, 256, 512, 1024, 2048] {
        let basis = RaisedCosineLog::new(8).convolved(Window::samples(window));
        let wave = |at: usize| if at % 400 < 4 { f64::NAN } else { (at as f64 * 0.37).sin() + 2.0 };
        let dense = Matrix::<Cpu>::from_vec((0..400_000).map(|at| (at as f64 * 0.37).sin() + 2.0).collect(), [100_000, 4])?;
        let broken = Matrix::<Cpu>::from_vec((0..400_000).map(wave).collect(), [100_000, 4])?;
        let best = |samples: &Matrix<Cpu>| Ok(measure(&basis, samples, 5)?.into_iter().fold(f64::INFINITY, f64::min));
        let [chosen, direct] = [best(&dense), best(&broken)].map(|time: Outcome<f64>| time);
        println!("{window:6} {:10.4} {:10.4}", chosen?, direct?);
    }
    Ok(())
}
