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
    /// A neuron has no row of positive weight.
    #[error("the weights of neuron {neuron} are zero in every row in which its count is not missing; one above zero is needed")]
    NoWeight {
        /// Which neuron.
        neuron: usize,
    },
    /// A log-likelihood that needs a scale which the rows could not tell.
    #[error(
        "the fit of neuron {neuron} leaves no degrees of freedom, or nothing unexplained, and so its observations have no scale; take more rows or fewer features, give a scale (with_scale), or use Score::Cohen, which needs none"
    )]
    NoScale {
        /// Which neuron.
        neuron: usize,
    },
    /// A ratio of logarithms of densities.
    #[error(
        "McFadden's ratio has no meaning here: the log-density of the null model is {null} and that of the model {fitted}, of which one is above zero and changes with the unit of the data; use Score::Cohen"
    )]
    RatioOfDensities {
        /// Of a constant rate, summed over rows.
        null: f64,
        /// Of the model.
        fitted: f64,
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
    /// A feature mask does not fit the coefficients.
    #[error("the feature mask is for {} features and {} neurons, but there are {} and {}", .got[0], .got[1], .expected[0], .expected[1])]
    MaskShape {
        /// Features and neurons of the mask.
        got: [usize; 2],
        /// Features and neurons of the data.
        expected: [usize; 2],
    },
    /// A coupling map does not fit the block of features that it is for.
    #[error("the coupling map of {block:?} has shape {got:?}; one row per channel and one column per neuron are {expected:?}")]
    CouplingShape {
        /// Name of the block.
        block: String,
        /// Rows and columns of the map.
        got: [usize; 2],
        /// Channels and neurons.
        expected: [usize; 2],
    },
    /// Something does not have one entry for each problem.
    #[error("there are {got} {what} for {expected} problems; one for each is needed")]
    PerProblem {
        /// What there is one of for each problem.
        what: &'static str,
        /// How many were given.
        got: usize,
        /// How many problems there are.
        expected: usize,
    },
    /// Initial parameters, or a batch, do not fit the model.
    #[error(
        "initial parameters, or a batch, are for {} features and {} neurons; the model has {} and {}",
        .got[0], .got[1], .expected[0], .expected[1]
    )]
    StartShape {
        /// Features and neurons given.
        got: [usize; 2],
        /// Features and neurons needed.
        expected: [usize; 2],
    },
    /// Parameters that do not fit each other.
    #[error("coefficients are for {coef} neurons, but {intercept} values were given beside them; one per neuron is needed")]
    Parameters {
        /// Columns of the coefficients.
        coef: usize,
        /// Intercepts, scales, degrees of freedom or outcomes.
        intercept: usize,
    },
    /// A model that was fitted with an offset was given a design without one.
    #[error("the model was fitted with an offset, but the design has none; add one with Design::with_offset (zeros for none)")]
    OffsetMissing,
    /// A scale that is estimated with the coefficients cannot be learnt from batches.
    #[error(
        "a scale that is estimated together with the coefficients needs all data at once; fix it, for example with NegativeBinomial::new"
    )]
    ScaleInBatches,
    /// A label that is none of the classes.
    #[error("the label in row {row} is none of the classes")]
    UnknownLabel {
        /// Its row.
        row: usize,
    },
    /// A classifier was given an offset.
    #[error("a classifier takes no offset: it would be the same for every class, and change nothing")]
    OffsetOfClasses,
    /// Batches led to parameters that are not finite.
    #[error("after {steps} batches the parameters of neuron {neuron} are not finite; take a smaller step")]
    Diverged {
        /// Which neuron.
        neuron: usize,
        /// Steps taken.
        steps: usize,
    },
    /// A fit cannot keep to a limit of its memory.
    #[error(
        "the fit takes {:.1} MB at least, one neuron at a time in the shortest blocks, and the limit is {:.1} MB; raise the limit to {least:.0} \
         bytes or more, or take fewer features",
        least / 1e6, limit / 1e6
    )]
    MemoryLimit {
        /// The limit, in bytes.
        limit: f64,
        /// The least limit that can be kept, in bytes.
        least: f64,
    },
    /// A fit was required to converge, and did not.
    #[error(
        "neuron {neuron} did not converge: {status}; loosen the tolerance, allow more steps, add a penalty, or take the model as it is"
    )]
    NotConverged {
        /// The first neuron that did not.
        neuron: usize,
        /// How it ended.
        status: Status,
    },
    /// A name that nothing has.
    #[error("{name:?} is no {what}; there are {known}")]
    UnknownName {
        /// What was looked for.
        what: &'static str,
        /// The name.
        name: String,
        /// The names that there are.
        known: &'static str,
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
