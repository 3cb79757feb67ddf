//! Adding up: shards of the work are folded by a fixed tree, in one process and over processes.

use std::fmt::Display;

use nemos_core::{Error, Share};

use crate::engine::numbers::Numbers;

/// What a pass adds up.
///
/// *Implementor must* make `merge` associative but for rounding: sums over rows before, then sums over rows after.
/// *Implementor must* make [`unpack`](Sum::unpack) undo [`pack`](Sum::pack), bit by bit, but for what only its own process needs.
pub(crate) trait Sum: Send {
    /// Adds the sums over later rows.
    fn merge(&mut self, later: Self);

    /// Gives back what only adding rows needed: a shard has seen all of its own.
    fn tidy(&mut self) {}

    /// Ends what could go on in later rows of this process, once there are none.
    fn settle(&mut self) {}

    /// Writes the sums as numbers, for another process.
    fn pack(&self, to: &mut Vec<f64>);

    /// Makes new sums those that another process packed; nothing where they are of another shape.
    fn unpack(&mut self, from: &mut Numbers<'_>) -> Option<()>;
}

impl Sum for Vec<f64> {
    fn merge(&mut self, later: Self) {
        add(self, &later);
    }

    fn pack(&self, to: &mut Vec<f64>) {
        to.extend_from_slice(self);
    }

    fn unpack(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        from.fill(self)
    }
}

/// `to += from`
pub(crate) fn add(to: &mut [f64], from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}

// Enough for the last ones to even out on many cores, and few enough for their sums to weigh nothing.
const SHARDS: usize = 32;

/// Contiguous shards of `items`, as many as suit a process that has all rows.
pub(crate) fn cut<I>(items: &[I]) -> Vec<&[I]> {
    items.chunks(items.len().div_ceil(SHARDS).max(1)).collect()
}

/// Sums that exist at a time in a fold of the shards of so many items by so many threads, each of which takes as long for a shard as the
/// others: those that wait for later ones, and the one that each thread adds to.
pub(crate) fn most_at_once(n_items: usize, n_threads: usize) -> usize {
    let per_shard = n_items.div_ceil(SHARDS).max(1);
    let n_shards = n_items.div_ceil(per_shard).max(1);
    let part = (n_shards.next_power_of_two() / n_threads.clamp(1, SHARDS).next_power_of_two()).max(1);
    // Of a part of the tree as many sums wait as the number of shards that are done has ones.
    let of_part = |size: usize, step: usize| 1 + if step < size { step.count_ones() as usize } else { 0 };
    let sizes = || (0..n_shards).step_by(part).map(|start| part.min(n_shards - start));
    (0..part)
        .map(|step| sizes().map(|size| of_part(size, step)).sum())
        .max()
        .unwrap_or(1)
}

/// Folds shards.
///
/// Which sums are added to which does not depend on the number of threads: sums come out the same everywhere. Shards fold as
/// they finish, so that no more sums exist than threads times the depth of the tree.
pub(crate) fn fold<I: Sync, S: Sum, E: Send>(shards: &[&[I]], work: &(impl Fn(&[I]) -> Result<S, E> + Send + Sync)) -> Result<S, E> {
    match shards {
        [] => work(&[]),
        [shard] => work(shard),
        _ => {
            let (left, right) = shards.split_at(shards.len().next_power_of_two() / 2);
            let (left, right) = rayon::join(|| fold(left, work), || fold(right, work));
            let mut sum = left?;
            sum.merge(right?);
            Ok(sum)
        }
    }
}

/// Goes on with the sums of the shards of all processes. Which sums are added to which does not depend on the number of
/// processes either, where it divides the number of shards. `new` makes sums over nothing; `key` is what has to be the same
/// everywhere.
pub(crate) fn fold_over_processes<S: Sum, E: Display + From<Error>>(
    share: Option<&Share>,
    key: u64,
    here: Result<S, E>,
    new: impl Fn() -> S,
) -> Result<S, E> {
    let Some(share) = share.filter(|share| share.world().n_ranks() > 1) else {
        return here;
    };
    let unpack = |from: &[f64]| {
        let (mut sums, mut numbers) = (new(), Numbers::new(from));
        sums.unpack(&mut numbers)?;
        numbers.is_empty().then_some(sums)
    };
    let merge = |mut before: S, after: S| {
        before.merge(after);
        before
    };
    let settled = here.map(|mut sums| {
        sums.settle();
        sums
    });
    // Those of a recording of another length would have rows twice, or leave some out.
    let key = key ^ (share.n_rows() as u64).rotate_left(32);
    share.world().reduce((key, settled), &S::pack, &unpack, &merge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct InOrder(Vec<usize>);
    impl Sum for InOrder {
        fn merge(&mut self, later: Self) {
            self.0.extend(later.0);
        }
        fn pack(&self, _to: &mut Vec<f64>) {}
        fn unpack(&mut self, _from: &mut Numbers<'_>) -> Option<()> {
            None
        }
    }

    #[test]
    fn every_item_is_used_once_and_in_order() {
        for n in [0, 1, 2, 63, 64, 65, 1000] {
            let items: Vec<usize> = (0..n).collect();
            let sum = fold(&cut(&items), &|items: &[usize]| Ok::<_, ()>(InOrder(items.to_vec())));
            assert_eq!(sum, Ok(InOrder(items)));
        }
    }

    #[test]
    fn sums_wait_for_those_of_later_rows() {
        // One thread: sums of 16, 8, 4 and 2 shards, of one, and the last. Two: half of the shards each.
        assert_eq!([1, 2, 32, 3200].map(|n| most_at_once(n, 1)), [1, 2, 6, 6]);
        assert_eq!([1, 2, 24, 32, 3200].map(|n| most_at_once(n, 2)), [1, 2, 8, 10, 10]);
        assert_eq!([1, 20, 32].map(|n| most_at_once(n, 64)), [1, 20, 32]);
    }

    #[test]
    fn an_error_of_any_shard_is_the_error_of_all() {
        let items: Vec<usize> = (0..500).collect();
        let failed = fold(&cut(&items), &|items: &[usize]| {
            if items.contains(&321) { Err(321) } else { Ok(vec![0.0]) }
        });
        assert_eq!(failed, Err(321));
    }
}
