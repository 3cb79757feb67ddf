//! Penalties on coefficients.

use crate::Error;

/// How strongly coefficients are penalised: one number, or one per neuron or per feature.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Strength {
    /// The same for every coefficient.
    Shared(f64),
    /// One number per neuron: `[n_neurons]`.
    PerNeuron(Vec<f64>),
    /// One number per feature: `[n_features]`.
    PerFeature(Vec<f64>),
}

impl From<f64> for Strength {
    fn from(strength: f64) -> Self {
        Strength::Shared(strength)
    }
}

impl Strength {
    /// The strength on one coefficient.
    pub fn at(&self, feature: usize, neuron: usize) -> f64 {
        match self {
            Strength::Shared(strength) => *strength,
            Strength::PerNeuron(strengths) => strengths[neuron],
            Strength::PerFeature(strengths) => strengths[feature],
        }
    }

    fn validate(&self, n_features: usize, n_neurons: usize) -> Result<(), Error> {
        let (values, expected, per): (&[f64], usize, &'static str) = match self {
            Strength::Shared(strength) => (std::slice::from_ref(strength), 1, "per model"),
            Strength::PerNeuron(strengths) => (strengths, n_neurons, "per neuron"),
            Strength::PerFeature(strengths) => (strengths, n_features, "per feature"),
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

/// Penalty added to the mean negative log-likelihood; the intercept is never penalised.
///
/// ```text
/// Ridge:   ½ Σ s w²
/// ```
///
/// The strength is relative to the mean over samples of the loss, and the same for one neuron and for many.
///
/// # References
/// Hoerl & Kennard (1970), *Technometrics* 12(1). doi:10.1080/00401706.1970.10488634
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Regularizer {
    /// No penalty.
    #[default]
    Unregularized,
    /// Half the strength times the sum of squares.
    Ridge(Strength),
}

impl Regularizer {
    /// Checks strengths against the shape of the coefficients.
    ///
    /// # Errors
    /// [`Error::Strengths`] if their number does not fit, [`Error::Option`] if one is negative or not finite.
    pub fn validate(&self, n_features: usize, n_neurons: usize) -> Result<(), Error> {
        match self {
            Regularizer::Unregularized => Ok(()),
            Regularizer::Ridge(strength) => strength.validate(n_features, n_neurons),
        }
    }

    /// The strength of the ridge on one coefficient.
    pub(crate) fn ridge(&self, feature: usize, neuron: usize) -> f64 {
        match self {
            Regularizer::Unregularized => 0.0,
            Regularizer::Ridge(strength) => strength.at(feature, neuron),
        }
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
