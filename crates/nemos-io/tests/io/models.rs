//! Models through files and back, and files that lie.

use std::fmt::Debug;
use std::path::PathBuf;

use ndarray::{Array2, array};
use nemos_basis::{BSpline, Basis, Custom, Family, RaisedCosineLog, Window};
use nemos_core::tensor::{Tensor, backend::Backend};
use nemos_core::{Cpu, Design, Matrix, Names, ToDesign};
use nemos_glm::{
    Bernoulli, ClassifierGlm, ClassifierPopulationGlm, ColumnOutcome, Exp, FeatureMask, FittedClassifierGlm, FittedClassifierPopulationGlm,
    FittedGlm, FittedPopulationGlm, Gamma, Gaussian, Glm, Groups, Identity, InverseLink, Logistic, NegativeBinomial, NormalCdf,
    ObservationModel, Outcome, Poisson, PopulationGlm, Reciprocal, Regularizer, Softplus, Status, Stopping, Strength,
};
use nemos_io::{Error, SaveModel, SavedModel};
use nemos_solvers::{
    Acceleration, Bfgs, Descent, Direction, GradientDescent, Lbfgs, Newton, NonlinearCg, Objective, Parameters, ProximalNewton, Solver,
    State, Svrg,
};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::common::Scratch;

fn coef() -> Array2<f64> {
    array![[0.1, -0.2], [1.0 / 3.0, -0.0], [f64::MIN_POSITIVE, 4e300]]
}

/// Two blocks of three features.
fn names() -> Names {
    let names = Names::none().with_block("speed, \"ω\"", 1, []);
    names.and_then(|names| names.with_block("spikes", 2, ["7", "12"])).unwrap()
}

/// How fits of two neurons may have ended.
fn outcome(solver: &str) -> Outcome {
    let columns = [Status::NoMaximum, Status::Stalled].map(|status| {
        let mut column = ColumnOutcome::new(status, 3);
        (column.value, column.gradient_norm, column.decrement) = (0.1 + 0.2, 1e-300, 1.0 / 3.0);
        column
    });
    Outcome::new(solver, columns.to_vec())
}

/// What every format must keep.
fn same(a: &SavedModel, b: &SavedModel) {
    // Unlike numbers, their text compares NaN with NaN. Warnings are about the file that was read.
    let text = |saved: &SavedModel| format!("{saved:?}").split(", warnings: [").next().map(String::from);
    assert_eq!(text(a), text(b));
}

fn through_file<M: SaveModel>(model: &M, name: &str) -> M {
    let file = Scratch::new(name);
    model.save(&file.0).unwrap();
    let loaded = M::load(&file.0).unwrap();
    same(&loaded.to_saved().unwrap(), &model.to_saved().unwrap());
    loaded
}

fn comes_back<M: SaveModel + PartialEq + Debug>(model: &M, name: &str) {
    assert_eq!(&through_file(model, name), model);
}

/// A model of two neurons and three features, with everything that a fit would give.
fn fitted<O: ObservationModel, L: InverseLink>(model: &PopulationGlm<O, L>, solver: &str) -> FittedPopulationGlm<O, L> {
    model
        .with_parameters(&coef(), &[0.5, -1.0 / 7.0])
        .and_then(|fitted| fitted.with_scale(vec![0.1, 0.3], vec![17.0, 1.0 / 3.0]))
        .and_then(|fitted| fitted.with_outcome(outcome(solver)))
        .and_then(|fitted| fitted.with_names(names(), vec!["unit 3".into(), "ünit \\ 4".into()]))
        .unwrap()
}

fn with_every_link<O: ObservationModel + PartialEq>(observation: O) {
    fn check<O: ObservationModel + PartialEq, L: InverseLink + PartialEq>(observation: &O, link: L) {
        comes_back(&fitted(&PopulationGlm::new(observation.clone()).link(link), "L-BFGS"), "link");
    }
    check(&observation, Exp);
    check(&observation, Softplus);
    check(&observation, Identity);
    check(&observation, Logistic);
    check(&observation, Reciprocal);
    check(&observation, NormalCdf);
}

