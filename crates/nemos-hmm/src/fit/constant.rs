//! States without covariates, fast: where no feature varies, a row's log-emissions are linear in its counts.
//!
//! ```text
//! ln f(y; η) = a(η) y + b(η) + c(y)                Poisson, Bernoulli, negative binomial of known scale
//! ℓₜₖ = ℓₜᵣ + Σₙ (a_kn − a_rn) yₜₙ + (b_kn − b_rn)      r: a reference, whose log-emissions are computed once
//! mean_kn = Σₜ γₜₖ yₜₙ / Σₜ γₜₖ                      the maximum, in closed form
//! ```
//!
//! Two products of matrices take the place of a pass with an exponential for every row, neuron and state.

use std::ops::Range;

use ndarray::Array2;
use nemos_core::simd::vectorized;
use nemos_core::{Backend, Design, Matrix, Piece, row_chunks};
use nemos_glm::{Observations, Problems, Summed};
use nemos_solvers::Parameters;
use rayon::prelude::*;

use crate::fit::data::Data;
use crate::fit::seen::Seen;
use crate::{Error, HmmParameters};

/// Rows that are looked at together.
const ROWS: usize = 2048;
/// Lanes of a dot product.
const LANES: usize = 8;
/// A state's mean count is let fall to this share of that of all rows.
const LEAST: f64 = 1e-10;
/// Where EM has brought it below this share, or as close to the highest mean, it is on its way there: there is no maximum.
const EDGE: f64 = 1e-8;

/// Log-emissions of whole counts below this are looked up.
const KNOWN: usize = 128;

/// Counts on the host, and log-emissions of a reference.
#[derive(Debug)]
pub(crate) struct Constant {
    /// `[n_rows, width]`: counts, filled up with zeros to whole lanes.
    counts: Vec<f64>,
    width: usize,
    n_neurons: usize,
    /// `[n_rows]`
    reference: Vec<f64>,
    of_reference: Linear,
    /// `[n_neurons]`: mean counts over all rows.
    means: Vec<f64>,
}

/// `a` and `b` of every problem.
#[derive(Clone, Debug)]
struct Linear {
    slope: Vec<f64>,
    constant: Vec<f64>,
}

impl Constant {
    /// Nothing where a feature varies, something is missing, or the model is not linear in its counts.
    pub(crate) fn new<B: Backend>(data: &Data<'_, B>, seen: &Seen, starts: &[HmmParameters]) -> Result<Option<Self>, Error> {
        let n_features = data.design.n_columns();
        let has_effect = |parameters: &HmmParameters| {
            let columns = parameters.glms.columns();
            columns.flat_map(|column| &column[..n_features]).any(|coef| *coef != 0.0)
        };
        let is_linear = data.observations.is_linear_in_counts()
            && data.design.offset().is_none()
            && seen.is_complete
            && !seen.used_features.contains(&true);
        let Some(first) = starts.first().filter(|_| is_linear) else {
            return Ok(None);
        };
        if starts.iter().any(has_effect) {
            return Ok(None);
        }
        let n_neurons = data.n_neurons();
        let width = n_neurons.next_multiple_of(LANES);
        let mut counts = nemos_core::zeros::<f64>(data.n_rows() * width);
        let sums = data.total_of_rows("mean counts", n_neurons, |shard, sums| {
            for rows in row_chunks(shard.len(), B::chunk_rows(n_neurons)) {
                let first = (shard.start + rows.start) * width;
                let values = data.counts.chunk(shard.start + rows.start..shard.start + rows.end)?.to_vec();
                for (to, from) in counts[first..].chunks_exact_mut(width).zip(values.chunks_exact(n_neurons)) {
                    to[..n_neurons].copy_from_slice(from);
                    sums.iter_mut().zip(from).for_each(|(sum, count)| *sum += count);
                }
            }
            Ok(())
        })?;
        let problems: Vec<usize> = (0..n_neurons).collect();
        let (parameters, scales) = (first.glms.select(&problems), &first.scales[..n_neurons]);
        let of_reference = linear(&data.observations, &parameters, scales, n_neurons)?;
        let reference = match known(data, &counts)? {
            Some(n_known) => looked_up(&data.observations, (&parameters, scales), (&counts, width), n_known)?,
            None => {
                let summed = Summed {
                    parameters: &parameters,
                    scales,
                    problems: &Problems::one_per_response(n_neurons),
                    sum_of_problem: &vec![0; n_neurons],
                };
                let all = data.observations.summed_log_likelihoods(summed, &data.design, &data.counts);
                let all = data.design.agreed(all.map_err(Error::Glm))?;
                all.into_iter().collect()
            }
        };
        let n_rows = data.design.n_rows_of_all() as f64;
        Ok(Some(Constant {
            of_reference,
            reference,
            means: sums.into_iter().map(|sum| sum / n_rows).collect(),
            counts,
            width,
            n_neurons,
        }))
    }

