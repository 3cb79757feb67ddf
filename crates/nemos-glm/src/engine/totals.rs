//! What the counts of each problem amount to: how many there are, their weight, their mean.

use std::borrow::Cow;
use std::collections::HashMap;

use ndarray::Array2;
use nemos_core::simd::vectorized;
use nemos_core::{Backend, HostRows, Matrix, Sums};

use crate::engine::chunk::Chunk;
use crate::engine::host::Asked;
use crate::engine::model::Model;
use crate::engine::numbers::Numbers;
use crate::engine::problems::{FoldSet, Problems};
use crate::engine::support::{any_outside, check};
use crate::engine::tensors::Seen;
use crate::{Error, Support};

/// What the counts of each problem amount to.
#[derive(Clone, Debug)]
pub(crate) struct Totals {
    /// `[n_problems]`: complete rows of positive weight in which the count is not missing.
    pub(crate) n_counts: Vec<usize>,
    /// `[n_problems]`: their weights together; as many as there are, where rows have no weights.
    pub(crate) weight: Vec<f64>,
    /// `[n_problems]`: of those, rows in which the count is above zero. Known where a model has one predictor.
    pub(crate) n_above: Vec<usize>,
    /// `[n_predictors, n_problems]`: mean count over those rows, or the share of each class.
    pub(crate) mean: Array2<f64>,
    /// `[n_problems]`: mean offset over those rows, zero where there is none.
    pub(crate) mean_offset: Vec<f64>,
}

impl Totals {
    /// Writes them as numbers.
    pub(crate) fn pack(&self, to: &mut Vec<f64>) {
        let whole = self.n_counts.iter().chain(&self.n_above).map(|&n| n as f64);
        to.extend(whole.chain(self.weight.iter().copied()).chain(self.mean_offset.iter().copied()));
        to.extend(&self.mean);
    }

    /// Makes these what was written of as many problems.
    pub(crate) fn unpack(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        for n in self.n_counts.iter_mut().chain(&mut self.n_above) {
            *n = from.next()? as usize;
        }
        from.fill(&mut self.weight)?;
        from.fill(&mut self.mean_offset)?;
        from.fill_matrix(&mut self.mean)
    }
}

/// The distinct pairs of a column of the counts and a column of the weights: many problems share one. On a device
/// each problem is a kind of its own, since its weights are zero in the fold that it leaves out.
pub(super) struct Kinds {
    of_problem: Vec<usize>,
    /// Column of the counts, and of the weights.
    columns: Vec<(usize, usize)>,
    n_folds: usize,
    /// Whether sums are by fold, rather than without the fold that each problem leaves out.
    by_fold: bool,
    n_predictors: usize,
    n_targets: usize,
    support: Support,
}

// Sums of each kind: how many counts, their weight, their weighted offset, how many above zero; then the weighted sums of targets.
const N: usize = 0;
const WEIGHT: usize = 1;
const OFFSET: usize = 2;
const ABOVE: usize = 3;
const OF_ROWS: usize = 4;

impl Kinds {
    /// `weight_width` is how many columns of weights there are.
    pub(super) fn new<B: Backend>(problems: &Problems, model: &dyn Model<B::Burn>, weight_width: usize) -> Self {
        let mut columns: Vec<(usize, usize)> = Vec::new();
        let mut places = HashMap::new();
        let mut of_problem = Vec::with_capacity(problems.n_problems());
        for problem in 0..problems.n_problems() {
            let key = (problems.response(problem), problems.weight_column(problem, weight_width));
            let new = columns.len();
            let place = if B::HOST { *places.entry(key).or_insert(new) } else { new };
            if place == new {
                columns.push(key);
            }
            of_problem.push(place);
        }
        Kinds {
            of_problem,
            columns,
            n_folds: if B::HOST {
                problems.folds().map_or(1, |folds| folds.n_folds())
            } else {
                1
            },
            by_fold: B::HOST,
            n_predictors: model.n_predictors(),
            n_targets: model.n_targets(),
            support: model.support(),
        }
    }

    fn width(&self) -> usize {
        OF_ROWS + self.n_predictors
    }

    /// How many sums are added up.
    pub(super) fn n_sums(&self) -> usize {
        self.n_folds * self.columns.len() * self.width()
    }

