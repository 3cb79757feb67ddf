//! Classifiers: classes against each other.

use ndarray::{Array2, array};
use nemos_core::{Cpu, Design, Features, Matrix, Segments};
use nemos_glm::{
    Bernoulli, ClassifierGlm, ClassifierPopulationGlm, FittedClassifierGlm, Glm, Options, Regularizer, Stopping, lasso, ridge,
};
use nemos_inference::{
    Against, Bootstrap, ClassEstimates, ClassInference, Clusters, Covariance, Dispersion, Error, Infer, InferClasses, Lag, Settings,
    Standing, Unavailable, compare,
};

use rand::SeedableRng;

use crate::cases::apart;

/// Two features, and labels of three classes that they drive, in segments of five rows.
fn data() -> (Design<'static, Cpu>, Matrix<Cpu>) {
    let (mut features, mut labels) = (Vec::new(), Vec::new());
    for row in 0..150 {
        let t = f64::from(row);
        let x = [(0.7 * t).sin(), (1.3 * t).cos() + 0.1 * f64::from(row % 5)];
        let s = x[0] + 0.5 * x[1] + 1.5 * (12.9 * t * t).sin();
        features.extend(x);
        labels.push(if s < -0.6 {
            0.0
        } else if s < 0.7 {
            1.0
        } else {
            2.0
        });
    }
    let design = Design::from(Matrix::from_vec(features, [150, 2]).unwrap());
    (
        design.with_segments(Segments::from_lengths([5; 30])).unwrap(),
        Matrix::from_column(labels),
    )
}

/// Whether the label is above the first class.
fn two(labels: &Matrix<Cpu>) -> Matrix<Cpu> {
    Matrix::from_column(labels.to_vec().into_iter().map(|label| label.min(1.0)).collect())
}

fn classifier(n_classes: usize, regularizer: Regularizer) -> ClassifierGlm {
    ClassifierGlm::new(n_classes)
        .regularizer(regularizer)
        .stopping(Stopping::new().tolerance(1e-12))
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>, words: &str) {
    let error = result.unwrap_err().to_string();
    assert!(error.contains(words), "{error:?} does not speak of {words:?}");
}

/// statsmodels 0.15.0, `MNLogit(y, [x, 1]).fit(method="newton", tol=1e-14, cov_type=..)` of the same numbers; the joint test is
/// `wald_test` of the two coefficients of the first feature, the ratio that of a fit without it.
#[test]
fn three_classes_agree_with_statsmodels() {
    let (design, labels) = data();
    let fitted = classifier(3, Regularizer::Unregularized).fit(&design, &labels).unwrap();
    let inference = fitted.inference(&design, &labels).unwrap();
    let of = |kind: Covariance, class: usize| inference.estimates(&kind).unwrap().of(class, Against::Class(0)).unwrap();
    let params = [
        [0.7027335304711395, -0.06556738395760456, 0.3394326446584332],
        [1.763264783509891, 0.8478335493278846, -0.18359452537791754],
    ];
    let bse = [
        [0.3130368597917277, 0.29080550600254257, 0.2181418298682008],
        [0.3672502849047036, 0.3353301393646126, 0.2660436283375185],
    ];
    let hc0 = [
        [0.31042053673565884, 0.29675617934925647, 0.2189544503831582],
        [0.3167373829540574, 0.32274689561949815, 0.25134877930320537],
    ];
    let cluster = [
        [0.30534370574370795, 0.32015037536370905, 0.22020368126537732],
        [0.3366100639543178, 0.2465946614359361, 0.24259055553749673],
    ];
    let p = [0.02477511511297373, 0.8216150880453186, 0.1197037785664599];
    for class in [1, 2] {
        let model = of(Covariance::Model, class);
        assert!(apart(&model.parameters(), &params[class - 1]) < 1e-6);
        assert!(apart(&model.standard_errors(), &bse[class - 1]) < 1e-6);
        assert!(apart(&of(Covariance::Hc0, class).standard_errors(), &hc0[class - 1]) < 1e-6);
        let errors = of(Covariance::Cluster(Clusters::segments()), class).standard_errors();
        assert!(apart(&errors, &cluster[class - 1]) < 1e-6);
    }
    assert!(apart(&of(Covariance::Model, 1).p_values(), &p) < 1e-6);
    let covariance = inference.estimates(&Covariance::Model).unwrap().covariance(0).unwrap();
    let row = [
        0.09799207558826577,
        0.0075898785149465,
        0.02037881973234551,
        0.06193259089916657,
        0.00344356922846014,
        0.01911092215317425,
    ];
    assert!(apart(covariance.row(0), &row) < 1e-6);
    let criteria = inference.criteria().unwrap()[0];
    let got = [
        criteria.log_likelihood,
        criteria.null_log_likelihood,
        criteria.aic(),
        criteria.bic(),
    ];
    let expected = [-145.50532653159456, -164.29100662223505, 303.0106530631891, 321.07446482776663];
    assert!(apart(&got, &expected) < 1e-10, "{got:?}");
    let whole = inference.likelihood_ratio(0..2).unwrap().each[0];
    assert!((whole.statistic - 37.571360181280966).abs() < 1e-6 && whole.dof == 4.0);
    assert!((whole.p() - 1.3735161827607235e-07).abs() < 1e-13);
    let first = inference.likelihood_ratio(0).unwrap().each[0];
    assert!((first.statistic - 28.659733295570163).abs() < 1e-6 && first.dof == 2.0);
    let wald = inference.estimates(&Covariance::Model).unwrap().wald(0).unwrap().each[0];
    assert!((wald.statistic - 23.216553582264737).abs() < 1e-5 && wald.dof == 2.0);
    assert!((wald.p() - 9.090535040806222e-06).abs() < 1e-10);
}

