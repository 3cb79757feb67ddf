//! Legends: the names of marks, inside a panel where nothing lies, or else above it.

use crate::Color;
use crate::canvas::{Anchor, Canvas, Stroke};
use crate::frame::Frame;
use crate::mark::{Mark, Swatch};
use crate::text::{TICK, widest, width};

const LINE_HEIGHT: f64 = 18.0;
const SWATCH: f64 = 20.0;
const BESIDE_SWATCH: f64 = 6.0;
const BETWEEN: f64 = 16.0;

/// The names of marks with labels.
pub(crate) struct Legend<'a> {
    entries: Vec<(&'a str, Swatch, Color)>,
}

impl<'a> Legend<'a> {
    pub(crate) fn new(marks: &'a [Mark], colors: &[Color]) -> Self {
        let marks = marks.iter().zip(colors);
        let entries = marks.filter_map(|(mark, &color)| mark.drawn().legend().map(|(label, swatch)| (label, swatch, color)));
        Legend {
            entries: entries.collect(),
        }
    }

    /// Pixels that it needs above the frame: none where there is room for it inside.
    pub(crate) fn room_above(&self, marks: &[Mark], frame: &Frame) -> f64 {
        if self.entries.is_empty() || self.free_place(marks, frame).is_some() {
            return 0.0;
        }
        self.rows(frame.width).len() as f64 * LINE_HEIGHT + 4.0
    }

    /// Draws it; `above` is the room that was kept for it above the frame.
    pub(crate) fn draw(&self, marks: &[Mark], frame: &Frame, above: f64, canvas: &mut Canvas) {
        if self.entries.is_empty() {
            return;
        }
        if above == 0.0 {
            let [left, top] = self.free_place(marks, frame).unwrap_or([frame.left + 8.0, frame.top]);
            for (row, entry) in self.entries.iter().enumerate() {
                draw_entry(entry, [left, top + (row as f64 + 0.5) * LINE_HEIGHT], canvas);
            }
            return;
        }
        for (row, entries) in self.rows(frame.width).into_iter().enumerate() {
            let mut left = frame.left + 4.0;
            for entry in entries {
                draw_entry(entry, [left, frame.top - above + (row as f64 + 0.5) * LINE_HEIGHT], canvas);
                left += entry_width(entry) + BETWEEN;
            }
        }
    }

    /// Entries side by side, in as many rows as they need at this width.
    fn rows(&self, pixels: f64) -> Vec<Vec<&(&'a str, Swatch, Color)>> {
        let mut rows = vec![Vec::new()];
        let mut taken = 0.0;
        for entry in &self.entries {
            let wanted = entry_width(entry) + BETWEEN;
            let is_full = taken > 0.0 && taken + wanted > pixels + BETWEEN;
            if is_full {
                rows.push(Vec::new());
                taken = 0.0;
            }
            taken += wanted;
            rows.last_mut().expect("invariant: there is a first row").push(entry);
        }
        rows
    }

    /// The upper left point of a place in the frame under which nothing lies.
    fn free_place(&self, marks: &[Mark], frame: &Frame) -> Option<[f64; 2]> {
        const ROOM: f64 = 6.0;
        let labels = self.entries.iter().map(|(label, ..)| *label);
        let size = [
            SWATCH + BESIDE_SWATCH + widest(labels, TICK),
            self.entries.len() as f64 * LINE_HEIGHT,
        ];
        if size[0] + 2.0 * ROOM > 0.7 * frame.width || size[1] + 2.0 * ROOM > 0.7 * frame.height {
            return None;
        }
        // Corners first, then sides, then anywhere.
        let between = |low: f64, high: f64, share: f64| low + share * (high - low);
        let place = |across: f64, down: f64| {
            let left = between(frame.left + 10.0, frame.right() - size[0] - 4.0, across);
            [left, between(frame.top + 2.0, frame.bottom() - size[1] - 6.0, down)]
        };
        const EIGHTHS: [f64; 9] = [1.0, 0.0, 0.5, 0.75, 0.25, 0.875, 0.125, 0.625, 0.375];
        let corners = [(1.0, 0.0), (0.0, 0.0), (1.0, 1.0), (0.0, 1.0)];
        let anywhere = EIGHTHS
            .into_iter()
            .flat_map(|across| EIGHTHS.into_iter().rev().map(move |down| (across, down)));
        let mut places = corners.into_iter().chain(anywhere).map(|(across, down)| place(across, down));
        let covered: Vec<[f64; 2]> = marks.iter().flat_map(|mark| mark.drawn().covered(frame)).collect();
        let is_free = |&[left, top]: &[f64; 2]| {
            let (across, down) = (left - ROOM..=left + size[0] + ROOM, top - ROOM..=top + size[1] + ROOM);
            !covered.iter().any(|[x, y]| across.contains(x) && down.contains(y))
        };
        places.find(is_free)
    }
}

