//! The iterate of a coordinate descent: a point, the model's slopes there, and the steps of single units.

use ndarray::Array2;

use crate::linear::vector::dot;
use crate::model::group_step::GroupCurvature;
use crate::model::quadratic::{Product, Quadratic};
use crate::penalty::column::soft;

/// Parameters that move together.
#[derive(Clone, Debug)]
pub(crate) enum Unit {
    /// One parameter, and the strength of its absolute value.
    Single { place: usize, strength: f64 },
    /// A group, and the strength of its norm.
    Group { members: Vec<usize>, strength: f64 },
}

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

impl Unit {
    pub(crate) fn is_active(&self, at: &[f64]) -> bool {
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

impl<'a> Descender<'a> {
    /// At the start of a model.
    pub(crate) fn new(model: &'a Quadratic, gradient: &'a [f64], start: &'a [f64], n_units: usize) -> Self {
        Descender {
            model,
            gradient,
            start,
            diagonal: (0..start.len()).map(|place| model.entry(place, place)).collect(),
            curvatures: vec![None; n_units],
            at: start.to_vec(),
            product: model.zero(),
        }
    }

    /// One step of each of these units; returns how far the model moved.
    pub(crate) fn sweep(&mut self, units: &[Unit], which: &[usize]) -> f64 {
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
    pub(crate) fn extrapolate(&mut self, units: &[Unit], trail: &[(Vec<f64>, Product)]) {
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
