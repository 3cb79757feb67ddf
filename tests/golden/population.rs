//! The suite `population`: models of many neurons that share a design.

use nemos::core::{Cpu, Matrix};
use nemos::glm::{InverseLink, ObservationModel, Poisson, PopulationGlm, Score, Softplus};
use nemos_testkit::{Case, Tolerance};
use serde_json::Value;

use crate::glm::{SCORES, regularizer, solver};

/// Fits one case and compares what the fit gives.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let case = Case::new(case);
    case.only_fields(&[
        "name",
        "X",
        "y",
        "observation",
        "inverse_link",
        "observation_scale",
        "regularizer",
        "strength",
        "feature_mask",
        "fitted",
    ])?;
    if !case.field("feature_mask")?.is_null() {
        return Err("feature masks are not understood".into());
    }
    match (case.text("observation")?, case.text("inverse_link")?) {
        ("Poisson", "exp") => compare(PopulationGlm::new(Poisson), case),
        ("Poisson", "softplus") => compare(PopulationGlm::new(Poisson).link(Softplus), case),
        (observation, link) => Err(format!("{observation} with {link} is not understood")),
    }
}

fn compare<O: ObservationModel, L: InverseLink>(glm: PopulationGlm<O, L>, case: Case<'_>) -> Result<(), String> {
    let design = Matrix::<Cpu>::from_array(case.matrix("X")?.view());
    let counts = Matrix::from_array(case.matrix("y")?.view());
    let expected = case.part("fitted")?;
    expected.only_fields(&[
        "coef",
        "intercept",
        "scale",
        "dof_resid",
        "rate",
        "log-likelihood",
        "pseudo-r2-McFadden",
        "pseudo-r2-Cohen",
        "neuron_scores",
    ])?;
    let text = |error: nemos::glm::Error| error.to_string();
    let fitted = glm
        .regularizer(regularizer(case)?)
        .fit_with(&solver(), &design, &counts)
        .map_err(text)?;
    let (smooth, score) = (Tolerance::SMOOTH_FIT, Tolerance::SCORE);
    let flat = |name| Ok::<_, String>(expected.array(name)?.iter().copied().collect::<Vec<f64>>());
    smooth.check("coef", &fitted.coef().iter().copied().collect::<Vec<_>>(), &flat("coef")?)?;
    smooth.check("intercept", fitted.intercept(), &flat("intercept")?)?;
    let first = design.rows(0..10).map_err(|error| error.to_string())?;
    smooth.check("rate", &fitted.predict(&first).map_err(text)?.to_vec(), &flat("rate")?)?;
    score.check("scale", &fitted.scale(), &flat("scale")?)?;
    if fitted.dof_resid() != flat("dof_resid")? {
        return Err(format!("dof_resid is {:?}, not {:?}", fitted.dof_resid(), flat("dof_resid")?));
    }
    for (name, kind) in SCORES {
        let got = fitted.score(&design, &counts, kind).map_err(text)?;
        score.check(name, &[got], &[expected.number(name)?])?;
    }
    let by_neuron = fitted.score_by_neuron(&design, &counts, Score::McFadden).map_err(text)?;
    score.check("neuron_scores", &by_neuron, &flat("neuron_scores")?)
}
