//! Which candidate is chosen.

use serde::{Deserialize, Serialize};

/// Which candidate is chosen, from the scores on folds.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    /// The one with the best mean score.
    #[default]
    Best,
    /// The simplest one whose mean score is within one standard error of the best: the one with the fewest coefficients that
    /// are not zero, and of those the one with the strongest penalty.
    ///
    /// # References
    /// Breiman et al. (1984), *Classification and Regression Trees*, section 3.4.3.
    #[doc(alias = "lambda.1se")]
    OneStandardError,
}

/// Whether neurons share a choice.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Choice {
    /// One candidate for all neurons, by the score over all of them.
    #[default]
    Shared,
    /// For each neuron its own.
    PerNeuron,
}
