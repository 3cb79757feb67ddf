//! The names that NeMoS's files give to models, links and penalties: the one place where text becomes a type.

use nemos_glm::{BuiltIn, LinkForm, Regularizer};

const LINKS: [(LinkForm, &str); 6] = [
    (LinkForm::Exp, "jax.numpy.exp"),
    (LinkForm::Softplus, "jax.nn.softplus"),
    (LinkForm::Identity, "identity"),
    (LinkForm::Logistic, "jax.lax.logistic"),
    (LinkForm::Reciprocal, "nemos.utils.one_over_x"),
    (LinkForm::NormalCdf, "jax.scipy.stats.norm.cdf"),
];

/// What else NeMoS calls a link: the module differs with the version of JAX, and is left out.
const LINKS_ELSEWHERE: [(LinkForm, &str); 8] = [
    (LinkForm::Exp, "exp"),
    (LinkForm::Softplus, "softplus"),
    (LinkForm::Identity, "identity"),
    (LinkForm::Logistic, "logistic"),
    (LinkForm::Logistic, "expit"),
    (LinkForm::Reciprocal, "one_over_x"),
    (LinkForm::NormalCdf, "norm_cdf"),
    (LinkForm::NormalCdf, "cdf"),
];

/// The link of NeMoS's classifiers.
pub(crate) const LOG_SOFTMAX: &str = "jax.nn.log_softmax";

/// What NeMoS's class of a model says beyond the name of ours.
const OBSERVATIONS: &str = "Observations";

/// Kinds of penalty.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Penalty {
    Unregularized,
    Ridge,
    Lasso,
    ElasticNet,
    GroupLasso,
}

const PENALTIES: [(Penalty, &str); 5] = [
    (Penalty::Unregularized, "UnRegularized"),
    (Penalty::Ridge, "Ridge"),
    (Penalty::Lasso, "Lasso"),
    (Penalty::ElasticNet, "ElasticNet"),
    (Penalty::GroupLasso, "GroupLasso"),
];

/// What NeMoS calls the classes of models.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Glm,
    PopulationGlm,
    ClassifierGlm,
    ClassifierPopulationGlm,
}

const CLASSES: [(Class, &str); 4] = [
    (Class::Glm, "nemos.glm.glm.GLM"),
    (Class::PopulationGlm, "nemos.glm.glm.PopulationGLM"),
    (Class::ClassifierGlm, "nemos.glm.classifier_glm.ClassifierGLM"),
    (Class::ClassifierPopulationGlm, "nemos.glm.classifier_glm.ClassifierPopulationGLM"),
];

pub(crate) fn link_name(link: LinkForm) -> Option<&'static str> {
    LINKS.iter().find(|row| row.0 == link).map(|row| row.1)
}

pub(crate) fn link(name: &str) -> Option<LinkForm> {
    if name == "nemos.inverse_link_function_utils.<lambda>" {
        return Some(LinkForm::Identity);
    }
    let (module, function) = name.rsplit_once('.').unwrap_or(("nemos", name));
    let library = module.split('.').next();
    // A function of a user's own may have any name.
    matches!(library, Some("jax" | "nemos" | "norm"))
        .then(|| LINKS_ELSEWHERE.iter().find(|row| row.1 == function).map(|row| row.0))
        .flatten()
}

pub(crate) fn model_name(model: &BuiltIn) -> String {
    format!("nemos.observation_models.{}{OBSERVATIONS}", model.name())
}

/// The model of this name, with this dispersion where it has one.
pub(crate) fn model(name: &str, dispersion: Option<f64>) -> Option<BuiltIn> {
    BuiltIn::named(last(name).strip_suffix(OBSERVATIONS)?, dispersion)
}

pub(crate) fn penalty_name(regularizer: &Regularizer) -> Option<String> {
    let kind = match regularizer {
        Regularizer::Unregularized => Penalty::Unregularized,
        Regularizer::Ridge(_) => Penalty::Ridge,
        Regularizer::Lasso(_) => Penalty::Lasso,
        Regularizer::ElasticNet { .. } => Penalty::ElasticNet,
        Regularizer::GroupLasso { .. } => Penalty::GroupLasso,
        _ => return None,
    };
    let name = PENALTIES.iter().find(|row| row.0 == kind)?.1;
    Some(format!("nemos.regularizer.{name}"))
}

pub(crate) fn penalty(name: &str) -> Option<Penalty> {
    PENALTIES.iter().find(|row| last(name) == row.1).map(|row| row.0)
}

pub(crate) fn class_name(class: Class) -> &'static str {
    let row = CLASSES.iter().find(|row| row.0 == class);
    row.expect("every class has a row").1
}

pub(crate) fn class(name: &str) -> Option<Class> {
    CLASSES.iter().find(|row| last(row.1) == last(name)).map(|row| row.0)
}

/// The last part of a name with dots.
fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nemos_glm::Groups;

    #[test]
    fn names_lead_back_to_what_they_name() {
        assert!(LINKS.iter().all(|(form, name)| link(name) == Some(*form)));
        assert!(CLASSES.iter().all(|(kind, name)| class(name) == Some(*kind)));
        for name in BuiltIn::names() {
            let built_in = BuiltIn::named(name, None).unwrap();
            assert_eq!(model(&model_name(&built_in), None), Some(built_in));
        }
        let strength = || 1.0.into();
        for (penalty_of, kind) in [
            (Regularizer::Unregularized, Penalty::Unregularized),
            (Regularizer::Ridge(strength()), Penalty::Ridge),
            (Regularizer::Lasso(strength()), Penalty::Lasso),
            (
                Regularizer::ElasticNet {
                    strength: strength(),
                    lasso_share: 0.5,
                },
                Penalty::ElasticNet,
            ),
            (
                Regularizer::GroupLasso {
                    strength: strength(),
                    groups: Groups::All,
                },
                Penalty::GroupLasso,
            ),
        ] {
            assert_eq!(penalty(&penalty_name(&penalty_of).unwrap()), Some(kind));
        }
    }

    #[test]
    fn functions_of_a_users_own_are_not_taken_for_links() {
        assert_eq!(link("__main__.exp"), None);
        assert_eq!(link("__main__.<lambda>"), None);
        assert_eq!(link("jax._src.scipy.special.expit"), Some(LinkForm::Logistic));
    }
}
