//! A design and counts, read together a chunk at a time.

use std::sync::{Arc, OnceLock};

use nemos_core::{Backend, Design, Error, Matrix, Rows, row_chunks};

use crate::engine::chunk::{Chunk, RowNumbers};
use crate::engine::selection::{ChunkRows, all_finite};
use crate::engine::shards::{Sum, fold};

/// A design and counts, with the rows that can be used.
#[derive(Clone, Debug)]
pub(crate) struct Data<'a, B: Backend> {
    pub(crate) design: Design<'a, B>,
    pub(crate) counts: Design<'a, B>,
    /// Rows whose features are complete; nothing before a first pass has looked.
    complete: Option<Complete<B>>,
    chunk_rows: usize,
}

#[derive(Clone, Debug)]
struct Complete<B: Backend> {
    chunks: Vec<ChunkRows>,
    /// Number of the first row of each chunk, among the rows that can be used.
    starts: Vec<usize>,
    /// One for each chunk, or none where nothing is kept.
    kept: Arc<[OnceLock<Kept<B>>]>,
}

/// What a pass has cut out of rows that are on a device, for the passes after it.
#[derive(Debug)]
struct Kept<B: Backend> {
    features: Matrix<B>,
    counts: Matrix<B>,
    /// Whether no count is missing.
    is_whole: bool,
}

/// What a pass reads.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    Everything,
    /// All but the features, which are read only to find out which rows are complete, where that is not known.
    WithoutFeatures,
}

/// What a pass ends with: sums, and the rows that it found to be complete.
pub(crate) struct Passed<S> {
    pub(crate) sums: S,
    complete: Vec<ChunkRows>,
}

impl<S: Sum> Sum for Passed<S> {
    fn merge(&mut self, later: Self) {
        self.sums.merge(later.sums);
        self.complete.extend(later.complete);
    }
}

impl<'a, B: Backend> Data<'a, B> {
    /// Checks that a design and counts belong together; `n_problems` is how many columns a pass computes for.
    pub(crate) fn new(design: Design<'a, B>, counts: Design<'a, B>, n_problems: usize) -> Result<Self, crate::Error> {
        B::check()?;
        check(&design, &counts)?;
        let width = design.n_columns() + counts.n_columns().max(n_problems);
        Ok(Data {
            design,
            counts,
            complete: None,
            chunk_rows: B::chunk_rows(width),
        })
    }

    /// Rows that can be used, together, once a pass has looked.
    pub(crate) fn n_complete(&self) -> usize {
        self.complete.as_ref().map_or(0, |complete| {
            let last = complete.starts.last().zip(complete.chunks.last());
            last.map_or(0, |(start, chunk)| start + chunk.n_rows())
        })
    }

    /// Whether no pass has looked yet.
    pub(crate) fn is_new(&self) -> bool {
        self.complete.is_none()
    }

    /// Remembers which rows a pass has found to be complete.
    ///
    /// # Errors
    /// [`Error::AllMissing`] if there is none.
    pub(crate) fn remember<S>(&mut self, passed: Passed<S>) -> Result<S, Error> {
        if self.complete.is_none() {
            if passed.complete.is_empty() {
                return Err(Error::AllMissing {
                    name: "design",
                    rows: self.design.n_rows(),
                });
            }
            let starts = passed.complete.iter().scan(0, |end, chunk| {
                *end += chunk.n_rows();
                Some(*end - chunk.n_rows())
            });
            let n_kept = if self.keeps_chunks() { passed.complete.len() } else { 0 };
            self.complete = Some(Complete {
                starts: starts.collect(),
                chunks: passed.complete,
                kept: (0..n_kept).map(|_| OnceLock::new()).collect(),
            });
        }
        Ok(passed.sums)
    }

    /// Whether chunks are kept from pass to pass: on a device that holds the rows, and where a copy of them takes no more than a buffer.
    fn keeps_chunks(&self) -> bool {
        let values = self.design.n_rows() * (self.design.n_columns() + self.counts.n_columns());
        let room = B::largest_tensor().unwrap_or(1 << 30);
        !B::HOST && self.design.is_held() && self.counts.is_held() && values * B::DTYPE.size() <= room
    }

    /// Adds up all chunks: `new` makes what `add` adds to, one for each shard.
    pub(crate) fn pass<S: Sum, E: From<Error> + Send>(
        &self,
        read: Read,
        new: impl Fn() -> S + Send + Sync,
        add: impl Fn(&mut S, &Chunk<B>) -> Result<(), E> + Send + Sync,
    ) -> Result<Passed<S>, E> {
        match &self.complete {
            Some(known) => {
                let places: Vec<usize> = (0..known.chunks.len()).collect();
                fold(&places, B::HOST, &|places: &[usize]| {
                    let mut sums = new();
                    for &place in places {
                        add(&mut sums, &self.known_chunk(known, place, read)?)?;
                    }
                    let complete = Vec::new();
                    Ok(Passed { sums, complete })
                })
            }
            None => {
                let ranges: Vec<_> = row_chunks(self.design.n_rows(), self.chunk_rows).collect();
                fold(&ranges, B::HOST, &|ranges: &[std::ops::Range<usize>]| {
                    let (mut sums, mut complete) = (new(), Vec::new());
                    for range in ranges {
                        let block = self.design.chunk(range.clone())?;
                        for rows in self.complete_rows(&block, range.clone())? {
                            let features = rows.cut(&block, range.start)?;
                            add(&mut sums, &self.chunk(&rows, Some(features))?)?;
                            complete.push(rows);
                        }
                    }
                    Ok(Passed { sums, complete })
                })
            }
        }
    }

