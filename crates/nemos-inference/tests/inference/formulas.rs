//! Formulas in closed form, and brute force.

use ndarray::{Array2, array};
use nemos_core::{Cpu, Design, Features, Matrix, Segments};
use nemos_glm::{Gaussian, Glm, NegativeBinomial, Poisson, PopulationGlm};
use nemos_inference::{
    Bootstrap, Clusters, Contrasts, Correction, Covariance, Infer, Lag, Over, Reference, Resampled, Residual, Standing, TimeRescaling,
    compare,
};
use rand::RngExt;

use crate::cases::{apart, features, poisson, poisson_case, rng};

/// One indicator: 1/a + 1/b, the variance of the logarithm of a ratio of counts.
#[test]
fn the_variance_of_a_log_ratio_is_the_sum_of_one_over_counts() {
    let x: Vec<f64> = (0..100).map(|bin| f64::from(bin % 2)).collect();
    let y: Vec<f64> = (0..100).map(|bin| if bin % 2 == 0 { 1.0 } else { f64::from(bin % 5) }).collect();
    let total = |level: f64| x.iter().zip(&y).filter(|(x, _)| **x == level).map(|(_, y)| y).sum::<f64>();
    let (design, counts) = (Matrix::<Cpu>::from_column(x.clone()), Matrix::from_column(y.clone()));
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    let estimates = inference.estimates(&Covariance::Model).unwrap();
    let variance = 1.0 / total(0.0) + 1.0 / total(1.0);
    let errors = estimates.standard_errors();
    assert!((errors[(0, 0)].powi(2) - variance).abs() < 1e-9);
    assert!((errors[(1, 0)].powi(2) - 1.0 / total(0.0)).abs() < 1e-9);
    // The likelihood-ratio statistic in closed form: 2 Σ n ln (rate / mean).
    let mean = (total(0.0) + total(1.0)) / 100.0;
    let ratio: f64 = [0.0, 1.0]
        .iter()
        .map(|&level| 2.0 * total(level) * (total(level) / 50.0 / mean).ln())
        .sum();
    assert!((inference.likelihood_ratio(0).unwrap().each[0].statistic - ratio).abs() < 1e-7);
}

/// Least squares: the covariance is s² (ZᵀZ)⁻¹, and F of a Wald test is that of the likelihood-ratio test.
#[test]
fn least_squares_have_their_textbook_table() {
    let mut rng = rng(2);
    let x = features(&mut rng, 40, 2);
    let y: Vec<f64> = x.chunks(2).map(|x| 1.0 + 0.5 * x[0] + rng.random::<f64>()).collect();
    let (design, counts) = (Matrix::<Cpu>::from_vec(x.clone(), [40, 2]).unwrap(), Matrix::from_column(y.clone()));
    let fitted = Glm::new(Gaussian).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    let estimates = inference.estimates(&Covariance::Model).unwrap();
    let z = Array2::from_shape_fn((40, 3), |(row, column)| if column == 2 { 1.0 } else { x[2 * row + column] });
    let rate = fitted.predict(&design).unwrap().to_vec();
    let s2 = y.iter().zip(&rate).map(|(y, mu)| (y - mu).powi(2)).sum::<f64>() / 37.0;
    let covariance = estimates.covariance(0).unwrap();
    let product = covariance.dot(&z.t().dot(&z)) / s2;
    assert!(apart(product.iter(), Array2::<f64>::eye(3).iter()) < 1e-10);
    assert_eq!(estimates.references()[0], Reference::StudentT(37.0));
    let (wald, ratio) = (
        estimates.wald(0..2).unwrap().each[0],
        inference.likelihood_ratio(0..2).unwrap().each[0],
    );
    assert_eq!(
        (wald.reference, ratio.reference),
        (Reference::F(2.0, 37.0), Reference::F(2.0, 37.0))
    );
    assert!((wald.statistic - ratio.statistic).abs() < 1e-8 * ratio.statistic);
    // The profile of a parabola is Wald's interval.
    let (profile, confidence) = (inference.profile(0, 0.95).unwrap()[0], estimates.confidence(0.95).unwrap());
    assert!((0..2).all(|end| (profile[end] - confidence[(0, 0, end)]).abs() < 1e-7));
}

