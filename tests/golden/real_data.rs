//! The suite `real_data`: the recordings in `examples/data`, fitted by statsmodels.

use ndarray::{Array1, Array2, Axis, concatenate};
use nemos::basis::{Family, History, RaisedCosineLinear, Window};
use nemos::core::{Cpu, Design, Matrix, Segments};
use nemos::glm::{Bernoulli, Glm, InverseLink, ObservationModel, Poisson, Score};
use nemos::inference::{Covariance, Infer};
use nemos::io::NpzFile;
use nemos_testkit::{Case, Tolerance};
use serde_json::Value;

use crate::glm::stopping;
use crate::inference::flat;
use crate::inference_model::{first, matrix};
use crate::suite::root;

const FIELDS: &[&str] = &[
    "params",
    "log_likelihood",
    "null_log_likelihood",
    "deviance",
    "aic",
    "bic",
    "pearson_chi2",
    "standard_errors",
    "covariance",
    "confidence_95",
    "wald_z",
    "p_values",
];

/// Fits one case and compares coefficients and how well they describe the recording.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let case = Case::new(case);
    case.only_fields(&[
        "name",
        "data",
        "model",
        "basis",
        "direction",
        "observation",
        "inverse_link",
        "n_rows",
        "fitted",
    ])?;
    let (design, counts) = match case.text("data")? {
        "subthalamic" => subthalamic(case)?,
        _ => place_cell(case)?,
    };
    let data = (Matrix::<Cpu>::from_array(design.view()), Matrix::from_column(counts));
    match (case.text("observation")?, case.text("inverse_link")?) {
        ("Poisson", "exp") => compare(Glm::new(Poisson), data, case),
        ("Bernoulli", "logistic") => compare(Glm::new(Bernoulli), data, case),
        (observation, link) => Err(format!("{observation} with {link} is not understood")),
    }
}

fn compare<O: ObservationModel, L: InverseLink>(
    model: Glm<O, L>,
    (design, counts): (Matrix<Cpu>, Matrix<Cpu>),
    case: Case<'_>,
) -> Result<(), String> {
    let expected = case.part("fitted")?;
    expected.only_fields(FIELDS)?;
    let text = |error: nemos::glm::Error| error.to_string();
    let fitted = model.stopping(stopping()).fit(&design, &counts).map_err(text)?;
    let params = [&[fitted.intercept()], fitted.coef()].concat();
    let tolerance = Tolerance::RECORDING_FIT;
    tolerance.check("params", &params, &expected.vector("params")?.to_vec())?;
    let inference = fitted.inference(&design, &counts).map_err(|error| error.to_string())?;
    let criteria = inference.criteria().map_err(|error| error.to_string())?[0];
    let n_rows = fitted.dof_resid() + params.len() as f64;
    if let Ok(rows) = case.number("n_rows") {
        Tolerance::CLOSED_FORM.check("n_rows", &[n_rows, criteria.n_rows], &[rows, rows])?;
    }
    let score = |kind| fitted.score(&design, &counts, kind).map_err(text);
    let log_likelihood = n_rows * score(Score::LogLikelihood)?;
    for (name, got) in [
        ("log_likelihood", log_likelihood),
        ("log_likelihood", criteria.log_likelihood),
        ("null_log_likelihood", log_likelihood / (1.0 - score(Score::McFadden)?)),
        ("null_log_likelihood", criteria.null_log_likelihood),
        ("deviance", criteria.deviance),
        ("aic", criteria.aic()),
        ("bic", criteria.bic()),
        ("pearson_chi2", criteria.pearson_chi2),
    ] {
        tolerance.check(name, &[got], &[expected.number(name)?])?;
    }
    let estimates = inference.estimates(&Covariance::Model).map_err(|error| error.to_string())?;
    let covariance = estimates.covariance(0).map_err(|why| why.to_string())?;
    let confidence = estimates.confidence(0.95).map_err(|error| error.to_string())?;
    let confidence = confidence.index_axis(Axis(1), 0);
    for (name, got) in [
        ("standard_errors", first(estimates.standard_errors().view())),
        ("covariance", matrix(covariance.view())),
        ("confidence_95", first(confidence)),
        ("wald_z", first(estimates.statistics().view())),
    ] {
        tolerance.check(name, &got, &flat(expected, name)?)?;
    }
    Tolerance::P_VALUE.check("p_values", &first(estimates.p_values().view()), &flat(expected, "p_values")?)
}

