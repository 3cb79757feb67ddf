//! Priors, resolved for the data: what is added to the log-likelihood.

use nemos_core::Backend;
use nemos_glm::Support;

use crate::error::check_shape;
use crate::fit::data::Data;
use crate::fit::driven::penalty;
use crate::options::{Options, PriorSd, Shared};
use crate::{Error, HmmParameters};

/// Standard deviation of the prior on the weights of choices and classes, unless told otherwise.
const DEFAULT_SD: f64 = 10.0;

/// Priors in numbers.
#[derive(Clone, Debug)]
pub(crate) struct Priors {
    /// 1 / sd² of coefficients.
    pub(crate) ridge: f64,
    /// What coefficients are drawn to; zero where there is nothing.
    pub(crate) mean: Option<HmmParameters>,
    /// `[n_states]`
    pub(crate) initial: Vec<f64>,
    /// `[n_states, n_states]`
    pub(crate) transitions: Vec<f64>,
    /// `[n_inputs]`: 1 / sd² of the weights that drive transitions, in the units of what drives.
    pub(crate) drive_ridge: Vec<f64>,
    /// `[n_features]`: whether all states have the same coefficient.
    pub(crate) shared: Vec<bool>,
}

impl Priors {
    pub(crate) fn new<B: Backend>(options: &Options, n_states: usize, data: &Data<'_, B>) -> Result<Self, Error> {
        let is_choice = matches!(data.observations.support(), Support::Binary | Support::Classes(_));
        let sd = match options.prior_sd {
            PriorSd::Flat => f64::INFINITY,
            PriorSd::Default if is_choice => DEFAULT_SD,
            PriorSd::Default => f64::INFINITY,
            PriorSd::Sd(sd) => sd,
        };
        for (option, got) in [("prior_sd", sd), ("the prior of what drives transitions", options.drive_sd)] {
            if got.is_nan() || got <= 0.0 {
                let expected = "above zero";
                return Err(Error::Option { option, got, expected });
            }
        }
        if !(options.stickiness >= 0.0 && options.stickiness.is_finite()) {
            return Err(Error::Option {
                option: "stickiness",
                got: options.stickiness,
                expected: "zero or more",
            });
        }
        let mut transitions = options
            .transition_concentration
            .resolve("transition_concentration", n_states * n_states)?;
        (0..n_states).for_each(|i| transitions[i * n_states + i] += options.stickiness);
        if options.drive.is_some()
            && let Some(&got) = transitions.iter().find(|concentration| **concentration != 1.0)
        {
            return Err(Error::Option {
                option: "the concentration of a transition, with its stickiness,",
                got,
                expected: "1 where transitions are driven: their weights have a Gaussian prior, which `driven` sets",
            });
        }
        if let Some(mean) = &options.prior_mean {
            data.check(mean)?;
            check_shape("the prior mean", &[mean.n_states()], &[n_states], "state")?;
        }
        let mut shared = vec![false; data.design.n_columns()];
        match &options.shared {
            Shared::None => {}
            Shared::Columns(columns) => {
                for &column in columns {
                    let available = shared.len();
                    *shared
                        .get_mut(column)
                        .ok_or(nemos_core::Error::ColumnOutside { column, available })? = true;
                }
            }
            Shared::Blocks(blocks) => {
                for block in blocks {
                    shared[data.design.columns(block)?].fill(true);
                }
            }
        }
        Ok(Priors {
            ridge: 1.0 / (sd * sd),
            mean: options.prior_mean.clone(),
            initial: options.initial_concentration.resolve("initial_concentration", n_states)?,
            transitions,
            drive_ridge: data.drive.as_ref().map_or_else(Vec::new, |inputs| {
                let units = inputs.units.iter();
                units.map(|unit| (options.drive_sd * unit).powi(-2)).collect()
            }),
            shared,
        })
    }

