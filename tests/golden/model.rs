//! Models of the suites `glm`, `population`, `inference` and `saved_models`: from the names in a case to types.

use nemos::glm::{
    Bernoulli, Exp, Gamma, Gaussian, Groups, Identity, InverseLink, LinkForm, Logistic, NegativeBinomial, NormalCdf, ObservationForm,
    ObservationModel, Poisson, PopulationGlm, Reciprocal, Regularizer, Softplus, Strength,
};
use nemos_testkit::Case;

/// What is done with a model once its types are known.
pub(crate) trait Run {
    fn run<O: ObservationModel, L: InverseLink>(self, model: PopulationGlm<O, L>) -> Result<(), String>;
}

/// The model of a case, without its penalty.
pub(crate) fn with_model(case: Case<'_>, run: impl Run) -> Result<(), String> {
    match case.text("observation")? {
        "Poisson" => with_link(Poisson, case, run),
        "Gamma" => with_link(Gamma, case, run),
        "Gaussian" => with_link(Gaussian, case, run),
        "Bernoulli" => with_link(Bernoulli, case, run),
        "NegativeBinomial" if case.field("observation_scale")?.is_null() => with_link(NegativeBinomial::estimated(), case, run),
        "NegativeBinomial" => with_link(NegativeBinomial::new(case.number("observation_scale")?), case, run),
        other => Err(format!("observation model {other} is not understood")),
    }
}

/// The same, of one type for all: for programs that are compiled for many backends.
#[allow(dead_code, reason = "not all programs that share this file need it")]
pub(crate) fn any_model(case: Case<'_>) -> Result<PopulationGlm<ObservationForm, LinkForm>, String> {
    let text = |error: nemos::glm::Error| error.to_string();
    let observation = match (case.text("observation")?, case.field("observation_scale")) {
        ("NegativeBinomial", Ok(scale)) if !scale.is_null() => NegativeBinomial::new(case.number("observation_scale")?).into(),
        (name, _) => name.parse::<ObservationForm>().map_err(text)?,
    };
    let link = match case.text("inverse_link")? {
        "one-over-x" => LinkForm::Reciprocal,
        name => name.parse().map_err(text)?,
    };
    Ok(PopulationGlm::new(observation).link(link))
}

fn with_link<O: ObservationModel>(observation: O, case: Case<'_>, run: impl Run) -> Result<(), String> {
    let model = PopulationGlm::new(observation);
    match case.text("inverse_link")? {
        "exp" => run.run(model.link(Exp)),
        "softplus" => run.run(model.link(Softplus)),
        "identity" => run.run(model.link(Identity)),
        "logistic" => run.run(model.link(Logistic)),
        "one-over-x" => run.run(model.link(Reciprocal)),
        "normal-cdf" => run.run(model.link(NormalCdf)),
        other => Err(format!("link {other} is not understood")),
    }
}

/// The penalty of a case.
pub(crate) fn regularizer(case: Case<'_>) -> Result<Regularizer, String> {
    let strength = || Ok::<Strength, String>(case.number("strength")?.into());
    match case.text("regularizer")? {
        "UnRegularized" => Ok(Regularizer::Unregularized),
        "Ridge" => Ok(Regularizer::Ridge(strength()?)),
        "Lasso" => Ok(Regularizer::Lasso(strength()?)),
        "ElasticNet" => {
            let both = case.vector("strength")?;
            Ok(Regularizer::ElasticNet {
                strength: both[0].into(),
                lasso_share: both[1],
            })
        }
        "GroupLasso" => {
            let members = |row: ndarray::ArrayView1<'_, f64>| (0..row.len()).filter(|&feature| row[feature] == 1.0).collect();
            let groups = case.matrix("groups")?.rows().into_iter().map(members).collect();
            Ok(Regularizer::GroupLasso {
                strength: strength()?,
                groups: Groups::Features(groups),
            })
        }
        other => Err(format!("regularizer {other} is not understood")),
    }
}
