//! Which rows a pass over data uses: checked once, at the door.

use std::ops::Range;

use nemos_core::simd::vectorized;
use nemos_core::{Backend, Error, HostFloat, Matrix, Rows, Sums};

/// Rows that are read together: a range, or some rows of one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ChunkRows {
    range: Range<usize>,
    /// Rows that are kept, counted from the start of the range; all of them where there is nothing.
    kept: Option<Vec<usize>>,
}

// With more gaps than this rows are gathered rather than cut into runs.
const MAX_RUNS: usize = 4;

impl ChunkRows {
    /// How many rows.
    pub(crate) fn n_rows(&self) -> usize {
        self.kept.as_ref().map_or(self.range.len(), Vec::len)
    }

    /// These rows.
    pub(crate) fn of<B: Backend>(&self, rows: &dyn Rows<B>) -> Result<Matrix<B>, Error> {
        self.cut(&rows.chunk(self.range.clone())?, self.range.start)
    }

    /// These rows of a matrix whose first row is `first`.
    pub(crate) fn cut<B: Backend>(&self, matrix: &Matrix<B>, first: usize) -> Result<Matrix<B>, Error> {
        let range = matrix.rows(self.range.start - first..self.range.end - first)?;
        match &self.kept {
            None => Ok(range),
            Some(kept) => range.select_rows(kept),
        }
    }

    /// The number that a row of these has among all rows.
    pub(crate) fn row(&self, index: usize) -> usize {
        self.range.start + self.kept.as_ref().map_or(index, |kept| kept[index])
    }

    /// The rows, starting at row `first`, that hold no NaN.
    ///
    /// # Errors
    /// [`Error::Infinite`] if a value is infinite.
    pub(crate) fn complete<B: Backend>(name: &'static str, matrix: &Matrix<B>, first: usize) -> Result<Vec<ChunkRows>, Error> {
        let [n_rows, n_columns] = matrix.dims();
        if n_rows == 0 {
            return Ok(Vec::new());
        }
        if all_finite(matrix)? {
            return Ok(vec![ChunkRows {
                range: first..first + n_rows,
                kept: None,
            }]);
        }
        if let Some(complete) = complete_on_device(matrix)? {
            return Ok(runs(&complete, first));
        }
        let values = matrix.try_to_vec()?;
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
        Ok(runs(&complete, first))
    }
}

/// Whether no value is NaN or infinite.
///
/// # Errors
/// [`Error::Device`] if a device fails.
pub(crate) fn all_finite<B: Backend>(matrix: &Matrix<B>) -> Result<bool, Error> {
    if matrix.dims().contains(&0) {
        return Ok(true);
    }
    let host = matrix.host();
    if let Some(values) = host.as_slice::<f64>() {
        return Ok(finite(values));
    }
    if let Some(values) = host.as_slice::<f32>() {
        return Ok(finite(values));
    }
    // A number times zero is zero, unless it is infinite or NaN.
    let mut sums = Sums::<B>::new();
    sums.rows(matrix.clone().into_tensor() * 0.0);
    Ok(sums.read()?[0].sum() == 0.0)
}

/// Which rows hold no NaN, found where the values are: one number for each row comes back. Nothing where a value is infinite, so that the
/// host may say which, or where values are in host memory.
fn complete_on_device<B: Backend>(matrix: &Matrix<B>) -> Result<Option<Vec<bool>>, Error> {
    if B::HOST {
        return Ok(None);
    }
    let values = matrix.clone().into_tensor();
    let mut sums = Sums::<B>::new();
    sums.rows(values.clone().abs().equal_elem(f32::INFINITY).float());
    sums.values((values * 0.0).sum_dim(1));
    let read = sums.read()?;
    let is_complete = |flag: &f64| *flag == 0.0;
    Ok((read[0].sum() == 0.0).then(|| read[1].iter().map(is_complete).collect()))
}

/// Cuts rows into runs of complete ones, or gathers them where there are many.
fn runs(complete: &[bool], first: usize) -> Vec<ChunkRows> {
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
            .map(|run| ChunkRows {
                range: first + run.start..first + run.end,
                kept: None,
            })
            .collect();
    }
    vec![ChunkRows {
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

#[cfg(test)]
mod tests {
    use super::*;
    use nemos_core::Cpu;
    use nemos_testkit::Card;

    /// On a processor, and as a card finds it.
    fn complete(values: &[f64]) -> Vec<ChunkRows> {
        let found = ChunkRows::complete("x", &Matrix::<Cpu>::from_column(values.to_vec()), 10).unwrap();
        let on_card = ChunkRows::complete("x", &Matrix::<Card>::from_column(values.to_vec()), 10).unwrap();
        assert_eq!(found, on_card);
        found
    }

    #[test]
    fn rows_with_nan_are_cut_out() {
        let nan = f64::NAN;
        assert_eq!(complete(&[1.0, 2.0]), [ChunkRows { range: 10..12, kept: None }]);
        assert_eq!(complete(&[nan, 2.0, 3.0, nan]), [ChunkRows { range: 11..13, kept: None }]);
        assert_eq!(complete(&[nan, nan]), []);
        assert_eq!(complete(&[]), []);
    }

    #[test]
    fn many_gaps_are_gathered() {
        let values: Vec<f64> = (0..12).map(|i| if i % 2 == 0 { f64::NAN } else { 1.0 }).collect();
        assert_eq!(
            complete(&values),
            [ChunkRows {
                range: 10..22,
                kept: Some(vec![1, 3, 5, 7, 9, 11])
            }]
        );
    }

    #[test]
    fn infinity_is_named_with_its_place() {
        fn refused<B: Backend>() {
            let matrix = Matrix::<B>::from_vec(vec![1.0, f64::NAN, 3.0, f64::INFINITY], [2, 2]).unwrap();
            let error = ChunkRows::complete("design", &matrix, 7).unwrap_err();
            assert!(matches!(
                error,
                Error::Infinite {
                    name: "design",
                    row: 8,
                    column: 1
                }
            ));
        }
        refused::<Cpu>();
        refused::<Card>();
    }
}
