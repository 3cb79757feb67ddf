//! Does a mouse always play the same game? Choices under three strategies, and how many there are.
//!
//! Longer than other examples: it draws a panel for each thing that is looked at in such a fit.

use ndarray::{Array2, array};
use nemos::hmm::states_curve;
use nemos::plot::{Area, Axis, Colors, Figure, Heatmap, Line, Panel};
use nemos::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Uniform};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Engaged, biased to the left, or to the right: weights of contrast and of the last choice, and a bias.
    let state = |contrast: f64, last: f64, bias: f64| StateGlm {
        coef: array![[contrast], [last]],
        intercept: vec![bias],
        scale: vec![1.0],
    };
    let states = [state(5.5, 0.2, -0.1), state(1.2, 0.5, -1.8), state(1.2, 0.5, 1.8)];
    let truth = HmmParameters::new(vec![0.6, 0.2, 0.2], Transitions::staying(3, 0.97)?, &states)?;
    let mouse = GlmHmm::new(3, Bernoulli).with_parameters(truth)?;

    // Twelve sessions. The last choice is one that was drawn, so features are made row by row.
    let (sessions, mut rng) = (Segments::from_lengths([400; 12]), ChaCha8Rng::seed_from_u64(9));
    let contrast: Vec<f64> = Uniform::new(-1.0, 1.0)?.sample_iter(&mut rng).take(4800).collect();
    let trial = |t: usize, past: &Array2<f64>| {
        vec![contrast[t], if t.is_multiple_of(400) { 0.0 } else { 2.0 * past[(t - 1, 0)] - 1.0 }]
    };
    let drawn = mouse.simulate(&sessions, trial, &Array2::zeros((4800, 0)), &mut rng)?;
    let choices = Matrix::<Cpu>::from_array(drawn.counts.view());
    let names = Names::new(["contrast", "last choice"]);
    let trials = Design::from(Matrix::<Cpu>::from_array(drawn.features.view()));
    let trials = trials.with_segments(sessions)?.with_names(names)?;

    // How many strategies? Sessions that a fit did not see tell.
    let model = GlmHmm::new(1, Bernoulli).prior_sd(2.0).transition_concentration(2.0).restarts(8);
    let curve = states_curve(&model, &[1, 2, 3, 4], &trials, &choices, 4)?;
    for point in &curve {
        println!(
            "{} states: {:.4} bits per choice, spread {:.4}",
            point.n_states,
            point.mean(),
            point.spread()
        );
    }
    let fitted = model.with_states(3).fit(&trials, &choices)?.require_converged()?;
    print!("{fitted}\n{}", fitted.standard_errors(&trials, &choices)?);

    // The first session, each strategy's psychometric curve and weights, transitions, and stays.
    let seen = fitted.on(&trials, &choices)?;
    let (smoothed, dwells) = (seen.smoothed_array()?, seen.decoded()?.dwells());
    let share = |name: &str| Axis::new(name).range(0.0, 1.0);
    let x: Vec<f64> = curve.iter().map(|point| point.n_states as f64).collect();
    let at = |side: f64| curve.iter().map(|p| p.mean() + side * p.spread() / 2.0).collect::<Vec<f64>>();
    let band = Area::new(x.clone(), at(-1.0), at(1.0)).label("± standard error over four folds");
    let y = Axis::new("information").unit("bits per choice");
    let ticks = [1, 2, 3, 4].map(|k| (f64::from(k), k.to_string()));
    let held_out = Panel::new().title("Sessions held out").x(Axis::new("states").ticks(ticks)).y(y);
    let held_out = held_out.mark(band).mark(Line::new(x, at(0.0)));
    let mut session = Panel::new().title("The first session").x(Axis::new("trial")).y(share("probability"));
    let mut curves =
        Panel::new().title("Strategies").x(Axis::new("contrast")).y(share("choices to the right"));
    let mut stays = Panel::new().title("Stays").x(Axis::new("trials")).y(Axis::new("stays that last longer"));
    let (grid, mut weights) = ((-50..=50).map(|step| f64::from(step) / 50.0), Array2::zeros((3, 3)));
    let trial_numbers: Vec<f64> = (0..400).map(f64::from).collect();
    for k in 0..3 {
        let (name, glm) = (format!("state {k}"), fitted.parameters().state(k));
        let (weight, last, bias) = (glm.coef[(0, 0)], glm.coef[(1, 0)], glm.intercept[0]);
        weights.row_mut(k).assign(&array![weight, last, bias]);
        let right: Vec<f64> = grid.clone().map(|c| 1.0 / (1.0 + (-weight * c - bias).exp())).collect();
        curves = curves.mark(Line::new(grid.clone().collect::<Vec<_>>(), right).label(name.clone()));
        let of_state: Vec<f64> = smoothed.column(k).iter().take(400).copied().collect();
        session = session.mark(Line::new(trial_numbers.clone(), of_state));
        let of_state = |d: &&nemos::hmm::Dwell| d.state == k;
        let longer =
            |&trials: &f64| dwells.iter().filter(of_state).filter(move |d| d.rows.len() as f64 > trials);
        let counts: Vec<f64> = trial_numbers.iter().map(|trials| longer(trials).count() as f64).collect();
        stays = stays.mark(Line::new(trial_numbers[..200].to_vec(), counts[..200].to_vec()).label(name));
    }
    let names = [(0.0, "contrast"), (1.0, "last choice"), (2.0, "bias")];
    let of_weights = Heatmap::new(weights.view()).colors(Colors::Diverging).name("weight");
    let of_weights = Panel::new().title("Weights").x(Axis::new("").ticks(names)).mark(of_weights);
    let matrix = fitted.parameters().transitions().matrix(&[])?;
    let transitions = Panel::new().title("Transitions").x(Axis::new("state")).y(Axis::new("state before"));
    let transitions = transitions.mark(Heatmap::new(matrix.view()).name("probability"));
    let panels = [held_out, session, curves, of_weights.y(Axis::new("state")), transitions, stays];
    let figure = Figure::new().title("A mouse that changes its strategy").columns(2);
    Ok(panels.into_iter().fold(figure, Figure::panel).save("glm_hmm.svg")?)
}
