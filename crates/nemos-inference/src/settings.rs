//! What inference assumes.

use nemos_glm::Information;

use crate::Error;

/// Where the dispersion comes from that covariances are multiplied with.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Dispersion {
    /// As the observation model says: one for Poisson, Bernoulli and the negative binomial; Pearson's for Gamma and Gaussian.
    #[default]
    Model,
    /// Pearson's χ² over the residual degrees of freedom, whatever the model: quasi-likelihood. Statistics are then compared with
    /// Student's t and F.
    Pearson,
    /// A known number.
    Known(f64),
}

/// What inference assumes.
///
/// # Options
/// | option | default | meaning |
/// |---|---|---|
/// | `dispersion` | [`Dispersion::Model`] | what covariances are multiplied with |
/// | `information` | [`Information::Expected`] | which curvature is inverted |
/// | `even_if_not_converged` | no | speak of a fit that did not converge, at the point where it ended |
///
/// # Example
/// ```
/// use nemos_inference::{Dispersion, Settings};
/// let quasi_poisson = Settings::new().dispersion(Dispersion::Pearson);
/// assert_ne!(quasi_poisson, Settings::new());
/// ```
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    pub(crate) dispersion: Dispersion,
    pub(crate) information: Information,
    pub(crate) even_if_not_converged: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            dispersion: Dispersion::Model,
            information: Information::Expected,
            even_if_not_converged: false,
        }
    }
}

impl Settings {
    /// With the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the dispersion comes from.
    #[doc(alias = "quasipoisson")]
    #[must_use]
    pub fn dispersion(mut self, dispersion: Dispersion) -> Self {
        self.dispersion = dispersion;
        self
    }

    /// Which information is inverted: R's `summary.glm` and `sandwich` take the expected one, statsmodels' sandwiches the observed
    /// one. They are equal for canonical links.
    #[must_use]
    pub fn information(mut self, information: Information) -> Self {
        self.information = information;
        self
    }

    /// Speaks of a fit that did not converge, or of a model whose parameters were given.
    #[must_use]
    pub fn even_if_not_converged(mut self) -> Self {
        self.even_if_not_converged = true;
        self
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        match self.dispersion {
            Dispersion::Known(got) if !(got.is_finite() && got > 0.0) => Err(Error::Dispersion { got }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_match_the_table() {
        let settings = Settings::new();
        assert_eq!(settings.dispersion, Dispersion::Model);
        assert_eq!(settings.information, Information::Expected);
        assert!(!settings.even_if_not_converged);
    }
}
