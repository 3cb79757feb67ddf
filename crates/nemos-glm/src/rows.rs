//! Which rows a pass over the data uses: checked once, at the door.

use std::ops::Range;

use nemos_core::simd::vectorized;
use nemos_core::{Backend, Design, Error, HostFloat, Matrix};
use rayon::prelude::*;

/// Rows that are used together: a range, or some rows of one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Piece {
    range: Range<usize>,
    /// Rows that are kept, counted from the start of the range; all of them where there is nothing.
    kept: Option<Vec<usize>>,
}

// With more gaps than this a block is gathered rather than cut into pieces.
const MAX_RUNS: usize = 4;

impl Piece {
    /// How many rows.
    pub(crate) fn n_rows(&self) -> usize {
        self.kept.as_ref().map_or(self.range.len(), Vec::len)
    }

    /// These rows of a design.
    pub(crate) fn of<B: Backend>(&self, design: &impl Design<B>) -> Result<Matrix<B>, Error> {
        self.cut(design.block(self.range.clone())?)
    }

    /// These rows of what a design gives for a range of rows: its weights, its offset.
    pub(crate) fn of_some<B: Backend>(
        &self,
        rows: impl FnOnce(Range<usize>) -> Result<Option<Matrix<B>>, Error>,
    ) -> Result<Option<Matrix<B>>, Error> {
        rows(self.range.clone())?.map(|block| self.cut(block)).transpose()
    }

    fn cut<B: Backend>(&self, block: Matrix<B>) -> Result<Matrix<B>, Error> {
        match &self.kept {
            None => Ok(block),
            Some(kept) => block.select_rows(kept),
        }
    }

    /// The number that a row of this piece has in the whole design.
    pub(crate) fn row(&self, index: usize) -> usize {
        self.range.start + self.kept.as_ref().map_or(index, |kept| kept[index])
    }

    /// The rows of a block, starting at row `first`, that hold no NaN.
    ///
    /// # Errors
    /// [`Error::Infinite`] if a value is infinite.
    pub(crate) fn complete<B: Backend>(name: &'static str, block: &Matrix<B>, first: usize) -> Result<Vec<Piece>, Error> {
        let [n_rows, n_columns] = block.dims();
        let host = block.host();
        let all_finite = if let Some(values) = host.as_slice::<f64>() {
            finite(values)
        } else if let Some(values) = host.as_slice::<f32>() {
            finite(values)
        } else {
            let total: f64 = (block.clone().into_tensor() * 0.0).sum().into_data().iter::<f64>().sum();
            total == 0.0
        };
        if all_finite {
            return Ok(if n_rows == 0 {
                vec![]
            } else {
                vec![Piece {
                    range: first..first + n_rows,
                    kept: None,
                }]
            });
        }
        let values = block.to_vec();
        let mut complete = vec![true; n_rows];
        for (index, value) in values.iter().enumerate() {
            if value.is_infinite() {
                return Err(Error::Infinite {
                    name,
                    row: first + index / n_columns,
                    column: index % n_columns,
                });
            }
            complete[index / n_columns] &= !value.is_nan();
        }
        Ok(pieces(&complete, first))
    }
}

/// Cuts a block into runs of complete rows, or gathers them where there are many.
fn pieces(complete: &[bool], first: usize) -> Vec<Piece> {
    let runs: Vec<Range<usize>> = complete
        .chunk_by(|a, b| a == b)
        .scan(0, |end, run| {
            *end += run.len();
            Some((run[0], *end - run.len()..*end))
        })
        .filter_map(|(complete, run)| complete.then_some(run))
        .collect();
    if runs.len() <= MAX_RUNS {
        return runs
            .into_iter()
            .map(|run| Piece {
                range: first + run.start..first + run.end,
                kept: None,
            })
            .collect();
    }
    vec![Piece {
        range: first..first + complete.len(),
        kept: Some(runs.into_iter().flatten().collect()),
    }]
}

fn finite<E: HostFloat>(values: &[E]) -> bool {
    // A number times zero is zero, unless it is infinite or NaN.
    let mut lanes = [0.0; 32];
    vectorized(
        #[inline(always)]
        || {
            for chunk in values.chunks(lanes.len()) {
                for (lane, &value) in lanes.iter_mut().zip(chunk) {
                    *lane += value.into_f64() * 0.0;
                }
            }
        },
    );
    lanes.iter().sum::<f64>() == 0.0
}

/// Runs `work` on contiguous shards of `items`, in parallel, and returns the results in order.
///
/// How items fall into shards does not depend on the number of threads, so that sums come out the same everywhere.
pub(crate) fn in_shards<I: Sync, T: Send, E: Send>(items: &[I], work: impl Fn(&[I]) -> Result<T, E> + Send + Sync) -> Result<Vec<T>, E> {
    const SHARDS: usize = 16;
    items.par_chunks(items.len().div_ceil(SHARDS).max(1)).map(work).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nemos_core::Cpu;

    fn complete(values: &[f64]) -> Vec<Piece> {
        Piece::complete("x", &Matrix::<Cpu>::from_column(values.to_vec()), 10).unwrap()
    }

    #[test]
    fn rows_with_nan_are_cut_out() {
        let nan = f64::NAN;
        assert_eq!(complete(&[1.0, 2.0]), [Piece { range: 10..12, kept: None }]);
        assert_eq!(complete(&[nan, 2.0, 3.0, nan]), [Piece { range: 11..13, kept: None }]);
        assert_eq!(complete(&[nan, nan]), []);
        assert_eq!(complete(&[]), []);
    }

    #[test]
    fn many_gaps_are_gathered() {
        let values: Vec<f64> = (0..12).map(|i| if i % 2 == 0 { f64::NAN } else { 1.0 }).collect();
        assert_eq!(
            complete(&values),
            [Piece {
                range: 10..22,
                kept: Some(vec![1, 3, 5, 7, 9, 11])
            }]
        );
    }

    #[test]
    fn infinity_is_named_with_its_place() {
        let block = Matrix::<Cpu>::from_vec(vec![1.0, 2.0, 3.0, f64::INFINITY], [2, 2]).unwrap();
        let error = Piece::complete("design", &block, 7).unwrap_err();
        assert!(matches!(
            error,
            Error::Infinite {
                name: "design",
                row: 8,
                column: 1
            }
        ));
    }
}
