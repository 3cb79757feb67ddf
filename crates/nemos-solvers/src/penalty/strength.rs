//! How strongly coefficients are penalised.

use ndarray::Array2;

use crate::error::Error;

/// How strongly coefficients are penalised. A number alone is the same strength for all of them: `0.1.into()`.
///
/// # Shapes
/// A neuron here is a problem: where one neuron is fitted several times, with other strengths or on other folds, each of
/// these fits has a strength of its own. A classifier has coefficients for every class, and a strength per feature holds
/// for all of them.
#[doc(alias("regularizer_strength", "alpha", "lambda"))]
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
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
    /// One number per named block of features. Blocks that are not named are not penalised; of a name given twice, the
    /// last counts.
    PerBlock(Vec<(String, f64)>),
    /// One number per group of a group lasso.
    PerGroup(Vec<f64>),
}

impl From<f64> for Strength {
    fn from(strength: f64) -> Self {
        Strength::Shared(strength)
    }
}

/// How many coefficients there are of each kind.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Counts {
    pub(crate) features: usize,
    pub(crate) neurons: usize,
    pub(crate) predictors: usize,
    /// Groups of a group lasso, or nothing for another penalty.
    pub(crate) groups: Option<usize>,
}

impl Strength {
    /// The strength on one coefficient; `column` is its column among those of all neurons and classes.
    pub(crate) fn at(&self, feature: usize, neuron: usize, column: usize) -> f64 {
        match self {
            Strength::Shared(strength) => *strength,
            Strength::PerNeuron(strengths) => strengths[neuron],
            Strength::PerFeature(strengths) => strengths[feature],
            Strength::PerCoefficient(strengths) => strengths[(feature, column)],
            Strength::PerBlock(_) | Strength::PerGroup(_) => 0.0,
        }
    }

    /// The strengths of these features of these neurons, which have so many predictors each.
    pub(crate) fn select(&self, features: &[usize], neurons: &[usize], n_predictors: usize) -> Self {
        let of = |values: &[f64], places: &[usize]| places.iter().map(|&place| values[place]).collect();
        match self {
            Strength::PerNeuron(strengths) => Strength::PerNeuron(of(strengths, neurons)),
            Strength::PerFeature(strengths) => Strength::PerFeature(of(strengths, features)),
            Strength::PerCoefficient(strengths) => {
                let column = |place: usize| neurons[place / n_predictors] * n_predictors + place % n_predictors;
                let dims = (features.len(), neurons.len() * n_predictors);
                Strength::PerCoefficient(Array2::from_shape_fn(dims, |(i, j)| strengths[(features[i], column(j))]))
            }
            other => other.clone(),
        }
    }

    /// The strength on one group of coefficients.
    pub(crate) fn of_group(&self, group: usize, neuron: usize) -> f64 {
        match self {
            Strength::PerGroup(strengths) => strengths[group],
            other => other.at(0, neuron, 0),
        }
    }

    pub(crate) fn validate(&self, counts: Counts) -> Result<(), Error> {
        let grouped = counts.groups.is_some();
        let refused = |kind| Error::StrengthKind {
            kind,
            penalty: if grouped { "group lasso" } else { "penalty on single coefficients" },
            expected: if grouped {
                "one number, one per neuron or one per group"
            } else {
                "one number, or one per neuron, feature, coefficient or named block"
            },
        };
        match self {
            Strength::Shared(strength) => check(&[*strength], 1, "per model"),
            Strength::PerNeuron(strengths) => check(strengths, counts.neurons, "per neuron"),
            Strength::PerBlock(_) => Err(refused("per block")),
            Strength::PerFeature(_) if grouped => Err(refused("per feature")),
            Strength::PerFeature(strengths) => check(strengths, counts.features, "per feature"),
            Strength::PerCoefficient(_) if grouped => Err(refused("per coefficient")),
            Strength::PerCoefficient(strengths) => {
                check(
                    &vec![0.0; strengths.ncols()],
                    counts.neurons * counts.predictors,
                    "per column of coefficients",
                )?;
                check(&vec![0.0; strengths.nrows()], counts.features, "per feature")?;
                strengths.iter().try_for_each(|&strength| check(&[strength], 1, "per coefficient"))
            }
            Strength::PerGroup(strengths) => match counts.groups {
                Some(n_groups) => check(strengths, n_groups, "per group"),
                None => Err(refused("per group")),
            },
        }
    }
}

fn check(strengths: &[f64], expected: usize, per: &'static str) -> Result<(), Error> {
    let got = strengths.len();
    if got != expected {
        return Err(Error::Strengths { got, per, expected });
    }
    strengths
        .iter()
        .try_for_each(|&strength| Error::check_not_negative("strength of the regularizer", strength))
}