#[test]
fn hac_equals_the_sum_over_lags_within_segments() {
    let (design, counts) = poisson_case::<Cpu>(3, (4, 30), &[0.3, -0.2]);
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    let residual = inference.residuals(Residual::Response).unwrap();
    let x = design.to_matrix().unwrap().to_array();
    let score = |row: usize| array![x[(row, 0)], x[(row, 1)], 1.0] * residual[(row, 0)];
    let model = inference.estimates(&Covariance::Model).unwrap();
    let bread = model.covariance(0).unwrap();
    for lag in [0_usize, 1, 5, 100] {
        let mut meat = Array2::<f64>::zeros((3, 3));
        for (a, b) in (0..120_usize).flat_map(|a| (0..120_usize).map(move |b| (a, b))) {
            let distance = a.abs_diff(b);
            if a / 30 == b / 30 && distance <= lag {
                let (a, b) = (score(a).insert_axis(ndarray::Axis(1)), score(b).insert_axis(ndarray::Axis(0)));
                meat += &(a.dot(&b) * (1.0 - distance as f64 / (lag + 1) as f64));
            }
        }
        let expected = bread.dot(&meat).dot(&bread);
        let hac = inference.estimates(&Covariance::Hac(Lag::Rows(lag))).unwrap();
        assert!(apart(hac.covariance(0).unwrap().iter(), expected.iter()) < 1e-9, "lag {lag}");
    }
}

#[test]
fn clusters_need_not_be_contiguous() {
    let (design, counts) = poisson_case::<Cpu>(4, (10, 12), &[0.3, -0.2]);
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let covariance = |design: &Design<'static, Cpu>, counts: &Matrix<Cpu>, clusters: Clusters| {
        let inference = fitted.inference(design, counts).unwrap();
        inference
            .estimates(&Covariance::Cluster(clusters))
            .unwrap()
            .covariance(0)
            .unwrap()
            .to_owned()
    };
    let by_trial = covariance(&design, &counts, Clusters::segments());
    let labels: Vec<usize> = (0..120).map(|row| 7 * (row / 12) + 3).collect();
    assert!(
        apart(
            covariance(&design, &counts, Clusters::labels(labels.clone())).iter(),
            by_trial.iter()
        ) < 1e-12
    );
    // The same rows in another order, with their labels.
    let order: Vec<usize> = (0..120).map(|row| (row * 77) % 120).collect();
    assert_eq!(order.iter().collect::<std::collections::HashSet<_>>().len(), 120);
    let shuffled = Design::from(design.to_matrix().unwrap().select_rows(&order).unwrap());
    let of_shuffled = order.iter().map(|&row| labels[row]).collect();
    let got = covariance(&shuffled, &counts.select_rows(&order).unwrap(), Clusters::labels(of_shuffled));
    assert!(apart(got.iter(), by_trial.iter()) < 1e-9);
}

