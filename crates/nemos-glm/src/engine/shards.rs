//! Adding up: shards of the work are folded by a fixed tree.

/// What a pass adds up.
///
/// *Implementor must* make `merge` associative but for rounding: sums over rows before, then sums over rows after.
pub(crate) trait Sum: Send {
    /// Adds the sums over later rows.
    fn merge(&mut self, later: Self);
}

impl Sum for () {
    fn merge(&mut self, _later: ()) {}
}

impl Sum for Vec<f64> {
    fn merge(&mut self, later: Self) {
        add(self, &later);
    }
}

/// `to += from`
pub(crate) fn add(to: &mut [f64], from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}

// Enough for the last ones to even out on many cores, and few enough for their sums to weigh nothing.
const SHARDS: usize = 32;

/// Folds contiguous shards of `items`.
///
/// How items fall into shards, and which sums are added to which, does not depend on the number of threads: sums come out
/// the same everywhere. Shards fold as they finish, so that no more sums exist than threads times the depth of the tree.
/// This is the one place where sums over rows meet; sums of other devices and machines would join here.
pub(crate) fn fold<I: Sync, S: Sum, E: Send>(
    items: &[I],
    in_parallel: bool,
    work: &(impl Fn(&[I]) -> Result<S, E> + Send + Sync),
) -> Result<S, E> {
    if !in_parallel {
        return work(items);
    }
    let shards: Vec<&[I]> = items.chunks(items.len().div_ceil(SHARDS).max(1)).collect();
    fold_tree(&shards, work)
}

fn fold_tree<I: Sync, S: Sum, E: Send>(shards: &[&[I]], work: &(impl Fn(&[I]) -> Result<S, E> + Send + Sync)) -> Result<S, E> {
    match shards {
        [] => work(&[]),
        [shard] => work(shard),
        _ => {
            let (left, right) = shards.split_at(shards.len().next_power_of_two() / 2);
            let (left, right) = rayon::join(|| fold_tree(left, work), || fold_tree(right, work));
            let mut sum = left?;
            sum.merge(right?);
            Ok(sum)
        }
    }
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
    }

    #[test]
    fn every_item_is_used_once_and_in_order() {
        for n in [0, 1, 2, 63, 64, 65, 1000] {
            let items: Vec<usize> = (0..n).collect();
            let sum = fold(&items, true, &|items: &[usize]| Ok::<_, ()>(InOrder(items.to_vec())));
            assert_eq!(sum, Ok(InOrder(items)));
        }
    }

    #[test]
    fn an_error_of_any_shard_is_the_error_of_all() {
        let items: Vec<usize> = (0..500).collect();
        let failed = fold(&items, true, &|items: &[usize]| {
            if items.contains(&321) { Err(321) } else { Ok(()) }
        });
        assert_eq!(failed, Err(321));
    }
}
