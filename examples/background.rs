//! What happens between an input and spikes, and what does a convolution do?

use nemos::plot::{Axis, Figure, Line, Panel, Raster};
use nemos::prelude::*;
use nemos::sim::Draw;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const BIN: f64 = 0.02;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Twenty seconds of a rat that runs up and down a track.
    let time: Vec<f64> = (0..1000).map(|bin| BIN * f64::from(bin)).collect();
    let position: Vec<f64> = time.iter().map(|t| 100.0 * (1.0 - (t % 10.0 / 5.0 - 1.0).abs())).collect();
    let bumps = BSpline::new(6).bounds(0.0, 100.0);
    let features = bumps.compute_features(&Matrix::<Cpu>::from_column(position.clone()))?.to_array();

    // Features times coefficients are the predictor; its exponential is the rate; counts are drawn with it.
    let predictor = features.dot(&ndarray::arr1(&[-1.0, 0.0, 1.0, 4.0, 1.0, -1.0])) - 3.0;
    let rate = predictor.mapv(f64::exp);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let counts: Vec<f64> = rate.iter().map(|&rate| Poisson.draw(rate, 1.0, &mut rng)).collect();
    let spikes = |counts: &[f64]| -> Vec<f64> {
        time.iter().zip(counts).filter(|(_, count)| **count > 0.0).map(|(t, _)| *t).collect()
    };

    let panel = |title: &str, y: Axis| Panel::new().title(title).x(Axis::new("").range(0.0, 20.0)).y(y);
    let line = |values: Vec<f64>| Line::new(time.clone(), values);
    let input = panel("1. an input", Axis::new("position").unit("cm")).mark(line(position));
    let mut columns = panel("2. its features: six functions of it", Axis::new("feature"));
    for column in features.columns() {
        columns = columns.mark(line(column.to_vec()));
    }
    let sum = panel("3. the predictor: their weighted sum", Axis::new("predictor"));
    let positive = Axis::new("rate").unit("spikes/s").range(0.0, 45.0);
    let rates = panel("4. the rate: made positive by a link", positive).mark(line((rate / BIN).to_vec()));
    let drawn = panel("5. spikes, drawn with that rate", Axis::new("").ticks([(0.0, "")]));
    let drawn = drawn.x(Axis::new("time").unit("s").range(0.0, 20.0)).mark(Raster::new([spikes(&counts)]));
    let figure = Figure::new().columns(1).panel_size(700.0, 125.0).panel(input).panel(columns);
    figure.panel(sum.mark(line(predictor.to_vec()))).panel(rates).panel(drawn).save("background.svg")?;

    // Past spikes through three filters of a second: every spike leaves a copy of each, one bin later and on.
    let basis = RaisedCosineLog::new(3).convolved(Window::samples(50));
    let few: Vec<f64> = (0..250).map(|bin| f64::from([75, 140, 150, 156].contains(&bin))).collect();
    let past = basis.compute_features(&Matrix::<Cpu>::from_column(few.clone()))?.to_array();
    let lags: Vec<f64> = (1..=50).map(|lag| BIN * f64::from(lag)).collect();
    let x = || Axis::new("time").unit("s").range(0.0, 5.0);
    let before = Panel::new().title("spikes").x(x()).y(Axis::new("").ticks([(0.0, "")]));
    let mut filters =
        Panel::new().title("three filters").x(Axis::new("lag").unit("s")).y(Axis::new("weight"));
    let mut sums = Panel::new().title("their features: a copy after every spike, added up").x(x());
    for (filter, feature) in basis.filters()?.values.columns().into_iter().zip(past.columns()) {
        filters = filters.mark(Line::new(lags.clone(), filter.to_vec()));
        sums = sums.mark(Line::new(time[..250].to_vec(), feature.to_vec()));
    }
    let figure = Figure::new().columns(2).panel_size(340.0, 150.0).panel(filters);
    let figure = figure.panel(before.mark(Raster::new([spikes(&few)]))).panel(sums.columns(2));
    Ok(figure.save("convolution.svg")?)
}
