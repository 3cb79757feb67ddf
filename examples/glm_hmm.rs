//! Does a mouse always play the same game? Choices under three strategies, and how many there are.

use ndarray::{Array2, array};
use nemos::hmm::states_curve;
use nemos::plot::{Area, Axis, Bars, Figure, Heatmap, Line, Panel, Scatter};
use nemos::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Uniform};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Engaged, biased to the left, biased to the right: weights of contrast and of the last choice, and a bias.
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
        vec![contrast[t], if t % 400 == 0 { 0.0 } else { 2.0 * past[(t - 1, 0)] - 1.0 }]
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
    print!("{fitted}");

    let seen = fitted.on(&trials, &choices)?;
    let (smoothed, first) = (seen.smoothed_array()?, 400.0);
    let axis = |name: &str| Axis::new(name).range(0.0, 1.0);
    let of_k = |value: fn(&nemos::hmm::CurvePoint) -> f64| curve.iter().map(value).collect::<Vec<f64>>();
    let (x, mean, spread) = (of_k(|p| p.n_states as f64), of_k(|p| p.mean()), of_k(|p| p.spread() / 2.0));
    let (low, high): (Vec<f64>, Vec<f64>) = mean.iter().zip(&spread).map(|(m, s)| (m - s, m + s)).unzip();
    let band = Area::new(x.clone(), low, high).label("± standard error over four folds");
    let held_out = Panel::new()
        .title("Sessions held out")
        .x(Axis::new("states").ticks((1..=4).map(|k| (f64::from(k), k.to_string()))));
    let held_out = held_out
        .y(Axis::new("information").unit("bits per choice"))
        .mark(band)
        .mark(Line::new(x.clone(), mean.clone()))
        .mark(Scatter::new(x, mean));
    let mut within = Panel::new()
        .title("The first session")
        .x(Axis::new("trial").range(0.0, first))
        .y(axis("probability"));
    let mut psychometric = Panel::new()
        .title("Strategies")
        .x(Axis::new("contrast, left to right"))
        .y(axis("choices to the right"));
    let grid: Vec<f64> = (-50..=50).map(|step| f64::from(step) / 50.0).collect();
    let mut dwell = Panel::new()
        .title("How long strategies last")
        .x(Axis::new("stay").unit("trials"))
        .y(Axis::new("stays"));
    let dwells = seen.decoded()?.dwells();
    for k in 0..3 {
        let (name, glm) = (format!("state {k}"), fitted.parameters().state(k));
        let right = grid
            .iter()
            .map(|c| 1.0 / (1.0 + (-glm.coef[(0, 0)] * c - glm.intercept[0]).exp()))
            .collect::<Vec<_>>();
        let of_session = smoothed.column(k).iter().take(400).copied().collect::<Vec<_>>();
        within = within
            .mark(Line::new((0..400).map(f64::from).collect::<Vec<_>>(), of_session).label(name.clone()));
        psychometric = psychometric.mark(Line::new(grid.clone(), right).label(name.clone()));
        let stays =
            |bin: usize| dwells.iter().filter(|d| d.state == k && d.rows.len() / 20 == bin).count() as f64;
        dwell = dwell.mark(
            Bars::new(
                (0..=10).map(|e| f64::from(e) * 20.0).collect::<Vec<_>>(),
                (0..10).map(stays).collect::<Vec<_>>(),
            )
            .label(name),
        );
    }
    let matrix = fitted.parameters().transitions().matrix(&[])?;
    let steps = Panel::new().title("Steps").x(Axis::new("state")).y(Axis::new("state before"));
    let steps = steps.mark(Heatmap::new(matrix.view()).name("probability"));
    let figure = Figure::new().title("A mouse that changes its strategy").columns(3);
    Ok(figure
        .panel(held_out)
        .panel(within)
        .panel(psychometric)
        .panel(steps)
        .panel(dwell)
        .save("glm_hmm.svg")?)
}