#[test]
fn every_model_and_link_comes_back() {
    with_every_link(Poisson);
    with_every_link(Gamma);
    with_every_link(Gaussian);
    with_every_link(Bernoulli);
    with_every_link(NegativeBinomial::new(0.1));
    with_every_link(NegativeBinomial::estimated());
}

fn penalties() -> Vec<Regularizer> {
    let mut penalties = vec![Regularizer::Unregularized];
    for strength in [
        Strength::Shared(0.1),
        Strength::PerNeuron(vec![0.1, 0.2]),
        Strength::PerFeature(vec![0.1, 0.2, 0.3]),
        Strength::PerCoefficient(array![[0.1, 1.0], [0.2, 2.0], [0.3, 3.0]]),
        Strength::PerBlock(vec![("speed, \"ω\"".into(), 1e-3), ("spikes".into(), 0.0)]),
    ] {
        penalties.push(Regularizer::Ridge(strength.clone()));
        penalties.push(Regularizer::Lasso(strength.clone()));
        penalties.push(Regularizer::ElasticNet {
            strength,
            lasso_share: 0.3,
        });
    }
    for groups in [
        Groups::All,
        Groups::Blocks,
        Groups::Channels,
        Groups::Features(vec![vec![2], vec![1, 0]]),
    ] {
        for strength in [
            Strength::Shared(1.0),
            Strength::PerNeuron(vec![1.0, 0.1]),
            Strength::PerBlock(vec![("spikes".into(), 2.0)]),
            Strength::PerGroup(vec![0.1, 0.2]),
        ] {
            let groups = groups.clone();
            penalties.push(Regularizer::GroupLasso { strength, groups });
        }
    }
    penalties
}

fn masks() -> [FeatureMask; 3] {
    [
        FeatureMask::Coefficients(array![[true, false], [false, false], [true, true]]),
        FeatureMask::Blocks(vec![("spikes".into(), vec![true, false])]),
        FeatureMask::coupling("spikes", array![[true, false], [false, true]]),
    ]
}

#[test]
fn every_penalty_mask_start_and_stopping_comes_back() {
    let model = PopulationGlm::new(Poisson);
    for penalty in penalties() {
        comes_back(&fitted(&model.clone().regularizer(penalty.clone()), "Newton"), "penalty");
        let classifier = ClassifierPopulationGlm::new(2).regularizer(penalty);
        let given = classifier.with_parameters(&coef(), &[0.0, 1.0]).unwrap();
        assert_eq!(through_file(&given, "penalty_of_classes").specification(), &classifier);
    }
    for mask in masks() {
        comes_back(&fitted(&model.clone().feature_mask(mask), "Newton"), "mask");
    }
    comes_back(&fitted(&model.clone().start(&coef(), &[0.1, 0.2]).unwrap(), "Newton"), "start");
    for stopping in [Stopping::new().tolerance(1e-7 / 3.0), Stopping::new().max_steps(7)] {
        comes_back(&fitted(&model.clone().stopping(stopping), "Newton"), "stopping");
    }
}

/// A solver of one's own: straight downhill.
#[derive(Debug)]
struct Mine;

#[derive(Clone, Debug)]
struct Downhill;

impl Direction for Downhill {
    fn direction(&mut self, _point: &[f64], gradient: &[f64], _curvature: Option<&Array2<f64>>) -> Vec<f64> {
        gradient.iter().map(|slope| -slope).collect()
    }
}

impl Solver for Mine {
    fn name(&self) -> &'static str {
        "my own \"solver\""
    }

    fn begin(&self, objective: &dyn Objective, start: &Parameters, stopping: Stopping) -> Result<State, nemos_solvers::Error> {
        Ok(State::new(Descent::new(self.name(), objective, start, stopping, |_| Downhill)?))
    }
}

/// A stimulus of one column, and counts of two neurons, one of them silent.
fn recording() -> (Matrix<Cpu>, Matrix<Cpu>) {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let stimulus = Matrix::from_column((0..50).map(|_| rng.random_range(-1.0..1.0)).collect());
    let counts = (0..100).map(|k| f64::from((k * 7 % 5) as u8 * u8::from(k % 2 == 0))).collect();
    (stimulus, Matrix::from_vec(counts, [50, 2]).unwrap())
}

