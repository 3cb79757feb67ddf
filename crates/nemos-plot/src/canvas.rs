//! The canvas: shapes and text in the colours of the figure's background. Everything that is drawn goes through here.

use crate::color::{Background, Color};
use crate::frame::Frame;
use crate::path::{Window, cut_shape, pieces};
use crate::svg::{Svg, number};

/// Which point of a text is placed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    /// The middle of a text in a heavier weight.
    Heading,
    End,
    /// The middle of a text that reads from bottom to top.
    Upwards,
    /// The end of a text that rises by thirty degrees.
    Slanted,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stroke {
    pub(crate) color: Color,
    pub(crate) width: f64,
    pub(crate) dashed: bool,
}

impl Stroke {
    pub(crate) fn new(color: Color, width: f64) -> Self {
        Stroke {
            color,
            width,
            dashed: false,
        }
    }
}

/// A drawing of a given size.
pub(crate) struct Canvas {
    svg: Svg,
    background: Background,
    /// Lines are drawn as far as this: what lies beyond could not be seen, and might be too far away for a number.
    window: Window,
    everywhere: Window,
}

// A little more than what the digits that are written leave out.
const ROUNDED: f64 = 0.02;

impl Canvas {
    pub(crate) fn new([width, height]: [f64; 2], background: Background) -> Self {
        let everywhere = [0.0, 0.0, width, height];
        let mut canvas = Canvas {
            svg: Svg::new([width, height]),
            background,
            window: everywhere,
            everywhere,
        };
        if let Some(fill) = background.fill() {
            canvas.rectangle(everywhere, fill, 1.0);
        }
        canvas
    }

    pub(crate) fn finish(self, title: &str) -> String {
        const FONT: &str = "Helvetica Neue, Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif";
        self.svg.finish(title, FONT)
    }

    /// Draws what `body` draws, and cuts it off at the edges of the frame.
    pub(crate) fn clipped(&mut self, frame: &Frame, body: impl FnOnce(&mut Canvas)) {
        let grown = |by: f64| [frame.left - by, frame.top - by, frame.right() + by, frame.bottom() + by];
        // A pixel of grace, so that a line along an edge is whole.
        self.svg.open_clip(grown(1.0));
        self.window = grown(50.0);
        body(self);
        self.window = self.everywhere;
        self.svg.close();
    }

    pub(crate) fn line(&mut self, from: [f64; 2], to: [f64; 2], stroke: Stroke) {
        self.polyline([from, to], stroke);
    }

    /// A line through points, interrupted wherever one is not finite; a point alone between two gaps is a dot.
    pub(crate) fn polyline(&mut self, points: impl IntoIterator<Item = [f64; 2]>, stroke: Stroke) {
        let mut path = String::new();
        for piece in pieces(points, self.window) {
            match piece.as_slice() {
                [alone] => self.circle(*alone, stroke.width, stroke.color, 1.0),
                piece => path += &format!("M{}", corners(piece)),
            }
        }
        self.path(path, Some(stroke), None);
    }

    /// A filled shape.
    pub(crate) fn polygon(&mut self, points: impl IntoIterator<Item = [f64; 2]>, color: Color, opacity: f64) {
        let shape = cut_shape(points.into_iter().collect(), self.window);
        if !shape.is_empty() {
            self.path(format!("M{}Z", corners(&shape)), None, Some((color, opacity)));
        }
    }

    /// Many separate vertical strokes.
    pub(crate) fn strokes(&mut self, strokes: impl IntoIterator<Item = (f64, [f64; 2])>, stroke: Stroke) {
        let [left, _, right, _] = self.window;
        let mut texts: Vec<String> = strokes
            .into_iter()
            .filter(|(x, _)| (left..=right).contains(x))
            .map(|(x, [from, to])| format!("M{:.1},{}V{}", x, number(from), number(to)))
            .collect();
        // Strokes that fall on the same tenth of a pixel are one.
        texts.dedup();
        self.path(texts.concat(), Some(stroke), None);
    }

    fn path(&mut self, d: String, stroke: Option<Stroke>, fill: Option<(Color, f64)>) {
        if d.is_empty() {
            return;
        }
        let mut attributes = vec![("d", d)];
        attributes.extend(match fill {
            Some((color, opacity)) => self.fill(color, opacity),
            None => vec![("fill", "none".into())],
        });
        attributes.extend(stroke.iter().flat_map(|stroke| self.stroke(stroke)));
        self.svg.element("path", &attributes, "");
    }

    /// A filled rectangle: left, top, right, bottom.
    pub(crate) fn rectangle(&mut self, sides: [f64; 4], color: Color, opacity: f64) {
        let fill = self.fill(color, opacity);
        self.filled(sides, fill);
    }

