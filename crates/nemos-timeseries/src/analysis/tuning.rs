//! Tuning curves: how activity depends on a feature.

use ndarray::{Array1, ArrayD, Axis};
use nemos_core::{Backend, Names};
use rayon::prelude::*;

use super::binning::{Binning, MOST_BINS, bin_of};
use crate::Error;
use crate::error::{at_most, place_of};
use crate::signals::{Frame, Kind, Signal, with_host};
use crate::times::{Ts, mean_step, no_rate};
use crate::transforms::{Nearest, advance, is_near, nearest};
use crate::units::TsGroup;

/// The mean activity of units in bins of one or several features.
///
/// For events, spikes per second: the number of spikes while the feature was in a bin, over the time that it spent there.
/// For signals, their mean in each bin. NaN where the feature never was.
///
/// # Shapes
/// `values: [n_units, …n_bins]`, one axis of bins per feature; `occupancy: […n_bins]`, in samples of the feature.
///
/// # Example
/// ```
/// use nemos_core::Cpu;
/// use nemos_timeseries::{Binning, Ts, TsGroup, Tsd};
/// // Two seconds on the left of the track, two on the right, where the cell fires.
/// let place = Tsd::<Cpu>::new(Ts::regular(0.0, 1.0, 4)?, vec![1.0, 2.0, 8.0, 9.0])?;
/// let cell = TsGroup::new([Ts::new([2.1, 2.2, 2.9])?], place.support());
/// let curves = cell.tuning_curves(&place, &[Binning::new(2).range(0.0, 10.0)])?;
/// assert_eq!(curves.values().as_slice(), Some([0.0, 1.5].as_slice()));
/// assert_eq!(curves.centers(0), [2.5, 7.5]);
/// # Ok::<(), nemos_timeseries::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TuningCurves {
    values: ArrayD<f64>,
    occupancy: ArrayD<f64>,
    edges: Vec<Vec<f64>>,
    /// Mean rates, of events only.
    rates: Option<Vec<f64>>,
    ids: Vec<String>,
    features: Names,
}

impl TuningCurves {
    /// The curves, `[n_units, …n_bins]`.
    pub fn values(&self) -> &ArrayD<f64> {
        &self.values
    }

    /// The curve of one unit by its place, flattened with the last feature fastest.
    ///
    /// # Errors
    /// [`Error::Data`] if there is no such unit.
    pub fn curve(&self, unit: usize) -> Result<Vec<f64>, Error> {
        if unit >= self.n_units() {
            return Err(Error::Data(nemos_core::Error::ColumnOutside {
                column: unit,
                available: self.n_units(),
            }));
        }
        Ok(self.values.index_axis(Axis(0), unit).iter().copied().collect())
    }

    /// As [`curve`](TuningCurves::curve), by the name of the unit.
    ///
    /// # Errors
    /// [`Error::UnknownName`] if there is no such unit.
    pub fn curve_of(&self, name: &str) -> Result<Vec<f64>, Error> {
        self.curve(place_of(name, self.ids.iter().map(String::as_str))?)
    }

    /// How many samples of the feature fell in each bin.
    pub fn occupancy(&self) -> &ArrayD<f64> {
        &self.occupancy
    }

    /// The edges of the bins of each feature.
    pub fn edges(&self) -> &[Vec<f64>] {
        &self.edges
    }

    /// The middles of the bins of a feature; none if there is no such feature.
    pub fn centers(&self, feature: usize) -> Vec<f64> {
        let edges = self.edges.get(feature).map_or([].as_slice(), Vec::as_slice);
        edges.windows(2).map(|pair| pair[0] + (pair[1] - pair[0]) / 2.0).collect()
    }

    /// How many units there are.
    pub fn n_units(&self) -> usize {
        self.ids.len()
    }

    /// The names of the units.
    pub fn names(&self) -> &[String] {
        &self.ids
    }

    /// The names of the features, where the signal had some.
    pub fn features(&self) -> &[String] {
        self.features.columns()
    }

    pub(crate) fn feature_names(&self) -> &Names {
        &self.features
    }

    /// The mean rate of each unit over the epochs, where the curves are of events.
    pub fn rates(&self) -> Option<&[f64]> {
        self.rates.as_deref()
    }
}

impl TsGroup {
    /// Rates in bins of the feature, in spikes per second, over the support of the feature. A spike has the value of the
    /// closest sample of its epoch.
    ///
    /// # Shapes
    /// `bins` has one entry per column of the feature.
    ///
    /// # Errors
    /// [`Error::Differ`] unless there are as many binnings as features; [`Error::Range`], [`Error::Empty`] or [`Error::TooMany`]
    /// if bins cannot be made; [`Error::TooFewSamples`] if no epoch has two samples of the feature.
    #[doc(alias("compute_tuning_curves", "compute_1d_tuning_curves", "compute_2d_tuning_curves"))]
    pub fn tuning_curves<B: Backend, K: Kind>(&self, feature: &Signal<B, K>, bins: &[Binning]) -> Result<TuningCurves, Error> {
        self.tuning_curves_within(feature, bins, f64::INFINITY)
    }

