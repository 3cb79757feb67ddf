//! What a model sees: rows, their sessions, what drives the transitions, and which observations are there.

use std::ops::Range;

use ndarray::Array2;
use nemos_core::{Backend, Design, Piece, Share, row_chunks};
use nemos_glm::{Observations, Problems, Summed};

use crate::error::check_shape;
use crate::fit::inputs::{Inputs, inputs};
use crate::{Error, HmmParameters};

/// A design and counts with their sessions, and what drives the transitions.
#[derive(Clone, Debug)]
pub(crate) struct Data<'a, B: Backend> {
    pub(crate) observations: Observations<B>,
    pub(crate) design: Design<'a, B>,
    pub(crate) counts: Design<'a, B>,
    /// Rows of each session that has any.
    pub(crate) sessions: Vec<Range<usize>>,
    /// Sessions of all processes that share the recording.
    pub(crate) n_sessions: usize,
    /// `[n_rows, n_inputs]`
    pub(crate) drive: Option<Inputs>,
}

// What processes add up, each at its own step: see `Data::total`.
const SESSIONS: u64 = 16;
const SEEN: u64 = 17;
const MASSES: u64 = 18;

impl<'a, B: Backend> Data<'a, B> {
    pub(crate) fn new(
        observations: Observations<B>,
        design: Design<'a, B>,
        counts: Design<'a, B>,
        drive: Option<Design<'a, B>>,
    ) -> Result<Self, Error> {
        let of_all = design.clone();
        let mut data = Data::here(observations, design, counts, drive);
        let here = data.as_ref().map(|data| vec![(0, vec![data.sessions.len() as f64])]);
        let n_sessions = match here {
            Ok(here) => of_all.added_up(SESSIONS, Ok::<_, Error>(here), 1)?,
            // The others hear of it.
            Err(_) => return of_all.agreed(data),
        };
        if let Ok(data) = &mut data {
            data.n_sessions = n_sessions[0] as usize;
        }
        data
    }

    /// The same as far as this process knows.
    fn here(
        observations: Observations<B>,
        design: Design<'a, B>,
        counts: Design<'a, B>,
        drive: Option<Design<'a, B>>,
    ) -> Result<Self, Error> {
        if !design.share().is_none_or(Share::is_in_whole_segments) {
            design.check_whole("a hidden Markov model of rows that are not shared in whole sessions (World::share_segments)")?;
        }
        if design.weights().is_some() {
            return Err(Error::Weighted);
        }
        for (what, is_there) in [("weights", counts.weights().is_some()), ("an offset", counts.offset().is_some())] {
            if is_there {
                return Err(Error::OfCounts { what });
            }
        }
        let rows = |right_name, right: usize| match design.n_rows() {
            left if left == right => Ok(()),
            left => Err(nemos_core::Error::RowsDiffer {
                left_name: "design",
                left,
                right_name,
                right,
            }),
        };
        rows("counts", counts.n_rows())?;
        for (name, columns) in [("design", design.n_columns()), ("counts", counts.n_columns())] {
            if columns == 0 || design.n_rows_of_all() == 0 {
                let rows = design.n_rows();
                return Err(nemos_core::Error::Empty { name, rows, columns }.into());
            }
        }
        if let (Some(left), Some(right)) = (design.times(), counts.times())
            && let Some(row) = nemos_core::first_time_apart(left, right)
        {
            return Err(Error::Glm(nemos_glm::Error::TimesDiffer {
                row,
                design: left[row],
                counts: right[row],
            }));
        }
        let of_design = design.segments();
        let segments = if of_design.ranges().len() > 1 {
            of_design
        } else {
            counts.segments()
        };
        let sessions: Vec<Range<usize>> = segments.ranges().iter().filter(|rows| !rows.is_empty()).cloned().collect();
        let drive = match drive {
            None => None,
            Some(drive) => {
                rows("what drives transitions", drive.n_rows())?;
                Some(inputs(&drive, &sessions)?)
            }
        };
        Ok(Data {
            observations,
            design,
            counts,
            n_sessions: sessions.len(),
            sessions,
            drive,
        })
    }

    /// The same with what drives the transitions of mean zero and variance one.
    pub(crate) fn with_standard_drive(&self) -> Result<Self, Error> {
        let standardised = self.drive.as_ref().map(|inputs| inputs.standardised(self));
        Ok(Data {
            drive: standardised.transpose()?,
            ..self.clone()
        })
    }

    /// `n` numbers added up over all rows of all processes: the one place where these meet. `pieces` are sums over some rows each, with the first of
    /// these, in order.
    pub(crate) fn total(&self, key: u64, pieces: Result<Vec<Piece>, Error>, n: usize) -> Result<Vec<f64>, Error> {
        self.design.added_up(key, pieces, n)
    }

    /// The same of sums by shard: rows that come before or after those of another process.
    pub(crate) fn total_of_rows(
        &self,
        key: u64,
        n: usize,
        mut add: impl FnMut(Range<usize>, &mut [f64]) -> Result<(), Error>,
    ) -> Result<Vec<f64>, Error> {
        let of_shards = self.design.shards().into_iter().map(|rows| {
            let (first, mut sums) = (rows.start, vec![0.0; n]);
            add(rows, &mut sums)?;
            Ok((first, sums))
        });
        self.total(key, of_shards.collect(), n)
    }

