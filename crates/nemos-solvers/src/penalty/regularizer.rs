//! Penalties on coefficients.

use ndarray::{ArrayView2, ArrayViewMut2};
use nemos_core::Names;

use crate::error::Error;
use crate::penalty::column::{ColumnPenalty, Group};
use crate::penalty::groups::Groups;
use crate::penalty::strength::{Counts, Strength};

/// Penalty added to the mean negative log-likelihood; the intercept is never penalised.
///
/// ```text
/// Ridge:         ½ Σ s w²
/// Lasso:         Σ s |w|
/// Elastic net:   Σ s [(1 − r)/2 · w² + r |w|]          r: share of the lasso
/// Group lasso:   Σ_g s_g √(size_g) ‖w_g‖₂
/// ```
///
/// The strength is relative to the mean over samples of the loss, and the same for one neuron and for many.
///
/// # References
/// Hoerl & Kennard (1970), *Technometrics* 12; Tibshirani (1996), *JRSS B* 58; Zou & Hastie (2005), *JRSS B* 67;
/// Yuan & Lin (2006), *JRSS B* 68.
#[doc(alias = "penalty")]
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum Regularizer {
    /// No penalty.
    #[doc(alias = "UnRegularized")]
    #[default]
    Unregularized,
    /// Half the strength times the sum of squares.
    Ridge(Strength),
    /// The strength times the sum of absolute values.
    Lasso(Strength),
    /// A mixture of lasso and ridge.
    ElasticNet {
        /// How strong both are together.
        strength: Strength,
        /// The share of the lasso: above zero, at most one.
        lasso_share: f64,
    },
    /// The strength times the norms of groups of coefficients: groups are dropped whole.
    GroupLasso {
        /// How strong.
        strength: Strength,
        /// What belongs together.
        groups: Groups,
    },
}

/// Half the strength times the sum of squares: [`Regularizer::Ridge`] of one strength, or of many.
///
/// # Example
/// ```
/// use nemos_solvers::{Regularizer, Strength, ridge};
/// assert_eq!(ridge(0.1), Regularizer::Ridge(Strength::Shared(0.1)));
/// ```
#[doc(alias = "l2")]
pub fn ridge(strength: impl Into<Strength>) -> Regularizer {
    Regularizer::Ridge(strength.into())
}

/// The strength times the sum of absolute values: [`Regularizer::Lasso`].
#[doc(alias = "l1")]
pub fn lasso(strength: impl Into<Strength>) -> Regularizer {
    Regularizer::Lasso(strength.into())
}

/// A mixture of lasso and ridge: [`Regularizer::ElasticNet`], with the share of the lasso above zero and at most one.
pub fn elastic_net(strength: impl Into<Strength>, lasso_share: f64) -> Regularizer {
    Regularizer::ElasticNet {
        strength: strength.into(),
        lasso_share,
    }
}

/// The strength times the norms of groups of coefficients: [`Regularizer::GroupLasso`].
pub fn group_lasso(strength: impl Into<Strength>, groups: Groups) -> Regularizer {
    Regularizer::GroupLasso {
        strength: strength.into(),
        groups,
    }
}

