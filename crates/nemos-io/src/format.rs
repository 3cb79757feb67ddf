//! Formats of files: what endings and first bytes say.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::Error;

/// A format that can be read.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Hdf5,
    Npz,
    Npy,
    Csv,
    Safetensors,
}

/// Endings of names, and what they mean; those of formats that are not ours among them.
const ENDINGS: [(&str, Option<Format>); 21] = [
    ("nwb", Some(Format::Hdf5)),
    ("h5", Some(Format::Hdf5)),
    ("hdf5", Some(Format::Hdf5)),
    ("npz", Some(Format::Npz)),
    ("npy", Some(Format::Npy)),
    ("csv", Some(Format::Csv)),
    ("tsv", Some(Format::Csv)),
    ("txt", Some(Format::Csv)),
    ("safetensors", Some(Format::Safetensors)),
    ("json", None),
    ("pkl", None),
    ("pickle", None),
    ("mat", None),
    ("parquet", None),
    ("zip", None),
    ("pt", None),
    ("onnx", None),
    ("joblib", None),
    ("zarr", None),
    ("png", None),
    ("svg", None),
];

impl Format {
    /// Its usual ending.
    fn ending(self) -> &'static str {
        let own = ENDINGS.iter().find(|(_, format)| *format == Some(self));
        own.map_or("", |(ending, _)| ending)
    }

    /// What a name ends on, where that means something.
    fn of_name(path: &Path) -> Option<Option<Format>> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        ENDINGS.iter().find(|(other, _)| *other == ending).map(|(_, format)| *format)
    }

    /// What a file is: by its first bytes, or by its name where they say nothing.
    ///
    /// # Errors
    /// [`Error::Open`]; [`Error::UnknownFormat`].
    pub(crate) fn of_file(path: &Path) -> Result<Format, Error> {
        let mut start = Vec::new();
        let read = File::open(path).and_then(|file| file.take(FIRST_BYTES).read_to_end(&mut start));
        read.map_err(|source| Error::Open {
            path: path.into(),
            source: Arc::new(source),
        })?;
        let by_content = if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
            Some(Format::Npz)
        } else if start.starts_with(b"\x93NUMPY") {
            Some(Format::Npy)
        } else if is_hdf5(&start) {
            Some(Format::Hdf5)
        } else if start.get(8) == Some(&b'{') && start.get(..8).is_some_and(|length| length[4..] == [0; 4]) {
            // The length of a header, and the header.
            Some(Format::Safetensors)
        } else {
            None
        };
        let named = Format::of_name(path).flatten();
        let is_text = || !start.is_empty() && !start.contains(&0) && named.is_none_or(|format| format == Format::Csv);
        let found = by_content.or_else(|| is_text().then_some(Format::Csv)).or(named);
        found.ok_or_else(|| Error::UnknownFormat { path: path.into() })
    }

    /// Whether the name of a file ends like one that can be read.
    pub(crate) fn is_read(path: &Path) -> bool {
        Format::of_name(path).flatten().is_some()
    }

    /// Refuses to write this format under a name whose ending means another.
    pub(crate) fn check_name(self, path: &Path) -> Result<(), Error> {
        match Format::of_name(path) {
            Some(format) if format != Some(self) => Err(Error::Ending {
                path: path.into(),
                format: self.ending(),
            }),
            _ => Ok(()),
        }
    }
}

/// Enough for all signatures; that of HDF5 may come after a block of the user's.
const FIRST_BYTES: u64 = 4096 + 8;

fn is_hdf5(start: &[u8]) -> bool {
    let places = [0, 512, 1024, 2048, 4096];
    places
        .iter()
        .any(|&at| start.get(at..).is_some_and(|bytes| bytes.starts_with(b"\x89HDF\r\n\x1a\n")))
}
