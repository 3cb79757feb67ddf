//! The frame of a panel: where its data lie on the canvas.

/// A rectangle on the canvas and the ranges of data that it shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) x_range: [f64; 2],
    pub(crate) y_range: [f64; 2],
}

impl Frame {
    /// Where a horizontal value lies.
    pub(crate) fn x(&self, value: f64) -> f64 {
        self.left + share(value, self.x_range) * self.width
    }

    /// Where a vertical value lies.
    pub(crate) fn y(&self, value: f64) -> f64 {
        self.bottom() - share(value, self.y_range) * self.height
    }

    pub(crate) fn point(&self, x: f64, y: f64) -> [f64; 2] {
        [self.x(x), self.y(y)]
    }

    pub(crate) fn right(&self) -> f64 {
        self.left + self.width
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    pub(crate) fn middle(&self) -> [f64; 2] {
        [self.left + 0.5 * self.width, self.top + 0.5 * self.height]
    }

    /// Left, top, right and bottom on the canvas of a rectangle of data.
    pub(crate) fn rectangle(&self, x: [f64; 2], y: [f64; 2]) -> [f64; 4] {
        let ([x0, x1], [y0, y1]) = (x.map(|x| self.x(x)), y.map(|y| self.y(y)));
        [x0.min(x1), y0.min(y1), x0.max(x1), y0.max(y1)]
    }

    /// Points all over a rectangle on the canvas, as far as it lies in the frame; none where it is not finite.
    pub(crate) fn filled(&self, [left, top, right, bottom]: [f64; 4]) -> Vec<[f64; 2]> {
        const STEP: f64 = 4.0;
        let (left, right) = (left.max(self.left), right.min(self.right()));
        let (top, bottom) = (top.max(self.top), bottom.min(self.bottom()));
        if !(left <= right && top <= bottom) {
            return Vec::new();
        }
        let steps = |from: f64, to: f64| {
            let count = ((to - from) / STEP).ceil().max(1.0);
            (0..=count as usize).map(move |step| from + (to - from) * step as f64 / count)
        };
        steps(left, right).flat_map(|x| steps(top, bottom).map(move |y| [x, y])).collect()
    }
}

/// How far along the range a value lies: what is far outside is so far that nobody sees a difference, and what is not finite is
/// nowhere.
fn share(value: f64, [low, high]: [f64; 2]) -> f64 {
    const FAR: f64 = 1e7;
    match value.is_finite() {
        true => ((value - low) / (high - low)).clamp(-FAR, FAR),
        false => f64::NAN,
    }
}

/// The smallest range that holds every finite value seen so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Extent {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Default for Extent {
    fn default() -> Self {
        Extent {
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
        }
    }
}

impl Extent {
    pub(crate) fn include<'a>(&mut self, values: impl IntoIterator<Item = &'a f64>) {
        for &value in values {
            if value.is_finite() {
                self.low = self.low.min(value);
                self.high = self.high.max(value);
            }
        }
    }

    /// Widens it on both sides by this share of itself.
    pub(crate) fn pad(&mut self, share: f64) {
        let room = share * (self.high - self.low);
        if room.is_finite() {
            (self.low, self.high) = (self.low - room, self.high + room);
        }
    }

    /// The range, or `None` where no finite value was seen.
    pub(crate) fn range(self) -> Option<[f64; 2]> {
        (self.low <= self.high).then_some([self.low, self.high])
    }
}
