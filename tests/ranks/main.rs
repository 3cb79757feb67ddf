//! What a program does in several processes, played by threads: the same numbers, and an error instead of an endless wait.

mod cases;
mod checkpoints;
mod deals;
mod states;

use cases::{Recording, all, close, difference, rough, that_differ};
use nemos::core::{Names, Segments, World};
use nemos::prelude::*;
use nemos_testkit::in_ranks;

#[test]
fn any_number_of_processes_that_divides_the_shards_gives_the_same_bits() -> Result<(), nemos::Error> {
    let alone = all(Some(&World::alone()))?;
    for n in [2, 4] {
        for (rank, found) in in_ranks(n, |world| all(Some(&world))).into_iter().enumerate() {
            assert_eq!(that_differ(&alone, &found?), [""; 0], "process {rank} of {n}");
        }
    }
    Ok(())
}

#[test]
fn processes_find_what_one_finds_without_them() -> Result<(), nemos::Error> {
    let (plain, alone) = (all(None)?, all(Some(&World::alone()))?);
    let of_three = in_ranks(3, |world| all(Some(&world))).swap_remove(1)?;
    for found in [alone, of_three] {
        let (apart, name) = difference(&plain, &found);
        assert!(apart < 1e-12, "{name}: {apart:e}");
    }
    Ok(())
}

#[test]
fn standard_errors_are_those_of_all_rows() -> Result<(), nemos::Error> {
    let plain = close(None)?;
    let found = in_ranks(4, |world| close(Some(&world)));
    let found = found.into_iter().collect::<Result<Vec<_>, _>>()?;
    assert!(found.iter().all(|one| difference(one, &found[0]) == (0.0, "none")));
    let (apart, name) = difference(&plain, &found[0]);
    assert!(apart < 1e-12, "{name}: {apart:e}");
    Ok(())
}

#[test]
fn a_process_may_have_no_rows() {
    let recording = Recording::new([90, 2, 2]).in_one_segment();
    assert_eq!(fit_in(4, |world| recording.of(Some(world))), ["fine"; 4]);
}

#[test]
fn fits_in_single_precision_and_on_some_rows_agree() -> Result<(), nemos::Error> {
    let plain = rough(None)?;
    let found = in_ranks(2, |world| rough(Some(&world)));
    let found = found.into_iter().collect::<Result<Vec<_>, _>>()?;
    assert_eq!(difference(&found[0], &found[1]), (0.0, "none"));
    let (apart, name) = difference(&plain, &found[0]);
    assert!(apart < 1e-3, "{name}: {apart:e}");
    Ok(())
}

