//! Fits for programs that draw problems: what `tests/interop/fits.py` talks to.
//!
//! A question is a line of JSON and the numbers that it announces, 8 bytes each, in the order design, counts, weights,
//! offset, mask, strengths. The answer is a line of JSON. Lines that do not begin with a brace are the harness's.

use std::io::{BufRead, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use ndarray::Array2;
use nemos::glm::Strength;
use nemos::solvers::Stopping;
use serde_json::{Value, json};

use crate::fits::{Found, How, Problem, fit, regularizer};

/// Answers until standard input ends.
pub(crate) fn serve() {
    let mut input = std::io::BufReader::new(std::io::stdin().lock());
    let mut line = String::new();
    loop {
        line.clear();
        if input.read_line(&mut line).expect("standard input is open") == 0 {
            return;
        }
        let question: Value = serde_json::from_str(&line).expect("a question in JSON");
        let (problem, how) = read(&question, &mut input).expect("a whole question");
        let answer = match catch_unwind(AssertUnwindSafe(|| fit(&problem, &how))) {
            Ok(Ok(found)) => told(&found),
            Ok(Err(error)) => json!({ "error": error }),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                json!({ "panic": text.or(panic.downcast_ref::<&str>().map(ToString::to_string)) })
            }
        };
        let mut output = std::io::stdout().lock();
        writeln!(output, "{answer}").expect("standard output is open");
        output.flush().expect("standard output is open");
    }
}

fn read(question: &Value, input: &mut impl Read) -> Result<(Problem, How), String> {
    let size = |name: &str| question[name].as_u64().map(|size| size as usize);
    let need = |name: &str| size(name).ok_or(format!("{name} is missing"));
    let text = |name: &str, otherwise: &str| question[name].as_str().unwrap_or(otherwise).to_owned();
    let (n, p, m) = (need("n")?, need("p")?, need("m")?);
    let mut numbers = |rows: usize, columns: usize| -> Result<Array2<f64>, String> {
        let mut bytes = vec![0; rows * columns * 8];
        input.read_exact(&mut bytes).map_err(|error| error.to_string())?;
        let values = bytes.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes));
        Array2::from_shape_vec((rows, columns), values.collect()).map_err(|error| error.to_string())
    };
    let (design, counts) = (numbers(n, p)?, numbers(n, m)?);
    let weights = size("wcols").map(|columns| numbers(n, columns)).transpose()?;
    let offset = size("ocols").map(|columns| numbers(n, columns)).transpose()?;
    let mask = if question["mask"] == true { Some(numbers(p, m)?) } else { None };
    let strengths = size("nstrength")
        .map(|n| numbers(1, n))
        .transpose()?
        .map(|all| all.into_raw_vec_and_offset().0);
    let listed = || strengths.clone().ok_or("strengths are missing");
    let strength = match question["strength_kind"].as_str() {
        Some("feature") => Strength::PerFeature(listed()?),
        Some("neuron") => Strength::PerNeuron(listed()?),
        Some("coef") => Strength::PerCoefficient(Array2::from_shape_vec((p, m), listed()?).map_err(|error| error.to_string())?),
        Some("group") => Strength::PerGroup(listed()?),
        _ => Strength::Shared(question["strength"].as_f64().unwrap_or(0.0)),
    };
    let groups: Option<Vec<Vec<usize>>> = serde_json::from_value(question["groups"].clone()).map_err(|error| error.to_string())?;
    let share = question["share"].as_f64().unwrap_or(1.0);
    let mut stopping = Stopping::new();
    if let Some(tolerance) = question["tol"].as_f64() {
        stopping = stopping.tolerance(tolerance);
    }
    if let Some(steps) = size("max_steps") {
        stopping = stopping.max_steps(steps);
    }
    let problem = Problem {
        design,
        counts,
        family: text("family", ""),
        link: text("link", ""),
        dispersion: question["nb_scale"].as_f64(),
        regularizer: regularizer(&text("penalty", "none"), strength, share, groups)?,
        weights,
        offset,
        mask: mask.map(|mask| mask.mapv(|flag| flag != 0.0)),
    };
    let how = How {
        solver: text("solver", "Auto"),
        single: question["backend"] == "f32",
        stopping,
        scores: question["scores"] == true,
    };
    Ok((problem, how))
}

fn told(found: &Found) -> Value {
    let columns = &found.outcome.columns;
    let each = |of: fn(&nemos::solvers::ColumnOutcome) -> f64| list(columns.iter().map(of));
    let mut answer = json!({
        "coef": found.coef.columns().into_iter().map(|column| list(column.iter().copied())).collect::<Vec<_>>(),
        "intercept": list(found.intercept.iter().copied()),
        "scale": list(found.scale.iter().copied()),
        "dof": list(found.dof_resid.iter().copied()),
        "status": columns.iter().map(|column| format!("{:?}", column.status)).collect::<Vec<_>>(),
        "steps": columns.iter().map(|column| column.steps).collect::<Vec<_>>(),
        "evals": columns.iter().map(|column| column.evaluations).collect::<Vec<_>>(),
        "value": each(|column| column.value),
        "gnorm": each(|column| column.gradient_norm),
        "decrement": each(|column| column.decrement),
        "rank": columns.iter().map(|column| column.rank).collect::<Vec<_>>(),
        "solver": found.outcome.solver,
    });
    for (name, values) in &found.scores {
        answer[*name] = match values {
            Ok(values) => list(values.iter().copied()),
            Err(error) => json!(error),
        };
    }
    answer
}

/// Numbers, of which those that JSON has not are words.
fn list(values: impl Iterator<Item = f64>) -> Value {
    let number = |value: f64| {
        if value.is_finite() {
            json!(value)
        } else {
            json!(value.to_string())
        }
    };
    values.map(number).collect()
}
