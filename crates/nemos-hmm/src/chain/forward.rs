//! The forward recursion: what the rows so far say of the state of each.
//!
//! ```text
//! predicted  pₜ(k) = π_k at a first row, Σᵢ fₜ₋₁(i) Aₜ[i, k] otherwise
//! evidence   cₜ    = Σ_k pₜ(k) exp ℓₜₖ                                        P(yₜ | y of earlier rows)
//! filtered   fₜ(k) = pₜ(k) exp(ℓₜₖ) / cₜ
//! log-likelihood   = Σₜ ln cₜ
//! ```
//!
//! In plain numbers, a row's largest log-emission taken out, where that is safe. Where a state would be lost that later rows may
//! demand, the session is done again in logarithms: scaling alone is wrong for chains with impossible steps.

use std::ops::Range;

use nemos_core::simd::{exp, vectorized};

use crate::chain::steps::{Chain, Kind, LogEmissions, log_sum_exp};

/// How the numbers of a session stand after the recursion.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    Plain,
    Logarithms,
}

/// No state that can be reached gives the observations of a row a probability.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Impossible {
    pub(crate) row: usize,
}

/// Smaller filtered probabilities of chains with impossible steps are not trusted to plain numbers.
const LOST: f64 = 1e-150;
/// Nor is smaller evidence.
const LEAST_EVIDENCE: f64 = 1e-200;

/// Filters a session. `filtered` is `[rows.len(), n_states]`, in the numbers that are returned beside the log-likelihood;
/// `evidence` takes `ln cₜ` where it is wanted.
pub(crate) fn filter(
    chain: Chain<'_>,
    emissions: LogEmissions<'_>,
    rows: Range<usize>,
    filtered: &mut [f64],
    mut evidence: Option<&mut [f64]>,
) -> Result<(f64, Numbers), Impossible> {
    if chain.kind != Kind::Extreme {
        let evidence = evidence.as_deref_mut();
        // Loops of known length are unrolled.
        let done = match chain.n_states {
            1 => plain(1, chain, emissions, (&rows, filtered), evidence),
            2 => plain(2, chain, emissions, (&rows, filtered), evidence),
            3 => plain(3, chain, emissions, (&rows, filtered), evidence),
            4 => plain(4, chain, emissions, (&rows, filtered), evidence),
            5 => plain(5, chain, emissions, (&rows, filtered), evidence),
            n => plain(n, chain, emissions, (&rows, filtered), evidence),
        };
        if let Some(log_likelihood) = done {
            return Ok((log_likelihood, Numbers::Plain));
        }
    }
    logarithms(chain, emissions, rows, filtered, evidence).map(|value| (value, Numbers::Logarithms))
}

/// Nothing where a number was lost.
#[inline(always)]
fn plain(
    n_states: usize,
    chain: Chain<'_>,
    emissions: LogEmissions<'_>,
    (rows, filtered): (&Range<usize>, &mut [f64]),
    mut evidence: Option<&mut [f64]>,
) -> Option<f64> {
    let mut total = scaled_emissions(n_states, emissions, rows, filtered, evidence.as_deref_mut());
    let careful = chain.kind == Kind::WithZeros;
    let mut product = 1.0_f64;
    let mut before: Option<&mut [f64]> = None;
    for (place, now) in filtered.chunks_exact_mut(n_states).enumerate() {
        let mut c = 0.0;
        let mut lost = false;
        match before {
            None => {
                for (now, &initial) in now.iter_mut().zip(chain.initial) {
                    *now *= initial;
                    lost |= careful && initial > 0.0 && *now < LOST;
                    c += *now;
                }
            }
            Some(before) => {
                let step = chain.step(rows.start + place, n_states);
                for (k, now) in now.iter_mut().enumerate().take(n_states) {
                    let predicted = predict(before, step, k, n_states);
                    *now *= predicted;
                    lost |= careful && predicted > 0.0 && *now < LOST;
                    c += *now;
                }
            }
        }
        if lost || c.is_nan() || c < LEAST_EVIDENCE {
            return None;
        }
        let inverse = 1.0 / c;
        now.iter_mut().for_each(|value| *value *= inverse);
        match evidence.as_deref_mut() {
            Some(evidence) => evidence[place] += c.ln(),
            None => {
                // One logarithm for many rows.
                product *= c;
                if product < 1e-100 {
                    total += product.ln();
                    product = 1.0;
                }
            }
        }
        before = Some(now);
    }
    total += product.ln();
    Some(match evidence {
        Some(evidence) => evidence.iter().sum(),
        None => total,
    })
}

