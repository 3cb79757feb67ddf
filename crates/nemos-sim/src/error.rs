//! What can be wrong with the input of a simulation.

use ndarray::Dimension;

use crate::End;

/// Input that cannot be simulated.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The samples have the wrong shape, are infinite, or cannot be read.
    #[error(transparent)]
    Data(#[from] nemos_core::Error),
    /// The model does not fit the samples.
    #[error(transparent)]
    Glm(nemos_glm::Error),
    /// The basis has no filters, or an option that is out of range.
    #[error(transparent)]
    Basis(nemos_basis::Error),
    /// An array has the wrong shape.
    #[error("the shape of {name} is {got:?}, but {expected:?} is needed: {axes}")]
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
    /// A value is NaN or infinite.
    #[error("{name} is {value} at {index:?}; a simulation needs finite numbers, so put zero where there is nothing")]
    NotFinite {
        /// Which array.
        name: &'static str,
        /// Where in it.
        index: Vec<usize>,
        /// The value.
        value: f64,
    },
    /// A window has no samples.
    #[error("{name} spans a window of no samples; it needs at least one")]
    EmptyWindow {
        /// What has the window.
        name: &'static str,
    },
    /// A scale that no distribution has.
    #[error("the scale of neuron {neuron} is {got}; it must be finite and not negative")]
    Scale {
        /// Which neuron.
        neuron: usize,
        /// Its scale.
        got: f64,
    },
    /// A rate ceiling that stops nothing, or everything.
    #[error("the rate ceiling is {got}; it must be above zero and finite, well above any rate that you expect")]
    RateCeiling {
        /// The ceiling.
        got: f64,
    },
    /// Filters that see the present or the future cannot run forward in time.
    #[error(
        "the coupling basis looks at the sample that it stands at, or beyond; fit with a causal window, which starts one sample before"
    )]
    LooksAhead,
    /// A network has no place for the offset of a fit.
    #[error(
        "the model was fitted with an offset, which a network does not know: put one together from `Coupling::from_features`, and add the offset to the drive"
    )]
    HasOffset,
    /// A parameter of a gamma density is out of range.
    #[error("{name} is {got}; a filter of gamma densities needs {expected}")]
    Gamma {
        /// Which parameter.
        name: &'static str,
        /// Its value.
        got: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// Excitation and inhibition cancel, or are too far from any lag to be numbers there.
    #[error(
        "the difference of excitation and inhibition is {norm} in size over the lags that are looked at; change a shape or a rate, or take more lags"
    )]
    NoFilter {
        /// Its Euclidean norm.
        norm: f64,
    },
    /// A run was required to finish, and did not.
    #[error("the simulation stopped: {0}")]
    Stopped(End),
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

impl From<nemos_basis::Error> for Error {
    fn from(error: nemos_basis::Error) -> Self {
        match error {
            nemos_basis::Error::Data(error) => Error::Data(error),
            error => Error::Basis(error),
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

/// Fails at the first value that is NaN or infinite.
pub(crate) fn check_finite<D: Dimension>(name: &'static str, array: ndarray::ArrayView<'_, f64, D>) -> Result<(), Error> {
    // Places are only counted where there is something to find.
    if array.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    let array = array.into_dyn();
    match array.indexed_iter().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some((index, &value)) => Err(Error::NotFinite {
            name,
            index: index.as_array_view().to_vec(),
            value,
        }),
    }
}
