//! A design and counts, read together a chunk at a time.

use std::fmt::Display;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use nemos_core::{Backend, Design, Digest, Error, Matrix, Rows, row_chunks};

use crate::engine::chunk::{Chunk, RowNumbers};
use crate::engine::numbers::Numbers;
use crate::engine::selection::{ChunkRows, all_finite};
use crate::engine::shards::{Sum, cut, fold, fold_over_processes};

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
    /// Number of the first row of each chunk, among the rows of this process that can be used.
    starts: Vec<usize>,
    /// One for each chunk, or none where nothing is kept.
    kept: Arc<[OnceLock<Kept<B>>]>,
    /// Those of all processes, of the processes before, and of this one.
    n_all: usize,
    n_before: usize,
    n_here: usize,
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

    fn settle(&mut self) {
        self.sums.settle();
    }

    fn pack(&self, to: &mut Vec<f64>) {
        self.sums.pack(to);
    }

    // Which rows of another process are complete is its own affair.
    fn unpack(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        self.sums.unpack(from)
    }
}

impl<'a, B: Backend> Data<'a, B> {
    /// Checks that a design and counts belong together; `n_problems` is how many columns a pass computes for.
    pub(crate) fn new(design: Design<'a, B>, counts: Design<'a, B>, n_problems: usize) -> Result<Self, crate::Error> {
        Data::checked(design, counts, n_problems, |_, _| Ok(()))
    }

    /// The same with what else has to be checked. No process goes on unless all can.
    pub(crate) fn checked(
        design: Design<'a, B>,
        counts: Design<'a, B>,
        n_problems: usize,
        and: impl FnOnce(&Design<'a, B>, &Design<'a, B>) -> Result<(), crate::Error>,
    ) -> Result<Self, crate::Error> {
        let is_fine = || {
            and(&design, &counts)?;
            B::check()?;
            check(&design, &counts)
        };
        let columns = [design.n_columns(), counts.n_columns(), n_problems];
        let mut key = Digest::new();
        columns.into_iter().for_each(|n| key.add(n as u64));
        // Columns in another order would be added up with others.
        if design.share().is_some() {
            let names = [design.names(), counts.names()];
            names.iter().flat_map(|names| names.columns()).for_each(|name| key.text(name));
        }
        fold_over_processes(design.share(), key.word(), is_fine().map(|()| Vec::new()), Vec::<f64>::new)?;
        let width = design.n_columns() + counts.n_columns().max(n_problems);
        Ok(Data {
            design,
            counts,
            complete: None,
            chunk_rows: B::chunk_rows(width),
        })
    }

    /// With blocks of so many rows, where something limits them.
    pub(crate) fn with_block_rows(mut self, block_rows: Option<usize>) -> Self {
        self.chunk_rows = block_rows.unwrap_or(self.chunk_rows);
        self
    }

    /// Rows that can be used, of all processes together, once a pass has looked.
    pub(crate) fn n_complete(&self) -> usize {
        self.complete.as_ref().map_or(0, |complete| complete.n_all)
    }

    /// The rows of this process, in the order of the shards, some at a time.
    pub(crate) fn ranges(&self, at_a_time: usize) -> Vec<Range<usize>> {
        let within = |shard: Range<usize>| {
            let start = shard.start;
            row_chunks(shard.len(), at_a_time).map(move |range| start + range.start..start + range.end)
        };
        match self.design.share() {
            Some(share) if B::HOST => share.shards().flat_map(within).collect(),
            _ => within(0..self.design.n_rows()).collect(),
        }
    }

