//! What cannot be said of a fit, and why.

use nemos_solvers::Status;

/// Something that was asked of a fit and that it cannot answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data have the wrong shape, are infinite, or cannot be read.
    #[error(transparent)]
    Data(#[from] nemos_core::Error),
    /// The model does not fit the data.
    #[error(transparent)]
    Glm(nemos_glm::Error),
    /// A sparse penalty.
    #[error(
        "{penalty} has no standard errors: its estimate is not normal, and coefficients it chose cannot be tested on the data that chose them; bootstrap by epochs, refit the chosen ones on other epochs, or use a ridge"
    )]
    NotNormal {
        /// Which penalty.
        penalty: &'static str,
    },
    /// A fit that did not converge.
    #[error(
        "the fit of neuron {neuron} is {status}, and standard errors belong to a maximum; loosen the tolerance or allow more steps, or say even_if_not_converged to have them at the point where it ended"
    )]
    NotConverged {
        /// The first such neuron.
        neuron: usize,
        /// How its fit ended.
        status: Status,
    },
    /// The data are not those of the fit.
    #[error(
        "on these data the model of neuron {neuron} is {nats:.3e} nats from its maximum: they are not the rows, weights or offset that it was fitted to; give the design and counts of the fit, or say even_if_not_converged"
    )]
    OtherData {
        /// The first such neuron.
        neuron: usize,
        /// Half of the squared Newton decrement.
        nats: f64,
    },
    /// A covariance that needs a penalty, or must not have one.
    #[error("{what} asks for {needed}, but the fit has {got}")]
    Penalty {
        /// What was asked for.
        what: &'static str,
        /// What it needs.
        needed: &'static str,
        /// What there is.
        got: &'static str,
    },
    /// Too few clusters.
    #[error("there are {got} clusters for neuron {neuron}; a covariance by clusters needs at least 2, and is trustworthy from about 20")]
    Clusters {
        /// Which neuron.
        neuron: usize,
        /// How many clusters have rows.
        got: usize,
    },
    /// A lag in seconds without times.
    #[error("the lag is {seconds} s, but the design has no times; give it in rows, or the design its times")]
    NoTimes {
        /// The lag.
        seconds: f64,
    },
    /// A lag that is no number of rows.
    #[error("the lag is {got}; it must be finite and not negative")]
    Lag {
        /// The lag.
        got: f64,
    },
    /// A lag as long as the data.
    #[error("the lag is {rows} rows of {n_rows}; it must be far shorter than the data, and times must rise where it is given in seconds")]
    LagOfAll {
        /// The lag.
        rows: usize,
        /// Rows of the design.
        n_rows: usize,
    },
    /// A level that is no probability.
    #[error("the level of confidence is {got}; it must lie between 0 and 1, as 0.95 does")]
    Level {
        /// The level.
        got: f64,
    },
    /// A scale that is none.
    #[error("the dispersion is {got}; it must be finite and above zero")]
    Dispersion {
        /// What was given.
        got: f64,
    },
    /// Terms to test that are none.
    #[error("the terms to test name no columns; name a block of features or at least one column")]
    NoTerms,
    /// Something of the wrong length or shape.
    #[error("{name} has {got} {axis}, but {expected} are needed: {why}")]
    Length {
        /// Which.
        name: &'static str,
        /// What is counted.
        axis: &'static str,
        /// How many there are.
        got: usize,
        /// How many are needed.
        expected: usize,
        /// What decides it.
        why: &'static str,
    },
    /// Two fits that cannot be compared.
    #[error("models {first} and {second} cannot be compared for neuron {neuron}: {why}")]
    NotComparable {
        /// The first model.
        first: usize,
        /// The second model.
        second: usize,
        /// Which neuron.
        neuron: usize,
        /// What differs.
        why: &'static str,
    },
    /// A larger model that fits worse.
    #[error(
        "the larger model of neuron {neuron} has a log-likelihood {nats:.3e} below that of the smaller one, which it contains: one of the two fits failed; fit with a smaller tolerance"
    )]
    FitsWorse {
        /// Which neuron.
        neuron: usize,
        /// The difference.
        nats: f64,
    },
    /// What models with a predictor for each class do not have.
    #[error("{what} is not known for a classifier: {why}")]
    NotForClassifiers {
        /// What was asked for.
        what: &'static str,
        /// Why not, and what there is instead.
        why: &'static str,
    },
    /// A class that there is not.
    #[error("class {class} was asked for, but there are {n_classes} classes, numbered from zero")]
    NoSuchClass {
        /// The class.
        class: usize,
        /// How many there are.
        n_classes: usize,
    },
    /// A test that does not exist in this form.
    #[error("{test} {why}")]
    NoSuchTest {
        /// Which test.
        test: &'static str,
        /// Why not.
        why: &'static str,
    },
    /// Time rescaling of a model without spikes.
    #[error("{model} observations are no spikes that come one by one: time cannot be rescaled; look at quantile residuals instead")]
    NoSpikes {
        /// Which model.
        model: String,
    },
    /// A count that time rescaling cannot place.
    #[error("the count in row {row} is {got}; {expected}")]
    Count {
        /// Which row.
        row: usize,
        /// The count.
        got: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// A rate out of range.
    #[error("the rate in row {row} is {got}; {expected}")]
    Rate {
        /// Which row.
        row: usize,
        /// The rate.
        got: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// Residuals that a model does not have.
    #[error("{model} has no {what} residuals; take quantile or deviance residuals")]
    NoResiduals {
        /// Which model.
        model: String,
        /// Which residuals.
        what: &'static str,
    },
    /// Too little to resample.
    #[error("there are {got} {what}; a bootstrap needs at least {needed}")]
    TooFew {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many are needed.
        needed: usize,
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

/// Fails unless a level of confidence lies between 0 and 1.
pub(crate) fn check_level(level: f64) -> Result<(), Error> {
    if level > 0.0 && level < 1.0 {
        Ok(())
    } else {
        Err(Error::Level { got: level })
    }
}

/// Fails unless something has as many entries as it should.
pub(crate) fn check_length(
    name: &'static str,
    axis: &'static str,
    got: usize,
    (expected, why): (usize, &'static str),
) -> Result<(), Error> {
    if got == expected {
        return Ok(());
    }
    Err(Error::Length {
        name,
        axis,
        got,
        expected,
        why,
    })
}
