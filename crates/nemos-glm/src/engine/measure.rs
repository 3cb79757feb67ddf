//! Sums over rows that describe a model: log-likelihoods, deviances, residuals.

use ndarray::Array2;
use nemos_core::simd::vectorized;
use nemos_core::tensor::DType;
use nemos_core::{Backend, Design, Digest};
use nemos_solvers::Parameters;

use crate::Error;
use crate::engine::chunk::Chunk;
use crate::engine::data::{Data, Read};
use crate::engine::host::{Asked, Predictors, Scratch, Work};
use crate::engine::loops::{LoopFloat, Measure};
use crate::engine::model::{Information, Model};
use crate::engine::numbers::Numbers;
use crate::engine::pending::Pending;
use crate::engine::problems::Problems;
use crate::engine::shards::{Sum, add};
use crate::engine::support::check_support;
use crate::engine::tensors::{OnDevice, Seen};

/// What is summed over rows.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) enum Quantity {
    /// Log-likelihood.
    LogLikelihood,
    /// Deviance.
    Deviance,
    /// Squared residuals over their variances at these scales.
    Pearson,
    /// Derivative of the log-likelihood in the scale.
    SlopeInScale,
    /// Slope of the loss in the predictor.
    Slope,
    /// Expected curvature of the loss in the predictor.
    Curvature,
    /// The offset.
    Offset,
}

impl Quantity {
    /// What fused loops can sum.
    fn measure(self) -> Option<Measure> {
        match self {
            Quantity::LogLikelihood => Some(Measure::LogLikelihood),
            Quantity::Deviance => Some(Measure::Deviance),
            _ => None,
        }
    }
}

/// Sums over the rows of a design that can be used, one of each per problem.
#[derive(Clone, Debug)]
pub(crate) struct Tallies {
    pub(crate) sums: Vec<f64>,
    /// Weights of the rows used, together.
    pub(crate) weight: Vec<f64>,
    /// How many rows were used.
    pub(crate) n_rows: Vec<f64>,
    /// Weighted sums of the counts of each problem, or of the rows of each class.
    pub(crate) count_sum: Vec<f64>,
}

impl Tallies {
    fn new(n_problems: usize, n_counted: usize) -> Self {
        Tallies {
            sums: vec![0.0; n_problems],
            weight: vec![0.0; n_problems],
            n_rows: vec![0.0; n_problems],
            count_sum: vec![0.0; n_counted],
        }
    }

    /// Adds what tensor operations summed.
    fn add_read(&mut self, read: &[Array2<f64>]) {
        let to = [&mut self.n_rows, &mut self.weight, &mut self.count_sum, &mut self.sums];
        for (to, from) in to.into_iter().zip(read) {
            to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        }
    }

    /// The sums, as if weights were one on average.
    pub(crate) fn totals(&self) -> Vec<f64> {
        self.totals_of(&self.sums)
    }

    /// Other sums over the same rows, as if weights were one on average.
    pub(crate) fn totals_of(&self, sums: &[f64]) -> Vec<f64> {
        let scaled = sums.iter().zip(self.n_rows.iter().zip(&self.weight));
        scaled.map(|(sum, (n, weight))| sum * n / weight).collect()
    }
}

/// A model with its parameters on data, to be described.
pub(crate) struct Described<'m, 'a, B: Backend> {
    pub(crate) data: Data<'a, B>,
    pub(crate) model: &'m dyn Model<B::Burn>,
    pub(crate) problems: Problems,
    pub(crate) scale: &'m [f64],
}

