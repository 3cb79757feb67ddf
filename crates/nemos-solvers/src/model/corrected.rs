//! A quadratic model that pairs of steps and gradient changes correct.

use std::collections::VecDeque;

use crate::linear::vector::{add, dot, norm};
use crate::model::quadratic::Quadratic;

/// The model of one column: the expected curvature, corrected by the last pairs.
///
/// ```text
/// B₀ = scale · base + diagonal,   B ← B − (B s sᵀ B)/(sᵀ B s) + (y yᵀ)/(yᵀ s)   for each pair s, y, oldest first
/// ```
///
/// # References
/// Nocedal & Wright (2006), *Numerical Optimization*, eq. 6.19.
#[derive(Clone, Debug)]
pub(crate) struct Corrected {
    model: Quadratic,
    /// Weights of the base before any pair was seen.
    weights: Vec<f64>,
    pairs: VecDeque<Pair>,
    limit: usize,
}

#[derive(Clone, Debug)]
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// The base, before any pair was seen, times the step.
    base: Vec<f64>,
}

// A base never shrinks by more than this against what was expected: without curvature a model has no minimum.
const MIN_SCALE: f64 = 1e-8;

impl Corrected {
    pub(crate) fn new(model: Quadratic, limit: usize) -> Self {
        Corrected {
            weights: model.weights(),
            model,
            pairs: VecDeque::new(),
            limit,
        }
    }

    pub(crate) fn model(&self) -> &Quadratic {
        &self.model
    }

    /// Learns from a pair.
    pub(crate) fn update(&mut self, step: &[f64], change: &[f64]) {
        let product = dot(step, change);
        // A pair without positive curvature, or with curvature that is rounding error, would spoil the model.
        if product > f64::EPSILON * f64::EPSILON * norm(change) * norm(step) && product.recip().is_finite() {
            self.set_scale(1.0);
            self.pairs.push_back(Pair {
                base: self.model.base_times(step),
                step: step.to_vec(),
                change: change.to_vec(),
            });
        }
        while self.pairs.len() > self.limit {
            self.pairs.pop_front();
        }
        self.rebuild();
    }

    /// Forgets all pairs; returns whether there were any.
    pub(crate) fn reset(&mut self) -> bool {
        let any = !self.pairs.is_empty();
        self.pairs.clear();
        self.rebuild();
        any
    }

    fn set_scale(&mut self, scale: f64) {
        let weights = &self.weights;
        self.model.set_weights(|predictor| scale * weights[predictor]);
    }

    /// The scale of the base that explains the steepest pair, because a step too long costs a pass and one too short
    /// hardly anything. The diagonal (ridge, uncertainty) is known and not scaled.
    fn scale(&self) -> f64 {
        let ratio = |pair: &Pair| {
            let diagonal: f64 = pair.step.iter().zip(self.model.extra()).map(|(s, extra)| s * s * extra).sum();
            (dot(&pair.step, &pair.change) - diagonal) / dot(&pair.step, &pair.base)
        };
        let scale = self.pairs.iter().map(ratio).fold(f64::NAN, f64::max);
        if scale.is_finite() { scale.max(MIN_SCALE) } else { 1.0 }
    }

    /// Builds the model anew from the pairs, each of which adds two outer products.
    fn rebuild(&mut self) {
        let scale = self.scale();
        let mut outer: Vec<(f64, Vec<f64>)> = Vec::with_capacity(2 * self.pairs.len());
        for pair in &self.pairs {
            // B s, from the base and the outer products of older pairs.
            let mut product: Vec<f64> = pair.base.iter().map(|value| scale * value).collect();
            for ((value, s), extra) in product.iter_mut().zip(&pair.step).zip(self.model.extra()) {
                *value += s * extra;
            }
            for (sign, vector) in &outer {
                add(&mut product, sign * dot(vector, &pair.step), vector);
            }
            let (modelled, seen) = (dot(&pair.step, &product), dot(&pair.step, &pair.change));
            if modelled > 0.0 {
                outer.push((-1.0, product.iter().map(|value| value / modelled.sqrt()).collect()));
                outer.push((1.0, pair.change.iter().map(|value| value / seen.sqrt()).collect()));
            }
        }
        self.set_scale(scale);
        self.model.set_outer(&outer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::quadratic::Base;

    #[test]
    fn a_model_agrees_with_the_newest_pair() {
        // The secant equation: B · step = change.
        let mut corrected = Corrected::new(Quadratic::new(Base::Uniform(1.0), vec![0.1; 3]), 2);
        for (step, change) in [
            ([1.0, 0.0, 0.5], [2.0, 0.3, 1.0]),
            ([0.2, -1.0, 0.0], [0.3, -4.0, 1.0]),
            ([0.0, 1.0, 1.0], [1.0, 2.0, 2.0]),
        ] {
            corrected.update(&step, &change);
            let model = corrected.model();
            let mut product = model.zero();
            (0..3).for_each(|place| model.add_change(&mut product, place, step[place]));
            for (place, expected) in change.iter().enumerate() {
                assert!((model.at(&product, place) - expected).abs() < 1e-12);
            }
        }
    }
}
