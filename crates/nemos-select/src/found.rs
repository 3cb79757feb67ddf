//! What a search found, and the model that was fitted to all rows.

use std::fmt;

use crate::Table;
use crate::refit::Refitted;
use crate::row::Row;
use crate::searchable::Searchable;

/// What a search found, and the model that was fitted to all rows.
#[derive(Clone, Debug)]
#[must_use]
pub struct Search<S: Searchable> {
    pub(crate) table: Table,
    /// The number of a row.
    pub(crate) best: usize,
    pub(crate) chosen: Vec<usize>,
    pub(crate) models: Vec<Refitted<S>>,
}

impl<S: Searchable> Search<S> {
    /// Every candidate and its scores.
    #[doc(alias = "cv_results_")]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The row that the rule chooses for all neurons together.
    #[doc(alias("best_params_", "best_score_", "best_index_"))]
    pub fn best(&self) -> &Row {
        &self.table.rows[self.best]
    }

    /// The number of that row.
    pub fn best_index(&self) -> usize {
        self.best
    }

    /// `[n_neurons]`: the number of the row that was chosen for each neuron.
    pub fn chosen(&self) -> &[usize] {
        &self.chosen
    }

    /// `[n_neurons]`: the number that was chosen for each neuron at a path; NaN where there is none.
    pub fn chosen_numbers(&self, path: &str) -> Vec<f64> {
        let number = |row: &usize| self.table.rows[*row].settings().get(path)?.as_number();
        self.chosen.iter().map(|row| number(row).unwrap_or(f64::NAN)).collect()
    }

    /// The chosen specification: of all neurons, unless [`models`](Search::models) has several.
    pub fn specification(&self) -> &S {
        &self.models[0].specification
    }

    /// The chosen model, fitted to all rows: of all neurons, unless [`models`](Search::models) has several.
    #[doc(alias = "best_estimator_")]
    pub fn fitted(&self) -> &S::Fitted {
        &self.models[0].fitted
    }

    /// One model of all neurons; or, where neurons chose candidates that differ in more than the strengths of a penalty, one for each
    /// group of neurons that chose the same.
    pub fn models(&self) -> &[Refitted<S>] {
        &self.models
    }
}

impl<S: Searchable> fmt::Display for Search<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.table)?;
        let mut distinct = self.chosen.clone();
        distinct.sort_unstable();
        distinct.dedup();
        match distinct.as_slice() {
            [only] => write!(f, "chosen: {}", self.table.rows[*only].settings()),
            several => write!(f, "chosen per neuron: {} of {} candidates", several.len(), self.table.rows.len()),
        }
    }
}
