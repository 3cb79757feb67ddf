//! Comparing models by sessions that they did not see.

use nemos_core::{Backend, Design, Matrix, Rows, Segments, ToDesign, row_chunks};
use nemos_glm::{Problems, Scale, Summed};
use nemos_solvers::{Objective, Order, Request};

use crate::chain::forward::filter;
use crate::chain::steps::{Chain, LogEmissions};
use crate::fit::data::Data;
use crate::fit::inputs::Inputs;
use crate::fit::start::single_state;
use crate::options::Options;
use crate::state_model::StateModel;
use crate::{Error, FittedGlmHmm};

/// How well a model describes sessions that it did not see, in comparison with constant rates.
///
/// ```text
/// bits per observation = (L − L₀) / (n ln 2)
/// ```
///
/// L is the log-likelihood of the test sessions, each filtered from the initial probabilities; L₀ that of a model that gives each neuron its
/// mean (and scale) over the *training* sessions: beside an offset, the constant (and scale) of most likelihood there.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HeldOut {
    /// L.
    pub log_likelihood: f64,
    /// L₀.
    pub baseline_log_likelihood: f64,
    /// Observations of the test sessions: every neuron counts.
    pub n_observations: f64,
    /// Their counts, added up.
    pub n_spikes: f64,
}

impl HeldOut {
    /// Bits per observation; NaN where nothing was observed.
    pub fn bits_per_observation(&self) -> f64 {
        self.bits_per(self.n_observations)
    }

    /// Bits per spike; NaN where there was none.
    pub fn bits_per_spike(&self) -> f64 {
        self.bits_per(self.n_spikes)
    }

    fn bits_per(&self, n: f64) -> f64 {
        if n == 0.0 {
            return f64::NAN;
        }
        (self.log_likelihood - self.baseline_log_likelihood) / (n * std::f64::consts::LN_2)
    }
}

impl<S: StateModel> FittedGlmHmm<S> {
    /// How well the model describes these sessions; all others are those that it was trained on, which set the constant rates to compare
    /// with. One that is named twice counts twice.
    ///
    /// # Errors
    /// [`Error::NoSession`] for a session that is not there; [`Error::Option`] if none is named, or none is left to train on; as
    /// [`on`](FittedGlmHmm::on).
    pub fn held_out<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
        test_sessions: &[usize],
    ) -> Result<HeldOut, Error> {
        let observations = self.specification.states.observations::<B>()?;
        let data = Data::new(observations, design.to_design(), counts.to_design(), None)?;
        self.held_out_of(&data, test_sessions)
    }

    /// The same for driven transitions.
    ///
    /// # Errors
    /// As [`held_out`](FittedGlmHmm::held_out), and if what drives transitions is missing in a row.
    pub fn held_out_driven<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
        drive: &(impl ToDesign<B> + ?Sized),
        test_sessions: &[usize],
    ) -> Result<HeldOut, Error> {
        let observations = self.specification.states.observations::<B>()?;
        let data = Data::new(observations, design.to_design(), counts.to_design(), Some(drive.to_design()))?;
        self.held_out_of(&data, test_sessions)
    }

    pub(crate) fn held_out_of<B: Backend>(&self, data: &Data<'_, B>, test_sessions: &[usize]) -> Result<HeldOut, Error> {
        data.design.check_whole("a comparison by sessions that are held out")?;
        self.check(data)?;
        let train: Vec<usize> = (0..data.sessions.len())
            .filter(|session| !test_sessions.contains(session))
            .collect();
        if test_sessions.is_empty() || train.is_empty() {
            return Err(Error::Option {
                option: "the number of sessions held out",
                got: (data.sessions.len() - train.len()) as f64,
                expected: "one or more, and fewer than there are: the others set what to compare with",
            });
        }
        let (train, test) = (select(data, &train)?, select(data, test_sessions)?);
        let emissions = test.log_emissions(&self.parameters)?;
        let steps = test.steps(&self.parameters);
        let (chain, n) = (Chain::new(self.parameters.initial(), &steps), self.parameters.n_states());
        let emissions = LogEmissions {
            values: emissions.as_slice().expect("rows one after the other"),
            stride: n,
            first: 0,
        };
        let mut log_likelihood = 0.0;
        for session in &test.sessions {
            let mut filtered = vec![0.0; session.len() * n];
            let end = filter(chain, emissions, session.clone(), &mut filtered, None);
            log_likelihood += end.map_err(|impossible| test.impossible(&self.parameters, impossible.row))?.0;
        }
        let seen = test.seen()?;
        Ok(HeldOut {
            log_likelihood,
            baseline_log_likelihood: baseline(&train, &test)?,
            n_observations: seen.entries.iter().sum(),
            n_spikes: seen.spikes,
        })
    }
}