/// Two classes are a Bernoulli model of the second one, whatever is asked.
#[test]
fn two_classes_are_a_bernoulli_model() {
    let (design, labels) = data();
    let labels = two(&labels);
    let fitted = classifier(2, Regularizer::Unregularized).fit(&design, &labels).unwrap();
    let classes = fitted.inference(&design, &labels).unwrap();
    let bernoulli = Glm::new(Bernoulli)
        .stopping(Stopping::new().tolerance(1e-12))
        .fit(&design, &labels)
        .unwrap();
    let counts = bernoulli.inference(&design, &labels).unwrap();
    for kind in [
        Covariance::Model,
        Covariance::Hc0,
        Covariance::Hc1,
        Covariance::Cluster(Clusters::segments()),
        Covariance::Cluster(Clusters::labels((0..150).map(|row| row % 25).collect())),
        Covariance::Hac(Lag::Rows(3)),
    ] {
        let (of_classes, of_counts) = (classes.estimates(&kind).unwrap(), counts.estimates(&kind).unwrap());
        let odds = of_classes.of(1, Against::Class(0)).unwrap();
        assert!(
            apart(&odds.covariance(0).unwrap(), &of_counts.covariance(0).unwrap()) < 1e-7,
            "{kind:?}"
        );
        // Against the mean a class has half of the difference.
        let half = of_classes.of(1, Against::Mean).unwrap();
        assert!(apart(&(half.standard_errors() * 2.0), &of_counts.standard_errors()) < 1e-7);
        assert!(apart(&half.statistics(), &of_counts.statistics()) < 1e-6);
        let (joint, alone) = (of_classes.wald(0..2).unwrap().each[0], of_counts.wald(0..2).unwrap().each[0]);
        assert!((joint.statistic - alone.statistic).abs() < 1e-5 && joint.reference == alone.reference);
        let bands = of_classes.probabilities(&design, 0.9).unwrap();
        let curve = of_counts.curve(&of_counts.predictions(&design).unwrap()).unwrap();
        let rates = curve.rates(&curve.pointwise(0.9).unwrap(), 1.0);
        assert!(apart(&bands[1].lower, &rates.lower) < 1e-7 && apart(&bands[1].upper, &rates.upper) < 1e-7);
        assert!(apart(&bands[0].lower, &rates.upper.mapv(|rate| 1.0 - rate)) < 1e-7);
    }
    for (joint, alone) in [
        (classes.likelihood_ratio(1).unwrap(), counts.likelihood_ratio(1).unwrap()),
        (classes.score_test(0..2).unwrap(), counts.score_test(0..2).unwrap()),
    ] {
        assert!((joint.each[0].statistic - alone.each[0].statistic).abs() < 1e-6 && joint.each[0].dof == alone.each[0].dof);
    }
    let comparison = compare(&[&classes, &counts]).unwrap();
    let [of_classes, of_counts] = [0, 1].map(|model| comparison.criteria[model][0]);
    assert!((of_classes.aic() - of_counts.aic()).abs() < 1e-8 && (of_classes.bic() - of_counts.bic()).abs() < 1e-8);
    assert!((of_classes.deviance - of_counts.deviance).abs() < 1e-8);
    assert!((of_classes.pearson_chi2 - of_counts.pearson_chi2).abs() < 1e-5);
}

