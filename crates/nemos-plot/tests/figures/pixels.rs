//! Figures as pixels: marks stay inside their frames, and labels are there.

use ndarray::Array2;
use nemos_plot::{Area, Axis, Background, Bars, Error, Figure, Heatmap, Line, Mark, Panel, Raster, Scatter, Span};

use crate::support::clip_of;

struct Pixels {
    width: usize,
    bytes: Vec<u8>,
}

fn pixels(file: &[u8]) -> Pixels {
    let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().expect("a PNG");
    let mut bytes = vec![0; reader.output_buffer_size().expect("a size")];
    let frame = reader.next_frame(&mut bytes).expect("an image");
    let width = frame.width as usize;
    Pixels { width, bytes }
}

/// Where two images differ: columns and rows of pixels.
fn differences(left: &Pixels, right: &Pixels) -> Vec<[f64; 2]> {
    assert_eq!(left.bytes.len(), right.bytes.len());
    let pairs = left.bytes.chunks(4).zip(right.bytes.chunks(4)).enumerate();
    let different = pairs.filter(|(_, (left, right))| left != right);
    different
        .map(|(at, _)| [(at % left.width) as f64, (at / left.width) as f64])
        .collect()
}

/// A panel that shows a window of 0..1 on both axes, without ticks.
fn window(marks: Vec<Mark>) -> Figure {
    let bare = |range: [f64; 2]| Axis::new("").range(range[0], range[1]).ticks(Vec::<(f64, String)>::new());
    let panel = Panel::new().x(bare([0.0, 1.0])).y(bare([0.0, 1.0]));
    let panel = marks.into_iter().fold(panel, Panel::mark);
    Figure::new().panel(panel).panel_size(200.0, 200.0).background(Background::White)
}

#[test]
fn marks_that_are_larger_than_the_window_are_cut_off() {
    let wide: Vec<f64> = (-20..40).map(|step| 0.1 * f64::from(step)).collect();
    let high: Vec<f64> = wide.iter().map(|x| 3.0 * (4.0 * x).sin()).collect();
    let edges: Vec<f64> = (-20..=40).map(|step| 0.1 * f64::from(step)).collect();
    let map = |n: usize| {
        Heatmap::new(Array2::from_shape_fn((n, n), |(i, j)| (i + j) as f64).view())
            .x(-1.0, 2.0)
            .y(-1.0, 2.0)
    };
    let marks: Vec<(&str, Mark)> = vec![
        ("line", Line::new(wide.clone(), high.clone()).into()),
        ("area", Area::new(wide.clone(), high.clone(), vec![9.0; 60]).into()),
        ("bars", Bars::new(edges, high.clone()).into()),
        ("scatter", Scatter::new(wide.clone(), high).radius(9.0).into()),
        ("raster", Raster::new(vec![wide.clone(), wide.clone(), wide]).into()),
        ("span", Span::new(-5.0, 0.5).into()),
        ("heatmap of shapes", map(10).into()),
        ("heatmap as an image", map(100).into()),
    ];
    for (name, mark) in marks {
        // The colour bar of a map stands outside: it is compared with that of a map that lies elsewhere.
        let nothing = match &mark {
            Mark::Heatmap(map) => vec![map.clone().x(10.0, 11.0).into()],
            _ => Vec::new(),
        };
        let without = window(nothing);
        let figure = window(vec![mark]);
        let [left, top, right, bottom] = clip_of(&figure.to_svg().expect("a figure"));
        let drawn = pixels(&figure.to_png(1.0).expect("an image"));
        let where_drawn = differences(&drawn, &pixels(&without.to_png(1.0).expect("an image")));
        assert!(where_drawn.len() > 100, "{name}: {} pixels", where_drawn.len());
        let is_outside = |[x, y]: &[f64; 2]| *x < left - 1.0 || *x > right || *y < top - 1.0 || *y > bottom;
        let outside = where_drawn.iter().filter(|at| is_outside(at)).count();
        assert_eq!(outside, 0, "{name}");
    }
}

#[test]
fn labels_are_drawn_and_the_background_is_what_was_asked_for() {
    let panel = |name: &str| Panel::new().x(Axis::new(name));
    let image = |figure: Figure| pixels(&figure.to_png(2.0).expect("an image"));
    let [with, without] = ["position", ""].map(|name| image(Figure::new().panel(panel(name)).background(Background::White)));
    assert!(differences(&with, &without).len() > 100);
    let transparent = image(Figure::new().panel(panel("")));
    assert_eq!(transparent.bytes[..4], [0, 0, 0, 0]);
    assert_eq!(without.bytes[..4], [255, 255, 255, 255]);
}

#[test]
fn sizes_that_cannot_be_are_errors() {
    let figure = Figure::new().panel(Panel::new());
    for scale in [0.0, -1.0, f64::NAN, 1e6] {
        assert!(matches!(figure.to_png(scale), Err(Error::Scale { .. })), "{scale}");
    }
}
