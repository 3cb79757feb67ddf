//! Counting events in bins.

use nemos_core::tensor::DType;
use nemos_core::{Backend, HostFloat, Matrix, Names};

use super::group::TsGroup;
use crate::Error;
use crate::error::{holds, rising};
use crate::signals::{Tsd, TsdFrame, matrix};
use crate::times::{Bins, Interval, IntervalSet, Stretch, Ts};

impl Ts {
    /// How many events fall in each bin of `bin_size` seconds.
    ///
    /// Bins start at the start of every epoch, hold their left edge but not their right one, and are named by their centre. A
    /// bin is kept while its centre is not after the end of the epoch.
    ///
    /// # Errors
    /// [`Error::NotPositive`] or [`Error::TooManyBins`] if the size cannot be.
    ///
    /// # Example
    /// ```
    /// use nemos_core::Cpu;
    /// use nemos_timeseries::{IntervalSet, Ts};
    /// let spikes = Ts::within([0.1, 0.5, 0.7, 1.9], &IntervalSet::new([(0.0, 2.0)])?)?;
    /// let counts = spikes.count::<Cpu>(0.5)?;
    /// assert_eq!(counts.to_vec(), [1.0, 2.0, 0.0, 1.0]);
    /// assert_eq!(counts.sample_times(), [0.25, 0.75, 1.25, 1.75]);
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    pub fn count<B: Backend>(&self, bin_size: f64) -> Result<Tsd<B>, Error> {
        let bins = Bins::new(self.support(), bin_size)?;
        Tsd::new(bins.axis(), count::<B>(std::slice::from_ref(self), &bins))
    }

    /// How many events fall between each of these edges and the next, in seconds, where the middle of such a bin lies in the
    /// support. A bin holds its left edge; the last one has both.
    ///
    /// # Errors
    /// [`Error::Edges`] unless there are two edges or more, finite and rising.
    ///
    /// # Example
    /// ```
    /// use nemos_core::Cpu;
    /// use nemos_timeseries::Ts;
    /// let spikes = Ts::new([0.0, 0.5, 0.7, 1.9, 2.0])?;
    /// let counts = spikes.count_between::<Cpu>(&[0.0, 0.5, 2.0])?;
    /// assert_eq!((counts.to_vec(), counts.sample_times()), (vec![1.0, 4.0], [0.25, 1.25].as_slice()));
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    pub fn count_between<B: Backend>(&self, edges: &[f64]) -> Result<Tsd<B>, Error> {
        let bins = EdgedBins::new(edges, self.support())?;
        Ok(Tsd::trusted(bins.axis.clone(), bins.count(self)))
    }

    /// How many events each epoch holds, at its middle.
    pub fn count_epochs<B: Backend>(&self) -> Tsd<B> {
        let counts = self.rows_by_epoch().into_iter().map(|rows| rows.len() as f64);
        let axis = Ts::trusted(self.support().centers().collect(), self.support().clone());
        Tsd::trusted(axis, counts.collect())
    }
}

impl TsGroup {
    /// How many events of each unit fall in each bin of `bin_size` seconds; see [`Ts::count`]. Columns are named by the
    /// numbers of the units, and have their metadata.
    ///
    /// # Shapes
    /// `[n_bins, n_units]`
    ///
    /// # Errors
    /// As [`Ts::count`], and [`Error::TooMany`].
    pub fn count<B: Backend>(&self, bin_size: f64) -> Result<TsdFrame<B>, Error> {
        let bins = Bins::new(self.support(), bin_size)?;
        holds("counts, bins times units,", &[bins.len(), self.len()])?;
        Ok(self.frame(bins.axis(), count::<B>(self.units(), &bins)))
    }

    /// How many events of each unit fall between each of these edges and the next; see [`Ts::count_between`].
    ///
    /// # Shapes
    /// `[n_bins, n_units]`
    ///
    /// # Errors
    /// As [`Ts::count_between`], and [`Error::TooMany`].
    pub fn count_between<B: Backend>(&self, edges: &[f64]) -> Result<TsdFrame<B>, Error> {
        let bins = EdgedBins::new(edges, self.support())?;
        let dims = [bins.axis.len(), self.len()];
        holds("counts, bins times units,", &dims)?;
        let by_unit: Vec<Vec<f64>> = self.units().iter().map(|unit| bins.count(unit)).collect();
        let counts = (0..dims[0]).flat_map(|bin| by_unit.iter().map(move |counts| counts[bin]));
        Ok(self.frame(bins.axis.clone(), matrix(counts.collect::<Vec<f64>>(), dims)))
    }

    /// How many events of each unit each epoch of the support holds, at its middle: spikes per trial, where the epochs are
    /// trials.
    ///
    /// # Shapes
    /// `[n_epochs, n_units]`
    ///
    /// # Example
    /// ```
    /// use nemos_core::Cpu;
    /// use nemos_timeseries::{IntervalSet, Ts, TsGroup};
    /// let trials = IntervalSet::new([(0.0, 1.0), (5.0, 7.0)])?;
    /// let units = TsGroup::new([Ts::new([0.5, 5.5, 6.5])?, Ts::new([0.1, 3.0])?], &trials);
    /// assert_eq!(units.count_epochs::<Cpu>().values().to_vec(), [1.0, 1.0, 2.0, 0.0]);
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    pub fn count_epochs<B: Backend>(&self) -> TsdFrame<B> {
        let dims = [self.support().len(), self.len()];
        let by_unit: Vec<_> = self.units().iter().map(Ts::rows_by_epoch).collect();
        let counts = (0..dims[0]).flat_map(|epoch| by_unit.iter().map(move |rows| rows[epoch].len() as f64));
        let axis = Ts::trusted(self.support().centers().collect(), self.support().clone());
        self.frame(axis, matrix(counts.collect::<Vec<f64>>(), dims))
    }

