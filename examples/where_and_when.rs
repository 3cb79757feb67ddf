//! Where does a cell fire, when after a flash, with whom, and can the place be read from nine of them?

use std::f64::consts::TAU;

use nemos::cpu::*;
use nemos::plot::{Axis, Bars, Color, Figure, Heatmap, Line, Panel, Raster};
use nemos::sim::Draw;
use nemos::timeseries::{Around, Binning, Normalization, Prior};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Ten minutes in a box of a metre. Nine cells have a place each, and a flash every 10 s excites all.
    let time = Ts::regular(0.0, 0.01, 60_000)?;
    let at = |t: f64| [0.5 + 0.48 * (TAU * 0.071 * t).sin(), 0.5 + 0.48 * (TAU * 0.053 * t + 1.0).sin()];
    let path = Matrix::from_vec(time.times().iter().flat_map(|t| at(*t)).collect(), [time.len(), 2])?;
    let path = TsdFrame::new(time.clone(), path)?.with_names(["x", "y"])?;
    let rate = |cell: usize, t: f64| {
        let center = [cell % 3, cell / 3].map(|step| 0.2 + 0.3 * step as f64);
        let far = (0..2).map(|axis| ((at(t)[axis] - center[axis]) / 0.15).powi(2)).sum::<f64>();
        0.3 * (-0.5 * far).exp() + if (0.04..0.12).contains(&(t % 10.0)) { 0.2 } else { 0.005 }
    };
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut spikes = |cell: usize| {
        let times = time.times().iter().filter(|t| Poisson.draw(rate(cell, **t), 1.0, &mut rng) > 0.0);
        Ts::new(times.copied().collect::<Vec<_>>())
    };
    let cells = TsGroup::new((0..9).map(&mut spikes).collect::<Result<Vec<_>, _>>()?, time.support());
    println!("{cells}");

    // A map of the cell in the middle: spikes over the time spent in each of 400 places.
    let bins = [20, 20].map(|n| Binning::new(n).range(0.0, 1.0));
    let maps = cells.tuning_curves(&path, &bins)?;
    let map = maps.values().index_axis(ndarray::Axis(0), 4).into_dimensionality::<ndarray::Ix2>()?;
    let map = Heatmap::new(map.t()).x(0.0, 1.0).y(0.0, 1.0).name("spikes/s");
    let panel = |title: &str, x: Axis, y: Axis| Panel::new().title(title).x(x).y(y);
    let places = panel("cell 4: where", Axis::new("x").unit("m"), Axis::new("y").unit("m")).mark(map);
    // Its spikes around each flash, one row per flash.
    let around = cells.unit(4)?.perievent(&Ts::regular(10.0, 10.0, 59)?, Around::new(0.2, 0.4)?);
    let rows: Vec<Vec<f64>> = around.units().iter().map(|flash| flash.times().to_vec()).collect();
    let flashes = panel("when", Axis::new("time from the flash").unit("s"), Axis::new("flash"));
    // How often its neighbour fires at each lag from it.
    let pairs = cells.crosscorrelograms(0.05, 1.0, Normalization::Rate)?;
    let pair = pairs.pairs.iter().position(|pair| *pair == (4, 5)).ok_or("no such pair")?;
    let edges: Vec<f64> = (-21..=20).map(|edge| 0.05 * (f64::from(edge) + 0.5)).collect();
    let bars = Bars::new(edges, pairs.values.column(pair).to_vec()).color(Color::SkyBlue);
    let lag = Axis::new("lag of cell 5 from cell 4").unit("s");
    let with = panel("with whom", lag, Axis::new("rate").unit("spikes/s")).mark(bars);
    // The place from all nine, half a second at a time: maps of the first half read the second.
    let [first, second] = [(0.0, 300.0), (300.0, 600.0)].map(|half| IntervalSet::new([half]));
    let counts: TsdFrame = cells.restrict(&second?).count(0.5)?;
    let maps = cells.restrict(&first?).tuning_curves(&path, &bins)?;
    let read = maps.decode_bayes(&counts, 0.5, Prior::Uniform)?.features.column("x")?.between(300.0, 360.0);
    let line = |signal: &Tsd| Line::new(signal.sample_times(), signal.to_vec());
    let decoded = panel("read from nine cells", Axis::new("time").unit("s"), Axis::new("x").unit("m"));
    let decoded = decoded.mark(line(&path.column("x")?.between(300.0, 360.0)).label("true"));
    let figure = Figure::new().columns(2).panel(places).panel(flashes.mark(Raster::new(rows))).panel(with);
    Ok(figure.panel(decoded.mark(line(&read).label("decoded"))).save("where_and_when.svg")?)
}
