//! The maximisation step of driven transitions: a multinomial logistic regression whose targets are expected steps.
//!
//! ```text
//! Σₜ Σᵢⱼ ξₜ(i, j) ln Aₜ[i, j] − ‖W‖² / (2 sd²)
//! ```
//!
//! Newton steps, each of which is known to raise it; what drives is of mean zero and variance one by then, so that the baseline and weights are
//! told apart whatever its units. Where weights belong to each state before, its rows are a problem of their own.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, s};
use nemos_core::{Backend, Piece, SymmetricEigen};
use rayon::prelude::*;

use crate::chain::steps::log_sum_exp;
use crate::fit::data::Data;
use crate::fit::inputs::Inputs;
use crate::{Drive, Error, Transitions};

/// Rows that are summed up together.
const ROWS: usize = 1024;

/// Expected steps and what drives them.
#[derive(Copy, Clone)]
pub(crate) struct Expectations<'a> {
    /// `[n_rows, n_states, n_states]`, zero at first rows of sessions.
    pub(crate) pairs: &'a [f64],
    pub(crate) inputs: &'a Inputs,
    /// `[n_inputs]`: 1 / sd² of the weights.
    pub(crate) ridge: &'a [f64],
}

/// Up to so many Newton steps.
pub(crate) fn maximise<B: Backend>(
    data: &Data<'_, B>,
    transitions: &Transitions,
    expectations: Expectations<'_>,
    n_steps: usize,
) -> Result<Transitions, Error> {
    let n_systems = if transitions.drive == Some(Drive::PerState) {
        transitions.n_states
    } else {
        1
    };
    let mut best = transitions.clone();
    let mut value = sums(data, &best, expectations, Wanted::Value)?.value;
    for _ in 0..n_steps.max(1) {
        let Sums { gradient, hessian, .. } = sums(data, &best, expectations, Wanted::Curvature)?;
        let size = gradient.len() / n_systems;
        let mut step = Vec::with_capacity(gradient.len());
        for system in 0..n_systems {
            let of = system * size..(system + 1) * size;
            let hessian = hessian.slice(s![of.clone(), of.clone()]);
            let Some(of_system) = newton_step(hessian, &gradient[of]) else {
                return Ok(best);
            };
            step.extend(of_system);
        }
        let decrement = -0.5 * step.iter().zip(&gradient).map(|(step, slope)| step * slope).sum::<f64>();
        let mut share = 1.0;
        let (tried, tried_value) = loop {
            let tried = moved(&best, &step, share);
            let tried_value = sums(data, &tried, expectations, Wanted::Value)?.value;
            if tried_value <= value + 1e-14 * value.abs() || share < 1e-6 {
                break (tried, tried_value);
            }
            share *= 0.5;
        };
        if tried_value <= value + 1e-14 * value.abs() {
            (best, value) = (tried, tried_value);
        }
        if decrement.is_nan() || decrement <= 1e-20 * value.abs().max(1.0) {
            break;
        }
    }
    best.set_gauge();
    Ok(best)
}

/// `−H⁺ g`, in units in which the diagonal of H is one: a prior far stronger than the data hides none of these.
fn newton_step(hessian: ArrayView2<'_, f64>, gradient: &[f64]) -> Option<Vec<f64>> {
    let unit: Vec<f64> = hessian.diag().iter().map(|&d| if d > 0.0 { 1.0 / d.sqrt() } else { 0.0 }).collect();
    let scaled = Array2::from_shape_fn(hessian.dim(), |(i, j)| hessian[(i, j)] * unit[i] * unit[j]);
    let eigen = SymmetricEigen::new(scaled.view()).ok()?;
    // A constant per row of the baseline changes nothing.
    let cut = 1e-12 * eigen.values.last().copied().unwrap_or(0.0);
    let mut step = vec![0.0; gradient.len()];
    for (place, &curvature) in eigen.values.iter().enumerate().filter(|(_, value)| **value > cut) {
        let vector = eigen.vectors.column(place);
        let slopes = vector.iter().zip(gradient).zip(&unit);
        let along = -slopes.map(|((v, slope), unit)| v * slope * unit).sum::<f64>() / curvature;
        step.iter_mut()
            .zip(vector)
            .zip(&unit)
            .for_each(|((step, v), unit)| *step += along * v * unit);
    }
    Some(step)
}

/// The slopes of what is maximised along the baseline and the weights, each in its own order.
pub(crate) fn slopes<B: Backend>(
    data: &Data<'_, B>,
    transitions: &Transitions,
    expectations: Expectations<'_>,
) -> Result<(Vec<f64>, Vec<f64>), Error> {
    let (n, n_inputs) = (transitions.n_states, transitions.n_inputs());
    let Sums { gradient, .. } = sums(data, transitions, expectations, Wanted::Curvature)?;
    let slope = |pair, input| -gradient[place(transitions, n_inputs, pair, input)];
    let baseline = (0..n * n).map(|of| slope((of / n, of % n), None)).collect();
    let n_weights = transitions.weights.len();
    let weights = (0..n_weights).map(|of| slope(pair_of(transitions, of / n_inputs.max(1)), Some(of % n_inputs.max(1))));
    Ok((baseline, weights.collect()))
}

/// The place of a parameter among all: of the step from `i` to `j`, the baseline (`input` nothing) or the weight of an input.
fn place(transitions: &Transitions, n_inputs: usize, (i, j): (usize, usize), input: Option<usize>) -> usize {
    let n = transitions.n_states;
    let after = input.map_or(0, |input| input + 1);
    match transitions.drive {
        Some(Drive::PerState) => (i * n + j) * (n_inputs + 1) + after,
        _ if after == 0 => i * n + j,
        _ => n * n + j * n_inputs + after - 1,
    }
}

