//! Paths: those of R's glmnet, and the conditions of a minimum.

use ndarray::{Array1, Array2};
use nemos_core::{Cpu, Matrix, ToDesign};
use nemos_glm::{
    Bernoulli, Gaussian, Glm, Groups, InverseLink, ObservationModel, Poisson, PopulationGlm, Problems, Regularizer, Score, Status, Stopping,
};
use nemos_select::{Criterion, Error, PathSearch};
use nemos_solvers::{Objective, Order, Parameters, Request};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(numbers).collect();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

fn cases() -> (Array2<f64>, Vec<Value>) {
    let file: Value = serde_json::from_str(include_str!("glmnet.json")).unwrap();
    (matrix(&file["x"]), file["cases"].as_array().unwrap().clone())
}

fn penalty(alpha: f64) -> Regularizer {
    match alpha {
        1.0 => Regularizer::Lasso(1.0.into()),
        lasso_share => Regularizer::ElasticNet {
            strength: 1.0.into(),
            lasso_share,
        },
    }
}

/// `factor`: the loss here over that of glmnet.
fn assert_is_glmnets<O: ObservationModel, L: InverseLink>(model: Glm<O, L>, factor: f64, x: &Array2<f64>, case: &Value) {
    let lambda: Vec<f64> = numbers(&case["lambda"]).into_iter().map(|lambda| lambda * factor).collect();
    let model = model
        .regularizer(penalty(case["alpha"].as_f64().unwrap()))
        .stopping(Stopping::new().tolerance(1e-20));
    let (x, y) = (Matrix::<Cpu>::from(x.clone()), Matrix::from_column(numbers(&case["y"])));
    let path = PathSearch::new(model).strengths(lambda).fit(&x, &y).unwrap();
    assert!(path.outcomes().iter().all(|outcome| outcome.status == Status::Converged));
    let expected = matrix(&case["coef"]);
    let largest = expected.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
    let apart = (&path.coef() - &expected).iter().fold(0.0, |a: f64, b| a.max(b.abs()));
    assert!(apart < 1e-6 * largest, "{}: {apart:e} of {largest}", case["family"]);
    let intercept = Array1::from(numbers(&case["intercept"])) - Array1::from(path.intercept().to_vec());
    assert!(intercept.iter().all(|apart| apart.abs() < 1e-6), "{intercept}");
    assert_eq!(path.strengths().len(), 50);
}

#[test]
fn paths_are_those_of_glmnet() {
    let (x, cases) = cases();
    let mut seen = 0;
    for case in &cases {
        match case["family"].as_str().unwrap() {
            "poisson" => assert_is_glmnets(Glm::new(Poisson), 1.0, &x, case),
            "binomial" => assert_is_glmnets(Glm::new(Bernoulli), 1.0, &x, case),
            "gaussian" => assert_is_glmnets(Glm::new(Gaussian), 2.0, &x, case),
            other => panic!("{other} is not understood"),
        }
        seen += 1;
    }
    assert_eq!(seen, 4);
}

#[test]
fn the_highest_strength_is_the_smallest_without_an_active_feature() {
    let (x, cases) = cases();
    let (x, y) = (Matrix::<Cpu>::from(x), Matrix::from_column(numbers(&cases[0]["y"])));
    let model = Glm::new(Poisson).regularizer(Regularizer::Lasso(1.0.into()));
    let path = PathSearch::new(model.clone()).n_strengths(10).fit(&x, &y).unwrap();
    let highest = path.strengths()[0];
    // glmnet's formula, in R, from the same data.
    assert!((highest / numbers(&cases[0]["lambda"])[0] - 1.0).abs() < 1e-9);
    let active = |strength: f64| {
        let fitted = model.clone().regularizer(Regularizer::Lasso(strength.into())).fit(&x, &y).unwrap();
        fitted.coef().iter().filter(|coef| **coef != 0.0).count()
    };
    assert_eq!(active(highest * 1.001), 0);
    assert_eq!(active(highest * 0.999), 1);
}

