//! Surrogates: events that keep some of their statistics and lose the rest.

use rand::Rng;
use rand::RngExt;
use rand::seq::SliceRandom;

use super::group::TsGroup;
use crate::Error;
use crate::error::positive;
use crate::times::{IntervalSet, Ts};

impl Ts {
    /// The same inter-event intervals in another order, epoch by epoch: the first event of each stays, and so does the last.
    ///
    /// # Example
    /// ```
    /// use nemos_timeseries::Ts;
    /// use rand::SeedableRng;
    /// let spikes = Ts::new([0.0, 1.0, 3.0, 7.0])?;
    /// let shuffled = spikes.shuffle_intervals(&mut rand_chacha::ChaCha8Rng::seed_from_u64(1));
    /// assert_eq!((shuffled.times()[0], shuffled.times()[3]), (0.0, 7.0));
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    #[doc(alias = "shuffle_ts_intervals")]
    #[must_use]
    pub fn shuffle_intervals<R: Rng + ?Sized>(&self, rng: &mut R) -> Self {
        let mut times = Vec::with_capacity(self.len());
        for rows in self.rows_by_epoch() {
            let epoch = &self.times()[rows];
            let (Some(&first), Some(&last)) = (epoch.first(), epoch.last()) else {
                continue;
            };
            let mut intervals: Vec<f64> = epoch.windows(2).map(|pair| pair[1] - pair[0]).collect();
            intervals.shuffle(rng);
            times.push(first);
            let mut time = first;
            // Rounding does not carry the last event beyond the epoch.
            times.extend(intervals.into_iter().map(|interval| {
                time = (time + interval).min(last);
                time
            }));
        }
        Ts::trusted(times, self.support().clone())
    }

    /// Every event moved by up to `most` seconds, evenly either way. What leaves the support is dropped.
    ///
    /// # Errors
    /// [`Error::NotPositive`] unless `most` is positive and finite.
    #[doc(alias = "jitter_timestamps")]
    pub fn jitter<R: Rng + ?Sized>(&self, most: f64, rng: &mut R) -> Result<Self, Error> {
        positive("the jitter", most)?;
        let moved = self.times().iter().map(|time| time + (2.0 * rng.random::<f64>() - 1.0) * most);
        Ok(Ts::sorted(moved.collect::<Vec<f64>>())?.restrict(self.support()))
    }

    /// As many events at times drawn evenly from the support.
    #[doc(alias = "resample_timestamps")]
    #[must_use]
    pub fn resample<R: Rng + ?Sized>(&self, rng: &mut R) -> Self {
        let clock = Clock::new(self.support());
        clock.events((0..self.len()).map(|_| clock.total * rng.random::<f64>()).collect())
    }

    /// All events later by one draw between `least` and `most` seconds. What passes the end of the support comes back in at
    /// its start, and gaps between epochs take no time.
    ///
    /// # Errors
    /// [`Error::Range`] unless `least` and `most` are finite and in order.
    #[doc(alias = "shift_timestamps")]
    pub fn shift_circularly<R: Rng + ?Sized>(&self, least: f64, most: f64, rng: &mut R) -> Result<Self, Error> {
        if !((most - least).is_finite() && least <= most) {
            return Err(Error::Range {
                name: "the shift",
                low: least,
                high: most,
            });
        }
        let clock = Clock::new(self.support());
        let shift = rng.random_range(least..=most);
        let shifted = self
            .times()
            .iter()
            .map(|&time| (clock.read(time) + shift).rem_euclid(clock.total.max(f64::MIN_POSITIVE)));
        Ok(clock.events(shifted.collect()))
    }
}

impl TsGroup {
    /// [`Ts::shuffle_intervals`] of every unit.
    #[doc(alias = "shuffle_ts_intervals")]
    #[must_use]
    pub fn shuffle_intervals<R: Rng + ?Sized>(&self, rng: &mut R) -> Self {
        let units = self.units().iter().map(|unit| unit.shuffle_intervals(rng)).collect();
        self.with_units(units, self.support().clone())
    }

    /// [`Ts::jitter`] of every unit.
    ///
    /// # Errors
    /// As [`Ts::jitter`].
    #[doc(alias = "jitter_timestamps")]
    pub fn jitter<R: Rng + ?Sized>(&self, most: f64, rng: &mut R) -> Result<Self, Error> {
        let units = self.units().iter().map(|unit| unit.jitter(most, rng)).collect::<Result<_, _>>()?;
        Ok(self.with_units(units, self.support().clone()))
    }

