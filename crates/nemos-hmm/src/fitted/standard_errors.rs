//! How sure parameters are, by the curvature of the likelihood at its maximum, states being unknown.

use std::fmt;

use ndarray::{Array1, Array2, Array3};
use nemos_core::{Backend, ToDesign};
use nemos_glm::Scale;

use crate::fit::data::Data;
use crate::fit::directions::{Direction, Directions, Freedom, Layout, centre};
use crate::fit::em::Em;
use crate::fit::information::{inverse, n_slots};
use crate::fit::priors::Priors;
use crate::fitted::print::{coefficients, following};
use crate::state_model::StateModel;
use crate::{Error, FittedGlmHmm, HmmParameters, StateGlm};

/// Nats that a maximum may be away: standard errors are wrong by a twentieth of themselves there.
const NEAR: f64 = 0.05;

/// Standard errors of the parameters of a fit, from the observed information: the curvature of what the fit maximised, at its end.
///
/// ```text
/// information = −∂²J/∂θ²,    cov(θ) = information⁻¹
/// ```
///
/// It holds what is lost because states are not seen, which standard errors of each state's model alone leave out. With priors it is
/// Laplace's approximation of the posterior. Numbers that a fit held have a standard error of zero; those of which the data know nothing, which
/// [findings](FittedGlmHmm::findings) name, NaN.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::Poisson;
/// use nemos_hmm::GlmHmm;
/// let count = |bin: usize| (bin * 7 % 4 + if bin / 25 % 2 == 1 { 4 } else { 0 }) as f64;
/// let counts = Matrix::<Cpu>::from_column((0..400).map(count).collect());
/// let design = Matrix::zeros([400, 1]);
/// let fitted = GlmHmm::new(2, Poisson).restarts(3).fit(&design, &counts)?;
/// let errors = fitted.standard_errors(&design, &counts)?;
/// // Of a state's intercept, and of anything else that parameters give: the ratio of two rates.
/// assert!(errors.state(0).intercept[0] < 0.1);
/// let ratio = errors.standard_error(|parameters| (parameters.state(0).intercept[0] - parameters.state(1).intercept[0]).exp());
/// assert!(ratio > 0.0 && ratio < 1.0);
/// # Ok::<(), nemos_hmm::Error>(())
/// ```
///
/// # References
/// Louis (1982), *Journal of the Royal Statistical Society B* 44(2). doi:10.1111/j.2517-6161.1982.tb01203.x
#[derive(Clone, Debug)]
pub struct StandardErrors<S> {
    fitted: FittedGlmHmm<S>,
    directions: Directions,
    /// Of each free direction, and of each unknown one: so small that a number that parameters give changes in proportion.
    steps: (Vec<f64>, Vec<f64>),
    /// `[n_free, n_free]`
    covariance: Array2<f64>,
}

