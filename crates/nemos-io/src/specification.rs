//! What a file says of a model besides its numbers, as JSON.

use ndarray::{Array2, ArrayD, IxDyn};
use nemos_glm::{FeatureMask, Groups, Regularizer, Status, Strength};
use serde::{Deserialize, Serialize};

use crate::names::{self, GroupKind, Penalty, StrengthKind};
use crate::saved::Kind;
use crate::{Error, SavedModel};

/// What a file says of a model besides its numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Specification {
    model: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n_classes: Option<usize>,
    penalty: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    strength: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    strength_blocks: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    groups: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    group_features: Vec<Vec<usize>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mask_blocks: Option<Vec<(String, Vec<bool>)>>,
    #[serde(default)]
    pub(crate) has_offset: bool,
    pub(crate) solver: String,
    statuses: Vec<String>,
}

const NEWER: Error = Error::OwnModel {
    part: "newer observation model, link, penalty or status",
};

impl Specification {
    /// Of a model.
    pub(crate) fn of(saved: &SavedModel) -> Result<Self, Error> {
        let (penalty, strength) = split(&saved.regularizer).ok_or(NEWER)?;
        let (groups, group_features) = match &saved.regularizer {
            Regularizer::GroupLasso { groups, .. } => match groups {
                Groups::All => (Some(GroupKind::All), Vec::new()),
                Groups::Blocks => (Some(GroupKind::Blocks), Vec::new()),
                Groups::Features(features) => (Some(GroupKind::Features), features.clone()),
                _ => return Err(NEWER),
            },
            _ => (None, Vec::new()),
        };
        let statuses = saved.outcome.statuses().map(|status| names::status_name(status).map(String::from));
        let (model, link, n_classes) = match saved.kind {
            Kind::Glm { observation, link } => (
                names::model_name(observation).ok_or(NEWER)?,
                Some(names::link_name(link).ok_or(NEWER)?),
                None,
            ),
            Kind::Classifier { n_classes } => (names::CLASSIFIER, None, Some(n_classes)),
        };
        Ok(Specification {
            model: model.into(),
            link: link.map(String::from),
            n_classes,
            penalty: names::penalty_name(penalty).into(),
            strength: match strength {
                Some(strength) => Some(names::strength_name(kind_of(strength).ok_or(NEWER)?).into()),
                None => None,
            },
            strength_blocks: match strength {
                Some(Strength::PerBlock(blocks)) => blocks.iter().map(|(name, _)| name.clone()).collect(),
                _ => Vec::new(),
            },
            groups: groups.map(|kind| names::groups_name(kind).into()),
            group_features,
            mask_blocks: match &saved.mask {
                Some(FeatureMask::Blocks(blocks)) => Some(blocks.clone()),
                _ => None,
            },
            has_offset: saved.has_offset,
            solver: saved.outcome.solver.into(),
            statuses: statuses.collect::<Option<_>>().ok_or(NEWER)?,
        })
    }

    /// The strengths of a penalty as an array, if it has any.
    pub(crate) fn strengths(regularizer: &Regularizer) -> Option<ArrayD<f64>> {
        let (_, strength) = split(regularizer)?;
        let row = |values: &[f64]| ArrayD::from_shape_fn(IxDyn(&[values.len()]), |index| values[index[0]]);
        match strength? {
            Strength::Shared(value) => Some(row(&[*value])),
            Strength::PerNeuron(values) | Strength::PerFeature(values) | Strength::PerGroup(values) => Some(row(values)),
            Strength::PerCoefficient(values) => Some(values.clone().into_dyn()),
            Strength::PerBlock(blocks) => Some(row(&blocks.iter().map(|(_, value)| *value).collect::<Vec<_>>())),
            _ => None,
        }
    }

    /// The share of the lasso in an elastic net.
    pub(crate) fn lasso_share(regularizer: &Regularizer) -> Option<f64> {
        match regularizer {
            Regularizer::ElasticNet { lasso_share, .. } => Some(*lasso_share),
            _ => None,
        }
    }

    /// Observation model and link, or classes. A dispersion is still to be set.
    pub(crate) fn kind(&self) -> Result<Kind, Error> {
        if self.model == names::CLASSIFIER {
            let n_classes = self.n_classes.ok_or(part("n_classes", "there for a classifier"))?;
            return Ok(Kind::Classifier { n_classes });
        }
        let observation = names::model(&self.model);
        let link = self.link.as_deref().and_then(names::link);
        Ok(Kind::Glm {
            observation: observation.ok_or(part("observation model", "one that this version knows"))?,
            link: link.ok_or(part("link", "one that this version knows"))?,
        })
    }

