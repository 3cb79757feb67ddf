//! Second moments of the rows, weighted by what a model says of each: informations, and the middle of sandwich covariances.

mod segment_sums;
mod windows;

use ndarray::{Array1, Array2};
use nemos_core::tensor::{DType, Tensor};
use nemos_core::{Backend, Matrix, Segments};
use nemos_solvers::Parameters;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use crate::Error;
use crate::engine::chunk::Chunk;
use crate::engine::data::Read;
use crate::engine::host::{Asked, Predictors, Scratch, Work, pairs};
use crate::engine::loops::{LoopFloat, Loops};
use crate::engine::model::{Information, Model};
use crate::engine::objective::GlmObjective;
use crate::engine::pending::Pending;
use crate::engine::shards::Sum;
use crate::engine::sums::{add_pairs, mirror};
use crate::engine::tensors::{OnDevice, Seen};
use segment_sums::SegmentSums;
use windows::Windows;

/// Which second moments of the rows, with `z = (x, 1)`, `s` the slope of a row's loss in the predictor, times its weight,
/// and `g = s z` its score.
///
/// | kind | sum |
/// |---|---|
/// | `Information(Expected)` | `Σ w · E[∂²loss/∂η²] · z zᵀ` |
/// | `Information(Observed)` | `Σ w · ∂²loss/∂η² · z zᵀ` |
/// | `Scores` | `Σ g gᵀ` |
/// | `ScoresBySegment` | `Σ over segments of (Σ g)(Σ g)ᵀ` |
/// | `ScoresOverLags(L)` | `Γ₀ + Σₗ (1 − l/(L+1)) (Γₗ + Γₗᵀ)`, `Γₗ = Σ g_t g_{t−l}ᵀ` within segments, `l` from 1 to `L` |
///
/// The last takes one pass whatever the lag: it is `Σ G Gᵀ / (L + 1)`, `G` being sums of scores over windows of `L + 1` rows.
///
/// # References
/// White (1980), *Econometrica* 48; Liang & Zeger (1986), *Biometrika* 73; Newey & West (1987), *Econometrica* 55.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SecondMoment {
    /// Curvature of the loss.
    Information(Information),
    /// Outer products of scores by row.
    Scores,
    /// Outer products of sums of scores over segments.
    ScoresBySegment(Segments),
    /// Outer products of scores up to a number of rows apart, with Bartlett's weights, within segments.
    ScoresOverLags(Segments, usize),
}

