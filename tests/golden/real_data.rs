//! The suite `real_data`: the recordings in `examples/data`, fitted by statsmodels.

use ndarray::{Array1, Array2, Axis, concatenate};
use nemos::basis::{Family, RaisedCosineLinear};
use nemos::core::{Cpu, Matrix};
use nemos::glm::{Glm, Poisson, Score};
use nemos::io::NpzFile;
use nemos_testkit::{Case, Tolerance};
use serde_json::Value;

use crate::glm::solver;
use crate::pending::FIELDS_NOT_COMPARED;
use crate::suite::root;

const FIELDS_COMPARED: &[&str] = &["params", "log_likelihood", "deviance"];

/// Fits one case and compares coefficients, log-likelihood and deviance.
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
        "fitted",
    ])?;
    if (case.text("observation")?, case.text("inverse_link")?) != ("Poisson", "exp") {
        return Err("only Poisson observations with exp are understood".into());
    }
    let expected = case.part("fitted")?;
    expected.only_fields(&[FIELDS_COMPARED, FIELDS_NOT_COMPARED].concat())?;
    let (design, counts) = place_cell(case)?;
    let design = Matrix::<Cpu>::from_array(design.view());
    let counts = Matrix::from_column(counts);
    let fitted = Glm::new(Poisson)
        .fit_with(&solver(), &design, &counts)
        .map_err(|error| error.to_string())?;
    let params = [&[fitted.intercept()], fitted.coef()].concat();
    let tolerance = Tolerance::RECORDING_FIT;
    tolerance.check("params", &params, &expected.vector("params")?.to_vec())?;
    let n_samples = counts.dims()[0] as f64;
    let score = |kind| fitted.score(&design, &counts, kind).map_err(|error| error.to_string());
    let log_likelihood = n_samples * score(Score::LogLikelihood)?;
    tolerance.check("log_likelihood", &[log_likelihood], &[expected.number("log_likelihood")?])?;
    let rate = fitted.predict(&design).map_err(|error| error.to_string())?.to_vec();
    let deviance = poisson_deviance(&counts.to_vec(), &rate);
    tolerance.check("deviance", &[deviance], &[expected.number("deviance")?])
}

/// `2 Σ y ln(y ÷ rate) − (y − rate)`, where `0 ln 0` is 0.
fn poisson_deviance(counts: &[f64], rate: &[f64]) -> f64 {
    let term = |(&count, &rate): (&f64, &f64)| {
        if count == 0.0 {
            rate
        } else {
            count * (count / rate).ln() - (count - rate)
        }
    };
    2.0 * counts.iter().zip(rate).map(term).sum::<f64>()
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
fn bin_spikes(time: &[f64], spike_times: &[f64]) -> Vec<f64> {
    let step = time[1] - time[0];
    let mut counts = vec![0.0; time.len()];
    for spike in spike_times {
        let nearest = ((spike - time[0]) / step).round_ties_even().max(0.0) as usize;
        counts[nearest.min(time.len() - 1)] += 1.0;
    }
    counts
}

/// 1 where the next sample's position is larger, else 0.
fn direction(position: &Array1<f64>) -> Array1<f64> {
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
