//! Coordinate descent: minimises a quadratic model plus a nonsmooth penalty, one unit of parameters at a time.
//!
//! A unit is a single parameter, or a group whose norm is penalised. Sweeps run over the units that are not zero until
//! they settle, then over all. Every few sweeps the last iterates are extrapolated (Anderson); where that does not settle
//! either, as with collinear features, Newton steps on the units that are not zero finish (see `polish.rs`).
//!
//! # References
//! Friedman, Hastie & Tibshirani (2010), *Journal of Statistical Software* 33(1); Bertrand & Massias (2021), *AISTATS*.

use crate::model::descender::{Descender, Unit};
use crate::model::quadratic::Quadratic;
use crate::penalty::column::ColumnPenalty;

/// The units of a column, those parameters left out that may not move.
pub(crate) fn units(penalty: &ColumnPenalty, free: &[bool]) -> Vec<Unit> {
    let mut single = free.to_vec();
    let mut groups = Vec::new();
    for group in &penalty.groups {
        let members: Vec<usize> = group.members.iter().copied().filter(|&member| free[member]).collect();
        members.iter().for_each(|&member| single[member] = false);
        if !members.is_empty() {
            groups.push(Unit::Group {
                members,
                strength: group.strength,
            });
        }
    }
    let singles = (0..free.len()).filter(|&place| single[place]).map(|place| Unit::Single {
        place,
        strength: penalty.lasso[place],
    });
    singles.chain(groups).collect()
}

const MAX_SWEEPS: usize = 2_000;
// A sweep that moves the model by this share of what the largest sweep did ends the descent.
const SETTLED: f64 = 1e-14;
// Sweeps before a direct solve, which costs about as much.
const SWEEPS_BEFORE_POLISH: usize = 25;
// Sweeps between extrapolations.
const MEMORY: usize = 5;

/// The `x` near `argmin  gradient · (x − start) + ½ (x − start)ᵀ model (x − start) + penalty(x)`.
pub(crate) fn minimize_model(model: &Quadratic, gradient: &[f64], start: &[f64], units: &[Unit]) -> Vec<f64> {
    let mut descender = Descender::new(model, gradient, start, units.len());
    let mut largest: f64 = 0.0;
    let mut sweeps = 0;
    while sweeps < MAX_SWEEPS {
        let all: Vec<usize> = (0..units.len()).collect();
        let moved = descender.sweep(units, &all);
        largest = largest.max(moved);
        sweeps += 1;
        if moved <= SETTLED * largest {
            break;
        }
        let active: Vec<usize> = all.into_iter().filter(|&index| units[index].is_active(&descender.at)).collect();
        let mut trail = Vec::new();
        let mut until_polish = SWEEPS_BEFORE_POLISH;
        while sweeps < MAX_SWEEPS {
            if until_polish == 0 {
                descender.polish(units, &active);
                until_polish = SWEEPS_BEFORE_POLISH;
                trail.clear();
            }
            until_polish -= 1;
            trail.push((descender.at.clone(), descender.product.clone()));
            if trail.len() > MEMORY {
                descender.extrapolate(units, &trail);
                trail.clear();
            }
            let moved = descender.sweep(units, &active);
            largest = largest.max(moved);
            sweeps += 1;
            if moved <= SETTLED * largest {
                break;
            }
        }
    }
    descender.at
}