/// A ridge on both of two classes is half as strong on their difference.
#[test]
fn a_ridge_of_two_classes_is_half_as_strong_on_their_difference() {
    let (design, labels) = data();
    let labels = two(&labels);
    let fitted = classifier(2, ridge(0.2)).fit(&design, &labels).unwrap();
    let classes = fitted.inference(&design, &labels).unwrap();
    let bernoulli = Glm::new(Bernoulli)
        .regularizer(ridge(0.1))
        .stopping(Stopping::new().tolerance(1e-12))
        .fit(&design, &labels)
        .unwrap();
    let counts = bernoulli.inference(&design, &labels).unwrap();
    for kind in [Covariance::Model, Covariance::Frequentist, Covariance::Hc0] {
        let odds = classes.estimates(&kind).unwrap().of(1, Against::Class(0)).unwrap();
        let alone = counts.estimates(&kind).unwrap();
        assert!(
            apart(&odds.covariance(0).unwrap(), &alone.covariance(0).unwrap()) < 1e-6,
            "{kind:?}"
        );
        assert!(apart(&odds.parameters(), &alone.parameters()) < 1e-6);
    }
    assert!((classes.edf()[0] - counts.edf()[0]).abs() < 1e-7);
    refused(classes.likelihood_ratio(0), "without a penalty");
}

/// The delta method by brute force: derivatives of logit p by differences, in the coordinates of classes against the first.
#[test]
fn bands_of_probabilities_are_those_of_the_delta_method() {
    let (design, labels) = data();
    let fitted = classifier(3, Regularizer::Unregularized).fit(&design, &labels).unwrap();
    let estimates = fitted.inference(&design, &labels).unwrap().estimates(&Covariance::Hc0).unwrap();
    let at = array![[0.3, -0.8, 1.0]];
    let bands = estimates
        .probabilities(&Matrix::<Cpu>::from_array(at.slice(ndarray::s![.., ..2])), 0.95)
        .unwrap();
    let parameters: Vec<f64> = [1, 2]
        .into_iter()
        .flat_map(|class| estimates.of(class, Against::Class(0)).unwrap().parameters().column(0).to_vec())
        .collect();
    let logit = |parameters: &[f64], class: usize| {
        let mut mass = vec![1.0];
        mass.extend(
            parameters
                .chunks(3)
                .map(|of| of.iter().zip(&at).map(|(a, b)| a * b).sum::<f64>().exp()),
        );
        let total: f64 = mass.iter().sum();
        (mass[class] / (total - mass[class])).ln()
    };
    let covariance = estimates.covariance(0).unwrap();
    for (class, band) in bands.iter().enumerate() {
        let slope: ndarray::Array1<f64> = (0..6)
            .map(|place| {
                let moved = |by: f64| {
                    let mut moved = parameters.clone();
                    moved[place] += by;
                    logit(&moved, class)
                };
                (moved(1e-5) - moved(-1e-5)) / 2e-5
            })
            .collect();
        let error = slope.dot(&covariance.dot(&slope)).sqrt();
        let ends = [0.0, -1.959963984540054, 1.959963984540054].map(|q| 1.0 / (1.0 + (-(logit(&parameters, class) + q * error)).exp()));
        let got = [band.value[(0, 0)], band.lower[(0, 0)], band.upper[(0, 0)]];
        assert!(apart(&got, &ends) < 1e-8, "{got:?} {ends:?}");
    }
    let total: f64 = bands.iter().map(|band| band.value[(0, 0)]).sum();
    assert!((total - 1.0).abs() < 1e-12);
}

fn errors(estimates: &ClassEstimates, class: usize) -> Array2<f64> {
    estimates.of(class, Against::Class(0)).unwrap().standard_errors()
}

