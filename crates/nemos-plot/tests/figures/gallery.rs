//! Figures of every kind, drawn into Cargo's folder for test output, where they can be looked at.

use std::f64::consts::TAU;
use std::path::Path;

use ndarray::Array2;
use nemos_plot::{Area, Axis, Background, Bars, Color, Colors, Error, Figure, Heatmap, Line, Mark, Panel, Polar, Raster, Scatter, Span};

/// Evenly spaced numbers that look random: multiples of the golden ratio, without their whole part.
fn golden(index: usize) -> f64 {
    (index as f64 * 0.618_033_988_749_895).fract()
}

fn grid(n: usize, low: f64, high: f64) -> Vec<f64> {
    (0..n).map(|i| low + (high - low) * i as f64 / (n - 1) as f64).collect()
}

fn map(x: &[f64], f: impl Fn(f64) -> f64) -> Vec<f64> {
    x.iter().copied().map(f).collect()
}

fn save(figure: &Figure, name: &str) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    figure.save(&path).expect("a figure that can be drawn");
    #[cfg(feature = "png")]
    figure.save(path.with_extension("png")).expect("a figure that can be rendered");
    let svg = std::fs::read_to_string(path).expect("written above");
    crate::support::check(&svg);
    svg
}

#[test]
fn a_tuning_curve_has_bars_under_a_line() {
    let x = grid(200, 0.0, 100.0);
    let rate = |x: f64| 9.0 * (-((x - 63.0) / 11.0).powi(2)).exp() + 0.2;
    let edges = grid(41, 0.0, 100.0);
    let mut raw: Vec<f64> = (0..40).map(|i| rate(edges[i] + 1.25) * (0.6 + 0.8 * golden(i))).collect();
    raw[3] = f64::NAN;
    let panel = |title: &str| {
        Panel::new()
            .title(title)
            .x(Axis::new("position").unit("cm"))
            .y(Axis::new("rate").unit("spikes/s"))
            .mark(
                Bars::new(edges.clone(), raw.clone())
                    .color(Color::LightGray)
                    .label("spikes ÷ occupancy"),
            )
            .mark(Area::new(x.clone(), map(&x, |x| 0.8 * rate(x)), map(&x, |x| 1.2 * rate(x))).color(Color::Blue))
            .mark(Line::new(x.clone(), map(&x, rate)).color(Color::Blue).label("model"))
    };
    let figure = Figure::new()
        .title("Place cell")
        .panel(panel("running right"))
        .panel(panel("running left"));
    let svg = save(&figure, "tuning.svg");
    assert!(svg.contains("rate (spikes/s)") && svg.contains("spikes ÷ occupancy"));
}

#[test]
fn a_gallery_has_many_small_panels() {
    let x = grid(200, 0.0, 1.0);
    let mut figure = Figure::new().columns(4).panel_size(210.0, 160.0);
    for kind in 0..8 {
        let mut panel = Panel::new().title(format!("Family{kind}"));
        for function in 0..6 {
            let centre = f64::from(function) / 5.0;
            let bump = move |x: f64| {
                (1.0 + (TAU * (x - centre) * (1.0 + 0.2 * f64::from(kind)))
                    .clamp(-TAU / 2.0, TAU / 2.0)
                    .cos())
                    / 2.0
            };
            panel = panel.mark(Line::new(x.clone(), map(&x, bump)).width(1.5));
        }
        figure = figure.panel(panel);
    }
    save(&figure, "gallery.svg");
}

