//! Steps between the basis and the model of a pipeline.

use std::sync::Arc;

use nemos_basis::{BSpline, Family, Identity};
use nemos_core::{Cpu, Matrix, SymmetricEigen};
use nemos_glm::{Glm, Groups, Poisson, Regularizer, Score, Stopping, Strength};
use nemos_select::{Error, Folds, Grid, GridSearch, Linear, Pipeline, Settings, Step, Tunable, Value, cross_validate};

use crate::{close, noise};

/// The first principal components.
#[derive(Clone, Debug)]
struct Components(usize);

impl Step for Components {
    fn learn(&self, features: ndarray::ArrayView2<'_, f64>) -> Result<Linear, Error> {
        let shift = features.mean_axis(ndarray::Axis(0)).unwrap();
        let centred = &features - &shift;
        let eigen = SymmetricEigen::new(centred.t().dot(&centred).view())?;
        let first = eigen.values.len() - self.0;
        let matrix = eigen.vectors.slice(ndarray::s![.., first..]).to_owned();
        Ok(Linear::Mixed { shift, matrix })
    }

    fn parameters(&self) -> Settings {
        Settings::default().and("n", self.0)
    }

    fn with(&self, option: &str, value: &Value) -> Option<Arc<dyn Step>> {
        match (option, value) {
            ("n", Value::Count(n)) => Some(Arc::new(Components(*n))),
            _ => None,
        }
    }
}

const N_ROWS: usize = 300;

fn data() -> (Matrix<Cpu>, Matrix<Cpu>) {
    let x = noise(N_ROWS, 1);
    let counts = x
        .iter()
        .zip(noise(N_ROWS, 2))
        .map(|(x, u)| (4.0 * (1.0 - (x - 0.4).abs()) * u).floor())
        .collect();
    (Matrix::from_column(x), Matrix::from_column(counts))
}

fn glm() -> Glm {
    Glm::new(Poisson).stopping(Stopping::new().tolerance(1e-14))
}

fn basis() -> nemos_basis::Basis {
    BSpline::new(6).bounds(0.0, 1.0).label("x")
}

#[test]
fn features_that_others_span_are_left_out() {
    let (x, counts) = data();
    // B-splines sum to one, as an intercept does.
    let plain = Pipeline::new(basis(), glm()).fit(&x, &counts).unwrap();
    let fewer = Pipeline::new(basis(), glm()).identifiable().fit(&x, &counts).unwrap();
    let coef = fewer.model().coef();
    assert_eq!(coef.iter().filter(|coef| **coef == 0.0).count(), 1);
    let rates = |fitted: &nemos_select::FittedPipeline<nemos_glm::FittedGlm>| fitted.predict(&x).unwrap().to_matrix().unwrap().to_vec();
    rates(&plain).iter().zip(rates(&fewer)).for_each(|(a, b)| close(*a, b, 1e-5));
}

#[test]
fn blocks_keep_their_names_where_features_are_left_out() {
    let (x, counts) = data();
    let basis = basis() + BSpline::new(5).bounds(0.0, 1.0).label("y");
    let by_name = Strength::PerBlock(vec![("x".into(), 0.0), ("y".into(), 1e6)]);
    let model = glm().regularizer(Regularizer::Ridge(by_name));
    let fitted = Pipeline::new(basis.clone(), model).identifiable().fit([&x, &x], &counts).unwrap();
    assert!(fitted.model().coef_of("y").unwrap().iter().all(|coef| coef.abs() < 1e-4));
    assert!(fitted.model().coef_of("x").unwrap().iter().any(|coef| coef.abs() > 0.1));
    let groups = Regularizer::GroupLasso {
        strength: 1e-3.into(),
        groups: Groups::Blocks,
    };
    assert!(
        Pipeline::new(basis, glm().regularizer(groups))
            .identifiable()
            .fit([&x, &x], &counts)
            .is_ok()
    );
}

#[test]
fn all_components_change_nothing_and_few_do() {
    let (x, counts) = data();
    let fit = |n: usize| {
        Pipeline::new(basis(), glm())
            .step("components", Components(n))
            .fit(&x, &counts)
            .unwrap()
    };
    let plain = Pipeline::new(basis(), glm()).fit(&x, &counts).unwrap();
    let score = |fitted: &nemos_select::FittedPipeline<nemos_glm::FittedGlm>| fitted.score(&x, &counts, Score::LogLikelihood).unwrap();
    // Features of constant sum have one component less.
    close(score(&fit(5)), score(&plain), 1e-9);
    assert!(score(&fit(2)) < score(&plain) - 1e-6);
    assert_eq!(fit(2).model().coef().len(), 6);
}

#[test]
fn steps_follow_each_other_and_learn_from_training_rows_alone() {
    let (x, counts) = data();
    let pipeline = Pipeline::new(basis(), glm()).standardized().step("components", Components(3));
    let row = cross_validate(&pipeline, &Folds::k(3), Score::LogLikelihood, &x, &counts).unwrap();
    for fold in 0..3 {
        let test: Vec<usize> = (100 * fold..100 * (fold + 1)).collect();
        let train: Vec<usize> = (0..N_ROWS).filter(|row| !test.contains(row)).collect();
        let rows = |matrix: &Matrix<Cpu>, rows: &[usize]| matrix.select_rows(rows).unwrap();
        let fitted = pipeline.fit(&rows(&x, &train), &rows(&counts, &train)).unwrap();
        let score = fitted.score(&rows(&x, &test), &rows(&counts, &test), Score::LogLikelihood).unwrap();
        close(row.scores()[fold], score, 1e-8);
    }
}

#[test]
fn steps_and_their_options_are_reached_by_path() {
    let (x, counts) = data();
    let ridge = glm().regularizer(Regularizer::Ridge(1e-3.into()));
    let pipeline = Pipeline::new(basis(), ridge).standardized().step("components", Components(1));
    assert_eq!(pipeline.parameters().get("components.n"), Some(&1.into()));
    let grid = Grid::new()
        .over("components.n", [1, 3, 5])
        .over("standardized", ["as given", "passthrough"]);
    let found = GridSearch::new(pipeline.clone(), grid).fit(&x, &counts).unwrap();
    assert_eq!(found.table().rows().len(), 6);
    assert_ne!(found.best().settings().get("components.n"), Some(&1.into()));
    let without = pipeline.with("standardized", &"passthrough".into()).unwrap();
    assert_eq!(without.parameters().get("standardized"), None);
    let fails = |path: &str, value: Value| pipeline.with(path, &value).unwrap_err().to_string();
    assert!(fails("components.m", 2.into()).contains("no such option"));
    assert!(fails("components", 2.into()).contains("passthrough"));
}

#[test]
fn a_map_of_other_features_is_an_error() {
    #[derive(Debug)]
    struct Wrong;
    impl Step for Wrong {
        fn learn(&self, _features: ndarray::ArrayView2<'_, f64>) -> Result<Linear, Error> {
            Ok(Linear::Chosen(vec![7]))
        }
    }
    let (x, counts) = data();
    assert!(
        Pipeline::new(Identity::new().label("x"), glm())
            .step("wrong", Wrong)
            .fit(&x, &counts)
            .is_err()
    );
}