impl Regularizer {
    /// With names of blocks and channels replaced by the features that they stand for.
    ///
    /// # Errors
    /// [`Error::Data`] if a block is named that is not among those of the features, and if there are no names where
    /// some are asked for; [`Error::NamedTwice`] if strengths per block name one twice; [`Error::StrengthKind`] for strengths per block
    /// of groups that are no blocks.
    ///
    /// # Example
    /// ```
    /// use nemos_core::Names;
    /// use nemos_solvers::{Regularizer, Strength};
    /// let names = Names::none().with_block("position", 3, [])?.with_block("speed", 2, [])?;
    /// let named = Regularizer::Ridge(Strength::PerBlock(vec![("speed".to_string(), 0.5)]));
    /// let resolved = named.resolve(&names, 5)?;
    /// assert_eq!(resolved, Regularizer::Ridge(Strength::PerFeature(vec![0.0, 0.0, 0.0, 0.5, 0.5])));
    /// # Ok::<(), nemos_solvers::Error>(())
    /// ```
    pub fn resolve(&self, names: &Names, n_features: usize) -> Result<Self, Error> {
        let per_feature = |strength: &Strength| match strength {
            Strength::PerBlock(_) if names.blocks().is_empty() => Err(unnamed("Strength::PerBlock")),
            Strength::PerBlock(named) => {
                check_named_once(named)?;
                let mut strengths = vec![0.0; n_features];
                for (block, value) in named {
                    names.block(block)?.columns().for_each(|feature| strengths[feature] = *value);
                }
                Ok(Strength::PerFeature(strengths))
            }
            other => Ok::<_, Error>(other.clone()),
        };
        Ok(match self {
            Regularizer::Unregularized => Regularizer::Unregularized,
            Regularizer::Ridge(strength) => Regularizer::Ridge(per_feature(strength)?),
            Regularizer::Lasso(strength) => Regularizer::Lasso(per_feature(strength)?),
            Regularizer::ElasticNet { strength, lasso_share } => Regularizer::ElasticNet {
                strength: per_feature(strength)?,
                lasso_share: *lasso_share,
            },
            Regularizer::GroupLasso { strength, groups } => {
                let (groups, of_blocks) = groups.resolve(names)?;
                let strength = match strength {
                    Strength::PerBlock(_) if names.blocks().is_empty() => return Err(unnamed("Strength::PerBlock")),
                    Strength::PerBlock(_) if of_blocks.is_empty() => {
                        return Err(Error::StrengthKind {
                            kind: "per block",
                            penalty: "group lasso whose groups are no blocks",
                            expected: "strengths per block with Groups::Blocks or Groups::Channels, and one per group otherwise",
                        });
                    }
                    Strength::PerBlock(named) => {
                        check_named_once(named)?;
                        let mut strengths = vec![0.0; of_blocks.len()];
                        for (block, value) in named {
                            names.block(block)?;
                            let groups = of_blocks.iter().zip(&mut strengths).filter(|(of, _)| *of == block);
                            groups.for_each(|(_, strength)| *strength = *value);
                        }
                        Strength::PerGroup(strengths)
                    }
                    other => other.clone(),
                };
                Regularizer::GroupLasso { strength, groups }
            }
        })
    }

    /// Checks the penalty against the shape of the coefficients, `[n_features, n_neurons]`. Names of blocks must have
    /// been [resolved](Regularizer::resolve).
    ///
    /// # Errors
    /// [`Error::Strengths`] if the number of strengths does not fit, [`Error::StrengthKind`] if they are of a kind that
    /// the penalty does not take, [`Error::Option`] if one is negative or not finite or the share of the lasso is not
    /// above zero and at most one, [`Error::Groups`] if groups overlap or name features that do not exist,
    /// [`Error::StrengthKind`] if groups are by name still.
    pub fn validate(&self, n_features: usize, n_neurons: usize) -> Result<(), Error> {
        self.validate_classes(n_features, n_neurons, 1)
    }

    /// Checks the penalty against the shape of a classifier's coefficients, `[n_features, n_neurons · n_classes]`.
    ///
    /// # Errors
    /// As [`validate`](Regularizer::validate).
    pub fn validate_classes(&self, n_features: usize, n_neurons: usize, n_classes: usize) -> Result<(), Error> {
        let counts = Counts {
            features: n_features,
            neurons: n_neurons,
            predictors: n_classes,
            groups: None,
        };
        match self {
            Regularizer::Unregularized => Ok(()),
            Regularizer::Ridge(strength) | Regularizer::Lasso(strength) => strength.validate(counts),
            Regularizer::ElasticNet { strength, lasso_share } => {
                if !(*lasso_share > 0.0 && *lasso_share <= 1.0) {
                    return Err(Error::Option {
                        option: "share of the lasso",
                        got: *lasso_share,
                        expected: "above zero and at most one",
                    });
                }
                strength.validate(counts)
            }
            Regularizer::GroupLasso { strength, groups } => {
                let n_groups = groups.validate(n_features)?;
                strength.validate(Counts {
                    groups: Some(n_groups),
                    ..counts
                })
            }
        }
    }

