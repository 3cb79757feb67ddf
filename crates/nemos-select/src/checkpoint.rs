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
    /// Each with a number of its specification.
    rows: Vec<(u64, Row)>,
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

    /// The row of a candidate that is done; `candidates` are the numbers of all specifications of the search.
    ///
    /// # Errors
    /// [`Error::File`] if its values are those of a model that is not among them.
    pub(crate) fn row(&self, settings: &Settings, specification: u64, candidates: &[u64]) -> Result<Option<Row>, Error> {
        let Some(path) = &self.path else { return Ok(None) };
        let mut alike = self.saved.rows.iter().filter(|(_, row)| row.settings() == settings);
        if let Some((_, row)) = alike.clone().find(|(known, _)| *known == specification) {
            return Ok(Some(row.clone()));
        }
        match alike.all(|(known, _)| candidates.contains(known)) {
            true => Ok(None),
            false => Err(Error::File {
                path: path.display().to_string(),
                why: format!("this is the file of a search over another model ({settings}); remove it, or name another"),
            }),
        }
    }

    /// Writes what is done, each row with the number of its specification: the file is replaced whole or not at all. What failed is left
    /// out, and tried again.
    pub(crate) fn write<'r>(&mut self, rows: impl Iterator<Item = (u64, &'r Row)>) -> Result<(), Error> {
        let Some(path) = &self.path else { return Ok(()) };
        let done = rows.filter(|(_, row)| row.failure().is_none());
        self.saved.rows = done.map(|(specification, row)| (specification, row.clone())).collect();
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

/// A number of shapes, of some rows of every design, of what belongs to them, and of the folds: other data are noticed, at the price of a
/// glance.
fn fingerprint<B: Backend>(data: &Data<'_, B>) -> Result<u64, Error> {
    const ROWS: usize = 256;
    let mut digest = Digest::new();
    for design in data.inputs.iter().chain([&data.counts]) {
        let n_rows = design.n_rows();
        design.dims().iter().for_each(|&n| digest.add(n as u64));
        let rows: Vec<usize> = (0..n_rows).step_by(n_rows.div_ceil(ROWS).max(1)).collect();
        digest.numbers(&design.rows().gather(&rows)?.to_vec());
        for beside in [design.weights(), design.offset()] {
            digest.add(beside.map_or(0, |beside| beside.dims()[1] as u64));
            beside.iter().for_each(|beside| digest.numbers(&beside.to_vec()));
        }
        design.segments().ranges().iter().for_each(|range| digest.add(range.end as u64));
    }
    for split in data.splits.iter() {
        split.train().iter().chain(split.test()).for_each(|&row| digest.add(row as u64));
        digest.add(split.train().len() as u64);
    }
    Ok(digest.word())
}
