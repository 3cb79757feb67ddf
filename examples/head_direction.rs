//! A session with head-direction cells: simulated, saved, read again; what each cell prefers, what the population says,
//! and who speaks to whom once the heading is accounted for.

use std::f64::consts::TAU;

use ndarray::{Array2, Array3, s};
use nemos::basis::{CyclicBSpline, Window};
use nemos::io::Pynapple;
use nemos::plot::{Axis, Colors, Figure, Heatmap, Panel, Polar, Raster};
use nemos::prelude::*;
use nemos::sim::{Coupling, Draw, Recurrent};
use nemos::timeseries::{Binning, IntervalSet, Nearest, Prior, Signal, Ts, TsGroup, Tsd, TuningCurves};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const N_CELLS: usize = 12;
const BIN: f64 = 0.01;
const WINDOW: usize = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Two stretches of exploration with a rest between them, during which nothing is known.
    let epochs = IntervalSet::new([(0.0, 600.0), (900.0, 1500.0)])?;
    let mut rng = ChaCha8Rng::seed_from_u64(32);
    let (heading, cells) = simulate(&epochs, &mut rng)?;

    // To files that pynapple reads too, and back.
    let folder = std::env::temp_dir().join("nemos_head_direction");
    std::fs::create_dir_all(&folder)?;
    let (heading_file, cells_file) = (folder.join("heading.npz"), folder.join("cells.npz"));
    Pynapple::Tsd(heading).write(&heading_file)?;
    Pynapple::<Cpu>::TsGroup(cells).write(&cells_file)?;
    let (Pynapple::Tsd(heading), Pynapple::TsGroup(cells)) = (Pynapple::<Cpu>::read(&heading_file)?, Pynapple::<Cpu>::read(&cells_file)?)
    else {
        return Err("the files hold something else than what was written".into());
    };

    // What each cell prefers.
    let bins = [Binning::new(60).range(0.0, TAU)];
    let curves = cells.tuning_curves(&heading, &bins)?;
    for (cell, information) in curves.information().iter().enumerate().step_by(4) {
        let rate = cells.rates()[cell];
        println!("cell {cell}: {rate:.1} spikes/s, {:.2} bits per spike", information.per_spike);
    }

    // What they say together: half of the session teaches, the other half is read.
    let [first, second] = [(0.0, 600.0), (900.0, 1500.0)].map(|epoch| IntervalSet::new([epoch]));
    let (learned, test) = (cells.tuning_curves(&heading.restrict(&first?), &bins)?, cells.restrict(&second?));
    let decoded = learned.decode_bayes(&test.count::<Cpu>(0.25)?, 0.25, Prior::Occupancy)?;
    let true_heading = decoded.features.axis().value_from(&heading, Nearest::Closest).to_vec();
    let away = |(decoded, heading): (f64, f64)| ((decoded - heading + TAU / 2.0).rem_euclid(TAU) - TAU / 2.0).abs();
    let mut errors: Vec<f64> = decoded.features.values().to_vec().into_iter().zip(true_heading).map(away).collect();
    errors.sort_by(f64::total_cmp);
    println!(
        "decoded heading: off by {:.0}° in the median",
        errors[errors.len() / 2].to_degrees()
    );

    // Who speaks to whom: past spikes of every cell beside the heading. No history reaches across the rest.
    let counts = cells.count::<Cpu>(BIN)?;
    let direction = counts.axis().value_from(&heading, Nearest::Closest).into_frame();
    let history = RaisedCosineLog::new(4).convolved(Window::samples(WINDOW)).label("spikes");
    let basis = CyclicBSpline::new(8).bounds(0.0, TAU).label("heading") + history.clone();
    let design = basis.compute_features([&direction, &counts])?;
    let fitted = PopulationGlm::new(Poisson)
        .regularizer(Regularizer::Ridge(1e-4.into()))
        .fit(&design, &counts)?
        .require_converged()?;
    println!("pseudo-R² {:.3}", fitted.score(&design, &counts, Score::McFadden)?);
    let rows = basis.layout(&[1, N_CELLS])?.columns("spikes")?;
    let found = Coupling::from_features(fitted.coef().slice(s![rows, ..]), &history)?;

    draw(&cells, &curves, &filter_sums(&true_coupling()?), &filter_sums(&found))
}

