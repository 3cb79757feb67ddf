//! What happens around events.

use std::ops::Range;

use nemos_core::Backend;
use rayon::prelude::*;

use super::around::Around;
use crate::Error;
use crate::error::holds;
use crate::signals::{Frame, Kind, Scalar, Signal, TsdFrame, TsdTensor, matrix, with_host};
use crate::times::Ts;
use crate::transforms::{Nearest, advance, nearest};
use crate::units::TsGroup;

impl Ts {
    /// The events around each of `triggers` that lies in the support, in seconds from it. Each trigger is a unit; metadata
    /// `event` say when it was.
    ///
    /// The whole window counts as seen, and events of a neighbouring epoch in it count too: restrict `triggers` to those
    /// whose window lies within an epoch where that matters.
    ///
    /// # Example
    /// ```
    /// use nemos_timeseries::{Around, Ts};
    /// let spikes = Ts::new([0.9, 1.1, 2.0, 4.8])?;
    /// let aligned = spikes.perievent(&Ts::new([1.0, 4.5])?, Around::new(0.5, 1.0)?);
    /// assert!(aligned.units()[1].times().iter().all(|lag| (lag - 0.3).abs() < 1e-9));
    /// assert_eq!(aligned.metadata().numbers("event")?, [1.0, 4.5]);
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    #[doc(alias("compute_perievent", "peth"))]
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "invariant: one row of metadata per trigger")]
    pub fn perievent(&self, triggers: &Ts, around: Around) -> TsGroup {
        let triggers = triggers.restrict(self.support());
        // A lag is known as well as the two times that it is the difference of.
        let support = around.support().with_grain(triggers.grain());
        let units = triggers.times().par_iter().map(|&trigger| {
            let rows = self.rows_near(trigger - around.before(), trigger + around.after(), support.grain());
            let inside = &self.times()[rows];
            let lags = inside.iter().map(|time| (time - trigger).clamp(-around.before(), around.after()));
            Ts::trusted(lags.collect(), support.clone())
        });
        TsGroup::trusted(units.collect(), support.clone())
            .with_column("event", triggers.times().to_vec())
            .expect("invariant: one row of metadata per trigger")
    }
}

impl TsGroup {
    /// [`Ts::perievent`] of every unit, with its number.
    #[doc(alias("compute_perievent", "peth"))]
    #[must_use]
    pub fn perievent(&self, triggers: &Ts, around: Around) -> Vec<(u64, TsGroup)> {
        let units = self.ids().iter().zip(self.units());
        units.map(|(&id, unit)| (id, unit.perievent(triggers, around))).collect()
    }
}

impl<B: Backend> Signal<B, Scalar> {
    /// The signal around each of `triggers` that lies in the support: the sample closest to the event, those before and
    /// those after it, as columns; NaN beyond the epoch. Metadata `event` say when each was.
    ///
    /// # Shapes
    /// `[n_lags, n_triggers]`
    ///
    /// # Errors
    /// [`Error::Irregular`] or [`Error::TooFewSamples`] unless samples are even; [`Error::TooMany`] if there are too many
    /// lags.
    #[doc(alias("compute_perievent", "peth"))]
    pub fn perievent(&self, triggers: &Ts, around: Around) -> Result<TsdFrame<B>, Error> {
        let triggers = triggers.restrict(self.support());
        let (axis, values) = aligned(self, &triggers, around)?;
        let dims = [axis.len(), triggers.len()];
        TsdFrame::trusted(axis, matrix(values, dims)).with_metadata("event", triggers.times().to_vec())
    }
}

impl<B: Backend> Signal<B, Frame> {
    /// As [`Tsd::perievent`](crate::Tsd::perievent), for every column.
    ///
    /// # Shapes
    /// `[n_lags, n_triggers, n_columns]`
    ///
    /// # Errors
    /// As [`Tsd::perievent`](crate::Tsd::perievent).
    #[doc(alias("compute_perievent", "peth"))]
    pub fn perievent(&self, triggers: &Ts, around: Around) -> Result<TsdTensor<B>, Error> {
        let triggers = triggers.restrict(self.support());
        let (axis, values) = aligned(self, &triggers, around)?;
        let shape = [triggers.len(), self.n_columns()];
        let dims = [axis.len(), triggers.len() * self.n_columns()];
        TsdTensor::new(axis, matrix(values, dims), shape)
    }
}

