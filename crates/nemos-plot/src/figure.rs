//! Figures: panels in a grid, and the file they go to.

use std::path::Path;
use std::sync::Arc;

use crate::canvas::{Anchor, Canvas};
use crate::panel::Cell;
use crate::{Error, Panel};

const MARGIN: f64 = 14.0;
const GAP: f64 = 22.0;
const TITLE_SIZE: u32 = 17;

/// Panels in a grid, filled row after row.
///
/// # Options
/// | setter | default |
/// |---|---|
/// | `title` | none |
/// | `columns` | as many as panels, at most three |
/// | `panel_size` | 420 × 300 pixels |
///
/// # Example
/// ```
/// use nemos_plot::{Axis, Figure, Panel, Raster};
/// let trials = vec![vec![0.1, 0.4], vec![], vec![0.2]];
/// let panel = Panel::new().x(Axis::new("time").unit("s")).y(Axis::new("trial")).mark(Raster::new(trials));
/// assert!(Figure::new().panel(panel).to_svg()?.contains("time (s)"));
/// # Ok::<(), nemos_plot::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Figure {
    title: String,
    columns: Option<usize>,
    panel_size: [f64; 2],
    panels: Vec<Panel>,
}

impl Default for Figure {
    fn default() -> Self {
        Figure {
            title: String::new(),
            columns: None,
            panel_size: [420.0, 300.0],
            panels: Vec::new(),
        }
    }
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

    /// Width and height of each panel in pixels, its labels included.
    pub fn panel_size(mut self, width: f64, height: f64) -> Self {
        self.panel_size = [width, height];
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
    /// [`Error::NoPanels`], [`Error::TooSmall`]; [`Error::Empty`], [`Error::LengthsDiffer`], [`Error::NotRising`],
    /// [`Error::MixedPanel`] for what a panel holds. Values that are not finite are no error: they leave a gap.
    pub fn to_svg(&self) -> Result<String, Error> {
        self.validate()?;
        let columns = self.columns.unwrap_or_else(|| self.panels.len().min(3));
        let rows = self.panels.len().div_ceil(columns);
        let [width, height] = self.panel_size;
        let head = if self.title.is_empty() { 0.0 } else { 2.0 * f64::from(TITLE_SIZE) };
        let across = 2.0 * MARGIN + columns as f64 * (width + GAP) - GAP;
        let down = 2.0 * MARGIN + head + rows as f64 * (height + GAP) - GAP;
        let mut canvas = Canvas::new(across, down);
        let title_at = [0.5 * across, MARGIN + f64::from(TITLE_SIZE)];
        canvas.text(title_at, Anchor::Middle, TITLE_SIZE, &self.title);
        for (index, panel) in self.panels.iter().enumerate() {
            let cell = Cell {
                left: MARGIN + (index % columns) as f64 * (width + GAP),
                top: MARGIN + head + (index / columns) as f64 * (height + GAP),
                width,
                height,
            };
            panel.draw(cell, &mut canvas);
        }
        Ok(canvas.into_svg())
    }

    /// Writes the figure to a file whose name ends in `.svg`.
    ///
    /// # Errors
    /// As [`to_svg`](Figure::to_svg); [`Error::UnknownFormat`] and [`Error::Write`] for the file.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        if path.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("svg")) {
            return Err(Error::UnknownFormat { path: path.into() });
        }
        std::fs::write(path, self.to_svg()?).map_err(|source| Error::Write {
            path: path.into(),
            source: Arc::new(source),
        })
    }

    fn validate(&self) -> Result<(), Error> {
        if self.panels.is_empty() {
            return Err(Error::NoPanels);
        }
        let [width, height] = self.panel_size;
        let columns = self.columns.unwrap_or(1);
        let fits = |pixels: f64| (60.0..=1e5).contains(&pixels);
        if !(fits(width) && fits(height) && columns > 0) {
            return Err(Error::TooSmall { width, height, columns });
        }
        self.panels.iter().enumerate().try_for_each(|(index, panel)| panel.validate(index))
    }
}