#[test]
fn a_raster_a_coupling_matrix_and_polar_curves_are_drawn() {
    let trials: Vec<Vec<f64>> = (0..30)
        .map(|trial| (0..25).map(|i| 2.0 * golden(trial * 37 + i * 11) - 1.0).collect())
        .collect();
    let raster = Panel::new()
        .title("Raster")
        .x(Axis::new("time from movement").unit("s"))
        .y(Axis::new("trial"))
        .mark(Span::new(0.0, 0.4).color(Color::Orange).label("movement"))
        .mark(Raster::new(trials));
    let mut couplings = Array2::from_shape_fn((12, 12), |(i, j)| golden(i * 12 + j * 5) - 0.4);
    couplings[(2, 3)] = f64::NAN;
    let matrix = Panel::new()
        .title("Couplings")
        .x(Axis::new("from neuron"))
        .y(Axis::new("to neuron"))
        .mark(Heatmap::new(couplings.view()).colors(Colors::Diverging).name("coupling"));
    let angles = grid(60, 0.0, TAU * 59.0 / 60.0);
    let tuned = |centre: f64| map(&angles, |angle| 8.0 * (2.0 * ((angle - centre).cos() - 1.0)).exp());
    let polar = Panel::new()
        .title("Head direction")
        .y(Axis::new("rate").unit("spikes/s"))
        .mark(Polar::new(angles.clone(), tuned(1.0)).label("cell 1"))
        .mark(Polar::new(angles.clone(), tuned(3.5)).label("cell 2"));
    let x = grid(80, -2.0, 2.0);
    let scatter = Panel::new()
        .title("Scatter")
        .x(Axis::new("predicted"))
        .y(Axis::new("observed"))
        .mark(Scatter::new(x.clone(), (0..80).map(|i| x[i] + golden(i) - 0.5).collect::<Vec<_>>()))
        .mark(Line::new([-2.0, 2.0], [-2.0, 2.0]).dashed().color(Color::Gray).label("equal"));
    let sequential = Panel::new()
        .title("Spectrogram")
        .mark(Heatmap::new(Array2::from_shape_fn((40, 60), |(i, j)| ((i * j) as f64).sqrt()).view()).name("power (dB)"));
    let gap = Panel::new()
        .title("Gaps")
        .mark(Line::new([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 2.0, f64::NAN, 1.5, f64::NAN, 0.7]));
    let figure = Figure::new()
        .panel(raster)
        .panel(matrix)
        .panel(polar)
        .panel(scatter)
        .panel(sequential)
        .panel(gap);
    let svg = save(&figure, "kinds.svg");
    assert!(svg.contains("rate (spikes/s)") && svg.contains("270°"));
}

#[test]
fn panels_of_unequal_size_share_a_colour_bar() {
    let x = grid(300, -1.0, 1.0);
    let spikes: Vec<Vec<f64>> = (0..5)
        .map(|row| (0..30).map(|i| 2.0 * golden(row * 31 + i) - 1.0).collect())
        .collect();
    let curve = Panel::new()
        .title("rate over spikes")
        .columns(2)
        .x(Axis::new("time").unit("s"))
        .y(Axis::new("rate").unit("spikes/s"))
        .mark(Span::new(0.0, 0.3).label("light"))
        .mark(Line::new(x.clone(), map(&x, |x| 10.0 + 8.0 * (-20.0 * x * x).exp())).label("model"))
        .mark(Raster::new(spikes).between(-4.0, 6.0).width(1.5).color(Color::Vermillion));
    let values = Array2::from_shape_fn((6, 80), |(i, j)| golden(i * 80 + j) + 0.02 * j as f64);
    let wide = Heatmap::new(values.view()).x(-1.0, 1.0).y(0.0, 30.0).name("power (dB)");
    let small = Heatmap::new((0.5 * &values).view()).name("power (dB)");
    let groups = ["hippocampus", "entorhinal cortex", "thalamus", "striatum"];
    let bars = Panel::new()
        .y(Axis::new("rate").unit("spikes/s"))
        .mark(Bars::named(groups, [3.0, 5.0, -1.0, 4.0]).label("awake"))
        .mark(Bars::named(groups, [2.0, 4.0, f64::NAN, 5.0]).label("asleep"));
    let figure = Figure::new()
        .title("Unequal panels")
        .columns(2)
        .column_widths([3.0, 2.0])
        .row_heights([2.0, 3.0, 2.0])
        .share_colors()
        .panel(curve)
        .panel(
            Panel::new()
                .title("wide")
                .x(Axis::new("time").unit("s"))
                .y(Axis::new("frequency").unit("Hz"))
                .mark(wide),
        )
        .panel(Panel::new().title("small").mark(small))
        .panel(bars.columns(2));
    let svg = save(&figure, "unequal.svg");
    assert_eq!(svg.matches(">power (dB)<").count(), 1, "one colour bar for both maps");
    assert!(svg.contains(">entorhinal cortex<"));
}

