//! Searches: batches are separate fits; choices, tables, files.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::Array2;
use nemos_core::{Cpu, Design, Matrix, Names, ToDesign};
use nemos_glm::{FeatureMask, FittedPopulationGlm, Glm, Groups, Poisson, PopulationGlm, Regularizer, Score, Stopping, Strength};
use nemos_select::{
    Choice, Distribution, Distributions, Error, Folds, Grid, GridSearch, Rule, Scoring, Split, Tunable, Value, cross_validate,
    learning_curve, log_spaced,
};

use crate::{close, population};

fn model() -> PopulationGlm {
    PopulationGlm::new(Poisson)
        .regularizer(Regularizer::Ridge(1.0.into()))
        .stopping(Stopping::new().tolerance(1e-18))
}

/// Scores of separate fits, with rows cut by hand.
fn by_hand(model: &PopulationGlm, folds: &Folds, (design, counts): (&Matrix<Cpu>, &Matrix<Cpu>)) -> Vec<f64> {
    let splits = folds.cut(&design.to_design()).unwrap();
    let of = |split: &nemos_select::Split| {
        let (train, test) = (
            design.select_rows(split.train()).unwrap(),
            design.select_rows(split.test()).unwrap(),
        );
        let fitted: FittedPopulationGlm = model.fit(&train, &counts.select_rows(split.train()).unwrap()).unwrap();
        fitted
            .score(&test, &counts.select_rows(split.test()).unwrap(), Score::LogLikelihood)
            .unwrap()
    };
    splits.iter().map(of).collect()
}

#[test]
fn a_batch_of_any_candidates_and_folds_is_separate_fits() {
    let (design, counts) = population(300, 6, 3);
    let per_feature = Strength::PerFeature(vec![0.0, 0.1, 0.2, 0.3, 0.4, 0.5]);
    let groups = Groups::Features(vec![vec![0, 1, 2], vec![4, 5]]);
    let penalties = [
        Regularizer::Unregularized,
        Regularizer::Ridge(0.1.into()),
        Regularizer::Ridge(per_feature.clone()),
        Regularizer::Ridge(Strength::PerNeuron(vec![0.01, 0.1, 1.0])),
        Regularizer::Lasso(0.02.into()),
        Regularizer::Lasso(per_feature),
        Regularizer::ElasticNet {
            strength: 0.05.into(),
            lasso_share: 0.3,
        },
        Regularizer::GroupLasso {
            strength: 0.02.into(),
            groups: groups.clone(),
        },
        Regularizer::GroupLasso {
            strength: Strength::PerGroup(vec![0.01, 0.05]),
            groups,
        },
    ];
    let grid = Grid::new().over("regularizer", penalties.clone());
    for folds in [
        Folds::k(3),
        Folds::blocks(2, 3).gap(4),
        Folds::time_series(3),
        Folds::shuffled(2, 1),
    ] {
        let search = GridSearch::new(model(), grid.clone())
            .folds(folds.clone())
            .fit(&design, &counts)
            .unwrap();
        for (penalty, row) in penalties.iter().zip(search.table().rows()) {
            assert_eq!(row.failure(), None);
            let expected = by_hand(&model().regularizer(penalty.clone()), &folds, (&design, &counts));
            for (got, expected) in row.scores().iter().zip(expected) {
                close(*got, expected, 1e-7);
            }
        }
    }
}

