//! Successive halving: many candidates on few rows, few candidates on many.

use nemos_basis::Inputs;
use nemos_core::{Backend, ToDesign};

use crate::found::Search;
use crate::row::Row;
use crate::search::GridSearch;
use crate::searchable::{Data, Searchable, data};
use crate::{Error, Settings, Table};

// Scores that differ by less, as a share of them, differ by rounding.
const SAME: f64 = 1e-9;

impl<S: Searchable> GridSearch<S> {
    /// Searches in rounds: the first trains on a share of the training rows, and every round keeps one in `factor` of the candidates
    /// and trains on `factor` times as many rows, until all rows are trained on. Those that are as good as the last one kept stay too: few
    /// rows, such as the first ones of a neuron that is silent at the beginning, may tell no candidate from another.
    ///
    /// Candidates that left have no scores in the table, but the round in which they left, and their mean score there, as the
    /// reason.
    ///
    /// # Errors
    /// [`Error::Option`] unless the factor is at least two, and as [`fit`](GridSearch::fit).
    ///
    /// # References
    /// Jamieson & Talwalkar (2016), *AISTATS*.
    #[doc(alias = "HalvingGridSearchCV")]
    pub fn fit_halving<'a, B: Backend>(
        &self,
        factor: usize,
        inputs: impl Inputs<'a, B>,
        counts: &'a (impl ToDesign<B> + ?Sized),
    ) -> Result<Search<S>, Error> {
        if factor < 2 {
            return Err(Error::Option {
                option: "factor of the halving",
                got: factor as f64,
                expected: "at least two",
            });
        }
        let whole = data(inputs.designs(), counts.to_design(), &self.options.folds)?;
        let settings: Vec<Settings> = self.candidates().into_iter().map(|(settings, _)| settings).collect();
        let mut standing: Vec<usize> = (0..settings.len()).collect();
        let mut rows: Vec<Option<Row>> = vec![None; settings.len()];
        let n_rounds = (standing.len() as f64).log(factor as f64).ceil() as i32;
        for round in 0..n_rounds {
            let share = (factor as f64).powi(round - n_rounds);
            let fewer = Data {
                inputs: whole.inputs.clone(),
                counts: whole.counts.clone(),
                splits: whole.splits.with_first(share)?,
            };
            let (_, table) = self.only(&standing, Some(round as usize + 1)).table(&fewer)?;
            let kept = standing.len().div_ceil(factor);
            let ranking = table.ranking();
            let least = table.rows()[ranking[kept - 1]].mean();
            let least = least - SAME * least.abs();
            for (rank, place) in ranking.into_iter().enumerate() {
                let row = &table.rows()[place];
                if rank >= kept && (row.mean().is_nan() || least.is_nan() || row.mean() < least) {
                    let reason = match row.failure() {
                        Some(failure) => failure.to_owned(),
                        None => format!("left in round {} of {n_rounds}, at a mean of {:.5}", round + 1, row.mean()),
                    };
                    rows[standing[place]] = Some(Row::left(settings[standing[place]].clone(), reason));
                }
            }
            standing.retain(|&candidate| rows[candidate].is_none());
        }
        let (_, last) = self.only(&standing, None).table(&whole)?;
        for (place, &candidate) in standing.iter().enumerate() {
            rows[candidate] = Some(last.rows()[place].clone());
        }
        let table = Table {
            rows: rows.into_iter().flatten().collect(),
            ..last
        };
        let specifications: Vec<Option<S>> = self.candidates().into_iter().map(|(_, made)| made.ok()).collect();
        self.choose(table, &specifications, &whole)
    }
}
