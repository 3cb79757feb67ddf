//! What drives transitions: covariates of rows, as they were given or standardised.

use std::ops::Range;

use nemos_core::{Backend, Design};

use crate::Error;
use crate::fit::data::Data;

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

    /// `[n_inputs]` each: means and standard deviations over rows, of all processes, that have a row before them.
    pub(crate) fn moments<B: Backend>(&self, data: &Data<'_, B>) -> Result<(Vec<f64>, Vec<f64>), Error> {
        let rows = || data.sessions.iter().flat_map(|session| session.clone().skip(1));
        let here = rows().next().map_or_else(Vec::new, |row| self.row(row).to_vec());
        let firsts = data.design.gathered(here)?.into_iter().find(|first| !first.is_empty());
        let first = firsts.unwrap_or_else(|| vec![0.0; self.n_inputs]);
        let n = data.total("rows of inputs", Ok(vec![(0, vec![rows().count() as f64])]), 1)?[0].max(1.0);
        let sums = |of: &dyn Fn(usize, f64) -> f64| {
            let of_session = |session: &Range<usize>| {
                let mut sums = vec![0.0; self.n_inputs];
                for row in session.clone().skip(1) {
                    let values = self.row(row).iter().enumerate();
                    sums.iter_mut()
                        .zip(values)
                        .for_each(|(sum, (input, &value))| *sum += of(input, value));
                }
                (session.start, sums)
            };
            data.total(
                "moments of inputs",
                Ok(data.sessions.iter().map(of_session).collect()),
                self.n_inputs,
            )
        };
        // From differences: a constant is its own mean, to the last bit.
        let differences = sums(&|input, value| value - first[input])?;
        let means: Vec<f64> = first.iter().zip(differences).map(|(first, sum)| first + sum / n).collect();
        let mut most = vec![0.0_f64; self.n_inputs];
        for row in rows() {
            let apart = self.row(row).iter().zip(&means).map(|(value, mean)| (value - mean).abs());
            most.iter_mut().zip(apart).for_each(|(most, apart)| *most = most.max(apart));
        }
        for of_process in data.design.gathered(most.clone())? {
            most.iter_mut().zip(of_process).for_each(|(most, apart)| *most = most.max(apart));
        }
        let squares = sums(&|input, value| match most[input] {
            most if most > 0.0 => ((value - means[input]) / most).powi(2),
            _ => 0.0,
        })?;
        let deviations = most.iter().zip(squares).map(|(most, square)| most * (square / n).sqrt());
        let deviations = deviations.collect();
        Ok((means, deviations))
    }

    /// The same, of mean zero and variance one; of zeros where a covariate does not vary.
    pub(crate) fn standardised<B: Backend>(&self, data: &Data<'_, B>) -> Result<Self, Error> {
        let (means, mut units) = self.moments(data)?;
        units.iter_mut().filter(|unit| **unit == 0.0).for_each(|unit| *unit = 1.0);
        let of_columns = means.iter().zip(&units).cycle();
        let values = self
            .values
            .iter()
            .zip(of_columns)
            .map(|(value, (mean, unit))| (value - mean) / unit);
        Ok(Inputs {
            values: values.collect(),
            n_inputs: self.n_inputs,
            means,
            units,
        })
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
