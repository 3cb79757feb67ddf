//! Does a subthalamic neuron respond to movement, once its own recent spikes are accounted for?

use nemos::basis::{Identity, RaisedCosineLog, Window};
use nemos::core::Cpu;
use nemos::glm::{Glm, Poisson, Score};
use nemos::io::NpzFile;
use nemos::plot::{Axis, Color, Figure, Line, Panel};
use nemos::prelude::Family;
use nemos::timeseries::{IntervalSet, Ts, Tsd};

const BIN: f64 = 0.001;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let recording = NpzFile::open(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/subthalamic.npz"))?;
    let (time, direction) = (recording.vector("time_ms")?, recording.vector("direction")?);
    let spikes = recording.array("spikes")?;
    // Trials of two seconds, one after the other: epochs, whose edges no history reaches across.
    let (n_trials, n_bins) = (direction.len(), time.len());
    let length = n_bins as f64 * BIN;
    let trials =
        IntervalSet::new((0..n_trials).map(|trial| (trial as f64 * length, (trial + 1) as f64 * length)))?;
    let trials = trials.with_column("direction", direction.clone())?;
    let times: Vec<f64> = (0..n_trials * n_bins).map(|bin| (bin as f64 + 0.5) * BIN).collect();
    let axis = Ts::within(times, &trials)?;
    let signal = |value: &dyn Fn(usize, usize) -> f64| {
        let each = (0..n_trials).flat_map(|trial| (0..n_bins).map(move |bin| (trial, bin)));
        Tsd::<Cpu>::new(axis.clone(), each.map(|(trial, bin)| value(trial, bin)).collect::<Vec<f64>>())
    };
    let counts = signal(&|trial, bin| spikes[[trial, bin]])?;
    let moving = signal(&|_, bin| f64::from(time[bin] >= 0.0))?;
    let to_the_right = signal(&|trial, _| direction[trial])?;

    let window = Window::seconds(0.1, BIN)?;
    let history = RaisedCosineLog::new(8).convolved(window).label("history");
    let basis = Identity::new().label("movement") + Identity::new().label("direction") + history.clone();
    let design = basis.compute_features([&moving, &to_the_right, &counts])?;
    let fitted = Glm::new(Poisson).fit(&design, &counts)?.require_converged()?;

    println!("{} after {} steps", fitted.outcome().status, fitted.outcome().steps);
    for effect in ["movement", "direction"] {
        println!("{effect} multiplies the rate by {:.2}", fitted.coef_of(effect)?[0].exp());
    }
    println!("pseudo-R² {:.4}", fitted.score(&design, &counts, Score::McFadden)?);

    // Each function of the basis is a filter over the window; the fit says how much of each there is.
    let grid = history.on_grid([100])?;
    let filter: Vec<f64> =
        grid.values.dot(&ndarray::aview1(fitted.coef_of("history")?)).mapv(f64::exp).to_vec();
    let lags: Vec<f64> = (1..=100).map(f64::from).collect();
    let panel = Panel::new()
        .x(Axis::new("time since a spike").unit("ms"))
        .y(Axis::new("rate / base rate"))
        .mark(Line::new([0.0, 100.0], [1.0, 1.0]).dashed().color(Color::Gray).label("no effect"))
        .mark(Line::new(lags, filter).label("after a spike"));
    Ok(Figure::new().title("What a spike does to the next ones").panel(panel).save("subthalamic.svg")?)
}
