//! One fit of a workload as an external program: `peer WORKLOAD DATA_FOLDER OUT_FOLDER REPEATS`.
//!
//! Reads `meta.json`, `X.npy` and `y.npy`, fits, and writes `coef.npy`, `intercept.npy` and `timing.json` with the time of
//! the first fit (`cold_s`), the times of the others (`warm_s`) and the peak memory of the process.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use nemos::core::{Cpu, Matrix};
use nemos::glm::{
    Bernoulli, Exp, Gamma, Gaussian, Identity, InverseLink, Logistic, NegativeBinomial, ObservationModel, Poisson, PopulationGlm,
    Regularizer,
};
use nemos::solvers::{Groups, Stopping};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [_workload, data, out, repeats] = arguments.as_slice() else {
        println!("usage: peer WORKLOAD DATA_FOLDER OUT_FOLDER REPEATS");
        return Ok(());
    };
    let (data, out) = (Path::new(data), Path::new(out));
    let meta: Value = serde_json::from_str(&std::fs::read_to_string(data.join("meta.json"))?)?;
    let (design, counts) = (read(&data.join("X.npy"))?, read(&data.join("y.npy"))?);
    let regularizer = match (meta["penalty"]["type"].as_str(), meta["penalty"]["strength"].as_f64()) {
        (Some("none"), _) => Regularizer::Unregularized,
        (Some("ridge"), Some(strength)) => Regularizer::Ridge(strength.into()),
        (Some("lasso"), Some(strength)) => Regularizer::Lasso(strength.into()),
        (Some("grouplasso"), Some(strength)) => Regularizer::GroupLasso {
            strength: strength.into(),
            groups: groups(&meta["penalty"], design.dims()[1])?,
        },
        (other, _) => return Err(format!("no fit for penalty {other:?}").into()),
    };
    let repeats = repeats.parse()?;
    let fit = Timed {
        regularizer,
        design,
        counts,
        out,
        repeats,
    };
    match (meta["family"].as_str(), meta["link"].as_str(), meta["nb_scale"].as_f64()) {
        (Some("Poisson"), Some("log"), _) => fit.run(Poisson, Exp),
        (Some("Gaussian"), Some("identity"), _) => fit.run(Gaussian, Identity),
        (Some("Bernoulli"), Some("logit"), _) => fit.run(Bernoulli, Logistic),
        (Some("Gamma"), Some("log"), _) => fit.run(Gamma, Exp),
        (Some("NegativeBinomial"), Some("log"), Some(scale)) => fit.run(NegativeBinomial::new(scale), Exp),
        (family, link, _) => Err(format!("no fit for {family:?} with link {link:?}").into()),
    }
}

/// What a fit is timed on.
struct Timed<'a> {
    regularizer: Regularizer,
    design: Matrix<Cpu>,
    counts: Matrix<Cpu>,
    out: &'a Path,
    repeats: usize,
}

impl Timed<'_> {
    /// Fits once, then `repeats` times, and writes coefficients and times.
    fn run<O: ObservationModel, L: InverseLink>(self, observation: O, link: L) -> Result<(), Box<dyn Error>> {
        let Timed {
            regularizer,
            design,
            counts,
            out,
            repeats,
        } = self;
        // The peers are stopped at a relative gap of 1e-8 to the optimum.
        let model = PopulationGlm::new(observation)
            .link(link)
            .regularizer(regularizer)
            .stopping(Stopping::new().tolerance(1e-9));
        let fit = || {
            let start = Instant::now();
            let fitted = model.fit(&design, &counts)?;
            Ok::<_, Box<dyn Error>>((start.elapsed().as_secs_f64(), fitted))
        };
        let (cold, fitted) = fit()?;
        let warm = (0..repeats).map(|_| Ok(fit()?.0)).collect::<Result<Vec<f64>, Box<dyn Error>>>()?;
        let passes = fitted.outcome().columns.iter().map(|column| column.evaluations).max();
        let note = format!(
            "{}, {passes:?} passes, all converged: {}",
            fitted.outcome().solver,
            fitted.outcome().all_converged()
        );
        let coef = fitted.coef();
        write(&out.join("coef.npy"), &[coef.nrows(), coef.ncols()], coef.iter().copied().collect())?;
        write(&out.join("intercept.npy"), &[coef.ncols()], fitted.intercept().to_vec())?;
        let timing = json!({ "cold_s": cold, "warm_s": warm, "rss_mb": peak_memory_mb(), "note": note });
        std::fs::write(out.join("timing.json"), timing.to_string())?;
        println!("{timing}");
        Ok(())
    }
}

/// Consecutive blocks of features.
fn groups(penalty: &Value, n_features: usize) -> Result<Groups, Box<dyn Error>> {
    let size = penalty["group_size"].as_u64().ok_or("the size of a group")? as usize;
    let features: Vec<usize> = (0..n_features).collect();
    Ok(Groups::Features(features.chunks(size).map(<[usize]>::to_vec).collect()))
}

/// A `.npy` file of one or two dimensions as a matrix.
fn read(path: &Path) -> Result<Matrix<Cpu>, Box<dyn Error>> {
    let file = npyz::NpyFile::new(std::io::BufReader::new(std::fs::File::open(path)?))?;
    let shape = file.shape().to_vec();
    let columns = shape.get(1).map_or(1, |&columns| columns as usize);
    Ok(Matrix::from_vec(file.into_vec()?, [shape[0] as usize, columns])?)
}

fn write(path: &Path, shape: &[usize], values: Vec<f64>) -> Result<(), Box<dyn Error>> {
    use npyz::WriterBuilder;
    let shape: Vec<u64> = shape.iter().map(|&length| length as u64).collect();
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(&shape)
        .writer(std::fs::File::create(path)?)
        .begin_nd()?;
    writer.extend(values)?;
    writer.finish()?;
    Ok(())
}

/// Peak resident memory of this process in megabytes, where the system tells it.
fn peak_memory_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<f64>()
        .ok()
        .map(|kilobytes| kilobytes / 1024.0)
}
