//! The built-in observation models: one row of a table for each, which its own file fills.

use nemos_core::{Curve, Scatter};
use serde::{Deserialize, Serialize};

use crate::LinkForm;
use crate::engine::loops::BothPrecisions;
use crate::models::{bernoulli, gamma, gaussian, negative_binomial, poisson};

/// What the crate knows of a built-in observation model besides its tensors.
pub(crate) struct Row {
    /// The name under which it is saved.
    pub(crate) name: &'static str,
    /// The fused loops with a link, where there are some.
    pub(crate) loops: fn(LinkForm) -> Option<BothPrecisions>,
    /// A bound on the curvature of the loss of one count in the predictor, under a link, where there is one.
    pub(crate) curvature_bound: fn(LinkForm, f64) -> Option<f64>,
    /// Which kernel of a graphics card computes its loss.
    pub(crate) scatter: Scatter,
}

/// All rows.
const MODELS: [&Row; 5] = [&poisson::ROW, &gamma::ROW, &gaussian::ROW, &bernoulli::ROW, &negative_binomial::ROW];

/// Which built-in observation model a model is: its name, and its scale where it has one that is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BuiltIn {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scale: Option<f64>,
}

impl BuiltIn {
    pub(crate) fn new(row: &Row, scale: Option<f64>) -> Self {
        BuiltIn {
            name: row.name.into(),
            scale,
        }
    }

    /// The model of this name, if there is one.
    pub fn named(name: &str, scale: Option<f64>) -> Option<Self> {
        MODELS.iter().find(|row| row.name == name).map(|row| BuiltIn::new(row, scale))
    }

    /// The names of all of them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        MODELS.iter().map(|row| row.name)
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The scale, where it is a known one.
    pub fn scale(&self) -> Option<f64> {
        self.scale
    }

    pub(crate) fn is(&self, row: &Row) -> bool {
        self.name == row.name
    }

    /// The fused loops of this model with a link.
    pub(crate) fn loops(&self, link: LinkForm) -> Option<BothPrecisions> {
        let row = MODELS.iter().find(|row| self.is(row))?;
        (row.loops)(link)
    }

    /// The kernel of this model with a link, where there are loops: one knows what the other does.
    pub(crate) fn kernel(&self, link: LinkForm) -> Option<(Scatter, Curve)> {
        let row = MODELS.iter().find(|row| self.is(row))?;
        (row.loops)(link)?;
        let curve = match link {
            LinkForm::Exp => Curve::Exp,
            LinkForm::Softplus => Curve::Softplus,
            LinkForm::Identity => Curve::Identity,
            LinkForm::Logistic => Curve::Logistic,
            LinkForm::Reciprocal => Curve::Reciprocal,
            LinkForm::NormalCdf => return None,
        };
        Some((row.scatter, curve))
    }

    /// A bound on the curvature of the loss of one count in the predictor.
    pub(crate) fn curvature_bound(&self, link: LinkForm, count: f64) -> Option<f64> {
        let row = MODELS.iter().find(|row| self.is(row))?;
        (row.curvature_bound)(link, count)
    }
}
