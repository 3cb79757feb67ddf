//! What does each head-direction cell prefer, what do all say together, and who speaks to whom?
//
// Longer than other examples: a session is simulated, saved and read before it is analysed.
// The book shows it in parts.

use std::f64::consts::TAU;

use ndarray::{Array2, Array3};
use nemos::io::Pynapple;
use nemos::plot::{Axis, Colors, Figure, Heatmap, Panel, Polar, Raster};
use nemos::prelude::*;
use nemos::sim::{Coupling, Draw, Recurrent};
use nemos::timeseries::{Binning, Nearest, Prior};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const N_CELLS: usize = 12;
const BIN: f64 = 0.01;
const WINDOW: usize = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: files
    // Two stretches of exploration with a rest between them, during which nothing is known.
    let epochs = IntervalSet::new([(0.0, 600.0), (900.0, 1500.0)])?;
    let (heading, cells) = simulate(&epochs, &mut ChaCha8Rng::seed_from_u64(32))?;

    // To files that pynapple reads too, and back.
    let folder = std::env::temp_dir();
    let (heading_file, cells_file) = (folder.join("nemos_heading.npz"), folder.join("nemos_cells.npz"));
    Pynapple::Tsd(heading).write(&heading_file)?;
    Pynapple::<Cpu>::TsGroup(cells).write(&cells_file)?;
    let (heading, cells) = match (Pynapple::<Cpu>::read(&heading_file)?, Pynapple::<Cpu>::read(&cells_file)?)
    {
        (Pynapple::Tsd(heading), Pynapple::TsGroup(cells)) => (heading, cells),
        _ => return Err("the files hold something else than what was written".into()),
    };
    // ANCHOR_END: files

    // ANCHOR: tuning
    let bins = [Binning::new(60).range(0.0, TAU)];
    let curves = cells.tuning_curves(&heading, &bins)?;
    for (cell, information) in curves.information().iter().enumerate().step_by(4) {
        let rate = cells.rates()[cell];
        println!("cell {cell}: {rate:.1} spikes/s, {:.2} bits per spike", information.per_spike);
    }
    // ANCHOR_END: tuning

    // ANCHOR: decoding
    // Half of the session teaches, the other half is read.
    let [first, second] = [(0.0, 600.0), (900.0, 1500.0)].map(|epoch| IntervalSet::new([epoch]));
    let (learned, test) = (cells.tuning_curves(&heading.restrict(&first?), &bins)?, cells.restrict(&second?));
    let decoded = learned.decode_bayes(&test.count::<Cpu>(0.25)?, 0.25, Prior::Occupancy)?.features;
    let true_heading = decoded.axis().value_from(&heading, Nearest::Closest).to_vec();
    let away =
        |(decoded, heading): (f64, f64)| ((decoded - heading + TAU / 2.0).rem_euclid(TAU) - TAU / 2.0).abs();
    let mut errors: Vec<f64> = decoded.values().to_vec().into_iter().zip(true_heading).map(away).collect();
    errors.sort_by(f64::total_cmp);
    let median = errors[errors.len() / 2].to_degrees();
    println!("decoded heading: off by {median:.0}° in the median");
    // ANCHOR_END: decoding

    // ANCHOR: coupling
    // Past spikes of every cell beside the heading. No history reaches across the rest.
    let counts = cells.count::<Cpu>(BIN)?;
    let direction = counts.axis().value_from(&heading, Nearest::Closest);
    let history = RaisedCosineLog::new(4).convolved(Window::samples(WINDOW)).label("spikes");
    let basis = CyclicBSpline::new(8).bounds(0.0, TAU).label("heading") + history;
    let design = basis.compute_features((&direction, &counts))?;
    // Couplings are held back; tuning hardly, or they would take over what it no longer explains.
    let strengths = vec![("heading".into(), 1e-6), ("spikes".into(), 1e-4)];
    let ridge = Regularizer::Ridge(Strength::PerBlock(strengths));
    let fitted = PopulationGlm::new(Poisson).regularizer(ridge).fit(&design, &counts)?.require_converged()?;
    println!("pseudo-R² {:.3}", fitted.score(&design, &counts, Score::McFadden)?);
    let found = Recurrent::from_fitted_part(&fitted, &basis, "spikes")?;
    // ANCHOR_END: coupling

    // ANCHOR: figure
    let mut tuning = Panel::new().title("four of twelve cells").y(Axis::new("rate").unit("spikes/s"));
    for cell in [0, 2, 5, 8] {
        tuning =
            tuning.mark(Polar::new(curves.centers(0), curves.curve(cell)?).label(format!("cell {cell}")));
    }
    let raster = Raster::new(&cells.restrict(&IntervalSet::new([(0.0, 20.0)])?));
    let time = Axis::new("time").unit("s").range(0.0, 20.0);
    let raster = Panel::new().title("twenty seconds").x(time).y(Axis::new("cell")).mark(raster);
    let mut figure =
        Figure::new().title("A session with head-direction cells").share_colors().panel(tuning).panel(raster);
    for (title, coupling) in [("true coupling", &true_coupling()?), ("coupling found", found.coupling())] {
        // What one spike adds to the predictors of others, over all lags.
        let mut sums = coupling.filters().sum_axis(ndarray::Axis(0));
        sums.diag_mut().fill(0.0);
        let map = Heatmap::new(sums.view()).colors(Colors::Diverging).name("sum of the filter");
        figure =
            figure.panel(Panel::new().title(title).x(Axis::new("sender")).y(Axis::new("receiver")).mark(map));
    }
    Ok(figure.save("head_direction.svg")?)
    // ANCHOR_END: figure
}

