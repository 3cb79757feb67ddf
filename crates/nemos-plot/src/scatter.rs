//! Points.

use crate::canvas::Canvas;
use crate::error::{is_size, same_length};
use crate::frame::{Extent, Frame};
use crate::mark::{Draw, Swatch, labelled};
use crate::{Color, Error};

/// Points, slightly transparent so that many on one place show; a NaN or an infinity is left out.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Scatter {
    x: Vec<f64>,
    y: Vec<f64>,
    label: String,
    color: Option<Color>,
    radius: f64,
}

impl Scatter {
    /// These points, of a radius of 3 pixels.
    pub fn new(x: impl Into<Vec<f64>>, y: impl Into<Vec<f64>>) -> Self {
        Scatter {
            x: x.into(),
            y: y.into(),
            label: String::new(),
            color: None,
            radius: 3.0,
        }
    }

    /// Their name in the legend.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Their colour.
    pub fn color(mut self, color: Color) -> Self {
        self.color = Some(color);
        self
    }

    /// Their radius in pixels.
    pub fn radius(mut self, pixels: f64) -> Self {
        self.radius = pixels;
        self
    }
}

impl Draw for Scatter {
    fn validate(&self) -> Result<(), Error> {
        if self.x.is_empty() {
            return Err(Error::Empty {
                mark: "a scatter",
                what: "x",
            });
        }
        is_size("the radius of points", self.radius)?;
        same_length("a scatter", ("x", self.x.len()), ("y", self.y.len()))
    }

    fn extend(&self, x: &mut Extent, y: &mut Extent) {
        x.include(&self.x);
        y.include(&self.y);
    }

    fn color(&self) -> Option<Color> {
        self.color
    }

    fn legend(&self) -> Option<(&str, Swatch)> {
        labelled(&self.label, Swatch::Dot)
    }

    fn covered(&self, frame: &Frame) -> Vec<[f64; 2]> {
        // The middle of each, and its four sides.
        let sides = [[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]];
        let around = |[x, y]: [f64; 2]| sides.map(|[right, down]| [x + right * self.radius, y + down * self.radius]);
        let points = self.x.iter().zip(&self.y);
        points.flat_map(|(&x, &y)| around(frame.point(x, y))).collect()
    }

    fn draw(&self, frame: &Frame, canvas: &mut Canvas, color: Color) {
        for (&x, &y) in self.x.iter().zip(&self.y) {
            if x.is_finite() && y.is_finite() {
                canvas.circle(frame.point(x, y), self.radius, color, 0.75);
            }
        }
    }
}
