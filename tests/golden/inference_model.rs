//! Cases of the suite `inference` that fit a model.

use ndarray::{Array2, ArrayView2};
use nemos::core::{Cpu, Design, Matrix, Segments};
use nemos::glm::{InverseLink, ObservationModel, PopulationGlm, Regularizer, Status};
use nemos::inference::{
    Bootstrap, Clusters, Contrasts, Covariance, Criteria, Dispersion, Error, Infer, Inference, Information, Lag, Overdispersion, Residual,
    Settings, Standing, Tests, Unavailable,
};
use nemos_testkit::{Case, Tolerance};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::glm::stopping;
use crate::inference::{CORRECTIONS, flat};
use crate::model::{Run, with_model};

/// Fits the model of a case, and compares what is said of it.
pub(crate) fn run(case: Case<'_>) -> Result<(), String> {
    case.only_fields(&[
        "name",
        "kind",
        "observation",
        "observation_scale",
        "scale_estimated",
        "inverse_link",
        "X",
        "y",
        "weights",
        "offset",
        "groups",
        "segments",
        "hac_lags",
        "note",
        "strength",
        "feature_mask",
        "counts",
        "fitted",
    ])?;
    with_model(case, Compare { case })
}

struct Compare<'a> {
    case: Case<'a>,
}

/// A field that may be `null` or not there.
fn given<'a>(case: Case<'a>, name: &str) -> Option<&'a serde_json::Value> {
    case.field(name).ok().filter(|value| !value.is_null())
}

impl Run for Compare<'_> {
    fn run<O: ObservationModel, L: InverseLink>(self, model: PopulationGlm<O, L>) -> Result<(), String> {
        let case = self.case;
        let mut model = model.stopping(stopping());
        if given(case, "strength").is_some() {
            model = model.regularizer(Regularizer::Ridge(case.number("strength")?.into()));
        }
        if given(case, "feature_mask").is_some() {
            model = model.feature_mask(case.matrix("feature_mask")?.mapv(|flag| flag == 1.0));
        }
        let mut design = Design::<Cpu>::from(Matrix::from_array(case.matrix("X")?.view()));
        if given(case, "weights").is_some() {
            design = design.with_weights(Matrix::from_column(flat(case, "weights")?)).map_err(text)?;
        }
        if given(case, "offset").is_some() {
            design = design.with_offset(Matrix::from_column(flat(case, "offset")?)).map_err(text)?;
        }
        let one_segment = design.clone();
        if given(case, "segments").is_some() {
            let lengths = flat(case, "segments")?.into_iter().map(|length| length as usize);
            design = design.with_segments(Segments::from_lengths(lengths)).map_err(text)?;
        }
        let counts = case.array("y")?;
        let n_neurons = if counts.ndim() == 1 { 1 } else { counts.shape()[1] };
        let counts = counts.to_shape((counts.shape()[0], n_neurons)).map_err(text)?.to_owned();
        let counts = Matrix::<Cpu>::from_array(counts.view());
        let fitted = model.fit(&design, &counts).map_err(text)?;
        let inference = fitted.inference(&design, &counts).map_err(text)?;
        let scale = fitted.scale().to_vec();
        match case.text("kind")? {
            "glm" => {
                let settings = Settings::new().information(Information::Observed);
                let others = Others {
                    observed: fitted.inference_with(settings, &design, &counts).map_err(text)?,
                    one_segment: fitted.inference(&one_segment, &counts).map_err(text)?,
                    quasi: fitted
                        .inference_with(Settings::new().dispersion(Dispersion::Pearson), &design, &counts)
                        .map_err(text)?,
                };
                glm(case, &inference, &others, scale[0])
            }
            "ridge" => ridge(case, &inference),
            "collinear" => collinear(case, &inference),
            "no_maximum" => no_maximum(case, &inference),
            "population" => population(case, &inference, &fitted.outcome().statuses().collect::<Vec<_>>()),
            "bands" => bands(case, &inference),
            "bootstrap" => bootstrap(case, &inference),
            "scores" => scores(case, &inference),
            other => Err(format!("the kind {other} is not understood")),
        }
    }
}

/// The same fit, spoken of in other ways.
struct Others<'a> {
    observed: Inference<'a, Cpu>,
    one_segment: Inference<'a, Cpu>,
    quasi: Inference<'a, Cpu>,
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Cases have the intercept first.
fn place(parameter: usize, n_parameters: usize) -> usize {
    if parameter == 0 { n_parameters - 1 } else { parameter - 1 }
}

