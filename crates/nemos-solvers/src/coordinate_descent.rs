//! Coordinate descent: minimises a quadratic model plus a penalty without a gradient, one unit of parameters at a time.
//!
//! A unit is a single parameter, or a group whose norm is penalised. Sweeps run over the units that are not zero until
//! they settle, then over all. Every few sweeps the last iterates are extrapolated (Anderson); where that does not settle
//! either, as with collinear features, Newton steps on the units that are not zero finish (see `polish`).
//!
//! # References
//! Friedman, Hastie & Tibshirani (2010), *Journal of Statistical Software* 33(1); Bertrand & Massias (2021), *AISTATS*.

use ndarray::Array2;

use crate::descent::dot;
use crate::group_step::GroupCurvature;
use crate::kinks::{ColumnPenalty, soft};
use crate::quadratic::{Product, Quadratic};

/// Parameters that move together.
#[derive(Clone, Debug)]
pub(crate) enum Unit {
    /// One parameter, and the strength of its absolute value.
    Single { place: usize, strength: f64 },
    /// A group, and the strength of its norm.
    Group { members: Vec<usize>, strength: f64 },
}

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
const PATIENCE: usize = 25;
// Sweeps between extrapolations.
const MEMORY: usize = 5;

/// The state of a descent on one model.
pub(crate) struct Descender<'a> {
    pub(crate) model: &'a Quadratic,
    gradient: &'a [f64],
    start: &'a [f64],
    pub(crate) diagonal: Vec<f64>,
    curvatures: Vec<Option<GroupCurvature>>,
    pub(crate) at: Vec<f64>,
    pub(crate) product: Product,
}

/// The `x` near `argmin  gradient · (x − start) + ½ (x − start)ᵀ model (x − start) + penalty(x)`.
pub(crate) fn minimize_model(model: &Quadratic, gradient: &[f64], start: &[f64], units: &[Unit]) -> Vec<f64> {
    let mut descender = Descender {
        model,
        gradient,
        start,
        diagonal: (0..start.len()).map(|place| model.entry(place, place)).collect(),
        curvatures: vec![None; units.len()],
        at: start.to_vec(),
        product: model.zero(),
    };
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
        let mut until_polish = PATIENCE;
        while sweeps < MAX_SWEEPS {
            if until_polish == 0 {
                descender.polish(units, &active);
                until_polish = PATIENCE;
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

impl Unit {
    fn is_active(&self, at: &[f64]) -> bool {
        match self {
            Unit::Single { place, strength } => *strength == 0.0 || at[*place] != 0.0,
            Unit::Group { members, .. } => members.iter().any(|&member| at[member] != 0.0),
        }
    }

    fn penalty(&self, at: &[f64]) -> f64 {
        match self {
            Unit::Single { place, strength } => strength * at[*place].abs(),
            Unit::Group { members, strength } => strength * members.iter().map(|&i| at[i] * at[i]).sum::<f64>().sqrt(),
        }
    }
}

impl Descender<'_> {
    /// One step of each of these units; returns how far the model moved.
    fn sweep(&mut self, units: &[Unit], which: &[usize]) -> f64 {
        let mut moved = 0.0;
        for &index in which {
            moved += match &units[index] {
                Unit::Single { place, strength } => self.step_single(*place, *strength),
                Unit::Group { members, strength } => self.step_group(index, members, *strength),
            };
        }
        moved
    }

    pub(crate) fn slope(&self, place: usize) -> f64 {
        self.gradient[place] + self.model.at(&self.product, place)
    }

    pub(crate) fn move_to(&mut self, place: usize, value: f64) -> f64 {
        let change = value - self.at[place];
        if change == 0.0 {
            return 0.0;
        }
        self.at[place] = value;
        self.model.add_change(&mut self.product, place, change);
        self.diagonal[place] * change * change
    }

    fn step_single(&mut self, place: usize, strength: f64) -> f64 {
        let curvature = self.diagonal[place];
        if curvature > 0.0 {
            let slope = self.slope(place);
            self.move_to(place, soft(self.at[place] - slope / curvature, strength / curvature))
        } else if strength > 0.0 {
            // A feature that never varies: nothing but the penalty knows it.
            self.move_to(place, 0.0)
        } else {
            0.0
        }
    }

    fn step_group(&mut self, index: usize, members: &[usize], strength: f64) -> f64 {
        // With the rest held fixed: minimise ½ xᵀ B x − pull · x + strength ‖x‖, where pull = B x − slopes.
        let was_zero = members.iter().all(|&member| self.at[member] == 0.0);
        let mut pull: Vec<f64> = members.iter().map(|&member| -self.slope(member)).collect();
        if was_zero && dot(&pull, &pull).sqrt() <= strength {
            return 0.0;
        }
        let model = self.model;
        let curvature = self.curvatures[index].get_or_insert_with(|| {
            let size = members.len();
            GroupCurvature::new(Array2::from_shape_fn((size, size), |(i, j)| model.entry(members[i], members[j])))
        });
        if !was_zero {
            let here: Vec<f64> = members.iter().map(|&member| self.at[member]).collect();
            pull.iter_mut().zip(curvature.times(&here)).for_each(|(pull, value)| *pull += value);
        }
        let best = curvature.minimize(&pull, strength);
        members.iter().zip(best).map(|(&member, value)| self.move_to(member, value)).sum()
    }

    /// The model at a point whose product is known.
    pub(crate) fn value(&self, units: &[Unit], at: &[f64], product: &Product) -> f64 {
        let smooth: f64 = (0..at.len())
            .map(|place| (at[place] - self.start[place]) * (self.gradient[place] + 0.5 * self.model.at(product, place)))
            .sum();
        smooth + units.iter().map(|unit| unit.penalty(at)).sum::<f64>()
    }

    /// Moves to the combination of the last iterates whose residual is least, if the model is lower there.
    fn extrapolate(&mut self, units: &[Unit], trail: &[(Vec<f64>, Product)]) {
        let residuals: Vec<Vec<f64>> = trail
            .windows(2)
            .map(|pair| pair[1].0.iter().zip(&pair[0].0).map(|(new, old)| new - old).collect())
            .collect();
        let mut overlaps = Array2::from_shape_fn((residuals.len(), residuals.len()), |(i, j)| dot(&residuals[i], &residuals[j]));
        let ridge = 1e-12 * overlaps.diag().sum();
        overlaps.diag_mut().mapv_inplace(|x| x + ridge);
        let Some(mut shares) = nemos_core::solve_positive_definite(overlaps.view(), &vec![1.0; residuals.len()]) else {
            return;
        };
        let total: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= total);
        if shares.iter().any(|share| !share.is_finite()) {
            return;
        }
        let products: Vec<&Product> = trail[1..].iter().map(|(_, product)| product).collect();
        let product = Product::combined(&products, &shares);
        let at: Vec<f64> = (0..self.at.len())
            .map(|place| trail[1..].iter().zip(&shares).map(|((at, _), share)| share * at[place]).sum())
            .collect();
        if self.value(units, &at, &product) < self.value(units, &self.at, &self.product) {
            (self.at, self.product) = (at, product);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quadratic::Base;
    use ndarray::array;

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
