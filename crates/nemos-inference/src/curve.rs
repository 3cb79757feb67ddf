//! Curves with bands: filters, tuning curves, differences between conditions, predictions.

use std::sync::Arc;

use ndarray::{Array1, Array2, Axis, s};
use nemos_core::{Backend, SymmetricEigen, ToDesign};
use nemos_glm::LinkForm;
use rand::{Rng, RngExt};

use crate::described::HostLink;
use crate::distribution::normal_quantile;
use crate::error::{check_length, check_level};
use crate::estimates::quadratic;
use crate::tests_of::Tests;
use crate::{Error, Estimates, Reference};

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
    factor: Vec<Array2<f64>>,
    reference: Vec<Reference>,
    link: Arc<dyn HostLink>,
}

/// A band about a curve: `[n_points, n_neurons]` each.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Band {
    /// The curve.
    pub value: Array2<f64>,
    /// The lower end.
    pub lower: Array2<f64>,
    /// The upper end.
    pub upper: Array2<f64>,
    /// `[n_neurons]`: how many standard errors the band spans to either side.
    pub critical: Vec<f64>,
}

// Simulated maxima from which a simultaneous band is read: its critical value is known to about 1 %.
const DRAWS: usize = 10_000;

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
        let columns = self.features.block(block)?.columns();
        let mut contrasts = self.filter(block, features)?;
        let n_features = self.mean.len();
        for mut row in contrasts.rows.rows_mut() {
            for other in (0..n_features).filter(|feature| !columns.contains(feature)) {
                row[other] = self.mean[other];
            }
            row[n_features] = 1.0;
        }
        Ok(contrasts)
    }

    /// The contrasts of predictions at samples: all features, and the intercept.
    ///
    /// # Errors
    /// If the samples do not have the features of the model, or cannot be read.
    #[doc(alias = "get_prediction")]
    pub fn predictions<B: Backend>(&self, samples: &(impl ToDesign<B> + ?Sized)) -> Result<Contrasts, Error> {
        let features = samples.to_design().to_matrix()?.to_array();
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
            (contrasts.rows.nrows(), "one per point of the curve"),
        )?;
        self.curve_beside(contrasts, Some(offset))
    }

    fn curve_beside(&self, contrasts: &Contrasts, offset: Option<&[f64]>) -> Result<Curve, Error> {
        let rows = &contrasts.rows;
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

    /// A band that covers each point with this probability (0.95).
    ///
    /// # Errors
    /// [`Error::Level`] unless the level lies between 0 and 1.
    pub fn pointwise(&self, level: f64) -> Result<Band, Error> {
        check_level(level)?;
        Ok(self.band(self.reference.iter().map(|reference| reference.critical(level)).collect()))
    }

    /// A band that covers the whole curve with this probability: as wide as 10,000 simulated maxima say, to about 1 %. Points
    /// without a standard error count for nothing.
    ///
    /// # Errors
    /// [`Error::Level`] unless the level lies between 0 and 1.
    ///
    /// # References
    /// Ruppert, Wand & Carroll (2003), *Semiparametric Regression*, section 6.5.
    pub fn simultaneous<R: Rng + ?Sized>(&self, level: f64, rng: &mut R) -> Result<Band, Error> {
        check_level(level)?;
        let critical = (0..self.factor.len()).map(|neuron| {
            let errors = self.standard_error.column(neuron);
            let points: Vec<usize> = (0..errors.len()).filter(|&point| errors[point] > 0.0).collect();
            if points.is_empty() {
                return f64::NAN;
            }
            let mut unit = self.factor[neuron].select(Axis(0), &points);
            for (mut row, &point) in unit.rows_mut().into_iter().zip(&points) {
                row.mapv_inplace(|x| x / errors[point]);
            }
            let mut maxima: Vec<f64> = Vec::with_capacity(DRAWS);
            // As many at a time as stay small.
            for draws in nemos_core::row_chunks(DRAWS, 500) {
                let z = Array2::from_shape_simple_fn((unit.ncols(), draws.len()), || normal(rng));
                let along = unit.dot(&z);
                for draw in along.columns() {
                    let largest = draw.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
                    maxima.push(largest / student(self.reference[neuron], rng));
                }
            }
            quantile(&mut maxima, level)
        });
        Ok(self.band(critical.collect()))
    }

    /// The band of Scheffé: it covers any number of combinations of the parameters that the curve has, so it is wide.
    ///
    /// # Errors
    /// [`Error::Level`] unless the level lies between 0 and 1.
    pub fn scheffe(&self, level: f64) -> Result<Band, Error> {
        check_level(level)?;
        let critical = self.factor.iter().zip(&self.reference).map(|(factor, reference)| {
            let rank = quadratic_rank(factor) as f64;
            match reference {
                Reference::StudentT(dof) => (rank * Reference::F(rank, *dof).quantile(level)).sqrt(),
                _ => Reference::ChiSquared(rank).quantile(level).sqrt(),
            }
        });
        Ok(self.band(critical.collect()))
    }

    /// The band of Bonferroni: each point at the level that their number asks for.
    ///
    /// # Errors
    /// [`Error::Level`] unless the level lies between 0 and 1.
    pub fn bonferroni(&self, level: f64) -> Result<Band, Error> {
        check_level(level)?;
        let critical = self.reference.iter().enumerate().map(|(neuron, reference)| {
            let n = self.standard_error.column(neuron).iter().filter(|error| **error > 0.0).count();
            reference.critical(1.0 - (1.0 - level) / n.max(1) as f64)
        });
        Ok(self.band(critical.collect()))
    }

    fn band(&self, critical: Vec<f64>) -> Band {
        let half = &self.standard_error * &ndarray::aview1(&critical);
        Band {
            lower: &self.value - &half,
            upper: &self.value + &half,
            value: self.value.clone(),
            critical,
        }
    }

    /// A band of the curve as one of rates: its ends through the link, times this many bins per second (one for rates per bin). The
    /// band of a rate never goes below zero, as `rate ± standard errors` would.
    #[expect(clippy::missing_panics_doc, reason = "invariant: a link gives a rate for each predictor")]
    pub fn rates(&self, band: &Band, bins_per_second: f64) -> Band {
        let through = |values: &Array2<f64>| {
            let values = values.as_standard_layout();
            let flat: Vec<f64> = values.iter().copied().collect();
            let (rate, _) = self.link.rate_and_slope(&flat);
            Array2::from_shape_vec(values.dim(), rate).expect("as many rates as predictors") * bins_per_second
        };
        let (first, second) = (through(&band.lower), through(&band.upper));
        let both = |of: fn(f64, f64) -> f64| Array2::from_shape_fn(first.dim(), |at| of(first[at], second[at]));
        let (mut lower, mut upper) = (both(f64::min), both(f64::max));
        if self.link.form() == Some(LinkForm::Reciprocal) {
            // One over what may be zero is without bound.
            for (at, &end) in band.lower.indexed_iter().filter(|(_, end)| **end <= 0.0) {
                upper[at] = if end.is_nan() { f64::NAN } else { f64::INFINITY };
                lower[at] = second[at];
            }
        }
        let missing = |at: (usize, usize)| band.lower[at].is_nan();
        lower
            .indexed_iter_mut()
            .filter(|(at, _)| missing(*at))
            .for_each(|(_, x)| *x = f64::NAN);
        upper
            .indexed_iter_mut()
            .filter(|(at, _)| missing(*at))
            .for_each(|(_, x)| *x = f64::NAN);
        Band {
            value: through(&band.value),
            lower,
            upper,
            critical: band.critical.clone(),
        }
    }

    /// `[n_points, n_neurons]`: standard errors of the rates by the delta method, `|∂rate/∂predictor| · se`, times this many bins per
    /// second. Not for intervals: those come from [`rates`](Curve::rates).
    #[expect(clippy::missing_panics_doc, reason = "invariant: a link gives a slope for each predictor")]
    pub fn rate_standard_error(&self, bins_per_second: f64) -> Array2<f64> {
        let flat: Vec<f64> = self.value.iter().copied().collect();
        let (_, slope) = self.link.rate_and_slope(&flat);
        let slope = Array2::from_shape_vec(self.value.dim(), slope).expect("as many slopes as predictors");
        slope.mapv(f64::abs) * &self.standard_error * bins_per_second
    }
}

