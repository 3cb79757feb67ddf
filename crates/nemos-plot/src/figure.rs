//! Figures: panels in a grid, and the file they go to.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use crate::canvas::Canvas;
use crate::frame::{Extent, Frame};
use crate::grid::{Cell, cells, frames, places};
use crate::panel::fitting;
use crate::text::HEADING;
use crate::{Background, Error, Panel};

const MARGIN: f64 = 12.0;
const GAP: f64 = 20.0;
/// What a figure is as wide as when nobody says how wide: the column of a page on a screen.
const PAGE: f64 = 760.0;

/// Panels in a grid, filled row after row.
///
/// # Options
/// | setter | default |
/// |---|---|
/// | `title` | none |
/// | `columns` | as many as panels, at most three, and two for four |
/// | `panel_size` | so that the figure is about 760 pixels wide; 520 × 320 for one column |
/// | `column_widths`, `row_heights` | all the same |
/// | `share_colors` | each heatmap has its own limits and colour bar |
/// | `background` | [`Background::Transparent`] |
///
/// # Example
/// ```
/// use nemos_plot::{Axis, Figure, Panel, Raster};
/// let trials = vec![vec![0.1, 0.4], vec![], vec![0.2]];
/// let panel = Panel::new().x(Axis::new("time").unit("s")).y(Axis::new("trial")).mark(Raster::new(trials));
/// assert!(Figure::new().panel(panel).to_svg()?.contains("time (s)"));
/// # Ok::<(), nemos_plot::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Figure {
    title: String,
    columns: Option<usize>,
    panel_size: Option<[f64; 2]>,
    column_widths: Option<Vec<f64>>,
    row_heights: Option<Vec<f64>>,
    shares_colors: bool,
    background: Background,
    panels: Vec<Panel>,
}

impl Figure {
    /// A figure without panels.
    pub fn new() -> Self {
        Figure::default()
    }

    /// The title above all panels.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Panels side by side in a row of the grid.
    pub fn columns(mut self, columns: usize) -> Self {
        self.columns = Some(columns);
        self
    }

    /// Width and height of each panel in pixels, its labels included; their mean where columns or rows differ.
    pub fn panel_size(mut self, width: f64, height: f64) -> Self {
        self.panel_size = Some([width, height]);
        self
    }

    /// How wide columns are, relative to each other: `[2.0, 1.0]` makes the first twice as wide as the second.
    pub fn column_widths(mut self, shares: impl Into<Vec<f64>>) -> Self {
        self.column_widths = Some(shares.into());
        self
    }

    /// How high rows are, relative to each other.
    pub fn row_heights(mut self, shares: impl Into<Vec<f64>>) -> Self {
        self.row_heights = Some(shares.into());
        self
    }

    /// Gives all heatmaps the same limits of colours, those of all their values together, and one colour bar.
    pub fn share_colors(mut self) -> Self {
        self.shares_colors = true;
        self
    }

    /// What it stands on.
    pub fn background(mut self, background: Background) -> Self {
        self.background = background;
        self
    }

    /// Adds a panel.
    pub fn panel(mut self, panel: Panel) -> Self {
        self.panels.push(panel);
        self
    }

    /// The figure as an SVG document.
    ///
    /// # Errors
    /// [`Error::NoPanels`], [`Error::TooSmall`], [`Error::Shares`]; [`Error::Empty`], [`Error::LengthsDiffer`],
    /// [`Error::NotRising`], [`Error::NotFinite`], [`Error::NamesDiffer`], [`Error::MixedPanel`] for what a panel holds. Values
    /// that are not finite are no error: they leave a gap.
    pub fn to_svg(&self) -> Result<String, Error> {
        self.validate()?;
        let panels = self.with_shared_colors();
        let shared = panels.iter().find_map(Panel::color_bar).filter(|_| self.shares_colors);
        let places = places(panels.iter().map(Panel::span), self.n_columns());
        let n_rows = places.last().map_or(0, |(_, row)| row + 1);
        let (widths, heights) = self.sizes(n_rows)?;
        let head = if self.title.is_empty() { 0.0 } else { 2.0 * HEADING };
        let mut cells = cells(&places, &widths, &heights, [MARGIN, MARGIN + head], GAP);
        let extent = |sizes: &[f64]| 2.0 * MARGIN + sizes.iter().sum::<f64>() + (sizes.len() - 1) as f64 * GAP;
        let bar_room = shared.as_ref().map_or(0.0, |bar| bar.room(heights[0]));
        let size = [extent(&widths) + bar_room, extent(&heights) + head];

        let has_map = |row: usize| {
            cells
                .iter()
                .zip(panels.iter())
                .any(|(cell, panel)| cell.row == row && panel.color_bar().is_some())
        };
        let with_map: Vec<bool> = (0..n_rows).map(has_map).collect();
        for cell in cells.iter_mut().filter(|cell| cell.last + 1 == widths.len() && !with_map[cell.row]) {
            // Beside these there is no colour bar.
            cell.width += bar_room;
        }
        let mut rooms: Vec<_> = panels
            .iter()
            .zip(&cells)
            .map(|(panel, cell)| panel.room([cell.width, cell.height], !self.shares_colors))
            .collect();
        let without_legends = frames(&cells, &rooms);
        let legends: Vec<f64> = panels
            .iter()
            .zip(&without_legends)
            .map(|(panel, frame)| panel.legend_room(frame))
            .collect();
        for (room, legend) in rooms.iter_mut().zip(&legends) {
            room.top += legend;
        }
        let frames = frames(&cells, &rooms);

        let mut canvas = Canvas::new(size, self.background);
        let title_size = fitting(&self.title, HEADING, size[0] - 2.0 * MARGIN);
        canvas.heading([0.5 * size[0], MARGIN + HEADING], title_size, &self.title);
        for (((panel, cell), frame), legend) in panels.iter().zip(&cells).zip(&frames).zip(&legends) {
            panel.draw(frame, cell.top, *legend, &mut canvas);
            if let Some(bar) = panel.color_bar().filter(|_| !self.shares_colors) {
                bar.draw(frame.right(), frame.top, frame.height, &mut canvas);
            }
        }
        if let Some(bar) = shared {
            let (top, bottom) = span_of_maps(&panels, &cells, &frames);
            bar.draw(MARGIN + extent(&widths) - 2.0 * MARGIN - 14.0, top, bottom - top, &mut canvas);
        }
        Ok(canvas.finish(&self.title))
    }

