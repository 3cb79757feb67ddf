//! The sheet: where on the canvas every panel of a figure lies, with room for legends and a shared colour bar.

use crate::Panel;
use crate::frame::Frame;
use crate::grid::{Cell, Room, cells, frames, places};

/// Pixels around all panels.
pub(crate) const MARGIN: f64 = 12.0;
/// Pixels between panels.
pub(crate) const GAP: f64 = 20.0;

/// Panels in place.
pub(crate) struct Sheet {
    pub(crate) size: [f64; 2],
    pub(crate) spots: Vec<Spot>,
}

/// Where one panel lies.
pub(crate) struct Spot {
    pub(crate) frame: Frame,
    /// Where its title begins.
    pub(crate) top: f64,
    /// The height of a legend above the frame.
    pub(crate) legend: f64,
}

/// Columns of these widths and rows of these heights, in pixels.
pub(crate) struct Grid {
    pub(crate) widths: Vec<f64>,
    pub(crate) heights: Vec<f64>,
}

impl Sheet {
    /// Puts panels into a grid, below a head of this height. At the right is room for a colour bar of all, where `bar` is not
    /// zero; else each panel has room for its own.
    pub(crate) fn new(panels: &[Panel], grid: Grid, head: f64, bar: f64) -> Self {
        let Grid { widths, mut heights } = grid;
        let places = places(panels.iter().map(Panel::span), widths.len());
        let corner = [MARGIN, MARGIN + head];
        let place = |heights: &[f64]| {
            let mut cells = cells(&places, &widths, heights, corner, GAP);
            widen_beside_bar(&mut cells, panels, widths.len(), bar);
            cells
        };
        let cells = place(&heights);
        let room = |(panel, cell): (&Panel, &Cell)| panel.room([cell.width, cell.height], bar == 0.0);
        let mut rooms: Vec<Room> = panels.iter().zip(&cells).map(room).collect();

        // A legend that has no room inside stands above, and its row grows by it.
        let legend = |(panel, frame): (&Panel, &Frame)| panel.legend_room(frame);
        let legends: Vec<f64> = panels.iter().zip(&frames(&cells, &rooms)).map(legend).collect();
        let mut growth = vec![0.0_f64; heights.len()];
        for (cell, legend) in cells.iter().zip(&legends) {
            growth[cell.row] = growth[cell.row].max(*legend);
        }
        for (height, growth) in heights.iter_mut().zip(&growth) {
            *height += growth;
        }
        for (room, cell) in rooms.iter_mut().zip(&cells) {
            room.top += growth[cell.row];
        }

        let cells = place(&heights);
        let spots = cells.iter().zip(frames(&cells, &rooms)).zip(legends);
        let extent = |sizes: &[f64]| 2.0 * MARGIN + sizes.iter().sum::<f64>() + (sizes.len() - 1) as f64 * GAP;
        Sheet {
            size: [extent(&widths) + bar, extent(&heights) + head],
            spots: spots
                .map(|((cell, frame), legend)| Spot {
                    frame,
                    top: cell.top,
                    legend,
                })
                .collect(),
        }
    }
}

/// In rows without a map the last panel takes the room that the colour bar has beside others.
fn widen_beside_bar(cells: &mut [Cell], panels: &[Panel], n_columns: usize, bar: f64) {
    let rows_of_maps = cells.iter().zip(panels).filter(|(_, panel)| panel.color_bar().is_some());
    let rows_of_maps: Vec<usize> = rows_of_maps.map(|(cell, _)| cell.row).collect();
    for cell in cells
        .iter_mut()
        .filter(|cell| cell.last + 1 == n_columns && !rows_of_maps.contains(&cell.row))
    {
        cell.width += bar;
    }
}
