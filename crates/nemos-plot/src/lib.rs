//! Figures of nemos, as SVG and, with the feature `png`, as PNG.
//!
//! A [`Figure`] is a grid of panels; a [`Panel`] has two [`Axis`] specifications and a list of marks, drawn in the order
//! in which they were added. All are plain values: nothing is drawn, or can fail, before [`Figure::to_svg`] or
//! [`Figure::save`].
//!
//! | mark | what it draws |
//! |---|---|
//! | [`Line`] | a line through points; a NaN leaves a gap |
//! | [`Area`] | a band between two lines |
//! | [`Bars`] | a histogram between edges, or values above names |
//! | [`Scatter`] | points |
//! | [`Raster`] | events of many trials or neurons, one row each |
//! | [`Heatmap`] | a matrix as colours, or a map in the units of both axes, with a colour bar |
//! | [`Span`] | a shaded stretch of the horizontal axis |
//! | [`Polar`] | a closed line around a circle: a tuning curve of an angle |
//!
//! Colours are those of Okabe and Ito, which readers with any kind of colour vision can tell apart; marks without a
//! colour of their own take them in turn. A figure has no background, and its text reads on white and on dark pages;
//! [`Background`] makes figures for print and for slides.
//!
//! What lies outside the range of an axis is cut off, and a legend never lies over data.
//!
//! ```
//! use nemos_plot::{Axis, Bars, Figure, Line, Panel};
//! let panel = Panel::new()
//!     .x(Axis::new("position").unit("cm"))
//!     .y(Axis::new("rate").unit("spikes/s"))
//!     .mark(Bars::new([0.0, 50.0, 100.0], [2.0, 6.0]).label("spikes ÷ occupancy"))
//!     .mark(Line::new([0.0, 50.0, 100.0], [1.0, 4.0, 7.0]).label("model"));
//! let svg = Figure::new().panel(panel).to_svg()?;
//! assert!(svg.starts_with("<svg") && svg.contains("position (cm)"));
//! # Ok::<(), nemos_plot::Error>(())
//! ```

mod axis;
mod bars;
mod canvas;
mod color;
mod color_bar;
mod error;
mod figure;
mod frame;
mod grid;
mod heatmap;
mod image;
mod legend;
mod line;
mod mark;
mod palette;
mod panel;
mod path;
#[cfg(feature = "png")]
mod pixels;
mod polar;
mod raster;
mod scatter;
mod sheet;
mod span;
mod svg;
mod text;
mod ticks;

pub use axis::Axis;
pub use bars::Bars;
pub use color::{Background, Color};
pub use error::Error;
pub use figure::Figure;
pub use heatmap::Heatmap;
pub use line::{Area, Line};
pub use mark::Mark;
pub use palette::Colors;
pub use panel::Panel;
pub use polar::Polar;
pub use raster::Raster;
pub use scatter::Scatter;
pub use span::Span;
