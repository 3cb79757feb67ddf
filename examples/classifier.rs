//! Left, right or no turn: what does an animal's choice depend on?

use nemos::glm::Classes;
use nemos::plot::{Area, Axis, Color, Figure, Line, Panel};
use nemos::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Bernoulli as Coin, Distribution, Uniform, weighted::WeightedIndex};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Two thousand trials: the contrast of a grating, and the side that was rewarded last.
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let contrast: Vec<f64> = Uniform::new(-1.0, 1.0)?.sample_iter(&mut rng).take(2000).collect();
    let side = |right: bool| if right { 1.0 } else { -1.0 };
    let rewarded: Vec<f64> = Coin::new(0.5)?.sample_iter(&mut rng).take(2000).map(side).collect();
    let mut choices = Vec::new();
    for (contrast, rewarded) in contrast.iter().zip(&rewarded) {
        let push: f64 = 3.0 * contrast + 0.6 * rewarded;
        let odds = [(-push).exp(), 0.8, push.exp()];
        choices.push(["left", "none", "right"][WeightedIndex::new(odds)?.sample(&mut rng)]);
    }

    let classes = Classes::new(&choices);
    let labels = classes.encode::<Cpu>(&choices)?;
    let features = Features::new().with("contrast", &contrast)?.with("last reward", &rewarded)?;
    let model = ClassifierGlm::new(classes.n_classes()).regularizer(Regularizer::Unregularized);
    let fitted = model.fit(&features, &labels)?.require_converged()?;
    println!("coefficients of {:?}:", classes.labels());
    for name in ["contrast", "last reward"] {
        println!("{name:>11} {:6.2}", fitted.population().coef_of(name)?.row(0));
    }
    let (found, pseudo_r2) = (fitted.predict(&features)?, fitted.score(&features, &labels, Score::McFadden)?);
    let decoded = classes.decode(&found.to_matrix()?);
    let right = decoded.iter().zip(&choices).filter(|(decoded, choice)| **decoded == Some(*choice)).count();
    println!("{right} of 2000 choices foretold, pseudo-R² {pseudo_r2:.3}\n");
    let inference = fitted.inference(&features, &labels)?;
    println!("{}", fitted.summary(&features, &labels)?.class_names(classes.labels().iter().copied()));
    println!("p-values\n{}", inference.likelihood_ratio_of_blocks()?);

    // The chance of each choice along the contrast, after a reward on the left and on the right.
    let grid: Vec<f64> = (0..=100).map(|step| f64::from(step) / 50.0 - 1.0).collect();
    let mut figure = Figure::new().title("What a trial is likely to end in");
    for (name, last) in [("after a reward on the left", -1.0), ("after a reward on the right", 1.0)] {
        let at = Features::<Cpu>::new()
            .with("contrast", &grid)?
            .with("last reward", Matrix::from_column(vec![last; 101]))?;
        let bands = inference.estimates(&Covariance::Model)?.probabilities(&at, 0.95)?;
        let y = Axis::new("probability").range(0.0, 1.0);
        let mut panel = Panel::new().title(name).x(Axis::new("contrast (left < 0 < right)")).y(y);
        let colors = [Color::Blue, Color::Green, Color::Vermillion];
        for ((name, band), color) in classes.labels().iter().zip(bands).zip(colors) {
            let [lower, upper, value] = [band.lower, band.upper, band.value].map(|of| of.column(0).to_vec());
            panel = panel.mark(Line::new(grid.clone(), value).color(color).label(*name));
            panel = panel.mark(Area::new(grid.clone(), lower, upper).color(color));
        }
        figure = figure.panel(panel);
    }
    Ok(figure.save("classifier.svg")?)
}