    /// The figure as a PNG file, with `scale` pixels for each of the SVG: two for screens, four for print.
    ///
    /// # Errors
    /// As [`to_svg`](Figure::to_svg); [`Error::Scale`]; [`Error::NoFont`] where the system has no font.
    #[cfg(feature = "png")]
    pub fn to_png(&self, scale: f64) -> Result<Vec<u8>, Error> {
        crate::pixels::render(&self.to_svg()?, scale)
    }

    /// Writes the figure to a file whose name ends in `.svg`, or in `.png` with the feature `png`: then with two pixels for each
    /// of the SVG.
    ///
    /// # Errors
    /// As [`to_svg`](Figure::to_svg); [`Error::UnknownFormat`] and [`Error::Write`] for the file.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let ends_in = |wanted: &str| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(wanted));
        let contents = match () {
            () if ends_in("svg") => self.to_svg()?.into_bytes(),
            #[cfg(feature = "png")]
            () if ends_in("png") => self.to_png(2.0)?,
            () => return Err(Error::UnknownFormat { path: path.into() }),
        };
        std::fs::write(path, contents).map_err(|source| Error::Write {
            path: path.into(),
            source: Arc::new(source),
        })
    }

    fn n_columns(&self) -> usize {
        self.columns.unwrap_or(match self.panels.len() {
            4 => 2,
            n_panels => n_panels.min(3),
        })
    }

    fn validate(&self) -> Result<(), Error> {
        if self.panels.is_empty() {
            return Err(Error::NoPanels);
        }
        self.checked(self.size_of_panels())?;
        self.panels.iter().enumerate().try_for_each(|(index, panel)| panel.validate(index))
    }

    fn size_of_panels(&self) -> [f64; 2] {
        self.panel_size.unwrap_or_else(|| default_size(self.n_columns()))
    }

    fn checked(&self, [width, height]: [f64; 2]) -> Result<(), Error> {
        let fits = |pixels: f64| (60.0..=1e5).contains(&pixels);
        let columns = self.n_columns();
        match fits(width) && fits(height) && columns > 0 {
            true => Ok(()),
            false => Err(Error::TooSmall { width, height, columns }),
        }
    }

    /// Widths of columns and heights of rows in pixels.
    fn sizes(&self, n_rows: usize) -> Result<(Vec<f64>, Vec<f64>), Error> {
        let [width, height] = self.size_of_panels();
        let widths = shared_out("widths of columns", self.column_widths.as_deref(), self.n_columns(), width)?;
        let heights = shared_out("heights of rows", self.row_heights.as_deref(), n_rows, height)?;
        let smallest = |sizes: &[f64]| sizes.iter().copied().fold(f64::INFINITY, f64::min);
        self.checked([smallest(&widths), smallest(&heights)])?;
        Ok((widths, heights))
    }

    fn with_shared_colors(&self) -> Cow<'_, [Panel]> {
        let bars: Vec<_> = self.panels.iter().filter_map(Panel::color_bar).collect();
        let mut extent = Extent::default();
        extent.include(bars.iter().flat_map(|bar| &bar.limits));
        match extent.range().filter(|_| self.shares_colors) {
            Some(limits) => Cow::Owned(self.panels.iter().map(|panel| panel.clone().with_limits(limits)).collect()),
            None => Cow::Borrowed(&self.panels),
        }
    }
}

/// The size of a panel that nobody asked for: the figure fills a page.
fn default_size(columns: usize) -> [f64; 2] {
    match columns {
        0 | 1 => [520.0, 320.0],
        columns => {
            let width = ((PAGE - 2.0 * MARGIN + GAP) / columns as f64 - GAP).max(150.0).floor();
            [width, (0.6 * width + 60.0).floor()]
        }
    }
}

/// `count` sizes with this mean, relative to each other as `shares`.
fn shared_out(what: &'static str, shares: Option<&[f64]>, count: usize, mean: f64) -> Result<Vec<f64>, Error> {
    let Some(shares) = shares else {
        return Ok(vec![mean; count]);
    };
    if shares.len() != count || !shares.iter().all(|&share| share > 0.0 && share.is_finite()) {
        return Err(Error::Shares {
            what,
            given: shares.to_vec(),
            wanted: count,
        });
    }
    let sum: f64 = shares.iter().sum();
    Ok(shares.iter().map(|share| share / sum * mean * count as f64).collect())
}

/// From the top of the highest to the bottom of the lowest frame of a heatmap.
fn span_of_maps(panels: &[Panel], cells: &[Cell], frames: &[Frame]) -> (f64, f64) {
    let maps = panels
        .iter()
        .zip(cells)
        .zip(frames)
        .filter(|((panel, _), _)| panel.color_bar().is_some());
    maps.fold((f64::INFINITY, 0.0), |(top, bottom), (_, frame)| {
        (frame.top.min(top), frame.bottom().max(bottom))
    })
}
