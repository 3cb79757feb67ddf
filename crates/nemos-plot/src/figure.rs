//! Figures: panels in a grid, and the file they go to.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use crate::canvas::{Anchor, Canvas};
use crate::frame::Extent;
use crate::grid::places;
use crate::sheet::{GAP, Grid, MARGIN, Sheet};
use crate::text::{HEADING, fitting};
use crate::{Background, Error, Panel};

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

    /// Width and height of each panel in pixels, its labels included; their mean where columns or rows differ. A legend that
    /// finds no room inside its panel makes the row higher.
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
    /// [`Error::NotRising`], [`Error::NotFinite`], [`Error::Size`], [`Error::NamesDiffer`], [`Error::MixedPanel`] for what a panel holds. Values
    /// that are not finite are no error: they leave a gap.
    pub fn to_svg(&self) -> Result<String, Error> {
        self.validate()?;
        let panels = self.with_shared_colors();
        let grid = self.grid()?;
        let shared = panels.iter().find_map(Panel::color_bar).filter(|_| self.shares_colors);
        let bar_room = shared.as_ref().map_or(0.0, |bar| bar.room(grid.heights[0]));
        let head = if self.title.is_empty() { 0.0 } else { 2.0 * HEADING };
        let sheet = Sheet::new(&panels, grid, head, bar_room);

        let mut canvas = Canvas::new(sheet.size, self.background);
        let title_size = fitting(&self.title, HEADING, sheet.size[0] - 2.0 * MARGIN);
        canvas.text([0.5 * sheet.size[0], MARGIN + HEADING], Anchor::Heading, title_size, &self.title);
        let mut maps: Option<[f64; 2]> = None;
        for (panel, spot) in panels.iter().zip(&sheet.spots) {
            panel.draw(&spot.frame, spot.top, spot.legend, &mut canvas);
            let Some(bar) = panel.color_bar() else { continue };
            let (top, bottom) = (spot.frame.top, spot.frame.bottom());
            match self.shares_colors {
                false => bar.draw(spot.frame.right(), top, bottom - top, &mut canvas),
                true => maps = Some(maps.map_or([top, bottom], |maps| [maps[0].min(top), maps[1].max(bottom)])),
            }
        }
        if let Some((bar, [top, bottom])) = shared.zip(maps) {
            bar.draw(sheet.size[0] - MARGIN - bar_room - 14.0, top, bottom - top, &mut canvas);
        }
        Ok(canvas.finish(&self.title))
    }

    /// The figure as a PNG file, with `scale` pixels for each of the SVG: two for screens, four for print.
    ///
    /// # Errors
    /// As [`to_svg`](Figure::to_svg); [`Error::Scale`]; [`Error::NoFont`] where the system has no font; [`Error::Render`] where the renderer
    /// does not take the figure.
    #[cfg(feature = "png")]
    pub fn to_png(&self, scale: f64) -> Result<Vec<u8>, Error> {
        crate::pixels::render(&self.to_svg()?, scale)
    }

    /// Writes the figure to a file whose name ends in `.svg`, or in `.png` with the feature `png`: then with two pixels for each
    /// of the SVG.
    ///
    /// # Errors
    /// As [`to_svg`](Figure::to_svg); [`Error::UnknownFormat`] and [`Error::Write`] for the file. For `.png` also `Error::Scale`,
    /// `Error::NoFont` and `Error::Render`, which there are with the feature `png`.
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
    fn grid(&self) -> Result<Grid, Error> {
        let [width, height] = self.size_of_panels();
        let n_columns = self.n_columns();
        let n_rows = places(self.panels.iter().map(Panel::span), n_columns)
            .last()
            .map_or(0, |(_, row)| row + 1);
        let widths = shared_out("widths of columns", self.column_widths.as_deref(), n_columns, width)?;
        let heights = shared_out("heights of rows", self.row_heights.as_deref(), n_rows, height)?;
        let smallest = |sizes: &[f64]| sizes.iter().copied().fold(f64::INFINITY, f64::min);
        self.checked([smallest(&widths), smallest(&heights)])?;
        Ok(Grid { widths, heights })
    }

    fn with_shared_colors(&self) -> Cow<'_, [Panel]> {
        let limits: Vec<f64> = self.panels.iter().flat_map(Panel::color_limits).flatten().collect();
        let mut extent = Extent::default();
        extent.include(&limits);
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
