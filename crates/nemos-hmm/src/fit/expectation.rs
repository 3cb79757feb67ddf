//! The expectation step: recursions over all sessions, in parallel, summed up in a fixed order.

use nemos_core::Backend;
use rayon::prelude::*;

use crate::HmmParameters;
use crate::chain::backward::{Pairs, smooth};
use crate::chain::forward::{Impossible, filter};
use crate::chain::steps::{Chain, LogEmissions};
use crate::fit::data::Data;

/// What all rows say of the states.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected {
    pub(crate) log_likelihood: f64,
    /// `[n_rows, n_states]`
    pub(crate) smoothed: Vec<f64>,
    /// `[n_states]`: smoothed probabilities of first rows, summed over sessions.
    pub(crate) first: Vec<f64>,
    /// `[n_states, n_states]`: expected numbers of transitions.
    pub(crate) pairs: Vec<f64>,
    /// `[n_rows, n_states, n_states]`, where transitions are driven.
    pub(crate) pairs_by_row: Vec<f64>,
}

impl Expected {
    /// Takes the expectation, in the memory of an earlier one.
    pub(crate) fn take<B: Backend>(
        mut self,
        data: &Data<'_, B>,
        parameters: &HmmParameters,
        emissions: LogEmissions<'_>,
    ) -> Result<Self, Impossible> {
        let n = parameters.n_states();
        let steps = data.steps(parameters);
        let chain = Chain::new(parameters.initial(), &steps);
        let by_row = if data.drive.is_some() { n * n } else { 0 };
        self.smoothed.resize(data.n_rows() * n, 0.0);
        self.pairs_by_row.resize(data.n_rows() * by_row, 0.0);
        let (mut smoothed, mut pairs_by_row) = (self.smoothed.as_mut_slice(), self.pairs_by_row.as_mut_slice());
        let mut work = Vec::with_capacity(data.sessions.len());
        for session in &data.sessions {
            let (of_session, rest) = smoothed.split_at_mut(session.len() * n);
            let (pairs, rest_of_pairs) = pairs_by_row.split_at_mut(session.len() * by_row);
            (smoothed, pairs_by_row) = (rest, rest_of_pairs);
            work.push((session.clone(), of_session, pairs));
        }
        let of_sessions: Vec<Result<(f64, Vec<f64>), Impossible>> = work
            .into_par_iter()
            .map(|(rows, probabilities, by_row)| {
                let (log_likelihood, numbers) = filter(chain, emissions, rows.clone(), probabilities, None)?;
                let mut sum = vec![0.0; n * n];
                let pairs = Pairs {
                    sum: &mut sum,
                    by_row: (!by_row.is_empty()).then_some(by_row),
                };
                smooth(chain, rows, (probabilities, numbers), pairs);
                Ok((log_likelihood, sum))
            })
            .collect();
        self.log_likelihood = 0.0;
        self.pairs = vec![0.0; n * n];
        self.first = vec![0.0; n];
        for (session, of_session) in data.sessions.iter().zip(of_sessions) {
            let (log_likelihood, pairs) = of_session?;
            self.log_likelihood += log_likelihood;
            self.pairs.iter_mut().zip(pairs).for_each(|(total, pair)| *total += pair);
            let first = &self.smoothed[session.start * n..(session.start + 1) * n];
            self.first.iter_mut().zip(first).for_each(|(total, mass)| *total += mass);
        }
        Ok(self)
    }
}
