//! What needs nothing of each other is dealt out to processes; and processes in two dimensions.

use ndarray::Array2;
use nemos::core::{Matrix, World};
use nemos::glm::PopulationGlm;
use nemos::inference::Bootstrap;
use nemos::prelude::*;
use nemos::select::{Folds, Grid, GridSearch, log_spaced};
use nemos::sim::Simulate;
use nemos_testkit::in_ranks;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ROWS: usize = 600;

fn noise(place: usize) -> f64 {
    let x = (place as f64 * 12.9898 + 1.0).sin() * 43758.5453;
    x - x.floor()
}

/// All rows, in sessions of fifty.
fn data(n_features: usize, n_neurons: usize) -> Result<(nemos::core::Design<'static, Cpu>, Matrix<Cpu>), nemos::Error> {
    let features = Matrix::from_vec((0..ROWS * n_features).map(noise).collect(), [ROWS, n_features])?;
    let count = |place: usize| {
        let (row, neuron) = (place / n_neurons, place % n_neurons);
        let level = 1.0 + 3.0 * noise(row * n_features + neuron % n_features) + 4.0 * f64::from(u8::from(row / 30 % 2 == 1));
        (level * noise(place + 77)).floor()
    };
    let counts = Matrix::from_vec((0..ROWS * n_neurons).map(count).collect(), [ROWS, n_neurons])?;
    let sessions = nemos::core::Segments::from_lengths([50; ROWS / 50]);
    Ok((nemos::core::Design::from(features).with_segments(sessions)?, counts))
}

/// What processes end with that deal something out: the same everywhere, and what one process ends with that does it all.
fn assert_dealt(what: impl Fn(&World) -> Result<Vec<f64>, nemos::Error> + Send + Sync) -> Result<(), nemos::Error> {
    let alone = what(&World::alone())?;
    for n in [2, 3] {
        for found in in_ranks(n, |world| what(&world)) {
            let found = found?;
            let apart = found.iter().zip(&alone).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(found.len() == alone.len() && apart < 1e-12, "{n} processes: {apart:e}");
        }
    }
    Ok(())
}

#[test]
fn candidates_of_a_search() -> Result<(), nemos::Error> {
    assert_dealt(|world| {
        let (design, counts) = data(4, 3)?;
        let strengths = log_spaced(1e-3, 1.0, 7);
        // Each process searches some; its best, and what that is worth, is heard by all.
        let mine = world.deal(strengths.len()).map(|candidate| strengths[candidate]);
        let grid = Grid::new().over("strength", mine);
        let model = PopulationGlm::new(Poisson).regularizer(ridge(1.0));
        let search = GridSearch::new(model, grid).folds(Folds::k(3)).scoring(Score::Cohen);
        let found = world.agree(search.fit(&design, &counts).map_err(nemos::Error::from))?;
        let curve = found.table().curve("strength");
        let here: Vec<f64> = curve.iter().flat_map(|point| [point.at, point.mean]).collect();
        let mut all = world.gather(&here)?.concat();
        let best = all.chunks_exact(2).max_by(|a, b| a[1].total_cmp(&b[1])).map(|best| best[0]);
        all.retain(|value| value.is_finite());
        Ok(best.into_iter().chain([all.len() as f64]).collect())
    })
}

/// Log-likelihoods per row of held-out thirds. Where rows are shared, weights say which are trained on and which are tested on.
fn held_out(world: &World) -> Result<Vec<f64>, nemos::Error> {
    let mine = world.share(ROWS);
    let (design, counts) = data(4, 3)?;
    let (features, counts) = (design.rows().chunk(mine.rows())?, counts.rows(mine.rows())?);
    let model = PopulationGlm::new(Poisson).regularizer(ridge(0.01));
    let score = |fold: usize| {
        let part = |tested: bool| {
            let is_in = |row: usize| (row * 3 / ROWS == fold) == tested;
            let weights = mine.rows().map(|row| f64::from(u8::from(is_in(row)))).collect();
            let design = nemos::core::Design::from(features.clone()).with_weights(Matrix::from_column(weights))?;
            Ok::<_, nemos::Error>(mine.design(design)?)
        };
        let fitted = model.fit(&part(false)?, &counts)?;
        Ok(fitted.score(&part(true)?, &counts, Score::LogLikelihood)?)
    };
    (0..3).map(score).collect()
}