#[test]
fn fits_of_every_solver_come_back() {
    let (stimulus, counts) = recording();
    let counts = counts.to_design().with_names(Names::new(["a", "b"])).unwrap();
    let model = PopulationGlm::new(Poisson).regularizer(Regularizer::Ridge(0.1.into()));
    let solvers: [&dyn Solver; 9] = [
        &Lbfgs::new(),
        &Newton::new(),
        &Bfgs::new(),
        &NonlinearCg::new(),
        &GradientDescent::new(),
        &GradientDescent::new().acceleration(Acceleration::Plain),
        &Svrg::new().batch_size(10),
        &ProximalNewton::new(),
        &Mine,
    ];
    for solver in solvers {
        let fitted = model.fit_with(solver, &stimulus, &counts).unwrap();
        assert_eq!(fitted.outcome().solver, solver.name());
        assert_eq!(fitted.neurons(), ["a", "b"]);
        comes_back(&fitted, "solver");
        comes_back(&fitted.neuron(1).unwrap(), "solver_of_one");
    }
}

#[test]
fn how_the_fit_ended_comes_back_and_so_does_the_need_of_an_offset() {
    let (stimulus, counts) = recording();
    let design = stimulus.to_design().with_offset(Matrix::from_column(vec![0.1; 50])).unwrap();
    let fitted = PopulationGlm::new(Poisson).fit(&design, &counts).unwrap();
    comes_back(&fitted, "outcome");
    let loaded = through_file(&fitted, "outcome_again");
    assert_eq!(loaded.outcome().columns[1].status, Status::NoMaximum);
    assert!(loaded.has_offset() && loaded.predict(&stimulus).is_err());
    let (one, two) = (loaded.predict(&design).unwrap(), fitted.predict(&design).unwrap());
    assert_eq!(values(one), values(two));
}

#[test]
fn one_neuron_of_a_population_is_saved_with_the_options_of_all() {
    let model = PopulationGlm::new(Poisson).regularizer(Regularizer::Ridge(Strength::PerNeuron(vec![0.1, 0.2])));
    let [mask, ..] = masks();
    let one = fitted(&model.feature_mask(mask), "Newton").neuron(1).unwrap();
    comes_back(&one, "one_of_two");
    // A file of NeMoS has arrays as wide as its coefficients.
    assert!(matches!(one.save_nemos(&Scratch::new("one_of_two.npz").0), Err(Error::Glm(_))));
}

#[test]
fn numbers_that_are_not_finite_come_back_where_a_fit_may_give_them() {
    let given = PopulationGlm::new(Gamma).with_parameters(&array![[f64::NEG_INFINITY, f64::NAN]], &[0.0, f64::INFINITY]);
    let mut columns = outcome("").columns;
    (columns[0].value, columns[1].decrement) = (f64::INFINITY, f64::NAN);
    let given = given.and_then(|given| given.with_scale(vec![f64::NAN, 1.0], vec![f64::NAN, f64::NEG_INFINITY]));
    let given = given.and_then(|given| given.with_outcome(Outcome::new("none", columns))).unwrap();
    assert!(through_file(&given, "not_finite").coef()[(0, 1)].is_nan());
}

#[test]
fn what_a_file_could_not_give_back_is_not_saved() {
    let file = Scratch::new("not_saved");
    let infinite = PopulationGlm::new(Poisson).regularizer(Regularizer::Ridge(Strength::Shared(f64::INFINITY)));
    let error = fitted(&infinite, "none").save(&file.0).unwrap_err();
    assert!(matches!(error, Error::NotSaved { .. }), "{error}");
    let basis = BSpline::new(2) + Custom::new("speed squared", |speed| speed * speed);
    let saved = fitted(&PopulationGlm::new(Poisson), "none").to_saved().unwrap();
    let error = saved.with_basis(basis).save(&file.0).unwrap_err();
    assert!(
        matches!(error, Error::NotSaved { .. }) && error.to_string().contains("speed squared"),
        "{error}"
    );
    assert!(!file.0.exists());
}

fn values(design: Design<'_, Cpu>) -> Vec<f64> {
    design.to_matrix().unwrap().to_vec()
}