#[test]
fn neurons_of_a_population_stand_as_if_alone() {
    let mut rng = rng(5);
    let x = features(&mut rng, 90, 2);
    let design = Matrix::<Cpu>::from_vec(x.clone(), [90, 2]).unwrap();
    let mut both: Vec<f64> = x
        .chunks(2)
        .flat_map(|x| [poisson(&mut rng, x[0].exp()), poisson(&mut rng, (0.5 * x[1]).exp())])
        .collect();
    // A count of the second neuron alone is missing.
    both[41] = f64::NAN;
    let counts = Matrix::from_vec(both, [90, 2]).unwrap();
    let fitted = PopulationGlm::new(Poisson).fit(&design, &counts).unwrap();
    let together = fitted.inference(&design, &counts).unwrap();
    assert_eq!(together.n_rows(), [90.0, 89.0]);
    for neuron in 0..2 {
        let own = counts.select_columns(&[neuron]).unwrap();
        let alone = Glm::new(Poisson).fit(&design, &own).unwrap();
        let alone = alone.inference(&design, &own).unwrap();
        for kind in [
            Covariance::Model,
            Covariance::Hc0,
            Covariance::Hc3,
            Covariance::Hac(Lag::Rows(3)),
            Covariance::Cluster(Clusters::labels((0..90).map(|row| row / 3).collect())),
        ] {
            let (all, one) = (together.estimates(&kind).unwrap(), alone.estimates(&kind).unwrap());
            assert!(
                apart(all.covariance(neuron).unwrap().iter(), one.covariance(0).unwrap().iter()) < 1e-6,
                "{kind:?}"
            );
        }
        assert!((together.criteria().unwrap()[neuron].aic() - alone.criteria().unwrap()[0].aic()).abs() < 1e-6);
    }
}

#[test]
fn blocks_have_a_table_of_tests() {
    let (design, counts) = poisson_case::<Cpu>(6, (1, 200), &[0.6, 0.0, 0.0]);
    let x = design.to_matrix().unwrap();
    let part = |columns: &[usize]| x.select_columns(columns).unwrap();
    let named = Features::new()
        .with("stimulus", part(&[0]))
        .unwrap()
        .with("history", part(&[1, 2]))
        .unwrap();
    let fitted = Glm::new(Poisson).fit(&named, &counts).unwrap();
    let inference = fitted.inference(&named, &counts).unwrap();
    let table = inference.likelihood_ratio_of_blocks().unwrap();
    assert_eq!(table.terms, ["stimulus", "history"]);
    let p = table.p_values();
    assert!(p[(0, 0)] < 1e-6 && p[(1, 0)] > 0.01, "{p}");
    assert_eq!(
        table.adjusted(Correction::Bonferroni, Over::Terms)[(1, 0)],
        (2.0 * p[(1, 0)]).min(1.0)
    );
    let wald = inference.estimates(&Covariance::Hc0).unwrap().wald("stimulus").unwrap();
    assert!(wald.p_values()[0] < 1e-6 && wald.to_string().contains("HC0"));
    assert!(inference.score_test("history").unwrap().p_values()[0] > 0.01);
    assert!(table.to_string().contains("history"));
}

/// A B-spline block sums to one: no coefficient can be told, but every rate and every difference along the curve.
#[test]
fn a_partition_of_unity_has_curves_but_no_coefficients() {
    let n = 120;
    let hats = |u: f64| [(1.0 - 2.0 * u).max(0.0), 1.0 - (2.0 * u - 1.0).abs(), (2.0 * u - 1.0).max(0.0)];
    let at = |row: usize| (row as f64 * 0.37).fract();
    let x: Vec<f64> = (0..n).flat_map(|row| hats(at(row))).collect();
    let mut rng = rng(7);
    let y: Vec<f64> = (0..n).map(|row| poisson(&mut rng, (1.0 + at(row)).exp())).collect();
    let named = Features::new().with("place", Matrix::<Cpu>::from_vec(x, [n, 3]).unwrap()).unwrap();
    let counts = Matrix::from_column(y);
    let fitted = Glm::new(Poisson).fit(&named, &counts).unwrap();
    let inference = fitted.inference(&named, &counts).unwrap();
    let estimates = inference.estimates(&Covariance::Model).unwrap();
    assert_eq!(estimates.standing(0, 0), Standing::NotEstimable { with: vec![0, 1, 2, 3] });
    assert!(estimates.standard_errors().iter().all(|error| error.is_nan()));
    let grid = Array2::from_shape_fn((5, 3), |(point, column)| hats(point as f64 / 4.0)[column]);
    let filter = estimates.filter("place", &grid).unwrap();
    let known = |contrasts: &Contrasts| estimates.curve(contrasts).unwrap().standard_error.iter().all(|error| *error > 0.0);
    assert!(!known(&filter) && known(&filter.centred()) && known(&estimates.tuning_curve("place", &grid).unwrap()));
    // Of a block of three that add up to a constant two directions can be tested; refitting without it takes as many.
    let (wald, ratio) = (
        estimates.wald("place").unwrap().each[0],
        inference.likelihood_ratio("place").unwrap().each[0],
    );
    assert_eq!((wald.dof, ratio.dof), (2.0, 2.0));
    assert!(wald.p() < 0.01 && ratio.p() < 0.01);
    let summary = inference.summary(&Covariance::Model).unwrap().to_string();
    assert!(summary.contains("not estimable alone") && summary.contains("place[1]"), "{summary}");
}

