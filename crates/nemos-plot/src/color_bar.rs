//! The colour bar: which colour stands for which value.

use crate::canvas::{Anchor, Canvas, Stroke};
use crate::frame::Frame;
use crate::text::{LABEL, TICK, widest};
use crate::ticks::round_numbers;
use crate::{Color, Colors};

/// A scale of colours beside what it explains.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ColorBar {
    pub(crate) colors: Colors,
    pub(crate) limits: [f64; 2],
    pub(crate) name: String,
}

const GAP: f64 = 12.0;
const WIDTH: f64 = 12.0;
const TICK_LENGTH: f64 = 4.0;

impl ColorBar {
    /// Pixels that it takes at the right of a frame.
    pub(crate) fn room(&self, height: f64) -> f64 {
        let name = if self.name.is_empty() { 0.0 } else { LABEL + 8.0 };
        GAP + WIDTH + TICK_LENGTH + 3.0 + self.widest(height) + name + 2.0
    }

    /// Draws it at this height, with its left side `GAP` to the right of `right`.
    pub(crate) fn draw(&self, right: f64, top: f64, height: f64, canvas: &mut Canvas) {
        const STEPS: usize = 64;
        let left = right + GAP;
        let scale = Frame {
            left,
            top,
            width: WIDTH,
            height,
            x_range: [0.0, 1.0],
            y_range: self.limits,
        };
        let at = |step: usize| scale.bottom() - height * step as f64 / STEPS as f64;
        let color = |step: usize| self.colors.rgb((step as f64 + 0.5) / STEPS as f64);
        canvas.tiles((0..STEPS).map(|step| ([left, at(step + 1), left + WIDTH, at(step)], color(step))));
        let side = left + WIDTH;
        for (value, label) in self.ticks(height) {
            let y = scale.y(value);
            canvas.line([side, y], [side + TICK_LENGTH, y], Stroke::new(Color::Black, 1.0));
            canvas.text([side + TICK_LENGTH + 3.0, y + 4.0], Anchor::Start, TICK, &label);
        }
        let name_at = [side + TICK_LENGTH + 3.0 + self.widest(height) + LABEL + 2.0, top + 0.5 * height];
        canvas.text(name_at, Anchor::Upwards, LABEL, &self.name);
    }

    fn ticks(&self, height: f64) -> Vec<(f64, String)> {
        round_numbers(self.limits, ((height / 32.0) as usize).clamp(2, 6), 0.0)
    }

    fn widest(&self, height: f64) -> f64 {
        widest(self.ticks(height).iter().map(|(_, label)| label.as_str()), TICK)
    }
}
