//! Summary tables of a population: `cargo bench --bench inference -- NEURONS FEATURES SAMPLES FOLDER`.
//!
//! Draws Poisson counts of neurons that share features, writes them to the folder for `inference_peer.py` and `inference_peer.R`, fits, and
//! times what is said of the fit: tables with the model's covariance, robust, and by clusters of 500 rows. Beside the times stand
//! (on Linux) those of all processors together, which other programs disturb less, and the most memory held so far. The last line is JSON.

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use ndarray::Array2;
use nemos::core::{Cpu, Design, Matrix, Segments};
use nemos::glm::{Poisson, PopulationGlm};
use nemos::inference::{Clusters, Covariance, Infer};
use nemos::io::write_npy;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Poisson as Draw};
use serde_json::json;

const CLUSTER: usize = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |place: usize, default: usize| arguments.get(place).map_or(Ok(default), |text| text.parse());
    let (n_neurons, n_features, n_rows) = (number(0, 100)?, number(1, 60)?, number(2, 100_000)?);
    let (features, counts) = draw(n_neurons, n_features, n_rows)?;
    if let Some(folder) = arguments.get(3).map(PathBuf::from) {
        std::fs::create_dir_all(&folder)?;
        write_npy(folder.join("X.npy"), features.view())?;
        // The peers fit a few neurons and multiply.
        write_npy(folder.join("y.npy"), counts.slice(ndarray::s![.., ..n_neurons.min(3)]))?;
    }
    let lengths = (0..n_rows).step_by(CLUSTER).map(|start| CLUSTER.min(n_rows - start));
    let design = Design::<Cpu>::from(Matrix::from_array(features.view())).with_segments(Segments::from_lengths(lengths))?;
    let counts = Matrix::from_array(counts.view());

    println!("data     {}", held());
    let (start, before) = (Instant::now(), processor_s());
    let fitted = PopulationGlm::new(Poisson).fit(&design, &counts)?;
    let fit_s = start.elapsed().as_secs_f64();
    println!("fit      {fit_s:8.3} s, processors {:.2} s, {}", processor_s() - before, held());
    let mut seconds = Vec::new();
    for (name, kind) in [
        ("model", Covariance::Model),
        ("hc0", Covariance::Hc0),
        ("hc3", Covariance::Hc3),
        ("cluster", Covariance::Cluster(Clusters::segments())),
    ] {
        let (start, before) = (Instant::now(), processor_s());
        let table = fitted.inference(&design, &counts)?.summary(&kind)?.to_csv();
        seconds.push((name, start.elapsed().as_secs_f64()));
        println!(
            "{name:8} {:8.3} s for {n_neurons} tables, processors {:.2} s, {} bytes, {}",
            seconds.last().map_or(0.0, |last| last.1),
            processor_s() - before,
            table.len(),
            held()
        );
        // For the peers to compare with: the standard error of the first coefficient of the first neuron.
        let error = fitted.inference(&design, &counts)?.estimates(&kind)?.standard_errors()[(0, 0)];
        println!("         standard error of the first coefficient {error:.9e}");
    }
    let of = |name: &str| seconds.iter().find(|(of, _)| *of == name).map_or(f64::NAN, |(_, s)| *s);
    println!(
        "{}",
        json!({
            "n_neurons": n_neurons, "n_features": n_features, "n_rows": n_rows, "fit_s": fit_s,
            "model_s": of("model"), "hc0_s": of("hc0"), "hc3_s": of("hc3"), "cluster_s": of("cluster"),
        })
    );
    Ok(())
}

/// The time of all processors so far, in seconds, by the clock of the kernel that ticks a hundred times a second; zero where there is none.
fn processor_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// The most memory that the process has held, in words.
fn held() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or("memory unknown".into(), |line| format!("{} held at most", line.trim()))
}

/// Features of variance one, and counts of about 0.1 in a bin.
fn draw(n_neurons: usize, n_features: usize, n_rows: usize) -> Result<(Array2<f64>, Array2<f64>), Box<dyn Error>> {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let features = Array2::from_shape_simple_fn((n_rows, n_features), || 12.0_f64.sqrt() * (rng.random::<f64>() - 0.5));
    let coef = Array2::from_shape_simple_fn((n_features, n_neurons), || 0.1 * (rng.random::<f64>() - 0.5));
    let mut counts = features.dot(&coef);
    for count in &mut counts {
        *count = Draw::new(0.1 * count.exp())?.sample(&mut rng);
    }
    Ok((features, counts))
}
