//! Searches that go on after a stop: what is done, in a file.

use std::path::PathBuf;

use nemos_core::{Backend, Digest};
use serde::{Deserialize, Serialize};

use crate::row::Row;
use crate::searchable::Data;
use crate::{Error, Scoring, Settings};

/// What is done of a search, and what it was a search of.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    scoring: String,
    /// Of the data and the folds.
    fingerprint: u64,
    rows: Vec<Row>,
}

/// The file of a search, if it has one.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    path: Option<PathBuf>,
    saved: Saved,
}

impl Checkpoint {
    /// Reads what is done, if the file is there.
    pub(crate) fn open<B: Backend>(path: Option<PathBuf>, data: &Data<'_, B>, scoring: &Scoring) -> Result<Self, Error> {
        let fresh = |fingerprint| Saved {
            scoring: scoring.to_string(),
            fingerprint,
            rows: Vec::new(),
        };
        let Some(path) = path else {
            return Ok(Checkpoint {
                path: None,
                saved: fresh(0),
            });
        };
        let expected = fresh(fingerprint(data)?);
        let fails = |why: String| Error::File {
            path: path.display().to_string(),
            why,
        };
        let saved = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => expected,
            Err(error) => return Err(fails(error.to_string())),
            Ok(text) => {
                let saved: Saved =
                    serde_json::from_str(&text).map_err(|error| fails(format!("this is not the file of a search ({error})")))?;
                if (saved.fingerprint, &saved.scoring) != (expected.fingerprint, &expected.scoring) {
                    return Err(fails(
                        "this is the file of a search over other data, folds or scores; remove it, or name another".into(),
                    ));
                }
                saved
            }
        };
        Ok(Checkpoint { path: Some(path), saved })
    }

    /// The row of a candidate that is done.
    pub(crate) fn row(&self, settings: &Settings) -> Option<Row> {
        self.saved.rows.iter().find(|row| row.settings() == settings).cloned()
    }

    /// Writes what is done: the file is replaced whole or not at all.
    pub(crate) fn write<'r>(&mut self, rows: impl Iterator<Item = &'r Row>) -> Result<(), Error> {
        let Some(path) = &self.path else { return Ok(()) };
        self.saved.rows = rows.cloned().collect();
        let fails = |why: String| Error::File {
            path: path.display().to_string(),
            why,
        };
        let text = serde_json::to_string(&self.saved).map_err(|error| fails(error.to_string()))?;
        let mut beside = path.as_os_str().to_owned();
        beside.push(".part");
        std::fs::write(&beside, text).map_err(|error| fails(error.to_string()))?;
        std::fs::rename(&beside, path).map_err(|error| fails(error.to_string()))
    }
}

/// A number of shapes, of some rows of every design and of the folds: other data are noticed, at the price of a glance.
fn fingerprint<B: Backend>(data: &Data<'_, B>) -> Result<u64, Error> {
    const ROWS: usize = 256;
    let mut digest = Digest::new();
    for design in data.inputs.iter().chain([&data.counts]) {
        let n_rows = design.n_rows();
        design.dims().iter().for_each(|&n| digest.add(n as u64));
        let rows: Vec<usize> = (0..n_rows).step_by(n_rows.div_ceil(ROWS).max(1)).collect();
        digest.numbers(&design.rows().gather(&rows)?.to_vec());
    }
    for split in data.splits.iter() {
        split.train().iter().chain(split.test()).for_each(|&row| digest.add(row as u64));
        digest.add(split.train().len() as u64);
    }
    Ok(digest.word())
}
