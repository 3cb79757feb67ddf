//! How does a program fit a recording that many machines share?
//!
//! ```text
//! cargo run --release --features mpi --example cluster                 alone
//! mpirun -n 4 target/release/examples/cluster                          in four processes
//! ```
//!
//! Longer than other examples: it shows two ways of sharing work, and draws the rows that files would hold.

use std::time::Instant;

use nemos::core::World;
use nemos::cpu::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson as PoissonLaw};

const ROWS: usize = 200_000;
const FEATURES: usize = 40;
const NEURONS: usize = 50;

// ANCHOR: main
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let world = nemos::mpi::start()?;

    // Each process reads the rows that are its own. An error of one is an error of all.
    let mine = world.share(ROWS);
    let (features, counts) = world.agree(read(mine.rows()))?;
    let design = mine.design(&features)?;

    let begin = Instant::now();
    let fitted = PopulationGlm::new(Poisson).regularizer(ridge(1e-3)).fit(&design, &counts)?;
    let seconds = begin.elapsed().as_secs_f64();
    let explained = fitted.score(&design, &counts, Score::Cohen)?;
    if world.rank() == 0 {
        println!("{NEURONS} neurons in {} processes: {seconds:.2} s", world.n_ranks());
        println!("deviance explained {explained:.6}, first coefficient {:.12}", fitted.coef()[(0, 0)]);
    }

    let most = of_neurons(&world)?;
    if world.rank() == 0 {
        println!(
            "lasso: {} of {FEATURES} features for the first neuron, {} for the last",
            most[0],
            most[NEURONS - 1]
        );
    }
    Ok(())
}
// ANCHOR_END: main

/// Neurons need nothing of each other: each process fits some of them, to all of the rows that it can hold.
fn of_neurons(world: &World) -> Result<Vec<f64>, Box<dyn std::error::Error>> {
    let neurons: Vec<usize> = world.deal(NEURONS).collect();
    let fit = || {
        let (features, counts) = read(0..ROWS / 10)?;
        let fitted = PopulationGlm::new(Poisson)
            .regularizer(lasso(0.02))
            .fit(&features, &counts.select_columns(&neurons)?)?;
        let coef = fitted.coef();
        let used =
            coef.columns().into_iter().map(|coef| coef.iter().filter(|coef| **coef != 0.0).count() as f64);
        Ok::<Vec<f64>, nemos::Error>(used.collect())
    };
    Ok(world.gather(&world.agree(fit())?)?.concat())
}

/// What a file would hold: each row is drawn by its own number, so that it is the same whoever reads it.
fn read(rows: std::ops::Range<usize>) -> Result<(Matrix, Matrix), nemos::Error> {
    let (n_rows, wave) =
        (rows.len(), |row: usize, k: usize| (row as f64 * (0.013 + 0.0071 * k as f64)).sin());
    let (mut features, mut counts) = (Vec::new(), Vec::new());
    for row in rows {
        let mut rng = ChaCha8Rng::seed_from_u64(row as u64);
        features.extend((0..FEATURES).map(|k| wave(row, k)));
        for neuron in 0..NEURONS {
            let rate = (0.3 * wave(row, neuron % FEATURES) - 1.0).exp();
            counts.push(PoissonLaw::new(rate).map_or(0.0, |law| law.sample(&mut rng)));
        }
    }
    Ok((Matrix::from_vec(features, [n_rows, FEATURES])?, Matrix::from_vec(counts, [n_rows, NEURONS])?))
}