/// `[n_parameters, …]` with the intercept first, row after row.
pub(crate) fn first(values: ArrayView2<'_, f64>) -> Vec<f64> {
    let n = values.nrows();
    (0..n).flat_map(|row| values.row(place(row, n)).to_vec()).collect()
}

/// A covariance with the intercept first in rows and columns.
pub(crate) fn matrix(covariance: ArrayView2<'_, f64>) -> Vec<f64> {
    let n = covariance.nrows();
    (0..n * n).map(|at| covariance[(place(at / n, n), place(at % n, n))]).collect()
}

/// Rows of contrasts as ours, with the intercept last.
fn last(rows: ArrayView2<'_, f64>) -> Array2<f64> {
    let n = rows.ncols();
    Array2::from_shape_fn(rows.dim(), |(row, column)| {
        rows[(row, if column + 1 == n { 0 } else { column + 1 })]
    })
}

fn check_covariance(name: &str, inference: &Inference<'_, Cpu>, kind: Covariance, fitted: Case<'_>) -> Result<(), String> {
    let estimates = inference.estimates(&kind).map_err(text)?;
    let covariance = estimates.covariance(0).map_err(text)?;
    Tolerance::SMOOTH_FIT.check(name, &matrix(covariance.view()), &flat(fitted, name)?)
}

fn glm(case: Case<'_>, inference: &Inference<'_, Cpu>, others: &Others<'_>, scale: f64) -> Result<(), String> {
    let (fitted, close) = (case.part("fitted")?, Tolerance::SMOOTH_FIT);
    fitted.only_fields(&[
        "params",
        "scale",
        "scale_ml",
        "scale_se",
        "dof_resid",
        "covariance",
        "covariance_observed",
        "standard_errors",
        "statistic",
        "reference",
        "p_values",
        "confidence_95",
        "hc0",
        "hc0_observed",
        "hc1",
        "hc3",
        "cluster",
        "cluster_groups_only",
        "hac",
        "hac_one_segment",
        "log_likelihood",
        "log_likelihood_ml",
        "null_log_likelihood_ml",
        "deviance",
        "null_deviance",
        "pearson_chi2",
        "n_parameters",
        "aic",
        "aicc",
        "bic",
        "test",
        "residuals",
        "leverage",
        "leverage_sum",
        "prediction",
        "quantile_residuals",
        "overdispersion",
        "profile_95",
    ])?;
    let estimates = inference.estimates(&Covariance::Model).map_err(text)?;
    close.check("params", &first(estimates.parameters().view()), &flat(fitted, "params")?)?;
    close.check("scale", &[scale], &[fitted.number("scale")?])?;
    close.check("dof_resid", &inference.dof_resid_edf(), &[fitted.number("dof_resid")?])?;
    close.check(
        "standard_errors",
        &first(estimates.standard_errors().view()),
        &flat(fitted, "standard_errors")?,
    )?;
    close.check("statistic", &first(estimates.statistics().view()), &flat(fitted, "statistic")?)?;
    Tolerance::P_VALUE.check("p_values", &first(estimates.p_values().view()), &flat(fitted, "p_values")?)?;
    let ln_p: Vec<f64> = first(estimates.ln_p_values().view()).into_iter().map(f64::exp).collect();
    Tolerance::P_VALUE.check("exp(ln p)", &ln_p, &flat(fitted, "p_values")?)?;
    let confidence = estimates.confidence(0.95).map_err(text)?;
    let confidence = confidence.index_axis(ndarray::Axis(1), 0);
    close.check("confidence_95", &first(confidence), &flat(fitted, "confidence_95")?)?;
    let reference = format!("{:?}", estimates.references()[0]);
    let expected = if fitted.text("reference")? == "t" { "StudentT" } else { "Normal" };
    if !reference.starts_with(expected) {
        return Err(format!("compared with {reference}, not {expected}"));
    }
    let groups = || -> Result<Vec<usize>, String> { Ok(flat(case, "groups")?.into_iter().map(|group| group as usize).collect()) };
    let lag = || -> Result<Covariance, String> { Ok(Covariance::Hac(Lag::Rows(case.number("hac_lags")? as usize))) };
    check_covariance("covariance", inference, Covariance::Model, fitted)?;
    check_covariance("covariance_observed", &others.observed, Covariance::Model, fitted)?;
    check_covariance("hc0", inference, Covariance::Hc0, fitted)?;
    check_covariance("hc0_observed", &others.observed, Covariance::Hc0, fitted)?;
    check_covariance("hc1", inference, Covariance::Hc1, fitted)?;
    check_covariance("hc3", inference, Covariance::Hc3, fitted)?;
    check_covariance("cluster", inference, Covariance::Cluster(Clusters::labels(groups()?)), fitted)?;
    let groups_only = Clusters::labels(groups()?).groups_only();
    check_covariance("cluster_groups_only", inference, Covariance::Cluster(groups_only), fitted)?;
    check_covariance("hac", inference, lag()?, fitted)?;
    check_covariance("hac_one_segment", &others.one_segment, lag()?, fitted)?;
    let criteria = inference.criteria().map_err(text)?[0];
    check_criteria(&criteria, fitted)?;
    if given(fitted, "scale_ml").is_some() {
        close.check("scale_ml", &[criteria.scale_of_most_likelihood], &[fitted.number("scale_ml")?])?;
    }
    let at_scale = inference.log_likelihood_at_scale(scale).map_err(text)?;
    close.check("log_likelihood", &at_scale, &[fitted.number("log_likelihood")?])?;
    if given(fitted, "scale_se").is_some() {
        let error = inference.scale_standard_errors().map_err(text)?;
        close.check("scale_se", &error, &[fitted.number("scale_se")?])?;
    }
    tests_of(fitted.part("test")?, inference)?;
    residuals(fitted, inference)?;
    prediction(fitted.part("prediction")?, inference)?;
    if given(fitted, "quantile_residuals").is_some() {
        quantile_residuals(fitted.part("quantile_residuals")?, inference)?;
    }
    if given(fitted, "overdispersion").is_some() {
        overdispersion(fitted.part("overdispersion")?, inference, &others.quasi)?;
    }
    if given(fitted, "profile_95").is_some() {
        let profile = fitted.part("profile_95")?;
        profile.only_fields(&["parameter", "interval"])?;
        let interval = inference.profile(profile.number("parameter")? as usize - 1, 0.95).map_err(text)?[0];
        Tolerance::PROFILE.check("profile_95", &interval, &flat(profile, "interval")?)?;
    }
    Ok(())
}

