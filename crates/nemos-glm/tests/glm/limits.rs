//! Fits and scores at the limits of numbers: what is refused, what is proven, and what keeps its digits.

use ndarray::Array2;
use nemos_core::{Cpu, Design, Matrix};
use nemos_glm::{
    Bernoulli, Error, Exp, Gamma, Gaussian, Glm, NegativeBinomial, Poisson, PopulationGlm, Regularizer, Score, Softplus, Status,
};
use nemos_solvers::{Lbfgs, Newton};

/// Numbers between −1 and 1 that look random and are the same everywhere.
fn wiggle(row: usize, column: usize) -> f64 {
    let turns = (row * (2 * column + 3) + 7 * column) as f64 * 0.618_033_988_749_895;
    2.0 * (turns - turns.floor()) - 1.0
}

fn features(n_rows: usize, n_features: usize) -> Matrix<Cpu> {
    Matrix::from_array(Array2::from_shape_fn((n_rows, n_features), |(row, column)| wiggle(row, column)).view())
}

fn counts(n_rows: usize) -> Matrix<Cpu> {
    Matrix::from_column((0..n_rows).map(|row| (1.5 + 1.4 * wiggle(row, 9)).floor()).collect())
}

#[test]
fn large_means_change_neither_coefficients_nor_their_proof() {
    let (x, y) = (features(200, 3), counts(200));
    let strict = Glm::new(Poisson).stopping(nemos_solvers::Stopping::new().tolerance(1e-14));
    let fitted = strict.fit(&x, &y).unwrap();
    for mean in [1e3, 1e5, 1e7] {
        let shifted = Matrix::from_array((x.to_array() + mean).view());
        for solver in [&Newton::new() as &dyn nemos_solvers::Solver, &Lbfgs::new()] {
            let there = strict.fit_with(solver, &shifted, &y).unwrap();
            assert_eq!((there.outcome().status, there.outcome().is_proven), (Status::Converged, true));
            // The shift itself rounds the features.
            for (a, b) in there.coef().iter().zip(fitted.coef()) {
                assert!((a - b).abs() < 1e-15 * mean.max(1e5), "{mean}: {a} {b}");
            }
        }
    }
}

#[test]
fn large_means_are_taken_off_where_rows_are_too_many_for_a_proof() {
    // A look at the curvature of all rows would cost more than the fit.
    let (n_rows, n_features) = (3_000, 60);
    let x = Array2::from_shape_fn((n_rows, n_features), |(row, column)| wiggle(row, column));
    let y = Matrix::<Cpu>::from_column((0..n_rows).map(|row| (1.5 + 1.4 * wiggle(row, 200)).floor()).collect());
    let near = PopulationGlm::new(Poisson).fit(&Matrix::from_array(x.view()), &y).unwrap();
    let single = Matrix::<Cpu<f32>>::from_array((&x + 1000.0).mapv(|x| f64::from(x as f32)).view());
    let rounded = Matrix::<Cpu>::from_array(single.to_array().view());
    let exact = PopulationGlm::new(Poisson).fit(&rounded, &y).unwrap();
    let fitted = PopulationGlm::new(Poisson).fit(&single, &y.to_backend()).unwrap();
    assert!(near.outcome().all_converged() && exact.outcome().all_converged() && fitted.outcome().all_converged());
    assert!(!fitted.outcome().columns[0].is_proven && !exact.outcome().columns[0].is_proven);
    let largest = exact.coef().iter().fold(0.0_f64, |a, b| a.max(b.abs()));
    for (a, b) in fitted.coef().iter().zip(exact.coef()) {
        assert!((a - b).abs() < 1e-3 * largest, "{a} {b}");
    }
}

