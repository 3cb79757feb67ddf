//! Segments: contiguous ranges of rows (epochs, trials, sessions) that must not leak into each other.

use std::ops::Range;

use crate::Error;

/// Contiguous ranges of rows, one after the other, that cover all samples.
///
/// What looks at neighbouring samples (convolution, differences, hidden states) starts anew in every segment.
///
/// # Example
/// ```
/// use nemos_core::Segments;
/// let trials = Segments::from_lengths([100, 50]);
/// assert_eq!(trials.ranges(), &[0..100, 100..150]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segments {
    ranges: Vec<Range<usize>>,
}

impl Segments {
    /// One segment of `n_rows` rows.
    pub fn single(n_rows: usize) -> Self {
        Segments::from_lengths([n_rows])
    }

    /// Segments of these lengths, one after the other.
    pub fn from_lengths(lengths: impl IntoIterator<Item = usize>) -> Self {
        let mut end = 0;
        let ranges = lengths
            .into_iter()
            .map(|length| {
                end += length;
                end - length..end
            })
            .collect();
        Segments { ranges }
    }

    /// Segments of these ranges of rows.
    ///
    /// # Errors
    /// [`Error::SegmentsNotContiguous`] unless the first range starts at 0 and each of the others where the one before it ends.
    pub fn new(ranges: Vec<Range<usize>>) -> Result<Self, Error> {
        let mut previous_end = 0;
        for (index, range) in ranges.iter().enumerate() {
            if range.start != previous_end || range.end < range.start {
                return Err(Error::SegmentsNotContiguous {
                    index,
                    start: range.start,
                    end: range.end,
                    previous_end,
                });
            }
            previous_end = range.end;
        }
        Ok(Segments { ranges })
    }

    /// The ranges of rows, in order.
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// Rows of all segments together.
    pub fn n_rows(&self) -> usize {
        self.ranges.last().map_or(0, |range| range.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_leave_a_gap_are_refused() {
        let error = Segments::new(vec![0..3, 4..6]).unwrap_err();
        assert!(
            matches!(
                error,
                Error::SegmentsNotContiguous {
                    index: 1,
                    previous_end: 3,
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn lengths_and_ranges_agree() {
        let segments = Segments::from_lengths([2, 0, 3]);
        assert_eq!(segments, Segments::new(vec![0..2, 2..2, 2..5]).unwrap());
        assert_eq!(segments.n_rows(), 5);
        assert_eq!(Segments::from_lengths([]).n_rows(), 0);
    }
}
