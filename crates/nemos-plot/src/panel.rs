//! Panels: two axes and what is drawn between them.

use std::borrow::Cow;

use crate::axis::{Ticks, fit_beside, room_below, slanted_room, widest_of};
use crate::bars::stand_beside;
use crate::canvas::{Anchor, Canvas, Stroke};
use crate::color_bar::ColorBar;
use crate::frame::{Extent, Frame};
use crate::grid::Room;
use crate::legend::Legend;
use crate::polar::draw_disc;
use crate::text::{LABEL, TICK, TITLE, fitting, width};
use crate::{Axis, Color, Error, Heatmap, Mark};

/// One pair of axes with marks between them.
///
/// A panel whose marks are all [`Polar`](crate::Polar) is a disc: its `y` axis is the radius, its `x` axis the angle. The radius
/// begins at zero: of a range that the axis is given only the upper end counts.
///
/// # Options
/// | setter | default |
/// |---|---|
/// | `title` | none |
/// | `x`, `y` | unnamed, as wide as the data |
/// | `columns` | one of the figure's |
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Panel {
    title: String,
    x: Axis,
    y: Axis,
    columns: usize,
    pub(crate) marks: Vec<Mark>,
}

impl Default for Panel {
    fn default() -> Self {
        Panel {
            title: String::new(),
            x: Axis::default(),
            y: Axis::default(),
            columns: 1,
            marks: Vec::new(),
        }
    }
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

    /// How many columns of the figure it takes; all of them where it has fewer.
    pub fn columns(mut self, columns: usize) -> Self {
        self.columns = columns;
        self
    }

    /// Adds a mark on top of those already there.
    pub fn mark(mut self, mark: impl Into<Mark>) -> Self {
        self.marks.push(mark.into());
        stand_beside(&mut self.marks);
        self
    }

    pub(crate) fn span(&self) -> usize {
        self.columns
    }

