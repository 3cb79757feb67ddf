//! The parameters of a hidden Markov model: plain numbers, whatever backend fitted them.

use ndarray::Array2;
use nemos_solvers::Parameters;
use serde::{Deserialize, Serialize};

use crate::error::{check_distributions, check_multiple, check_shape};
use crate::{Error, Transitions};

/// One state's model of all neurons.
#[derive(Clone, Debug, PartialEq)]
pub struct StateGlm {
    /// `[n_features, n_neurons]`; of a classifier `[n_features, n_neurons · n_classes]`, the classes of a neuron side by side.
    pub coef: Array2<f64>,
    /// `[n_neurons]`, or `[n_neurons · n_classes]`.
    pub intercept: Vec<f64>,
    /// `[n_neurons]`: the scale (dispersion) of each neuron; one, for models that have none.
    pub scale: Vec<f64>,
}

/// Everything that a hidden Markov model with observations by generalized linear models is made of.
///
/// # Example
/// ```
/// use ndarray::{Array2, array};
/// use nemos_hmm::{HmmParameters, StateGlm, Transitions};
/// let state = |coef: f64, intercept: f64| StateGlm { coef: array![[coef]], intercept: vec![intercept], scale: vec![1.0] };
/// let transitions = Transitions::staying(2, 0.95)?;
/// let parameters = HmmParameters::new(vec![0.5, 0.5], transitions, &[state(3.0, 0.0), state(0.1, 1.5)])?;
/// assert_eq!(parameters.n_states(), 2);
/// assert_eq!(parameters.state(1).intercept, [1.5]);
/// # Ok::<(), nemos_hmm::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Loaded")]
pub struct HmmParameters {
    pub(crate) initial: Vec<f64>,
    pub(crate) transitions: Transitions,
    /// `[n_predictors · (n_features + 1), n_states · n_neurons]`: the neurons of a state side by side.
    pub(crate) glms: Parameters,
    /// `[n_states · n_neurons]`
    pub(crate) scales: Vec<f64>,
    /// One, or the number of classes.
    pub(crate) n_predictors: usize,
}

/// What a file says, before it is checked.
#[derive(Deserialize)]
struct Loaded {
    initial: Vec<f64>,
    transitions: Transitions,
    glms: Parameters,
    scales: Vec<f64>,
    n_predictors: usize,
}

impl TryFrom<Loaded> for HmmParameters {
    type Error = Error;

    fn try_from(loaded: Loaded) -> Result<Self, Error> {
        let parameters = HmmParameters {
            initial: loaded.initial,
            transitions: loaded.transitions,
            glms: loaded.glms,
            scales: loaded.scales,
            n_predictors: loaded.n_predictors,
        };
        parameters.check()?;
        Ok(parameters)
    }
}

impl HmmParameters {
    /// From the probabilities of a session's first state, the transitions, and a model for each state, with a scale per neuron. Where there
    /// are more intercepts than scales these are classes.
    ///
    /// # Errors
    /// [`Error::NoStates`], [`Error::Shape`] if something does not fit the rest, [`Error::NoDistribution`] if probabilities are none,
    /// [`Error::Option`] if a number is not finite or a scale not above zero.
    pub fn new(initial: Vec<f64>, transitions: Transitions, states: &[StateGlm]) -> Result<Self, Error> {
        let n_states = states.len();
        let Some(first) = states.first() else { return Err(Error::NoStates) };
        check_shape("initial probabilities", &[initial.len()], &[n_states], "state")?;
        check_distributions("initial probabilities", &initial, n_states)?;
        check_shape("transitions", &[transitions.n_states()], &[n_states], "state")?;
        let (n_features, n_columns) = first.coef.dim();
        let n_neurons = first.scale.len();
        if n_columns == 0 {
            check_shape(
                "coefficients of a state",
                &[n_features, 0],
                &[n_features, 1],
                "feature, neuron (and class)",
            )?;
        }
        if n_neurons == 0 || n_columns % n_neurons != 0 {
            check_shape(
                "scales of a state",
                &[n_neurons],
                &[n_columns],
                "neuron (fewer where each has as many classes)",
            )?;
        }
        let n_predictors = n_columns / n_neurons;
        let width = n_features + 1;
        let mut glms = Parameters::zeros(width * n_predictors, n_states * n_neurons);
        let mut scales = Vec::new();
        for (state, glm) in states.iter().enumerate() {
            check_shape(
                "coefficients of a state",
                glm.coef.shape(),
                &[n_features, n_columns],
                "feature, neuron (and class)",
            )?;
            check_shape("intercepts of a state", &[glm.intercept.len()], &[n_columns], "neuron (and class)")?;
            check_shape("scales of a state", &[glm.scale.len()], &[n_neurons], "neuron")?;
            for column in 0..n_columns {
                let problem = glms.column_mut(state * n_neurons + column / n_predictors);
                let to = &mut problem[column % n_predictors * width..][..width];
                to.iter_mut().zip(glm.coef.column(column)).for_each(|(to, from)| *to = *from);
                to[n_features] = glm.intercept[column];
            }
            scales.extend_from_slice(&glm.scale);
        }
        let parameters = HmmParameters {
            initial,
            transitions,
            glms,
            scales,
            n_predictors,
        };
        parameters.check_numbers()?;
        Ok(parameters)
    }

