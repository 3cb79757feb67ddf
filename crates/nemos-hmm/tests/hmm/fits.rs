//! Fits recover what was drawn, whatever the backend, the start and the number of threads; and files give them back.

use ndarray::{Array2, array};
use nemos_core::{Cpu, Design, Matrix, Names, Segments, ToDesign};
use nemos_glm::{Bernoulli, Gaussian, Poisson};
use nemos_hmm::{
    Acceleration, ClassStates, Drive, FittedGlmHmm, GlmHmm, GlmStates, HmmParameters, Part, PriorSd, Start, StateGlm, Transitions,
    states_curve, states_curve_driven,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::helpers::{ChoiceHmm, assert_rises, column, design, drawn, feature, parameters};

const LENGTHS: [usize; 4] = [300, 200, 250, 250];

fn truth() -> FittedGlmHmm {
    GlmHmm::new(2, Poisson)
        .with_parameters(parameters(0.95, &[(0.5, 1.2, 1.0), (-0.4, -0.8, 1.0)]))
        .unwrap()
}

#[test]
fn what_was_drawn_is_recovered_up_to_order() {
    let truth = truth();
    let (path, counts) = drawn(&truth, &LENGTHS, 1);
    let fitted = GlmHmm::new(2, Poisson).restarts(6).fit(&design(&LENGTHS), &counts).unwrap();
    assert!(fitted.is_converged(), "{fitted}");
    let (agreeing, ended) = fitted.agreement();
    assert!(ended >= 2 && agreeing == ended, "{agreeing} of {ended}");
    assert_eq!(fitted.restarts().len(), 6);
    assert!(fitted.occupancy()[0] >= fitted.occupancy()[1]);
    let fitted = fitted.matched_to(truth.parameters()).unwrap();
    for state in 0..2 {
        let (found, drawn) = (fitted.parameters().state(state), truth.parameters().state(state));
        // Five standard errors of a coefficient of five hundred rows are about 0.2.
        assert!((found.coef[(0, 0)] - drawn.coef[(0, 0)]).abs() < 0.2, "{found:?}");
        assert!((found.intercept[0] - drawn.intercept[0]).abs() < 0.25, "{found:?}");
    }
    let sessions = design(&LENGTHS);
    let decoded = fitted.on(&sessions, &counts).unwrap().decoded().unwrap();
    let right = decoded.path.iter().zip(&path).filter(|(a, b)| a == b).count();
    assert!(right > 930, "{right} of 1000");
    assert_eq!(decoded.n_switches(), decoded.dwells().len() - 4);
}

#[test]
fn starts_by_groups_end_where_others_do() {
    let (_, counts) = drawn(&truth(), &LENGTHS, 1);
    let model = GlmHmm::new(2, Poisson);
    let by_glm = model.clone().restarts(3).fit(&design(&LENGTHS), &counts).unwrap();
    let by_groups = model.start(Start::KMeans).fit(&design(&LENGTHS), &counts).unwrap();
    assert!((by_glm.objective() - by_groups.objective()).abs() < 1e-3, "{by_glm} {by_groups}");
}

#[test]
fn precision_and_full_steps_do_not_change_the_end() {
    let (_, counts) = drawn(&truth(), &LENGTHS, 1);
    let sessions = design(&LENGTHS);
    let model = GlmHmm::new(2, Poisson).start_from(parameters(0.9, &[(0.0, 1.0, 1.0), (0.0, -0.5, 1.0)]));
    let double = model.fit(&sessions, &counts).unwrap();
    assert_rises(double.history());
    let full = model.clone().newton_steps(20).fit(&sessions, &counts).unwrap();
    assert!((double.objective() - full.objective()).abs() < 1e-4);
    let single: Design<'_, Cpu<f32>> = Design::from(sessions.to_matrix().unwrap().to_backend());
    let single = single.with_segments(sessions.segments()).unwrap();
    let single = model.fit(&single, &counts.to_backend::<Cpu<f32>>()).unwrap();
    assert!(
        (double.log_likelihood() - single.log_likelihood()).abs() < 0.01,
        "{double} {single}"
    );
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let (_, counts) = drawn(&truth(), &LENGTHS, 1);
    let fit = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            GlmHmm::new(2, Poisson)
                .restarts(3)
                .max_iterations(10)
                .fit(&design(&LENGTHS), &counts)
                .unwrap()
        })
    };
    let (one, three) = (fit(1), fit(3));
    assert_eq!(one.parameters(), three.parameters());
    assert_eq!(one.history(), three.history());
}

