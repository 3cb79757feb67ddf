//! How long it takes to count, restrict, average, interpolate and tune recordings of the size of an hour of many units.
//!
//! Without arguments, runs small versions of everything; `timeseries full` runs those that `timeseries_peer.py` runs too.
//! Both make the same recordings: event k of a unit is at `(k + fraction(0.618034·k + 0.7548777·unit))·step` seconds.

use std::time::Instant;

use nemos_core::{Backend, Cpu};
use nemos_timeseries::{Binning, Error, IntervalSet, Outside, Ts, TsGroup, Tsd};

/// How much there is of everything.
struct Size {
    n_units: usize,
    n_events: usize,
    n_samples: usize,
    n_epochs: usize,
    repeats: usize,
}

fn main() -> Result<(), Error> {
    let size = match std::env::args().any(|argument| argument == "full") {
        true => Size {
            n_units: 500,
            n_events: 18_000,
            n_samples: 10_000_000,
            n_epochs: 10_000,
            repeats: 5,
        },
        false => Size {
            n_units: 20,
            n_events: 500,
            n_samples: 20_000,
            n_epochs: 20,
            repeats: 3,
        },
    };
    let seconds = size.n_events as f64 / 5.0;
    let hour = IntervalSet::new([(0.0, seconds)])?;
    let units: Result<Vec<Ts>, Error> = (0..size.n_units).map(|unit| events(size.n_events, 0.2, unit)).collect();
    let group = TsGroup::new(units?, &hour);
    counting::<Cpu<f64>>("count", &group, size.repeats)?;
    counting::<Cpu<f32>>("count/f32", &group, size.repeats)?;
    let n_places = size.n_events * 60;
    let phase = |sample: usize| 1e-4 * sample as f64;
    let place = Tsd::<Cpu>::new(
        Ts::regular(0.0, seconds / n_places as f64, n_places)?,
        (0..n_places).map(|sample| phase(sample).sin()).collect::<Vec<f64>>(),
    )?;
    let bins = [Binning::new(60).range(-1.0, 1.0)];
    report("tuning_curves", size.repeats, || Ok(group.tuning_curves(&place, &bins)?.n_units()))?;
    drop(group);

    let many = events(size.n_samples, 1e-3, 0)?;
    let half_seconds = (0..size.n_epochs).map(|epoch| epoch as f64 * size.n_samples as f64 * 1e-3 / size.n_epochs as f64);
    let epochs = IntervalSet::new(half_seconds.map(|start| (start, start + 0.5)))?;
    report("restrict", size.repeats, || Ok(many.restrict(&epochs).len()))?;

    let values = |n: usize| (0..n).map(|sample| (sample as f64 * 1e-4).sin()).collect::<Vec<f64>>();
    let signal = Tsd::<Cpu>::new(many.clone(), values(size.n_samples))?;
    report("restrict/signal", size.repeats, || Ok(signal.restrict(&epochs).len()))?;
    report("bin_average", size.repeats, || Ok(signal.bin_average(0.01)?.len()))?;
    let slow = Tsd::<Cpu>::new(Ts::regular(0.0, 0.01, size.n_samples / 10)?, values(size.n_samples / 10))?;
    report("interpolate", size.repeats, || Ok(slow.interpolate(&many, Outside::Hold).len()))
}

fn events(n: usize, step: f64, unit: usize) -> Result<Ts, Error> {
    let time = |k: usize| (k as f64 + (0.618034 * k as f64 + 0.7548777 * unit as f64).fract()) * step;
    Ts::new((0..n).map(time).collect::<Vec<f64>>())
}

fn counting<B: Backend>(name: &str, group: &TsGroup, repeats: usize) -> Result<(), Error> {
    report(name, repeats, || Ok(group.count::<B>(0.005)?.len()))
}

/// Prints the median time of the runs after the first.
fn report(name: &str, repeats: usize, work: impl Fn() -> Result<usize, Error>) -> Result<(), Error> {
    let mut rows = work()?;
    let mut times = Vec::new();
    for _ in 0..repeats {
        let start = Instant::now();
        rows = work()?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    println!("{name}: {:.4} s, {rows} rows", times[times.len() / 2]);
    Ok(())
}
