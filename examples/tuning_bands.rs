//! How sure is the tuning curve of a place cell, when neighbouring milliseconds are alike?

use ndarray::{Array2, Axis, concatenate};
use nemos::inference::{Contrasts, Covariance, Infer, Lag};
use nemos::io::NpzFile;
use nemos::plot::{self, Area, Color, Figure, Line, Panel};
use nemos::prelude::*;
use rand::SeedableRng;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let recording = NpzFile::open(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/place_cell_1.npz"))?;
    let (time, position) = (recording.vector("time")?, recording.vector("position")?);
    let bin = time[1] - time[0];
    let mut spikes = vec![0.0; time.len()];
    for spike in recording.vector("spike_times")? {
        spikes[(((spike - time[0]) / bin).round() as usize).min(time.len() - 1)] += 1.0;
    }
    let mut up: Vec<f64> = position.windows(2).map(|pair| f64::from(u8::from(pair[1] > pair[0]))).collect();
    up.push(0.0);
    // A bell-shaped place field: the logarithm of the rate is a parabola.
    let parabola =
        |x: &[f64]| Array2::from_shape_fn((x.len(), 2), |(row, power)| x[row].powi(power as i32 + 1));
    let place = Matrix::<Cpu>::from_array(parabola(&position).view());
    let features = Features::new().with("place", &place)?.with("direction", Matrix::from_column(up))?;
    let design = features.to_design().with_times(time)?;
    let counts = Matrix::from_column(spikes);
    let fitted = Glm::new(Poisson).fit(&design, &counts)?;
    let inference = fitted.inference(&design, &counts)?;

    let model = inference.estimates(&Covariance::Model)?;
    for kind in [Covariance::Hc0, Covariance::Hac(Lag::Seconds(5.0))] {
        let robust = inference.estimates(&kind)?;
        let ratio = robust.standard_errors() / model.standard_errors();
        println!("{}: {:.2} times the errors of the model", robust.covariance_kind(), ratio.column(0));
        println!("{}\n", robust.wald("direction")?);
    }
    println!("{}\n", inference.likelihood_ratio("direction")?);
    println!("{:.2?}", inference.overdispersion(1.0)?[0]);

    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let grid: Vec<f64> = (0..=200).map(|step| 0.5 * f64::from(step)).collect();
    let mut figure = Figure::new().title("A place cell, with bands that cover the whole curve in 95 of 100");
    let robust = inference.estimates(&Covariance::Hac(Lag::Seconds(5.0)))?;
    for (name, direction) in [("running up", 1.0), ("running down", 0.0)] {
        let ones = Array2::ones((grid.len(), 1));
        let contrasts = Contrasts::new(concatenate![Axis(1), parabola(&grid), &ones * direction, ones]);
        let y = plot::Axis::new("rate").unit("spikes/s");
        let mut panel = Panel::new().title(name).x(plot::Axis::new("position").unit("cm")).y(y);
        for (label, of, color) in [("HAC, 5 s", &robust, Color::Vermillion), ("model", &model, Color::Blue)] {
            let curve = of.curve(&contrasts)?;
            let band = curve.rates(&curve.simultaneous(0.95, &mut rng)?, 1.0 / bin);
            let [lower, upper, value] = [band.lower, band.upper, band.value].map(|of| of.column(0).to_vec());
            panel = panel.mark(Area::new(grid.clone(), lower, upper).color(color).label(label));
            panel = panel.mark(Line::new(grid.clone(), value).color(color));
        }
        figure = figure.panel(panel);
    }
    Ok(figure.save("tuning_bands.svg")?)
}
