//! Parameters of a pipeline: options of its basis by label, and those of its model.

use nemos_basis::Basis;
use serde_json::Value as Json;

use crate::tunable::refused;
use crate::{Error, Pipeline, Searchable, Settings, Tunable, Value};

impl<M: Searchable> Tunable for Pipeline<M> {
    fn parameters(&self) -> Settings {
        let mut settings = Settings::default().and("basis", self.basis.clone());
        let labels = self.basis.labels().unwrap_or_default();
        for label in &labels {
            for (option, value) in options_of(&self.basis, label).unwrap_or_default() {
                settings = match value {
                    Json::Number(number) => match number.as_u64() {
                        Some(whole) => settings.and(format!("{label}.{option}"), whole as usize),
                        None => settings.and(format!("{label}.{option}"), number.as_f64().unwrap_or(f64::NAN)),
                    },
                    other => settings.and(format!("{label}.{option}"), Value::Name(other.to_string())),
                };
            }
        }
        for (path, value) in self.steps.parameters() {
            settings = settings.and(path, value);
        }
        let model = self.model.parameters();
        model
            .iter()
            .fold(settings, |settings, (path, value)| settings.and(path, value.clone()))
    }

    fn with(&self, path: &str, value: &Value) -> Result<Self, Error> {
        let mut made = self.clone();
        if path == "basis" {
            let Value::Basis(basis) = value else {
                return Err(refused(path, value, "it takes a basis"));
            };
            made.basis = basis.clone();
            return Ok(made);
        }
        let labels = self.basis.labels()?;
        if labels.iter().any(|label| label == path) {
            let Value::Basis(part) = value else {
                return Err(refused(
                    path,
                    value,
                    "a part of a basis takes a basis; name an option of it to set that",
                ));
            };
            made.basis = self.basis.replace(path, part.clone())?;
            return Ok(made);
        }
        let option = labels
            .iter()
            .filter_map(|label| Some((label, path.strip_prefix(label.as_str())?.strip_prefix('.')?)));
        // Of labels that begin alike, the longest is meant.
        if let Some((label, option)) = option.max_by_key(|(label, _)| label.len()) {
            made.basis = with_option(&self.basis, label, option, (path, value))?;
            return Ok(made);
        }
        if let Some(steps) = self.steps.with(path, value) {
            made.steps = steps?;
            return Ok(made);
        }
        made.model = self.model.with(path, value).map_err(|error| match error {
            Error::UnknownParameter { path, mut available } => {
                let known = self.parameters();
                let of_basis = known
                    .iter()
                    .map(|(path, _)| path)
                    .filter(|path| *path == "basis" || path.contains('.'));
                available.splice(0..0, of_basis.map(String::from));
                Error::UnknownParameter { path, available }
            }
            other => other,
        })?;
        Ok(made)
    }
}
/// The options of a family, as a specification is saved; nothing for a sum or a product.
fn options_of(basis: &Basis, label: &str) -> Option<Vec<(String, Json)>> {
    let part = serde_json::to_value(basis.part(label).ok()?).ok()?;
    let functions = part.get("node")?.get("Functions")?;
    let family = functions.get("kind")?.as_object()?.values().next()?.as_object()?;
    let mut options: Vec<(String, Json)> = family.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    if !family.contains_key("window") && functions.get("window").is_some_and(|window| !window.is_null()) {
        options.push(("window".into(), functions["window"].clone()));
    }
    Some(options)
}

/// The basis with one option of a part at another value.
fn with_option(basis: &Basis, label: &str, option: &str, (path, value): (&str, &Value)) -> Result<Basis, Error> {
    let fails = |why: String| refused(path, value, why);
    let known = options_of(basis, label).ok_or_else(|| fails("it is a sum or a product, which has parts and no options".into()))?;
    let Some((_, old)) = known.iter().find(|(name, _)| name == option) else {
        return Err(Error::UnknownParameter {
            path: path.into(),
            available: known.iter().map(|(name, _)| format!("{label}.{name}")).collect(),
        });
    };
    let new = match value {
        Value::Number(number) if old.is_u64() => match number.fract() == 0.0 && (0.0..2f64.powi(53)).contains(number) {
            true => Json::from(*number as u64),
            false => return Err(fails("it takes a whole number".into())),
        },
        Value::Number(number) => Json::from(*number),
        Value::Count(count) => Json::from(*count),
        Value::Numbers(numbers) => Json::from(numbers.clone()),
        Value::Window(window) => serde_json::to_value(window).map_err(|error| fails(error.to_string()))?,
        Value::Bounds(low, high) => {
            let mut bounds = old.clone();
            let pairs = bounds.get_mut("pairs").ok_or_else(|| fails("it takes no bounds".into()))?;
            *pairs = Json::from(vec![vec![*low, *high]]);
            bounds
        }
        _ => return Err(fails("an option of a basis is a number, numbers, bounds or a window".into())),
    };
    let mut part = serde_json::to_value(basis.part(label)?).map_err(|error| fails(error.to_string()))?;
    let functions = &mut part["node"]["Functions"];
    let of_family = functions["kind"].as_object_mut().and_then(|kind| kind.values_mut().next());
    match of_family.and_then(|family| family.get_mut(option)) {
        Some(slot) => *slot = new,
        None => functions[option] = new,
    }
    let part: Basis = serde_json::from_value(part).map_err(|error| fails(error.to_string()))?;
    Ok(basis.replace(label, part)?)
}