/// Where the predictors of a model come from.
#[derive(Copy, Clone)]
pub(crate) enum From<'p> {
    /// Coefficients and intercepts.
    Parameters(&'p Parameters),
    /// An intercept for each predictor of each problem, beside the offset.
    Intercepts(&'p [f64]),
}

impl<'m, 'a, B: Backend> Described<'m, 'a, B> {
    pub(crate) fn new(
        model: &'m dyn Model<B::Burn>,
        scale: &'m [f64],
        (design, counts): (Design<'a, B>, Design<'a, B>),
    ) -> Result<Self, Error> {
        let n_problems = scale.len();
        Ok(Described {
            data: Data::new(design, counts, n_problems * model.n_predictors())?,
            problems: Problems::one_per_response(n_problems),
            model,
            scale,
        })
    }

    /// What has to be the same in all processes: sums of other quantities, or at other parameters, must not be added to these.
    fn key(&self, quantity: Quantity, from: From<'_>) -> u64 {
        let mut key = Digest::new();
        if self.data.design.share().is_some() {
            key.add(quantity as u64);
            key.numbers(match from {
                From::Parameters(at) => at.as_slice(),
                From::Intercepts(at) => at,
            });
            key.numbers(self.scale);
        }
        key.word()
    }

    /// Sums of a quantity in one pass over the data. The first pass finds out which rows are complete; later ones know.
    pub(crate) fn sum(&mut self, quantity: Quantity, from: From<'_>) -> Result<Tallies, Error> {
        match B::DTYPE {
            DType::F64 => self.sum_in::<f64>(quantity, from),
            _ => self.sum_in::<f32>(quantity, from),
        }
    }

    fn sum_in<E: LoopFloat>(&mut self, quantity: Quantity, from: From<'_>) -> Result<Tallies, Error> {
        // Counts are checked by the pass that looks first.
        let is_new = self.data.is_new();
        let columns: Vec<usize> = (0..self.problems.n_problems()).collect();
        let (n_predictors, n_targets) = (self.model.n_predictors(), self.model.n_targets());
        let asked = Asked::of(&self.problems, &columns, self.model);
        let read = match from {
            From::Parameters(_) => Read::Everything,
            From::Intercepts(_) => Read::WithoutFeatures,
        };
        let loops = self.model.loops().map(E::of).filter(|_| B::HOST);
        let loops = loops.as_deref().zip(quantity.measure());
        let values: Vec<E> = match from {
            From::Parameters(at) => at.as_slice().iter().map(|&value| E::from_f64(value)).collect(),
            From::Intercepts(at) => at.iter().map(|&value| E::from_f64(value)).collect(),
        };
        let predictors = match from {
            From::Parameters(_) => Predictors::Parameters(&values),
            From::Intercepts(_) => Predictors::Intercepts(&values),
        };
        let on_device = match from {
            From::Parameters(at) => OnDevice::<B>::new(self.model, at, self.scale),
            From::Intercepts(at) => OnDevice::<B>::of_intercepts(self.model, at, self.scale),
        };
        let new = || Shard::<B, E> {
            pending: Pending::new(),
            tallies: Tallies::new(columns.len(), columns.len() * n_predictors),
            scratch: Scratch::new(self.scale, n_predictors),
        };
        let add = |shard: &mut Shard<B, E>, chunk: &Chunk<B>| {
            let Shard { tallies, pending, scratch } = shard;
            if is_new {
                check_support(chunk, self.model.support(), n_targets)?;
            }
            let done = loops.and_then(|(loops, measure)| {
                scratch.with(chunk, asked, &predictors, |work| {
                    count(work, tallies);
                    loops.measure(measure, work.predictor, work.on_host.observed, work.lanes);
                    work.lanes.drain(|column, value, _| tallies.sums[column / n_predictors] += value);
                })
            });
            if done.is_none() {
                let seen = Seen::new(chunk, asked)?;
                add_tensors(quantity, self.model, &seen, &on_device, pending);
                pending.end_of_chunk()?;
            }
            Ok::<_, Error>(())
        };
        let passed = self.data.pass_at(self.key(quantity, from), read, new, add)?;
        let shard = self.data.remember(passed)?;
        let mut tallies = shard.tallies;
        tallies.add_read(&shard.pending.finish()?);
        Ok(tallies)
    }
}

/// What one shard of a pass carries: the sums, and memory that loops use again.
struct Shard<B: Backend, E> {
    tallies: Tallies,
    pending: Pending<B>,
    scratch: Scratch<E>,
}

impl<B: Backend, E: LoopFloat> Sum for Shard<B, E> {
    fn merge(&mut self, later: Self) {
        self.pending.merge(later.pending);
        let (mine, theirs) = (&mut self.tallies, later.tallies);
        add(&mut mine.sums, &theirs.sums);
        add(&mut mine.weight, &theirs.weight);
        add(&mut mine.n_rows, &theirs.n_rows);
        add(&mut mine.count_sum, &theirs.count_sum);
    }

    fn pack(&self, to: &mut Vec<f64>) {
        self.pending.pack(to);
        let Tallies {
            sums,
            weight,
            n_rows,
            count_sum,
        } = &self.tallies;
        [sums, weight, n_rows, count_sum].into_iter().for_each(|part| to.extend(part));
    }

    fn unpack(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        self.pending.unpack(from)?;
        let Tallies {
            sums,
            weight,
            n_rows,
            count_sum,
        } = &mut self.tallies;
        [sums, weight, n_rows, count_sum].into_iter().try_for_each(|part| from.fill(part))
    }
}

/// Counts rows, their weights and their counts.
fn count<E: LoopFloat>(work: &Work<'_, E>, tallies: &mut Tallies) {
    let (n_columns, n_predictors) = (tallies.sums.len(), work.n_predictors);
    let observed = work.on_host.observed;
    let n_targets = observed.counts.len() / (work.on_host.n_rows * n_columns).max(1);
    if observed.weights.is_none() && n_targets == 1 && n_predictors == 1 {
        return count_plain(observed.counts, tallies);
    }
    for (row, counts) in observed.counts.chunks_exact(n_columns * n_targets).enumerate() {
        for (column, targets) in counts.chunks_exact(n_targets).enumerate() {
            let weight = observed.weights.map_or(1.0, |weights| weights[row * n_columns + column].into_f64());
            if weight > 0.0 && !targets.iter().any(|target| target.into_f64().is_nan()) {
                tallies.weight[column] += weight;
                tallies.n_rows[column] += 1.0;
                let first = column * n_predictors;
                if n_targets < n_predictors {
                    tallies.count_sum[first + targets[0].into_f64() as usize] += weight;
                } else {
                    for (target, value) in targets.iter().enumerate() {
                        tallies.count_sum[first + target] += weight * value.into_f64();
                    }
                }
            }
        }
    }
}

/// The same for rows without weights, in which a count is missing or counts.
#[inline(never)]
fn count_plain<E: LoopFloat>(counts: &[E], tallies: &mut Tallies) {
    let n_columns = tallies.sums.len();
    let (n_rows, weight, sums) = (&mut tallies.n_rows, &mut tallies.weight, &mut tallies.count_sum);
    vectorized(
        #[inline(always)]
        || {
            for counts in counts.chunks_exact(n_columns) {
                let columns = n_rows.iter_mut().zip(&mut *weight).zip(&mut *sums);
                for (((n_rows, weight), sum), count) in columns.zip(counts) {
                    let count = count.into_f64();
                    let (is_there, counted) = if count.is_nan() { (0.0, 0.0) } else { (1.0, count) };
                    *n_rows += is_there;
                    *weight += is_there;
                    *sum += counted;
                }
            }
        },
    );
}

/// The same in tensor operations, and the quantity: only the sums come back.
fn add_tensors<B: Backend>(quantity: Quantity, model: &dyn Model<B::Burn>, seen: &Seen<B>, on_device: &OnDevice<B>, sums: &mut Pending<B>) {
    let kept = seen.kept();
    sums.rows(kept.clone().greater_elem(0.0).float());
    sums.rows(kept);
    sums.rows(seen.weighted_targets(model));
    let at = seen.at(on_device);
    let (counts, scale) = (seen.counts(), at.scale.clone());
    let terms = match quantity {
        Quantity::LogLikelihood => model.log_likelihood(counts, at.predictor, scale),
        Quantity::Deviance => model.deviance(counts, at.predictor, scale),
        Quantity::Pearson => model.pearson(counts, at.predictor, scale),
        Quantity::SlopeInScale => model.slope_in_scale(counts, at),
        Quantity::Slope => model.slope(counts, at.predictor, scale).1,
        Quantity::Curvature => model.curvature(Information::Expected, counts, at, (0, 0)),
        Quantity::Offset => at.predictor,
    };
    sums.rows(seen.weigh(terms));
}