#[test]
fn the_band_of_a_rate_stays_above_zero_and_differences_of_equals_are_zero() {
    let (design, counts) = poisson_case::<Cpu>(8, (1, 60), &[0.9, -0.4]);
    let named = Features::new().with("x", design.to_matrix().unwrap()).unwrap();
    let fitted = Glm::new(Poisson).fit(&named, &counts).unwrap();
    let estimates = fitted.inference(&named, &counts).unwrap().estimates(&Covariance::Hc3).unwrap();
    let grid = Array2::from_shape_fn((9, 2), |(point, column)| if column == 0 { point as f64 - 6.0 } else { 0.3 });
    let contrasts = estimates.tuning_curve("x", &grid).unwrap();
    let curve = estimates.curve(&contrasts).unwrap();
    let mut rng = rng(1);
    let (pointwise, whole) = (curve.pointwise(0.95).unwrap(), curve.simultaneous(0.95, &mut rng).unwrap());
    assert!(whole.critical[0] > pointwise.critical[0] && whole.critical[0] < curve.scheffe(0.95).unwrap().critical[0]);
    let rates = curve.rates(&pointwise, 1000.0);
    assert!(
        rates
            .lower
            .iter()
            .zip(&rates.value)
            .zip(&rates.upper)
            .all(|((a, b), c)| 0.0 < *a && a < b && b < c)
    );
    assert!((rates.value[(8, 0)] - 1000.0 * curve.value[(8, 0)].exp()).abs() < 1e-6);
    let none = estimates.curve(&contrasts.minus(&contrasts).unwrap()).unwrap();
    assert!(none.value.iter().chain(&none.standard_error).all(|x| *x == 0.0));
}

#[test]
fn quantile_residuals_of_the_right_model_are_normal() {
    let (design, counts) = poisson_case::<Cpu>(9, (1, 2000), &[0.5]);
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    let residuals = inference.quantile_residuals(&mut rng(10)).unwrap();
    let (mean, square) = (residuals.sum() / 2000.0, residuals.mapv(|r| r * r).sum() / 2000.0);
    assert!(mean.abs() < 0.06 && (square - 1.0).abs() < 0.1, "{mean} {square}");
    let process = inference.cumulative_residuals(None).unwrap();
    // The score of the intercept is zero.
    assert!(process[(2000, 0)].abs() < 1e-4);
    assert!(inference.overdispersion(3.0).unwrap()[0].pearson_p > 0.001);
}

#[test]
fn counts_that_scatter_more_are_found_out() {
    let mut rng = rng(11);
    let x = features(&mut rng, 400, 1);
    let y: Vec<f64> = x
        .iter()
        .map(|x| {
            let gain = if rng.random::<f64>() < 0.5 { 0.3 } else { 1.7 };
            poisson(&mut rng, 3.0 * gain * (0.2 * x).exp())
        })
        .collect();
    let (design, counts) = (Matrix::<Cpu>::from_column(x), Matrix::from_column(y));
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let poisson = fitted.inference(&design, &counts).unwrap();
    let tests = poisson.overdispersion(1.0).unwrap()[0];
    assert!(tests.pearson_ratio > 1.5 && tests.dean_p < 1e-6 && tests.quadratic_t > 3.0);
    let other = Glm::new(NegativeBinomial::estimated()).fit(&design, &counts).unwrap();
    let other = other.inference(&design, &counts).unwrap();
    assert!(poisson.against_negative_binomial(&other).unwrap()[0] < 1e-6);
    assert_eq!(compare(&[&poisson, &other]).unwrap().best_by_aic(), [1]);
}

