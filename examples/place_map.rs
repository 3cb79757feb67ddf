//! Where in a box does a cell fire for certain, and does its map change when the light goes off?

use ndarray::Array2;
use nemos::basis::BSpline;
use nemos::cpu::*;
use nemos::plot::{Axis, Colors, Figure, Heatmap, Panel};
use nemos::sim::Draw;
use rand::{RngExt, SeedableRng};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Twenty minutes in a box of a metre; the light goes off every other minute, and the field moves.
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    let (mut at, mut heading) = ([0.5_f64, 0.5], 0.0_f64);
    let (mut path, mut dark, mut counts) = ([Vec::new(), Vec::new()], Vec::new(), Vec::new());
    for bin in 0..24_000 {
        heading += 0.6 * (rng.random::<f64>() - 0.5);
        let next = [at[0] + 0.01 * heading.cos(), at[1] + 0.01 * heading.sin()];
        let inside = next.iter().all(|x| (0.0..=1.0).contains(x));
        (at, heading) = if inside { (next, heading) } else { (at, heading + 2.0) };
        dark.push(f64::from(u8::from(bin % 2400 >= 1200)));
        let far = ((at[0] - 0.35 - 0.25 * dark[bin]) / 0.14).powi(2) + ((at[1] - 0.6) / 0.14).powi(2);
        counts.push(Poisson.draw(0.4 * (-0.5 * far).exp() + 0.01, 1.0, &mut rng));
        path.iter_mut().zip(at).for_each(|(path, at)| path.push(at));
    }

    // A smooth map of six by six patches, and another one that is added in the dark.
    let patches = BSpline::new(6).bounds(0.0, 1.0) * BSpline::new(6).bounds(0.0, 1.0);
    let column = |values: &Vec<f64>| Matrix::from_column(values.clone());
    let place = patches.compute_features([&column(&path[0]), &column(&path[1])])?;
    let added = Matrix::from_array((place.to_array() * column(&dark).to_array()).view());
    let design = Features::new().with("place", place)?.with("in the dark", added)?;
    let counts = Matrix::from_column(counts);
    let fitted = Glm::new(Poisson).fit(&design, &counts)?.require_converged()?;
    let inference = fitted.inference(&design, &counts)?;
    println!("p-values\n{}", inference.likelihood_ratio_of_blocks()?);

    // A map is a curve over the points of a grid. Its band holds at all of them at once, 95 times of 100.
    let estimates = inference.estimates(&Covariance::Model)?;
    let grid = patches.on_grid([30, 30])?.values;
    let drawn = |title: &str, values: &Array2<f64>, color: fn(Heatmap) -> Heatmap| {
        let map = Array2::from_shape_fn((30, 30), |(y, x)| values[(30 * x + y, 0)]);
        let map = color(Heatmap::new(map.view()).x(0.0, 1.0).y(0.0, 1.0));
        Panel::new().title(title).x(Axis::new("x").unit("m")).y(Axis::new("y").unit("m")).mark(map)
    };
    let mut figure = Figure::new().title("A place cell with the light on and off").columns(2);
    for (title, dark) in [("light", Array2::zeros(grid.dim())), ("dark", grid.clone())] {
        let map = estimates.tuning_curve_of(&[("place", &grid), ("in the dark", &dark)])?;
        let curve = estimates.curve(&map)?;
        let band = curve.rates(&curve.simultaneous(0.95, &mut rng)?, 20.0);
        let most = band.lower.iter().copied().fold(0.0, f64::max);
        println!("{title}: {most:.1} spikes/s at least, {:.2} standard errors wide", band.critical[0]);
        figure = figure.panel(drawn(title, &band.value, |map| map.limits(0.0, 8.0).name("spikes/s")));
    }
    let band = estimates.curve(&estimates.filter("in the dark", &grid)?)?.simultaneous(0.95, &mut rng)?;
    // Up where the whole band is above zero, down where it is below.
    let sure = (band.lower.mapv(f64::signum) + band.upper.mapv(f64::signum)) * 0.5;
    let ratio = drawn("dark over light", &band.value, |map| map.colors(Colors::Diverging).name("log ratio"));
    let sure = drawn("up or down for certain", &sure, |map| map.colors(Colors::Diverging).without_bar());
    Ok(figure.panel(ratio).panel(sure).save("place_map.svg")?)
}
