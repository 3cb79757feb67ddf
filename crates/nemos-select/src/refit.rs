//! What was chosen, fitted to all rows.

use nemos_core::{Backend, Design, Names};

use crate::Error;
use crate::searchable::{Data, Searchable};

/// The model of some of the neurons.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refitted<S: Searchable> {
    /// Numbers of the neurons.
    pub neurons: Vec<usize>,
    /// The specification that was chosen for them.
    pub specification: S,
    /// Fitted to all rows.
    pub fitted: S::Fitted,
}

/// Fits what was chosen to all rows: one model where neurons chose the same, or differ in strengths alone.
pub(crate) fn refit<B: Backend, S: Searchable>(
    candidates: &[Option<S>],
    chosen: &[usize],
    data: &Data<'_, B>,
) -> Result<Vec<Refitted<S>>, Error> {
    let of_neurons: Vec<&S> = chosen.iter().filter_map(|&row| candidates[row].as_ref()).collect();
    let n_neurons = chosen.len();
    let whole = |specification: S| {
        Ok(vec![Refitted {
            neurons: (0..n_neurons).collect(),
            fitted: specification.refit(&data.inputs, &data.counts)?,
            specification,
        }])
    };
    if chosen.iter().all(|row| *row == chosen[0]) {
        return whole(of_neurons[0].clone());
    }
    if let Some(joined) = S::joined(&of_neurons, &data.inputs)? {
        return whole(joined);
    }
    let mut rows = chosen.to_vec();
    rows.sort_unstable();
    rows.dedup();
    let of_row = |row: usize| {
        let neurons: Vec<usize> = (0..n_neurons).filter(|&neuron| chosen[neuron] == row).collect();
        let specification = of_neurons[neurons[0]].restricted(&neurons, n_neurons, &data.inputs)?;
        let inputs = data.inputs.iter().map(|input| for_neurons(input, &neurons, n_neurons));
        let counts = columns(&data.counts, &neurons)?;
        Ok(Refitted {
            fitted: specification.refit(&inputs.collect::<Result<Vec<_>, Error>>()?, &counts)?,
            specification,
            neurons,
        })
    };
    rows.into_iter().map(of_row).collect()
}

/// These columns of counts, with their names.
pub(crate) fn columns<'a, B: Backend>(counts: &Design<'a, B>, neurons: &[usize]) -> Result<Design<'a, B>, Error> {
    let names = counts.names().columns_or_numbers(counts.n_columns());
    let matrix = counts.to_matrix()?.select_columns(neurons)?;
    let chosen = Design::from(matrix).with_names(Names::new(neurons.iter().map(|&neuron| names[neuron].clone())))?;
    Ok(match counts.times() {
        Some(times) => chosen.with_times(times.to_vec())?,
        None => chosen,
    })
}

/// The design of some of the neurons: weights and offsets that differ between neurons are theirs.
pub(crate) fn for_neurons<'a, B: Backend>(design: &Design<'a, B>, neurons: &[usize], n_neurons: usize) -> Result<Design<'a, B>, Error> {
    let mut made = design.clone();
    if let Some(weights) = design.weights().filter(|weights| weights.dims()[1] == n_neurons) {
        made = made.with_weights(weights.select_columns(neurons)?)?;
    }
    if let Some(offset) = design.offset().filter(|offset| offset.dims()[1] == n_neurons) {
        made = made.with_offset(offset.select_columns(neurons)?)?;
    }
    Ok(made)
}
