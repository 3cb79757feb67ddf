//! Random numbers of a distribution, and quantiles of drawn numbers.

use rand::{Rng, RngExt};

use crate::Reference;
use crate::distribution::normal_quantile;

/// A standard normal number, by its quantile: one draw of the generator for each.
pub(crate) fn normal<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    loop {
        let share: f64 = rng.random();
        if share > 0.0 {
            return normal_quantile(share);
        }
    }
}

/// What takes normal numbers to Student's: the root of χ² over its degrees of freedom; one where the scale is known.
pub(crate) fn student<R: Rng + ?Sized>(reference: Reference, rng: &mut R) -> f64 {
    match reference {
        Reference::StudentT(dof) => {
            let share: f64 = rng.random_range(1e-12..1.0);
            // Wilson and Hilferty, to three digits.
            let z = normal_quantile(share);
            let k = 2.0 / (9.0 * dof);
            (1.0 - k + z * k.sqrt()).max(1e-3).powf(1.5)
        }
        _ => 1.0,
    }
}

/// The quantile of some numbers, between the two that are nearest (type 7).
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    if values.is_empty() {
        return f64::NAN;
    }
    let place = share * (values.len() - 1) as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    let above = (below + 1).min(values.len() - 1);
    values[below] + part * (values[above] - values[below])
}
