//! Where on the track does a hippocampal cell fire, and does it matter which way the rat runs?

use std::time::Instant;

use nemos::basis::{Category, RaisedCosineLinear};
use nemos::io::NpzFile;
use nemos::plot::{Axis, Bars, Color, Figure, Line, Panel};
use nemos::prelude::*;
use nemos::timeseries::Binning;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let recording = NpzFile::open(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/place_cell_1.npz"))?;
    let (time, position) = (Ts::new(recording.vector("time")?)?, recording.vector("position")?);
    let mut runs_up: Vec<f64> = position.windows(2).map(|pair| f64::from(pair[1] > pair[0])).collect();
    runs_up.push(0.0);
    let column = |values: &[f64]| Matrix::<Cpu>::from_column(values.to_vec());
    let track = Matrix::beside(vec![column(&runs_up), column(&position)])?;
    let track = TsdFrame::new(time, track)?.with_names(["direction", "position"])?;
    let cell = TsGroup::new([Ts::new(recording.vector("spike_times")?)?], track.support());

    // Spikes and track in the same bins, of a millisecond. Ten bumps, once for each direction.
    let bin = track.sampling_step()?;
    let (counts, binned) = (cell.count::<Cpu>(bin)?, track.bin_average(bin)?);
    let basis = (Category::new(2) * RaisedCosineLinear::new(10).bounds(0.0, 100.0)).label("place");
    let design = basis.compute_features([&binned.column("direction")?, &binned.column("position")?])?;
    let start = Instant::now();
    // Where the cell is silent no coefficient is low enough: a slight ridge keeps them finite.
    let glm = Glm::new(Poisson).regularizer(ridge(1e-5));
    let fitted = glm.fit(&design, &counts)?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{fitted}, in {seconds:.2} s");
    for score in [Score::LogLikelihood, Score::McFadden, Score::Cohen] {
        println!("{:>13}: {:8.4}", format!("{score:?}"), fitted.score(&design, &counts, score)?);
    }

    // Spikes over the time spent in each place, for each direction.
    let raw =
        cell.tuning_curves(&track, &[Binning::new(2).range(0.0, 1.0), Binning::new(40).range(0.0, 100.0)])?;
    let grid: Vec<f64> = (0..=400).map(|step| 0.25 * f64::from(step)).collect();
    let mut figure = Figure::new().title("A hippocampal place cell");
    for (name, up, color) in [("running up", 1, Color::Blue), ("running down", 0, Color::Vermillion)] {
        let on_grid = basis.compute_features([&column(&[up as f64; 401]), &column(&grid)])?;
        let rate = fitted.predict(&on_grid)?.to_array() / bin;
        let x = Axis::new("position").unit("cm");
        let y = Axis::new("rate").unit("spikes/s").range(0.0, 38.0);
        let bars = Bars::new(raw.edges()[1].clone(), raw.curve(0)?[40 * up..][..40].to_vec());
        let bars = bars.color(Color::LightGray).label("spikes ÷ occupancy");
        let line = Line::new(grid.clone(), rate.into_raw_vec_and_offset().0).color(color);
        figure = figure.panel(Panel::new().title(name).x(x).y(y).mark(bars).mark(line.label("model")));
    }
    Ok(figure.save("place_cell.svg")?)
}