/// The direction that a cell prefers.
fn preferred(cell: usize) -> f64 {
    cell as f64 * TAU / N_CELLS as f64
}

/// After a spike a cell is silent for a moment; those that prefer about the same follow, and those across are held back.
fn true_coupling() -> Result<Coupling, nemos::Error> {
    let filter = |(lag, receiver, sender): (usize, usize, usize)| {
        let lag = lag as f64;
        let refractory = if receiver == sender { -3.0 * (-lag).exp() } else { 0.0 };
        let neighbours = 0.2 * (preferred(receiver) - preferred(sender)).cos() * (-lag / 5.0).exp();
        refractory + if receiver == sender { 0.0 } else { neighbours }
    };
    Ok(Coupling::from_filters(
        Array3::from_shape_fn((WINDOW, N_CELLS, N_CELLS), filter).view(),
    )?)
}

/// A heading that turns at random, and the spikes of cells that are tuned to it and coupled.
fn simulate(epochs: &IntervalSet, rng: &mut ChaCha8Rng) -> Result<(Tsd<Cpu>, TsGroup), nemos::Error> {
    let (mut heading, mut turning): (f64, f64) = (0.0, 0.0);
    let (mut times, mut headings, mut drives) = (Vec::new(), Vec::new(), Vec::new());
    for epoch in epochs.intervals() {
        let n_bins = (epoch.length() / BIN).round() as usize;
        let mut drive = Array2::zeros((n_bins, N_CELLS));
        for bin in 0..n_bins {
            // Turns last about half a second, at some two radians per second.
            turning += -turning * BIN / 0.5 + Gaussian.draw(0.0, 16.0 * BIN, rng);
            heading = (heading + turning * BIN).rem_euclid(TAU);
            times.push(epoch.start + (bin as f64 + 0.5) * BIN);
            headings.push(heading);
            for cell in 0..N_CELLS {
                // From one to some thirty spikes per second.
                let rate = 1.0 + 30.0 * (4.0 * ((heading - preferred(cell)).cos() - 1.0)).exp();
                drive[(bin, cell)] = (rate * BIN).ln();
            }
        }
        drives.push(drive);
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

/// `[receiver, sender]`: what one spike adds to the predictors of others, over all lags; nothing on the diagonal.
fn filter_sums(coupling: &Coupling) -> Array2<f64> {
    let mut sums = coupling.filters().sum_axis(ndarray::Axis(0));
    sums.diag_mut().fill(0.0);
    sums
}

fn draw(cells: &TsGroup, curves: &TuningCurves, truth: &Array2<f64>, found: &Array2<f64>) -> Result<(), Box<dyn std::error::Error>> {
    let angles = curves.centers(0);
    let mut tuning = Panel::new().title("four of twelve cells").y(Axis::new("spikes/s"));
    for cell in [0, 2, 5, 8] {
        tuning = tuning.mark(Polar::new(angles.clone(), curves.curve(cell)?).label(format!("cell {cell}")));
    }
    let rows: Vec<Vec<f64>> = cells.units().iter().map(|cell| cell.between(0.0, 20.0).times().to_vec()).collect();
    let raster = Panel::new().title("twenty seconds").x(Axis::new("time").unit("s").range(0.0, 20.0));
    let raster = raster.y(Axis::new("cell")).mark(Raster::new(rows));
    let mut figure = Figure::new()
        .title("A session with head-direction cells")
        .columns(2)
        .panel(tuning)
        .panel(raster);
    for (title, sums) in [("true coupling", truth), ("coupling found", found)] {
        let map = Heatmap::new(sums.view()).colors(Colors::Diverging).name("sum of the filter");
        let panel = Panel::new().title(title).x(Axis::new("sender")).y(Axis::new("receiver"));
        figure = figure.panel(panel.mark(map));
    }
    Ok(figure.save("head_direction.svg")?)
}