    /// The penalty on these features of these neurons, which have one predictor each, or one per class. Names must have been
    /// [resolved](Regularizer::resolve); of a group lasso all features stay, since groups count their features.
    ///
    /// # Panics
    /// If there is no such feature or neuron among the strengths, which is a mistake in the caller's code.
    ///
    /// # Example
    /// ```
    /// use nemos_solvers::{Regularizer, Strength};
    /// let per_feature = Regularizer::Ridge(Strength::PerFeature(vec![0.1, 0.2, 0.3]));
    /// let expected = Regularizer::Ridge(Strength::PerFeature(vec![0.3, 0.1]));
    /// assert_eq!(per_feature.select(&[2, 0], &[5], 1), expected);
    /// ```
    #[must_use]
    pub fn select(&self, features: &[usize], neurons: &[usize], n_predictors: usize) -> Self {
        let some = |strength: &Strength| strength.select(features, neurons, n_predictors);
        match self {
            Regularizer::Unregularized => Regularizer::Unregularized,
            Regularizer::Ridge(strength) => Regularizer::Ridge(some(strength)),
            Regularizer::Lasso(strength) => Regularizer::Lasso(some(strength)),
            Regularizer::ElasticNet { strength, lasso_share } => Regularizer::ElasticNet {
                strength: some(strength),
                lasso_share: *lasso_share,
            },
            Regularizer::GroupLasso { strength, groups } => Regularizer::GroupLasso {
                strength: some(strength),
                groups: groups.clone(),
            },
        }
    }

    /// The penalty on the coefficients of one neuron.
    ///
    /// # Shapes
    /// `coef`: `[n_features, n_classes]`, one column unless the model is a classifier.
    pub fn value(&self, coef: ArrayView2<'_, f64>, neuron: usize) -> f64 {
        let (penalty, flat) = self.of_array(&coef, neuron);
        penalty.value(&flat) + penalty.ridge_value(&flat)
    }

    /// The proximal map of the penalty on the coefficients of one neuron, in their place.
    ///
    /// ```text
    /// prox(w) = argmin_u  penalty(u) + ‖u − w‖² / (2 · step)
    ///
    /// Ridge:        w / (1 + step s)
    /// Lasso:        sign(w) max(|w| − step s, 0)
    /// Elastic net:  sign(w) max(|w| − step s r, 0) / (1 + step s (1 − r))
    /// Group lasso:  w_g max(0, 1 − step s_g √(size_g) / ‖w_g‖)
    /// ```
    ///
    /// A group that is empty, or has strength zero, is left alone.
    ///
    /// # Shapes
    /// `coef`: `[n_features, n_classes]`, one column unless the model is a classifier.
    ///
    /// # References
    /// Parikh & Boyd (2014), *Foundations and Trends in Optimization* 1(3), sections 6.5.2 and 6.5.4.
    ///
    /// # Example
    /// ```
    /// use ndarray::array;
    /// use nemos_solvers::Regularizer;
    /// let mut coef = array![[1.0], [-0.2]];
    /// Regularizer::Lasso(0.5.into()).proximal(coef.view_mut(), 0, 1.0);
    /// assert_eq!(coef, array![[0.5], [0.0]]);
    /// ```
    #[doc(alias("get_proximal_operator", "prox_lasso"))]
    pub fn proximal(&self, mut coef: ArrayViewMut2<'_, f64>, neuron: usize, step: f64) {
        let (penalty, mut flat) = self.of_array(&coef.view(), neuron);
        // The ridge's map divides, and the others are homogeneous: that of the sum is one after the other.
        penalty.shrink(&mut flat, step);
        penalty.shrink_by_ridge(&mut flat, step);
        let n_features = coef.nrows();
        for ((feature, predictor), value) in coef.indexed_iter_mut() {
            *value = flat[predictor * (n_features + 1) + feature];
        }
    }

