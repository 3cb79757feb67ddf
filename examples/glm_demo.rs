//! Which of five inputs drive a cell, and what does each penalty make of the answer?

use ndarray::Array2;
use nemos::core::{Cpu, Matrix};
use nemos::glm::{Glm, Groups, Poisson, Regularizer, Score, Softplus, elastic_net, lasso, ridge};
use nemos::select::{Folds, Grid, GridSearch, log_spaced};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson as PoissonDraw, StandardNormal};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A hundred bins of Gaussian noise, of which only the first and the last input matter.
    let mut rng = ChaCha8Rng::seed_from_u64(111);
    let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
    let design = Array2::from_shape_simple_fn((100, 5), || 0.5 * normal());
    let weights = ndarray::arr1(&[normal(), 0.0, 0.0, 0.0, normal()]);
    let rate = design.dot(&weights).mapv(f64::exp);
    let counts: Vec<f64> = rate
        .iter()
        .map(|&rate| Ok(PoissonDraw::new(rate)?.sample(&mut rng)))
        .collect::<Result<_, rand_distr::PoissonError>>()?;
    let (design, counts) = (Matrix::<Cpu>::from(design), Matrix::from_column(counts));
    println!("{:>24}: {:6.2?}", "true weights", weights.to_vec());

    // Inputs 0 and 4 are kept or dropped together, and so are 1, 2 and 3.
    let groups = Groups::Features(vec![vec![0, 4], vec![1, 2, 3]]);
    let penalties = [
        ("no penalty", Regularizer::Unregularized),
        ("ridge 0.1", ridge(0.1)),
        ("lasso 0.1", lasso(0.1)),
        ("elastic net 0.1, half", elastic_net(0.1, 0.5)),
        ("group lasso 0.1", Regularizer::GroupLasso { strength: 0.1.into(), groups }),
    ];
    let glm = Glm::new(Poisson);
    for (name, penalty) in penalties.clone() {
        let fitted = glm.clone().regularizer(penalty).fit(&design, &counts)?.require_converged()?;
        let score = fitted.score(&design, &counts, Score::McFadden)?;
        println!("{name:>24}: {:6.2?}  pseudo-R² {score:.3}, by {}", fitted.coef(), fitted.solver());
    }

    // How strong? Six strengths of each penalty, on two folds.
    let strengths = log_spaced(10_f64.powf(-1.5), 10_f64.powf(1.5), 6);
    for (name, penalty) in [&penalties[1], &penalties[2], &penalties[4]] {
        let model = glm.clone().regularizer(penalty.clone());
        let grid = Grid::new().over("strength", strengths.clone());
        let search = GridSearch::new(model, grid).folds(Folds::k(2)).fit(&design, &counts)?;
        let coef = search.fitted().coef();
        println!("{:>24}: {coef:6.2?}  {}", name.trim_end_matches(" 0.1"), search.best().settings());
    }

    // Another link, and a prediction for inputs that the fit has not seen.
    let softplus = glm.link(Softplus).fit(&design, &counts)?;
    let new = Matrix::<Cpu>::from_array(Array2::eye(5).view());
    println!("{:>24}: {:6.2?}", "softplus, no penalty", softplus.coef());
    println!("{:>24}: {:6.2?}", "rates for unit inputs", softplus.predict(&new)?.to_vec());
    Ok(())
}
