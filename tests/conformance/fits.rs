//! Fits, scores and predictions of every model, link and penalty.

use nemos::core::{Backend, Matrix, NdArray, ToDesign};
use nemos::glm::{
    Bernoulli, ClassifierPopulationGlm, FeatureMask, Gamma, Gaussian, Groups, LinkForm, NegativeBinomial, ObservationForm, Poisson,
    PopulationGlm, Regularizer, Score,
};
use nemos_testkit::Tolerance;

/// What a score may be off by, beside its size: predictors are rounded, sums are not.
const SCORE: f64 = 1e-6;

/// Features, counts from zero to four, weights and an offset; one count and one feature are missing, one neuron is nearly silent.
pub(crate) fn recording<B: Backend>() -> [Matrix<B>; 4] {
    let wave = |step: usize| (step as f64 * 0.7).sin();
    let mut design: Vec<f64> = (0..3000 * 4).map(|at| wave(at * at % 977)).collect();
    design[17] = f64::NAN;
    let mut counts: Vec<f64> = (0..3000 * 3)
        .map(|at| match at % 3 {
            2 => f64::from(u8::from(at % 330 == 2)),
            _ => (2.0 + 2.0 * wave(at * 5 % 631)).round(),
        })
        .collect();
    counts[30] = f64::NAN;
    let weights = (0..3000).map(|row| f64::from(row % 4)).collect();
    let offset = (0..3000).map(|row| 0.1 * wave(row)).collect();
    let matrix = |values, columns| Matrix::<B>::from_vec(values, [3000, columns]).expect("3000 rows");
    [matrix(design, 4), matrix(counts, 3), matrix(weights, 1), matrix(offset, 1)]
}

/// Every observation model, links, penalties, masks, weights, offsets, missing values: fits, scores, predictions and
/// log-likelihoods, against the same by `NdArray` in double precision.
pub(crate) fn models<B: Backend>(tolerance: Tolerance) {
    let ridge = || Regularizer::Ridge(0.01.into());
    let groups = Regularizer::GroupLasso {
        strength: 0.002.into(),
        groups: Groups::Features(vec![vec![0, 1], vec![2, 3]]),
    };
    let elastic_net = Regularizer::ElasticNet {
        strength: 0.02.into(),
        lasso_share: 0.4,
    };
    let as_it_is = |count| count;
    let binary = |count: f64| count.min(1.0);
    let positive = |count| 2.0 + 2.0 * count;
    let mask = ndarray::array![[true, false, true], [true, true, true], [false, true, true], [true, true, false]];
    let mask = FeatureMask::from(mask);
    let poisson = || model(Poisson);
    agree::<B>(tolerance, poisson(), as_it_is);
    agree::<B>(tolerance, poisson().regularizer(Regularizer::Lasso(0.02.into())), as_it_is);
    agree::<B>(tolerance, poisson().regularizer(elastic_net), as_it_is);
    agree::<B>(tolerance, poisson().link(LinkForm::Softplus).regularizer(groups), as_it_is);
    agree::<B>(tolerance, poisson().regularizer(ridge()).feature_mask(mask), as_it_is);
    let gamma = || model(Gamma).regularizer(Regularizer::Ridge(0.1.into()));
    agree::<B>(tolerance, gamma(), positive);
    agree::<B>(tolerance, gamma().link(LinkForm::Exp), positive);
    agree::<B>(tolerance, gamma().link(LinkForm::Softplus), positive);
    let bernoulli = || model(Bernoulli).regularizer(ridge());
    agree::<B>(tolerance, bernoulli(), binary);
    agree::<B>(tolerance, bernoulli().link(LinkForm::NormalCdf), binary);
    let negative_binomial = || model(NegativeBinomial::new(0.5)).regularizer(ridge());
    agree::<B>(tolerance, negative_binomial(), as_it_is);
    agree::<B>(tolerance, negative_binomial().link(LinkForm::Softplus), as_it_is);
    agree::<B>(tolerance, model(Gaussian).regularizer(ridge()), as_it_is);
    agree::<B>(tolerance, model(Gaussian), as_it_is);
}

/// Of one type, whatever the model: this program is compiled for many backends.
pub(crate) type Any = PopulationGlm<ObservationForm, LinkForm>;

pub(crate) fn model(observation: impl Into<ObservationForm>) -> Any {
    PopulationGlm::new(observation.into())
}

