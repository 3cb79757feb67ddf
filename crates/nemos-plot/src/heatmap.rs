//! Heatmaps: a matrix as colours.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, s};

use crate::canvas::Canvas;
use crate::color_bar::ColorBar;
use crate::error::rising;
use crate::frame::{Extent, Frame};
use crate::image::Image;
use crate::mark::{Draw, Swatch};
use crate::{Color, Colors, Error};

/// Up to so many cells are shapes, which are sharp in every viewer and at every size; more are an image.
const MOST_SHAPES: usize = 2500;

/// A matrix as colours with a colour bar; NaN has a colour that the scale does not have.
///
/// Without further ado it lies as a matrix is written: row 0 at the top, cells centred on whole numbers, so that column `j`
/// spans `j − ½ .. j + ½`. With [`x`](Heatmap::x) and [`y`](Heatmap::y) it is a map of two axes with units, whose vertical axis
/// rises: row 0 is at the bottom.
///
/// More than 2,500 cells become an image inside the figure; a matrix with more cells than the panel has pixels is drawn as means
/// of neighbouring cells.
///
/// # Shapes
/// `values`: `[n_rows, n_columns]`.
///
/// # Options
/// | setter | default |
/// |---|---|
/// | `colors` | [`Colors::Sequential`] |
/// | `limits` | the smallest and the largest value |
/// | `center` | that of the limits; zero for [`Colors::Diverging`] |
/// | `x`, `y` | whole numbers |
/// | `name` | none: title of the colour bar |
/// | `without_bar` | a colour bar stands beside the panel |
///
/// # Example
/// ```
/// use ndarray::Array2;
/// use nemos_plot::{Axis, Colors, Figure, Heatmap, Panel};
/// let power = Array2::from_shape_fn((40, 300), |(band, bin)| (band as f64 - 0.1 * bin as f64).cos());
/// let map = Heatmap::new(power.view()).x(0.0, 60.0).y(0.0, 100.0).limits(-2.0, 2.0).name("power (dB)");
/// let panel = Panel::new().x(Axis::new("time").unit("s")).y(Axis::new("frequency").unit("Hz")).mark(map);
/// assert!(Figure::new().panel(panel).to_svg()?.contains("data:image/png"));
/// # Ok::<(), nemos_plot::Error>(())
/// ```
#[doc(alias = "imshow")]
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Heatmap {
    values: Array2<f64>,
    colors: Colors,
    limits: Option<[f64; 2]>,
    center: Option<f64>,
    x: Option<[f64; 2]>,
    y: Option<[f64; 2]>,
    name: String,
    has_bar: bool,
}

impl Heatmap {
    /// This matrix.
    pub fn new(values: ArrayView2<'_, f64>) -> Self {
        Heatmap {
            values: values.to_owned(),
            colors: Colors::default(),
            limits: None,
            center: None,
            x: None,
            y: None,
            name: String::new(),
            has_bar: true,
        }
    }

    /// How values become colours.
    pub fn colors(mut self, colors: Colors) -> Self {
        self.colors = colors;
        self
    }

    /// The values at both ends of the colours; what lies beyond takes the colour of the end. Two maps with the same limits can
    /// be compared, and [`Figure::share_colors`](crate::Figure::share_colors) finds limits for all of a figure.
    pub fn limits(mut self, low: f64, high: f64) -> Self {
        self.limits = Some([low, high]);
        self
    }

    /// The value in the middle of the colours: the scale goes as far on both sides. Limits that are given count more.
    pub fn center(mut self, value: f64) -> Self {
        self.center = Some(value);
        self
    }

    /// The outer edges of the first and the last column, in the units of the horizontal axis.
    pub fn x(mut self, low: f64, high: f64) -> Self {
        self.x = Some([low, high]);
        self
    }

    /// The outer edges of the first and the last row, in the units of the vertical axis; the first row is the lowest.
    pub fn y(mut self, low: f64, high: f64) -> Self {
        self.y = Some([low, high]);
        self
    }

    /// What the values are, with their unit: written along the colour bar.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Leaves the colour bar out.
    pub fn without_bar(mut self) -> Self {
        self.has_bar = false;
        self
    }

    /// Whether the axes count columns and rows.
    pub(crate) fn counts(&self) -> [bool; 2] {
        [self.x.is_none(), self.y.is_none()]
    }

    /// What explains its colours, if anything does.
    pub(crate) fn color_bar(&self) -> Option<ColorBar> {
        self.has_bar.then(|| ColorBar {
            colors: self.colors,
            limits: self.shown_limits(),
            name: self.name.clone(),
        })
    }