fn check_criteria(criteria: &Criteria, fitted: Case<'_>) -> Result<(), String> {
    for (name, got) in [
        ("log_likelihood_ml", criteria.log_likelihood),
        ("null_log_likelihood_ml", criteria.null_log_likelihood),
        ("deviance", criteria.deviance),
        ("null_deviance", criteria.null_deviance),
        ("pearson_chi2", criteria.pearson_chi2),
        ("n_parameters", criteria.n_parameters),
        ("aic", criteria.aic()),
        ("aicc", criteria.aicc()),
        ("bic", criteria.bic()),
    ] {
        Tolerance::SCORE.check(name, &[got], &[fitted.number(name)?])?;
    }
    Ok(())
}

fn tests_of(expected: Case<'_>, inference: &Inference<'_, Cpu>) -> Result<(), String> {
    expected.only_fields(&[
        "block",
        "df",
        "df_denominator",
        "reference",
        "likelihood_ratio",
        "likelihood_ratio_p",
        "wald",
        "wald_p",
        "score",
        "score_p",
    ])?;
    let block: Vec<usize> = flat(expected, "block")?
        .into_iter()
        .map(|parameter| parameter as usize - 1)
        .collect();
    let estimates = inference.estimates(&Covariance::Model).map_err(text)?;
    let reference = match expected.text("reference")? {
        "F" => format!("F({:?}, {:?})", expected.number("df")?, expected.number("df_denominator")?),
        _ => format!("ChiSquared({:?})", expected.number("df")?),
    };
    let check = |name: &str, tests: Tests, reference: Option<&str>| {
        let test = tests.each[0];
        Tolerance::SMOOTH_FIT.check(name, &[test.statistic], &[expected.number(name)?])?;
        Tolerance::P_VALUE.check(name, &[test.p()], &[expected.number(&format!("{name}_p"))?])?;
        match reference {
            Some(reference) if format!("{:?}", test.reference) != reference => {
                Err(format!("{name} is compared with {:?}, not {reference}", test.reference))
            }
            _ => Ok(()),
        }
    };
    check(
        "likelihood_ratio",
        inference.likelihood_ratio(block.clone()).map_err(text)?,
        Some(&reference),
    )?;
    check("wald", estimates.wald(block.clone()).map_err(text)?, Some(&reference))?;
    check("score", inference.score_test(block).map_err(text)?, None)
}

