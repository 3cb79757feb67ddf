//! Feature masks: which features each neuron may use.

use ndarray::Array2;
use nemos_core::Names;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Which features each neuron may use. The coefficients of the others are exactly zero.
///
/// # Example
/// Which neuron may listen to which, where the features of a basis stand in a block of one channel per sender:
/// ```
/// use ndarray::array;
/// use nemos_glm::{FeatureMask, Poisson, PopulationGlm};
/// let to_listen = array![[true, true, false], [false, true, true], [true, false, true]];   // [n_senders, n_receivers]
/// let model = PopulationGlm::new(Poisson).feature_mask(FeatureMask::coupling("coupling", to_listen));
/// assert!(model.mask().is_some());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FeatureMask {
    /// `[n_features, n_neurons]`
    Coefficients(Array2<bool>),
    /// For named blocks of features, whether each neuron may use them. Blocks that are not named may be used by all.
    Blocks(Vec<(String, Vec<bool>)>),
    /// For a block of features that has a channel for each sender, which neurons may use each: `[n_senders, n_neurons]`. Other
    /// blocks may be used by all.
    Coupling {
        /// Name of the block.
        block: String,
        /// `[n_senders, n_neurons]`
        map: Array2<bool>,
    },
}

impl From<Array2<bool>> for FeatureMask {
    fn from(mask: Array2<bool>) -> Self {
        FeatureMask::Coefficients(mask)
    }
}

impl FeatureMask {
    /// For a block of features that has a channel for each sender, which neurons may use each: `[n_senders, n_neurons]`.
    #[doc(alias = "connectivity")]
    pub fn coupling(block: impl Into<String>, map: Array2<bool>) -> Self {
        let block = block.into();
        FeatureMask::Coupling { block, map }
    }

    /// `[n_features, n_neurons]`: the coefficients that are free, with names of blocks replaced by the features that they
    /// stand for.
    ///
    /// # Errors
    /// [`Error::MaskShape`] or [`Error::CouplingShape`] if the mask does not fit so many features and neurons, and
    /// [`Error::Data`] if a block is named that is not among those of the features.
    pub fn resolve(&self, names: &Names, n_features: usize, n_neurons: usize) -> Result<Array2<bool>, Error> {
        let expected = [n_features, n_neurons];
        match self {
            FeatureMask::Coefficients(mask) if mask.dim() == (n_features, n_neurons) => Ok(mask.clone()),
            FeatureMask::Coefficients(mask) => Err(Error::MaskShape {
                got: mask.dim().into(),
                expected,
            }),
            FeatureMask::Blocks(flags) => {
                let mut mask = Array2::from_elem(expected, true);
                for (name, flags) in flags {
                    let columns = names.block(name)?.columns();
                    if flags.len() != n_neurons {
                        return Err(Error::MaskShape {
                            got: [columns.len(), flags.len()],
                            expected: [columns.len(), n_neurons],
                        });
                    }
                    for feature in columns {
                        mask.row_mut(feature).iter_mut().zip(flags).for_each(|(to, &from)| *to = from);
                    }
                }
                Ok(mask)
            }
            FeatureMask::Coupling { block, map } => {
                let block = names.block(block)?;
                let n_senders = block.by_channel().count();
                if map.dim() != (n_senders, n_neurons) {
                    return Err(Error::CouplingShape {
                        block: block.name().into(),
                        got: map.dim().into(),
                        expected: [n_senders, n_neurons],
                    });
                }
                let mut mask = Array2::from_elem(expected, true);
                for (sender, columns) in block.by_channel().enumerate() {
                    for feature in columns {
                        mask.row_mut(feature).assign(&map.row(sender));
                    }
                }
                Ok(mask)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn names() -> Names {
        let names = Names::none().with_block("speed", 1, []);
        names.and_then(|names| names.with_block("spikes", 4, ["a", "b"])).unwrap()
    }

    #[test]
    fn named_blocks_stand_for_their_features() {
        let mask = FeatureMask::Blocks(vec![("spikes".into(), vec![true, false])]);
        let mut expected = Array2::from_elem((5, 2), true);
        expected.slice_mut(ndarray::s![1.., 1]).fill(false);
        assert_eq!(mask.resolve(&names(), 5, 2).unwrap(), expected);
        assert!(matches!(mask.resolve(&names(), 5, 3), Err(Error::MaskShape { .. })));
        let unknown = FeatureMask::Blocks(vec![("time".into(), vec![true, false])]);
        assert!(unknown.resolve(&names(), 5, 2).unwrap_err().to_string().contains("time"));
        assert!(mask.resolve(&Names::none(), 5, 2).is_err());
        assert!(FeatureMask::from(expected).resolve(&Names::none(), 2, 2).is_err());
    }

    #[test]
    fn a_coupling_map_stands_for_the_features_of_each_sender() {
        let mask = FeatureMask::coupling("spikes", array![[true, false, true], [false, true, true]]);
        let resolved = mask.resolve(&names(), 5, 3).unwrap();
        let expected = array![
            [true, true, true],
            [true, false, true],
            [true, false, true],
            [false, true, true],
            [false, true, true]
        ];
        assert_eq!(resolved, expected);
        assert!(matches!(mask.resolve(&names(), 5, 2), Err(Error::CouplingShape { .. })));
    }
}
