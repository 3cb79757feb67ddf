//! The SVG document: elements as text, numbers and words that are safe in it, and the shapes that it clips to.

use std::collections::BTreeSet;

/// A document that grows element by element.
pub(crate) struct Svg {
    size: [f64; 2],
    clips: BTreeSet<String>,
    definitions: String,
    body: String,
}

impl Svg {
    /// An empty document of this width and height in pixels.
    pub(crate) fn new(size: [f64; 2]) -> Self {
        Svg {
            size,
            clips: BTreeSet::new(),
            definitions: String::new(),
            body: String::new(),
        }
    }

    /// Adds an element without children: its name, attributes that are already text, and the text inside.
    pub(crate) fn element(&mut self, name: &str, attributes: &[(&str, String)], inside: &str) {
        self.body += &format!("<{name}");
        for (key, value) in attributes {
            self.body += &format!(" {key}=\"{}\"", escaped(value));
        }
        match inside {
            "" => self.body += "/>\n",
            inside => self.body += &format!(">{}</{name}>\n", escaped(inside)),
        }
    }

    /// Opens a group with attributes that are safe.
    pub(crate) fn open(&mut self, attributes: &[(&str, &str)]) {
        let attributes: String = attributes.iter().map(|(key, value)| format!(" {key}=\"{value}\"")).collect();
        self.body += &format!("<g{attributes}>\n");
    }

    /// Opens a group that is cut off at the edges of a rectangle.
    ///
    /// The name of a clip path is its place: two figures in one page can only share a name where they share the shape.
    pub(crate) fn open_clip(&mut self, [left, top, right, bottom]: [f64; 4]) {
        let [x, y, width, height] = [left, top, right - left, bottom - top].map(number);
        let id = format!("clip_{x}_{y}_{width}_{height}");
        self.open(&[("clip-path", &format!("url(#{id})"))]);
        if self.clips.insert(id.clone()) {
            let shape = format!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>");
            self.definitions += &format!("<clipPath id=\"{id}\">{shape}</clipPath>\n");
        }
    }

    /// Closes the group that was opened last.
    pub(crate) fn close(&mut self) {
        self.body += "</g>\n";
    }

    /// The document; `title` is what a reader who cannot see it is told.
    pub(crate) fn finish(self, title: &str, font: &str) -> String {
        let [width, height] = self.size.map(number);
        let title = match title {
            "" => String::new(),
            title => format!("<title>{}</title>\n", escaped(title)),
        };
        let definitions = match self.definitions.as_str() {
            "" => String::new(),
            definitions => format!("<defs>\n{definitions}</defs>\n"),
        };
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\" font-family=\"{font}\">\n{title}{definitions}{}</svg>\n",
            self.body
        )
    }
}

/// A number with at most two decimals, and no more than it needs.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    match text.trim_end_matches('0').trim_end_matches('.') {
        "-0" => "0".into(),
        text => text.into(),
    }
}

/// Text that is safe between tags and in attributes; characters that XML does not have are left out.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '&' => safe += "&amp;",
            '"' => safe += "&quot;",
            '\u{fffe}' | '\u{ffff}' => {}
            '\t' | '\n' | '\r' => safe.push(' '),
            control if u32::from(control) < 0x20 => {}
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!([1.0, 100.0, -0.001, 2.5, 0.126].map(number), ["1", "100", "0", "2.5", "0.13"]);
    }

    #[test]
    fn text_is_made_safe() {
        assert_eq!(escaped("a<b & \"c\"\u{0}\u{b}\n"), "a&lt;b &amp; &quot;c&quot; ");
    }
}
