//! A part of an NWB file, and the stretch of time that is asked of it.

use std::fmt;
use std::sync::Arc;

use crate::hdf5::{BadTime, Hdf5};
use crate::report::Log;
use crate::{Error, NwbEntry};

/// The group of an entry, of which nothing is read yet.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) file: Arc<Hdf5>,
    pub(crate) log: Log,
    pub(crate) path: String,
    /// Everything, or from one time to another in seconds, both included.
    pub(crate) between: Option<(f64, f64)>,
}

impl Part {
    pub(crate) fn new(file: Arc<Hdf5>, log: Log, entry: &NwbEntry) -> Self {
        Part {
            file,
            log,
            path: entry.path.clone(),
            between: None,
        }
    }

    /// The error that a time of this object is not finite, or runs backwards.
    pub(crate) fn bad_time(&self, object: String, bad: BadTime) -> Error {
        Error::Times {
            path: self.file.path().into(),
            object,
            row: bad.row,
            time: bad.time,
            before: bad.before,
        }
    }

    /// The object and its file, for errors.
    pub(crate) fn label(&self) -> String {
        format!("{} in {}", self.path, self.file.path().display())
    }

    /// What is wrong with the times, values or names of a recording, and where.
    pub(crate) fn at<T>(&self, made: Result<T, impl Into<nemos_timeseries::Error>>) -> Result<T, Error> {
        made.map_err(|error| Error::recording(self.file.path(), &self.path, error))
    }

    /// Whether the group has this dataset.
    pub(crate) fn has(&self, name: &str) -> Result<bool, Error> {
        self.file.has(&self.path, name)
    }

    /// The path of a dataset of the group.
    pub(crate) fn dataset(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("path", &self.path)
            .field("between", &self.between)
            .finish_non_exhaustive()
    }
}
