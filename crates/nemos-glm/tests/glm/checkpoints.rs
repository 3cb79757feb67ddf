//! Fits that are stopped and go on from a file.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::Array2;
use nemos_core::tensor::{Tensor, backend::Backend as Burn};
use nemos_core::{Cpu, Design, Matrix, Rows};
use nemos_glm::{
    Checkpoint, ClassifierPopulationGlm, Error, Exp, Mean, NegativeBinomial, ObservationModel, Poisson, PopulationGlm, Regularizer,
    Stopping, Strength, Support, lasso, ridge,
};
use nemos_solvers::{Auto, Callback, GradientDescent, Lbfgs, Newton, Progress, Solver, Status, Svrg};
use nemos_testkit::{HostObjective, refractory};

/// A file of this test that does not exist.
fn file(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("nemos_checkpoint_{}_{name}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

fn noise(place: usize) -> f64 {
    let x = (place as f64 * 12.9898 + 1.0).sin() * 43758.5453;
    x - x.floor()
}

fn features(n_rows: usize, n_features: usize) -> Matrix<Cpu> {
    Matrix::from_vec((0..n_rows * n_features).map(noise).collect(), [n_rows, n_features]).unwrap()
}

fn counts(n_rows: usize, n_neurons: usize) -> Matrix<Cpu> {
    let count = |place: usize| (noise(place + 77).powi(2) * (4 + place % n_neurons) as f64).floor();
    Matrix::from_vec((0..n_rows * n_neurons).map(count).collect(), [n_rows, n_neurons]).unwrap()
}

fn eager(path: &Path) -> Checkpoint {
    Checkpoint::new(path).every(0.0)
}

/// Stops in mid-step, as a program does that is killed.
fn stopping_at(step: usize) -> Callback<Auto, impl Fn(&[Progress])> {
    let steps = AtomicUsize::new(0);
    Callback::new(Auto::new(), move |_: &[Progress]| {
        assert!(steps.fetch_add(1, Ordering::Relaxed) + 1 < step, "stopped");
    })
}

/// Stopped after these steps, one after the other, and then run to its end, a fit is what it is without.
fn assert_goes_on<O: ObservationModel>(model: &PopulationGlm<O, Exp>, solver: &dyn Solver, name: &str) {
    assert_goes_on_with(model, solver, name, (features(400, 12), counts(400, 6)));
}

fn assert_goes_on_with<O: ObservationModel>(
    model: &PopulationGlm<O, Exp>,
    solver: &dyn Solver,
    name: &str,
    (design, counts): (Matrix<Cpu>, Matrix<Cpu>),
) {
    let path = file(name);
    // Many small evaluations are written when the fit ends.
    let eager = |path: &Path| Checkpoint::new(path).every(if name == "svrg" { 3600.0 } else { 0.0 });
    let expected = model.fit_with(solver, &design, &counts).unwrap();
    for stops in [&[1][..], &[3], &[2, 3, 6]] {
        for &steps in stops {
            let stopped = model.clone().checkpoint(eager(&path)).stopping(Stopping::new().max_steps(steps));
            let _ = stopped.fit_with(solver, &design, &counts).unwrap();
        }
        let model = model.clone().checkpoint(eager(&path));
        for _ in 0..2 {
            let fitted = model.fit_with(solver, &design, &counts).unwrap();
            assert_eq!(fitted.coef(), expected.coef(), "{name} {stops:?}");
            assert_eq!(fitted.intercept(), expected.intercept(), "{name} {stops:?}");
            assert_eq!(fitted.outcome(), expected.outcome(), "{name} {stops:?}");
            assert_eq!(fitted.scale(), expected.scale(), "{name} {stops:?}");
        }
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_fit_that_was_stopped_ends_with_the_same_bits() {
    let poisson = PopulationGlm::new(Poisson);
    assert_goes_on(&poisson, &Auto::new(), "auto");
    assert_goes_on(&poisson.clone().regularizer(ridge(0.1)), &Lbfgs::new(), "ridge");
    assert_goes_on(&poisson.clone().regularizer(lasso(0.02)), &Auto::new(), "lasso");
    assert_goes_on(&poisson, &Newton::new(), "newton");
    assert_goes_on(
        &poisson.clone().regularizer(lasso(0.02)),
        &GradientDescent::new(),
        "gradient descent",
    );
    assert_goes_on(&poisson.clone().regularizer(ridge(0.1)), &Svrg::new().seed(3), "svrg");
    assert_goes_on(
        &PopulationGlm::new(NegativeBinomial::estimated()),
        &Auto::new(),
        "negative binomial",
    );
    // One cell looks at its curvature among a few features.
    let HostObjective { design, counts, .. } = refractory(3_000, 20);
    assert_goes_on_with(&poisson, &Auto::new(), "refractory", (design.into(), counts.into()));
}

#[test]
fn a_program_that_died_in_any_step_of_any_group_goes_on() {
    let (design, counts, path) = (features(3000, 40), counts(3000, 12), file("died"));
    let model = PopulationGlm::new(Poisson).regularizer(ridge(0.01));
    let limit = 0.7 * model.plan(&design, &counts).unwrap().bytes();
    let model = model.memory_limit(limit);
    let plan = model.plan(&design, &counts).unwrap();
    assert!(plan.n_groups() > 1, "{plan}");
    let expected = model.fit(&design, &counts).unwrap();
    let kept = model.clone().checkpoint(eager(&path));
    for step in [2, 3, 5, 8] {
        let died = catch_unwind(AssertUnwindSafe(|| kept.fit_with(&stopping_at(step), &design, &counts)));
        assert!(died.is_err() && path.exists());
    }
    let fitted = kept.fit(&design, &counts).unwrap();
    assert_eq!(fitted.coef(), expected.coef());
    assert_eq!(fitted.outcome(), expected.outcome());
    std::fs::remove_file(path).unwrap();
}

/// Rows that say how often they are read.
struct Counted(Matrix<Cpu>, AtomicUsize);

impl Rows<Cpu> for Counted {
    fn n_rows(&self) -> usize {
        self.0.dims()[0]
    }

    fn n_columns(&self) -> usize {
        self.0.dims()[1]
    }

    fn chunk(&self, rows: std::ops::Range<usize>) -> Result<Matrix<Cpu>, nemos_core::Error> {
        self.1.fetch_add(rows.len(), Ordering::Relaxed);
        self.0.rows(rows)
    }
}

#[test]
fn what_the_file_holds_takes_no_further_pass() {
    let (rows, counts, path) = (
        Counted(features(40_000, 12), AtomicUsize::new(0)),
        counts(40_000, 6),
        file("passes"),
    );
    let passes = || rows.1.swap(0, Ordering::Relaxed) / 40_000;
    let model = PopulationGlm::new(Poisson).regularizer(ridge(0.1)).checkpoint(eager(&path));
    let fit = |steps: usize| {
        let design = Design::<Cpu>::from_rows(&rows);
        let _ = model
            .clone()
            .stopping(Stopping::new().max_steps(steps))
            .fit(&design, &counts)
            .unwrap();
        passes()
    };
    let (first, second, rest) = (fit(3), fit(4), fit(100));
    assert!(second <= 2 + 1 && first > second, "{first} {second} {rest}");
    // Finished: all rows are looked at once, to tell whether the data are the same.
    assert_eq!(fit(100), 1);
    std::fs::remove_file(path).unwrap();
}

fn refusal(model: &PopulationGlm, design: &Matrix<Cpu>, counts: &Matrix<Cpu>) -> String {
    match model.fit(design, counts) {
        Err(Error::Data(nemos_core::Error::Checkpoint { why, .. })) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn files_of_other_masks_and_strengths_are_refused_where_these_are_large() {
    let (design, counts, path) = (features(200, 40), counts(200, 20), file("masks"));
    let stopping = Stopping::new().max_steps(2);
    let model = PopulationGlm::new(Poisson).checkpoint(eager(&path)).stopping(stopping);
    // They differ in the middle, which a printed array of so many leaves out.
    let free = |middle: bool| Array2::from_shape_fn((40, 20), |place| middle || place != (20, 10));
    assert_eq!(format!("{:?}", free(true)), format!("{:?}", free(false)));
    let masked = |middle: bool| model.clone().regularizer(ridge(0.1)).feature_mask(free(middle));
    let _ = masked(true).fit(&design, &counts).unwrap();
    assert!(refusal(&masked(false), &design, &counts).contains("another fit"));
    std::fs::remove_file(&path).unwrap();
    let strengths = |middle: bool| free(middle).mapv(|free| if free { 0.1 } else { 0.2 });
    let ridged = |middle: bool| {
        model
            .clone()
            .regularizer(Regularizer::Ridge(Strength::PerCoefficient(strengths(middle))))
    };
    let _ = ridged(true).fit(&design, &counts).unwrap();
    assert!(refusal(&ridged(false), &design, &counts).contains("another fit"));
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn files_of_other_fits_and_damaged_ones_are_refused() {
    let (design, counts, path) = (features(400, 12), counts(400, 6), file("refused"));
    let model = PopulationGlm::new(Poisson).regularizer(ridge(0.1)).checkpoint(eager(&path));
    for steps in [2, 100] {
        let _ = model
            .clone()
            .stopping(Stopping::new().max_steps(steps))
            .fit(&design, &counts)
            .unwrap();
        let whole = std::fs::read(&path).unwrap();
        // Another penalty, tolerance, link; other counts, features, shapes.
        assert!(refusal(&model.clone().regularizer(ridge(0.2)), &design, &counts).contains("another fit"));
        let strict = model.clone().stopping(Stopping::new().tolerance(1e-12));
        assert!(refusal(&strict, &design, &counts).contains("another fit"));
        let other = model.clone().link(nemos_glm::Softplus).fit(&design, &counts);
        assert!(matches!(other, Err(Error::Data(nemos_core::Error::Checkpoint { .. }))));
        let changed = |matrix: &Matrix<Cpu>| {
            let mut values = matrix.to_array();
            values[(399, 1)] += 1.0;
            Matrix::from(values)
        };
        assert!(refusal(&model, &design, &changed(&counts)).contains("another fit: data, model"));
        assert!(!refusal(&model, &changed(&design), &counts).is_empty());
        assert!(!refusal(&model, &design.rows(0..399).unwrap(), &counts.rows(0..399).unwrap()).is_empty());
        for length in [0, 7, 16, 40, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(refusal(&model, &design, &counts).contains("cut short"), "{length}");
        }
        for place in [0, 20, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[place] ^= 64;
            std::fs::write(&path, &damaged).unwrap();
            refusal(&model, &design, &counts);
        }
        std::fs::write(&path, [&whole[..], &[0]].concat()).unwrap();
        assert!(refusal(&model, &design, &counts).contains("cut short"));
        std::fs::write(&path, &whole).unwrap();
        let _ = model.fit(&design, &counts).unwrap();
        std::fs::remove_file(&path).unwrap();
    }
    std::fs::write(&path, vec![b'x'; 4000]).unwrap();
    assert!(refusal(&model, &design, &counts).contains("no checkpoint"));
    std::fs::remove_file(&path).unwrap();
    let nowhere = model.clone().checkpoint(eager(Path::new("no such folder/fit")));
    assert!(!refusal(&nowhere, &design, &counts).is_empty());
    let never = model.checkpoint(Checkpoint::new(&path).every(-1.0));
    assert!(matches!(never.fit(&design, &counts), Err(Error::Option(_))));
}

#[test]
fn classifiers_go_on_too() {
    let (design, path) = (features(500, 10), file("classes"));
    let labels = Matrix::from(counts(500, 3).to_array().mapv(|count: f64| count.min(2.0)));
    let model = ClassifierPopulationGlm::new(3);
    let expected = model.fit(&design, &labels).unwrap();
    let kept = model.checkpoint(eager(&path));
    let _ = kept.clone().stopping(Stopping::new().max_steps(2)).fit(&design, &labels).unwrap();
    assert_eq!(kept.fit(&design, &labels).unwrap().coef(), expected.coef());
    std::fs::remove_file(path).unwrap();
}

#[test]
fn seconds_go_by_between_writings() {
    let (design, counts, path) = (features(400, 12), counts(400, 6), file("seldom"));
    let model = PopulationGlm::new(Poisson)
        .regularizer(ridge(0.1))
        .checkpoint(Checkpoint::new(&path).every(3600.0));
    let died = catch_unwind(AssertUnwindSafe(|| model.fit_with(&stopping_at(3), &design, &counts)));
    assert!(died.is_err() && !path.exists());
    let _ = model.fit(&design, &counts).unwrap();
    assert!(path.exists());
    std::fs::remove_file(path).unwrap();
}

/// What a classifier knows of its maximum it knows with a checkpoint, too.
#[test]
fn separated_classes_have_no_maximum_with_a_checkpoint_either() {
    let (design, path) = (features(60, 2), file("separated"));
    let sums = design.to_array();
    let labels = Matrix::<Cpu>::from_column(sums.rows().into_iter().map(|row| f64::from(u8::from(row.sum() > 0.0))).collect());
    let model = ClassifierPopulationGlm::new(2).regularizer(Regularizer::Unregularized);
    let status = |model: &ClassifierPopulationGlm| model.fit(&design, &labels).unwrap().outcome().columns[0].status;
    let known = status(&model);
    assert_eq!(status(&model.checkpoint(eager(&path))), known);
    assert_eq!(known, Status::NoMaximum);
    std::fs::remove_file(path).unwrap();
}

/// A finished fit is taken from the file, and yet looks at all features.
#[test]
fn a_feature_of_any_row_tells_data_apart() {
    let (design, counts, path) = (features(50_000, 2), counts(50_000, 1), file("any row"));
    let model = PopulationGlm::new(Poisson).checkpoint(eager(&path));
    let _ = model.fit(&design, &counts).unwrap();
    for row in [0, 4_100, 9_000, 30_000, 49_999] {
        let mut values = design.to_array();
        values[(row, 1)] += 1.0;
        assert!(refusal(&model, &Matrix::from(values), &counts).contains("another fit"), "{row}");
    }
    let _ = model.fit(&design, &counts).unwrap();
    std::fs::remove_file(path).unwrap();
}

/// Poisson counts, each of which is missed with some probability.
#[derive(Clone, Debug)]
struct Missed(f64);

impl ObservationModel for Missed {
    type DefaultLink = Exp;

    fn log_likelihood<T: Burn>(&self, counts: Tensor<T, 2>, mean: &Mean<'_, T>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        (mean.log_rate() + (1.0 - self.0).ln()) * counts - mean.rate() * (1.0 - self.0)
    }

    fn deviance<T: Burn>(&self, counts: Tensor<T, 2>, rate: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        (counts - rate * (1.0 - self.0)).powi_scalar(2)
    }

    fn variance<T: Burn>(&self, rate: Tensor<T, 2>, _scale: Tensor<T, 2>) -> Tensor<T, 2> {
        rate * (1.0 - self.0)
    }

    fn support(&self) -> Support {
        Support::NonNegative
    }
}

#[test]
fn models_of_the_callers_own_are_told_apart() {
    let (design, counts, path) = (features(400, 3), counts(400, 2), file("own"));
    for steps in [1, 100] {
        let fit = |missed: f64| {
            let model = PopulationGlm::new(Missed(missed)).checkpoint(eager(&path));
            model.stopping(Stopping::new().max_steps(steps)).fit(&design, &counts)
        };
        let first = fit(0.5).unwrap();
        let Err(Error::Data(nemos_core::Error::Checkpoint { why, .. })) = fit(0.1) else {
            panic!("a fit of another model was taken for the same");
        };
        assert!(why.contains("another fit"), "{why}");
        assert_eq!(fit(0.5).unwrap().coef(), first.coef());
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn fits_at_the_same_time_with_one_file_are_told_so() {
    let (design, path) = (features(3000, 12), file("two"));
    let (ours, others) = (
        counts(3000, 12),
        counts(3000, 24)
            .rows(0..3000)
            .unwrap()
            .select_columns(&(12..24).collect::<Vec<_>>())
            .unwrap(),
    );
    let model = PopulationGlm::new(Poisson).regularizer(ridge(0.01));
    let limit = 0.5 * model.plan(&design, &ours).unwrap().bytes();
    let model = model.memory_limit(limit).checkpoint(eager(&path));
    assert!(model.plan(&design, &ours).unwrap().n_groups() > 1);
    // The same fit, and one of other counts, which begin and end while another one takes its third step.
    for meanwhile in [&ours, &others] {
        for step in [1, 3, 9] {
            let steps = AtomicUsize::new(0);
            let solver = Callback::new(Auto::new(), |_: &[Progress]| {
                if steps.fetch_add(1, Ordering::Relaxed) + 1 == step {
                    let stopped = model.clone().stopping(Stopping::new().max_steps(2));
                    let _ = stopped.fit(&design, meanwhile);
                    let _ = std::fs::remove_file(&path);
                    let _ = stopped.fit(&design, meanwhile).unwrap();
                }
            });
            let Err(error) = model.fit_with(&solver, &design, &ours) else {
                panic!("step {step}: a file of two fits was taken for that of one");
            };
            assert!(error.to_string().contains("another fit writes it"), "step {step}: {error}");
            // Whose file it is can go on.
            assert!(model.fit(&design, meanwhile).unwrap().outcome().all_converged());
            std::fs::remove_file(&path).unwrap();
        }
    }
}

/// Some groups have ended, others before them have not: what is kept of one is not taken for another's.
#[test]
fn groups_that_were_stopped_are_not_mistaken_for_others() {
    let (design, counts, path) = (features(3000, 12), counts(3000, 12), file("stopped groups"));
    let model = PopulationGlm::new(Poisson).regularizer(ridge(0.01));
    let limit = 0.5 * model.plan(&design, &counts).unwrap().bytes();
    let model = model.memory_limit(limit);
    assert!(model.plan(&design, &counts).unwrap().n_groups() > 2);
    let expected = model.fit(&design, &counts).unwrap();
    for steps in 1..9 {
        let kept = model.clone().checkpoint(eager(&path));
        for steps in [steps, steps, 100] {
            let stopped = kept
                .clone()
                .stopping(Stopping::new().max_steps(steps))
                .fit(&design, &counts)
                .unwrap();
            assert_eq!(stopped.outcome().columns.len(), 12);
        }
        let fitted = kept.fit(&design, &counts).unwrap();
        assert_eq!(fitted.coef(), expected.coef(), "{steps} steps");
        assert_eq!(fitted.outcome(), expected.outcome(), "{steps} steps");
        std::fs::remove_file(&path).unwrap();
    }
}
