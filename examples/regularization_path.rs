//! Which of sixty inputs drive a cell? A lasso, from the strength at which none does downwards.

use nemos::plot::{Axis, Color, Figure, Line, Panel};
use nemos::prelude::*;
use nemos::select::{Criterion, Folds, Grid, GridSearch, PathSearch, Rule};
use nemos::sim::Draw;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

const BINS: usize = 3000;
const INPUTS: usize = 60;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Inputs that resemble their neighbours; five of them drive the cell.
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut inputs: Vec<f64> = StandardNormal.sample_iter(&mut rng).take(BINS * INPUTS).collect();
    for row in inputs.chunks_exact_mut(INPUTS) {
        (1..INPUTS).for_each(|input| row[input] = 0.5 * row[input - 1] + 0.75_f64.sqrt() * row[input]);
    }
    let drivers = [(5, 0.5), (17, -0.4), (30, 0.3), (31, 0.3), (52, -0.2)];
    let rate = |row: &[f64]| (drivers.iter().map(|&(input, w)| w * row[input]).sum::<f64>() - 1.5).exp();
    let counts = inputs.chunks_exact(INPUTS).map(|row| Poisson.draw(rate(row), 1.0, &mut rng)).collect();
    let (inputs, counts) = (Matrix::<Cpu>::from_vec(inputs, [BINS, INPUTS])?, Matrix::from_column(counts));

    let model = Glm::new(Poisson).regularizer(lasso(1.0));
    let path = PathSearch::new(model.clone()).n_strengths(60).smallest(0.005).fit(&inputs, &counts)?;
    println!("{path}");

    // Three answers to how many inputs there are: two criteria, and what unseen bins say.
    let grid = Grid::new().over("strength", path.strengths().to_vec());
    let search = GridSearch::new(model, grid).folds(Folds::blocks(5, 6)).rule(Rule::OneStandardError);
    let unseen = search.fit(&inputs, &counts)?.best_index();
    let chosen = [
        ("AIC", path.choose(Criterion::Aic)),
        ("BIC", path.choose(Criterion::Bic)),
        ("5 folds, one standard error", unseen),
    ];
    for (name, place) in chosen {
        let coef = path.coef().column(place).to_owned();
        let found = drivers.iter().filter(|(input, _)| coef[*input] != 0.0).count();
        let active = path.n_active()[place];
        println!("{name}: {active} inputs, {found} of the {} that drive the cell", drivers.len());
    }

    let x: Vec<f64> = path.strengths().iter().map(|strength| strength.log10()).collect();
    let mut panel =
        Panel::new().x(Axis::new("log₁₀ of the strength")).y(Axis::new("coefficient").range(-0.9, 0.6));
    for input in 0..INPUTS {
        let is_driver = drivers.iter().any(|(driver, _)| *driver == input);
        let line = Line::new(x.clone(), path.coef().row(input).to_vec());
        let line = line.color(if is_driver { Color::Blue } else { Color::LightGray });
        panel = panel.mark(line.width(if is_driver { 2.0 } else { 1.0 }));
    }
    for ((name, place), color) in chosen.into_iter().zip([Color::Vermillion, Color::Green, Color::Black]) {
        let line = Line::new(vec![x[place]; 2], vec![-0.45, 0.6]).color(color).dashed();
        panel = panel.mark(line.label(name));
    }
    Ok(Figure::new().title("Coefficients of a lasso").panel(panel).save("regularization_path.svg")?)
}