impl<B: Backend> GlmObjective<'_, B> {
    /// Second moments of the rows at these parameters, `[n_parameters, n_parameters]` for each problem: sums over rows, not
    /// means, in units of the loss.
    ///
    /// # Errors
    /// Where the data cannot be read.
    pub fn second_moments(&self, at: &Parameters, which: &SecondMoment) -> Result<Vec<Array2<f64>>, Error> {
        match B::DTYPE {
            DType::F64 => self.second_moments_in::<f64>(at, which),
            _ => self.second_moments_in::<f32>(at, which),
        }
    }

    fn second_moments_in<E: LoopFloat>(&self, at: &Parameters, which: &SecondMoment) -> Result<Vec<Array2<f64>>, Error> {
        let n_parameters = at.n_parameters();
        let mut all = Vec::with_capacity(at.n_problems());
        // As many problems in a pass as fit into memory.
        let at_a_time = ((64 << 20) / (8 * n_parameters * n_parameters)).max(1);
        for group in nemos_core::row_chunks(at.n_problems(), at_a_time) {
            let columns: Vec<usize> = group.collect();
            let mut sums = match which {
                SecondMoment::ScoresBySegment(segments) => self.by_segment::<E>(at, &columns, segments)?,
                SecondMoment::ScoresOverLags(segments, lag) => self.over_lags(at, &columns, (segments, *lag))?,
                _ => self.by_row::<E>(at, &columns, which)?,
            };
            sums.iter_mut().for_each(mirror);
            all.extend(sums);
        }
        Ok(all)
    }

    /// Sums over rows of weights times products.
    fn by_row<E: LoopFloat>(&self, at: &Parameters, columns: &[usize], which: &SecondMoment) -> Result<Vec<Array2<f64>>, Error> {
        let pass = Pass::<B, E>::new(self, at, columns);
        let empty = || Shard::<E, _> {
            sums: Matrices {
                on_host: vec![Array2::zeros((at.n_parameters(), at.n_parameters())); columns.len()],
                pending: Pending::<B>::new(),
            },
            scratch: Scratch::new(&pass.scales, pass.asked.n_predictors),
        };
        let passed = self.data.pass(Read::Everything, empty, |shard, chunk| {
            let Shard { sums, scratch } = shard;
            let expected = SecondMoment::Information(Information::Expected);
            let on_host = (*which == expected)
                .then(|| pass.on_host(scratch, chunk, |work, loops| work.add_curvature(loops, &mut sums.on_host)))
                .flatten();
            if on_host.is_some() {
                return Ok::<_, Error>(());
            }
            let seen = Seen::new(chunk, pass.asked)?;
            match which {
                SecondMoment::Information(information) => {
                    seen.add_curvature(&*self.model, *information, &seen.at(&pass.on_device), &mut sums.pending);
                }
                _ => {
                    let (slopes, rows) = (seen.slopes(&*self.model, &pass.on_device), seen.with_ones());
                    for (first, second) in pairs(pass.asked.n_predictors) {
                        let of = |predictor: usize| pass.of_predictor(slopes.clone(), predictor);
                        sums.pending.second_moments(&rows, &(of(first) * of(second)));
                    }
                }
            }
            sums.pending.end_of_chunk()?;
            Ok(())
        })?;
        let Matrices { mut on_host, pending } = passed.sums.sums;
        add_pairs(&mut on_host, pending.finish()?.into_iter(), self.model.n_predictors());
        Ok(on_host)
    }

    /// Sums of scores over whole segments, and then their products.
    fn by_segment<E: LoopFloat>(&self, at: &Parameters, columns: &[usize], segments: &Segments) -> Result<Vec<Array2<f64>>, Error> {
        self.check_segments(segments)?;
        let pass = Pass::<B, E>::new(self, at, columns);
        let starts: Vec<usize> = segments.ranges().iter().map(|range| range.start).collect();
        let empty = || Shard::<E, _> {
            sums: SegmentSums::new(at.n_parameters(), columns.len()),
            scratch: Scratch::new(&pass.scales, pass.asked.n_predictors),
        };
        let passed = self.data.pass(Read::Everything, empty, |shard, chunk| {
            let Shard { sums, scratch } = shard;
            // Runs of rows of one segment.
            let segment_of = |row: usize| starts.partition_point(|&start| start <= chunk.rows.at(row)) - 1;
            let rows: Vec<usize> = (0..chunk.n_rows()).map(segment_of).collect();
            let mut start = 0;
            let runs = rows.chunk_by(|a, b| a == b).map(|run| {
                start += run.len();
                (run[0], start - run.len()..start)
            });
            for (segment, scores) in pass.scores(scratch, chunk, &runs.collect::<Vec<_>>())? {
                sums.add(segment, scores);
            }
            Ok::<_, Error>(())
        })?;
        Ok(passed.sums.sums.finish())
    }

    /// Sums of scores over windows, and then their products. Rows are taken in order, one shard after the other.
    fn over_lags(&self, at: &Parameters, columns: &[usize], (segments, lag): (&Segments, usize)) -> Result<Vec<Array2<f64>>, Error> {
        self.check_segments(segments)?;
        let asked = self.asked(columns);
        let on_device = OnDevice::<B>::new(&*self.model, &at.select(columns), &self.scales_of(columns));
        let mut windows: Vec<Windows> = columns.iter().map(|_| Windows::new(at.n_parameters(), lag)).collect();
        let mut previous: Option<(usize, usize)> = None;
        let starts: Vec<usize> = segments.ranges().iter().map(|range| range.start).collect();
        self.data.in_order(|chunk| {
            let seen = Seen::new(chunk, asked)?;
            let slopes = Matrix::<B>::from_tensor(seen.slopes(&*self.model, &on_device)).to_array();
            let absent = Matrix::<B>::from_tensor(seen.absent()).to_array();
            let features = chunk.features.as_ref().map(Matrix::to_array).unwrap_or_default();
            // Rows that are missing, for all problems or for one, cut a segment; time goes on in those of no weight.
            let follows: Vec<bool> = (0..chunk.n_rows())
                .map(|row| {
                    let number = chunk.rows.at(row);
                    let segment = starts.partition_point(|&start| start <= number) - 1;
                    let follows = previous.is_some_and(|(before, of)| of == segment && before + 1 == number);
                    previous = Some((number, segment));
                    follows
                })
                .collect();
            windows.par_iter_mut().enumerate().for_each(|(column, windows)| {
                for (row, follows) in follows.iter().enumerate() {
                    let kept = absent[(row, column)] == 0.0;
                    if !(kept && *follows) {
                        windows.close();
                    }
                    if kept {
                        windows.add(score(&features, &slopes, (row, column), asked.n_predictors));
                    }
                }
            });
            Ok::<_, Error>(())
        })?;
        Ok(windows.into_iter().map(Windows::finish).collect())
    }

    fn check_segments(&self, segments: &Segments) -> Result<(), Error> {
        let (left, right) = (self.data.design.n_rows(), segments.n_rows());
        if left == right {
            return Ok(());
        }
        Err(nemos_core::Error::RowsDiffer {
            left_name: "design",
            left,
            right_name: "segments",
            right,
        }
        .into())
    }
}

/// The score of one row: slopes of its predictors, each times the features and one.
fn score(features: &Array2<f64>, slopes: &Array2<f64>, (row, column): (usize, usize), n_predictors: usize) -> Array1<f64> {
    let x = features.row(row);
    let slopes = (0..n_predictors).map(|predictor| slopes[(row, column * n_predictors + predictor)]);
    let parts = slopes.flat_map(|slope| x.iter().map(move |x| slope * x).chain([slope]));
    parts.collect()
}

