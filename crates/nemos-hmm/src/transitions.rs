//! From state to state: the same probabilities at every row, or ones that covariates drive.

use ndarray::{Array2, Array3};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::{check_distributions, check_multiple, check_shape};

/// How covariates of a row drive the transition into it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Drive {
    /// Weights for each pair of states: `softmaxⱼ(B[i, j] + vₜ · W[i, j])`.
    PerState,
    /// Weights for each next state alone, whatever the state before: `softmaxⱼ(B[i, j] + vₜ · W[j])`.
    Shared,
}

/// Transitions from state to state: with which probabilities each state follows each.
///
/// ```text
/// fixed                Aₜ[i, j] = A[i, j]
/// driven, per state    Aₜ[i, j] = softmaxⱼ(B[i, j] + vₜ · W[i, j])
/// driven, shared       Aₜ[i, j] = softmaxⱼ(B[i, j] + vₜ · W[j])
/// ```
///
/// Row `t` of what drives transitions belongs to the transition *into* row `t`. B is unique up to a constant per row, and W up to a vector
/// per row: rows of `exp(B)` sum to one here, and weights to zero over the next state. Compare fits by their
/// [matrices](Transitions::matrix), not by B and W.
///
/// # Example
/// ```
/// use ndarray::{Array3, array};
/// use nemos_hmm::{Drive, Transitions};
/// let sticky = Transitions::fixed(&array![[0.9, 0.1], [0.2, 0.8]])?;
/// assert_eq!(sticky.matrix(&[])?, array![[0.9, 0.1], [0.2, 0.8]]);
/// // A covariate that draws both states to the second.
/// let baseline = array![[0.9_f64.ln(), 0.1_f64.ln()], [0.2_f64.ln(), 0.8_f64.ln()]];
/// let weights = Array3::from_shape_vec((1, 2, 1), vec![-1.0, 1.0]).unwrap();
/// let driven = Transitions::driven(Drive::Shared, &baseline, &weights)?;
/// assert!(driven.matrix(&[1.5])?[(0, 1)] > 0.6);
/// # Ok::<(), nemos_hmm::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Loaded")]
pub struct Transitions {
    pub(crate) n_states: usize,
    pub(crate) drive: Option<Drive>,
    /// `[n_states, n_states]`: probabilities, or the logarithms of those without any drive.
    pub(crate) baseline: Vec<f64>,
    /// `[n_states or 1, n_states, n_inputs]`
    pub(crate) weights: Vec<f64>,
}

/// What a file says, before it is checked.
#[derive(Deserialize)]
struct Loaded {
    n_states: usize,
    drive: Option<Drive>,
    baseline: Vec<f64>,
    weights: Vec<f64>,
}

impl TryFrom<Loaded> for Transitions {
    type Error = Error;

    fn try_from(loaded: Loaded) -> Result<Self, Error> {
        let transitions = Transitions {
            n_states: loaded.n_states,
            drive: loaded.drive,
            baseline: loaded.baseline,
            weights: loaded.weights,
        };
        transitions.check()?;
        Ok(transitions)
    }
}

impl Transitions {
    /// The same probabilities at every row: `[state before, state]`. Zeros stay zeros in a fit.
    ///
    /// # Errors
    /// [`Error::NoStates`], [`Error::Shape`] unless it is square, [`Error::NoDistribution`] unless rows are probabilities that sum to one.
    pub fn fixed(probabilities: &Array2<f64>) -> Result<Self, Error> {
        let n_states = probabilities.nrows();
        check_shape("transitions", probabilities.shape(), &[n_states, n_states], "state before, state")?;
        let transitions = Transitions {
            n_states,
            drive: None,
            baseline: probabilities.iter().copied().collect(),
            weights: Vec::new(),
        };
        transitions.check()?;
        Ok(transitions)
    }

    /// A probability to stay, the rest shared equally by the other states.
    ///
    /// # Errors
    /// [`Error::NoStates`], or [`Error::NoDistribution`] unless it is a probability.
    pub fn staying(n_states: usize, probability: f64) -> Result<Self, Error> {
        if n_states == 0 {
            return Err(Error::NoStates);
        }
        let rest = (1.0 - probability) / (n_states.max(2) - 1) as f64;
        Transitions::fixed(&Array2::from_shape_fn((n_states, n_states), |(i, j)| match (n_states, i == j) {
            (1, _) => 1.0,
            (_, true) => probability,
            _ => rest,
        }))
    }

