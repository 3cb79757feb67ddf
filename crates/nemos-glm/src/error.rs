//! What can be wrong with the input of a model.

use nemos_solvers::Status;

/// Input that a model cannot be fitted to or used with.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data have the wrong shape, are infinite, or cannot be read.
    #[error(transparent)]
    Data(#[from] nemos_core::Error),
    /// An option of the solver or the penalty is out of range.
    #[error(transparent)]
    Option(nemos_solvers::Error),
    /// A model of one neuron was given several.
    #[error("counts have {n_neurons} columns; Glm describes one neuron, PopulationGlm describes many")]
    SeveralNeurons {
        /// Columns of the counts.
        n_neurons: usize,
    },
    /// Counts that the observation model gives no probability.
    #[error("counts hold {value} in row {row}, column {column}; this observation model needs {expected}")]
    OutsideSupport {
        /// The value.
        value: f64,
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
        /// What the model needs.
        expected: &'static str,
    },
    /// A neuron has no count that could be used.
    #[error("counts of neuron {neuron} are missing in every complete row; leave the neuron out")]
    NeuronMissing {
        /// Which neuron.
        neuron: usize,
    },
    /// The times of the design and of the counts part.
    #[error("design and counts part at row {row}: {design} s against {counts} s; count and compute features on the same time bins")]
    TimesDiffer {
        /// First row where they differ.
        row: usize,
        /// Time of the design there.
        design: f64,
        /// Time of the counts there.
        counts: f64,
    },
    /// No predictor gives a rate near the mean count.
    #[error("no intercept gives neuron {neuron} its mean count {mean} under this link; does the link reach it?")]
    NoIntercept {
        /// Which neuron.
        neuron: usize,
        /// Its mean count.
        mean: f64,
    },
    /// A fit was required to converge, and did not.
    #[error("neuron {neuron} did not converge: {status}")]
    NotConverged {
        /// The first neuron that did not.
        neuron: usize,
        /// How it ended.
        status: Status,
    },
}

impl From<nemos_solvers::Error> for Error {
    fn from(error: nemos_solvers::Error) -> Self {
        match error {
            nemos_solvers::Error::Data(error) => Error::Data(error),
            error => Error::Option(error),
        }
    }
}
