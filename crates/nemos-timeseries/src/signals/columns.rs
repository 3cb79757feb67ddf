//! Working on every column of every epoch by itself.

use std::ops::Range;

use nemos_core::Backend;
use rayon::prelude::*;

use super::kind::Kind;
use super::signal::Signal;
use super::values::{matrix, with_host};
use crate::Error;

impl<B: Backend, K: Kind> Signal<B, K> {
    /// Each column of each epoch replaced by what `work` makes of its times and values: as many values.
    pub(crate) fn map_columns<F>(&self, work: F) -> Result<Self, Error>
    where
        F: Fn(&[f64], &[f64]) -> Result<Vec<f64>, Error> + Sync,
    {
        let [n_rows, width] = self.values().dims();
        let times = self.sample_times();
        let epochs = self.axis().rows_by_epoch();
        let jobs: Vec<_> = epochs
            .iter()
            .flat_map(|rows| (0..width).map(move |column| (rows, column)))
            .collect();
        let mut out = vec![0.0; n_rows * width];
        with_host(self.values(), |values| {
            let column = |&(rows, column): &(&Range<usize>, usize)| {
                let own: Vec<f64> = rows.clone().map(|row| values[row * width + column]).collect();
                work(&times[rows.clone()], &own)
            };
            let results = jobs.par_iter().map(column).collect::<Result<Vec<_>, Error>>()?;
            for (&(rows, column), result) in jobs.iter().zip(results) {
                for (row, value) in rows.clone().zip(result) {
                    out[row * width + column] = value;
                }
            }
            Ok(self.with_values(self.axis().clone(), matrix(out, [n_rows, width])))
        })
    }

    /// Refuses NaN, which a recursive filter or a Fourier transform would spread over everything.
    pub(crate) fn check_complete(&self) -> Result<(), Error> {
        let width = self.n_columns().max(1);
        let found = with_host(self.values(), |values| values.iter().position(|value| !value.is_finite()));
        match found {
            None => Ok(()),
            Some(at) => Err(Error::Missing {
                row: at / width,
                column: at % width,
            }),
        }
    }
}
