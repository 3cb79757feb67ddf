//! How a fit ended, with the evidence.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a fit ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum HmmStatus {
    /// What is still to be gained is below the tolerance.
    Converged,
    /// The iterations were used up.
    StepLimit,
    /// The objective fell, however short the steps.
    Fell,
    /// It converged, to something that is no maximum of a sound model: see the [findings](crate::Finding).
    Degenerate,
    /// There was no fit: the parameters were given.
    Given,
}

impl fmt::Display for HmmStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HmmStatus::Converged => "converged",
            HmmStatus::StepLimit => "iteration limit reached",
            HmmStatus::Fell => "the objective fell",
            HmmStatus::Degenerate => "degenerate",
            HmmStatus::Given => "parameters were given, not fitted",
        })
    }
}

/// Something that a reader of a fit must know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Finding {
    /// A state has fewer expected observations of a neuron than its model has parameters; its model was left as it was.
    EmptyState {
        /// The state.
        state: usize,
        /// The neuron.
        neuron: usize,
        /// Its expected number of observations.
        mass: f64,
    },
    /// A scale lies on its floor: the state explains one or a few observations exactly, and the likelihood has no bound.
    ScaleFloor {
        /// The state.
        state: usize,
        /// The neuron.
        neuron: usize,
        /// The floor.
        floor: f64,
    },
    /// Counts are no more variable than Poisson counts: the negative binomial has reached its limit.
    PoissonLimit {
        /// The state.
        state: usize,
        /// The neuron.
        neuron: usize,
    },
    /// The likelihood of a neuron in a state has no finite maximum: a neuron without spikes, choices that are always the same.
    NoMaximum {
        /// The state.
        state: usize,
        /// The neuron.
        neuron: usize,
        /// How far one more Newton step would move the predictor.
        step: f64,
    },
    /// The features of a state are collinear: of the coefficients that are equally good a fit gives one.
    Collinear {
        /// The state.
        state: usize,
        /// The neuron.
        neuron: usize,
        /// Directions that rows span.
        rank: usize,
    },
    /// Two states are nearly the same.
    EqualStates {
        /// One.
        first: usize,
        /// The other.
        second: usize,
        /// The largest difference of their smoothed probabilities over rows.
        difference: f64,
    },
    /// Initial probabilities come from one session alone.
    OneSession,
}

impl Finding {
    /// Whether the fit is degenerate for it.
    pub fn is_degenerate(&self) -> bool {
        matches!(
            self,
            Finding::EmptyState { .. } | Finding::ScaleFloor { .. } | Finding::NoMaximum { .. }
        )
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::EmptyState { state, neuron, mass } => write!(
                f,
                "state {state} holds {mass:.2} observations of neuron {neuron}, too few for its model, which was left as it was; take fewer states"
            ),
            Finding::ScaleFloor { state, neuron, floor } => write!(
                f,
                "the scale of neuron {neuron} in state {state} lies on its floor {floor:e}: the state explains a few observations exactly"
            ),
            Finding::PoissonLimit { state, neuron } => {
                write!(f, "counts of neuron {neuron} in state {state} vary no more than Poisson counts")
            }
            Finding::NoMaximum { state, neuron, step } => write!(
                f,
                "the likelihood of neuron {neuron} in state {state} has no finite maximum (one more step moves the predictor by {step:.2}); add a prior"
            ),
            Finding::Collinear { state, neuron, rank } => write!(
                f,
                "features of neuron {neuron} in state {state} are collinear (rank {rank} with the intercept)"
            ),
            Finding::EqualStates { first, second, difference } => write!(
                f,
                "states {first} and {second} are the same within {difference:e}; take fewer states, or more restarts"
            ),
            Finding::OneSession => write!(
                f,
                "initial probabilities come from one session alone; do not interpret them, or hold them"
            ),
        }
    }
}

/// How one of several starts ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Restart {
    /// The objective at its end.
    pub objective: f64,
    /// Iterations that it took.
    pub iterations: usize,
    /// How it ended; nothing where it was given up after a short run, others being better.
    pub status: Option<HmmStatus>,
}
