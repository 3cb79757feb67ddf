//! Colours of marks, and what they become on a light, a dark or any page.

/// A colour: one of Okabe and Ito's, one of the greys that text and axes are drawn in, or any other.
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
    /// What stands in the background: a tint of the page.
    LightGray,
    /// What stands behind: a weak grey.
    Gray,
    /// The colour of text and axes: black on white, nearly white on a dark page, between them where the page is not known.
    Black,
    /// Red, green and blue.
    Rgb(u8, u8, u8),
}

/// What a figure stands on, which decides what its text, axes and greys look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Background {
    /// Nothing: the page shines through. Text is of a grey that reads on white and on dark pages.
    #[default]
    Transparent,
    /// White, with black text: for print.
    White,
    /// Nearly black, with light text: for slides.
    Dark,
}

/// A colour as it is painted: red, green and blue, and how opaque.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Paint {
    pub(crate) rgb: [u8; 3],
    pub(crate) opacity: f64,
}

impl Color {
    /// The colour that the `index`-th mark of a panel takes when it has none of its own.
    pub(crate) fn cycle(index: usize) -> Self {
        use Color::{Blue, Green, Orange, Purple, SkyBlue, Vermillion};
        [Blue, Vermillion, Green, Purple, Orange, SkyBlue][index % 6]
    }

    /// What it is painted as on this background.
    pub(crate) fn on(self, background: Background) -> Paint {
        use Background::{Dark, Transparent, White};
        let opaque = |rgb| Paint { rgb, opacity: 1.0 };
        match (self, background) {
            (Color::Blue, _) => opaque([0x00, 0x72, 0xb2]),
            (Color::Vermillion, _) => opaque([0xd5, 0x5e, 0x00]),
            (Color::Green, _) => opaque([0x00, 0x9e, 0x73]),
            (Color::Purple, _) => opaque([0xcc, 0x79, 0xa7]),
            (Color::Orange, _) => opaque([0xe6, 0x9f, 0x00]),
            (Color::SkyBlue, _) => opaque([0x56, 0xb4, 0xe9]),
            (Color::Rgb(red, green, blue), _) => opaque([red, green, blue]),
            (Color::Black, Transparent) => opaque([0x71, 0x79, 0x85]),
            (Color::Black, White) => opaque([0x22, 0x26, 0x2b]),
            (Color::Black, Dark) => opaque([0xe3, 0xe6, 0xea]),
            (Color::Gray, Transparent) => opaque([0x8b, 0x92, 0x9c]),
            (Color::Gray, White) => opaque([0x6b, 0x72, 0x80]),
            (Color::Gray, Dark) => opaque([0x9a, 0xa2, 0xad]),
            (Color::LightGray, Transparent) => Paint {
                rgb: [0x8b, 0x92, 0x9c],
                opacity: 0.4,
            },
            (Color::LightGray, White) => opaque([0xc4, 0xc9, 0xcf]),
            (Color::LightGray, Dark) => opaque([0x4a, 0x51, 0x5b]),
        }
    }
}

impl Background {
    /// What the whole figure is filled with.
    pub(crate) fn fill(self) -> Option<Color> {
        match self {
            Background::Transparent => None,
            Background::White => Some(Color::Rgb(0xff, 0xff, 0xff)),
            Background::Dark => Some(Color::Rgb(0x14, 0x17, 0x1c)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrast of two colours (Web Content Accessibility Guidelines 2.2).
    fn contrast(left: [u8; 3], right: [u8; 3]) -> f64 {
        let luminance = |rgb: [u8; 3]| {
            let [red, green, blue] = rgb.map(|value| {
                let share = f64::from(value) / 255.0;
                if share <= 0.04045 {
                    share / 12.92
                } else {
                    ((share + 0.055) / 1.055).powf(2.4)
                }
            });
            0.2126 * red + 0.7152 * green + 0.0722 * blue
        };
        let [left, right] = [left, right].map(|rgb| luminance(rgb) + 0.05);
        left.max(right) / left.min(right)
    }

    #[test]
    fn text_reads_on_its_page() {
        // White, a light sepia, two greys and blues of dark pages, black.
        let pages = [
            [255; 3],
            [0xe1, 0xe1, 0xdb],
            [0x28, 0x2d, 0x3f],
            [0x14, 0x16, 0x17],
            [0x16, 0x19, 0x23],
            [0; 3],
        ];
        for page in pages {
            assert!(contrast(Color::Black.on(Background::Transparent).rgb, page) >= 3.0, "{page:?}");
        }
        for background in [Background::White, Background::Dark] {
            let page = background.fill().map(|color| color.on(background).rgb).expect("it has a fill");
            assert!(contrast(Color::Black.on(background).rgb, page) >= 12.0);
        }
    }
}
