//! Where samples are read from before there is a plan.

use crate::Error;

/// The columns of an input, with their names where they have some.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Columns {
    pub(crate) n: usize,
    pub(crate) names: Vec<String>,
}

impl Columns {
    pub(crate) fn unnamed(n: usize) -> Self {
        Columns { n, names: Vec::new() }
    }
}

/// Receives a first row and the samples from there on, row after row.
pub(crate) type Visitor<'a> = &'a mut dyn FnMut(usize, &[f64]) -> Result<(), Error>;

/// The inputs of a basis.
pub(crate) trait Source {
    /// Columns of every input.
    fn columns(&self) -> Vec<Columns>;

    fn n_samples(&self) -> usize;

    /// Shows all samples of an input, some rows at a time.
    fn visit(&self, input: usize, visitor: Visitor<'_>) -> Result<(), Error>;
}

/// The smallest and the largest sample of each column.
pub(crate) fn ranges(input: usize, columns: usize, label: &str, source: &dyn Source) -> Result<Vec<(f64, f64)>, Error> {
    let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); columns];
    source.visit(input, &mut |first, samples| {
        for (row, samples) in samples.chunks_exact(columns.max(1)).enumerate() {
            for (column, &sample) in samples.iter().enumerate() {
                if sample.is_infinite() {
                    let (name, row) = ("an input without bounds", first + row);
                    return Err(nemos_core::Error::Infinite { name, row, column }.into());
                }
                // Comparisons with NaN are false.
                let (low, high) = &mut ranges[column];
                *low = if sample < *low { sample } else { *low };
                *high = if sample > *high { sample } else { *high };
            }
        }
        Ok(())
    })?;
    if source.n_samples() == 0 {
        return Ok(vec![(0.0, 1.0); columns]);
    }
    match ranges.iter().position(|(low, high)| low > high) {
        Some(column) => Err(Error::AllMissing {
            label: label.into(),
            column,
        }),
        None => Ok(ranges),
    }
}

/// The numbers that an input holds, each once.
pub(crate) fn distinct(input: usize, source: &dyn Source) -> Result<Vec<f64>, Error> {
    let mut values: Vec<f64> = Vec::new();
    source.visit(input, &mut |_, samples| {
        for &sample in samples.iter().filter(|sample| !sample.is_nan()) {
            if let Err(place) = values.binary_search_by(|known| known.total_cmp(&sample)) {
                values.insert(place, sample);
            }
        }
        Ok(())
    })?;
    Ok(values)
}
