//! What do the functions of every family look like?

use nemos::basis::{
    BSpline, Basis, Category, Custom, CyclicBSpline, Error, Fourier, History, Identity, MSpline,
    OrthogonalizedExponential, RaisedCosineLinear, RaisedCosineLog, Window, Zero,
};
use nemos::plot::{Axis, Figure, Line, Panel, Scatter};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wavelet = |x: f64| (-40.0 * (x - 0.5).powi(2)).exp() * (30.0 * (x - 0.5)).cos();
    let curves: [(&str, Basis); 9] = [
        ("BSpline", BSpline::new(7).into()),
        ("CyclicBSpline", CyclicBSpline::new(7).into()),
        ("MSpline", MSpline::new(7).into()),
        ("RaisedCosineLinear", RaisedCosineLinear::new(7).into()),
        ("RaisedCosineLog", RaisedCosineLog::new(7).into()),
        ("OrthogonalizedExponential", OrthogonalizedExponential::new([1.0, 4.0, 10.0]).into()),
        ("Fourier", Fourier::new(4).into()),
        ("Identity", Identity::new().into()),
        ("Custom: a wavelet", Custom::new("wavelet", wavelet).into()),
    ];
    let mut figure = Figure::new().title("Families of basis functions").columns(3).panel_size(300.0, 200.0);
    for (title, basis) in curves {
        figure = figure.panel(lines(title, &basis)?);
    }
    figure = figure
        .panel(dots("History: 5 lags", &History::new(Window::samples(5)).into(), 5)?)
        .panel(dots("Category: 4 of them", &Category::new(4).into(), 4)?)
        .panel(dots("Zero: no function", &Zero::new().into(), 2)?);
    let path = std::env::args().nth(1).unwrap_or("basis_gallery.svg".into());
    figure.save(&path)?;
    println!("wrote {path}");
    Ok(())
}

/// Each function as a line over an even grid.
fn lines(title: &str, basis: &Basis) -> Result<Panel, Error> {
    let grid = basis.on_grid([201])?;
    let x = grid.points.column(0).to_vec();
    let panel = Panel::new().title(title).x(Axis::new("sample")).y(Axis::new("value"));
    let add = |panel: Panel, function: usize| {
        panel.mark(Line::new(x.clone(), grid.values.column(function).to_vec()))
    };
    Ok((0..basis.n_functions()).fold(panel, add))
}

/// Each function as points: for those that only have a few samples.
fn dots(title: &str, basis: &Basis, n_points: usize) -> Result<Panel, Error> {
    let grid = basis.on_grid([n_points])?;
    let x: Vec<f64> = (0..n_points).map(|point| point as f64).collect();
    let panel =
        Panel::new().title(title).x(Axis::new("lag or category")).y(Axis::new("value").range(-0.1, 1.1));
    let add = |panel: Panel, function: usize| {
        panel.mark(Scatter::new(x.clone(), grid.values.column(function).to_vec()))
    };
    Ok((0..basis.n_functions()).fold(panel, add))
}
