//! What a fit is told besides its model.

use serde::{Deserialize, Serialize};

use crate::{Drive, Error, HmmParameters};

/// What a fit is told besides its model; [`GlmHmm`](crate::GlmHmm) has a method for each.
///
/// # Options
/// | option | default |
/// |---|---|
/// | `prior_sd` | none; 10 for choices and classes, whose weights have no maximum where a state always chooses the same |
/// | `prior_mean` | zero |
/// | `initial_concentration` | 1: flat |
/// | `transition_concentration` | 1: flat |
/// | `stickiness` | 0 |
/// | `drive` | the same transitions at every row |
/// | `drive_sd` | 1, where transitions are driven |
/// | `shared` | nothing: every state has coefficients of its own |
/// | `held` | nothing |
/// | `start` | the generalized linear model of all rows, with noise of 0.2 |
/// | `restarts` | 1 |
/// | `seed` | 0 |
/// | `tolerance` | 1e-8 |
/// | `max_iterations` | 1000 |
/// | `newton_steps` | 1 |
/// | `acceleration` | `Squarem` |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Options {
    /// Standard deviation of the Gaussian prior on coefficients.
    pub prior_sd: PriorSd,
    /// What the prior on coefficients is centred on; zero where there is nothing.
    pub prior_mean: Option<HmmParameters>,
    /// Concentrations of the Dirichlet prior on the first state.
    pub initial_concentration: Concentration,
    /// Concentrations of the Dirichlet priors on transitions, `[state before, state]`.
    pub transition_concentration: Concentration,
    /// Is added to the concentration of staying.
    pub stickiness: f64,
    /// How covariates drive transitions, if they do.
    pub drive: Option<Drive>,
    /// Standard deviation of the Gaussian prior on the weights of what drives transitions; infinite for none.
    #[serde(with = "infinite")]
    pub drive_sd: f64,
    /// What has the same coefficients in all states.
    pub shared: Shared,
    /// What a fit leaves as it starts.
    pub held: Held,
    /// Where fits start.
    pub start: Start,
    /// Fits from different starts, of which the best is kept.
    pub restarts: usize,
    /// Seed of the noise of starts.
    pub seed: u64,
    /// A fit stops when so many nats per row with an observation are still to be gained.
    pub tolerance: f64,
    /// Iterations at most.
    pub max_iterations: usize,
    /// Newton steps of the states' models in one iteration, at most.
    pub newton_steps: usize,
    /// Whether steps are taken further along their way.
    pub acceleration: Acceleration,
}

impl Options {
    /// The same of states in another order: new state `k` is old state `order[k]`. What is of another number of states stays.
    pub(crate) fn permuted(&self, order: &[usize], shared: &[usize]) -> Self {
        let n = order.len();
        let pairs: Vec<usize> = order.iter().flat_map(|&i| order.iter().map(move |&j| i * n + j)).collect();
        let permuted = |parameters: &HmmParameters| parameters.permuted(order).unwrap_or_else(|_| parameters.clone());
        Options {
            prior_mean: self.prior_mean.as_ref().map(|mean| permuted(&mean.sharing(shared))),
            initial_concentration: self.initial_concentration.permuted(order),
            transition_concentration: self.transition_concentration.permuted(&pairs),
            start: match &self.start {
                Start::Given(given) => Start::Given(Box::new(permuted(&given.sharing(shared)))),
                start => start.clone(),
            },
            ..self.clone()
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Options {
            prior_sd: PriorSd::Default,
            prior_mean: None,
            initial_concentration: Concentration::Same(1.0),
            transition_concentration: Concentration::Same(1.0),
            stickiness: 0.0,
            drive: None,
            drive_sd: 1.0,
            shared: Shared::None,
            held: Held::default(),
            start: Start::Glm { noise: 0.2 },
            restarts: 1,
            seed: 0,
            tolerance: 1e-8,
            max_iterations: 1000,
            newton_steps: 1,
            acceleration: Acceleration::Squarem,
        }
    }
}

/// Whether steps of a fit are taken further along their way, where that is a gain.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Acceleration {
    /// Expectation and maximisation alone.
    None,
    /// After every second step the parameters are taken further, unless the objective falls (Varadhan & Roland 2008).
    Squarem,
}

