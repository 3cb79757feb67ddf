//! The canvas: everything that is drawn goes through here, and nothing else in the crate names kuva's scene.

use kuva::backend::svg::SvgBackend;
use kuva::render::color::Color as Paint;
use kuva::render::render::{PathData, Primitive, Scene, TextAnchor};

use crate::Color;
use crate::frame::Frame;

/// Sizes of text in pixels.
pub(crate) const TITLE: u32 = 14;
pub(crate) const LABEL: u32 = 13;
pub(crate) const TICK: u32 = 11;

/// Which point of a text is placed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
    /// The middle of a text that reads from bottom to top.
    Upwards,
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
    scene: Scene,
    clips: usize,
}

impl Canvas {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        let mut scene = Scene::new(width, height);
        scene.font_family = Some("Helvetica Neue, Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif".into());
        scene.text_color = Some("#22262b".into());
        Canvas { scene, clips: 0 }
    }

    pub(crate) fn into_svg(self) -> String {
        let (width, height) = (self.scene.width, self.scene.height);
        let svg = SvgBackend::new().render_scene(&self.scene);
        svg.replacen("<svg ", &format!("<svg viewBox=\"0 0 {width} {height}\" "), 1)
    }

    /// Draws what `body` draws, and cuts it off at the edges of the frame.
    pub(crate) fn clipped(&mut self, frame: &Frame, body: impl FnOnce(&mut Canvas)) {
        self.clips += 1;
        self.scene.add(Primitive::ClipStart {
            x: frame.left - 1.0,
            y: frame.top - 1.0,
            width: frame.width + 2.0,
            height: frame.height + 2.0,
            id: format!("clip-{}", self.clips),
        });
        body(self);
        self.scene.add(Primitive::ClipEnd);
    }

    pub(crate) fn line(&mut self, from: [f64; 2], to: [f64; 2], stroke: Stroke) {
        self.scene.add(Primitive::Line {
            x1: from[0],
            y1: from[1],
            x2: to[0],
            y2: to[1],
            stroke: paint(stroke.color),
            stroke_width: stroke.width,
            stroke_dasharray: dashes(stroke),
        });
    }

    /// A line through points, interrupted wherever one is not finite; a point alone between two gaps is a dot.
    pub(crate) fn polyline(&mut self, points: impl IntoIterator<Item = [f64; 2]>, stroke: Stroke) {
        let points: Vec<[f64; 2]> = points.into_iter().collect();
        let finite = |point: &[f64; 2]| point.iter().all(|value| value.is_finite());
        let mut path = String::new();
        for run in points.chunk_by(|a, b| finite(a) && finite(b)).filter(|run| finite(&run[0])) {
            if let [alone] = run {
                self.circle(*alone, stroke.width, stroke.color, 1.0);
                continue;
            }
            let corners: Vec<String> = run.iter().map(|[x, y]| format!("{x:.2},{y:.2}")).collect();
            path += &format!("M{}", corners.join("L"));
        }
        self.path(path, None, Some(stroke), 1.0);
    }

    /// A filled shape.
    pub(crate) fn polygon(&mut self, points: impl IntoIterator<Item = [f64; 2]>, color: Color, opacity: f64) {
        let corners: Vec<String> = points.into_iter().map(|[x, y]| format!("{x:.2},{y:.2}")).collect();
        self.path(format!("M{}Z", corners.join("L")), Some(color), None, opacity);
    }

    /// Many separate vertical strokes.
    pub(crate) fn ticks(&mut self, strokes: impl IntoIterator<Item = (f64, [f64; 2])>, stroke: Stroke) {
        let path: String = strokes
            .into_iter()
            .map(|(x, [from, to])| format!("M{x:.2},{from:.2}V{to:.2}"))
            .collect();
        self.path(path, None, Some(stroke), 1.0);
    }

    fn path(&mut self, d: String, fill: Option<Color>, stroke: Option<Stroke>, opacity: f64) {
        if d.is_empty() {
            return;
        }
        self.scene.add(Primitive::Path(Box::new(PathData {
            d,
            fill: fill.map(paint),
            stroke: stroke.map_or(Paint::None, |stroke| paint(stroke.color)),
            stroke_width: stroke.map_or(0.0, |stroke| stroke.width),
            opacity: Some(opacity),
            stroke_dasharray: stroke.and_then(dashes),
        })));
    }

    pub(crate) fn rectangle(&mut self, [x, y]: [f64; 2], [width, height]: [f64; 2], color: Color, opacity: f64) {
        self.scene.add(Primitive::Rect {
            x,
            y,
            width: width.max(0.0),
            height: height.max(0.0),
            fill: paint(color),
            stroke: None,
            stroke_width: None,
            opacity: Some(opacity),
        });
    }

    pub(crate) fn circle(&mut self, [cx, cy]: [f64; 2], r: f64, color: Color, opacity: f64) {
        self.scene.add(Primitive::Circle {
            cx,
            cy,
            r,
            fill: paint(color),
            fill_opacity: Some(opacity),
            stroke: None,
            stroke_width: None,
        });
    }

    pub(crate) fn ring(&mut self, [cx, cy]: [f64; 2], r: f64, stroke: Stroke) {
        self.scene.add(Primitive::Circle {
            cx,
            cy,
            r,
            fill: Paint::None,
            fill_opacity: None,
            stroke: Some(paint(stroke.color)),
            stroke_width: Some(stroke.width),
        });
    }

    pub(crate) fn text(&mut self, [x, y]: [f64; 2], anchor: Anchor, size: u32, text: &str) {
        if text.is_empty() {
            return;
        }
        self.scene.add(Primitive::Text {
            x,
            y,
            // A dollar would start a formula.
            content: text.replace('$', "\\$"),
            size,
            anchor: match anchor {
                Anchor::Start => TextAnchor::Start,
                Anchor::Middle | Anchor::Upwards => TextAnchor::Middle,
                Anchor::End => TextAnchor::End,
            },
            rotate: (anchor == Anchor::Upwards).then_some(-90.0),
            bold: false,
            color: None,
        });
    }
}

/// About how wide a text is.
pub(crate) fn text_width(text: &str, size: u32) -> f64 {
    text.chars().count() as f64 * f64::from(size) * 0.55
}

fn paint(color: Color) -> Paint {
    let [red, green, blue] = color.rgb();
    Paint::Rgb(red, green, blue)
}

fn dashes(stroke: Stroke) -> Option<String> {
    stroke.dashed.then(|| "5 4".into())
}
