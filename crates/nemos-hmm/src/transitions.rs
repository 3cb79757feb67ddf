//! From state to state: the same law at every row, or one that covariates drive.

use ndarray::{Array2, Array3};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::{check_laws, check_shape};

/// How covariates of a row drive the step into it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Drive {
    /// Weights for each pair of states: `softmaxⱼ(B[i, j] + vₜ · W[i, j])`.
    PerState,
    /// Weights for each next state alone, whatever the state before: `softmaxⱼ(B[i, j] + vₜ · W[j])`.
    Shared,
}

/// The law of steps from state to state.
///
/// ```text
/// fixed                Aₜ[i, j] = A[i, j]
/// driven, per state    Aₜ[i, j] = softmaxⱼ(B[i, j] + vₜ · W[i, j])
/// driven, shared       Aₜ[i, j] = softmaxⱼ(B[i, j] + vₜ · W[j])
/// ```
///
/// Row `t` of what drives transitions belongs to the step *into* row `t`. B is unique up to a constant per row, and W up to a vector
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
pub struct Transitions {
    pub(crate) n_states: usize,
    pub(crate) drive: Option<Drive>,
    /// `[n_states, n_states]`: probabilities, or the logarithms of those without any drive.
    pub(crate) baseline: Vec<f64>,
    /// `[n_states or 1, n_states, n_inputs]`
    pub(crate) weights: Vec<f64>,
}

impl Transitions {
    /// The same probabilities at every row: `[state before, state]`. Zeros stay zeros in a fit.
    ///
    /// # Errors
    /// [`Error::Shape`] unless it is square, [`Error::NoLaw`] unless rows are laws.
    pub fn fixed(probabilities: &Array2<f64>) -> Result<Self, Error> {
        let n_states = probabilities.nrows();
        check_shape("transitions", probabilities.shape(), &[n_states, n_states], "state before, state")?;
        let baseline: Vec<f64> = probabilities.iter().copied().collect();
        check_laws("transitions", &baseline, n_states)?;
        Ok(Transitions {
            n_states,
            drive: None,
            baseline,
            weights: Vec::new(),
        })
    }

    /// A probability to stay, the rest shared equally by the other states.
    ///
    /// # Errors
    /// [`Error::NoStates`], or [`Error::NoLaw`] unless it is a probability.
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

    /// Steps that covariates drive.
    ///
    /// # Shapes
    /// baseline `[n_states, n_states]`; weights `[n_states, n_states, n_inputs]`, or `[1, n_states, n_inputs]` where they are shared.
    ///
    /// # Errors
    /// [`Error::Shape`] if they do not fit each other, [`Error::Option`] if a number is not finite.
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
        if let Some(&got) = baseline.iter().chain(weights).find(|value| !value.is_finite()) {
            return Err(Error::Option {
                option: "a weight of driven transitions",
                got,
                expected: "finite",
            });
        }
        let mut transitions = Transitions {
            n_states,
            drive: Some(drive),
            baseline: baseline.iter().copied().collect(),
            weights: weights.iter().copied().collect(),
        };
        transitions.set_gauge();
        Ok(transitions)
    }

    /// The same steps, as yet not driven by `n_inputs` covariates.
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

    /// How covariates drive the steps, if they do.
    pub fn drive(&self) -> Option<Drive> {
        self.drive
    }

    /// Covariates that drive the steps.
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

    /// `[n_states, n_states, n_inputs]`, or `[1, n_states, n_inputs]` where they are shared; empty where nothing drives the steps.
    pub fn weights(&self) -> Array3<f64> {
        let (n, n_inputs) = (self.n_states, self.n_inputs());
        let rows = self.weights.len() / (n * n_inputs).max(1);
        Array3::from_shape_fn((rows, n, n_inputs), |(i, j, input)| self.weights[(i * n + j) * n_inputs + input])
    }

    /// `[state before, state]`: the probabilities of a step into a row with these covariates, none where nothing drives them.
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

    /// Writes the probabilities of a step.
    pub(crate) fn step(&self, inputs: &[f64], to: &mut [f64]) {
        let (n, n_inputs) = (self.n_states, inputs.len());
        to.copy_from_slice(&self.baseline);
        let Some(drive) = self.drive else { return };
        for (i, row) in to.chunks_exact_mut(n).enumerate() {
            for (j, value) in row.iter_mut().enumerate() {
                let of = if drive == Drive::PerState { i * n + j } else { j };
                let weights = &self.weights[of * n_inputs..(of + 1) * n_inputs];
                *value += weights.iter().zip(inputs).map(|(weight, input)| weight * input).sum::<f64>();
            }
            let total = crate::chain::steps::log_sum_exp(row.iter().copied());
            row.iter_mut().for_each(|value| *value = (*value - total).exp());
        }
    }

    /// Free parameters: entries that are not zero, less one per row; of driven steps those of baseline and weights.
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