impl<S: StateModel> FittedGlmHmm<S> {
    /// Standard errors by the observed information. Slopes of the log-likelihood are exact, and their differences are taken: two
    /// expectations for each free number.
    ///
    /// # Errors
    /// [`Error::NotAtMaximum`] if the parameters are no maximum for these data; [`Error::NoInformation`] where the data, with the priors, do not
    /// determine a number; as [`GlmHmm::fit`](crate::GlmHmm::fit). If the transitions are driven:
    /// [`standard_errors_driven`](FittedGlmHmm::standard_errors_driven).
    pub fn standard_errors<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
    ) -> Result<StandardErrors<S>, Error> {
        let observations = self.specification.states.observations::<B>()?;
        self.standard_errors_of(&Data::new(observations, design.to_design(), counts.to_design(), None)?)
    }

    /// The same where transitions are driven.
    ///
    /// # Errors
    /// As [`standard_errors`](FittedGlmHmm::standard_errors), and if what drives transitions is missing in a row.
    pub fn standard_errors_driven<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
        drive: &(impl ToDesign<B> + ?Sized),
    ) -> Result<StandardErrors<S>, Error> {
        let observations = self.specification.states.observations::<B>()?;
        let drive = Some(drive.to_design());
        self.standard_errors_of(&Data::new(observations, design.to_design(), counts.to_design(), drive)?)
    }

    fn standard_errors_of<B: Backend>(&self, data: &Data<'_, B>) -> Result<StandardErrors<S>, Error> {
        let (options, at) = (&self.specification.options, &self.parameters);
        self.check(data)?;
        let (n_states, seen) = (at.n_states(), data.seen()?);
        if let Some(neuron) = seen.entries.iter().position(|&n| n == 0.0) {
            return Err(nemos_glm::Error::NeuronMissing { neuron }.into());
        }
        let priors = Priors::new(options, n_states, data)?;
        let is_scale_fitted = !matches!(data.observations.scale(), Scale::Fixed(_)) && !options.held.scale;
        let n_slots = n_slots(data.design.n_rows_of_all() * n_states);
        let floors = vec![0.0; data.n_neurons()];
        let mut em = Em::new(data, (options, priors), (&seen, floors), (n_states, n_slots))?;
        em.look_for_constants(std::slice::from_ref(at))?;
        let centres = em.moments().map_or_else(Vec::new, |moments| {
            let deviations = moments.covariance.diag().mapv(|variance| variance.max(0.0).sqrt());
            moments
                .mean
                .iter()
                .zip(deviations)
                .map(|(&mean, deviation)| centre(mean, deviation))
                .collect()
        });
        let drive = data.drive.as_ref().map(|inputs| inputs.moments(data)).transpose()?;
        let (means, deviations) = drive.unwrap_or_default();
        let drive_centres: Vec<f64> = means
            .iter()
            .zip(&deviations)
            .map(|(&mean, &deviation)| centre(mean, deviation))
            .collect();
        let directions = Directions::new(
            at,
            &Freedom {
                held: options.held,
                priors: &em.priors,
                used_features: &seen.used_features,
                is_scale_fitted,
                has_initial: data.n_sessions > 1,
                findings: &self.findings,
                centres: &centres,
                drive_centres: &drive_centres,
            },
        );
        let steps_along = |directions: &[Direction]| -> (Vec<f64>, Vec<f64>) {
            let each = directions
                .iter()
                .map(|direction| em.steps_along(direction, at, (&means, &deviations)));
            each.unzip()
        };
        let (far, near) = steps_along(&directions.free);
        let steps = (near, steps_along(&directions.unknown).1);
        let (information, here) = em.information(at, (&directions.free, &far), is_scale_fitted)?;
        let covariance = inverse(&information).map_err(|number| {
            let place = directions.free.get(number).and_then(|direction| direction.0.first());
            let what = self.described_place(place.map_or(0, |first| first.0));
            Error::NoInformation { what }
        })?;
        let to_gain = 0.5 * here.dot(&covariance.dot(&here));
        if to_gain.is_nan() || to_gain > NEAR {
            return Err(Error::NotAtMaximum { to_gain });
        }
        Ok(StandardErrors {
            fitted: self.clone(),
            directions,
            steps,
            covariance,
        })
    }

    /// A number in words, from its place among all.
    fn described_place(&self, place: usize) -> String {
        let (layout, n_states) = (Layout::of(&self.parameters), self.parameters.n_states());
        let (n_neurons, n_parameters) = (self.parameters.n_neurons(), self.parameters.glms.n_parameters());
        let problem_of = |problem: usize| format!("neuron {} in state {}", self.neurons()[problem % n_neurons], problem / n_neurons);
        if layout.glms.contains(&place) {
            let (n_features, feature) = (
                self.parameters.n_features(),
                place % n_parameters % (self.parameters.n_features() + 1),
            );
            let of = problem_of(place / n_parameters);
            match self.described.features.labels(n_features).get(feature) {
                Some(name) => format!("the coefficient of {name} of {of}"),
                None => format!("the intercept of {of}"),
            }
        } else if layout.scales.contains(&place) {
            format!("the scale of {}", problem_of(place - layout.scales.start))
        } else if layout.baseline.contains(&place) {
            format!("transitions from state {}", (place - layout.baseline.start) / n_states)
        } else if layout.weights.contains(&place) {
            "weights of what drives transitions".into()
        } else {
            "the first state".into()
        }
    }
}

