//! Names of columns that are renamed or selected, with the blocks that they fall into.

use nemos_core::{Block, Names};

/// What there is of these names for this many columns.
pub(super) fn fitting(names: Names, n_columns: usize) -> Names {
    let columns = names.columns().len() == n_columns || names.columns().is_empty();
    let blocks = names.blocks().last().is_none_or(|block| block.columns().end == n_columns);
    match (columns, blocks) {
        (true, true) => names,
        (true, false) => Names::new(names.columns()),
        (false, true) => renamed(&names, Vec::new()),
        (false, false) => Names::none(),
    }
}

/// Other names for the columns of the same blocks.
pub(super) fn renamed(names: &Names, columns: Vec<String>) -> Names {
    let blocks = names
        .blocks()
        .iter()
        .map(|block| (block, block.columns().len(), block.channels().iter().collect()));
    with_blocks(columns, blocks)
}

/// The names of these of `n_columns` columns. A block keeps its name where its columns stay together, and its channels
/// where each keeps as many.
pub(super) fn selected(names: &Names, n_columns: usize, columns: &[usize]) -> Names {
    if columns.iter().copied().eq(0..n_columns) {
        return names.clone();
    }
    let all = names.columns_or_numbers(n_columns);
    let place = |column: &usize| names.blocks().iter().position(|block| block.columns().contains(column));
    let runs = columns.chunk_by(|left, right| place(left) == place(right));
    let blocks = runs.filter_map(|run| {
        let block = &names.blocks()[place(run.first()?)?];
        Some((block, run.len(), channels(block, run)))
    });
    with_blocks(columns.iter().map(|&column| all[column].clone()).collect(), blocks)
}

/// The channels of these columns of a block, where each has as many of them.
fn channels<'a>(block: &'a Block, columns: &[usize]) -> Vec<&'a String> {
    let place = |column: &usize| block.by_channel().position(|channel| channel.contains(column));
    let runs: Vec<&[usize]> = columns.chunk_by(|left, right| place(left) == place(right)).collect();
    let mut places: Vec<usize> = runs.iter().filter_map(|run| place(&run[0])).collect();
    let names = places.iter().filter_map(|&place| block.channels().get(place)).collect();
    let is_even = runs.windows(2).all(|pair| pair[0].len() == pair[1].len());
    places.sort_unstable();
    if is_even && places.windows(2).all(|pair| pair[0] < pair[1]) {
        names
    } else {
        Vec::new()
    }
}

/// Columns in blocks, or without where a block is there twice.
fn with_blocks<'a>(columns: Vec<String>, blocks: impl IntoIterator<Item = (&'a Block, usize, Vec<&'a String>)>) -> Names {
    let plain = Names::new(columns);
    let cut = blocks.into_iter().try_fold(plain.clone(), |names, (block, n_columns, channels)| {
        names.with_block(block.name(), n_columns, channels.into_iter().map(String::as_str))
    });
    cut.unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns 0 and 1, and two channels of two columns each.
    fn names() -> Names {
        let names = Names::new(["p0", "p1", "a0", "a1", "b0", "b1"]).with_block("place", 2, []).unwrap();
        names.with_block("spikes", 4, ["a", "b"]).unwrap()
    }

    fn blocks(columns: &[usize]) -> Vec<(String, usize, Vec<String>)> {
        let names = selected(&names(), 6, columns);
        assert_eq!(names.columns().len(), columns.len());
        let block = |block: &Block| (block.name().to_string(), block.columns().len(), block.channels().to_vec());
        names.blocks().iter().map(block).collect()
    }

    #[test]
    fn blocks_are_cut_to_the_columns_that_are_left() {
        assert_eq!(blocks(&[1]), [("place".into(), 1, vec![])]);
        assert_eq!(blocks(&[4, 5]), [("spikes".into(), 2, vec!["b".into()])]);
        assert_eq!(
            blocks(&[2, 4, 0]),
            [("spikes".into(), 2, vec!["a".into(), "b".into()]), ("place".into(), 1, vec![])]
        );
        // One column of a and two of b, or b on both sides of a: no channel has its share.
        assert_eq!(blocks(&[2, 4, 5]), [("spikes".into(), 3, vec![])]);
        assert_eq!(blocks(&[4, 2, 5]), [("spikes".into(), 3, vec![])]);
        // A block that another one parts is none.
        assert!(blocks(&[0, 2, 1]).is_empty());
        assert!(blocks(&[]).is_empty());
        assert_eq!(selected(&names(), 6, &[0, 1, 2, 3, 4, 5]), names());
    }

    #[test]
    fn columns_without_names_are_known_by_their_number() {
        assert_eq!(selected(&Names::none(), 3, &[2, 0]).columns(), ["2", "0"]);
        assert_eq!(selected(&Names::none(), 3, &[0, 1, 2]), Names::none());
    }

    #[test]
    fn names_for_other_columns_are_left_out() {
        assert_eq!(fitting(names(), 6), names());
        assert_eq!(fitting(names(), 5), Names::none());
        assert_eq!(fitting(renamed(&names(), vec!["x".into()]), 6), renamed(&names(), Vec::new()));
    }
}
