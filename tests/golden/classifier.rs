//! The suite `classifier`: models of classes.

use nemos::core::{Backend, Cpu, Matrix};
use nemos::glm::{ClassifierGlm, Score};
use nemos::solvers::Stopping;
use nemos_testkit::{Case, Tolerance};
use serde_json::Value;

use crate::glm::stopping;
use crate::model::regularizer;

/// Fits one case in both precisions and compares what the fits give.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let case = Case::new(case);
    case.only_fields(&["name", "X", "y", "n_classes", "regularizer", "strength", "fitted"])?;
    compare::<Cpu>(case, Tolerance::LOG_PROBABILITY, stopping())?;
    compare::<Cpu<f32>>(case, Tolerance::SINGLE, Stopping::new()).map_err(|why| format!("in f32, {why}"))
}

/// The same in single precision on a backend of its own kind.
pub(crate) fn run_on<B: Backend>(case: &Value) -> Result<(), String> {
    compare::<B>(Case::new(case), Tolerance::SINGLE, Stopping::new())
}

fn compare<B: Backend>(case: Case<'_>, tolerance: Tolerance, stopping: Stopping) -> Result<(), String> {
    let text = |error: nemos::glm::Error| error.to_string();
    let design = Matrix::<B>::from_array(case.matrix("X")?.view());
    let labels = Matrix::from_column(case.vector("y")?.to_vec());
    let model = ClassifierGlm::new(case.number("n_classes")? as usize)
        .regularizer(regularizer(case)?)
        .stopping(stopping);
    let fitted = model
        .fit(&design, &labels)
        .and_then(|fitted| fitted.require_converged())
        .map_err(text)?;
    let expected = case.part("fitted")?;
    expected.only_fields(&["log_probability", "label", "log-likelihood"])?;
    let first = design.rows(0..20).map_err(|error| error.to_string())?;
    let log_probability = fitted.predict_log_probability(&first).map_err(text)?.to_vec();
    let flat: Vec<f64> = expected.array("log_probability")?.iter().copied().collect();
    tolerance.check("log_probability", &log_probability, &flat)?;
    let predicted = fitted.predict(&first).map_err(text)?.to_vec();
    Tolerance::FORMULA.check("label", &predicted, &expected.vector("label")?.to_vec())?;
    let score = fitted.score(&design, &labels, Score::LogLikelihood).map_err(text)?;
    tolerance.check("log-likelihood", &[score], &[expected.number("log-likelihood")?])
}
