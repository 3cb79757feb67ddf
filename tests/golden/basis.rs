//! The suites `basis`, `composite` and `convolve`.

use nemos_basis::{
    BSpline, Basis, Causality, CyclicBSpline, Decay, Fourier, History, Identity, MSpline, OrthogonalizedExponential, RaisedCosineLinear,
    RaisedCosineLog, Shift, Window, convolve,
};
use nemos_core::{Cpu, Matrix};
use serde_json::Value;

/// One case of `basis` or `composite`: features, grid and split.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    only(case, &["name", "basis", "inputs", "features", "grid", "n_basis_funcs", "split"])?;
    let basis = expression(&case["basis"])?;
    let by_sign = case["basis"]["kind"] == "OrthExponential";
    let inputs = list(&case["inputs"])?.iter().map(matrix).collect::<Result<Vec<_>, _>>()?;
    if let Some(expected) = case.get("features") {
        let inputs: Vec<&Matrix<Cpu>> = inputs.iter().collect();
        let features = basis.compute_features(inputs.as_slice()).map_err(text)?;
        compare("features", &features, &matrix(expected)?, by_sign)?;
    }
    if let Some(expected) = case.get("n_basis_funcs") {
        same("functions", basis.n_functions() as u64, number(expected)? as u64)?;
    }
    if let Some(expected) = case.get("split") {
        let widths: Vec<usize> = inputs.iter().map(|input| input.dims()[1]).collect();
        split(&basis, &widths, inputs[0].dims()[0], expected)?;
    }
    match case.get("grid") {
        Some(expected) => grid(&basis, expected, by_sign),
        None => Ok(()),
    }
}

/// One case of `convolve`.
pub(crate) fn run_convolve(case: &Value) -> Result<(), String> {
    only(case, &["name", "kernel", "series", "predictor_causality", "shift", "output"])?;
    let kernel = matrix(&case["kernel"])?.to_array();
    let series = matrix(&case["series"])?;
    let causality = causality(&case["predictor_causality"], &case["shift"])?;
    let output = convolve(kernel.view(), &series, causality).map_err(text)?;
    compare("output", &output, &matrix(&case["output"])?, false)
}

pub(crate) fn expression(value: &Value) -> Result<Basis, String> {
    match value.get("op").and_then(Value::as_str) {
        None => family(value),
        Some("pow") => {
            only(value, &["op", "base", "exponent"])?;
            Ok(expression(&value["base"])?.pow(number(&value["exponent"])? as usize))
        }
        Some(operator) => {
            only(value, &["op", "left", "right"])?;
            let (left, right) = (expression(&value["left"])?, expression(&value["right"])?);
            match operator {
                "add" => Ok(left + right),
                "mul" => Ok(left * right),
                other => Err(format!("operator {other} is not understood")),
            }
        }
    }
}

