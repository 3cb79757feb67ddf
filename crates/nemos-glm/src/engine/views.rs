//! Rows of one fold: problems that leave them out need not be computed there, and those that keep them need no weights.

use std::sync::OnceLock;

use nemos_core::Backend;

use crate::engine::chunk::Chunk;
use crate::engine::host::Asked;
use crate::engine::problems::{Folds, Problems};

/// What is asked for, as chunks of rows of one fold see it.
pub(crate) struct Views<'a, E> {
    folds: &'a Folds,
    /// Without folds.
    problems: Problems,
    asked: Asked<'a>,
    /// Parameters of all problems asked for, column after column.
    values: &'a [E],
    /// Of each of them.
    scales: &'a [f64],
    of_fold: Vec<OnceLock<View<E>>>,
}

/// The problems that keep the rows of a fold.
pub(crate) struct View<E> {
    pub(crate) fold: u8,
    /// Where they stand among those asked for.
    places: Vec<usize>,
    columns: Vec<usize>,
    pub(crate) values: Vec<E>,
    pub(crate) scales: Vec<f64>,
}

impl<'a, E: Copy> Views<'a, E> {
    /// Nothing where problems leave out no rows.
    pub(crate) fn new(asked: Asked<'a>, values: &'a [E], scales: &'a [f64]) -> Option<Self> {
        let folds = asked.problems.folds()?;
        Some(Views {
            problems: asked.problems.clone().of_all_rows(),
            of_fold: (0..folds.n_folds()).map(|_| OnceLock::new()).collect(),
            folds,
            asked,
            values,
            scales,
        })
    }

    /// What a chunk sees; nothing where its rows are of several folds.
    pub(crate) fn of<B: Backend>(&self, chunk: &Chunk<B>) -> Option<&View<E>> {
        let fold = |row: usize| self.folds.of_row[chunk.rows.at(row)];
        let first = fold(0);
        let is_one = (1..chunk.n_rows()).all(|row| fold(row) == first);
        is_one.then(|| self.of_fold[usize::from(first)].get_or_init(|| self.view(first)))
    }

    fn view(&self, fold: u8) -> View<E> {
        let keeps = |&place: &usize| !self.folds.left_out[self.asked.columns[place]].contains(fold);
        let places: Vec<usize> = (0..self.asked.columns.len()).filter(keeps).collect();
        let width = self.values.len() / self.asked.columns.len().max(1);
        let values = places.iter().flat_map(|place| &self.values[place * width..(place + 1) * width]);
        View {
            fold,
            columns: places.iter().map(|&place| self.asked.columns[place]).collect(),
            values: values.copied().collect(),
            scales: places.iter().map(|&place| self.scales[place]).collect(),
            places,
        }
    }

    /// What is asked for of the problems of a view.
    pub(crate) fn asked<'s>(&'s self, view: &'s View<E>) -> Asked<'s> {
        Asked {
            problems: &self.problems,
            columns: &view.columns,
            places: Some(&view.places),
            ..self.asked
        }
    }
}