    /// The penalty of a neuron with its coefficients as parameters, intercepts zero.
    fn of_array(&self, coef: &ArrayView2<'_, f64>, neuron: usize) -> (ColumnPenalty, Vec<f64>) {
        let (n_features, n_predictors) = coef.dim();
        let mut flat = vec![0.0; (n_features + 1) * n_predictors];
        for ((feature, predictor), &value) in coef.indexed_iter() {
            flat[predictor * (n_features + 1) + feature] = value;
        }
        (self.of_column(n_features, n_predictors, neuron), flat)
    }

    /// The penalty of one problem, whose parameters are coefficients and an intercept for each predictor.
    pub(crate) fn of_column(&self, n_features: usize, n_predictors: usize, problem: usize) -> ColumnPenalty {
        let width = n_features + 1;
        let mut column = ColumnPenalty::none(width * n_predictors);
        for (predictor, feature) in (0..n_predictors).flat_map(|k| (0..n_features).map(move |feature| (k, feature))) {
            let place = predictor * width + feature;
            (column.ridge[place], column.lasso[place]) = self.shares(feature, problem, problem * n_predictors + predictor);
        }
        if let Regularizer::GroupLasso { strength, groups } = self {
            for (index, features) in groups.features(n_features).into_iter().enumerate() {
                let members: Vec<usize> = (0..n_predictors)
                    .flat_map(|predictor| features.iter().map(move |feature| predictor * width + feature))
                    .collect();
                // √size makes groups of different sizes as likely to be dropped (Yuan & Lin 2006).
                let strength = strength.of_group(index, problem) * (members.len() as f64).sqrt();
                if strength > 0.0 {
                    column.groups.push(Group { members, strength });
                }
            }
        }
        column
    }

    /// The strengths of ridge and lasso on one coefficient; `column` is its column among those of all neurons and classes.
    pub(crate) fn shares(&self, feature: usize, neuron: usize, column: usize) -> (f64, f64) {
        match self {
            Regularizer::Ridge(strength) => (strength.at(feature, neuron, column), 0.0),
            Regularizer::Lasso(strength) => (0.0, strength.at(feature, neuron, column)),
            Regularizer::ElasticNet { strength, lasso_share } => {
                let strength = strength.at(feature, neuron, column);
                (strength * (1.0 - lasso_share), strength * lasso_share)
            }
            _ => (0.0, 0.0),
        }
    }

    /// Name of the penalty.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Regularizer::Unregularized => "empty",
            Regularizer::Ridge(_) => "ridge",
            Regularizer::Lasso(_) => "lasso",
            Regularizer::ElasticNet { .. } => "elastic net",
            Regularizer::GroupLasso { .. } => "group lasso",
        }
    }

    /// Whether the penalty has a gradient everywhere, so that every solver can handle it.
    pub fn is_smooth(&self) -> bool {
        matches!(self, Regularizer::Unregularized | Regularizer::Ridge(_))
    }

    /// Whether the penalty has a smooth part.
    pub fn has_ridge(&self) -> bool {
        matches!(self, Regularizer::Ridge(_) | Regularizer::ElasticNet { .. })
    }
}

/// A block has one strength.
fn check_named_once(named: &[(String, f64)]) -> Result<(), Error> {
    let twice = (1..named.len()).find(|&place| named[..place].iter().any(|(name, _)| *name == named[place].0));
    match twice {
        None => Ok(()),
        Some(place) => Err(Error::NamedTwice {
            block: named[place].0.clone(),
        }),
    }
}