#[test]
fn a_file_with_the_basis_predicts_new_data_as_the_program_that_wrote_it() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let place: Vec<f64> = (0..400)
        .map(|bin| (f64::from(bin) * 0.05).sin() * (1.0 + f64::from(bin) / 400.0))
        .collect();
    let spikes: Vec<f64> = (0..800).map(|_| f64::from(rng.random_range(0..3_u8))).collect();
    // The second half goes beyond the first: bounds of its own would give other features.
    let half = |first: usize| {
        let place = Matrix::<Cpu>::from_column(place[first..first + 200].to_vec());
        let spikes = Matrix::<Cpu>::from_vec(spikes[2 * first..2 * first + 400].to_vec(), [200, 2]).unwrap();
        let spikes = Design::from(spikes).with_names(Names::new(["7", "12"])).unwrap();
        (place, spikes)
    };
    let (training, later) = (half(0), half(200));
    let basis = BSpline::new(5).label("place") + RaisedCosineLog::new(3).convolved(Window::samples(10)).label("spikes");
    let basis = basis.with_bounds_from((&training.0, &training.1)).unwrap();
    let design = basis.design((&training.0, &training.1)).unwrap();
    let model = PopulationGlm::new(Poisson)
        .regularizer(Regularizer::GroupLasso {
            strength: 1e-3.into(),
            groups: Groups::Channels,
        })
        .feature_mask(FeatureMask::coupling("spikes", array![[false, true], [true, false]]));
    let fitted = model.fit(&design, &training.1).unwrap();

    let file = Scratch::new("with_basis");
    fitted.to_saved().unwrap().with_basis(basis.clone()).save(&file.0).unwrap();
    let saved = SavedModel::load(&file.0).unwrap();
    assert_eq!(saved.basis(), Some(&basis));
    let loaded = FittedPopulationGlm::<Poisson, Exp>::from_saved(&saved).unwrap();
    assert_eq!(loaded, fitted);
    assert_eq!(loaded.coef_of("spikes").unwrap().dim(), (6, 2));
    let predicted = |model: &FittedPopulationGlm, basis: &Basis| {
        let design = basis.design((&later.0, &later.1)).unwrap();
        values(model.predict(&design).unwrap())
            .iter()
            .map(|rate| rate.to_bits())
            .collect::<Vec<_>>()
    };
    assert_eq!(predicted(&loaded, saved.basis().unwrap()), predicted(&fitted, &basis));
    // Without a basis the file says so.
    fitted.save(&file.0).unwrap();
    assert_eq!(SavedModel::load(&file.0).unwrap().basis(), None);
}

#[test]
fn a_basis_of_many_terms_comes_back() {
    let term = |place: usize| BSpline::new(4).label(format!("input {place}"));
    let pair = (term(0) + term(1)).label("pair");
    let product = term(2) * term(3) * (term(4) + term(5) * term(6));
    let basis = (7..300).fold(pair + product, |sum, place| sum + term(place));
    let file = Scratch::new("many_terms");
    let fitted = Glm::new(Poisson).with_parameters(&[0.5], 1.0);
    fitted.to_saved().unwrap().with_basis(basis.clone()).save(&file.0).unwrap();
    assert_eq!(SavedModel::load(&file.0).unwrap().basis(), Some(&basis));
}

#[test]
fn classifiers_come_back() {
    let contrast = Matrix::<Cpu>::from_column(vec![-2.0, -1.5, -0.2, 0.1, 0.3, 1.4, 2.1, 2.2]);
    let choice = Matrix::from_column(vec![0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 2.0, 2.0]);
    let fitted = ClassifierGlm::new(3).fit(&contrast, &choice).unwrap();
    comes_back(&fitted, "classifier");
    comes_back(fitted.population(), "classifier_population");
    let two = ClassifierPopulationGlm::new(2).feature_mask(array![[true, false], [true, true]]);
    let coef = Array2::from_shape_fn((2, 4), |(feature, column)| feature as f64 - column as f64 / 3.0);
    let population = two.with_parameters(&coef, &[0.0, 1.0, 2.0, 3.0]).unwrap();
    let loaded = through_file(&population, "classifiers");
    assert_eq!((loaded.coef(), loaded.intercept()), (population.coef(), population.intercept()));
    let file = Scratch::new("classifiers.npz");
    population.save_nemos(&file.0).unwrap();
    let loaded = FittedClassifierPopulationGlm::load_nemos(&file.0).unwrap();
    assert_eq!((loaded.coef(), loaded.intercept()), (population.coef(), population.intercept()));
    assert!(matches!(FittedClassifierGlm::load_nemos(&file.0), Err(Error::Glm(_))));
}