fn residuals(fitted: Case<'_>, inference: &Inference<'_, Cpu>) -> Result<(), String> {
    let expected = fitted.part("residuals")?;
    let kinds = [
        ("response", Residual::Response),
        ("working", Residual::Working),
        ("pearson", Residual::Pearson),
        ("deviance", Residual::Deviance),
        ("standardized_pearson", Residual::StandardizedPearson),
        ("standardized_deviance", Residual::StandardizedDeviance),
        ("anscombe", Residual::Anscombe),
    ];
    let known: Vec<&str> = kinds.iter().map(|(name, _)| *name).chain(["cooks_distance"]).collect();
    expected.only_fields(&known)?;
    let compare = |name: &str, got: &Array2<f64>, expected: Vec<f64>| {
        // Where a weight is zero there is a residual in the cases, and none here.
        let pairs = got.iter().zip(&expected).filter(|(got, _)| !got.is_nan());
        let (got, expected): (Vec<f64>, Vec<f64>) = pairs.unzip();
        Tolerance::SMOOTH_FIT.check(name, &got, &expected)
    };
    for (name, kind) in kinds {
        if expected.field(name).is_ok() {
            compare(name, &inference.residuals(kind).map_err(text)?, flat(expected, name)?)?;
        }
    }
    let influence = inference.influence().map_err(text)?;
    compare("cooks_distance", &influence.cooks_distance, flat(expected, "cooks_distance")?)?;
    compare("leverage", &influence.leverage, flat(fitted, "leverage")?)?;
    Tolerance::SMOOTH_FIT.check("leverage_sum", &[influence.leverage.sum()], &[fitted.number("leverage_sum")?])
}

fn prediction(expected: Case<'_>, inference: &Inference<'_, Cpu>) -> Result<(), String> {
    expected.only_fields(&[
        "features",
        "offset",
        "predictor",
        "predictor_se",
        "rate",
        "rate_se",
        "rate_confidence_95",
    ])?;
    let estimates = inference.estimates(&Covariance::Model).map_err(text)?;
    let samples = Matrix::<Cpu>::from_array(expected.matrix("features")?.view());
    let contrasts = estimates.predictions(&samples).map_err(text)?;
    let curve = match given(expected, "offset") {
        Some(_) => estimates.curve_with_offset(&contrasts, &flat(expected, "offset")?),
        None => estimates.curve(&contrasts),
    }
    .map_err(text)?;
    let close = Tolerance::SMOOTH_FIT;
    let band = curve.rates(&curve.pointwise(0.95).map_err(text)?, 1.0);
    let values = |values: &Array2<f64>| values.iter().copied().collect::<Vec<f64>>();
    close.check("predictor", &values(&curve.value), &flat(expected, "predictor")?)?;
    close.check("predictor_se", &values(&curve.standard_error), &flat(expected, "predictor_se")?)?;
    close.check("rate", &values(&band.value), &flat(expected, "rate")?)?;
    close.check("rate_se", &values(&curve.rate_standard_error(1.0)), &flat(expected, "rate_se")?)?;
    let ends = band
        .lower
        .iter()
        .zip(&band.upper)
        .flat_map(|(lower, upper)| [*lower, *upper])
        .collect::<Vec<_>>();
    let interval = flat(expected, "rate_confidence_95")?;
    // One over a predictor whose interval holds zero: the cases have its two ends in order, which is no interval.
    let is_crossed: Vec<bool> = ends.chunks(2).map(|ends| ends[1].is_infinite()).collect();
    let keep = |values: &[f64]| -> Vec<f64> {
        values
            .chunks(2)
            .zip(&is_crossed)
            .filter(|(_, crossed)| !**crossed)
            .flat_map(|(ends, _)| ends.to_vec())
            .collect()
    };
    close.check("rate_confidence_95", &keep(&ends), &keep(&interval))
}

