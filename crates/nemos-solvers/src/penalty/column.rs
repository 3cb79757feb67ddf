//! The penalty of one column, number by number.

use crate::linear::vector::dot;

/// The penalty of one column; places are those of the parameters, intercepts included (with zeros).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ColumnPenalty {
    /// Strength of the square of each parameter. The objective adds it, not the proximal solvers.
    pub(crate) ridge: Vec<f64>,
    /// Strength of the absolute value of each parameter.
    pub(crate) lasso: Vec<f64>,
    pub(crate) groups: Vec<Group>,
}

/// Parameters whose norm is penalised.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    pub(crate) members: Vec<usize>,
    /// Of the norm: above zero, root of the size included.
    pub(crate) strength: f64,
}

impl ColumnPenalty {
    /// No penalty.
    pub(crate) fn none(n_parameters: usize) -> Self {
        ColumnPenalty {
            ridge: vec![0.0; n_parameters],
            lasso: vec![0.0; n_parameters],
            groups: Vec::new(),
        }
    }

    /// Whether it has no nonsmooth part.
    pub(crate) fn is_none(&self) -> bool {
        self.groups.is_empty() && self.lasso.iter().all(|&strength| strength == 0.0)
    }

    /// Which parameters are in no nonsmooth part of the penalty.
    pub(crate) fn smooth_places(&self) -> Vec<bool> {
        let mut without: Vec<bool> = self.lasso.iter().map(|&strength| strength == 0.0).collect();
        for &member in self.groups.iter().flat_map(|group| &group.members) {
            without[member] = false;
        }
        without
    }

    /// The nonsmooth part.
    pub(crate) fn value(&self, at: &[f64]) -> f64 {
        let absolute: f64 = self.lasso.iter().zip(at).map(|(strength, x)| strength * x.abs()).sum();
        absolute + self.groups.iter().map(|group| group.strength * group.norm(at)).sum::<f64>()
    }

    /// The smooth part.
    pub(crate) fn ridge_value(&self, at: &[f64]) -> f64 {
        self.ridge.iter().zip(at).map(|(strength, x)| 0.5 * strength * x * x).sum()
    }

    /// The proximal map of the nonsmooth part.
    pub(crate) fn shrink(&self, at: &mut [f64], step: f64) {
        for (x, strength) in at.iter_mut().zip(&self.lasso) {
            *x = soft(*x, step * strength);
        }
        for group in &self.groups {
            // The whole group moves towards zero by step · strength, and no further.
            let norm = group.norm(at);
            let kept = if norm > step * group.strength {
                1.0 - step * group.strength / norm
            } else {
                0.0
            };
            group.members.iter().for_each(|&member| at[member] *= kept);
        }
    }

    /// The proximal map of the smooth part.
    pub(crate) fn shrink_by_ridge(&self, at: &mut [f64], step: f64) {
        for (x, strength) in at.iter_mut().zip(&self.ridge) {
            *x /= 1.0 + step * strength;
        }
    }

    /// Slope of a smooth function plus the rise of the penalty, from `at` to `at + direction`.
    ///
    /// Where they nearly cancel, as they do at a minimum, they are added parameter by parameter.
    pub(crate) fn slope(&self, gradient: &[f64], at: &[f64], direction: &[f64]) -> f64 {
        let single = |place: usize| {
            let (x, d) = (at[place], direction[place]);
            let rise = match self.lasso[place] {
                0.0 => 0.0,
                strength if x * (x + d) > 0.0 => strength * x.signum() * d,
                strength => strength * ((x + d).abs() - x.abs()),
            };
            gradient[place] * d + rise
        };
        let singles: f64 = (0..at.len()).map(single).sum();
        let grouped = |group: &Group| {
            let end: f64 = group.members.iter().map(|&i| (at[i] + direction[i]).powi(2)).sum::<f64>().sqrt();
            let total = end + group.norm(at);
            if total == 0.0 {
                return 0.0;
            }
            // ‖x + d‖ − ‖x‖ = (2x + d)·d / (‖x + d‖ + ‖x‖)
            let rise: f64 = group.members.iter().map(|&i| (2.0 * at[i] + direction[i]) * direction[i]).sum();
            group.strength * rise / total
        };
        singles + self.groups.iter().map(grouped).sum::<f64>()
    }

    /// Norm of the least subgradient of the function with this gradient plus the penalty: zero at a minimum alone.
    pub(crate) fn least_subgradient(&self, gradient: &[f64], at: &[f64]) -> f64 {
        let mut slopes: Vec<f64> = (0..at.len())
            .map(|place| match self.lasso[place] {
                0.0 => gradient[place],
                strength if at[place] != 0.0 => gradient[place] + strength * at[place].signum(),
                strength => soft(gradient[place], strength),
            })
            .collect();
        for group in &self.groups {
            let norm = group.norm(at);
            if norm > 0.0 {
                group
                    .members
                    .iter()
                    .for_each(|&member| slopes[member] += group.strength * at[member] / norm);
            } else {
                // At zero every vector of length up to the strength is a subgradient: the nearest is taken off.
                let steepness = group.norm(&slopes);
                let kept = (1.0 - group.strength / steepness).max(0.0);
                group
                    .members
                    .iter()
                    .for_each(|&member| slopes[member] = if kept > 0.0 { slopes[member] * kept } else { 0.0 });
            }
        }
        dot(&slopes, &slopes).sqrt()
    }
}

impl Group {
    fn norm(&self, at: &[f64]) -> f64 {
        self.members.iter().map(|&member| at[member] * at[member]).sum::<f64>().sqrt()
    }
}

/// `sign(x) max(|x| − threshold, 0)`
pub(crate) fn soft(x: f64, threshold: f64) -> f64 {
    if x.abs() <= threshold { 0.0 } else { x - threshold.copysign(x) }
}
