//! Bars between edges: histograms and raw tuning curves.

use crate::canvas::Canvas;
use crate::frame::Frame;
use crate::{Color, Error};

/// One bar between each two neighbouring edges, standing on zero; a NaN leaves a gap.
///
/// # Shapes
/// `edges`: `[n_bins + 1]`, rising; `heights`: `[n_bins]`.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Bars {
    pub(crate) edges: Vec<f64>,
    pub(crate) heights: Vec<f64>,
    pub(crate) label: String,
    pub(crate) color: Option<Color>,
}

impl Bars {
    /// Bars of these heights.
    pub fn new(edges: impl Into<Vec<f64>>, heights: impl Into<Vec<f64>>) -> Self {
        Bars {
            edges: edges.into(),
            heights: heights.into(),
            label: String::new(),
            color: None,
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

    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.heights.is_empty() {
            return Err(Error::Empty {
                mark: "a set of bars",
                what: "heights",
            });
        }
        if self.edges.len() != self.heights.len() + 1 {
            return Err(Error::LengthsDiffer {
                mark: "a set of bars",
                left_name: "edges",
                left: self.edges.len(),
                right_name: "heights",
                right: self.heights.len(),
                rule: "one edge more than it has heights",
            });
        }
        match self
            .edges
            .windows(2)
            .find(|pair| !(pair[0] < pair[1] && (pair[1] - pair[0]).is_finite()))
        {
            Some(pair) => Err(Error::NotRising {
                what: "an edge of bars",
                start: pair[0],
                end: pair[1],
            }),
            None => Ok(()),
        }
    }

    pub(crate) fn draw(&self, frame: &Frame, canvas: &mut Canvas, color: Color) {
        for (edges, &height) in self.edges.windows(2).zip(&self.heights) {
            if height.is_finite() && height != 0.0 {
                let (left, right) = (frame.x(edges[0]), frame.x(edges[1]));
                let (top, bottom) = (frame.y(height.max(0.0)), frame.y(height.min(0.0)));
                // A hair of background between bars, as long as they are wide enough to spare it.
                let gap = if right - left > 4.0 { 1.0 } else { 0.0 };
                canvas.rectangle([left + 0.5 * gap, top], [right - left - gap, bottom - top], color, 1.0);
            }
        }
    }
}