/// At a minimum: slope = −strength · w / ‖w‖ · √size of every group that is active, and no longer than strength · √size of every other.
fn assert_group_conditions(x: &Matrix<Cpu>, y: &Matrix<Cpu>, groups: &[Vec<usize>]) {
    let lasso = Regularizer::GroupLasso {
        strength: 1.0.into(),
        groups: Groups::Features(groups.to_vec()),
    };
    let path = PathSearch::new(Glm::new(Poisson).regularizer(lasso).stopping(Stopping::new().tolerance(1e-18)))
        .n_strengths(30)
        .fit(x, y)
        .unwrap();
    let model = PopulationGlm::new(Poisson);
    let objective = model.objective_of(Problems::of_responses([0]), x, y).unwrap();
    for (place, &strength) in path.strengths().iter().enumerate() {
        let column: Vec<f64> = path.coef().column(place).iter().copied().chain([path.intercept()[place]]).collect();
        let request = Request {
            columns: &[0],
            rows: None,
            order: Order::Gradient,
        };
        let at = Parameters::from_columns(column.len(), [column.as_slice()]);
        let gradient = objective.evaluate(&at, request).unwrap().gradient;
        let slopes = gradient.column(0);
        for group in groups {
            let norm = |of: &[f64]| group.iter().map(|&i| of[i] * of[i]).sum::<f64>().sqrt();
            let bound = strength * (group.len() as f64).sqrt();
            let size = norm(&column);
            if size == 0.0 {
                assert!(norm(slopes) <= bound * (1.0 + 1e-6), "{} above {bound}", norm(slopes));
            } else {
                let off: Vec<f64> = (0..column.len() - 1).map(|i| slopes[i] + bound * column[i] / size).collect();
                assert!(norm(&off) < 1e-6 * bound.max(1e-3), "{}", norm(&off));
            }
        }
    }
    let outset = 20 - groups.iter().map(Vec::len).sum::<usize>();
    assert!(path.n_active()[0] == outset && path.n_active()[29] > outset + 3);
}

#[test]
fn groups_along_a_path_meet_the_conditions_of_a_minimum() {
    let (x, cases) = cases();
    let (x, y) = (Matrix::<Cpu>::from(x), Matrix::from_column(numbers(&cases[0]["y"])));
    let groups: Vec<Vec<usize>> = (0..4).map(|group| (5 * group..5 * group + 5).collect()).collect();
    assert_group_conditions(&x, &y, &groups);
    // Features of no group are active from the outset.
    assert_group_conditions(&x, &y, &groups[1..]);
}

#[test]
fn criteria_are_those_of_the_formulas() {
    let (x, cases) = cases();
    let (x, y) = (Matrix::<Cpu>::from(x), Matrix::from_column(numbers(&cases[0]["y"])));
    let model = Glm::new(Poisson).regularizer(Regularizer::Lasso(1.0.into()));
    let path = PathSearch::new(model).n_strengths(20).fit(&x, &y).unwrap();
    for place in [0, 7, 19] {
        let fitted = path.at(place).unwrap();
        let log_likelihood = 200.0 * fitted.score(&x, &y, Score::LogLikelihood).unwrap();
        assert!((path.log_likelihood()[place] - log_likelihood).abs() < 1e-9 * log_likelihood.abs());
        let k = path.n_active()[place] as f64 + 1.0;
        let close = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-9 * expected.abs(), "{got} {expected}");
        close(path.criterion(Criterion::Aic)[place], 2.0 * k - 2.0 * log_likelihood);
        close(path.criterion(Criterion::Bic)[place], k * 200.0_f64.ln() - 2.0 * log_likelihood);
        assert_eq!(fitted.coef(), path.coef().column(place).to_vec());
    }
    // A heavier price per parameter keeps fewer.
    let (aic, bic) = (path.choose(Criterion::Aic), path.choose(Criterion::Bic));
    assert!(path.n_active()[bic] <= path.n_active()[aic] && bic > 0);
    assert!(path.to_string().ends_with("20 strengths, 20 converged"), "{path}");
    assert!(path.at(20).is_err());
}

#[test]
fn a_gaussian_path_has_the_scale_of_the_largest_likelihood() {
    // −n/2 [ln(2π RSS/n) + 1]
    let (x, cases) = cases();
    let case = cases.iter().find(|case| case["family"] == "gaussian").unwrap();
    let y = numbers(&case["y"]);
    let (design, counts) = (Matrix::<Cpu>::from(x.clone()), Matrix::from_column(y.clone()));
    let path = PathSearch::new(Glm::new(Gaussian).regularizer(Regularizer::Lasso(1.0.into())))
        .n_strengths(5)
        .fit(&design, &counts)
        .unwrap();
    for place in 0..5 {
        let predicted = x.dot(&path.coef().column(place)) + path.intercept()[place];
        let rss: f64 = (&predicted - &Array1::from(y.clone())).mapv(|x| x * x).sum();
        let expected = -100.0 * ((std::f64::consts::TAU * rss / 200.0).ln() + 1.0);
        let got = path.log_likelihood()[place];
        assert!((got - expected).abs() < 1e-9 * expected.abs(), "{got} {expected}");
    }
}

