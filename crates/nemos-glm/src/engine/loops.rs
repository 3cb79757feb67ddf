//! Fused loops: link, loss and slope of a built-in pair in one sweep over rows in host memory.
//!
//! A pair of a model and a link is compiled here, for both precisions, rather than in every program that fits a model.

use std::marker::PhantomData;
use std::sync::{Arc, LazyLock};

use nemos_core::HostFloat;
use nemos_core::simd::{ln_gamma, vectorized};
use nemos_solvers::RowLoss;

use crate::links::at::FusedLink;

/// The formulas of a built-in observation model for one count.
pub(crate) trait FusedModel: Send + Sync + 'static {
    /// `deviance = DEVIANCE_FACTOR · loss + deviance_rest`
    const DEVIANCE_FACTOR: f64;
    /// Whether the rest of the log-likelihood is looked up, or branches: it is then added by a loop of its own, and leaves the vector
    /// instructions to the other.
    const REST_APART: bool = false;

    /// Loss and slope at a predictor.
    fn term<L: FusedLink>(predictor: f64, count: f64, scale: f64) -> (f64, f64);

    /// The expected curvature of the loss in the predictor.
    fn weight<L: FusedLink>(predictor: f64, scale: f64) -> f64;

    /// The curvature of the loss in the predictor, for this count.
    fn curvature<L: FusedLink>(predictor: f64, count: f64, scale: f64) -> f64;

    /// `log_likelihood = −factor · loss + log_likelihood_rest`
    #[inline(always)]
    fn factor(_scale: f64) -> f64 {
        1.0
    }

    /// The log-likelihood of a count but for its rest. Models that write the whole here keep the rest zero.
    #[inline(always)]
    fn log_likelihood_but_rest<L: FusedLink>(predictor: f64, count: f64, scale: f64) -> f64 {
        -Self::factor(scale) * Self::term::<L>(predictor, count, scale).0
    }

    /// What the log-likelihood has besides, whatever the predictor.
    #[inline(always)]
    fn log_likelihood_rest(_count: f64, _scale: f64, _table: &LnFactorials) -> f64 {
        0.0
    }

    /// What the deviance has besides, whatever the predictor.
    fn deviance_rest(count: f64, scale: f64) -> f64;
}

/// What is summed over rows to describe a fit.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    LogLikelihood,
    Deviance,
}

/// What a sweep over rows reads besides the predictor.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Observed<'a, E> {
    /// `[n_rows, n_problems]`, NaN where missing.
    pub(crate) counts: &'a [E],
    /// `[n_rows, n_problems]`, all one where there is nothing.
    pub(crate) weights: Option<&'a [E]>,
}

/// Running sums: lane `i` belongs to column `i mod n_columns` of what is swept.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    losses: Vec<f64>,
    slopes: Vec<f64>,
    /// Scale of the problem of each lane.
    scales: Vec<f64>,
    n_columns: usize,
}

// Enough lanes for the widest vector instructions, also where there is one column.
const MIN_LANES: usize = 32;

impl Lanes {
    /// One scale per column.
    pub(crate) fn new(scales: &[f64]) -> Self {
        let n_columns = scales.len();
        let repeats = MIN_LANES.div_ceil(n_columns.max(1));
        Lanes {
            losses: vec![0.0; n_columns * repeats],
            slopes: vec![0.0; n_columns * repeats],
            scales: scales.repeat(repeats),
            n_columns,
        }
    }

    /// Columns that are swept.
    pub(crate) fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Adds to the sums of a column.
    #[inline(always)]
    pub(crate) fn add(&mut self, column: usize, loss: f64, slope: f64) {
        self.losses[column] += loss;
        self.slopes[column] += slope;
    }

    /// Adds the sums of losses and slopes to totals per column, and starts anew.
    pub(crate) fn drain(&mut self, mut add: impl FnMut(usize, f64, f64)) {
        for (lane, (loss, slope)) in self.losses.iter_mut().zip(&mut self.slopes).enumerate() {
            add(lane % self.n_columns, std::mem::take(loss), std::mem::take(slope));
        }
    }
}