/// Lags, and values `[n_lags, n_triggers, n_columns]` around triggers that have the support of the signal.
fn aligned<B: Backend, K: Kind>(signal: &Signal<B, K>, triggers: &Ts, around: Around) -> Result<(Ts, Vec<f64>), Error> {
    let step = signal.sampling_step()?;
    let (before, axis) = around.lags(step)?;
    let centres = centres(signal.axis(), triggers);
    let width = signal.values().dims()[1];
    holds("values, lags times events times columns,", &[axis.len(), centres.len(), width])?;
    let mut out = vec![f64::NAN; axis.len() * centres.len() * width];
    if !out.is_empty() {
        with_host(signal.values(), |values| {
            let lags = out.par_chunks_mut(centres.len() * width).enumerate();
            lags.for_each(|(lag, out)| {
                for ((centre, rows), out) in centres.iter().zip(out.chunks_exact_mut(width)) {
                    // Before the first sample or beyond the epoch there is nothing, and NaN stays.
                    if let Some(row) = (centre + lag).checked_sub(before).filter(|row| rows.contains(row)) {
                        out.copy_from_slice(&values[row * width..(row + 1) * width]);
                    }
                }
            });
        });
    }
    Ok((axis, out))
}

/// The sample closest to each trigger, and the rows of its epoch. An epoch without samples has only missing ones.
fn centres(samples: &Ts, triggers: &Ts) -> Vec<(usize, Range<usize>)> {
    let mut centres = Vec::with_capacity(triggers.len());
    for (rows, epoch) in triggers.rows_by_epoch().into_iter().zip(samples.rows_by_epoch()) {
        let mut after = epoch.start;
        for &time in &triggers.times()[rows] {
            after = advance(samples.times(), after, epoch.end, time);
            let centre = nearest(samples.times(), time, after, &epoch, Nearest::Closest);
            centres.push((centre.unwrap_or(epoch.start), epoch.clone()));
        }
    }
    centres
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IntervalSet, Tsd};
    use nemos_core::{Cpu, Matrix};

    #[test]
    fn windows_end_where_the_epoch_does() {
        let epochs = IntervalSet::new([(0.0, 0.45), (0.5, 2.0)]).unwrap();
        let ramp = Tsd::<Cpu>::new(Ts::regular(0.0, 0.1, 11).unwrap(), (0..11).map(f64::from).collect::<Vec<_>>()).unwrap();
        let aligned = ramp
            .restrict(&epochs)
            .perievent(&Ts::new([0.32, 0.47, 0.61]).unwrap(), Around::new(0.2, 0.15).unwrap())
            .unwrap();
        assert_eq!(aligned.metadata().numbers("event").unwrap(), [0.32, 0.61]);
        assert_eq!(aligned.column("0").unwrap().to_vec(), [1.0, 2.0, 3.0, 4.0]);
        let second = aligned.column("1").unwrap().to_vec();
        assert!(second[0].is_nan() && second[1..] == [5.0, 6.0, 7.0]);
        assert!(Around::new(-1.0, 2.0).is_err() && Around::new(0.0, 0.0).is_err());
    }

    #[test]
    fn no_triggers_are_no_columns() {
        let frame = TsdFrame::<Cpu>::new(Ts::regular(0.0, 1.0, 4).unwrap(), Matrix::zeros([4, 2])).unwrap();
        let aligned = frame.perievent(&Ts::default(), Around::new(1.0, 1.0).unwrap()).unwrap();
        assert_eq!(aligned.to_array().shape(), [3, 0, 2]);
        assert!(Ts::default().perievent(&Ts::default(), Around::new(1.0, 1.0).unwrap()).is_empty());
    }
}
