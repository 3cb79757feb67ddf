//! Several signals along the same time.

use std::ops::Range;
use std::sync::Arc;

use nemos_core::{Backend, Design, Matrix, Samples, Segments};

use crate::error::place_of;
use crate::{Column, Error, Signal, Table, Ts, Tsd};

/// Signals of one axis side by side, with names and metadata per column: the counts of a population, features, the
/// coordinates of a tracked animal.
///
/// It is a design whose segments are its epochs, so a convolution stops at their edges, and a model or a basis that is
/// given one gives one back.
///
/// # Shapes
/// `[n_samples, n_columns]`. A row that holds a NaN is left out of a fit and gives NaN in a prediction.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_timeseries::{Signal, Ts, TsdFrame};
/// let position = Matrix::<Cpu>::from_vec(vec![0.0, 5.0, 1.0, 6.0], [2, 2])?;
/// let position = TsdFrame::new(Ts::new([0.0, 0.1])?, position)?.with_names(["x", "y"])?;
/// assert_eq!(position.column("y")?.to_vec(), [5.0, 6.0]);
/// # Ok::<(), nemos_timeseries::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TsdFrame<B: Backend> {
    axis: Ts,
    values: Matrix<B>,
    names: Arc<Vec<String>>,
    metadata: Arc<Table>,
}

impl<B: Backend> TsdFrame<B> {
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
        let n_columns = values.dims()[1];
        TsdFrame {
            axis,
            values,
            names: Arc::new((0..n_columns).map(|column| column.to_string()).collect()),
            metadata: Arc::new(Table::new(n_columns)),
        }
    }

    /// The same columns under these names, of which no two are the same.
    ///
    /// # Errors
    /// [`Error::Differ`] unless there is one name per column; [`Error::Data`] if two are the same.
    pub fn with_names<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Result<Self, Error> {
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
        self.names = Arc::new(names);
        Ok(self)
    }

    /// The same columns with one more column of metadata, one row per column of the frame.
    ///
    /// # Errors
    /// [`Error::MetadataRows`] unless the metadata have one row per column.
    pub fn with_metadata(mut self, name: impl Into<String>, column: impl Into<Column>) -> Result<Self, Error> {
        self.metadata = Arc::new(self.metadata.as_ref().clone().with(name, column)?);
        Ok(self)
    }

    /// The same columns, with these names and metadata, which are as many.
    pub(crate) fn described(mut self, names: Vec<String>, metadata: Table) -> Self {
        (self.names, self.metadata) = (Arc::new(names), Arc::new(metadata));
        self
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.axis.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.axis.is_empty()
    }

    /// How many columns there are.
    pub fn n_columns(&self) -> usize {
        self.values.dims()[1]
    }

    /// The names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What is known about each column.
    pub fn metadata(&self) -> &Table {
        &self.metadata
    }

    /// The column of this name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] if there is none.
    pub fn column(&self, name: &str) -> Result<Tsd<B>, Error> {
        let column = place_of(name, self.names.iter().map(String::as_str))?;
        Tsd::new(self.axis.clone(), self.values.select_columns(&[column])?)
    }

    /// The columns of these numbers, with their names and metadata.
    ///
    /// # Errors
    /// [`Error::Data`] if one of them does not exist.
    pub fn columns(&self, columns: &[usize]) -> Result<Self, Error> {
        Ok(TsdFrame {
            axis: self.axis.clone(),
            values: self.values.select_columns(columns)?,
            names: Arc::new(columns.iter().map(|&column| self.names[column].clone()).collect()),
            metadata: Arc::new(self.metadata.select(columns)),
        })
    }
}

/// Refuses values that are not one row per time.
pub(crate) fn check_rows<B: Backend>(axis: &Ts, values: &Matrix<B>) -> Result<(), Error> {
    if axis.len() == values.dims()[0] {
        return Ok(());
    }
    Err(Error::Data(nemos_core::Error::RowsDiffer {
        left_name: "the time axis",
        left: axis.len(),
        right_name: "the matrix of values",
        right: values.dims()[0],
    }))
}

impl<B: Backend> Signal<B> for TsdFrame<B> {
    fn axis(&self) -> &Ts {
        &self.axis
    }

    fn values(&self) -> &Matrix<B> {
        &self.values
    }

    fn with_values(&self, axis: Ts, values: Matrix<B>) -> Self {
        TsdFrame {
            axis,
            values,
            names: self.names.clone(),
            metadata: self.metadata.clone(),
        }
    }
}

impl<B: Backend> Design<B> for TsdFrame<B> {
    fn n_samples(&self) -> usize {
        self.len()
    }

    fn n_features(&self) -> usize {
        self.n_columns()
    }

    fn block(&self, rows: Range<usize>) -> Result<Matrix<B>, nemos_core::Error> {
        self.values.rows(rows)
    }

    fn gather(&self, rows: &[usize]) -> Result<Matrix<B>, nemos_core::Error> {
        self.values.select_rows(rows)
    }

    fn times(&self) -> Option<&[f64]> {
        Some(self.axis.times())
    }

    fn segments(&self) -> Segments {
        self.axis.segments()
    }
}

impl<B: Backend> Samples<B> for TsdFrame<B> {
    type Output = TsdFrame<B>;

    fn wrap(&self, values: Matrix<B>) -> TsdFrame<B> {
        TsdFrame::trusted(self.axis.clone(), values)
    }
}