/// Movement, direction and the latest spikes within the trial, as NeMoS users would make them: a history convolved
/// trial by trial, whose first rows are missing.
fn subthalamic(case: Case<'_>) -> Result<(Array2<f64>, Vec<f64>), String> {
    let model = case.text("model")?;
    let lags = model.split("spikes 1..").nth(1).and_then(|rest| rest.split(' ').next());
    let lags: usize = lags
        .and_then(|lags| lags.parse().ok())
        .ok_or_else(|| format!("no number of lags in {model:?}"))?;
    let recording = NpzFile::open(root().join("examples/data/subthalamic.npz")).map_err(|error| error.to_string())?;
    let vector = |name| recording.vector(name).map_err(|error| error.to_string());
    let (time, direction) = (vector("time_ms")?, vector("direction")?);
    let spikes = recording.array("spikes").map_err(|error| error.to_string())?;
    let (n_trials, n_bins) = (direction.len(), time.len());
    let counts: Vec<f64> = spikes.iter().copied().collect();
    let trials = Design::from(Matrix::<Cpu>::from_column(counts.clone()))
        .with_segments(Segments::from_lengths(vec![n_bins; n_trials]))
        .map_err(|error| error.to_string())?;
    let history = History::new(Window::samples(lags))
        .compute_features(&trials)
        .map_err(|error| error.to_string())?
        .to_matrix()
        .map_err(|error| error.to_string())?
        .to_array();
    let inputs = Array2::from_shape_fn((n_trials * n_bins, 2), |(row, column)| match column {
        0 => f64::from(u8::from(time[row % n_bins] >= 0.0)),
        _ => direction[row / n_bins],
    });
    let design = concatenate(Axis(1), &[inputs.view(), history.view()]).map_err(|error| error.to_string())?;
    Ok((design, counts))
}

/// Features, without the intercept, and counts of a place cell.
fn place_cell(case: Case<'_>) -> Result<(Array2<f64>, Vec<f64>), String> {
    let data = case.text("data")?;
    let recording = NpzFile::open(root().join(format!("examples/data/{data}.npz"))).map_err(|error| error.to_string())?;
    let vector = |name| recording.vector(name).map_err(|error| error.to_string());
    let (time, position, spike_times) = (vector("time")?, vector("position")?, vector("spike_times")?);
    let counts = bin_spikes(&time, &spike_times);
    let position = Array1::from(position);
    let powers: Vec<Array1<f64>> = match case.text("model")? {
        "intercept,x" => vec![position],
        "intercept,x,x^2" => vec![position.clone(), &position * &position],
        "intercept,x,x^2,direction" => vec![position.clone(), &position * &position, direction(&position)],
        "intercept,basis(x)" => return Ok((raised_cosines(case.part("basis")?, position)?, counts)),
        other => return Err(format!("the model {other:?} is not understood")),
    };
    let columns: Vec<_> = powers.iter().map(|power| power.view().insert_axis(Axis(1))).collect();
    let design = concatenate(Axis(1), &columns).map_err(|error| error.to_string())?;
    Ok((design, counts))
}

/// Counts in bins of one sample: a spike belongs to the nearest one.
pub(crate) fn bin_spikes(time: &[f64], spike_times: &[f64]) -> Vec<f64> {
    let step = time[1] - time[0];
    let mut counts = vec![0.0; time.len()];
    for spike in spike_times {
        let nearest = ((spike - time[0]) / step).round_ties_even().max(0.0) as usize;
        counts[nearest.min(time.len() - 1)] += 1.0;
    }
    counts
}

/// 1 where the next sample's position is larger, else 0.
pub(crate) fn direction(position: &Array1<f64>) -> Array1<f64> {
    let last = position.len() - 1;
    Array1::from_shape_fn(position.len(), |t| f64::from(u8::from(position[(t + 1).min(last)] > position[t])))
}

fn raised_cosines(basis: Case<'_>, position: Array1<f64>) -> Result<Array2<f64>, String> {
    basis.only_fields(&["kind", "n_basis_funcs", "width", "mode"])?;
    if (basis.text("kind")?, basis.text("mode")?) != ("RaisedCosineLinear", "eval") {
        return Err("only RaisedCosineLinear is understood".into());
    }
    let functions = RaisedCosineLinear::new(basis.number("n_basis_funcs")? as usize).width(basis.number("width")?);
    let samples = Matrix::<Cpu>::from_column(position.to_vec());
    let features = functions.compute_features(&samples).map_err(|error| error.to_string())?;
    Ok(features.to_array())
}