    pub(crate) fn validate(&self, index: usize) -> Result<(), Error> {
        self.x.validate("the range of the x axis")?;
        self.y.validate("the range of the y axis")?;
        let n_polar = self.marks.iter().filter(|mark| matches!(mark, Mark::Polar(_))).count();
        if n_polar != 0 && n_polar != self.marks.len() {
            return Err(Error::MixedPanel { panel: index });
        }
        if n_polar != 0 {
            self.y.validate_radius()?;
        }
        let names: Vec<&[String]> = self.names().collect();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] != pair[1]) {
            let [left, right] = [pair[0], pair[1]].map(<[String]>::to_vec);
            return Err(Error::NamesDiffer { panel: index, left, right });
        }
        self.marks.iter().try_for_each(|mark| mark.drawn().validate())
    }

    /// Pixels that it needs around its frame in a cell of this size, without a legend.
    pub(crate) fn room(&self, size: [f64; 2], has_bar: bool) -> Room {
        let top = if self.title.is_empty() { 8.0 } else { TITLE + 12.0 };
        if self.is_disc() {
            let is_alone = true;
            return Room {
                is_alone,
                top,
                ..Room::default()
            };
        }
        let title_room = |title: String| if title.is_empty() { 0.0 } else { LABEL + 8.0 };
        let (x_range, y_range) = self.ranges();
        let y_ticks = self.y_ticks(y_range, size[1] - top - 40.0);
        let left = widest_of(&y_ticks) + 14.0 + title_room(self.y.title());
        let across = size[0] - left - 14.0;
        let x_ticks = self.x_ticks(x_range, across);
        let bottom = room_below(&x_ticks, x_range, across) + title_room(self.x.title());
        let left = left.max(slanted_room(&x_ticks, x_range, across));
        let bar = self.color_bar().filter(|_| has_bar);
        let bar = bar.map_or(0.0, |bar| bar.room(size[1] - top - bottom));
        let last = x_ticks.last().map_or(0.0, |(_, label)| 0.5 * width(label, TICK) + 3.0);
        Room {
            is_alone: false,
            left,
            top,
            right: bar.max(last.max(14.0)),
            bottom,
        }
    }

    /// Pixels that the legend needs above the frame.
    pub(crate) fn legend_room(&self, frame: &Frame) -> f64 {
        Legend::new(&self.marks, &self.colors()).room_above(&self.marks, &self.with_ranges(frame))
    }

    /// Draws it around its frame, whose title begins at `top`; `above` is the room of its legend.
    pub(crate) fn draw(&self, frame: &Frame, top: f64, above: f64, canvas: &mut Canvas) {
        let frame = self.with_ranges(frame);
        let colors = self.colors();
        let size = fitting(&self.title, TITLE, frame.width + 40.0);
        canvas.text([frame.middle()[0], top + TITLE], Anchor::Heading, size, &self.title);
        if self.is_disc() {
            draw_disc(&frame, canvas, &self.x, &self.y, &self.marks);
        }
        canvas.clipped(&frame, |canvas| {
            for (mark, color) in self.marks.iter().zip(&colors) {
                mark.drawn().draw(&frame, canvas, *color);
            }
        });
        if !self.is_disc() {
            self.draw_axes(&frame, canvas);
        }
        Legend::new(&self.marks, &colors).draw(&self.marks, &frame, above, canvas);
    }

    /// The colour bar of its first heatmap.
    pub(crate) fn color_bar(&self) -> Option<ColorBar> {
        self.heatmap().and_then(Heatmap::color_bar)
    }

    /// The limits of the colours of every heatmap.
    pub(crate) fn color_limits(&self) -> impl Iterator<Item = [f64; 2]> {
        self.marks.iter().filter_map(|mark| match mark {
            Mark::Heatmap(heatmap) => Some(heatmap.shown_limits()),
            _ => None,
        })
    }

    /// The same with these limits of colours in every heatmap.
    pub(crate) fn with_limits(mut self, [low, high]: [f64; 2]) -> Self {
        for mark in &mut self.marks {
            if let Mark::Heatmap(heatmap) = mark {
                *heatmap = heatmap.clone().limits(low, high);
            }
        }
        self
    }

    /// The colour of every mark.
    fn colors(&self) -> Vec<Color> {
        let mut taken = 0;
        let mut color = |mark: &Mark| {
            mark.drawn().color().unwrap_or_else(|| {
                taken += 1;
                Color::cycle(taken - 1)
            })
        };
        self.marks.iter().map(&mut color).collect()
    }

    fn heatmap(&self) -> Option<&Heatmap> {
        self.marks.iter().find_map(|mark| match mark {
            Mark::Heatmap(heatmap) => Some(heatmap),
            _ => None,
        })
    }

    fn is_disc(&self) -> bool {
        matches!(self.marks.first(), Some(Mark::Polar(_)))
    }

    /// The names of every set of bars that has names.
    fn names(&self) -> impl Iterator<Item = &[String]> {
        self.marks.iter().filter_map(|mark| match mark {
            Mark::Bars(bars) => bars.names(),
            _ => None,
        })
    }

    /// The horizontal axis; names of bars are its ticks, unless it has its own.
    fn x_axis(&self) -> Cow<'_, Axis> {
        match self.names().next().filter(|_| !self.x.has_ticks()) {
            Some(names) => {
                let ticks = names.iter().enumerate().map(|(at, name)| (at as f64, name.as_str()));
                Cow::Owned(self.x.clone().ticks(ticks))
            }
            None => Cow::Borrowed(&self.x),
        }
    }

    /// What the axes show.
    fn ranges(&self) -> ([f64; 2], [f64; 2]) {
        let (mut x, mut y) = (Extent::default(), Extent::default());
        for mark in &self.marks {
            mark.drawn().extend(&mut x, &mut y);
        }
        let has = |kind: fn(&Mark) -> bool| self.marks.iter().any(kind);
        let has_points = has(|mark| matches!(mark, Mark::Scatter(_)));
        if has_points {
            // Points have a size: those at the edge stay whole.
            x.pad(0.03);
            y.pad(0.05);
        }
        let margin = if has_points || self.counts_rows() || self.heatmap().is_some() {
            0.0
        } else {
            0.05
        };
        // Bars stand on the axis, and the middle of a disc is zero; lines keep clear of it.
        let stands = self.is_disc() || has(|mark| matches!(mark, Mark::Bars(_)));
        let margin_at_zero = if stands { 0.0 } else { 0.6 * margin };
        (self.x.shown(x, 0.0, 0.0), self.y.shown(y, margin, margin_at_zero))
    }

    fn with_ranges(&self, frame: &Frame) -> Frame {
        let (x_range, mut y_range) = self.ranges();
        if self.heatmap().is_some_and(|heatmap| heatmap.counts()[1]) {
            // A matrix is read from the top.
            y_range.reverse();
        }
        Frame {
            x_range,
            y_range,
            ..*frame
        }
    }

    fn draw_axes(&self, frame: &Frame, canvas: &mut Canvas) {
        let stroke = Stroke::new(Color::Black, 1.0);
        let (left, bottom) = (frame.left, frame.bottom());
        canvas.line([left, frame.top], [left, bottom], stroke);
        canvas.line([left - 0.5, bottom], [frame.right(), bottom], stroke);
        let x_ticks = self.x_ticks(frame.x_range, frame.width);
        let is_slanted = !fit_beside(&x_ticks, frame.x_range, frame.width);
        for (at, label) in &x_ticks {
            let x = frame.x(*at);
            canvas.line([x, bottom], [x, bottom + 4.0], stroke);
            match is_slanted {
                true => canvas.text([x + 4.0, bottom + 6.0 + 0.8 * TICK], Anchor::Slanted, TICK, label),
                false => canvas.text([x, bottom + 6.0 + TICK], Anchor::Middle, TICK, label),
            }
        }
        let [low, high] = frame.y_range;
        let y_ticks = self.y_ticks([low.min(high), low.max(high)], frame.height);
        for (at, label) in &y_ticks {
            let y = frame.y(*at);
            canvas.line([left - 4.0, y], [left, y], stroke);
            canvas.text([left - 7.0, y + 4.0], Anchor::End, TICK, label);
        }
        let [middle_x, middle_y] = frame.middle();
        let drop = room_below(&x_ticks, frame.x_range, frame.width) + LABEL;
        let (x, y) = (self.x.title(), self.y.title());
        canvas.text(
            [middle_x, bottom + drop],
            Anchor::Middle,
            fitting(&x, LABEL, frame.width + 40.0),
            &x,
        );
        let side = left - widest_of(&y_ticks) - 16.0;
        canvas.text([side, middle_y], Anchor::Upwards, fitting(&y, LABEL, frame.height + 30.0), &y);
    }

    /// Whether the vertical axis counts rows.
    fn counts_rows(&self) -> bool {
        self.marks.iter().any(|mark| match mark {
            Mark::Raster(raster) => raster.counts_rows(),
            Mark::Heatmap(heatmap) => heatmap.counts()[1],
            _ => false,
        })
    }

    fn x_ticks(&self, range: [f64; 2], pixels: f64) -> Ticks {
        let counts = self.heatmap().is_some_and(|heatmap| heatmap.counts()[0]);
        self.x_axis().ticks_across(range, pixels, if counts { 1.0 } else { 0.0 })
    }

    fn y_ticks(&self, range: [f64; 2], pixels: f64) -> Ticks {
        self.y.ticks_up(range, pixels, if self.counts_rows() { 1.0 } else { 0.0 })
    }
}