    /// Rectangles that fill whole pixels, so that nothing shines through between one and the next.
    pub(crate) fn tiles(&mut self, tiles: impl IntoIterator<Item = ([f64; 4], [u8; 3])>) {
        self.svg.open(&[("shape-rendering", "crispEdges")]);
        for ([left, top, right, bottom], [red, green, blue]) in tiles {
            let fill = self.fill(Color::Rgb(red, green, blue), 1.0);
            // Sides are written with two digits behind the point: where one pixel ends by rounding, the next has begun.
            self.filled([left, top, right + ROUNDED, bottom + ROUNDED], fill);
        }
        self.svg.close();
    }

    fn filled(&mut self, [left, top, right, bottom]: [f64; 4], fill: Vec<(&'static str, String)>) {
        let limit = |value: f64, axis: usize| value.clamp(self.window[axis], self.window[axis + 2]);
        let (left, right, top, bottom) = (limit(left, 0), limit(right, 0), limit(top, 1), limit(bottom, 1));
        if !(left < right && top < bottom) {
            return;
        }
        let mut attributes = vec![
            ("x", number(left)),
            ("y", number(top)),
            ("width", number(right - left)),
            ("height", number(bottom - top)),
        ];
        attributes.extend(fill);
        self.svg.element("rect", &attributes, "");
    }

    pub(crate) fn circle(&mut self, centre: [f64; 2], radius: f64, color: Color, opacity: f64) {
        let fill = self.fill(color, opacity);
        self.round(centre, radius, fill);
    }

    pub(crate) fn ring(&mut self, centre: [f64; 2], radius: f64, stroke: Stroke) {
        let mut attributes = vec![("fill", "none".into())];
        attributes.extend(self.stroke(&stroke));
        self.round(centre, radius, attributes);
    }

    fn round(&mut self, [x, y]: [f64; 2], radius: f64, paint: Vec<(&'static str, String)>) {
        let [left, top, right, bottom] = self.window;
        if (left..=right).contains(&x) && (top..=bottom).contains(&y) {
            let mut attributes = vec![("cx", number(x)), ("cy", number(y)), ("r", number(radius))];
            attributes.extend(paint);
            self.svg.element("circle", &attributes, "");
        }
    }

    /// A picture in a rectangle: left, top, right, bottom. Its pixels stay sharp where they are larger than the screen's.
    pub(crate) fn image(&mut self, [left, top, right, bottom]: [f64; 4], address: String, sharp: bool) {
        let mut attributes = vec![
            ("x", number(left)),
            ("y", number(top)),
            ("width", number(right - left)),
            ("height", number(bottom - top)),
            ("preserveAspectRatio", "none".into()),
            ("href", address),
        ];
        if sharp {
            attributes.push(("image-rendering", "optimizeSpeed".into()));
            attributes.push(("style", "image-rendering:pixelated".into()));
        }
        self.svg.element("image", &attributes, "");
    }

    pub(crate) fn text(&mut self, [x, y]: [f64; 2], anchor: Anchor, size: f64, text: &str) {
        if text.is_empty() {
            return;
        }
        let mut attributes = vec![("x", number(x)), ("y", number(y)), ("font-size", number(size))];
        attributes.extend(self.fill(Color::Black, 1.0));
        attributes.extend((anchor == Anchor::Heading).then(|| ("font-weight", "600".into())));
        let alignment = match anchor {
            Anchor::Start => "start",
            Anchor::Middle | Anchor::Heading | Anchor::Upwards => "middle",
            Anchor::End | Anchor::Slanted => "end",
        };
        attributes.push(("text-anchor", alignment.into()));
        let turned = match anchor {
            Anchor::Upwards => Some(-90),
            Anchor::Slanted => Some(-30),
            _ => None,
        };
        attributes.extend(turned.map(|degrees| ("transform", format!("rotate({degrees} {} {})", number(x), number(y)))));
        self.svg.element("text", &attributes, text);
    }

    fn fill(&self, color: Color, opacity: f64) -> Vec<(&'static str, String)> {
        let paint = color.on(self.background);
        let mut attributes = vec![("fill", hexadecimal(paint.rgb))];
        // A tint of a tint would not be seen.
        let opacity = opacity.min(paint.opacity);
        attributes.extend((opacity < 1.0).then(|| ("fill-opacity", number(opacity))));
        attributes
    }

    fn stroke(&self, stroke: &Stroke) -> Vec<(&'static str, String)> {
        let paint = stroke.color.on(self.background);
        let mut attributes = vec![
            ("stroke", hexadecimal(paint.rgb)),
            ("stroke-width", number(stroke.width)),
            ("stroke-linejoin", "round".into()),
        ];
        attributes.extend((paint.opacity < 1.0).then(|| ("stroke-opacity", number(paint.opacity))));
        attributes.extend(stroke.dashed.then(|| ("stroke-dasharray", "5 4".into())));
        attributes
    }
}

fn corners(points: &[[f64; 2]]) -> String {
    let texts: Vec<String> = points.iter().map(|&[x, y]| format!("{},{}", number(x), number(y))).collect();
    texts.join("L")
}

fn hexadecimal([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}
