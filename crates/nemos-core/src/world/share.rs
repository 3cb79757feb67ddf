//! The rows of one process.

use std::fmt::Display;
use std::ops::Range;
use std::sync::Arc;

use super::processes::World;
use crate::{Backend, Design, Digest, Error, Segments};

/// The rows of a recording that one process has: contiguous, and in a fixed number of shards.
///
/// Shards are cut by the rows of the whole recording, however many processes there are: sums over them are the same to
/// the last bit for one process, two, four, … up to as many as there are shards (32, or more where a shard would have more than
/// 4,096 rows, up to 1,024). Other numbers of processes agree up to rounding.
#[derive(Clone, Debug)]
pub struct Share {
    world: World,
    /// Ends of this process's shards in the whole recording, the first being where its rows start.
    ends: Arc<[usize]>,
    n_rows: usize,
    in_whole_segments: bool,
}

/// Sums over some rows, and the first of these.
pub type Piece = (usize, Vec<f64>);

/// Sums over rows before, and over rows after.
pub(crate) fn add(mut before: Vec<f64>, after: Vec<f64>) -> Vec<f64> {
    before.iter_mut().zip(after).for_each(|(sum, more)| *sum += more);
    before
}

/// Halves, the first of which is the largest power of two, as processes meet.
fn tree(mut sums: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    if sums.len() <= 1 {
        return sums.pop();
    }
    let after = sums.split_off(sums.len().next_power_of_two() / 2);
    Some(add(tree(sums)?, tree(after)?))
}

// Enough for the cores of a machine, and for many processes.
const FEWEST: usize = 32;
const MOST: usize = 1024;
// Rows of a shard that more shards are made of.
const ROWS: usize = 4096;

impl Share {
    pub(crate) fn of_rows(world: World, n_rows: usize) -> Self {
        Share::cut(world, n_rows, false, |row| row)
    }

    pub(crate) fn of_segments(world: World, segments: &Segments) -> Self {
        let starts: Vec<usize> = segments.ranges().iter().map(|range| range.start).collect();
        let n_rows = segments.n_rows();
        // The start of a segment that is nearest.
        let nearest = |row: usize| {
            let place = starts.partition_point(|&start| start <= row);
            let before = place.checked_sub(1).map_or(0, |place| starts[place]);
            let after = starts.get(place).copied().unwrap_or(n_rows);
            if row - before <= after - row { before } else { after }
        };
        Share::cut(world, n_rows, true, nearest)
    }

    fn cut(world: World, n_rows: usize, in_whole_segments: bool, nearest: impl Fn(usize) -> usize) -> Self {
        let n_ranks = world.n_ranks();
        let by_rows = ((n_rows / ROWS + 1).next_power_of_two() / 2).clamp(FEWEST, MOST);
        let n_shards = by_rows.max(n_ranks.next_power_of_two());
        let of_rank = |rank: usize| rank * n_shards / n_ranks;
        let shards = of_rank(world.rank())..=of_rank(world.rank() + 1);
        let end = |shard: usize| match shard {
            shard if shard == n_shards => n_rows,
            shard => nearest((shard as u128 * n_rows as u128 / n_shards as u128) as usize),
        };
        Share {
            ends: shards.map(end).collect(),
            n_rows,
            in_whole_segments,
            world,
        }
    }

    /// The processes.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// This process's rows, by their numbers in the whole recording.
    pub fn rows(&self) -> Range<usize> {
        self.ends[0]..self.ends[self.ends.len() - 1]
    }

    /// Rows of the whole recording.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Whether no segment was cut.
    pub fn is_in_whole_segments(&self) -> bool {
        self.in_whole_segments
    }

    /// The shards of this process, by the numbers of its own rows.
    pub fn shards(&self) -> impl ExactSizeIterator<Item = Range<usize>> {
        self.ends.windows(2).map(|ends| ends[0] - self.ends[0]..ends[1] - self.ends[0])
    }

