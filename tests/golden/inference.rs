//! The suite `inference`: what can be said of a fit, from formulas that statsmodels and R agree with.

use nemos::core::Segments;
use nemos::inference::{Correction, Ends, Repeats, Rescaled, Spiking, TimeRescaling};
use nemos_testkit::{Case, Tolerance};
use serde_json::Value;

use crate::inference_model;

/// Runs one case.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let case = Case::new(case);
    match case.text("kind")? {
        "time_rescaling" => time_rescaling(case),
        "repeats" => repeats(case),
        "p_adjust" => p_adjust(case),
        _ => inference_model::run(case),
    }
}

/// A list of numbers.
pub(crate) fn flat(case: Case<'_>, name: &str) -> Result<Vec<f64>, String> {
    Ok(case.array(name)?.iter().copied().collect())
}

fn time_rescaling(case: Case<'_>) -> Result<(), String> {
    case.only_fields(&["name", "kind", "method", "ends", "segments", "rate", "y", "uniform", "fitted"])?;
    let spiking = match case.text("method")? {
        "bernoulli" => Spiking::Bernoulli,
        "poisson" => Spiking::Poisson,
        other => return Err(format!("the method {other} is not understood")),
    };
    let ends = match case.text("ends")? {
        "drop" => Ends::Drop,
        "carry" => Ends::Carry,
        "truncate" => Ends::Truncate,
        other => return Err(format!("the ends {other} are not understood")),
    };
    let segments = Segments::from_lengths(flat(case, "segments")?.into_iter().map(|length| length as usize));
    let (rates, counts, uniforms) = (flat(case, "rate")?, flat(case, "y")?, flat(case, "uniform")?);
    let rescaling = TimeRescaling::new().spiking(spiking).ends(ends);
    let rescaled = rescaling
        .rescale_with(&rates, &counts, &segments, &uniforms)
        .map_err(|error| error.to_string())?;
    let fitted = case.part("fitted")?;
    fitted.only_fields(&["rescaled", "uniforms", "ks", "qq", "dependence"])?;
    let close = Tolerance::CLOSED_FORM;
    close.check("rescaled", rescaled.intervals(), &flat(fitted, "rescaled")?)?;
    close.check("uniforms", rescaled.uniforms(), &flat(fitted, "uniforms")?)?;
    tests_of(&rescaled, fitted)
}

fn tests_of(rescaled: &Rescaled, fitted: Case<'_>) -> Result<(), String> {
    let (close, ks, expected) = (Tolerance::CLOSED_FORM, rescaled.ks(), fitted.part("ks")?);
    expected.only_fields(&["statistic", "p_exact", "p_asymptotic", "band_95", "band_99"])?;
    for (name, got) in [
        ("statistic", ks.statistic),
        ("p_asymptotic", ks.p_asymptotic),
        ("band_95", ks.band_95),
        ("band_99", ks.band_99),
    ] {
        close.check(name, &[got], &[expected.number(name)?])?;
    }
    Tolerance::P_VALUE.check("p_exact", &[ks.p], &[expected.number("p_exact")?])?;
    let (qq, expected) = (rescaled.quantiles(0.95).map_err(|error| error.to_string())?, fitted.part("qq")?);
    expected.only_fields(&["theoretical", "empirical", "lower_95", "upper_95"])?;
    close.check("theoretical", &qq.theoretical, &flat(expected, "theoretical")?)?;
    close.check("empirical", &qq.empirical, &flat(expected, "empirical")?)?;
    close.check("lower_95", &qq.lower, &flat(expected, "lower_95")?)?;
    close.check("upper_95", &qq.upper, &flat(expected, "upper_95")?)?;
    let expected = fitted.part("dependence")?;
    expected.only_fields(&["gaussian", "autocorrelation", "band_95", "ljung_box", "ljung_box_p"])?;
    let values = flat(expected, "autocorrelation")?;
    let dependence = rescaled.autocorrelation(values.len());
    let gaussian = flat(expected, "gaussian")?;
    close.check("gaussian", &rescaled.gaussian()[..gaussian.len()], &gaussian)?;
    // Of numbers up to one: those near zero have no more digits after the point than the others.
    Tolerance::FORMULA.check("autocorrelation", &dependence.values, &values)?;
    close.check("band_95", &[dependence.band_95], &[expected.number("band_95")?])?;
    close.check("ljung_box", &[dependence.ljung_box], &[expected.number("ljung_box")?])?;
    Tolerance::P_VALUE.check("ljung_box_p", &[dependence.p], &[expected.number("ljung_box_p")?])
}

fn repeats(case: Case<'_>) -> Result<(), String> {
    case.only_fields(&["name", "kind", "y", "rate", "fitted"])?;
    let (responses, rates) = (case.matrix("y")?, case.vector("rate")?);
    let repeats = Repeats::new(responses.view(), rates.view()).map_err(|error| error.to_string())?;
    let fitted = case.part("fitted")?;
    let known = [
        ("signal_power", repeats.signal_power),
        ("noise_power", repeats.noise_power),
        ("correlation", repeats.correlation),
        ("correlation_max", repeats.correlation_max),
        ("correlation_normalised", repeats.correlation_normalised),
        ("explained_signal_power", repeats.explained_signal_power),
    ];
    fitted.only_fields(&known.map(|(name, _)| name))?;
    known
        .iter()
        .try_for_each(|(name, got)| Tolerance::CLOSED_FORM.check(name, &[*got], &[fitted.number(name)?]))
}

/// The corrections by their names in the cases.
pub(crate) const CORRECTIONS: [(&str, Correction); 4] = [
    ("bonferroni", Correction::Bonferroni),
    ("holm", Correction::Holm),
    ("benjamini_hochberg", Correction::BenjaminiHochberg),
    ("benjamini_yekutieli", Correction::BenjaminiYekutieli),
];

fn p_adjust(case: Case<'_>) -> Result<(), String> {
    case.only_fields(&["name", "kind", "p", "fitted"])?;
    let (p, fitted) = (flat(case, "p")?, case.part("fitted")?);
    fitted.only_fields(&CORRECTIONS.map(|(name, _)| name))?;
    CORRECTIONS
        .iter()
        .try_for_each(|(name, correction)| Tolerance::CLOSED_FORM.check(name, &correction.adjust(&p), &flat(fitted, name)?))
}
