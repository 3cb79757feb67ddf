//! Left, right or no turn: what does an animal's choice depend on?

use ndarray::Array2;
use nemos::core::{Cpu, Features, Matrix};
use nemos::glm::{Classes, ClassifierGlm, Regularizer, Score};
use nemos::plot::{Axis, Figure, Line, Panel};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Bernoulli, Distribution, Uniform, weighted::WeightedIndex};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Two thousand trials: the contrast of a grating, from left to right, and the side that was rewarded last.
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let contrast: Vec<f64> = Uniform::new(-1.0, 1.0)?.sample_iter(&mut rng).take(2000).collect();
    let rewarded: Vec<f64> = Bernoulli::new(0.5)?
        .sample_iter(&mut rng)
        .take(2000)
        .map(|right| if right { 1.0 } else { -1.0 })
        .collect();
    let mut choices = Vec::new();
    for (contrast, rewarded) in contrast.iter().zip(&rewarded) {
        let push = 3.0 * contrast + 0.6 * rewarded;
        let odds = [(-push).exp(), 0.8, push.exp()];
        choices.push(["left", "none", "right"][WeightedIndex::new(odds)?.sample(&mut rng)]);
    }

    let classes = Classes::new(&choices);
    let labels = classes.encode::<Cpu>(&choices)?;
    let column = |values: &[f64]| Matrix::<Cpu>::from_column(values.to_vec());
    let features = Features::new()
        .with("contrast", column(&contrast))?
        .with("last reward", column(&rewarded))?;
    let model = ClassifierGlm::new(classes.n_classes()).regularizer(Regularizer::Ridge(1e-4.into()));
    let fitted = model.fit(&features, &labels)?.require_converged()?;
    println!(
        "coefficients (rows: contrast, last reward; columns: {:?})\n{:.2}",
        classes.labels(),
        fitted.coef()
    );
    let right = fitted
        .predict(&features)?
        .to_vec()
        .iter()
        .zip(labels.to_vec())
        .filter(|(a, b)| **a == *b)
        .count();
    println!(
        "{right} of 2000 choices foretold, pseudo-R² {:.3}",
        fitted.score(&features, &labels, Score::McFadden)?
    );

    // The chance of each choice along the contrast, after a reward on the left and on the right.
    let grid: Vec<f64> = (0..=100).map(|step| f64::from(step) / 50.0 - 1.0).collect();
    let mut figure = Figure::new().title("Choices");
    for (name, last) in [("after a reward on the left", -1.0), ("after a reward on the right", 1.0)] {
        let at = Array2::from_shape_fn((grid.len(), 2), |(row, column)| if column == 0 { grid[row] } else { last });
        let probability = fitted.predict_probability(&Matrix::from(at))?.to_array();
        let mut panel = Panel::new()
            .title(name)
            .x(Axis::new("contrast, left to right"))
            .y(Axis::new("probability").range(0.0, 1.0));
        for (class, name) in classes.labels().iter().enumerate() {
            panel = panel.mark(Line::new(grid.clone(), probability.column(class).to_vec()).label(*name));
        }
        figure = figure.panel(panel);
    }
    Ok(figure.save("classifier.svg")?)
}
