//! Second moments of the rows, weighted by what a model says of each: informations, and the middle of sandwich covariances.

mod by_row;
mod pass;
mod segment_sums;
mod windows;

use ndarray::Array2;
use nemos_core::tensor::DType;
use nemos_core::{Backend, Digest, Matrix, Segments};
use nemos_solvers::Parameters;
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, IntoParallelRefMutIterator, ParallelExtend, ParallelIterator};

use crate::Error;
use crate::engine::data::Read;
use crate::engine::host::Scratch;
use crate::engine::loops::LoopFloat;
use crate::engine::model::Information;
use crate::engine::numbers::Numbers;
use crate::engine::objective::GlmObjective;
use crate::engine::shards::{Sum, fold_over_processes};
use crate::engine::sums::mirror;
use crate::engine::tensors::{OnDevice, Seen};
use by_row::Weighing;
use pass::{Pass, Shard, score};
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

// Second moments that one shard of a pass adds up, in bytes.
const GROUP_BYTES: usize = 16 << 20;

/// `of` the second moments of every problem, as many problems in a pass as fit into memory.
fn in_groups<R: Send>(
    at: &Parameters,
    of: impl Fn(usize, Array2<f64>) -> R + Sync,
    moments: impl Fn(Vec<usize>) -> Result<Vec<Array2<f64>>, Error>,
) -> Result<Vec<R>, Error> {
    let mut all = Vec::with_capacity(at.n_problems());
    let at_a_time = (GROUP_BYTES / (8 * at.n_parameters().pow(2))).max(1);
    for group in nemos_core::row_chunks(at.n_problems(), at_a_time) {
        let first = group.start;
        let sums = moments(group.collect())?.into_par_iter().enumerate();
        all.par_extend(sums.map(|(place, mut sum)| {
            mirror(&mut sum);
            of(first + place, sum)
        }));
    }
    Ok(all)
}

impl<B: Backend> GlmObjective<'_, B> {
    /// Second moments of the rows at these parameters, `[n_parameters, n_parameters]` for each problem: sums over rows, not
    /// means, in units of the loss.
    ///
    /// # Errors
    /// Where the data cannot be read.
    pub fn second_moments(&self, at: &Parameters, which: &SecondMoment) -> Result<Vec<Array2<f64>>, Error> {
        self.map_second_moments(at, which, |_, moments| moments)
    }

    /// What `of` makes of the number of each problem and its [second moments](Self::second_moments). Of those no more exist at a time
    /// than a few tens of mebibytes.
    ///
    /// # Errors
    /// Where the data cannot be read.
    pub fn map_second_moments<R: Send>(
        &self,
        at: &Parameters,
        which: &SecondMoment,
        of: impl Fn(usize, Array2<f64>) -> R + Sync,
    ) -> Result<Vec<R>, Error> {
        in_groups(at, of, |columns| match B::DTYPE {
            DType::F64 => self.of_group::<f64>(at, &columns, which),
            _ => self.of_group::<f32>(at, &columns, which),
        })
    }

    /// The same for `Σ g gᵀ / (1 − h)²`, with `h = zᵀ A z · E[∂²loss/∂η²]` the leverage of a row, for models of one predictor.
    /// Where a row has a leverage of one, all is NaN. `matrix` gives the `A` of a problem, `[n_parameters, n_parameters]`, of which no more than a group are kept.
    ///
    /// # Errors
    /// Where the data cannot be read.
    ///
    /// # References
    /// MacKinnon & White (1985), *J. Econometrics* 29.
    pub fn map_leveraged_scores<R: Send>(
        &self,
        at: &Parameters,
        matrix: impl Fn(usize) -> Array2<f64> + Sync,
        of: impl Fn(usize, Array2<f64>) -> R + Sync,
    ) -> Result<Vec<R>, Error> {
        in_groups(at, of, |columns| {
            let matrices: Vec<Array2<f64>> = columns.iter().map(|&problem| matrix(problem)).collect();
            let weighing = Weighing::SlopesOverLeverage(&matrices);
            match B::DTYPE {
                DType::F64 => self.by_row::<f64>(at, &columns, weighing),
                _ => self.by_row::<f32>(at, &columns, weighing),
            }
        })
    }

    fn of_group<E: LoopFloat>(&self, at: &Parameters, columns: &[usize], which: &SecondMoment) -> Result<Vec<Array2<f64>>, Error> {
        match which {
            SecondMoment::Information(information) => self.by_row::<E>(at, columns, Weighing::Curvature(*information)),
            SecondMoment::Scores => self.by_row::<E>(at, columns, Weighing::Slopes),
            SecondMoment::ScoresBySegment(segments) => self.by_segment::<E>(at, columns, segments),
            SecondMoment::ScoresOverLags(segments, lag) => self.over_lags(at, columns, (segments, *lag)),
        }
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
        let here = self.data.in_order(|chunk| {
            let seen = Seen::new(chunk, asked)?;
            let slopes = Matrix::<B>::from_tensor(seen.slopes(&*self.model, &on_device)).try_to_array()?;
            let absent = Matrix::<B>::from_tensor(seen.absent()).try_to_array()?;
            let features = chunk.features.as_ref().map(Matrix::try_to_array).transpose()?.unwrap_or_default();
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
        });
        let here = here.map(|()| windows.into_iter().map(Windows::finish).collect());
        let new = || columns.iter().map(|_| Array2::zeros([at.n_parameters(); 2])).collect();
        Ok(fold_over_processes(
            self.data.design.share(),
            Digest::of_text("windows of scores"),
            here.map(Products),
            || Products(new()),
        )?
        .0)
    }

    fn check_segments(&self, segments: &Segments) -> Result<(), Error> {
        let (left, right) = (self.data.design.n_rows(), segments.n_rows());
        self.data.design.check_whole_segments("a sum over segments that processes share")?;
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

/// A matrix for each problem.
struct Products(Vec<Array2<f64>>);

impl Sum for Products {
    fn merge(&mut self, later: Self) {
        self.0.iter_mut().zip(&later.0).for_each(|(a, b)| *a += b);
    }

    fn pack(&self, to: &mut Vec<f64>) {
        self.0.iter().for_each(|product| to.extend(product));
    }

    fn unpack(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        self.0.iter_mut().try_for_each(|product| from.fill_matrix(product))
    }
}
