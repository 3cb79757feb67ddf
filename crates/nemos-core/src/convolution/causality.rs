//! To which side of a sample a filter looks.

use serde::{Deserialize, Serialize};

/// Whether a filter sees the sample that it stands at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shift {
    /// It does not: a causal filter starts one sample before, an anti-causal one a sample after.
    #[default]
    OneSample,
    /// It does.
    None,
}

/// To which side of a sample a filter looks.
#[doc(alias = "predictor_causality")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Causality {
    /// Back in time: what came before a sample explains it. The default, with [`Shift::OneSample`].
    Causal(Shift),
    /// Ahead in time: what comes after.
    AntiCausal(Shift),
    /// To both sides, around the middle of the window; of an even length, one sample more before than after.
    Acausal,
}

impl Default for Causality {
    fn default() -> Self {
        Causality::Causal(Shift::OneSample)
    }
}

impl Causality {
    /// How many samples ahead of a row its newest sample is: row `t` sees `t + lead − window + 1 ..= t + lead`.
    ///
    /// # Example
    /// ```
    /// use nemos_core::convolution::{Causality, Shift};
    /// assert_eq!(Causality::default().lead(5), -1);
    /// assert_eq!(Causality::AntiCausal(Shift::None).lead(5), 4);
    /// assert_eq!([4, 5].map(|window| Causality::Acausal.lead(window)), [1, 2]);
    /// ```
    pub fn lead(self, window: usize) -> isize {
        let window = window as isize;
        match self {
            Causality::Causal(Shift::OneSample) => -1,
            Causality::Causal(Shift::None) => 0,
            Causality::AntiCausal(Shift::OneSample) => window,
            Causality::AntiCausal(Shift::None) => window - 1,
            Causality::Acausal => (window - 1) / 2,
        }
    }
}
