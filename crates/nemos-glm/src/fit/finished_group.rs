//! A finished group of neurons, as words of a file.

use nemos_solvers::{ColumnOutcome, Outcome, Parameters, Status};

/// The fit of a group of neurons that is finished.
pub(crate) struct FinishedGroup {
    pub(crate) parameters: Parameters,
    pub(crate) outcome: Outcome,
    /// `[n_neurons]`
    pub(crate) scale: Vec<f64>,
    /// `[n_neurons]`
    pub(crate) dof_resid: Vec<f64>,
}

// In the order in which they are numbered in a file.
const STATUSES: [Status; 6] = [
    Status::Converged,
    Status::NoMaximum,
    Status::StepLimit,
    Status::Stalled,
    Status::Given,
    Status::NonFinite,
];

impl FinishedGroup {
    /// The group as words: its solver, shape, numbers, and how each column ended.
    pub(crate) fn words(&self) -> Vec<u64> {
        let solver = self.outcome.solver.as_bytes();
        let mut words = vec![solver.len() as u64];
        words.extend(solver.iter().map(|&byte| u64::from(byte)));
        words.extend([self.parameters.n_parameters() as u64, self.parameters.n_problems() as u64]);
        words.extend(self.parameters.as_slice().iter().map(|number| number.to_bits()));
        words.extend(self.scale.iter().chain(&self.dof_resid).map(|number| number.to_bits()));
        for column in &self.outcome.columns {
            let status = STATUSES.iter().position(|status| *status == column.status);
            let numbers = [
                column.value,
                column.gradient_norm,
                column.decrement,
                column.condition.unwrap_or(f64::NAN),
            ];
            words.extend([status.unwrap_or(STATUSES.len()), column.steps, column.evaluations, column.rank].map(|n| n as u64));
            words.push(u64::from(column.is_proven));
            words.extend(numbers.map(f64::to_bits));
        }
        words
    }

    /// Nothing where words are not those of a group of this shape, `[n_parameters, n_neurons]`.
    pub(crate) fn from_words(words: &[u64], shape: [usize; 2]) -> Option<Self> {
        let mut words = words.iter().copied();
        let n_bytes = words.next()?;
        let solver = (0..n_bytes)
            .map(|_| words.next().and_then(|word| u8::try_from(word).ok()))
            .collect::<Option<_>>()?;
        let solver = String::from_utf8(solver).ok()?;
        let [n_parameters, n_problems] = shape;
        if [words.next()?, words.next()?] != [n_parameters as u64, n_problems as u64] {
            return None;
        }
        let mut numbers = |n: usize| (0..n).map(|_| words.next().map(f64::from_bits)).collect::<Option<Vec<f64>>>();
        let parameters = numbers(n_parameters * n_problems)?;
        let (scale, dof_resid) = (numbers(n_problems)?, numbers(n_problems)?);
        let mut columns = Vec::with_capacity(n_problems);
        for _ in 0..n_problems {
            let status = *STATUSES.get(usize::try_from(words.next()?).ok()?)?;
            let mut column = ColumnOutcome::new(status, 0);
            [column.steps, column.evaluations, column.rank] = [words.next()?, words.next()?, words.next()?].map(|n| n as usize);
            column.is_proven = words.next()? == 1;
            [column.value, column.gradient_norm, column.decrement] = [words.next()?, words.next()?, words.next()?].map(f64::from_bits);
            column.condition = Some(f64::from_bits(words.next()?)).filter(|condition| !condition.is_nan());
            columns.push(column);
        }
        Some(FinishedGroup {
            parameters: Parameters::from_columns(n_parameters, parameters.chunks_exact(n_parameters.max(1))),
            outcome: Outcome::new(solver, columns),
            scale,
            dof_resid,
        })
    }
}
