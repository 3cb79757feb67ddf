//! Pipelines: paths to their parts, routes, what comes out.

use nemos_basis::{BSpline, Basis, Category, Family, Identity, OrthogonalizedExponential, RaisedCosineLog, Window, Zero};
use nemos_core::{Cpu, Design, Matrix, Names};
use nemos_glm::{Glm, Poisson, PopulationGlm, Regularizer, Score, Stopping};
use nemos_select::{Choice, Error, FittedPipeline, Folds, Grid, GridSearch, Pipeline, Tunable, Value};

use crate::{close, noise};

fn glm() -> Glm {
    Glm::new(Poisson)
        .regularizer(Regularizer::Ridge(0.01.into()))
        .stopping(Stopping::new().tolerance(1e-18))
}

fn composite() -> Pipeline<Glm> {
    let basis = BSpline::new(5).label("place") + RaisedCosineLog::new(3).convolved(Window::samples(6)).label("spikes");
    Pipeline::new(basis, glm())
}

#[test]
fn every_option_of_every_part_is_reached_by_path() {
    let pipeline = composite();
    let parameters = pipeline.parameters();
    assert_eq!(parameters.get("place.n_functions"), Some(&5.into()));
    assert_eq!(parameters.get("strength"), Some(&nemos_glm::Strength::Shared(0.01).into()));
    let with = |path: &str, value: Value| pipeline.with(path, &value).unwrap().basis().clone();
    let spikes = || RaisedCosineLog::new(3).convolved(Window::samples(6)).label("spikes");
    assert_eq!(with("place.n_functions", 9.into()), BSpline::new(9).label("place") + spikes());
    assert_eq!(with("place.order", 2.into()), BSpline::new(5).order(2).label("place") + spikes());
    assert_eq!(
        with("place.bounds", (0.0, 2.0).into()),
        BSpline::new(5).bounds(0.0, 2.0).label("place") + spikes()
    );
    let wide = RaisedCosineLog::new(3).convolved(Window::samples(9)).label("spikes");
    assert_eq!(
        with("spikes.window", Window::samples(9).into()),
        BSpline::new(5).label("place") + wide
    );
    assert_eq!(
        with("place", Basis::from(Zero::new()).into()),
        Zero::new().label("place") + spikes()
    );
    assert_eq!(
        pipeline.with("strength", &1.0.into()).unwrap().model(),
        &glm().regularizer(Regularizer::Ridge(1.0.into()))
    );
    let fails = |path: &str, value: Value| pipeline.with(path, &value).unwrap_err().to_string();
    assert!(fails("place.n_function", 9.into()).contains("place.n_functions"));
    assert!(fails("plaice.n_functions", 9.into()).contains("place.n_functions"));
    assert!(fails("place.n_functions", 0.5.into()).contains("place.n_functions cannot be 0.5"));
    assert!(fails("place", 3.into()).contains("basis"));
}

#[test]
fn columns_are_routed_by_name() {
    let x = noise(120, 1);
    let counts: Vec<f64> = noise(120, 2).into_iter().map(|u| (3.0 * u).floor()).collect();
    let both = Matrix::<Cpu>::from_vec(x.iter().zip(&counts).flat_map(|(x, y)| [*y, *x]).collect(), [120, 2]).unwrap();
    let both = Design::from(both).with_names(Names::new(["counts", "x"])).unwrap();
    let (x, counts) = (Matrix::<Cpu>::from_column(x), Matrix::from_column(counts));
    let direct = composite().fit([&x, &counts], &counts).unwrap();
    let pipeline = composite().route("place", ["x"]).route("spikes", ["counts"]);
    let routed = pipeline.fit(&both, &counts).unwrap();
    assert_eq!(routed.model().coef(), direct.model().coef());
    assert_eq!(routed.predict(&both).unwrap().n_rows(), 120);
    // What comes from a file is routed again.
    let parts = FittedPipeline::from_parts(routed.basis().clone(), routed.model().clone());
    assert!(parts.predict(&both).is_err());
    let parts = parts.route("place", ["x"]).route("spikes", ["counts"]);
    assert_eq!(parts, routed);
    close(
        routed.score(&both, &counts, Score::LogLikelihood).unwrap(),
        direct.score([&x, &counts], &counts, Score::LogLikelihood).unwrap(),
        1e-12,
    );
    // The last of two routes to a part counts.
    let again = composite()
        .route("place", ["counts"])
        .route("spikes", ["counts"])
        .route("place", ["x"]);
    assert_eq!(again.fit(&both, &counts).unwrap().model().coef(), direct.model().coef());
    let fails = |pipeline: Pipeline<Glm>| pipeline.fit(&both, &counts).unwrap_err().to_string();
    assert!(fails(composite().route("place", ["y"])).contains("\"x\""));
    assert!(fails(composite().route("place", ["x"])).contains("route some to each"));
    assert!(fails(composite().route("head", ["x"])).contains("head"));
}

#[test]
fn whole_numbers_may_be_written_with_a_point() {
    let pipeline = composite();
    let with = |value: f64| pipeline.with("place.n_functions", &value.into());
    assert_eq!(with(7.0).unwrap(), pipeline.with("place.n_functions", &7.into()).unwrap());
    for value in [7.5, -1.0, f64::NAN, 1e300] {
        assert!(with(value).unwrap_err().to_string().contains("whole number"));
    }
}