fn agree<B: Backend>(tolerance: Tolerance, model: Any, value: fn(f64) -> f64) {
    let [design, counts, weights, offset] = recording::<NdArray>();
    let counts = Matrix::<NdArray>::from(counts.to_array().mapv(value));
    let data = design
        .to_design()
        .with_weights(weights.clone())
        .and_then(|data| data.with_offset(offset.clone()));
    let data = data.expect("one weight and one offset for each row");
    // To the last digit, against which all others are seen.
    let exact = model.clone().stopping(nemos::solvers::Stopping::new().tolerance(1e-16));
    let expected = exact.fit(&data, &counts).expect("usable data");
    let here = [&design, &weights, &offset].map(|matrix| matrix.to_backend::<B>());
    let counts_here = counts.to_backend::<B>();
    let data_here = here[0]
        .to_design()
        .with_weights(here[1].clone())
        .and_then(|data| data.with_offset(here[2].clone()));
    let data_here = data_here.expect("one weight and one offset for each row");
    let as_exact = if B::epsilon() < 1e-10 { &exact } else { &model };
    let fitted = as_exact.fit(&data_here, &counts_here).expect("usable data");
    let check = |what: &str, got: &[f64], expected: &[f64]| {
        let agrees = tolerance.check(what, got, expected);
        assert!(agrees.is_ok(), "{} {model:?}: {agrees:?}", B::NAME);
    };
    assert!(fitted.outcome().all_converged(), "{} {model:?}: {:?}", B::NAME, fitted.outcome());
    check(
        "coef",
        &fitted.coef().iter().copied().collect::<Vec<_>>(),
        &expected.coef().iter().copied().collect::<Vec<_>>(),
    );
    check("intercept", &fitted.intercept().to_vec(), &expected.intercept().to_vec());
    for score in [Score::LogLikelihood, Score::McFadden, Score::Cohen] {
        let got = expected.score(&data_here, &counts_here, score).expect("as fitted");
        // A score near zero is as exact as one near one.
        let reference = expected.score(&data, &counts, score).expect("as fitted");
        check("score", &[1.0 + got], &[1.0 + reference]);
        let off = (got - reference).abs();
        assert!(
            off <= SCORE * (1.0 + reference.abs()),
            "{} {model:?}: {score:?} is off by {off:.1e}",
            B::NAME
        );
    }
    // The rows without missing values: a NaN is close to nothing.
    let rows = 100..400;
    let there = |matrix: Matrix<NdArray>| matrix.rows(rows.clone()).expect("rows exist").to_vec();
    let got = expected
        .predict(&data_here)
        .and_then(|rates| Ok(rates.to_matrix()?))
        .expect("as fitted");
    let rates = expected.predict(&data).and_then(|rates| Ok(rates.to_matrix()?)).expect("as fitted");
    check("rates", &there(got.to_backend()), &there(rates));
    assert!(got.rows(4..5).expect("the row exists").to_vec()[0].is_nan());
    let got = expected
        .log_likelihood_by_sample(&data_here, &counts_here)
        .and_then(|each| Ok(each.to_matrix()?));
    let each = expected
        .log_likelihood_by_sample(&data, &counts)
        .and_then(|each| Ok(each.to_matrix()?));
    check(
        "log-likelihoods",
        &there(got.expect("as fitted").to_backend()),
        &there(each.expect("as fitted")),
    );
}

/// Classes, against the same by `NdArray` in double precision.
pub(crate) fn classes<B: Backend>(tolerance: Tolerance) {
    let [design, counts, ..] = recording::<NdArray>();
    let labels = Matrix::<NdArray>::from(counts.to_array().mapv(|count| count.min(2.0)));
    let model = ClassifierPopulationGlm::new(3).regularizer(Regularizer::Ridge(0.05.into()));
    let expected = model.fit(&design, &labels).expect("usable data");
    let (design_here, labels_here) = (design.to_backend::<B>(), labels.to_backend::<B>());
    let fitted = model.fit(&design_here, &labels_here).expect("usable data");
    let rows = 100..400;
    let got = fitted.predict_probability(&design_here).expect("as fitted");
    let there = expected.predict_probability(&design).expect("as fitted");
    let agrees = tolerance.check(
        "probabilities",
        &got.rows(rows.clone()).expect("rows exist").to_vec(),
        &there.rows(rows).expect("rows exist").to_vec(),
    );
    assert!(agrees.is_ok(), "{agrees:?}");
    let score = expected.score(&design_here, &labels_here, Score::McFadden).expect("as fitted");
    let agrees = tolerance.check(
        "score",
        &[score],
        &[expected.score(&design, &labels, Score::McFadden).expect("as fitted")],
    );
    assert!(agrees.is_ok(), "{agrees:?}");
}
