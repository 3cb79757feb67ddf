//! Maps: curves over the points of a plane, in closed form where places are categories.

use ndarray::Array2;
use nemos_basis::{BSpline, Category};
use nemos_core::{Cpu, Features, Matrix};
use nemos_glm::{Glm, Poisson};
use nemos_inference::{Covariance, Infer};

use crate::cases::{apart, poisson, rng};

/// Counts of rows and of spikes in each of six places, three along one side and two along the other; the last is never visited.
const VISITS: [usize; 6] = [40, 30, 20, 25, 35, 0];
const SPIKES: [usize; 6] = [20, 45, 16, 5, 70, 0];

/// In every place spikes are counted alone: the logarithm of its rate has the variance one over its spikes, and the largest of
/// independent deviations the quantile of Šidák (1967), `Φ⁻¹((1 + 0.95^(1/5)) / 2)`.
#[test]
fn a_map_of_categories_has_its_textbook_band() {
    let (mut across, mut along, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for (place, (&visits, &spikes)) in VISITS.iter().zip(&SPIKES).enumerate() {
        for visit in 0..visits {
            across.push((place / 2) as f64);
            along.push((place % 2) as f64);
            let before = |visit: usize| visit * spikes / visits;
            counts.push((before(visit + 1) - before(visit)) as f64);
        }
    }
    let basis = Category::new(3) * Category::new(2);
    let inputs = [across, along].map(Matrix::<Cpu>::from_column);
    let place = basis.compute_features([&inputs[0], &inputs[1]]).unwrap();
    let design = Features::new().with("place", place).unwrap();
    let counts = Matrix::from_column(counts);
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let estimates = fitted.inference(&design, &counts).unwrap().estimates(&Covariance::Model).unwrap();
    let grid = basis.on_grid([3, 2]).unwrap();
    let curve = estimates.curve(&estimates.tuning_curve("place", &grid.values).unwrap()).unwrap();
    let place = |of: fn(f64, f64) -> f64| -> Vec<f64> {
        let pairs = VISITS.iter().zip(&SPIKES);
        pairs
            .map(|(visits, spikes)| {
                if *visits > 0 {
                    of(*visits as f64, *spikes as f64)
                } else {
                    f64::NAN
                }
            })
            .collect()
    };
    assert!(apart(&curve.value, &place(|visits, spikes| (spikes / visits).ln())) < 1e-6);
    assert!(apart(&curve.standard_error, &place(|_, spikes| 1.0 / spikes.sqrt())) < 1e-6);
    let band = curve.simultaneous(0.95, &mut rng(1)).unwrap();
    assert!((band.critical[0] - 2.568_757).abs() < 0.03, "{}", band.critical[0]);
    let rates = curve.rates(&band, 50.0);
    assert!(rates.lower[(5, 0)].is_nan() && rates.lower[(4, 0)] > rates.value[(3, 0)]);
    // The difference of two places.
    let at = |place: usize| {
        estimates
            .tuning_curve("place", &grid.values.select(ndarray::Axis(0), &[place]))
            .unwrap()
    };
    let apart_by = estimates.curve(&at(4).minus(&at(3)).unwrap()).unwrap();
    assert!((apart_by.value[(0, 0)] - (70.0_f64 / 35.0 * 25.0 / 5.0).ln()).abs() < 1e-6);
    assert!((apart_by.standard_error[(0, 0)].powi(2) - (1.0 / 70.0 + 1.0 / 5.0)).abs() < 1e-6);
}

/// A product of splines on a grid, and a second map that is added in one of two conditions.
#[test]
fn conditions_have_maps_of_their_own_and_a_map_of_their_ratio() {
    let mut rng = rng(2);
    let n = 3000;
    let at = |row: usize, pace: f64| 0.5 + 0.5 * (pace * row as f64).sin();
    let [x, y] = [0.37, 0.61].map(|pace| Matrix::<Cpu>::from_column((0..n).map(|row| at(row, pace)).collect()));
    let basis = BSpline::new(4).bounds(0.0, 1.0) * BSpline::new(4).bounds(0.0, 1.0);
    let place = basis.compute_features([&x, &y]).unwrap();
    let is_dark = |row: usize| f64::from(u8::from(row % 200 >= 100));
    let added = Array2::from_shape_fn(place.dims(), |(row, column)| is_dark(row) * place.to_array()[(row, column)]);
    let rate = |row: usize| (at(row, 0.37) - 1.0 + is_dark(row) * (at(row, 0.61) - 0.5)).exp();
    let counts = Matrix::from_column((0..n).map(|row| poisson(&mut rng, rate(row))).collect());
    let design = Features::new()
        .with("place", place)
        .and_then(|features| features.with("dark", Matrix::from_array(added.view())))
        .unwrap();
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let estimates = fitted.inference(&design, &counts).unwrap().estimates(&Covariance::Model).unwrap();
    let grid = basis.on_grid([7, 5]).unwrap();
    let none = Array2::zeros(grid.values.dim());
    let light = estimates.tuning_curve_of(&[("place", &grid.values), ("dark", &none)]).unwrap();
    let dark = estimates
        .tuning_curve_of(&[("dark", &grid.values), ("place", &grid.values)])
        .unwrap();
    let ratio = estimates.filter("dark", &grid.values).unwrap();
    assert!(apart(dark.minus(&light).unwrap().rows(), ratio.rows()) < 1e-12);
    let [light, dark, ratio] = [light, dark, ratio].map(|contrasts| estimates.curve(&contrasts).unwrap());
    assert!(apart(&(&dark.value - &light.value), &ratio.value) < 1e-9);
    // Parts of the recording that share nothing: variances add up.
    let [of_light, of_dark, of_ratio] = [&light, &dark, &ratio].map(|curve| curve.standard_error.mapv(|error| error * error));
    assert!(apart(&(of_light + of_dark), &of_ratio) < 1e-8);
    // Where the truth lies: within every band at once.
    let band = light.simultaneous(0.999, &mut rng).unwrap();
    for (point, at) in grid.points.rows().into_iter().enumerate() {
        assert!((band.lower[(point, 0)]..=band.upper[(point, 0)]).contains(&(at[0] - 1.0)));
    }
    let scheffe = light.scheffe(0.999).unwrap().critical[0];
    assert!(light.pointwise(0.999).unwrap().critical[0] < band.critical[0] && band.critical[0] < scheffe);
    assert!(estimates.tuning_curve_of(&[]).is_err());
    let short = estimates.tuning_curve_of(&[("place", &grid.values), ("dark", &Array2::zeros((3, 16)))]);
    assert!(short.unwrap_err().to_string().contains("as many as of the first block"));
}
