//! Whatever is drawn is a well-formed document whose marks are cut off at their frame.

use ndarray::Array2;
use nemos_plot::{Area, Axis, Background, Bars, Colors, Figure, Heatmap, Line, Mark, Panel, Polar, Raster, Scatter, Span};
use proptest::prelude::*;

use crate::support::{check, checked, n_clipped_shapes};

fn one_of_each(values: &[f64]) -> Vec<Mark> {
    let x: Vec<f64> = (0..values.len()).map(|index| index as f64).collect();
    let edges: Vec<f64> = (0..=values.len()).map(|index| index as f64).collect();
    let square = Array2::from_shape_fn((3, values.len()), |(row, column)| values[(row + column) % values.len()]);
    let large = Array2::from_shape_fn((60, 60), |(row, column)| values[(row + column) % values.len()]);
    vec![
        Line::new(x.clone(), values).label("line").into(),
        Line::new(values, x.clone()).dashed().into(),
        Area::new(x.clone(), values, x.clone()).into(),
        Bars::new(edges, values).into(),
        Bars::named(x.iter().map(f64::to_string), values).into(),
        Scatter::new(values, values).into(),
        Raster::new(vec![values.to_vec(), vec![]]).into(),
        Raster::new(vec![values.to_vec()]).between(-3.0, -1.0).into(),
        Heatmap::new(square.view()).into(),
        Heatmap::new(large.view())
            .colors(Colors::Diverging)
            .center(0.5)
            .x(-1.0, 4.0)
            .y(0.0, 1.0)
            .into(),
        Polar::new(x, values).into(),
    ]
}

#[test]
fn every_mark_is_cut_off_at_its_frame() {
    let values = [0.3, 1.5, f64::NAN, 2.5, 0.1];
    let mut marks = one_of_each(&values);
    marks.push(Span::new(1.0, 2.0).into());
    for mark in marks {
        let shown = format!("{mark:?}");
        assert!(n_clipped_shapes(Panel::new().mark(mark)) > 0, "{shown}");
    }
    assert_eq!(n_clipped_shapes(Panel::new()), 0);
}

#[test]
fn what_lies_far_outside_is_left_out() {
    let x: Vec<f64> = (0..1000).map(f64::from).collect();
    let panel = Panel::new().x(Axis::new("x").range(400.0, 410.0)).y(Axis::new("y").range(0.0, 1.0));
    let spike = Line::new(x.clone(), x.iter().map(|x| 1e200 * (x - 405.0)).collect::<Vec<_>>());
    let svg = checked(&Figure::new().panel(panel.mark(Scatter::new(x.clone(), x.clone())).mark(spike)));
    assert!(svg.len() < 6000, "{} bytes", svg.len());
}

#[test]
fn the_largest_numbers_and_the_smallest_ranges_are_drawn() {
    for values in [
        vec![f64::MAX],
        vec![-f64::MAX, f64::MAX],
        vec![1.06e308],
        vec![f64::MIN_POSITIVE, 0.0],
    ] {
        for mark in one_of_each(&values) {
            let x = Axis::new("x").range(0.0, f64::MIN_POSITIVE);
            checked(
                &Figure::new()
                    .panel(Panel::new().mark(mark.clone()))
                    .panel(Panel::new().x(x).mark(mark)),
            );
        }
    }
}

#[test]
fn large_data_make_small_files() {
    let x: Vec<f64> = (0..200_000).map(f64::from).collect();
    let y: Vec<f64> = x.iter().map(|x| (0.3 * x).sin()).collect();
    let line = checked(&Figure::new().panel(Panel::new().mark(Line::new(x.clone(), y))));
    assert!(line.len() < 80_000, "{} bytes", line.len());
    let matrix = Array2::from_shape_fn((400, 1000), |(row, column)| (0.01 * (row * column) as f64).sin());
    let map = checked(&Figure::new().panel(Panel::new().mark(Heatmap::new(matrix.view()))));
    assert!(map.len() < 700_000, "{} bytes", map.len());
    let raster = checked(&Figure::new().panel(Panel::new().mark(Raster::new(vec![x]))));
    assert!(raster.len() < 100_000, "{} bytes", raster.len());
}

#[test]
fn the_figures_of_the_book_are_sound() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/src");
    let mut count = 0;
    for entry in std::fs::read_dir(folder)
        .expect("the book")
        .map(|entry| entry.expect("a file").path())
    {
        if entry.extension().is_some_and(|extension| extension == "svg") {
            let svg = std::fs::read_to_string(&entry).expect("a file that can be read");
            check(&svg);
            assert!(svg.contains("<clipPath"), "{}", entry.display());
            count += 1;
        }
    }
    assert!(count >= 10, "{count} figures");
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -10.0..10.0,
        1 => any::<f64>(),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(0.0), Just(f64::MAX), Just(f64::MIN_POSITIVE), Just(-f64::MAX)],
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_numbers_and_any_text_make_a_sound_document(
        values in prop::collection::vec(any_value(), 1..30),
        text in any::<String>(),
        range in (any_value(), any_value()),
        size in (60.0..900.0, 60.0..900.0),
    ) {
        for mark in one_of_each(&values) {
            let mut x = Axis::new(text.clone()).unit(text.clone());
            if range.0 < range.1 && (range.1 - range.0).is_finite() {
                x = x.range(range.0, range.1);
            }
            let panel = Panel::new().title(text.clone()).x(x).mark(mark);
            let figure = Figure::new().title(text.clone()).panel(panel).panel_size(size.0, size.1);
            checked(&figure.background(Background::White).share_colors());
        }
    }
}