#[test]
fn nearly_equal_columns_keep_what_their_rows_can_tell() {
    // x₂ = x₁ + 1e-8 z, and counts that depend on z.
    let n = 300;
    let y = Matrix::<Cpu>::from_column(
        (0..n)
            .map(|row| 0.3 * wiggle(row, 0) + wiggle(row, 1) + 0.1 * wiggle(row, 5))
            .collect(),
    );
    let twins = Array2::from_shape_fn((n, 2), |(row, column)| {
        wiggle(row, 0) + if column == 1 { 1e-8 * wiggle(row, 1) } else { 0.0 }
    });
    let fitted = Glm::new(Gaussian).fit(&Matrix::from_array(twins.view()), &y).unwrap();
    let outcome = fitted.outcome();
    assert_eq!((outcome.status, outcome.rank), (Status::Converged, 2));
    assert!(outcome.condition.is_some_and(|condition| condition > 1e7), "{outcome:?}");
    assert!((fitted.coef()[1] * 1e-8 - 1.0).abs() < 0.1, "{:?}", fitted.coef());
    // The same columns twice are one direction.
    let same = Array2::from_shape_fn((n, 2), |(row, _)| wiggle(row, 0));
    let fitted = Glm::new(Gaussian).fit(&Matrix::from_array(same.view()), &y).unwrap();
    assert_eq!((fitted.outcome().status, fitted.outcome().rank), (Status::Converged, 1));
}

#[test]
fn separable_data_are_told_from_those_that_are_nearly_so() {
    let n = 120;
    let x = features(n, 4);
    let side = |row: usize| wiggle(row, 0) + 0.5 * wiggle(row, 1) - 0.2 * wiggle(row, 2) > 0.0;
    let choice =
        |flip: Option<usize>| Matrix::<Cpu>::from_column((0..n).map(|row| f64::from(u8::from(side(row) != (flip == Some(row))))).collect());
    let fit = |y: &Matrix<Cpu>| Glm::new(Bernoulli).fit(&x, y).unwrap();
    let perfect = fit(&choice(None));
    assert_eq!((perfect.outcome().status, perfect.outcome().is_proven), (Status::NoMaximum, true));
    let one_off = fit(&choice(Some(17)));
    assert_eq!((one_off.outcome().status, one_off.outcome().is_proven), (Status::Converged, true));
    // A penalty bounds every fit.
    let bounded = Glm::new(Bernoulli)
        .regularizer(Regularizer::Ridge(1e-8.into()))
        .fit(&x, &choice(None))
        .unwrap();
    assert_eq!(bounded.outcome().status, Status::Converged);
    // A feature that fires in silent bins alone.
    let fires = Matrix::<Cpu>::from_column((0..n).map(|row| f64::from(u8::from(row % 5 == 0))).collect());
    let y = Matrix::from_column((0..n).map(|row| if row % 5 == 0 { 0.0 } else { 1.0 + (row % 3) as f64 }).collect());
    for status in [
        Glm::new(Poisson).fit(&fires, &y).unwrap().outcome().status,
        Glm::new(Poisson).link(Softplus).fit(&fires, &y).unwrap().outcome().status,
        Glm::new(NegativeBinomial::new(0.3)).fit(&fires, &y).unwrap().outcome().status,
    ] {
        assert_eq!(status, Status::NoMaximum);
    }
}

#[test]
fn a_penalty_on_some_coefficients_does_not_hold_the_others() {
    let fires = |row: usize| f64::from(u8::from(row.is_multiple_of(5)));
    let x = Matrix::<Cpu>::from_array(
        Array2::from_shape_fn((60, 2), |(row, column)| if column == 0 { fires(row) } else { wiggle(row, 3) }).view(),
    );
    let y = Matrix::from_column((0..60).map(|row| if row % 5 == 0 { 0.0 } else { 1.0 + (row % 3) as f64 }).collect());
    let lasso = |first: f64| {
        let strength = nemos_solvers::Strength::PerFeature(vec![first, 0.1]);
        let fitted = Glm::new(Poisson).regularizer(Regularizer::Lasso(strength)).fit(&x, &y).unwrap();
        (fitted.outcome().status, fitted.outcome().is_proven)
    };
    assert_eq!(lasso(0.0), (Status::NoMaximum, true));
    assert_eq!(lasso(1e-6), (Status::Converged, true));
}

