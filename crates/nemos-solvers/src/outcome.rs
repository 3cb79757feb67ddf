//! How a fit ended, per column, with the evidence.

use std::fmt;

/// How one column ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// The estimated distance of the objective to its minimum is below the tolerance.
    Converged,
    /// The likelihood has no finite maximum: the objective keeps falling, ever less, as the parameters go to infinity.
    /// A silent neuron and separable data end so; the parameters are where the fall fell below the tolerance.
    NoMaximum,
    /// The step limit came first.
    StepLimit,
    /// No step along the descent direction lowers the objective, yet the gradient has not vanished.
    Stalled,
    /// There was no fit: the parameters were given.
    Given,
    /// The objective is not finite, at the start or at every step however short.
    NonFinite,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Converged => "converged",
            Status::NoMaximum => "no finite maximum",
            Status::StepLimit => "step limit reached",
            Status::Stalled => "stalled",
            Status::Given => "parameters were given, not fitted",
            Status::NonFinite => "not finite",
        })
    }
}

/// How one column ended, with the evidence.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ColumnOutcome {
    /// Why it stopped.
    pub status: Status,
    /// Steps taken.
    pub steps: usize,
    /// Evaluations of the objective, rejected steps included.
    pub evaluations: usize,
    /// Objective at the end, penalty included.
    pub value: f64,
    /// Euclidean norm of its gradient there.
    pub gradient_norm: f64,
    /// Estimated distance of the objective to its minimum (half the Newton decrement squared).
    pub decrement: f64,
    /// Directions that the features which may move span, over all blocks: fewer than features where they are collinear.
    pub rank: usize,
}

impl ColumnOutcome {
    /// Nothing has happened yet.
    pub fn new(status: Status, rank: usize) -> Self {
        ColumnOutcome {
            status,
            steps: 0,
            evaluations: 0,
            value: f64::NAN,
            gradient_norm: f64::NAN,
            decrement: f64::NAN,
            rank,
        }
    }
}

/// How a fit ended, one entry per column.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// Name of the solver that ran.
    pub solver: &'static str,
    /// One entry per problem.
    pub columns: Vec<ColumnOutcome>,
}

impl Outcome {
    /// From its parts.
    pub fn new(solver: &'static str, columns: Vec<ColumnOutcome>) -> Self {
        Outcome { solver, columns }
    }

    /// Whether every column converged.
    pub fn all_converged(&self) -> bool {
        self.first_failure().is_none()
    }

    /// The first column that did not converge, with its status.
    pub fn first_failure(&self) -> Option<(usize, Status)> {
        self.columns
            .iter()
            .map(|column| column.status)
            .enumerate()
            .find(|(_, status)| *status != Status::Converged)
    }

    /// How each column ended.
    pub fn statuses(&self) -> impl Iterator<Item = Status> {
        self.columns.iter().map(|column| column.status)
    }
}
