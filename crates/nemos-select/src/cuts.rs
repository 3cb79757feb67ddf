//! Ways to cut rows, and to keep others away from them.

use nemos_core::{Backend, Design};

use crate::Error;
use crate::splits::Split;

/// Which rows are within so many rows of a test row, in its segment.
pub(crate) fn near_in_rows<B: Backend>(split: &Split, gap: usize, design: &Design<'_, B>) -> Vec<bool> {
    let mut near = vec![false; design.n_rows()];
    let segments = design.segments();
    let ends: Vec<usize> = segments.ranges().iter().map(|range| range.end).collect();
    for run in split.test().chunk_by(|a, b| a + 1 == *b) {
        let (first, last) = (run[0], run[run.len() - 1]);
        let range = |row: usize| segments.ranges().get(ends.partition_point(|&end| end <= row));
        let (Some(before), Some(after)) = (range(first), range(last)) else {
            continue;
        };
        let from = first.saturating_sub(gap).max(before.start);
        let to = last.saturating_add(gap).saturating_add(1).min(after.end);
        near[from..to].fill(true);
    }
    near
}

/// Which rows are within so many seconds of a test row.
pub(crate) fn near_in_time(split: &Split, gap: f64, times: &[f64]) -> Vec<bool> {
    let mut tested: Vec<f64> = split.test().iter().filter_map(|&row| times.get(row).copied()).collect();
    tested.sort_unstable_by(f64::total_cmp);
    let is_near = |time: f64| {
        let next = tested.partition_point(|&tested| tested < time);
        let beside = [next.checked_sub(1), Some(next)].into_iter().flatten();
        beside
            .filter_map(|place| tested.get(place))
            .any(|tested| (tested - time).abs() <= gap)
    };
    times.iter().map(|&time| is_near(time)).collect()
}

/// Every row is tested on in its fold, and trained on in all others.
pub(crate) fn one_each(fold_of_row: &[usize]) -> Vec<Split> {
    let n_folds = fold_of_row.iter().max().map_or(0, |last| last + 1);
    let split = |fold: usize| {
        let (test, train) = (0..fold_of_row.len()).partition::<Vec<usize>, _>(|&row| fold_of_row[row] == fold);
        Split::new(train, test)
    };
    (0..n_folds).map(split).collect()
}

/// Which of so many stretches each row is in; the first `n_rows % n` are one row longer.
pub(crate) fn stretches(n_rows: usize, n: usize) -> Vec<usize> {
    let length = |stretch: usize| n_rows / n + usize::from(stretch < n_rows % n);
    (0..n).flat_map(|stretch| std::iter::repeat_n(stretch, length(stretch))).collect()
}

/// The fold of each part: the largest first, and of those as large the last, each to the fold with fewest rows.
pub(crate) fn dealt(sizes: &[usize], n_folds: usize, what: &'static str) -> Result<Vec<usize>, Error> {
    folds(n_folds, what, sizes.iter().filter(|size| **size > 0).count())?;
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&part| std::cmp::Reverse((sizes[part], part)));
    let (mut rows, mut of_part) = (vec![0; n_folds], vec![0; sizes.len()]);
    for part in order {
        let fewest = (0..n_folds).min_by_key(|&fold| rows[fold]).unwrap_or_default();
        rows[fewest] += sizes[part];
        of_part[part] = fewest;
    }
    Ok(of_part)
}

pub(crate) fn folds(n_folds: usize, what: &'static str, available: usize) -> Result<(), Error> {
    at_least("number of folds", n_folds, 2)?;
    enough(n_folds, what, available)
}

pub(crate) fn at_least(option: &'static str, got: usize, least: usize) -> Result<(), Error> {
    if got >= least {
        return Ok(());
    }
    let expected = if least == 1 { "at least one" } else { "at least two" };
    Err(Error::Option {
        option,
        got: got as f64,
        expected,
    })
}

pub(crate) fn enough(folds: usize, what: &'static str, available: usize) -> Result<(), Error> {
    match folds <= available {
        true => Ok(()),
        false => Err(Error::TooManyFolds { folds, what, available }),
    }
}
