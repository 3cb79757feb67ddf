//! An observation model and its link without their types: for what is built on models, such as mixtures of them.

use std::ops::Range;
use std::sync::Arc;

use ndarray::Array2;
use nemos_core::tensor::DType;
use nemos_core::{Backend, Design, Matrix, row_chunks, zeros};
use nemos_solvers::Parameters;
use rayon::prelude::*;

use crate::engine::by_row;
use crate::engine::chunk::{Chunk, RowNumbers};
use crate::engine::host::{Asked, Predictors, Scratch};
use crate::engine::loops::{LoopFloat, Measure};
use crate::engine::model::Model;
use crate::engine::objective::GlmObjective;
use crate::engine::problems::Problems;
use crate::engine::selection::ChunkRows;
use crate::engine::support::check_support;
use crate::engine::survey::Survey;
use crate::engine::tensors::{OnDevice, Seen, row};
use crate::models::{bernoulli, gaussian, negative_binomial, poisson};
use crate::{Error, Scale, Support};

/// An observation model and its link on a backend, without their types: what hidden states and other mixtures of models
/// compute with. [`PopulationGlm::observations`](crate::PopulationGlm::observations) and
/// [`ClassifierPopulationGlm::observations`](crate::ClassifierPopulationGlm::observations) give one.
#[derive(Clone)]
pub struct Observations<B: Backend>(pub(crate) Arc<dyn Model<B::Burn>>);

impl<B: Backend> std::fmt::Debug for Observations<B> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Observations")
            .field("support", &self.support())
            .finish_non_exhaustive()
    }
}

/// What log-likelihoods are taken of: parameters and a scale for each problem, and the sum that each problem belongs to.
#[derive(Copy, Clone, Debug)]
pub struct Summed<'p> {
    /// `[n_parameters, n_problems]`
    pub parameters: &'p Parameters,
    /// `[n_problems]`
    pub scales: &'p [f64],
    /// The column of the counts of each problem.
    pub problems: &'p Problems,
    /// The sum that each problem is added to, from zero up.
    pub sum_of_problem: &'p [usize],
}

impl<B: Backend> Observations<B> {
    /// Predictors of a neuron: one, or one per class.
    pub fn n_predictors(&self) -> usize {
        self.0.n_predictors()
    }

    /// Which counts have a probability.
    pub fn support(&self) -> Support {
        self.0.support()
    }

    /// Whether the loss is the squared residual, and the scale its mean.
    pub fn is_gaussian(&self) -> bool {
        self.0.built_in().is_some_and(|built_in| built_in.is(&gaussian::ROW))
    }

    /// Whether log-likelihoods are linear in the counts, but for what no parameter changes, and a constant mean is best at the mean
    /// count: Poisson, Bernoulli, and the negative binomial at a known scale.
    pub fn is_linear_in_counts(&self) -> bool {
        let rows = [&poisson::ROW, &bernoulli::ROW, &negative_binomial::ROW];
        self.0
            .built_in()
            .is_some_and(|built_in| rows.into_iter().any(|row| built_in.is(row)))
    }

    /// The predictor of a rate, where the link can be inverted in closed form.
    pub fn predictor(&self, rate: f64) -> Option<f64> {
        self.0.predictor(rate)
    }

    /// The highest mean that counts can have: one of choices, infinity of others.
    pub fn highest_mean(&self) -> f64 {
        if self.support() == Support::Binary { 1.0 } else { f64::INFINITY }
    }

    /// Where the scale comes from.
    pub fn scale(&self) -> Scale {
        self.0.scale()
    }

    /// What takes the loss of an objective to the negative log-likelihood, at a scale.
    pub fn loss_factor(&self, scale: f64) -> f64 {
        self.0.loss_factor(scale)
    }

    /// What fits of these problems minimise: see [`PopulationGlm::objective_of`](crate::PopulationGlm::objective_of).
    ///
    /// # Errors
    /// As there.
    pub fn objective<'a>(&self, problems: Problems, design: Design<'a, B>, counts: Design<'a, B>) -> Result<GlmObjective<'a, B>, Error> {
        GlmObjective::new(self.0.clone(), (design, counts), problems, Survey::WithMoments, None)
    }

    /// `[n_rows, n_sums]`: log-likelihoods of the counts of every row with all constants, those of the problems of a sum
    /// added up in double precision. What is missing, a count or a feature of its row, adds nothing.
    ///
    /// # Errors
    /// If rows cannot be read, values are infinite, or counts have no probability under this model.
    pub fn summed_log_likelihoods(&self, summed: Summed<'_>, design: &Design<'_, B>, counts: &Design<'_, B>) -> Result<Array2<f64>, Error> {
        match B::DTYPE {
            DType::F64 => self.summed_in::<f64>(summed, design, counts),
            _ => self.summed_in::<f32>(summed, design, counts),
        }
    }