    /// `[n_rows, n_sums]`: log-emissions of states, those of a sum being `n_neurons` problems after each other. Nothing where a
    /// number is too large for plain sums.
    pub(crate) fn log_emissions<B: Backend>(
        &self,
        observations: &Observations<B>,
        (parameters, scales): (&Parameters, &[f64]),
    ) -> Result<Option<Array2<f64>>, Error> {
        let of_states = linear(observations, parameters, scales, self.n_neurons)?;
        let n_sums = scales.len() / self.n_neurons;
        let mut slopes = vec![0.0; n_sums * self.width];
        let mut constants = vec![0.0; n_sums];
        for problem in 0..scales.len() {
            let (state, neuron) = (problem / self.n_neurons, problem % self.n_neurons);
            slopes[state * self.width + neuron] = of_states.slope[problem] - self.of_reference.slope[neuron];
            constants[state] += of_states.constant[problem] - self.of_reference.constant[neuron];
        }
        if !slopes.iter().chain(&constants).all(|value| value.is_finite()) {
            return Ok(None);
        }
        let mut values = nemos_core::zeros::<f64>(self.reference.len() * n_sums);
        let chunks = values.par_chunks_mut(ROWS * n_sums).zip(self.counts.par_chunks(ROWS * self.width));
        chunks.zip(self.reference.par_chunks(ROWS)).for_each(|((to, counts), reference)| {
            vectorized(
                #[inline(always)]
                || {
                    let rows = to.chunks_exact_mut(n_sums).zip(counts.chunks_exact(self.width));
                    for ((to, counts), reference) in rows.zip(reference) {
                        for ((to, slopes), constant) in to.iter_mut().zip(slopes.chunks_exact(self.width)).zip(&constants) {
                            *to = reference + constant + dot(counts, slopes);
                        }
                    }
                },
            );
        });
        Ok(Array2::from_shape_vec((self.reference.len(), n_sums), values).ok())
    }

    /// The intercepts of greatest likelihood for these probabilities of states `[n_rows, n_states]`, and whether each is a maximum: means of zero
    /// have none. Nothing where the link cannot be inverted.
    pub(crate) fn intercepts<B: Backend>(
        &self,
        data: &Data<'_, B>,
        smoothed: &[f64],
        masses: &[f64],
    ) -> Result<Option<Vec<(f64, bool)>>, Error> {
        let n_states = masses.len() / self.n_neurons;
        let size = n_states * self.width;
        let shards = data.design.shards().into_iter();
        let chunks: Vec<Range<usize>> = shards
            .flat_map(|shard| row_chunks(shard.len(), ROWS).map(move |rows| shard.start + rows.start..shard.start + rows.end))
            .collect();
        let of_chunks: Vec<Piece> = chunks
            .into_par_iter()
            .map(|rows| {
                let smoothed = &smoothed[rows.start * n_states..rows.end * n_states];
                let counts = &self.counts[rows.start * self.width..rows.end * self.width];
                let mut sums = vec![0.0; size];
                vectorized(
                    #[inline(always)]
                    || {
                        for (law, counts) in smoothed.chunks_exact(n_states).zip(counts.chunks_exact(self.width)) {
                            for (p, sums) in law.iter().zip(sums.chunks_exact_mut(self.width)) {
                                sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += p * count);
                            }
                        }
                    },
                );
                (rows.start, sums)
            })
            .collect();
        let sums = data.total("counts of states", Ok(of_chunks), size)?;
        let highest = data.observations.highest_mean();
        let intercepts = (0..masses.len())
            .map(|problem| {
                let (state, neuron) = (problem / self.n_neurons, problem % self.n_neurons);
                let mean = sums[state * self.width + neuron] / masses[problem];
                let (low, high) = (LEAST * self.means[neuron], highest - LEAST);
                let is_inside = mean > EDGE * self.means[neuron] && mean < highest - EDGE;
                Some((data.observations.predictor(mean.clamp(low.min(high), high))?, is_inside))
            })
            .collect();
        Ok(intercepts)
    }
}