    /// Checks the counts of a chunk, and adds them to the sums.
    pub(super) fn add<B: Backend>(
        &self,
        chunk: &Chunk<B>,
        model: &dyn Model<B::Burn>,
        problems: &Problems,
        sums: &mut [f64],
    ) -> Result<(), Error> {
        if !B::HOST && self.add_tensors(chunk, model, problems, sums)? {
            return Ok(());
        }
        let counts = chunk.counts.host();
        let weights = chunk.weights.as_ref().map(Matrix::host);
        let offset = chunk.offset.as_ref().map(Matrix::host);
        let counts = on_host(&chunk.counts, &counts)?;
        let weights = chunk.weights.as_ref().zip(weights.as_ref());
        let weights = weights.map(|(matrix, handle)| on_host(matrix, handle)).transpose()?;
        let offset = chunk.offset.as_ref().zip(offset.as_ref());
        let offset = offset.map(|(matrix, handle)| on_host(matrix, handle)).transpose()?;
        if weights.is_none() && offset.is_none() && problems.folds().is_none() && self.is_plain(counts.width) {
            return self.add_plain(chunk, &counts.values, sums);
        }
        let folds = problems.folds().filter(|_| B::HOST);
        for row in 0..chunk.n_rows() {
            let fold = folds.map_or(0, |folds| usize::from(folds.of_row[chunk.rows.at(row)]));
            let place = fold * self.columns.len() * self.width();
            let of_row = OfRow {
                number: chunk.rows.at(row),
                counts: counts.row(row),
                weights: weights.as_ref().map(|weights| weights.row(row)),
                offset: offset.as_ref().map(|offset| offset.row(row)),
            };
            self.add_row(of_row, &mut sums[place..])?;
        }
        Ok(())
    }

    /// Adds a row to the sums of its fold.
    fn add_row(&self, of: OfRow<'_>, sums: &mut [f64]) -> Result<(), Error> {
        for (&(response, weight_column), sums) in self.columns.iter().zip(sums.chunks_exact_mut(self.width())) {
            let first = response * self.n_targets;
            let targets = &of.counts[first..first + self.n_targets];
            for (target, &value) in targets.iter().enumerate() {
                check(value, self.support, self.n_targets, (of.number, first + target))?;
            }
            let weight = of.weights.map_or(1.0, |weights| weights[weight_column]);
            if targets.iter().any(|target| target.is_nan()) || weight <= 0.0 {
                continue;
            }
            sums[N] += 1.0;
            sums[WEIGHT] += weight;
            if let Some(offset) = of.offset {
                sums[OFFSET] += weight * offset[if offset.len() == 1 { 0 } else { response }];
            }
            sums[ABOVE] += f64::from(u8::from(targets[0] > 0.0));
            match (self.support, self.n_targets) {
                (Support::Classes(_), 1) => sums[OF_ROWS + targets[0] as usize] += weight,
                _ => targets
                    .iter()
                    .enumerate()
                    .for_each(|(target, count)| sums[OF_ROWS + target] += weight * count),
            }
        }
        Ok(())
    }

    /// Whether there is a kind for each column of the counts, in order.
    fn is_plain(&self, width: usize) -> bool {
        let mut columns = self.columns.iter().enumerate();
        let in_order = self.columns.len() == width && columns.all(|(kind, (response, _))| kind == *response);
        in_order && self.n_targets == 1 && !matches!(self.support, Support::Classes(_))
    }

    /// The same without weights, offset and folds, all columns of a row at once.
    fn add_plain<B: Backend>(&self, chunk: &Chunk<B>, counts: &[f64], sums: &mut [f64]) -> Result<(), Error> {
        let (width, step) = (self.columns.len(), self.width());
        let mut n_counts: Vec<f64> = sums.iter().skip(N).step_by(step).copied().collect();
        let mut n_above: Vec<f64> = sums.iter().skip(ABOVE).step_by(step).copied().collect();
        let mut totals: Vec<f64> = sums.iter().skip(OF_ROWS).step_by(step).copied().collect();
        let mut fine = true;
        vectorized(
            #[inline(always)]
            || {
                for values in counts.chunks_exact(width) {
                    let sums = n_counts.iter_mut().zip(&mut n_above).zip(&mut totals);
                    for (&value, ((n, above), total)) in values.iter().zip(sums) {
                        let missing = value.is_nan();
                        fine &= missing | (value.is_finite() & self.support.contains(value));
                        *n += if missing { 0.0 } else { 1.0 };
                        *above += if value > 0.0 { 1.0 } else { 0.0 };
                        *total += if missing { 0.0 } else { value };
                    }
                }
            },
        );
        if !fine {
            for (index, &value) in counts.iter().enumerate() {
                check(value, self.support, 1, (chunk.rows.at(index / width), index % width))?;
            }
        }
        for (place, sums) in sums.chunks_exact_mut(step).enumerate() {
            (sums[N], sums[WEIGHT]) = (n_counts[place], n_counts[place]);
            (sums[ABOVE], sums[OF_ROWS]) = (n_above[place], totals[place]);
        }
        Ok(())
    }