/// What each of some processes says of a fit.
fn fit_in(n: usize, make: impl Fn(&World) -> Result<(Design<'static, Cpu>, Matrix<Cpu>), nemos::Error> + Send + Sync) -> Vec<String> {
    in_ranks(n, |world| {
        let fit = || {
            let (design, counts) = world.agree(make(&world))?;
            Ok::<_, nemos::Error>(PopulationGlm::new(Poisson).fit(&design, &counts)?)
        };
        fit().map_or_else(|error| error.to_string(), |_| "fine".into())
    })
}

#[test]
fn an_error_of_one_process_is_one_of_all() {
    let recording = Recording::new([200, 3, 2]);
    assert_eq!(fit_in(3, |world| recording.of(Some(world))), ["fine"; 3]);
    // Found before a fit, at its door, and in its first pass.
    let unread = fit_in(3, |world| match world.rank() {
        1 => Err(nemos::core::Error::Process {
            rank: 1,
            reason: "no such file".into(),
        }
        .into()),
        _ => recording.of(Some(world)),
    });
    assert!(unread.iter().all(|said| said.contains("no such file")), "{unread:?}");
    let short = fit_in(3, |world| {
        let (design, counts) = recording.of(Some(world))?;
        let n_rows = counts.dims()[0] - usize::from(world.rank() == 2);
        Ok((design, counts.rows(0..n_rows)?))
    });
    assert!(short.iter().all(|said| said.contains("rows but counts has")), "{short:?}");
    let negative = fit_in(3, |world| {
        let (design, counts) = recording.of::<Cpu>(Some(world))?;
        let mut counts = counts.to_array();
        counts[(5, 1)] = if world.rank() == 0 { -1.0 } else { 1.0 };
        Ok((design, counts.into()))
    });
    assert!(negative.iter().all(|said| said.contains("counts hold -1")), "{negative:?}");
    assert!(negative[1].starts_with("process 0: "), "{}", negative[1]);
    let no_room = in_ranks(3, |world| {
        let fit = || {
            let (design, counts) = recording.of::<Cpu>(Some(&world))?;
            let limit = if world.rank() == 1 { 10.0 } else { 1e9 };
            Ok::<_, nemos::Error>(PopulationGlm::new(Poisson).memory_limit(limit).fit(&design, &counts)?)
        };
        fit().map_or_else(|error| error.to_string(), |_| "fine".into())
    });
    assert!(no_room.iter().all(|said| said.contains("raise the limit")), "{no_room:?}");
}

#[test]
fn a_process_that_ends_ends_what_others_wait_for() {
    let recording = Recording::new([200, 3, 2]);
    let said = in_ranks(4, |world| {
        if world.rank() == 2 {
            return "left".to_string();
        }
        let fit = || {
            let (design, counts) = recording.of::<Cpu>(Some(&world))?;
            Ok::<_, nemos::Error>(PopulationGlm::new(Poisson).fit(&design, &counts)?)
        };
        fit().map_or_else(|error| error.to_string(), |_| "fine".into())
    });
    for (rank, said) in said.iter().enumerate() {
        assert!(
            if rank == 2 {
                said == "left"
            } else {
                said.contains("process 2: has ended")
            },
            "{rank}: {said}"
        );
    }
}

#[test]
fn processes_that_do_different_things_hear_of_it() {
    let recording = Recording::new([200, 3, 2]);
    let said = in_ranks(2, |world| {
        let fit = || {
            let (design, counts) = recording.of::<Cpu>(Some(&world))?;
            let model = PopulationGlm::new(Poisson).regularizer(ridge(0.1 * (1 + world.rank()) as f64));
            Ok::<_, nemos::Error>(model.fit(&design, &counts)?)
        };
        fit().map_or_else(|error| error.to_string(), |_| "fine".into())
    });
    assert!(said.iter().all(|said| said.contains("at another step")), "{said:?}");
    // The same neurons in another order.
    let said = in_ranks(2, |world| {
        let fit = || {
            let (design, counts) = recording.of::<Cpu>(Some(&world))?;
            let names = Names::new(if world.rank() == 0 { ["a", "b"] } else { ["b", "a"] });
            Ok::<_, nemos::Error>(PopulationGlm::new(Poisson).fit(&design, &Design::from(counts).with_names(names)?)?)
        };
        fit().map_or_else(|error| error.to_string(), |_| "fine".into())
    });
    assert!(said.iter().all(|said| said.contains("at another step")), "{said:?}");
    // Recordings of as many rows as each process thinks: some rows would be nobody's.
    let said = fit_in(2, |world| {
        let mine = world.share(400 + 8 * world.rank());
        let features = Matrix::<Cpu>::from_column(mine.rows().map(|row| (0.1 * row as f64).sin()).collect());
        let counts = Matrix::from_column(mine.rows().map(|row| (row % 3) as f64).collect());
        Ok((mine.design(features)?, counts))
    });
    assert!(said.iter().all(|said| said.contains("at another step")), "{said:?}");
}

#[test]
fn sums_of_different_things_are_not_added_up() {
    let recording = Recording::new([200, 3, 2]);
    let score = |of: fn(usize) -> (Score, f64)| {
        in_ranks(2, |world| {
            let (score, coef) = of(world.rank());
            let ask = || {
                let (design, counts) = recording.of::<Cpu>(Some(&world))?;
                let coef = nemos::ndarray::Array2::from_elem((3, 2), coef);
                let fitted = PopulationGlm::new(Poisson).with_parameters(&coef, &[0.1, 0.2])?;
                Ok::<_, nemos::Error>(fitted.score(&design, &counts, score)?)
            };
            ask().map_or_else(|error| error.to_string(), |score| score.to_string())
        })
    };
    let kinds = score(|rank| ([Score::LogLikelihood, Score::Cohen][rank], 0.1));
    let parameters = score(|rank| (Score::LogLikelihood, 0.1 * rank as f64));
    let columns = fit_in(2, |world| {
        let (design, counts) = recording.of(Some(world))?;
        let names = [["a", "b", "c"], ["b", "a", "c"]][world.rank()];
        Ok((design.with_names(Names::new(names))?, counts))
    });
    for said in [kinds, parameters, columns].concat() {
        assert!(said.contains("at another step"), "{said}");
    }
}

#[test]
fn counts_alone_are_no_share_of_a_recording() {
    let said = in_ranks(2, |world| {
        let mine = world.share(200);
        let features = Matrix::<Cpu>::from_column(mine.rows().map(|row| (0.1 * row as f64).sin()).collect());
        let counts = Matrix::<Cpu>::from_column(mine.rows().map(|row| (row % 3) as f64).collect());
        let counts = mine.design(counts).expect("as many rows as this process has");
        let fitted = PopulationGlm::new(Poisson).fit(&features, &counts);
        fitted.map_or_else(|error| error.to_string(), |_| "fine".into())
    });
    assert!(said.iter().all(|said| said.contains("not shared as its counts are")), "{said:?}");
}

#[test]
fn what_needs_all_rows_says_so() -> Result<(), nemos::Error> {
    let recording = Recording::new([200, 3, 2]);
    let said = in_ranks(2, |world| {
        let (design, counts) = recording.of::<Cpu>(Some(&world))?;
        let fitted = PopulationGlm::new(Poisson).fit(&design, &counts)?;
        let text = |error: Option<String>| error.unwrap_or_else(|| "fine".into());
        Ok::<_, nemos::Error>([
            text(
                fitted
                    .inference(&design, &counts)?
                    .overdispersion(1.0)
                    .err()
                    .map(|error| error.to_string()),
            ),
            text(design.select_rows(&[0, 1]).err().map(|error| error.to_string())),
            text(nemos::select::Folds::k(2).cut(&design).err().map(|error| error.to_string())),
            text(BSpline::new(4).compute_features(&design).err().map(|error| error.to_string())),
        ])
    });
    for said in said {
        for said in said? {
            assert!(said.contains("needs all rows in one process"), "{said}");
        }
    }
    Ok(())
}

#[test]
fn parts_of_a_list_come_back_in_order() {
    let said = in_ranks(3, |world| {
        let mine: Vec<f64> = world.deal(7).map(|item| item as f64).collect();
        let text = format!("process {}", world.rank());
        Ok::<_, nemos::core::Error>((world.gather(&mine)?.concat(), world.gather_bytes(text.as_bytes())?))
    });
    for said in said {
        let (numbers, texts) = said.expect("nothing fails");
        assert_eq!(numbers, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(texts, [b"process 0", b"process 1", b"process 2"]);
    }
}

#[test]
fn hidden_states_come_out_the_same_in_any_number_of_processes() -> Result<(), nemos::Error> {
    let plain = states::fits(None)?;
    let alone = states::fits(Some(&World::alone()))?;
    let (apart, name) = difference(&plain, &alone);
    assert!(apart < 1e-11, "{name}: {apart:e}");
    for n in [2, 3, 4] {
        for (rank, found) in in_ranks(n, |world| states::fits(Some(&world))).into_iter().enumerate() {
            let found = found?;
            if n == 3 {
                let (apart, name) = difference(&plain, &found);
                assert!(apart < 1e-11, "{name}: {apart:e}");
            } else {
                assert_eq!(that_differ(&alone, &found), [""; 0], "process {rank} of {n}");
            }
        }
    }
    Ok(())
}

#[test]
fn standard_errors_of_hidden_states_are_those_of_all_sessions() -> Result<(), nemos::Error> {
    let plain = states::errors(None)?;
    let alone = states::errors(Some(&World::alone()))?;
    for found in in_ranks(2, |world| states::errors(Some(&world))) {
        let found = found?;
        assert_eq!(that_differ(&alone, &found), [""; 0]);
        let (apart, name) = difference(&plain, &found);
        assert!(apart < 1e-6, "{name}: {apart:e}");
    }
    Ok(())
}

#[test]
fn hidden_states_that_cannot_be_told_by_sessions_of_a_process_say_so() {
    let n_rows = 200;
    let said = in_ranks(2, |world| {
        let mine = world.share(n_rows);
        let (features, counts) = (Matrix::<Cpu>::zeros([mine.rows().len(), 1]), Matrix::zeros([mine.rows().len(), 1]));
        let cut = mine.design(&features).map_err(nemos::Error::from);
        let cut = cut.and_then(|design| Ok(GlmHmm::new(2, Poisson).fit(&design, &counts)?));
        // A count of one process that no state can have.
        let sessions = Segments::from_lengths([100, 100]);
        let mine = world.share_segments(&sessions);
        let of_row = |row: usize| if row == 150 { -1.0 } else { (row % 3) as f64 };
        let counts = Matrix::<Cpu>::from_column(mine.rows().map(of_row).collect());
        let negative = mine.design(&features).map_err(nemos::Error::from);
        let negative = negative.and_then(|design| Ok(GlmHmm::new(2, Poisson).fit(&design, &counts)?));
        let counts = Matrix::<Cpu>::from_column(mine.rows().map(|row| (row % 3) as f64).collect());
        let held_out = mine.design(&features).map_err(nemos::Error::from);
        let held_out = held_out.and_then(|design| {
            let fitted = GlmHmm::new(2, Poisson).max_iterations(2).fit(&design, &counts)?;
            Ok(fitted.held_out(&design, &counts, &[0])?)
        });
        let text = |error: Option<nemos::Error>| error.map_or_else(|| "fine".into(), |error| error.to_string());
        [text(cut.err()), text(negative.err()), text(held_out.err())]
    });
    for [cut, negative, held_out] in said {
        assert!(cut.contains("share_segments"), "{cut}");
        assert!(negative.contains("-1"), "{negative}");
        assert!(held_out.contains("needs all rows in one process"), "{held_out}");
    }
}
