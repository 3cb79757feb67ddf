//! How sure is the effect of movement on a subthalamic neuron, and does the model describe its spikes?
//!
//! Longer than other examples: half of the lines draw the figure.

use ndarray::s;
use nemos::basis::History;
use nemos::inference::{Clusters, Spiking, TimeRescaling, compare};
use nemos::io::NpzFile;
use nemos::plot::{Area, Axis, Color, Figure, Line, Panel, Scatter};
use nemos::prelude::*;
use rand::SeedableRng;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let recording = NpzFile::open(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/subthalamic.npz"))?;
    let (time, direction) = (recording.vector("time_ms")?, recording.vector("direction")?);
    let spikes = recording.array("spikes")?;
    let (n_trials, n_bins) = (direction.len(), time.len());
    let trials = Segments::from_lengths(vec![n_bins; n_trials]);
    let column = |of: &dyn Fn(usize, usize) -> f64| {
        Matrix::<Cpu>::from_column((0..n_trials * n_bins).map(|row| of(row / n_bins, row % n_bins)).collect())
    };
    let counts = column(&|trial, bin| spikes[[trial, bin]]);
    let history = History::new(Window::samples(20));
    let history = history.compute_features(&counts.to_design().with_segments(trials.clone())?)?;
    let moving = column(&|_, bin| f64::from(u8::from(time[bin] >= 0.0)));
    let features = Features::new().with("movement", moving)?.with("history", &history)?;
    let features = features.with("direction", column(&|trial, _| direction[trial]))?;
    let design = features.to_design().with_segments(trials)?;
    let full = Glm::new(Bernoulli).fit(&design, &counts)?;
    // Without history, on the same rows: a mask drops none.
    let no_history = FeatureMask::Blocks(vec![("history".into(), vec![false])]);
    let small = Glm::new(Bernoulli).feature_mask(no_history).fit(&design, &counts)?;
    let (inference, without) = (full.inference(&design, &counts)?, small.inference(&design, &counts)?);
    let summary = inference.summary(&Covariance::Cluster(Clusters::segments()))?;
    println!("{summary}");
    println!("p-values\n{}\n", inference.likelihood_ratio_of_blocks()?);
    println!("{}\n", compare(&[&without, &inference])?);

    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let band = 1.358 / spikes.sum().sqrt();
    let mut ks = Panel::new()
        .title("rescaled intervals")
        .x(Axis::new("share of intervals"))
        .y(Axis::new("model − observed"));
    ks = ks.mark(Area::new([0.0, 1.0], [-band; 2], [band; 2]).color(Color::LightGray).label("95 %"));
    for (name, model, spiking) in [
        ("with history", &inference, Spiking::Bernoulli),
        ("the same, textbook", &inference, Spiking::Continuous),
        ("without history", &without, Spiking::Bernoulli),
    ] {
        let rescaled = &model.time_rescaling(&TimeRescaling::new().spiking(spiking), &mut rng)?[0];
        let (test, points) = (rescaled.ks(), rescaled.ks_plot());
        println!("{name:18} D = {:.4}, 95 % band {:.4}", test.statistic, test.band_95);
        let (x, away) = (points.column(0).to_vec(), (&points.column(1) - &points.column(0)).to_vec());
        ks = ks.mark(Line::new(x, away).label(name));
    }
    let rescaled = &inference.time_rescaling(&TimeRescaling::new(), &mut rng)?[0];
    let (qq, serial) = (rescaled.quantiles(0.95)?, rescaled.autocorrelation(20));
    println!("20 lags of intervals: Ljung and Box's {:.1}, p = {:.2}", serial.ljung_box, serial.p);
    let quantiles = Panel::new()
        .title("their quantiles")
        .x(Axis::new("quantile of the model"))
        .y(Axis::new("quantile of the intervals"));
    let band = Area::new(qq.theoretical.clone(), qq.lower, qq.upper).color(Color::LightGray).label("95 %");
    let quantiles = quantiles.mark(band).mark(Line::new(qq.theoretical, qq.empirical).label("with history"));
    let lags: Vec<f64> = (1..=20).map(|lag| lag as f64).collect();
    let (low, high) = ([-serial.band_95; 2], [serial.band_95; 2]);
    let alike = Panel::new()
        .title("one after the other")
        .x(Axis::new("intervals apart"))
        .y(Axis::new("autocorrelation"));
    let alike = alike.mark(Area::new([1.0, 20.0], low, high).color(Color::LightGray).label("95 %"));
    let alike = alike.mark(Scatter::new(lags.clone(), serial.values).label("with history"));
    let gains = summary.estimates.gains(0.95)?;
    let of = |end: usize| gains.slice(s![1..=20, 0, end]).to_vec();
    let filter = Panel::new()
        .title("after a spike")
        .x(Axis::new("time since a spike").unit("ms"))
        .y(Axis::new("odds ratio"));
    let filter = filter.mark(Area::new(lags.clone(), of(1), of(2)).label("95 %, by trials"));
    let filter = filter.mark(Line::new(lags, of(0)).label("estimate"));
    Ok(Figure::new().panel(filter).panel(ks).panel(quantiles).panel(alike).save("inference.svg")?)
}
