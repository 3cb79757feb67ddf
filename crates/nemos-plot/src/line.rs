//! Lines, and the bands between two of them.

use crate::canvas::{Canvas, Stroke};
use crate::error::{is_size, same_length};
use crate::frame::{Extent, Frame};
use crate::mark::{Draw, Swatch, along, labelled};
use crate::{Color, Error};

/// How opaque a band is.
const OPACITY: f64 = 0.25;

/// A line through points, in their order; a NaN or an infinity leaves a gap.
///
/// # Options
/// | setter | default |
/// |---|---|
/// | `label` | none: not in the legend |
/// | `color` | the next of the panel |
/// | `width` | 2 pixels |
/// | `dashed` | solid |
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Line {
    x: Vec<f64>,
    y: Vec<f64>,
    label: String,
    color: Option<Color>,
    width: f64,
    dashed: bool,
}

impl Line {
    /// A line through these points.
    pub fn new(x: impl Into<Vec<f64>>, y: impl Into<Vec<f64>>) -> Self {
        Line {
            x: x.into(),
            y: y.into(),
            label: String::new(),
            color: None,
            width: 2.0,
            dashed: false,
        }
    }

    /// Its name in the legend.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Its colour.
    pub fn color(mut self, color: Color) -> Self {
        self.color = Some(color);
        self
    }

    /// Its width in pixels.
    pub fn width(mut self, pixels: f64) -> Self {
        self.width = pixels;
        self
    }

    /// Draws it in dashes.
    pub fn dashed(mut self) -> Self {
        self.dashed = true;
        self
    }
}

impl Draw for Line {
    fn validate(&self) -> Result<(), Error> {
        if self.x.is_empty() {
            return Err(Error::Empty { mark: "a line", what: "x" });
        }
        is_size("the width of a line", self.width)?;
        same_length("a line", ("x", self.x.len()), ("y", self.y.len()))
    }

    fn extend(&self, x: &mut Extent, y: &mut Extent) {
        x.include(&self.x);
        y.include(&self.y);
    }

    fn color(&self) -> Option<Color> {
        self.color
    }

    fn legend(&self) -> Option<(&str, Swatch)> {
        labelled(&self.label, if self.dashed { Swatch::Dashes } else { Swatch::Line })
    }

    fn covered(&self, frame: &Frame) -> Vec<[f64; 2]> {
        along(frame, self.x.iter().zip(&self.y).map(|(&x, &y)| frame.point(x, y)))
    }

    fn draw(&self, frame: &Frame, canvas: &mut Canvas, color: Color) {
        let points = self.x.iter().zip(&self.y).map(|(&x, &y)| frame.point(x, y));
        let stroke = Stroke {
            color,
            width: self.width,
            dashed: self.dashed,
        };
        canvas.polyline(points, stroke);
    }
}

/// A band between two lines, such as a confidence interval; a NaN leaves a gap.
#[doc(alias = "fill_between")]
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Area {
    x: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    label: String,
    color: Option<Color>,
}

impl Area {
    /// The band from `lower` to `upper` over `x`.
    pub fn new(x: impl Into<Vec<f64>>, lower: impl Into<Vec<f64>>, upper: impl Into<Vec<f64>>) -> Self {
        Area {
            x: x.into(),
            lower: lower.into(),
            upper: upper.into(),
            label: String::new(),
            color: None,
        }
    }

    /// Its name in the legend.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Its colour, of which it takes a light tint.
    pub fn color(mut self, color: Color) -> Self {
        self.color = Some(color);
        self
    }

    /// Its stretches without a gap, as rows.
    fn runs(&self) -> Vec<Vec<usize>> {
        let finite = |&row: &usize| {
            [self.x[row], self.lower[row], self.upper[row]]
                .iter()
                .all(|value| value.is_finite())
        };
        let rows: Vec<usize> = (0..self.x.len()).collect();
        let runs = rows.chunk_by(|a, b| finite(a) && finite(b)).filter(|run| finite(&run[0]));
        runs.map(<[usize]>::to_vec).collect()
    }

    /// The shapes that it is made of, on the canvas: one for each stretch.
    fn shapes(&self, frame: &Frame) -> Vec<Vec<[f64; 2]>> {
        let shape = |run: Vec<usize>| {
            let there = run.iter().map(|&row| frame.point(self.x[row], self.lower[row]));
            let back = run.iter().rev().map(|&row| frame.point(self.x[row], self.upper[row]));
            there.chain(back).collect()
        };
        self.runs().into_iter().map(shape).collect()
    }

    /// A line on the canvas that lies in it, `share` of the way from its lower to its upper side.
    fn inside(&self, frame: &Frame, run: &[usize], share: f64) -> Vec<[f64; 2]> {
        let between = |&row: &usize| {
            let [low, high] = [self.lower[row], self.upper[row]].map(|value| frame.y(value));
            [frame.x(self.x[row]), low + share * (high - low)]
        };
        along(frame, run.iter().map(between))
    }
}

impl Draw for Area {
    fn validate(&self) -> Result<(), Error> {
        if self.x.is_empty() {
            return Err(Error::Empty {
                mark: "an area",
                what: "x",
            });
        }
        same_length("an area", ("x", self.x.len()), ("lower ends", self.lower.len()))?;
        same_length("an area", ("x", self.x.len()), ("upper ends", self.upper.len()))
    }

    fn extend(&self, x: &mut Extent, y: &mut Extent) {
        x.include(&self.x);
        y.include(self.lower.iter().chain(&self.upper));
    }

    fn color(&self) -> Option<Color> {
        self.color
    }

    fn legend(&self) -> Option<(&str, Swatch)> {
        labelled(&self.label, Swatch::Box(OPACITY))
    }

    fn covered(&self, frame: &Frame) -> Vec<[f64; 2]> {
        // Its outline, and lines in it that are so close to each other that no legend finds room between them.
        let n_lines = (frame.height / 16.0).ceil().max(16.0);
        let outline = self.shapes(frame).into_iter().flat_map(|shape| along(frame, shape));
        let runs = self.runs();
        let shares = (1..n_lines as usize).map(|line| line as f64 / n_lines);
        let inside = shares.flat_map(|share| runs.iter().flat_map(move |run| self.inside(frame, run, share)));
        outline.chain(inside).collect()
    }

    fn draw(&self, frame: &Frame, canvas: &mut Canvas, color: Color) {
        for shape in self.shapes(frame) {
            canvas.polygon(shape, color, OPACITY);
        }
    }
}