#[test]
fn more_features_than_rows_under_a_small_ridge_reach_their_minimum() {
    let (x, y) = (features(20, 60), counts(20));
    let ridge = Glm::new(Poisson).regularizer(Regularizer::Ridge(1e-6.into()));
    let (one, other) = (
        ridge.fit_with(&Lbfgs::new(), &x, &y).unwrap(),
        ridge.fit_with(&Newton::new(), &x, &y).unwrap(),
    );
    assert!(one.outcome().is_proven && other.outcome().is_proven);
    for (a, b) in one.coef().iter().zip(other.coef()) {
        assert!((a - b).abs() < 1e-7, "{a} {b}");
    }
}

#[test]
fn a_rate_on_the_border_of_its_link_is_a_minimum() {
    // Rows without spikes pull a linear rate down to zero at one end.
    let x = Matrix::<Cpu>::from_column((0..40).map(f64::from).collect());
    let y = Matrix::from_column((0..40).map(|row| f64::from(u8::from(row > 20)) * f64::from(row - 20)).collect());
    let fitted = Glm::new(Poisson).link(nemos_glm::Identity).fit(&x, &y).unwrap();
    assert_eq!((fitted.outcome().status, fitted.outcome().is_proven), (Status::Converged, true));
    let rates = fitted.predict(&x).unwrap().to_vec();
    assert!(rates[0] >= 0.0 && rates[0] < 1e-6, "{}", rates[0]);
}

#[test]
fn without_degrees_of_freedom_there_is_no_scale() {
    let (x, y) = (
        features(8, 12),
        Matrix::<Cpu>::from_column((0..8).map(|row| 2.0 + wiggle(row, 3)).collect()),
    );
    let ridge = Regularizer::Ridge(0.1.into());
    let gaussian = Glm::new(Gaussian).regularizer(ridge.clone()).fit(&x, &y).unwrap();
    let gamma = Glm::new(Gamma).link(Exp).regularizer(ridge).fit(&x, &y).unwrap();
    assert!(gaussian.scale().is_nan() && gamma.scale().is_nan() && gaussian.dof_resid() < 0.0);
    assert!(matches!(
        gaussian.score(&x, &y, Score::LogLikelihood),
        Err(Error::NoScale { neuron: 0 })
    ));
    assert!(gaussian.score(&x, &y, Score::Cohen).is_ok_and(|score| score > 0.0));
}

#[test]
fn ratios_of_scores_have_a_meaning_or_none() {
    // In a small unit densities are above one, and McFadden's ratio turns over.
    let x = features(80, 1);
    let signal = |unit: f64| Matrix::<Cpu>::from_column((0..80).map(|row| unit * (wiggle(row, 0) + 0.5 * wiggle(row, 4))).collect());
    let score = |unit: f64, score: Score| {
        let y = signal(unit);
        Glm::new(Gaussian).fit(&x, &y).unwrap().score(&x, &y, score)
    };
    assert!((score(1e-3, Score::Cohen).unwrap() - score(1.0, Score::Cohen).unwrap()).abs() < 1e-12);
    let error = score(1e-3, Score::McFadden).unwrap_err();
    assert!(matches!(error, Error::RatioOfDensities { null, .. } if null > 0.0) && error.to_string().contains("Cohen"));
    // A silent neuron explains nothing, and ranks nowhere.
    let y =
        Matrix::<Cpu>::from_array(Array2::from_shape_fn((80, 2), |(row, neuron)| if neuron == 0 { (row % 3) as f64 } else { 0.0 }).view());
    let fitted = PopulationGlm::new(Poisson).fit(&x, &y).unwrap();
    for kind in [Score::McFadden, Score::Cohen] {
        let scores = fitted.score_by_neuron(&x, &y, kind).unwrap();
        assert!(scores[0].is_finite() && scores[1].is_nan(), "{scores:?}");
    }
}

