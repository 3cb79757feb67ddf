//! The grid of a figure: which cell each panel has, and frames that line up.

use crate::frame::Frame;

/// Pixels around a frame for ticks, labels and titles.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Room {
    /// Whether its frame stands alone: it does not line up with others.
    pub(crate) is_alone: bool,
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

/// Where a panel lies: the first and the last of its columns, its row, and its rectangle on the canvas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cell {
    pub(crate) first: usize,
    pub(crate) last: usize,
    pub(crate) row: usize,
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// Puts panels that take so many columns each into rows: the columns and the row of each.
pub(crate) fn places(spans: impl IntoIterator<Item = usize>, columns: usize) -> Vec<([usize; 2], usize)> {
    let (mut row, mut next) = (0, 0);
    let place = |span: usize| {
        let span = span.clamp(1, columns);
        if next + span > columns {
            (row, next) = (row + 1, 0);
        }
        next += span;
        ([next - span, next - 1], row)
    };
    spans.into_iter().map(place).collect()
}

/// Cells of these places, in columns of these widths and rows of these heights, `gap` apart.
pub(crate) fn cells(places: &[([usize; 2], usize)], widths: &[f64], heights: &[f64], corner: [f64; 2], gap: f64) -> Vec<Cell> {
    let before = |sizes: &[f64], index: usize| sizes[..index].iter().sum::<f64>() + index as f64 * gap;
    let cell = |&([first, last], row): &([usize; 2], usize)| Cell {
        first,
        last,
        row,
        left: corner[0] + before(widths, first),
        top: corner[1] + before(heights, row),
        width: widths[first..=last].iter().sum::<f64>() + (last - first) as f64 * gap,
        height: heights[row],
    };
    places.iter().map(cell).collect()
}

/// Frames inside cells: those of a column begin and end at the same place, and so do those of a row, but for those that stand
/// alone.
pub(crate) fn frames(cells: &[Cell], rooms: &[Room]) -> Vec<Frame> {
    let most = |same: &dyn Fn(&Cell) -> bool, side: fn(&Room) -> f64| {
        let others = cells.iter().zip(rooms).filter(|(cell, room)| same(cell) && !room.is_alone);
        others.map(|(_, room)| side(room)).fold(0.0, f64::max)
    };
    let lined_up = |cell: &Cell| Room {
        is_alone: false,
        left: most(&|other| other.first == cell.first, |room| room.left),
        top: most(&|other| other.row == cell.row, |room| room.top),
        right: most(&|other| other.last == cell.last, |room| room.right),
        bottom: most(&|other| other.row == cell.row, |room| room.bottom),
    };
    let frame = |(cell, room): (&Cell, &Room)| {
        let room = if room.is_alone { *room } else { lined_up(cell) };
        Frame {
            left: cell.left + room.left,
            top: cell.top + room.top,
            width: (cell.width - room.left - room.right).max(1.0),
            height: (cell.height - room.top - room.bottom).max(1.0),
            x_range: [0.0, 1.0],
            y_range: [0.0, 1.0],
        }
    };
    cells.iter().zip(rooms).map(frame).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_panel_takes_a_row_of_its_own() {
        assert_eq!(places([1, 2, 1], 2), [([0, 0], 0), ([0, 1], 1), ([0, 0], 2)]);
        assert_eq!(places([1, 1, 9], 2), [([0, 0], 0), ([1, 1], 0), ([0, 1], 1)]);
    }

    #[test]
    fn frames_of_a_column_line_up() {
        let cells = cells(&places([1, 1], 1), &[100.0], &[80.0, 80.0], [0.0, 0.0], 10.0);
        let room = |left: f64| Room { left, ..Room::default() };
        let frames = frames(&cells, &[room(20.0), room(30.0)]);
        assert_eq!(frames.iter().map(|frame| frame.left).collect::<Vec<_>>(), [30.0, 30.0]);
        assert_eq!(frames[1].top, 90.0);
    }
}
