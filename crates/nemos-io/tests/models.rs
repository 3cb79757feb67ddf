//! Models through files and back, and files that lie.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::PathBuf;

use ndarray::{Array2, array};
use nemos_core::tensor::{Tensor, backend::Backend};
use nemos_core::{Annotated, Cpu, Matrix};
use nemos_glm::{
    Bernoulli, ClassifierGlm, ClassifierPopulationGlm, Exp, FeatureMask, FittedClassifierGlm, FittedClassifierPopulationGlm, FittedGlm,
    FittedPopulationGlm, Gamma, Gaussian, Glm, Groups, Identity, InverseLink, Logistic, NegativeBinomial, NormalCdf, ObservationModel,
    Poisson, PopulationGlm, Reciprocal, Regularizer, Softplus, Status, Strength,
};
use nemos_io::{Error, SaveModel, SavedModel};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use common::Scratch;

fn coef() -> Array2<f64> {
    array![[0.1, -0.2], [1.0 / 3.0, 0.0], [f64::MIN_POSITIVE, 4e300]]
}

/// What every format must keep.
fn same(a: &SavedModel, b: &SavedModel) {
    // Unlike numbers, their text compares NaN with NaN.
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
}

fn through_file<M: SaveModel>(model: &M, name: &str) -> M {
    let file = Scratch::new(name);
    model.save(&file.0).unwrap();
    let loaded = M::load(&file.0).unwrap();
    same(&loaded.to_saved().unwrap(), &model.to_saved().unwrap());
    loaded
}

fn check<O: ObservationModel, L: InverseLink>(observation: O, link: L) {
    let model = PopulationGlm::new(observation).link(link);
    let fitted: FittedPopulationGlm<Cpu, O, L> = model.with_parameters(&coef(), &[0.5, -1.0 / 7.0]).unwrap();
    let fitted = fitted.with_scale(vec![0.1, 0.3], vec![17.0, f64::NAN]).unwrap();
    let loaded = through_file(&fitted, "check");
    assert_eq!(loaded.coef(), fitted.coef());
    assert_eq!(loaded.scale(), [0.1, 0.3]);
}

#[test]
fn every_model_and_link_comes_back() {
    check(Poisson, Exp);
    check(Gamma, Softplus);
    check(Gaussian, Identity);
    check(Bernoulli, Logistic);
    check(Bernoulli, NormalCdf);
    check(NegativeBinomial::new(0.1), Reciprocal);
    check(NegativeBinomial::estimated(), Exp);
}

#[test]
fn every_penalty_and_mask_comes_back() {
    let kinds = [
        Strength::Shared(0.1),
        Strength::PerNeuron(vec![0.1, 0.2]),
        Strength::PerFeature(vec![0.1, 0.2, 0.3]),
        Strength::PerCoefficient(array![[0.1, 1.0], [0.2, 2.0], [0.3, 3.0]]),
        Strength::PerBlock(vec![("speed, \"ω\"".into(), 1e-3), ("place".into(), 0.0)]),
    ];
    let mut penalties = vec![Regularizer::Unregularized];
    for strength in kinds {
        penalties.push(Regularizer::Ridge(strength.clone()));
        penalties.push(Regularizer::Lasso(strength.clone()));
        penalties.push(Regularizer::ElasticNet {
            strength,
            lasso_share: 0.3,
        });
    }
    for (strength, groups) in [
        (Strength::Shared(1.0), Groups::All),
        (Strength::PerBlock(vec![("place".into(), 2.0)]), Groups::Blocks),
        (Strength::PerGroup(vec![0.1, 0.2]), Groups::Features(vec![vec![2], vec![1, 0]])),
    ] {
        penalties.push(Regularizer::GroupLasso { strength, groups });
    }
    let masks = [
        FeatureMask::Coefficients(array![[true, false], [false, false], [true, true]]),
        FeatureMask::Blocks(vec![("speed".into(), vec![true, false])]),
    ];
    for (index, penalty) in penalties.into_iter().enumerate() {
        let model = PopulationGlm::new(Poisson)
            .regularizer(penalty)
            .feature_mask(masks[index % 2].clone());
        let fitted: FittedPopulationGlm<Cpu, _, _> = model.with_parameters(&coef(), &[0.0, 1.0]).unwrap();
        assert_eq!(through_file(&fitted, "penalty").specification(), &model);
    }
}

