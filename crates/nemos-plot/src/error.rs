//! What can be wrong with a figure.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// A figure that cannot be drawn, or not be written.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A figure has no panels.
    #[error("the figure has no panel; add one with `panel`")]
    NoPanels,
    /// A mark has nothing to draw.
    #[error("{mark} has no {what}; give it at least one")]
    Empty {
        /// Which kind of mark.
        mark: &'static str,
        /// Which of its values.
        what: &'static str,
    },
    /// Two lists that belong together have different lengths.
    #[error("{mark} has {left} {left_name} but {right} {right_name}; it needs {rule}")]
    LengthsDiffer {
        /// Which kind of mark.
        mark: &'static str,
        /// What the first list is.
        left_name: &'static str,
        /// Its length.
        left: usize,
        /// What the second list is.
        right_name: &'static str,
        /// Its length.
        right: usize,
        /// How the lengths should go together.
        rule: &'static str,
    },
    /// Edges of bars, or a range, do not rise.
    #[error("{what} goes from {start} to {end}; it must rise, and be finite")]
    NotRising {
        /// What goes the wrong way.
        what: &'static str,
        /// Where it starts.
        start: f64,
        /// Where it ends.
        end: f64,
    },
    /// A number has no finite value.
    #[error("{what} is {value}; it must be finite")]
    NotFinite {
        /// What is not finite.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// A width or a radius is none.
    #[error("{what} is {pixels} pixels; it must be zero or more, and finite")]
    Size {
        /// What has this size.
        what: &'static str,
        /// The size.
        pixels: f64,
    },
    /// Bars of one panel stand above different names.
    #[error("bars of panel {panel} stand above {left:?} and above {right:?}; give all bars of a panel the same names")]
    NamesDiffer {
        /// Which panel, counted from zero.
        panel: usize,
        /// The names of the first bars.
        left: Vec<String>,
        /// The names of others.
        right: Vec<String>,
    },
    /// Widths of columns, or heights of rows, do not fit the grid.
    #[error("{what} of the grid are {given:?}; {wanted} positive numbers are needed, one for each")]
    Shares {
        /// Widths of columns, or heights of rows.
        what: &'static str,
        /// The numbers that were given.
        given: Vec<f64>,
        /// How many there must be.
        wanted: usize,
    },
    /// A panel mixes angles with ordinary axes.
    #[error("panel {panel} mixes polar marks with others; give each kind its own panel")]
    MixedPanel {
        /// Which panel, counted from zero.
        panel: usize,
    },
    /// A panel or the grid has no room.
    #[error("panels of {width} × {height} pixels in {columns} columns cannot be drawn; at least 60 × 60 in one column are needed")]
    TooSmall {
        /// Width of a panel.
        width: f64,
        /// Height of a panel.
        height: f64,
        /// Columns of the grid.
        columns: usize,
    },
    /// The file's name does not end in a format that can be written.
    #[error(
        "{} does not end in {}",
        path.display(),
        if cfg!(feature = "png") { ".svg or .png, the formats that figures are written in" } else { ".svg; with the feature `png` of nemos, .png is possible too" }
    )]
    UnknownFormat {
        /// Which file.
        path: PathBuf,
    },
    /// A figure cannot have so few or so many pixels.
    #[cfg(feature = "png")]
    #[error("at a scale of {scale} the figure has {width} × {height} pixels; between 1 and 20000 are possible in each direction")]
    Scale {
        /// The scale that was asked for.
        scale: f64,
        /// Pixels across.
        width: f64,
        /// Pixels from top to bottom.
        height: f64,
    },
    /// There is no font to write the labels with.
    #[cfg(feature = "png")]
    #[error("no font is installed, so that labels cannot be drawn; install one, such as DejaVu Sans, or write .svg")]
    NoFont,
    /// The renderer does not take the figure.
    #[cfg(feature = "png")]
    #[error("the figure cannot be rendered: {source}")]
    Render {
        /// What the renderer said.
        source: Arc<resvg::usvg::Error>,
    },
    /// The file cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
}

/// Checks that a range rises, and is finite.
pub(crate) fn rising(what: &'static str, [start, end]: [f64; 2]) -> Result<(), Error> {
    if start < end && (end - start).is_finite() {
        return Ok(());
    }
    Err(Error::NotRising { what, start, end })
}

/// Checks a width or a radius.
pub(crate) fn is_size(what: &'static str, pixels: f64) -> Result<(), Error> {
    if pixels >= 0.0 && pixels.is_finite() {
        return Ok(());
    }
    Err(Error::Size { what, pixels })
}

/// Checks that a mark has as many of one thing as of another.
pub(crate) fn same_length(
    mark: &'static str,
    (left_name, left): (&'static str, usize),
    (right_name, right): (&'static str, usize),
) -> Result<(), Error> {
    if left == right {
        return Ok(());
    }
    Err(Error::LengthsDiffer {
        mark,
        left_name,
        left,
        right_name,
        right,
        rule: "as many of one as of the other",
    })
}
