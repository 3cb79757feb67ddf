//! What do the functions of every family look like?

use nemos::basis::{
    BSpline, Basis, Category, Custom, CyclicBSpline, Error, Fourier, History, Identity, MSpline,
    OrthogonalizedExponential, RaisedCosineLinear, RaisedCosineLog, Window, Zero,
};
use nemos::plot::{Axis, Colors, Figure, Heatmap, Line, Panel};

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
    let mut figure = Figure::new().title("Families of basis functions").columns(3);
    for (title, basis) in curves {
        figure = figure.panel(lines(title, &basis)?);
    }
    figure = figure
        .panel(table("History", "lag", &History::new(Window::samples(6)).into(), 6)?)
        .panel(table("Category", "category", &Category::new(4).into(), 4)?)
        .panel(lines("Zero: no function", &Zero::new().into())?);
    let path = std::env::args().nth(1).unwrap_or("basis_gallery.svg".into());
    figure.save(&path)?;
    println!("wrote {path}");
    Ok(())
}

/// Each function as a line over an even grid, the first in blue and the last in green.
fn lines(title: &str, basis: &Basis) -> Result<Panel, Error> {
    let grid = basis.on_grid([201])?;
    let x = grid.points.column(0).to_vec();
    let panel = Panel::new().title(title).x(Axis::new("sample")).y(Axis::new("value"));
    let add = |panel: Panel, function: usize| {
        let color = Colors::Sequential.at(0.3 + 0.5 * function as f64 / basis.n_functions() as f64);
        panel.mark(Line::new(x.clone(), grid.values.column(function).to_vec()).color(color))
    };
    Ok((0..basis.n_functions()).fold(panel, add))
}

/// Each function as a row: for those that only know a few samples, and are one or zero.
fn table(title: &str, sample: &str, basis: &Basis, n_points: usize) -> Result<Panel, Error> {
    let values = basis.on_grid([n_points])?.values;
    let map = Heatmap::new(values.t()).without_bar();
    Ok(Panel::new().title(title).x(Axis::new(sample)).y(Axis::new("function")).mark(map))
}
