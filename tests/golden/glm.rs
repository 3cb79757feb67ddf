//! The suite `glm`: models of one neuron.

use nemos::core::{Cpu, Matrix};
use nemos::glm::{Glm, InverseLink, ObservationModel, Poisson, Score, Softplus};
use nemos::solvers::{Auto, Regularizer};
use nemos_testkit::{Case, Tolerance};
use serde_json::Value;

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
        "groups",
        "fitted",
    ])?;
    match (case.text("observation")?, case.text("inverse_link")?) {
        ("Poisson", "exp") => compare(Glm::new(Poisson), case),
        ("Poisson", "softplus") => compare(Glm::new(Poisson).link(Softplus), case),
        (observation, link) => Err(format!("{observation} with {link} is not understood")),
    }
}

/// Coefficients this close need a fit stopped far below the default tolerance.
pub(crate) fn solver() -> Auto {
    Auto::new().tolerance(1e-20)
}

/// The penalty of a case.
pub(crate) fn regularizer(case: Case<'_>) -> Result<Regularizer, String> {
    match case.text("regularizer")? {
        "UnRegularized" => Ok(Regularizer::Unregularized),
        "Ridge" => Ok(Regularizer::Ridge(case.number("strength")?.into())),
        "Lasso" => Ok(Regularizer::Lasso(case.number("strength")?.into())),
        other => Err(format!("regularizer {other} is not understood")),
    }
}

fn compare<O: ObservationModel, L: InverseLink>(glm: Glm<O, L>, case: Case<'_>) -> Result<(), String> {
    let design = Matrix::<Cpu>::from_array(case.matrix("X")?.view());
    let counts = Matrix::from_column(case.vector("y")?.to_vec());
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
    ])?;
    let text = |error: nemos::glm::Error| error.to_string();
    let fitted = glm
        .regularizer(regularizer(case)?)
        .fit_with(&solver(), &design, &counts)
        .map_err(text)?;
    let (smooth, score) = (Tolerance::SMOOTH_FIT, Tolerance::SCORE);
    smooth.check("coef", fitted.coef(), &expected.vector("coef")?.to_vec())?;
    smooth.check("intercept", &[fitted.intercept()], &[expected.number("intercept")?])?;
    let first = design.rows(0..10).map_err(|error| error.to_string())?;
    smooth.check(
        "rate",
        &fitted.predict(&first).map_err(text)?.to_vec(),
        &expected.vector("rate")?.to_vec(),
    )?;
    score.check("scale", &[fitted.scale()], &[expected.number("scale")?])?;
    if fitted.dof_resid() != expected.number("dof_resid")? {
        return Err(format!(
            "dof_resid is {}, not {}",
            fitted.dof_resid(),
            expected.number("dof_resid")?
        ));
    }
    for (name, kind) in SCORES {
        let got = fitted.score(&design, &counts, kind).map_err(text)?;
        score.check(name, &[got], &[expected.number(name)?])?;
    }
    Ok(())
}

/// The scores of a case and their names.
pub(crate) const SCORES: [(&str, Score); 3] = [
    ("log-likelihood", Score::LogLikelihood),
    ("pseudo-r2-McFadden", Score::McFadden),
    ("pseudo-r2-Cohen", Score::Cohen),
];