    /// The same where the values are: only sums come back. Nothing is added where a count is not what it should be, so that
    /// the host may say which.
    fn add_tensors<B: Backend>(
        &self,
        chunk: &Chunk<B>,
        model: &dyn Model<B::Burn>,
        problems: &Problems,
        sums: &mut [f64],
    ) -> Result<bool, Error> {
        if any_outside(&chunk.counts, self.support, self.n_targets)? {
            return Ok(false);
        }
        let columns: Vec<usize> = (0..problems.n_problems()).collect();
        let seen = Seen::new(chunk, Asked::of(problems, &columns, model))?;
        let kept = seen.kept();
        let mut read = Sums::<B>::new();
        read.rows(kept.clone().greater_elem(0.0).float());
        read.rows(kept.clone());
        if let Some(offset) = &chunk.offset {
            let of_width = offset.dims()[1];
            let of_problem: Vec<usize> = columns.iter().map(|&problem| problems.offset_column(problem, of_width)).collect();
            read.rows(seen.weigh(offset.select_columns(&of_problem)?.into_tensor()));
        } else {
            read.rows(kept.zeros_like());
        }
        let targets = seen.weighted_targets(model);
        read.rows(match self.n_predictors {
            1 => targets.clone().greater_elem(0.0).float(),
            _ => kept.zeros_like(),
        });
        read.rows(targets);
        let read = read.read()?;
        for (part, values) in read[..OF_ROWS].iter().enumerate() {
            for (problem, value) in values.iter().enumerate() {
                sums[problem * self.width() + part] += value;
            }
        }
        for (place, value) in read[OF_ROWS].iter().enumerate() {
            sums[place / self.n_predictors * self.width() + OF_ROWS + place % self.n_predictors] += value;
        }
        Ok(true)
    }

    /// What each problem sees: all folds but the one that it leaves out.
    pub(super) fn totals(&self, sums: &[f64], problems: &Problems) -> Totals {
        let n = self.of_problem.len();
        let mut of_problems = Array2::<f64>::zeros((self.width(), n));
        for (problem, kind) in self.of_problem.iter().enumerate() {
            let left_out = problems.folds().map_or(FoldSet::default(), |folds| folds.left_out[problem]);
            for fold in (0..self.n_folds).filter(|&fold| !self.by_fold || !left_out.contains(fold as u8)) {
                let place = (fold * self.columns.len() + kind) * self.width();
                let column = &mut of_problems.column_mut(problem);
                column
                    .iter_mut()
                    .zip(&sums[place..place + self.width()])
                    .for_each(|(total, sum)| *total += sum);
            }
        }
        let weight = of_problems.row(WEIGHT).to_vec();
        let share = |part: usize, problem: usize| of_problems[(part, problem)] / weight[problem];
        Totals {
            n_counts: of_problems.row(N).iter().map(|&n| n as usize).collect(),
            n_above: of_problems.row(ABOVE).iter().map(|&n| n as usize).collect(),
            mean: Array2::from_shape_fn((self.n_predictors, n), |(target, problem)| share(OF_ROWS + target, problem)),
            mean_offset: (0..n).map(|problem| share(OFFSET, problem)).collect(),
            weight,
        }
    }
}

/// What a row has, in double precision.
struct OfRow<'r> {
    number: usize,
    counts: &'r [f64],
    weights: Option<&'r [f64]>,
    offset: Option<&'r [f64]>,
}

/// Values on the host in double precision, row after row.
struct OnHost<'s> {
    values: Cow<'s, [f64]>,
    width: usize,
}

impl OnHost<'_> {
    fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.width..(row + 1) * self.width]
    }
}

/// In place where they are there.
fn on_host<'s, B: Backend>(matrix: &Matrix<B>, handle: &'s HostRows<B>) -> Result<OnHost<'s>, nemos_core::Error> {
    let values = match handle.as_slice() {
        Some(values) => Cow::Borrowed(values),
        None => Cow::Owned(matrix.try_to_vec()?),
    };
    Ok(OnHost {
        values,
        width: matrix.dims()[1],
    })
}
