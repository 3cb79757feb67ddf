//! Values that parameters take in a grid.

use std::fmt;

use nemos_basis::{Basis, Window};
use nemos_glm::{BuiltIn, FeatureMask, LinkForm, ObservationForm, ObservationModel, Regularizer, Strength};
use serde::{Deserialize, Serialize};

/// A value that a parameter takes in a grid. Numbers, penalties, masks, windows and bases become one by themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Value {
    /// A number.
    Number(f64),
    /// A whole number.
    Count(usize),
    /// Lower and upper bound.
    Bounds(f64, f64),
    /// Several numbers that are one value, such as decay rates.
    Numbers(Vec<f64>),
    /// Strengths of a penalty.
    Strength(Strength),
    /// A penalty.
    Regularizer(Regularizer),
    /// A feature mask.
    Mask(FeatureMask),
    /// A window of filters.
    Window(Window),
    /// A part of a basis.
    Basis(Basis),
    /// A built-in link.
    Link(LinkForm),
    /// A built-in observation model.
    Observation(BuiltIn),
    /// A word: the name of a candidate that was given whole, or what leaves a step of a pipeline out.
    Name(String),
}

impl Value {
    /// The number, where it is one: what the axis of a score curve needs.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Number(value) | Value::Strength(Strength::Shared(value)) => Some(*value),
            Value::Count(value) => Some(*value as f64),
            Value::Window(window) => Some(window.n_samples() as f64),
            _ => None,
        }
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Value::Number(value)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Value::Count(value)
    }
}

impl From<(f64, f64)> for Value {
    fn from((low, high): (f64, f64)) -> Self {
        Value::Bounds(low, high)
    }
}

impl From<Vec<f64>> for Value {
    fn from(values: Vec<f64>) -> Self {
        Value::Numbers(values)
    }
}

impl From<&str> for Value {
    fn from(word: &str) -> Self {
        Value::Name(word.into())
    }
}

impl From<Strength> for Value {
    fn from(value: Strength) -> Self {
        Value::Strength(value)
    }
}

impl From<Regularizer> for Value {
    fn from(value: Regularizer) -> Self {
        Value::Regularizer(value)
    }
}

impl From<FeatureMask> for Value {
    fn from(value: FeatureMask) -> Self {
        Value::Mask(value)
    }
}

impl From<Window> for Value {
    fn from(value: Window) -> Self {
        Value::Window(value)
    }
}

impl From<Basis> for Value {
    fn from(value: Basis) -> Self {
        Value::Basis(value)
    }
}

impl From<LinkForm> for Value {
    fn from(value: LinkForm) -> Self {
        Value::Link(value)
    }
}

impl From<BuiltIn> for Value {
    fn from(value: BuiltIn) -> Self {
        Value::Observation(value)
    }
}

impl From<ObservationForm> for Value {
    fn from(value: ObservationForm) -> Self {
        match value.built_in() {
            Some(model) => Value::Observation(model),
            None => Value::Name(format!("{value:?}")),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(value) | Value::Strength(Strength::Shared(value)) => Short(*value).fmt(f),
            Value::Count(value) => value.fmt(f),
            Value::Bounds(low, high) => write!(f, "{low}..{high}"),
            Value::Numbers(values) => write!(f, "{values:?}"),
            Value::Strength(strength) => write!(f, "{strength:?}"),
            Value::Regularizer(regularizer) => penalty(regularizer, f),
            Value::Mask(mask) => write!(f, "{mask:?}"),
            Value::Window(window) => write!(f, "{} samples", window.n_samples()),
            Value::Basis(basis) => match basis.labels() {
                Ok(labels) => write!(f, "{} ({} functions)", labels[0], basis.n_functions()),
                Err(_) => write!(f, "{basis:?}"),
            },
            Value::Link(link) => write!(f, "{link:?}"),
            Value::Observation(model) => f.write_str(model.name()),
            Value::Name(name) => f.write_str(name),
        }
    }
}

/// A number to four digits, without an exponent where it is short.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0;
        if value == 0.0 || (1e-4..1e6).contains(&value.abs()) {
            // As many decimals as four digits need.
            let decimals = (3 - value.abs().max(1e-4).log10().floor() as i32).max(0) as usize;
            let text = format!("{value:.decimals$}");
            let trimmed = if text.contains('.') {
                text.trim_end_matches('0').trim_end_matches('.')
            } else {
                &text
            };
            f.write_str(trimmed)
        } else {
            // The mantissa without zeros at its end.
            let text = format!("{value:.3e}");
            match text.split_once('e') {
                Some((mantissa, exponent)) if mantissa.contains('.') => {
                    write!(f, "{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
                }
                _ => f.write_str(&text),
            }
        }
    }
}

fn penalty(regularizer: &Regularizer, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let of = |name: &str, strength: &Strength, f: &mut fmt::Formatter<'_>| match strength {
        Strength::Shared(strength) => write!(f, "{name} {}", Short(*strength)),
        _ => f.write_str(name),
    };
    match regularizer {
        Regularizer::Unregularized => f.write_str("no penalty"),
        Regularizer::Ridge(strength) => of("ridge", strength, f),
        Regularizer::Lasso(strength) => of("lasso", strength, f),
        Regularizer::ElasticNet { strength, lasso_share } => {
            of("elastic net", strength, f)?;
            write!(f, ", {} of it lasso", Short(*lasso_share))
        }
        Regularizer::GroupLasso { strength, .. } => of("group lasso", strength, f),
        other => write!(f, "{other:?}"),
    }
}

/// Evenly spaced on a logarithmic axis, from `first` to `last`, both above zero and both included.
///
/// # Example
/// ```
/// use nemos_select::log_spaced;
/// assert_eq!(log_spaced(0.01, 1.0, 3), [0.01, 0.1, 1.0]);
/// ```
#[doc(alias = "logspace")]
pub fn log_spaced(first: f64, last: f64, n: usize) -> Vec<f64> {
    let (from, to) = (first.log10(), last.log10());
    let at = |place: usize| match place {
        0 => first,
        _ if place + 1 == n => last,
        _ => 10f64.powf(from + (to - from) * place as f64 / (n - 1) as f64),
    };
    (0..n).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_with_four_digits() {
        let prints = |value: f64, text: &str| assert_eq!(Value::from(value).to_string(), text);
        prints(0.1, "0.1");
        prints(0.03162277, "0.03162");
        prints(1234.56, "1235");
        prints(100.0, "100");
        prints(0.0, "0");
        prints(3e-7, "3e-7");
        prints(3.25e9, "3.25e9");
    }

    #[test]
    fn both_ends_are_exact() {
        let strengths = log_spaced(0.3, 7.0, 5);
        assert_eq!((strengths[0], strengths[4]), (0.3, 7.0));
        assert!(
            strengths
                .windows(2)
                .all(|pair| (pair[1] / pair[0] - (7.0_f64 / 0.3).powf(0.25)).abs() < 1e-12)
        );
        assert_eq!(log_spaced(0.3, 7.0, 1), [0.3]);
        assert!(log_spaced(0.3, 7.0, 0).is_empty());
    }
}
