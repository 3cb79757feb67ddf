//! The latest steps of a column, and how its gradient changed over them: what limited-memory methods know of its curvature.

use std::collections::VecDeque;

use crate::linear::vector::{add, dot, negative, norm};

/// Pairs of steps and changes of the gradient over them, the newest last.
#[derive(Clone, Debug)]
pub(crate) struct Pairs {
    pairs: VecDeque<Pair>,
    limit: usize,
}

#[derive(Clone, Debug)]
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// 1 / (step · change)
    rho: f64,
}

impl Pairs {
    /// None, and so many at most.
    pub(crate) fn new(limit: usize) -> Self {
        Pairs {
            pairs: VecDeque::new(),
            limit,
        }
    }

    /// The newest pair scales an inverse Hessian that is one (Nocedal & Wright 2006, eq. 7.20).
    pub(crate) fn scale(&self) -> f64 {
        self.pairs
            .back()
            .map_or(1.0, |pair| 1.0 / (pair.rho * dot(&pair.change, &pair.change)))
    }

    /// `−B⁻¹ gradient` by two loops (Nocedal & Wright 2006, algorithm 7.4); `initial` multiplies with the inverse Hessian that
    /// the pairs correct.
    pub(crate) fn newton(&self, gradient: &[f64], initial: impl FnOnce(&mut Vec<f64>)) -> Vec<f64> {
        let mut q = negative(gradient);
        let mut shares = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let share = pair.rho * dot(&pair.step, &q);
            add(&mut q, -share, &pair.change);
            shares.push(share);
        }
        initial(&mut q);
        for (pair, share) in self.pairs.iter().zip(shares.into_iter().rev()) {
            let correction = share - pair.rho * dot(&pair.change, &q);
            add(&mut q, correction, &pair.step);
        }
        q
    }

    /// Takes a pair in, in place of the oldest one.
    pub(crate) fn learn(&mut self, step: &[f64], change: &[f64]) {
        if let Some(pair) = Pair::new(step.to_vec(), change.to_vec()) {
            self.pairs.push_back(pair);
        }
        while self.pairs.len() > self.limit {
            self.pairs.pop_front();
        }
    }

    /// Adds a known curvature, a number for each dimension, to that of the pairs.
    pub(crate) fn add_curvature(&mut self, added: &[f64]) {
        let with_added = |mut pair: Pair| {
            let changes = pair.change.iter_mut().zip(&pair.step).zip(added);
            changes.for_each(|((change, step), added)| *change += added * step);
            Pair::new(pair.step, pair.change)
        };
        self.pairs = std::mem::take(&mut self.pairs).into_iter().filter_map(with_added).collect();
    }

    /// Forgets all pairs; returns whether there were any.
    pub(crate) fn forget(&mut self) -> bool {
        let any = !self.pairs.is_empty();
        self.pairs.clear();
        any
    }
}

impl Pair {
    /// Nothing for a pair without positive curvature, or with curvature that is rounding error: it would spoil the estimate.
    fn new(step: Vec<f64>, change: Vec<f64>) -> Option<Self> {
        let product = dot(&step, &change);
        let is_sound = product > f64::EPSILON * f64::EPSILON * norm(&change) * norm(&step) && product.recip().is_finite();
        is_sound.then(|| Pair {
            rho: product.recip(),
            step,
            change,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curvature_that_is_added_is_that_of_pairs_which_have_it() {
        // f = ½ (3x² + 2xy + 2y²), and 0.5 x² + 1.5 y² more.
        let mut pairs = Pairs::new(10);
        pairs.learn(&[1.0, 0.0], &[3.0, 1.0]);
        pairs.learn(&[-1.0, 3.0], &[0.0, 5.0]);
        pairs.add_curvature(&[1.0, 3.0]);
        let mut with = Pairs::new(10);
        with.learn(&[1.0, 0.0], &[4.0, 1.0]);
        with.learn(&[-1.0, 3.0], &[-1.0, 14.0]);
        assert_eq!(pairs.newton(&[1.0, 2.0], |_| {}), with.newton(&[1.0, 2.0], |_| {}));
    }

    #[test]
    fn pairs_without_curvature_are_left_out() {
        let mut pairs = Pairs::new(1);
        pairs.learn(&[1.0], &[-1.0]);
        assert!(!pairs.forget());
        pairs.learn(&[1.0], &[2.0]);
        pairs.learn(&[1.0], &[4.0]);
        assert_eq!(pairs.scale(), 0.25);
        pairs.add_curvature(&[-4.0]);
        assert!(!pairs.forget());
    }
}
