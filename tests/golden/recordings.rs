//! What the book says of the recordings in `examples/data`.

use ndarray::Array2;
use nemos::basis::History;
use nemos::inference::{Spiking, TimeRescaling};
use nemos::io::NpzFile;
use nemos::prelude::*;
use rand::SeedableRng;

use crate::real_data::{bin_spikes, direction};
use crate::suite::root;

fn recording(name: &str) -> Result<NpzFile, Box<dyn std::error::Error>> {
    Ok(NpzFile::open(root().join(format!("examples/data/{name}.npz")))?)
}

/// Intervals of the subthalamic neuron fit a model with history where time is rescaled bin by bin, and not by the textbook's sum.
#[test]
fn discrete_rescaling_of_the_subthalamic_neuron_passes_and_the_textbook_does_not() -> Result<(), Box<dyn std::error::Error>> {
    let recording = recording("subthalamic")?;
    let (time, side) = (recording.vector("time_ms")?, recording.vector("direction")?);
    let spikes = recording.array("spikes")?;
    let trials = Segments::from_lengths(vec![time.len(); side.len()]);
    let column = |of: &dyn Fn(usize, usize) -> f64| {
        let rows = 0..time.len() * side.len();
        Matrix::<Cpu>::from_column(rows.map(|row| of(row / time.len(), row % time.len())).collect())
    };
    let counts = column(&|trial, bin| spikes[[trial, bin]]);
    let history = History::new(Window::samples(20)).compute_features(&counts.to_design().with_segments(trials.clone())?)?;
    let features = Features::new()
        .with("movement", column(&|_, bin| f64::from(u8::from(time[bin] >= 0.0))))?
        .with("history", &history)?
        .with("direction", column(&|trial, _| side[trial]))?;
    let design = features.to_design().with_segments(trials)?;
    let fitted = Glm::new(Bernoulli).fit(&design, &counts)?;
    let inference = fitted.inference(&design, &counts)?;
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    for (spiking, expected) in [(Spiking::Bernoulli, "D = 0.0078"), (Spiking::Continuous, "D = 0.0406")] {
        let test = inference.time_rescaling(&TimeRescaling::new().spiking(spiking), &mut rng)?[0].ks();
        assert_eq!(format!("D = {:.4}", test.statistic), expected);
        assert_eq!(format!("{:.4}", test.band_95), "0.0199");
        assert_eq!(test.p < 0.05, spiking == Spiking::Continuous, "{}", test.p);
    }
    Ok(())
}

/// Without history the standard errors of the place cell's model are too small by a factor of 2.5.
#[test]
fn robust_errors_of_the_place_cell_are_larger() -> Result<(), Box<dyn std::error::Error>> {
    let recording = recording("place_cell_1")?;
    let (time, position) = (recording.vector("time")?, recording.vector("position")?);
    let counts = Matrix::from_column(bin_spikes(&time, &recording.vector("spike_times")?));
    let up = direction(&position.clone().into());
    let features = Array2::from_shape_fn((time.len(), 3), |(row, column)| match column {
        2 => up[row],
        power => position[row].powi(power as i32 + 1),
    });
    let design = Matrix::<Cpu>::from_array(features.view());
    let fitted = Glm::new(Poisson).fit(&design, &counts)?;
    let inference = fitted.inference(&design, &counts)?;
    let robust = inference.estimates(&Covariance::Hc0)?.standard_errors();
    let ratio = robust / inference.estimates(&Covariance::Model)?.standard_errors();
    assert_eq!(format!("{:.2}", ratio.column(0)), "[2.46, 2.42, 1.00, 2.55]");
    Ok(())
}
