//! Which named blocks of features each neuron keeps.

use std::fmt;

use ndarray::Array2;
use nemos_core::Names;
use nemos_glm::{FittedPopulationGlm, InverseLink, ObservationModel};

use crate::Error;

/// Which blocks each neuron keeps.
#[derive(Clone, Debug)]
#[must_use]
pub struct Variables<O, L> {
    pub(crate) blocks: Vec<String>,
    pub(crate) neurons: Vec<String>,
    pub(crate) kept: Array2<bool>,
    pub(crate) scores: Vec<f64>,
    pub(crate) history: Vec<VariableStep>,
    pub(crate) fitted: FittedPopulationGlm<O, L>,
}

/// One step of one neuron.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct VariableStep {
    /// The number of the neuron.
    pub neuron: usize,
    /// The block that it took, or left out.
    pub block: String,
    /// Its mean score over folds then.
    pub score: f64,
}

impl<O: ObservationModel, L: InverseLink> Variables<O, L> {
    /// The names of the blocks.
    pub fn blocks(&self) -> &[String] {
        &self.blocks
    }

    /// `[n_blocks, n_neurons]`: whether a neuron keeps a block.
    pub fn kept(&self) -> &Array2<bool> {
        &self.kept
    }

    /// The blocks that a neuron keeps.
    pub fn blocks_of(&self, neuron: usize) -> Vec<&str> {
        let kept = self.blocks.iter().zip(self.kept.column(neuron));
        kept.filter(|(_, kept)| **kept).map(|(block, _)| block.as_str()).collect()
    }

    /// `[n_neurons]`: the mean scores over folds, with the blocks that each keeps.
    pub fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// Every step of every neuron, in order.
    pub fn history(&self) -> &[VariableStep] {
        &self.history
    }

    /// Each neuron with its blocks, fitted to all rows.
    pub fn fitted(&self) -> &FittedPopulationGlm<O, L> {
        &self.fitted
    }
}

impl<O: ObservationModel, L: InverseLink> fmt::Display for Variables<O, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.neurons.iter().map(|name| name.chars().count()).chain([6]).max().unwrap_or(6);
        writeln!(f, "{:width$}  {:>10}  blocks", "neuron", "score")?;
        for (neuron, (name, score)) in self.neurons.iter().zip(&self.scores).enumerate() {
            writeln!(f, "{name:width$}  {score:>10.5}  {}", self.blocks_of(neuron).join(", "))?;
        }
        write!(f, "{} blocks, {} neurons", self.blocks.len(), self.neurons.len())
    }
}

/// `[n_blocks, n_neurons]`: whether a block has a coefficient that is not zero: what a group lasso over blocks keeps.
///
/// # Errors
/// [`nemos_core::Error::NoNames`] if the features have no named blocks.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Features, Matrix};
/// use nemos_glm::{Groups, Poisson, PopulationGlm, Regularizer};
/// use nemos_select::active_blocks;
/// let column = |of: fn(i32) -> f64| Matrix::<Cpu>::from_column((0..200).map(of).collect());
/// let features = Features::new()
///     .with("place", column(|t| f64::from(t * 7 % 11) / 11.0))?
///     .with("noise", column(|t| f64::from(t * 5 % 13) / 13.0))?;
/// let counts = column(|t| f64::from(t * 7 % 11 / 2));
/// let lasso = Regularizer::GroupLasso { strength: 0.1.into(), groups: Groups::Blocks };
/// let fitted = PopulationGlm::new(Poisson).regularizer(lasso).fit(&features, &counts)?;
/// assert_eq!(active_blocks(&fitted)?.column(0).to_vec(), [true, false]);
/// # Ok::<(), nemos_select::Error>(())
/// ```
pub fn active_blocks<O: ObservationModel, L: InverseLink>(fitted: &FittedPopulationGlm<O, L>) -> Result<Array2<bool>, Error> {
    let names: &Names = fitted.features();
    if names.blocks().is_empty() {
        return Err(nemos_core::Error::NoNames {
            asked: "blocks that may be active".into(),
        }
        .into());
    }
    let coef = fitted.coef();
    let is_active = |block: usize, neuron: usize| names.blocks()[block].columns().any(|feature| coef[(feature, neuron)] != 0.0);
    Ok(Array2::from_shape_fn(
        (names.blocks().len(), fitted.n_neurons()),
        |(block, neuron)| is_active(block, neuron),
    ))
}
