//! Heatmaps: a matrix as colours.

use ndarray::{Array2, ArrayView2};

use crate::axis::Axis;
use crate::canvas::{Anchor, Canvas, LABEL, Stroke, TICK, text_width};
use crate::frame::{Extent, Frame};
use crate::{Color, Colors, Error};

/// Room that a colour bar takes at the right of a panel, with ticks and name.
pub(crate) const BAR_ROOM: f64 = 86.0;

/// A matrix as colours with a colour bar: row 0 at the top, as a matrix is written; NaN is grey.
///
/// # Shapes
/// `values`: `[n_rows, n_columns]`. Cells are centred on whole numbers: column `j` spans `j − ½ .. j + ½`.
///
/// # Options
/// | setter | default |
/// |---|---|
/// | `colors` | [`Colors::Sequential`] |
/// | `name` | none: title of the colour bar |
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Heatmap {
    values: Array2<f64>,
    colors: Colors,
    name: String,
}

impl Heatmap {
    /// This matrix.
    pub fn new(values: ArrayView2<'_, f64>) -> Self {
        Heatmap {
            values: values.to_owned(),
            colors: Colors::default(),
            name: String::new(),
        }
    }

    /// How values become colours.
    pub fn colors(mut self, colors: Colors) -> Self {
        self.colors = colors;
        self
    }

    /// What the values are, with their unit: written along the colour bar.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.values.is_empty() {
            return Err(Error::Empty {
                mark: "a heatmap",
                what: "matrix",
            });
        }
        Ok(())
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.values.nrows()
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.values.ncols()
    }

    fn limits(&self) -> [f64; 2] {
        let mut extent = Extent::default();
        extent.include(&self.values);
        let [low, high] = extent.range().unwrap_or([0.0, 1.0]);
        self.colors.limits(low, high)
    }

    pub(crate) fn draw(&self, frame: &Frame, canvas: &mut Canvas) {
        let [low, high] = self.limits();
        let cell = [frame.width / self.n_columns() as f64, frame.height / self.n_rows() as f64];
        for ((row, column), &value) in self.values.indexed_iter() {
            let color = if value.is_finite() {
                self.colors.at((value - low) / (high - low))
            } else {
                Color::LightGray
            };
            let corner = [frame.left + column as f64 * cell[0], frame.top + row as f64 * cell[1]];
            // Cells overlap by a pixel, or the background would shine through between them.
            canvas.rectangle(corner, [cell[0] + 1.0, cell[1] + 1.0], color, 1.0);
        }
    }

    /// The colour bar, to the right of the frame.
    pub(crate) fn draw_bar(&self, frame: &Frame, canvas: &mut Canvas) {
        const STEPS: usize = 64;
        let [low, high] = self.limits();
        let (left, width) = (frame.right() + 12.0, 12.0);
        for step in 0..STEPS {
            let top = frame.bottom() - frame.height * (step + 1) as f64 / STEPS as f64;
            let color = self.colors.at((step as f64 + 0.5) / STEPS as f64);
            let overlap = if step == 0 { 0.0 } else { 1.0 };
            canvas.rectangle([left, top], [width, frame.height / STEPS as f64 + overlap], color, 1.0);
        }
        let scale = Frame {
            y_range: [low, high],
            ..*frame
        };
        let mut widest: f64 = 0.0;
        for (at, label) in Axis::default().ticks_in([low, high], 4) {
            let y = scale.y(at);
            widest = widest.max(text_width(&label, TICK));
            canvas.line([left + width, y], [left + width + 4.0, y], Stroke::new(Color::Gray, 1.0));
            canvas.text([left + width + 7.0, y + 4.0], Anchor::Start, TICK, &label);
        }
        let middle = frame.top + 0.5 * frame.height;
        canvas.text([left + width + 24.0 + widest, middle], Anchor::Upwards, LABEL, &self.name);
    }
}