#[test]
fn log_likelihoods_keep_their_digits_at_any_dispersion() {
    let (nothing, y) = (
        Matrix::<Cpu>::zeros([22, 1]),
        Matrix::from_column((39..61).map(f64::from).collect()),
    );
    let mean = 49.5_f64;
    let fitted = |scale: f64| {
        let glm = Glm::new(NegativeBinomial::new(scale)).with_parameters(&[0.0], mean.ln());
        glm.score(&nothing, &y, Score::LogLikelihood).unwrap()
    };
    let poisson = Glm::new(Poisson)
        .with_parameters(&[0.0], mean.ln())
        .score(&nothing, &y, Score::LogLikelihood)
        .unwrap();
    for scale in [1e-12, 1e-14, 1e-20, 1e-100, 1e-300] {
        assert!((fitted(scale) - poisson).abs() < 1e-9, "{scale}: {} {poisson}", fitted(scale));
    }
    // Of a gamma distribution that is nearly a point at its mean: −½ ln(2π s) − ln y − (y/μ − 1)² / 2s.
    let values = Matrix::<Cpu>::from_column(vec![2.0, 2.0 + 1e-7]);
    let zeros = Matrix::zeros([2, 1]);
    for scale in [1e-12, 1e-14, 1e-16] {
        let glm = Glm::new(Gamma).link(Exp).with_parameters(&[0.0], 2.0_f64.ln());
        let population = glm.population().clone().with_scale(vec![scale], vec![1.0]).unwrap();
        let got = population.score(&zeros, &values, Score::LogLikelihood).unwrap();
        let at = |y: f64| -0.5 * (std::f64::consts::TAU * scale).ln() - y.ln() - (y / 2.0 - 1.0).powi(2) / (2.0 * scale);
        let expected = 0.5 * (at(2.0) + at(2.0 + 1e-7));
        // The mean itself is known to sixteen digits alone.
        assert!((got - expected).abs() < 1e-6 * expected.abs().max(1.0), "{scale}: {got} {expected}");
    }
}

#[test]
fn weights_that_are_all_zero_are_named() {
    let design = Design::from(features(12, 2)).with_weights(Matrix::zeros([12, 1])).unwrap();
    let error = Glm::new(Poisson).fit(&design, &counts(12)).unwrap_err();
    assert!(matches!(error, Error::NoWeight { neuron: 0 }), "{error}");
}

#[test]
fn no_probability_is_above_one() {
    // Under a log link nothing but the likelihood itself keeps probabilities down.
    let x = features(100, 2);
    let y = Matrix::<Cpu>::from_column(
        (0..100)
            .map(|row| f64::from(u8::from(0.3 * wiggle(row, 0) + wiggle(row, 6) > 0.6)))
            .collect(),
    );
    let fitted = Glm::new(Bernoulli).link(Exp).fit(&x, &y).unwrap();
    assert_eq!((fitted.outcome().status, fitted.outcome().is_proven), (Status::Converged, true));
    assert!(fitted.predict(&x).unwrap().to_vec().into_iter().all(|rate| rate <= 1.0));
}

#[test]
fn one_huge_cell_does_not_hold_a_fit_back() {
    let n = 24;
    let mut x: Vec<f64> = (0..n)
        .map(|row| ((row * 37 % 23) as f64 / 11.0 - 1.0) + 0.1 * (row as f64).sin())
        .collect();
    let y: Vec<f64> = (0..n)
        .map(|row| f64::from(u8::from(x[row] + (2.0 * row as f64).sin() > 0.0)))
        .collect();
    // A row that says yes, far out on the side of yes: it agrees with every rising curve, so that the others decide.
    x.push(1e9);
    let labels: Vec<f64> = y.iter().copied().chain([1.0]).collect();
    // The penalty is of the mean loss, which the silent row takes part in.
    let fit = |x: &[f64], y: &[f64], strength: f64| {
        let model = Glm::new(Bernoulli).regularizer(Regularizer::Ridge(strength.into()));
        model
            .fit(&Matrix::<Cpu>::from_column(x.to_vec()), &Matrix::from_column(y.to_vec()))
            .unwrap()
    };
    let whole = fit(&x, &labels, 1e-3);
    let others = fit(&x[..n], &y, 1e-3 * (n + 1) as f64 / n as f64);
    assert!(whole.outcome().status == Status::Converged, "{:?}", whole.outcome());
    assert!(
        (whole.coef()[0] - others.coef()[0]).abs() < 1e-6,
        "{} {}",
        whole.coef()[0],
        others.coef()[0]
    );
}

