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
}

fn share(value: f64, [low, high]: [f64; 2]) -> f64 {
    (value - low) / (high - low)
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
