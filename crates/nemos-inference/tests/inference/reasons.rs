//! What has no number, and the reason that stands in its place.

use nemos_core::{Cpu, Design, Matrix};
use nemos_glm::{Bernoulli, Gaussian, Glm, Poisson, PopulationGlm};
use nemos_inference::{Bootstrap, Clusters, Contrasts, Covariance, Infer, Lag, Repeats, Standing, TimeRescaling, Unavailable};

use crate::cases::{poisson_case, rng};
use crate::refusals::refused;

#[test]
fn a_silent_neuron_and_a_separable_one_have_reasons_instead_of_numbers() {
    let x: Vec<f64> = (0..40).map(f64::from).collect();
    let y: Vec<f64> = x
        .iter()
        .flat_map(|&x| [0.0, f64::from(x > 20.0), f64::from(x % 3.0 == 0.0)])
        .collect();
    let (design, counts) = (Matrix::<Cpu>::from_column(x), Matrix::from_vec(y, [40, 3]).unwrap());
    let fitted = PopulationGlm::new(Bernoulli).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    let estimates = inference.estimates(&Covariance::Model).unwrap();
    for neuron in [0, 1] {
        assert_eq!(estimates.standing(0, neuron), Standing::Unavailable(Unavailable::NoMaximum));
        assert!(estimates.p_values().column(neuron).iter().all(|p| p.is_nan()));
    }
    assert!(estimates.p_values()[(0, 2)] < 1.0);
    let tests = inference.likelihood_ratio(0).unwrap().p_values();
    // The likelihood of a separable neuron has a supremum; of a silent one nothing can be said.
    assert!(tests[0].is_nan() && tests[1] < 1e-6 && tests[2] > 0.05, "{tests:?}");
    let summary = inference.summary(&Covariance::Hc0).unwrap();
    assert!(summary.to_string().contains("no finite maximum") && summary.to_csv().contains("unavailable"));
}

#[test]
fn a_masked_coefficient_is_held_and_not_counted() {
    let (design, counts) = poisson_case::<Cpu>(3, (1, 80), &[0.5, 0.2]);
    let fitted = Glm::new(Poisson)
        .feature_mask(ndarray::array![[true], [false]])
        .fit(&design, &counts)
        .unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    let estimates = inference.estimates(&Covariance::Model).unwrap();
    assert_eq!((estimates.standing(1, 0), inference.edf()[0]), (Standing::Masked, 2.0));
    assert!(estimates.standard_errors()[(1, 0)].is_nan() && estimates.standard_errors()[(0, 0)] > 0.0);
    assert!(estimates.wald(1).unwrap().p_values()[0].is_nan());
    assert!(inference.summary(&Covariance::Model).unwrap().to_string().contains("held at zero"));
}

#[test]
fn without_degrees_of_freedom_there_is_no_scale() {
    let (x, y) = (
        Matrix::<Cpu>::from_vec(vec![1.0, 2.0, 0.5, 4.0], [2, 2]).unwrap(),
        Matrix::from_column(vec![1.0, 3.0]),
    );
    let fitted = Glm::new(Gaussian).fit(&x, &y).unwrap();
    let inference = fitted.inference(&x, &y).unwrap();
    let estimates = inference.estimates(&Covariance::Model).unwrap();
    assert_eq!(estimates.covariance(0).unwrap_err(), Unavailable::NoDegreesOfFreedom);
    assert!(inference.criteria().unwrap()[0].aicc().is_infinite());
    // Of counts the scale is known.
    let fitted = Glm::new(Poisson).fit(&x, &y).unwrap();
    let summary = fitted.summary(&x, &y).unwrap();
    assert!(summary.estimates.covariance(0).is_ok() && summary.to_string().contains("no more rows than parameters"));
}

#[test]
fn weights_of_one_size_change_nothing() {
    let (design, counts) = poisson_case::<Cpu>(11, (6, 20), &[0.3]);
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let heavy: Design<'static, Cpu> = design.clone().with_weights(Matrix::from_column(vec![7.0; 120])).unwrap();
    let other = Glm::new(Poisson).fit(&heavy, &counts).unwrap();
    let (plain, weighted) = (
        fitted.inference(&design, &counts).unwrap(),
        other.inference(&heavy, &counts).unwrap(),
    );
    for kind in [
        Covariance::Model,
        Covariance::Hc0,
        Covariance::Hc3,
        Covariance::Cluster(Clusters::segments()),
        Covariance::Hac(Lag::Rows(3)),
    ] {
        let errors = |of: &nemos_inference::Inference<'_, Cpu>| of.estimates(&kind).unwrap().standard_errors();
        assert!(
            crate::cases::apart(errors(&weighted).iter(), errors(&plain).iter()) < 1e-7,
            "{kind:?}"
        );
    }
    assert!((weighted.criteria().unwrap()[0].bic() - plain.criteria().unwrap()[0].bic()).abs() < 1e-6);
}