/// A third column that is the sum of the two others: its coefficient cannot be told, the other way of writing the model can.
#[test]
fn collinear_features_have_odds_but_no_coefficients() {
    let (design, labels) = data();
    let x = design.to_matrix().unwrap().to_array();
    let twice = Array2::from_shape_fn((150, 3), |(row, column)| match column {
        2 => 2.0 * (x[(row, 0)] + x[(row, 1)]),
        column => x[(row, column)],
    });
    let named = Features::new().with("all", Matrix::<Cpu>::from_array(twice.view())).unwrap();
    let model = classifier(3, Regularizer::Unregularized);
    let (whole, plain) = (model.fit(&named, &labels).unwrap(), model.fit(&design, &labels).unwrap());
    let (whole, plain) = (
        whole.inference(&named, &labels).unwrap(),
        plain.inference(&design, &labels).unwrap(),
    );
    assert_eq!(whole.edf(), [6.0]);
    let estimates = whole.estimates(&Covariance::Model).unwrap();
    let odds = estimates.of(2, Against::Class(1)).unwrap();
    assert_eq!(odds.standing(0, 0), Standing::NotEstimable { with: vec![0, 1, 2] });
    assert_eq!(odds.standing(3, 0), Standing::Estimated);
    let of_plain = plain.estimates(&Covariance::Model).unwrap();
    assert!((odds.standard_errors()[(3, 0)] - of_plain.of(2, Against::Class(1)).unwrap().standard_errors()[(2, 0)]).abs() < 1e-7);
    let [wide, narrow] = [
        estimates.probabilities(&named, 0.95).unwrap(),
        of_plain.probabilities(&design, 0.95).unwrap(),
    ];
    assert!((0..3).all(|class| apart(&wide[class].lower, &narrow[class].lower) < 1e-6));
    let off = Matrix::<Cpu>::from_array(array![[0.1, 0.2, 0.3]].view());
    assert!(estimates.probabilities(&off, 0.95).unwrap()[0].value[(0, 0)].is_nan());
    let (wald, ratio) = (
        estimates.wald("all").unwrap().each[0],
        whole.likelihood_ratio("all").unwrap().each[0],
    );
    assert_eq!((wald.dof, ratio.dof), (4.0, 4.0));
    assert!((wald.statistic - of_plain.wald(0..2).unwrap().each[0].statistic).abs() < 1e-5);
    let summary = whole.summary(&Covariance::Model, Against::Mean).unwrap();
    assert!(summary.to_string().contains("2 against mean") && summary.to_csv().contains("not estimable"));
}

#[test]
fn masks_hold_coefficients_of_all_classes_or_of_one() {
    let (design, labels) = data();
    let options = |mask: Array2<bool>| {
        let mut options = Options::default();
        (options.mask, options.stopping) = (Some(mask.into()), Stopping::new().tolerance(1e-12));
        ClassifierPopulationGlm::new(3).with_options(options)
    };
    let held = options(array![[true], [false]]).fit(&design, &labels).unwrap();
    let held = held.inference(&design, &labels).unwrap();
    let estimates = held.estimates(&Covariance::Model).unwrap();
    assert_eq!(estimates.of(2, Against::Class(0)).unwrap().standing(1, 0), Standing::Masked);
    assert_eq!(held.edf(), [4.0]);
    let first = design.to_matrix().unwrap().select_columns(&[0]).unwrap();
    let alone = classifier(3, Regularizer::Unregularized).fit(&first, &labels).unwrap();
    let alone = alone.inference(&first, &labels).unwrap().estimates(&Covariance::Model).unwrap();
    assert!((errors(&estimates, 2)[(0, 0)] - errors(&alone, 2)[(0, 0)]).abs() < 1e-7);
    assert!(estimates.wald(1).unwrap().p_values()[0].is_nan());
    // The first feature for all classes, the second one for the last class alone: one parameter less.
    let mixed = options(array![[true, true, true], [false, false, true]])
        .fit(&design, &labels)
        .unwrap();
    let mixed = mixed.inference(&design, &labels).unwrap();
    assert_eq!(mixed.edf(), [5.0]);
    let estimates = mixed.estimates(&Covariance::Model).unwrap();
    let odds = estimates.of(2, Against::Class(0)).unwrap();
    let other = estimates.of(2, Against::Class(1)).unwrap();
    assert!(odds.standing(1, 0) == Standing::Estimated && odds.standard_errors()[(1, 0)] == other.standard_errors()[(1, 0)]);
    assert_eq!(estimates.of(1, Against::Class(0)).unwrap().standing(1, 0), Standing::Masked);
    assert_eq!(estimates.wald(1).unwrap().each[0].dof, 1.0);
    refused(mixed.likelihood_ratio(0), "differs between classes");
}