fn quantile_residuals(expected: Case<'_>, inference: &Inference<'_, Cpu>) -> Result<(), String> {
    expected.only_fields(&["uniform", "lower", "upper", "residual"])?;
    let (below, at) = inference.distribution_at_counts().map_err(text)?;
    let uniforms = flat(expected, "uniform")?;
    let n = uniforms.len();
    let head = |values: &Array2<f64>| values.iter().take(n).copied().collect::<Vec<f64>>();
    let close = Tolerance::SMOOTH_FIT;
    close.check("lower", &head(&below), &flat(expected, "lower")?)?;
    close.check("upper", &head(&at), &flat(expected, "upper")?)?;
    let got: Vec<f64> = (0..n)
        .map(|row| nemos::inference::quantile_residual(below[(row, 0)], at[(row, 0)], uniforms[row]))
        .collect();
    close.check("residual", &got, &flat(expected, "residual")?)
}

fn overdispersion(expected: Case<'_>, inference: &Inference<'_, Cpu>, quasi: &Inference<'_, Cpu>) -> Result<(), String> {
    let Overdispersion {
        pearson_ratio,
        pearson_p,
        deviance_p,
        dean,
        dean_p,
        linear_alpha,
        linear_t,
        quadratic_alpha,
        quadratic_t,
        ..
    } = inference.overdispersion(0.0).map_err(text)?[0];
    let known = [
        ("pearson_ratio", pearson_ratio),
        ("dean", dean),
        ("linear_alpha", linear_alpha),
        ("linear_t", linear_t),
        ("quadratic_alpha", quadratic_alpha),
        ("quadratic_t", quadratic_t),
        ("pearson_p", pearson_p),
        ("deviance_p", deviance_p),
        ("dean_p", dean_p),
    ];
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).chain(["quasi_standard_errors"]).collect();
    expected.only_fields(&names)?;
    for (name, got) in known {
        let close = if name.ends_with("_p") {
            Tolerance::P_VALUE
        } else {
            Tolerance::SMOOTH_FIT
        };
        close.check(name, &[got], &[expected.number(name)?])?;
    }
    let errors = quasi.estimates(&Covariance::Model).map_err(text)?.standard_errors();
    Tolerance::SMOOTH_FIT.check(
        "quasi_standard_errors",
        &first(errors.view()),
        &flat(expected, "quasi_standard_errors")?,
    )
}

fn ridge(case: Case<'_>, inference: &Inference<'_, Cpu>) -> Result<(), String> {
    let (fitted, close) = (case.part("fitted")?, Tolerance::SMOOTH_FIT);
    fitted.only_fields(&[
        "params",
        "edf",
        "edf_by_parameter",
        "dof_resid_edf",
        "scale_edf",
        "covariance_bayesian",
        "covariance_frequentist",
        "deviance",
        "pearson_chi2",
        "log_likelihood_ml",
        "aic",
        "gcv",
        "ubre",
    ])?;
    let estimates = inference.estimates(&Covariance::Model).map_err(text)?;
    close.check("params", &first(estimates.parameters().view()), &flat(fitted, "params")?)?;
    close.check("edf", &inference.edf(), &[fitted.number("edf")?])?;
    close.check(
        "edf_by_parameter",
        &first(inference.edf_by_parameter().view()),
        &flat(fitted, "edf_by_parameter")?,
    )?;
    close.check("dof_resid_edf", &inference.dof_resid_edf(), &[fitted.number("dof_resid_edf")?])?;
    close.check("scale_edf", &inference.scale_edf(), &[fitted.number("scale_edf")?])?;
    check_covariance("covariance_bayesian", inference, Covariance::Model, fitted)?;
    check_covariance("covariance_frequentist", inference, Covariance::Frequentist, fitted)?;
    let criteria = inference.criteria().map_err(text)?[0];
    for (name, got) in [
        ("deviance", criteria.deviance),
        ("pearson_chi2", criteria.pearson_chi2),
        ("log_likelihood_ml", criteria.log_likelihood),
        ("aic", criteria.aic()),
        ("gcv", criteria.gcv()),
    ] {
        Tolerance::SCORE.check(name, &[got], &[fitted.number(name)?])?;
    }
    if given(fitted, "ubre").is_some() {
        Tolerance::SCORE.check("ubre", &[criteria.ubre()], &[fitted.number("ubre")?])?;
    }
    match inference.likelihood_ratio(0) {
        Err(Error::NoSuchTest { .. }) => Ok(()),
        other => Err(format!("a likelihood-ratio test after a ridge gave {other:?}")),
    }
}

