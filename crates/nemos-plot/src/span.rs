//! Spans: shaded stretches of the horizontal axis.

use crate::canvas::Canvas;
use crate::frame::Frame;
use crate::{Color, Error};

/// A shaded stretch of the horizontal axis over the whole height of a panel: a stimulus, a sleep epoch.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Span {
    pub(crate) start: f64,
    pub(crate) end: f64,
    pub(crate) label: String,
    pub(crate) color: Option<Color>,
}

impl Span {
    /// From `start` to `end`, in light grey.
    pub fn new(start: f64, end: f64) -> Self {
        Span {
            start,
            end,
            label: String::new(),
            color: Some(Color::Gray),
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

    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.start < self.end && (self.end - self.start).is_finite() {
            return Ok(());
        }
        Err(Error::NotRising {
            what: "a span",
            start: self.start,
            end: self.end,
        })
    }

    pub(crate) fn draw(&self, frame: &Frame, canvas: &mut Canvas, color: Color) {
        let (left, right) = (frame.x(self.start), frame.x(self.end));
        canvas.rectangle([left, frame.top], [right - left, frame.height], color, 0.18);
    }
}