#[test]
fn a_map_lies_on_its_axes() {
    // Ten columns beside a line to 15: the last column ends at 9.5, two thirds of the way.
    let map = Heatmap::new(Array2::from_shape_fn((10, 10), |(i, j)| (i + j) as f64).view()).without_bar();
    let panel = Panel::new().mark(map).mark(Line::new([-0.5, 15.0], [0.0, 5.0]));
    let svg = save(&Figure::new().panel(panel), "beside.svg");
    let side = |line: &str, name: &str| {
        let start = line.find(&format!(" {name}=\"")).expect("an attribute") + name.len() + 3;
        line[start..]
            .split('"')
            .next()
            .and_then(|text| text.parse::<f64>().ok())
            .expect("a number")
    };
    let clip = svg.lines().find(|line| line.contains("<clipPath")).expect("a frame");
    let (_, after) = svg.split_once("crispEdges").expect("tiles");
    let (tiles, _) = after.split_once("</g>").expect("the end of the tiles");
    let tiles: Vec<f64> = tiles
        .lines()
        .filter(|line| line.starts_with("<rect"))
        .map(|line| side(line, "x") + side(line, "width"))
        .collect();
    let share = (tiles.iter().copied().fold(0.0, f64::max) - side(clip, "x") - 1.0) / (side(clip, "width") - 2.0);
    assert!((share - 10.0 / 15.5).abs() < 1e-3, "{share}");
}

#[test]
fn names_that_are_too_long_are_slanted() {
    let names = [
        "hippocampus CA1",
        "hippocampus CA3",
        "entorhinal cortex",
        "retrosplenial cortex",
        "thalamus",
    ];
    let panel = |title: &str| {
        let bars = Bars::named(names, [3.0, 5.0, 2.0, 4.0, 1.0]).color(Color::Green);
        Panel::new().title(title).x(Axis::new("where")).y(Axis::new("cells")).mark(bars)
    };
    for (background, name) in [(Background::White, "white.svg"), (Background::Dark, "dark.svg")] {
        let figure = Figure::new().title("On paper, on slides").background(background);
        let svg = save(&figure.panel(panel("one")).panel(panel("two")), name);
        assert_eq!(svg.matches("rotate(-30").count(), 10);
    }
}

#[test]
fn data_without_a_finite_value_leave_an_empty_panel() {
    let nan = vec![f64::NAN; 3];
    let panel = Panel::new()
        .mark(Line::new(nan.clone(), nan.clone()))
        .mark(Scatter::new(nan.clone(), vec![f64::INFINITY; 3]))
        .mark(Area::new(nan.clone(), nan.clone(), nan.clone()))
        .mark(Bars::new([0.0, 1.0], [f64::NAN]))
        .mark(Raster::new(vec![vec![], vec![f64::NAN]]));
    let polar = Panel::new().mark(Polar::new([0.0], [f64::NAN]));
    let matrix = Panel::new().mark(Heatmap::new(Array2::from_elem((2, 2), f64::NAN).view()));
    save(
        &Figure::new().panel(panel).panel(polar).panel(matrix).panel(Panel::new()),
        "empty.svg",
    );
}

#[test]
fn values_of_any_size_are_drawn() {
    for scale in [1e-300, 1e-9, 1.0, 1e12, 1e300] {
        let panel = Panel::new().mark(Line::new([0.0, scale, 2.0 * scale], [-scale, 0.0, scale]));
        save(&Figure::new().panel(panel), "scales.svg");
    }
    let constant = Panel::new().mark(Line::new([5.0], [5.0]));
    save(&Figure::new().panel(constant), "constant.svg");
}

