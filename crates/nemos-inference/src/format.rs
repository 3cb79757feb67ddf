//! Numbers in tables.

/// Five digits, right-aligned in so many characters.
pub(crate) fn number(value: f64, width: usize) -> String {
    let plain = value == 0.0 || (1e-4..1e6).contains(&value.abs());
    if value.is_nan() {
        format!("{:>width$}", "–")
    } else if plain {
        let decimals = 4 - (value.abs().max(1.0).log10().floor() as usize).min(4);
        format!("{value:>width$.decimals$}")
    } else {
        format!("{value:>width$.3e}")
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