    /// Transitions that covariates drive.
    ///
    /// # Shapes
    /// baseline `[n_states, n_states]`; weights `[n_states, n_states, n_inputs]`, or `[1, n_states, n_inputs]` where they are shared.
    ///
    /// # Errors
    /// [`Error::NoStates`], [`Error::Shape`] if they do not fit each other, [`Error::Option`] if a number is not finite.
    pub fn driven(drive: Drive, baseline: &Array2<f64>, weights: &Array3<f64>) -> Result<Self, Error> {
        let n_states = baseline.nrows();
        check_shape(
            "the baseline of transitions",
            baseline.shape(),
            &[n_states, n_states],
            "state before, state",
        )?;
        let first = if drive == Drive::PerState { n_states } else { 1 };
        let expected = [first, n_states, weights.shape()[2]];
        check_shape(
            "weights of transitions",
            weights.shape(),
            &expected,
            "state before (1: shared), state, input",
        )?;
        let mut transitions = Transitions {
            n_states,
            drive: Some(drive),
            baseline: baseline.iter().copied().collect(),
            weights: weights.iter().copied().collect(),
        };
        transitions.check()?;
        transitions.set_gauge();
        Ok(transitions)
    }

    /// Checks the number of numbers, and the numbers.
    fn check(&self) -> Result<(), Error> {
        let n = self.n_states;
        if n == 0 {
            return Err(Error::NoStates);
        }
        check_shape("transitions", &[self.baseline.len()], &[n * n], "state before and state")?;
        let axes = "state before and state, input";
        match self.drive {
            None => {
                check_shape("weights of transitions", &[self.weights.len()], &[0], axes)?;
                return check_distributions("transitions", &self.baseline, n);
            }
            Some(_) if self.weights.is_empty() => {}
            Some(Drive::PerState) => check_multiple("weights of transitions", self.weights.len(), n * n, axes)?,
            Some(Drive::Shared) => check_multiple("weights of transitions", self.weights.len(), n, axes)?,
        }
        match self.baseline.iter().chain(&self.weights).find(|value| !value.is_finite()) {
            Some(&got) => Err(Error::Option {
                option: "a weight of driven transitions",
                got,
                expected: "finite",
            }),
            None => Ok(()),
        }
    }

    /// The same transitions, as yet not driven by `n_inputs` covariates.
    pub(crate) fn to_driven(&self, drive: Drive, n_inputs: usize) -> Self {
        let rows = if drive == Drive::PerState { self.n_states } else { 1 };
        let mut driven = Transitions {
            n_states: self.n_states,
            drive: Some(drive),
            baseline: self.baseline.iter().map(|p| p.max(1e-12).ln()).collect(),
            weights: vec![0.0; rows * self.n_states * n_inputs],
        };
        driven.set_gauge();
        driven
    }

    /// The same transitions of covariates that means were taken from, and that were divided by units then.
    pub(crate) fn of_standardised(&self, means: &[f64], units: &[f64]) -> Self {
        let mut standard = self.clone();
        standard.shift(means);
        let weights = standard.weights.iter_mut().zip(units.iter().cycle());
        weights.for_each(|(weight, unit)| *weight *= unit);
        standard.set_gauge();
        standard
    }

    /// The way back: the same transitions of covariates as they were before.
    pub(crate) fn of_given(&self, means: &[f64], units: &[f64]) -> Self {
        let mut given = self.clone();
        let weights = given.weights.iter_mut().zip(units.iter().cycle());
        weights.for_each(|(weight, unit)| *weight /= unit);
        given.shift(&means.iter().map(|mean| -mean).collect::<Vec<_>>());
        given.set_gauge();
        given
    }

    /// Adds to the baseline what weights make of these covariates.
    fn shift(&mut self, inputs: &[f64]) {
        let n = self.n_states;
        self.baseline = (0..n * n).map(|pair| self.logit((pair / n, pair % n), inputs)).collect();
    }

    /// Rows of `exp(B)` sum to one, weights to zero over the next state.
    pub(crate) fn set_gauge(&mut self) {
        let (n, n_inputs) = (self.n_states, self.n_inputs());
        for row in self.baseline.chunks_exact_mut(n) {
            let total = crate::chain::steps::log_sum_exp(row.iter().copied());
            row.iter_mut().for_each(|value| *value -= total);
        }
        for rows in self.weights.chunks_exact_mut((n * n_inputs).max(1)) {
            for input in 0..n_inputs {
                let mean = (0..n).map(|j| rows[j * n_inputs + input]).sum::<f64>() / n as f64;
                (0..n).for_each(|j| rows[j * n_inputs + input] -= mean);
            }
        }
    }

    /// Number of states.
    pub fn n_states(&self) -> usize {
        self.n_states
    }