/// The loops of one pair, in one precision.
pub(crate) trait Loops<E: HostFloat>: Send + Sync {
    /// Adds losses and slopes of rows to `lanes`, and writes the slopes over the predictor. Missing counts add nothing.
    fn slopes(&self, predictor: &mut [E], observed: Observed<'_, E>, lanes: &mut Lanes);

    /// Writes expected curvatures of the loss in a pair of predictors, times weights, `[n_rows, n_problems]`; zero where counts
    /// are missing.
    fn weights(&self, predictor: &[E], observed: Observed<'_, E>, lanes: &Lanes, of_pair: (&mut [E], (usize, usize)));

    /// The loss of one row, in double precision; NaN for models with several predictors.
    fn row(&self, _predictor: f64, _count: f64, _scale: f64) -> RowLoss {
        let none = f64::NAN;
        RowLoss {
            value: none,
            slope: none,
            curvature: none,
            expected: none,
        }
    }

    /// Adds a measure of rows, times weights, to the losses of `lanes`, and writes that of each count, NaN where it is
    /// missing, over the predictor.
    fn measure(&self, measure: Measure, predictor: &mut [E], observed: Observed<'_, E>, lanes: &mut Lanes);
}

/// The loops of one pair.
pub(crate) struct BothPrecisions {
    pub(crate) double: Arc<dyn Loops<f64>>,
    pub(crate) single: Arc<dyn Loops<f32>>,
}

/// A precision that loops are compiled for.
pub(crate) trait LoopFloat: HostFloat {
    /// The loops of this precision.
    fn of(both: BothPrecisions) -> Arc<dyn Loops<Self>>;
}

impl LoopFloat for f64 {
    fn of(both: BothPrecisions) -> Arc<dyn Loops<f64>> {
        both.double
    }
}

impl LoopFloat for f32 {
    fn of(both: BothPrecisions) -> Arc<dyn Loops<f32>> {
        both.single
    }
}

/// The loops of a model with a link.
pub(crate) fn both<M: FusedModel, L: FusedLink>() -> BothPrecisions {
    BothPrecisions {
        double: Arc::new(Fused::<M, L>(PhantomData)),
        single: Arc::new(Fused::<M, L>(PhantomData)),
    }
}

/// A pair whose formulas are known when its loops are compiled.
struct Fused<M, L>(PhantomData<(M, L)>);

impl<E: HostFloat, M: FusedModel, L: FusedLink> Loops<E> for Fused<M, L> {
    fn slopes(&self, predictor: &mut [E], observed: Observed<'_, E>, lanes: &mut Lanes) {
        sweep(
            predictor,
            observed,
            lanes,
            #[inline(always)]
            move |predictor, count, scale| {
                let (loss, slope) = M::term::<L>(predictor, count, scale);
                (loss, slope, slope)
            },
            0.0,
        );
    }

    fn weights(&self, predictor: &[E], observed: Observed<'_, E>, lanes: &Lanes, (out, _): (&mut [E], (usize, usize))) {
        let width = lanes.scales.len();
        let ones;
        let weights = match observed.weights {
            Some(weights) => weights,
            None => {
                ones = vec![E::from_f64(1.0); observed.counts.len()];
                &ones
            }
        };
        vectorized(
            #[inline(always)]
            || {
                let rows = out.chunks_mut(width).zip(predictor.chunks(width));
                for ((out, predictor), (counts, weights)) in rows.zip(observed.counts.chunks(width).zip(weights.chunks(width))) {
                    let data = out.iter_mut().zip(predictor).zip(counts.iter().zip(weights)).zip(&lanes.scales);
                    for (((out, predictor), (count, weight)), &scale) in data {
                        let none = count.into_f64().is_nan() || weight.into_f64() == 0.0;
                        let curvature = weight.into_f64() * M::weight::<L>(predictor.into_f64(), scale);
                        *out = E::from_f64(if none { 0.0 } else { curvature });
                    }
                }
            },
        );
    }

    fn row(&self, predictor: f64, count: f64, scale: f64) -> RowLoss {
        let (value, slope) = M::term::<L>(predictor, count, scale);
        let observed = M::curvature::<L>(predictor, count, scale);
        let expected = M::weight::<L>(predictor, scale);
        RowLoss {
            value,
            slope,
            curvature: observed,
            expected,
        }
    }

    fn measure(&self, measure: Measure, predictor: &mut [E], observed: Observed<'_, E>, lanes: &mut Lanes) {
        let table = &*LN_FACTORIALS;
        match measure {
            Measure::LogLikelihood => {
                // What is written in single precision is rounded once, since the parts of large counts cancel.
                let apart = M::REST_APART && size_of::<E>() == size_of::<f64>();
                sweep(
                    predictor,
                    observed,
                    lanes,
                    #[inline(always)]
                    |predictor, count, scale| {
                        let rest = if apart { 0.0 } else { M::log_likelihood_rest(count, scale, table) };
                        let value = M::log_likelihood_but_rest::<L>(predictor, count, scale) + rest;
                        (value, 0.0, value)
                    },
                    f64::NAN,
                );
                if apart {
                    sweep(
                        predictor,
                        observed,
                        lanes,
                        #[inline(always)]
                        |value, count, scale| {
                            let rest = M::log_likelihood_rest(count, scale, table);
                            (rest, 0.0, value + rest)
                        },
                        f64::NAN,
                    );
                }
            }
            Measure::Deviance => sweep(
                predictor,
                observed,
                lanes,
                #[inline(always)]
                |predictor, count, scale| {
                    let (loss, _) = M::term::<L>(predictor, count, scale);
                    let value = M::DEVIANCE_FACTOR * loss + M::deviance_rest(count, scale);
                    (value, 0.0, value)
                },
                f64::NAN,
            ),
        }
    }
}

/// `ln Γ(count + 1)`, looked up for small whole counts, which are nearly all that there are.
pub(crate) struct LnFactorials([f64; 64]);

static LN_FACTORIALS: LazyLock<LnFactorials> = LazyLock::new(|| LnFactorials(std::array::from_fn(|n| ln_gamma(n as f64 + 1.0))));

impl LnFactorials {
    /// At this count.
    #[inline(always)]
    pub(crate) fn of(&self, count: f64) -> f64 {
        let whole = count as usize;
        match self.0.get(whole) {
            Some(&value) if whole as f64 == count => value,
            _ => ln_gamma(count + 1.0),
        }
    }
}

/// `count · each`, zero without spikes even where `each` is infinite: a rate of zero is sure to bring none.
#[inline(always)]
pub(crate) fn spikes(count: f64, each: f64) -> f64 {
    if count == 0.0 { 0.0 } else { count * each }
}

/// Sweeps over rows: `term` of predictor, count and scale gives what is added to losses and to slopes, and what is written
/// over the predictor (times the weight where it is a slope; `missing` where there is no count).
#[inline(always)]
fn sweep<E: HostFloat>(
    predictor: &mut [E],
    observed: Observed<'_, E>,
    lanes: &mut Lanes,
    term: impl Fn(f64, f64, f64) -> (f64, f64, f64) + Copy,
    missing: f64,
) {
    match observed.weights {
        None => sweep_weighted(
            predictor,
            (observed.counts, observed.counts),
            lanes,
            #[inline(always)]
            move |predictor, count, scale, _| term(predictor, count, scale),
            missing,
        ),
        Some(weights) => {
            // Slopes are written with their weights, since they go on into sums; measures without.
            let weigh_written = missing == 0.0;
            sweep_weighted(
                predictor,
                (observed.counts, weights),
                lanes,
                #[inline(always)]
                move |predictor, count, scale, weight| {
                    // A row of weight zero adds nothing, even where its loss is infinite.
                    let (loss, slope, written) = term(predictor, count, scale);
                    let none = weight == 0.0;
                    let (loss, slope) = (if none { 0.0 } else { loss * weight }, if none { 0.0 } else { slope * weight });
                    (loss, slope, if weigh_written { slope } else { written })
                },
                missing,
            );
        }
    }
}

#[inline(always)]
fn sweep_weighted<E: HostFloat>(
    predictor: &mut [E],
    (counts, weights): (&[E], &[E]),
    lanes: &mut Lanes,
    term: impl Fn(f64, f64, f64, f64) -> (f64, f64, f64) + Copy,
    missing: f64,
) {
    let width = lanes.losses.len();
    vectorized(
        #[inline(always)]
        || {
            for ((predictor, counts), weights) in predictor.chunks_mut(width).zip(counts.chunks(width)).zip(weights.chunks(width)) {
                sweep_row(
                    predictor,
                    counts,
                    weights,
                    &mut lanes.losses,
                    &mut lanes.slopes,
                    &lanes.scales,
                    term,
                    missing,
                );
            }
        },
    );
}

/// One number for each lane. Slices that are arguments are known not to overlap: elsewhere the compiler would have to ask so much before
/// the loop that it takes one number after the other instead.
#[allow(clippy::too_many_arguments, reason = "slices in a tuple might overlap")]
#[inline(always)]
fn sweep_row<E: HostFloat>(
    predictor: &mut [E],
    counts: &[E],
    weights: &[E],
    losses: &mut [f64],
    slopes: &mut [f64],
    scales: &[f64],
    term: impl Fn(f64, f64, f64, f64) -> (f64, f64, f64) + Copy,
    missing: f64,
) {
    let sums = losses.iter_mut().zip(slopes.iter_mut()).zip(scales);
    let data = predictor.iter_mut().zip(counts).zip(weights);
    for (((predictor, &count), &weight), ((loss_sum, slope_sum), &scale)) in data.zip(sums) {
        let count = count.into_f64();
        let is_missing = count.is_nan();
        let (loss, slope, written) = term(predictor.into_f64(), count, scale, weight.into_f64());
        *loss_sum += if is_missing { 0.0 } else { loss };
        *slope_sum += if is_missing { 0.0 } else { slope };
        *predictor = E::from_f64(if is_missing { missing } else { written });
    }
}

#[cfg(test)]
mod tests;