fn family(value: &Value) -> Result<Basis, String> {
    const COMMON: [&str; 6] = ["kind", "mode", "bounds", "window_size", "predictor_causality", "label"];
    let options = |own: &[&str]| only(value, &[&COMMON, own].concat());
    let n = || Ok::<usize, String>(number(&value["n_basis_funcs"])? as usize);
    let order = || Ok::<usize, String>(number(&value["order"])? as usize);
    let bounds = match value.get("bounds") {
        Some(pair) => column(pair)?,
        None => Vec::new(),
    };
    macro_rules! bounded {
        ($family:expr) => {
            match bounds.as_slice() {
                [] => $family.into(),
                [low, high] => $family.bounds(*low, *high).into(),
                _ => return Err("bounds are not a pair".into()),
            }
        };
    }
    let window = match value.get("window_size") {
        Some(window) => {
            let missing = Value::from("causal");
            let side = value.get("predictor_causality").unwrap_or(&missing);
            Some(Window::samples(number(window)? as usize).causality(causality(side, &Value::Null)?))
        }
        None => None,
    };
    let basis: Basis = match value["kind"].as_str().unwrap_or_default() {
        "BSpline" => options(&["n_basis_funcs", "order"]).and(Ok(bounded!(BSpline::new(n()?).order(order()?))))?,
        "CyclicBSpline" => options(&["n_basis_funcs", "order"]).and(Ok(bounded!(CyclicBSpline::new(n()?).order(order()?))))?,
        "MSpline" => options(&["n_basis_funcs", "order"]).and(Ok(bounded!(MSpline::new(n()?).order(order()?))))?,
        "RaisedCosineLinear" => {
            options(&["n_basis_funcs", "width"])?;
            let width = value.get("width").map_or(Ok(2.0), number)?;
            bounded!(RaisedCosineLinear::new(n()?).width(width))
        }
        "RaisedCosineLog" => {
            options(&["n_basis_funcs", "width", "time_scaling", "enforce_decay_to_zero"])?;
            let given = |name: &str| value.get(name).filter(|value| !value.is_null());
            let mut family = RaisedCosineLog::new(n()?);
            if let Some(width) = given("width") {
                family = family.width(number(width)?);
            }
            if let Some(scaling) = given("time_scaling") {
                family = family.time_scaling(number(scaling)?);
            }
            if given("enforce_decay_to_zero") == Some(&Value::Bool(false)) {
                family = family.decay(Decay::Open);
            }
            bounded!(family)
        }
        "OrthExponential" => {
            options(&["n_basis_funcs", "decay_rates"])?;
            bounded!(OrthogonalizedExponential::new(column(&value["decay_rates"])?))
        }
        "Fourier" => {
            options(&["frequencies", "frequency_mask"])?;
            let fourier = Fourier::new(number(&value["frequencies"])? as usize);
            match value.get("frequency_mask").and_then(Value::as_str) {
                None => bounded!(fourier),
                Some("all") => bounded!(fourier.with_constant()),
                Some(other) => return Err(format!("frequency mask {other} is not understood")),
            }
        }
        "Identity" => options(&[]).and(Ok(bounded!(Identity::new())))?,
        "History" => options(&[]).and(window.map(|window| History::new(window).into()).ok_or("no window".into()))?,
        other => return Err(format!("kind {other} is not understood")),
    };
    let basis = match (value["mode"].as_str(), window) {
        (Some("eval"), None) => basis,
        (Some("conv"), Some(window)) => basis.convolved(window),
        (mode, _) => return Err(format!("mode {mode:?} is not understood, or has no window")),
    };
    Ok(match value["label"].as_str() {
        Some(label) => basis.label(label),
        None => basis,
    })
}

fn causality(side: &Value, shift: &Value) -> Result<Causality, String> {
    let shifted = match shift {
        Value::Null | Value::Bool(true) => Shift::OneSample,
        Value::Bool(false) => Shift::None,
        other => return Err(format!("shift {other} is not understood")),
    };
    match (side.as_str(), shift) {
        (Some("causal"), _) => Ok(Causality::Causal(shifted)),
        (Some("anti-causal"), _) => Ok(Causality::AntiCausal(shifted)),
        (Some("acausal"), Value::Null | Value::Bool(false)) => Ok(Causality::Acausal),
        _ => Err(format!("causality {side} with shift {shift} is not understood")),
    }
}

fn split(basis: &Basis, widths: &[usize], n_samples: usize, expected: &Value) -> Result<(), String> {
    let features = ndarray::Array2::<f64>::zeros((n_samples, basis.n_output_features(widths).map_err(text)?));
    let parts = basis
        .layout(widths)
        .and_then(|layout| layout.split_by_axis(features.view(), 1))
        .map_err(text)?;
    let expected = expected.as_object().ok_or("split is not an object")?;
    same("parts", parts.len(), expected.len())?;
    // Cases list parts by name, which for two labelled parts is their order; a label that NeMoS made up is not compared.
    for ((label, part), (name, shape)) in parts.iter().zip(expected) {
        let shape: Vec<usize> = column(shape)?.into_iter().map(|length| length as usize).collect();
        same("shape of a part", part.shape(), shape.as_slice())?;
        if !name.contains("Eval") && !name.contains("Conv") {
            same("label", label, name)?;
        }
    }
    Ok(())
}

