//! How a fit ended, per column, with the evidence.

use std::fmt;

use crate::run::number;

/// How one column ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
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
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct ColumnOutcome {
    /// Why it stopped.
    pub status: Status,
    /// Steps taken.
    pub steps: usize,
    /// Evaluations of the objective, rejected steps included.
    pub evaluations: usize,
    /// Objective at the end, penalty included.
    #[serde(with = "number")]
    pub value: f64,
    /// Euclidean norm of its gradient there.
    #[serde(with = "number")]
    pub gradient_norm: f64,
    /// Estimated distance of the objective to its minimum (half the Newton decrement squared).
    #[serde(with = "number")]
    pub decrement: f64,
    /// Directions that the features which may move span, over all predictors: fewer than features where they are collinear.
    pub rank: usize,
    /// Whether the status was proven from all rows, with their curvature, in double precision; otherwise it is the solver's
    /// estimate, or says that there was no proof.
    #[serde(default)]
    pub is_proven: bool,
    /// About the largest over the smallest singular value of the rows, centred, scaled and weighed by their curvature, where it
    /// was looked at. Coefficients have about as many digits fewer than sixteen as this has.
    #[serde(default)]
    pub condition: Option<f64>,
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
            is_proven: false,
            condition: None,
        }
    }
}

/// How a fit ended, one entry per column.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Outcome {
    /// Name of the solver that ran.
    pub solver: String,
    /// One entry per problem.
    pub columns: Vec<ColumnOutcome>,
}

impl Outcome {
    /// From its parts.
    pub fn new(solver: impl Into<String>, columns: Vec<ColumnOutcome>) -> Self {
        Outcome {
            solver: solver.into(),
            columns,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_saved_and_loaded_whole() {
        let mut column = ColumnOutcome::new(Status::NoMaximum, 3);
        column.value = f64::NEG_INFINITY;
        column.gradient_norm = 0.1 + 0.2;
        let saved = serde_json::to_string(&Outcome::new("my own solver", vec![column.clone()])).unwrap();
        let loaded: Outcome = serde_json::from_str(&saved).unwrap();
        assert_eq!(loaded.solver, "my own solver");
        let back = &loaded.columns[0];
        assert_eq!((back.status, back.rank, back.gradient_norm), (column.status, 3, 0.1 + 0.2));
        assert!(back.value == f64::NEG_INFINITY && back.decrement.is_nan());
    }
}
