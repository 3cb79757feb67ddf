//! What can be wrong with the input of a hidden Markov model.

/// Input that a hidden Markov model cannot be fitted to or used with.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data have the wrong shape, are infinite, or cannot be read.
    #[error(transparent)]
    Data(#[from] nemos_core::Error),
    /// The observation models of the states refuse the data or their options.
    #[error(transparent)]
    Glm(nemos_glm::Error),
    /// Times are no time axis.
    #[error(transparent)]
    TimeSeries(nemos_timeseries::Error),
    /// There are no states.
    #[error("a hidden Markov model of no states was asked for; it has one at least")]
    NoStates,
    /// An option is out of range.
    #[error("{option} is {got}; it must be {expected}")]
    Option {
        /// Which option.
        option: &'static str,
        /// Its value.
        got: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// An array has the wrong shape.
    #[error("{name} has shape {got:?}, but {expected:?} is needed: {axes}")]
    Shape {
        /// Which array.
        name: &'static str,
        /// Its shape.
        got: Vec<usize>,
        /// The shape that fits the rest.
        expected: Vec<usize>,
        /// What its axes are.
        axes: &'static str,
    },
    /// Probabilities that are none.
    #[error(
        "row {row} of {name} is not a probability distribution: probabilities must be between 0 and 1 and sum to 1, but their sum is {sum}"
    )]
    NoDistribution {
        /// Which array.
        name: &'static str,
        /// Its row.
        row: usize,
        /// The sum of the row.
        sum: f64,
    },
    /// A concentration of a Dirichlet prior below one.
    #[error("{name} holds {got}; below 1 the most probable value lies on the border, so give 1 or more")]
    Concentration {
        /// Which concentrations.
        name: &'static str,
        /// The concentration.
        got: f64,
    },
    /// A prior that forbids what a start demands.
    #[error(
        "{name} starts at 0 in place {place:?}, where the Dirichlet prior has a concentration of {concentration}: zeros that shall stay need a concentration of 1, and no sticky part"
    )]
    ZeroUnderPrior {
        /// Which probabilities.
        name: &'static str,
        /// State, or state before and state.
        place: Vec<usize>,
        /// The concentration there.
        concentration: f64,
    },
    /// A driven model was given nothing that drives it, or the other way round.
    #[error("the transitions of this model are {model}, but {given} to drive them; use {remedy}")]
    Drive {
        /// What they are.
        model: &'static str,
        /// What was given.
        given: &'static str,
        /// What to call.
        remedy: &'static str,
    },
    /// A missing value in what drives transitions.
    #[error(
        "what drives transitions is {value} in row {row}, column {column}; there is no neutral value, so fill it in (only the first row of a session may be missing)"
    )]
    DriveMissing {
        /// The value.
        value: f64,
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
    },
    /// Rows of a chain have no weights.
    #[error("the design has weights of its rows, which a chain has no place for; make rows missing (NaN) to leave them out")]
    Weighted,
    /// Counts with weights or an offset of their own.
    #[error(
        "the counts have {what} of their own, which would be left out: an offset belongs to the design, and rows of a chain have no weights"
    )]
    OfCounts {
        /// What they have.
        what: &'static str,
    },
    /// No path of states has a probability.
    #[error(
        "no state that can be reached in row {row} gives its observations a probability{}; leave the row out (NaN), or take away zeros of the transitions",
        .neuron.map_or(String::new(), |neuron| format!(" (neuron {neuron})"))
    )]
    Impossible {
        /// The row.
        row: usize,
        /// The neuron that none of the states explains, if it is one alone.
        neuron: Option<usize>,
    },
    /// Sessions that do not exist.
    #[error("there is no session {session}; the data have {n_sessions}")]
    NoSession {
        /// The session asked for.
        session: usize,
        /// How many there are.
        n_sessions: usize,
    },
    /// An order of states that is none.
    #[error("{order:?} is no order of {n_states} states; each must be named once")]
    Order {
        /// The order.
        order: Vec<usize>,
        /// How many states there are.
        n_states: usize,
    },
    /// A fit was required to converge, and did not.
    #[error("the fit did not converge: {status}; allow more iterations, add a prior, take fewer states, or take the model as it is")]
    NotConverged {
        /// How it ended.
        status: String,
    },
    /// Standard errors were asked for at parameters that are no maximum for these data.
    #[error(
        "these parameters are no maximum for these data: about {to_gain:.3} nats are still to be gained; fit to the end, and give the data of the fit"
    )]
    NotAtMaximum {
        /// Nats that a Newton step would gain.
        to_gain: f64,
    },
    /// Standard errors were asked for of something that the data do not determine.
    #[error("the data do not determine {what}: the information has no positive curvature there; add a prior, hold it, or leave it out")]
    NoInformation {
        /// What is not determined.
        what: String,
    },
    /// A file of a fitted model cannot be read or written.
    #[error("{path}: {why}")]
    File {
        /// Which file.
        path: String,
        /// What was wrong.
        why: String,
    },
}

// What lies at the root of an error is found in one place.
impl From<nemos_glm::Error> for Error {
    fn from(error: nemos_glm::Error) -> Self {
        match error {
            nemos_glm::Error::Data(error) => Error::Data(error),
            error => Error::Glm(error),
        }
    }
}

impl From<nemos_solvers::Error> for Error {
    fn from(error: nemos_solvers::Error) -> Self {
        nemos_glm::Error::from(error).into()
    }
}

impl From<nemos_timeseries::Error> for Error {
    fn from(error: nemos_timeseries::Error) -> Self {
        match error {
            nemos_timeseries::Error::Data(error) => Error::Data(error),
            error => Error::TimeSeries(error),
        }
    }
}

/// Fails unless an array has this shape.
pub(crate) fn check_shape(name: &'static str, got: &[usize], expected: &[usize], axes: &'static str) -> Result<(), Error> {
    if got == expected {
        return Ok(());
    }
    Err(Error::Shape {
        name,
        got: got.to_vec(),
        expected: expected.to_vec(),
        axes,
    })
}

/// Fails unless there are `unit` of something, or a multiple of it.
pub(crate) fn check_multiple(name: &'static str, got: usize, unit: usize, axes: &'static str) -> Result<(), Error> {
    check_shape(name, &[got], &[got.max(1).next_multiple_of(unit.max(1))], axes)
}

/// Fails unless rows of `width` numbers are probabilities of one thing or another.
pub(crate) fn check_distributions(name: &'static str, values: &[f64], width: usize) -> Result<(), Error> {
    for (row, of_row) in values.chunks_exact(width.max(1)).enumerate() {
        let sum: f64 = of_row.iter().sum();
        // NaN is in no range.
        if !of_row.iter().all(|p| (0.0..=1.0 + 1e-8).contains(p)) || (sum - 1.0).abs() > 1e-8 {
            return Err(Error::NoDistribution { name, row, sum });
        }
    }
    Ok(())
}
