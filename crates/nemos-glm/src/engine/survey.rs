//! One pass over the data before a fit: which rows can be used, what the counts of each problem amount to, and the
//! moments of the features.

use std::collections::HashMap;
use std::sync::Arc;

use nemos_core::{Backend, Digest, Matrix};
use nemos_solvers::Moments;

use crate::Error;
use crate::engine::chunk::Chunk;
use crate::engine::data::{Data, Read};
use crate::engine::model::Model;
use crate::engine::moments::MomentSums;
use crate::engine::numbers::Numbers;
use crate::engine::problems::{FoldSet, Problems};
use crate::engine::shards::{Sum, add, fold_over_processes};
use crate::engine::totals::{Kinds, Totals};

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
    let means = fold_over_processes(data.design.share(), Digest::of_text("first means"), here, || First(None))?;
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
