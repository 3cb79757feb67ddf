//! One pass over the data before a fit: which rows can be used, what the counts of each problem amount to, and the
//! moments of the features.

use std::collections::HashMap;
use std::sync::Arc;

use ndarray::Array2;
use nemos_core::simd::vectorized;
use nemos_core::{Backend, HostRows, Matrix, Sums};
use nemos_solvers::Moments;

use crate::engine::chunk::Chunk;
use crate::engine::data::{Data, Read};
use crate::engine::host::Asked;
use crate::engine::model::Model;
use crate::engine::moments::MomentSums;
use crate::engine::numbers::Numbers;
use crate::engine::problems::{FoldSet, Problems};
use crate::engine::shards::{Sum, add, fold_over_processes};
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

/// Moments of the features, and which of them each problem sees.
#[derive(Clone, Debug)]
pub(crate) struct FoldMoments {
    /// Those of all rows, and then those without each set of folds that is left out.
    pub(crate) moments: Vec<Arc<Moments>>,
    /// `[n_problems]`
    pub(crate) of_problem: Vec<usize>,
}

/// Whether a survey takes the moments of the features.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Survey {
    WithMoments,
    CountsOnly,
}

/// Looks at all data once.
pub(crate) fn survey<B: Backend>(
    data: &mut Data<'_, B>,
    model: &dyn Model<B::Burn>,
    problems: &Problems,
    which: Survey,
) -> Result<(Totals, Option<FoldMoments>), Error> {
    let n_features = data.design.n_columns();
    let n_folds = problems.folds().map_or(1, |folds| folds.n_folds());
    let kinds = Kinds::new::<B>(problems, model, data.design.weights().map_or(1, |weights| weights.dims()[1]));
    let about = match which {
        Survey::WithMoments => near_means(data)?,
        Survey::CountsOnly => Vec::new(),
    };
    let new = || Surveyed {
        moments: match which {
            Survey::WithMoments => vec![MomentSums::new(n_features); n_folds],
            Survey::CountsOnly => Vec::new(),
        },
        counts: vec![0.0; kinds.n_sums()],
    };
    let passed = data.pass(Read::WithoutFeatures, new, |sums: &mut Surveyed, chunk| {
        if let (Survey::WithMoments, Some(features)) = (which, &chunk.features) {
            sums.add_moments(features, chunk, problems, &about)?;
        }
        kinds.add(chunk, model, problems, &mut sums.counts)
    })?;
    let sums = data.remember(passed)?;
    let totals = kinds.totals(&sums.counts, problems);
    if let Some(problem) = totals.n_counts.iter().position(|&n| n == 0) {
        let neuron = problems.response(problem);
        if let Some(weights) = data.design.weights() {
            let column = problems.weight_column(problem, weights.dims()[1]);
            if weights.try_to_array()?.column(column).iter().all(|weight| *weight == 0.0) {
                return Err(Error::NoWeight { neuron });
            }
        }
        return Err(Error::NeuronMissing { neuron });
    }
    let moments = (which == Survey::WithMoments).then(|| fold_moments(&sums.moments, problems, &about));
    Ok((totals, moments))
}

/// Sums over some of the rows.
struct Surveyed {
    /// One for each fold.
    moments: Vec<MomentSums>,
    counts: Vec<f64>,
}

impl Sum for Surveyed {
    fn merge(&mut self, later: Self) {
        self.moments.iter_mut().zip(later.moments).for_each(|(a, b)| a.merge(b));
        add(&mut self.counts, &later.counts);
    }

    fn pack(&self, to: &mut Vec<f64>) {
        self.moments.iter().for_each(|moments| moments.pack(to));
        to.extend_from_slice(&self.counts);
    }

    fn unpack(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        self.moments.iter_mut().try_for_each(|moments| moments.unpack(from))?;
        from.fill(&mut self.counts)
    }
}

