//! Penalties on coefficients.

use ndarray::Array2;

use crate::Error;

/// How strongly coefficients are penalised.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Strength {
    /// The same for every coefficient.
    Shared(f64),
    /// One number per neuron: `[n_neurons]`.
    PerNeuron(Vec<f64>),
    /// One number per feature: `[n_features]`.
    PerFeature(Vec<f64>),
    /// One number per coefficient: `[n_features, n_neurons]`, or `[n_features, n_neurons · n_classes]` with the classes
    /// of a neuron side by side.
    PerCoefficient(Array2<f64>),
    /// One number per named block of features. Blocks that are not named are not penalised.
    PerBlock(Vec<(String, f64)>),
    /// One number per group of a group lasso.
    PerGroup(Vec<f64>),
}

impl From<f64> for Strength {
    fn from(strength: f64) -> Self {
        Strength::Shared(strength)
    }
}

/// Which coefficients of a neuron a group lasso keeps or drops together.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Groups {
    /// All features of a neuron are one group.
    #[default]
    All,
    /// One group per named block of features.
    Blocks,
    /// The features of each group. A feature in no group is not penalised.
    Features(Vec<Vec<usize>>),
}

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
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Regularizer {
    /// No penalty.
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

impl Regularizer {
    /// With names of blocks replaced by the features that they stand for.
    ///
    /// # Errors
    /// [`Error::Block`] if a block is not among `blocks`.
    pub fn resolve(&self, _blocks: &[(String, std::ops::Range<usize>)], _n_features: usize) -> Result<Self, Error> {
        Ok(self.clone())
    }

    /// Checks strengths against the shape of the coefficients.
    ///
    /// # Errors
    /// [`Error::Strengths`] if their number does not fit, [`Error::Option`] if one is negative or not finite.
    pub fn validate(&self, n_features: usize, n_neurons: usize) -> Result<(), Error> {
        match self {
            Regularizer::Ridge(strength) => strength.validate(n_features, n_neurons),
            _ => Ok(()),
        }
    }

    /// The strength of the ridge on one coefficient.
    pub(crate) fn ridge(&self, feature: usize, neuron: usize) -> f64 {
        match self {
            Regularizer::Ridge(strength) => strength.at(feature, neuron),
            _ => 0.0,
        }
    }
}

impl Strength {
    /// The strength on one coefficient.
    pub fn at(&self, feature: usize, neuron: usize) -> f64 {
        match self {
            Strength::Shared(strength) => *strength,
            Strength::PerNeuron(strengths) => strengths[neuron],
            Strength::PerFeature(strengths) => strengths[feature],
            Strength::PerCoefficient(strengths) => strengths[(feature, neuron)],
            _ => 0.0,
        }
    }

    fn validate(&self, n_features: usize, n_neurons: usize) -> Result<(), Error> {
        let (values, expected, per): (&[f64], usize, &'static str) = match self {
            Strength::Shared(strength) => (std::slice::from_ref(strength), 1, "per model"),
            Strength::PerNeuron(strengths) => (strengths, n_neurons, "per neuron"),
            Strength::PerFeature(strengths) => (strengths, n_features, "per feature"),
            _ => (&[], 0, ""),
        };
        if values.len() != expected {
            return Err(Error::Strengths {
                got: values.len(),
                per,
                expected,
            });
        }
        values
            .iter()
            .try_for_each(|&value| Error::check_not_negative("strength of the regularizer", value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strengths_must_be_finite_and_not_negative() {
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            let error = Regularizer::Ridge(bad.into()).validate(3, 1).unwrap_err();
            assert!(error.to_string().contains("strength"), "{error}");
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
    }
}