fn collinear(case: Case<'_>, inference: &Inference<'_, Cpu>) -> Result<(), String> {
    let (fitted, close) = (case.part("fitted")?, Tolerance::SMOOTH_FIT);
    fitted.only_fields(&[
        "rank",
        "dof_resid",
        "params",
        "covariance",
        "deviance",
        "log_likelihood",
        "contrasts",
        "leverage",
    ])?;
    let estimates = inference.estimates(&Covariance::Model).map_err(text)?;
    close.check("rank", &inference.edf(), &[fitted.number("rank")?])?;
    close.check("dof_resid", &inference.dof_resid_edf(), &[fitted.number("dof_resid")?])?;
    close.check("params", &first(estimates.parameters().view()), &flat(fitted, "params")?)?;
    check_covariance("covariance", inference, Covariance::Model, fitted)?;
    let criteria = inference.criteria().map_err(text)?[0];
    Tolerance::SCORE.check("deviance", &[criteria.deviance], &[fitted.number("deviance")?])?;
    Tolerance::SCORE.check("log_likelihood", &[criteria.log_likelihood], &[fitted.number("log_likelihood")?])?;
    let leverage = inference.influence().map_err(text)?.leverage;
    let expected = flat(fitted, "leverage")?;
    close.check(
        "leverage",
        &leverage.iter().take(expected.len()).copied().collect::<Vec<_>>(),
        &expected,
    )?;
    for contrast in fitted.field("contrasts")?.as_array().ok_or("contrasts are a list")? {
        let contrast = Case::new(contrast);
        contrast.only_fields(&["vector", "estimable", "estimate", "standard_error"])?;
        let vector = flat(contrast, "vector")?;
        let rows = Array2::from_shape_vec((1, vector.len()), vector.clone()).map_err(text)?;
        let curve = estimates.curve(&Contrasts::new(last(rows.view()))).map_err(text)?;
        let is_estimable = contrast.number("estimable")? == 1.0;
        if is_estimable == curve.value[(0, 0)].is_nan() {
            return Err(format!(
                "{vector:?} is taken to be {}estimable",
                if is_estimable { "not " } else { "" }
            ));
        }
        close.check("estimate", &[curve.value[(0, 0)]], &[contrast.number("estimate")?])?;
        close.check(
            "standard_error",
            &[curve.standard_error[(0, 0)]],
            &[contrast.number("standard_error")?],
        )?;
        // A parameter alone stands as its contrast does.
        if let Some(parameter) = vector
            .iter()
            .position(|&x| x == 1.0)
            .filter(|_| vector.iter().filter(|x| **x != 0.0).count() == 1)
        {
            let standing = estimates.standing(place(parameter, vector.len()), 0);
            if (standing == Standing::Estimated) != is_estimable {
                return Err(format!("parameter {parameter} is {standing:?}"));
            }
        }
    }
    Ok(())
}

fn no_maximum(case: Case<'_>, inference: &Inference<'_, Cpu>) -> Result<(), String> {
    let fitted = case.part("fitted")?;
    fitted.only_fields(&["supremum_log_likelihood"])?;
    let estimates = inference.estimates(&Covariance::Model).map_err(text)?;
    if estimates.covariance(0).err() != Some(Unavailable::NoMaximum) {
        return Err("there is a covariance where there is no maximum".into());
    }
    let all = [estimates.standard_errors(), estimates.statistics(), estimates.p_values()];
    let ends = estimates.confidence(0.95).map_err(text)?;
    if !(all.iter().all(|table| table.iter().all(|x| x.is_nan())) && ends.iter().all(|x| x.is_nan())) {
        return Err("there is a number where there is no maximum".into());
    }
    if !inference
        .summary(&Covariance::Model)
        .map_err(text)?
        .to_string()
        .contains("no finite maximum")
    {
        return Err("the summary does not say why".into());
    }
    let log_likelihood = inference.criteria().map_err(text)?[0].log_likelihood;
    // The likelihood comes near its supremum, and never reaches it.
    let (supremum, slack) = (fitted.number("supremum_log_likelihood")?, 1e-3);
    if !(supremum - slack..=supremum + 1e-9).contains(&log_likelihood) {
        return Err(format!("the log-likelihood is {log_likelihood}, its supremum {supremum}"));
    }
    let p = inference.likelihood_ratio(0).map_err(text)?.each[0].p();
    if p < 1e-3 {
        Ok(())
    } else {
        Err(format!("the likelihood-ratio test has p = {p}"))
    }
}