#[test]
fn driven_transitions_are_recovered() {
    let baseline = array![[0.9_f64.ln(), 0.1_f64.ln()], [0.1_f64.ln(), 0.9_f64.ln()]];
    let weights = ndarray::Array3::from_shape_vec((1, 2, 1), vec![-1.0, 1.0]).unwrap();
    let chain = Transitions::driven(Drive::Shared, &baseline, &weights).unwrap();
    let of = parameters(0.5, &[(0.5, 1.6, 1.0), (-0.4, -0.8, 1.0)]);
    let of = HmmParameters::new(vec![0.5; 2], chain, &[of.state(0), of.state(1)]).unwrap();
    let model = GlmHmm::new(2, Poisson).driven(Drive::Shared, 10.0);
    let truth = model.with_parameters(of).unwrap();
    let drive = Array2::from_shape_fn((2000, 1), |(row, _)| 2.0 * feature(row * 3 + 7));
    let segments = Segments::from_lengths([1000, 1000]);
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let drawn = truth.simulate(&segments, |row, _| vec![feature(row)], &drive, &mut rng).unwrap();
    let (counts, drive) = (Matrix::<Cpu>::from_array(drawn.counts.view()), Matrix::from_array(drive.view()));
    for form in [Drive::Shared, Drive::PerState] {
        let model = model.clone().driven(form, 10.0).start_from(truth_like(form));
        let fitted = model.fit_driven(&design(&[1000, 1000]), &counts, &drive).unwrap();
        assert!(fitted.is_converged(), "{fitted}");
        assert_rises(fitted.history());
        for input in [-1.5, 0.0, 1.5] {
            let (found, drawn) = (
                fitted.parameters().transitions().matrix(&[input]).unwrap(),
                truth.parameters().transitions().matrix(&[input]).unwrap(),
            );
            assert!(
                (found - drawn).iter().all(|difference| difference.abs() < 0.1),
                "{form:?} at {input}"
            );
        }
        let sessions = design(&[1000, 1000]);
        let seen = fitted.on_driven(&sessions, &counts, &drive).unwrap();
        let ahead = seen.forecast(1, 2, &array![[3.0], [3.0]]).unwrap();
        assert!(ahead[(1, 1)] > 0.7 && (ahead.row(0).sum() - 1.0).abs() < 1e-12, "{ahead}");
    }
}

fn truth_like(form: Drive) -> HmmParameters {
    let rows = if form == Drive::PerState { 2 } else { 1 };
    let even = array![[0.8_f64.ln(), 0.2_f64.ln()], [0.2_f64.ln(), 0.8_f64.ln()]];
    let chain = Transitions::driven(form, &even, &ndarray::Array3::zeros((rows, 2, 1))).unwrap();
    let of = parameters(0.5, &[(0.0, 1.0, 1.0), (0.0, -0.5, 1.0)]);
    HmmParameters::new(vec![0.5; 2], chain, &[of.state(0), of.state(1)]).unwrap()
}