/// How many counts, from zero up, all those of all processes are among; nothing where some are too high, or not whole.
fn known<B: Backend>(data: &Data<'_, B>, counts: &[f64]) -> Result<Option<usize>, Error> {
    let highest = counts.iter().fold(0.0, |highest: f64, &count| highest.max(count));
    let are_whole = counts.iter().all(|count| f64::from(*count as u8) == *count);
    let all = data.design.gathered(vec![if are_whole { highest } else { f64::INFINITY }])?;
    let highest = all.into_iter().flatten().fold(0.0, f64::max);
    Ok((highest < KNOWN as f64).then_some(highest as usize + 1))
}

/// `[n_rows]`: log-emissions of one model per neuron, looked up in those of so many counts.
fn looked_up<B: Backend>(
    observations: &Observations<B>,
    (parameters, scales): (&Parameters, &[f64]),
    (counts, width): (&[f64], usize),
    n_known: usize,
) -> Result<Vec<f64>, Error> {
    let (n_neurons, n_features) = (scales.len(), parameters.n_parameters() - 1);
    let known: Vec<f64> = (0..n_known * n_neurons).map(|place| (place / n_neurons) as f64).collect();
    let sums: Vec<usize> = (0..n_neurons).collect();
    let summed = Summed {
        parameters,
        scales,
        problems: &Problems::one_per_response(n_neurons),
        sum_of_problem: &sums,
    };
    let (design, known) = (
        Matrix::<B>::zeros([n_known, n_features]),
        Matrix::from_vec(known, [n_known, n_neurons])?,
    );
    let table = observations.summed_log_likelihoods(summed, &Design::from(design), &Design::from(known))?;
    let of_row = |counts: &[f64]| -> f64 {
        let each = counts[..n_neurons].iter().enumerate();
        each.map(|(neuron, count)| table[(*count as usize, neuron)]).sum()
    };
    Ok(counts.par_chunks(width).map(of_row).collect())
}

/// `a` and `b` of problems, from log-likelihoods of counts of zero and one.
fn linear<B: Backend>(observations: &Observations<B>, parameters: &Parameters, scales: &[f64], n_neurons: usize) -> Result<Linear, Error> {
    let n_problems = scales.len();
    let problems = Problems::of_responses((0..n_problems).map(|problem| problem % n_neurons));
    let sums: Vec<usize> = (0..n_problems).collect();
    let n_features = parameters.n_parameters() - 1;
    let counts: Vec<f64> = (0..2 * n_neurons).map(|place| f64::from(u8::from(place >= n_neurons))).collect();
    let (design, counts) = (Matrix::<B>::zeros([2, n_features]), Matrix::from_vec(counts, [2, n_neurons])?);
    let summed = Summed {
        parameters,
        scales,
        problems: &problems,
        sum_of_problem: &sums,
    };
    let values = observations.summed_log_likelihoods(summed, &Design::from(design), &Design::from(counts))?;
    Ok(Linear {
        constant: values.row(0).to_vec(),
        slope: (0..n_problems).map(|problem| values[(1, problem)] - values[(0, problem)]).collect(),
    })
}

/// Sums in a fixed number of lanes, so that they are the same on every machine.
#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}
