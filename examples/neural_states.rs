//! When does a population switch its state? Twenty neurons whose coding of a stimulus changes.
//!
//! Longer than other examples: the recording is drawn, and half of the rest is the figure.

use ndarray::Array2;
use nemos::plot::{Axis, Color, Colors, Figure, Heatmap, Line, Panel, Raster, Span};
use nemos::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

const BINS: usize = 6000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Bins of 20 ms: an awake state follows the stimulus, a drowsy one hardly does, and one has bursts.
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut draw = |mean: f64, sd: f64| Normal::new(mean, sd).map(|normal| normal.sample(&mut rng));
    let mut states = Vec::new();
    for (rate, gain) in [(-2.6, 0.8), (-3.2, 0.1), (-1.4, 0.2)] {
        let coef = (0..20).map(|_| draw(0.0, gain)).collect::<Result<Vec<_>, _>>()?;
        let intercept = (0..20).map(|_| draw(rate, 0.4)).collect::<Result<Vec<_>, _>>()?;
        states.push(StateGlm {
            coef: Array2::from_shape_vec((1, 20), coef)?,
            intercept,
            scale: vec![1.0; 20],
        });
    }
    let stimulus = (0..BINS).map(|_| draw(0.0, 1.0)).collect::<Result<Vec<_>, _>>()?;
    let truth = HmmParameters::new(vec![1.0, 0.0, 0.0], Transitions::staying(3, 0.99)?, &states)?;
    let brain = GlmHmm::new(3, Poisson).with_parameters(truth)?;
    let session = Segments::single(BINS);
    let drawn =
        brain.simulate(&session, |bin, _| vec![stimulus[bin]], &Array2::zeros((BINS, 0)), &mut rng)?;

    // A time series in, time series and epochs out.
    let axis = Ts::regular(0.01, 0.02, BINS)?;
    let stimulus = Tsd::<Cpu>::new(axis.clone(), stimulus)?;
    let counts = TsdFrame::<Cpu>::new(axis, Matrix::from_array(drawn.counts.view()))?;
    let fitted = GlmHmm::new(3, Poisson).restarts(8).fit(&stimulus, &counts)?;
    let fitted = fitted.require_converged()?.matched_to(brain.parameters())?;
    print!("{fitted}");
    let seen = fitted.on(&stimulus, &counts)?;
    let (smoothed, decoded) = (seen.smoothed()?, seen.decoded()?);
    let right = decoded.path.iter().zip(&drawn.states).filter(|(found, state)| found == state).count();
    println!(
        "{:.1} % of bins decoded, {} switches",
        100.0 * right as f64 / BINS as f64,
        decoded.n_switches()
    );
    let epochs = seen.epochs(&decoded.path)?;
    for (state, epochs) in epochs.iter().enumerate() {
        println!("state {state}: {} stays, {:.1} s", epochs.len(), epochs.total_length());
    }

    // Twenty seconds of spikes, with the states behind them.
    let window = 1000;
    let spikes = (0..20).map(|neuron| {
        let bins = (0..window).filter(|&bin| drawn.counts[(bin, neuron)] > 0.0);
        bins.map(|bin| 0.01 + 0.02 * bin as f64).collect::<Vec<f64>>()
    });
    let time = || Axis::new("time").unit("s").range(0.0, 20.0);
    let mut raster = Panel::new().title("Spikes").x(time()).y(Axis::new("neuron"));
    let colors = [Color::SkyBlue, Color::LightGray, Color::Orange];
    for (epochs, color) in epochs.iter().zip(colors) {
        for epoch in epochs.intervals().iter().filter(|epoch| epoch.start < 20.0) {
            raster = raster.mark(Span::new(epoch.start, epoch.end.min(20.0)).color(color));
        }
    }
    raster = raster.mark(Raster::new(spikes.collect::<Vec<_>>()));
    let times = smoothed.sample_times()[..window].to_vec();
    let mut shares = Panel::new()
        .title("States")
        .x(time())
        .y(Axis::new("probability").range(0.0, 1.4).ticks([(0.0, "0"), (0.5, "0.5"), (1.0, "1")]));
    let mut gains = Array2::zeros((3, 20));
    for (state, color) in [Color::SkyBlue, Color::Gray, Color::Orange].into_iter().enumerate() {
        let of_state = smoothed.column(&format!("state {state}"))?.values().to_vec()[..window].to_vec();
        shares = shares.mark(Line::new(times.clone(), of_state).color(color).label(format!("state {state}")));
        gains.row_mut(state).assign(&fitted.parameters().state(state).coef.row(0));
    }
    let weights = Panel::new().title("Weight of the stimulus").x(Axis::new("neuron")).y(Axis::new("state"));
    let weights = weights.mark(Heatmap::new(gains.view()).colors(Colors::Diverging).name("log gain"));
    let figure = Figure::new().title("A population that switches").columns(1).panel_size(760.0, 230.0);
    Ok(figure.panel(raster).panel(shares).panel(weights).save("neural_states.svg")?)
}
