//! Can ten coupled neurons be fitted five seconds at a time, without ever holding the whole design?

use indicatif::ProgressIterator;
use ndarray::{Array2, Axis as Dimension};
use nemos::plot::{Axis, Figure, Heatmap, Line, Panel, Scatter};
use nemos::prelude::*;
use nemos::solvers::{Acceleration, GradientDescent, StepLength};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson as PoissonDraw, Uniform};

const NEURONS: usize = 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A hundred seconds in bins of 5 ms, some forty spikes per second; rates go round a ring.
    let mut rng = ChaCha8Rng::seed_from_u64(123);
    let phase = |neuron: usize| 2.0 * std::f64::consts::PI * neuron as f64 / (NEURONS - 1) as f64;
    let counts = Matrix::<Cpu>::from(Array2::from_shape_fn((20_000, NEURONS), |(bin, neuron)| {
        let rate = 0.16 * (0.0025 * bin as f64 + phase(neuron)).sin().exp();
        PoissonDraw::new(rate).map_or(0.0, |draw| draw.sample(&mut rng))
    }));
    // The last 200 ms of every neuron, through five functions.
    let basis = RaisedCosineLog::new(5).convolved(Window::samples(40));
    let starts = Uniform::new(0, 19_000)?;
    let mut batch = || -> Result<_, nemos::Error> {
        let first = starts.sample(&mut rng);
        let counts = counts.rows(first..first + 1000)?;
        Ok((basis.compute_features(&counts)?, counts))
    };
    let solver = GradientDescent::new().acceleration(Acceleration::Plain);
    let solver = solver.step_length(StepLength::Fixed(0.03));
    let (features, spikes) = batch()?;
    let mut training = PopulationGlm::new(Poisson).initialize(&solver, &features, &spikes)?;
    // All rows, computed on demand: what single batches say of the score is mostly noise.
    let everything = basis.design(&counts)?;
    let mut scores = Vec::new();
    for step in (0..500).progress() {
        let (features, spikes) = batch()?;
        training.update(&features, &spikes)?;
        if step % 10 == 0 {
            scores.push((f64::from(step), training.score(&everything, &counts, Score::LogLikelihood)?));
        }
    }
    let mut figure = Figure::new().title("Five hundred batches of five seconds").columns(2).share_colors();
    let mut r2 = Panel::new().x(Axis::new("neuron")).y(Axis::new("pseudo-R²"));
    let full = PopulationGlm::new(Poisson).fit(&everything, &counts)?.require_converged()?;
    for (name, model) in [("all at once", full), ("in batches", training.fitted()?)] {
        let by_neuron = model.score_by_neuron(&everything, &counts, Score::McFadden)?;
        println!("pseudo-R² by neuron, {name}: {by_neuron:.3?}");
        r2 = r2.mark(Scatter::new(Vec::from_iter((0..10).map(f64::from)), by_neuron).label(name));
        let sums = model.coef().to_shape((NEURONS, 5, NEURONS))?.mapv(f64::abs).sum_axis(Dimension(1));
        let map = Heatmap::new(sums.view()).name("sum of |coefficient|");
        let panel = Panel::new().title(format!("coupling, {name}")).mark(map);
        figure = figure.panel(panel.x(Axis::new("to neuron")).y(Axis::new("from neuron")));
    }
    let (steps, scores): (Vec<f64>, Vec<f64>) = scores.into_iter().unzip();
    let (step, curve) = (Axis::new("step"), Line::new(steps, scores));
    let curve = Panel::new().x(step).y(Axis::new("log-likelihood per bin")).mark(curve);
    Ok(figure.panel(curve).panel(r2).save("batched_fit.svg")?)
}
