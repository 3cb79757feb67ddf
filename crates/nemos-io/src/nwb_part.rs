//! A part of an NWB file, and the stretch of time that is asked of it.

use std::fmt;
use std::sync::Arc;

use crate::hdf5::Hdf5;
use crate::{Error, NwbEntry};

/// The group of an entry, of which nothing is read yet.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) file: Arc<Hdf5>,
    pub(crate) path: String,
    /// Everything, or from one time to another in seconds, both included.
    pub(crate) between: Option<(f64, f64)>,
}

impl Part {
    pub(crate) fn new(file: Arc<Hdf5>, entry: &NwbEntry) -> Self {
        Part {
            file,
            path: entry.path.clone(),
            between: None,
        }
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
