//! Images inside a figure: a matrix as a PNG, written into the SVG.

use ndarray::{Array2, ArrayView2, s};

use crate::Colors;

/// Pixels of a matrix, no more than the screen can show.
pub(crate) struct Image {
    values: Array2<f64>,
    is_coarse: bool,
}

/// The last colour of the palette of an image stands for what is not a number.
const MISSING: u8 = 255;

impl Image {
    /// A matrix, with row 0 at the top, that will cover this width and height in pixels. Where it has more than two cells for
    /// each pixel, cells are means of their neighbours.
    pub(crate) fn new(values: ArrayView2<'_, f64>, size: [f64; 2]) -> Self {
        let block = |cells: usize, pixels: f64| (cells as f64 / (2.0 * pixels.max(1.0))).ceil().max(1.0) as usize;
        let (tall, wide) = (block(values.nrows(), size[1]), block(values.ncols(), size[0]));
        let shape = (values.nrows().div_ceil(tall), values.ncols().div_ceil(wide));
        let mean = |(row, column): (usize, usize)| {
            let (bottom, right) = (((row + 1) * tall).min(values.nrows()), ((column + 1) * wide).min(values.ncols()));
            let cells = values.slice(s![row * tall..bottom, column * wide..right]);
            let finite = cells.iter().filter(|value| value.is_finite());
            let (sum, count) = finite.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
            sum / count
        };
        Image {
            values: Array2::from_shape_fn(shape, mean),
            is_coarse: (shape.1 as f64) < size[0] && (shape.0 as f64) < size[1],
        }
    }

    /// Whether its pixels are larger than those of the screen.
    pub(crate) fn is_coarse(&self) -> bool {
        self.is_coarse
    }

    /// The image as an address that holds it. `share` says where on the scale a value lies.
    pub(crate) fn address(&self, colors: Colors, share: impl Fn(f64) -> f64) -> String {
        let index = |value: &f64| match value.is_finite() {
            true => (share(*value) * f64::from(MISSING - 1)).round() as u8,
            false => MISSING,
        };
        let pixels: Vec<u8> = self.values.iter().map(index).collect();
        let mut palette: Vec<u8> = (0..MISSING)
            .flat_map(|at| colors.rgb(f64::from(at) / f64::from(MISSING - 1)))
            .collect();
        palette.extend(colors.missing());
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.values.ncols() as u32, self.values.nrows() as u32);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(palette);
        let mut writer = encoder
            .write_header()
            .expect("invariant: an image has a size, and memory takes what is written");
        writer.write_image_data(&pixels).expect("invariant: one byte for each pixel");
        writer.finish().expect("invariant: memory takes what is written");
        format!("data:image/png;base64,{}", base64(&file))
    }
}

/// Bytes as text (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for sextet in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * sextet)) as usize & 63];
            text.push(if sextet > three.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_text() {
        // RFC 4648, section 10.
        let pairs = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in pairs {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn large_matrices_are_averaged_and_small_ones_kept() {
        let values = Array2::from_shape_fn((1000, 8), |(row, _)| if row < 500 { 1.0 } else { 3.0 });
        let image = Image::new(values.view(), [100.0, 100.0]);
        assert_eq!(image.values.dim(), (200, 8));
        assert_eq!((image.values[(0, 0)], image.values[(199, 7)]), (1.0, 3.0));
        assert!(!image.is_coarse());
        let mut holes = Array2::from_elem((4, 4), f64::NAN);
        holes[(0, 1)] = 5.0;
        let image = Image::new(holes.view(), [1.0, 1.0]);
        assert_eq!(image.values[(0, 0)], 5.0);
        assert!(image.values[(1, 1)].is_nan());
    }

    #[test]
    fn an_image_can_be_read_back() {
        let values = Array2::from_shape_vec((1, 3), vec![0.0, 1.0, f64::NAN]).expect("three values");
        let address = Image::new(values.view(), [300.0, 100.0]).address(Colors::Grays, |value| value);
        let letters = address.strip_prefix("data:image/png;base64,").expect("an address with its data");
        assert!(letters.starts_with("iVBORw0KGgo"), "the signature of a PNG");
    }
}