/// An indicator whose level has no spikes: its coefficient runs away, however well the others are known.
#[test]
fn a_silent_level_of_an_indicator_has_a_reason() {
    let level: Vec<f64> = (0..60).map(|row| f64::from(u8::from(row % 5 == 0))).collect();
    let counts = level
        .iter()
        .enumerate()
        .map(|(row, level)| (1.0 - level) * (row % 3) as f64)
        .collect();
    let (design, counts) = (Matrix::<Cpu>::from_column(level), Matrix::from_column(counts));
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    let estimates = inference.estimates(&Covariance::Hc3).unwrap();
    assert_eq!(estimates.standing(0, 0), Standing::Unavailable(Unavailable::NoMaximum));
    assert!(estimates.confidence(0.95).unwrap().iter().all(|end| end.is_nan()));
    assert!(inference.profile(0, 0.95).unwrap()[0].iter().all(|end| end.is_nan()));
    // The likelihood has a supremum: 12 rows in which one count each is expected.
    let statistic = inference.likelihood_ratio(0).unwrap().each[0].statistic;
    assert!((statistic - 2.0 * 48.0 * (60.0_f64 / 48.0).ln()).abs() < 1e-5, "{statistic}");
    // A ridge gives it a standard error.
    let held = Glm::new(Poisson).regularizer(nemos_glm::ridge(0.01)).fit(&design, &counts).unwrap();
    let held = held.inference(&design, &counts).unwrap();
    assert!(held.estimates(&Covariance::Model).unwrap().standard_errors()[(0, 0)] > 0.0);
}

#[test]
fn clusters_that_are_fewer_than_parameters_are_said_to_be() {
    let (design, counts) = poisson_case::<Cpu>(13, (3, 30), &[0.4, 0.1, -0.2]);
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    let estimates = inference.estimates(&Covariance::Cluster(Clusters::segments())).unwrap();
    assert!(estimates.notes()[0].contains("has not full rank"), "{:?}", estimates.notes());
    // Three clusters tell two directions at most, and so a test of three tests two.
    assert!(estimates.wald(0..3).unwrap().each[0].dof <= 2.0);
}

/// Replicates in which a neuron has no spike have no maximum: they are dropped, and counted.
#[test]
fn replicates_without_a_maximum_are_dropped_and_counted() {
    let (design, _) = poisson_case::<Cpu>(16, (4, 10), &[0.1]);
    // Spikes in one trial of four alone.
    let counts = Matrix::from_column((0..40).map(|row| f64::from(u8::from(row < 10 && row % 2 == 0))).collect());
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    let drawn = ndarray::array![[1.0, 1.0, 1.0, 1.0], [0.0, 2.0, 1.0, 1.0], [2.0, 0.0, 1.0, 1.0]];
    let bootstrapped = inference.bootstrap_with(&Bootstrap::new(), drawn.view()).unwrap();
    assert_eq!(bootstrapped.dropped, [1]);
    assert!(bootstrapped.standard_errors().iter().all(|error| error.is_finite()));
}

/// One over a predictor that may be zero is without bound; a rate under the identity is what it is.
#[test]
fn the_upper_end_of_a_reciprocal_rate_may_be_infinite() {
    let x: Vec<f64> = (0..30).map(|row| f64::from(row % 3)).collect();
    let y: Vec<f64> = x
        .iter()
        .enumerate()
        .map(|(row, x)| (1.0 + (row % 4) as f64 * 0.3) / (0.3 + 0.4 * x))
        .collect();
    let (design, counts) = (Matrix::<Cpu>::from_column(x), Matrix::from_column(y));
    let fitted = Glm::new(nemos_glm::Gamma)
        .link(nemos_glm::Reciprocal)
        .fit(&design, &counts)
        .unwrap();
    let estimates = fitted.inference(&design, &counts).unwrap().estimates(&Covariance::Model).unwrap();
    // Far below the data the predictor falls to zero: at -0.6 its band reaches below.
    let curve = estimates.curve(&Contrasts::new(ndarray::array![[1.0, 1.0], [-0.6, 1.0]])).unwrap();
    let band = curve.rates(&curve.pointwise(0.95).unwrap(), 1.0);
    assert!(band.lower[(0, 0)] < band.value[(0, 0)] && band.value[(0, 0)] < band.upper[(0, 0)] && band.upper[(0, 0)].is_finite());
    assert!(band.upper[(1, 0)].is_infinite() && band.lower[(1, 0)] > 0.0);
}

#[test]
fn responses_without_signal_have_no_ratios_and_a_neuron_there_is_not_has_a_reason() {
    // Two repeats that say the opposite: less in common than noise would have.
    let repeats = Repeats::new(
        ndarray::array![[0.0, 2.0, 0.0, 2.0], [2.0, 0.0, 2.0, 0.0]].view(),
        ndarray::array![1.0, 2.0, 1.0, 2.0].view(),
    )
    .unwrap();
    assert!(repeats.signal_power < 0.0 && repeats.explained_signal_power.is_nan() && repeats.correlation_normalised.is_nan());
    refused(
        Repeats::new(ndarray::array![[1.0, 2.0]].view(), ndarray::array![1.0, 2.0].view()),
        "repeats",
    );
    let (design, counts) = poisson_case::<Cpu>(17, (1, 40), &[0.2]);
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    let estimates = inference.estimates(&Covariance::Model).unwrap();
    assert_eq!(estimates.covariance(1).unwrap_err(), Unavailable::Outside);
    assert_eq!(estimates.standing(2, 0), Standing::Unavailable(Unavailable::Outside));
    refused(inference.profile(4, 0.95), "column");
    // Gamma and negative binomial observations are no spikes that come one by one.
    let positive = Matrix::from_column(counts.to_vec().into_iter().map(|count| count + 0.5).collect());
    let gamma = Glm::new(nemos_glm::Gamma).fit(&design, &positive).unwrap();
    let gamma = gamma.inference(&design, &positive).unwrap();
    refused(gamma.time_rescaling(&TimeRescaling::new(), &mut rng(1)), "quantile residuals");
    let scattered = Glm::new(nemos_glm::NegativeBinomial::new(0.5)).fit(&design, &counts).unwrap();
    let scattered = scattered.inference(&design, &counts).unwrap();
    refused(scattered.time_rescaling(&TimeRescaling::new(), &mut rng(1)), "quantile residuals");
}