#[test]
fn bad_input_is_an_error() {
    let draw = |panel: Panel| Figure::new().panel(panel).to_svg().unwrap_err();
    let none: [f64; 0] = [];
    assert!(matches!(Figure::new().to_svg().unwrap_err(), Error::NoPanels));
    assert!(matches!(draw(Panel::new().mark(Line::new(none, none))), Error::Empty { .. }));
    assert!(matches!(
        draw(Panel::new().mark(Line::new([1.0], [1.0, 2.0]))),
        Error::LengthsDiffer { left: 1, right: 2, .. }
    ));
    assert!(matches!(
        draw(Panel::new().mark(Bars::new([0.0, 1.0], [1.0, 2.0]))),
        Error::LengthsDiffer { .. }
    ));
    for edges in [[0.0, 1.0, 0.5], [0.0, f64::NAN, 1.0], [0.0, 1.0, f64::INFINITY]] {
        assert!(matches!(
            draw(Panel::new().mark(Bars::new(edges, [1.0, 2.0]))),
            Error::NotRising { .. }
        ));
    }
    assert!(matches!(draw(Panel::new().mark(Span::new(1.0, 0.0))), Error::NotRising { .. }));
    assert!(matches!(
        draw(Panel::new().y(Axis::new("y").range(1.0, 1.0))),
        Error::NotRising { .. }
    ));
    assert!(matches!(
        draw(Panel::new().mark(Heatmap::new(Array2::zeros((0, 3)).view()))),
        Error::Empty { .. }
    ));
    for size in [f64::NAN, -1.0, f64::INFINITY] {
        let marks: [Mark; 3] = [
            Line::new([0.0], [1.0]).width(size).into(),
            Raster::new(vec![vec![1.0]]).width(size).into(),
            Scatter::new([0.0], [1.0]).radius(size).into(),
        ];
        for mark in marks {
            let error = draw(Panel::new().mark(mark));
            assert!(matches!(error, Error::Size { .. }), "{error}");
        }
    }
    let disc = |low: f64, high: f64| Panel::new().y(Axis::new("rate").range(low, high)).mark(Polar::new([0.0], [1.0]));
    assert!(draw(disc(-2.0, -1.0)).to_string().contains("begins at zero, goes from 0 to -1"));
    assert!(Figure::new().panel(disc(0.5, 2.0)).to_svg().is_ok());
    let mixed = Panel::new().mark(Polar::new([0.0], [1.0])).mark(Line::new([0.0], [1.0]));
    assert!(matches!(draw(mixed), Error::MixedPanel { panel: 0 }));
    let names = Panel::new()
        .mark(Bars::named(["a", "b"], [1.0, 2.0]))
        .mark(Bars::named(["a", "c"], [1.0, 2.0]));
    assert!(draw(names).to_string().contains("give all bars of a panel the same names"));
    assert!(matches!(
        draw(Panel::new().mark(Bars::named(["a"], [1.0, 2.0]))),
        Error::LengthsDiffer { left: 1, right: 2, .. }
    ));
    assert!(matches!(
        draw(Panel::new().mark(Raster::new(vec![vec![1.0]]).between(2.0, 1.0))),
        Error::NotRising { .. }
    ));
    let map = || Heatmap::new(Array2::zeros((2, 2)).view());
    for map in [map().limits(1.0, 0.0), map().x(0.0, f64::NAN), map().y(3.0, 3.0)] {
        assert!(matches!(draw(Panel::new().mark(map)), Error::NotRising { .. }));
    }
    assert!(matches!(draw(Panel::new().mark(map().center(f64::NAN))), Error::NotFinite { .. }));
    let shares = |shares: Vec<f64>| Figure::new().panel(Panel::new()).column_widths(shares).to_svg().unwrap_err();
    for wrong in [vec![], vec![1.0, 2.0], vec![-1.0], vec![f64::NAN]] {
        assert!(matches!(shares(wrong), Error::Shares { wanted: 1, .. }));
    }
    let tiny = Figure::new().panel(Panel::new()).panel_size(10.0, 10.0);
    assert!(matches!(tiny.to_svg().unwrap_err(), Error::TooSmall { .. }));
    assert!(matches!(
        Figure::new().panel(Panel::new()).columns(0).to_svg().unwrap_err(),
        Error::TooSmall { .. }
    ));
    assert!(matches!(
        Figure::new().panel(Panel::new()).save("figure.bmp").unwrap_err(),
        Error::UnknownFormat { .. }
    ));
}

#[test]
fn text_is_escaped() {
    let svg = Figure::new().panel(Panel::new().title("a < b & $x$")).to_svg().unwrap();
    assert!(svg.contains("a &lt; b &amp; $x$"), "{svg}");
}

#[test]
fn maps_with_the_same_limits_have_the_same_colours() {
    // "True" runs over ±1, "found" over ±2; both hold 0.5 in the middle.
    let map = |size: f64| {
        let values = Array2::from_shape_vec((1, 3), vec![-size, 0.5, size]).unwrap();
        Heatmap::new(values.view()).colors(Colors::Diverging).without_bar()
    };
    let middles = |figure: Figure| -> Vec<String> {
        let svg = figure.to_svg().unwrap();
        let tiles = svg
            .split("crispEdges")
            .skip(1)
            .map(|part| part.split("</g>").next().unwrap_or_default());
        tiles
            .filter_map(|part| part.split(" fill=\"").nth(2)?.split('"').next().map(String::from))
            .take(2)
            .collect()
    };
    let both = |change: fn(Heatmap) -> Heatmap| {
        Figure::new()
            .panel(Panel::new().mark(change(map(1.0))))
            .panel(Panel::new().mark(change(map(2.0))))
    };
    let own = middles(both(|map| map));
    assert!(own.len() == 2 && own[0] != own[1], "{own:?}");
    for shared in [middles(both(|map| map.limits(-2.0, 2.0))), middles(both(|map| map).share_colors())] {
        assert!(shared.len() == 2 && shared[0] == shared[1] && shared[1] == own[1], "{shared:?}");
    }
}
