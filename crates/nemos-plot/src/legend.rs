//! Legends: the names of marks, in the corner where they cover least.

use crate::Color;
use crate::canvas::{Anchor, Canvas, Stroke, TICK, text_width};
use crate::frame::Frame;
use crate::mark::{Mark, Swatch};

const LINE_HEIGHT: f64 = 17.0;
const SWATCH: f64 = 20.0;

/// Draws the legend of these marks, if any of them has a label.
pub(crate) fn draw(marks: &[(Mark, Color)], frame: &Frame, canvas: &mut Canvas) {
    let entries: Vec<(&str, Swatch, Color)> = marks
        .iter()
        .filter_map(|(mark, color)| mark.legend().map(|(label, swatch)| (label, swatch, *color)))
        .collect();
    if entries.is_empty() {
        return;
    }
    let widest = entries.iter().map(|(label, ..)| text_width(label, TICK)).fold(0.0, f64::max);
    let (width, height) = (widest + SWATCH + 8.0, entries.len() as f64 * LINE_HEIGHT);
    let [left, top] = emptiest_corner(marks, frame, [width, height]);
    canvas.rectangle([left - 4.0, top], [width + 4.0, height], Color::Rgb(255, 255, 255), 0.8);
    for (row, (label, swatch, color)) in entries.into_iter().enumerate() {
        let y = top + (row as f64 + 0.5) * LINE_HEIGHT;
        let middle = left + 0.5 * SWATCH;
        match swatch {
            Swatch::Line | Swatch::Dashes => {
                let stroke = Stroke {
                    color,
                    width: 2.0,
                    dashed: swatch == Swatch::Dashes,
                };
                canvas.line([left, y], [left + SWATCH, y], stroke);
            }
            Swatch::Box(opacity) => canvas.rectangle([middle - 7.0, y - 5.0], [14.0, 10.0], color, opacity),
            Swatch::Dot => canvas.circle([middle, y], 3.5, color, 0.9),
        }
        canvas.text([left + SWATCH + 6.0, y + 4.0], Anchor::Start, TICK, label);
    }
}

/// The upper left point of a box of this size in the corner with the fewest points under it; top right where several
/// are equally empty.
fn emptiest_corner(marks: &[(Mark, Color)], frame: &Frame, [width, height]: [f64; 2]) -> [f64; 2] {
    let (right, bottom) = (frame.right() - width, frame.bottom() - height - 4.0);
    if marks.iter().any(|(mark, _)| matches!(mark, Mark::Raster(_))) {
        // A raster has no empty corner: above it there is room.
        return [right, frame.top - height];
    }
    let corners = [
        [right, frame.top],
        [frame.left + 8.0, frame.top],
        [right, bottom],
        [frame.left + 8.0, bottom],
    ];
    let covered = |[left, top]: [f64; 2]| {
        let inside = |[x, y]: [f64; 2]| x >= left - 4.0 && x <= left + width && y >= top - 4.0 && y <= top + height + 4.0;
        marks
            .iter()
            .flat_map(|(mark, _)| mark.points(frame))
            .filter(|&point| inside(point))
            .count()
    };
    corners
        .into_iter()
        .min_by_key(|&corner| covered(corner))
        .expect("there are four corners")
}
