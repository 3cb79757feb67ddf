//! What can be wrong with a search.

impl From<nemos_solvers::Error> for Error {
    fn from(error: nemos_solvers::Error) -> Self {
        Error::Glm(error.into())
    }
}

/// What can be wrong with folds, grids, pipelines and searches.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data have the wrong shape, or cannot be read.
    #[error(transparent)]
    Data(#[from] nemos_core::Error),
    /// A model cannot be fitted to the data.
    #[error(transparent)]
    Glm(#[from] nemos_glm::Error),
    /// A basis does not suit its inputs.
    #[error(transparent)]
    Basis(#[from] nemos_basis::Error),
    /// An option is out of range.
    #[error("{option} is {got}; it must be {expected}")]
    Option {
        /// Which option.
        option: &'static str,
        /// The value given.
        got: f64,
        /// What is allowed.
        expected: &'static str,
    },
    /// There are too few rows, groups or segments for so many folds.
    #[error("{folds} folds were asked for, but there are {available} {what}; ask for fewer folds")]
    TooManyFolds {
        /// Folds asked for.
        folds: usize,
        /// What the folds are made of.
        what: &'static str,
        /// How many of these there are.
        available: usize,
    },
    /// A fold has no rows to train on, or none to test on.
    #[error("fold {fold} has no rows to {purpose}; take fewer folds, or a smaller gap")]
    EmptyFold {
        /// Which fold.
        fold: usize,
        /// What the rows would be for.
        purpose: &'static str,
    },
    /// A fold that a model cannot be scored on, or that a classifier cannot be fitted to. Other models are fitted to all folds together.
    #[error("in fold {fold}: {error}")]
    InFold {
        /// Which fold.
        fold: usize,
        /// What went wrong there.
        error: Box<Error>,
    },
    /// A row is both trained on and tested on.
    #[error("row {row} of fold {fold} is in the training rows and in the test rows; a row may be in one of them")]
    Overlap {
        /// Which fold.
        fold: usize,
        /// The first such row.
        row: usize,
    },
    /// Folds need times, and the design has none.
    #[error("the gap is in seconds, but the design has no times; give a gap in rows, or times (Design::with_times)")]
    NoTimes,
    /// A path names nothing that can be set.
    #[error("there is no parameter {path:?}; there are {}", .available.join(", "))]
    UnknownParameter {
        /// The path.
        path: String,
        /// The paths that there are.
        available: Vec<String>,
    },
    /// A parameter cannot take a value.
    #[error("{path} cannot be {value}: {why}")]
    Value {
        /// The path of the parameter.
        path: String,
        /// The value, printed.
        value: String,
        /// Why not.
        why: String,
    },
    /// A score of another kind of model.
    #[error("{scoring} does not score this model: {why}")]
    Scoring {
        /// The score, printed.
        scoring: String,
        /// Why not.
        why: &'static str,
    },
    /// A search over nothing.
    #[error("the grid holds no candidates; give every parameter at least one value")]
    NoCandidates,
    /// No candidate has a score.
    #[error("no candidate has a score in every fold; the first one: {reason}")]
    AllFailed {
        /// Why the first candidate has none.
        reason: String,
    },
    /// A search was told to stop.
    #[error("the search was stopped after {done} of {total} fits")]
    Stopped {
        /// Fits that were finished.
        done: usize,
        /// Fits that there were to do.
        total: usize,
    },
    /// The file of a search cannot be read or written, or is of another search.
    #[error("{path}: {why}")]
    File {
        /// The path of the file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The penalty has no path.
    #[error("a path of strengths needs a penalty that drops coefficients: a lasso, an elastic net or a group lasso; this one is {penalty}")]
    NoPath {
        /// The penalty, printed.
        penalty: String,
    },
    /// No strength makes a coefficient active.
    #[error("no feature moves the loss at its intercept-only minimum: the counts are all the same, or the features never vary")]
    NoPull,
    /// Inputs are not those that a pipeline routes.
    #[error("{what}")]
    Inputs {
        /// What does not fit.
        what: String,
    },
}

impl Error {
    /// The same, of one fold; a score of another kind of model is of all of them.
    pub(crate) fn in_fold(self, fold: usize) -> Self {
        match self {
            Error::Scoring { .. } => self,
            _ => Error::InFold {
                fold,
                error: Box::new(self),
            },
        }
    }
}
