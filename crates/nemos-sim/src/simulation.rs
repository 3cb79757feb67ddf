//! What a recurrent simulation gives.

use std::fmt;

use ndarray::Array2;

use crate::{Error, Stability};

/// What a run of a [`Recurrent`](crate::Recurrent) network gave.
///
/// A run that stopped before its last step has the steps that were whole: nothing in it is infinite.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct Simulation {
    /// `[n_steps, n_neurons]`: one draw per step and neuron.
    pub counts: Array2<f64>,
    /// `[n_steps, n_neurons]`: their means.
    pub rates: Array2<f64>,
    /// How the run ended.
    pub end: End,
    /// Whether activity was bound to grow.
    pub stability: Stability,
}

impl Simulation {
    /// Passes the simulation on if all of its steps were run.
    ///
    /// # Errors
    /// [`Error::Stopped`] with the step, the neuron and its rate otherwise.
    pub fn require_finished(self) -> Result<Self, Error> {
        match self.end {
            End::Finished => Ok(self),
            end => Err(Error::Stopped(end)),
        }
    }
}

/// How a simulation ended.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum End {
    /// After the last step.
    Finished,
    /// A rate exceeded the ceiling: activity feeds back upon itself and grows.
    Diverged {
        /// The step that was not run.
        step: usize,
        /// The first neuron above the ceiling.
        neuron: usize,
        /// Its rate.
        rate: f64,
    },
    /// The observation model has no counts at this rate: it is negative under Poisson, or above one under Bernoulli.
    NoCounts {
        /// The step that was not run.
        step: usize,
        /// The first such neuron.
        neuron: usize,
        /// Its rate.
        rate: f64,
    },
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Finished => write!(f, "all steps were run"),
            End::Diverged { step, neuron, rate } => write!(
                f,
                "at step {step} the rate of neuron {neuron} is {rate}, above the ceiling; shrink the filters, or take a softplus link"
            ),
            End::NoCounts { step, neuron, rate } => write!(
                f,
                "at step {step} the rate of neuron {neuron} is {rate}, for which the observation model has no counts; take a link \
                 that stays in its range"
            ),
        }
    }
}
