//! The suite `field`: fits that went wrong once, in this library or another.
//!
//! `Converged` is a proven statement: the objective at the coefficients, computed anew here, is within
//! `1e-8 · max(|minimum|, 1/n)` of the minimum (`1e-5` in single precision) and within a hundredth of a nat in all.
//! `NoMaximum` stands where no finite minimum exists, and there alone.

use ndarray::{Array2, Axis};
use nemos::solvers::{Status, Stopping};
use nemos_testkit::Case;
use serde_json::Value;

use crate::fits::{How, Problem, fit, regularizer};
use crate::objective::Recomputed;

/// Recorded minima that no parameters reach. Of the first three the features hold a constant, and the minima were taken at
/// coefficients of it so large that the rounding of its products acted as a feature of its own: without the constant, a simplex search
/// ends where the fits do. Those of the last ones were taken at probabilities above one, as which a log link gave them.
const TOO_LOW: [&str; 5] = [
    "const_dup-CONVERGED-GAP-0",
    "const_dup-CONVERGED-GAP-2",
    "const_dup-CONVERGED-GAP-4",
    "nonconvex-nonconvex-StepLimit-0",
    "nonconvex-nonconvex-StepLimit-2",
];

/// Fits one case and judges how the fit says that it ended.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let case = Case::new(case);
    case.only_fields(&["name", "backend", "solver", "problem", "minimum", "separable", "coef", "seen"])?;
    let problem = problem(case.part("problem")?)?;
    let how = How {
        solver: case.text("solver")?.into(),
        single: case.text("backend")? == "f32",
        stopping: Stopping::new(),
        scores: false,
    };
    let found = fit(&problem, &how)?;
    let name = case.text("name")?;
    let minimum = case.field("minimum")?.as_f64();
    let separable = case.field("separable")?.as_bool();
    let n_neurons = problem.counts.ncols();
    for (neuron, column) in found.outcome.columns.iter().enumerate() {
        let coef: Vec<f64> = found.coef.column(neuron).to_vec();
        let of_neuron = Recomputed::new(&problem, neuron, found.scale[neuron]);
        let got = of_neuron.at(&coef, found.intercept[neuron]);
        let status = column.status;
        let say = |what: String| Err(format!("{status:?} after {} evaluations: {what}", column.evaluations));
        let rounding = if how.single { 1e-5 } else { 1e-10 };
        if (column.value - got.value).abs() > rounding * got.magnitude {
            return say(format!("the objective is {:e}, not {:e}", got.value, column.value));
        }
        match (status, separable) {
            (Status::NoMaximum, Some(true)) => continue,
            (Status::NoMaximum, _) if of_neuron.on_edge() => continue,
            (Status::NoMaximum, Some(false)) => return say("there is a maximum".into()),
            (Status::NoMaximum, None) if of_neuron.is_bounded() => return say("the penalty bounds the fit".into()),
            (Status::NoMaximum, None) => continue,
            (Status::Converged, Some(true)) => return say("there is no maximum".into()),
            _ => {}
        }
        // A minimum is of one neuron.
        let Some(minimum) = minimum.filter(|_| n_neurons == 1 && !TOO_LOW.contains(&name)) else {
            continue;
        };
        let gap = got.value - minimum;
        let n = of_neuron.n_rows() as f64;
        let close = if how.single { 1e-5 } else { 1e-8 };
        let allowed = close * minimum.abs().max(1.0 / n);
        let rounding = 1e-14 * got.magnitude;
        if status == Status::Converged && (gap > allowed + rounding || gap * n > 0.01 + rounding * n) {
            return say(format!("{gap:e} above the minimum of {minimum:e}, {:e} nats", gap * n));
        }
        // A fit that ends below what was found before may say what it likes of itself.
        if status != Status::Converged && gap >= -allowed {
            return say(format!("{gap:e} above the minimum of {minimum:e}"));
        }
    }
    Ok(())
}

fn problem(case: Case<'_>) -> Result<Problem, String> {
    case.only_fields(&[
        "X", "y", "family", "link", "penalty", "strength", "share", "groups", "weights", "offset", "mask", "nb_scale",
    ])?;
    let given = |name: &str| case.field(name).is_ok_and(|value| !value.is_null());
    let columns = |name: &str| -> Result<Array2<f64>, String> {
        let array = case.array(name)?;
        match array.ndim() {
            1 => Ok(case.vector(name)?.insert_axis(Axis(1))),
            _ => case.matrix(name),
        }
    };
    let optional = |name: &str| given(name).then(|| columns(name)).transpose();
    let number = |name: &str| given(name).then(|| case.number(name)).transpose();
    let penalty = if given("penalty") { case.text("penalty")? } else { "none" };
    let groups = given("groups").then(|| serde_json::from_value(case.field("groups")?.clone()).map_err(|error| error.to_string()));
    Ok(Problem {
        design: case.matrix("X")?,
        counts: columns("y")?,
        family: case.text("family")?.into(),
        link: case.text("link")?.into(),
        dispersion: number("nb_scale")?,
        regularizer: regularizer(
            penalty,
            number("strength")?.unwrap_or(0.0),
            number("share")?.unwrap_or(1.0),
            groups.transpose()?,
        )?,
        weights: optional("weights")?,
        offset: optional("offset")?,
        mask: optional("mask")?.map(|mask| mask.mapv(|flag| flag != 0.0)),
    })
}
