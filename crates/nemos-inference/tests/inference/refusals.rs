//! What has no standard error, and what an error says.

use nemos_core::Segments;
use nemos_core::{Cpu, Matrix, Names, ToDesign};
use nemos_glm::{Exp, Gamma, Gaussian, Glm, Poisson, PopulationGlm, Regularizer, Stopping};
use nemos_inference::{
    Bootstrap, Clusters, Covariance, Dispersion, Ends, Error, Infer, Lag, Residual, Settings, Spiking, Standing, TimeRescaling,
    Unavailable, compare,
};

use crate::cases::{poisson_case, rng};

pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, Error>, words: &str) {
    let error = result.unwrap_err().to_string();
    assert!(error.contains(words), "{error:?} does not speak of {words:?}");
}

#[test]
fn a_lasso_has_no_standard_errors_but_criteria_and_a_bootstrap() {
    let (design, counts) = poisson_case::<Cpu>(1, (12, 20), &[0.6, 0.0]);
    let lasso = Glm::new(Poisson).regularizer(Regularizer::Lasso(0.1.into()));
    let fitted = lasso.fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    refused(inference.estimates(&Covariance::Model), "bootstrap by epochs");
    refused(fitted.summary(&design, &counts), "a lasso has no standard errors");
    refused(inference.likelihood_ratio(0), "without a penalty");
    let n_parameters = inference.criteria().unwrap()[0].n_parameters;
    assert_eq!(n_parameters, 1.0 + fitted.coef().iter().filter(|coef| **coef != 0.0).count() as f64);
    let bootstrapped = inference.bootstrap(&Bootstrap::new().replicates(20), &mut rng(2)).unwrap();
    assert_eq!(bootstrapped.dropped, [0]);
    refused(inference.bootstrap(&Bootstrap::new().one_step(), &mut rng(2)), "lasso");
}

