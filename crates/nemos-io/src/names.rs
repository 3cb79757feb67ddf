//! The names of models, links, penalties and statuses in files: the one place where text becomes a type.

use nemos_glm::{LinkForm, ModelForm, Status};

/// A thing, its name in our files, and its name in NeMoS's.
type Row<T> = (T, &'static str, &'static str);

const LINKS: [Row<LinkForm>; 6] = [
    (LinkForm::Exp, "exp", "jax.numpy.exp"),
    (LinkForm::Softplus, "softplus", "jax.nn.softplus"),
    (LinkForm::Identity, "identity", "identity"),
    (LinkForm::Logistic, "logistic", "jax.lax.logistic"),
    (LinkForm::Reciprocal, "reciprocal", "nemos.utils.one_over_x"),
    (LinkForm::NormalCdf, "normal_cdf", "jax.scipy.stats.norm.cdf"),
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

const MODELS: [Row<ModelForm>; 5] = [
    (ModelForm::Poisson, "poisson", "PoissonObservations"),
    (ModelForm::Gamma, "gamma", "GammaObservations"),
    (ModelForm::Gaussian, "gaussian", "GaussianObservations"),
    (ModelForm::Bernoulli, "bernoulli", "BernoulliObservations"),
    (
        ModelForm::NegativeBinomial { scale: None },
        "negative_binomial",
        "NegativeBinomialObservations",
    ),
];

const STATUSES: [(Status, &str); 6] = [
    (Status::Converged, "converged"),
    (Status::NoMaximum, "no_maximum"),
    (Status::StepLimit, "step_limit"),
    (Status::Stalled, "stalled"),
    (Status::Given, "given"),
    (Status::NonFinite, "non_finite"),
];

/// The solvers whose names a loaded model can carry.
const SOLVERS: [&str; 6] = [
    "none",
    "Newton",
    "L-BFGS",
    "proximal Newton",
    "proximal gradient",
    "gradient descent",
];

/// The name of a classifier in our files.
pub(crate) const CLASSIFIER: &str = "classifier";

/// Kinds of penalty.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Penalty {
    Unregularized,
    Ridge,
    Lasso,
    ElasticNet,
    GroupLasso,
}

const PENALTIES: [Row<Penalty>; 5] = [
    (Penalty::Unregularized, "unregularized", "UnRegularized"),
    (Penalty::Ridge, "ridge", "Ridge"),
    (Penalty::Lasso, "lasso", "Lasso"),
    (Penalty::ElasticNet, "elastic_net", "ElasticNet"),
    (Penalty::GroupLasso, "group_lasso", "GroupLasso"),
];

/// Kinds of strength.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum StrengthKind {
    Shared,
    PerNeuron,
    PerFeature,
    PerCoefficient,
    PerBlock,
    PerGroup,
}

const STRENGTHS: [(StrengthKind, &str); 6] = [
    (StrengthKind::Shared, "shared"),
    (StrengthKind::PerNeuron, "per_neuron"),
    (StrengthKind::PerFeature, "per_feature"),
    (StrengthKind::PerCoefficient, "per_coefficient"),
    (StrengthKind::PerBlock, "per_block"),
    (StrengthKind::PerGroup, "per_group"),
];

/// Kinds of groups.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum GroupKind {
    All,
    Blocks,
    Features,
}

const GROUPS: [(GroupKind, &str); 3] = [
    (GroupKind::All, "all"),
    (GroupKind::Blocks, "blocks"),
    (GroupKind::Features, "features"),
];

/// What NeMoS calls the classes of models.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum NemosClass {
    Glm,
    PopulationGlm,
    ClassifierGlm,
    ClassifierPopulationGlm,
}

const CLASSES: [(NemosClass, &str); 4] = [
    (NemosClass::Glm, "nemos.glm.glm.GLM"),
    (NemosClass::PopulationGlm, "nemos.glm.glm.PopulationGLM"),
    (NemosClass::ClassifierGlm, "nemos.glm.classifier_glm.ClassifierGLM"),
    (
        NemosClass::ClassifierPopulationGlm,
        "nemos.glm.classifier_glm.ClassifierPopulationGLM",
    ),
];

/// The link of NeMoS's classifiers.
pub(crate) const NEMOS_LOG_SOFTMAX: &str = "jax.nn.log_softmax";

pub(crate) fn link_name(link: LinkForm) -> Option<&'static str> {
    LINKS.iter().find(|row| row.0 == link).map(|row| row.1)
}

pub(crate) fn link(name: &str) -> Option<LinkForm> {
    LINKS.iter().find(|row| row.1 == name).map(|row| row.0)
}