    /// What a file says, which nobody checked before.
    fn check(&self) -> Result<(), Error> {
        let (n_states, axes) = (self.initial.len(), "as many as states need");
        if n_states == 0 {
            return Err(Error::NoStates);
        }
        check_shape("transitions", &[self.transitions.n_states], &[n_states], "state")?;
        check_multiple("predictors of a neuron", self.n_predictors, 1, "one, or the number of classes")?;
        check_multiple("scales", self.scales.len(), n_states, axes)?;
        check_shape("models of states", &[self.glms.n_problems()], &[self.scales.len()], axes)?;
        check_multiple(
            "parameters of a model",
            self.glms.n_parameters(),
            self.n_predictors,
            "as many for each predictor",
        )?;
        check_distributions("initial probabilities", &self.initial, n_states)?;
        self.check_numbers()
    }

    fn check_numbers(&self) -> Result<(), Error> {
        if let Some(&got) = self.glms.as_slice().iter().find(|value| !value.is_finite()) {
            let option = "a coefficient or intercept";
            return Err(Error::Option {
                option,
                got,
                expected: "finite",
            });
        }
        match self.scales.iter().find(|scale| !(scale.is_finite() && **scale > 0.0)) {
            Some(&got) => Err(Error::Option {
                option: "a scale",
                got,
                expected: "finite and above zero",
            }),
            None => Ok(()),
        }
    }

    /// Number of states.
    pub fn n_states(&self) -> usize {
        self.initial.len()
    }

    /// Number of neurons.
    pub fn n_neurons(&self) -> usize {
        self.scales.len() / self.n_states()
    }

    /// Number of features.
    pub fn n_features(&self) -> usize {
        self.glms.n_parameters() / self.n_predictors - 1
    }

    /// Predictors of a neuron: one, or the number of classes.
    pub fn n_predictors(&self) -> usize {
        self.n_predictors
    }

    /// `[n_states]`: the probabilities of a session's first state.
    pub fn initial(&self) -> &[f64] {
        &self.initial
    }

    /// The transitions from state to state.
    pub fn transitions(&self) -> &Transitions {
        &self.transitions
    }

    /// The model of one state.
    ///
    /// # Panics
    /// If there is no such state.
    pub fn state(&self, state: usize) -> StateGlm {
        assert!(
            state < self.n_states(),
            "there are {} states, and no state {state}",
            self.n_states()
        );
        let (n_neurons, n_predictors) = (self.n_neurons(), self.n_predictors);
        let width = self.n_features() + 1;
        let value = |feature: usize, column: usize| {
            let problem = self.glms.column(state * n_neurons + column / n_predictors);
            problem[column % n_predictors * width + feature]
        };
        let n_columns = n_neurons * n_predictors;
        StateGlm {
            coef: Array2::from_shape_fn((width - 1, n_columns), |(feature, column)| value(feature, column)),
            intercept: (0..n_columns).map(|column| value(width - 1, column)).collect(),
            scale: self.scales[state * n_neurons..(state + 1) * n_neurons].to_vec(),
        }
    }

    /// All states in another order: new state `k` is old state `order[k]`.
    ///
    /// # Errors
    /// [`Error::Order`] unless each state is named once.
    pub fn permuted(&self, order: &[usize]) -> Result<Self, Error> {
        let n_states = self.n_states();
        let mut named = vec![false; n_states];
        for &state in order {
            if let Some(named) = named.get_mut(state) {
                *named = true;
            }
        }
        if order.len() != n_states || !named.iter().all(|&named| named) {
            let order = order.to_vec();
            return Err(Error::Order { order, n_states });
        }
        let n_neurons = self.n_neurons();
        let problems: Vec<usize> = order.iter().flat_map(|&k| k * n_neurons..(k + 1) * n_neurons).collect();
        Ok(HmmParameters {
            initial: order.iter().map(|&k| self.initial[k]).collect(),
            transitions: self.transitions.permuted(order),
            glms: self.glms.select(&problems),
            scales: problems.iter().map(|&problem| self.scales[problem]).collect(),
            n_predictors: self.n_predictors,
        })
    }

    /// The same parameters, with these features' coefficients of the first state in all.
    pub(crate) fn sharing(&self, features: &[usize]) -> Self {
        let (n_features, n_neurons) = (self.n_features(), self.n_neurons());
        let mut sharing = self.clone();
        for problem in n_neurons..self.glms.n_problems() {
            let first = self.glms.column(problem % n_neurons);
            let column = sharing.glms.column_mut(problem);
            for predictor in 0..self.n_predictors {
                for feature in features.iter().filter(|feature| **feature < n_features) {
                    let place = predictor * (n_features + 1) + feature;
                    column[place] = first[place];
                }
            }
        }
        sharing
    }

    /// Part of the way from these parameters to others that differ in their models of states alone: `share` of it, scales on a
    /// logarithmic axis.
    pub(crate) fn towards(&self, other: &HmmParameters, share: f64) -> Self {
        let mut between = other.clone();
        let glms = between.glms.as_mut_slice().iter_mut().zip(self.glms.as_slice());
        glms.for_each(|(to, from)| *to = from + share * (*to - from));
        let scales = between.scales.iter_mut().zip(&self.scales);
        scales.for_each(|(to, from)| *to = (from.ln() + share * (to.ln() - from.ln())).exp());
        between
    }
}