    /// The values at both ends of the colours.
    pub(crate) fn shown_limits(&self) -> [f64; 2] {
        self.limits.unwrap_or_else(|| {
            let mut extent = Extent::default();
            extent.include(&self.values);
            self.colors.limits(extent.range().unwrap_or([0.0, 1.0]), self.center)
        })
    }

    fn edges(&self) -> [[f64; 2]; 2] {
        let whole = |n: usize| [-0.5, n as f64 - 0.5];
        [
            self.x.unwrap_or(whole(self.values.ncols())),
            self.y.unwrap_or(whole(self.values.nrows())),
        ]
    }

    /// Where on the scale a value lies, from 0 to 1.
    fn share(&self, value: f64, [low, high]: [f64; 2]) -> f64 {
        // Halves, because the difference of two large numbers may have no finite value.
        ((0.5 * value - 0.5 * low) / (0.5 * high - 0.5 * low)).clamp(0.0, 1.0)
    }
}

impl Draw for Heatmap {
    fn validate(&self) -> Result<(), Error> {
        if self.values.is_empty() {
            return Err(Error::Empty {
                mark: "a heatmap",
                what: "matrix",
            });
        }
        let ranges = [
            ("the horizontal extent of a heatmap", self.x),
            ("the vertical extent of a heatmap", self.y),
            ("the limits of the colours of a heatmap", self.limits),
        ];
        for (what, range) in ranges {
            range.map_or(Ok(()), |range| rising(what, range))?;
        }
        match self.center.filter(|center| !center.is_finite()) {
            Some(value) => Err(Error::NotFinite {
                what: "the centre of the colours of a heatmap",
                value,
            }),
            None => Ok(()),
        }
    }

    fn extend(&self, x: &mut Extent, y: &mut Extent) {
        let edges = self.edges();
        x.include(&edges[0]);
        y.include(&edges[1]);
    }

    fn color(&self) -> Option<Color> {
        Some(Color::Gray)
    }

    fn legend(&self) -> Option<(&str, Swatch)> {
        None
    }

    fn covered(&self, frame: &Frame) -> Vec<[f64; 2]> {
        let [x, y] = self.edges();
        frame.filled(frame.rectangle(x, y))
    }

    fn draw(&self, frame: &Frame, canvas: &mut Canvas, _color: Color) {
        let [x, y] = self.edges();
        let across: Vec<f64> = between(x, self.values.ncols()).map(|edge| frame.x(edge)).collect();
        let mut down: Vec<f64> = between(y, self.values.nrows()).map(|edge| frame.y(edge)).collect();
        let mut values = self.values.view();
        if down.first() > down.last() {
            // Images are written from the top.
            values.invert_axis(ndarray::Axis(0));
            down.reverse();
        }
        let (rows, columns) = (seen(&down, frame.top, frame.bottom()), seen(&across, frame.left, frame.right()));
        let values = values.slice(s![rows.clone(), columns.clone()]);
        let (across, down) = (&across[columns.start..=columns.end], &down[rows.start..=rows.end]);
        let limits = self.shown_limits();
        let share = |value: f64| self.share(value, limits);
        let place = [across[0], down[0], across[across.len() - 1], down[down.len() - 1]];
        if values.len() > MOST_SHAPES && place.iter().all(|side| side.abs() < 1e5) {
            let image = Image::new(values, [place[2] - place[0], place[3] - place[1]]);
            canvas.image(place, image.address(self.colors, share), image.is_coarse());
            return;
        }
        let color = |value: f64| {
            if value.is_finite() {
                self.colors.rgb(share(value))
            } else {
                self.colors.missing()
            }
        };
        let rows = values.rows().into_iter().enumerate().flat_map(|(row, values)| {
            let colors: Vec<[u8; 3]> = values.iter().map(|&value| color(value)).collect();
            let mut column = 0;
            // Neighbours of one colour are one tile.
            let tile = |same: &[[u8; 3]]| {
                let left = column;
                column += same.len();
                ([across[left], down[row], across[column], down[row + 1]], same[0])
            };
            colors.chunk_by(|a, b| a == b).map(tile).collect::<Vec<_>>()
        });
        canvas.tiles(rows);
    }
}

/// The edges of `n` cells between two values.
fn between([low, high]: [f64; 2], n: usize) -> impl Iterator<Item = f64> {
    (0..=n).map(move |edge| low + (high - low) * (edge as f64 / n as f64))
}

/// The cells between these edges of which something lies between `from` and `to`.
fn seen(edges: &[f64], from: f64, to: f64) -> Range<usize> {
    let first = edges[1..].iter().take_while(|&&end| end < from).count();
    let after = edges[..edges.len() - 1].iter().take_while(|&&start| start <= to).count();
    first.min(after)..after
}
