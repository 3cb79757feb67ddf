//! Training and test rows.

use std::collections::HashMap;
use std::fmt;

use crate::Error;

/// The rows that are trained on and the rows that are tested on, by their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Split {
    train: Vec<usize>,
    test: Vec<usize>,
}

impl Split {
    /// These rows, in rising order.
    pub fn new(train: impl IntoIterator<Item = usize>, test: impl IntoIterator<Item = usize>) -> Self {
        let sorted = |rows: Vec<usize>| {
            let mut rows = rows;
            rows.sort_unstable();
            rows.dedup();
            rows
        };
        Split {
            train: sorted(train.into_iter().collect()),
            test: sorted(test.into_iter().collect()),
        }
    }

    /// The rows that are trained on.
    pub fn train(&self) -> &[usize] {
        &self.train
    }

    /// The rows that are tested on.
    pub fn test(&self) -> &[usize] {
        &self.test
    }
}

/// The training and test rows of every fold, checked: no row is in both. Prints as a picture, a line for each fold.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Design, Matrix};
/// use nemos_select::Folds;
/// let design = Design::<Cpu>::from(Matrix::from_column(vec![0.0; 9]));
/// let splits = Folds::k(3).gap(1).cut(&design)?;
/// assert_eq!(splits.to_string(), "0 ###·-----  5 rows to train on, 3 to test on\n\
///                                 1 --·###·--  4 rows to train on, 3 to test on\n\
///                                 2 -----·###  5 rows to train on, 3 to test on\n");
/// # Ok::<(), nemos_select::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Splits {
    splits: Vec<Split>,
    n_rows: usize,
}

/// Rows that the same folds train on, and the classes of such rows that each fold leaves out of training.
pub(crate) struct Classes {
    pub(crate) of_row: Vec<u8>,
    pub(crate) left_out: Vec<Vec<u8>>,
}

impl Splits {
    /// Checks splits against the rows that there are.
    pub(crate) fn new(splits: Vec<Split>, n_rows: usize) -> Result<Self, Error> {
        if splits.is_empty() {
            return Err(Error::Option {
                option: "number of splits",
                got: 0.0,
                expected: "at least one",
            });
        }
        for (fold, split) in splits.iter().enumerate() {
            for (rows, purpose) in [(&split.train, "train on"), (&split.test, "test on")] {
                match rows.last() {
                    None => return Err(Error::EmptyFold { fold, purpose }),
                    Some(&row) if row >= n_rows => {
                        return Err(nemos_core::Error::RowsOutside {
                            start: row,
                            end: row + 1,
                            available: n_rows,
                        }
                        .into());
                    }
                    Some(_) => {}
                }
            }
            if let Some(&row) = split.test.iter().find(|row| split.train.binary_search(row).is_ok()) {
                return Err(Error::Overlap { fold, row });
            }
        }
        Ok(Splits { splits, n_rows })
    }

    /// The same test rows, and the first of the training rows.
    pub(crate) fn with_first(&self, share: f64) -> Result<Self, Error> {
        let first = |split: &Split| {
            let n = (share * split.train.len() as f64).round() as usize;
            Split {
                train: split.train[..n.clamp(1, split.train.len())].to_vec(),
                test: split.test.clone(),
            }
        };
        Splits::new(self.splits.iter().map(first).collect(), self.n_rows)
    }

    /// Every fold tested on what it is trained on.
    pub(crate) fn on_training_rows(&self) -> Self {
        let same = |split: &Split| Split {
            test: split.train.clone(),
            train: split.train.clone(),
        };
        Splits {
            splits: self.splits.iter().map(same).collect(),
            n_rows: self.n_rows,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.splits.len()
    }

    /// Never: there is at least one.
    pub fn is_empty(&self) -> bool {
        self.splits.is_empty()
    }

    /// One of them.
    ///
    /// # Panics
    /// If there are not as many.
    pub fn get(&self, fold: usize) -> &Split {
        &self.splits[fold]
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Split> {
        self.splits.iter()
    }

    /// Groups of folds, so many at a time at most, whose classes of rows a byte can tell apart.
    pub(crate) fn in_classes(&self, at_a_time: usize) -> Vec<(Vec<usize>, Classes)> {
        let mut groups = Vec::new();
        let mut folds: Vec<usize> = (0..self.len()).collect();
        while !folds.is_empty() {
            let mut n = folds.len().min(at_a_time.max(1));
            let classes = loop {
                if let Some(classes) = self.classes(&folds[..n]) {
                    break classes;
                }
                n = n.div_ceil(2);
            };
            let rest = folds.split_off(n);
            groups.push((std::mem::replace(&mut folds, rest), classes));
        }
        groups
    }

    /// Nothing if there are too many classes for a byte. Of one fold there are two.
    fn classes(&self, folds: &[usize]) -> Option<Classes> {
        let mut pattern = vec![Vec::<u16>::new(); self.n_rows];
        for (place, &fold) in folds.iter().enumerate() {
            self.splits[fold].train.iter().for_each(|&row| pattern[row].push(place as u16));
        }
        let mut known: HashMap<&[u16], u8> = HashMap::new();
        let mut of_row = Vec::with_capacity(self.n_rows);
        for pattern in &pattern {
            let next = known.len();
            let class = match known.get(pattern.as_slice()) {
                Some(&class) => class,
                None => *known.entry(pattern).or_insert(u8::try_from(next).ok()?),
            };
            of_row.push(class);
        }
        let left_out = |place: usize| {
            let trained = |pattern: &[u16]| pattern.contains(&(place as u16));
            let mut classes: Vec<u8> = known
                .iter()
                .filter(|(pattern, _)| !trained(pattern))
                .map(|(_, &class)| class)
                .collect();
            classes.sort_unstable();
            classes
        };
        let left_out = (0..folds.len()).map(left_out).collect();
        Some(Classes { of_row, left_out })
    }
}

// Columns of the picture.
const WIDTH: usize = 60;

impl fmt::Display for Splits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.n_rows.min(WIDTH);
        let digits = (self.len() - 1).to_string().len();
        for (fold, split) in self.splits.iter().enumerate() {
            write!(f, "{fold:digits$} ")?;
            for column in 0..width {
                let (from, to) = (column * self.n_rows / width, (column + 1) * self.n_rows / width);
                let within = |rows: &[usize]| rows.partition_point(|&row| row < to) - rows.partition_point(|&row| row < from);
                let (train, test) = (within(&split.train), within(&split.test));
                f.write_str(match (test, train) {
                    (0, 0) => "·",
                    (test, train) if test >= train => "#",
                    _ => "-",
                })?;
            }
            writeln!(f, "  {} rows to train on, {} to test on", split.train.len(), split.test.len())?;
        }
        Ok(())
    }
}