#[test]
fn weights_offsets_missing_counts_and_masks_are_each_candidates_own() {
    let (design, counts) = population(200, 4, 2);
    let mut with_gaps = counts.to_array();
    with_gaps[(3, 0)] = f64::NAN;
    with_gaps[(150, 1)] = f64::NAN;
    let counts = Matrix::<Cpu>::from(with_gaps);
    let column = |of: fn(usize) -> f64| Matrix::<Cpu>::from_column((0..200).map(of).collect());
    let design = design
        .to_design()
        .with_weights(column(|row| (row % 4) as f64))
        .and_then(|design| design.with_offset(column(|row| 0.2 * (row % 3) as f64)))
        .unwrap();
    let mask = Array2::from_shape_fn((4, 2), |(feature, neuron)| feature != neuron);
    let model = model().feature_mask(FeatureMask::from(mask));
    let row = GridSearch::new(model.clone(), Grid::new().over("strength", [0.1]))
        .folds(Folds::k(2))
        .fit(&design, &counts)
        .unwrap()
        .table()
        .rows()[0]
        .clone();
    for (fold, (train, test)) in [(100..200, 0..100), (0..100, 100..200)].into_iter().enumerate() {
        let cut = |rows: std::ops::Range<usize>| design.select_rows(&rows.collect::<Vec<_>>()).unwrap();
        let cut_counts = |rows: std::ops::Range<usize>| counts.rows(rows).unwrap();
        let fitted = model
            .clone()
            .regularizer(Regularizer::Ridge(0.1.into()))
            .fit(&cut(train.clone()), &cut_counts(train))
            .unwrap();
        let (score, by_neuron) = fitted.scores(&cut(test.clone()), &cut_counts(test), Score::LogLikelihood).unwrap();
        close(row.scores()[fold], score, 1e-8);
        (0..2).for_each(|neuron| close(row.scores_of(neuron)[fold], by_neuron[neuron], 1e-8));
    }
}

#[test]
fn each_neuron_may_have_its_own_strength() {
    let (design, counts) = population(400, 12, 4);
    let strengths = log_spaced(1e-3, 10.0, 9);
    let search = GridSearch::new(model(), Grid::new().over("strength", strengths.clone())).folds(Folds::k(4));
    let own = search.clone().choice(Choice::PerNeuron).fit(&design, &counts).unwrap();
    let distinct: std::collections::BTreeSet<usize> = own.chosen().iter().copied().collect();
    assert!(distinct.len() > 1, "{:?}", own.chosen());
    assert_eq!(own.models().len(), 1, "strengths alone differ: one model");
    for (neuron, &row) in own.chosen().iter().enumerate() {
        let best = (0..9).max_by(|&a, &b| {
            let mean = |row: usize| own.table().rows()[row].scores_of(neuron).iter().sum::<f64>();
            mean(a).total_cmp(&mean(b))
        });
        assert_eq!(Some(row), best);
        let alone = Glm::new(Poisson)
            .regularizer(Regularizer::Ridge(strengths[row].into()))
            .stopping(Stopping::new().tolerance(1e-18))
            .fit(&design, &counts.select_columns(&[neuron]).unwrap())
            .unwrap();
        for (got, expected) in own.fitted().coef().column(neuron).iter().zip(alone.coef()) {
            close(*got, *expected, 1e-6);
        }
    }
    // Candidates of different kinds: a model for each group of neurons.
    let grid = Grid::new().over("regularizer", [Regularizer::Ridge(1e-3.into()), Regularizer::Lasso(0.3.into())]);
    let counts = Design::from(&counts).with_names(Names::new(["a", "b", "c", "d"])).unwrap();
    let mixed = GridSearch::new(model(), grid)
        .choice(Choice::PerNeuron)
        .fit(&design, &counts)
        .unwrap();
    let neurons: usize = mixed.models().iter().map(|part| part.neurons.len()).sum();
    assert_eq!(neurons, 4);
    for part in mixed.models() {
        let names: Vec<&str> = part.neurons.iter().map(|&neuron| ["a", "b", "c", "d"][neuron]).collect();
        assert_eq!(part.fitted.neurons(), names);
    }
}

