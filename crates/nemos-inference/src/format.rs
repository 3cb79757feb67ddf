//! Numbers in tables.

use nemos_core::five_digits;

/// Five digits, right-aligned in so many characters; a dash where there is no number.
pub(crate) fn number(value: f64, width: usize) -> String {
    if value.is_nan() {
        format!("{:>width$}", "–")
    } else {
        five_digits(value, width)
    }
}

/// A probability: three digits after the point, or its order.
pub(crate) fn probability(p: f64) -> String {
    if p.is_nan() {
        "–".into()
    } else if p >= 1e-3 {
        format!("{p:.4}")
    } else if p > 0.0 {
        format!("{p:.1e}")
    } else {
        "<1e-300".into()
    }
}
