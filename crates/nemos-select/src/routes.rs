//! Which columns go to which part of a basis.

use std::ops::Range;

use nemos_basis::Basis;
use nemos_core::{Backend, Design, Matrix, Names, Rows};

use crate::Error;

/// For labels of parts, the names of the columns that they take.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Routes(Vec<(String, Vec<String>)>);

impl Routes {
    /// Of several routes to one part, the last one counts.
    pub(crate) fn add(&mut self, label: String, columns: Vec<String>) {
        self.0.retain(|(known, _)| *known != label);
        self.0.push((label, columns));
    }

    /// The inputs of a basis: as they are, unless routes say which columns of the one input they are.
    pub(crate) fn route<'a, B: Backend>(&self, basis: &Basis, inputs: &[Design<'a, B>]) -> Result<Vec<Design<'a, B>>, Error> {
        if self.0.is_empty() {
            return Ok(inputs.to_vec());
        }
        let [all] = inputs else {
            return Err(Error::Inputs {
                what: format!("columns are routed by name from one input, and there are {}", inputs.len()),
            });
        };
        for (label, _) in &self.0 {
            basis.part(label)?;
        }
        let mut routed = Vec::with_capacity(basis.n_inputs());
        for label in basis.labels()? {
            let part = basis.part(&label)?;
            let Some((_, columns)) = self.0.iter().find(|(known, _)| *known == label) else {
                continue;
            };
            let numbers = columns.iter().map(|name| Ok(all.names().column(name)?));
            let numbers = numbers.collect::<Result<Vec<usize>, Error>>()?;
            match part.n_inputs() {
                1 => routed.push(of_columns(all, &numbers)?),
                n if n == numbers.len() => {
                    for number in numbers {
                        routed.push(of_columns(all, &[number])?);
                    }
                }
                n => {
                    return Err(Error::Inputs {
                        what: format!("{label:?} takes {n} inputs, and {} columns are routed to it", numbers.len()),
                    });
                }
            }
        }
        match routed.len() == basis.n_inputs() {
            true => Ok(routed),
            false => Err(Error::Inputs {
                what: format!(
                    "the basis takes {} inputs, and columns are routed to {}; route some to each of its parts",
                    basis.n_inputs(),
                    routed.len()
                ),
            }),
        }
    }
}

/// Columns of a design, in an order of their own.
struct OfColumns<'a, B: Backend> {
    all: Design<'a, B>,
    columns: Vec<usize>,
}

impl<B: Backend> Rows<B> for OfColumns<'_, B> {
    fn n_rows(&self) -> usize {
        self.all.n_rows()
    }

    fn n_columns(&self) -> usize {
        self.columns.len()
    }

    fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, nemos_core::Error> {
        self.all.chunk(rows)?.select_columns(&self.columns)
    }

    fn gather(&self, rows: &[usize]) -> Result<Matrix<B>, nemos_core::Error> {
        self.all.rows().gather(rows)?.select_columns(&self.columns)
    }
}

/// These columns with their names, and the times, segments, weights and offset of all.
fn of_columns<'a, B: Backend>(all: &Design<'a, B>, columns: &[usize]) -> Result<Design<'a, B>, Error> {
    let names = all.names().columns();
    let rows = OfColumns {
        all: all.clone(),
        columns: columns.to_vec(),
    };
    let mut made = Design::from_rows(rows)
        .with_names(Names::new(columns.iter().map(|&column| names[column].clone())))?
        .with_segments(all.segments())?;
    if let Some(times) = all.times() {
        made = made.with_times(times.to_vec())?;
    }
    if let Some(weights) = all.weights() {
        made = made.with_weights(weights.clone())?;
    }
    if let Some(offset) = all.offset() {
        made = made.with_offset(offset.clone())?;
    }
    Ok(made)
}
