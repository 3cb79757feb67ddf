//! What drives transitions: covariates of rows, as they were given or standardised.

use std::ops::Range;

use nemos_core::{Backend, Design};

use crate::Error;

/// Covariates of the transitions, on the host, as they were given or standardised.
#[derive(Clone, Debug)]
pub(crate) struct Inputs {
    pub(crate) values: Vec<f64>,
    pub(crate) n_inputs: usize,
    /// `[n_inputs]`: what was taken from the values that were given.
    pub(crate) means: Vec<f64>,
    /// `[n_inputs]`: what they were divided by then.
    pub(crate) units: Vec<f64>,
}

impl Inputs {
    /// As they were given.
    pub(crate) fn new(values: Vec<f64>, n_inputs: usize) -> Self {
        Inputs {
            values,
            n_inputs,
            means: vec![0.0; n_inputs],
            units: vec![1.0; n_inputs],
        }
    }

    /// `[n_inputs]` each: means and standard deviations over rows that have a row before them.
    pub(crate) fn moments(&self, sessions: &[Range<usize>]) -> (Vec<f64>, Vec<f64>) {
        let moments = (0..self.n_inputs).map(|input| {
            let rows = || sessions.iter().flat_map(|session| session.clone().skip(1));
            let values = || rows().map(|row| self.row(row)[input]);
            let (n, first) = (rows().count().max(1) as f64, values().next().unwrap_or(0.0));
            // From differences: a constant is its own mean, to the last bit.
            let mean = first + values().map(|value| value - first).sum::<f64>() / n;
            let most = values().map(|value| (value - mean).abs()).fold(0.0, f64::max);
            let square = values().map(|value| ((value - mean) / most).powi(2)).sum::<f64>() / n;
            (mean, if most > 0.0 { most * square.sqrt() } else { 0.0 })
        });
        moments.unzip()
    }

    /// The same, of mean zero and variance one; of zeros where a covariate does not vary.
    pub(crate) fn standardised(&self, sessions: &[Range<usize>]) -> Self {
        let (means, mut units) = self.moments(sessions);
        units.iter_mut().filter(|unit| **unit == 0.0).for_each(|unit| *unit = 1.0);
        let of_columns = means.iter().zip(&units).cycle();
        let values = self
            .values
            .iter()
            .zip(of_columns)
            .map(|(value, (mean, unit))| (value - mean) / unit);
        Inputs {
            values: values.collect(),
            n_inputs: self.n_inputs,
            means,
            units,
        }
    }

    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.n_inputs..(row + 1) * self.n_inputs]
    }
}

/// What drives transitions, on the host; complete in all rows that have a row before them.
pub(crate) fn inputs<B: Backend>(drive: &Design<'_, B>, sessions: &[Range<usize>]) -> Result<Inputs, Error> {
    let n_inputs = drive.n_columns();
    let values = drive.to_matrix()?.to_vec();
    let first: Vec<usize> = sessions.iter().map(|rows| rows.start).collect();
    for (row, inputs) in values.chunks_exact(n_inputs.max(1)).enumerate() {
        if let Some(column) = inputs.iter().position(|value| !value.is_finite())
            && first.binary_search(&row).is_err()
        {
            let value = inputs[column];
            return Err(Error::DriveMissing { value, row, column });
        }
    }
    Ok(Inputs::new(values, n_inputs))
}