#[test]
fn a_file_of_another_model_says_what_it_holds() {
    let file = Scratch::new("other");
    let fitted = Glm::new(Gamma).link(Exp).with_parameters(&[1.0, 2.0], 0.0);
    fitted.save(&file.0).unwrap();
    let error = FittedGlm::<Poisson, Exp>::load(&file.0).unwrap_err().to_string();
    assert!(
        error.contains("a Gamma model with link Exp") && error.contains("Poisson"),
        "{error}"
    );
    let error = FittedClassifierGlm::load(&file.0).unwrap_err().to_string();
    assert!(error.contains("Gamma") && error.contains("classifier"), "{error}");
    let saved = SavedModel::load(&file.0).unwrap();
    assert_eq!(saved.to_string(), "a Gamma model with link Exp: 1 neuron, 2 features");
    assert!(matches!(SavedModel::load("no/such/file"), Err(Error::Open { .. })));
    assert_eq!(FittedGlm::<Gamma, Exp>::load(&file.0).unwrap().coef(), [1.0, 2.0]);
}

#[test]
fn what_no_file_could_describe_is_an_error() {
    /// rate = predictor²
    #[derive(Clone, Debug)]
    struct Square;
    impl InverseLink for Square {
        fn rate<T: Backend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
            predictor.clone() * predictor
        }
    }
    let file = Scratch::new("own");
    let fitted = Glm::new(Poisson).link(Square).with_parameters(&[1.0], 0.0);
    assert!(matches!(fitted.save(&file.0), Err(Error::OwnModel { part: "link" })));
    let estimated = Glm::new(NegativeBinomial::estimated()).with_parameters(&[1.0], 0.0);
    assert!(matches!(estimated.save_nemos(&file.0), Err(Error::NotInNemos { .. })));
    assert!(!file.0.exists());
}

#[test]
fn penalties_pass_through_the_files_of_nemos() {
    let groups = Groups::Features(vec![vec![0, 2], vec![1]]);
    for penalty in [
        Regularizer::Ridge(Strength::PerCoefficient(array![[0.1, 1.0], [0.2, 2.0], [0.3, 3.0]])),
        Regularizer::ElasticNet {
            strength: 0.2.into(),
            lasso_share: 0.7,
        },
        Regularizer::GroupLasso {
            strength: 0.2.into(),
            groups,
        },
    ] {
        let mask = array![[true, false], [false, false], [true, true]];
        let model = PopulationGlm::new(Gamma).link(Exp).regularizer(penalty).feature_mask(mask);
        let fitted = model.with_parameters(&coef(), &[0.0, 1.0]).unwrap();
        let fitted = fitted.with_scale(vec![2.0, 3.0], vec![5.0, 6.0]).unwrap();
        let file = Scratch::new("penalty.npz");
        fitted.save_nemos(&file.0).unwrap();
        let loaded = FittedPopulationGlm::<Gamma, Exp>::load_nemos(&file.0).unwrap();
        same(&loaded.to_saved().unwrap(), &fitted.to_saved().unwrap());
    }
}

/// Whether reading damaged copies of a file ever panics; what it gives is used, too.
fn damage(bytes: &[u8], name: &str, read: impl Fn(&PathBuf)) {
    let file = Scratch::new(name);
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for end in (0..bytes.len()).step_by(3) {
        std::fs::write(&file.0, &bytes[..end]).unwrap();
        read(&file.0);
    }
    for _ in 0..1500 {
        let mut bytes = bytes.to_vec();
        for _ in 0..rng.random_range(1..4) {
            let index = rng.random_range(0..bytes.len());
            bytes[index] = match rng.random_range(0..3) {
                0 => rng.next_u32() as u8,
                1 => bytes[index] ^ 1 << rng.random_range(0..8),
                _ => b"0123456789[]{}\",:-"[rng.random_range(0..18)],
            };
        }
        std::fs::write(&file.0, &bytes).unwrap();
        read(&file.0);
    }
}

