//! Paths of states drawn from their distribution given the observations: filtering forwards, drawing backwards.
//!
//! # References
//! Chib (1996), *Journal of Econometrics* 75(1). doi:10.1016/0304-4076(95)01770-4

use std::ops::Range;

use rand::Rng;

use crate::chain::forward::Numbers;
use crate::chain::steps::Chain;

/// In `[0, 1)`, on a grid of 2⁻⁵³.
pub(crate) fn uniform<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// A state with a probability in proportion to its weight; the last that has any, where rounding leaves some.
pub(crate) fn draw_state<R: Rng + ?Sized>(weights: &[f64], rng: &mut R) -> usize {
    let mut left = uniform(rng) * weights.iter().sum::<f64>();
    let mut last = 0;
    for (state, &weight) in weights.iter().enumerate() {
        if weight > 0.0 {
            last = state;
            if left < weight {
                return state;
            }
        }
        left -= weight;
    }
    last
}

/// Draws a path through a session from its filtered probabilities.
pub(crate) fn draw_path<R: Rng + ?Sized>(
    chain: Chain<'_>,
    rows: Range<usize>,
    (filtered, numbers): (&[f64], Numbers),
    rng: &mut R,
    path: &mut [usize],
) {
    let n = chain.n_states;
    let mut weights = vec![0.0; n];
    for place in (0..rows.len()).rev() {
        let now = &filtered[place * n..(place + 1) * n];
        let into = (place + 1 < rows.len()).then(|| (chain.step(rows.start + place + 1, n), path[place + 1]));
        let step = |i: usize| into.map_or(1.0, |(step, next)| step[i * n + next]);
        match numbers {
            Numbers::Plain => (0..n).for_each(|i| weights[i] = now[i] * step(i)),
            Numbers::Logarithms => {
                (0..n).for_each(|i| weights[i] = now[i] + step(i).ln());
                let highest = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                weights.iter_mut().for_each(|weight| *weight = (*weight - highest).exp());
            }
        }
        path[place] = draw_state(&weights, rng);
    }
}