    /// Zeros that shall stay need a concentration of one.
    pub(crate) fn check_zeros(&self, parameters: &HmmParameters) -> Result<(), Error> {
        let n_states = parameters.n_states();
        let zero_under = |values: &[f64], concentrations: &[f64]| {
            let mut places = values.iter().zip(concentrations);
            places.position(|(value, concentration)| *value == 0.0 && *concentration > 1.0)
        };
        if let Some(state) = zero_under(parameters.initial(), &self.initial) {
            return Err(Error::ZeroUnderPrior {
                name: "the initial probability",
                place: vec![state],
                concentration: self.initial[state],
            });
        }
        if parameters.transitions().drive().is_none()
            && let Some(place) = zero_under(&parameters.transitions.baseline, &self.transitions)
        {
            return Err(Error::ZeroUnderPrior {
                name: "the transition",
                place: vec![place / n_states, place % n_states],
                concentration: self.transitions[place],
            });
        }
        Ok(())
    }

    /// Coefficient `place` of a problem (state and neuron) less what it is drawn to: where states share it, what the first state of the
    /// mean has.
    pub(crate) fn deviation(&self, parameters: &HmmParameters, problem: usize, place: usize) -> f64 {
        let is_shared = self.shared[place % (parameters.n_features() + 1)];
        let of = if is_shared { problem % parameters.n_neurons() } else { problem };
        let mean = self.mean.as_ref().map_or(0.0, |mean| mean.glms.column(of)[place]);
        parameters.glms.column(problem)[place] - mean
    }

    /// The logarithm of the priors' density, without constants.
    pub(crate) fn log_density(&self, parameters: &HmmParameters) -> f64 {
        let (width, n_neurons) = (parameters.n_features() + 1, parameters.n_neurons());
        let mut squares = 0.0;
        if self.ridge > 0.0 {
            for problem in 0..parameters.glms.n_problems() {
                for place in (0..parameters.glms.n_parameters()).filter(|place| place % width + 1 < width) {
                    // What states share counts once.
                    if !self.shared[place % width] || problem < n_neurons {
                        squares += self.deviation(parameters, problem, place).powi(2);
                    }
                }
            }
        }
        let dirichlet = |values: &[f64], concentrations: &[f64]| -> f64 {
            let curved = values
                .iter()
                .zip(concentrations)
                .filter(|(_, concentration)| **concentration != 1.0);
            curved.map(|(value, concentration)| (concentration - 1.0) * value.ln()).sum()
        };
        let steps = match parameters.transitions().drive() {
            None => dirichlet(&parameters.transitions.baseline, &self.transitions),
            Some(_) => -0.5 * penalty(&parameters.transitions.weights, &self.drive_ridge),
        };
        -0.5 * self.ridge * squares + dirichlet(parameters.initial(), &self.initial) + steps
    }

    /// The most probable initial probabilities, from expected numbers of sessions.
    pub(crate) fn initial_law(&self, first: &[f64], was: &[f64]) -> Vec<f64> {
        law(first, &self.initial, was)
    }

    /// The most probable transitions, from expected numbers of them. Rows without any keep what they were.
    pub(crate) fn transition_law(&self, pairs: &[f64], was: &[f64], n_states: usize) -> Vec<f64> {
        let rows = pairs.chunks_exact(n_states).zip(self.transitions.chunks_exact(n_states));
        rows.zip(was.chunks_exact(n_states))
            .flat_map(|((pairs, concentrations), was)| law(pairs, concentrations, was))
            .collect()
    }
}

/// `countₖ + αₖ − 1`: what the logarithm of each probability counts for.
pub(crate) fn masses(counts: &[f64], concentrations: &[f64]) -> Vec<f64> {
    counts
        .iter()
        .zip(concentrations)
        .map(|(count, alpha)| count + alpha - 1.0)
        .collect()
}

/// `(countₖ + αₖ − 1) / Σ`; what it was, where that is nothing.
fn law(counts: &[f64], concentrations: &[f64], was: &[f64]) -> Vec<f64> {
    let masses = masses(counts, concentrations);
    let total: f64 = masses.iter().sum();
    if total > 0.0 {
        masses.into_iter().map(|mass| mass / total).collect()
    } else {
        was.to_vec()
    }
}