#[test]
fn how_the_fit_ended_comes_back_and_so_does_the_need_of_an_offset() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let stimulus = Matrix::<Cpu>::from_column((0..50).map(|_| rng.random_range(-1.0..1.0)).collect());
    let counts = Matrix::from_vec(
        (0..100).map(|k| f64::from((k * 7 % 5) as u8 * u8::from(k % 2 == 0))).collect(),
        [50, 2],
    )
    .unwrap();
    let design = Annotated::new(&stimulus).with_offset(Matrix::from_column(vec![0.1; 50])).unwrap();
    let fitted = PopulationGlm::new(Poisson).fit(&design, &counts).unwrap();
    let loaded = through_file(&fitted, "outcome");
    assert_eq!(loaded.outcome(), fitted.outcome());
    assert_eq!(loaded.outcome().columns[1].status, Status::NoMaximum);
    assert!(loaded.has_offset());
    let (one, two) = (loaded.predict(&design).unwrap(), fitted.predict(&design).unwrap());
    assert_eq!(one.to_vec(), two.to_vec());
}

#[test]
fn classifiers_come_back() {
    let contrast = Matrix::<Cpu>::from_column(vec![-2.0, -1.5, -0.2, 0.1, 0.3, 1.4, 2.1, 2.2]);
    let choice = Matrix::from_column(vec![0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 2.0, 2.0]);
    let fitted = ClassifierGlm::new(3).fit(&contrast, &choice).unwrap();
    let loaded = through_file(&fitted, "classifier");
    assert_eq!(loaded.coef(), fitted.coef());
    assert_eq!(loaded.outcome(), fitted.outcome());
    assert_eq!(
        loaded.predict(&contrast).unwrap().to_vec(),
        fitted.predict(&contrast).unwrap().to_vec()
    );
    let two = ClassifierPopulationGlm::new(2).feature_mask(array![[true, false], [true, true]]);
    let coef = Array2::from_shape_fn((2, 4), |(feature, column)| feature as f64 - column as f64 / 3.0);
    let population: FittedClassifierPopulationGlm<Cpu> = two.with_parameters(&coef, &[0.0, 1.0, 2.0, 3.0]).unwrap();
    let loaded = through_file(&population, "classifiers");
    assert_eq!((loaded.coef(), loaded.intercept()), (population.coef(), population.intercept()));
    let file = Scratch::new("classifiers.npz");
    population.save_nemos(&file.0).unwrap();
    let loaded = FittedClassifierPopulationGlm::<Cpu>::load_nemos(&file.0).unwrap();
    assert_eq!((loaded.coef(), loaded.intercept()), (population.coef(), population.intercept()));
    assert!(matches!(FittedClassifierGlm::<Cpu>::load_nemos(&file.0), Err(Error::Glm(_))));
}