fn grid(basis: &Basis, expected: &Value, by_sign: bool) -> Result<(), String> {
    only(expected, &["n", "points", "values"])?;
    let n: Vec<usize> = column(&expected["n"])?.into_iter().map(|points| points as usize).collect();
    let grid = basis.on_grid(&n).map_err(text)?;
    for (input, points) in list(&expected["points"])?.iter().enumerate() {
        let points = Matrix::<Cpu>::from_column(flat(points)?);
        compare("grid points", &grid.points.column(input).to_vec().into(), &points, false)?;
    }
    let values = Matrix::from_vec(flat(&expected["values"])?, grid.values.dim().into()).map_err(text)?;
    compare("grid values", &grid.values.into(), &values, by_sign)
}

/// NaN where NaN is expected, and 1e-8 relative with 1e-10 absolute elsewhere; up to the sign of each column where that is arbitrary.
pub(crate) fn compare(what: &str, got: &Matrix<Cpu>, expected: &Matrix<Cpu>, by_sign: bool) -> Result<(), String> {
    let n_columns = got.dims()[1];
    same("number of values", got.to_vec().len(), expected.to_vec().len())?;
    let (got, expected) = (got.to_vec(), expected.to_vec());
    for column in 0..n_columns {
        let pairs = || (column..got.len()).step_by(n_columns).map(|at| (at, got[at], expected[at]));
        let overlap: f64 = pairs()
            .filter(|(_, got, expected)| !(got * expected).is_nan())
            .map(|(_, got, expected)| got * expected)
            .sum();
        let sign = if by_sign && overlap < 0.0 { -1.0 } else { 1.0 };
        for (at, got, expected) in pairs() {
            let close = (sign * got - expected).abs() <= 1e-10 + 1e-8 * expected.abs() || got.is_nan() && expected.is_nan();
            if !close {
                return Err(format!("{what}: row {}, column {column} is {got}, not {expected}", at / n_columns));
            }
        }
    }
    Ok(())
}

pub(crate) fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: T, expected: T) -> Result<(), String> {
    if got == expected {
        Ok(())
    } else {
        Err(format!("{what}: {got:?}, not {expected:?}"))
    }
}

pub(crate) fn only(value: &Value, known: &[&str]) -> Result<(), String> {
    let fields = value.as_object().ok_or("not an object")?;
    match fields.keys().find(|field| !known.contains(&field.as_str())) {
        Some(field) => Err(format!("field {field} is not understood")),
        None => Ok(()),
    }
}

/// An array of any depth as a matrix: rows by the first axis.
pub(crate) fn matrix(value: &Value) -> Result<Matrix<Cpu>, String> {
    let values = flat(value)?;
    let rows = list(value)?.len();
    Matrix::from_vec(values.clone(), [rows, values.len() / rows.max(1)]).map_err(text)
}

pub(crate) fn column(value: &Value) -> Result<Vec<f64>, String> {
    list(value)?.iter().map(number).collect()
}

fn flat(value: &Value) -> Result<Vec<f64>, String> {
    match value {
        Value::Array(values) => values.iter().map(flat).collect::<Result<Vec<_>, _>>().map(|rows| rows.concat()),
        _ => Ok(vec![number(value)?]),
    }
}

pub(crate) fn list(value: &Value) -> Result<&Vec<Value>, String> {
    value.as_array().ok_or_else(|| format!("{value} is not a list"))
}

pub(crate) fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Null => Ok(f64::NAN),
        Value::String(text) if text == "inf" => Ok(f64::INFINITY),
        Value::String(text) if text == "-inf" => Ok(f64::NEG_INFINITY),
        _ => value.as_f64().ok_or_else(|| format!("{value} is not a number")),
    }
}

pub(crate) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