#[test]
fn a_grid_over_bases_is_separate_pipelines() {
    let x = noise(150, 3);
    let counts: Vec<f64> = x
        .iter()
        .zip(noise(150, 4))
        .map(|(x, u)| (2.0 * (3.0 * x).sin().abs() + u).floor())
        .collect();
    let (x, counts) = (Matrix::<Cpu>::from_column(x), Matrix::from_column(counts));
    let pipeline = Pipeline::new(BSpline::new(5).label("place"), glm());
    let grid = Grid::new().over("place.n_functions", [4, 7, 3]).over("strength", [0.01, 0.1]);
    let search = GridSearch::new(pipeline.clone(), grid).folds(Folds::k(3)).fit(&x, &counts).unwrap();
    let rows = search.table().rows();
    assert!(
        rows[4].failure().unwrap().contains("BSpline"),
        "three functions are too few for order 4"
    );
    for (row, (n, strength)) in [(0, (4, 0.01)), (3, (7, 0.1))] {
        let alone = Pipeline::new(
            BSpline::new(n).label("place"),
            glm().regularizer(Regularizer::Ridge(strength.into())),
        );
        let train: Vec<usize> = (50..150).collect();
        let cut = |matrix: &Matrix<Cpu>, rows: &[usize]| matrix.select_rows(rows).unwrap();
        let fitted = alone.fit(&cut(&x, &train), &cut(&counts, &train)).unwrap();
        let test: Vec<usize> = (0..50).collect();
        let score = fitted.score(&cut(&x, &test), &cut(&counts, &test), Score::LogLikelihood).unwrap();
        close(rows[row].scores()[0], score, 1e-8);
    }
    assert!(rows[0].size() == 4.0 && rows[2].size() == 7.0);
}

#[test]
fn neurons_may_choose_other_bases() {
    // One neuron follows a narrow field, the other a straight line.
    let x = noise(600, 5);
    let scatter = noise(1200, 6);
    let counts: Vec<f64> = x
        .iter()
        .enumerate()
        .flat_map(|(row, x)| {
            let narrow = 4.0 * (-((x - 0.5) / 0.06).powi(2)).exp();
            [(narrow + scatter[2 * row]).floor(), (2.0 * x + scatter[2 * row + 1]).floor()]
        })
        .collect();
    let (x, counts) = (Matrix::<Cpu>::from_column(x), Matrix::<Cpu>::from_vec(counts, [600, 2]).unwrap());
    let model = PopulationGlm::new(Poisson).regularizer(Regularizer::Ridge(1e-3.into()));
    let pipeline = Pipeline::new(BSpline::new(4).bounds(0.0, 1.0).label("place"), model);
    let search = GridSearch::new(pipeline, Grid::new().over("place.n_functions", [4, 16]))
        .choice(Choice::PerNeuron)
        .fit(&x, &counts)
        .unwrap();
    assert_eq!(search.chosen()[0], 1);
    let of_first = search.models().iter().find(|part| part.neurons.contains(&0)).unwrap();
    assert_eq!(of_first.fitted.model().n_features(), 16);
}

#[test]
fn standardized_features_come_back_as_they_were() {
    let x: Vec<f64> = noise(200, 7).into_iter().map(|x| 1000.0 + 50.0 * x).collect();
    let counts: Vec<f64> = noise(200, 8)
        .iter()
        .zip(&x)
        .map(|(u, x)| (3.0 * u * (x - 1000.0) / 50.0).floor())
        .collect();
    let (x, counts) = (Matrix::<Cpu>::from_column(x), Matrix::from_column(counts));
    // Without a penalty, scales change nothing.
    let free = || Glm::new(Poisson).stopping(Stopping::new().tolerance(1e-18));
    let plain = Pipeline::new(Identity::new(), free()).fit(&x, &counts).unwrap();
    let standard = Pipeline::new(Identity::new(), free()).standardized().fit(&x, &counts).unwrap();
    close(standard.model().coef()[0], plain.model().coef()[0], 1e-6);
    close(standard.model().intercept(), plain.model().intercept(), 1e-6);
}

#[test]
fn functions_that_depend_on_all_samples_are_refused() {
    let (x, counts) = (Matrix::<Cpu>::from_column(noise(60, 1)), Matrix::from_column(vec![1.0; 60]));
    let pipeline = Pipeline::new(OrthogonalizedExponential::new([1.0, 2.0]), glm());
    assert!(matches!(pipeline.fit(&x, &counts), Err(Error::Inputs { .. })));
}

#[test]
fn categories_come_from_training_rows() {
    let kinds: Vec<f64> = (0..90)
        .map(|row| if row < 60 { f64::from(row % 2) } else { f64::from(row % 3) })
        .collect();
    let counts: Vec<f64> = kinds.iter().map(|kind| 1.0 + kind).collect();
    let (kinds, counts) = (Matrix::<Cpu>::from_column(kinds), Matrix::from_column(counts));
    let pipeline = Pipeline::new(Category::learned().label("kind"), glm());
    let fitted = pipeline.fit(&kinds.rows(0..60).unwrap(), &counts.rows(0..60).unwrap()).unwrap();
    assert_eq!(fitted.basis(), &Category::new(2).label("kind"));
    assert_eq!(pipeline.fit(&kinds, &counts).unwrap().model().coef().len(), 3);
    let error = Category::learned().compute_features(&kinds).unwrap_err().to_string();
    assert!(error.contains("training"), "{error}");
}
