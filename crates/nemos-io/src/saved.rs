//! A fitted model as a file holds it: everything but its types.

use std::fmt;

use ndarray::Array2;
use nemos_glm::{FeatureMask, Groups, LinkForm, ModelForm, Outcome, Regularizer, Strength};

use crate::specification::split;
use crate::{Error, names};

/// A fitted model as a file holds it: everything but its types.
///
/// It prints what it is, for when a file's types are not known: `a poisson model with link exp: 1 neuron, 4 features`.
/// [`SaveModel::from_saved`](crate::SaveModel::from_saved) makes it a model.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedModel {
    pub(crate) kind: Kind,
    /// `[n_features, n_neurons · n_classes]`, the classes of a neuron side by side.
    pub(crate) coef: Array2<f64>,
    /// `[n_neurons · n_classes]`
    pub(crate) intercept: Vec<f64>,
    pub(crate) regularizer: Regularizer,
    pub(crate) mask: Option<FeatureMask>,
    pub(crate) outcome: Outcome,
    /// `[n_neurons]`, ones for a classifier.
    pub(crate) scale: Vec<f64>,
    /// `[n_neurons]`
    pub(crate) dof_resid: Vec<f64>,
    pub(crate) has_offset: bool,
}

/// What kind of model it is.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Glm { observation: ModelForm, link: LinkForm },
    Classifier { n_classes: usize },
}

impl Kind {
    /// One for a model without classes.
    pub(crate) fn n_classes(self) -> usize {
        match self {
            Kind::Glm { .. } => 1,
            Kind::Classifier { n_classes } => n_classes,
        }
    }

    /// In words.
    pub(crate) fn describe(self) -> String {
        match self {
            Kind::Glm { observation, link } => format!(
                "a {} model with link {}",
                names::model_name(observation).unwrap_or("newer"),
                names::link_name(link).unwrap_or("newer")
            ),
            Kind::Classifier { n_classes } => format!("a classifier of {n_classes} classes"),
        }
    }
}

impl SavedModel {
    /// Number of neurons.
    pub fn n_neurons(&self) -> usize {
        self.intercept.len() / self.kind.n_classes().max(1)
    }

    /// Number of features.
    pub fn n_features(&self) -> usize {
        self.coef.nrows()
    }

    /// Checks that all parts fit each other, which a file need not do.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        let refuse = |part, expected| Err(Error::ModelPart { part, expected });
        let n_classes = self.kind.n_classes();
        let (n_features, n_columns) = self.coef.dim();
        if matches!(self.kind, Kind::Classifier { n_classes: 0 | 1 }) {
            return refuse("number of classes", "two or more");
        }
        if n_columns == 0 || self.intercept.len() != n_columns || n_columns % n_classes != 0 {
            return refuse("intercept", "one number per neuron and class, as the coefficients have columns");
        }
        let n_neurons = self.n_neurons();
        if self.scale.len() != n_neurons {
            return refuse("scale", "one number per neuron");
        }
        if self.dof_resid.len() != n_neurons {
            return refuse("dof_resid", "one number per neuron");
        }
        if self.outcome.columns.len() != n_neurons {
            return refuse("outcome", "one entry per neuron");
        }
        if let Kind::Glm {
            observation: ModelForm::NegativeBinomial { scale: Some(scale) },
            ..
        } = self.kind
            && !(scale.is_finite() && scale > 0.0)
        {
            return refuse("dispersion", "a number above zero");
        }
        if let Some(FeatureMask::Coefficients(mask)) = &self.mask
            && mask.dim() != (n_features, n_neurons)
            && mask.dim() != (n_features, n_columns)
        {
            return refuse("feature mask", "one flag per coefficient");
        }
        if let Some((_, Some(Strength::PerCoefficient(strengths)))) = split(&self.regularizer)
            && strengths.dim() != (n_features, n_columns)
        {
            return refuse("strength", "one number per coefficient");
        }
        // What is said of named blocks can only be checked against a design.
        if !names_blocks(&self.regularizer) {
            self.regularizer
                .validate_classes(n_features, n_neurons, n_classes)
                .map_err(nemos_glm::Error::from)?;
        }
        Ok(self)
    }
}

/// Whether a penalty speaks of blocks by their names.
fn names_blocks(regularizer: &Regularizer) -> bool {
    match regularizer {
        Regularizer::Ridge(strength) | Regularizer::Lasso(strength) | Regularizer::ElasticNet { strength, .. } => {
            matches!(strength, Strength::PerBlock(_))
        }
        Regularizer::GroupLasso { strength, groups } => matches!(strength, Strength::PerBlock(_)) || matches!(groups, Groups::Blocks),
        _ => false,
    }
}

impl fmt::Display for SavedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        let (neurons, features) = (many(self.n_neurons(), "neuron"), many(self.n_features(), "feature"));
        write!(f, "{}: {neurons}, {features}", self.kind.describe())
    }
}