    /// Adds up `n` numbers over the rows of all processes: `pieces` are sums over some rows of one shard each, with the first of these rows, in
    /// order. They are added up within shards, shards by a fixed tree, and so on over processes: the same bits for any number of them that
    /// divides the shards. `step` names what is added up: the same in all processes.
    ///
    /// # Errors
    /// This process's own error; [`Error::Process`] with that of another one.
    pub fn add_up<E: Display + From<Error>>(&self, step: &str, pieces: Result<Vec<Piece>, E>, n: usize) -> Result<Vec<f64>, E> {
        let mine = pieces.map(|pieces| {
            let mut pieces = pieces.into_iter().peekable();
            let of_shards = self.shards().map(|shard| {
                let mut sum = vec![0.0; n];
                while let Some((_, piece)) = pieces.next_if(|(row, _)| *row < shard.end) {
                    sum = add(sum, piece);
                }
                sum
            });
            tree(of_shards.collect()).unwrap_or_else(|| vec![0.0; n])
        });
        let pack = |sums: &Vec<f64>, to: &mut Vec<f64>| to.extend_from_slice(sums);
        let unpack = |from: &[f64]| (from.len() == n).then(|| from.to_vec());
        let key = Digest::of_text(step) ^ (self.n_rows as u64).rotate_left(32);
        self.world.reduce((key, mine), &pack, &unpack, &add)
    }

    /// This process's rows as its share of the whole recording: fits and scores are then those of all rows. Counts need not be said to
    /// be shared; weights and offsets are of this process's rows.
    ///
    /// # Errors
    /// [`Error::RowsDiffer`] unless these are as many rows as this process has.
    pub fn design<'a, B: Backend>(&self, mine: impl Into<Design<'a, B>>) -> Result<Design<'a, B>, Error> {
        mine.into().shared_as(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Peers;

    /// One of some processes that never meet.
    #[derive(Debug)]
    struct One(usize, usize);
    impl Peers for One {
        fn rank(&self) -> usize {
            self.0
        }
        fn n_ranks(&self) -> usize {
            self.1
        }
        fn send(&self, to: usize, _: &[f64]) -> Result<(), Error> {
            Err(Error::no_process(to))
        }
        fn receive(&self, from: usize) -> Result<Vec<f64>, Error> {
            Err(Error::no_process(from))
        }
        fn swap(&self, with: usize, _: &[f64]) -> Result<Vec<f64>, Error> {
            Err(Error::no_process(with))
        }
    }

    fn shares(n: usize, of: impl Fn(World) -> Share) -> Vec<Share> {
        (0..n).map(|rank| of(World::of(One(rank, n)))).collect()
    }

    fn shards(shares: &[Share]) -> Vec<Range<usize>> {
        let of = |share: &Share| {
            share
                .shards()
                .map(|shard| shard.start + share.rows().start..shard.end + share.rows().start)
                .collect()
        };
        shares.iter().flat_map::<Vec<_>, _>(of).collect()
    }

    #[test]
    fn shards_do_not_depend_on_the_number_of_processes() {
        for n_rows in [0, 5, 100, 200_000, 7_200_000] {
            let of = |n| shards(&shares(n, |world| world.share(n_rows)));
            let alone = of(1);
            assert_eq!(alone.first().map(|shard| shard.start), Some(0));
            assert_eq!(alone.last().map(|shard| shard.end), Some(n_rows));
            for n in [2, 3, 4, 7, 32] {
                assert_eq!(of(n), alone, "{n} processes, {n_rows} rows");
            }
        }
    }

    #[test]
    fn segments_stay_whole() {
        let segments = Segments::from_lengths([10, 0, 500, 3, 200, 200, 87]);
        let starts: Vec<usize> = segments.ranges().iter().map(|range| range.start).collect();
        for n in [1, 2, 3, 4] {
            let shares = shares(n, |world| world.share_segments(&segments));
            assert!(
                shares
                    .iter()
                    .all(|share| starts.contains(&share.rows().start) || share.rows().is_empty())
            );
            assert_eq!(shares.iter().map(|share| share.rows().len()).sum::<usize>(), 1000);
        }
    }
}
