//! Bins of a feature.

use crate::Error;
use crate::error::{at_most, rising};

/// How one feature is cut into bins. A value on an edge belongs to the bin that starts there; the last bin has both edges.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Binning {
    n_bins: usize,
    range: Option<(f64, f64)>,
    is_logarithmic: bool,
    edges: Option<Vec<f64>>,
}

impl Binning {
    /// This many bins of one width, from the lowest to the highest value.
    pub fn new(n_bins: usize) -> Self {
        Binning {
            n_bins,
            range: None,
            is_logarithmic: false,
            edges: None,
        }
    }

    /// Bins between these edges, of any widths; values outside are left out.
    ///
    /// # Example
    /// ```
    /// use nemos_core::Cpu;
    /// use nemos_timeseries::{Binning, Ts, TsGroup, Tsd};
    /// let place = Tsd::<Cpu>::new(Ts::regular(0.0, 1.0, 4)?, vec![1.0, 2.0, 8.0, 9.0])?;
    /// let cell = TsGroup::new([Ts::new([0.1, 2.1, 2.2])?], place.support());
    /// let curves = cell.tuning_curves(&place, &[Binning::with_edges([0.0, 1.5, 10.0])])?;
    /// assert_eq!(curves.curve(0)?, [1.0, 2.0 / 3.0]);
    /// # Ok::<(), nemos_timeseries::Error>(())
    /// ```
    pub fn with_edges(edges: impl Into<Vec<f64>>) -> Self {
        let edges = edges.into();
        Binning {
            edges: Some(edges),
            ..Binning::new(0)
        }
    }

    /// Bins of one ratio rather than one width; all values and both ends of the range are then above zero.
    pub fn logarithmic(mut self) -> Self {
        self.is_logarithmic = true;
        self
    }

    /// From `low` to `high`; values outside are left out.
    pub fn range(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }

    /// The edges for these values, one more than there are bins.
    pub(super) fn edges(&self, values: impl Iterator<Item = f64>) -> Result<Vec<f64>, Error> {
        if let Some(edges) = &self.edges {
            rising("the bins", edges)?;
            at_most(MOST_BINS, "bins of a feature", edges.len() as f64)?;
            return Ok(edges.clone());
        }
        if self.is_logarithmic {
            return self.logarithmic_edges(&mut { values });
        }
        let empty = |name, hint| Err(Error::Empty { name, hint });
        if self.n_bins == 0 {
            return empty("a binning", "ask for one bin at least");
        }
        at_most(MOST_BINS, "bins of a feature", self.n_bins as f64)?;
        let (low, high) = match self.range {
            Some(range) => range,
            None => values
                .filter(|value| value.is_finite())
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                    (low.min(value), high.max(value))
                }),
        };
        if self.range.is_none() && low > high {
            return empty("the feature", "it has no finite value within the epochs");
        }
        // A feature that never changes fills one bin in the middle of a unit range.
        let (low, high) = if self.range.is_none() && low == high {
            (low - 0.5, high + 0.5)
        } else {
            (low, high)
        };
        if !((high - low).is_finite() && low < high) {
            return Err(Error::Range {
                name: "the range of bins",
                low,
                high,
            });
        }
        let step = (high - low) / self.n_bins as f64;
        let edge = |index: usize| if index == self.n_bins { high } else { low + index as f64 * step };
        Ok((0..=self.n_bins).map(edge).collect())
    }

    /// Even edges of the logarithms.
    fn logarithmic_edges(&self, values: &mut dyn Iterator<Item = f64>) -> Result<Vec<f64>, Error> {
        let even = Binning {
            is_logarithmic: false,
            range: self.range.map(|(low, high)| (low.ln(), high.ln())),
            ..self.clone()
        };
        // Values of zero and below have no logarithm, and lie in no bin.
        let edges = even.edges(Box::new(values.map(f64::ln)) as Box<dyn Iterator<Item = f64> + '_>)?;
        let mut edges: Vec<f64> = edges.into_iter().map(f64::exp).collect();
        if let (Some((low, high)), [first, .., last]) = (self.range, edges.as_mut_slice()) {
            (*first, *last) = (low, high);
        }
        rising("the bins", &edges)?;
        Ok(edges)
    }
}

/// More bins than this, of all features together, are a mistake.
pub(super) const MOST_BINS: f64 = 1e8;

/// The bin of a value among edges: a guess for even ones, set right by at most one, and a search for others.
pub(super) fn bin_of(edges: &[f64], value: f64) -> Option<usize> {
    let (n_bins, low, high) = (edges.len() - 1, edges[0], edges[edges.len() - 1]);
    if !(value >= low && value <= high) {
        return None;
    }
    let guess = (((value - low) / (high - low) * n_bins as f64) as usize).min(n_bins - 1);
    // Rounding takes the guess to a neighbour at most; the edges decide.
    let guess = if value < edges[guess] {
        guess.saturating_sub(1)
    } else if guess + 1 < n_bins && value >= edges[guess + 1] {
        guess + 1
    } else {
        guess
    };
    let is_last = guess + 1 == n_bins;
    if edges[guess] <= value && (value < edges[guess + 1] || is_last && value <= high) {
        return Some(guess);
    }
    Some(edges.partition_point(|edge| *edge <= value).saturating_sub(1).min(n_bins - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_found_as_edges_say() {
        let edges = Binning::new(7).range(-0.3, 1.1).edges(std::iter::empty()).unwrap();
        for (bin, pair) in edges.windows(2).enumerate() {
            assert_eq!(bin_of(&edges, pair[0]), Some(bin));
            assert_eq!(bin_of(&edges, pair[1].next_down()), Some(bin));
        }
        let uneven = [0.0, 0.1, 0.5, 7.0, 8.0];
        let binning = Binning::with_edges(uneven).edges(std::iter::empty()).unwrap();
        for (bin, pair) in uneven.windows(2).enumerate() {
            assert_eq!([pair[0], pair[1].next_down()].map(|value| bin_of(&binning, value)), [Some(bin); 2]);
        }
        assert_eq!([bin_of(&uneven, 8.0), bin_of(&uneven, -0.1)], [Some(3), None]);
        let ratios = Binning::new(3).range(0.001, 1.0).logarithmic().edges(std::iter::empty()).unwrap();
        assert!(ratios.windows(2).all(|pair| (pair[1] / pair[0] - 10.0).abs() < 1e-9) && ratios[3] == 1.0);
        for bad in [vec![], vec![1.0], vec![0.0, 0.0], vec![0.0, f64::NAN]] {
            assert!(matches!(
                Binning::with_edges(bad).edges(std::iter::empty()),
                Err(Error::Edges { .. })
            ));
        }
        assert_eq!(
            [bin_of(&edges, 1.1), bin_of(&edges, 1.2), bin_of(&edges, f64::NAN)],
            [Some(6), None, None]
        );
    }
}