#[test]
fn features_in_another_order_than_in_the_fit_are_refused() {
    let (design, counts) = poisson_case::<Cpu>(4, (1, 200), &[0.5, 0.2]);
    let named = |names: [&'static str; 2]| design.to_design().with_names(Names::new(names)).unwrap();
    let (given, swapped) = (named(["speed", "angle"]), named(["angle", "speed"]));
    let fitted = Glm::new(Poisson).fit(&given, &counts).unwrap();
    let words = "column 0 of the design is \"angle\"";
    refused(fitted.inference(&swapped, &counts), words);
    refused(
        fitted.inference_with(Settings::new().even_if_not_converged(), &swapped, &counts),
        words,
    );
    let inference = fitted.inference(&given, &counts).unwrap();
    let estimates = inference.estimates(&Covariance::Model).unwrap();
    refused(estimates.predictions(&swapped), "column 0 of the samples is \"angle\"");
    assert_eq!(estimates.predictions(&design).unwrap().rows().nrows(), 200);
}

#[test]
fn a_fit_that_stopped_early_or_is_of_other_data_is_refused_unless_asked_for() {
    let (design, counts) = poisson_case::<Cpu>(4, (1, 200), &[0.5, 0.2]);
    let (_, others) = poisson_case::<Cpu>(5, (1, 200), &[-0.5, 0.2]);
    let stopped = Glm::new(Poisson)
        .stopping(Stopping::new().max_steps(0))
        .fit(&design, &counts)
        .unwrap();
    let given = Glm::new(Poisson).with_parameters(&[0.5, 0.2], 0.2);
    refused(given.inference(&design, &counts), "given, not fitted");
    if stopped.outcome().status != nemos_glm::Status::Converged {
        refused(stopped.inference(&design, &counts), "even_if_not_converged");
    }
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    refused(fitted.inference(&design, &others), "nats from its maximum");
    let settings = Settings::new().even_if_not_converged();
    for model in [&given, &fitted] {
        let estimates = model
            .inference_with(settings, &design, &others)
            .unwrap()
            .estimates(&Covariance::Model)
            .unwrap();
        assert!(estimates.standard_errors().iter().all(|error| *error > 0.0));
    }
}

#[test]
fn what_a_covariance_needs_is_said() {
    let (design, counts) = poisson_case::<Cpu>(6, (1, 90), &[0.4]);
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    let asked = |kind: Covariance| inference.estimates(&kind);
    refused(asked(Covariance::Frequentist), "asks for a ridge");
    refused(asked(Covariance::Cluster(Clusters::segments())), "at least 2");
    refused(asked(Covariance::Cluster(Clusters::labels(vec![0; 3]))), "90 are needed");
    refused(asked(Covariance::Hac(Lag::Seconds(1.0))), "has no times");
    refused(asked(Covariance::Hac(Lag::Seconds(-1.0))), "not negative");
    let rule = asked(Covariance::Hac(Lag::RuleOfThumb)).unwrap();
    assert!(
        rule.covariance_kind().contains("3 rows by the rule of thumb"),
        "{}",
        rule.covariance_kind()
    );
    let few = asked(Covariance::Cluster(Clusters::labels((0..90).map(|row| row / 30).collect()))).unwrap();
    assert!(few.notes()[0].contains("t(2)") && few.p_values()[(0, 0)] > asked(Covariance::Hc0).unwrap().p_values()[(0, 0)]);
    let timed = design
        .clone()
        .with_times((0..90).map(|row| 0.01 * f64::from(row)).collect::<Vec<_>>())
        .unwrap();
    let timed = fitted
        .inference(&timed, &counts)
        .unwrap()
        .estimates(&Covariance::Hac(Lag::Seconds(0.05)))
        .unwrap();
    let rows = asked(Covariance::Hac(Lag::Rows(5))).unwrap();
    assert_eq!(timed.standard_errors(), rows.standard_errors());
}

#[test]
fn levels_scales_and_terms_are_checked() {
    let (design, counts) = poisson_case::<Cpu>(7, (1, 60), &[0.4]);
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    let estimates = inference.estimates(&Covariance::Model).unwrap();
    for level in [0.0, 1.0, 95.0, f64::NAN] {
        refused(estimates.confidence(level), "between 0 and 1");
        refused(inference.profile(0, level), "between 0 and 1");
    }
    let dispersion = Settings::new().dispersion(Dispersion::Known(0.0));
    refused(fitted.inference_with(dispersion, &design, &counts), "above zero");
    refused(inference.likelihood_ratio(Vec::new()), "at least one column");
    refused(inference.score_test(3), "column");
    refused(estimates.wald("place"), "place");
    refused(inference.likelihood_ratio_of_blocks(), "block");
    refused(estimates.predictions(&Matrix::<Cpu>::zeros([4, 3])), "one per feature");
}

#[test]
fn models_of_other_rows_are_not_compared() {
    let (design, counts) = poisson_case::<Cpu>(8, (1, 100), &[0.4, 0.1]);
    let x = design.to_matrix().unwrap();
    let fit = |x: &Matrix<Cpu>, counts: &Matrix<Cpu>| Glm::new(Poisson).fit(x, counts).unwrap();
    let whole = fit(&x, &counts);
    let whole = whole.inference(&x, &counts).unwrap();
    // A longer history, whose first rows are missing.
    let shorter = Matrix::from_vec(
        x.to_vec()
            .into_iter()
            .enumerate()
            .map(|(i, v)| if i < 10 { f64::NAN } else { v })
            .collect(),
        [100, 2],
    )
    .unwrap();
    let of_shorter = fit(&shorter, &counts);
    let of_shorter = of_shorter.inference(&shorter, &counts).unwrap();
    refused(compare(&[&whole, &of_shorter]), "different numbers of rows");
    let mut other = counts.to_vec();
    other.swap(0, 1);
    other[0] += 1.0;
    let other = Matrix::from_column(other);
    let of_other = fit(&x, &other);
    let of_other = of_other.inference(&x, &other).unwrap();
    refused(compare(&[&whole, &of_other]), "different rows, counts or weights");
    let comparison = compare(&[&whole, &whole]).unwrap();
    assert!(comparison.to_string().contains("ΔAIC"));
    assert!(compare(&[]).unwrap().criteria.is_empty());
}

#[test]
fn time_rescaling_wants_spikes() {
    let (design, counts) = poisson_case::<Cpu>(9, (1, 50), &[0.2]);
    let fitted = Glm::new(Gaussian).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    refused(inference.time_rescaling(&TimeRescaling::new(), &mut rng(1)), "quantile residuals");
    refused(inference.overdispersion(1.0), "needs counts");
    let one = Segments::single(2);
    let asked = |rates: [f64; 2], counts: [f64; 2], spiking: Spiking| {
        TimeRescaling::new().spiking(spiking).rescale(&rates, &counts, &one, &mut rng(1))
    };
    refused(asked([0.5, 1.5], [0.0, 1.0], Spiking::Bernoulli), "between 0 and 1");
    refused(asked([0.5, 0.5], [0.0, 2.0], Spiking::Bernoulli), "shorter bins");
    refused(asked([0.5, -0.5], [0.0, 2.0], Spiking::Poisson), "not negative");
    refused(asked([0.5, 0.5], [0.5, 2.0], Spiking::Poisson), "whole number");
    refused(TimeRescaling::new().rescale(&[0.5], &[0.0, 1.0], &one, &mut rng(1)), "one per rate");
    for ends in [Ends::Carry, Ends::Drop, Ends::Truncate] {
        let none = TimeRescaling::new()
            .ends(ends)
            .rescale(&[], &[], &Segments::from_lengths([]), &mut rng(1))
            .unwrap();
        assert!(none.is_empty() && none.ks().p.is_nan());
    }
    let negative = Glm::new(nemos_glm::NegativeBinomial::new(0.5)).fit(&design, &counts).unwrap();
    refused(
        negative.inference(&design, &counts).unwrap().residuals(Residual::Anscombe),
        "Anscombe",
    );
}

#[test]
fn a_bootstrap_wants_something_to_draw() {
    let (design, counts) = poisson_case::<Cpu>(10, (1, 50), &[0.2]);
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    refused(inference.bootstrap(&Bootstrap::new(), &mut rng(1)), "at least 2");
    let (design, counts) = poisson_case::<Cpu>(10, (5, 10), &[0.2]);
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    refused(inference.bootstrap(&Bootstrap::new().replicates(0), &mut rng(1)), "replicates");
    refused(
        inference.bootstrap_with(&Bootstrap::new(), ndarray::Array2::ones((3, 4)).view()),
        "one per segment or block",
    );
    assert!(inference.bootstrap(&Bootstrap::new().replicates(5), &mut rng(1)).unwrap().notes[0].contains("5 segments"));
}

#[test]
fn sparse_penalties_are_called_by_their_names() {
    let (design, counts) = poisson_case::<Cpu>(12, (1, 60), &[0.4, 0.1]);
    for (penalty, name) in [
        (nemos_glm::elastic_net(0.1, 0.5), "an elastic net has no standard errors"),
        (
            nemos_glm::group_lasso(0.1, nemos_glm::Groups::Features(vec![vec![0], vec![1]])),
            "a group lasso has no standard errors",
        ),
    ] {
        let fitted = Glm::new(Poisson).regularizer(penalty).fit(&design, &counts).unwrap();
        let inference = fitted.inference(&design, &counts).unwrap();
        refused(inference.estimates(&Covariance::Hc0), name);
        refused(inference.profile(0, 0.95), "without a penalty");
        refused(inference.score_test(0), "without a penalty");
    }
    let ridge = Glm::new(Poisson).regularizer(nemos_glm::ridge(0.1)).fit(&design, &counts).unwrap();
    let inference = ridge.inference(&design, &counts).unwrap();
    refused(inference.likelihood_ratio(0), "look at the Wald test after a ridge");
    let summary = inference.summary(&Covariance::Model).unwrap().to_string();
    assert!(summary.contains("Bayesian") && summary.contains("approximate"));
}

/// Parameters that were given are no maximum: a model without the feature fits better.
#[test]
fn a_larger_model_that_fits_worse_is_an_error() {
    let (design, counts) = poisson_case::<Cpu>(14, (1, 100), &[0.3]);
    let given = Glm::new(Poisson).with_parameters(&[-2.0], 1.0);
    let settings = Settings::new().even_if_not_converged();
    let inference = given.inference_with(settings, &design, &counts).unwrap();
    refused(inference.likelihood_ratio(0), "one of the two fits failed");
}

#[test]
fn models_of_other_weights_are_not_compared() {
    let (design, counts) = poisson_case::<Cpu>(15, (1, 80), &[0.4]);
    let weights = (0..80).map(|row| 1.0 + f64::from(row % 2)).collect();
    let heavy = design.clone().with_weights(Matrix::from_column(weights)).unwrap();
    let (plain, weighted) = (
        Glm::new(Poisson).fit(&design, &counts).unwrap(),
        Glm::new(Poisson).fit(&heavy, &counts).unwrap(),
    );
    let (plain, weighted) = (
        plain.inference(&design, &counts).unwrap(),
        weighted.inference(&heavy, &counts).unwrap(),
    );
    refused(compare(&[&plain, &weighted]), "different rows, counts or weights");
    let two = Matrix::beside(vec![counts.clone(), counts.clone()]).unwrap();
    let both = PopulationGlm::new(Poisson).fit(&design, &two).unwrap();
    refused(
        compare(&[&plain, &both.inference(&design, &two).unwrap()]),
        "different numbers of neurons",
    );
}

/// Features that are one but for a hair have three digits left, or none that are shown; coefficients tested together keep their number.
#[test]
fn nearly_collinear_features_have_right_errors_or_none() {
    let wave = |row: usize, speed: f64| (speed * row as f64 + 0.3 * (row as f64).sqrt()).sin();
    let fit = |apart: f64| {
        let x = (0..400)
            .flat_map(|row| [wave(row, 0.7), wave(row, 0.7) + apart * wave(row, 1.9)])
            .collect();
        let design = Matrix::<Cpu>::from_vec(x, [400, 2]).unwrap();
        let noise = |row: usize| (12.9898 * row as f64).sin() * 43_758.5;
        let counts = (0..400).map(|row| (1.5 + wave(row, 0.7) + 0.4 * wave(row, 1.9) + (noise(row) - noise(row).floor())).floor());
        let counts = Matrix::from_column(counts.collect());
        let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
        let inference = fitted.inference(&design, &counts).unwrap();
        let estimates = inference.estimates(&Covariance::Model).unwrap();
        let together = estimates.wald(vec![0, 1]).unwrap().each[0];
        (
            estimates.standing(1, 0),
            estimates.standard_errors()[(1, 0)] * apart,
            together.dof,
            together.statistic,
        )
    };
    let (_, known, dof, statistic) = fit(1.0);
    assert_eq!(dof, 2.0);
    for apart in [1e-3, 1e-5, 1e-6, 1e-7, 3e-8, 1e-8] {
        let (standing, error, dof, other) = fit(apart);
        if standing == Standing::Estimated {
            assert!((error / known - 1.0).abs() < 2e-3, "{apart}: {error} for {known}");
            assert_eq!(dof, 2.0, "{apart}");
            assert!((other / statistic - 1.0).abs() < 2e-3, "{apart}: {other} for {statistic}");
        }
        assert_eq!(standing == Standing::Estimated, apart >= 1e-5, "{apart}: {standing:?}");
    }
}

#[test]
fn a_row_that_is_fitted_whatever_its_count_has_no_hc3() {
    let x = (0..80)
        .flat_map(|row| [f64::from(u8::from(row == 7)), f64::from(row % 5)])
        .collect();
    let design = Matrix::<Cpu>::from_vec(x, [80, 2]).unwrap();
    let counts = Matrix::from_column((0..80).map(|row| f64::from(row * row % 7)).collect());
    let fitted = Glm::new(Gaussian).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    let of = |kind: Covariance| inference.estimates(&kind).unwrap().standing(0, 0);
    assert_eq!(of(Covariance::Hc3), Standing::Unavailable(Unavailable::Leverage));
    assert_eq!(of(Covariance::Hc1), Standing::Estimated);
}

#[test]
fn a_lag_as_long_as_the_data_is_refused() {
    let (design, counts) = poisson_case::<Cpu>(3, (1, 60), &[0.4]);
    let design = design.with_times(vec![1.0; 60]).unwrap();
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    for lag in [Lag::Rows(usize::MAX), Lag::Rows(60), Lag::Seconds(0.1), Lag::Seconds(1e300)] {
        refused(inference.estimates(&Covariance::Hac(lag)), "far shorter than the data");
    }
    assert!(inference.estimates(&Covariance::Hac(Lag::Rows(10))).is_ok());
}

/// The distribution function of a Gamma model of little scatter, which a series of a million terms would take minutes for.
#[test]
fn quantile_residuals_of_little_scatter_come_back() {
    let design = Matrix::<Cpu>::from_column((0..40).map(|row| f64::from(row) / 40.0).collect());
    let noise = |row: u32| f64::from(row * 37 % 41) / 41.0 - 0.5;
    let counts = (0..40_u32).map(|row| (0.3 + f64::from(row) / 40.0).exp() * (1.0 + 1e-8 * noise(row)));
    let counts = Matrix::from_column(counts.collect());
    let fitted = Glm::new(Gamma).link(Exp).fit(&design, &counts).unwrap();
    let (_, at) = fitted.inference(&design, &counts).unwrap().distribution_at_counts().unwrap();
    let mean = at.mean().unwrap();
    assert!(
        at.iter().all(|share| (0.0..=1.0).contains(share)) && (mean - 0.5).abs() < 0.1,
        "{mean}"
    );
}