/// Σᵢ before(i) · step[i, k], in an order that does not change.
#[inline(always)]
pub(crate) fn predict(before: &[f64], step: &[f64], k: usize, n_states: usize) -> f64 {
    let mut sum = 0.0;
    for i in 0..n_states {
        sum += before[i] * step[i * n_states + k];
    }
    sum
}

/// `exp(ℓₜₖ − maxₖ ℓₜₖ)`, and the sum of the maxima; these also go to the evidence, where it is wanted.
#[inline(always)]
fn scaled_emissions(
    n_states: usize,
    emissions: LogEmissions<'_>,
    rows: &Range<usize>,
    to: &mut [f64],
    mut evidence: Option<&mut [f64]>,
) -> f64 {
    let mut total = 0.0;
    for (place, (row, to)) in rows.clone().zip(to.chunks_exact_mut(n_states)).enumerate() {
        let values = emissions.row(row, n_states);
        let mut highest = values[0];
        for &value in values {
            highest = if value > highest { value } else { highest };
        }
        for k in 0..n_states {
            to[k] = values[k] - highest;
        }
        total += highest;
        if let Some(evidence) = evidence.as_deref_mut() {
            evidence[place] = highest;
        }
    }
    vectorized(
        #[inline(always)]
        || to.iter_mut().for_each(|value| *value = exp(*value)),
    );
    total
}

/// The definition, in logarithms.
fn logarithms(
    chain: Chain<'_>,
    emissions: LogEmissions<'_>,
    rows: Range<usize>,
    filtered: &mut [f64],
    mut evidence: Option<&mut [f64]>,
) -> Result<f64, Impossible> {
    let n = chain.n_states;
    let mut total = 0.0;
    let mut before = vec![0.0; n];
    for (place, now) in filtered.chunks_exact_mut(n).enumerate() {
        let row = rows.start + place;
        let emitted = emissions.row(row, n);
        for k in 0..n {
            now[k] = log_predicted(chain, (place > 0).then_some(&before), row, k) + emitted[k];
        }
        let c = log_sum_exp(now.iter().copied());
        if !c.is_finite() {
            return Err(Impossible { row });
        }
        now.iter_mut().for_each(|value| *value -= c);
        before.copy_from_slice(now);
        total += c;
        if let Some(evidence) = evidence.as_deref_mut() {
            evidence[place] = c;
        }
    }
    Ok(total)
}

/// `ln pₜ(k)`, from the logarithms of the filtered row before, if there is one.
pub(crate) fn log_predicted(chain: Chain<'_>, before: Option<&[f64]>, row: usize, k: usize) -> f64 {
    let n = chain.n_states;
    match before {
        None => chain.initial[k].ln(),
        Some(before) => {
            let step = chain.step(row, n);
            log_sum_exp((0..n).map(|i| before[i] + step[i * n + k].ln()))
        }
    }
}

/// Predicted probabilities of a session from its filtered ones, in the same numbers: `[rows.len(), n_states]`, plain.
pub(crate) fn predicted(chain: Chain<'_>, rows: Range<usize>, (filtered, numbers): (&[f64], Numbers), to: &mut [f64]) {
    let n = chain.n_states;
    for (place, to) in to.chunks_exact_mut(n).enumerate() {
        let before = (place > 0).then(|| &filtered[(place - 1) * n..place * n]);
        for (k, to) in to.iter_mut().enumerate() {
            *to = match (before, numbers) {
                (None, _) => chain.initial[k],
                (Some(before), Numbers::Plain) => predict(before, chain.step(rows.start + place, n), k, n),
                (before, Numbers::Logarithms) => log_predicted(chain, before, rows.start + place, k).exp(),
            };
        }
    }
}
