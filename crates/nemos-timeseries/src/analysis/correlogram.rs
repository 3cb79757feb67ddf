//! Correlograms: how often one unit fires at each lag from another.

use ndarray::Array2;
use nemos_core::time_tolerance;
use rayon::prelude::*;

use crate::Error;
use crate::error::{at_most, holds, positive};
use crate::times::Ts;
use crate::units::TsGroup;

/// What the counts of a correlogram are divided by, beside the number of spikes of the first unit and the size of a bin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Normalization {
    /// The mean rate of the second unit: 1 where it does not mind the first.
    #[default]
    Relative,
    /// Nothing else: spikes of the second unit per second.
    Rate,
}

/// The rate of one unit at each lag from the spikes of another.
///
/// A lag on the edge between two bins counts half in each, so that an autocorrelogram is even, and a pair the mirror of
/// the same pair the other way round.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Correlograms {
    /// The middles of the bins, in seconds: positive where the second unit fires after the first.
    pub lags: Vec<f64>,
    /// The numbers of the first and the second unit of each pair.
    pub pairs: Vec<(u64, u64)>,
    /// `[n_lags, n_pairs]`
    pub values: Array2<f64>,
}

impl TsGroup {
    /// Each unit with itself. The bin at lag 0 is zero, since every spike is there with itself.
    ///
    /// Lags reach `window` seconds either way in bins of `bin_size` seconds, of which one is centred on 0.
    ///
    /// # Errors
    /// [`Error::NotPositive`] if the size or the window cannot be, [`Error::TooMany`] if there are too many bins.
    ///
    /// # Example
    /// ```
    /// use nemos_timeseries::{IntervalSet, Normalization, Ts, TsGroup};
    /// let units = TsGroup::new([Ts::new([0.0, 1.0, 2.0])?], &IntervalSet::new([(0.0, 10.0)])?);
    /// let auto = units.autocorrelograms(0.5, 1.0, Normalization::Rate)?;
    /// assert_eq!(auto.lags, [-1.0, -0.5, 0.0, 0.5, 1.0]);
    /// assert!((auto.values[[4, 0]] - 2.0 / (3.0 * 0.5)).abs() < 1e-12);
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    #[doc(alias = "compute_autocorrelogram")]
    pub fn autocorrelograms(&self, bin_size: f64, window: f64, normalization: Normalization) -> Result<Correlograms, Error> {
        let pairs = self.units().iter().zip(self.ids()).map(|(unit, &id)| (unit, unit, (id, id)));
        let mut found = correlograms(&pairs.collect::<Vec<_>>(), bin_size, window, normalization)?;
        let zero = found.lags.len() / 2;
        found.values.row_mut(zero).fill(0.0);
        Ok(found)
    }

    /// Each unit with each of those after it.
    ///
    /// # Errors
    /// As [`autocorrelograms`](TsGroup::autocorrelograms).
    #[doc(alias = "compute_crosscorrelogram")]
    pub fn crosscorrelograms(&self, bin_size: f64, window: f64, normalization: Normalization) -> Result<Correlograms, Error> {
        let (units, ids) = (self.units(), self.ids());
        let pair = |first: usize, second: usize| (&units[first], &units[second], (ids[first], ids[second]));
        let pairs = (0..self.len()).flat_map(|first| (first + 1..self.len()).map(move |second| pair(first, second)));
        correlograms(&pairs.collect::<Vec<_>>(), bin_size, window, normalization)
    }

    /// Each unit with each of another group.
    ///
    /// # Errors
    /// As [`autocorrelograms`](TsGroup::autocorrelograms).
    pub fn crosscorrelograms_with(
        &self,
        other: &TsGroup,
        bin_size: f64,
        window: f64,
        normalization: Normalization,
    ) -> Result<Correlograms, Error> {
        let others = || other.units().iter().zip(other.ids());
        let firsts = self.units().iter().zip(self.ids());
        let pairs = firsts.flat_map(|(first, &id)| others().map(move |(second, &second_id)| (first, second, (id, second_id))));
        correlograms(&pairs.collect::<Vec<_>>(), bin_size, window, normalization)
    }