    /// [`Ts::resample`] of every unit.
    #[doc(alias = "resample_timestamps")]
    #[must_use]
    pub fn resample<R: Rng + ?Sized>(&self, rng: &mut R) -> Self {
        let units = self.units().iter().map(|unit| unit.resample(rng)).collect();
        self.with_units(units, self.support().clone())
    }

    /// [`Ts::shift_circularly`] of every unit, each by a draw of its own.
    ///
    /// # Errors
    /// As [`Ts::shift_circularly`].
    #[doc(alias = "shift_timestamps")]
    pub fn shift_circularly<R: Rng + ?Sized>(&self, least: f64, most: f64, rng: &mut R) -> Result<Self, Error> {
        let units = self.units().iter().map(|unit| unit.shift_circularly(least, most, rng));
        Ok(self.with_units(units.collect::<Result<_, _>>()?, self.support().clone()))
    }
}

/// A clock that runs within the epochs only.
struct Clock<'a> {
    support: &'a IntervalSet,
    /// What it shows at the start of each epoch.
    starts: Vec<f64>,
    total: f64,
}

impl<'a> Clock<'a> {
    fn new(support: &'a IntervalSet) -> Self {
        let mut total = 0.0;
        let starts = support.intervals().iter().map(|epoch| {
            total += epoch.length();
            total - epoch.length()
        });
        Clock {
            starts: starts.collect(),
            support,
            total,
        }
    }

    /// What it shows at a time of the support.
    fn read(&self, time: f64) -> f64 {
        let epoch = self.support.find(time).expect("invariant: events lie in their support");
        let interval = self.support.intervals()[epoch];
        // An event lies in its epoch but for rounding.
        self.starts[epoch] + (time - interval.start).clamp(0.0, interval.length())
    }

    /// Events where the clock shows these numbers, from 0 to its total.
    fn events(&self, mut shown: Vec<f64>) -> Ts {
        shown.sort_by(f64::total_cmp);
        let time = |shown: f64| {
            let epoch = self.starts.partition_point(|start| *start <= shown).max(1) - 1;
            let interval = self.support.intervals()[epoch];
            (interval.start + (shown - self.starts[epoch])).min(interval.end)
        };
        Ts::trusted(shown.into_iter().map(time).collect(), self.support.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn events() -> Ts {
        let epochs = IntervalSet::new([(0.0, 4.0), (10.0, 20.0)]).unwrap();
        Ts::within([0.5, 1.0, 3.0, 10.0, 11.0, 14.0, 19.5], &epochs).unwrap()
    }

    fn intervals(events: &Ts) -> Vec<f64> {
        let mut steps: Vec<f64> = events
            .rows_by_epoch()
            .into_iter()
            .flat_map(|rows| events.times()[rows].windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>())
            .collect();
        steps.sort_by(f64::total_cmp);
        steps
    }

    #[test]
    fn shuffling_keeps_the_intervals_of_each_epoch() {
        let shuffled = events().shuffle_intervals(&mut ChaCha8Rng::seed_from_u64(3));
        let both = intervals(&shuffled).into_iter().zip(intervals(&events()));
        assert!(both.into_iter().all(|(left, right)| (left - right).abs() < 1e-12) && shuffled.len() == 7);
        assert_eq!(shuffled, events().shuffle_intervals(&mut ChaCha8Rng::seed_from_u64(3)));
    }

    #[test]
    fn a_shift_by_the_whole_support_changes_nothing() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let round = events().shift_circularly(14.0, 14.0, &mut rng).unwrap();
        assert!(
            round
                .times()
                .iter()
                .zip(events().times())
                .all(|(left, right)| (left - right).abs() < 1e-12)
        );
        let half = events().shift_circularly(2.0, 2.0, &mut rng).unwrap();
        assert_eq!(half.times(), [1.5, 2.5, 3.0, 11.0, 12.0, 13.0, 16.0]);
        assert!(events().shift_circularly(1.0, 0.0, &mut rng).is_err());
    }

    #[test]
    fn draws_stay_in_the_support() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let group = TsGroup::new(vec![events(); 50], events().support());
        assert!(group.resample(&mut rng).units().iter().all(|unit| unit.len() == 7));
        for moved in [
            group.resample(&mut rng),
            group.jitter(3.0, &mut rng).unwrap(),
            group.shuffle_intervals(&mut rng),
        ] {
            for unit in moved.units() {
                assert_eq!(unit, &unit.restrict(events().support()));
                assert!(unit.times().is_sorted());
            }
        }
        assert!(events().jitter(-1.0, &mut rng).is_err());
        assert_eq!(Ts::default().resample(&mut rng), Ts::default());
        let one = Ts::new([2.0]).unwrap();
        assert_eq!(one.shift_circularly(1.0, 1.0, &mut rng).unwrap(), one);
    }
}
