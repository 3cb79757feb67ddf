//! What data say of the states.

use ndarray::{Array2, ArrayView2, s};
use nemos_core::{Backend, Matrix, Names, Piece, Samples};
use nemos_timeseries::IntervalSet;
use rand::Rng;
use rayon::prelude::*;

use crate::chain::backward::{Pairs, smooth};
use crate::chain::forward::{Numbers, filter, predicted};
use crate::chain::paths::draw_path;
use crate::chain::steps::{Chain, LogEmissions};
use crate::chain::viterbi::most_probable_path;
use crate::error::check_shape;
use crate::fit::data::Data;
use crate::fitted::decoded::{Decoded, dwells};
use crate::{Error, HmmParameters};

/// What data say of the states of a model: [`FittedGlmHmm::on`](crate::FittedGlmHmm::on) makes it.
///
/// Log-emissions are held, `[n_rows, n_states]`; everything else is computed when it is asked for. Probabilities come back in the kind of the
/// samples: a frame for a time series. Rows in which nothing was observed have probabilities of states as well, what the rows around say of them.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::Poisson;
/// use nemos_hmm::{GlmHmm, HmmParameters, StateGlm, Transitions};
/// use ndarray::array;
/// let state = |intercept: f64| StateGlm { coef: array![[0.0]], intercept: vec![intercept], scale: vec![1.0] };
/// let parameters = HmmParameters::new(vec![0.5; 2], Transitions::staying(2, 0.9)?, &[state(-1.0), state(2.0)])?;
/// let model = GlmHmm::new(2, Poisson).with_parameters(parameters)?;
/// let (design, counts) = (Matrix::<Cpu>::zeros([4, 1]), Matrix::from_column(vec![0.0, 0.0, f64::NAN, 8.0]));
/// let seen = model.on(&design, &counts)?;
/// let smoothed = seen.smoothed()?.to_array();
/// assert!(smoothed[(0, 0)] > 0.9 && smoothed[(3, 1)] > 0.9);
/// // Where nothing was observed both are possible.
/// assert!(smoothed[(2, 1)] > 0.1 && smoothed[(2, 1)] < 0.9);
/// assert!(seen.decoded()?.log_probability <= seen.log_likelihood()?);
/// # Ok::<(), nemos_hmm::Error>(())
/// ```
#[derive(Debug)]
pub struct Inferred<'a, D, B: Backend> {
    samples: &'a D,
    data: Data<'a, B>,
    parameters: &'a HmmParameters,
    /// `[n_rows, n_states]`
    emissions: Array2<f64>,
    steps: Vec<f64>,
}

/// Filtered probabilities of all sessions.
struct Filtered {
    /// `[n_rows, n_states]`, in the numbers of each session.
    values: Vec<f64>,
    numbers: Vec<Numbers>,
    log_likelihoods: Vec<f64>,
    evidence: Vec<f64>,
}

impl<'a, D: Samples<B>, B: Backend> Inferred<'a, D, B> {
    pub(crate) fn new(samples: &'a D, data: Data<'a, B>, parameters: &'a HmmParameters) -> Result<Self, Error> {
        let emissions = data.check(parameters).and_then(|()| data.log_emissions(parameters));
        let (emissions, steps) = (data.design.agreed(emissions)?, data.steps(parameters));
        Ok(Inferred {
            samples,
            data,
            parameters,
            emissions,
            steps,
        })
    }

