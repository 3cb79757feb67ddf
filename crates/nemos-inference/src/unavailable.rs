//! Why there is no number.

use std::fmt;

/// Why nothing can be said of the coefficients of a neuron: its numbers are NaN.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unavailable {
    /// The likelihood has no finite maximum: the neuron is silent, silent at a level of an indicator, or separable. Its coefficients
    /// run away, and standard errors at the place where a fit stopped would say nothing (Hauck & Donner 1977).
    NoMaximum,
    /// As many parameters as rows: nothing is left that a scale could be estimated from.
    NoDegreesOfFreedom,
    /// The information is not positive definite: a point that is no maximum, or features as good as collinear.
    Indefinite,
    /// Fewer than two clusters have rows.
    TooFewClusters,
    /// A row has a leverage of one: it is fitted whatever its count, so that nothing tells how far counts there scatter.
    Leverage,
    /// There is no neuron, or no parameter, of this number.
    Outside,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unavailable::NoMaximum => formatter
                .write_str("the likelihood has no finite maximum, so coefficients have no standard errors; a ridge gives them some"),
            Unavailable::NoDegreesOfFreedom => formatter.write_str("no degrees of freedom are left to estimate the scale from"),
            Unavailable::Indefinite => formatter.write_str("the information is not positive definite at these coefficients"),
            Unavailable::Leverage => formatter.write_str("a row is fitted whatever its count (its leverage is one), which HC3 divides by; take HC0, or leave out the feature that it alone has"),
            Unavailable::Outside => formatter.write_str("there is no such neuron or parameter"),
            Unavailable::TooFewClusters => formatter.write_str("fewer than two clusters have rows"),
        }
    }
}

/// What can be said of one coefficient.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Standing {
    /// It was estimated.
    Estimated,
    /// It was held at zero by a mask.
    Masked,
    /// Other columns span its own: any value of it would do as well, if theirs follow. Differences along a curve, rates and tests of
    /// whole blocks can be estimated all the same.
    NotEstimable {
        /// Numbers of the columns that depend on each other; the intercept has the number after the last feature.
        with: Vec<usize>,
    },
    /// Nothing can be said of this neuron.
    Unavailable(Unavailable),
}