    /// A chunk of rows that are known to be complete.
    fn known_chunk(&self, known: &Complete<B>, place: usize, read: Read) -> Result<Chunk<B>, Error> {
        let rows = &known.chunks[place];
        let Some(cell) = known.kept.get(place) else {
            let features = match read {
                Read::Everything => Some(rows.of(self.design.rows())?),
                Read::WithoutFeatures => None,
            };
            return self.chunk(rows, features);
        };
        let kept = match cell.get() {
            Some(kept) => kept,
            None => {
                let counts = rows.of(self.counts.rows())?;
                let kept = Kept {
                    features: rows.of(self.design.rows())?,
                    is_whole: all_finite(&counts)?,
                    counts,
                };
                cell.get_or_init(|| kept)
            }
        };
        let features = (read == Read::Everything).then(|| kept.features.clone());
        let chunk = self.of_counts(rows, features, kept.counts.clone())?;
        Ok(Chunk {
            is_whole: kept.is_whole,
            ..chunk
        })
    }

    /// Looks at all chunks that can be used, one after the other.
    pub(crate) fn in_order<E: From<Error>>(&self, mut act: impl FnMut(&Chunk<B>) -> Result<(), E>) -> Result<(), E> {
        let chunks = self.complete.as_ref().map_or(&[][..], |complete| &complete.chunks);
        for rows in chunks {
            act(&self.chunk(rows, Some(rows.of(self.design.rows())?))?)?;
        }
        Ok(())
    }

    /// The rows without NaN, in the features or the offset.
    fn complete_rows(&self, features: &Matrix<B>, range: std::ops::Range<usize>) -> Result<Vec<ChunkRows>, Error> {
        let first = range.start;
        match self.design.offset() {
            None => ChunkRows::complete("design", features, first),
            Some(offset) => {
                let offset = offset.rows(range)?;
                if all_finite(&offset)? {
                    return ChunkRows::complete("design", features, first);
                }
                ChunkRows::complete("design", &Matrix::beside(vec![features.clone(), offset])?, first)
            }
        }
    }

    fn chunk(&self, rows: &ChunkRows, features: Option<Matrix<B>>) -> Result<Chunk<B>, Error> {
        self.of_counts(rows, features, rows.of(self.counts.rows())?)
    }

    fn of_counts(&self, rows: &ChunkRows, features: Option<Matrix<B>>, counts: Matrix<B>) -> Result<Chunk<B>, Error> {
        let some = |matrix: Option<&Matrix<B>>| matrix.map(|matrix| rows.cut(matrix, 0)).transpose();
        Ok(Chunk {
            features,
            counts,
            is_whole: false,
            weights: some(self.design.weights())?,
            offset: some(self.design.offset())?,
            rows: RowNumbers::Of(rows.clone()),
        })
    }

    /// Rows by their numbers among those that can be used.
    pub(crate) fn gather(&self, rows: &[usize]) -> Result<Chunk<B>, Error> {
        let complete = self.complete.as_ref();
        let row_of = |&row: &usize| {
            complete.map_or(row, |complete| {
                let chunk = complete.starts.partition_point(|&start| start <= row) - 1;
                complete.chunks[chunk].row(row - complete.starts[chunk])
            })
        };
        let rows: Vec<usize> = rows.iter().map(row_of).collect();
        let some = |matrix: Option<&Matrix<B>>| matrix.map(|matrix| matrix.select_rows(&rows)).transpose();
        Ok(Chunk {
            features: Some(self.design.rows().gather(&rows)?),
            counts: self.counts.rows().gather(&rows)?,
            is_whole: false,
            weights: some(self.design.weights())?,
            offset: some(self.design.offset())?,
            rows: RowNumbers::Listed(rows),
        })
    }
}

/// Checks that a design and counts belong together.
fn check<B: Backend>(design: &Design<'_, B>, counts: &Design<'_, B>) -> Result<(), crate::Error> {
    // Without features there is an intercept: the null model.
    for (name, rows, columns, fewest) in [
        ("design", design.n_rows(), design.n_columns(), 0),
        ("counts", counts.n_rows(), counts.n_columns(), 1),
    ] {
        if rows == 0 || columns < fewest {
            return Err(Error::Empty { name, rows, columns }.into());
        }
    }
    if design.n_rows() != counts.n_rows() {
        let (left, right) = (design.n_rows(), counts.n_rows());
        return Err(Error::RowsDiffer {
            left_name: "design",
            left,
            right_name: "counts",
            right,
        }
        .into());
    }
    if let (Some(left), Some(right)) = (design.times(), counts.times())
        && let Some(row) = nemos_core::first_time_apart(left, right)
    {
        return Err(crate::Error::TimesDiffer {
            row,
            design: left[row],
            counts: right[row],
        });
    }
    Ok(())
}
