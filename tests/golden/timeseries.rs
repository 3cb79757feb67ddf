//! The suite `timeseries`: what pynapple does with epochs, events and signals.

use nemos_core::{Cpu, Matrix};
use nemos_timeseries::{Binning, IntervalSet, Nearest, Outside, Signal, Threshold, Ts, TsGroup, Tsd, TsdFrame};
use serde_json::Value;

use crate::basis::{column, expression, flat, list, matrix, number, only, same, text};

/// One case, by its function.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    match case["function"].as_str().unwrap_or_default() {
        "interval_algebra" => interval_algebra(case),
        "count" => count(case),
        "bin_average" => signal(case, &["bin_size"], |signal| {
            signal.bin_average(number(&case["bin_size"])?).map_err(text)
        }),
        "restrict" => signal(case, &[], Ok),
        "interpolate" => signal(case, &["at"], |signal| Ok(signal.interpolate(&events(&case["at"])?, Outside::Hold))),
        "value_from" => signal(case, &["at"], |signal| {
            Ok(events(&case["at"])?.value_from(&signal, Nearest::Closest))
        }),
        "threshold_above" => threshold(case),
        "tuning_curve_1d" => tuning_curve(case),
        "epoch_convolution" => epoch_convolution(case),
        other => Err(format!("function {other} is not understood")),
    }
}

fn interval_algebra(case: &Value) -> Result<(), String> {
    only(
        case,
        &[
            "name",
            "function",
            "a",
            "b",
            "union",
            "intersect",
            "set_diff",
            "total",
            "drop_short",
            "merge_close",
        ],
    )?;
    let (a, b) = (intervals(&case["a"])?, intervals(&case["b"])?);
    close("total", &[a.total_length()], &[number(&case["total"])?])?;
    let results = [
        ("union", a.union(&b)),
        ("intersect", a.intersection(&b)),
        ("set_diff", a.difference(&b)),
        ("drop_short", a.drop_short(5.0)),
        ("merge_close", a.merge_close(8.0)),
    ];
    results
        .into_iter()
        .try_for_each(|(name, got)| same_intervals(name, &got, &case[name]))
}

fn count(case: &Value) -> Result<(), String> {
    only(case, &["name", "function", "spikes", "epochs", "bin_size", "times", "counts"])?;
    let counts = units(&case["spikes"])?
        .restrict(&intervals(&case["epochs"])?)
        .count::<Cpu>(number(&case["bin_size"])?)
        .map_err(text)?;
    close("times", counts.sample_times(), &column(&case["times"])?)?;
    same("counts", counts.values().to_vec(), flat(&case["counts"])?)
}

/// A case that makes one signal of another within epochs.
fn signal(case: &Value, options: &[&str], work: impl Fn(Tsd<Cpu>) -> Result<Tsd<Cpu>, String>) -> Result<(), String> {
    let known = ["name", "function", "times", "values", "epochs", "out_times", "out_values"];
    only(case, &[known.as_slice(), options].concat())?;
    let epochs = intervals(&case["epochs"])?;
    let got = work(tsd(&case["times"], &case["values"])?.restrict(&epochs))?;
    same("support", got.support(), &epochs)?;
    close("times", got.sample_times(), &column(&case["out_times"])?)?;
    close("values", &got.to_vec(), &column(&case["out_values"])?)
}

fn threshold(case: &Value) -> Result<(), String> {
    only(
        case,
        &[
            "name",
            "function",
            "times",
            "values",
            "threshold",
            "out_times",
            "out_values",
            "support",
        ],
    )?;
    let session = IntervalSet::new([(0.0, 50.0)]).map_err(text)?;
    let signal = tsd(&case["times"], &case["values"])?.restrict(&session);
    let got = signal.threshold(Threshold::Above(number(&case["threshold"])?));
    close("times", got.sample_times(), &column(&case["out_times"])?)?;
    close("values", &got.to_vec(), &column(&case["out_values"])?)?;
    same_intervals("support", got.support(), &case["support"])
}

fn tuning_curve(case: &Value) -> Result<(), String> {
    only(
        case,
        &[
            "name",
            "function",
            "spikes",
            "feature_times",
            "feature_values",
            "epochs",
            "bins",
            "range",
            "curves",
        ],
    )?;
    let feature = tsd(&case["feature_times"], &case["feature_values"])?.restrict(&intervals(&case["epochs"])?);
    let bins = Binning::new(number(&case["bins"])? as usize).range(number(&case["range"][0])?, number(&case["range"][1])?);
    let curves = units(&case["spikes"])?.tuning_curves(&feature, &[bins]).map_err(text)?;
    close(
        "curves",
        &curves.values().iter().copied().collect::<Vec<_>>(),
        &flat(&case["curves"])?,
    )
}

fn epoch_convolution(case: &Value) -> Result<(), String> {
    only(
        case,
        &[
            "name",
            "function",
            "times",
            "values",
            "epochs",
            "basis",
            "out_times",
            "out_values",
            "out_epochs",
        ],
    )?;
    let axis = Ts::within(column(&case["times"])?, &intervals(&case["epochs"])?).map_err(text)?;
    let series = TsdFrame::new(axis, matrix(&case["values"])?).map_err(text)?;
    let features = expression(&case["basis"])?.compute_features(&series).map_err(text)?;
    close("times", features.sample_times(), &column(&case["out_times"])?)?;
    close("values", &features.values().to_vec(), &flat(&case["out_values"])?)?;
    same_intervals("epochs", features.support(), &case["out_epochs"])
}

/// NaN where NaN is expected, and 1e-9 elsewhere, relative to the size of the value if it is above one.
fn close(what: &str, got: &[f64], expected: &[f64]) -> Result<(), String> {
    same(&format!("number of {what}"), got.len(), expected.len())?;
    for (at, (got, expected)) in got.iter().zip(expected).enumerate() {
        let is_close = (got - expected).abs() <= 1e-9 * expected.abs().max(1.0) || got.is_nan() && expected.is_nan();
        if !is_close {
            return Err(format!("{what}: entry {at} is {got}, not {expected}"));
        }
    }
    Ok(())
}

fn same_intervals(what: &str, got: &IntervalSet, expected: &Value) -> Result<(), String> {
    close(what, &got.starts().collect::<Vec<_>>(), &column(&expected["start"])?)?;
    close(what, &got.ends().collect::<Vec<_>>(), &column(&expected["end"])?)
}

fn intervals(value: &Value) -> Result<IntervalSet, String> {
    only(value, &["start", "end"])?;
    IntervalSet::new(column(&value["start"])?.into_iter().zip(column(&value["end"])?)).map_err(text)
}

fn events(value: &Value) -> Result<Ts, String> {
    Ts::new(column(value)?).map_err(text)
}

/// Units over the fifty seconds that the generator drew them from.
fn units(value: &Value) -> Result<TsGroup, String> {
    let units = list(value)?.iter().map(events).collect::<Result<Vec<_>, _>>()?;
    Ok(TsGroup::new(units, &IntervalSet::new([(0.0, 50.0)]).map_err(text)?))
}

fn tsd(times: &Value, values: &Value) -> Result<Tsd<Cpu>, String> {
    Tsd::new(events(times)?, Matrix::from_column(column(values)?)).map_err(text)
}
