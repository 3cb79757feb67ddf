//! What all signals share: values at the times of an axis.

use std::ops::Range;

use nemos_core::{Backend, HostFloat, Matrix};

use crate::events::gather;
use crate::{Edges, Error, Filter, IntervalSet, Outside, Reach, TrialEdge, Ts};
use crate::{average, convolve, derivative, even, filter, hilbert, lookup, missing, smooth, trials};

/// Values sampled at known times: a [`Tsd`](crate::Tsd), a [`TsdFrame`](crate::TsdFrame) or a
/// [`TsdTensor`](crate::TsdTensor). What works on any of them is a method here.
///
/// *Implementor must* hold one row of values per time of the axis, and return from `with_values` its own kind with the
/// same columns.
/// *Caller must* give `with_values` one row per time, and as many columns as there were.
pub trait Signal<B: Backend>: Sized + Sync {
    /// The times of the samples, and their support.
    fn axis(&self) -> &Ts;

    /// The values, `[n_samples, n_columns]`; axes after the first are flattened.
    fn values(&self) -> &Matrix<B>;

    /// The same columns at other times.
    #[must_use]
    fn with_values(&self, axis: Ts, values: Matrix<B>) -> Self;

    /// The times of the samples in seconds.
    fn sample_times(&self) -> &[f64] {
        self.axis().times()
    }

    /// The epochs in which there could be samples.
    fn support(&self) -> &IntervalSet {
        self.axis().support()
    }

    /// Samples within these epochs, which become the support.
    #[must_use]
    fn restrict(&self, epochs: &IntervalSet) -> Self {
        keep(self, &epochs.rows(self.sample_times()), epochs)
    }

    /// Samples from `start` to `end`, both included. The support stays what it was.
    #[must_use]
    fn between(&self, start: f64, end: f64) -> Self {
        let rows = self.axis().rows_between(start, end);
        self.with_values(self.axis().between(start, end), select(self.values(), &[rows]))
    }

    /// The values of the sample closest to this time, the later of two; none if there are no samples.
    fn at(&self, time: f64) -> Option<Vec<f64>> {
        let row = self.axis().nearest(time)?;
        Some(select(self.values(), std::slice::from_ref(&(row..row + 1))).to_vec())
    }

    /// The samples without NaN. Where some are missing in between, an epoch is cut in two: from its start to the last sample
    /// before them, and from the first one after them.
    #[must_use]
    fn drop_missing(&self) -> Self {
        missing::drop_missing(self)
    }

    /// The mean of the samples in each bin of `bin_size` seconds, NaN where there are none or one is NaN; bins are those
    /// of [`Ts::count`].
    ///
    /// # Errors
    /// [`Error::NotPositive`] or [`Error::TooManyBins`] if the size cannot be.
    fn bin_average(&self, bin_size: f64) -> Result<Self, Error> {
        average::bin_average(self, bin_size)
    }

    /// The signal at those of the times that lie in its support: on a line between the samples around each, within epochs.
    /// An epoch without samples gives NaN.
    #[must_use]
    fn interpolate(&self, at: &Ts, outside: Outside) -> Self {
        lookup::interpolate(self, at, outside)
    }

    /// `out[t] = Σₖ kernel[k]·signal[t + lead − k]` within epochs, with zeros beyond their ends; `lead` is how many samples
    /// the kernel reaches into the future. Samples count as even; a NaN spreads as far as the kernel reaches.
    ///
    /// # Errors
    /// [`Error::Empty`] if the kernel is.
    fn convolve(&self, kernel: &[f64], reach: Reach) -> Result<Self, Error> {
        convolve::convolve(self, kernel, reach)
    }

    /// The signal smoothed by a Gaussian of this standard deviation in seconds, within epochs. Samples count as even, as far
    /// apart as they are on average.
    ///
    /// # Errors
    /// [`Error::NotPositive`] unless the deviation is positive and finite.
    fn smooth(&self, deviation: f64, edges: Edges) -> Result<Self, Error> {
        smooth::smooth(self, deviation, edges)
    }

