//! How much memory does a fit of a long recording take, if neither counts nor features are ever held?
//!
//! Longer than other examples: the spikes are drawn, memory is measured, and a figure shows it.

use nemos::basis::RaisedCosineLog;
use nemos::plot::{Axis, Color, Figure, Line, Panel, Scatter};
use nemos::prelude::*;
use peak_alloc::PeakAlloc;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const UNITS: usize = 40;
const BIN: f64 = 0.001;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let basis = RaisedCosineLog::new(3).convolved(50).label("spikes");
    let model = PopulationGlm::new(Poisson).regularizer(ridge(1e-4));
    // The first fit of a program sets memory aside for products of matrices, which is not counted.
    let few = units(10.0)?;
    let _ = model.fit::<Cpu>(&few.binned(BIN)?, &few.binned(BIN)?)?;

    let (minutes, mut held, mut on_demand) = ([1.0, 2.0, 4.0, 6.0], Vec::new(), Vec::new());
    for minutes in minutes {
        let units = units(60.0 * minutes)?;
        let before = begin();
        let counts: TsdFrame<Cpu> = units.count(BIN)?;
        let features = basis.compute_features(&counts)?;
        let all_at_once = model.fit(&features, &counts)?;
        held.push(megabytes_since(before));
        drop((counts, features));

        // Spikes become counts, and counts features, when a pass asks for them.
        let before = begin();
        let counts = units.binned(BIN)?;
        let features = basis.design::<Cpu>(&counts)?;
        let in_chunks = model.fit(&features, &counts)?;
        on_demand.push(megabytes_since(before));

        assert_eq!(in_chunks.coef(), all_at_once.coef());
        let (held, on_demand) = (held[held.len() - 1], on_demand[on_demand.len() - 1]);
        println!("{minutes} min: {held:.0} MB held, {on_demand:.0} MB on demand");
    }

    let mut panel = Panel::new()
        .x(Axis::new("length of the recording (min)").range(0.0, 6.5))
        .y(Axis::new("peak memory (MB)").range(0.0, 1.1 * held[held.len() - 1]));
    for (megabytes, name, color) in
        [(held, "counts and features held", Color::Vermillion), (on_demand, "on demand", Color::Blue)]
    {
        panel = panel
            .mark(Line::new(minutes.to_vec(), megabytes.clone()).color(color).label(name))
            .mark(Scatter::new(minutes.to_vec(), megabytes).color(color));
    }
    Ok(Figure::new().title("The same fit, to the last bit").panel(panel).save("large_recording.svg")?)
}

fn begin() -> usize {
    MEMORY.reset_peak_usage();
    MEMORY.current_usage()
}

fn megabytes_since(before: usize) -> f64 {
    (MEMORY.peak_usage() - before) as f64 / 1e6
}

/// Units that fire ten times a second, as long as this.
fn units(seconds: f64) -> Result<TsGroup, nemos::timeseries::Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let wait = |rng: &mut ChaCha8Rng| 0.002 - 0.1 * (1.0 - rng.random::<f64>()).ln();
    let unit = |_| {
        Ts::new(
            (0..(11.0 * seconds) as usize)
                .scan(0.0, |at, _| {
                    *at += wait(&mut rng);
                    Some(*at)
                })
                .collect::<Vec<f64>>(),
        )
    };
    let units: Vec<Ts> = (0..UNITS).map(unit).collect::<Result<_, _>>()?;
    Ok(TsGroup::new(units, &IntervalSet::new([(0.0, seconds)])?))
}
