//! What can be wrong with a file.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// A file that cannot be read or written as asked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be opened.
    #[error("{} cannot be opened: {source}", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The file is not a complete zip archive.
    #[error("{} is not a complete .npz file ({source}); was it written by numpy.savez, and copied to its end?", path.display())]
    NotAnArchive {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: Arc<io::Error>,
    },
    /// The file has no array of this name.
    #[error("{} has no array {name:?}; it has {available:?}", path.display())]
    NoArray {
        /// Which file.
        path: PathBuf,
        /// The name asked for.
        name: String,
        /// The numeric arrays that exist.
        available: Vec<String>,
    },
    /// What an array says about itself cannot be understood.
    #[error("array {name:?} has no valid .npy header: {source}")]
    Header {
        /// Which array.
        name: String,
        /// What is wrong with it.
        source: Arc<io::Error>,
    },
    /// An array holds something other than numbers.
    #[error("array {name:?} holds {dtype}; only booleans, integers and floats of 32 or 64 bits can be read")]
    UnsupportedType {
        /// Which array.
        name: String,
        /// The type as NumPy writes it.
        dtype: String,
    },
    /// An array claims to be larger than memory can be.
    #[error("array {name:?} claims to hold more values than a machine can address; its header is damaged")]
    TooLarge {
        /// Which array.
        name: String,
    },
    /// An array ends before its last value.
    #[error("array {name:?} should hold {expected} values, but its data end after {got} ({source}); the file is cut short or damaged")]
    Truncated {
        /// Which array.
        name: String,
        /// Values that its shape promises.
        expected: usize,
        /// Values that were read.
        got: usize,
        /// What went wrong after the last of them.
        source: Arc<io::Error>,
    },
    /// An array goes on after its last value, or its checksum is wrong.
    #[error("array {name:?} is damaged after its last value: {source}")]
    Damaged {
        /// Which array.
        name: String,
        /// What is wrong.
        source: Arc<io::Error>,
    },
    /// One axis was asked for, and the array has another number of them.
    #[error("array {name:?} has shape {shape:?}, and a vector has one axis; read it with `array` instead")]
    NotAVector {
        /// Which array.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// The file cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
}