#[test]
fn folds_of_shared_rows_are_weights() -> Result<(), nemos::Error> {
    assert_dealt(held_out)?;
    let (design, counts) = data(4, 3)?;
    let model = PopulationGlm::new(Poisson).regularizer(ridge(0.01));
    let row = nemos::select::cross_validate(&model, &Folds::k(3), Score::LogLikelihood, &design, &counts)?;
    let found = held_out(&World::alone())?;
    assert_eq!(row.scores().len(), 3);
    for (found, expected) in found.iter().zip(row.scores()) {
        assert!((found - expected).abs() < 1e-6 * expected.abs(), "{found} for {expected}");
    }
    Ok(())
}

#[test]
fn starts_of_hidden_states() -> Result<(), nemos::Error> {
    assert_dealt(|world| {
        let (design, counts) = data(1, 2)?;
        // Each process fits from seeds of its own; all hear of the best.
        let fits = world
            .deal(5)
            .map(|seed| GlmHmm::new(2, Poisson).seed(seed as u64).max_iterations(30).fit(&design, &counts));
        let fits = world.agree(fits.collect::<Result<Vec<_>, _>>())?;
        let objectives: Vec<f64> = fits.iter().map(FittedGlmHmm::objective).collect();
        let objectives = world.gather(&objectives)?.concat();
        let best = (0..objectives.len())
            .max_by(|&a, &b| objectives[a].total_cmp(&objectives[b]))
            .unwrap_or(0);
        let mine = world.deal(5);
        let winner = mine
            .contains(&best)
            .then(|| fits[best - mine.start].parameters().state(0).intercept);
        Ok(world.gather(&winner.unwrap_or_default())?.concat())
    })
}

#[test]
fn replicates_of_a_bootstrap() -> Result<(), nemos::Error> {
    assert_dealt(|world| {
        let (design, counts) = data(2, 2)?;
        let fitted = PopulationGlm::new(Poisson).fit(&design, &counts)?;
        let n_units = ROWS / 50;
        // How often each session is drawn, by the number of the replicate.
        let mine = world.deal(20);
        let mut copies = Array2::zeros((mine.len(), n_units));
        for (mut copies, replicate) in copies.rows_mut().into_iter().zip(mine) {
            let mut rng = ChaCha8Rng::seed_from_u64(replicate as u64);
            (0..n_units).for_each(|_| copies[rng.random_range(0..n_units)] += 1.0);
        }
        let inference = fitted.inference(&design, &counts)?;
        let drawn = world.agree(
            inference
                .bootstrap_with(&Bootstrap::new(), copies.view())
                .map_err(nemos::Error::from),
        )?;
        Ok(world.gather(&drawn.replicates.iter().copied().collect::<Vec<_>>())?.concat())
    })
}

#[test]
fn repetitions_of_a_simulation() -> Result<(), nemos::Error> {
    assert_dealt(|world| {
        let (design, _) = data(1, 1)?;
        let model = PopulationGlm::new(Poisson).with_parameters(&ndarray::array![[1.0, -1.0]], &[0.0, 0.5])?;
        let means = world.deal(6).map(|repetition| {
            let mut rng = ChaCha8Rng::seed_from_u64(repetition as u64);
            let counts = model.simulate(&design, &mut rng)?.to_matrix()?.to_vec();
            Ok::<f64, nemos::Error>(counts.iter().sum::<f64>() / counts.len() as f64)
        });
        Ok(world.gather(&world.agree(means.collect::<Result<Vec<_>, _>>())?)?.concat())
    })
}

/// Neurons dealt out to parts of the processes, rows shared within each.
fn in_parts(world: &World, n_parts: usize) -> Result<Vec<f64>, nemos::Error> {
    let part = world.part(n_parts)?;
    let neurons: Vec<usize> = part.deal(6).collect();
    let mine = part.world().share(ROWS);
    let (design, counts) = data(3, 6)?;
    let counts = counts.rows(mine.rows())?.select_columns(&neurons)?;
    let design = mine.design(design.to_matrix()?.rows(mine.rows())?)?;
    let fitted = PopulationGlm::new(Poisson).regularizer(ridge(0.01)).fit(&design, &counts)?;
    // One process of each part says what it found.
    let found = fitted.parameters().as_slice();
    Ok(world.gather(if part.world().rank() == 0 { found } else { &[] })?.concat())
}

