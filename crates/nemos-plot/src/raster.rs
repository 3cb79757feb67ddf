//! Rasters: when events happened, one row per trial or neuron.

use crate::canvas::{Canvas, Stroke};
use crate::frame::Frame;
use crate::{Color, Error};

/// Events as short strokes, one row for each list of times; the first list is row 0, at the bottom.
///
/// A list may be empty: its row stays blank.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Raster {
    pub(crate) rows: Vec<Vec<f64>>,
    pub(crate) label: String,
    pub(crate) color: Option<Color>,
}

impl Raster {
    /// One row for each list of event times.
    pub fn new(rows: impl Into<Vec<Vec<f64>>>) -> Self {
        Raster {
            rows: rows.into(),
            label: String::new(),
            color: Some(Color::Black),
        }
    }

    /// Its name in the legend.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Its colour; black unless said otherwise.
    pub fn color(mut self, color: Color) -> Self {
        self.color = Some(color);
        self
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.rows.is_empty() {
            return Err(Error::Empty {
                mark: "a raster",
                what: "rows",
            });
        }
        Ok(())
    }

    pub(crate) fn draw(&self, frame: &Frame, canvas: &mut Canvas, color: Color) {
        let strokes = self.rows.iter().enumerate().flat_map(|(row, times)| {
            let ends = [frame.y(row as f64 - 0.4), frame.y(row as f64 + 0.4)];
            let finite = times.iter().filter(|time| time.is_finite());
            finite.map(move |&time| (frame.x(time), ends))
        });
        canvas.ticks(strokes, Stroke::new(color, 1.1));
    }
}