    /// How covariates drive the transitions, if they do.
    pub fn drive(&self) -> Option<Drive> {
        self.drive
    }

    /// Number of covariates that drive the transitions.
    pub fn n_inputs(&self) -> usize {
        match self.drive {
            None => 0,
            Some(Drive::PerState) => self.weights.len() / (self.n_states * self.n_states),
            Some(Drive::Shared) => self.weights.len() / self.n_states,
        }
    }

    /// `[n_states, n_states]`: the logarithms of the probabilities where all covariates are zero.
    pub fn baseline(&self) -> Array2<f64> {
        let n = self.n_states;
        Array2::from_shape_fn((n, n), |(i, j)| match self.drive {
            None => self.baseline[i * n + j].ln(),
            Some(_) => self.baseline[i * n + j],
        })
    }

    /// `[n_states, n_states, n_inputs]`, or `[1, n_states, n_inputs]` where they are shared; empty where nothing drives the transitions.
    pub fn weights(&self) -> Array3<f64> {
        let (n, n_inputs) = (self.n_states, self.n_inputs());
        let rows = self.weights.len() / (n * n_inputs).max(1);
        Array3::from_shape_fn((rows, n, n_inputs), |(i, j, input)| self.weights[(i * n + j) * n_inputs + input])
    }

    /// `[state before, state]`: the probabilities of a transition into a row with these covariates, none where nothing drives them.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there is a number for each covariate.
    pub fn matrix(&self, inputs: &[f64]) -> Result<Array2<f64>, Error> {
        check_shape("what drives transitions", &[inputs.len()], &[self.n_inputs()], "input")?;
        let n = self.n_states;
        let mut matrix = vec![0.0; n * n];
        self.step(inputs, &mut matrix);
        Ok(Array2::from_shape_fn((n, n), |(i, j)| matrix[i * n + j]))
    }

    /// `[n_states, n_states]`: the probabilities where all covariates are zero.
    pub(crate) fn at_zero(&self) -> Vec<f64> {
        let mut matrix = vec![0.0; self.n_states * self.n_states];
        self.step(&vec![0.0; self.n_inputs()], &mut matrix);
        matrix
    }

    /// Writes the probabilities of a transition.
    pub(crate) fn step(&self, inputs: &[f64], to: &mut [f64]) {
        if self.drive.is_none() {
            to.copy_from_slice(&self.baseline);
            return;
        }
        for (i, row) in to.chunks_exact_mut(self.n_states).enumerate() {
            row.iter_mut()
                .enumerate()
                .for_each(|(j, value)| *value = self.logit((i, j), inputs));
            let total = crate::chain::steps::log_sum_exp(row.iter().copied());
            row.iter_mut().for_each(|value| *value = (*value - total).exp());
        }
    }

    /// What is driven: the logarithm of the probability of a transition, but for a constant per state before.
    pub(crate) fn logit(&self, (i, j): (usize, usize), inputs: &[f64]) -> f64 {
        let of = if self.drive == Some(Drive::PerState) {
            i * self.n_states + j
        } else {
            j
        };
        let weights = &self.weights[of * inputs.len()..(of + 1) * inputs.len()];
        self.baseline[i * self.n_states + j] + weights.iter().zip(inputs).map(|(weight, input)| weight * input).sum::<f64>()
    }

    /// Free parameters: entries that are not zero, less one per row; of driven transitions those of baseline and weights.
    pub(crate) fn n_free(&self) -> usize {
        let (n, n_inputs) = (self.n_states, self.n_inputs());
        match self.drive {
            None => self.baseline.iter().filter(|p| **p > 0.0).count() - n,
            Some(Drive::PerState) => n * (n - 1) * (1 + n_inputs),
            Some(Drive::Shared) => n * (n - 1) + (n - 1) * n_inputs,
        }
    }

    /// States in another order: new state `k` is old state `order[k]`.
    pub(crate) fn permuted(&self, order: &[usize]) -> Self {
        let (n, n_inputs) = (self.n_states, self.n_inputs());
        let pairs = || order.iter().flat_map(|&i| order.iter().map(move |&j| i * n + j));
        let of: Vec<usize> = match self.drive {
            Some(Drive::Shared) => order.to_vec(),
            _ => pairs().collect(),
        };
        Transitions {
            baseline: pairs().map(|place| self.baseline[place]).collect(),
            weights: of
                .iter()
                .flat_map(|&place| self.weights[place * n_inputs..(place + 1) * n_inputs].iter().copied())
                .collect(),
            ..*self
        }
    }
}
