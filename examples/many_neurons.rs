//! How long does a fit of a large population take, and how much memory, where neurons hear their neighbours?
//!
//! `many_neurons [units] [minutes] [megabytes]`: 200 units for ten minutes in bins of 5 ms, unless told
//! otherwise, each of which hears the 50 around it through three functions; `megabytes` limits the memory.
//!
//! Longer than other examples: the recording is drawn, and what is announced is held against what was taken.

use std::time::Instant;

use nemos::basis::RaisedCosineLog;
use nemos::glm::FeatureMask;
use nemos::ndarray::Array2;
use nemos::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const BIN: f64 = 0.005;
const NEIGHBOURS: usize = 50;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let given: Vec<f64> = std::env::args().skip(1).map(|number| number.parse()).collect::<Result<_, _>>()?;
    let n_units = given.first().map_or(200, |n| *n as usize);
    let seconds = 60.0 * given.get(1).unwrap_or(&10.0);
    let units = units(n_units, seconds)?;

    // Units stand on a ring; the features of each sender are three columns.
    let apart = |a: usize, b: usize| a.abs_diff(b).min(n_units - a.abs_diff(b));
    let hears = Array2::from_shape_fn((n_units, n_units), |(sender, receiver)| {
        apart(sender, receiver) <= NEIGHBOURS / 2
    });
    let counts = units.binned(BIN)?;
    let basis = RaisedCosineLog::new(3).convolved(50).label("spikes");
    let features = basis.design::<Cpu>(&counts)?;
    let mut model = PopulationGlm::new(Poisson)
        .regularizer(ridge(1e-4))
        .feature_mask(FeatureMask::coupling("spikes", hears));
    if let Some(megabytes) = given.get(2) {
        model = model.memory_limit(1e6 * megabytes);
    }
    println!("{}", model.plan(&features, &counts)?);

    let before = memory("VmRSS:");
    let begin = Instant::now();
    let fitted = model.fit(&features, &counts)?;
    let seconds = begin.elapsed().as_secs_f64();
    let columns = &fitted.outcome().columns;
    let evaluations: usize = columns.iter().map(|column| column.evaluations).sum();
    println!(
        "fitted in {seconds:.1} s, {:.1} evaluations of each neuron",
        evaluations as f64 / n_units as f64
    );
    println!("{:.1} MB beside the {before:.1} MB that there were", memory("VmHWM:") - before);
    println!("all converged: {}", fitted.outcome().all_converged());
    Ok(())
}

/// A number of this process in megabytes, where the operating system is Linux.
fn memory(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let number = status.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"));
    number.and_then(|number| number.parse::<f64>().ok()).unwrap_or(f64::NAN) * 1.024e-3
}

/// Units that fire at five a second or so, each at a rate of its own, and never within 2 ms.
fn units(n_units: usize, seconds: f64) -> Result<TsGroup, nemos::timeseries::Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let unit = |unit: usize| {
        let rate = 2.0 + (unit % 7) as f64;
        let (mut time, mut times) = (0.0, Vec::new());
        while time < seconds {
            time += 0.002 - (1.0 - rng.random::<f64>()).ln() / rate;
            times.push(time);
        }
        Ts::new(times)
    };
    let units: Vec<Ts> = (0..n_units).map(unit).collect::<Result<_, _>>()?;
    Ok(TsGroup::new(units, &IntervalSet::new([(0.0, seconds)])?))
}
