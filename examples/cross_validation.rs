//! How strong should a penalty be, and is one strength right for every neuron?

use nemos::plot::{Area, Axis, Color, Figure, Line, Panel, Scatter};
use nemos::prelude::*;
use nemos::select::{Choice, Folds, Grid, GridSearch, Rule, log_spaced};
use nemos::sim::Draw;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

const BINS: usize = 4000;
const INPUTS: usize = 30;
const NEURONS: usize = 8;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Thirty inputs that drive eight neurons, the last ones ever less.
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut normal = |n: usize| -> Vec<f64> { StandardNormal.sample_iter(&mut rng).take(n).collect() };
    let inputs = Matrix::<Cpu>::from_vec(normal(BINS * INPUTS), [BINS, INPUTS])?;
    let gain = |neuron: usize| 0.25 * 0.6_f64.powi(neuron as i32);
    let weights = ndarray::Array2::from_shape_vec((INPUTS, NEURONS), normal(INPUTS * NEURONS))?;
    let weights = ndarray::Array2::from_shape_fn((INPUTS, NEURONS), |(i, j)| weights[(i, j)] * gain(j));
    let rates = (inputs.to_array().dot(&weights) - 1.5).mapv(f64::exp);
    let counts: Vec<f64> = rates.iter().map(|&rate| Poisson.draw(rate, 1.0, &mut rng)).collect();
    let counts = Matrix::from_vec(counts, [BINS, NEURONS])?;

    // 5 folds × 21 strengths × 8 neurons: 840 fits. Folds and neurons share every pass over the inputs.
    let model = PopulationGlm::new(Poisson).regularizer(ridge(1.0));
    let grid = Grid::new().over("strength", log_spaced(1e-4, 10.0, 21));
    let search = GridSearch::new(model, grid).folds(Folds::blocks(5, 8)).scoring(Score::Cohen);
    let shared = search.fit(&inputs, &counts)?;
    println!("{shared}");

    // For each neuron its own: what is hardly driven is shrunk more.
    let own = search.clone().choice(Choice::PerNeuron).fit(&inputs, &counts)?;
    let simplest = search.rule(Rule::OneStandardError).fit(&inputs, &counts)?;
    let strengths = own.chosen_numbers("strength");
    println!("strength of each neuron: {strengths:.3?}");
    println!("one standard error: {}", simplest.best().settings());

    let curve = shared.table().curve("strength");
    let x: Vec<f64> = curve.iter().map(|point| point.at.log10()).collect();
    let mean: Vec<f64> = curve.iter().map(|point| point.mean).collect();
    let edge = |sign: f64| curve.iter().map(|p| p.mean + sign * p.std_error).collect::<Vec<_>>();
    let mut scores = Panel::new()
        .title("all neurons")
        .x(Axis::new("log₁₀ of the strength"))
        .y(Axis::new("Cohen's pseudo-R² on unseen bins"));
    for fold in 0..5 {
        let scores_of_fold: Vec<f64> = curve.iter().map(|point| point.scores[fold]).collect();
        scores = scores.mark(Line::new(x.clone(), scores_of_fold).color(Color::LightGray).width(1.0));
    }
    let band = Area::new(x.clone(), edge(-1.0), edge(1.0)).color(Color::Blue).label("one standard error");
    let scores = scores.mark(band).mark(Line::new(x, mean).color(Color::Blue).label("mean of 5 folds"));
    let chosen: Vec<f64> = strengths.iter().map(|strength| strength.log10()).collect();
    let points = Scatter::new((0..NEURONS).map(|n| gain(n).log10()).collect::<Vec<_>>(), chosen);
    let drive = Axis::new("log₁₀ of the drive of the inputs");
    let each = Panel::new().title("one for each").x(drive).y(Axis::new("log₁₀ of the strength")).mark(points);
    Ok(Figure::new().panel(scores).panel(each).save("cross_validation.svg")?)
}
