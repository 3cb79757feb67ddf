//! The suite `timeseries`: what pynapple does with epochs, events and signals.

use nemos::timeseries::{Binning, IntervalSet, Nearest, Outside, Threshold, Ts, TsGroup, Tsd, TsdFrame};
use nemos_core::{Cpu, Matrix};
use serde_json::Value;

use crate::basis::{column, compare, expression, list, matrix, number, only, same, text};

/// One case of `timeseries`.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    match case["function"].as_str() {
        Some("interval_algebra") => algebra(case),
        Some("count") => count(case),
        Some("bin_average") => {
            known(case, &["bin_size"])?;
            let averaged = signal(case)?
                .restrict(&epochs(&case["epochs"])?)
                .bin_average(number(&case["bin_size"])?);
            same_signal(case, &averaged.map_err(text)?)
        }
        Some("restrict") => {
            known(case, &[])?;
            same_signal(case, &signal(case)?.restrict(&epochs(&case["epochs"])?))
        }
        Some("interpolate") => {
            known(case, &["at"])?;
            let signal = signal(case)?.restrict(&epochs(&case["epochs"])?);
            same_signal(case, &signal.interpolate(&events(&case["at"])?, Outside::Hold))
        }
        Some("value_from") => {
            known(case, &["at"])?;
            let signal = signal(case)?.restrict(&epochs(&case["epochs"])?);
            same_signal(case, &events(&case["at"])?.value_from(&signal, Nearest::Closest))
        }
        Some("threshold_above") => {
            known(case, &["threshold", "support"])?;
            let kept = signal(case)?.threshold(Threshold::Above(number(&case["threshold"])?));
            same_epochs("support", kept.support(), &case["support"])?;
            same_signal(case, &kept)
        }
        Some("epoch_convolution") => convolution(case),
        Some("tuning_curve_1d") => tuning_curve(case),
        other => Err(format!("function {other:?} is not understood")),
    }
}

fn algebra(case: &Value) -> Result<(), String> {
    let fields = ["union", "intersect", "set_diff", "total", "drop_short", "merge_close"];
    only(case, &[&["name", "function", "a", "b"], fields.as_slice()].concat())?;
    let (a, b) = (epochs(&case["a"])?, epochs(&case["b"])?);
    same_epochs("union", &a.union(&b), &case["union"])?;
    same_epochs("intersect", &a.intersection(&b), &case["intersect"])?;
    same_epochs("set_diff", &a.difference(&b), &case["set_diff"])?;
    close("total", &[a.total_length()], &[number(&case["total"])?])?;
    // The generator calls these with 5 s and 8 s.
    same_epochs("drop_short", &a.drop_short(5.0), &case["drop_short"])?;
    same_epochs("merge_close", &a.merge_close(8.0), &case["merge_close"])
}

fn count(case: &Value) -> Result<(), String> {
    only(case, &["name", "function", "spikes", "epochs", "bin_size", "times", "counts"])?;
    let units = list(&case["spikes"])?.iter().map(events).collect::<Result<Vec<Ts>, String>>()?;
    let group = TsGroup::new(units, &epochs(&case["epochs"])?);
    let counts = group.count::<Cpu>(number(&case["bin_size"])?).map_err(text)?;
    close("times", counts.sample_times(), &column(&case["times"])?)?;
    compare("counts", counts.values(), &matrix(&case["counts"])?, false)
}

fn convolution(case: &Value) -> Result<(), String> {
    known(case, &["basis", "out_epochs"])?;
    let axis = Ts::within(column(&case["times"])?, &epochs(&case["epochs"])?).map_err(text)?;
    let frame = TsdFrame::new(axis, matrix(&case["values"])?).map_err(text)?;
    let features = expression(&case["basis"])?.compute_features(&frame).map_err(text)?;
    close("times", features.sample_times(), &column(&case["out_times"])?)?;
    same_epochs("epochs", features.support(), &case["out_epochs"])?;
    compare("values", features.values(), &matrix(&case["out_values"])?, false)
}

fn tuning_curve(case: &Value) -> Result<(), String> {
    let fields = ["spikes", "feature_times", "feature_values", "epochs", "bins", "range", "curves"];
    only(case, &[&["name", "function"], fields.as_slice()].concat())?;
    let within = epochs(&case["epochs"])?;
    let units = list(&case["spikes"])?.iter().map(events).collect::<Result<Vec<Ts>, String>>()?;
    let feature = Tsd::<Cpu>::new(events(&case["feature_times"])?, column(&case["feature_values"])?).map_err(text)?;
    let bins = Binning::new(number(&case["bins"])? as usize).range(number(&case["range"][0])?, number(&case["range"][1])?);
    let curves = TsGroup::new(units, &within)
        .tuning_curves(&feature.restrict(&within), &[bins])
        .map_err(text)?;
    let expected = matrix(&case["curves"])?;
    close("curves", &curves.values().iter().copied().collect::<Vec<f64>>(), &expected.to_vec())
}

/// Refuses fields that neither all cases of signals have nor this one.
fn known(case: &Value, own: &[&str]) -> Result<(), String> {
    let common = ["name", "function", "times", "values", "epochs", "out_times", "out_values"];
    only(case, &[common.as_slice(), own].concat())
}

fn signal(case: &Value) -> Result<Tsd<Cpu>, String> {
    Tsd::new(events(&case["times"])?, Matrix::from_column(column(&case["values"])?)).map_err(text)
}

fn events(times: &Value) -> Result<Ts, String> {
    Ts::new(column(times)?).map_err(text)
}

fn epochs(value: &Value) -> Result<IntervalSet, String> {
    only(value, &["start", "end"])?;
    IntervalSet::new(column(&value["start"])?.into_iter().zip(column(&value["end"])?)).map_err(text)
}

fn same_signal(case: &Value, got: &Tsd<Cpu>) -> Result<(), String> {
    close("times", got.sample_times(), &column(&case["out_times"])?)?;
    close("values", &got.to_vec(), &column(&case["out_values"])?)
}

fn same_epochs(what: &str, got: &IntervalSet, expected: &Value) -> Result<(), String> {
    close(what, &got.starts().collect::<Vec<_>>(), &column(&expected["start"])?)?;
    close(what, &got.ends().collect::<Vec<_>>(), &column(&expected["end"])?)
}

/// Within 1e-9, and NaN where NaN is expected.
fn close(what: &str, got: &[f64], expected: &[f64]) -> Result<(), String> {
    same(&format!("number of {what}"), got.len(), expected.len())?;
    let is_close =
        |(got, expected): (&f64, &f64)| (got - expected).abs() <= 1e-9 * expected.abs().max(1.0) || got.is_nan() && expected.is_nan();
    match got.iter().zip(expected).position(|pair| !is_close(pair)) {
        Some(row) => Err(format!("{what}: row {row} is {}, not {}", got[row], expected[row])),
        None => Ok(()),
    }
}
