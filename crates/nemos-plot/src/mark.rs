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
    /// A histogram.
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

/// How a mark looks in the legend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Swatch {
    Line,
    Dashes,
    Box(f64),
    Dot,
}

impl Mark {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        match self {
            Mark::Line(mark) => mark.validate(),
            Mark::Area(mark) => mark.validate(),
            Mark::Bars(mark) => mark.validate(),
            Mark::Scatter(mark) => mark.validate(),
            Mark::Raster(mark) => mark.validate(),
            Mark::Heatmap(mark) => mark.validate(),
            Mark::Span(mark) => mark.validate(),
            Mark::Polar(mark) => mark.validate(),
        }
    }

    /// Widens both extents to what the mark covers.
    pub(crate) fn extend(&self, x: &mut Extent, y: &mut Extent) {
        match self {
            Mark::Line(mark) => include(x, &mark.x, y, &mark.y),
            Mark::Scatter(mark) => include(x, &mark.x, y, &mark.y),
            Mark::Area(mark) => {
                include(x, &mark.x, y, &mark.lower);
                y.include(&mark.upper);
            }
            Mark::Bars(mark) => {
                include(x, &mark.edges, y, &mark.heights);
                y.include(&[0.0]);
            }
            Mark::Raster(mark) => {
                x.include(mark.rows.iter().flatten());
                y.include(&[-0.5, mark.rows.len() as f64 - 0.5]);
            }
            Mark::Heatmap(mark) => {
                x.include(&[-0.5, mark.n_columns() as f64 - 0.5]);
                y.include(&[-0.5, mark.n_rows() as f64 - 0.5]);
            }
            Mark::Span(mark) => x.include(&[mark.start, mark.end]),
            Mark::Polar(mark) => y.include(mark.radii.iter().chain(&[0.0])),
        }
    }

    pub(crate) fn draw(&self, frame: &Frame, canvas: &mut Canvas, color: Color) {
        match self {
            Mark::Line(mark) => mark.draw(frame, canvas, color),
            Mark::Area(mark) => mark.draw(frame, canvas, color),
            Mark::Bars(mark) => mark.draw(frame, canvas, color),
            Mark::Scatter(mark) => mark.draw(frame, canvas, color),
            Mark::Raster(mark) => mark.draw(frame, canvas, color),
            Mark::Heatmap(mark) => mark.draw(frame, canvas),
            Mark::Span(mark) => mark.draw(frame, canvas, color),
            Mark::Polar(mark) => mark.draw(frame, canvas, color),
        }
    }

    /// The colour that was asked for.
    pub(crate) fn color(&self) -> Option<Color> {
        match self {
            Mark::Line(mark) => mark.color,
            Mark::Area(mark) => mark.color,
            Mark::Bars(mark) => mark.color,
            Mark::Scatter(mark) => mark.color,
            Mark::Raster(mark) => mark.color,
            Mark::Heatmap(_) => Some(Color::Gray),
            Mark::Span(mark) => mark.color,
            Mark::Polar(mark) => mark.color,
        }
    }

    /// Its line in the legend, where it has a label.
    pub(crate) fn legend(&self) -> Option<(&str, Swatch)> {
        let (label, swatch) = match self {
            Mark::Line(mark) if mark.dashed => (&mark.label, Swatch::Dashes),
            Mark::Line(mark) => (&mark.label, Swatch::Line),
            Mark::Polar(mark) => (&mark.label, Swatch::Line),
            Mark::Area(mark) => (&mark.label, Swatch::Box(0.3)),
            Mark::Bars(mark) => (&mark.label, Swatch::Box(1.0)),
            Mark::Span(mark) => (&mark.label, Swatch::Box(0.25)),
            Mark::Scatter(mark) => (&mark.label, Swatch::Dot),
            Mark::Raster(mark) => (&mark.label, Swatch::Line),
            Mark::Heatmap(_) => return None,
        };
        (!label.is_empty()).then_some((label, swatch))
    }

    /// Points that a legend should not cover.
    pub(crate) fn points<'a>(&'a self, frame: &'a Frame) -> Box<dyn Iterator<Item = [f64; 2]> + 'a> {
        match self {
            Mark::Line(mark) => Box::new(mark.x.iter().zip(&mark.y).map(|(&x, &y)| frame.point(x, y))),
            Mark::Scatter(mark) => Box::new(mark.x.iter().zip(&mark.y).map(|(&x, &y)| frame.point(x, y))),
            Mark::Area(mark) => Box::new(mark.x.iter().zip(&mark.upper).map(|(&x, &y)| frame.point(x, y))),
            Mark::Bars(mark) => Box::new(mark.edges.windows(2).zip(&mark.heights).flat_map(|(edges, &height)| {
                let middle = 0.5 * (edges[0] + edges[1]);
                [1.0, 0.75, 0.5].map(|share| frame.point(middle, share * height))
            })),
            _ => Box::new(std::iter::empty()),
        }
    }
}

fn include(x: &mut Extent, x_values: &[f64], y: &mut Extent, y_values: &[f64]) {
    x.include(x_values);
    y.include(y_values);
}
