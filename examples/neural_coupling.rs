//! Who speaks to whom? Couplings of four neurons, from raw history to a few functions, and without those that are ruled out.

use ndarray::{Array2, Array3, s};
use nemos::basis::{Basis, Family, History, RaisedCosineLog, Window};
use nemos::core::{Cpu, Matrix};
use nemos::glm::{Poisson, PopulationGlm, Score};
use nemos::plot::{Axis, Color, Figure, Line, Panel};
use nemos::sim::{Coupling, Recurrent};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A ring: each neuron excites the next, and inhibits itself for a moment.
    let mut filters = Array3::zeros((10, 4, 4));
    for (lag, neuron) in (0..40).map(|at| (at % 10, at / 10)) {
        filters[(lag, neuron, neuron)] = -2.0 * (-(lag as f64)).exp();
        filters[(lag, (neuron + 1) % 4, neuron)] = 0.5 * (-(lag as f64) / 3.0).exp();
    }
    let network = Recurrent::new(Poisson, Coupling::from_filters(filters.view())?, [-2.5; 4]);
    let mut rng = ChaCha8Rng::seed_from_u64(42);
    let simulation = network.run(Array2::zeros((20_000, 4)).view(), &mut rng)?.require_finished()?;
    let counts = Matrix::<Cpu>::from(simulation.counts);

    // Ten lags as they are, or three functions that are fine at first and coarse later.
    let raw: Basis = History::new(Window::samples(10)).label("spikes");
    let few = RaisedCosineLog::new(3).convolved(Window::samples(10)).label("spikes");
    let mut fits = Vec::new();
    for (name, basis) in [("raw history", &raw), ("three functions", &few)] {
        let design = basis.compute_features(&counts)?;
        let fitted = PopulationGlm::new(Poisson).fit(&design, &counts)?.require_converged()?;
        let r2 = fitted.score(&design, &counts, Score::McFadden)?;
        println!("{name}: {} coefficients, pseudo-R² {r2:.4}", fitted.coef().len());
        fits.push((name, Recurrent::from_fitted(&fitted, basis)?));
    }

    // Nothing passes between 0 and 2, nor between 1 and 3: rows are senders, columns receivers.
    let allowed = Array2::from_shape_fn((4, 4), |(sender, receiver)| (sender + receiver) % 2 == 1 || sender == receiver);
    let mask = Array2::from_shape_fn((12, 4), |(feature, receiver)| allowed[(feature / 3, receiver)]);
    let masked = PopulationGlm::new(Poisson)
        .feature_mask(mask)
        .fit(&few.compute_features(&counts)?, &counts)?;
    let parts = few.layout(&[4])?.split_by_axis(masked.coef(), 0)?;
    let [ruled_out, kept] = [2, 3].map(|sender| parts[0].1.slice(s![sender, .., 0]));
    println!("2 → 0: {ruled_out}, 3 → 0: {kept:.3}");
    fits.push(("without the diagonals", Recurrent::from_fitted(&masked, &few)?));

    let lags: Vec<f64> = (1..=10).map(f64::from).collect();
    let mut figure = Figure::new().title("What neuron 0 hears").columns(4).panel_size(230.0, 200.0);
    for sender in 0..4 {
        let y = Axis::new("filter").range(-2.5, 1.0);
        let mut panel = Panel::new().title(format!("{sender} → 0")).x(Axis::new("lag").unit("steps")).y(y);
        let truth = filters.slice(s![.., 0, sender]).to_vec();
        let line = Line::new(lags.clone(), truth).color(Color::Gray).width(4.0);
        panel = panel.mark(if sender == 1 { line.label("true") } else { line });
        for (name, network) in &fits {
            let filter = network.coupling().filters().slice_move(s![.., 0, sender]).to_vec();
            let line = Line::new(lags.clone(), filter);
            panel = panel.mark(if sender == 1 { line.label(*name) } else { line });
        }
        figure = figure.panel(panel);
    }
    Ok(figure.save("neural_coupling.svg")?)
}
