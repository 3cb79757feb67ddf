//! A design after a step.

use std::ops::Range;

use nemos_core::{Backend, Block, Design, Matrix, Names, Rows};

use crate::{Error, Linear};

/// Rows of a design, and the linear map that makes other features of theirs.
pub(crate) struct Stepped<'a, B: Backend> {
    rows: Design<'a, B>,
    map: Linear,
}

impl<'a, B: Backend> Stepped<'a, B> {
    /// The design that a step makes of another: names stay where features do.
    pub(crate) fn design(design: &Design<'a, B>, map: &Linear) -> Result<Design<'a, B>, Error> {
        check(design.n_columns(), map)?;
        let names = match map {
            Linear::Scaled { .. } => design.names().clone(),
            Linear::Chosen(features) => chosen(design, features)?,
            Linear::Mixed { .. } => Names::default(),
        };
        let rows = Stepped {
            rows: design.clone(),
            map: map.clone(),
        };
        let mut made = Design::from_rows(rows).with_names(names)?.with_segments(design.segments())?;
        if let Some(times) = design.times() {
            made = made.with_times(times.to_vec())?;
        }
        if let Some(weights) = design.weights() {
            made = made.with_weights(weights.clone())?;
        }
        if let Some(offset) = design.offset() {
            made = made.with_offset(offset.clone())?;
        }
        Ok(made)
    }

    fn mapped(&self, rows: &Matrix<B>) -> Result<Matrix<B>, nemos_core::Error> {
        match &self.map {
            Linear::Scaled { shift, scale } => {
                let mut values = rows.to_array();
                values -= shift;
                values /= scale;
                Ok(Matrix::from(values))
            }
            Linear::Chosen(features) => rows.select_columns(features),
            Linear::Mixed { shift, matrix } => Ok(Matrix::from((rows.to_array() - shift).dot(matrix))),
        }
    }
}

/// The names of some of the features. Blocks hold those of theirs that are left, in order; channels keep their names where each has as many.
fn chosen<B: Backend>(design: &Design<'_, B>, features: &[usize]) -> Result<Names, Error> {
    let columns = design.names().columns_or_numbers(design.n_columns());
    let names = Names::new(features.iter().map(|&feature| columns[feature].clone()));
    if !features.is_sorted_by(|a, b| a < b) {
        return Ok(names);
    }
    let left = |range: Range<usize>| features.iter().filter(|feature| range.contains(feature)).count();
    let with = |names: Names, block: &Block| {
        let mut of_channels = block.by_channel().map(left);
        let first = of_channels.next();
        let channels = if of_channels.all(|n| Some(n) == first) {
            block.channels()
        } else {
            &[]
        };
        names.with_block(block.name(), left(block.columns()), channels.iter().map(String::as_str))
    };
    Ok(design.names().blocks().iter().try_fold(names, with)?)
}

/// Whether a map is one of so many features.
fn check(n_features: usize, map: &Linear) -> Result<(), Error> {
    let takes = match map {
        Linear::Scaled { shift, scale } if shift.len() != scale.len() => scale.len(),
        Linear::Mixed { shift, matrix } if shift.len() != matrix.nrows() => matrix.nrows(),
        Linear::Scaled { shift, .. } | Linear::Mixed { shift, .. } => shift.len(),
        Linear::Chosen(features) => {
            return match features.iter().find(|feature| **feature >= n_features) {
                Some(&column) => Err(nemos_core::Error::ColumnOutside {
                    column,
                    available: n_features,
                }
                .into()),
                None => Ok(()),
            };
        }
    };
    if takes == n_features {
        return Ok(());
    }
    Err(nemos_core::Error::Columns {
        name: "features of a step",
        got: n_features,
        expected: takes,
        why: "one for each that its map takes",
    }
    .into())
}

impl<B: Backend> Rows<B> for Stepped<'_, B> {
    fn n_rows(&self) -> usize {
        self.rows.n_rows()
    }

    fn n_columns(&self) -> usize {
        match &self.map {
            Linear::Scaled { .. } => self.rows.n_columns(),
            Linear::Chosen(features) => features.len(),
            Linear::Mixed { matrix, .. } => matrix.ncols(),
        }
    }

    fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, nemos_core::Error> {
        self.mapped(&self.rows.chunk(rows)?)
    }

    fn gather(&self, rows: &[usize]) -> Result<Matrix<B>, nemos_core::Error> {
        self.mapped(&self.rows.rows().gather(rows)?)
    }
}