impl Surveyed {
    fn add_moments<B: Backend>(
        &mut self,
        features: &Matrix<B>,
        chunk: &Chunk<B>,
        problems: &Problems,
        about: &[f64],
    ) -> Result<(), nemos_core::Error> {
        let Some(folds) = problems.folds() else {
            return self.moments[0].add(features, chunk.weights.as_ref(), about);
        };
        let of_row: Vec<u8> = (0..chunk.n_rows()).map(|row| folds.of_row[chunk.rows.at(row)]).collect();
        for (fold, moments) in self.moments.iter_mut().enumerate() {
            let rows: Vec<usize> = (0..of_row.len()).filter(|&row| usize::from(of_row[row]) == fold).collect();
            if rows.is_empty() {
                continue;
            }
            let whole = rows.len() == of_row.len();
            let cut = |matrix: &Matrix<B>| if whole { Ok(matrix.clone()) } else { matrix.select_rows(&rows) };
            let weights = chunk.weights.as_ref().map(cut).transpose()?;
            moments.add(&cut(features)?, weights.as_ref(), about)?;
        }
        Ok(())
    }
}

fn fold_moments(sums: &[MomentSums], problems: &Problems, about: &[f64]) -> FoldMoments {
    let mut all = sums[0].clone();
    sums[1..].iter().for_each(|fold| all.merge(fold.clone()));
    let mut moments = vec![Arc::new(all.moments(about))];
    let mut of_problem = vec![0; problems.n_problems()];
    if let Some(folds) = problems.folds() {
        let mut known = HashMap::from([(FoldSet::default(), 0)]);
        for (left_out, of_problem) in folds.left_out.iter().zip(&mut of_problem) {
            *of_problem = *known.entry(*left_out).or_insert_with(|| {
                let kept = sums.iter().enumerate().filter(|(fold, _)| !left_out.contains(*fold as u8));
                let kept = kept.map(|(_, sums)| sums.clone()).reduce(|mut a, b| {
                    a.merge(b);
                    a
                });
                match kept.filter(|kept| kept.weight() > 0.0) {
                    Some(kept) => {
                        moments.push(Arc::new(kept.moments(about)));
                        moments.len() - 1
                    }
                    None => 0,
                }
            });
        }
    }
    FoldMoments { moments, of_problem }
}

/// The means of the first complete rows of all processes.
fn near_means<B: Backend>(data: &Data<'_, B>) -> Result<Vec<f64>, Error> {
    let here = near_means_here(data).map(First);
    let means = fold_over_processes(data.design.share(), 0, here, || First(None))?;
    Ok(means.0.unwrap_or_else(|| vec![0.0; data.design.n_columns()]))
}

/// What the first process has that has any.
struct First(Option<Vec<f64>>);

impl Sum for First {
    fn merge(&mut self, later: Self) {
        self.0 = self.0.take().or(later.0);
    }

    fn pack(&self, to: &mut Vec<f64>) {
        self.0.iter().for_each(|means| {
            to.push(means.len() as f64);
            to.extend(means);
        });
    }

    fn unpack(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        if !from.is_empty() {
            let mut means = vec![0.0; from.next()? as usize];
            from.fill(&mut means)?;
            self.0 = Some(means);
        }
        Some(())
    }
}

fn near_means_here<B: Backend>(data: &Data<'_, B>) -> Result<Option<Vec<f64>>, Error> {
    const ENOUGH: usize = 1024;
    for rows in data.ranges(ENOUGH) {
        let features = data.design.chunk(rows)?.try_to_array()?;
        let complete = features.rows().into_iter().filter(|row| row.iter().all(|x| !x.is_nan()));
        let (mut sum, mut n) = (vec![0.0; features.ncols()], 0.0);
        for row in complete {
            sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            n += 1.0;
        }
        if n > 0.0 {
            return Ok(Some(sum.iter().map(|sum| sum / n).collect()));
        }
    }
    Ok(None)
}

