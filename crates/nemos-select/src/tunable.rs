//! Parameters of a specification, reached by path.

use nemos_glm::{BuiltIn, Glm, InverseLink, ObservationModel, Options, PopulationGlm, Regularizer, Strength};

use crate::{Error, Settings, Value};

/// A specification whose parameters can be read and set by path.
///
/// | path of a model | values |
/// |---|---|
/// | `strength` | a number, or [strengths](Strength), of the penalty that the model has |
/// | `lasso_share` | a number, for an elastic net |
/// | `regularizer` | a penalty |
/// | `mask` | a feature mask |
/// | `tolerance`, `max_steps` | when a fit stops |
/// | `link`, `observation` | a built-in one, where the model's type allows any: [`AnyGlm`](nemos_glm::AnyGlm), for one |
///
/// A classifier has all but the last line. A [`Pipeline`](crate::Pipeline) adds the parameters of its basis and steps.
///
/// # Example
/// ```
/// use nemos_glm::{Glm, Poisson, Regularizer};
/// use nemos_select::Tunable;
/// let model = Glm::new(Poisson).regularizer(Regularizer::Ridge(1.0.into()));
/// let weaker = model.with("strength", &0.1.into())?;
/// assert_eq!(weaker, model.regularizer(Regularizer::Ridge(0.1.into())));
/// let error = weaker.with("strenght", &0.1.into()).unwrap_err();
/// assert!(error.to_string().contains("strength"));
/// # Ok::<(), nemos_select::Error>(())
/// ```
pub trait Tunable: Clone {
    /// The parameters and their values.
    #[doc(alias = "get_params")]
    fn parameters(&self) -> Settings;

    /// The specification with one of its parameters at another value.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`] if nothing has this path, [`Error::Value`] if it cannot take the value.
    #[doc(alias = "set_params")]
    fn with(&self, path: &str, value: &Value) -> Result<Self, Error>;

    /// The specification with these values. In whatever order they come, a basis or a penalty is set before what is a part of it.
    ///
    /// # Errors
    /// As [`with`](Tunable::with).
    fn with_all(&self, settings: &Settings) -> Result<Self, Error> {
        let mut in_order: Vec<(&str, &Value)> = settings.iter().collect();
        in_order.sort_by_key(|(path, _)| match *path {
            "basis" => 0,
            "strength" | "lasso_share" => 2,
            path if path.contains('.') => 2,
            _ => 1,
        });
        in_order
            .into_iter()
            .try_fold(self.clone(), |made, (path, value)| made.with(path, value))
    }
}

impl<O: ObservationModel, L: InverseLink> Tunable for PopulationGlm<O, L> {
    #[doc(alias = "get_params")]
    fn parameters(&self) -> Settings {
        let mut settings = parameters_of(self.options());
        if let Some(link) = self.inverse_link().form() {
            settings = settings.and("link", link);
        }
        if let Some(observation) = self.observation_model().built_in() {
            settings = settings.and("observation", observation);
        }
        settings
    }

    #[doc(alias = "set_params")]
    fn with(&self, path: &str, value: &Value) -> Result<Self, Error> {
        let refuse = |why: &str| refused(path, value, why);
        match (path, value) {
            ("link", Value::Link(form)) => {
                let link = L::from_form(*form).ok_or_else(|| refuse("the type of the model has another link; take LinkForm"))?;
                return Ok(self.clone().link(link));
            }
            ("observation", Value::Observation(model)) => return with_observation(self, model, &refuse),
            ("link" | "observation", _) => return Err(refuse(OTHER_KIND)),
            _ => {}
        }
        let options = options_with(self.options(), path, value).map_err(|error| match error {
            Error::UnknownParameter { path, mut available } => {
                available.extend(["link".into(), "observation".into()]);
                Error::UnknownParameter { path, available }
            }
            other => other,
        })?;
        Ok(self.clone().with_options(options))
    }
}

impl<O: ObservationModel, L: InverseLink> Tunable for Glm<O, L> {
    #[doc(alias = "get_params")]
    fn parameters(&self) -> Settings {
        self.population().parameters()
    }

    #[doc(alias = "set_params")]
    fn with(&self, path: &str, value: &Value) -> Result<Self, Error> {
        self.population().with(path, value).map(Glm::from)
    }
}

