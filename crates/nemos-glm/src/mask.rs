//! Feature masks: which features each neuron may use.

use std::ops::Range;

use ndarray::Array2;

use crate::Error;

/// Which features each neuron may use. The coefficients of the others are exactly zero.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FeatureMask {
    /// `[n_features, n_neurons]`
    Coefficients(Array2<bool>),
    /// For named blocks of features, whether each neuron may use them. Blocks that are not named may be used by all.
    Blocks(Vec<(String, Vec<bool>)>),
}

impl From<Array2<bool>> for FeatureMask {
    fn from(mask: Array2<bool>) -> Self {
        FeatureMask::Coefficients(mask)
    }
}

impl FeatureMask {
    /// `[n_features, n_neurons]`: the coefficients that are free.
    pub(crate) fn resolve(&self, blocks: &[(String, Range<usize>)], n_features: usize, n_neurons: usize) -> Result<Array2<bool>, Error> {
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
                    let columns = blocks.iter().find(|(other, _)| other == name).map(|(_, columns)| columns.clone());
                    let columns = columns.ok_or_else(|| nemos_solvers::Error::Block {
                        name: name.clone(),
                        available: blocks.iter().map(|(name, _)| name.clone()).collect(),
                    })?;
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn named_blocks_stand_for_their_features() {
        let blocks = [("speed".to_owned(), 0..1), ("place".to_owned(), 1..3)];
        let mask = FeatureMask::Blocks(vec![("place".into(), vec![true, false])]);
        let expected = array![[true, true], [true, false], [true, false]];
        assert_eq!(mask.resolve(&blocks, 3, 2).unwrap(), expected);
        assert!(matches!(mask.resolve(&blocks, 3, 3), Err(Error::MaskShape { .. })));
        let unknown = FeatureMask::Blocks(vec![("time".into(), vec![true, false])]);
        assert!(unknown.resolve(&blocks, 3, 2).unwrap_err().to_string().contains("time"));
        assert!(FeatureMask::from(expected).resolve(&[], 2, 2).is_err());
    }
}
