//! What all signals share: values at the times of an axis.

use std::ops::Range;

use nemos_core::{Backend, Matrix};

use super::kind::Kind;
use super::values::select;
use crate::Error;
use crate::times::{IntervalSet, Ts};

/// Values sampled at known times: a [`Tsd`](crate::Tsd), a [`TsdFrame`](crate::TsdFrame) or a
/// [`TsdTensor`](crate::TsdTensor), which differ in their kind of sample `K`. What works on any of them is a method here.
///
/// # Shapes
/// `values: [n_samples, n_columns]`, one row per time of the axis.
#[derive(Clone)]
pub struct Signal<B: Backend, K> {
    axis: Ts,
    values: Matrix<B>,
    kind: K,
}

impl<B: Backend, K: Kind> Signal<B, K> {
    /// As many rows of values as times, and as many columns as the kind has.
    pub(super) fn assembled(axis: Ts, values: Matrix<B>, kind: K) -> Self {
        Signal { axis, values, kind }
    }

    /// The axis, the values and what is known of their columns.
    pub(super) fn into_parts(self) -> (Ts, Matrix<B>, K) {
        (self.axis, self.values, self.kind)
    }

    /// What is known of the columns.
    pub(crate) fn kind(&self) -> &K {
        &self.kind
    }

    /// The times of the samples, and their support.
    pub fn axis(&self) -> &Ts {
        &self.axis
    }

    /// The values, `[n_samples, n_columns]`; axes after the first are flattened.
    pub fn values(&self) -> &Matrix<B> {
        &self.values
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.axis.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.axis.is_empty()
    }

    /// How many values each sample has.
    pub fn n_columns(&self) -> usize {
        self.values.dims()[1]
    }

    /// The times of the samples in seconds.
    pub fn sample_times(&self) -> &[f64] {
        self.axis.times()
    }

    /// The epochs in which there could be samples.
    pub fn support(&self) -> &IntervalSet {
        self.axis.support()
    }

    /// Seconds between samples on average, where these are even within every epoch: none further than a tenth of a step
    /// from where it would be, as times that were rounded to microseconds are not.
    ///
    /// # Errors
    /// [`Error::Irregular`] at the step that differs most; [`Error::TooFewSamples`] if no epoch has two samples.
    pub fn sampling_step(&self) -> Result<f64, Error> {
        self.axis.sampling_step()
    }

    /// The values of the sample closest to this time, the later of two; none if there are no samples.
    pub fn at(&self, time: f64) -> Option<Vec<f64>> {
        let row = self.axis.nearest(time)?;
        Some(select(&self.values, std::slice::from_ref(&(row..row + 1))).to_vec())
    }

    /// The same columns at other times: one row of values for each, with as many columns.
    pub(crate) fn with_values(&self, axis: Ts, values: Matrix<B>) -> Self {
        Signal::assembled(axis, values, self.kind.clone())
    }

    /// These rows, which lie in these epochs.
    pub(crate) fn keep(&self, rows: &[Range<usize>], support: &IntervalSet) -> Self {
        self.with_values(self.axis.select(rows, support), select(&self.values, rows))
    }

    /// Samples within these epochs, which become the support.
    #[must_use]
    pub fn restrict(&self, epochs: &IntervalSet) -> Self {
        let epochs = epochs.clone().with_grain(self.support().grain());
        self.keep(&epochs.rows(self.sample_times()), &epochs)
    }

    /// Samples from `start` to `end`, both included. The support stays what it was.
    #[must_use]
    pub fn between(&self, start: f64, end: f64) -> Self {
        let rows = self.axis.rows_between(start, end);
        self.with_values(self.axis.between(start, end), select(&self.values, &[rows]))
    }
}

/// Refuses values that are not one row per time.
pub(super) fn check_rows<B: Backend>(axis: &Ts, values: &Matrix<B>) -> Result<(), Error> {
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