fn population(case: Case<'_>, inference: &Inference<'_, Cpu>, statuses: &[Status]) -> Result<(), String> {
    let (fitted, close) = (case.part("fitted")?, Tolerance::SMOOTH_FIT);
    fitted.only_fields(&[
        "status",
        "params",
        "standard_errors",
        "p_values",
        "log_likelihood",
        "last_feature_lr_p",
        "adjusted",
    ])?;
    let expected = fitted.field("status")?.as_array().ok_or("status is a list")?;
    for (neuron, (status, expected)) in statuses.iter().zip(expected).enumerate() {
        let expected = if expected == "converged" {
            Status::Converged
        } else {
            Status::NoMaximum
        };
        if *status != expected {
            return Err(format!("neuron {neuron} is {status}, not {expected}"));
        }
    }
    let estimates = inference.estimates(&Covariance::Model).map_err(text)?;
    close.check("params", &first(estimates.parameters().view()), &flat(fitted, "params")?)?;
    close.check(
        "standard_errors",
        &first(estimates.standard_errors().view()),
        &flat(fitted, "standard_errors")?,
    )?;
    Tolerance::P_VALUE.check("p_values", &first(estimates.p_values().view()), &flat(fitted, "p_values")?)?;
    let log_likelihood: Vec<f64> = inference
        .criteria()
        .map_err(text)?
        .iter()
        .map(|criteria| criteria.log_likelihood)
        .collect();
    let expected = flat(fitted, "log_likelihood")?;
    for (neuron, (got, expected)) in log_likelihood.iter().zip(&expected).enumerate() {
        // Of the silent neuron it is the supremum that the cases hold.
        let slack = if statuses[neuron] == Status::Converged {
            1e-6 * expected.abs()
        } else {
            1e-3 + 0.51
        };
        if (got - expected).abs() > slack {
            return Err(format!("the log-likelihood of neuron {neuron} is {got}, not {expected}"));
        }
    }
    let tests = inference.likelihood_ratio(inference.n_features() - 1).map_err(text)?;
    Tolerance::P_VALUE.check("last_feature_lr_p", &tests.p_values(), &flat(fitted, "last_feature_lr_p")?)?;
    let expected = fitted.part("adjusted")?;
    expected.only_fields(&["bonferroni", "holm", "benjamini_hochberg"])?;
    CORRECTIONS[..3]
        .iter()
        .try_for_each(|(name, correction)| Tolerance::P_VALUE.check(name, &tests.adjusted(*correction), &flat(expected, name)?))
}

