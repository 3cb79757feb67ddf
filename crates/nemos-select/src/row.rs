//! One candidate of a search, and how it did.

use serde::{Deserialize, Serialize};

use crate::Settings;
use crate::batch::{Evaluated, Scored};

/// One candidate, and how it did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    settings: Settings,
    #[serde(with = "nemos_core::number::list")]
    scores: Vec<f64>,
    /// Neurons of the first fold, then of the second, …
    #[serde(with = "nemos_core::number::list")]
    by_neuron: Vec<f64>,
    /// `[n_neurons]`
    #[serde(with = "nemos_core::number::list")]
    sizes: Vec<f64>,
    /// Of the penalty; finite.
    strength: f64,
    n_unconverged: usize,
    failure: Option<String>,
}

impl Row {
    pub(crate) fn new(settings: Settings, strength: f64, evaluated: &Evaluated) -> Self {
        let (folds, failure): (&[Scored], _) = match evaluated {
            Ok(folds) => (folds, None),
            Err(error) => (&[], Some(error.to_string())),
        };
        let n_neurons = folds.first().map_or(0, |fold| fold.sizes.len());
        let size = |neuron: usize| folds.iter().map(|fold| fold.sizes[neuron]).sum::<f64>() / folds.len() as f64;
        Row {
            settings,
            scores: folds.iter().map(|fold| fold.score).collect(),
            by_neuron: folds.iter().flat_map(|fold| fold.by_neuron.iter().copied()).collect(),
            sizes: (0..n_neurons).map(size).collect(),
            strength: if strength.is_finite() { strength } else { 0.0 },
            n_unconverged: folds.iter().map(|fold| fold.n_unconverged).sum(),
            failure,
        }
    }

    /// A candidate that was left behind.
    pub(crate) fn left(settings: Settings, reason: String) -> Self {
        Row {
            settings,
            scores: Vec::new(),
            by_neuron: Vec::new(),
            sizes: Vec::new(),
            strength: 0.0,
            n_unconverged: 0,
            failure: Some(reason),
        }
    }

    /// The values that this candidate has.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// `[n_folds]`: the score of each fold, over all neurons; empty where the candidate could not be fitted.
    pub fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// `[n_folds]`: the score of each fold, of one neuron.
    pub fn scores_of(&self, neuron: usize) -> Vec<f64> {
        let n_neurons = self.sizes.len();
        let of_fold = |fold: usize| self.by_neuron.get(fold * n_neurons + neuron).copied().unwrap_or(f64::NAN);
        (0..self.scores.len()).map(of_fold).collect()
    }

    /// The mean over folds of the score; NaN if there is none, or none in some fold.
    pub fn mean(&self) -> f64 {
        mean(&self.scores)
    }

    /// The standard error of that mean: the standard deviation over folds, over the root of how many there are.
    pub fn std_error(&self) -> f64 {
        std_error(&self.scores)
    }

    /// Coefficients that are not zero, of all neurons together: the mean over folds; NaN where the candidate could not be fitted.
    pub fn size(&self) -> f64 {
        if self.sizes.is_empty() { f64::NAN } else { self.sizes.iter().sum() }
    }

    /// Why the candidate could not be fitted or scored.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Fits, of folds and neurons, that did not converge.
    pub fn n_unconverged(&self) -> usize {
        self.n_unconverged
    }

    /// How simple the candidate is, smaller is simpler: coefficients that are not zero, and then the strongest penalty.
    pub(crate) fn complexity(&self, neuron: Option<usize>) -> (f64, f64) {
        let size = neuron.map_or(self.size(), |neuron| self.sizes.get(neuron).copied().unwrap_or(f64::NAN));
        (size, -self.strength)
    }
}

pub(crate) fn mean(scores: &[f64]) -> f64 {
    scores.iter().sum::<f64>() / scores.len() as f64
}

pub(crate) fn std_error(scores: &[f64]) -> f64 {
    let (mean, n) = (mean(scores), scores.len() as f64);
    (scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt()
}