    /// The penalty with these strengths.
    pub(crate) fn regularizer(&self, strengths: Option<(Vec<usize>, Vec<f64>)>, share: Option<f64>) -> Result<Regularizer, Error> {
        let penalty = names::penalty(&self.penalty).ok_or(part("penalty", "one that this version knows"))?;
        if penalty == Penalty::Unregularized {
            return Ok(Regularizer::Unregularized);
        }
        let strength = self.strength(strengths.ok_or(part("strength", "there for a penalty"))?)?;
        Ok(match penalty {
            Penalty::Unregularized => Regularizer::Unregularized,
            Penalty::Ridge => Regularizer::Ridge(strength),
            Penalty::Lasso => Regularizer::Lasso(strength),
            Penalty::ElasticNet => Regularizer::ElasticNet {
                strength,
                lasso_share: share.ok_or(part("lasso_share", "there for an elastic net"))?,
            },
            Penalty::GroupLasso => Regularizer::GroupLasso {
                strength,
                groups: self.groups()?,
            },
        })
    }

    fn strength(&self, (shape, values): (Vec<usize>, Vec<f64>)) -> Result<Strength, Error> {
        let kind = self.strength.as_deref().and_then(names::strength);
        Ok(match kind.ok_or(part("kind of strength", "one that this version knows"))? {
            StrengthKind::Shared => Strength::Shared(*values.first().ok_or(part("strength", "a number"))?),
            StrengthKind::PerNeuron => Strength::PerNeuron(values),
            StrengthKind::PerFeature => Strength::PerFeature(values),
            StrengthKind::PerGroup => Strength::PerGroup(values),
            StrengthKind::PerBlock if values.len() == self.strength_blocks.len() => {
                Strength::PerBlock(self.strength_blocks.iter().cloned().zip(values).collect())
            }
            StrengthKind::PerBlock => return Err(part("strength", "one number per named block")),
            StrengthKind::PerCoefficient => {
                let shape = (shape.first().copied().unwrap_or(0), shape.get(1).copied().unwrap_or(0));
                let array = Array2::from_shape_vec(shape, values);
                Strength::PerCoefficient(array.map_err(|_| part("strength", "an array of two axes"))?)
            }
        })
    }

    fn groups(&self) -> Result<Groups, Error> {
        let kind = self.groups.as_deref().and_then(names::groups);
        Ok(match kind.ok_or(part("groups", "one kind that this version knows"))? {
            GroupKind::All => Groups::All,
            GroupKind::Blocks => Groups::Blocks,
            GroupKind::Features => Groups::Features(self.group_features.clone()),
        })
    }

    /// The feature mask, from flags per coefficient or per block.
    pub(crate) fn mask(&self, flags: Option<Array2<bool>>) -> Option<FeatureMask> {
        let blocks = self.mask_blocks.clone().map(FeatureMask::Blocks);
        blocks.or(flags.map(FeatureMask::Coefficients))
    }

    /// How the fit of each neuron ended.
    pub(crate) fn statuses(&self) -> Result<Vec<Status>, Error> {
        let statuses = self.statuses.iter().map(|name| names::status(name));
        let statuses: Option<Vec<_>> = statuses.collect();
        statuses.ok_or(part("status", "one that this version knows"))
    }
}

/// A penalty and its strengths.
pub(crate) fn split(regularizer: &Regularizer) -> Option<(Penalty, Option<&Strength>)> {
    match regularizer {
        Regularizer::Unregularized => Some((Penalty::Unregularized, None)),
        Regularizer::Ridge(strength) => Some((Penalty::Ridge, Some(strength))),
        Regularizer::Lasso(strength) => Some((Penalty::Lasso, Some(strength))),
        Regularizer::ElasticNet { strength, .. } => Some((Penalty::ElasticNet, Some(strength))),
        Regularizer::GroupLasso { strength, .. } => Some((Penalty::GroupLasso, Some(strength))),
        _ => None,
    }
}

fn kind_of(strength: &Strength) -> Option<StrengthKind> {
    match strength {
        Strength::Shared(_) => Some(StrengthKind::Shared),
        Strength::PerNeuron(_) => Some(StrengthKind::PerNeuron),
        Strength::PerFeature(_) => Some(StrengthKind::PerFeature),
        Strength::PerCoefficient(_) => Some(StrengthKind::PerCoefficient),
        Strength::PerBlock(_) => Some(StrengthKind::PerBlock),
        Strength::PerGroup(_) => Some(StrengthKind::PerGroup),
        _ => None,
    }
}

fn part(part: &'static str, expected: &'static str) -> Error {
    Error::ModelPart { part, expected }
}