/// An error says which file it is about.
fn names_its_file(read: Result<SavedModel, nemos_io::Error>, path: &std::path::Path) {
    if let Err(error) = read {
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
}

#[test]
fn damaged_files_are_errors_and_never_panics() {
    let file = Scratch::new("whole");
    let model = PopulationGlm::new(NegativeBinomial::new(0.5)).regularizer(Regularizer::GroupLasso {
        strength: Strength::PerGroup(vec![0.1, 0.2]),
        groups: Groups::Features(vec![vec![2], vec![1, 0]]),
    });
    let fitted = model.with_parameters(&coef(), &[0.0, 1.0]).unwrap();
    let design = Matrix::<Cpu>::zeros([2, 3]);
    fitted.save(&file.0).unwrap();
    damage(&std::fs::read(&file.0).unwrap(), "damaged", |path| {
        names_its_file(SavedModel::load(path), path);
        if let Ok(loaded) = FittedPopulationGlm::<NegativeBinomial, Exp>::load(path) {
            let _ = loaded.predict(&design);
        }
    });
    fitted.save_nemos(&file.0).unwrap_err();
    let lasso = PopulationGlm::new(Poisson).regularizer(Regularizer::Lasso(0.1.into()));
    let fitted = lasso.with_parameters(&coef(), &[0.0, 1.0]).unwrap();
    fitted.save_nemos(&file.0).unwrap();
    damage(&std::fs::read(&file.0).unwrap(), "damaged.npz", |path| {
        names_its_file(SavedModel::load_nemos(path), path);
        if let Ok(loaded) = FittedPopulationGlm::<Poisson, Exp>::load_nemos(path) {
            let _ = loaded.predict(&design);
        }
    });
}

#[test]
fn headers_that_promise_too_much_are_refused() {
    let file = Scratch::new("hostile");
    for header in [
        r#"{"__metadata__":{"format":"nemos","version":"2"},"coef":{"dtype":"F64","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#,
        r#"{"__metadata__":{"format":"nemos","version":"9"}}"#,
        r#"{"__metadata__":{}}"#,
    ] {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend([0; 8]);
        std::fs::write(&file.0, &bytes).unwrap();
        assert!(SavedModel::load(&file.0).is_err(), "{header}");
    }
    std::fs::write(&file.0, u64::MAX.to_le_bytes()).unwrap();
    assert!(matches!(SavedModel::load(&file.0), Err(Error::NotAModel { .. })));
}

#[test]
fn what_nemos_wrote_is_the_same_after_it_is_written_again() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/cases/saved_models");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let saved = SavedModel::load_nemos(&path).unwrap();
        let said = saved.warnings();
        assert_eq!(said.len(), usize::from(name == "group_lasso.npz"), "{said:?}");
        let file = Scratch::new(name);
        saved.save_nemos(&file.0).unwrap();
        if let Some(folder) = std::env::var_os("NEMOS_REWRITTEN_DIR") {
            // For `tests/interop/models.py`.
            saved.save_nemos(PathBuf::from(folder).join(name)).unwrap();
        }
        let again = SavedModel::load_nemos(&file.0).unwrap();
        if name == "group_lasso.npz" {
            // NeMoS pickles the groups: they come back as one, which is then written down.
            assert_eq!(again.to_string(), saved.to_string());
        } else {
            same(&again, &saved);
        }
        // Under the name of a file of NeMoS nothing else is written.
        assert!(matches!(saved.save(&file.0), Err(Error::Ending { format: "safetensors", .. })));
        assert!(matches!(
            saved.save_nemos(file.0.with_extension("safetensors")),
            Err(Error::Ending { format: "npz", .. })
        ));
        let file = Scratch::new(&format!("{name}.safetensors"));
        saved.save(&file.0).unwrap();
        same(&SavedModel::load(&file.0).unwrap(), &saved);
    }
}
