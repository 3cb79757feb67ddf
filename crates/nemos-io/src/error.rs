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
    /// The file is not a saved model, or is damaged.
    #[error("{} is not a saved model ({source}); was it written by `save`, and copied to its end?", path.display())]
    NotAModel {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: Arc<io::Error>,
    },
    /// The saved model has a format that this version does not read.
    #[error("{} has format version {got:?}, and this version of nemos reads {expected:?}; use the one that wrote it", path.display())]
    ModelVersion {
        /// Which file.
        path: PathBuf,
        /// The version that the file names.
        got: String,
        /// The version that can be read.
        expected: &'static str,
    },
    /// A part of a saved model is missing or does not fit the others.
    #[error("the saved model is damaged, or from a newer version: its {part} should be {expected}")]
    ModelPart {
        /// Which part.
        part: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// The file holds a model of other types.
    #[error("the file holds {saved}, but {asked} was asked for; load it with the types that it was saved with")]
    OtherModel {
        /// What the file holds.
        saved: String,
        /// What was asked for.
        asked: String,
    },
    /// A model that cannot be saved, because no file could say what it is.
    #[error("a {part} of your own cannot be saved; write its coefficients with `write_npy`, and make it again with `with_parameters`")]
    OwnModel {
        /// Which part is not built in.
        part: &'static str,
    },
    /// NeMoS has nothing like a part of this model.
    #[error("NeMoS has no {what}; `save` keeps the whole model")]
    NotInNemos {
        /// Which part.
        what: &'static str,
    },
    /// A saved model cannot be made.
    #[error(transparent)]
    Glm(#[from] nemos_glm::Error),
    /// The file cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
}