// ANCHOR: simulation
/// The direction that a cell prefers.
fn preferred(cell: usize) -> f64 {
    cell as f64 * TAU / N_CELLS as f64
}

/// After a spike a cell is silent for a moment; those that prefer about the same follow, and those
/// across are held back.
fn true_coupling() -> Result<Coupling, nemos::Error> {
    let filters = Array3::from_shape_fn((WINDOW, N_CELLS, N_CELLS), |(lag, receiver, sender)| {
        match receiver == sender {
            true => -3.0 * (-(lag as f64)).exp(),
            false => 0.2 * (preferred(receiver) - preferred(sender)).cos() * (-(lag as f64) / 5.0).exp(),
        }
    });
    Ok(Coupling::from_filters(filters.view())?)
}

/// A heading that turns at random, and the spikes of cells that are tuned to it and coupled.
fn simulate(epochs: &IntervalSet, rng: &mut ChaCha8Rng) -> Result<(Tsd<Cpu>, TsGroup), nemos::Error> {
    let (mut heading, mut turning): (f64, f64) = (0.0, 0.0);
    let (mut times, mut headings, mut drives) = (Vec::new(), Vec::new(), Vec::new());
    for epoch in epochs.intervals() {
        let first = headings.len();
        for bin in 0..(epoch.length() / BIN).round() as usize {
            // Turns last about half a second, at some two radians per second.
            turning += -turning * BIN / 0.5 + Gaussian.draw(0.0, 16.0 * BIN, rng);
            heading = (heading + turning * BIN).rem_euclid(TAU);
            times.push(epoch.start + (bin as f64 + 0.5) * BIN);
            headings.push(heading);
        }
        // From one to some thirty spikes per second.
        let rate =
            |heading: f64, cell: usize| 1.0 + 30.0 * (4.0 * ((heading - preferred(cell)).cos() - 1.0)).exp();
        let drive = |(bin, cell): (usize, usize)| (rate(headings[first + bin], cell) * BIN).ln();
        drives.push(Array2::from_shape_fn((headings.len() - first, N_CELLS), drive));
    }
    let network = Recurrent::new(Poisson, true_coupling()?, [0.0; N_CELLS]);
    let drives: Vec<_> = drives.iter().map(|drive| drive.view()).collect();
    let mut spikes = vec![Vec::new(); N_CELLS];
    for (simulation, epoch) in network.run_trials(&drives, rng)?.into_iter().zip(epochs.intervals()) {
        for ((bin, cell), &count) in simulation.require_finished()?.counts.indexed_iter() {
            let within = (0..count as usize).map(|_| epoch.start + (bin as f64 + rng.random::<f64>()) * BIN);
            spikes[cell].extend(within);
        }
    }
    let cells: Result<Vec<Ts>, _> = spikes.into_iter().map(Ts::sorted).collect();
    Ok((Tsd::new(Ts::within(times, epochs)?, headings)?, TsGroup::new(cells?, epochs)))
}
// ANCHOR_END: simulation
