//! What can be wrong with a file.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
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
    #[error("array {name} has no valid .npy header: {source}")]
    Header {
        /// Which array.
        name: String,
        /// What is wrong with it.
        source: Arc<io::Error>,
    },
    /// An array holds something other than numbers.
    #[error("array {name} holds {dtype}; only booleans, integers and floats of 16, 32 or 64 bits can be read")]
    UnsupportedType {
        /// Which array.
        name: String,
        /// The type as NumPy writes it.
        dtype: String,
    },
    /// An array claims to be larger than memory can be.
    #[error("array {name} claims to hold more values than a machine can address; its header is damaged")]
    TooLarge {
        /// Which array.
        name: String,
    },
    /// An array ends before its last value.
    #[error("array {name} should hold {expected} values, but its data end after {got} ({source}); the file is cut short or damaged")]
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
    #[error("array {name} is damaged after its last value: {source}")]
    Damaged {
        /// Which array.
        name: String,
        /// What is wrong.
        source: Arc<io::Error>,
    },
    /// One axis was asked for, and the array has another number of them.
    #[error("array {name} has shape {shape:?}, and a vector has one axis; read it with `array` instead")]
    NotAVector {
        /// Which array.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// Rows were asked for, and an array has more than two axes, or none.
    #[error("{} has shape {shape:?}, and rows have one axis or two; reshape it to [n_rows, n_columns]", path.display())]
    NotRows {
        /// Which file.
        path: PathBuf,
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
    /// A saved model whose parts do not fit, and which file that is.
    #[error("{}: {source}", path.display())]
    Model {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it: [`Error::ModelPart`].
        source: Box<Error>,
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
    #[error(
        "a model whose {part} is your own cannot be saved; write its coefficients with `write_npy`, and make it again with `with_parameters`"
    )]
    OwnModel {
        /// Which part is not built in.
        part: &'static str,
    },
    /// A model or a basis that a file could not give back.
    #[error("the model cannot be saved: {source}; functions of your own have no text, and options must be finite numbers")]
    NotSaved {
        /// What cannot be written.
        source: Arc<io::Error>,
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
    /// A file is shorter than it says that it is.
    #[error("{} has {got} bytes and should have {expected}; it was not written or copied to its end", path.display())]
    CutShort {
        /// Which file.
        path: PathBuf,
        /// Its length in bytes.
        got: u64,
        /// The length that it states.
        expected: u64,
    },
    /// An HDF5 file, or an object in it, is damaged or of a kind that cannot be read.
    #[error("{object} in {} cannot be read: {source}", path.display())]
    Hdf5 {
        /// Which file.
        path: PathBuf,
        /// Which object in it.
        object: String,
        /// What is wrong with it.
        source: Arc<io::Error>,
    },
    /// A Zarr array is damaged, of a kind that cannot be read, or cannot be written.
    #[error("the Zarr array {}: {source}", path.display())]
    Zarr {
        /// Its folder.
        path: PathBuf,
        /// What is wrong with it.
        source: Arc<io::Error>,
    },
    /// A time in a recording is not finite, or before the one before it.
    #[error(
        "{object} in {}: row {row} is {time} s{}; times are finite and in order: `NwbFile::lenient` reads the others, and says which were left out",
        path.display(), after(*before)
    )]
    Times {
        /// Which file.
        path: PathBuf,
        /// Which object in it.
        object: String,
        /// Which row of it, from 0.
        row: usize,
        /// The time there.
        time: f64,
        /// The time before it, infinite where there is none.
        before: f64,
    },
    /// Something in a recording cannot be used as it is.
    #[error("{object} in {}: {source}", path.display())]
    Recording {
        /// Which file.
        path: PathBuf,
        /// Which object in it.
        object: String,
        /// What is wrong with it.
        source: nemos_timeseries::Error,
    },
    /// The name of a file that is to be written means another format.
    #[error("{} is to be written as .{format}, and its name ends like a file of another kind; call it something.{format}", path.display())]
    Ending {
        /// Which file.
        path: PathBuf,
        /// The usual ending of what is written.
        format: &'static str,
    },
    /// A file of no format that can be read.
    #[error("{} is of no kind that is read here: NWB (HDF5), .npz, .npy, .csv and .safetensors are; convert it, or take its numbers from another crate to `Ts::new` and `Matrix::from_vec`", path.display())]
    UnknownFormat {
        /// Which file.
        path: PathBuf,
    },
    /// The values of a series are of a type that cannot be read.
    #[error("{name} in {} holds {type_name}; only numbers, flags and texts with timestamps are read, so convert it with h5py", path.display())]
    SeriesType {
        /// Which file.
        path: PathBuf,
        /// Which series.
        name: String,
        /// What its values are.
        type_name: &'static str,
    },
    /// The first axis of a series is not time.
    #[error(
        "{name} has shape {shape:?} and {times} times: time must be the first axis; transpose the data, or read them with `NwbSeries::transposed`"
    )]
    SeriesTransposed {
        /// Which series.
        name: String,
        /// The shape of its data.
        shape: Vec<usize>,
        /// How many times it has.
        times: usize,
    },
    /// A recording has nothing of this name.
    #[error("{} has no {wanted} named {name:?}; it has {}", path.display(), listed(available))]
    NoEntry {
        /// Which file.
        path: PathBuf,
        /// What was asked for.
        wanted: &'static str,
        /// The name asked for.
        name: String,
        /// The names that exist.
        available: Vec<String>,
    },
    /// A table in a recording contradicts itself.
    #[error("{table} in {} is damaged: {problem}", path.display())]
    Table {
        /// Which file.
        path: PathBuf,
        /// Which table.
        table: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A series cannot be read a chunk at a time.
    #[error(
        "the samples of {name:?}, whose shape is {shape:?}, cannot be read some at a time, since {why}; read them with `frame` or `tensor`"
    )]
    SeriesRows {
        /// Which series.
        name: String,
        /// The shape of its data.
        shape: Vec<usize>,
        /// What is in the way.
        why: &'static str,
    },
    /// A sample of a time series has another shape than was asked for.
    #[error("a sample of {name} has shape {shape:?}, not {wanted}; read it as {instead}")]
    SeriesShape {
        /// Which series.
        name: String,
        /// The shape of a sample.
        shape: Vec<usize>,
        /// What was asked for.
        wanted: &'static str,
        /// What it can be read as.
        instead: &'static str,
    },
    /// A time series has not as many times as samples.
    #[error("{name} has {times} times for {samples} samples; `NwbFile::lenient` takes those that have both")]
    SeriesTimes {
        /// Which series.
        name: String,
        /// How many times.
        times: usize,
        /// How many samples.
        samples: usize,
    },
    /// A time series does not have one conversion factor per channel.
    #[error("{name} has {got} conversion factors for {expected} channels; the file is damaged")]
    SeriesChannels {
        /// Which series.
        name: String,
        /// How many factors.
        got: usize,
        /// How many channels.
        expected: usize,
    },
    /// A time series says neither when its samples were taken nor how often.
    #[error("{name} has no timestamps, and starts at {start} s with {rate} samples per second; a positive rate is needed")]
    SeriesRate {
        /// Which series.
        name: String,
        /// Its first time, NaN if missing.
        start: f64,
        /// Its sampling rate, NaN if missing.
        rate: f64,
    },
    /// A `.npz` file that pynapple did not write.
    #[error("{} holds no object of pynapple, which has at least `start` and `end`: it has {available:?}; read it with NpzFile", path.display())]
    NotPynapple {
        /// Which file.
        path: PathBuf,
        /// The numeric arrays that exist.
        available: Vec<String>,
    },
    /// Arrays of one object of pynapple do not have the same length.
    #[error("{name} in {} has {got} entries, and what it belongs to has {expected}; the file is damaged: write it again", path.display())]
    PynappleLengths {
        /// Which file.
        path: PathBuf,
        /// Which array.
        name: &'static str,
        /// Its length.
        got: usize,
        /// The length of the others.
        expected: usize,
    },
    /// A cell of a table of text is not what it should be.
    #[error("line {line}, column {column} of {}: got {got:?}, expected {expected}", path.display())]
    Csv {
        /// Which file.
        path: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// Its column, from 1.
        column: usize,
        /// What is there.
        got: String,
        /// What should be.
        expected: &'static str,
    },
    /// A table of text has not the columns that it should have.
    #[error("{} needs {wanted}; it has {available:?}", path.display())]
    CsvColumns {
        /// Which file.
        path: PathBuf,
        /// What it should have.
        wanted: &'static str,
        /// The names of its columns.
        available: Vec<String>,
    },
    /// Times, values or names do not make a time series.
    #[error(transparent)]
    TimeSeries(#[from] nemos_timeseries::Error),
    /// The file cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
}

/// The names that there are.
fn listed(names: &[String]) -> String {
    match names {
        [] => "none".into(),
        names => format!("{names:?}"),
    }
}

/// What a time comes after, in words.
fn after(before: f64) -> String {
    if before.is_finite() {
        format!(", after {before} s")
    } else {
        String::new()
    }
}

impl Error {
    /// That something in a recording cannot be used as it is.
    pub(crate) fn recording(path: &Path, object: &str, source: impl Into<nemos_timeseries::Error>) -> Self {
        Error::Recording {
            path: path.into(),
            object: object.into(),
            source: source.into(),
        }
    }

    /// The same where a part of a saved model is wrong, with the file that it is a part of.
    pub(crate) fn of_model(self, path: &Path) -> Self {
        match self {
            Error::ModelPart { .. } => Error::Model {
                path: path.into(),
                source: Box::new(self),
            },
            other => other,
        }
    }
}

/// An error of a file as its rows have it.
pub(crate) fn unread(rows: Range<usize>) -> impl FnOnce(Error) -> nemos_core::Error {
    move |error| nemos_core::Error::Read {
        start: rows.start,
        end: rows.end,
        source: Arc::new(io::Error::other(error)),
    }
}
