//! Bins of a feature.

use crate::Error;
use crate::error::at_most;

/// How one feature is cut into bins. A value on an edge belongs to the bin that starts there; the last bin has both edges.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Binning {
    n_bins: usize,
    range: Option<(f64, f64)>,
}

impl Binning {
    /// This many bins of one width, from the lowest to the highest value.
    pub fn new(n_bins: usize) -> Self {
        Binning { n_bins, range: None }
    }

    /// From `low` to `high`; values outside are left out.
    pub fn range(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }

    /// The edges for these values, one more than there are bins.
    pub(super) fn edges(&self, values: impl Iterator<Item = f64>) -> Result<Vec<f64>, Error> {
        let empty = |name, hint| Err(Error::Empty { name, hint });
        if self.n_bins == 0 {
            return empty("the list of bins", "ask for at least one");
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
}

/// More bins than this, of all features together, are a mistake.
pub(super) const MOST_BINS: f64 = 1e8;

/// The bin of a value among even edges: a guess, set right by at most one.
pub(super) fn bin_of(edges: &[f64], value: f64) -> Option<usize> {
    let (n_bins, low, high) = (edges.len() - 1, edges[0], edges[edges.len() - 1]);
    if !(value >= low && value <= high) {
        return None;
    }
    let guess = (((value - low) / (high - low) * n_bins as f64) as usize).min(n_bins - 1);
    // Rounding takes the guess to a neighbour at most; the edges decide.
    Some(if value < edges[guess] {
        guess - 1
    } else if guess + 1 < n_bins && value >= edges[guess + 1] {
        guess + 1
    } else {
        guess
    })
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
        assert_eq!(
            [bin_of(&edges, 1.1), bin_of(&edges, 1.2), bin_of(&edges, f64::NAN)],
            [Some(6), None, None]
        );
    }
}