    /// One column per unit, with its number and metadata.
    pub(crate) fn frame<B: Backend>(&self, axis: Ts, values: Matrix<B>) -> TsdFrame<B> {
        TsdFrame::named(axis, values, Names::new(self.names())).described(self.metadata().clone())
    }
}

/// Bins between edges that are given.
struct EdgedBins {
    bins: IntervalSet,
    /// Those whose middle lies in the support, and these middles.
    kept: Vec<usize>,
    axis: Ts,
}

impl EdgedBins {
    fn new(edges: &[f64], support: &IntervalSet) -> Result<Self, Error> {
        rising("the bins of counts", edges)?;
        let bins = edges.windows(2).map(|pair| Interval {
            start: pair[0],
            end: pair[1],
        });
        let bins = IntervalSet::trusted(bins.collect());
        let middles: Vec<f64> = bins.centers().collect();
        let kept: Vec<usize> = (0..middles.len()).filter(|&bin| support.find(middles[bin]).is_some()).collect();
        let axis = Ts::trusted(kept.iter().map(|&bin| middles[bin]).collect(), support.clone());
        Ok(EdgedBins { bins, kept, axis })
    }

    fn count(&self, events: &Ts) -> Vec<f64> {
        let rows = self.bins.rows(events.times());
        self.kept.iter().map(|&bin| rows[bin].len() as f64).collect()
    }
}

/// Counts in the precision of the backend, so that a long recording is never held twice.
fn count<B: Backend>(units: &[Ts], bins: &Bins) -> Matrix<B> {
    let dims = [bins.len(), units.len()];
    if B::DTYPE == DType::F32 {
        matrix(count_into::<f32>(units, bins), dims)
    } else {
        matrix(count_into::<f64>(units, bins), dims)
    }
}

/// One column for each unit.
pub(crate) fn count_into<E: HostFloat + std::ops::AddAssign>(units: &[Ts], bins: &Bins) -> Vec<E> {
    let width = units.len();
    let mut counts = nemos_core::zeros(bins.len() * width);
    let first_rows = || vec![0; width];
    bins.fill(&mut counts, width, first_rows, |from, stretch, counts| {
        add_counts(units.iter(), from, stretch, counts);
    });
    counts
}

/// Adds the events of these bins to their counts. None of the events before `from` lies in them, nor in bins after them.
pub(super) fn add_counts<'u, E: HostFloat + std::ops::AddAssign>(
    units: impl ExactSizeIterator<Item = &'u Ts>,
    from: &mut [usize],
    stretch: &Stretch,
    counts: &mut [E],
) {
    let (width, one, per_size) = (units.len(), E::from_f64(1.0), stretch.per_size());
    for (unit, (events, from)) in units.zip(from).enumerate() {
        let times = events.times();
        let rows = stretch.rows(times, *from);
        *from = rows.start;
        for &time in &times[rows] {
            if let Some(bin) = stretch.bin(time, per_size) {
                counts[bin * width + unit] += one;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IntervalSet;
    use nemos_core::Cpu;

    #[test]
    fn samples_on_edges_belong_to_the_bin_that_starts_there() {
        // 3 · 0.1 is a little more than 0.3.
        let events = Ts::within([0.0, 0.1, 0.2, 0.3, 0.6, 0.7], &IntervalSet::new([(0.0, 0.8)]).unwrap()).unwrap();
        let counts = events.count::<Cpu>(0.1).unwrap();
        assert_eq!(counts.to_vec(), [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn counts_of_many_units_are_those_of_each() {
        let support = IntervalSet::new([(0.0, 30.0), (30.0, 41.0), (50.0, 90.2)]).unwrap();
        let spikes = |unit: usize| (0..unit % 40 * 7).map(|spike| (spike * 13 % 1000) as f64 / 10.0);
        let units: Vec<Ts> = (0..1000)
            .map(|unit| Ts::sorted(spikes(unit).collect::<Vec<f64>>()).unwrap())
            .collect();
        let group = TsGroup::new(units, &support);
        let all = group.count::<Cpu<f32>>(0.25).unwrap();
        let total: f64 = all.values().to_vec().iter().sum();
        let one_by_one = group
            .units()
            .iter()
            .map(|unit| unit.count::<Cpu>(0.25).unwrap().to_vec().iter().sum::<f64>());
        assert_eq!(total, one_by_one.sum::<f64>());
        assert_eq!(
            all.column("39").unwrap().to_vec(),
            group.units()[39].count::<Cpu>(0.25).unwrap().to_vec()
        );
    }

    #[test]
    fn no_units_and_no_epochs_count_to_nothing() {
        let none = TsGroup::default().count::<Cpu>(1.0).unwrap();
        assert_eq!((none.len(), none.n_columns()), (0, 0));
        let one_second = IntervalSet::new([(0.0, 1.0)]).unwrap();
        let silent = TsGroup::new([Ts::default()], &one_second).count::<Cpu>(0.5).unwrap();
        assert_eq!(silent.values().to_vec(), [0.0, 0.0]);
        assert_eq!(TsGroup::new([], &one_second).count::<Cpu>(0.5).unwrap().len(), 2);
        assert_eq!(Ts::new([1.0, 2.0]).unwrap().count_epochs::<Cpu>().to_vec(), [2.0]);
    }
}
