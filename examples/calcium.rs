//! How much of the fluorescence of one region do others predict, on frames that the fit has not seen?

use nemos::core::{Cpu, Matrix};
use nemos::glm::{Gamma, Glm, Score, Softplus, ridge};
use nemos::io::read_npy;
use nemos::plot::{Axis, Color, Figure, Line, Panel, Scatter, Span};

/// The region that is predicted, the number of others that predict it, and the frames of the fit.
const REGION: usize = 85;
const N_OTHERS: usize = 10;
const N_FIT: usize = 1500;

/// Mean zero, standard deviation one over the frames of the fit.
fn standardized(trace: &[f64]) -> Option<Vec<f64>> {
    let mean = trace[..N_FIT].iter().sum::<f64>() / N_FIT as f64;
    let variance = trace[..N_FIT].iter().map(|value| (value - mean).powi(2)).sum::<f64>() / N_FIT as f64;
    (variance > 0.0).then(|| trace.iter().map(|value| (value - mean) / variance.sqrt()).collect())
}

fn correlation(left: &[f64], right: &[f64]) -> f64 {
    left[..N_FIT].iter().zip(right).map(|(a, b)| a * b).sum::<f64>() / N_FIT as f64
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let traces = read_npy(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/calcium_F.npy"))?;
    let trace = |region: usize| Vec::from_iter(traces.index_axis(ndarray::Axis(0), region).iter().copied());
    let target = trace(REGION);
    let reference = standardized(&target).ok_or("the region is silent")?;
    // The others that go along with it most; some regions are silent.
    let others = (0..traces.shape()[0]).filter(|&other| other != REGION);
    let mut others: Vec<Vec<f64>> = others.filter_map(|other| standardized(&trace(other))).collect();
    others.sort_by(|a, b| correlation(b, &reference).total_cmp(&correlation(a, &reference)));
    others.truncate(N_OTHERS);
    let rows = (0..target.len()).flat_map(|frame| others.iter().map(move |other| other[frame]));
    let design = Matrix::<Cpu>::from_vec(rows.collect(), [target.len(), N_OTHERS])?;
    let fluorescence = Matrix::from_column(target.clone());
    // Fluorescence is positive, and its noise grows with it: a gamma distribution.
    let glm = Glm::new(Gamma).link(Softplus).regularizer(ridge(1e-3));
    let fitted = glm.fit(&design.rows(0..N_FIT)?, &fluorescence.rows(0..N_FIT)?)?;
    println!("{}, dispersion {:.4}", fitted.outcome().status, fitted.scale());
    for (name, frames) in [("of the fit", 0..N_FIT), ("not seen", N_FIT..target.len())] {
        let score = fitted.score(&design.rows(frames.clone())?, &fluorescence.rows(frames)?, Score::Cohen)?;
        println!("frames {name}: share of the deviance explained {score:.3}");
    }
    let found = fitted.predict(&design)?.to_vec();
    let frames: Vec<f64> = (0..target.len()).map(|frame| frame as f64).collect();
    let traces = |frame: Axis| {
        let truth = Line::new(frames.clone(), target.clone()).label("recorded").color(Color::Black);
        let found = Line::new(frames.clone(), found.clone()).label("predicted").width(1.2);
        let unseen = Span::new(N_FIT as f64, target.len() as f64).label("not seen");
        Panel::new().x(frame).y(Axis::new("fluorescence").unit("a.u.")).mark(unseen).mark(truth).mark(found)
    };
    let equal = Line::new([2.0, 25.0], [2.0, 25.0]).dashed().color(Color::Gray).label("equal");
    let unseen = Scatter::new(&found[N_FIT..], &target[N_FIT..]).radius(2.0).label("a frame not seen");
    let dots = Panel::new().x(Axis::new("predicted").unit("a.u.")).y(Axis::new("recorded").unit("a.u."));
    let (all, few) = (Axis::new("frame"), Axis::new("frame").range(1660.0, 1720.0));
    let figure = Figure::new().title("One region from ten others").columns(2);
    let figure = figure.panel(traces(all).columns(2)).panel(traces(few));
    Ok(figure.panel(dots.mark(equal).mark(unseen)).save("calcium.svg")?)
}
