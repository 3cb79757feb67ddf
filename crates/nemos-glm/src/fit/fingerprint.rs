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

// Numbers that are read at a time; what is read for each block, whatever its length, is little beside so many rows.
const AT_A_TIME: usize = 1 << 16;
const FEWEST_ROWS: usize = 32;

impl<B: Backend> Task<'_, B> {
    /// What tells this fit from others: its shapes, how it is specified, and all data, which are read once; of all processes that
    /// share the rows, however many.
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
        // Of a model of the caller's own nothing else tells what it makes of a count.
        if self.model.built_in().is_none() && self.model.n_targets() == 1 {
            let n_predictors = self.model.n_predictors();
            let one = || row::<B>(&[1.0]);
            for (count, x) in [(0.0, -0.5), (1.0, 0.3), (1.0, 1.5)] {
                let predictor = row::<B>(&vec![x; n_predictors]);
                let likely = self.model.log_likelihood(row::<B>(&[count]), predictor.clone(), one());
                let variance = self.model.variance(predictor, one());
                for tensor in [likely, variance] {
                    digest.numbers(&Matrix::<B>::from_tensor(tensor).try_to_vec()?);
                }
            }
        }
        let here = self.of_rows(plan.block_rows());
        let all = fold_over_processes(self.design.share(), digest.word(), here, || OfRows(0))?;
        digest.add(all.0);
        Ok(digest.word())
    }

    /// What tells the data of this process from others: all counts, weights, offsets and features, which are read once.
    fn of_rows(&self, block_rows: usize) -> Result<OfRows, Error> {
        let n_rows = self.design.n_rows_of_all();
        // Where the rows of this process stand in the whole recording: what is taken of a row does not depend on who has it.
        let first = self.design.share().map_or(0, |share| share.rows().start);
        let extras = [self.design.weights(), self.design.offset()];
        let widths = extras.iter().flatten().map(|extra| extra.dims()[1]);
        let widest = widths.chain([self.design.n_columns(), self.counts.n_columns()]).max().unwrap_or(1);
        let block_rows = if B::HOST {
            // No more than a group takes, though all columns are read.
            (AT_A_TIME / widest.max(1)).clamp(FEWEST_ROWS, block_rows.max(FEWEST_ROWS))
        } else {
            block_rows.max(1)
        };
        let blocks: Vec<_> = row_chunks(self.counts.n_rows(), block_rows).collect();
        let shards = if B::HOST { cut(&blocks) } else { vec![&blocks[..]] };
        fold(&shards, &|blocks: &[Range<usize>]| {
            let mut sum = OfRows(0);
            for rows in blocks {
                let start = rows.start + first;
                sum.add(start, &self.counts.chunk(rows.clone())?)?;
                for (place, extra) in extras.iter().enumerate().filter_map(|(place, extra)| Some((place, (*extra)?))) {
                    sum.add(start + (place + 1) * n_rows, &extra.rows(rows.clone())?)?;
                }
                sum.add(start + 3 * n_rows, &self.design.chunk(rows.clone())?)?;
            }
            Ok(sum)
        })
    }
}

/// A sum of numbers that tell rows apart, each taken of a row and its place: the same in whatever order rows come.
struct OfRows(u64);

impl OfRows {
    /// Takes rows, of which the first has this place.
    fn add<B: Backend>(&mut self, place: usize, rows: &Matrix<B>) -> Result<(), Error> {
        let width = rows.dims()[1].max(1);
        for (row, values) in rows.try_to_vec()?.chunks_exact(width).enumerate() {
            let mut digest = Digest::new();
            digest.add((place + row) as u64);
            digest.numbers(values);
            self.0 = self.0.wrapping_add(digest.word());
        }
        Ok(())
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
