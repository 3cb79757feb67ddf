//! Folds: which rows are in which.

use nemos_core::{Cpu, Design, Matrix, Segments};
use nemos_select::{Error, Folds, Split, Splits};
use proptest::prelude::*;

fn rows(n: usize) -> Design<'static, Cpu> {
    Design::from(Matrix::from_column(vec![0.0; n]))
}

fn tests(splits: &Splits) -> Vec<Vec<usize>> {
    splits.iter().map(|split| split.test().to_vec()).collect()
}

#[test]
fn stretches_are_those_of_scikit_learn() {
    // KFold(3) of 10 rows, and TimeSeriesSplit(3).
    assert_eq!(
        tests(&Folds::k(3).cut(&rows(10)).unwrap()),
        [vec![0, 1, 2, 3], vec![4, 5, 6], vec![7, 8, 9]]
    );
    let series = Folds::time_series(3).cut(&rows(10)).unwrap();
    assert_eq!(tests(&series), [vec![4, 5], vec![6, 7], vec![8, 9]]);
    let trained: Vec<usize> = series.iter().map(|split| split.train().len()).collect();
    assert_eq!(trained, [4, 6, 8]);
    assert_eq!(tests(&Folds::holdout(0.25).cut(&rows(8)).unwrap()), [vec![6, 7]]);
}

#[test]
fn blocks_are_dealt_out_in_turn() {
    let splits = Folds::blocks(2, 2).cut(&rows(8)).unwrap();
    assert_eq!(tests(&splits), [vec![0, 1, 4, 5], vec![2, 3, 6, 7]]);
}

#[test]
fn whole_segments_and_groups_stay_together() {
    let design = rows(10).with_segments(Segments::from_lengths([5, 2, 3])).unwrap();
    let splits = Folds::by_segment(2).cut(&design).unwrap();
    assert_eq!(tests(&splits), [vec![0, 1, 2, 3, 4], vec![5, 6, 7, 8, 9]]);
    let groups = Folds::by_group(2, vec![7, 1, 7, 1, 7, 3]).cut(&rows(6)).unwrap();
    assert_eq!(tests(&groups), [vec![0, 2, 4], vec![1, 3, 5]]);
}

#[test]
fn a_gap_in_rows_ends_where_a_segment_does() {
    let design = rows(10).with_segments(Segments::from_lengths([5, 5])).unwrap();
    let split = Folds::given([Split::new(0..4, 5..7)]).gap(2).cut(&design).unwrap();
    assert_eq!(split.get(0).train(), [0, 1, 2, 3], "the segment before is another recording");
    let split = Folds::given([Split::new(7..10, 5..7)]).gap(2).cut(&design).unwrap();
    assert_eq!(split.get(0).train(), [9]);
}

#[test]
fn a_gap_in_seconds_is_by_times() {
    let times: Vec<f64> = vec![0.0, 0.1, 0.2, 5.0, 5.1, 5.2];
    let design = rows(6).with_times(times).unwrap();
    let split = Folds::given([Split::new([0, 1, 3, 4, 5], [2])])
        .gap_seconds(0.15)
        .cut(&design)
        .unwrap();
    assert_eq!(split.get(0).train(), [0, 3, 4, 5]);
    assert!(matches!(Folds::k(2).gap_seconds(1.0).cut(&rows(4)), Err(Error::NoTimes)));
    assert!(matches!(Folds::k(2).gap_seconds(f64::NAN).cut(&design), Err(Error::Option { .. })));
}

#[test]
fn folds_that_cannot_be_are_refused() {
    assert!(matches!(Folds::k(1).cut(&rows(5)), Err(Error::Option { .. })));
    assert!(matches!(
        Folds::k(6).cut(&rows(5)),
        Err(Error::TooManyFolds {
            folds: 6,
            available: 5,
            ..
        })
    ));
    assert!(matches!(Folds::by_segment(2).cut(&rows(5)), Err(Error::TooManyFolds { .. })));
    assert!(matches!(Folds::by_group(2, vec![0; 4]).cut(&rows(5)), Err(Error::Data(_))));
    assert!(matches!(Folds::k(2).gap(3).cut(&rows(4)), Err(Error::EmptyFold { fold: 0, .. })));
    assert!(matches!(Folds::holdout(0.01).cut(&rows(4)), Err(Error::EmptyFold { .. })));
    assert!(matches!(Folds::holdout(1.0).cut(&rows(4)), Err(Error::Option { .. })));
    let overlap = Folds::given([Split::new([0, 1, 2], [2, 3])]).cut(&rows(4)).unwrap_err();
    assert!(overlap.to_string().contains("row 2 of fold 0"), "{overlap}");
    assert!(matches!(Folds::given([Split::new([0], [9])]).cut(&rows(4)), Err(Error::Data(_))));
    assert!(matches!(Folds::k(2).cut(&rows(0)), Err(Error::TooManyFolds { .. })));
    assert!(Folds::time_series(5).cut(&rows(4)).is_err());
}

#[test]
fn numbers_as_large_as_can_be_do_not_wrap_around() {
    assert!(matches!(
        Folds::time_series(usize::MAX).cut(&rows(9)),
        Err(Error::TooManyFolds { .. })
    ));
    assert!(matches!(
        Folds::blocks(2, 1 << (usize::BITS - 1)).cut(&rows(9)),
        Err(Error::TooManyFolds { .. })
    ));
    let split = Folds::given([Split::new([0, 5], [2])]).gap(usize::MAX).cut(&rows(6));
    assert!(matches!(split, Err(Error::EmptyFold { fold: 0, .. })), "{split:?}");
}

#[test]
fn the_same_seed_shuffles_alike() {
    let one = Folds::shuffled(4, 7).cut(&rows(50)).unwrap();
    assert_eq!(one, Folds::shuffled(4, 7).cut(&rows(50)).unwrap());
    assert_ne!(one, Folds::shuffled(4, 8).cut(&rows(50)).unwrap());
    // The first draws are part of what a seed promises.
    assert_eq!(one.get(0).test().len(), 13);
}

proptest! {
    #[test]
    fn every_row_is_tested_on_once_and_trained_on_otherwise(n in 6_usize..80, k in 2_usize..6, seed in 0_u64..9, gap in 0_usize..2) {
        for folds in [Folds::k(k), Folds::shuffled(k, seed), Folds::blocks(k, 1)] {
            let splits = folds.clone().cut(&rows(n)).unwrap();
            let mut tested = vec![0; n];
            for split in splits.iter() {
                split.test().iter().for_each(|&row| tested[row] += 1);
                prop_assert_eq!(split.test().len() + split.train().len(), n);
            }
            prop_assert!(tested.iter().all(|times| *times == 1));
            if let Ok(apart) = folds.gap(gap).cut(&rows(n)) {
                for split in apart.iter() {
                    let near = |row: usize| split.test().iter().any(|&test| row.abs_diff(test) <= gap);
                    prop_assert!(!split.train().iter().any(|&row| near(row)));
                }
            }
        }
    }
}