#[test]
fn blocks_that_are_shared_have_one_coefficient() {
    let (_, counts) = drawn(&truth(), &LENGTHS, 1);
    let two = Matrix::<Cpu>::from_vec((0..1000).flat_map(|row| [feature(row), feature(row * 5 + 3)]).collect(), [1000, 2]).unwrap();
    let names = Names::new(["x", "noise"])
        .with_block("own", 1, [])
        .unwrap()
        .with_block("common", 1, [])
        .unwrap();
    let sessions = two
        .to_design()
        .with_segments(Segments::from_lengths(LENGTHS))
        .unwrap()
        .with_names(names)
        .unwrap();
    let fitted = GlmHmm::new(2, Poisson)
        .share(["common"])
        .restarts(2)
        .fit(&sessions, &counts)
        .unwrap();
    assert!(fitted.is_converged(), "{fitted}");
    let (a, b) = (fitted.parameters().state(0), fitted.parameters().state(1));
    assert_eq!(a.coef[(1, 0)], b.coef[(1, 0)]);
    assert!((a.coef[(0, 0)] - b.coef[(0, 0)]).abs() > 0.3);
    // Two own ones, two intercepts, one that is shared; one for the first state, two for steps.
    assert_eq!(fitted.n_parameters(), 8);
    assert_eq!(fitted.features().block_names(), ["own", "common"]);
}

#[test]
fn what_is_shared_starts_and_is_drawn_to_the_same() {
    let (_, counts) = drawn(&truth(), &LENGTHS, 1);
    let apart = parameters(0.9, &[(0.5, 1.0, 1.0), (-0.4, -0.5, 1.0)]);
    let model = GlmHmm::new(2, Poisson).share_columns([0]).start_from(apart.clone());
    let fitted = model.fit(&design(&LENGTHS), &counts).unwrap();
    assert!(fitted.is_converged(), "{fitted}");
    let coef = |fitted: &FittedGlmHmm, state: usize| fitted.parameters().state(state).coef[(0, 0)];
    assert_eq!(coef(&fitted, 0), coef(&fitted, 1));
    let narrow = model.prior_sd(1e-3).prior_mean(apart).fit(&design(&LENGTHS), &counts).unwrap();
    assert_rises(narrow.history());
    assert!(
        (coef(&narrow, 0) - 0.5).abs() < 0.01 && coef(&narrow, 0) == coef(&narrow, 1),
        "{narrow}"
    );
}

#[test]
fn a_shared_feature_that_is_zero_everywhere_counts_no_parameter() {
    let (_, counts) = drawn(&truth(), &LENGTHS, 1);
    let zeros = Design::from(Matrix::<Cpu>::zeros([1000, 1])).with_segments(Segments::from_lengths(LENGTHS));
    let fitted = GlmHmm::new(2, Poisson).share_columns([0]).fit(&zeros.unwrap(), &counts).unwrap();
    // Two intercepts, one first state, two transitions.
    assert_eq!(fitted.n_parameters(), 5);
    assert!(fitted.aic().is_finite() && fitted.bic().is_finite());
}

