//! Colours of marks, and colour scales of heatmaps.

use kuva::plot::ColorMap;

/// A colour: one of Okabe and Ito's, a grey, or any other.
///
/// # References
/// Okabe & Ito (2008), *Color Universal Design*; Wong (2011), *Nature Methods* 8, 441. doi:10.1038/nmeth.1618
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Color {
    /// `#0072B2`
    Blue,
    /// `#D55E00`
    Vermillion,
    /// `#009E73`
    Green,
    /// `#CC79A7`
    Purple,
    /// `#E69F00`
    Orange,
    /// `#56B4E9`
    SkyBlue,
    /// `#C4C9CF`, for what stands in the background
    LightGray,
    /// `#6B7280`
    Gray,
    /// `#22262B`
    Black,
    /// Red, green and blue.
    Rgb(u8, u8, u8),
}

impl Color {
    /// The colour that the `index`-th mark of a panel takes when it has none of its own.
    pub(crate) fn cycle(index: usize) -> Self {
        use Color::{Blue, Green, Orange, Purple, SkyBlue, Vermillion};
        [Blue, Vermillion, Green, Purple, Orange, SkyBlue][index % 6]
    }

    pub(crate) fn rgb(self) -> [u8; 3] {
        match self {
            Color::Blue => [0x00, 0x72, 0xb2],
            Color::Vermillion => [0xd5, 0x5e, 0x00],
            Color::Green => [0x00, 0x9e, 0x73],
            Color::Purple => [0xcc, 0x79, 0xa7],
            Color::Orange => [0xe6, 0x9f, 0x00],
            Color::SkyBlue => [0x56, 0xb4, 0xe9],
            Color::LightGray => [0xc4, 0xc9, 0xcf],
            Color::Gray => [0x6b, 0x72, 0x80],
            Color::Black => [0x22, 0x26, 0x2b],
            Color::Rgb(red, green, blue) => [red, green, blue],
        }
    }
}

/// How a heatmap turns values into colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Colors {
    /// From dark to light over the range of the values.
    #[default]
    Sequential,
    /// From blue over white, which is zero, to red: for values of both signs, such as couplings.
    Diverging,
}

impl Colors {
    /// The colour of `share`, 0..=1 of the scale.
    pub(crate) fn at(self, share: f64) -> Color {
        let scale = match self {
            Colors::Sequential => ColorMap::Viridis,
            Colors::Diverging => ColorMap::RedBlue,
        };
        let share = if self == Colors::Diverging { 1.0 - share } else { share };
        let (red, green, blue) = scale.map_rgb(share.clamp(0.0, 1.0)).unwrap_or((0x80, 0x80, 0x80));
        Color::Rgb(red, green, blue)
    }

    /// The values at both ends of the scale, for finite values from `low` to `high`.
    pub(crate) fn limits(self, low: f64, high: f64) -> [f64; 2] {
        let [low, high] = match self {
            Colors::Sequential => [low, high],
            Colors::Diverging => [-low.abs().max(high.abs()), low.abs().max(high.abs())],
        };
        if low < high { [low, high] } else { [low - 0.5, high + 0.5] }
    }
}