    /// The change per second at every sample, within epochs: the slope of the parabola through it and its neighbours, at the
    /// ends of an epoch that of the line. NaN where an epoch has one sample, or two share a time.
    #[must_use]
    fn derivative(&self) -> Self {
        derivative::derivative(self)
    }

    /// The frequencies that a filter keeps, without phase shift, within epochs.
    ///
    /// # Errors
    /// [`Error::Irregular`] unless samples are even, [`Error::Missing`] at a NaN, [`Error::Frequency`], [`Error::Range`],
    /// [`Error::Order`] or [`Error::NotPositive`] if the filter cannot be, [`Error::TooFewSamples`] if an epoch is too short.
    fn filter(&self, filter: &Filter) -> Result<Self, Error> {
        filter::filter(self, filter)
    }

    /// The phase of an oscillation in `[0, 2π)`, 0 at its peak: the angle of the analytic signal, within epochs. Samples count
    /// as even.
    ///
    /// # Errors
    /// [`Error::Missing`] at a NaN.
    fn phase(&self) -> Result<Self, Error> {
        hilbert::phase(self)
    }

    /// The amplitude of an oscillation: the length of the analytic signal, within epochs. Samples count as even.
    ///
    /// # Errors
    /// [`Error::Missing`] at a NaN.
    fn envelope(&self) -> Result<Self, Error> {
        hilbert::envelope(self)
    }

    /// The samples of every trial side by side, NaN beyond its end.
    ///
    /// # Shapes
    /// `[n_columns, n_trials, n_samples]`
    #[must_use]
    fn trial_tensor(&self, trials: &IntervalSet, edge: TrialEdge) -> ndarray::Array3<f64> {
        trials::trial_tensor(self, trials, edge)
    }

    /// Seconds between samples on average, where these are even within every epoch: none further than a tenth of a step
    /// from where it would be, as times that were rounded to microseconds are not.
    ///
    /// # Errors
    /// [`Error::Irregular`] at the step that differs most; [`Error::TooFewSamples`] if no epoch has two samples.
    fn sampling_step(&self) -> Result<f64, Error> {
        even::sampling_step(self.axis())
    }
}

/// Lends the values in double precision.
pub(crate) fn with_host<B: Backend, R>(values: &Matrix<B>, work: impl FnOnce(&[f64]) -> R) -> R {
    let host = values.host();
    match host.as_slice::<f64>() {
        Some(values) => work(values),
        None => work(&values.to_vec()),
    }
}

/// A matrix of values that fill it by construction.
pub(crate) fn matrix<B: Backend, E: HostFloat>(values: Vec<E>, dims: [usize; 2]) -> Matrix<B> {
    Matrix::from_host(values, dims).expect("invariant: as many values as rows × columns")
}

/// These rows of a signal, which lie in these epochs.
pub(crate) fn keep<B: Backend, S: Signal<B>>(signal: &S, rows: &[Range<usize>], support: &IntervalSet) -> S {
    signal.with_values(signal.axis().select(rows, support), select(signal.values(), rows))
}

/// The stretches of rows for which something is true.
pub(crate) fn runs(rows: Range<usize>, is_in: impl Fn(usize) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut row = rows.start;
    std::iter::from_fn(move || {
        let first = (row..rows.end).find(|&row| is_in(row))?;
        row = (first..rows.end).find(|&row| !is_in(row)).unwrap_or(rows.end);
        Some(first..row)
    })
}

/// These rows of a matrix, all of which exist.
pub(crate) fn select<B: Backend>(values: &Matrix<B>, rows: &[Range<usize>]) -> Matrix<B> {
    let [n_rows, width] = values.dims();
    if let [all] = rows
        && all.len() == n_rows
    {
        return values.clone();
    }
    let selected = [rows.iter().map(ExactSizeIterator::len).sum(), width];
    let host = values.host();
    match (host.as_slice::<f64>(), host.as_slice::<f32>()) {
        (Some(values), _) => matrix(gather(values, rows, width), selected),
        (_, Some(values)) => matrix(gather(values, rows, width), selected),
        _ => matrix(gather(&values.to_vec(), rows, width), selected),
    }
}
