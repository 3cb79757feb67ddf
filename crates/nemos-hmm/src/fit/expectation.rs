//! The expectation step: recursions over all sessions of this process, in parallel; sums over those of all processes, at one place.

use nemos_core::{Backend, Piece};
use rayon::prelude::*;

use crate::chain::backward::{Pairs, smooth};
use crate::chain::forward::{Impossible, filter};
use crate::chain::steps::{Chain, LogEmissions};
use crate::fit::data::Data;
use crate::fit::em::Em;
use crate::fit::run::Run;
use crate::{Error, HmmParameters};

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

/// An expectation without its sums over sessions, what is to be added up of each session, and the row that makes one impossible.
pub(crate) type Taken = (Expected, Vec<Piece>, Option<Impossible>);

impl Expected {
    /// Numbers that are added up over sessions.
    pub(crate) fn n_sums(n_states: usize) -> usize {
        2 + n_states + n_states * n_states
    }

    /// Takes what was added up over the sessions of all processes; nothing where one of them is impossible.
    pub(crate) fn with_sums(mut self, sums: &[f64]) -> Option<Self> {
        let n_states = self.first.len();
        let [n_impossible, log_likelihood, rest @ ..] = sums else {
            return None;
        };
        self.log_likelihood = *log_likelihood;
        self.first.copy_from_slice(&rest[..n_states]);
        self.pairs.copy_from_slice(&rest[n_states..]);
        (*n_impossible == 0.0).then_some(self)
    }

    /// Takes the expectation, in the memory of an earlier one, but for sums over sessions, of which it gives what is to be added up.
    pub(crate) fn take<B: Backend>(mut self, data: &Data<'_, B>, parameters: &HmmParameters, emissions: LogEmissions<'_>) -> Taken {
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
        self.pairs = vec![0.0; n * n];
        self.first = vec![0.0; n];
        let (mut pieces, mut row) = (Vec::with_capacity(data.sessions.len()), None);
        for (session, of_session) in data.sessions.iter().zip(of_sessions) {
            let mut sums = vec![0.0; Expected::n_sums(n)];
            match of_session {
                Ok((log_likelihood, pairs)) => {
                    sums[1] = log_likelihood;
                    sums[2..2 + n].copy_from_slice(&self.smoothed[session.start * n..(session.start + 1) * n]);
                    sums[2 + n..].copy_from_slice(&pairs);
                }
                Err(impossible) => {
                    sums[0] = 1.0;
                    row = row.or(Some(impossible));
                }
            }
            pieces.push((session.start, sums));
        }
        (self, pieces, row)
    }
}

impl<B: Backend> Em<'_, '_, B> {
    /// Expectations of runs, or the row that makes them impossible, where it is one of this process.
    pub(crate) fn expectations(&self, runs: &mut [Run], active: &[usize]) -> Result<Vec<Result<Expected, Option<usize>>>, Error> {
        let n_sums = Expected::n_sums(self.n_states);
        let (mut of_runs, mut pieces) = (Vec::new(), Ok(Vec::new()));
        match self.expectations_here(runs, active) {
            Err(error) => pieces = Err(error),
            Ok(here) => {
                let mut of_sessions = vec![Vec::with_capacity(active.len() * n_sums); self.data.sessions.len()];
                for (expected, of_run, impossible) in here {
                    let sums = of_sessions.iter_mut().zip(of_run);
                    sums.for_each(|(all, (_, sums))| all.extend(sums));
                    of_runs.push((expected, impossible.map(|impossible| impossible.row)));
                }
                let starts = self.data.sessions.iter().map(|session| session.start);
                pieces = pieces.map(|_| starts.zip(of_sessions).collect());
            }
        }
        let sums = self.data.total("expectations", pieces, active.len() * n_sums)?;
        let with_sums = of_runs.into_iter().zip(sums.chunks_exact(n_sums));
        Ok(with_sums
            .map(|((expected, row), sums)| expected.with_sums(sums).ok_or(row))
            .collect())
    }

    fn expectations_here(&self, runs: &mut [Run], active: &[usize]) -> Result<Vec<Taken>, Error> {
        let emissions = self.emissions(runs, active)?;
        let values = emissions.as_slice().expect("rows of as many numbers, one after the other");
        let (stride, n_states) = (emissions.ncols(), self.n_states);
        let mut memory: Vec<(usize, Expected)> = active.iter().map(|&run| (run, std::mem::take(&mut runs[run].expected))).collect();
        Ok(memory
            .par_drain(..)
            .enumerate()
            .map(|(place, (run, expected))| {
                let emissions = LogEmissions {
                    values,
                    stride,
                    first: place * n_states,
                };
                expected.take(self.data, &runs[run].parameters, emissions)
            })
            .collect())
    }
}
