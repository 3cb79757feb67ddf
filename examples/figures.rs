//! Forty trials of one neuron: how do they become one figure, with panels that differ in size and kind?

use std::f64::consts::TAU;

use ndarray::Array2;
use nemos::plot::{Area, Axis, Bars, Color, Colors, Figure, Heatmap, Line, Panel, Polar, Raster, Span};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const BIN: f64 = 0.05;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Each trial moves in a direction; the neuron prefers up, and answers after a fifth of a second.
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let angle = |trial: usize| TAU * (trial % 8) as f64 / 8.0;
    let answer = |trial: usize, time: f64| {
        let tuned = (2.0 * (angle(trial) - TAU / 4.0).cos()).exp();
        4.0 + 7.0 * tuned * (-((time - 0.2) / 0.15).powi(2)).exp()
    };
    let mut spikes = vec![Vec::new(); 40];
    for (trial, spikes) in spikes.iter_mut().enumerate() {
        let times = (0..1500).map(|step| -0.5 + 0.001 * f64::from(step));
        spikes.extend(times.filter(|&time| rng.random::<f64>() < 0.001 * answer(trial, time)));
    }
    let counts = Array2::from_shape_fn((40, 30), |(trial, bin)| {
        spikes[trial].iter().filter(|&&time| ((time + 0.5) / BIN) as usize == bin).count() as f64
    });

    // Curves, their spread, and the spikes that they come from, in one panel.
    let time = || Axis::new("time from go").unit("s").range(-0.5, 1.0);
    let centers: Vec<f64> = (0..30).map(|bin| -0.5 + BIN * (f64::from(bin) + 0.5)).collect();
    let rate = counts.mean_axis(ndarray::Axis(0)).ok_or("no trials")? / BIN;
    let spread = counts.std_axis(ndarray::Axis(0), 1.0) / BIN / 40_f64.sqrt();
    let curve = Line::new(centers.clone(), rate.to_vec()).label("mean of all trials");
    let band = Area::new(centers, (&rate - &spread).to_vec(), (&rate + &spread).to_vec()).color(Color::Blue);
    let raster = Raster::new(spikes.clone()).between(-40.0, -2.0);
    let y = Axis::new("rate").unit("spikes/s").ticks([(0.0, "0"), (20.0, "20"), (40.0, "40")]);
    let panel = Panel::new().title("spikes and their rate").x(time()).y(y);
    let trials = panel.mark(Span::new(0.0, 0.5).label("moving")).mark(band).mark(curve).mark(raster);
    // A map in the units of both axes.
    let map = Heatmap::new(counts.view()).x(-0.5, 1.0).y(0.0, 40.0).colors(Colors::Grays).name("spikes");
    let map = Panel::new().title("all trials").x(time()).y(Axis::new("trial")).mark(map);
    // Means by direction, around a circle, and as bars with names.
    let mean = |from: f64, to: f64, way: usize| {
        let trials = spikes.iter().skip(way).step_by(8).flatten();
        trials.filter(|&&time| from <= time && time < to).count() as f64 / 5.0 / (to - from)
    };
    let ways = (0..8).map(angle).collect::<Vec<_>>();
    let tuning = Polar::new(ways, (0..8).map(|way| mean(0.0, 0.5, way)).collect::<Vec<_>>());
    let tuning = Panel::new().title("while moving").y(Axis::new("spikes/s")).mark(tuning);
    let names = ["right", "up", "left", "down"];
    let bars = |from: f64, to: f64| Bars::named(names, [0, 2, 4, 6].map(|way| mean(from, to, way)));
    let rates = Panel::new().title("while moving, and after").y(Axis::new("rate").unit("spikes/s"));
    let rates = rates.mark(bars(0.0, 0.5).label("0 to 0.5 s")).mark(bars(0.5, 1.0).label("0.5 to 1 s"));
    let figure = Figure::new().title("Forty trials of one neuron").columns(2).column_widths([3.0, 2.0]);
    Ok(figure.panel(trials).panel(tuning).panel(map).panel(rates).save("figures.svg")?)
}
