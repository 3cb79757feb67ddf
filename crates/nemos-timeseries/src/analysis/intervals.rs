//! How long units wait from one event to the next.

use ndarray::Array2;
use nemos_core::time_tolerance;
use rayon::prelude::*;

use super::binning::{Binning, bin_of};
use crate::Error;
use crate::times::Ts;
use crate::units::TsGroup;

/// How many intervals between consecutive events of each unit fall in each bin.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct IntervalDistributions {
    /// The edges of the bins, in seconds.
    pub edges: Vec<f64>,
    /// `[n_bins, n_units]`
    pub counts: Array2<f64>,
    /// The numbers of the units.
    pub ids: Vec<u64>,
}

impl IntervalDistributions {
    /// The share of all intervals of a unit in each bin, per second: it adds up to one where all lie within the edges. NaN
    /// for a unit without any.
    ///
    /// # Shapes
    /// `[n_bins, n_units]`
    pub fn densities(&self) -> Array2<f64> {
        let totals = self.counts.sum_axis(ndarray::Axis(0));
        Array2::from_shape_fn(self.counts.dim(), |(bin, unit)| {
            self.counts[[bin, unit]] / totals[unit] / (self.edges[bin + 1] - self.edges[bin])
        })
    }

    /// The middles of the bins.
    pub fn centers(&self) -> Vec<f64> {
        self.edges.windows(2).map(|pair| pair[0] + (pair[1] - pair[0]) / 2.0).collect()
    }
}

impl TsGroup {
    /// Inter-spike intervals of each unit, within epochs, in bins of seconds.
    ///
    /// # Errors
    /// Those of [`Binning`], where bins cannot be made.
    ///
    /// # Example
    /// ```
    /// use nemos_timeseries::{Binning, Ts, TsGroup};
    /// let units = TsGroup::joined([Ts::new([0.0, 0.01, 0.02, 1.02])?, Ts::new([0.0, 0.5])?]);
    /// let found = units.interval_distributions(&Binning::new(3).range(0.001, 10.0).logarithmic())?;
    /// assert_eq!(found.counts.column(0).to_vec(), [2.0, 0.0, 1.0]);
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    #[doc(alias = "compute_isi_distribution")]
    pub fn interval_distributions(&self, bins: &Binning) -> Result<IntervalDistributions, Error> {
        let of_unit = |unit: &Ts| {
            let epochs = unit.rows_by_epoch().into_iter();
            let wait = |pair: &[f64]| (pair[1] - pair[0], time_tolerance(pair[0]) + time_tolerance(pair[1]));
            let waits = epochs.flat_map(|rows| unit.times()[rows].windows(2).map(wait).collect::<Vec<_>>());
            waits.collect::<Vec<(f64, f64)>>()
        };
        let waits: Vec<Vec<(f64, f64)>> = self.units().par_iter().map(of_unit).collect();
        let edges = bins.edges(waits.iter().flatten().map(|(wait, _)| *wait))?;
        let last = edges[edges.len() - 1];
        let mut counts = Array2::zeros([edges.len() - 1, self.len()]);
        for (unit, waits) in waits.iter().enumerate() {
            // What rounding took away does not put a wait below the edge that it is on, nor what it added above the last one.
            let on_edges = |&(wait, slack): &(f64, f64)| if wait - slack <= last { (wait + slack).min(last) } else { wait };
            for bin in waits.iter().map(on_edges).filter_map(|wait| bin_of(&edges, wait)) {
                counts[[bin, unit]] += 1.0;
            }
        }
        Ok(IntervalDistributions {
            edges,
            counts,
            ids: self.ids().to_vec(),
        })
    }
}
