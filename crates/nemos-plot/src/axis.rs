//! Axes: name, unit, range and ticks.

use crate::Error;
use crate::error::rising;
use crate::frame::Extent;
use crate::text::{TICK, widest, width};
use crate::ticks::round_numbers;

/// Values and their labels.
pub(crate) type Ticks = Vec<(f64, String)>;

/// One axis of a panel.
///
/// # Options
/// | setter | default |
/// |---|---|
/// | `unit` | none |
/// | `range` | that of the data |
/// | `ticks` | round numbers, as many as there is room for, at most six |
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Axis {
    name: String,
    unit: String,
    range: Option<[f64; 2]>,
    ticks: Option<Ticks>,
}

impl Axis {
    /// An axis of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Axis {
            name: name.into(),
            ..Axis::default()
        }
    }

    /// The unit, written in parentheses after the name.
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = unit.into();
        self
    }

    /// Shows this range, whatever the data cover. What lies beyond is cut off.
    pub fn range(mut self, low: f64, high: f64) -> Self {
        self.range = Some([low, high]);
        self
    }

    /// Puts ticks at these values, with these labels. An empty list leaves the axis bare.
    pub fn ticks<T: Into<String>>(mut self, ticks: impl IntoIterator<Item = (f64, T)>) -> Self {
        self.ticks = Some(ticks.into_iter().map(|(at, label)| (at, label.into())).collect());
        self
    }

    /// Whether it says itself where its ticks are.
    pub(crate) fn has_ticks(&self) -> bool {
        self.ticks.is_some()
    }

    /// Name and unit.
    pub(crate) fn title(&self) -> String {
        match (self.name.as_str(), self.unit.as_str()) {
            (name, "") => name.into(),
            ("", unit) => unit.into(),
            (name, unit) => format!("{name} ({unit})"),
        }
    }

    pub(crate) fn validate(&self, what: &'static str) -> Result<(), Error> {
        self.range.map_or(Ok(()), |range| rising(what, range))
    }

    /// Checks a radius, which begins at zero whatever its range says.
    pub(crate) fn validate_radius(&self) -> Result<(), Error> {
        let what = "the radius of a polar panel, which begins at zero,";
        self.range.map_or(Ok(()), |[_, high]| rising(what, [0.0, high]))
    }

    /// The range to show for data of this extent, with `margin` of it on both sides; a side at zero has `margin_at_zero`.
    pub(crate) fn shown(&self, extent: Extent, margin: f64, margin_at_zero: f64) -> [f64; 2] {
        if let Some(range) = self.range {
            return range;
        }
        let Some([low, high]) = extent.range() else {
            return [0.0, 1.0];
        };
        // The distance between both ends must be a number, too.
        let [low, high] = [low, high].map(|end| end.clamp(-0.2 * f64::MAX, 0.2 * f64::MAX));
        // Numbers that differ by rounding alone, or not at all, get a unit of room.
        if high - low <= 1e-12 * low.abs().max(high.abs()) {
            let room = 0.5 * low.abs().max(1.0);
            return [low - room, high + room];
        }
        let room = |end: f64| if end == 0.0 { margin_at_zero } else { margin } * (high - low);
        [low - room(low), high + room(high)]
    }

    /// Ticks of a horizontal axis: as many as there is room for beside each other.
    pub(crate) fn ticks_across(&self, range: [f64; 2], pixels: f64, least_step: f64) -> Ticks {
        let fewer = (2..=6).rev().map(|most| self.ticks_in(range, most, least_step));
        let mut all: Vec<Ticks> = fewer.take(if self.has_ticks() { 1 } else { 5 }).collect();
        let fitting = all.iter().position(|ticks| fit_beside(ticks, range, pixels));
        all.swap_remove(fitting.unwrap_or(all.len() - 1))
    }

    /// Ticks of a vertical axis.
    pub(crate) fn ticks_up(&self, range: [f64; 2], pixels: f64, least_step: f64) -> Ticks {
        self.ticks_in(range, ((pixels / 32.0) as usize).clamp(2, 6), least_step)
    }

    fn ticks_in(&self, [low, high]: [f64; 2], most: usize, least_step: f64) -> Ticks {
        let Some(ticks) = &self.ticks else {
            return round_numbers([low, high], most, least_step);
        };
        let inside = |at: f64| at >= low - 1e-9 * (high - low) && at <= high + 1e-9 * (high - low);
        ticks.iter().filter(|(at, _)| inside(*at)).cloned().collect()
    }
}

/// Whether the labels of ticks can stand beside each other on an axis of this length.
pub(crate) fn fit_beside(ticks: &[(f64, String)], [low, high]: [f64; 2], pixels: f64) -> bool {
    ticks.windows(2).all(|pair| {
        let apart = (pair[1].0 - pair[0].0).abs() / (high - low) * pixels;
        apart >= 0.5 * (width(&pair[0].1, TICK) + width(&pair[1].1, TICK)) + 6.0
    })
}

/// Pixels below the frame that labels of these ticks take.
pub(crate) fn room_below(ticks: &[(f64, String)], range: [f64; 2], pixels: f64) -> f64 {
    match fit_beside(ticks, range, pixels) {
        true => TICK + 12.0,
        // Labels that rise by thirty degrees take half of their length.
        false => 0.5 * widest_of(ticks) + TICK + 12.0,
    }
}

/// Pixels that slanted labels of these ticks need at the left of the frame.
pub(crate) fn slanted_room(ticks: &[(f64, String)], [low, high]: [f64; 2], pixels: f64) -> f64 {
    if fit_beside(ticks, [low, high], pixels) {
        return 0.0;
    }
    let reach = |(at, label): &(f64, String)| 0.87 * width(label, TICK) - (at - low) / (high - low) * pixels;
    ticks.iter().map(reach).fold(0.0, f64::max)
}

/// Pixels that the labels of these ticks take.
pub(crate) fn widest_of(ticks: &[(f64, String)]) -> f64 {
    widest(ticks.iter().map(|(_, label)| label.as_str()), TICK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_do_not_vary_still_have_an_axis() {
        let mut extent = Extent::default();
        extent.include(&[3.0, f64::NAN, 3.0]);
        assert_eq!(Axis::default().shown(extent, 0.05, 0.0), [1.5, 4.5]);
        assert_eq!(Axis::default().shown(Extent::default(), 0.05, 0.0), [0.0, 1.0]);
    }

    #[test]
    fn long_labels_are_fewer() {
        let labels = |pixels| Axis::default().ticks_across([0.0, 100_000.0], pixels, 0.0).len();
        assert_eq!([400.0, 130.0, 60.0].map(labels), [6, 3, 2]);
    }
}
