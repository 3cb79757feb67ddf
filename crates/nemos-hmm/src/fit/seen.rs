//! Which observations are there, and how much of each state is seen.

use std::ops::Range;

use nemos_core::{Backend, row_chunks};

use crate::Error;
use crate::fit::data::Data;

/// Which observations are there.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// `[n_neurons]`: how many of each neuron.
    pub(crate) entries: Vec<f64>,
    /// Rows with at least one.
    pub(crate) rows: usize,
    /// All counts together.
    pub(crate) spikes: f64,
    /// Whether none is missing.
    pub(crate) is_complete: bool,
    /// Rows and neurons of those of this process that are missing, in order.
    missing: Vec<(usize, usize)>,
    /// `[n_features]`: features that are not zero everywhere, and so have a coefficient.
    pub(crate) used_features: Vec<bool>,
}

impl Seen {
    /// Features that are not zero everywhere.
    pub(crate) fn n_used(&self) -> usize {
        self.used_features.iter().filter(|used| **used).count()
    }

    /// `[n_states, n_neurons]`: adds the smoothed mass of each state over those of these rows in which a neuron is seen.
    fn add_masses(&self, rows: Range<usize>, smoothed: &[f64], masses: &mut [f64]) {
        let n_neurons = self.entries.len();
        let n_states = masses.len() / n_neurons;
        let mut of_states = vec![0.0; n_states];
        for row in smoothed[rows.start * n_states..rows.end * n_states].chunks_exact(n_states) {
            of_states.iter_mut().zip(row).for_each(|(total, mass)| *total += mass);
        }
        for (masses, of_state) in masses.chunks_exact_mut(n_neurons).zip(of_states) {
            masses.iter_mut().for_each(|mass| *mass += of_state);
        }
        let place = |row: usize| self.missing.partition_point(|missing| missing.0 < row);
        for &(row, neuron) in &self.missing[place(rows.start)..place(rows.end)] {
            for state in 0..n_states {
                masses[state * n_neurons + neuron] -= smoothed[row * n_states + state];
            }
        }
    }
}

impl<B: Backend> Data<'_, B> {
    /// What is there to be seen.
    pub(crate) fn seen(&self) -> Result<Seen, Error> {
        let (n_neurons, n_features) = (self.n_neurons(), self.design.n_columns());
        let mut missing = Vec::new();
        // Observations of each neuron; rows, spikes, what is missing; chunks in which each feature is not zero.
        let sums = self.total_of_rows("observations that are there", n_neurons + 3 + n_features, |rows, sums| {
            self.add_seen(rows, sums, &mut missing)
        })?;
        let (entries, rest) = sums.split_at(n_neurons);
        Ok(Seen {
            entries: entries.to_vec(),
            rows: rest[0] as usize,
            spikes: rest[1],
            is_complete: rest[2] == 0.0,
            missing,
            used_features: rest[3..].iter().map(|chunks| *chunks > 0.0).collect(),
        })
    }

    fn add_seen(&self, rows: Range<usize>, sums: &mut [f64], missing: &mut Vec<(usize, usize)>) -> Result<(), Error> {
        let n_neurons = self.n_neurons();
        let (entries, rest) = sums.split_at_mut(n_neurons);
        for range in row_chunks(rows.len(), B::chunk_rows(self.design.n_columns() + n_neurons)) {
            let range = rows.start + range.start..rows.start + range.end;
            let counts = self.counts.chunk(range.clone())?.to_array();
            let features = self.design.chunk(range.clone())?.to_array();
            let offset = self.design.offset().map(|offset| offset.rows(range.clone())).transpose()?;
            let offset = offset.map(|offset| offset.to_array());
            for (used, feature) in rest[3..].iter_mut().zip(features.columns()) {
                *used += f64::from(u8::from(feature.iter().any(|x| *x != 0.0)));
            }
            for (place, row) in range.enumerate() {
                let complete = !features.row(place).iter().any(|x| x.is_nan())
                    && !offset.as_ref().is_some_and(|offset| offset.row(place).iter().any(|x| x.is_nan()));
                let mut n_seen = 0;
                for (neuron, count) in counts.row(place).iter().enumerate() {
                    if complete && !count.is_nan() {
                        entries[neuron] += 1.0;
                        rest[1] += count;
                        n_seen += 1;
                    }
                }
                rest[0] += f64::from(u8::from(n_seen > 0));
                if n_seen < n_neurons {
                    let of_row = (0..n_neurons).filter(|&neuron| !complete || counts[(place, neuron)].is_nan());
                    missing.extend(of_row.map(|neuron| (row, neuron)));
                    rest[2] += (n_neurons - n_seen) as f64;
                }
            }
        }
        Ok(())
    }

    /// `[n_runs][n_states, n_neurons]`: the smoothed mass of each state of some runs over the rows in which a neuron is seen.
    pub(crate) fn masses(&self, seen: &Seen, smoothed: &[&[f64]], n_states: usize) -> Result<Vec<Vec<f64>>, Error> {
        let size = n_states * self.n_neurons();
        let masses = self.total_of_rows("masses of states", smoothed.len() * size, |rows, sums| {
            for (smoothed, sums) in smoothed.iter().zip(sums.chunks_exact_mut(size)) {
                seen.add_masses(rows.clone(), smoothed, sums);
            }
            Ok(())
        })?;
        Ok(masses.chunks_exact(size).map(<[f64]>::to_vec).collect())
    }
}
