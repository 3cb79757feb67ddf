//! What is warned of through `tracing` is in the value that comes back as well: many programs listen to no log.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use nemos::cpu::*;
use nemos::io::{NwbFile, SavedModel};
use nemos::ndarray::{Array2, Array3};
use nemos::sim::{Coupling, Recurrent};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::Anything;

/// Keeps the text of every warning.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Subscriber for Heard {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// All fields of an event, one after the other.
#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, _: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!("{value:?} "));
    }
}

/// What was made, and what was warned of meanwhile.
fn heard<T>(make: impl FnOnce() -> Result<T, Anything>) -> Result<(T, Vec<String>), Anything> {
    let all = Heard::default();
    let made = tracing::subscriber::with_default(all.clone(), make)?;
    let warnings = all.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok((made, warnings))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_fit_that_did_not_converge_says_so() -> Result<(), Anything> {
    let features = Matrix::from(vec![-2.0, -1.0, 1.0, 2.0]);
    let (fitted, warnings) = heard(|| Ok(Glm::new(Bernoulli).fit(&features, &Matrix::from(vec![0.0, 0.0, 1.0, 1.0]))?))?;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("no finite maximum"), "{warnings:?}");
    assert!(
        fitted.outcome().to_string().starts_with("no finite maximum"),
        "{}",
        fitted.outcome()
    );
    Ok(())
}

#[test]
fn an_unstable_network_is_reported_with_what_it_did() -> Result<(), Anything> {
    let coupling = Coupling::from_filters(Array3::from_elem((1, 1, 1), 2.0).view())?;
    let (simulated, warnings) = heard(|| {
        let network = Recurrent::new(Poisson, coupling, [0.3]);
        Ok(network.run(Array2::zeros((5, 1)).view(), &mut crate::generator())?)
    })?;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("unstable"), "{warnings:?}");
    assert!(!simulated.stability.is_stable());
    Ok(())
}

#[test]
fn what_a_lenient_reading_left_out_comes_back_with_it() -> Result<(), Anything> {
    let session = NwbFile::open(root().join("crates/nemos-io/tests/data/field/sessions.nwb"))?;
    let (found, warnings) = heard(|| Ok(session.lenient(|session| session.intervals("overlapping"))?))?;
    let left_out: Vec<String> = found.left_out.iter().map(|left_out| format!("{left_out} ")).collect();
    assert!(!left_out.is_empty());
    assert_eq!(warnings, left_out);
    Ok(())
}

#[test]
fn what_a_file_of_nemos_cannot_give_is_in_the_model() -> Result<(), Anything> {
    let (saved, warnings) = heard(|| {
        Ok(SavedModel::load_nemos(
            root().join("tests/golden/cases/saved_models/group_lasso.npz"),
        )?)
    })?;
    let told: Vec<String> = saved.warnings().iter().map(|warning| format!("{warning} ")).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(warnings, told);
    Ok(())
}

#[test]
fn nothing_else_is_warned_of() -> Result<(), Anything> {
    let mut places = Vec::new();
    let crates: Vec<PathBuf> = std::fs::read_dir(root().join("crates"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    let mut folders: Vec<PathBuf> = crates.iter().map(|folder| folder.join("src")).chain([root().join("src")]).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read_to_string(&path)?.contains("warn!(") {
                places.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
            }
        }
    }
    places.sort();
    assert_eq!(
        places,
        ["minimize.rs", "nemos_file.rs", "recurrent.rs", "report.rs"],
        "each needs a test here"
    );
    Ok(())
}