#[test]
fn what_classes_do_not_have_is_said() {
    let (design, labels) = data();
    let fitted = classifier(3, Regularizer::Unregularized).fit(&design, &labels).unwrap();
    let inference = fitted.inference(&design, &labels).unwrap();
    refused(inference.estimates(&Covariance::Hc3), "HC1, or clusters");
    let pearson = Settings::new().dispersion(Dispersion::Pearson);
    refused(fitted.inference_with(pearson, &design, &labels), "estimated dispersion");
    let estimates = inference.estimates(&Covariance::Model).unwrap();
    refused(estimates.of(3, Against::Class(0)), "3 classes");
    refused(estimates.of(0, Against::Class(7)), "class 7");
    refused(estimates.of(1, Against::Class(1)), "against itself");
    refused(inference.summary(&Covariance::Model, Against::Class(3)), "class 3");
    refused(estimates.probabilities(&design, 95.0), "between 0 and 1");
    refused(estimates.probabilities(&Matrix::<Cpu>::zeros([2, 3]), 0.95), "one per feature");
    refused(estimates.wald("place"), "place");
    let sparse = classifier(3, lasso(0.02)).fit(&design, &labels).unwrap();
    let sparse = sparse.inference(&design, &labels).unwrap();
    refused(sparse.estimates(&Covariance::Model), "a lasso has no standard errors");
    assert!(sparse.criteria().unwrap()[0].aic().is_finite());
    let mut others = labels.to_vec();
    others.rotate_left(7);
    refused(fitted.inference(&design, &Matrix::from_column(others)), "nats from its maximum");
    let early = ClassifierGlm::new(3)
        .regularizer(Regularizer::Unregularized)
        .stopping(Stopping::new().max_steps(1))
        .fit(&design, &labels)
        .unwrap();
    refused(early.inference(&design, &labels), "even_if_not_converged");
}

/// A class that never occurs, and one that a feature tells without fail, have no finite coefficients.
#[test]
fn classes_that_run_away_have_reasons_instead_of_numbers() {
    let (design, labels) = data();
    let unseen = classifier(4, Regularizer::Unregularized).fit(&design, &labels).unwrap();
    let told: Vec<f64> = design
        .to_matrix()
        .unwrap()
        .to_array()
        .column(0)
        .iter()
        .map(|x| f64::from(u8::from(*x > 0.0)))
        .collect();
    let told = Matrix::from_column(told);
    let separable = classifier(2, Regularizer::Unregularized).fit(&design, &told).unwrap();
    let check = |fitted: &FittedClassifierGlm, labels: &Matrix<Cpu>| {
        let inference: ClassInference<'_, Cpu> = fitted.inference(&design, labels).unwrap();
        let estimates = inference.estimates(&Covariance::Model).unwrap();
        let odds = estimates.of(1, Against::Class(0)).unwrap();
        assert_eq!(odds.standing(0, 0), Standing::Unavailable(Unavailable::NoMaximum));
        assert!(odds.p_values().iter().all(|p| p.is_nan()));
        assert!(estimates.wald(0).unwrap().p_values()[0].is_nan());
        let bands = estimates.probabilities(&design, 0.95).unwrap();
        assert!(bands[0].value.iter().all(|value| value.is_nan()));
        let summary = inference.summary(&Covariance::Hc0, Against::Class(0)).unwrap();
        assert!(summary.to_string().contains("no finite maximum") && summary.to_csv().contains("unavailable"));
        inference.likelihood_ratio(0..2).unwrap().p_values()[0]
    };
    assert!(check(&separable, &told) < 1e-20);
    let by_default = ClassifierGlm::new(2)
        .regularizer(Regularizer::Unregularized)
        .fit(&design, &told)
        .unwrap();
    assert!(check(&by_default, &told) < 1e-20);
    check(&unseen, &labels);
}