#[test]
fn classes_that_overlap_by_a_hair_have_a_maximum() {
    // The last bin without a spike lies beyond the first with one, or short of it, by as little as this.
    for hair in [1e-6, 1e-9, 1e-12] {
        let fit = |hair: f64| {
            let x = vec![-1.0, -0.3, 0.2 + hair, 0.2, 0.6, 1.1];
            let y = vec![0.0, 0.0, 0.0, 1.0, 1.0, 1.0];
            Glm::new(Bernoulli)
                .fit(&Matrix::<Cpu>::from_column(x), &Matrix::from_column(y))
                .unwrap()
        };
        let (overlapping, apart) = (fit(hair), fit(-hair));
        assert_eq!(overlapping.outcome().status, Status::Converged, "{hair}");
        // It is where the other bins have as little to say as the two.
        assert!(overlapping.coef()[0] > -hair.ln(), "{hair}: {}", overlapping.coef()[0]);
        assert_eq!(apart.outcome().status, Status::NoMaximum, "{hair}");
    }
}

#[test]
fn one_weight_beyond_the_digits_of_all_others_leaves_them_something_to_say() {
    let x = Matrix::<Cpu>::from_column(vec![0.3, -1.0, -0.3, 0.2, 0.1, 0.6, 1.1]);
    let y = Matrix::from_column(vec![1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0]);
    let weights = Matrix::from_column(vec![1e17, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    let design = Design::from(x).with_weights(weights).unwrap();
    let fitted = Glm::new(Bernoulli)
        .regularizer(Regularizer::Ridge(1e-4.into()))
        .fit(&design, &y)
        .unwrap();
    assert_ne!(fitted.outcome().status, Status::NoMaximum, "{:?}", fitted.outcome());
    assert!(fitted.intercept() > 20.0, "{}", fitted.intercept());
}

#[test]
fn neither_scales_nor_log_densities_come_from_fewer_rows_than_features() {
    let x = features(20, 50);
    let y = Matrix::<Cpu>::from_column((0..20).map(|row| 2.0 + wiggle(row, 3)).collect());
    let ridge = Regularizer::Ridge(0.1.into());
    let gaussian = Glm::new(Gaussian).regularizer(ridge.clone()).fit(&x, &y).unwrap();
    let gamma = Glm::new(Gamma).link(Exp).regularizer(ridge).fit(&x, &y).unwrap();
    assert_eq!((gaussian.dof_resid(), gamma.dof_resid()), (-31.0, -31.0));
    assert!(gaussian.scale().is_nan() && gamma.scale().is_nan());
    for error in [
        gaussian.score(&x, &y, Score::LogLikelihood),
        gamma.score(&x, &y, Score::LogLikelihood),
    ] {
        assert!(matches!(error, Err(Error::NoScale { neuron: 0 })));
    }
    assert!(matches!(
        gaussian.log_likelihood_by_sample(&x, &y),
        Err(Error::NoScale { neuron: 0 })
    ));
}

#[rustfmt::skip]
const NOISE: [f64; 40] = [
    -0.933617680, -0.205437558, -0.950022055, -0.339033076, 0.840308137, -1.727320423, 0.434423644, 0.237735602, -0.594149956, -1.446057854,
    0.072129508, -0.529492709, 0.232676211, 0.021852146, 1.601778891, -0.239355627, -1.023497493, 0.179275635, 0.219996684, 1.359187575,
    0.835111246, 0.356871059, 1.463302891, -1.188763054, -0.639751533, -0.926575941, -0.389809803, -1.376686148, 0.635150947, -0.222222697,
    -1.470806295, -1.015579081, 0.313513847, 0.838126568, 1.996730892, 2.913862466, 0.414409433, -0.989538120, -2.132046281, 0.267711462,
];

#[test]
fn no_score_depends_on_the_unit_of_the_data() {
    let at: Vec<f64> = (0..40).map(|row| -1.0 + f64::from(row) * 2.0 / 39.0).collect();
    let x = Matrix::<Cpu>::from_column(at.clone());
    // Slope, Cohen, and McFadden in unit 1.
    for (slope, cohen, mcfadden) in [
        (0.3, 0.086_372_823_1, 0.029_792_423_9),
        (1.0, 0.331_687_385_3, 0.138_826_679_1),
        (5.0, 0.898_371_200_0, 0.741_685_981_7),
    ] {
        let score = |unit: f64, kind: Score| {
            let y = Matrix::from_column(at.iter().zip(NOISE).map(|(x, noise)| unit * (slope * x + noise)).collect());
            Glm::new(Gaussian).fit(&x, &y).unwrap().score(&x, &y, kind)
        };
        assert!((score(1.0, Score::McFadden).unwrap() - mcfadden).abs() < 1e-7, "{slope}");
        for unit in [1e3, 1.0, 0.1, 0.02, 0.004, 1e-3, 1e-6] {
            assert!((score(unit, Score::Cohen).unwrap() - cohen).abs() < 1e-7, "{slope} {unit}");
            match score(unit, Score::McFadden) {
                Ok(score) => assert!((0.0..=1.0).contains(&score), "{slope} {unit}: {score}"),
                Err(error) => assert!(error.to_string().contains("Cohen"), "{error}"),
            }
        }
        assert!(score(1e-3, Score::McFadden).is_err());
    }
}

#[test]
fn small_dispersions_reach_their_limits() {
    let x = Matrix::<Cpu>::from_column(vec![0.0, 1.0, 2.0, 1.0, 0.0]);
    let y = Matrix::from_column(vec![39.0, 45.0, 60.0, 55.0, 54.0]);
    for (scale, expected) in [
        (1e-6, -3.237_807_733_99),
        (1e-8, -3.237_799_701_14),
        (1e-10, -3.237_799_620_81),
        (1e-12, -3.237_799_620_00),
        (1e-14, -3.237_799_620_00),
        (1e-20, -3.237_799_620_00),
        (1e-100, -3.237_799_620_00),
    ] {
        let model = Glm::new(NegativeBinomial::new(scale)).stopping(nemos_solvers::Stopping::new().tolerance(1e-14));
        let fitted = model.fit(&x, &y).unwrap();
        let got = fitted.score(&x, &y, Score::LogLikelihood).unwrap();
        assert!(
            fitted.outcome().status == Status::Converged && (got - expected).abs() < 1e-9,
            "{scale}: {got}"
        );
    }
    // Gamma, every value at its mean: −½ ln(2π scale) − the mean of ln y.
    let values = [1.0_f64, 2.0, 5.0];
    let (logs, y) = (
        Matrix::<Cpu>::from_column(values.iter().map(|y| y.ln()).collect()),
        Matrix::from_column(values.to_vec()),
    );
    for (scale, expected) in [(1e-14, 14.431_628_753), (1e-16, 16.734_213_846)] {
        let given = Glm::new(Gamma).link(Exp).with_parameters(&[1.0], 0.0);
        let given = given.population().clone().with_scale(vec![scale], vec![1.0]).unwrap();
        let got = given.score(&logs, &y, Score::LogLikelihood).unwrap();
        assert!((got - expected).abs() < 1e-6, "{scale}: {got}");
    }
    // What does not vary at all has no density.
    let y = Matrix::from_column(vec![2.0; 5]);
    let constant = Glm::new(Gaussian).fit(&x, &y).unwrap();
    assert!(matches!(
        constant.score(&x, &y, Score::LogLikelihood),
        Err(Error::NoScale { neuron: 0 })
    ));
}