fn bands(case: Case<'_>, inference: &Inference<'_, Cpu>) -> Result<(), String> {
    let (fitted, close) = (case.part("fitted")?, Tolerance::SMOOTH_FIT);
    fitted.only_fields(&["params", "covariance", "filter", "tuning_curve"])?;
    let estimates = inference.estimates(&Covariance::Model).map_err(text)?;
    close.check("params", &first(estimates.parameters().view()), &flat(fitted, "params")?)?;
    check_covariance("covariance", inference, Covariance::Model, fitted)?;
    for name in ["filter", "tuning_curve"] {
        let expected = fitted.part(name)?;
        expected.only_fields(&[
            "rows",
            "value",
            "standard_error",
            "lower_95",
            "upper_95",
            "simultaneous_critical_95",
            "scheffe_critical_95",
            "bonferroni_critical_95",
            "wald",
            "wald_df",
            "rate",
            "rate_lower_95",
            "rate_upper_95",
        ])?;
        let contrasts = Contrasts::new(last(expected.matrix("rows")?.view()));
        let curve = estimates.curve(&contrasts).map_err(text)?;
        let band = curve.pointwise(0.95).map_err(text)?;
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let values = |values: &Array2<f64>| values.iter().copied().collect::<Vec<f64>>();
        close.check("value", &values(&curve.value), &flat(expected, "value")?)?;
        close.check("standard_error", &values(&curve.standard_error), &flat(expected, "standard_error")?)?;
        close.check("lower_95", &values(&band.lower), &flat(expected, "lower_95")?)?;
        close.check("upper_95", &values(&band.upper), &flat(expected, "upper_95")?)?;
        let simultaneous = curve.simultaneous(0.95, &mut rng).map_err(text)?.critical;
        Tolerance::SIMULATED.check("simultaneous", &simultaneous, &[expected.number("simultaneous_critical_95")?])?;
        close.check(
            "scheffe",
            &curve.scheffe(0.95).map_err(text)?.critical,
            &[expected.number("scheffe_critical_95")?],
        )?;
        let bonferroni = curve.bonferroni(0.95).map_err(text)?.critical;
        close.check("bonferroni", &bonferroni, &[expected.number("bonferroni_critical_95")?])?;
        let wald = estimates.wald_of_curve(&contrasts).map_err(text)?.each[0];
        close.check("wald", &[wald.statistic], &[expected.number("wald")?])?;
        close.check("wald_df", &[wald.dof], &[expected.number("wald_df")?])?;
        if given(expected, "rate").is_some() {
            let rates = curve.rates(&band, 1.0);
            close.check("rate", &values(&rates.value), &flat(expected, "rate")?)?;
            close.check("rate_lower_95", &values(&rates.lower), &flat(expected, "rate_lower_95")?)?;
            close.check("rate_upper_95", &values(&rates.upper), &flat(expected, "rate_upper_95")?)?;
        }
    }
    Ok(())
}

fn bootstrap(case: Case<'_>, inference: &Inference<'_, Cpu>) -> Result<(), String> {
    let (fitted, close) = (case.part("fitted")?, Tolerance::SMOOTH_FIT);
    fitted.only_fields(&[
        "params",
        "replicates",
        "standard_errors",
        "percentile_95",
        "basic_95",
        "one_step_replicates",
    ])?;
    let copies = case.matrix("counts")?;
    let refitted = inference.bootstrap_with(&Bootstrap::new(), copies.view()).map_err(text)?;
    let one_step = inference
        .bootstrap_with(&Bootstrap::new().one_step(), copies.view())
        .map_err(text)?;
    let replicates = |of: &nemos::inference::Bootstrapped| -> Vec<f64> {
        let of_neuron = of.replicates.index_axis(ndarray::Axis(2), 0);
        of_neuron
            .rows()
            .into_iter()
            .flat_map(|row| first(row.insert_axis(ndarray::Axis(1))))
            .collect()
    };
    close.check("params", &first(refitted.parameters.view()), &flat(fitted, "params")?)?;
    close.check("replicates", &replicates(&refitted), &flat(fitted, "replicates")?)?;
    close.check("one_step_replicates", &replicates(&one_step), &flat(fitted, "one_step_replicates")?)?;
    close.check(
        "standard_errors",
        &first(refitted.standard_errors().view()),
        &flat(fitted, "standard_errors")?,
    )?;
    for (name, ends) in [("percentile_95", refitted.percentile(0.95)), ("basic_95", refitted.basic(0.95))] {
        let ends = ends.map_err(text)?;
        close.check(name, &first(ends.index_axis(ndarray::Axis(1), 0)), &flat(fitted, name)?)?;
    }
    Ok(())
}

fn scores(case: Case<'_>, inference: &Inference<'_, Cpu>) -> Result<(), String> {
    let fitted = case.part("fitted")?;
    let (criteria, agreement) = (inference.criteria().map_err(text)?[0], inference.agreement().map_err(text)?[0]);
    let known = [
        ("deviance_explained", criteria.deviance_explained()),
        ("bits_per_spike", criteria.bits_per_spike()),
        ("bits_per_spike_constant_rate", agreement.bits_per_spike_of_constant_rate),
        ("variance_explained", agreement.variance_explained),
        ("correlation", agreement.correlation),
    ];
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).chain(["params"]).collect();
    fitted.only_fields(&names)?;
    let estimates = inference.estimates(&Covariance::Model).map_err(text)?;
    Tolerance::SMOOTH_FIT.check("params", &first(estimates.parameters().view()), &flat(fitted, "params")?)?;
    known
        .iter()
        .try_for_each(|(name, got)| Tolerance::SCORE.check(name, &[*got], &[fitted.number(name)?]))
}
