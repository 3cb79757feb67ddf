//! Pixels: a figure as a PNG file.

use std::sync::Arc;

use resvg::{tiny_skia, usvg};

use crate::Error;

/// Renders an SVG at `scale` pixels for each of its own.
pub(crate) fn render(svg: &str, scale: f64) -> Result<Vec<u8>, Error> {
    let mut fonts = usvg::fontdb::Database::new();
    fonts.load_system_fonts();
    // What the document asks for last stands for any font that there is.
    let any = fonts.faces().find_map(|face| face.families.first().map(|(name, _)| name.clone()));
    let any = any.ok_or(Error::NoFont)?;
    let names = |wanted: &str| fonts.faces().any(|face| face.families.iter().any(|(name, _)| name == wanted));
    let usual = ["Arial", "Helvetica", "Liberation Sans", "DejaVu Sans", "Noto Sans"];
    let sans_serif = usual.into_iter().find(|name| names(name)).map_or(any, String::from);
    fonts.set_sans_serif_family(sans_serif);
    let options = usvg::Options {
        fontdb: Arc::new(fonts),
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_str(svg, &options).map_err(|error| Error::Render { source: Arc::new(error) })?;
    let [width, height] = [tree.size().width(), tree.size().height()].map(|pixels| f64::from(pixels) * scale);
    let has_room = |pixels: f64| (1.0..=20_000.0).contains(&pixels);
    let pixmap = (has_room(width) && has_room(height)).then(|| tiny_skia::Pixmap::new(width.ceil() as u32, height.ceil() as u32));
    let mut pixmap = pixmap.flatten().ok_or(Error::Scale { scale, width, height })?;
    let transform = tiny_skia::Transform::from_scale(scale as f32, scale as f32);
    resvg::render(&tree, transform, &mut pixmap.as_mut());
    Ok(pixmap.encode_png().expect("invariant: memory takes what is written"))
}
