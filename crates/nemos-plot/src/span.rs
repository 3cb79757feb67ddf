//! Spans: shaded stretches of the horizontal axis.

use crate::canvas::Canvas;
use crate::error::rising;
use crate::frame::{Extent, Frame};
use crate::mark::{Draw, Swatch, labelled};
use crate::{Color, Error};

/// How opaque it is.
const OPACITY: f64 = 0.22;

/// A shaded stretch of the horizontal axis over the whole height of a panel: a stimulus, a sleep epoch.
#[doc(alias = "axvspan")]
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Span {
    start: f64,
    end: f64,
    label: String,
    color: Option<Color>,
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
}

impl Draw for Span {
    fn validate(&self) -> Result<(), Error> {
        rising("a span", [self.start, self.end])
    }

    fn extend(&self, x: &mut Extent, _y: &mut Extent) {
        x.include(&[self.start, self.end]);
    }

    fn color(&self) -> Option<Color> {
        self.color
    }

    fn legend(&self) -> Option<(&str, Swatch)> {
        labelled(&self.label, Swatch::Box(OPACITY))
    }

    fn covered(&self, _frame: &Frame) -> Vec<[f64; 2]> {
        // It is background: a legend may stand on it.
        Vec::new()
    }

    fn draw(&self, frame: &Frame, canvas: &mut Canvas, color: Color) {
        let (left, right) = (frame.x(self.start), frame.x(self.end));
        canvas.rectangle([left, frame.top, right, frame.bottom()], color, OPACITY);
    }
}
