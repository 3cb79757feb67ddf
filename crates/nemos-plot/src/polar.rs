//! Polar lines: tuning curves of an angle.

use std::f64::consts::TAU;

use crate::canvas::{Anchor, Canvas, Stroke};
use crate::error::same_length;
use crate::frame::{Extent, Frame};
use crate::mark::{Draw, Swatch, along, labelled};
use crate::text::{LABEL, TICK};
use crate::{Axis, Color, Error, Mark};

/// A closed line around a circle: angles in radians, counted from the right and anticlockwise; a NaN leaves a gap.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Polar {
    angles: Vec<f64>,
    radii: Vec<f64>,
    label: String,
    color: Option<Color>,
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

    fn points(&self, frame: &Frame) -> Vec<[f64; 2]> {
        let disc = Disc::new(frame);
        let points = self.angles.iter().zip(&self.radii);
        points
            .map(|(&angle, &radius)| disc.point(angle, radius / frame.y_range[1]))
            .collect()
    }
}

impl Draw for Polar {
    fn validate(&self) -> Result<(), Error> {
        if self.angles.is_empty() {
            return Err(Error::Empty {
                mark: "a polar line",
                what: "angles",
            });
        }
        same_length("a polar line", ("angles", self.angles.len()), ("radii", self.radii.len()))
    }

    fn extend(&self, _x: &mut Extent, y: &mut Extent) {
        y.include(self.radii.iter().chain(&[0.0]));
    }

    fn color(&self) -> Option<Color> {
        self.color
    }

    fn legend(&self) -> Option<(&str, Swatch)> {
        labelled(&self.label, Swatch::Line)
    }

    fn covered(&self, frame: &Frame) -> Vec<[f64; 2]> {
        let disc = Disc::new(frame);
        let rim = (0..=120).map(|step| disc.point(TAU * f64::from(step) / 120.0, 1.0));
        along(frame, rim.chain(self.points(frame)))
    }

    fn draw(&self, frame: &Frame, canvas: &mut Canvas, color: Color) {
        let points = self.points(frame);
        if points.iter().flatten().all(|value| value.is_finite()) {
            canvas.polygon(points.iter().copied(), color, 0.12);
        }
        canvas.polyline(points.iter().chain(points.first()).copied(), Stroke::new(color, 2.0));
    }
}

/// The rings and spokes of a polar panel, and the names of its axes below.
pub(crate) fn draw_disc(frame: &Frame, canvas: &mut Canvas, angle: &Axis, radius: &Axis, marks: &[Mark]) {
    let disc = Disc::new(frame);
    let grid = Stroke::new(Color::LightGray, 1.0);
    for spoke in 0..8 {
        canvas.line(disc.centre, disc.point(f64::from(spoke) * TAU / 8.0, 1.0), grid);
    }
    let ticks: Vec<(f64, String)> = radius.ticks_up(frame.y_range, 1.4 * disc.radius, 0.0);
    let ticks: Vec<(f64, String)> = ticks.into_iter().filter(|(at, _)| *at > 0.0).collect();
    for (at, _) in &ticks {
        canvas.ring(disc.centre, disc.radius * (at / frame.y_range[1]), grid);
    }
    canvas.ring(disc.centre, disc.radius, Stroke::new(Color::Gray, 1.0));
    for (angle, label) in [(0.0, "0°"), (0.25, "90°"), (0.5, "180°"), (0.75, "270°")] {
        let [x, y] = disc.point(angle * TAU, 1.0 + 6.0 / disc.radius);
        let (anchor, drop) = match label {
            "0°" => (Anchor::Start, 4.0),
            "180°" => (Anchor::End, 4.0),
            "90°" => (Anchor::Middle, 0.0),
            _ => (Anchor::Middle, 9.0),
        };
        canvas.text([x, y + drop], anchor, TICK, label);
    }
    let shares: Vec<f64> = ticks.iter().map(|(at, _)| at / frame.y_range[1]).collect();
    let direction = emptiest_direction(&disc, &shares, frame, marks);
    for ((_, label), share) in ticks.iter().zip(&shares) {
        let [x, y] = disc.point(direction, *share);
        canvas.text([x, y + 4.0], Anchor::Middle, TICK, label);
    }
    let names: Vec<String> = [angle, radius]
        .map(Axis::title)
        .into_iter()
        .filter(|name| !name.is_empty())
        .collect();
    canvas.text([disc.centre[0], frame.bottom() - 4.0], Anchor::Middle, LABEL, &names.join(", "));
}

/// The direction between spokes in which curves stay farthest from where labels of rings would be.
fn emptiest_direction(disc: &Disc, shares: &[f64], frame: &Frame, marks: &[Mark]) -> f64 {
    let curves: Vec<[f64; 2]> = marks
        .iter()
        .filter_map(|mark| match mark {
            Mark::Polar(polar) => Some(along(frame, polar.points(frame))),
            _ => None,
        })
        .flatten()
        .collect();
    let room = |direction: f64| {
        let labels = shares.iter().map(|&share| disc.point(direction, share));
        let away = |[x, y]: [f64; 2]| curves.iter().map(move |at| (at[0] - x).hypot(at[1] - y));
        labels.flat_map(away).fold(f64::INFINITY, f64::min)
    };
    // The usual place first: it stays where nothing is in its way.
    let directions = [3, 1, 5, 7, 9, 11, 13, 15].map(|sixteenth| TAU * f64::from(sixteenth) / 16.0);
    let best = |best: f64, other: f64| if room(other) > room(best).min(20.0) { other } else { best };
    directions.into_iter().reduce(best).unwrap_or(TAU * 3.0 / 16.0)
}

struct Disc {
    centre: [f64; 2],
    radius: f64,
}

impl Disc {
    fn new(frame: &Frame) -> Self {
        Disc {
            centre: [frame.left + 0.5 * frame.width, frame.top + 0.5 * frame.height - 8.0],
            radius: (0.5 * (frame.width - 80.0).min(frame.height - 64.0)).max(10.0),
        }
    }

    /// `share` of the way from the centre to the rim.
    fn point(&self, angle: f64, share: f64) -> [f64; 2] {
        let length = share * self.radius;
        [self.centre[0] + length * angle.cos(), self.centre[1] - length * angle.sin()]
    }
}
