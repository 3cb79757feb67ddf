//! One signal along time.

use std::sync::Arc;

use nemos_core::{Backend, Matrix, Names};

use super::kind::Kind;
use super::signal::{Signal, check_rows};
use crate::Error;
use crate::times::Ts;

/// A signal of one value per sample: a position, a head direction, a voltage, the counts of one neuron.
///
/// # Shapes
/// As a design `[n_samples, 1]`, in segments by epoch. A NaN is a missing value.
///
/// # Example
/// ```
/// use nemos_core::Cpu;
/// use nemos_timeseries::{IntervalSet, Ts, Tsd};
/// let speed = Tsd::<Cpu>::new(Ts::regular(0.0, 0.5, 5)?, vec![1.0, 2.0, 3.0, 4.0, 5.0])?;
/// let late = speed.restrict(&IntervalSet::new([(1.0, 9.0)])?);
/// assert_eq!(late.to_vec(), [3.0, 4.0, 5.0]);
/// assert_eq!(late.at(1.6), Some(vec![4.0]));
/// # Ok::<(), nemos_timeseries::Error>(())
/// ```
pub type Tsd<B> = Signal<B, Scalar>;

/// Samples of one value: the kind of a [`Tsd`].
#[derive(Clone, Debug, Default)]
pub struct Scalar {
    name: Option<Arc<str>>,
}

impl Kind for Scalar {
    fn names(&self) -> Names {
        Names::new(self.name.as_deref())
    }
}

impl<B: Backend> Signal<B, Scalar> {
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
        Ok(Signal::assembled(axis, values, Scalar::default()))
    }

    pub(crate) fn trusted(axis: Ts, values: Vec<f64>) -> Self {
        Signal::assembled(axis, Matrix::from_column(values), Scalar::default())
    }

    /// The same signal under this name, which a model that is given it gives back.
    #[must_use]
    pub fn with_name(self, name: &str) -> Self {
        let (axis, values, _) = self.into_parts();
        Signal::assembled(axis, values, Scalar { name: Some(name.into()) })
    }

    /// The name, where it has one: that of the column of a frame that it was.
    pub fn name(&self) -> Option<&str> {
        self.kind().name.as_deref()
    }

    /// The values, one per sample.
    pub fn to_vec(&self) -> Vec<f64> {
        self.values().to_vec()
    }
}