    fn summed_in<E: LoopFloat>(&self, summed: Summed<'_>, design: &Design<'_, B>, counts: &Design<'_, B>) -> Result<Array2<f64>, Error> {
        let model = &*self.0;
        let n_sums = summed.sum_of_problem.iter().max().map_or(0, |last| last + 1);
        let columns: Vec<usize> = (0..summed.problems.n_problems()).collect();
        let asked = Asked::of(summed.problems, &columns, model);
        let loops = model.loops().filter(|_| B::HOST).map(E::of);
        let loops = loops.as_deref();
        let on_host: Vec<E> = summed.parameters.as_slice().iter().map(|&value| E::from_f64(value)).collect();
        let on_device = OnDevice::<B>::new(model, summed.parameters, summed.scales);
        let n_rows = design.n_rows();
        let chunk_rows = B::chunk_rows(design.n_columns() + counts.n_columns() + columns.len() * asked.n_predictors);
        let of_chunk = |scratch: &mut Scratch<E>, rows: Range<usize>, to: &mut [f64]| {
            let chunk = read(design, counts, rows)?;
            check_support(&chunk, model.support(), asked.n_targets)?;
            let add = |to: &mut [f64], values: &mut dyn Iterator<Item = f64>| {
                let present = values.zip(summed.sum_of_problem).filter(|(value, _)| !value.is_nan());
                present.for_each(|(value, &sum)| to[sum] += value);
            };
            let done = loops.and_then(|loops| {
                scratch.with(&chunk, asked, &Predictors::Parameters(&on_host), |work| {
                    loops.measure(Measure::LogLikelihood, work.predictor, work.on_host.observed, work.lanes);
                    let width = columns.len() * asked.n_predictors;
                    for (to, values) in to.chunks_exact_mut(n_sums).zip(work.predictor.chunks_exact(width)) {
                        add(to, &mut values.iter().step_by(asked.n_predictors).map(|value| value.into_f64()));
                    }
                })
            });
            if done.is_none() {
                let terms = by_row::log_likelihood_terms(model, &Seen::new(&chunk, asked)?, &on_device, asked.n_predictors);
                let terms = Matrix::<B>::from_tensor(terms).try_to_vec()?;
                for (to, values) in to.chunks_exact_mut(n_sums).zip(terms.chunks_exact(columns.len())) {
                    add(to, &mut values.iter().copied());
                }
            }
            Ok::<(), Error>(())
        };
        let mut values = zeros::<f64>(n_rows * n_sums);
        let new = || Scratch::<E>::new(summed.scales, asked.n_predictors);
        if n_rows > 0 && n_sums > 0 {
            // Chunks that do not depend on who has the rows: what comes of a row is the same to the last bit.
            let (mut chunks, mut rest) = (Vec::new(), values.as_mut_slice());
            for shard in design.shards() {
                for rows in row_chunks(shard.len(), chunk_rows) {
                    let (of_chunk, later) = rest.split_at_mut(rows.len() * n_sums);
                    rest = later;
                    chunks.push((shard.start + rows.start..shard.start + rows.end, of_chunk));
                }
            }
            if B::HOST {
                chunks
                    .into_par_iter()
                    .try_for_each_init(new, |scratch, (rows, to)| of_chunk(scratch, rows, to))?;
            } else {
                let mut scratch = new();
                chunks.into_iter().try_for_each(|(rows, to)| of_chunk(&mut scratch, rows, to))?;
            }
        }
        Ok(Array2::from_shape_vec((n_rows, n_sums), values).expect("as many as were made"))
    }

    /// `[n_rows, n_neurons · n_predictors]`: rates, or the probabilities of the classes; NaN where the design has one. One column of
    /// parameters for each neuron.
    ///
    /// # Errors
    /// If rows cannot be read, or are infinite.
    pub fn rates(&self, at: &Parameters, design: &Design<'_, B>) -> Result<Matrix<B>, Error> {
        by_row::predicted(&*self.0, at, design, at.n_problems() * self.n_predictors(), |predictor| {
            Ok(Matrix::from_tensor(self.0.rate(predictor.into_tensor())))
        })
    }

    /// `[n_rows, n_neurons · n_predictors]`: variances of counts with these rates, or of the indicators of the classes.
    ///
    /// # Errors
    /// As [`rates`](Observations::rates).
    pub fn variances(&self, at: &Parameters, scales: &[f64], design: &Design<'_, B>) -> Result<Matrix<B>, Error> {
        by_row::predicted(&*self.0, at, design, at.n_problems() * self.n_predictors(), |predictor| {
            Ok(Matrix::from_tensor(self.0.variance(predictor.into_tensor(), row::<B>(scales))))
        })
    }
}

/// Some rows, unweighted.
fn read<B: Backend>(design: &Design<'_, B>, counts: &Design<'_, B>, rows: Range<usize>) -> Result<Chunk<B>, Error> {
    let features = design.chunk(rows.clone())?;
    // Finds infinities; what is missing stays NaN.
    ChunkRows::complete("design", &features, rows.start)?;
    Ok(Chunk {
        features: Some(features),
        counts: counts.chunk(rows.clone())?,
        is_whole: false,
        weights: None,
        offset: design.offset().map(|offset| offset.rows(rows.clone())).transpose()?,
        rows: RowNumbers::Listed(rows.collect()),
    })
}
