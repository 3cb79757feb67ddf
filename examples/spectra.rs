//! Which rhythms does a field potential hold, and when is each of them there?

use std::f64::consts::TAU;

use nemos::plot::{Axis, Color, Figure, Line, Panel};
use nemos::prelude::*;
use nemos::timeseries::{Morlet, SpectralWindow};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Noise whose power falls with frequency, as that of brains does.
fn noise(n: usize, rng: &mut impl Rng) -> Vec<f64> {
    let mut level = 0.0;
    (0..n)
        .map(|_| {
            level += 0.02 * (-level) + rng.random::<f64>() - 0.5;
            level
        })
        .collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Twenty seconds at 500 Hz: theta while the animal runs, from 5 s to 15 s, and gamma at its peaks.
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let time = Ts::regular(0.0, 0.002, 10_000)?;
    let running = IntervalSet::new([(5.0, 15.0)])?;
    let rhythm = |&t: &f64| {
        let theta = (8.0 * TAU * t).cos();
        if running.find(t).is_some() { theta + 0.3 * (60.0 * TAU * t).cos() * theta.max(0.0) } else { 0.0 }
    };
    let potential = noise(10_000, &mut rng).into_iter().zip(time.times().iter().map(rhythm));
    let potential = Tsd::<Cpu>::new(
        time.clone(),
        potential.map(|(noise, rhythm)| 0.3 * noise + rhythm).collect::<Vec<_>>(),
    )?;

    // Windows lie within epochs: those of running, and those of rest on either side of it.
    let window = SpectralWindow::seconds(1.0);
    let rest = potential.support().difference(&running);
    let mut power = Panel::new().title("power").x(Axis::new("frequency").unit("Hz").range(0.0, 90.0));
    power = power.y(Axis::new("log₁₀ of power per Hz"));
    for (name, epochs, color) in [("running", &running, Color::Vermillion), ("rest", &rest, Color::Blue)] {
        let found = potential.restrict(epochs).power_spectrum(&window)?;
        let levels: Vec<f64> = found.values.column(0).iter().map(|power| power.log10()).collect();
        let highest = (4..levels.len()).max_by(|&a, &b| levels[a].total_cmp(&levels[b])).unwrap_or(0);
        let peak = found.frequencies[highest];
        println!("{name}: {} windows, the peak above 4 Hz at {peak:.0} Hz", found.n_windows);
        power = power.mark(Line::new(found.frequencies, levels).label(name).color(color));
    }

    let wavelets = potential.wavelets(&Morlet::new([8.0, 60.0]))?.amplitude();
    let mut when = Panel::new().title("amplitude of wavelets").x(Axis::new("time").unit("s"));
    when = when.y(Axis::new("amplitude"));
    for (column, name, color) in [("8", "8 Hz", Color::Vermillion), ("60", "60 Hz", Color::Green)] {
        let slow = wavelets.column(column)?.bin_average(0.1)?;
        when = when.mark(Line::new(slow.sample_times().to_vec(), slow.to_vec()).label(name).color(color));
    }
    let figure = Figure::new().title("Theta and gamma of a field potential").panel(power).panel(when);
    Ok(figure.save("spectra.svg")?)
}
