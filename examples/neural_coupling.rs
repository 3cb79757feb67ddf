//! Who speaks to whom? Couplings of four neurons: raw, smooth, by a map, and by a penalty on senders.

use ndarray::{Array2, Array3, s};
use nemos::basis::History;
use nemos::plot::{Axis, Color, Figure, Line, Panel};
use nemos::prelude::*;
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
    let (drive, mut rng) = (Array2::zeros((20_000, 4)), ChaCha8Rng::seed_from_u64(42));
    let counts = Matrix::<Cpu>::from(network.run(drive.view(), &mut rng)?.require_finished()?.counts);

    // Ten lags as they are, or three functions that are fine at first and coarse later.
    let raw: Basis = History::new(Window::samples(10)).label("spikes");
    let few = RaisedCosineLog::new(3).convolved(Window::samples(10)).label("spikes");
    // Nothing passes between 0 and 2, nor between 1 and 3: rows are senders, columns receivers.
    let ring = Array2::from_shape_fn((4, 4), |(from, to)| (from + to) % 2 == 1 || from == to);
    let glm = PopulationGlm::new(Poisson);
    let masked = glm.clone().feature_mask(FeatureMask::coupling("spikes", ring));
    // Or the data decide: all functions of one sender are kept or dropped together.
    let (strength, groups) = (0.0015.into(), Groups::Channels);
    let grouped = glm.clone().regularizer(Regularizer::GroupLasso { strength, groups });
    let models = [
        ("raw history", &raw, &glm),
        ("three functions", &few, &glm),
        ("without the diagonals", &few, &masked),
        ("a group for each sender", &few, &grouped),
    ];
    let lags = Vec::from_iter((1..=10).map(f64::from));
    let mut panels = [(0, -2.5), (1, -0.3), (2, -0.3), (3, -0.3)].map(|(sender, low)| {
        let filter = Axis::new("filter").unit("log rate").range(low, 0.6);
        let truth = Line::new(lags.clone(), filters.slice(s![.., 0, sender]).to_vec());
        let truth = truth.color(Color::Gray).width(4.0);
        let panel = Panel::new().title(format!("{sender} → 0")).x(Axis::new("lag").unit("steps")).y(filter);
        panel.mark(if sender == 0 { truth.label("true") } else { truth })
    });
    for (name, basis, model) in models {
        let design = basis.design(&counts)?;
        let fitted = model.fit(&design, &counts)?.require_converged()?;
        println!("{name}: pseudo-R² {:.4}\n{fitted}\n", fitted.score(&design, &counts, Score::McFadden)?);
        let network = Recurrent::from_fitted(&fitted, basis)?;
        for (sender, panel) in panels.iter_mut().enumerate() {
            let line =
                Line::new(lags.clone(), network.coupling().filters().slice(s![.., 0, sender]).to_vec());
            let line = if name == "without the diagonals" { line.dashed() } else { line };
            *panel = std::mem::take(panel).mark(if sender == 0 { line.label(name) } else { line });
        }
    }
    let figure = Figure::new().title("What neuron 0 hears");
    Ok(panels.into_iter().fold(figure, Figure::panel).save("neural_coupling.svg")?)
}