#[test]
fn starts_that_end_elsewhere_do_not_agree_however_high() {
    let (_, counts) = drawn(&truth(), &LENGTHS, 1);
    let fitted = GlmHmm::new(2, Poisson).restarts(3).fit(&design(&LENGTHS), &counts).unwrap();
    assert_eq!(fitted.agreement(), (3, 3));
    // A degenerate one may be higher, and not be kept: here one is made of a file.
    let file = std::env::temp_dir().join("nemos_hmm_higher.json");
    fitted.save(&file).unwrap();
    let mut saved: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    saved["restarts"][1]["objective"] = (fitted.objective() + 50.0).into();
    std::fs::write(&file, saved.to_string()).unwrap();
    let higher = FittedGlmHmm::<GlmStates<Poisson, nemos_glm::Exp>>::load(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(higher.agreement(), (2, 3));
}

#[test]
fn no_prior_is_saved_as_none() {
    let (_, counts) = drawn(&truth(), &LENGTHS, 1);
    let model = GlmHmm::new(2, Poisson).prior_sd(f64::INFINITY).max_iterations(3);
    assert_eq!(model.options().prior_sd, PriorSd::Flat);
    let file = std::env::temp_dir().join("nemos_hmm_flat.json");
    let mut options = model.options().clone();
    options.prior_sd = PriorSd::Sd(f64::INFINITY);
    let fitted = model.with_options(options).fit(&design(&LENGTHS), &counts).unwrap();
    fitted.save(&file).unwrap();
    assert_eq!(FittedGlmHmm::<GlmStates<Poisson, nemos_glm::Exp>>::load(&file).unwrap(), fitted);
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn driven_models_are_compared_and_drawn_again() {
    let (_, counts) = drawn(&truth(), &LENGTHS, 1);
    let sessions = design(&LENGTHS);
    let drive = column((0..1000).map(|row| feature(row * 3 + 7)).collect());
    let model = GlmHmm::new(2, Poisson).driven(Drive::Shared, 1.0).restarts(2);
    let curve = states_curve_driven(&model, &[1, 2], (&sessions, &counts, &drive), 2).unwrap();
    assert!(curve[1].mean() > curve[0].mean() + 0.2, "{curve:?}");
    let fitted = model.fit_driven(&sessions, &counts, &drive).unwrap();
    let bootstrap = fitted.bootstrap_driven((&sessions, &counts, &drive), 3, 1).unwrap();
    assert!(bootstrap.standard_error(|parameters| parameters.state(0).intercept[0]) > 1e-4);
    assert!(bootstrap.standard_error(|parameters| parameters.transitions().weights()[(0, 0, 0)]) > 0.0);
    let error = fitted.bootstrap(&sessions, &counts, 3, 1).unwrap_err().to_string();
    assert!(error.contains("`_driven`"), "{error}");
}

#[test]
fn what_is_held_stays() {
    let (_, counts) = drawn(&truth(), &LENGTHS, 1);
    let start = parameters(0.8, &[(0.2, 1.0, 1.0), (-0.1, -0.5, 1.0)]);
    let fitted = GlmHmm::new(2, Poisson)
        .start_from(start.clone())
        .hold([Part::Coef, Part::Initial])
        .fit(&design(&LENGTHS), &counts)
        .unwrap();
    assert_eq!(
        (fitted.parameters().state(0), fitted.parameters().initial()),
        (start.state(0), start.initial())
    );
    assert_ne!(fitted.parameters().transitions(), start.transitions());
    assert_eq!(fitted.n_parameters(), 2);
}

#[test]
fn a_prior_mean_draws_coefficients_to_it() {
    let (_, counts) = drawn(&truth(), &[60], 1);
    let pooled = truth().parameters().clone();
    let model = GlmHmm::new(2, Poisson)
        .prior_sd(0.01)
        .start_from(pooled.clone())
        .prior_mean(pooled.clone());
    let fitted = model.fit(&design(&[60]), &counts).unwrap();
    assert!(fitted.is_converged(), "{fitted}");
    for state in 0..2 {
        let (found, pooled) = (fitted.parameters().state(state), pooled.state(state));
        assert!((found.coef[(0, 0)] - pooled.coef[(0, 0)]).abs() < 0.05);
    }
}

#[test]
fn an_offset_is_an_exposure() {
    let (_, counts) = drawn(&truth(), &LENGTHS, 1);
    let sessions = design(&LENGTHS);
    let start = truth().parameters().clone();
    let model = GlmHmm::new(2, Poisson).start_from(start);
    let plain = model.fit(&sessions, &counts).unwrap();
    let longer = sessions.clone().with_offset(column(vec![2.0_f64.ln(); 1000])).unwrap();
    let longer = model.fit(&longer, &counts).unwrap();
    for state in 0..2 {
        let (a, b) = (
            plain.parameters().state(state).intercept[0],
            longer.parameters().state(state).intercept[0],
        );
        assert!((a - b - 2.0_f64.ln()).abs() < 1e-3, "{a} {b}");
    }
    assert!((plain.log_likelihood() - longer.log_likelihood()).abs() < 1e-4);
}

#[test]
fn classes_are_fitted_and_drawn() {
    let state = |coef: f64, bias: f64| StateGlm {
        coef: array![[coef, 0.0, -coef]],
        intercept: vec![bias, 0.0, -bias],
        scale: vec![1.0],
    };
    let of = HmmParameters::new(
        vec![0.5; 2],
        Transitions::staying(2, 0.96).unwrap(),
        &[state(3.0, 0.0), state(0.0, 2.0)],
    )
    .unwrap();
    let truth = GlmHmm::of_classes(2, 3).with_parameters(of).unwrap();
    let (path, labels) = drawn(&truth, &LENGTHS, 6);
    let fitted = GlmHmm::of_classes(2, 3).restarts(5).fit(&design(&LENGTHS), &labels).unwrap();
    assert!(fitted.is_converged(), "{fitted}");
    let fitted = fitted.matched_to(truth.parameters()).unwrap();
    let sessions = design(&LENGTHS);
    let seen = fitted.on(&sessions, &labels).unwrap();
    let right = seen.decoded().unwrap().path.iter().zip(&path).filter(|(a, b)| a == b).count();
    assert!(right > 800, "{right}");
    let mean = seen.predicted_mean().unwrap().to_matrix().unwrap().to_array();
    assert!(mean.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-10));
    let file = std::env::temp_dir().join("nemos_hmm_classes.json");
    fitted.save(&file).unwrap();
    assert_eq!(FittedGlmHmm::<ClassStates>::load(&file).unwrap(), fitted);
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn fits_are_saved_and_loaded_whole() {
    let (_, counts) = drawn(&truth(), &LENGTHS, 1);
    let fitted = GlmHmm::new(2, Poisson)
        .restarts(5)
        .stickiness(2.0)
        .fit(&design(&LENGTHS), &counts)
        .unwrap();
    let file = std::env::temp_dir().join("nemos_hmm_counts.json");
    fitted.save(&file).unwrap();
    assert_eq!(FittedGlmHmm::<GlmStates<Poisson, nemos_glm::Exp>>::load(&file).unwrap(), fitted);
    let other = FittedGlmHmm::<GlmStates<Gaussian, nemos_glm::Identity>>::load(&file).unwrap_err();
    assert!(other.to_string().contains("other states"), "{other}");
    std::fs::write(&file, "{\"format\": 3}").unwrap();
    assert!(FittedGlmHmm::<ClassStates>::load(&file).is_err());
    std::fs::remove_file(&file).unwrap();
    let given = GlmHmm::new(2, Poisson).with_parameters(truth().parameters().clone()).unwrap();
    given.save(&file).unwrap();
    let back = FittedGlmHmm::<GlmStates<Poisson, nemos_glm::Exp>>::load(&file).unwrap();
    assert!(back.objective().is_nan() && back.parameters() == given.parameters());
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn held_out_bits_find_the_number_of_states_and_give_a_constant_model_none() {
    let (_, counts) = drawn(&truth(), &LENGTHS, 1);
    let curve = states_curve(&GlmHmm::new(1, Poisson).restarts(5), &[1, 2, 3], &design(&LENGTHS), &counts, 4).unwrap();
    assert!(curve[1].mean() > curve[0].mean() + 0.2, "{curve:?}");
    assert!(curve[2].mean() < curve[1].mean() + 0.02, "{curve:?}");
    assert!(curve.iter().all(|point| point.folds.len() == 4 && point.spread().is_finite()));
    // One state without an effect of the feature is the model that others are compared with.
    let flat = GlmHmm::new(1, Poisson).prior_sd(1e-6).fit(&design(&[1000]), &counts).unwrap();
    let bits = flat.held_out(&design(&LENGTHS), &counts, &[3]).unwrap().bits_per_observation();
    assert!(bits.abs() < 0.02, "{bits}");
}

#[test]
fn a_bootstrap_over_sessions_spreads_like_the_coefficients() {
    let lengths = [100; 10];
    let (_, counts) = drawn(&truth(), &lengths, 1);
    let fitted = GlmHmm::new(2, Poisson).restarts(2).fit(&design(&lengths), &counts).unwrap();
    let bootstrap = fitted.bootstrap(&design(&lengths), &counts, 12, 3).unwrap();
    assert_eq!(bootstrap.replicates().len(), 12);
    let error = bootstrap.standard_error(|parameters| parameters.state(0).intercept[0]);
    // A Poisson rate over some five hundred rows is known to about 1/√(500 · 3).
    assert!(error > 0.005 && error < 0.3, "{error}");
    assert_eq!(bootstrap, fitted.bootstrap(&design(&lengths), &counts, 12, 3).unwrap());
}

#[test]
fn drawn_features_may_depend_on_drawn_choices() {
    let of = parameters(0.99, &[(3.0, 0.0, 1.0), (-3.0, 0.0, 1.0)]);
    let model = ChoiceHmm::new(2, Bernoulli).with_parameters(of).unwrap();
    let last = |row: usize, counts: &Array2<f64>| vec![if row == 0 { 0.0 } else { 2.0 * counts[(row - 1, 0)] - 1.0 }];
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let drawn = model
        .simulate(&Segments::single(400), last, &Array2::zeros((400, 0)), &mut rng)
        .unwrap();
    for row in 1..400 {
        assert_eq!(drawn.features[(row, 0)], 2.0 * drawn.counts[(row - 1, 0)] - 1.0);
    }
    // The first state repeats its choices.
    let repeats = (1..400)
        .filter(|&row| drawn.states[row] == 0 && drawn.counts[(row, 0)] == drawn.counts[(row - 1, 0)])
        .count();
    let first = (1..400).filter(|&row| drawn.states[row] == 0).count();
    assert!(first == 0 || repeats as f64 > 0.85 * first as f64, "{repeats} of {first}");
}

#[test]
fn the_specification_has_the_defaults_of_its_table() {
    let options = GlmHmm::new(2, Poisson).options().clone();
    assert_eq!(options, nemos_hmm::Options::default());
    assert_eq!(
        (options.tolerance, options.max_iterations, options.newton_steps, options.restarts),
        (1e-8, 1000, 1, 1)
    );
    assert_eq!((options.stickiness, options.drive_sd, options.seed), (0.0, 1.0, 0));
    assert_eq!(options.start, Start::Glm { noise: 0.2 });
    assert_eq!(options.acceleration, Acceleration::Squarem);
}

#[test]
fn states_without_covariates_take_a_shorter_way_to_the_same_end() {
    let (_, counts) = drawn(&truth(), &LENGTHS, 1);
    let binary = column(counts.to_vec().into_iter().map(|count| f64::from(u8::from(count > 1.0))).collect());
    let zeros = |rest: f64| {
        // One feature that is not zero, and means nothing, sends a fit the long way.
        let values = (0..1000).map(|row| if row == 0 { rest } else { 0.0 }).collect();
        Design::from(column(values)).with_segments(Segments::from_lengths(LENGTHS)).unwrap()
    };
    let start = parameters(0.9, &[(0.0, 1.0, 1.0), (0.0, -0.5, 1.0)]);
    let model = GlmHmm::new(2, Poisson).start_from(start.clone()).prior_sd(1e-6).tolerance(1e-12);
    let (short, long) = (model.fit(&zeros(0.0), &counts).unwrap(), model.fit(&zeros(1e-9), &counts).unwrap());
    assert!((short.log_likelihood() - long.log_likelihood()).abs() < 1e-7, "{short} {long}");
    assert_rises(short.history());
    let again = short.on(&zeros(0.0), &counts).unwrap().log_likelihood().unwrap();
    assert!((again - short.log_likelihood()).abs() < 1e-9);
    // Two intercepts, one first state, two steps.
    assert_eq!((short.n_parameters(), short.iterations() > 2), (5, true));
    let model = ChoiceHmm::new(2, Bernoulli).start_from(start).tolerance(1e-12);
    let (short, long) = (model.fit(&zeros(0.0), &binary).unwrap(), model.fit(&zeros(1e-9), &binary).unwrap());
    assert!((short.log_likelihood() - long.log_likelihood()).abs() < 1e-7, "{short} {long}");
}
