//! The path of states that is most probable as a whole.
//!
//! ```text
//! δ_first = ln π + ℓ,    δₜ(j) = ℓₜⱼ + maxᵢ (δₜ₋₁(i) + ln Aₜ[i, j])
//! ```
//!
//! # References
//! Viterbi (1967), *IEEE Transactions on Information Theory* 13(2). doi:10.1109/TIT.1967.1054010

use std::ops::Range;

use crate::chain::forward::Impossible;
use crate::chain::steps::{Chain, LogEmissions};

/// The most probable path through a session, and `ln P(y, path)`. Ties go to the lowest state.
pub(crate) fn most_probable_path(
    chain: Chain<'_>,
    emissions: LogEmissions<'_>,
    rows: Range<usize>,
    path: &mut [usize],
) -> Result<f64, Impossible> {
    let n = chain.n_states;
    let mut from = vec![0_usize; rows.len() * n];
    let (mut best, mut next) = (vec![0.0; n], vec![0.0; n]);
    let mut log_step: Vec<f64> = chain.steps.get(..n * n).unwrap_or_default().iter().map(|p| p.ln()).collect();
    for (place, row) in rows.clone().enumerate() {
        let emitted = emissions.row(row, n);
        if place == 0 {
            (0..n).for_each(|k| next[k] = chain.initial[k].ln() + emitted[k]);
        } else {
            if chain.steps.len() > n * n {
                log_step.iter_mut().zip(chain.step(row, n)).for_each(|(to, p)| *to = p.ln());
            }
            for j in 0..n {
                let mut highest = f64::NEG_INFINITY;
                for i in 0..n {
                    let value = best[i] + log_step[i * n + j];
                    if value > highest {
                        highest = value;
                        from[place * n + j] = i;
                    }
                }
                next[j] = highest + emitted[j];
            }
        }
        std::mem::swap(&mut best, &mut next);
        if best.iter().all(|value| value.is_nan() || *value == f64::NEG_INFINITY) {
            return Err(Impossible { row });
        }
    }
    let Some(last) = rows.len().checked_sub(1) else { return Ok(0.0) };
    let highest = (0..n).fold(0, |highest, k| if best[k] > best[highest] { k } else { highest });
    path[last] = highest;
    for place in (1..=last).rev() {
        path[place - 1] = from[place * n + path[place]];
    }
    Ok(best[highest])
}
