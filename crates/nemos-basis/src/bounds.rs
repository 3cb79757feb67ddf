//! Bounds: which samples a family maps to 0 and 1, and what becomes of samples outside.

use serde::{Deserialize, Serialize, Serializer};

use crate::Error;

/// One pair of bounds for every column, one pair per column, or none: then they come from the samples.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bounds {
    pairs: Vec<(f64, f64)>,
    /// What rows outside the bounds hold; NaN, unless a number is given (and NaN would not equal itself).
    #[serde(serialize_with = "finite")]
    fill: Option<f64>,
}

impl Bounds {
    pub(crate) fn set(&mut self, pairs: Vec<(f64, f64)>) {
        self.pairs = pairs;
    }

    pub(crate) fn set_fill(&mut self, value: f64) {
        self.fill = (!value.is_nan()).then_some(value);
    }

    pub(crate) fn fill(&self) -> f64 {
        self.fill.unwrap_or(f64::NAN)
    }

    pub(crate) fn is_given(&self) -> bool {
        !self.pairs.is_empty()
    }

    /// The pair of the first column of an input, or the unit interval.
    pub(crate) fn of_input(&self, input: usize) -> (f64, f64) {
        let pair = self.pairs.get(input).or(self.pairs.first());
        pair.copied().unwrap_or((0.0, 1.0))
    }

    pub(crate) fn validate(&self, family: &'static str) -> Result<(), Error> {
        match self
            .pairs
            .iter()
            .find(|(low, high)| !(low < high && low.is_finite() && high.is_finite()))
        {
            Some(&(low, high)) => Err(Error::Bounds { family, low, high }),
            None => Ok(()),
        }
    }

    /// One pair for each column of each input, where bounds are given: the same for all, one for each input, or one for
    /// each column of each input.
    pub(crate) fn by_column(&self, family: &'static str, n_inputs: usize, n_columns: usize) -> Result<Vec<Vec<(f64, f64)>>, Error> {
        let got = self.pairs.len();
        let pick = |input: usize, column: usize| match got {
            1 => Some(self.pairs[0]),
            _ if got == n_inputs * n_columns => Some(self.pairs[input * n_columns + column]),
            _ if got == n_inputs => Some(self.pairs[input]),
            _ => None,
        };
        (0..n_inputs)
            .map(|input| (0..n_columns).map(|column| pick(input, column)).collect::<Option<Vec<_>>>())
            .collect::<Option<Vec<_>>>()
            .ok_or(Error::BoundsCount {
                family,
                got,
                expected: n_inputs * n_columns,
            })
    }
}

/// Text formats write an infinity as nothing, which would come back as NaN.
fn finite<S: Serializer>(fill: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match fill {
        Some(value) if value.is_infinite() => Err(serde::ser::Error::custom(format!(
            "the fill value {value} cannot be saved; use a finite number, or NaN"
        ))),
        _ => fill.serialize(serializer),
    }
}

/// Whether a sample is outside a pair of bounds. One that is a bound in single precision is inside: 1.1 of a file of 32-bit
/// floats is 1.10000002 in double, and beyond 1.1.
#[inline(always)]
pub(crate) fn is_outside(sample: f64, (low, high): (f64, f64)) -> bool {
    // A number that is above another in single precision is above it in double.
    (sample as f32) < low as f32 || sample as f32 > high as f32
}

/// Maps samples of one column to 0..1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    pub(crate) low: f64,
    /// `high − low`, or one where they are equal: a constant column is 0 everywhere.
    pub(crate) span: f64,
    /// The bounds, where there are some: what is one of them in single precision is one of them.
    bounds: Option<(f64, f64)>,
}

impl Scale {
    pub(crate) const UNIT: Scale = Scale {
        low: 0.0,
        span: 1.0,
        bounds: None,
    };

    pub(crate) fn new((low, high): (f64, f64)) -> Self {
        let span = high - low;
        Scale {
            low,
            span: if span == 0.0 { 1.0 } else { span },
            bounds: (span > 0.0).then_some((low, high)),
        }
    }

    /// Whether samples beyond the bounds are outside.
    pub(crate) fn is_bounded(self) -> bool {
        self.bounds.is_some()
    }

    #[inline(always)]
    pub(crate) fn unit(self, sample: f64) -> f64 {
        let unit = (sample - self.low) / self.span;
        match self.bounds {
            Some(bounds) if !(0.0..=1.0).contains(&unit) && !is_outside(sample, bounds) => unit.clamp(0.0, 1.0),
            _ => unit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_in_single_precision_is_inside() {
        for high in [1.1, 0.3, 1e6 + 0.1, -0.7] {
            let bounds = (-3.0, high);
            for near in [high, f64::from(high as f32), high.next_up()] {
                assert!(!is_outside(near, bounds), "{near}");
                assert!(Scale::new(bounds).unit(near) <= 1.0, "{near}");
            }
            assert!(is_outside(f64::from((high as f32).next_up()), bounds));
        }
        assert!(Scale::new((0.1, 1.0)).unit(f64::from(0.1_f32.next_down())) < 0.0);
        assert!(!is_outside(f64::NAN, (0.0, 1.0)) && Scale::new((0.0, 1.0)).unit(f64::NAN).is_nan());
    }
}
