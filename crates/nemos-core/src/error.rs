//! What can be wrong with the shape or the values of data.

use std::sync::Arc;

/// Data that cannot be used as they are.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A list of values does not fill the shape that was named.
    #[error("{values} values do not fill a matrix of {rows} rows and {columns} columns; it takes {}", .rows * .columns)]
    ValuesDoNotFill {
        /// Number of values given.
        values: usize,
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
        columns: usize,
    },
    /// Two things that need one row per sample each have different numbers of them.
    #[error("{left_name} has {left} rows but {right_name} has {right}; both need one row per sample")]
    RowsDiffer {
        /// What the first is.
        left_name: &'static str,
        /// Its rows.
        left: usize,
        /// What the second is.
        right_name: &'static str,
        /// Its rows.
        right: usize,
    },
    /// The columns of one thing do not fit another.
    #[error("{name} has {got} columns; {expected} are needed{}", hint(.why))]
    Columns {
        /// What has the wrong number of columns.
        name: &'static str,
        /// How many it has.
        got: usize,
        /// How many it should have.
        expected: usize,
        /// What the number follows from.
        why: &'static str,
    },
    /// A chunk of rows has another shape than the rows that were asked for.
    #[error("a chunk has shape {got:?}, but {expected:?} was asked for")]
    ChunkShape {
        /// Its shape.
        got: [usize; 2],
        /// The shape of the rows that were asked for.
        expected: [usize; 2],
    },
    /// A weight that is negative or not finite.
    #[error("weights hold {value} in row {row}, column {column}; weights are finite and not negative")]
    Weight {
        /// The value.
        value: f64,
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
    },
    /// Rows outside a matrix were asked for.
    #[error("rows {start}..{end} were asked for, but there are {available}")]
    RowsOutside {
        /// First row.
        start: usize,
        /// One past the last row.
        end: usize,
        /// Rows that exist.
        available: usize,
    },
    /// A column that a matrix does not have was asked for.
    #[error("column {column} was asked for, but there are {available}, counted from 0")]
    ColumnOutside {
        /// The column.
        column: usize,
        /// Columns that exist.
        available: usize,
    },
    /// More memory than there is.
    #[error("{name} would take {:.1} GB, and {:.1} GB are free; take fewer of them, or compute them on demand (`Basis::design`)", bytes / 1e9, available / 1e9)]
    Memory {
        /// What would be as large.
        name: &'static str,
        /// How many bytes it would take.
        bytes: f64,
        /// How many are free.
        available: f64,
    },
    /// A matrix that no buffer of a device holds.
    #[error("a matrix of {rows} rows and {columns} columns takes {:.1} GB, and a buffer of the backend {backend} holds {:.1} GB; let rows be read a chunk at a time (`Basis::design`, `Design::from_rows`), or take the columns in parts", bytes / 1e9, largest / 1e9)]
    Buffer {
        /// Name of the backend.
        backend: &'static str,
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
        /// How many bytes it takes.
        bytes: f64,
        /// How many a buffer holds.
        largest: f64,
    },
    /// There is nothing to compute with.
    #[error("{name} is empty: it has {rows} rows and {columns} columns, and at least one of each is needed")]
    Empty {
        /// What is empty.
        name: &'static str,
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
    },
    /// A value is infinite.
    #[error("row {row}, column {column} of {name} is infinite; use NaN for a missing value, or remove the row")]
    Infinite {
        /// What holds the value.
        name: &'static str,
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
    },
    /// Every row has a missing value.
    #[error(
        "{name} has no complete row: each of its {rows} rows holds a NaN: a missing value, a sample beyond the bounds of its basis, or a window that reaches before the rows"
    )]
    AllMissing {
        /// What holds the rows.
        name: &'static str,
        /// How many rows there are.
        rows: usize,
    },
    /// Segments must follow each other and cover all samples.
    #[error(
        "segment {index} covers rows {start}..{end}, but the one before it ends at {previous_end}; segments follow each other without gap"
    )]
    SegmentsNotContiguous {
        /// Which segment.
        index: usize,
        /// Its first row.
        start: usize,
        /// One past its last row.
        end: usize,
        /// Where the segment before it ended.
        previous_end: usize,
    },
    /// Two blocks of columns share a name.
    #[error("two blocks of features are named {name:?}; names must differ, since coefficients come back under them")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// Nothing has this name.
    #[error("no {of} is named {name:?}; there are {available:?}")]
    UnknownName {
        /// The name asked for.
        name: String,
        /// What it would be the name of.
        of: &'static str,
        /// The names that exist.
        available: Vec<String>,
    },
    /// A block, a channel or a column has another name than in the fit.
    #[error(
        "{place} of the {what} is {got:?}, and the model was fitted with {expected:?} there; give it in the order of the fit, rename it, or take the names off (Design::with_names)"
    )]
    NamesDiffer {
        /// What has the name.
        what: &'static str,
        /// Which block, channel or column, as in `column 0`.
        place: Box<str>,
        /// Its name.
        got: Box<str>,
        /// The name that it should have.
        expected: Box<str>,
    },
    /// A name was asked for where there are none.
    #[error("{asked:?} was asked for, but the columns have no names; give the features names: Features::with, or the design of a basis")]
    NoNames {
        /// The name asked for.
        asked: String,
    },
    /// There are not as many names as columns.
    #[error("there are {got} {what} for {columns} columns")]
    NamesDoNotFit {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many columns there are.
        columns: usize,
    },
    /// The columns of a block cannot be shared among its channels.
    #[error("the {columns} columns of {name:?} cannot be shared equally among {channels} channels")]
    Channels {
        /// Name of the block.
        name: String,
        /// Its columns.
        columns: usize,
        /// Its channels.
        channels: usize,
    },
    /// Two time axes part.
    #[error("{left_name} and {right_name} part at row {row}: {left} s against {right} s; use the same time bins for both")]
    TimesDiffer {
        /// What the first is.
        left_name: &'static str,
        /// Its time there.
        left: f64,
        /// What the second is.
        right_name: &'static str,
        /// Its time there.
        right: f64,
        /// First row where they differ.
        row: usize,
    },
    /// Rows could not be read from where they are kept.
    #[error("rows {start}..{end} could not be read: {source}")]
    Read {
        /// First row.
        start: usize,
        /// One past the last row.
        end: usize,
        /// What went wrong.
        source: Arc<std::io::Error>,
    },
    /// A file that a fit was to go on from, or to be kept in, cannot be used.
    #[error("the checkpoint {} cannot be used: {why}", path.display())]
    Checkpoint {
        /// The file.
        path: std::path::PathBuf,
        /// Why not.
        why: String,
    },
    /// A device that computes is missing, or has failed.
    #[error("the device of the backend {backend} cannot be used: {reason}; {remedy}")]
    Device {
        /// Name of the backend.
        backend: &'static str,
        /// What it, or its driver, said.
        reason: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// Another process of the program failed, or has ended.
    #[error("process {rank}: {reason}")]
    Process {
        /// Its number.
        rank: usize,
        /// What went wrong there.
        reason: String,
    },
    /// Something that needs all rows was given the share of one process.
    #[error(
        "{what} needs all rows in one process, and was given the share of one of several; give every process all rows (and its part of the work: World::deal), or run one process"
    )]
    Shared {
        /// What needs them.
        what: &'static str,
    },
    /// A factorisation failed to converge, which finite input does not cause.
    #[error("the eigenvalues of a {size} × {size} matrix did not converge; are all features finite and of moderate size?")]
    NoEigenvalues {
        /// Rows and columns of the matrix.
        size: usize,
    },
}

impl Error {
    /// A process that cannot be reached.
    pub(crate) fn no_process(rank: usize) -> Self {
        let reason = "is not there any more".into();
        Error::Process { rank, reason }
    }
}

fn hint(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(" ({why})") }
}
