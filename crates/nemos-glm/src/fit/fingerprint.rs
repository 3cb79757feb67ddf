//! What tells one fit from another, so that a file is taken up by the fit that wrote it.

use std::ops::Range;

use nemos_core::{Backend, Digest, Matrix, row_chunks};
use nemos_solvers::{Parameters, Solver};

use crate::Error;
use crate::engine::numbers::Numbers;
use crate::engine::shards::{Sum, cut, fold, fold_over_processes};
use crate::engine::tensors::row;
use crate::fit::plan::FitPlan;
use crate::fit::task::{Options, Task};

impl<B: Backend> Task<'_, B> {
    /// What tells this fit from others: its shapes, how it is specified, the counts, and some rows of the
    /// design; of all processes that share the rows, however many.
    pub(crate) fn fingerprint(&self, options: &Options, solver: &dyn Solver, plan: &FitPlan) -> Result<u64, Error> {
        let mut digest = Digest::new();
        let n_rows = self.design.n_rows_of_all();
        for size in [n_rows, self.design.n_columns(), self.counts.n_columns(), self.model.n_predictors()] {
            digest.add(size as u64);
        }
        digest.text(B::NAME);
        digest.text(solver.name());
        digest.text(&format!("{:?} {:?}", self.model.built_in(), self.model.scale()));
        // In full: arrays of 500 numbers or more are else written with their middles left out.
        digest.text(&format!("{:#?}", options.regularizer));
        let free = self.free(options)?;
        digest.add(free.as_ref().map_or(0, |free| free.len() as u64));
        free.iter().flatten().for_each(|&free| digest.add(u64::from(free)));
        digest.numbers(options.start.as_ref().map_or(&[], Parameters::as_slice));
        digest.numbers(&[options.stopping.tolerance]);
        for (group, room) in plan.groups.iter().zip(&plan.rooms) {
            digest.add(room.block_rows as u64);
            digest.add(room.curvatures as u64);
            group.neurons.iter().for_each(|&neuron| digest.add(neuron as u64));
        }
        // What the link makes of a few predictors, of each class.
        let predictors = [-1.0, -0.1, 0.5, 2.0].into_iter();
        let predictors: Vec<f64> = predictors.flat_map(|x| std::iter::repeat_n(x, self.model.n_predictors())).collect();
        let rates = self.model.rate(row::<B>(&predictors));
        digest.numbers(&Matrix::<B>::from_tensor(rates).to_vec());
        let here = self.of_rows(plan.block_rows().max(1));
        let all = fold_over_processes(self.design.share(), digest.word(), here, || OfRows(0))?;
        digest.add(all.0);
        Ok(digest.word())
    }

    /// What tells the data of this process from others: all counts, weights and offsets, and eight blocks of the features of all rows.
    fn of_rows(&self, block_rows: usize) -> Result<OfRows, Error> {
        let n_rows = self.design.n_rows_of_all();
        // Where the rows of this process stand in the whole recording: what is taken of a row does not depend on who has it.
        let first = self.design.share().map_or(0, |share| share.rows().start);
        let whole: Vec<_> = row_chunks(n_rows, block_rows).collect();
        let step = whole.len().div_ceil(8).max(1);
        let sampled = whole.into_iter().step_by(step).filter_map(|rows| {
            let rows = rows.start.max(first)..rows.end.min(first + self.design.n_rows());
            (!rows.is_empty()).then(|| rows.start - first..rows.end - first)
        });
        let extras = [self.design.weights(), self.design.offset()];
        let blocks: Vec<_> = row_chunks(self.counts.n_rows(), block_rows).collect();
        let shards = if B::HOST { cut(&blocks) } else { vec![&blocks[..]] };
        let of_counts = fold(&shards, &|blocks: &[Range<usize>]| {
            let mut sum = OfRows(0);
            for rows in blocks {
                let start = rows.start + first;
                sum.add(start, &self.counts.chunk(rows.clone())?);
                for (place, extra) in extras.iter().enumerate().filter_map(|(place, extra)| Some((place, (*extra)?))) {
                    sum.add(start + (place + 1) * n_rows, &extra.rows(rows.clone())?);
                }
            }
            Ok::<_, Error>(sum)
        });
        let mut sum = of_counts?;
        for rows in sampled {
            sum.add(rows.start + first + 3 * n_rows, &self.design.chunk(rows)?);
        }
        Ok(sum)
    }
}

/// A sum of numbers that tell rows apart, each taken of a row and its place: the same in whatever order rows come.
struct OfRows(u64);

impl OfRows {
    /// Takes rows, of which the first has this place.
    fn add<B: Backend>(&mut self, place: usize, rows: &Matrix<B>) {
        let width = rows.dims()[1].max(1);
        for (row, values) in rows.to_vec().chunks_exact(width).enumerate() {
            let mut digest = Digest::new();
            digest.add((place + row) as u64);
            digest.numbers(values);
            self.0 = self.0.wrapping_add(digest.word());
        }
    }
}

impl Sum for OfRows {
    fn merge(&mut self, later: Self) {
        self.0 = self.0.wrapping_add(later.0);
    }

    fn pack(&self, to: &mut Vec<f64>) {
        to.push(f64::from_bits(self.0));
    }

    fn unpack(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        self.0 = from.next()?.to_bits();
        Some(())
    }
}