/// Standard deviation of the Gaussian prior on coefficients: a penalty `‖w − mean‖² / (2 sd²)` on the total log-likelihood.
/// Intercepts are free.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PriorSd {
    /// Ten for choices and classes; none for others.
    Default,
    /// No prior.
    Flat,
    /// This one; infinite for none.
    Sd(#[serde(with = "infinite")] f64),
}

/// Concentrations of Dirichlet priors, 1 and above.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Concentration {
    /// The same everywhere.
    Same(f64),
    /// One for each state, or each pair of states `[state before, state]`, row after row.
    Each(Vec<f64>),
}

impl From<f64> for Concentration {
    fn from(same: f64) -> Self {
        Concentration::Same(same)
    }
}

impl From<Vec<f64>> for Concentration {
    fn from(each: Vec<f64>) -> Self {
        Concentration::Each(each)
    }
}

impl Concentration {
    /// Place `k` takes what place `order[k]` has, where there are as many.
    fn permuted(&self, order: &[usize]) -> Self {
        match self {
            Concentration::Each(values) if values.len() == order.len() => Concentration::Each(order.iter().map(|&k| values[k]).collect()),
            other => other.clone(),
        }
    }

    /// As many as there are places.
    pub(crate) fn resolve(&self, name: &'static str, n: usize) -> Result<Vec<f64>, Error> {
        let all = match self {
            Concentration::Same(value) => vec![*value; n],
            Concentration::Each(values) => values.clone(),
        };
        crate::error::check_shape(name, &[all.len()], &[n], "one for each state, or for each pair of states")?;
        // False for NaN as well.
        match all.iter().find(|value| !(**value >= 1.0 && value.is_finite())) {
            Some(&got) => Err(Error::Concentration { name, got }),
            None => Ok(all),
        }
    }
}

/// Which features have the same coefficients in all states.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Shared {
    /// None.
    #[default]
    None,
    /// Those of these columns of the design.
    Columns(Vec<usize>),
    /// Those of the blocks of these names.
    Blocks(Vec<String>),
}

/// A part of the parameters, which a fit may leave as it starts: see [`GlmHmm::hold`](crate::GlmHmm::hold).
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Initial probabilities.
    Initial,
    /// Transitions.
    Transitions,
    /// Coefficients and intercepts.
    Coef,
    /// Scales.
    Scale,
}

/// What a fit leaves as it starts: a collection of [`Part`]s.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Held {
    /// Initial probabilities.
    pub initial: bool,
    /// Transitions.
    pub transitions: bool,
    /// Coefficients and intercepts.
    pub coef: bool,
    /// Scales.
    pub scale: bool,
}

impl FromIterator<Part> for Held {
    fn from_iter<I: IntoIterator<Item = Part>>(parts: I) -> Self {
        let mut held = Held::default();
        for part in parts {
            match part {
                Part::Initial => held.initial = true,
                Part::Transitions => held.transitions = true,
                Part::Coef => held.coef = true,
                Part::Scale => held.scale = true,
            }
        }
        held
    }
}

/// Where fits start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Start {
    /// The generalized linear model of all rows in every state, with Gaussian noise of this standard deviation on
    /// coefficients (of standardised features) and intercepts; states that stay with probability 0.95.
    Glm {
        /// Its standard deviation.
        noise: f64,
    },
    /// A generalized linear model for each of the groups that k-means finds among rows of features and counts.
    KMeans,
    /// These parameters; with several restarts, noise as in [`Glm`](Start::Glm) is added for all but the first.
    Given(Box<HmmParameters>),
}

/// Numbers that may be infinite, which JSON has no word for: `null`.
mod infinite {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        value.is_finite().then_some(*value).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
    }
}
