//! Where on the track does a hippocampal cell fire, and does it matter which way the rat runs?
use std::time::Instant;

use nemos::basis::{Family, RaisedCosineLinear};
use nemos::core::{Cpu, Error, Features, Matrix};
use nemos::glm::{Glm, Poisson, Regularizer, Score};
use nemos::io::NpzFile;
use nemos::plot::{Axis, Bars, Color, Figure, Line, Panel};

/// The bumps of one direction are zero while the rat runs the other way.
fn by_direction(place: &Matrix<Cpu>, up: &[bool]) -> Result<Features<Cpu>, Error> {
    let only = |direction: bool| {
        let mut bumps = place.to_array();
        let rows = bumps.rows_mut().into_iter().zip(up);
        rows.filter(|(_, up)| **up != direction).for_each(|(mut row, _)| row.fill(0.0));
        Matrix::from(bumps)
    };
    Features::new().with("running up", only(true))?.with("running down", only(false))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let recording = NpzFile::open(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/place_cell_1.npz"))?;
    let (time, position) = (recording.vector("time")?, recording.vector("position")?);
    let bin = time[1] - time[0];
    let mut counts = vec![0.0; time.len()];
    for spike in recording.vector("spike_times")? {
        counts[(((spike - time[0]) / bin).round() as usize).min(time.len() - 1)] += 1.0;
    }
    let mut up: Vec<bool> = position.windows(2).map(|pair| pair[1] > pair[0]).collect();
    up.push(false);

    let bumps = RaisedCosineLinear::new(10).bounds(0.0, 100.0);
    let design = by_direction(&bumps.compute_features(&Matrix::from_column(position.clone()))?, &up)?;
    let y = Matrix::from_column(counts.clone());
    let start = Instant::now();
    // Where the cell is silent no coefficient is low enough: a slight ridge keeps them finite.
    let glm = Glm::new(Poisson).regularizer(Regularizer::Ridge(1e-5.into()));
    let fitted = glm.fit(&design, &y)?;
    println!("{} in {:.2} s", fitted.outcome().status, start.elapsed().as_secs_f64());
    println!("{:>13}: {:6.2}", "intercept", fitted.intercept());
    for name in design.names() {
        println!("{name:>13}: {:6.2?}", &fitted.coef()[design.columns(name)?]);
    }
    for score in [Score::LogLikelihood, Score::McFadden, Score::Cohen] {
        println!("{:>13}: {:8.4}", format!("{score:?}"), fitted.score(&design, &y, score)?);
    }

    let grid = |n: i32| (0..=n).map(|step| 100.0 * f64::from(step) / f64::from(n)).collect::<Vec<f64>>();
    let on_grid = bumps.compute_features(&Matrix::from_column(grid(400)))?;
    let mut figure = Figure::new().title("A hippocampal place cell");
    for (name, direction, color) in [("running up", true, Color::Blue), ("running down", false, Color::Vermillion)] {
        let mut here = [[0.0; 2]; 40];
        for t in (0..time.len()).filter(|&t| up[t] == direction) {
            let [spikes, seconds] = &mut here[((position[t] / 2.5) as usize).min(39)];
            (*spikes, *seconds) = (*spikes + counts[t], *seconds + bin);
        }
        let raw = here.map(|[spikes, seconds]| spikes / seconds);
        let rate = fitted.predict(&by_direction(&on_grid, &[direction; 401])?)?.to_array() / bin;
        let (x, y) = (
            Axis::new("position").unit("cm"),
            Axis::new("rate").unit("spikes/s").range(0.0, 38.0),
        );
        let bars = Bars::new(grid(40), raw).color(Color::LightGray).label("spikes ÷ occupancy");
        let line = Line::new(grid(400), rate.into_iter().collect::<Vec<_>>())
            .color(color)
            .label("model");
        figure = figure.panel(Panel::new().title(name).x(x).y(y).mark(bars).mark(line));
    }
    Ok(figure.save("place_cell.svg")?)
}