/// The rank of `factor · factorᵀ`.
fn quadratic_rank(factor: &Array2<f64>) -> usize {
    quadratic(&Array1::zeros(factor.ncols()), &factor.t().dot(factor)).map_or(0, |(_, rank)| rank)
}

/// A standard normal number, by its quantile: one draw of the generator for each.
pub(crate) fn normal<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    loop {
        let share: f64 = rng.random();
        if share > 0.0 {
            return normal_quantile(share);
        }
    }
}

/// What takes normal numbers to Student's: the root of χ² over its degrees of freedom; one where the scale is known.
fn student<R: Rng + ?Sized>(reference: Reference, rng: &mut R) -> f64 {
    match reference {
        Reference::StudentT(dof) => {
            let share: f64 = rng.random_range(1e-12..1.0);
            // Wilson and Hilferty, to three digits.
            let z = normal_quantile(share);
            let k = 2.0 / (9.0 * dof);
            (1.0 - k + z * k.sqrt()).max(1e-3).powf(1.5)
        }
        _ => 1.0,
    }
}

/// The quantile of some numbers, between the two that are nearest (type 7).
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    if values.is_empty() {
        return f64::NAN;
    }
    let place = share * (values.len() - 1) as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    let above = (below + 1).min(values.len() - 1);
    values[below] + part * (values[above] - values[below])
}
