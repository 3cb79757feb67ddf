//! How rows are cut into training and test rows.

use nemos_core::{Backend, Design};
use rand::RngExt;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::Error;
use crate::cuts::{at_least, dealt, enough, folds, near_in_rows, near_in_time, one_each, stretches};
use crate::splits::{Split, Splits};

/// How rows are cut into training rows and test rows: a plan, which [`cut`](Folds::cut) carries out on data.
///
/// | plan | test rows of a fold |
/// |---|---|
/// | [`k`](Folds::k) | a stretch of rows |
/// | [`shuffled`](Folds::shuffled) | rows at random |
/// | [`blocks`](Folds::blocks) | every `n`-th of many short stretches: each fold sees the whole recording |
/// | [`time_series`](Folds::time_series) | a stretch; only earlier rows are trained on |
/// | [`by_segment`](Folds::by_segment) | whole epochs or trials of the design |
/// | [`by_group`](Folds::by_group) | all rows of some groups |
/// | [`holdout`](Folds::holdout) | the last rows: one split |
/// | [`given`](Folds::given) | what you say |
///
/// Neighbouring bins resemble each other, and a history filter sees the bins before its own. So rows next to test rows tell of
/// them: a [`gap`](Folds::gap) keeps that many rows on both sides out of training. A gap ends where a segment does, unless it is in
/// seconds.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Design, Matrix};
/// use nemos_select::Folds;
/// let design = Design::<Cpu>::from(Matrix::from_column(vec![0.0; 10]));
/// let splits = Folds::k(5).gap(1).cut(&design)?;
/// assert_eq!(splits.get(1).test(), [2, 3]);
/// assert_eq!(splits.get(1).train(), [0, 5, 6, 7, 8, 9]);
/// # Ok::<(), nemos_select::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Folds {
    how: How,
    gap: Gap,
}

#[derive(Clone, Debug, PartialEq)]
enum How {
    K { n_folds: usize },
    Shuffled { n_folds: usize, seed: u64 },
    Blocks { n_folds: usize, n_blocks: usize },
    TimeSeries { n_folds: usize },
    Segments { n_folds: usize },
    Groups { n_folds: usize, of_row: Vec<usize> },
    Holdout { share: f64 },
    Given(Vec<Split>),
}

/// What is kept out of training on both sides of test rows.
#[derive(Copy, Clone, Debug, PartialEq)]
enum Gap {
    Rows(usize),
    Seconds(f64),
}

impl Default for Folds {
    /// Five stretches of rows.
    fn default() -> Self {
        Folds::k(5)
    }
}

impl Folds {
    fn of(how: How) -> Self {
        Folds { how, gap: Gap::Rows(0) }
    }

    /// So many stretches of rows, of equal length or one row longer, each tested on once. The first ones are longer.
    #[doc(alias = "KFold")]
    pub fn k(n_folds: usize) -> Self {
        Folds::of(How::K { n_folds })
    }

    /// Rows at random, each tested on once. For rows that do not depend on their neighbours; bins of a recording do.
    pub fn shuffled(n_folds: usize, seed: u64) -> Self {
        Folds::of(How::Shuffled { n_folds, seed })
    }

    /// `n_folds · n_blocks` stretches of rows, dealt out in turn, so that every fold tests on rows from the whole recording.
    pub fn blocks(n_folds: usize, n_blocks: usize) -> Self {
        Folds::of(How::Blocks { n_folds, n_blocks })
    }

    /// So many stretches at the end of the rows, of `n_rows / (n_folds + 1)` rows each; training takes all rows before.
    #[doc(alias = "TimeSeriesSplit")]
    pub fn time_series(n_folds: usize) -> Self {
        Folds::of(How::TimeSeries { n_folds })
    }

    /// Whole segments (epochs, trials) of the design, dealt out so that folds are about as long.
    pub fn by_segment(n_folds: usize) -> Self {
        Folds::of(How::Segments { n_folds })
    }

    /// Whole groups, dealt out so that folds are about as long: the largest first, each to the fold with fewest rows.
    ///
    /// # Shapes
    /// `of_row`: `[n_rows]`, the group of each row.
    #[doc(alias = "GroupKFold")]
    pub fn by_group(n_folds: usize, of_row: impl Into<Vec<usize>>) -> Self {
        Folds::of(How::Groups {
            n_folds,
            of_row: of_row.into(),
        })
    }

    /// One split: the last `share` of the rows is tested on.
    pub fn holdout(share: f64) -> Self {
        Folds::of(How::Holdout { share })
    }

    /// These splits.
    #[doc(alias = "PredefinedSplit")]
    pub fn given(splits: impl Into<Vec<Split>>) -> Self {
        Folds::of(How::Given(splits.into()))
    }

    /// Keeps so many rows on both sides of test rows out of training, within segments.
    pub fn gap(mut self, n_rows: usize) -> Self {
        self.gap = Gap::Rows(n_rows);
        self
    }

    /// Keeps rows within so many seconds of test rows out of training.
    pub fn gap_seconds(mut self, seconds: f64) -> Self {
        self.gap = Gap::Seconds(seconds);
        self
    }