fn entry_width((label, ..): &(&str, Swatch, Color)) -> f64 {
    SWATCH + BESIDE_SWATCH + width(label, TICK)
}

fn draw_entry(&(label, swatch, color): &(&str, Swatch, Color), [left, y]: [f64; 2], canvas: &mut Canvas) {
    let middle = left + 0.5 * SWATCH;
    match swatch {
        Swatch::Line | Swatch::Dashes => {
            let dashed = swatch == Swatch::Dashes;
            let width = 2.0;
            canvas.line([left, y], [left + SWATCH, y], Stroke { color, width, dashed });
        }
        Swatch::Box(opacity) => canvas.rectangle([middle - 7.0, y - 5.0, middle + 7.0, y + 5.0], color, opacity),
        Swatch::Dot => canvas.circle([middle, y], 3.5, color, 0.9),
        Swatch::Tick => {
            let strokes = [-5.0, 0.0, 5.0].map(|shift| (middle + shift, [y - 5.0, y + 5.0]));
            canvas.strokes(strokes, Stroke::new(color, 1.5));
        }
    }
    canvas.text([left + SWATCH + BESIDE_SWATCH, y + 4.0], Anchor::Start, TICK, label);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Area, Line, Raster, Scatter};

    const FRAME: Frame = Frame {
        left: 0.0,
        top: 0.0,
        width: 300.0,
        height: 200.0,
        x_range: [0.0, 1.0],
        y_range: [0.0, 1.0],
    };

    fn above_and_place(marks: &[Mark]) -> (f64, Option<[f64; 2]>) {
        let colors = vec![Color::Blue; marks.len()];
        let legend = Legend::new(marks, &colors);
        (legend.room_above(marks, &FRAME), legend.free_place(marks, &FRAME))
    }

    #[test]
    fn a_legend_stands_where_nothing_lies() {
        let line = |from: f64, to: f64| Mark::from(Line::new([0.0, 1.0], [from, to]).label("model"));
        // Top right, unless a line is there: between its two points, too.
        assert!(matches!(above_and_place(&[line(0.0, 0.1)]), (above, Some([left, top])) if above == 0.0 && left > 200.0 && top < 10.0));
        assert!(matches!(above_and_place(&[line(0.0, 1.0)]), (_, Some([left, top])) if left < 20.0 && top < 10.0));
        assert!(matches!(above_and_place(&[line(1.0, 1.0)]), (_, Some([_, top])) if top > 100.0));
    }

    #[test]
    fn bands_and_the_size_of_points_are_kept_clear() {
        let band = |low: f64| Mark::from(Area::new([0.0, 1.0], [low, low], [1.0, 1.0]).label("band"));
        assert!(matches!(above_and_place(&[band(0.0)]), (above, None) if above == LINE_HEIGHT + 4.0));
        assert!(matches!(above_and_place(&[band(0.4)]), (_, Some([_, top])) if top > 120.0));
        // A point a little below the upper right corner, small and large.
        let point = |radius: f64| Mark::from(Scatter::new([0.9], [0.75]).radius(radius).label("point"));
        assert!(matches!(above_and_place(&[point(3.0)]), (_, Some([left, _])) if left > 200.0));
        assert!(matches!(above_and_place(&[point(30.0)]), (_, Some([left, top])) if left < 20.0 && top < 10.0));
    }

    #[test]
    fn a_full_panel_has_its_legend_above() {
        let raster = Mark::from(Raster::new(vec![vec![0.0, 1.0]]).between(0.0, 1.0).label("spikes"));
        assert!(matches!(above_and_place(&[raster]), (above, None) if above == LINE_HEIGHT + 4.0));
        let many: Vec<Mark> = (0..12)
            .map(|line| Line::new([0.0], [0.0]).label(format!("line {line}")).into())
            .collect();
        assert!(above_and_place(&many).0 > 2.0 * LINE_HEIGHT);
        assert_eq!(above_and_place(&[Line::new([0.0], [0.0]).into()]).0, 0.0);
    }
}
