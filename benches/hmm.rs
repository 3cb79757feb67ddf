//! How long hidden Markov models take: an iteration, a full fit, twenty restarts, and standard errors, of four workloads.
//!
//! `hmm DIRECTORY`, where `hmm_peer.py data DIRECTORY` wrote its files; `hmm DIRECTORY choice` for one workload alone. The
//! peer's `numba` runs a plain compiled loop over the same files, from the same start.

use std::path::Path;
use std::time::Instant;

use ndarray::{Array2, Axis};
use nemos::core::{Cpu, Design, Matrix, Segments};
use nemos::glm::{Bernoulli, Poisson};
use nemos::hmm::{Acceleration, FittedGlmHmm, GlmHmm, HmmParameters, StateGlm, StateModel, Transitions};
use nemos::io::NpzFile;

/// A workload: data, and where fits start.
struct Work {
    design: Design<'static, Cpu>,
    counts: Matrix<Cpu>,
    start: HmmParameters,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let directory = arguments.first().ok_or("name the directory that the peer wrote its files to")?;
    let only = arguments.get(1).map(String::as_str);
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    if wanted("choice") {
        let work = load(Path::new(directory), "choice")?;
        let model = GlmHmm::new(3, Bernoulli).flat_prior();
        time("choice", &model, &work)?;
        let model = model.restarts(20).prior_sd(2.0).transition_concentration(2.0).seed(5);
        let fitted = restarts(&model, &work)?;
        // One state more than there are: the slow case.
        for acceleration in [Acceleration::Squarem, Acceleration::None] {
            restarts(&model.with_states(4).acceleration(acceleration), &work)?;
        }
        let begin = Instant::now();
        let errors = fitted.standard_errors(&work.design, &work.counts)?;
        println!("standard errors: {:.3} s\n{errors}", begin.elapsed().as_secs_f64());
    }
    if wanted("long_choice") {
        let work = load(Path::new(directory), "long_choice")?;
        time("long_choice", &GlmHmm::new(3, Bernoulli).flat_prior(), &work)?;
    }
    for name in ["neural", "neural_glm"] {
        if wanted(name) {
            time(name, &GlmHmm::new(3, Poisson), &load(Path::new(directory), name)?)?;
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    println!("peak memory: {}", peak.map_or("not known here", str::trim));
    Ok(())
}

/// Fits from twenty starts.
fn restarts<S: StateModel>(model: &GlmHmm<S>, work: &Work) -> Result<FittedGlmHmm<S>, nemos::hmm::Error> {
    let (begin, cpu) = (Instant::now(), cpu_seconds());
    let fitted = model.fit(&work.design, &work.counts)?;
    let (agreeing, ended) = fitted.agreement();
    println!(
        "{} states, {:?}, 20 starts: {:.3} s ({:.3} CPU), objective {:.3}, {agreeing} of {ended} agree",
        model.n_states(),
        model.options().acceleration,
        begin.elapsed().as_secs_f64(),
        cpu_seconds() - cpu,
        fitted.objective()
    );
    Ok(fitted)
}

/// Seconds that processors worked for this program; nothing where the system does not say.
fn cpu_seconds() -> f64 {
    let of_task = |task: std::io::Result<std::fs::DirEntry>| -> Option<f64> {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    let tasks = std::fs::read_dir("/proc/self/task").map(|tasks| tasks.filter_map(of_task).sum::<f64>());
    tasks.map_or(f64::NAN, |nanoseconds| 1e-9 * nanoseconds)
}

/// Seconds of a plain iteration, from the difference of a long and a short run, and of a full fit, with its longer steps,
/// until 1e-4 nats are left.
fn time<S: StateModel>(name: &str, model: &GlmHmm<S>, work: &Work) -> Result<(), Box<dyn std::error::Error>> {
    let n_rows = work.counts.dims()[0] as f64;
    let plain = model.clone().acceleration(Acceleration::None);
    let fit = |model: &GlmHmm<S>, iterations: usize, tolerance: f64| -> Result<(FittedGlmHmm<S>, f64, f64), nemos::hmm::Error> {
        let model = model
            .clone()
            .start_from(work.start.clone())
            .max_iterations(iterations)
            .tolerance(tolerance);
        let (begin, cpu) = (Instant::now(), cpu_seconds());
        let fitted = model.fit(&work.design, &work.counts)?;
        Ok((fitted, begin.elapsed().as_secs_f64(), cpu_seconds() - cpu))
    };
    // The first fit touches memory for the first time.
    fit(&plain, 1, 1e-300)?;
    let (few, many) = (2, 22);
    let (long, short, steps) = (
        fit(&plain, many, 1e-300)?,
        fit(&plain, few, 1e-300)?,
        f64::from(u8::try_from(many - few)?),
    );
    let (each, each_cpu) = ((long.1 - short.1) / steps, (long.2 - short.2) / steps);
    let (fitted, seconds, cpu) = fit(model, 1000, 1e-4 / n_rows)?;
    println!(
        "{name}: {:.2} ms per plain iteration ({:.2} CPU); full fit {seconds:.3} s ({cpu:.3} CPU), {} iterations, log-likelihood {:.4}, {} ({} processors)",
        1e3 * each,
        1e3 * each_cpu,
        fitted.iterations(),
        fitted.log_likelihood(),
        fitted.status(),
        std::thread::available_parallelism().map_or(1, usize::from)
    );
    Ok(())
}

fn load(directory: &Path, name: &str) -> Result<Work, Box<dyn std::error::Error>> {
    let is_choice = name.ends_with("choice");
    let file = NpzFile::open(directory.join(format!("{}.npz", if is_choice { name } else { "neural" })))?;
    let array = |name: &str| file.array(name);
    let (mut features, coef, intercept) = (array("X")?, array("coef")?, array("intercept")?);
    let counts = array(if name == "neural_glm" { "y_glm" } else { "y" })?;
    let n_rows = features.shape()[0];
    if name == "neural" {
        // No covariates: a column of zeros stands for none.
        features = Array2::zeros((n_rows, 1)).into_dyn();
    }
    let n_neurons = counts.len() / n_rows;
    let n_features = features.shape()[1];
    let states: Vec<StateGlm> = (0..3)
        .map(|k| {
            let intercept = intercept.index_axis(Axis(0), k).iter().copied().collect();
            let coef = match name {
                "neural" => Array2::zeros((1, n_neurons)),
                _ => {
                    let values = coef.index_axis(Axis(0), k).iter().copied().collect();
                    Array2::from_shape_vec((n_features, n_neurons), values)?
                }
            };
            Ok(StateGlm {
                coef,
                intercept,
                scale: vec![1.0; n_neurons],
            })
        })
        .collect::<Result<_, ndarray::ShapeError>>()?;
    let steps = array("A")?.into_dimensionality::<ndarray::Ix2>()?;
    let start = HmmParameters::new(array("pi")?.iter().copied().collect(), Transitions::fixed(&steps)?, &states)?;
    // Twenty sessions of choices, and one of spikes.
    let segments = Segments::from_lengths(if is_choice { vec![n_rows / 20; 20] } else { vec![n_rows] });
    let counts = counts.into_shape_with_order((n_rows, n_neurons))?;
    let features = features.into_dimensionality::<ndarray::Ix2>()?;
    Ok(Work {
        design: Design::from(Matrix::from_array(features.view())).with_segments(segments)?,
        counts: Matrix::from_array(counts.view()),
        start,
    })
}
