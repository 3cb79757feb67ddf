//! Newton steps among the units that are not zero, where the penalty has a gradient.

use ndarray::Array2;

use crate::model::descender::{Descender, Unit};

/// Where the penalty of one column has a gradient: its slope and curvature there.
struct Active {
    places: Vec<usize>,
    /// Slope of model and penalty.
    slopes: Vec<f64>,
    /// Curvature of model and penalty.
    curvature: Array2<f64>,
    /// Whether a parameter must keep its sign.
    signed: Vec<bool>,
    /// Whether one step ends at the minimum: there are no groups.
    quadratic: bool,
}

// Steps that end because a parameter reached zero are followed by others.
const MAX_STEPS: usize = 20;
// A little more than there is on the diagonal, for curvatures that are singular.
const UNCERTAIN: f64 = 1e-13;

impl Descender<'_> {
    /// Moves to the minimum of the model among these units while none changes its sign; a unit that would is left at
    /// zero. Moves that do not lower the model are undone.
    pub(crate) fn polish(&mut self, units: &[Unit], which: &[usize]) {
        let mut value = self.value(units, &self.at, &self.product);
        for _ in 0..MAX_STEPS {
            let active = self.active(units, which);
            let downhill: Vec<f64> = active.slopes.iter().map(|slope| -slope).collect();
            let Some(step) = nemos_core::solve_positive_definite(active.curvature.view(), &downhill) else {
                return;
            };
            // How far until the first parameter that must keep its sign reaches zero.
            let reach = |index: usize| -self.at[active.places[index]] / step[index];
            let crossing = (0..step.len())
                .filter(|&index| active.signed[index] && reach(index) > 0.0 && reach(index) <= 1.0)
                .min_by(|&a, &b| reach(a).total_cmp(&reach(b)));
            let length = crossing.map_or(1.0, reach);
            let before = (self.at.clone(), self.product.clone());
            for (index, &place) in active.places.iter().enumerate() {
                let end = if crossing == Some(index) {
                    0.0
                } else {
                    self.at[place] + length * step[index]
                };
                self.move_to(place, end);
            }
            let moved = self.value(units, &self.at, &self.product);
            if moved.is_nan() || moved >= value {
                (self.at, self.product) = before;
                return;
            }
            value = moved;
            if crossing.is_none() && active.quadratic {
                return;
            }
        }
    }

    fn active(&self, units: &[Unit], which: &[usize]) -> Active {
        let (mut places, mut slopes, mut signed) = (Vec::new(), Vec::new(), Vec::new());
        let mut groups = Vec::new();
        for &index in which {
            match &units[index] {
                Unit::Single { place, strength } if (*strength == 0.0 || self.at[*place] != 0.0) && self.diagonal[*place] > 0.0 => {
                    places.push(*place);
                    slopes.push(self.slope(*place) + strength * self.at[*place].signum());
                    signed.push(*strength > 0.0);
                }
                Unit::Group { members, strength } if members.iter().any(|&member| self.at[member] != 0.0) => {
                    groups.push((places.len()..places.len() + members.len(), *strength));
                    places.extend(members);
                    slopes.extend(members.iter().map(|&member| self.slope(member)));
                    signed.extend(members.iter().map(|_| false));
                }
                _ => {}
            }
        }
        let size = places.len();
        let mut curvature = Array2::from_shape_fn((size, size), |(i, j)| self.model.entry(places[i], places[j]));
        curvature.diag_mut().mapv_inplace(|value| value * (1.0 + UNCERTAIN));
        let quadratic = groups.is_empty();
        for (range, strength) in groups {
            // ‖x‖ has slope x/‖x‖ and curvature (1 − x xᵀ/‖x‖²)/‖x‖.
            let at: Vec<f64> = range.clone().map(|row| self.at[places[row]]).collect();
            let norm = at.iter().map(|x| x * x).sum::<f64>().sqrt();
            for (i, row) in range.clone().enumerate() {
                slopes[row] += strength * at[i] / norm;
                curvature[(row, row)] += strength / norm;
                for (j, column) in range.clone().enumerate() {
                    curvature[(row, column)] -= strength * at[i] * at[j] / norm.powi(3);
                }
            }
        }
        Active {
            places,
            slopes,
            curvature,
            signed,
            quadratic,
        }
    }
}