/// The same, finished by Newton steps among the units that are not zero: sweeps over groups whose members differ by many
/// orders of magnitude do not settle by themselves.
pub(crate) fn minimize_model_closely(model: &Quadratic, gradient: &[f64], start: &[f64], units: &[Unit]) -> Vec<f64> {
    let end = minimize_model(model, gradient, start, units);
    let mut descender = Descender::new(model, gradient, start, units.len());
    for (place, value) in end.into_iter().enumerate() {
        descender.move_to(place, value);
    }
    let active: Vec<usize> = (0..units.len()).filter(|&index| units[index].is_active(&descender.at)).collect();
    descender.polish(units, &active);
    descender.at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::quadratic::Base;
    use ndarray::{Array2, array};

    #[test]
    fn a_diagonal_model_is_soft_thresholding() {
        let model = Quadratic::new(Base::Uniform(2.0), vec![0.0; 3]);
        let units = [
            Unit::Single { place: 0, strength: 1.0 },
            Unit::Single { place: 1, strength: 1.0 },
            Unit::Single { place: 2, strength: 0.0 },
        ];
        let at = minimize_model(&model, &[-4.0, 0.5, 1.0], &[0.0; 3], &units);
        assert_eq!(at, [1.5, 0.0, -0.5]);
    }

    #[test]
    fn nearly_collinear_features_reach_the_optimum() {
        // Conditions of the lasso: slope + strength · sign = 0 where a coefficient is not zero, |slope| ≤ strength elsewhere.
        let dense = array![[1.0, 0.999, 0.9], [0.999, 1.0, 0.9], [0.9, 0.9, 1.0]];
        let model = Quadratic::new(Base::Dense(dense.clone()), vec![0.0; 3]);
        let units: Vec<Unit> = (0..3).map(|place| Unit::Single { place, strength: 0.1 }).collect();
        let gradient = [-1.0, -1.0005, -0.8];
        let at = ndarray::Array1::from(minimize_model(&model, &gradient, &[0.0; 3], &units));
        let slopes = dense.dot(&at) + ndarray::aview1(&gradient);
        for (slope, x) in slopes.iter().zip(&at) {
            let violation = if *x != 0.0 {
                (slope + 0.1 * x.signum()).abs()
            } else {
                (slope.abs() - 0.1).max(0.0)
            };
            assert!(violation < 1e-7, "{slopes} {at}");
        }
    }

    #[test]
    fn sweeps_that_crawl_are_finished_by_newton_steps() {
        // Correlations of 0.9999 between neighbours: sweeps alone would take tens of thousands. They settle at squared moves
        // of 1e-14, which leaves slopes of 1e-7 at most.
        let dense = Array2::from_shape_fn((30, 30), |(i, j)| 0.9999_f64.powi((i as i32 - j as i32).abs()));
        let truth = ndarray::Array1::from_shape_fn(30, |i| if i % 7 == 0 { 1.0 - 0.1 * i as f64 } else { 0.0 });
        let gradient = (-dense.dot(&truth)).to_vec();
        let model = Quadratic::new(Base::Dense(dense.clone()), vec![0.0; 30]);
        let singles: Vec<Unit> = (0..30).map(|place| Unit::Single { place, strength: 1e-4 }).collect();
        let at = ndarray::Array1::from(minimize_model(&model, &gradient, &[0.0; 30], &singles));
        let slopes = dense.dot(&at) + ndarray::aview1(&gradient);
        for (slope, x) in slopes.iter().zip(&at) {
            let violation = if *x != 0.0 {
                (slope + 1e-4 * x.signum()).abs()
            } else {
                (slope.abs() - 1e-4).max(0.0)
            };
            assert!(violation < 1e-8, "{violation:e}");
        }
        let groups: Vec<Unit> = (0..10)
            .map(|group| Unit::Group {
                members: vec![3 * group, 3 * group + 1, 3 * group + 2],
                strength: 1e-4,
            })
            .collect();
        let at = ndarray::Array1::from(minimize_model(&model, &gradient, &[0.0; 30], &groups));
        let slopes = dense.dot(&at) + ndarray::aview1(&gradient);
        for group in 0..10 {
            let (x, slope) = (
                at.slice(ndarray::s![3 * group..3 * group + 3]),
                slopes.slice(ndarray::s![3 * group..3 * group + 3]),
            );
            let norm = x.dot(&x).sqrt();
            let violation = if norm > 0.0 {
                (&slope + &(&x * (1e-4 / norm))).mapv(f64::abs).sum()
            } else {
                (slope.dot(&slope).sqrt() - 1e-4).max(0.0)
            };
            assert!(violation < 1e-8, "{violation:e}");
        }
    }
}