#[test]
fn processes_in_two_dimensions() {
    let (design, counts) = data(3, 6).unwrap();
    let whole = PopulationGlm::new(Poisson)
        .regularizer(ridge(0.01))
        .fit(&design.to_matrix().unwrap(), &counts)
        .unwrap();
    for (n, n_parts) in [(1, 1), (2, 2), (4, 2), (6, 3), (4, 1)] {
        for found in in_ranks(n, |world| in_parts(&world, n_parts)) {
            let found = found.unwrap();
            let apart = found.iter().zip(whole.parameters().as_slice()).map(|(a, b)| (a - b).abs());
            assert!(
                found.len() == 24 && apart.fold(0.0, f64::max) < 1e-12,
                "{n} processes in {n_parts} parts"
            );
        }
    }
    for (n, n_parts) in [(6, 2), (4, 3), (2, 0), (2, 4)] {
        let said = in_ranks(n, |world| {
            world.part(n_parts).err().map_or_else(String::new, |error| error.to_string())
        });
        assert!(said.iter().all(|said| said.contains("cannot be cut into")), "{said:?}");
    }
}

#[test]
fn an_end_in_one_part_is_heard_in_all() {
    // It leaves in the middle of a fit of its part, or before, or between fits.
    for (n, n_parts, leaves, after) in [(4, 2, 1, 0), (4, 2, 2, 1), (6, 3, 3, 1), (8, 2, 5, 2), (8, 2, 0, 1)] {
        let said = in_ranks(n, |world| {
            let fits = || {
                let mut found = Vec::new();
                for fit in 0..3 {
                    if world.rank() == leaves && fit == after {
                        return Ok::<_, nemos::Error>(found);
                    }
                    found = in_parts(&world, n_parts)?;
                }
                Ok(found)
            };
            fits().map_or_else(|error| error.to_string(), |_| "left".into())
        });
        for (rank, said) in said.iter().enumerate() {
            // Who hears of it in its part ends as well, and may be the one that other parts hear of.
            let size = n / n_parts;
            let mut expected =
                (leaves / size * size..(leaves / size + 1) * size).map(|rank| format!("process {rank}: has ended before the others"));
            let is_heard = expected.any(|expected| said.contains(&expected));
            assert!(if rank == leaves { said == "left" } else { is_heard }, "{rank} of {n}: {said}");
        }
    }
}

#[test]
fn messages_may_take_long() {
    let begin = std::time::Instant::now();
    let found = in_ranks(2, |world| in_parts(&world.over_network(2e-3, 1e9), 1));
    let waited = begin.elapsed().as_secs_f64();
    let near = in_ranks(2, |world| in_parts(&world, 1));
    for (far, near) in found.into_iter().zip(near) {
        assert_eq!(far.unwrap(), near.unwrap());
    }
    // Two processes meet at least at the door, in the survey, and in a few passes.
    assert!(waited > 5.0 * 2e-3, "{waited}");
}

#[test]
fn a_bootstrap_of_shared_sessions_is_that_of_all() {
    let replicates = |world: Option<&World>, one_step: bool| -> Result<Vec<f64>, nemos::Error> {
        let (design, counts) = data(2, 2)?;
        let share = world.map(|world| world.share_segments(&design.segments()));
        let rows = share.as_ref().map_or(0..ROWS, |share| share.rows());
        let sessions = nemos::core::Segments::from_lengths(vec![50; rows.len() / 50]);
        let mut mine = nemos::core::Design::from(design.to_matrix()?.rows(rows.clone())?).with_segments(sessions)?;
        if let Some(share) = share {
            mine = share.design(mine)?;
        }
        let counts = counts.rows(rows)?;
        let fitted = PopulationGlm::new(Poisson).fit(&mine, &counts)?;
        let options = Bootstrap::new().replicates(12);
        let options = if one_step { options.one_step() } else { options };
        let drawn = fitted
            .inference(&mine, &counts)?
            .bootstrap(&options, &mut ChaCha8Rng::seed_from_u64(4))?;
        Ok(drawn.replicates.into_iter().collect())
    };
    for one_step in [false, true] {
        let plain = replicates(None, one_step).unwrap();
        for found in in_ranks(4, |world| replicates(Some(&world), one_step)) {
            let apart = found.unwrap().iter().zip(&plain).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(apart < 1e-9, "{apart:e}");
        }
    }
}
