//! Several signals along the same time.

use std::sync::Arc;

use nemos_core::{Backend, Matrix, Names};

use super::kind::Kind;
use super::names::{fitting, renamed, selected};
use super::signal::{Signal, check_rows};
use super::tsd::{Scalar, Tsd};
use crate::error::place_of;
use crate::times::Ts;
use crate::{Column, Error, Table};

/// Signals of one axis side by side, with names and metadata per column: the counts of a population, features, the
/// coordinates of a tracked animal.
///
/// It is a design whose segments are its epochs, so a convolution stops at their edges, and a model or a basis that is
/// given one gives one back. Features that a basis made of one keep the names of their blocks, and bring them to a model.
///
/// # Shapes
/// `[n_samples, n_columns]`. A row that holds a NaN is left out of a fit and gives NaN in a prediction.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_timeseries::{Ts, TsdFrame};
/// let position = Matrix::<Cpu>::from_vec(vec![0.0, 5.0, 1.0, 6.0], [2, 2])?;
/// let position = TsdFrame::new(Ts::new([0.0, 0.1])?, position)?.with_names(["x", "y"])?;
/// assert_eq!(position.column("y")?.to_vec(), [5.0, 6.0]);
/// # Ok::<(), nemos_timeseries::Error>(())
/// ```
pub type TsdFrame<B> = Signal<B, Frame>;

/// Samples of several values with names: the kind of a [`TsdFrame`].
#[derive(Clone, Debug)]
pub struct Frame {
    names: Arc<Names>,
    metadata: Arc<Table>,
}

impl Kind for Frame {
    fn names(&self) -> Names {
        self.names.as_ref().clone()
    }
}

impl<B: Backend> Signal<B, Frame> {
    /// One row of values per time of the axis. Columns are named by their number, from 0.
    ///
    /// # Errors
    /// [`Error::Data`] unless there is one row per time.
    pub fn new(axis: Ts, values: impl Into<Matrix<B>>) -> Result<Self, Error> {
        let values = values.into();
        check_rows(&axis, &values)?;
        Ok(Self::trusted(axis, values))
    }

    pub(crate) fn trusted(axis: Ts, values: Matrix<B>) -> Self {
        Self::named(axis, values, Names::none())
    }

    /// Columns under these names, as many as there are names; those that do not fit are left out.
    pub(crate) fn named(axis: Ts, values: Matrix<B>, names: Names) -> Self {
        let n_columns = values.dims()[1];
        let kind = Frame {
            names: Arc::new(fitting(names, n_columns)),
            metadata: Arc::new(Table::new(n_columns)),
        };
        Signal::assembled(axis, values, kind)
    }

    /// The same columns under these names, of which no two are the same. The blocks that they fall into stay.
    ///
    /// # Errors
    /// [`Error::Differ`] unless there is one name per column; [`Error::Data`] if two are the same.
    pub fn with_names<T: Into<String>>(self, names: impl IntoIterator<Item = T>) -> Result<Self, Error> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.len() != self.n_columns() {
            return Err(Error::Differ {
                left_name: "the list of names",
                left: names.len(),
                right_name: "the frame",
                right: self.n_columns(),
            });
        }
        let mut sorted: Vec<&String> = names.iter().collect();
        sorted.sort();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::Data(nemos_core::Error::DuplicateName { name: pair[0].clone() }));
        }
        let (axis, values, kind) = self.into_parts();
        let names = Arc::new(renamed(&kind.names, names));
        Ok(Signal::assembled(axis, values, Frame { names, ..kind }))
    }

    /// The same columns with one more column of metadata, one row per column of the frame.
    ///
    /// # Errors
    /// [`Error::MetadataRows`] unless the metadata have one row per column.
    pub fn with_metadata(self, name: impl Into<String>, column: impl Into<Column>) -> Result<Self, Error> {
        let (axis, values, kind) = self.into_parts();
        let metadata = Arc::new(kind.metadata.as_ref().clone().with(name, column)?);
        Ok(Signal::assembled(axis, values, Frame { metadata, ..kind }))
    }

    /// The same columns with these metadata, of one row for each.
    pub(crate) fn described(self, metadata: Table) -> Self {
        let (axis, values, kind) = self.into_parts();
        let metadata = Arc::new(metadata);
        Signal::assembled(axis, values, Frame { metadata, ..kind })
    }

    /// The names of the columns, where they have some, and of the blocks that they fall into.
    pub fn names(&self) -> &Names {
        &self.kind().names
    }

    /// The names of the columns: their numbers, from 0, where they have none.
    pub fn column_names(&self) -> Vec<String> {
        self.names().columns_or_numbers(self.n_columns())
    }

    /// What is known about each column.
    pub fn metadata(&self) -> &Table {
        &self.kind().metadata
    }

    /// The column of this name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] if there is none.
    pub fn column(&self, name: &str) -> Result<Tsd<B>, Error> {
        let names = self.column_names();
        let place = place_of(name, names.iter().map(String::as_str))?;
        let column = Tsd::new(self.axis().clone(), self.values().select_columns(&[place])?)?;
        Ok(match self.names().columns() {
            [] => column,
            names => column.with_name(&names[place]),
        })
    }

    /// The columns of these numbers, with their names and metadata. Blocks become those of the columns that are left; where
    /// a selection takes a block apart, none are left.
    ///
    /// # Errors
    /// [`Error::Data`] if one of them does not exist.
    pub fn columns(&self, columns: &[usize]) -> Result<Self, Error> {
        let values = self.values().select_columns(columns)?;
        let kind = Frame {
            names: Arc::new(selected(self.names(), self.n_columns(), columns)),
            metadata: Arc::new(self.metadata().select(columns)),
        };
        Ok(Signal::assembled(self.axis().clone(), values, kind))
    }

    /// The columns of the block of this name: the features of one term of a basis.
    ///
    /// # Errors
    /// [`Error::Data`] if columns fall into no blocks, or none has this name.
    pub fn block(&self, name: &str) -> Result<Self, Error> {
        let columns = self.names().block(name)?.columns();
        self.columns(&columns.collect::<Vec<_>>())
    }
}

impl<B: Backend> Signal<B, Scalar> {
    /// The same as a frame of one column, of its name.
    #[must_use]
    pub fn into_frame(self) -> TsdFrame<B> {
        let (axis, values, kind) = self.into_parts();
        TsdFrame::named(axis, values, kind.names())
    }
}
