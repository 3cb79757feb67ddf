//! One signal along time.

use std::ops::Range;

use nemos_core::{Backend, Design, Matrix, Samples, Segments};

use crate::frame::check_rows;
use crate::{Error, Signal, Ts, TsdFrame};

/// A signal of one value per sample: a position, a head direction, a voltage, the counts of one neuron.
///
/// # Shapes
/// As a design `[n_samples, 1]`, in segments by epoch. A NaN is a missing value.
///
/// # Example
/// ```
/// use nemos_core::Cpu;
/// use nemos_timeseries::{IntervalSet, Signal, Ts, Tsd};
/// let speed = Tsd::<Cpu>::new(Ts::regular(0.0, 0.5, 5)?, vec![1.0, 2.0, 3.0, 4.0, 5.0])?;
/// let late = speed.restrict(&IntervalSet::new([(1.0, 9.0)])?);
/// assert_eq!(late.to_vec(), [3.0, 4.0, 5.0]);
/// assert_eq!(late.at(1.6), Some(vec![4.0]));
/// # Ok::<(), nemos_timeseries::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tsd<B: Backend> {
    axis: Ts,
    values: Matrix<B>,
}

impl<B: Backend> Tsd<B> {
    /// One value per time of the axis.
    ///
    /// # Errors
    /// [`Error::Data`] unless there is one column, with one row per time.
    pub fn new(axis: Ts, values: impl Into<Matrix<B>>) -> Result<Self, Error> {
        let values = values.into();
        check_rows(&axis, &values)?;
        if values.dims()[1] != 1 {
            return Err(Error::Data(nemos_core::Error::Columns {
                name: "the signal",
                got: values.dims()[1],
                expected: 1,
                why: "use a TsdFrame for several",
            }));
        }
        Ok(Tsd { axis, values })
    }

    pub(crate) fn trusted(axis: Ts, values: Vec<f64>) -> Self {
        Tsd {
            axis,
            values: Matrix::from_column(values),
        }
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.axis.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.axis.is_empty()
    }

    /// The values, one per sample.
    pub fn to_vec(&self) -> Vec<f64> {
        self.values.to_vec()
    }

    /// The same as a frame of one column.
    #[must_use]
    pub fn into_frame(self) -> TsdFrame<B> {
        TsdFrame::trusted(self.axis, self.values)
    }
}

impl<B: Backend> Signal<B> for Tsd<B> {
    fn axis(&self) -> &Ts {
        &self.axis
    }

    fn values(&self) -> &Matrix<B> {
        &self.values
    }

    fn with_values(&self, axis: Ts, values: Matrix<B>) -> Self {
        Tsd { axis, values }
    }
}

impl<B: Backend> Design<B> for Tsd<B> {
    fn n_samples(&self) -> usize {
        self.len()
    }

    fn n_features(&self) -> usize {
        1
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

impl<B: Backend> Samples<B> for Tsd<B> {
    type Output = TsdFrame<B>;

    fn wrap(&self, values: Matrix<B>) -> TsdFrame<B> {
        TsdFrame::trusted(self.axis.clone(), values)
    }
}