#[test]
fn a_file_of_another_model_says_what_it_holds() {
    let file = Scratch::new("other");
    let fitted: FittedGlm<Cpu, _, _> = Glm::new(Gamma).link(Exp).with_parameters(&[1.0, 2.0], 0.0);
    fitted.save(&file.0).unwrap();
    let error = FittedGlm::<Cpu, Poisson, Exp>::load(&file.0).unwrap_err().to_string();
    assert!(
        error.contains("a gamma model with link exp") && error.contains("Poisson"),
        "{error}"
    );
    let error = FittedClassifierGlm::<Cpu>::load(&file.0).unwrap_err().to_string();
    assert!(error.contains("gamma") && error.contains("classifier"), "{error}");
    let saved = SavedModel::read(&file.0).unwrap();
    assert_eq!(saved.to_string(), "a gamma model with link exp: 1 neuron, 2 features");
    assert!(matches!(SavedModel::read("no/such/file"), Err(Error::Open { .. })));
    // Any precision reads any file.
    assert_eq!(FittedGlm::<Cpu<f32>, Gamma, Exp>::load(&file.0).unwrap().coef(), [1.0, 2.0]);
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
    let fitted: FittedGlm<Cpu, _, _> = Glm::new(Poisson).link(Square).with_parameters(&[1.0], 0.0);
    assert!(matches!(fitted.save(&file.0), Err(Error::OwnModel { part: "link" })));
    let estimated: FittedGlm<Cpu, _, _> = Glm::new(NegativeBinomial::estimated()).with_parameters(&[1.0], 0.0);
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
        let fitted: FittedPopulationGlm<Cpu, _, _> = model.with_parameters(&coef(), &[0.0, 1.0]).unwrap();
        let fitted = fitted.with_scale(vec![2.0, 3.0], vec![5.0, 6.0]).unwrap();
        let file = Scratch::new("penalty.npz");
        fitted.save_nemos(&file.0).unwrap();
        let loaded = FittedPopulationGlm::<Cpu, Gamma, Exp>::load_nemos(&file.0).unwrap();
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

#[test]
fn damaged_files_are_errors_and_never_panics() {
    let file = Scratch::new("whole");
    let model = PopulationGlm::new(NegativeBinomial::new(0.5)).regularizer(Regularizer::GroupLasso {
        strength: Strength::PerGroup(vec![0.1, 0.2]),
        groups: Groups::Features(vec![vec![2], vec![1, 0]]),
    });
    let fitted: FittedPopulationGlm<Cpu, _, _> = model.with_parameters(&coef(), &[0.0, 1.0]).unwrap();
    let design = Matrix::<Cpu>::zeros([2, 3]);
    fitted.save(&file.0).unwrap();
    damage(&std::fs::read(&file.0).unwrap(), "damaged", |path| {
        if let Ok(loaded) = FittedPopulationGlm::<Cpu, NegativeBinomial, Exp>::load(path) {
            let _ = loaded.predict(&design);
        }
    });
    fitted.save_nemos(&file.0).unwrap_err();
    let lasso = PopulationGlm::new(Poisson).regularizer(Regularizer::Lasso(0.1.into()));
    let fitted: FittedPopulationGlm<Cpu, _, _> = lasso.with_parameters(&coef(), &[0.0, 1.0]).unwrap();
    fitted.save_nemos(&file.0).unwrap();
    damage(&std::fs::read(&file.0).unwrap(), "damaged.npz", |path| {
        if let Ok(loaded) = FittedPopulationGlm::<Cpu, Poisson, Exp>::load_nemos(path) {
            let _ = loaded.predict(&design);
        }
    });
}

#[test]
fn headers_that_promise_too_much_are_refused() {
    let file = Scratch::new("hostile");
    for header in [
        r#"{"__metadata__":{"format":"nemos","version":"1","specification":"{}"},"coef":{"dtype":"F64","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#,
        r#"{"__metadata__":{"format":"nemos","version":"9"}}"#,
        r#"{"__metadata__":{}}"#,
    ] {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend([0; 8]);
        std::fs::write(&file.0, &bytes).unwrap();
        assert!(SavedModel::read(&file.0).is_err(), "{header}");
    }
    std::fs::write(&file.0, u64::MAX.to_le_bytes()).unwrap();
    assert!(matches!(SavedModel::read(&file.0), Err(Error::NotAModel { .. })));
}

#[test]
fn what_nemos_wrote_is_the_same_after_it_is_written_again() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/cases/saved_models");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let saved = SavedModel::read_nemos(&path).unwrap();
        let file = Scratch::new(name);
        saved.write_nemos(&file.0).unwrap();
        if let Some(folder) = std::env::var_os("NEMOS_REWRITTEN_DIR") {
            // For `tests/interop/models.py`.
            saved.write_nemos(PathBuf::from(folder).join(name)).unwrap();
        }
        let again = SavedModel::read_nemos(&file.0).unwrap();
        if name == "group_lasso.npz" {
            // NeMoS pickles the groups: they come back as one, which is then written down.
            assert_eq!(again.to_string(), saved.to_string());
        } else {
            same(&again, &saved);
        }
        saved.write(&file.0).unwrap();
        same(&SavedModel::read(&file.0).unwrap(), &saved);
    }
}