    /// As [`tuning_curves`](TsGroup::tuning_curves), leaving out spikes that are further than `farthest` seconds from the
    /// closest sample of the feature, as in stretches where tracking was lost.
    ///
    /// # Errors
    /// As [`tuning_curves`](TsGroup::tuning_curves).
    pub fn tuning_curves_within<B: Backend, K: Kind>(
        &self,
        feature: &Signal<B, K>,
        bins: &[Binning],
        farthest: f64,
    ) -> Result<TuningCurves, Error> {
        let binned = Binned::new(feature, bins)?;
        let samples = feature.axis();
        let step = mean_step(samples).ok_or_else(|| no_rate(samples))?;
        let units = self.restrict(feature.support());
        let curves = units.units().par_iter().map(|unit| {
            let mut counts = vec![0.0; binned.occupancy.len()];
            binned.for_each(samples, unit, farthest, |bin, _| counts[bin] += 1.0);
            for (count, occupancy) in counts.iter_mut().zip(&binned.occupancy) {
                *count = *count / occupancy / step;
            }
            counts
        });
        let curves = curves.collect();
        Ok(binned.curves(curves, Some(units.rates()), self.names()))
    }
}

impl<B: Backend> Signal<B, Frame> {
    /// The mean of each column in bins of the feature, over the support of the feature. A sample has the value of the closest
    /// sample of the feature in its epoch; NaN in a column is left out.
    ///
    /// # Errors
    /// As [`TsGroup::tuning_curves`].
    #[doc(alias("compute_tuning_curves", "compute_1d_tuning_curves", "compute_2d_tuning_curves"))]
    pub fn tuning_curves<K: Kind>(&self, feature: &Signal<B, K>, bins: &[Binning]) -> Result<TuningCurves, Error> {
        self.tuning_curves_within(feature, bins, f64::INFINITY)
    }

    /// As [`tuning_curves`](Signal::tuning_curves), leaving out samples that are further than `farthest` seconds from the
    /// closest sample of the feature.
    ///
    /// # Errors
    /// As [`TsGroup::tuning_curves`].
    pub fn tuning_curves_within<K: Kind>(&self, feature: &Signal<B, K>, bins: &[Binning], farthest: f64) -> Result<TuningCurves, Error> {
        let binned = Binned::new(feature, bins)?;
        let (inside, width) = (self.restrict(feature.support()), self.n_columns());
        let n_bins = binned.occupancy.len();
        let (mut sums, mut counts) = (vec![0.0; n_bins * width], vec![0.0; n_bins * width]);
        with_host(inside.values(), |values| {
            binned.for_each(feature.axis(), inside.axis(), farthest, |bin, row| {
                for (column, value) in values[row * width..(row + 1) * width].iter().enumerate() {
                    // A missing value is left out of its own column only.
                    if !value.is_nan() {
                        sums[column * n_bins + bin] += value;
                        counts[column * n_bins + bin] += 1.0;
                    }
                }
            });
        });
        let means: Vec<f64> = sums.iter().zip(&counts).map(|(sum, count)| sum / count).collect();
        let curves = means.chunks(n_bins).map(<[f64]>::to_vec).collect();
        Ok(binned.curves(curves, None, self.column_names()))
    }
}

/// A bin that no sample falls in.
const OUTSIDE: u32 = u32::MAX;

/// The bin of every sample of a feature.
struct Binned {
    features: Names,
    edges: Vec<Vec<f64>>,
    /// Flattened, the last feature fastest.
    bins: Vec<u32>,
    occupancy: Vec<f64>,
}

impl Binned {
    fn new<B: Backend, K: Kind>(feature: &Signal<B, K>, binnings: &[Binning]) -> Result<Self, Error> {
        let [n_samples, n_features] = feature.values().dims();
        if binnings.len() != n_features || n_features == 0 {
            return Err(Error::Differ {
                left_name: "the list of bins",
                left: binnings.len(),
                right_name: "the signal of features",
                right: n_features,
            });
        }
        with_host(feature.values(), |values| {
            let column = |feature: usize| values.iter().skip(feature).step_by(n_features).copied();
            let edges = binnings.iter().enumerate().map(|(feature, binning)| binning.edges(column(feature)));
            let edges = edges.collect::<Result<Vec<_>, _>>()?;
            let n_bins = edges.iter().map(|edges| (edges.len() - 1) as f64).product::<f64>();
            at_most(MOST_BINS, "bins of the features", n_bins)?;
            let mut occupancy = vec![0.0; n_bins as usize];
            let mut bins = Vec::with_capacity(n_samples);
            for sample in values.chunks_exact(n_features) {
                let flat = sample
                    .iter()
                    .zip(&edges)
                    .try_fold(0, |flat, (&value, edges)| Some(flat * (edges.len() - 1) + bin_of(edges, value)?));
                if let Some(bin) = flat {
                    occupancy[bin] += 1.0;
                }
                bins.push(flat.map_or(OUTSIDE, |bin| bin as u32));
            }
            Ok(Binned {
                features: Names::new(feature.kind().names().columns()),
                edges,
                bins,
                occupancy,
            })
        })
    }

