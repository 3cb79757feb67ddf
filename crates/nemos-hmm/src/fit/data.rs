//! What a model sees: rows, their sessions, what drives the transitions, and which observations are there.

use std::ops::Range;

use ndarray::Array2;
use nemos_core::{Backend, Design, Piece};
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
            Ok(here) => of_all.added_up("sessions", Ok::<_, Error>(here), 1)?,
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
        design.check_whole_segments("a hidden Markov model of rows that are not shared in whole sessions (World::share_segments)")?;
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

    /// `n` numbers added up over all rows of all processes: the one place where these meet, at a step of this name. `pieces` are sums over some rows each, with the first of
    /// these, in order.
    pub(crate) fn total(&self, step: &str, pieces: Result<Vec<Piece>, Error>, n: usize) -> Result<Vec<f64>, Error> {
        self.design.added_up(step, pieces, n)
    }

    /// The same of sums by shard: rows that come before or after those of another process.
    pub(crate) fn total_of_rows(
        &self,
        step: &str,
        n: usize,
        mut add: impl FnMut(Range<usize>, &mut [f64]) -> Result<(), Error>,
    ) -> Result<Vec<f64>, Error> {
        let of_shards = self.design.shards().into_iter().map(|rows| {
            let (first, mut sums) = (rows.start, vec![0.0; n]);
            add(rows, &mut sums)?;
            Ok((first, sums))
        });
        self.total(step, of_shards.collect(), n)
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
}
