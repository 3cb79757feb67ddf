//! Where on the track does a hippocampal cell fire, and does it matter which way the rat runs?

use std::time::Instant;

use nemos::basis::{Category, RaisedCosineLinear};
use nemos::core::{Cpu, Matrix};
use nemos::glm::{Glm, Poisson, Regularizer, Score};
use nemos::io::NpzFile;
use nemos::plot::{Axis, Bars, Color, Figure, Line, Panel};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let recording = NpzFile::open(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/place_cell_1.npz"))?;
    let (time, position) = (recording.vector("time")?, recording.vector("position")?);
    // One bin per sample of the position; a spike belongs to the nearest one.
    let bin = time[1] - time[0];
    let mut counts = vec![0.0; time.len()];
    for spike in recording.vector("spike_times")? {
        counts[(((spike - time[0]) / bin).round() as usize).min(time.len() - 1)] += 1.0;
    }
    let mut runs_up: Vec<f64> = position.windows(2).map(|pair| f64::from(pair[1] > pair[0])).collect();
    runs_up.push(0.0);
    // Ten bumps along the track, once for each direction.
    let basis = Category::new(2) * RaisedCosineLinear::new(10).bounds(0.0, 100.0);
    let column = |values: &[f64]| Matrix::<Cpu>::from_column(values.to_vec());
    let design = basis.compute_features([&column(&runs_up), &column(&position)])?;
    let start = Instant::now();
    // Where the cell is silent no coefficient is low enough: a slight ridge keeps them finite.
    let glm = Glm::new(Poisson).regularizer(Regularizer::Ridge(1e-5.into()));
    let fitted = glm.fit(&design, &column(&counts))?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{} in {seconds:.2} s, intercept {:.2}", fitted.outcome().status, fitted.intercept());
    println!("{:>13}: {:6.2?}", "running down", &fitted.coef()[..10]);
    println!("{:>13}: {:6.2?}", "running up", &fitted.coef()[10..]);
    for score in [Score::LogLikelihood, Score::McFadden, Score::Cohen] {
        println!(
            "{:>13}: {:8.4}",
            format!("{score:?}"),
            fitted.score(&design, &column(&counts), score)?
        );
    }

    let grid = |n: i32| (0..=n).map(|step| 100.0 * f64::from(step) / f64::from(n)).collect::<Vec<f64>>();
    let mut figure = Figure::new().title("A hippocampal place cell");
    for (name, up, color) in [("running up", 1.0, Color::Blue), ("running down", 0.0, Color::Vermillion)] {
        let mut here = [[0.0; 2]; 40];
        for t in (0..time.len()).filter(|&t| runs_up[t] == up) {
            let [spikes, seconds] = &mut here[((position[t] / 2.5) as usize).min(39)];
            (*spikes, *seconds) = (*spikes + counts[t], *seconds + bin);
        }
        let raw = here.map(|[spikes, seconds]| spikes / seconds);
        let on_grid = basis.compute_features([&column(&[up; 401]), &column(&grid(400))])?;
        let rate = fitted.predict(&on_grid)?.to_array() / bin;
        let x = Axis::new("position").unit("cm");
        let y = Axis::new("rate").unit("spikes/s").range(0.0, 38.0);
        let bars = Bars::new(grid(40), raw).color(Color::LightGray).label("spikes ÷ occupancy");
        let line = Line::new(grid(400), rate.into_raw_vec_and_offset().0).color(color);
        figure = figure.panel(Panel::new().title(name).x(x).y(y).mark(bars).mark(line.label("model")));
    }
    Ok(figure.save("place_cell.svg")?)
}
