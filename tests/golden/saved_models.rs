//! The suite `saved_models`: files of NeMoS's `save_params`, read, compared, and written again.

use std::path::PathBuf;

use nemos::core::{Cpu, Matrix};
use nemos::glm::{FittedClassifierGlm, FittedPopulationGlm, InverseLink, ObservationModel, PopulationGlm};
use nemos::io::SaveModel;
use nemos_testkit::{Case, Tolerance};
use serde_json::{Value, json};

use crate::model::{Run, with_model};
use crate::suite;

/// Reads one file and compares what the model gives.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    Case::new(case).only_fields(&["name", "file", "X", "coef", "intercept", "prediction"])?;
    let path = suite::folder().0.join(Case::new(case).text("file")?);
    let saved = nemos::io::SavedModel::load_nemos(&path).map_err(|error| error.to_string())?;
    let whole = saved.to_string();
    if whole.starts_with("a classifier") {
        return classifier(case, path);
    }
    // What the file holds, in the words of the other suites.
    let names = json!({
        "observation": whole.split(' ').nth(1),
        "inverse_link": LINKS.iter().find(|(ours, _)| whole.contains(ours)).map(|(_, theirs)| theirs),
        "observation_scale": 0.5,
    });
    with_model(Case::new(&names), Compare { case, path })
}

const LINKS: [(&str, &str); 4] = [
    ("link Exp", "exp"),
    ("link Softplus", "softplus"),
    ("link Identity", "identity"),
    ("link Logistic", "logistic"),
];

struct Compare<'a> {
    case: &'a Value,
    path: PathBuf,
}

impl Run for Compare<'_> {
    fn run<O: ObservationModel, L: InverseLink>(self, _model: PopulationGlm<O, L>) -> Result<(), String> {
        let case = Case::new(self.case);
        let text = |error: nemos::io::Error| error.to_string();
        let fitted = FittedPopulationGlm::<O, L>::load_nemos(&self.path).map_err(text)?;
        let flat = |name| Ok::<_, String>(case.array(name)?.iter().copied().collect::<Vec<f64>>());
        let design = Matrix::<Cpu>::from_array(case.matrix("X")?.view());
        let compare = |fitted: &FittedPopulationGlm<O, L>| {
            Tolerance::SAVED.check("coef", &fitted.coef().iter().copied().collect::<Vec<_>>(), &flat("coef")?)?;
            Tolerance::SAVED.check("intercept", &fitted.intercept().to_vec(), &flat("intercept")?)?;
            let rate = fitted.predict(&design).map_err(|error| error.to_string())?;
            Tolerance::SAVED.check("prediction", &rate.to_vec(), &flat("prediction")?)
        };
        compare(&fitted)?;
        compare(&again(&fitted, self.case)?)
    }
}

fn classifier(case: &Value, path: PathBuf) -> Result<(), String> {
    let whole = case;
    let case = Case::new(case);
    let text = |error: nemos::io::Error| error.to_string();
    let flat = |name| Ok::<_, String>(case.array(name)?.iter().copied().collect::<Vec<f64>>());
    let design = Matrix::<Cpu>::from_array(case.matrix("X")?.view());
    let compare = |fitted: &FittedClassifierGlm| {
        Tolerance::SAVED.check("coef", &fitted.coef().iter().copied().collect::<Vec<_>>(), &flat("coef")?)?;
        Tolerance::SAVED.check("intercept", &fitted.intercept(), &flat("intercept")?)?;
        let log_probability = fitted.predict_log_probability(&design).map_err(|error| error.to_string())?;
        Tolerance::SAVED.check("prediction", &log_probability.to_vec(), &flat("prediction")?)
    };
    let fitted = FittedClassifierGlm::load_nemos(&path).map_err(text)?;
    compare(&fitted)?;
    compare(&again(&fitted, whole)?)
}

/// Writes the model of a case, and reads it back.
fn again<M: SaveModel>(fitted: &M, case: &Value) -> Result<M, String> {
    let file = PathBuf::from(case["file"].as_str().unwrap_or_default());
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let path = std::env::temp_dir().join(format!("nemos_golden_{}_{name}", std::process::id()));
    let text = |error: nemos::io::Error| error.to_string();
    fitted.save_nemos(&path).map_err(text)?;
    let loaded = M::load_nemos(&path).map_err(text);
    std::fs::remove_file(&path).map_err(|error| error.to_string())?;
    loaded
}