#[test]
fn one_standard_error_takes_the_strongest_that_is_as_good() {
    let (design, counts) = population(300, 10, 2);
    let strengths = log_spaced(1e-4, 10.0, 15);
    let search = GridSearch::new(model(), Grid::new().over("strength", strengths)).folds(Folds::k(5));
    let best = search.clone().fit(&design, &counts).unwrap();
    let simplest = search.rule(Rule::OneStandardError).fit(&design, &counts).unwrap();
    let rows = best.table().rows();
    let (top, chosen) = (best.best(), simplest.best_index());
    let least = top.mean() - top.std_error();
    let within: Vec<usize> = (0..15).filter(|&row| rows[row].mean() >= least).collect();
    assert_eq!(Some(&chosen), within.last());
    assert!(chosen > best.best_index());
    // The standard error is that of a mean: the deviation of 5 scores over √5.
    let mean = top.scores().iter().sum::<f64>() / 5.0;
    let variance = top.scores().iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 4.0;
    close(top.std_error(), (variance / 5.0).sqrt(), 1e-12);
}

#[test]
fn a_candidate_that_fails_is_a_row_with_its_reason() {
    let (design, counts) = population(100, 3, 1);
    let grid = Grid::new().over("strength", [-1.0, 0.1]).or(Grid::new().over("lasso_share", [0.5]));
    let search = GridSearch::new(model(), grid).fit(&design, &counts).unwrap();
    let rows = search.table().rows();
    assert!(rows[0].failure().unwrap().contains("-1"), "{:?}", rows[0].failure());
    assert!(rows[2].failure().unwrap().contains("elastic net"), "{:?}", rows[2].failure());
    assert_eq!(search.best_index(), 1);
    assert!(search.to_string().contains("chosen: strength = 0.1"), "{search}");
    let csv = search.table().to_csv();
    assert!(csv.starts_with("strength,lasso_share,mean,std_error,size,fold_0,"), "{csv}");
    assert_eq!(csv.lines().count(), 4);
    assert!(csv.contains("\n-1,,,,,"), "no size where there is no fit: {csv}");
    // All of them: the error itself.
    let none = GridSearch::new(model(), Grid::new().over("strength", [-1.0])).fit(&design, &counts);
    assert!(matches!(none, Err(Error::Glm(_))));
    let nobody = GridSearch::new(model(), Grid::new()).fit(&design, &Matrix::<Cpu>::zeros([100, 0]));
    assert!(nobody.unwrap_err().to_string().contains("no neurons"));
    assert!(matches!(
        GridSearch::new(model(), Grid::new().over("strength", Vec::<f64>::new())).fit(&design, &counts),
        Err(Error::NoCandidates)
    ));
}

#[test]
fn a_neuron_that_is_silent_in_a_fold_is_chosen_for_by_the_others() {
    let (design, counts) = population(120, 3, 2);
    let mut counts = counts.to_array();
    counts.slice_mut(ndarray::s![0..40, 1]).fill(0.0);
    let counts = Matrix::<Cpu>::from(counts);
    let search = GridSearch::new(model(), Grid::new().over("strength", [0.01, 100.0]))
        .folds(Folds::k(3))
        .scoring(Score::Cohen)
        .choice(Choice::PerNeuron)
        .fit(&design, &counts)
        .unwrap();
    let scores = search.table().rows()[0].scores_of(1);
    assert!(scores[0].is_nan() && !scores[1].is_nan());
    assert_eq!(search.chosen().len(), 2);
}

#[test]
fn bits_of_no_spike_are_no_score() {
    let (design, counts) = population(120, 3, 2);
    let mut counts = counts.to_array();
    counts.slice_mut(ndarray::s![0..40, 1]).fill(0.0);
    let search = |folds| {
        GridSearch::new(model(), Grid::new().over("strength", [0.01, 100.0]))
            .folds(folds)
            .scoring(Scoring::BitsPerSpike)
            .choice(Choice::PerNeuron)
            .fit(&design, &Matrix::<Cpu>::from(counts.clone()))
            .unwrap()
    };
    let found = search(Folds::k(3));
    let rows = found.table().rows();
    assert!(rows.iter().all(|row| row.scores_of(1)[0].is_nan()));
    // The folds with spikes decide.
    let told = |row: usize| rows[row].scores_of(1)[1..].iter().sum::<f64>();
    assert_eq!(found.chosen()[1], usize::from(told(1) > told(0)));
    assert_eq!(found.chosen()[1], 1);
}