const PATHS: [&str; 6] = ["strength", "lasso_share", "regularizer", "mask", "tolerance", "max_steps"];
const OTHER_KIND: &str = "it is a value of another kind";

/// What a fit is told, by path.
pub(crate) fn parameters_of(options: &Options) -> Settings {
    let mut settings = Settings::default().and("regularizer", options.regularizer.clone());
    if let Some(strength) = strength(&options.regularizer) {
        settings = settings.and("strength", strength.clone());
    }
    if let Regularizer::ElasticNet { lasso_share, .. } = options.regularizer {
        settings = settings.and("lasso_share", lasso_share);
    }
    if let Some(mask) = &options.mask {
        settings = settings.and("mask", mask.clone());
    }
    settings = settings.and("tolerance", options.stopping.tolerance);
    match options.stopping.max_steps {
        Some(steps) => settings.and("max_steps", steps),
        None => settings,
    }
}

/// The same options, with one of them at another value.
pub(crate) fn options_with(options: &Options, path: &str, value: &Value) -> Result<Options, Error> {
    let refuse = |why: &str| refused(path, value, why);
    let mut options = options.clone();
    match (path, value) {
        ("strength", value) => {
            let given = as_strength(value).ok_or_else(|| refuse("a strength is a number, or strengths"))?;
            let known = strength_mut(&mut options.regularizer);
            *known.ok_or_else(|| refuse("the model has no penalty; set a regularizer first"))? = given;
        }
        ("lasso_share", Value::Number(share)) => match &mut options.regularizer {
            Regularizer::ElasticNet { lasso_share, .. } => *lasso_share = *share,
            _ => return Err(refuse("the penalty is no elastic net")),
        },
        ("regularizer", Value::Regularizer(regularizer)) => options.regularizer = regularizer.clone(),
        ("mask", Value::Mask(mask)) => options.mask = Some(mask.clone()),
        ("tolerance", Value::Number(tolerance)) => options.stopping.tolerance = *tolerance,
        ("max_steps", Value::Count(steps)) => options.stopping.max_steps = Some(*steps),
        (path, _) if PATHS.contains(&path) => return Err(refuse(OTHER_KIND)),
        _ => {
            return Err(Error::UnknownParameter {
                path: path.into(),
                available: PATHS.map(String::from).to_vec(),
            });
        }
    }
    Ok(options)
}

fn with_observation<O: ObservationModel, L: InverseLink>(
    model: &PopulationGlm<O, L>,
    observation: &BuiltIn,
    refuse: &dyn Fn(&str) -> Error,
) -> Result<PopulationGlm<O, L>, Error> {
    let observation =
        O::from_built_in(observation).ok_or_else(|| refuse("the type of the model has another observation model; take ObservationForm"))?;
    Ok(PopulationGlm::new(observation)
        .link(model.inverse_link().clone())
        .with_options(model.options().clone()))
}

pub(crate) fn refused(path: &str, value: &Value, why: impl Into<String>) -> Error {
    Error::Value {
        path: path.into(),
        value: value.to_string(),
        why: why.into(),
    }
}

fn as_strength(value: &Value) -> Option<Strength> {
    match value {
        Value::Number(strength) => Some(Strength::Shared(*strength)),
        Value::Count(strength) => Some(Strength::Shared(*strength as f64)),
        Value::Strength(strength) => Some(strength.clone()),
        _ => None,
    }
}

/// The strength of a penalty, if it is one.
pub(crate) fn strength(regularizer: &Regularizer) -> Option<&Strength> {
    match regularizer {
        Regularizer::Ridge(strength)
        | Regularizer::Lasso(strength)
        | Regularizer::ElasticNet { strength, .. }
        | Regularizer::GroupLasso { strength, .. } => Some(strength),
        _ => None,
    }
}

/// The strength of a penalty, to change.
pub(crate) fn strength_mut(regularizer: &mut Regularizer) -> Option<&mut Strength> {
    match regularizer {
        Regularizer::Ridge(strength)
        | Regularizer::Lasso(strength)
        | Regularizer::ElasticNet { strength, .. }
        | Regularizer::GroupLasso { strength, .. } => Some(strength),
        _ => None,
    }
}