    /// Shards of what has rows from `start_of` on: those of the whole recording that this process has, where it shares one. A device
    /// takes everything in order.
    fn shards<'i, I>(&self, items: &'i [I], start_of: impl Fn(&I) -> usize) -> Vec<&'i [I]> {
        if !B::HOST {
            return vec![items];
        }
        let Some(share) = self.design.share() else { return cut(items) };
        let place = |row: usize| items.partition_point(|item| start_of(item) < row);
        let shards = share.shards().map(|shard| &items[place(shard.start)..place(shard.end)]);
        shards.collect()
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
            let starts = passed.complete.iter().scan(0, |end, chunk| {
                *end += chunk.n_rows();
                Some(*end - chunk.n_rows())
            });
            let n_kept = if self.keeps_chunks() { passed.complete.len() } else { 0 };
            let starts: Vec<usize> = starts.collect();
            let n_here = passed.complete.iter().map(ChunkRows::n_rows).sum();
            let of_processes = self.design.gathered(vec![n_here as f64])?;
            let rank = self.design.share().map_or(0, |share| share.world().rank());
            let sum = |some: &[Vec<f64>]| some.iter().flatten().sum::<f64>() as usize;
            let (n_before, n_all) = (sum(&of_processes[..rank]), sum(&of_processes));
            if n_all == 0 {
                return Err(Error::AllMissing {
                    name: "design",
                    rows: self.design.n_rows_of_all(),
                });
            }
            self.complete = Some(Complete {
                starts,
                chunks: passed.complete,
                kept: (0..n_kept).map(|_| OnceLock::new()).collect(),
                n_all,
                n_before,
                n_here,
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

    /// Adds up all chunks of all processes: `new` makes what `add` adds to, one for each shard.
    pub(crate) fn pass<S: Sum, E: From<Error> + Display + Send>(
        &self,
        read: Read,
        new: impl Fn() -> S + Send + Sync,
        add: impl Fn(&mut S, &Chunk<B>) -> Result<(), E> + Send + Sync,
    ) -> Result<Passed<S>, E> {
        self.pass_at(Digest::of_text("pass"), read, new, add)
    }

    /// The same with a key: what has to be the same in all processes.
    pub(crate) fn pass_at<S: Sum, E: From<Error> + Display + Send>(
        &self,
        key: u64,
        read: Read,
        new: impl Fn() -> S + Send + Sync,
        add: impl Fn(&mut S, &Chunk<B>) -> Result<(), E> + Send + Sync,
    ) -> Result<Passed<S>, E> {
        let here = self.pass_here(read, &new, add);
        let nothing = || Passed {
            sums: new(),
            complete: Vec::new(),
        };
        fold_over_processes(self.design.share(), key, here, nothing)
    }

    /// Adds up some rows, by their numbers among those that can be used.
    pub(crate) fn pass_over<S: Sum, E: From<Error> + Display + Send>(
        &self,
        key: u64,
        rows: &[usize],
        new: impl Fn() -> S + Send + Sync,
        add: impl Fn(&mut S, &Chunk<B>) -> Result<(), E> + Send + Sync,
    ) -> Result<S, E> {
        let work = |rows: &[usize]| {
            let mut sums = new();
            if !rows.is_empty() {
                add(&mut sums, &self.gather(rows)?)?;
            }
            Ok(sums)
        };
        if self.design.share().is_none() {
            return work(rows);
        }
        let of_shards = self.by_shard(rows);
        let of_shards: Vec<&[usize]> = of_shards.iter().map(Vec::as_slice).collect();
        fold_over_processes(self.design.share(), key, fold(&of_shards, &work), &new)
    }

    fn pass_here<S: Sum, E: From<Error> + Send>(
        &self,
        read: Read,
        new: &(impl Fn() -> S + Send + Sync),
        add: impl Fn(&mut S, &Chunk<B>) -> Result<(), E> + Send + Sync,
    ) -> Result<Passed<S>, E> {
        match &self.complete {
            Some(known) => {
                let places: Vec<usize> = (0..known.chunks.len()).collect();
                fold(&self.shards(&places, |&place| known.chunks[place].row(0)), &|places: &[usize]| {
                    let mut sums = new();
                    for &place in places {
                        add(&mut sums, &self.known_chunk(known, place, read)?)?;
                    }
                    sums.tidy();
                    let complete = Vec::new();
                    Ok(Passed { sums, complete })
                })
            }
            None => {
                let ranges = self.ranges(self.chunk_rows);
                fold(&self.shards(&ranges, |range| range.start), &|ranges: &[Range<usize>]| {
                    let (mut sums, mut complete) = (new(), Vec::new());
                    for range in ranges {
                        let block = self.design.chunk(range.clone())?;
                        for rows in self.complete_rows(&block, range.clone())? {
                            let features = rows.cut(&block, range.start)?;
                            add(&mut sums, &self.chunk(&rows, Some(features))?)?;
                            complete.push(rows);
                        }
                    }
                    sums.tidy();
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

    /// Those of these rows that this process has, counted among its own, by the shard that each is in.
    fn by_shard(&self, rows: &[usize]) -> Vec<Vec<usize>> {
        let Some(known) = &self.complete else { return vec![rows.to_vec()] };
        let shards = self.shards(&known.chunks, |chunk| chunk.row(0));
        let ends: Vec<usize> = shards
            .into_iter()
            .scan(0, |end, chunks| {
                *end += chunks.iter().map(ChunkRows::n_rows).sum::<usize>();
                Some(*end)
            })
            .collect();
        let mut of_shards = vec![Vec::new(); ends.len()];
        let here = rows.iter().filter_map(|row| row.checked_sub(known.n_before));
        for row in here.filter(|row| *row < known.n_here) {
            of_shards[ends.partition_point(|&end| end <= row)].push(row);
        }
        of_shards
    }

    /// All rows of this process that can be used, at once.
    pub(crate) fn gather_all(&self) -> Result<Chunk<B>, Error> {
        let n = self.complete.as_ref().map_or(0, |known| known.n_here);
        self.gather(&(0..n).collect::<Vec<_>>())
    }

    /// Looks at all chunks of this process that can be used, one after the other.
    pub(crate) fn in_order<E: From<Error>>(&self, mut act: impl FnMut(&Chunk<B>) -> Result<(), E>) -> Result<(), E> {
        let chunks = self.complete.as_ref().map_or(&[][..], |complete| &complete.chunks);
        for rows in chunks {
            act(&self.chunk(rows, Some(rows.of(self.design.rows())?))?)?;
        }
        Ok(())
    }

    /// The rows without NaN, in the features or the offset.
    fn complete_rows(&self, features: &Matrix<B>, range: Range<usize>) -> Result<Vec<ChunkRows>, Error> {
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

    /// Rows of this process by their numbers among those that can be used.
    fn gather(&self, rows: &[usize]) -> Result<Chunk<B>, Error> {
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
    // Sums go over processes by the share of the design: without it each process would fit its own rows.
    if design.share().is_none() {
        counts.check_whole("a design that is not shared as its counts are (Share::design)")?;
    }
    // Without features there is an intercept: the null model.
    for (name, rows, columns, fewest) in [
        ("design", design.n_rows(), design.n_columns(), 0),
        ("counts", counts.n_rows(), counts.n_columns(), 1),
    ] {
        // Of many processes, some may have no rows.
        let too_few = rows == 0 && design.share().is_none_or(|share| share.n_rows() == 0);
        if too_few || columns < fewest {
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