#[test]
fn settings_are_what_a_candidate_has() {
    let (design, counts) = population(100, 3, 1);
    // The penalty is set before its strength, whichever is named first, and the last of two strengths counts.
    let grid = Grid::new()
        .over("strength", [0.5])
        .over("strength", [0.01, 1.0])
        .over("regularizer", [Regularizer::Ridge(9.0.into()), Regularizer::Lasso(9.0.into())]);
    let search = GridSearch::new(Glm::new(Poisson), grid).fit(&design, &counts).unwrap();
    assert_eq!(search.table().curve("strength").len(), 2);
    let strength = search.chosen_numbers("strength")[0];
    let penalty = search.specification().penalty();
    assert!([Regularizer::Ridge(strength.into()), Regularizer::Lasso(strength.into())].contains(penalty));
}

#[test]
fn a_file_of_another_model_or_other_weights_is_refused() {
    let (design, counts) = population(100, 3, 1);
    let path = std::env::temp_dir().join(format!("nemos_select_other_{}.json", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let search = |regularizer, strengths: &[f64]| {
        let model = Glm::new(Poisson).regularizer(regularizer);
        GridSearch::new(model, Grid::new().over("strength", strengths.to_vec())).checkpoint(&path)
    };
    let ridge = || Regularizer::Ridge(1.0.into());
    // What cannot be fitted keeps no search from going on.
    let strengths = [f64::NAN, 0.1, f64::INFINITY];
    let first = search(ridge(), &strengths).fit(&design, &counts).unwrap();
    let again = search(ridge(), &strengths).fit(&design, &counts).unwrap();
    assert_eq!(first.table().rows()[1], again.table().rows()[1]);
    // More candidates of the same model go on, those of another do not.
    assert!(search(ridge(), &[0.1, 0.2]).fit(&design, &counts).is_ok());
    let lasso = search(Regularizer::Lasso(1.0.into()), &[0.1]).fit(&design, &counts);
    assert!(lasso.unwrap_err().to_string().contains("another model (strength = 0.1)"));
    // Candidates of one name are told apart.
    let strengths = [0.1, 10.0].map(|strength| {
        (
            "same",
            Glm::new(Poisson).regularizer(Regularizer::Ridge(Strength::Shared(strength))),
        )
    });
    let named = || GridSearch::of(strengths.clone()).checkpoint(path.with_extension("named"));
    let first = named().fit(&design, &counts).unwrap();
    assert_eq!(named().fit(&design, &counts).unwrap().table(), first.table());
    std::fs::remove_file(path.with_extension("named")).unwrap();
    let weights = Matrix::from_column((0..100).map(|row| f64::from(row % 3)).collect());
    let weighted = design.to_design().with_weights(weights).unwrap();
    assert!(matches!(search(ridge(), &[0.1]).fit(&weighted, &counts), Err(Error::File { .. })));
    let _ = std::fs::remove_file(&path);
    // Rounds of a halving have files of their own.
    let of_round = std::path::PathBuf::from(format!("{}.1", path.display()));
    assert!(search(ridge(), &[0.1, 1.0, 10.0]).fit_halving(3, &design, &counts).is_ok());
    assert!(path.exists() && of_round.exists());
    [path, of_round].iter().for_each(|path| std::fs::remove_file(path).unwrap());
}

#[test]
fn a_search_stops_and_goes_on() {
    let (design, counts) = population(100, 3, 2);
    let path = std::env::temp_dir().join(format!("nemos_select_{}.json", std::process::id()));
    let _ = std::fs::remove_file(&path);
    // Masks keep candidates out of one batch.
    let masks = (0..3).map(|left_out| FeatureMask::from(Array2::from_shape_fn((3, 2), |(feature, _)| feature != left_out)));
    let grid = Grid::new().over("mask", masks).over("strength", [0.1, 1.0]);
    let search = GridSearch::new(model(), grid).checkpoint(&path);
    let stopped = search.clone().progress(|done, _| {
        if done >= 10 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert!(matches!(stopped.fit(&design, &counts), Err(Error::Stopped { done: 10, total: 30 })));
    static HEARD: AtomicUsize = AtomicUsize::new(0);
    let went_on = search.clone().progress(|done, total| {
        assert!(done > 10 && total == 30);
        HEARD.fetch_add(1, Ordering::Relaxed);
        ControlFlow::Continue(())
    });
    let went_on = went_on.fit(&design, &counts).unwrap();
    assert_eq!(HEARD.load(Ordering::Relaxed), 2, "one batch of three was done before");
    let whole = search.clone();
    let _ = std::fs::remove_file(&path);
    let whole = whole.fit(&design, &counts).unwrap();
    assert_eq!(went_on.table(), whole.table());
    // Other data are noticed.
    let other = Matrix::<Cpu>::from(counts.to_array().mapv(|count| count + 1.0));
    assert!(matches!(search.fit(&design, &other), Err(Error::File { .. })));
    std::fs::write(&path, "nonsense").unwrap();
    assert!(matches!(search.fit(&design, &counts), Err(Error::File { .. })));
    let _ = std::fs::remove_file(&path);
}

#[test]
fn scores_of_your_own_see_counts_and_rates_of_the_test_rows() {
    let (design, counts) = population(90, 3, 2);
    let own = Scoring::own("squares", |counts, rates| {
        -counts.iter().zip(rates).map(|(count, rate)| (count - rate).powi(2)).sum::<f64>() / counts.len() as f64
    });
    let row = cross_validate(&model(), &Folds::k(3), own, &design, &counts).unwrap();
    let fitted: FittedPopulationGlm = model().fit(&design.rows(30..90).unwrap(), &counts.rows(30..90).unwrap()).unwrap();
    let rates = fitted.predict(&design.rows(0..30).unwrap()).unwrap().to_array();
    let squares = (rates - counts.rows(0..30).unwrap().to_array()).mapv(|x| x * x);
    close(row.scores()[0], -squares.mean().unwrap(), 1e-7);
    let bits = cross_validate(&model(), &Folds::k(3), Scoring::BitsPerSpike, &design, &counts).unwrap();
    assert!(bits.mean().is_finite() && bits.scores_of(0).len() == 3);
}

#[test]
fn learning_curves_meet_as_rows_grow() {
    let (design, counts) = population(400, 8, 2);
    let (folds, scoring) = (Folds::blocks(4, 2), Scoring::from(Score::LogLikelihood));
    let curve = learning_curve(
        &model().regularizer(Regularizer::Ridge(1e-3.into())),
        &[0.1, 0.4, 1.0],
        (&folds, &scoring),
        &design,
        &counts,
    );
    let curve = curve.unwrap();
    assert_eq!(curve[2].n_rows, 300.0);
    let apart: Vec<f64> = curve.iter().map(|point| point.train.mean() - point.test.mean()).collect();
    assert!(apart[0] > 2.0 * apart[2], "{apart:?}");
    assert!(learning_curve(&model(), &[0.0], (&folds, &scoring), &design, &counts).is_err());
}

#[test]
fn halving_ends_with_the_candidates_that_a_whole_search_ranks_high() {
    let (design, counts) = population(600, 6, 2);
    let grid = Grid::new().over("strength", log_spaced(1e-3, 100.0, 9));
    let search = GridSearch::new(model(), grid).folds(Folds::blocks(3, 2));
    let whole = search.fit(&design, &counts).unwrap();
    let halved = search.fit_halving(3, &design, &counts).unwrap();
    let rank = whole.table().ranking().iter().position(|&row| row == halved.best_index()).unwrap();
    assert!(rank < 3, "rank {rank}");
    let left = halved.table().rows().iter().filter(|row| row.failure().is_some()).count();
    assert_eq!(left, 8);
    assert!(halved.table().rows()[8].failure().unwrap().contains("round 1 of 2"));
    assert!(search.fit_halving(1, &design, &counts).is_err());
}

#[test]
fn halving_keeps_candidates_that_few_rows_do_not_tell_apart() {
    let (design, counts) = population(240, 3, 1);
    // Silent in all rows that the first two rounds train on.
    let mut counts = counts.to_array();
    counts.slice_mut(ndarray::s![0..160, 0]).fill(0.0);
    let counts = Matrix::<Cpu>::from(counts);
    let grid = Grid::new().over("strength", log_spaced(1e-4, 100.0, 9));
    let search = GridSearch::new(model(), grid).folds(Folds::given([Split::new(0..200, 200..240)]));
    let halved = search.fit_halving(3, &design, &counts).unwrap();
    let whole = search.fit(&design, &counts).unwrap();
    assert_ne!(whole.best_index(), 0);
    assert_eq!(halved.best_index(), whole.best_index(), "{halved}\n{whole}");
}

#[test]
fn draws_are_within_their_distributions() {
    use rand::SeedableRng;
    let draw = |seed| {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        Distributions::new()
            .over("strength", Distribution::LogUniform(1e-4, 1.0))
            .over("max_steps", Distribution::Whole(5, 9))
            .over("tolerance", Distribution::Uniform(0.1, 0.2))
            .over("mask", Distribution::Among(vec![1.0.into(), 2.0.into()]))
            .draw(200, &mut rng)
            .unwrap()
    };
    let drawn = draw(3);
    assert_eq!(drawn, draw(3));
    for settings in &drawn {
        let number = |path: &str| settings.get(path).and_then(Value::as_number).unwrap();
        assert!((1e-4..1.0).contains(&number("strength")) && (5.0..=9.0).contains(&number("max_steps")));
        assert!((0.1..0.2).contains(&number("tolerance")) && [1.0, 2.0].contains(&number("mask")));
    }
    let low = drawn
        .iter()
        .filter(|settings| settings.get("strength").unwrap().as_number().unwrap() < 1e-2)
        .count();
    assert!((70..130).contains(&low), "half of the logarithms: {low}");
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    assert!(
        Distributions::new()
            .over("x", Distribution::LogUniform(0.0, 1.0))
            .draw(1, &mut rng)
            .is_err()
    );
    assert!(
        Distributions::new()
            .over("x", Distribution::Among(vec![]))
            .draw(1, &mut rng)
            .is_err()
    );
}

#[test]
fn parameters_are_read_and_set_by_path() {
    let glm = Glm::new(Poisson).regularizer(Regularizer::ElasticNet {
        strength: 0.3.into(),
        lasso_share: 0.5,
    });
    let parameters = glm.parameters();
    assert_eq!(parameters.get("strength"), Some(&Strength::Shared(0.3).into()));
    assert_eq!(parameters.get("lasso_share"), Some(&0.5.into()));
    let set = glm.with("lasso_share", &0.9.into()).unwrap();
    assert_eq!(set.parameters().get("lasso_share"), Some(&0.9.into()));
    let error = glm.with("lasso_shore", &0.9.into()).unwrap_err().to_string();
    assert!(error.contains("lasso_share"), "{error}");
    assert!(glm.with("max_steps", &0.5.into()).is_err());
    assert!(
        glm.with("link", &nemos_glm::LinkForm::Softplus.into()).is_err(),
        "the type says Exp"
    );
}

#[test]
fn one_neuron_takes_one_column() {
    let (design, counts) = population(60, 2, 2);
    let search = GridSearch::new(Glm::new(Poisson), Grid::new());
    assert!(matches!(
        search.fit(&design, &counts),
        Err(Error::Glm(nemos_glm::Error::SeveralNeurons { .. }))
    ));
    assert!(matches!(search.fit(&design, &Matrix::<Cpu>::zeros([59, 1])), Err(Error::Data(_))));
    assert!(matches!(
        search.fit([&design, &design], &counts.select_columns(&[0]).unwrap()),
        Err(Error::Inputs { .. })
    ));
}