/// Names were asked for where there are none.
pub(crate) fn unnamed(asked: &str) -> Error {
    Error::Data(nemos_core::Error::NoNames { asked: asked.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    fn group_lasso(strength: Strength, groups: Groups) -> Regularizer {
        Regularizer::GroupLasso { strength, groups }
    }

    #[test]
    fn strengths_must_be_finite_and_not_negative() {
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            for strength in [
                Strength::Shared(bad),
                Strength::PerNeuron(vec![bad]),
                Strength::PerFeature(vec![1.0, bad, 1.0]),
                Strength::PerCoefficient(array![[0.0], [bad], [1.0]]),
            ] {
                let error = Regularizer::Lasso(strength).validate(3, 1).unwrap_err();
                assert!(error.to_string().contains("strength"), "{error}");
            }
            assert!(group_lasso(Strength::PerGroup(vec![bad]), Groups::All).validate(3, 1).is_err());
        }
        assert!(Regularizer::Ridge(0.0.into()).validate(3, 1).is_ok());
    }

    #[test]
    fn strengths_must_fit_the_coefficients() {
        let per_feature = Regularizer::Ridge(Strength::PerFeature(vec![1.0; 3]));
        assert!(per_feature.validate(3, 9).is_ok());
        assert!(matches!(
            per_feature.validate(4, 9),
            Err(Error::Strengths { got: 3, expected: 4, .. })
        ));
        assert!(matches!(
            Regularizer::Ridge(Strength::PerNeuron(vec![1.0])).validate(1, 2),
            Err(Error::Strengths { .. })
        ));
        let per_coefficient = Regularizer::Lasso(Strength::PerCoefficient(Array2::zeros((3, 4))));
        assert!(per_coefficient.validate(3, 4).is_ok() && per_coefficient.validate_classes(3, 2, 2).is_ok());
        assert!(per_coefficient.validate(3, 2).is_err() && per_coefficient.validate(4, 4).is_err());
        assert!(group_lasso(Strength::PerGroup(vec![1.0; 2]), Groups::All).validate(3, 1).is_err());
    }

    #[test]
    fn kinds_of_strength_that_a_penalty_does_not_take_are_refused() {
        for strength in [Strength::PerFeature(vec![1.0; 3]), Strength::PerBlock(vec![])] {
            assert!(matches!(
                group_lasso(strength, Groups::All).validate(3, 1),
                Err(Error::StrengthKind { .. })
            ));
        }
        for strength in [Strength::PerGroup(vec![1.0]), Strength::PerBlock(vec![])] {
            assert!(matches!(
                Regularizer::Lasso(strength).validate(3, 1),
                Err(Error::StrengthKind { .. })
            ));
        }
        for lasso_share in [0.0, -0.5, 1.1, f64::NAN] {
            let net = Regularizer::ElasticNet {
                strength: 1.0.into(),
                lasso_share,
            };
            assert!(matches!(net.validate(3, 1), Err(Error::Option { .. })));
        }
    }

    #[test]
    fn names_of_blocks_and_channels_become_features_and_groups() {
        let names = Names::none().with_block("a", 2, ["x", "y"]);
        let names = names.and_then(|names| names.with_block("b", 1, [])).unwrap();
        let named = || Strength::PerBlock(vec![("b".into(), 2.0)]);
        let resolved = group_lasso(named(), Groups::Blocks).resolve(&names, 3).unwrap();
        let expected = group_lasso(Strength::PerGroup(vec![0.0, 2.0]), Groups::Features(vec![vec![0, 1], vec![2]]));
        assert_eq!(resolved, expected);
        let by_channel = group_lasso(Strength::PerBlock(vec![("a".into(), 0.5)]), Groups::Channels);
        let expected = group_lasso(
            Strength::PerGroup(vec![0.5, 0.5, 0.0]),
            Groups::Features(vec![vec![0], vec![1], vec![2]]),
        );
        assert_eq!(by_channel.resolve(&names, 3).unwrap(), expected);
        let unknown = Regularizer::Lasso(Strength::PerBlock(vec![("c".into(), 2.0)])).resolve(&names, 3);
        assert!(matches!(unknown, Err(Error::Data(nemos_core::Error::UnknownName { name, .. })) if name == "c"));
        for groups in [Groups::Blocks, Groups::Channels] {
            let unnamed = group_lasso(1.0.into(), groups).resolve(&Names::none(), 3);
            assert!(matches!(unnamed, Err(Error::Data(nemos_core::Error::NoNames { .. }))));
        }
        let twice = || Strength::PerBlock(vec![("a".into(), 1.0), ("a".into(), 2.0)]);
        for twice in [Regularizer::Ridge(twice()), group_lasso(twice(), Groups::Blocks)] {
            assert!(matches!(twice.resolve(&names, 3), Err(Error::NamedTwice { block }) if block == "a"));
        }
        let no_blocks = group_lasso(named(), Groups::All).resolve(&names, 3).unwrap_err().to_string();
        assert!(no_blocks.contains("Groups::Blocks"), "{no_blocks}");
        let unnamed = Regularizer::Ridge(named()).resolve(&Names::none(), 3);
        assert!(matches!(unnamed, Err(Error::Data(nemos_core::Error::NoNames { .. }))));
    }

    #[test]
    fn blocks_of_features_without_names_are_refused() {
        let strengths = || Strength::PerBlock(vec![("a".into(), 1.0)]);
        for by_name in [
            group_lasso(1.0.into(), Groups::Blocks),
            group_lasso(strengths(), Groups::All),
            Regularizer::Ridge(strengths()),
            Regularizer::Lasso(Strength::PerBlock(Vec::new())),
        ] {
            let resolved = by_name.resolve(&Names::none(), 3);
            assert!(
                matches!(resolved, Err(Error::Data(nemos_core::Error::NoNames { .. }))),
                "{by_name:?}"
            );
            assert!(by_name.validate(3, 1).is_err(), "{by_name:?}");
        }
    }

    #[test]
    fn some_features_and_neurons_keep_their_strengths() {
        let strengths = Array2::from_shape_fn((3, 4), |(feature, column)| (10 * feature + column) as f64);
        let all = Regularizer::Lasso(Strength::PerCoefficient(strengths));
        let expected = Regularizer::Lasso(Strength::PerCoefficient(array![[22.0, 23.0], [2.0, 3.0]]));
        assert_eq!(all.select(&[2, 0], &[1], 2), expected);
        let net = elastic_net(Strength::PerNeuron(vec![1.0, 2.0, 3.0]), 0.5);
        assert_eq!(net.select(&[], &[2], 1), elastic_net(Strength::PerNeuron(vec![3.0]), 0.5));
        let grouped = group_lasso(Strength::PerGroup(vec![1.0]), Groups::All);
        assert_eq!(grouped.select(&[0], &[1], 1), grouped);
    }

    #[test]
    fn a_group_spans_all_classes() {
        let lasso = group_lasso(0.5.into(), Groups::Features(vec![vec![1]]));
        let mut coef = array![[1.0, 1.0], [3.0, 4.0]];
        // √2 · 0.5 · 5
        assert!((lasso.value(coef.view(), 0) - 12.5_f64.sqrt()).abs() < 1e-14);
        lasso.proximal(coef.view_mut(), 0, 2.0);
        let kept = 1.0 - 2.0_f64.sqrt() / 5.0;
        assert!(
            (&coef - &array![[1.0, 1.0], [3.0 * kept, 4.0 * kept]])
                .iter()
                .all(|x| x.abs() < 1e-14),
            "{coef}"
        );
    }
}
