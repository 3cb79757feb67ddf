//! Panels: two axes and what is drawn between them.

use crate::canvas::{Anchor, Canvas, LABEL, Stroke, TICK, TITLE, text_width};
use crate::frame::{Extent, Frame};
use crate::heatmap::BAR_ROOM;
use crate::polar::draw_disc;
use crate::{Axis, Color, Error, Mark, legend};

/// One pair of axes with marks between them.
///
/// A panel whose marks are all [`Polar`](crate::Polar) is a disc: its `y` axis is the radius.
///
/// # Options
/// | setter | default |
/// |---|---|
/// | `title` | none |
/// | `x`, `y` | unnamed, as wide as the data |
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Panel {
    title: String,
    x: Axis,
    y: Axis,
    marks: Vec<Mark>,
}

/// Where a panel lies in its figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cell {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Panel {
    /// A panel without marks.
    pub fn new() -> Self {
        Panel::default()
    }

    /// Its title.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Its horizontal axis.
    pub fn x(mut self, axis: Axis) -> Self {
        self.x = axis;
        self
    }

    /// Its vertical axis.
    pub fn y(mut self, axis: Axis) -> Self {
        self.y = axis;
        self
    }

    /// Adds a mark on top of those already there.
    pub fn mark(mut self, mark: impl Into<Mark>) -> Self {
        self.marks.push(mark.into());
        self
    }

    pub(crate) fn validate(&self, index: usize) -> Result<(), Error> {
        self.x.validate("the range of the x axis")?;
        self.y.validate("the range of the y axis")?;
        let n_polar = self.marks.iter().filter(|mark| matches!(mark, Mark::Polar(_))).count();
        if n_polar != 0 && n_polar != self.marks.len() {
            return Err(Error::MixedPanel { panel: index });
        }
        self.marks.iter().try_for_each(Mark::validate)
    }

    pub(crate) fn draw(&self, cell: Cell, canvas: &mut Canvas) {
        let frame = self.frame(cell);
        let marks = self.colored();
        let title_at = [frame.left + 0.5 * frame.width, cell.top + f64::from(TITLE)];
        canvas.text(title_at, Anchor::Middle, TITLE, &self.title);
        if matches!(self.marks.first(), Some(Mark::Polar(_))) {
            draw_disc(&frame, canvas, &self.y);
        }
        canvas.clipped(&frame, |canvas| {
            for (mark, color) in &marks {
                mark.draw(&frame, canvas, *color);
            }
        });
        if !matches!(self.marks.first(), Some(Mark::Polar(_))) {
            self.draw_axes(&frame, canvas);
        }
        if let Some(heatmap) = self.heatmap() {
            heatmap.draw_bar(&frame, canvas);
        }
        legend::draw(&marks, &frame, canvas);
    }

    /// Every mark with its colour.
    fn colored(&self) -> Vec<(Mark, Color)> {
        let mut taken = 0;
        let mut color = |mark: &Mark| {
            mark.color().unwrap_or_else(|| {
                taken += 1;
                Color::cycle(taken - 1)
            })
        };
        self.marks.iter().map(|mark| (mark.clone(), color(mark))).collect()
    }

    fn heatmap(&self) -> Option<&crate::Heatmap> {
        self.marks.iter().find_map(|mark| match mark {
            Mark::Heatmap(heatmap) => Some(heatmap),
            _ => None,
        })
    }

    /// The part of the cell between the axes.
    fn frame(&self, cell: Cell) -> Frame {
        let (mut x, mut y) = (Extent::default(), Extent::default());
        for mark in &self.marks {
            mark.extend(&mut x, &mut y);
        }
        let is_matrix = self.heatmap().is_some();
        let has_points = self.marks.iter().any(|mark| matches!(mark, Mark::Scatter(_)));
        if has_points {
            // Points have a size: those at the edge stay whole.
            x.pad(0.03);
            y.pad(0.05);
        }
        let margin = if has_points || self.counts_rows() { 0.0 } else { 0.05 };
        let x_range = self.x.shown(x, 0.0);
        let mut y_range = self.y.shown(y, margin);
        let title_room = |title: String| if title.is_empty() { 0.0 } else { f64::from(LABEL) + 8.0 };
        let right = if is_matrix { BAR_ROOM } else { 14.0 };
        let top = if self.title.is_empty() { 8.0 } else { f64::from(TITLE) + 12.0 };
        let bottom = f64::from(TICK) + 14.0 + title_room(self.x.title());
        let height = (cell.height - top - bottom).max(1.0);
        let left = widest(&self.y_ticks(y_range, height)) + 14.0 + title_room(self.y.title());
        if is_matrix {
            // A matrix is read from the top.
            y_range.reverse();
        }
        Frame {
            left: cell.left + left,
            top: cell.top + top,
            width: (cell.width - left - right).max(1.0),
            height,
            x_range,
            y_range,
        }
    }

    fn draw_axes(&self, frame: &Frame, canvas: &mut Canvas) {
        let stroke = Stroke::new(Color::Black, 1.0);
        let (left, bottom) = (frame.left, frame.bottom());
        canvas.line([left, frame.top], [left, bottom], stroke);
        canvas.line([left - 0.5, bottom], [frame.right(), bottom], stroke);
        for (at, label) in self.x_ticks(frame.x_range, frame.width) {
            let x = frame.x(at);
            canvas.line([x, bottom], [x, bottom + 4.0], stroke);
            canvas.text([x, bottom + 6.0 + f64::from(TICK)], Anchor::Middle, TICK, &label);
        }
        let [low, high] = frame.y_range;
        let y_ticks = self.y_ticks([low.min(high), low.max(high)], frame.height);
        for (at, label) in &y_ticks {
            let y = frame.y(*at);
            canvas.line([left - 4.0, y], [left, y], stroke);
            canvas.text([left - 7.0, y + 4.0], Anchor::End, TICK, label);
        }
        let (middle_x, middle_y) = (left + 0.5 * frame.width, frame.top + 0.5 * frame.height);
        let drop = f64::from(TICK) + f64::from(LABEL) + 14.0;
        canvas.text([middle_x, bottom + drop], Anchor::Middle, LABEL, &self.x.title());
        canvas.text([left - widest(&y_ticks) - 16.0, middle_y], Anchor::Upwards, LABEL, &self.y.title());
    }

    /// Whether the vertical axis counts rows.
    fn counts_rows(&self) -> bool {
        self.marks.iter().any(|mark| matches!(mark, Mark::Raster(_) | Mark::Heatmap(_)))
    }

    fn x_ticks(&self, range: [f64; 2], pixels: f64) -> Vec<(f64, String)> {
        let wanted = ((pixels / 55.0) as usize).clamp(2, 6);
        if self.heatmap().is_some() {
            return self.x.whole_ticks_in(range, wanted);
        }
        self.x.ticks_in(range, wanted)
    }

    fn y_ticks(&self, range: [f64; 2], pixels: f64) -> Vec<(f64, String)> {
        let wanted = ((pixels / 40.0) as usize).clamp(2, 6);
        if self.counts_rows() {
            return self.y.whole_ticks_in(range, wanted);
        }
        self.y.ticks_in(range, wanted)
    }
}

/// Pixels that the labels of these ticks take.
fn widest(ticks: &[(f64, String)]) -> f64 {
    ticks.iter().map(|(_, label)| text_width(label, TICK)).fold(0.0, f64::max)
}
