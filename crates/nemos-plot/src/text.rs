//! How much room text takes.

/// Sizes of text in pixels.
pub(crate) const HEADING: f64 = 16.0;
pub(crate) const TITLE: f64 = 14.0;
pub(crate) const LABEL: f64 = 13.0;
pub(crate) const TICK: f64 = 12.0;

/// About how wide a text is in a sans-serif font, a little on the wide side.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let ems: f64 = text.chars().map(ems).sum();
    1.04 * ems * size
}

/// The widest of several.
pub(crate) fn widest<'a>(texts: impl IntoIterator<Item = &'a str>, size: f64) -> f64 {
    texts.into_iter().map(|text| width(text, size)).fold(0.0, f64::max)
}

/// The size at which a text fits into so many pixels, as long as it can still be read.
pub(crate) fn fitting(text: &str, size: f64, pixels: f64) -> f64 {
    (size * pixels / width(text, size).max(1.0)).clamp(9.0, size)
}

/// Widths of characters as in Helvetica, in classes.
fn ems(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | '\'' | '|' => 0.23,
        ' ' | '.' | ',' | ':' | ';' | '!' | 'I' | 'f' | 't' | '/' => 0.28,
        '(' | ')' | '[' | ']' | '-' | 'r' | '"' | '⁰' | '¹' | '²' | '³' | '⁴'..='⁹' | '⁻' => 0.34,
        'm' | 'M' | 'w' | '@' | '%' => 0.85,
        'W' => 0.95,
        'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' | 'J' => 0.5,
        'A'..='Z' => 0.7,
        '+' | '−' | '×' | '÷' | '=' | '<' | '>' => 0.6,
        character if u32::from(character) >= 0x2e80 => 1.0,
        _ => 0.56,
    }
}
