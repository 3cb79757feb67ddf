//! Polar lines: tuning curves of an angle.

use std::f64::consts::TAU;

use crate::canvas::{Anchor, Canvas, Stroke, TICK};
use crate::error::same_length;
use crate::frame::Frame;
use crate::{Axis, Color, Error};

/// A closed line around a circle: angles in radians, counted from the right and anticlockwise; a NaN leaves a gap.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Polar {
    angles: Vec<f64>,
    pub(crate) radii: Vec<f64>,
    pub(crate) label: String,
    pub(crate) color: Option<Color>,
}

impl Polar {
    /// A line through these angles, in their order, at these distances from the centre.
    pub fn new(angles: impl Into<Vec<f64>>, radii: impl Into<Vec<f64>>) -> Self {
        Polar {
            angles: angles.into(),
            radii: radii.into(),
            label: String::new(),
            color: None,
        }
    }

    /// Its name in the legend.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Its colour.
    pub fn color(mut self, color: Color) -> Self {
        self.color = Some(color);
        self
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.angles.is_empty() {
            return Err(Error::Empty {
                mark: "a polar line",
                what: "angles",
            });
        }
        same_length("a polar line", ("angles", self.angles.len()), ("radii", self.radii.len()))
    }

    pub(crate) fn draw(&self, frame: &Frame, canvas: &mut Canvas, color: Color) {
        let disc = Disc::new(frame);
        let points: Vec<[f64; 2]> = self
            .angles
            .iter()
            .zip(&self.radii)
            .map(|(&angle, &radius)| disc.point(angle, radius / frame.y_range[1]))
            .collect();
        if points.iter().flatten().all(|value| value.is_finite()) {
            canvas.polygon(points.iter().copied(), color, 0.12);
        }
        canvas.polyline(points.iter().chain(points.first()).copied(), Stroke::new(color, 2.0));
    }
}

/// The rings and spokes of a polar panel.
pub(crate) fn draw_disc(frame: &Frame, canvas: &mut Canvas, radius: &Axis) {
    let disc = Disc::new(frame);
    let grid = Stroke::new(Color::LightGray, 0.8);
    for spoke in 0..8 {
        let angle = f64::from(spoke) * TAU / 8.0;
        canvas.line(disc.centre, disc.point(angle, 1.0), grid);
    }
    let ticks = radius.ticks_in(frame.y_range, 3);
    for (at, _) in &ticks {
        canvas.ring(disc.centre, disc.radius * at / frame.y_range[1], grid);
    }
    canvas.ring(disc.centre, disc.radius, Stroke::new(Color::Gray, 1.0));
    for (angle, label) in [(0.0, "0°"), (0.25, "90°"), (0.5, "180°"), (0.75, "270°")] {
        let [x, y] = disc.point(angle * TAU, 1.0 + 8.0 / disc.radius);
        let (anchor, drop) = match label {
            "0°" => (Anchor::Start, 4.0),
            "180°" => (Anchor::End, 4.0),
            "90°" => (Anchor::Middle, 0.0),
            _ => (Anchor::Middle, 9.0),
        };
        canvas.text([x, y + drop], anchor, TICK, label);
    }
    for (at, label) in ticks.iter().filter(|(at, _)| *at > 0.0) {
        let [x, y] = disc.point(TAU * 3.0 / 16.0, at / frame.y_range[1]);
        canvas.text([x + 2.0, y - 1.0], Anchor::Start, TICK, label);
    }
    canvas.text([disc.centre[0], frame.bottom() + 6.0], Anchor::Middle, TICK, &radius.title());
}

struct Disc {
    centre: [f64; 2],
    radius: f64,
}

impl Disc {
    fn new(frame: &Frame) -> Self {
        Disc {
            centre: [frame.left + 0.5 * frame.width, frame.top + 0.5 * frame.height - 4.0],
            radius: (0.5 * frame.width.min(frame.height) - 24.0).max(10.0),
        }
    }

    /// `share` of the way from the centre to the rim.
    fn point(&self, angle: f64, share: f64) -> [f64; 2] {
        let length = share * self.radius;
        [self.centre[0] + length * angle.cos(), self.centre[1] - length * angle.sin()]
    }
}