#[test]
fn a_bootstrap_of_trials_agrees_with_their_sandwich() {
    let (design, counts) = poisson_case::<Cpu>(12, (60, 8), &[0.4, -0.3]);
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    let sandwich = inference
        .estimates(&Covariance::Cluster(Clusters::segments()))
        .unwrap()
        .standard_errors();
    for (options, tolerance) in [
        (Bootstrap::new().replicates(400), 0.15),
        (Bootstrap::new().replicates(2000).one_step(), 0.1),
    ] {
        let bootstrapped = inference.bootstrap(&options, &mut rng(13)).unwrap();
        assert!(
            apart(bootstrapped.standard_errors().iter(), sandwich.iter()) < tolerance,
            "{options:?}"
        );
        assert_eq!(bootstrapped.dropped, [0]);
        let (percentile, normal) = (bootstrapped.percentile(0.95).unwrap(), bootstrapped.normal(0.95).unwrap());
        assert!(apart(percentile.iter(), normal.iter()) < 0.2);
    }
    let blocks = Bootstrap::new().replicates(50).resampled(Resampled::Blocks(4)).one_step();
    assert!(inference.bootstrap(&blocks, &mut rng(14)).unwrap().notes.is_empty());
}

#[test]
fn time_is_rescaled_within_segments_and_around_gaps() {
    let (design, mut counts) = poisson_case::<Cpu>(15, (20, 50), &[0.4]);
    counts = Matrix::from_column(
        counts
            .to_vec()
            .into_iter()
            .enumerate()
            .map(|(row, y)| if row == 333 { f64::NAN } else { y })
            .collect(),
    );
    let fitted = Glm::new(Poisson).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    let rescaled = &inference.time_rescaling(&TimeRescaling::new(), &mut rng(16)).unwrap()[0];
    let spikes: f64 = counts.to_vec().iter().filter(|y| !y.is_nan()).sum();
    assert_eq!(rescaled.len(), spikes as usize);
    assert!(rescaled.ks().p > 0.001 && rescaled.autocorrelation(10).p > 0.001);
    assert!(rescaled.uniforms().iter().all(|z| (0.0..=1.0).contains(z)));
    assert_eq!(rescaled.ks_plot().dim(), (rescaled.len(), 2));
}

#[test]
fn features_far_from_zero_and_of_other_units_have_the_same_statistics() {
    let (design, counts) = poisson_case::<Cpu>(17, (10, 30), &[0.4, -0.2]);
    let segments = Segments::from_lengths([30; 10]);
    let x = design.to_matrix().unwrap().to_array();
    let moved = Array2::from_shape_fn(
        x.dim(),
        |(row, column)| if column == 0 { 1e4 + 1e-2 * x[(row, 0)] } else { 1e6 * x[(row, 1)] },
    );
    let other = Design::<Cpu>::from(Matrix::from_array(moved.view()))
        .with_segments(segments)
        .unwrap();
    let statistics = |design: &Design<'static, Cpu>, kind: &Covariance| {
        let fitted = Glm::new(Poisson).fit(design, &counts).unwrap();
        let estimates = fitted.inference(design, &counts).unwrap().estimates(kind).unwrap();
        estimates.statistics().column(0).to_vec()[..2].to_vec()
    };
    for kind in [
        Covariance::Model,
        Covariance::Hc0,
        Covariance::Hc3,
        Covariance::Cluster(Clusters::segments()),
        Covariance::Hac(Lag::Rows(2)),
    ] {
        assert!(apart(&statistics(&other, &kind), &statistics(&design, &kind)) < 1e-4, "{kind:?}");
    }
}
