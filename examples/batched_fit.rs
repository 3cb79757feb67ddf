//! Can ten coupled neurons be fitted five seconds at a time, without ever holding the whole design?

use indicatif::ProgressBar;
use ndarray::{Array2, s};
use nemos::basis::{Family, RaisedCosineLog, Window};
use nemos::core::{Cpu, Matrix};
use nemos::glm::{Poisson, PopulationGlm, Score};
use nemos::plot::{Axis, Bars, Figure, Heatmap, Line, Panel};
use nemos::solvers::{Acceleration, GradientDescent, StepLength};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson as PoissonDraw, Uniform};

const NEURONS: usize = 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A hundred seconds in bins of 5 ms, some forty spikes per second; rates go round a ring of neurons.
    let mut rng = ChaCha8Rng::seed_from_u64(123);
    let phase = |neuron: usize| 2.0 * std::f64::consts::PI * neuron as f64 / (NEURONS - 1) as f64;
    let counts = Array2::from_shape_fn((20_000, NEURONS), |(bin, neuron)| {
        let rate = 0.16 * (0.0025 * bin as f64 + phase(neuron)).sin().exp();
        PoissonDraw::new(rate).map_or(0.0, |draw| draw.sample(&mut rng))
    });
    let counts = Matrix::<Cpu>::from(counts);
    // The last 200 ms of every neuron, through five functions.
    let basis = RaisedCosineLog::new(5).convolved(Window::samples(40));
    let batch_bins = 1000;
    let starts = Uniform::new(0, 20_000 - batch_bins)?;
    let mut batch = || -> Result<_, nemos::Error> {
        let first = starts.sample(&mut rng);
        let counts = counts.rows(first..first + batch_bins)?;
        Ok((basis.compute_features(&counts)?, counts))
    };

    let solver = GradientDescent::new()
        .acceleration(Acceleration::Plain)
        .step_length(StepLength::Fixed(0.03));
    let (features, spikes) = batch()?;
    let mut training = PopulationGlm::new(Poisson).initialize(solver, &features, &spikes)?;
    let mut scores = Vec::new();
    for _ in ProgressBar::new(500).wrap_iter(0..500) {
        let (features, spikes) = batch()?;
        training.update(&features, &spikes)?;
        scores.push(training.score(&features, &spikes, Score::LogLikelihood)?);
    }
    let batched = training.fitted()?;

    // This recording is small enough to compare with a fit of everything.
    let features = basis.compute_features(&counts)?;
    let full = PopulationGlm::new(Poisson).fit(&features, &counts)?.require_converged()?;
    let by_neuron = |model: &nemos::glm::FittedPopulationGlm<Cpu, _, _>| model.score_by_neuron(&features, &counts, Score::McFadden);
    let (batched_scores, full_scores) = (by_neuron(&batched)?, by_neuron(&full)?);
    println!("pseudo-R² by neuron\n  in batches: {batched_scores:.3?}\n  all at once: {full_scores:.3?}");

    let edges = |shift: f64| (0..=2 * NEURONS).map(|i| i as f64 / 2.0 + shift).collect::<Vec<_>>();
    let every_other = |scores: &[f64], odd: usize| {
        (0..2 * NEURONS)
            .map(|i| if i % 2 == odd { scores[i / 2] } else { 0.0 })
            .collect::<Vec<_>>()
    };
    let strength = |coef: ndarray::ArrayView2<'_, f64>| {
        Array2::from_shape_fn((NEURONS, NEURONS), |(from, to)| {
            coef.slice(s![5 * from..5 * from + 5, to]).mapv(f64::abs).mean().unwrap_or(0.0)
        })
    };
    let matrix = |title: &str, values: Array2<f64>| {
        Panel::new()
            .title(title)
            .x(Axis::new("to neuron"))
            .y(Axis::new("from neuron"))
            .mark(Heatmap::new(values.view()))
    };
    Figure::new()
        .title("Five hundred batches of five seconds")
        .panel(
            Panel::new()
                .x(Axis::new("step"))
                .y(Axis::new("log-likelihood of the batch"))
                .mark(Line::new((0..500).map(f64::from).collect::<Vec<_>>(), scores)),
        )
        .panel(
            Panel::new()
                .x(Axis::new("neuron"))
                .y(Axis::new("pseudo-R²"))
                .mark(Bars::new(edges(0.0), every_other(&full_scores, 0)).label("all at once"))
                .mark(Bars::new(edges(0.0), every_other(&batched_scores, 1)).label("in batches")),
        )
        .panel(matrix("coupling, in batches", strength(batched.coef())))
        .panel(matrix("coupling, all at once", strength(full.coef())))
        .save("batched_fit.svg")?;
    Ok(())
}
