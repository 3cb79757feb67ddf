//! Working on every column of every epoch by itself.

use std::ops::Range;

use nemos_core::Backend;
use rayon::prelude::*;

use crate::signal::{matrix, with_host};
use crate::{Error, Signal};

/// The signal with each column of each epoch replaced by what `work` makes of its times and values: as many values.
pub(crate) fn map_columns<B, S, F>(signal: &S, work: F) -> Result<S, Error>
where
    B: Backend,
    S: Signal<B>,
    F: Fn(&[f64], &[f64]) -> Result<Vec<f64>, Error> + Sync,
{
    let [n_rows, width] = signal.values().dims();
    let times = signal.sample_times();
    let epochs = signal.axis().rows_by_epoch();
    let jobs: Vec<_> = epochs
        .iter()
        .flat_map(|rows| (0..width).map(move |column| (rows, column)))
        .collect();
    let mut out = vec![0.0; n_rows * width];
    with_host(signal.values(), |values| {
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
        Ok(signal.with_values(signal.axis().clone(), matrix(out, [n_rows, width])))
    })
}

/// Refuses NaN, which a recursive filter or a Fourier transform would spread over everything.
pub(crate) fn check_complete<B: Backend, S: Signal<B>>(signal: &S) -> Result<(), Error> {
    let width = signal.values().dims()[1].max(1);
    let found = with_host(signal.values(), |values| values.iter().position(|value| !value.is_finite()));
    match found {
        None => Ok(()),
        Some(at) => Err(Error::Missing {
            row: at / width,
            column: at % width,
        }),
    }
}