#[test]
fn weights_offsets_and_masks_are_those_of_a_fit() {
    use nemos_core::Design;
    let (x, cases) = cases();
    let y = Matrix::from_column(numbers(&cases[0]["y"]));
    let column = |of: fn(usize) -> f64| Matrix::<Cpu>::from_column((0..200).map(of).collect());
    let design = Design::from(Matrix::<Cpu>::from(x))
        .with_weights(column(|row| (row % 3) as f64))
        .and_then(|design| design.with_offset(column(|row| 0.1 * (row % 5) as f64)))
        .unwrap();
    let model = |strength: f64| {
        Glm::new(Poisson)
            .regularizer(Regularizer::Lasso(strength.into()))
            .feature_mask(Array2::from_shape_fn((20, 1), |(feature, _)| feature != 2))
            .stopping(Stopping::new().tolerance(1e-18))
    };
    let path = PathSearch::new(model(1.0)).n_strengths(12).smallest(0.01).fit(&design, &y).unwrap();
    for place in [0, 5, 11] {
        let alone = model(path.strengths()[place]).fit(&design, &y).unwrap();
        for (got, expected) in path.coef().column(place).iter().zip(alone.coef()) {
            assert!((got - expected).abs() < 1e-7, "{got} {expected}");
        }
        assert_eq!(path.coef()[(2, place)], 0.0);
        assert!(
            path.at(place).unwrap().predict(&Matrix::<Cpu>::zeros([1, 20])).is_err(),
            "an offset is asked for"
        );
    }
}

#[test]
fn each_path_is_under_the_weights_of_its_neuron() {
    let (design, counts) = crate::population(100, 3, 2);
    let weights = Array2::from_shape_fn((100, 2), |(row, neuron)| (row % (2 + neuron)) as f64);
    let weighted = |weights: Array2<f64>| design.to_design().with_weights(Matrix::<Cpu>::from(weights)).unwrap();
    let search = PathSearch::new(Glm::new(Poisson).regularizer(penalty(1.0))).n_strengths(3);
    let each = search.fit_each(&weighted(weights.clone()), &counts).unwrap();
    for (neuron, path) in each.iter().enumerate() {
        let own = weighted(weights.select(ndarray::Axis(1), &[neuron]));
        let alone = search.fit(&own, &counts.select_columns(&[neuron]).unwrap()).unwrap();
        assert_eq!(path.coef(), alone.coef());
    }
}

#[test]
fn rows_with_a_missing_feature_are_seen_by_no_strength() {
    let (design, counts) = crate::population(200, 5, 1);
    let mut design = design.to_array();
    // The last feature hardly varies, so that it is not active, and is missing in many rows.
    design.column_mut(4).mapv_inplace(|x| 0.01 * x);
    design.slice_mut(ndarray::s![0..60, 4]).fill(f64::NAN);
    let design = Matrix::<Cpu>::from(design);
    let model = Glm::new(Poisson).stopping(Stopping::new().tolerance(1e-14));
    let path = PathSearch::new(model.clone().regularizer(penalty(1.0)))
        .n_strengths(5)
        .smallest(0.05);
    let path = path.fit(&design, &counts).unwrap();
    assert!(path.n_active().iter().all(|n| *n < 5));
    for (place, strength) in path.strengths().iter().enumerate() {
        let one = model
            .clone()
            .regularizer(Regularizer::Lasso((*strength).into()))
            .fit(&design, &counts)
            .unwrap();
        let coef = path.coef().column(place).to_vec();
        assert!(one.coef().iter().zip(&coef).all(|(a, b)| (a - b).abs() < 1e-6));
        let mean = one.score(&design, &counts, Score::LogLikelihood).unwrap();
        assert!((path.log_likelihood()[place] - 140.0 * mean).abs() < 1e-6);
    }
}

#[test]
fn what_has_no_path_is_refused() {
    let x = Matrix::<Cpu>::from_column((0..20).map(f64::from).collect());
    let y = Matrix::from_column((0..20).map(|row| f64::from(row % 3)).collect());
    let search = |penalty| PathSearch::new(Glm::new(Poisson).regularizer(penalty));
    let lasso = || search(Regularizer::Lasso(1.0.into()));
    assert!(matches!(
        search(Regularizer::Ridge(1.0.into())).fit(&x, &y),
        Err(Error::NoPath { .. })
    ));
    assert!(matches!(lasso().strengths([0.1, 0.2]).fit(&x, &y), Err(Error::Option { .. })));
    assert!(matches!(lasso().strengths([]).fit(&x, &y), Err(Error::NoCandidates)));
    assert!(matches!(lasso().n_strengths(0).fit(&x, &y), Err(Error::Option { .. })));
    assert!(matches!(lasso().smallest(1.5).fit(&x, &y), Err(Error::Option { .. })));
    let silent = Matrix::from_column(vec![0.0; 20]);
    assert!(matches!(lasso().fit(&x, &silent), Err(Error::NoPull)));
    let two = Matrix::<Cpu>::zeros([20, 2]);
    assert!(matches!(lasso().fit(&x, &two), Err(Error::Glm(_))));
    // An end point of zero is no path either, but the strengths before it are.
    assert!(lasso().strengths([0.2, 0.1]).fit(&x, &y).is_ok());
}
