//! Groups of coefficients that a group lasso keeps or drops together.

use nemos_core::Names;

use crate::error::Error;
use crate::penalty::regularizer::unnamed;

/// Which coefficients of a neuron a group lasso keeps or drops together.
///
/// A group spans all classes of its features. Groups without features are no groups.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum Groups {
    /// All features of a neuron are one group.
    #[default]
    All,
    /// One group per named block of features: an error where blocks have no names.
    Blocks,
    /// One group per channel of every named block: the features of each sending neuron, for one. A block of one channel is one
    /// group; an error where blocks have no names.
    Channels,
    /// The features of each group. A feature in no group is not penalised.
    Features(Vec<Vec<usize>>),
}

impl Groups {
    /// With names replaced by the features that they stand for, and the block that each group belongs to.
    pub(crate) fn resolve(&self, names: &Names) -> Result<(Groups, Vec<String>), Error> {
        let by_channel = match self {
            Groups::Blocks => false,
            Groups::Channels => true,
            other => return Ok((other.clone(), Vec::new())),
        };
        if names.blocks().is_empty() {
            return Err(unnamed(if by_channel { "Groups::Channels" } else { "Groups::Blocks" }));
        }
        let (mut groups, mut of_blocks) = (Vec::new(), Vec::new());
        for block in names.blocks() {
            let parts: Vec<_> = if by_channel {
                block.by_channel().collect()
            } else {
                vec![block.columns()]
            };
            of_blocks.extend(parts.iter().map(|_| block.name().to_owned()));
            groups.extend(parts.into_iter().map(Iterator::collect));
        }
        Ok((Groups::Features(groups), of_blocks))
    }

    /// How many groups there are.
    pub(crate) fn validate(&self, n_features: usize) -> Result<usize, Error> {
        match self {
            Groups::All => Ok(1),
            Groups::Blocks | Groups::Channels => Err(Error::StrengthKind {
                kind: "by name",
                penalty: "group lasso whose names were not resolved",
                expected: "the features of each group",
            }),
            Groups::Features(groups) => {
                let mut seen = vec![false; n_features];
                for &feature in groups.iter().flatten() {
                    match seen.get_mut(feature) {
                        None => {
                            return Err(Error::Groups {
                                feature,
                                n_features,
                                problem: "does not exist",
                            });
                        }
                        Some(true) => {
                            return Err(Error::Groups {
                                feature,
                                n_features,
                                problem: "is in a group twice",
                            });
                        }
                        Some(seen) => *seen = true,
                    }
                }
                Ok(groups.len())
            }
        }
    }

    /// The features of each group.
    pub(crate) fn features(&self, n_features: usize) -> Vec<Vec<usize>> {
        match self {
            Groups::All | Groups::Blocks | Groups::Channels => vec![(0..n_features).collect()],
            Groups::Features(groups) => groups.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_must_not_overlap_nor_name_features_that_do_not_exist() {
        let groups = |groups: &[&[usize]]| Groups::Features(groups.iter().map(|g| g.to_vec()).collect());
        assert_eq!(groups(&[&[0], &[], &[2, 1]]).validate(3).ok(), Some(3));
        for bad in [groups(&[&[0, 3]]), groups(&[&[0], &[1, 0]]), groups(&[&[1, 1]])] {
            assert!(matches!(bad.validate(3), Err(Error::Groups { .. })));
        }
    }
}
