//! How long searches take: a grid of ridges (5 folds × 20 strengths × 50 neurons, 50,000 × 100) against one fit of the 50 neurons;
//! and a lasso path of 100 strengths (50,000 × 500, counts of which 20 features tell).
//!
//! `select [grid] [path] [rows=N]`: both, and fewer rows to be quick. Data come from a multiplicative hash, which `select_peer.py`
//! and `select_peer.R` repeat.

use std::time::Instant;

use ndarray::Array2;
use nemos::prelude::*;
use nemos::select::{Grid, GridSearch, PathSearch, log_spaced};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let rows = arguments.iter().find_map(|argument| argument.strip_prefix("rows=")?.parse().ok());
    let n_rows: usize = rows.unwrap_or(50_000);
    if has("grid") || !has("path") {
        grid(n_rows)?;
    }
    if has("path") || !has("grid") {
        path(n_rows)?;
    }
    if let Some(peak) = peak_memory() {
        println!("peak memory {peak} MB");
    }
    Ok(())
}

fn grid(n_rows: usize) -> Result<(), nemos::Error> {
    let inputs = uniform(n_rows, 100, 1) * 12.0_f64.sqrt();
    let weights = uniform(100, 50, 2) * 0.2;
    let counts = draw(&(inputs.dot(&weights) - 1.5), 3);
    let (inputs, counts) = (Matrix::<Cpu>::from(inputs), Matrix::from(counts));
    let model = PopulationGlm::new(Poisson).regularizer(Regularizer::Ridge(0.01.into()));
    let fit = median(3, || model.fit(&inputs, &counts).map(|fitted| fitted.coef()[(0, 0)]))?;
    let search = GridSearch::new(model, Grid::new().over("strength", log_spaced(1e-4, 1.0, 20)));
    let start = Instant::now();
    let found = search.fit(&inputs, &counts)?;
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "one fit of 50 neurons {fit:.3} s; the search {seconds:.3} s, {:.1} fits' worth",
        seconds / fit
    );
    println!("chosen: {}, mean {:.8}", found.best().settings(), found.best().mean());
    Ok(())
}

fn path(n_rows: usize) -> Result<(), nemos::Error> {
    let inputs = uniform(n_rows, 500, 4) * 12.0_f64.sqrt();
    let weights = Array2::from_shape_fn((500, 1), |(feature, _)| {
        if feature % 25 == 0 {
            0.25 - 0.02 * (feature / 25) as f64
        } else {
            0.0
        }
    });
    let counts = draw(&(inputs.dot(&weights) - 1.9), 5);
    let (inputs, counts) = (Matrix::<Cpu>::from(inputs), Matrix::from(counts));
    let search = PathSearch::new(Glm::new(Poisson).regularizer(Regularizer::Lasso(1.0.into()))).smallest(0.01);
    let mut last = (0.0, 0, 0.0);
    let seconds = median(3, || {
        let path = search.fit(&inputs, &counts)?;
        last = (path.strengths()[0], path.n_active()[99], path.log_likelihood()[99]);
        Ok::<f64, nemos::select::Error>(last.2)
    })?;
    println!(
        "a path of 100 strengths {seconds:.3} s (highest {:.6}, {} active at the last, log-likelihood {:.4})",
        last.0, last.1, last.2
    );
    Ok(())
}

/// Seconds: the median of some runs after a first one.
fn median<E>(runs: usize, mut run: impl FnMut() -> Result<f64, E>) -> Result<f64, E> {
    let mut seconds = Vec::new();
    for _ in 0..=runs {
        let start = Instant::now();
        std::hint::black_box(run()?);
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.remove(0);
    seconds.sort_by(f64::total_cmp);
    Ok(seconds[runs / 2])
}

/// Between −½ and ½, row after row.
fn uniform(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    Array2::from_shape_fn((rows, columns), |(row, column)| hash((row * columns + column) as u64, seed) - 0.5)
}

/// Counts of these log-rates: how many steps of the cumulative distribution of a Poisson law a uniform number passes, 30 at most.
fn draw(log_rates: &Array2<f64>, seed: u64) -> Array2<f64> {
    let columns = log_rates.ncols();
    Array2::from_shape_fn(log_rates.dim(), |(row, column)| {
        let (rate, uniform) = (log_rates[(row, column)].exp(), hash((row * columns + column) as u64, seed));
        let (mut probability, mut below, mut count) = ((-rate).exp(), 0.0, 0.0);
        while count < 30.0 && uniform >= below + probability {
            below += probability;
            count += 1.0;
            probability *= rate / count;
        }
        count
    })
}

/// A number between 0 and 1 from a place: the finalizer of MurmurHash3.
fn hash(place: u64, seed: u64) -> f64 {
    let mut x = place.wrapping_add(seed << 40);
    x = (x ^ (x >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    x = (x ^ (x >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    ((x ^ (x >> 33)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// In megabytes, where Linux tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? / 1000)
}
