//! Rasters: when events happened, one row per trial or neuron.

use crate::canvas::{Canvas, Stroke};
use crate::error::{is_size, rising};
use crate::frame::{Extent, Frame};
use crate::mark::{Draw, Swatch, labelled};
use crate::{Color, Error};

/// Events as short strokes, one row for each list of times; the first list is row 0, at the bottom.
///
/// A list may be empty: its row stays blank. A time that is not finite is left out.
///
/// # Options
/// | setter | default |
/// |---|---|
/// | `between` | row `i` is centred on `i`, and the vertical axis counts rows |
/// | `width` | 1.1 pixels |
/// | `color` | [`Color::Black`] |
/// | `label` | none: not in the legend |
///
/// # Example
/// Spikes of three trials in a strip under their rate:
/// ```
/// use nemos_plot::{Figure, Line, Panel, Raster};
/// let spikes = vec![vec![0.1, 0.5], vec![0.6], vec![0.55, 0.9]];
/// let panel = Panel::new()
///     .mark(Line::new([0.0, 0.5, 1.0], [2.0, 9.0, 4.0]))
///     .mark(Raster::new(spikes).between(-3.0, -0.5).width(2.0));
/// assert!(Figure::new().panel(panel).to_svg()?.contains("stroke-width=\"2\""));
/// # Ok::<(), nemos_plot::Error>(())
/// ```
#[doc(alias = "eventplot")]
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Raster {
    rows: Vec<Vec<f64>>,
    strip: Option<[f64; 2]>,
    width: f64,
    label: String,
    color: Option<Color>,
}

impl Raster {
    /// One row for each list of event times, or for each unit of a group: `Raster::new(&units)`.
    pub fn new(rows: impl Into<Vec<Vec<f64>>>) -> Self {
        Raster {
            rows: rows.into(),
            strip: None,
            width: 1.1,
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

    /// Puts all rows between these two values of the vertical axis, the first at `low`: beside curves, in their units.
    pub fn between(mut self, low: f64, high: f64) -> Self {
        self.strip = Some([low, high]);
        self
    }

    /// The width of a stroke in pixels.
    pub fn width(mut self, pixels: f64) -> Self {
        self.width = pixels;
        self
    }

    /// Whether the vertical axis counts its rows.
    pub(crate) fn counts_rows(&self) -> bool {
        self.strip.is_none()
    }

    fn strip(&self) -> [f64; 2] {
        self.strip.unwrap_or([-0.5, self.rows.len() as f64 - 0.5])
    }
}

impl Draw for Raster {
    fn validate(&self) -> Result<(), Error> {
        if self.rows.is_empty() {
            return Err(Error::Empty {
                mark: "a raster",
                what: "rows",
            });
        }
        is_size("the width of strokes of a raster", self.width)?;
        rising("the strip of a raster", self.strip())
    }

    fn extend(&self, x: &mut Extent, y: &mut Extent) {
        x.include(self.rows.iter().flatten());
        y.include(&self.strip());
    }

    fn color(&self) -> Option<Color> {
        self.color
    }

    fn legend(&self) -> Option<(&str, Swatch)> {
        labelled(&self.label, Swatch::Tick)
    }

    fn covered(&self, frame: &Frame) -> Vec<[f64; 2]> {
        let mut x = Extent::default();
        x.include(self.rows.iter().flatten());
        x.range().map_or(Vec::new(), |x| frame.filled(frame.rectangle(x, self.strip())))
    }

    fn draw(&self, frame: &Frame, canvas: &mut Canvas, color: Color) {
        let [low, high] = self.strip();
        let pitch = (high - low) / self.rows.len() as f64;
        let strokes = self.rows.iter().enumerate().flat_map(|(row, times)| {
            let ends = [0.1, 0.9].map(|share| frame.y(low + (row as f64 + share) * pitch));
            times.iter().map(move |&time| (frame.x(time), ends))
        });
        canvas.strokes(strokes, Stroke::new(color, self.width));
    }
}