    fn chain(&self) -> Chain<'_> {
        Chain::new(self.parameters.initial(), &self.steps)
    }

    fn n_states(&self) -> usize {
        self.parameters.n_states()
    }

    fn log_emissions_of(&self) -> LogEmissions<'_> {
        LogEmissions {
            values: self.emissions.as_slice().expect("rows one after the other"),
            stride: self.n_states(),
            first: 0,
        }
    }

    fn filter(&self) -> Result<Filtered, Error> {
        let (chain, emissions, n) = (self.chain(), self.log_emissions_of(), self.n_states());
        let mut values = vec![0.0; self.data.n_rows() * n];
        let mut evidence = vec![0.0; self.data.n_rows()];
        let mut work = Vec::new();
        let (mut rest, mut rest_of_evidence) = (values.as_mut_slice(), evidence.as_mut_slice());
        for session in &self.data.sessions {
            let (of_session, later) = rest.split_at_mut(session.len() * n);
            let (of_evidence, later_evidence) = rest_of_evidence.split_at_mut(session.len());
            (rest, rest_of_evidence) = (later, later_evidence);
            work.push((session.clone(), of_session, of_evidence));
        }
        let ends: Vec<_> = work
            .into_par_iter()
            .map(|(rows, values, evidence)| filter(chain, emissions, rows, values, Some(evidence)))
            .collect();
        let (mut numbers, mut log_likelihoods) = (Vec::new(), Vec::new());
        for end in ends {
            let (log_likelihood, of_session) = end.map_err(|impossible| self.data.impossible(self.parameters, impossible.row))?;
            numbers.push(of_session);
            log_likelihoods.push(log_likelihood);
        }
        Ok(Filtered {
            values,
            numbers,
            log_likelihoods,
            evidence,
        })
    }

    /// `[n_rows, n_states]`: the logarithms of the probability of each row's observations in every state, with all constants; zero where
    /// nothing was observed.
    pub fn log_emissions(&self) -> ArrayView2<'_, f64> {
        self.emissions.view()
    }

    /// The log-likelihood of all sessions, of all processes where these share a recording: all of them must ask for it.
    ///
    /// # Errors
    /// [`Error::Impossible`] where no path of states has a probability. So do all that follow.
    pub fn log_likelihood(&self) -> Result<f64, Error> {
        let of_sessions = self.session_log_likelihoods().map(|values| {
            let starts = self.data.sessions.iter().map(|session| session.start);
            starts.zip(values.into_iter().map(|value| vec![value])).collect()
        });
        Ok(self.data.total("log-likelihood of sessions", of_sessions, 1)?[0])
    }

    /// The log-likelihood of each session that has rows, of this process where several share a recording; so is all that is by row or session.
    ///
    /// # Errors
    /// As [`log_likelihood`](Inferred::log_likelihood).
    pub fn session_log_likelihoods(&self) -> Result<Vec<f64>, Error> {
        Ok(self.filter()?.log_likelihoods)
    }

    /// `[n_rows]`: `ln P(yₜ | y of earlier rows of the session)`.
    ///
    /// # Errors
    /// As [`log_likelihood`](Inferred::log_likelihood).
    pub fn log_predictive(&self) -> Result<Vec<f64>, Error> {
        Ok(self.filter()?.evidence)
    }

    /// `[n_rows, n_states]`: the probability of each state given the rows before it, in double precision.
    ///
    /// # Errors
    /// As [`log_likelihood`](Inferred::log_likelihood).
    pub fn predicted_array(&self) -> Result<Array2<f64>, Error> {
        let (chain, n) = (self.chain(), self.n_states());
        let filtered = self.filter()?;
        let mut law = vec![0.0; filtered.values.len()];
        for (session, numbers) in self.data.sessions.iter().zip(filtered.numbers) {
            let range = session.start * n..session.end * n;
            predicted(chain, session.clone(), (&filtered.values[range.clone()], numbers), &mut law[range]);
        }
        Ok(self.shaped(law))
    }

    /// `[n_rows, n_states]`: the probability of each state given the rows up to it, in double precision.
    ///
    /// # Errors
    /// As [`log_likelihood`](Inferred::log_likelihood).
    pub fn filtered_array(&self) -> Result<Array2<f64>, Error> {
        let (mut filtered, n) = (self.filter()?, self.n_states());
        for (session, numbers) in self.data.sessions.iter().zip(filtered.numbers) {
            if numbers == Numbers::Logarithms {
                filtered.values[session.start * n..session.end * n]
                    .iter_mut()
                    .for_each(|value| *value = value.exp());
            }
        }
        Ok(self.shaped(filtered.values))
    }

    /// `[n_rows, n_states]`: the probability of each state given all rows, in double precision.
    ///
    /// # Errors
    /// As [`log_likelihood`](Inferred::log_likelihood).
    pub fn smoothed_array(&self) -> Result<Array2<f64>, Error> {
        Ok(self.smooth()?.0)
    }

    /// `[state before, state]`: expected numbers of transitions given all rows, of all processes as for
    /// [`log_likelihood`](Inferred::log_likelihood).
    ///
    /// # Errors
    /// As there.
    pub fn expected_transitions(&self) -> Result<Array2<f64>, Error> {
        let n = self.n_states();
        let of_sessions = self.smooth().map(|(_, of_sessions)| of_sessions);
        let sum = self.data.total("expected transitions", of_sessions, n * n)?;
        Ok(Array2::from_shape_fn((n, n), |(i, j)| sum[i * n + j]))
    }

    /// Smoothed probabilities, and expected numbers of transitions of each session.
    fn smooth(&self) -> Result<(Array2<f64>, Vec<Piece>), Error> {
        let (chain, n) = (self.chain(), self.n_states());
        let mut filtered = self.filter()?;
        let mut of_sessions = Vec::new();
        for (session, &numbers) in self.data.sessions.iter().zip(&filtered.numbers) {
            let values = &mut filtered.values[session.start * n..session.end * n];
            let mut sum = vec![0.0; n * n];
            let pairs = Pairs {
                sum: &mut sum,
                by_row: None,
            };
            smooth(chain, session.clone(), (values, numbers), pairs);
            of_sessions.push((session.start, sum));
        }
        Ok((self.shaped(filtered.values), of_sessions))
    }

    /// [`predicted_array`](Inferred::predicted_array) in the kind of the samples.
    ///
    /// # Errors
    /// As [`log_likelihood`](Inferred::log_likelihood).
    pub fn predicted(&self) -> Result<D::Output, Error> {
        Ok(self.of_states(self.predicted_array()?))
    }

    /// [`filtered_array`](Inferred::filtered_array) in the kind of the samples.
    ///
    /// # Errors
    /// As [`log_likelihood`](Inferred::log_likelihood).
    #[doc(alias = "forward_pass")]
    pub fn filtered(&self) -> Result<D::Output, Error> {
        Ok(self.of_states(self.filtered_array()?))
    }

    /// [`smoothed_array`](Inferred::smoothed_array) in the kind of the samples.
    ///
    /// # Errors
    /// As [`log_likelihood`](Inferred::log_likelihood).
    #[doc(alias("backward_pass", "forward_backward"))]
    pub fn smoothed(&self) -> Result<D::Output, Error> {
        Ok(self.of_states(self.smoothed_array()?))
    }

    fn shaped(&self, values: Vec<f64>) -> Array2<f64> {
        let dims = (self.data.n_rows(), self.n_states());
        Array2::from_shape_vec(dims, values).expect("a number for each row and state")
    }

    fn of_states(&self, values: Array2<f64>) -> D::Output {
        let names = Names::new((0..self.n_states()).map(|state| format!("state {state}")));
        self.samples.wrap(Matrix::from_array(values.view()), names)
    }

    /// The path of states that is most probable as a whole.
    ///
    /// # Errors
    /// As [`log_likelihood`](Inferred::log_likelihood).
    #[doc(alias = "viterbi")]
    pub fn decoded(&self) -> Result<Decoded, Error> {
        let (chain, emissions) = (self.chain(), self.log_emissions_of());
        let mut path = vec![0; self.data.n_rows()];
        let mut log_probability = 0.0;
        for session in &self.data.sessions {
            let of_session = most_probable_path(chain, emissions, session.clone(), &mut path[session.clone()]);
            log_probability += of_session.map_err(|impossible| self.data.impossible(self.parameters, impossible.row))?;
        }
        Ok(Decoded {
            path,
            log_probability,
            sessions: self.data.sessions.clone(),
        })
    }

    /// `[n_rows]`: a path of states drawn from its distribution given all rows.
    ///
    /// # Errors
    /// As [`log_likelihood`](Inferred::log_likelihood).
    pub fn draw_path<R: Rng + ?Sized>(&self, rng: &mut R) -> Result<Vec<usize>, Error> {
        let (chain, n) = (self.chain(), self.n_states());
        let filtered = self.filter()?;
        let mut path = vec![0; self.data.n_rows()];
        for (session, &numbers) in self.data.sessions.iter().zip(&filtered.numbers) {
            let values = &filtered.values[session.start * n..session.end * n];
            draw_path(chain, session.clone(), (values, numbers), rng, &mut path[session.clone()]);
        }
        Ok(path)
    }

    /// The stays of each state in time, one set for each state. A stay reaches halfway to the samples before and after it; at the borders of a
    /// session as far as on its inner side. A session of one row has no inner side: its stay has no length, and is left out.
    ///
    /// # Errors
    /// [`Error::Shape`] unless the path has a state for each row, [`Error::Option`] if it has one that the model has not;
    /// [`Error::TimeSeries`] if the samples have no times, or these do not rise.
    pub fn epochs(&self, path: &[usize]) -> Result<Vec<IntervalSet>, Error> {
        check_shape("the path", &[path.len()], &[self.data.n_rows()], "row")?;
        if let Some(&state) = path.iter().find(|state| **state >= self.n_states()) {
            return Err(Error::Option {
                option: "a state of the path",
                got: state as f64,
                expected: "below the number of states",
            });
        }
        let no_times = nemos_timeseries::Error::NoTimes { rows: path.len() };
        let times = self.data.design.times().or(self.data.counts.times()).ok_or(no_times)?;
        let mut stays = vec![Vec::new(); self.n_states()];
        for dwell in dwells(path, &self.data.sessions) {
            let session = self
                .data
                .sessions
                .iter()
                .find(|session| session.contains(&dwell.rows.start))
                .cloned()
                .unwrap_or(0..path.len());
            let half = |row: usize| {
                let later = if row + 1 < session.end {
                    row
                } else {
                    row.saturating_sub(1).max(session.start)
                };
                if later + 1 < session.end {
                    0.5 * (times[later + 1] - times[later])
                } else {
                    0.0
                }
            };
            let (first, last) = (dwell.rows.start, dwell.rows.end - 1);
            let before = if first > session.start { half(first - 1) } else { half(first) };
            stays[dwell.state].push((times[first] - before, times[last] + half(last)));
        }
        stays.into_iter().map(|stays| Ok(IntervalSet::new(stays)?)).collect()
    }

    /// `[n_sessions, n_states]`: the mean smoothed probability of each state in every session.
    ///
    /// # Errors
    /// As [`log_likelihood`](Inferred::log_likelihood).
    pub fn occupancy_by_session(&self) -> Result<Array2<f64>, Error> {
        let smoothed = self.smoothed_array()?;
        let sessions = &self.data.sessions;
        Ok(Array2::from_shape_fn((sessions.len(), self.n_states()), |(session, state)| {
            smoothed.slice(s![sessions[session].clone(), state]).mean().unwrap_or(f64::NAN)
        }))
    }

    /// The mean of the counts that the rows before each let expect: `Σ_k pₜ(k) μₜₖ`, `[n_rows, n_neurons]`; of a classifier the probability of
    /// each class. NaN where the design has one.
    ///
    /// # Errors
    /// As [`log_likelihood`](Inferred::log_likelihood).
    pub fn predicted_mean(&self) -> Result<D::Output, Error> {
        Ok(self.of_neurons(self.mixed(&self.predicted_array()?)?))
    }

    /// The variance about [`predicted_mean`](Inferred::predicted_mean): `Σ_k pₜ(k) (Varₜₖ + μₜₖ²) − mean²`.
    ///
    /// # Errors
    /// As [`log_likelihood`](Inferred::log_likelihood).
    pub fn predicted_variance(&self) -> Result<D::Output, Error> {
        let law = self.predicted_array()?;
        let mean = self.mixed(&law)?;
        let mut second = Array2::<f64>::zeros(mean.dim());
        for state in 0..self.n_states() {
            let (at, scales) = self.model_of(state);
            let rates = self.data.observations.rates(&at, &self.data.design)?.to_array();
            let variances = self.data.observations.variances(&at, scales, &self.data.design)?.to_array();
            let each = rates.mapv(|rate| rate * rate) + variances;
            second += &(&each * &law.slice(s![.., state..state + 1]));
        }
        Ok(self.of_neurons(second - mean.mapv(|mean| mean * mean)))
    }

    /// The mean of the counts with smoothed probabilities of states. It has seen the counts that it is a mean of: a description, no
    /// prediction.
    ///
    /// # Errors
    /// As [`log_likelihood`](Inferred::log_likelihood).
    pub fn smoothed_mean(&self) -> Result<D::Output, Error> {
        Ok(self.of_neurons(self.mixed(&self.smoothed_array()?)?))
    }

    fn model_of(&self, state: usize) -> (nemos_solvers::Parameters, &[f64]) {
        let n_neurons = self.data.n_neurons();
        let problems: Vec<usize> = (state * n_neurons..(state + 1) * n_neurons).collect();
        (
            self.parameters.glms.select(&problems),
            &self.parameters.scales[state * n_neurons..(state + 1) * n_neurons],
        )
    }

    /// Means of the states in the proportions of probabilities `[n_rows, n_states]`.
    fn mixed(&self, law: &Array2<f64>) -> Result<Array2<f64>, Error> {
        let width = self.data.n_neurons() * self.data.observations.n_predictors();
        let mut mean = Array2::<f64>::zeros((self.data.n_rows(), width));
        for state in 0..self.n_states() {
            let rates = self.data.observations.rates(&self.model_of(state).0, &self.data.design)?.to_array();
            mean += &(&rates * &law.slice(s![.., state..state + 1]));
        }
        Ok(mean)
    }

    fn of_neurons(&self, values: Array2<f64>) -> D::Output {
        let names = self.data.counts.names();
        let names = if names.columns().len() == values.ncols() {
            names.clone()
        } else {
            Names::none()
        };
        self.samples.wrap(Matrix::from_array(values.view()), names)
    }

    /// The probabilities of the state in each of `n_steps` rows beyond the end of a session: `f_last Aʰ`. Driven transitions need the
    /// covariates of those rows.
    ///
    /// # Shapes
    /// drive `[n_steps, n_inputs]`, no columns where nothing drives the transitions; the result `[n_steps, n_states]`.
    ///
    /// # Errors
    /// [`Error::NoSession`], [`Error::Shape`] if the covariates do not fit, and as [`log_likelihood`](Inferred::log_likelihood).
    pub fn forecast(&self, session: usize, n_steps: usize, drive: &Array2<f64>) -> Result<Array2<f64>, Error> {
        let n_sessions = self.data.sessions.len();
        let rows = self.data.sessions.get(session).ok_or(Error::NoSession { session, n_sessions })?;
        let transitions = self.parameters.transitions();
        check_shape(
            "what drives transitions",
            drive.shape(),
            &[n_steps, transitions.n_inputs()],
            "row ahead, input",
        )?;
        let n = self.n_states();
        let mut law = self.filtered_array()?.row(rows.end - 1).to_vec();
        let mut step = vec![0.0; n * n];
        let mut ahead = Array2::zeros((n_steps, n));
        for row in 0..n_steps {
            transitions.step(&drive.row(row).to_vec(), &mut step);
            law = (0..n).map(|k| (0..n).map(|i| law[i] * step[i * n + k]).sum()).collect();
            ahead.row_mut(row).iter_mut().zip(&law).for_each(|(to, p)| *to = *p);
        }
        Ok(ahead)
    }
}
