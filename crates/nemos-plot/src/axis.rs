//! Axes: name, unit, range and ticks.

use kuva::render::render_utils::generate_ticks;

use crate::Error;
use crate::frame::Extent;

/// One axis of a panel.
///
/// # Options
/// | setter | default |
/// |---|---|
/// | `unit` | none |
/// | `range` | that of the data |
/// | `ticks` | about five round numbers |
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Axis {
    name: String,
    unit: String,
    range: Option<[f64; 2]>,
    ticks: Option<Vec<(f64, String)>>,
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

    /// Shows this range, whatever the data cover.
    pub fn range(mut self, low: f64, high: f64) -> Self {
        self.range = Some([low, high]);
        self
    }

    /// Puts ticks at these values, with these labels. An empty list leaves the axis bare.
    pub fn ticks<T: Into<String>>(mut self, ticks: impl IntoIterator<Item = (f64, T)>) -> Self {
        self.ticks = Some(ticks.into_iter().map(|(at, label)| (at, label.into())).collect());
        self
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
        match self.range {
            Some([start, end]) if !(start < end && start.is_finite() && end.is_finite()) => Err(Error::NotRising { what, start, end }),
            _ => Ok(()),
        }
    }

    /// The range to show for data of this extent, with `margin` of it on both sides; a side at zero has none.
    pub(crate) fn shown(&self, extent: Extent, margin: f64) -> [f64; 2] {
        if let Some(range) = self.range {
            return range;
        }
        let Some([low, high]) = extent.range() else {
            return [0.0, 1.0];
        };
        // Numbers that differ by rounding alone, or not at all, get a unit of room.
        if high - low <= 1e-12 * low.abs().max(high.abs()) {
            let room = 0.5 * low.abs().max(1.0);
            return [low - room, high + room];
        }
        let room = margin * (high - low);
        let widen = |end: f64, by: f64| if end == 0.0 { 0.0 } else { end + by };
        [widen(low, -room), widen(high, room)]
    }

    /// Ticks inside the range, about `wanted` of them unless they were given.
    pub(crate) fn ticks_in(&self, range: [f64; 2], wanted: usize) -> Vec<(f64, String)> {
        self.ticks_where(range, wanted, |_| true)
    }

    /// The same at whole numbers only: rows and columns are counted.
    pub(crate) fn whole_ticks_in(&self, range: [f64; 2], wanted: usize) -> Vec<(f64, String)> {
        self.ticks_where(range, wanted, |at| at == at.round())
    }

    fn ticks_where(&self, [low, high]: [f64; 2], wanted: usize, keep: impl Fn(f64) -> bool) -> Vec<(f64, String)> {
        let inside = |at: f64| at >= low - 1e-9 * (high - low) && at <= high + 1e-9 * (high - low);
        if let Some(ticks) = &self.ticks {
            return ticks.iter().filter(|(at, _)| inside(*at)).cloned().collect();
        }
        let values: Vec<f64> = generate_ticks(low, high, wanted)
            .into_iter()
            .filter(|&at| inside(at) && keep(at))
            .collect();
        let step = values.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
        values.into_iter().map(|at| (at, tick_label(at, step))).collect()
    }
}

/// A number with as many digits as ticks of this distance need.
fn tick_label(value: f64, step: f64) -> String {
    let step = if step.is_finite() { step } else { value.abs().max(1.0) };
    let text = if value != 0.0 && (value.abs() >= 1e6 || step < 1e-4) {
        format!("{value:e}")
    } else {
        let decimals = (0..4)
            .find(|&decimals| {
                let scaled = step * 10_f64.powi(decimals);
                (scaled - scaled.round()).abs() < 1e-6 * scaled
            })
            .unwrap_or(4);
        format!("{value:.*}", decimals as usize)
    };
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64) -> Vec<String> {
        Axis::default()
            .ticks_in([low, high], 5)
            .into_iter()
            .map(|(_, label)| label)
            .collect()
    }

    #[test]
    fn ticks_are_round_numbers_inside_the_range() {
        assert_eq!(labels(0.0, 100.0), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(labels(-0.5, 0.5), ["−0.4", "−0.2", "0.0", "0.2", "0.4"]);
        assert_eq!(labels(0.0, 3e7)[1], "5e6");
    }

    #[test]
    fn data_that_do_not_vary_still_have_an_axis() {
        let mut extent = Extent::default();
        extent.include(&[3.0, f64::NAN, 3.0]);
        assert_eq!(Axis::default().shown(extent, 0.05), [1.5, 4.5]);
        assert_eq!(Axis::default().shown(Extent::default(), 0.05), [0.0, 1.0]);
    }
}