    /// The bin of the feature sample closest to every event, where there is one, and the number of the event.
    fn for_each(&self, samples: &Ts, events: &Ts, farthest: f64, mut work: impl FnMut(usize, usize)) {
        for (rows, epoch) in events.rows_by_epoch().into_iter().zip(samples.rows_by_epoch()) {
            let mut after = epoch.start;
            for row in rows {
                let time = events.times()[row];
                // Times are in order, and so are the samples closest to them: the search goes on where it ended.
                after = advance(samples.times(), after, epoch.end, time);
                let sample = nearest(samples.times(), time, after, &epoch, Nearest::Closest);
                let sample = sample.filter(|&sample| is_near(samples.times()[sample], time, farthest));
                if let Some(bin) = sample.map(|sample| self.bins[sample]).filter(|bin| *bin != OUTSIDE) {
                    work(bin as usize, row);
                }
            }
        }
    }

    fn curves(self, curves: Vec<Vec<f64>>, rates: Option<Vec<f64>>, ids: Vec<String>) -> TuningCurves {
        let shape: Vec<usize> = self.edges.iter().map(|edges| edges.len() - 1).collect();
        let with_units: Vec<usize> = [curves.len()].into_iter().chain(shape.iter().copied()).collect();
        let into_shape = |values: Vec<f64>, shape: &[usize]| {
            let values = Array1::from_vec(values).into_shape_with_order(shape);
            values.expect("invariant: as many values as units × bins")
        };
        TuningCurves {
            values: into_shape(curves.concat(), &with_units),
            occupancy: into_shape(self.occupancy, &shape),
            edges: self.edges,
            rates,
            ids,
            features: self.features,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IntervalSet, Tsd, TsdFrame};
    use nemos_core::{Cpu, Matrix};

    #[test]
    fn a_place_never_visited_is_missing_and_a_silent_one_is_zero() {
        let axis = Ts::regular(0.0, 0.5, 4).unwrap();
        let walk = Matrix::<Cpu>::from_vec(vec![0.1, 0.1, 0.9, 0.1, 0.9, 0.9, 0.9, 0.9], [4, 2]).unwrap();
        let walk = TsdFrame::new(axis, walk).unwrap();
        let units = TsGroup::new([Ts::new([0.5, 1.4]).unwrap(), Ts::default()], walk.support());
        let bins = [Binning::new(2).range(0.0, 1.0), Binning::new(2).range(0.0, 1.0)];
        let curves = units.tuning_curves(&walk, &bins).unwrap();
        assert_eq!(curves.values().shape(), [2, 2, 2]);
        let curve = curves.curve(0).unwrap();
        assert!(curve[0] == 0.0 && curve[1].is_nan() && curve[2..] == [2.0, 1.0], "{curve:?}");
        assert!(curves.curve(1).unwrap()[2] == 0.0 && curves.curve(2).is_err());
        let means = walk.tuning_curves(&walk, &bins).unwrap();
        assert_eq!(means.curve(0).unwrap()[2..], [0.9, 0.9]);
    }

    #[test]
    fn bins_that_cannot_be_are_refused() {
        let place = Tsd::<Cpu>::new(Ts::regular(0.0, 1.0, 3).unwrap(), vec![2.0, 2.0, 2.0]).unwrap();
        let units = TsGroup::new([Ts::new([1.0]).unwrap()], place.support());
        assert!(matches!(units.tuning_curves(&place, &[]), Err(Error::Differ { .. })));
        let error = units.tuning_curves(&place, &[Binning::new(0)]).unwrap_err();
        assert_eq!(error.to_string(), "a binning is empty; ask for one bin at least");
        assert!(matches!(
            units.tuning_curves(&place, &[Binning::new(2).range(1.0, 1.0)]),
            Err(Error::Range { .. })
        ));
        assert_eq!(
            units.tuning_curves(&place, &[Binning::new(1)]).unwrap().curve(0).unwrap(),
            [1.0 / 3.0]
        );
        let nowhere = place.restrict(&IntervalSet::new([(7.0, 8.0)]).unwrap());
        assert!(units.tuning_curves(&nowhere, &[Binning::new(2)]).is_err());
    }
}
