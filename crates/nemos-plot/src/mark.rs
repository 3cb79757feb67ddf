//! Marks: everything that a panel can show, as one type.

use crate::canvas::Canvas;
use crate::frame::{Extent, Frame};
use crate::{Area, Bars, Color, Error, Heatmap, Line, Polar, Raster, Scatter, Span};

/// Anything that a panel can show; each kind converts into it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Mark {
    /// A line.
    Line(Line),
    /// A band.
    Area(Area),
    /// A histogram, or bars with names.
    Bars(Bars),
    /// Points.
    Scatter(Scatter),
    /// Events in rows.
    Raster(Raster),
    /// A matrix.
    Heatmap(Heatmap),
    /// A shaded stretch.
    Span(Span),
    /// A line around a circle.
    Polar(Polar),
}

/// What each kind of mark can do.
pub(crate) trait Draw {
    /// Checks what can be checked without drawing.
    fn validate(&self) -> Result<(), Error>;

    /// Widens both extents to what the mark covers.
    fn extend(&self, x: &mut Extent, y: &mut Extent);

    /// Draws it into the frame; `color` is its own, or the next of the panel.
    fn draw(&self, frame: &Frame, canvas: &mut Canvas, color: Color);

    /// The colour that was asked for.
    fn color(&self) -> Option<Color>;

    /// Its line in the legend, where it has a label.
    fn legend(&self) -> Option<(&str, Swatch)>;

    /// Where it lies on the canvas: points a few pixels apart that a legend should not cover.
    fn covered(&self, frame: &Frame) -> Vec<[f64; 2]>;
}

/// How a mark looks in the legend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Swatch {
    Line,
    Dashes,
    Box(f64),
    Dot,
    Tick,
}

impl Mark {
    pub(crate) fn drawn(&self) -> &dyn Draw {
        match self {
            Mark::Line(mark) => mark,
            Mark::Area(mark) => mark,
            Mark::Bars(mark) => mark,
            Mark::Scatter(mark) => mark,
            Mark::Raster(mark) => mark,
            Mark::Heatmap(mark) => mark,
            Mark::Span(mark) => mark,
            Mark::Polar(mark) => mark,
        }
    }
}

/// A label and a swatch, where there is a label.
pub(crate) fn labelled(label: &str, swatch: Swatch) -> Option<(&str, Swatch)> {
    (!label.is_empty()).then_some((label, swatch))
}

/// Points along a line, a few pixels apart, as far as they lie in the frame.
pub(crate) fn along(frame: &Frame, points: impl IntoIterator<Item = [f64; 2]>) -> Vec<[f64; 2]> {
    let window = [frame.left, frame.top, frame.right(), frame.bottom()];
    let mut along = Vec::new();
    for piece in crate::path::pieces(points, window) {
        along.extend(piece.first());
        for ends in piece.windows(2) {
            let way = [ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]];
            let steps = (way[0].hypot(way[1]) / 3.0).ceil().max(1.0);
            let at = |step: f64| [ends[0][0] + step / steps * way[0], ends[0][1] + step / steps * way[1]];
            along.extend((1..=steps as usize).map(|step| at(step as f64)));
        }
    }
    along
}

impl From<Line> for Mark {
    fn from(mark: Line) -> Self {
        Mark::Line(mark)
    }
}

impl From<Area> for Mark {
    fn from(mark: Area) -> Self {
        Mark::Area(mark)
    }
}

impl From<Bars> for Mark {
    fn from(mark: Bars) -> Self {
        Mark::Bars(mark)
    }
}

impl From<Scatter> for Mark {
    fn from(mark: Scatter) -> Self {
        Mark::Scatter(mark)
    }
}

impl From<Raster> for Mark {
    fn from(mark: Raster) -> Self {
        Mark::Raster(mark)
    }
}

impl From<Heatmap> for Mark {
    fn from(mark: Heatmap) -> Self {
        Mark::Heatmap(mark)
    }
}

impl From<Span> for Mark {
    fn from(mark: Span) -> Self {
        Mark::Span(mark)
    }
}

impl From<Polar> for Mark {
    fn from(mark: Polar) -> Self {
        Mark::Polar(mark)
    }
}
