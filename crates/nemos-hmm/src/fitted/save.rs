//! Fitted models in files: JSON, which says what it is.

use std::path::Path;

use nemos_core::Names;
use serde::{Deserialize, Serialize};

use crate::fit::report::{Finding, HmmStatus, Restart};
use crate::fitted::model::Described;
use crate::options::Options;
use crate::state_model::{StateForm, StateModel};
use crate::{Error, FittedGlmHmm, GlmHmm, HmmParameters};

const FORMAT: &str = "nemos hidden Markov model";
const VERSION: u32 = 1;

/// What a file holds.
#[derive(Serialize, Deserialize)]
struct File {
    format: String,
    version: u32,
    states: StateForm,
    n_states: usize,
    options: Options,
    parameters: HmmParameters,
    status: HmmStatus,
    #[serde(with = "number")]
    objective: f64,
    #[serde(with = "number")]
    log_likelihood: f64,
    history: Vec<f64>,
    findings: Vec<Finding>,
    restarts: Vec<Restart>,
    occupancy: Vec<Option<f64>>,
    n_rows: usize,
    n_entries: f64,
    is_scale_fitted: bool,
    n_shared: usize,
    n_used: usize,
    features: Names,
    neurons: Names,
}

impl<S: StateModel> FittedGlmHmm<S> {
    /// Writes the model to a file, with everything that is known of its fit.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be written, or the observation model or link is not a built-in one.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let failed = |why: String| failed(path, why);
        let form = self.specification.states.form();
        let states = form.ok_or_else(|| failed("an observation model or link of one's own cannot be saved; its parameters can".into()))?;
        let described = &self.described;
        let file = File {
            format: FORMAT.into(),
            version: VERSION,
            states,
            n_states: self.specification.n_states,
            options: self.specification.options.clone(),
            parameters: self.parameters.clone(),
            status: self.status,
            objective: self.objective,
            log_likelihood: self.log_likelihood,
            history: self.history.clone(),
            findings: self.findings.clone(),
            restarts: described.restarts.clone(),
            occupancy: described
                .occupancy
                .iter()
                .map(|value| value.is_finite().then_some(*value))
                .collect(),
            n_rows: described.n_rows,
            n_entries: described.n_entries,
            is_scale_fitted: described.is_scale_fitted,
            n_shared: described.n_shared,
            n_used: described.n_used,
            features: described.features.clone(),
            neurons: described.neurons.clone(),
        };
        let text = serde_json::to_string(&file).map_err(|error| failed(error.to_string()))?;
        // What could not be loaded is not saved.
        serde_json::from_str::<File>(&text).map_err(|error| failed(format!("the fit holds numbers that JSON has no word for: {error}")))?;
        std::fs::write(path, text).map_err(|error| failed(error.to_string()))
    }

    /// Reads a model from a file.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read, is no such file, is of a model of another type, or if its numbers are no parameters.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| failed(path, error.to_string()))?;
        let file: File = serde_json::from_str(&text).map_err(|error| failed(path, format!("no fitted hidden Markov model: {error}")))?;
        if file.format != FORMAT || file.version != VERSION {
            let why = format!(
                "{:?} of version {}; {FORMAT:?} of version {VERSION} is needed",
                file.format, file.version
            );
            return Err(failed(path, why));
        }
        let states = S::from_form(&file.states).ok_or_else(|| failed(path, format!("a model of other states: {:?}", file.states)))?;
        if file.parameters.n_states() != file.n_states || file.occupancy.len() != file.n_states {
            return Err(failed(path, "the number of states is not that of its parameters".into()));
        }
        Ok(FittedGlmHmm {
            specification: GlmHmm {
                n_states: file.n_states,
                states,
                options: file.options,
            },
            parameters: file.parameters,
            status: file.status,
            objective: file.objective,
            log_likelihood: file.log_likelihood,
            history: file.history,
            findings: file.findings,
            described: Described {
                restarts: file.restarts,
                occupancy: file.occupancy.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect(),
                n_rows: file.n_rows,
                n_entries: file.n_entries,
                is_scale_fitted: file.is_scale_fitted,
                n_shared: file.n_shared,
                n_used: file.n_used,
                features: file.features,
                neurons: file.neurons,
            },
        })
    }
}

fn failed(path: &Path, why: String) -> Error {
    let path = path.display().to_string();
    Error::File { path, why }
}

/// Numbers that may be none: NaN is `null`.
mod number {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        value.is_finite().then_some(*value).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
    }
}
