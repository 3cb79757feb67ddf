//! Palettes: how a heatmap turns values into colours.

use crate::Color;

/// How a heatmap turns values into colours.
///
/// # References
/// Viridis: van der Walt & Smith (2015), released into the public domain. Diverging: *RdBu* of Harrower & Brewer (2003),
/// *The Cartographic Journal* 40, 27. doi:10.1179/000870403235002042
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Colors {
    /// From dark to light over the range of the values.
    #[default]
    Sequential,
    /// From blue over white, which is the centre, to red: for values of both signs, such as couplings.
    Diverging,
    /// From white to black: for what is there or not, such as a design matrix.
    Grays,
}

/// Eleven colours of viridis, evenly apart.
const VIRIDIS: [u32; 11] = [
    0x440154, 0x482475, 0x414487, 0x355f8d, 0x2a788e, 0x21918c, 0x22a884, 0x44bf70, 0x7ad151, 0xbddf26, 0xfde725,
];
/// The eleven of ColorBrewer's RdBu, from blue to red.
const BLUE_TO_RED: [u32; 11] = [
    0x053061, 0x2166ac, 0x4393c3, 0x92c5de, 0xd1e5f0, 0xf7f7f7, 0xfddbc7, 0xf4a582, 0xd6604d, 0xb2182b, 0x67001f,
];
const WHITE_TO_BLACK: [u32; 2] = [0xffffff, 0x000000];

impl Colors {
    /// The colour at a share of the scale, from 0 to 1: for curves that have an order.
    #[must_use]
    pub fn at(self, share: f64) -> Color {
        let [red, green, blue] = self.rgb(share);
        Color::Rgb(red, green, blue)
    }

    /// The same as red, green and blue.
    pub(crate) fn rgb(self, share: f64) -> [u8; 3] {
        let stops = match self {
            Colors::Sequential => VIRIDIS.as_slice(),
            Colors::Diverging => &BLUE_TO_RED,
            Colors::Grays => &WHITE_TO_BLACK,
        };
        let at = share.clamp(0.0, 1.0) * (stops.len() - 1) as f64;
        let before = (at as usize).min(stops.len() - 2);
        let [left, right] = [stops[before], stops[before + 1]].map(|rgb| {
            let [_, red, green, blue] = rgb.to_be_bytes();
            [red, green, blue].map(f64::from)
        });
        let share = at - before as f64;
        [0, 1, 2].map(|channel| (left[channel] + share * (right[channel] - left[channel])).round() as u8)
    }

    /// The colour of what is not a number: one that the scale does not have.
    pub(crate) fn missing(self) -> [u8; 3] {
        match self {
            Colors::Sequential | Colors::Diverging => [0xa9, 0xaf, 0xb8],
            Colors::Grays => [0xc5, 0xd9, 0xee],
        }
    }

    /// The values at both ends of the scale, for finite values from `low` to `high`; a diverging one is as long on both sides
    /// of its centre.
    pub(crate) fn limits(self, [low, high]: [f64; 2], center: Option<f64>) -> [f64; 2] {
        let center = center.or((self == Colors::Diverging).then_some(0.0));
        let [low, high] = match center {
            None => [low, high],
            Some(center) => {
                let reach = (low - center).abs().max((high - center).abs());
                [center - reach, center + reach]
            }
        };
        if low < high { [low, high] } else { [low - 0.5, high + 0.5] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_middle_are_the_published_colours() {
        assert_eq!(Colors::Sequential.rgb(0.0), [0x44, 0x01, 0x54]);
        assert_eq!(Colors::Sequential.rgb(1.0), [0xfd, 0xe7, 0x25]);
        // matplotlib 3.11: viridis(0.25), to two in 255.
        let quarter = Colors::Sequential.rgb(0.25);
        assert!(
            quarter
                .iter()
                .zip([59, 82, 139])
                .all(|(found, wanted): (_, i32)| (i32::from(*found) - wanted).abs() <= 2)
        );
        assert_eq!(Colors::Diverging.rgb(0.5), [0xf7; 3]);
        assert_eq!(Colors::Grays.rgb(0.5), [128; 3]);
    }

    #[test]
    fn a_diverging_scale_is_even_about_its_centre() {
        assert_eq!(Colors::Diverging.limits([-1.0, 3.0], None), [-3.0, 3.0]);
        assert_eq!(Colors::Diverging.limits([0.5, 2.0], Some(1.0)), [0.0, 2.0]);
        assert_eq!(Colors::Sequential.limits([2.0, 2.0], None), [1.5, 2.5]);
    }
}
