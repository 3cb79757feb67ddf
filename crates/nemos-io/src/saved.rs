//! A fitted model as a file holds it: everything but its types.

use std::fmt;

use ndarray::Array2;
use nemos_basis::Basis;
use nemos_core::Names;
use nemos_glm::{BuiltIn, LinkForm, Options, Outcome};
use serde::{Deserialize, Serialize};

use crate::Error;

/// A fitted model as a file holds it: everything but its types, and the basis that makes its features.
///
/// It prints what it is, for when a file's types are not known: `a Poisson model with link Exp: 1 neuron, 4 features`.
/// [`SaveModel::from_saved`](crate::SaveModel::from_saved) makes it a model.
///
/// # Example
/// With the basis, bounds of its training data included, a file is all that predictions of new data need:
/// ```
/// use nemos_basis::{BSpline, Basis};
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{Exp, FittedGlm, Glm, Poisson};
/// use nemos_io::{SaveModel, SavedModel};
///
/// let place = Matrix::<Cpu>::from_column((0..40).map(|bin| f64::from(bin % 10)).collect());
/// let counts = Matrix::from_column((0..40).map(|bin| f64::from(bin % 10 % 4)).collect());
/// let basis = Basis::from(BSpline::new(4)).with_bounds_from(&place)?;
/// let fitted = Glm::new(Poisson).fit(&basis.compute_features(&place)?, &counts)?;
///
/// let path = std::env::temp_dir().join("nemos_saved_model_example.safetensors");
/// fitted.to_saved()?.with_basis(basis).save(&path)?;
///
/// let saved = SavedModel::load(&path)?;
/// let (basis, fitted) = (saved.basis().ok_or("no basis")?, FittedGlm::<Poisson, Exp>::from_saved(&saved)?);
/// let later = Matrix::<Cpu>::from_column(vec![2.5, 7.5]);
/// assert_eq!(fitted.predict(&basis.compute_features(&later)?)?.dims(), [2, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "inspect_npz")]
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct SavedModel {
    pub(crate) header: Header,
    /// `[n_features, n_neurons · n_classes]`, the classes of a neuron side by side.
    pub(crate) coef: Array2<f64>,
    /// `[n_neurons · n_classes]`
    pub(crate) intercept: Vec<f64>,
    /// `[n_neurons]`, ones for a classifier.
    pub(crate) scale: Vec<f64>,
    /// `[n_neurons]`
    pub(crate) dof_resid: Vec<f64>,
    /// What of the file could not be taken over.
    pub(crate) warnings: Vec<String>,
}

/// What a file says of a model besides its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) options: Options,
    pub(crate) outcome: Outcome,
    pub(crate) has_offset: bool,
    pub(crate) features: Names,
    pub(crate) neurons: Vec<String>,
    pub(crate) basis: Option<Basis>,
}

/// What kind of model it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Glm { observation: BuiltIn, link: LinkForm },
    Classifier { n_classes: usize },
}

impl Kind {
    /// One for a model without classes.
    pub(crate) fn n_classes(&self) -> usize {
        match self {
            Kind::Glm { .. } => 1,
            Kind::Classifier { n_classes } => *n_classes,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Glm { observation, link } => write!(f, "a {} model with link {link:?}", observation.name()),
            Kind::Classifier { n_classes } => write!(f, "a classifier of {n_classes} classes"),
        }
    }
}

impl SavedModel {
    /// Takes the basis that makes the model's features, which is then saved with it. It should have the
    /// [bounds of the training data](Basis::with_bounds_from): other data have others.
    pub fn with_basis(mut self, basis: impl Into<Basis>) -> Self {
        self.header.basis = Some(basis.into());
        self
    }

    /// The basis that makes the model's features, if it was saved.
    pub fn basis(&self) -> Option<&Basis> {
        self.header.basis.as_ref()
    }

    /// What of a file of NeMoS could not be taken over: pickled groups, labels of classes. Empty for models of this library.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Number of neurons.
    pub fn n_neurons(&self) -> usize {
        self.intercept.len() / self.header.kind.n_classes().max(1)
    }

    /// Number of features.
    pub fn n_features(&self) -> usize {
        self.coef.nrows()
    }

    /// Checks that all parts fit each other, which a file need not do. What the options say of features and neurons is
    /// left to the next fit, as in a model that was never saved.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |part, expected| Err(Error::ModelPart { part, expected });
        let header = &self.header;
        let n_classes = header.kind.n_classes();
        let (n_features, n_columns) = self.coef.dim();
        if matches!(header.kind, Kind::Classifier { n_classes: 0 | 1 }) {
            return refuse("number of classes", "two or more");
        }
        if n_columns == 0 || self.intercept.len() != n_columns || n_columns % n_classes != 0 {
            return refuse("intercept", "one number per neuron and class, as the coefficients have columns");
        }
        let n_neurons = self.n_neurons();
        let lengths = [
            ("scale", self.scale.len()),
            ("dof_resid", self.dof_resid.len()),
            ("outcome", header.outcome.columns.len()),
            ("names of neurons", header.neurons.len()),
        ];
        if let Some((part, _)) = lengths.into_iter().find(|(_, length)| *length != n_neurons) {
            return refuse(part, "one entry per neuron");
        }
        if let Kind::Glm { observation, .. } = &header.kind
            && observation.scale().is_some_and(|scale| !(scale.is_finite() && scale > 0.0))
        {
            return refuse("dispersion", "a number above zero");
        }
        if header.options.start.as_ref().is_some_and(|start| start.n_parameters() == 0) {
            return refuse("start", "coefficients and an intercept for each neuron");
        }
        let blocks_fit = header.features.blocks().iter().all(|block| {
            let columns = block.columns();
            columns.start <= columns.end && columns.end <= n_features && columns.len().is_multiple_of(block.channels().len().max(1))
        });
        if !blocks_fit || header.features.check(n_features).is_err() {
            return refuse("names of features", "one for each, and blocks of as many features for each channel");
        }
        Ok(())
    }
}

impl fmt::Display for SavedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        let (neurons, features) = (many(self.n_neurons(), "neuron"), many(self.n_features(), "feature"));
        write!(f, "{}: {neurons}, {features}", self.header.kind)
    }
}
