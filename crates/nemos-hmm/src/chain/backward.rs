//! The backward recursion: what all rows say of the state of each, and of each pair of neighbours.
//!
//! ```text
//! smoothed   γ_last = f_last
//! pairs      ξₜ₊₁(i, j) = fₜ(i) Aₜ₊₁[i, j] γₜ₊₁(j) / pₜ₊₁(j)         zero where γₜ₊₁(j) is
//!            γₜ(i) = Σⱼ ξₜ₊₁(i, j)
//! ```
//!
//! It needs neither emissions nor a backward message, is normalised at every row, and cannot overflow.

use std::ops::Range;

use crate::chain::forward::{Numbers, log_predicted, predict};
use crate::chain::steps::Chain;

/// Where pairs go: their sum over rows, and each row's, where that is wanted.
pub(crate) struct Pairs<'a> {
    /// `[n_states, n_states]`: is added to.
    pub(crate) sum: &'a mut [f64],
    /// `[rows.len(), n_states, n_states]`: is written, zero at the first row.
    pub(crate) by_row: Option<&'a mut [f64]>,
}

/// Turns the filtered probabilities of a session into smoothed ones, in plain numbers.
pub(crate) fn smooth(chain: Chain<'_>, rows: Range<usize>, (filtered, numbers): (&mut [f64], Numbers), pairs: Pairs<'_>) {
    if numbers == Numbers::Logarithms {
        return logarithms(chain, rows, filtered, pairs);
    }
    match chain.n_states {
        1 => plain(1, chain, rows, filtered, pairs),
        2 => plain(2, chain, rows, filtered, pairs),
        3 => plain(3, chain, rows, filtered, pairs),
        4 => plain(4, chain, rows, filtered, pairs),
        5 => plain(5, chain, rows, filtered, pairs),
        n => plain(n, chain, rows, filtered, pairs),
    }
}

#[inline(always)]
fn plain(n_states: usize, chain: Chain<'_>, rows: Range<usize>, filtered: &mut [f64], mut pairs: Pairs<'_>) {
    let same_steps = chain.steps.len() == n_states * n_states;
    let mut sum = vec![0.0; n_states * n_states];
    let mut ratio = vec![0.0; n_states];
    if let Some(first) = pairs.by_row.as_deref_mut().and_then(|by_row| by_row.get_mut(..n_states * n_states)) {
        first.fill(0.0);
    }
    for place in (1..rows.len()).rev() {
        let step = chain.step(rows.start + place, n_states);
        let (earlier, later) = filtered.split_at_mut(place * n_states);
        let before = &mut earlier[(place - 1) * n_states..];
        for j in 0..n_states {
            let smoothed = later[j];
            let predicted = predict(before, step, j, n_states);
            ratio[j] = if smoothed == 0.0 { 0.0 } else { smoothed / predicted };
        }
        for i in 0..n_states {
            let was = before[i];
            let mut smoothed = 0.0;
            for j in 0..n_states {
                smoothed += step[i * n_states + j] * ratio[j];
                // Steps that are all the same are multiplied in at the end.
                let pair = was * ratio[j];
                sum[i * n_states + j] += if same_steps { pair } else { pair * step[i * n_states + j] };
            }
            if let Some(by_row) = pairs.by_row.as_deref_mut() {
                let to = &mut by_row[(place * n_states + i) * n_states..][..n_states];
                for j in 0..n_states {
                    to[j] = was * step[i * n_states + j] * ratio[j];
                }
            }
            before[i] = was * smoothed;
        }
    }
    for (place, (to, sum)) in pairs.sum.iter_mut().zip(sum).enumerate() {
        *to += if same_steps { sum * chain.steps[place] } else { sum };
    }
}

/// The same from logarithms.
fn logarithms(chain: Chain<'_>, rows: Range<usize>, filtered: &mut [f64], mut pairs: Pairs<'_>) {
    let n = chain.n_states;
    if let Some(first) = pairs.by_row.as_deref_mut().and_then(|by_row| by_row.get_mut(..n * n)) {
        first.fill(0.0);
    }
    if let Some(last) = filtered.chunks_exact_mut(n).last() {
        last.iter_mut().for_each(|value| *value = value.exp());
    }
    for place in (1..rows.len()).rev() {
        let row = rows.start + place;
        let step = chain.step(row, n);
        let (earlier, later) = filtered.split_at_mut(place * n);
        let before = &mut earlier[(place - 1) * n..];
        let predicted: Vec<f64> = (0..n).map(|j| log_predicted(chain, Some(before), row, j)).collect();
        let mut smoothed = vec![0.0; n];
        for i in 0..n {
            for j in 0..n {
                let pair = if later[j] == 0.0 {
                    0.0
                } else {
                    (before[i] + step[i * n + j].ln() - predicted[j]).exp() * later[j]
                };
                pairs.sum[i * n + j] += pair;
                smoothed[i] += pair;
                if let Some(by_row) = pairs.by_row.as_deref_mut() {
                    by_row[(place * n + i) * n + j] = pair;
                }
            }
        }
        before.copy_from_slice(&smoothed);
    }
}