    /// The training and test rows of each fold, on these rows.
    ///
    /// # Errors
    /// [`Error::Option`] unless there are two folds or more and the share is between zero and one; [`Error::TooManyFolds`];
    /// [`Error::EmptyFold`] if a gap leaves no rows to train on; [`Error::NoTimes`]; [`Error::Overlap`] and
    /// [`Error::Data`] where given splits do not fit the rows.
    pub fn cut<B: Backend>(&self, design: &Design<'_, B>) -> Result<Splits, Error> {
        design.check_whole("a choice of folds")?;
        let n_rows = design.n_rows();
        let splits = match &self.how {
            How::Given(splits) => splits.clone(),
            How::TimeSeries { n_folds } => {
                at_least("number of folds", *n_folds, 1)?;
                let length = n_rows / n_folds.saturating_add(1);
                enough(
                    *n_folds,
                    "rows beyond the first training rows",
                    if length == 0 { 0 } else { *n_folds },
                )?;
                let starts = (0..*n_folds).map(|fold| n_rows - (n_folds - fold) * length);
                starts.map(|start| Split::new(0..start, start..start + length)).collect()
            }
            How::Holdout { share } => {
                let n_test = (share * n_rows as f64).round();
                if !(*share > 0.0 && *share < 1.0) {
                    return Err(Error::Option {
                        option: "share of the test rows",
                        got: *share,
                        expected: "above zero and below one",
                    });
                }
                let start = n_rows - (n_test as usize).min(n_rows);
                vec![Split::new(0..start, start..n_rows)]
            }
            _ => one_each(&self.fold_of_rows(design)?),
        };
        let splits = splits.into_iter().map(|split| self.without_gap(split, design));
        Splits::new(splits.collect::<Result<_, _>>()?, n_rows)
    }

    /// The fold in which each row is tested on.
    fn fold_of_rows<B: Backend>(&self, design: &Design<'_, B>) -> Result<Vec<usize>, Error> {
        let n_rows = design.n_rows();
        match &self.how {
            How::K { n_folds } => {
                folds(*n_folds, "rows", n_rows)?;
                Ok(stretches(n_rows, *n_folds))
            }
            How::Blocks { n_folds, n_blocks } => {
                at_least("number of blocks of a fold", *n_blocks, 1)?;
                folds(*n_folds, "rows", n_rows)?;
                enough(n_folds.saturating_mul(*n_blocks), "rows", n_rows)?;
                let blocks = stretches(n_rows, n_folds * n_blocks);
                Ok(blocks.into_iter().map(|block| block % n_folds).collect())
            }
            How::Shuffled { n_folds, seed } => {
                folds(*n_folds, "rows", n_rows)?;
                let mut rows = stretches(n_rows, *n_folds);
                let mut rng = ChaCha8Rng::seed_from_u64(*seed);
                // Fisher and Yates.
                for last in (1..n_rows).rev() {
                    rows.swap(last, rng.random_range(0..=last));
                }
                Ok(rows)
            }
            How::Segments { n_folds } => {
                let segments = design.segments();
                let lengths: Vec<usize> = segments.ranges().iter().map(std::iter::ExactSizeIterator::len).collect();
                let of_segment = dealt(&lengths, *n_folds, "segments")?;
                let rows = of_segment.into_iter().zip(lengths);
                Ok(rows.flat_map(|(fold, length)| std::iter::repeat_n(fold, length)).collect())
            }
            How::Groups { n_folds, of_row } => {
                if of_row.len() != n_rows {
                    return Err(nemos_core::Error::RowsDiffer {
                        left_name: "the design",
                        left: n_rows,
                        right_name: "groups of rows",
                        right: of_row.len(),
                    }
                    .into());
                }
                let mut names = of_row.clone();
                names.sort_unstable();
                names.dedup();
                let mut sizes = vec![0; names.len()];
                let place = |group: &usize| names.partition_point(|name| name < group);
                of_row.iter().for_each(|group| sizes[place(group)] += 1);
                let of_group = dealt(&sizes, *n_folds, "groups")?;
                Ok(of_row.iter().map(|group| of_group[place(group)]).collect())
            }
            How::TimeSeries { .. } | How::Holdout { .. } | How::Given(_) => Ok(Vec::new()),
        }
    }

    /// Without training rows that are too near to test rows.
    fn without_gap<B: Backend>(&self, split: Split, design: &Design<'_, B>) -> Result<Split, Error> {
        let near = match self.gap {
            Gap::Rows(0) => return Ok(split),
            Gap::Rows(gap) => near_in_rows(&split, gap, design),
            Gap::Seconds(gap) => {
                if !(gap.is_finite() && gap >= 0.0) {
                    return Err(Error::Option {
                        option: "gap in seconds",
                        got: gap,
                        expected: "finite and not below zero",
                    });
                }
                near_in_time(&split, gap, design.times().ok_or(Error::NoTimes)?)
            }
        };
        let train: Vec<usize> = split
            .train()
            .iter()
            .copied()
            .filter(|&row| !near.get(row).is_some_and(|near| *near))
            .collect();
        Ok(Split::new(train, split.test().to_vec()))
    }
}
