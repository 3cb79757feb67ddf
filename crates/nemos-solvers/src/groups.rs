//! Groups of coefficients that a group lasso keeps or drops together.

use crate::Error;

/// Which coefficients of a neuron a group lasso keeps or drops together.
///
/// A group spans all classes of its features. Groups without features are no groups.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Groups {
    /// All features of a neuron are one group.
    #[default]
    All,
    /// One group per named block of features; all features are one group where blocks have no names.
    Blocks,
    /// The features of each group. A feature in no group is not penalised.
    Features(Vec<Vec<usize>>),
}

impl Groups {
    /// How many groups there are.
    pub(crate) fn validate(&self, n_features: usize) -> Result<usize, Error> {
        match self {
            Groups::All | Groups::Blocks => Ok(1),
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
            Groups::All | Groups::Blocks => vec![(0..n_features).collect()],
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