/// What a pass over rows needs of an objective.
struct Pass<'o, B: Backend, E> {
    asked: Asked<'o>,
    scales: Vec<f64>,
    loops: Option<std::sync::Arc<dyn Loops<E>>>,
    values: Vec<E>,
    on_device: OnDevice<B>,
    model: &'o dyn Model<B::Burn>,
}

impl<'o, B: Backend, E: LoopFloat> Pass<'o, B, E> {
    fn new(objective: &'o GlmObjective<'_, B>, at: &Parameters, columns: &'o [usize]) -> Self {
        let at = at.select(columns);
        let scales = objective.scales_of(columns);
        Pass {
            asked: objective.asked(columns),
            loops: objective.model.loops().filter(|_| B::HOST).map(E::of),
            values: at.as_slice().iter().map(|&value| E::from_f64(value)).collect(),
            on_device: OnDevice::new(&*objective.model, &at, &scales),
            model: &*objective.model,
            scales,
        }
    }

    /// Fused loops over a chunk, where there are some for it.
    fn on_host<R>(&self, scratch: &mut Scratch<E>, chunk: &Chunk<B>, act: impl FnOnce(&mut Work<'_, E>, &dyn Loops<E>) -> R) -> Option<R> {
        let loops = self.loops.as_deref()?;
        scratch.with(chunk, self.asked, &Predictors::Parameters(&self.values), |work| act(work, loops))
    }

    /// `[n_rows, n_columns]`: the slopes of one predictor of each problem.
    fn of_predictor(&self, slopes: Tensor<B::Burn, 2>, predictor: usize) -> Tensor<B::Burn, 2> {
        let n_predictors = self.asked.n_predictors;
        if n_predictors == 1 {
            return slopes;
        }
        let columns: Vec<usize> = (0..self.asked.columns.len())
            .map(|column| column * n_predictors + predictor)
            .collect();
        let selected = Matrix::<B>::from_tensor(slopes).select_columns(&columns);
        selected.expect("predictors of every problem").into_tensor()
    }

    /// `[n_parameters, n_columns]`, column after column, for each run of rows: the scores, summed.
    fn scores(
        &self,
        scratch: &mut Scratch<E>,
        chunk: &Chunk<B>,
        runs: &[(usize, std::ops::Range<usize>)],
    ) -> Result<Vec<(usize, Vec<f64>)>, Error> {
        let width = self.asked.columns.len() * self.asked.n_predictors;
        let on_host = self.on_host(scratch, chunk, |work, loops| {
            loops.slopes(work.predictor, work.on_host.observed, work.lanes);
            work.lanes.drain(|_, _, _| {});
            let sum_of = |work: &mut Work<'_, E>, rows: std::ops::Range<usize>| {
                let slopes = (0..width).map(|column| {
                    let rows = rows.clone();
                    rows.map(|row| work.predictor[row * width + column].into_f64()).sum::<f64>()
                });
                let slopes: Vec<f64> = slopes.collect();
                let gradient = work.gradient_of(rows, width);
                let n_features = gradient.len() / width;
                let columns = slopes.iter().enumerate().flat_map(|(column, slope)| {
                    let of_column = &gradient[column * n_features..(column + 1) * n_features];
                    of_column.iter().map(|value| value.into_f64()).chain([*slope])
                });
                columns.collect::<Vec<f64>>()
            };
            runs.iter().map(|(segment, rows)| (*segment, sum_of(work, rows.clone()))).collect()
        });
        if let Some(sums) = on_host {
            return Ok(sums);
        }
        let seen = Seen::new(chunk, self.asked)?;
        let slopes = Matrix::<B>::from_tensor(seen.slopes(self.model, &self.on_device)).to_array();
        let features = chunk.features.as_ref().map(Matrix::to_array).unwrap_or_default();
        let sum_of = |rows: &std::ops::Range<usize>| {
            let columns = (0..self.asked.columns.len()).flat_map(|column| {
                let scores = rows
                    .clone()
                    .map(|row| score(&features, &slopes, (row, column), self.asked.n_predictors));
                scores.reduce(|sum, score| sum + score).unwrap_or_default()
            });
            columns.collect()
        };
        Ok(runs.iter().map(|(segment, rows)| (*segment, sum_of(rows))).collect())
    }
}

/// What one shard of a pass carries: the sums, and memory that loops use again.
struct Shard<E, S> {
    sums: S,
    scratch: Scratch<E>,
}

impl<E: LoopFloat, S: Sum> Sum for Shard<E, S> {
    fn merge(&mut self, later: Self) {
        self.sums.merge(later.sums);
    }
}

/// One matrix for each problem: from loops on the host, and from tensor operations.
struct Matrices<B: Backend> {
    on_host: Vec<Array2<f64>>,
    pending: Pending<B>,
}

impl<B: Backend> Sum for Matrices<B> {
    fn merge(&mut self, later: Self) {
        self.on_host.iter_mut().zip(&later.on_host).for_each(|(a, b)| *a += b);
        self.pending.merge(later.pending);
    }
}
