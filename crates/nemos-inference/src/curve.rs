//! Curves with their standard errors: filters, tuning curves, maps, differences between conditions, predictions.

use std::sync::Arc;

use ndarray::{Array1, Array2, Axis};
use nemos_core::SymmetricEigen;

use crate::described::HostLink;
use crate::error::check_length;
use crate::tests_of::Tests;
use crate::wald::quadratic;
use crate::{Contrasts, Error, Estimates, Reference};

/// A curve for every neuron, on the scale of the predictor, with what its bands need.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Curve {
    /// `[n_points, n_neurons]`: the predictor, or the part of it that the curve is; NaN where rows cannot tell.
    pub value: Array2<f64>,
    /// `[n_points, n_neurons]`: its standard error.
    pub standard_error: Array2<f64>,
    neurons: Vec<String>,
    /// `[n_points, n_points]` covariances would be large; their factors `[n_points, n_parameters]` are not.
    pub(crate) factor: Vec<Array2<f64>>,
    pub(crate) reference: Vec<Reference>,
    pub(crate) link: Arc<dyn HostLink>,
}

impl Estimates {
    /// The curve of these contrasts for every neuron, with its standard errors.
    ///
    /// # Errors
    /// If the contrasts are not of all parameters.
    pub fn curve(&self, contrasts: &Contrasts) -> Result<Curve, Error> {
        self.curve_beside(contrasts, None)
    }

    /// The curve beside an offset, `[n_points]`: the logarithm of an exposure, of predictions that have one.
    ///
    /// # Errors
    /// If the contrasts are not of all parameters, or the offset is not of all points.
    pub fn curve_with_offset(&self, contrasts: &Contrasts, offset: &[f64]) -> Result<Curve, Error> {
        check_length(
            "the offset",
            "entries",
            offset.len(),
            (contrasts.rows().nrows(), "one per point of the curve"),
        )?;
        self.curve_beside(contrasts, Some(offset))
    }

    fn curve_beside(&self, contrasts: &Contrasts, offset: Option<&[f64]>) -> Result<Curve, Error> {
        let rows = contrasts.rows();
        check_length(
            "the contrasts",
            "columns",
            rows.ncols(),
            (self.names.len(), "one per feature, and one for the intercept"),
        )?;
        let dims = (rows.nrows(), self.neurons.len());
        let (mut value, mut standard_error) = (Array2::from_elem(dims, f64::NAN), Array2::from_elem(dims, f64::NAN));
        let mut factor = Vec::with_capacity(dims.1);
        for neuron in 0..dims.1 {
            let of = &self.each[neuron];
            let root = of.covariance.as_ref().ok().and_then(|covariance| root(&covariance.to_array()));
            let Some(root) = root else {
                factor.push(Array2::zeros((dims.0, 0)));
                continue;
            };
            let mut spread = rows.dot(&root);
            for (point, row) in rows.rows().into_iter().enumerate() {
                let known = row.dot(&self.parameters.column(neuron)) + offset.map_or(0.0, |offset| offset[point]);
                if self.is_estimable(row, neuron) && known.is_finite() {
                    value[(point, neuron)] = known;
                    standard_error[(point, neuron)] = spread.row(point).dot(&spread.row(point)).sqrt();
                } else {
                    spread.row_mut(point).fill(0.0);
                }
            }
            factor.push(spread);
        }
        Ok(Curve {
            value,
            standard_error,
            neurons: self.neurons.clone(),
            factor,
            reference: self.each.iter().map(|of| of.reference).collect(),
            link: self.link.clone(),
        })
    }

    /// Wald's test that a curve is zero everywhere.
    ///
    /// # Errors
    /// As [`curve`](Estimates::curve).
    pub fn wald_of_curve(&self, contrasts: &Contrasts) -> Result<Tests, Error> {
        let curve = self.curve(contrasts)?;
        let each = (0..self.neurons.len()).map(|neuron| {
            let points: Vec<usize> = (0..curve.value.nrows())
                .filter(|&point| curve.standard_error[(point, neuron)] > 0.0)
                .collect();
            let value: Array1<f64> = points.iter().map(|&point| curve.value[(point, neuron)]).collect();
            let factor = curve.factor[neuron].select(Axis(0), &points);
            match quadratic(&value, &factor.dot(&factor.t())) {
                Some((statistic, rank)) if rank > 0 => self.tested(statistic, rank, neuron),
                _ => crate::tests_of::Test::none(),
            }
        });
        Ok(Tests {
            title: format!("Wald test of a curve, covariance: {}", self.covariance_title),
            neurons: self.neurons.clone(),
            each: each.collect(),
        })
    }
}

/// A matrix whose square is this one: its eigenvectors, each times the root of its eigenvalue, after scaling to a unit diagonal.
pub(crate) fn root(covariance: &Array2<f64>) -> Option<Array2<f64>> {
    let scale: Vec<f64> = covariance.diag().iter().map(|v| if *v > 0.0 { v.sqrt() } else { 1.0 }).collect();
    let scaled = Array2::from_shape_fn(covariance.dim(), |(i, j)| covariance[(i, j)] / (scale[i] * scale[j]));
    let eigen = SymmetricEigen::new(scaled.view()).ok()?;
    Some(Array2::from_shape_fn(covariance.dim(), |(i, k)| {
        scale[i] * eigen.vectors[(i, k)] * eigen.values[k].max(0.0).sqrt()
    }))
}

impl Curve {
    /// The names of the neurons.
    pub fn neurons(&self) -> &[String] {
        &self.neurons
    }
}
