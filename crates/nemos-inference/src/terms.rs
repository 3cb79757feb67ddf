//! Terms of a model: what a test is about.

use std::ops::Range;

use nemos_core::Names;

use crate::Error;

/// Features that are tested together: a named block, or columns by number.
///
/// # Example
/// ```
/// use nemos_inference::Terms;
/// let place: Terms = "place".into();
/// let lags: Terms = (2..12).into();
/// let one: Terms = 3.into();
/// assert!(place != lags && one == [3].into());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Terms {
    /// The features of this name.
    Block(String),
    /// These columns of the design.
    Columns(Vec<usize>),
}

impl From<&str> for Terms {
    fn from(block: &str) -> Self {
        Terms::Block(block.into())
    }
}

impl From<Range<usize>> for Terms {
    fn from(columns: Range<usize>) -> Self {
        Terms::Columns(columns.collect())
    }
}

impl From<usize> for Terms {
    fn from(column: usize) -> Self {
        Terms::Columns(vec![column])
    }
}

impl From<Vec<usize>> for Terms {
    fn from(columns: Vec<usize>) -> Self {
        Terms::Columns(columns)
    }
}

impl<const N: usize> From<[usize; N]> for Terms {
    fn from(columns: [usize; N]) -> Self {
        Terms::Columns(columns.into())
    }
}

impl Terms {
    /// The columns, rising and once each.
    pub(crate) fn columns(&self, names: &Names, n_features: usize) -> Result<Vec<usize>, Error> {
        let mut columns: Vec<usize> = match self {
            Terms::Block(name) => names.block(name)?.columns().collect(),
            Terms::Columns(columns) => columns.clone(),
        };
        columns.sort_unstable();
        columns.dedup();
        match columns.last() {
            None => Err(Error::NoTerms),
            Some(&column) if column >= n_features => Err(nemos_core::Error::ColumnOutside {
                column,
                available: n_features,
            }
            .into()),
            Some(_) => Ok(columns),
        }
    }

    /// What they are called.
    pub(crate) fn title(&self, names: &Names, n_features: usize) -> String {
        match self {
            Terms::Block(name) => name.clone(),
            Terms::Columns(columns) => {
                let known = names.columns_or_numbers(n_features);
                let shown: Vec<&str> = columns
                    .iter()
                    .take(3)
                    .filter_map(|&column| known.get(column))
                    .map(String::as_str)
                    .collect();
                let more = if columns.len() > 3 { ", …" } else { "" };
                format!("{}{more}", shown.join(", "))
            }
        }
    }
}
