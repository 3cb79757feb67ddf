//! Points.

use crate::canvas::Canvas;
use crate::error::same_length;
use crate::frame::Frame;
use crate::{Color, Error};

/// Points, slightly transparent so that many on one place show; a NaN or an infinity is left out.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Scatter {
    pub(crate) x: Vec<f64>,
    pub(crate) y: Vec<f64>,
    pub(crate) label: String,
    pub(crate) color: Option<Color>,
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

    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.x.is_empty() {
            return Err(Error::Empty {
                mark: "a scatter",
                what: "x",
            });
        }
        same_length("a scatter", ("x", self.x.len()), ("y", self.y.len()))
    }

    pub(crate) fn draw(&self, frame: &Frame, canvas: &mut Canvas, color: Color) {
        for (&x, &y) in self.x.iter().zip(&self.y) {
            if x.is_finite() && y.is_finite() {
                canvas.circle(frame.point(x, y), self.radius, color, 0.75);
            }
        }
    }
}