    /// Events with each unit, within the support of the events. They stand as the first of every pair, under number 0.
    ///
    /// # Errors
    /// As [`autocorrelograms`](TsGroup::autocorrelograms).
    #[doc(alias = "compute_eventcorrelogram")]
    pub fn event_correlograms(&self, events: &Ts, bin_size: f64, window: f64, normalization: Normalization) -> Result<Correlograms, Error> {
        let units = self.restrict(events.support());
        let pairs = units.units().iter().zip(units.ids()).map(|(unit, &id)| (events, unit, (0, id)));
        correlograms(&pairs.collect::<Vec<_>>(), bin_size, window, normalization)
    }
}

fn correlograms(pairs: &[(&Ts, &Ts, (u64, u64))], bin_size: f64, window: f64, normalization: Normalization) -> Result<Correlograms, Error> {
    positive("the size of a bin", bin_size)?;
    positive("the window", window)?;
    let bins = (2.0 * (window + time_tolerance(window)) / bin_size).floor();
    at_most(1e8, "bins of lags", bins)?;
    holds("values, bins of lags times pairs,", &[bins as usize, pairs.len()])?;
    // An odd number: one bin is centred on zero.
    let n_bins = bins as usize | 1;
    let columns = pairs.par_iter().map(|(first, second, _)| {
        let per = match normalization {
            Normalization::Relative => second.rate(),
            Normalization::Rate => 1.0,
        };
        let seconds = first.len() as f64 * bin_size;
        let counts = correlate(first.times(), second.times(), n_bins / 2, bin_size);
        counts
            .into_iter()
            .map(|halves| halves as f64 / 2.0 / seconds / per)
            .collect::<Vec<f64>>()
    });
    let columns: Vec<Vec<f64>> = columns.collect();
    Ok(Correlograms {
        lags: (0..n_bins).map(|bin| (bin as f64 - (n_bins / 2) as f64) * bin_size).collect(),
        pairs: pairs.iter().map(|(_, _, ids)| *ids).collect(),
        values: Array2::from_shape_fn([n_bins, columns.len()], |(lag, pair)| columns[pair][lag]),
    })
}

/// Twice how many of the second lie in each bin around each of the first; `side` bins lie to each side of the one around 0.
fn correlate(first: &[f64], second: &[f64], side: usize, bin_size: f64) -> Vec<u64> {
    let mut counts = vec![0; 2 * side + 1];
    let reach = (side as f64 + 0.5) * bin_size;
    let mut from = 0;
    for &time in first {
        let far = reach + time_tolerance(time.abs() + reach);
        while from < second.len() && second[from] - time < -far {
            from += 1;
        }
        for &other in second[from..].iter().take_while(|other| **other - time <= far) {
            let lag = other - time;
            // Both signs go the same way: bins are counted outwards from the middle of the one around 0.
            let outwards = lag.abs() / bin_size + 0.5;
            let edge = outwards.round();
            let tolerance = time_tolerance(time.abs().max(other.abs()));
            let is_on_edge = (outwards - edge).abs() * bin_size <= tolerance && edge > 0.0;
            let bins = if is_on_edge {
                [edge as usize - 1, edge as usize]
            } else {
                [outwards as usize; 2]
            };
            for bin in bins.into_iter().filter(|bin| *bin <= side) {
                counts[if lag < 0.0 { side - bin } else { side + bin }] += 1;
            }
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lags_on_edges_count_half_on_each_side() {
        // Spikes a millisecond apart, bins of 2 ms: each has the lag in its middle, and half of either neighbour.
        for start in [0.0, 17.3, 1.7e9] {
            let times: Vec<f64> = (0..200).map(|k| start + f64::from(k) * 0.001).collect();
            let pairs = |lag: i32| 2 * u64::from(200 - lag.unsigned_abs());
            let expected: Vec<u64> = (-4..=4)
                .map(|bin: i32| pairs(2 * bin) + (pairs(2 * bin - 1) + pairs(2 * bin + 1)) / 2)
                .collect();
            assert_eq!(correlate(&times, &times, 4, 0.002), expected, "{start}");
        }
    }
}
