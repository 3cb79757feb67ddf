//! Two coupled neurons, and a pulse into the first: does the second hear of it?

use ndarray::{Array2, Array3, s};
use nemos::basis::{Family, RaisedCosineLog};
use nemos::glm::{Poisson, Softplus};
use nemos::plot::{Axis, Color, Figure, Line, Panel, Raster, Span};
use nemos::sim::{Coupling, DifferenceOfGammas, Recurrent, regress_filter};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const WINDOW: usize = 100;
    let mut rng = ChaCha8Rng::seed_from_u64(101);
    // Each filter: a brief inhibition, then an excitation of its own shape and rate.
    let mut filters = Array3::zeros((WINDOW, 2, 2));
    for mut filter in filters.lanes_mut(ndarray::Axis(0)) {
        let (shape, rate) = (rng.random_range(1.1..5.0), rng.random_range(1.1..5.0));
        let values = DifferenceOfGammas::new().excitation(shape, rate).filter(WINDOW)?;
        filter.assign(&(0.8 * ndarray::Array1::from(values)));
    }
    // Twenty functions come close to them.
    let basis = RaisedCosineLog::new(20).on_grid([WINDOW])?.values;
    let coef = regress_filter(filters.view(), basis.view())?;
    let coupling = Coupling::new(coef.view(), basis.view())?;

    let network = Recurrent::new(Poisson, coupling.clone(), [-4.0, -4.0]).link(Softplus);
    let mut drive = Array2::zeros((1000, 2));
    drive.slice_mut(s![200..500, 0]).fill(1.5);
    let simulation = network.run(drive.view(), &mut rng)?.require_finished()?;
    let off = (&filters - &coupling.filters()).iter().fold(0.0_f64, |off, x| off.max(x.abs()));
    println!("filters off by {off:.4}, spectral radius {:.3}", simulation.stability.spectral_radius);
    println!("spikes {}", simulation.counts.sum_axis(ndarray::Axis(0)));

    let lags: Vec<f64> = (1..=WINDOW).map(|lag| lag as f64).collect();
    let steps: Vec<f64> = (0..1000).map(f64::from).collect();
    let mut couplings = Panel::new().title("filters").x(Axis::new("steps after a spike"));
    couplings = couplings.y(Axis::new("change of the predictor"));
    let (step, rate) = (Axis::new("step").range(0.0, 1000.0), Axis::new("rate").unit("spikes/step"));
    let mut activity = Panel::new().title("rates, and spikes below").x(step).y(rate);
    activity = activity.mark(Span::new(200.0, 500.0).label("pulse into 0"));
    for neuron in 0..2 {
        for sender in 0..2 {
            let filter = coupling.filters().slice_move(s![.., neuron, sender]).to_vec();
            couplings = couplings.mark(Line::new(lags.clone(), filter).label(format!("{sender} → {neuron}")));
        }
        let rate = simulation.rates.column(neuron).to_vec();
        activity = activity.mark(Line::new(steps.clone(), rate).label(format!("neuron {neuron}")));
    }
    for (neuron, color) in [Color::Blue, Color::Vermillion].into_iter().enumerate() {
        let counts = simulation.counts.column(neuron);
        let spikes: Vec<f64> = steps.iter().copied().filter(|&step| counts[step as usize] > 0.0).collect();
        let low = -0.012 * (neuron + 1) as f64;
        activity = activity.mark(Raster::new(vec![spikes]).between(low, low + 0.011).color(color));
    }
    let figure = Figure::new().title("A pulse into one of two coupled neurons").column_widths([2.0, 3.0]);
    Ok(figure.panel(couplings).panel(activity).save("coupled_network.svg")?)
}
