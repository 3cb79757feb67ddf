//! How long a recurrent network takes: medians of five runs, and the first; 20 and 100 neurons that fire in about one step
//! of 25, windows of 100 steps, 100,000 steps.
//!
//! `simulate [steps]`: 10,000 steps unless said otherwise, to be quick; `simulate 100000` for the numbers of the book.

use std::time::Instant;

use ndarray::{Array2, Array3};
use nemos::basis::{Family, RaisedCosineLog, Window};
use nemos::glm::Poisson;
use nemos::sim::{Coupling, Recurrent};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let steps = std::env::args().filter_map(|argument| argument.parse().ok()).next();
    let n_steps: usize = steps.unwrap_or(10_000);
    for n_neurons in [20, 100] {
        let network = network(n_neurons)?;
        let drive = Array2::zeros((n_steps, n_neurons));
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (mut seconds, mut rate) = (Vec::new(), 0.0);
        for _ in 0..6 {
            let start = Instant::now();
            let simulation = network.run(drive.view(), &mut rng)?.require_finished()?;
            seconds.push(start.elapsed().as_secs_f64());
            rate = simulation.counts.mean().unwrap_or(0.0);
        }
        let first = seconds.remove(0);
        seconds.sort_by(f64::total_cmp);
        let radius = network.stability()?.spectral_radius;
        println!(
            "{n_neurons} neurons, {n_steps} steps: first {first:.4} s, then {:.4} s (mean rate {rate:.4}, radius {radius:.3})",
            seconds[2]
        );
    }
    Ok(())
}

/// Weights of zero mean from a multiplicative hash, which a peer in another language can repeat; refractory neurons.
fn network(n_neurons: usize) -> Result<Recurrent<Poisson, nemos::glm::Exp>, nemos::Error> {
    let basis = RaisedCosineLog::new(8).convolved(Window::samples(100)).filters()?.values;
    let size = 0.04 * (3.0 * 20.0 / n_neurons as f64).sqrt();
    let coef = Array3::from_shape_fn((n_neurons, n_neurons, 8), |(receiver, sender, function)| {
        let at = ((receiver * n_neurons + sender) * 8 + function) as u64;
        let uniform = (at * 2_654_435_761 % (1 << 32)) as f64 / f64::from(1 << 16) / f64::from(1 << 16);
        let refractory = if receiver == sender && function == 0 { 1.5 } else { 0.0 };
        size * (2.0 * uniform - 1.0) - refractory
    });
    let coupling = Coupling::new(coef.view(), basis.view())?;
    Ok(Recurrent::new(Poisson, coupling, vec![0.04_f64.ln(); n_neurons]))
}
