//! Event-triggered averages: the mean of a signal around events.

use nemos_core::Backend;
use rayon::prelude::*;

use super::around::Around;
use crate::Error;
use crate::signals::{Frame, Kind, Scalar, Signal, TsdFrame, TsdTensor, matrix, with_host};
use crate::times::{Bins, Ts};
use crate::units::{TsGroup, count_into};

impl<B: Backend> Signal<B, Scalar> {
    /// The mean of the signal around the events of each unit, both in bins of `bin_size` seconds within the support of the
    /// signal: of spikes, the spike-triggered average.
    ///
    /// A bin that is missing, or beyond an epoch, is left out of the mean.
    ///
    /// # Shapes
    /// `[n_lags, n_units]`
    ///
    /// # Errors
    /// As [`Ts::count`], and [`Error::TooMany`] if there are too many lags.
    ///
    /// # Example
    /// ```
    /// use nemos_core::Cpu;
    /// use nemos_timeseries::{Around, IntervalSet, Ts, TsGroup, Tsd};
    /// let session = IntervalSet::new([(0.0, 6.0)])?;
    /// let flash = Tsd::<Cpu>::new(Ts::within([0.5, 1.5, 2.5, 3.5, 4.5, 5.5], &session)?, vec![0.0, 1.0, 0.0, 0.0, 1.0, 0.0])?;
    /// let cell = TsGroup::new([Ts::new([2.2, 5.9])?], &session);
    /// let average = flash.triggered_average(&cell, 1.0, Around::new(2.0, 0.0)?)?;
    /// assert_eq!(average.column("0")?.to_vec(), [0.0, 1.0, 0.0]);
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    #[doc(alias("compute_spike_triggered_average", "compute_event_triggered_average"))]
    pub fn triggered_average(&self, units: &TsGroup, bin_size: f64, around: Around) -> Result<TsdFrame<B>, Error> {
        let (axis, values) = averages(self, units, bin_size, around)?;
        let dims = [axis.len(), units.len()];
        Ok(units.frame(axis, matrix(values, dims)))
    }
}

impl<B: Backend> Signal<B, Frame> {
    /// As [`Tsd::triggered_average`](crate::Tsd::triggered_average), for every column.
    ///
    /// # Shapes
    /// `[n_lags, n_units, n_columns]`
    ///
    /// # Errors
    /// As [`Tsd::triggered_average`](crate::Tsd::triggered_average).
    #[doc(alias("compute_spike_triggered_average", "compute_event_triggered_average"))]
    pub fn triggered_average(&self, units: &TsGroup, bin_size: f64, around: Around) -> Result<TsdTensor<B>, Error> {
        let (axis, values) = averages(self, units, bin_size, around)?;
        let dims = [axis.len(), units.len() * self.n_columns()];
        TsdTensor::new(axis, matrix(values, dims), [units.len(), self.n_columns()])
    }
}

/// Lags, and means `[n_lags, n_units, n_columns]`.
fn averages<B: Backend, K: Kind>(signal: &Signal<B, K>, units: &TsGroup, bin_size: f64, around: Around) -> Result<(Ts, Vec<f64>), Error> {
    let bins = Bins::new(signal.support(), bin_size)?;
    let means = signal.bin_average(bin_size)?;
    let (before, axis) = around.lags(bin_size)?;
    let (n_lags, width) = (axis.len(), means.values().dims()[1]);
    let after = n_lags - 1 - before;
    let epochs = bins.by_epoch();
    let units = units.restrict(signal.support());
    let average = |unit: &Ts, values: &[f64]| {
        let counts = count_into::<f64>(std::slice::from_ref(unit), &bins);
        let (mut sums, mut weights) = (vec![0.0; n_lags * width], vec![0.0; n_lags * width]);
        for epoch in &epochs {
            for bin in epoch.clone().filter(|bin| counts[*bin] > 0.0) {
                // The window around the bin, cut where the epoch is; `at` is where the part that is left begins in the average.
                let first = bin.saturating_sub(before).max(epoch.start);
                let inside = first..(bin + after + 1).min(epoch.end);
                let at = (first + before - bin) * width;
                for (offset, value) in values[inside.start * width..inside.end * width].iter().enumerate() {
                    // Several events in a bin count as many times, in the sum and in what it is divided by.
                    if !value.is_nan() {
                        sums[at + offset] += counts[bin] * value;
                        weights[at + offset] += counts[bin];
                    }
                }
            }
        }
        sums.iter().zip(weights).map(|(sum, weight)| sum / weight).collect::<Vec<f64>>()
    };
    let by_unit: Vec<Vec<f64>> = with_host(means.values(), |values| {
        units.units().par_iter().map(|unit| average(unit, values)).collect()
    });
    let mut out = Vec::with_capacity(n_lags * units.len() * width);
    for lag in 0..n_lags {
        for unit in &by_unit {
            out.extend_from_slice(&unit[lag * width..(lag + 1) * width]);
        }
    }
    Ok((axis, out))
}
