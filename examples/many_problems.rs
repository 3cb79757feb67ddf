//! Which ridge predicts best what the fit has not seen? Folds times strengths, all as one batch.

use nemos::glm::Problems;
use nemos::plot::{Axis, Figure, Line, Panel};
use nemos::prelude::*;
use nemos::sim::Draw;
use nemos::solvers::{Auto, Penalized, minimize};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Uniform};

const FOLDS: usize = 5;
const BINS: usize = 3000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A place cell that fires seldom, and more functions than its spikes can tell apart.
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let place: Vec<f64> = Uniform::new(0.0, 100.0)?.sample_iter(&mut rng).take(BINS).collect();
    let rate = |place: f64| 0.02 + 0.3 * (-((place - 40.0) / 12.0).powi(2)).exp();
    let counts = place.iter().map(|&place| Poisson.draw(rate(place), 1.0, &mut rng)).collect();
    let (place, counts) = (Matrix::<Cpu>::from_column(place), Matrix::from_column(counts));
    let design = Basis::from(BSpline::new(30).bounds(0.0, 100.0)).design(&place)?;

    // Problem `FOLDS · s + f` has strength s, and leaves out fold f: every fifth hundred of bins.
    let logarithms: Vec<f64> = (-18..=-3).map(|third| f64::from(third) / 3.0).collect();
    let n_problems = FOLDS * logarithms.len();
    let fold_of_bin: Vec<u8> = (0..BINS).map(|bin| (bin / 100 % FOLDS) as u8).collect();
    let left_out = (0..n_problems).map(|problem| Some((problem % FOLDS) as u8));
    let problems = Problems::of_responses(vec![0; n_problems]).leaving_out(fold_of_bin.clone(), left_out)?;
    let strength = |problem: usize| 10_f64.powf(logarithms[problem / FOLDS]);
    let ridge = Regularizer::Ridge(Strength::PerNeuron((0..n_problems).map(strength).collect()));

    // All of them at once: a pass over the data serves every fit that is on its way.
    let model = PopulationGlm::new(Poisson);
    let objective = model.objective_of(problems, &design, &counts)?;
    let (penalized, start) = (Penalized::new(&objective, &ridge), objective.start());
    let fits = minimize(&penalized, &Auto::new(), Stopping::new(), &start)?;
    println!("{n_problems} fits, all converged: {}", fits.outcome.all_converged());

    // The log-likelihood of every bin under every fit; what counts is that of the bins left out.
    let coef = fits.parameters.to_array(30);
    let intercepts: Vec<f64> = fits.parameters.columns().map(|column| column[30]).collect();
    let counts = counts.select_columns(&vec![0; n_problems])?;
    let fitted = model.with_parameters(&coef, &intercepts)?;
    let by_bin = fitted.log_likelihood_by_sample(&design, &counts)?.to_matrix()?.to_array();
    let mut unseen = vec![0.0; logarithms.len()];
    for ((bin, problem), value) in by_bin.indexed_iter() {
        let is_unseen = usize::from(fold_of_bin[bin]) == problem % FOLDS;
        unseen[problem / FOLDS] += if is_unseen { value / BINS as f64 } else { 0.0 };
    }
    for (logarithm, unseen) in logarithms.iter().zip(&unseen) {
        println!("strength 10^{logarithm:5.2}: log-likelihood {unseen:.4} per unseen bin");
    }
    let x = Axis::new("log₁₀ of the strength");
    let panel = Panel::new().x(x).y(Axis::new("log-likelihood per unseen bin"));
    let figure = Figure::new().title("A ridge chosen by cross-validation");
    Ok(figure.panel(panel.mark(Line::new(logarithms, unseen))).save("many_problems.svg")?)
}