pub(crate) fn nemos_link_name(link: LinkForm) -> Option<&'static str> {
    LINKS.iter().find(|row| row.0 == link).map(|row| row.2)
}

pub(crate) fn nemos_link(name: &str) -> Option<LinkForm> {
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

fn model_row(model: ModelForm) -> Option<&'static Row<ModelForm>> {
    MODELS
        .iter()
        .find(|row| std::mem::discriminant(&row.0) == std::mem::discriminant(&model))
}

pub(crate) fn model_name(model: ModelForm) -> Option<&'static str> {
    model_row(model).map(|row| row.1)
}

/// The model of this name; a dispersion is still to be set.
pub(crate) fn model(name: &str) -> Option<ModelForm> {
    MODELS.iter().find(|row| row.1 == name).map(|row| row.0)
}

pub(crate) fn nemos_model_name(model: ModelForm) -> Option<String> {
    model_row(model).map(|row| format!("nemos.observation_models.{}", row.2))
}

pub(crate) fn nemos_model(name: &str) -> Option<ModelForm> {
    MODELS.iter().find(|row| last(name) == row.2).map(|row| row.0)
}

pub(crate) fn status_name(status: Status) -> Option<&'static str> {
    STATUSES.iter().find(|row| row.0 == status).map(|row| row.1)
}

pub(crate) fn status(name: &str) -> Option<Status> {
    STATUSES.iter().find(|row| row.1 == name).map(|row| row.0)
}

/// A solver's name, for as long as the program runs.
pub(crate) fn solver(name: &str) -> &'static str {
    SOLVERS.iter().find(|known| **known == name).copied().unwrap_or("another solver")
}

pub(crate) fn penalty_name(penalty: Penalty) -> &'static str {
    row_of(&PENALTIES, penalty).1
}

pub(crate) fn penalty(name: &str) -> Option<Penalty> {
    PENALTIES.iter().find(|row| row.1 == name).map(|row| row.0)
}

pub(crate) fn nemos_penalty_name(penalty: Penalty) -> String {
    format!("nemos.regularizer.{}", row_of(&PENALTIES, penalty).2)
}

pub(crate) fn nemos_penalty(name: &str) -> Option<Penalty> {
    PENALTIES.iter().find(|row| last(name) == row.2).map(|row| row.0)
}

pub(crate) fn strength_name(kind: StrengthKind) -> &'static str {
    let row = STRENGTHS.iter().find(|row| row.0 == kind);
    row.expect("every kind of strength has a row").1
}

pub(crate) fn strength(name: &str) -> Option<StrengthKind> {
    STRENGTHS.iter().find(|row| row.1 == name).map(|row| row.0)
}

pub(crate) fn groups_name(kind: GroupKind) -> &'static str {
    let row = GROUPS.iter().find(|row| row.0 == kind);
    row.expect("every kind of groups has a row").1
}

pub(crate) fn groups(name: &str) -> Option<GroupKind> {
    GROUPS.iter().find(|row| row.1 == name).map(|row| row.0)
}

pub(crate) fn nemos_class_name(class: NemosClass) -> &'static str {
    let row = CLASSES.iter().find(|row| row.0 == class);
    row.expect("every class has a row").1
}

pub(crate) fn nemos_class(name: &str) -> Option<NemosClass> {
    CLASSES.iter().find(|row| last(row.1) == last(name)).map(|row| row.0)
}

fn row_of<T: Copy + PartialEq>(rows: &'static [Row<T>], value: T) -> &'static Row<T> {
    rows.iter().find(|row| row.0 == value).expect("every value has a row")
}

/// The last part of a name with dots.
fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_what_they_name() {
        for (form, ours, theirs) in LINKS {
            assert_eq!((link(ours), nemos_link(theirs)), (Some(form), Some(form)));
        }
        for (form, ours, _) in MODELS {
            assert_eq!(model(ours), Some(form));
            assert_eq!(nemos_model(&nemos_model_name(form).unwrap()), Some(form));
        }
        for (kind, ours, _) in PENALTIES {
            assert_eq!((penalty(ours), nemos_penalty(&nemos_penalty_name(kind))), (Some(kind), Some(kind)));
        }
        assert!(STATUSES.iter().all(|(kind, name)| status(name) == Some(*kind)));
        assert!(CLASSES.iter().all(|(kind, name)| nemos_class(name) == Some(*kind)));
        assert_eq!(solver("mine"), "another solver");
    }

    #[test]
    fn functions_of_a_users_own_are_not_taken_for_links() {
        assert_eq!(nemos_link("__main__.exp"), None);
        assert_eq!(nemos_link("__main__.<lambda>"), None);
        assert_eq!(nemos_link("jax._src.scipy.special.expit"), Some(LinkForm::Logistic));
    }
}