impl<S: StateModel> StandardErrors<S> {
    /// The standard error of any number that parameters give, by the delta method; NaN where it depends on something of which the data know
    /// nothing. A number on the border, such as a probability of zero, is held there.
    pub fn standard_error(&self, of: impl Fn(&HmmParameters) -> f64) -> f64 {
        let at = &self.fitted.parameters;
        let slope = |(direction, &step): (&Direction, &f64)| {
            let (above, below) = (of(&at.displaced(direction, step)), of(&at.displaced(direction, -step)));
            (above - below) / (2.0 * step)
        };
        if self
            .directions
            .unknown
            .iter()
            .zip(&self.steps.1)
            .any(|unknown| slope(unknown) != 0.0)
        {
            return f64::NAN;
        }
        let slopes: Array1<f64> = self.directions.free.iter().zip(&self.steps.0).map(slope).collect();
        slopes.dot(&self.covariance.dot(&slopes)).max(0.0).sqrt()
    }

    /// `[n_places]`: standard errors of all numbers in their row.
    fn of_places(&self) -> Vec<f64> {
        let n_places = Layout::of(&self.fitted.parameters).len();
        let mut errors = vec![0.0; n_places];
        let mut of_place: Vec<Vec<(usize, f64)>> = vec![Vec::new(); n_places];
        for (number, direction) in self.directions.free.iter().enumerate() {
            direction.0.iter().for_each(|&(place, by)| of_place[place].push((number, by)));
        }
        for (error, moved_by) in errors.iter_mut().zip(&of_place) {
            let terms = moved_by.iter().flat_map(|a| moved_by.iter().map(move |b| (a, b)));
            let variance: f64 = terms.map(|((a, by), (b, other))| by * other * self.covariance[(*a, *b)]).sum();
            *error = variance.max(0.0).sqrt();
        }
        let unknown = self.directions.unknown.iter().flat_map(|direction| &direction.0);
        unknown.for_each(|&(place, _)| errors[place] = f64::NAN);
        errors
    }

    /// Standard errors in the place of the numbers of a state's model.
    ///
    /// # Panics
    /// If there is no such state.
    pub fn state(&self, state: usize) -> StateGlm {
        self.in_place().state(state)
    }

    /// Standard errors in the place of parameters of models; the rest is as it was.
    fn in_place(&self) -> HmmParameters {
        let (mut parameters, errors) = (self.fitted.parameters.clone(), self.of_places());
        let layout = Layout::of(&parameters);
        parameters.glms.as_mut_slice().copy_from_slice(&errors[layout.glms.clone()]);
        for (scale, error) in parameters.scales.iter_mut().zip(&errors[layout.scales]) {
            *scale *= error;
        }
        parameters
    }

    /// `[state before, state]`: standard errors of transitions; of driven ones those where all covariates are zero.
    pub fn transitions(&self) -> Array2<f64> {
        let n = self.fitted.parameters.n_states();
        Array2::from_shape_fn((n, n), |(i, j)| {
            self.standard_error(|parameters| parameters.transitions.at_zero()[i * n + j])
        })
    }

    /// Standard errors of the [weights](crate::Transitions::weights) of what drives transitions, in their shape.
    pub fn weights(&self) -> Array3<f64> {
        let mut transitions = self.fitted.parameters.transitions.clone();
        let layout = Layout::of(&self.fitted.parameters);
        transitions.weights = self.of_places()[layout.weights].to_vec();
        transitions.weights()
    }

    /// `[n_states]`: standard errors of the first state's probabilities. Zero where they come from one session alone, which knows nothing of
    /// them: they are held.
    pub fn initial(&self) -> Vec<f64> {
        let n = self.fitted.parameters.n_states();
        (0..n).map(|k| self.standard_error(|parameters| parameters.initial[k])).collect()
    }
}

/// Coefficients, and transitions, each with its standard error to the right.
impl<S: StateModel> fmt::Display for StandardErrors<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        coefficients(&self.fitted, Some(&self.in_place())).write(f)?;
        following(&self.fitted, Some(&self.transitions())).write(f)
    }
}
