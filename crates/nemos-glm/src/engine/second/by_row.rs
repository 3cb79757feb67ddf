//! Sums over rows of weights times products.

use ndarray::Array2;
use nemos_core::Backend;
use nemos_solvers::Parameters;

use crate::Error;
use crate::engine::data::Read;
use crate::engine::host::{NOTHING_BESIDE, Scratch, pairs};
use crate::engine::loops::LoopFloat;
use crate::engine::model::Information;
use crate::engine::numbers::Numbers;
use crate::engine::objective::GlmObjective;
use crate::engine::pending::Pending;
use crate::engine::second::pass::{Pass, Shard};
use crate::engine::shards::Sum;
use crate::engine::sums::add_pairs;
use crate::engine::tensors::Seen;

/// What the products of a row are multiplied with.
#[derive(Copy, Clone)]
pub(crate) enum Weighing<'a> {
    /// The curvature of its loss.
    Curvature(Information),
    /// The slopes of its loss.
    Slopes,
    /// The same over `1 − h`, with `h = zᵀ A z` times the expected curvature, for the `A` of each problem.
    SlopesOverLeverage(&'a [Array2<f64>]),
}

impl<B: Backend> GlmObjective<'_, B> {
    pub(crate) fn by_row<E: LoopFloat>(
        &self,
        at: &Parameters,
        columns: &[usize],
        weighing: Weighing<'_>,
    ) -> Result<Vec<Array2<f64>>, Error> {
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
            let on_host = match weighing {
                Weighing::Curvature(Information::Observed) => None,
                _ => pass.on_host(scratch, chunk, |work, loops| match weighing {
                    Weighing::Curvature(_) => work.add_curvature(loops, &mut sums.on_host),
                    Weighing::Slopes => work.add_scores(loops, None, &mut sums.on_host),
                    Weighing::SlopesOverLeverage(of) => work.add_scores(loops, Some(of), &mut sums.on_host),
                }),
            };
            if on_host.is_some() {
                return Ok::<_, Error>(());
            }
            let seen = Seen::new(chunk, pass.asked)?;
            if let Weighing::Curvature(information) = weighing {
                seen.add_curvature(&*self.model, information, &seen.at(&pass.on_device), &mut sums.pending);
            } else {
                let (slopes, rows) = (seen.slopes(&*self.model, &pass.on_device), seen.with_ones());
                let divisor = match weighing {
                    Weighing::SlopesOverLeverage(of) => {
                        let beside = -seen.leverage(&*self.model, &pass.on_device, of) + 1.0;
                        let is_nothing = beside.clone().abs().lower_elem(NOTHING_BESIDE);
                        Some((beside.clone() * beside).mask_fill(is_nothing, f64::NAN))
                    }
                    _ => None,
                };
                for (first, second) in pairs(pass.asked.n_predictors) {
                    let of = |predictor: usize| pass.of_predictor(slopes.clone(), predictor);
                    let products = of(first) * of(second);
                    let weights = match &divisor {
                        Some(divisor) => products / divisor.clone(),
                        None => products,
                    };
                    sums.pending.second_moments(&rows, &weights);
                }
            }
            sums.pending.end_of_chunk()?;
            Ok(())
        })?;
        let Matrices { mut on_host, pending } = passed.sums.sums;
        add_pairs(&mut on_host, pending.finish()?.into_iter(), self.model.n_predictors());
        Ok(on_host)
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

    fn pack(&self, to: &mut Vec<f64>) {
        self.on_host.iter().for_each(|matrix| to.extend(matrix));
        self.pending.pack(to);
    }

    fn unpack(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        self.on_host.iter_mut().try_for_each(|matrix| from.fill_matrix(matrix))?;
        self.pending.unpack(from)
    }
}
