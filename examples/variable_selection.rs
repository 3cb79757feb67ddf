//! Which of place, speed, heading and rhythm does each cell follow?

use ndarray::Array2;
use nemos::plot::{Axis, Figure, Heatmap, Panel};
use nemos::prelude::*;
use nemos::select::{Folds, Grid, GridSearch, Rule, VariableSearch, active_blocks, log_spaced};
use nemos::sim::Draw;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const BINS: usize = 6000;
const CELLS: usize = 12;
const NAMES: [&str; 4] = ["place", "speed", "heading", "rhythm"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Four signals between 0 and 1; cell n follows those whose bit is set in n.
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let signals = Array2::from_shape_simple_fn((BINS, 4), || rng.random::<f64>());
    let follows = |signal: usize, cell: usize| cell >> signal & 1 == 1;
    let bump = |signal: f64, cell: usize| 2.0 * (-((signal - 0.08 * cell as f64) / 0.15).powi(2)).exp();
    let mut counts = Vec::with_capacity(BINS * CELLS);
    for row in signals.rows() {
        for cell in 0..CELLS {
            let drive = (0..4).filter(|&signal| follows(signal, cell)).map(|signal| bump(row[signal], cell));
            counts.push(Poisson.draw((drive.sum::<f64>() - 2.0).exp(), 1.0, &mut rng));
        }
    }
    let counts = Matrix::<Cpu>::from_vec(counts, [BINS, CELLS])?;

    // A block of six functions for each signal.
    let columns = [0, 1, 2, 3].map(|signal| Matrix::<Cpu>::from_column(signals.column(signal).to_vec()));
    let spline = |name: &str| BSpline::new(6).bounds(0.0, 1.0).label(name);
    let basis = spline(NAMES[0]) + spline(NAMES[1]) + spline(NAMES[2]) + spline(NAMES[3]);
    let design = basis.design([&columns[0], &columns[1], &columns[2], &columns[3]])?;

    // Once by a group lasso, which drops blocks whole: its strength is that of unseen bins.
    let lasso = Regularizer::GroupLasso { strength: 1.0.into(), groups: Groups::Blocks };
    let model = PopulationGlm::new(Poisson);
    let grid = Grid::new().over("strength", log_spaced(3e-4, 0.1, 12));
    let search = GridSearch::new(model.clone().regularizer(lasso), grid).folds(Folds::blocks(5, 4));
    let by_lasso = active_blocks(search.rule(Rule::OneStandardError).fit(&design, &counts)?.fitted())?;

    // And once by adding the block that foretells most, as long as the gain stands out.
    let model = model.regularizer(ridge(1e-4));
    let search = VariableSearch::new(model).folds(Folds::blocks(5, 4)).rule(Rule::OneStandardError);
    let found = search.fit(&design, &counts)?;
    println!("{found}");

    let truth = Array2::from_shape_fn((4, CELLS), |(signal, cell)| follows(signal, cell));
    let mut figure = Figure::new().columns(1).panel_size(560.0, 150.0);
    for (title, blocks) in [("truth", &truth), ("group lasso", &by_lasso), ("forward search", found.kept())] {
        let same = blocks.iter().zip(&truth).filter(|(a, b)| a == b).count();
        println!("{title}: {same} of {} are right", truth.len());
        let ticks = NAMES.iter().enumerate().map(|(place, name)| (place as f64, *name));
        let heatmap = Heatmap::new(blocks.mapv(|kept| f64::from(u8::from(kept))).view()).without_bar();
        let panel = Panel::new().title(title).x(Axis::new("cell")).y(Axis::new("").ticks(ticks));
        figure = figure.panel(panel.mark(heatmap));
    }
    Ok(figure.save("variable_selection.svg")?)
}