/// Trials drawn anew tell the same as their sandwich; those in which classes are separated are left out.
#[test]
fn a_bootstrap_of_trials_agrees_with_their_sandwich() {
    let (design, labels) = data();
    for (regularizer, dropped) in [(Regularizer::Unregularized, 0), (ridge(0.05), 0)] {
        let fitted = classifier(3, regularizer).fit(&design, &labels).unwrap();
        let inference = fitted.inference(&design, &labels).unwrap();
        let sandwich = inference.estimates(&Covariance::Cluster(Clusters::segments())).unwrap();
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(4);
        let drawn = inference.bootstrap(&Bootstrap::new().replicates(400), &mut rng).unwrap();
        for (class, against) in [(1, Against::Class(0)), (2, Against::Class(1)), (0, Against::Mean)] {
            let (known, drawn) = (sandwich.of(class, against).unwrap(), drawn.of(class, against).unwrap());
            assert!(apart(drawn.parameters.iter(), known.parameters().iter()) < 1e-12);
            assert!(apart(drawn.standard_errors().iter(), known.standard_errors().iter()) < 0.2);
            assert_eq!(drawn.dropped, [dropped]);
        }
        refused(drawn.of(1, Against::Class(1)), "against itself");
        refused(inference.bootstrap(&Bootstrap::new().one_step(), &mut rng), "a step from the fit");
    }
    // Only the first trial has labels that overlap.
    let x = |row: usize| if row == 2 { 40.0 } else { row as f64 };
    let design = Design::from(Matrix::<Cpu>::from_column((0..60).map(x).collect()));
    let design = design.with_segments(Segments::from_lengths([5; 12])).unwrap();
    let labels = Matrix::from_column((0..60).map(|row| f64::from(row / 30)).collect());
    let fitted = classifier(2, Regularizer::Unregularized).fit(&design, &labels).unwrap();
    let mut copies = Array2::ones((3, 12));
    copies[(1, 0)] = 0.0;
    let drawn = fitted
        .inference(&design, &labels)
        .unwrap()
        .bootstrap_with(&Bootstrap::new(), copies.view())
        .unwrap();
    let drawn = drawn.of(1, Against::Class(0)).unwrap();
    assert_eq!(drawn.dropped, [1]);
    assert!(drawn.replicates.slice(ndarray::s![1, .., 0]).iter().all(|value| value.is_nan()));
}

#[test]
fn observers_of_a_population_stand_as_if_alone_and_weights_are_relative() {
    let (design, labels) = data();
    let mut both: Vec<f64> = labels
        .to_vec()
        .into_iter()
        .enumerate()
        .flat_map(|(row, label)| [label, ((row * row + row / 7) % 3) as f64])
        .collect();
    // A label of the second observer alone is missing.
    both[41] = f64::NAN;
    let both = Matrix::from_vec(both, [150, 2]).unwrap();
    let model = ClassifierPopulationGlm::new(3)
        .regularizer(Regularizer::Unregularized)
        .stopping(Stopping::new().tolerance(1e-12));
    let together = model.fit(&design, &both).unwrap();
    let together = together.inference(&design, &both).unwrap();
    assert_eq!(together.n_rows(), [150.0, 149.0]);
    for observer in 0..2 {
        let own = both.select_columns(&[observer]).unwrap();
        let heavy = design.clone().with_weights(Matrix::from_column(vec![3.0; 150])).unwrap();
        let alone = model.fit(&heavy, &own).unwrap();
        let alone = alone.inference(&heavy, &own).unwrap();
        for kind in [Covariance::Model, Covariance::Hc0, Covariance::Cluster(Clusters::segments())] {
            let (all, one) = (together.estimates(&kind).unwrap(), alone.estimates(&kind).unwrap());
            assert!(
                apart(&all.covariance(observer).unwrap(), &one.covariance(0).unwrap()) < 1e-6,
                "{kind:?}"
            );
        }
        assert!((together.criteria().unwrap()[observer].bic() - alone.criteria().unwrap()[0].bic()).abs() < 1e-6);
    }
}

#[test]
fn bands_of_probabilities_keep_their_width_where_one_class_is_nearly_certain() {
    let x: Vec<f64> = (0..90).map(|row| f64::from(row % 9) - 4.0).collect();
    let labels: Vec<f64> = (0..90).map(|row| f64::from((row * 7 + row / 9) % 3)).collect();
    let (x, labels) = (Matrix::<Cpu>::from_column(x), Matrix::from_column(labels));
    let fitted = ClassifierGlm::new(3).fit(&x, &labels).unwrap();
    let estimates = fitted.inference(&x, &labels).unwrap().estimates(&Covariance::Model).unwrap();
    for far in [1e3, 1e5, 1e7] {
        let bands = estimates.probabilities(&Matrix::<Cpu>::from_column(vec![far, -far]), 0.95).unwrap();
        for band in &bands {
            let all = [&band.value, &band.lower, &band.upper];
            assert!(
                all.iter().all(|values| values.iter().all(|value| (0.0..=1.0).contains(value))),
                "{far} {band:?}"
            );
            // So far out nothing is certain.
            assert!(
                band.lower.iter().zip(&band.upper).all(|(lower, upper)| upper - lower > 0.5),
                "{far} {band:?}"
            );
        }
    }
}