/// Data of some sessions alone, in this order, repeats allowed.
pub(crate) fn select<B: Backend>(data: &Data<'_, B>, sessions: &[usize]) -> Result<Data<'static, B>, Error> {
    let n_sessions = data.sessions.len();
    let ranges = sessions
        .iter()
        .map(|&session| data.sessions.get(session).cloned().ok_or(Error::NoSession { session, n_sessions }))
        .collect::<Result<Vec<_>, Error>>()?;
    let rows: Vec<usize> = ranges.iter().cloned().flatten().collect();
    let segments = Segments::from_lengths(ranges.iter().map(ExactSizeIterator::len));
    let cut = |design: &Design<'_, B>| -> Result<Design<'static, B>, Error> {
        let values: Matrix<B> = if rows.is_empty() {
            Matrix::zeros([0, design.n_columns()])
        } else {
            design.gather(&rows)?
        };
        let cut = Design::from_rows(values)
            .with_names(design.names().clone())?
            .with_segments(segments.clone())?;
        match design.offset() {
            None => Ok(cut),
            Some(offset) => Ok(cut.with_offset(offset.select_rows(&rows)?)?),
        }
    };
    let (design, counts) = (cut(&data.design)?, cut(&data.counts)?);
    let mut selected = Data::new(data.observations.clone(), design, counts, None)?;
    selected.drive = data.drive.as_ref().map(|inputs| {
        let values = rows.iter().flat_map(|&row| inputs.row(row).to_vec()).collect();
        Inputs::new(values, inputs.n_inputs)
    });
    Ok(selected)
}

/// The log-likelihood of test data under the constant, and the scale, of each neuron over training data.
fn baseline<B: Backend>(train: &Data<'_, B>, test: &Data<'_, B>) -> Result<f64, Error> {
    let n_neurons = train.n_neurons();
    let problems = Problems::one_per_response(n_neurons);
    let mut objective = train
        .observations
        .objective(problems.clone(), train.design.clone(), train.counts.clone())?;
    // The mean count is the likeliest constant, unless something stands beside it.
    let mut constant = objective.start();
    if train.design.offset().is_some() {
        let alone = Data {
            design: without_features(&train.design)?,
            ..train.clone()
        };
        let single = single_state(&alone, &Options::default(), &alone.seen()?)?;
        let width = train.design.n_columns() + 1;
        for problem in 0..n_neurons {
            let fitted = single.glms.column(problem).chunks_exact(2);
            let predictors = constant.column_mut(problem).chunks_exact_mut(width).zip(fitted);
            predictors.for_each(|(to, from)| to[width - 1] = from[1]);
        }
    }
    if !matches!(train.observations.scale(), Scale::Fixed(_)) {
        let scales = if train.observations.is_gaussian() {
            let columns: Vec<usize> = (0..n_neurons).collect();
            let request = Request {
                columns: &columns,
                rows: None,
                order: Order::Gradient,
            };
            objective.evaluate(&constant, request)?.values
        } else {
            objective.likeliest_scales(&constant)?
        };
        objective.set_scale(scales);
    }
    let summed = Summed {
        parameters: &constant,
        scales: objective.scale(),
        problems: &problems,
        sum_of_problem: &vec![0; n_neurons],
    };
    let values = test.observations.summed_log_likelihoods(summed, &test.design, &test.counts)?;
    Ok(values.iter().sum())
}

/// The rows of a design and their offset, with a column of zeros for its features, missing where one of these is.
fn without_features<B: Backend>(design: &Design<'_, B>) -> Result<Design<'static, B>, Error> {
    let mut zeros = Vec::with_capacity(design.n_rows());
    for rows in row_chunks(design.n_rows(), B::chunk_rows(design.n_columns())) {
        let features = design.chunk(rows)?.to_array();
        let is_missing = features.rows().into_iter().map(|row| row.iter().any(|x| x.is_nan()));
        zeros.extend(is_missing.map(|is_missing| if is_missing { f64::NAN } else { 0.0 }));
    }
    let rows = Design::from_rows(Matrix::from_column(zeros));
    Ok(match design.offset() {
        None => rows,
        Some(offset) => rows.with_offset(offset.clone())?,
    })
}