    /// `[n_runs][n_states, n_neurons]`: the smoothed mass of each state of some runs over the rows in which a neuron is seen.
    pub(crate) fn masses(&self, seen: &Seen, smoothed: &[&[f64]], n_states: usize) -> Result<Vec<Vec<f64>>, Error> {
        let size = n_states * self.n_neurons();
        let masses = self.total_of_rows(MASSES, smoothed.len() * size, |rows, sums| {
            for (smoothed, sums) in smoothed.iter().zip(sums.chunks_exact_mut(size)) {
                seen.add_masses(rows.clone(), smoothed, sums);
            }
            Ok(())
        })?;
        Ok(masses.chunks_exact(size).map(<[f64]>::to_vec).collect())
    }

    /// The error that no path of states has a probability, because of this row or of one of another process.
    pub(crate) fn impossible_anywhere(&self, parameters: &HmmParameters, row: Option<usize>) -> Error {
        let here = row.map_or(Ok(()), |row| Err(self.impossible(parameters, row)));
        let somewhere = Error::Impossible { row: 0, neuron: None };
        self.design.agreed(here).err().unwrap_or(somewhere)
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.design.n_rows()
    }

    pub(crate) fn n_neurons(&self) -> usize {
        self.counts.n_columns()
    }

    /// Checks that parameters are for these data.
    pub(crate) fn check(&self, parameters: &HmmParameters) -> Result<(), Error> {
        let got = [parameters.n_features(), parameters.n_neurons(), parameters.n_predictors()];
        let expected = [self.design.n_columns(), self.n_neurons(), self.observations.n_predictors()];
        check_shape("parameters", &got, &expected, "features, neurons, predictors of a neuron")?;
        self.check_drive(parameters.transitions().drive().is_some())?;
        if let Some(drive) = &self.drive {
            let n_inputs = parameters.transitions().n_inputs();
            check_shape("what drives transitions", &[drive.n_inputs], &[n_inputs], "columns, one per weight")?;
        }
        Ok(())
    }

    /// Checks that driven models are given something that drives them, and others are not.
    pub(crate) fn check_drive(&self, is_driven: bool) -> Result<(), Error> {
        match (is_driven, self.drive.is_some()) {
            (true, false) => Err(Error::Drive {
                model: "driven by covariates",
                given: "none were given",
                remedy: "the method of the same name with `_driven`",
            }),
            (false, true) => Err(Error::Drive {
                model: "the same at every row",
                given: "covariates were given",
                remedy: "GlmHmm::driven, or the method without `_driven`",
            }),
            _ => Ok(()),
        }
    }

    /// `[n_rows, n_states]`: log-emissions.
    pub(crate) fn log_emissions(&self, parameters: &HmmParameters) -> Result<Array2<f64>, Error> {
        let (n_states, n_neurons) = (parameters.n_states(), self.n_neurons());
        let problems = Problems::of_responses((0..n_states * n_neurons).map(|problem| problem % n_neurons));
        let sums: Vec<usize> = (0..n_states * n_neurons).map(|problem| problem / n_neurons).collect();
        let summed = Summed {
            parameters: &parameters.glms,
            scales: &parameters.scales,
            problems: &problems,
            sum_of_problem: &sums,
        };
        Ok(self.observations.summed_log_likelihoods(summed, &self.design, &self.counts)?)
    }

    /// The steps into every row, or the same for all.
    pub(crate) fn steps(&self, parameters: &HmmParameters) -> Vec<f64> {
        let transitions = parameters.transitions();
        let size = transitions.n_states() * transitions.n_states();
        match &self.drive {
            None => transitions.baseline.clone(),
            Some(drive) => {
                let mut steps = vec![0.0; self.n_rows() * size];
                for session in &self.sessions {
                    // There is no step into a session's first row.
                    for row in session.clone().skip(1) {
                        transitions.step(drive.row(row), &mut steps[row * size..(row + 1) * size]);
                    }
                    let first = session.start * size;
                    (0..size).for_each(|place| steps[first + place] = 1.0 / transitions.n_states() as f64);
                }
                steps
            }
        }
    }

    /// The neuron that no state explains in a row, if it is one alone.
    pub(crate) fn impossible(&self, parameters: &HmmParameters, row: usize) -> Error {
        let (n_states, n_neurons) = (parameters.n_states(), self.n_neurons());
        let problems = Problems::of_responses((0..n_states * n_neurons).map(|problem| problem % n_neurons));
        let sums: Vec<usize> = (0..n_states * n_neurons).collect();
        let cut = |design: &Design<'a, B>| -> Option<Design<'static, B>> {
            let values = Design::from_rows(design.chunk(row..row + 1).ok()?);
            match design.offset() {
                None => Some(values),
                Some(offset) => values.with_offset(offset.rows(row..row + 1).ok()?).ok(),
            }
        };
        let of_each = cut(&self.design).zip(cut(&self.counts)).and_then(|(design, counts)| {
            let summed = Summed {
                parameters: &parameters.glms,
                scales: &parameters.scales,
                problems: &problems,
                sum_of_problem: &sums,
            };
            self.observations.summed_log_likelihoods(summed, &design, &counts).ok()
        });
        let neuron = of_each.and_then(|values| {
            (0..n_neurons).find(|&neuron| (0..n_states).all(|k| values[(0, k * n_neurons + neuron)] == f64::NEG_INFINITY))
        });
        Error::Impossible { row, neuron }
    }

    /// What is there to be seen.
    pub(crate) fn seen(&self) -> Result<Seen, Error> {
        let (n_neurons, n_features) = (self.n_neurons(), self.design.n_columns());
        let mut missing = Vec::new();
        // Observations of each neuron; rows, spikes, what is missing; chunks in which each feature is not zero.
        let sums = self.total_of_rows(SEEN, n_neurons + 3 + n_features, |rows, sums| {
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
}

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