/// The distinct pairs of a column of the counts and a column of the weights: many problems share one. On a device
/// each problem is a kind of its own, since its weights are zero in the fold that it leaves out.
struct Kinds {
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

// Of each kind: how many counts, their weight, their weighted offset, how many above zero; then the weighted sums of targets.
const OF_ROWS: usize = 4;

impl Kinds {
    fn new<B: Backend>(problems: &Problems, model: &dyn Model<B::Burn>, weight_width: usize) -> Self {
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

    fn n_sums(&self) -> usize {
        self.n_folds * self.columns.len() * self.width()
    }

    fn add<B: Backend>(&self, chunk: &Chunk<B>, model: &dyn Model<B::Burn>, problems: &Problems, sums: &mut [f64]) -> Result<(), Error> {
        if !B::HOST && self.add_tensors(chunk, model, problems, sums)? {
            return Ok(());
        }
        let handles = (
            chunk.counts.host(),
            chunk.weights.as_ref().map(Matrix::host),
            chunk.offset.as_ref().map(Matrix::host),
        );
        let [mut read_counts, mut read_weights, mut read_offset] = [const { Vec::new() }; 3];
        let (counts, width) = (on_host(&chunk.counts, &handles.0, &mut read_counts)?, chunk.counts.dims()[1]);
        let weights = chunk.weights.as_ref().zip(handles.1.as_ref());
        let weights = match weights {
            Some((matrix, handle)) => Some((on_host(matrix, handle, &mut read_weights)?, matrix.dims()[1])),
            None => None,
        };
        let offset = chunk.offset.as_ref().zip(handles.2.as_ref());
        let offset = match offset {
            Some((matrix, handle)) => Some((on_host(matrix, handle, &mut read_offset)?, matrix.dims()[1])),
            None => None,
        };
        if weights.is_none() && offset.is_none() && problems.folds().is_none() && self.is_plain(width) {
            return self.add_plain(chunk, counts, sums);
        }
        for row in 0..chunk.n_rows() {
            let fold = problems.folds().filter(|_| B::HOST);
            let fold = fold.map_or(0, |folds| usize::from(folds.of_row[chunk.rows.at(row)]));
            for (kind, &(response, weight_column)) in self.columns.iter().enumerate() {
                let first = row * width + response * self.n_targets;
                let targets = &counts[first..first + self.n_targets];
                let missing = targets.iter().any(|target| target.is_nan());
                for (target, &value) in targets.iter().enumerate() {
                    let column = first + target - row * width;
                    check(value, self.support, self.n_targets, (chunk.rows.at(row), column))?;
                }
                let weight = weights.map_or(1.0, |(values, width)| values[row * width + weight_column]);
                if missing || weight <= 0.0 {
                    continue;
                }
                let place = (fold * self.columns.len() + kind) * self.width();
                let sums = &mut sums[place..place + self.width()];
                sums[0] += 1.0;
                sums[1] += weight;
                if let Some((values, width)) = offset {
                    sums[2] += weight * values[row * width + if width == 1 { 0 } else { response }];
                }
                sums[3] += f64::from(u8::from(counts[first] > 0.0));
                match (self.support, self.n_targets) {
                    (Support::Classes(_), 1) => sums[OF_ROWS + counts[first] as usize] += weight,
                    _ => (0..self.n_targets).for_each(|target| sums[OF_ROWS + target] += weight * counts[first + target]),
                }
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
        let mut n_counts: Vec<f64> = sums.iter().step_by(step).copied().collect();
        let mut n_above: Vec<f64> = sums.iter().skip(3).step_by(step).copied().collect();
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
            (sums[0], sums[1]) = (n_counts[place], n_counts[place]);
            (sums[3], sums[OF_ROWS]) = (n_above[place], totals[place]);
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
        let asked = Asked {
            problems,
            columns: &columns,
            places: None,
            n_predictors: model.n_predictors(),
            n_targets: self.n_targets,
        };
        let seen = Seen::new(chunk, asked)?;
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
    fn totals(&self, sums: &[f64], problems: &Problems) -> Totals {
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
        let weight = of_problems.row(1).to_vec();
        let share = |part: usize, problem: usize| of_problems[(part, problem)] / weight[problem];
        Totals {
            n_counts: of_problems.row(0).iter().map(|&n| n as usize).collect(),
            n_above: of_problems.row(3).iter().map(|&n| n as usize).collect(),
            mean: Array2::from_shape_fn((self.n_predictors, n), |(target, problem)| share(OF_ROWS + target, problem)),
            mean_offset: (0..n).map(|problem| share(2, problem)).collect(),
            weight,
        }
    }
}

/// Values on the host in double precision: in place where they are there.
fn on_host<'s, B: Backend>(matrix: &Matrix<B>, shared: &'s HostRows<B>, read: &'s mut Vec<f64>) -> Result<&'s [f64], nemos_core::Error> {
    if let Some(values) = shared.as_slice() {
        return Ok(values);
    }
    *read = matrix.try_to_vec()?;
    Ok(read)
}
