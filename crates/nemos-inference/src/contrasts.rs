//! Combinations of parameters that make the points of a curve.

use ndarray::{Array2, Axis, s};
use nemos_core::{Backend, ToDesign};

use crate::error::check_length;
use crate::{Error, Estimates};

/// Points of a curve as combinations of parameters: `curve = rows · parameters`.
///
/// # Shapes
/// `[n_points, n_features + 1]`, the intercept last.
#[derive(Clone, Debug, PartialEq)]
pub struct Contrasts {
    rows: Array2<f64>,
}

impl Contrasts {
    /// Any combinations of the parameters, `[n_points, n_features + 1]`.
    pub fn new(rows: Array2<f64>) -> Self {
        Contrasts { rows }
    }

    /// The combinations themselves.
    pub fn rows(&self) -> &Array2<f64> {
        &self.rows
    }

    /// Each point less the mean of all: what a curve is beside a constant. It can be estimated where the curve itself cannot, because
    /// the functions of its basis add up to one.
    #[must_use]
    pub fn centred(mut self) -> Self {
        if let Some(mean) = self.rows.mean_axis(Axis(0)) {
            self.rows -= &mean;
        }
        self
    }

    /// The difference of two curves, point by point: two conditions.
    ///
    /// # Errors
    /// [`Error::Length`] unless both have as many points of as many parameters.
    pub fn minus(&self, other: &Contrasts) -> Result<Contrasts, Error> {
        let ((points, parameters), (of_points, of_parameters)) = (self.rows.dim(), other.rows.dim());
        check_length("the other contrasts", "rows", of_points, (points, "one per point of the first"))?;
        check_length(
            "the other contrasts",
            "columns",
            of_parameters,
            (parameters, "one per parameter of the first"),
        )?;
        Ok(Contrasts {
            rows: &self.rows - &other.rows,
        })
    }
}

impl Estimates {
    /// The contrasts of a filter: features of a block on a grid, without the intercept and the other blocks.
    ///
    /// # Shapes
    /// features: `[n_points, n_features of the block]`.
    ///
    /// # Errors
    /// If there is no such block, or it has other features.
    pub fn filter(&self, block: &str, features: &Array2<f64>) -> Result<Contrasts, Error> {
        let columns = self.features.block(block)?.columns();
        check_length(
            "the features of the curve",
            "columns",
            features.ncols(),
            (columns.len(), "those of the block"),
        )?;
        let mut rows = Array2::zeros((features.nrows(), self.names.len()));
        rows.slice_mut(s![.., columns]).assign(features);
        Ok(Contrasts { rows })
    }

    /// The contrasts of a tuning curve: features of a block on a grid, beside the intercept, with all other features at their means.
    ///
    /// # Errors
    /// As [`filter`](Estimates::filter).
    pub fn tuning_curve(&self, block: &str, features: &Array2<f64>) -> Result<Contrasts, Error> {
        self.tuning_curve_of(&[(block, features)])
    }

    /// The contrasts of a tuning curve of several blocks at once, such as a place and the condition in which it is visited: features of
    /// each block at the same points, beside the intercept, with all other features at their means.
    ///
    /// # Shapes
    /// features: `[n_points, n_features of the block]` each.
    ///
    /// # Errors
    /// As [`filter`](Estimates::filter), and if there is no block, or they have different points.
    pub fn tuning_curve_of(&self, blocks: &[(&str, &Array2<f64>)]) -> Result<Contrasts, Error> {
        let Some((_, first)) = blocks.first() else {
            return Err(Error::NoTerms);
        };
        let (n_points, n_features) = (first.nrows(), self.mean.len());
        let means = ndarray::aview1(&self.mean);
        let mut rows = Array2::ones((n_points, n_features + 1));
        rows.slice_mut(s![.., ..n_features]).assign(&means);
        for (block, features) in blocks {
            let expected = (n_points, "as many as of the first block");
            check_length("the features of the curve", "rows", features.nrows(), expected)?;
            let columns = self.features.block(block)?.columns();
            let of_block = self.filter(block, features)?;
            rows.slice_mut(s![.., columns.clone()])
                .assign(&of_block.rows.slice(s![.., columns]));
        }
        Ok(Contrasts { rows })
    }

    /// The contrasts of predictions at samples: all features, and the intercept.
    ///
    /// # Errors
    /// If the samples do not have the features of the model, or cannot be read.
    #[doc(alias = "get_prediction")]
    pub fn predictions<B: Backend>(&self, samples: &(impl ToDesign<B> + ?Sized)) -> Result<Contrasts, Error> {
        let samples = samples.to_design();
        self.features.check_same("samples", samples.names())?;
        let features = samples.to_matrix()?.to_array();
        check_length(
            "the samples",
            "columns",
            features.ncols(),
            (self.mean.len(), "one per feature of the model"),
        )?;
        let ones = Array2::ones((features.nrows(), 1));
        Ok(Contrasts {
            rows: ndarray::concatenate![Axis(1), features, ones],
        })
    }
}