/// State before and state of the weights that stand at a place; where these are shared, the first state before.
fn pair_of(transitions: &Transitions, of: usize) -> (usize, usize) {
    match transitions.drive {
        Some(Drive::PerState) => (of / transitions.n_states, of % transitions.n_states),
        _ => (0, of),
    }
}

fn moved(transitions: &Transitions, step: &[f64], share: f64) -> Transitions {
    let (n, n_inputs) = (transitions.n_states, transitions.n_inputs());
    let mut moved = transitions.clone();
    for i in 0..n {
        for j in 0..n {
            moved.baseline[i * n + j] += share * step[place(transitions, n_inputs, (i, j), None)];
        }
    }
    for of in 0..moved.weights.len() / n_inputs.max(1) {
        let pair = pair_of(transitions, of);
        for input in 0..n_inputs {
            moved.weights[of * n_inputs + input] += share * step[place(transitions, n_inputs, pair, Some(input))];
        }
    }
    moved
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Wanted {
    Value,
    Curvature,
}

/// The negative of what is maximised, with its derivatives where they are wanted.
struct Sums {
    value: f64,
    gradient: Vec<f64>,
    hessian: Array2<f64>,
}

fn sums<B: Backend>(data: &Data<'_, B>, transitions: &Transitions, expectations: Expectations<'_>, wanted: Wanted) -> Result<Sums, Error> {
    let (n, n_inputs) = (transitions.n_states, transitions.n_inputs());
    let size = if wanted == Wanted::Value {
        0
    } else {
        n * n + transitions.weights.len()
    };
    let chunks: Vec<Range<usize>> = data
        .sessions
        .iter()
        .flat_map(|session| {
            (session.start + 1..session.end)
                .step_by(ROWS)
                .map(|start| start..(start + ROWS).min(session.end))
        })
        .collect();
    let of_chunk = |rows: &Range<usize>| {
        let mut sums = Sums {
            value: 0.0,
            gradient: vec![0.0; size],
            hessian: Array2::zeros((size, size)),
        };
        let mut logits = vec![0.0; n];
        for row in rows.clone() {
            let inputs = expectations.inputs.row(row);
            for i in 0..n {
                let targets = &expectations.pairs[(row * n + i) * n..][..n];
                let mass: f64 = targets.iter().sum();
                if mass == 0.0 {
                    continue;
                }
                for (j, logit) in logits.iter_mut().enumerate() {
                    *logit = transitions.logit((i, j), inputs);
                }
                let total = log_sum_exp(logits.iter().copied());
                sums.value -= targets
                    .iter()
                    .zip(&logits)
                    .map(|(target, logit)| target * (logit - total))
                    .sum::<f64>();
                if wanted == Wanted::Curvature {
                    let law: Vec<f64> = logits.iter().map(|logit| (logit - total).exp()).collect();
                    add_row(transitions, (i, inputs), (targets, mass, &law), &mut sums);
                }
            }
        }
        sums
    };
    let packed = |rows: &Range<usize>| {
        let of_chunk = of_chunk(rows);
        let numbers = std::iter::once(of_chunk.value).chain(of_chunk.gradient).chain(of_chunk.hessian);
        (rows.start, numbers.collect())
    };
    let parts: Vec<Piece> = chunks.par_iter().map(packed).collect();
    let totals = data.total("driven transitions", Ok(parts), 1 + size + size * size)?;
    let mut all = Sums {
        value: totals[0] + 0.5 * penalty(&transitions.weights, expectations.ridge),
        gradient: totals[1..=size].to_vec(),
        hessian: Array2::from_shape_fn((size, size), |(i, j)| totals[1 + size + i * size + j]),
    };
    if wanted == Wanted::Curvature {
        for of in 0..transitions.weights.len() / n_inputs.max(1) {
            let pair = pair_of(transitions, of);
            for input in 0..n_inputs {
                let at = place(transitions, n_inputs, pair, Some(input));
                all.gradient[at] += expectations.ridge[input] * transitions.weights[of * n_inputs + input];
                all.hessian[(at, at)] += expectations.ridge[input];
            }
        }
    }
    Ok(all)
}

/// `Σ w² / sd²`, over all weights.
pub(crate) fn penalty(weights: &[f64], ridge: &[f64]) -> f64 {
    weights.iter().zip(ridge.iter().cycle()).map(|(w, ridge)| ridge * w * w).sum()
}

/// Slopes and curvature of one state before, in one row: `m pⱼ − ξⱼ` and `m pⱼ (δⱼₗ − pₗ)` along the baseline and inputs.
fn add_row(transitions: &Transitions, (i, inputs): (usize, &[f64]), (targets, mass, law): (&[f64], f64, &[f64]), sums: &mut Sums) {
    let (n, n_inputs) = (transitions.n_states, inputs.len());
    let along = || std::iter::once((None, 1.0)).chain(inputs.iter().enumerate().map(|(input, &v)| (Some(input), v)));
    for j in 0..n {
        let residual = mass * law[j] - targets[j];
        // 1 − pⱼ, with all its digits where that is small.
        let others: f64 = law.iter().enumerate().filter(|(l, _)| *l != j).map(|(_, p)| p).sum();
        for (input, x) in along() {
            let at = place(transitions, n_inputs, (i, j), input);
            sums.gradient[at] += residual * x;
            for l in 0..n {
                let rest = if j == l { others } else { -law[l] };
                let curvature = mass * law[j] * rest * x;
                for (other, y) in along() {
                    sums.hessian[(at, place(transitions, n_inputs, (i, l), other))] += curvature * y;
                }
            }
        }
    }
}
