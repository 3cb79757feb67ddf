//! How a fit ended, per column, with the evidence.

use std::fmt;

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
    #[serde(with = "nemos_core::number")]
    pub value: f64,
    /// Euclidean norm of its gradient there.
    #[serde(with = "nemos_core::number")]
    pub gradient_norm: f64,
    /// Estimated distance of the objective to its minimum (half the Newton decrement squared).
    #[serde(with = "nemos_core::number")]
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
#[doc(alias("solver_state_", "optim_info_", "OptimizationInfo"))]
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

    /// What a caller must know: one line for every way of ending but convergence, with how many columns ended so and the first
    /// of them. Empty where all converged.
    pub fn warnings(&self) -> Vec<String> {
        let mut seen: Vec<(Status, usize, usize)> = Vec::new();
        for (column, status) in self.statuses().enumerate().filter(|(_, status)| *status != Status::Converged) {
            match seen.iter_mut().find(|(other, ..)| *other == status) {
                Some((.., count)) => *count += 1,
                None => seen.push((status, column, 1)),
            }
        }
        let n = self.columns.len();
        seen.iter()
            .map(|(status, first, count)| match n {
                1 => status.to_string(),
                _ => format!("{count} of {n} columns, the first of them {first}: {status}"),
            })
            .collect()
    }

    /// How each column ended.
    pub fn statuses(&self) -> impl Iterator<Item = Status> {
        self.columns.iter().map(|column| column.status)
    }
}

impl fmt::Display for ColumnOutcome {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proven = if self.is_proven { ", proven" } else { "" };
        write!(
            to,
            "{}{proven}: {} steps, {} evaluations, objective {:.6e}, about {:.1e} above its minimum",
            self.status, self.steps, self.evaluations, self.value, self.decrement
        )
    }
}

// A screenful.
const ROWS: usize = 20;

impl fmt::Display for Outcome {
    /// One line for each column: status, whether it was proven, steps, evaluations, objective, distance to the minimum.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let converged = self.statuses().filter(|status| *status == Status::Converged).count();
        writeln!(to, "{}: {converged} of {} converged", self.solver, self.columns.len())?;
        writeln!(
            to,
            "{:>6}  {:<20}{:>6}{:>7}{:>15}{:>11}{:>6}{:>11}",
            "column", "status", "steps", "evals", "objective", "distance", "rank", "condition"
        )?;
        for (index, column) in self.columns.iter().take(ROWS).enumerate() {
            let proven = if column.is_proven { ", proven" } else { "" };
            let condition = column.condition.map_or(String::new(), |condition| format!("{condition:.1e}"));
            writeln!(
                to,
                "{index:>6}  {:<20}{:>6}{:>7}{:>15.6e}{:>11.1e}{:>6}{condition:>11}",
                format!("{}{proven}", column.status),
                column.steps,
                column.evaluations,
                column.value,
                column.decrement,
                column.rank,
            )?;
        }
        if self.columns.len() > ROWS {
            writeln!(to, "… {} more columns", self.columns.len() - ROWS)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_prints_and_warns_of_what_did_not_converge() {
        let mut columns = vec![ColumnOutcome::new(Status::Converged, 3), ColumnOutcome::new(Status::NoMaximum, 2)];
        (columns[0].steps, columns[0].evaluations, columns[0].value, columns[0].decrement) = (7, 9, -0.25, 1e-14);
        (columns[0].is_proven, columns[0].condition) = (true, Some(12.0));
        let outcome = Outcome::new("Newton", columns);
        assert_eq!(outcome.warnings(), ["1 of 2 columns, the first of them 1: no finite maximum"]);
        let text = "\
Newton: 1 of 2 converged
column  status               steps  evals      objective   distance  rank  condition
     0  converged, proven        7      9   -2.500000e-1    1.0e-14     3      1.2e1
     1  no finite maximum        0      0            NaN        NaN     2           
";
        assert_eq!(outcome.to_string(), text);
        assert!(
            Outcome::new("Newton", vec![ColumnOutcome::new(Status::Converged, 3)])
                .warnings()
                .is_empty()
        );
    }

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
