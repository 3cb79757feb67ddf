//! Coefficients with their covariances: standard errors, statistics, intervals.

use std::sync::Arc;

use ndarray::{Array1, Array2, Array3};
use nemos_core::{Backend, Names};
use nemos_glm::Information;

use crate::described::HostLink;
use crate::error::check_level;
use crate::symmetric::Symmetric;
use crate::{Covariance, Error, Inference, Reference, Standing, Unavailable};

/// Coefficients with one kind of covariance, for every neuron.
///
/// # Shapes
/// Tables are `[n_parameters, n_neurons]`: the coefficients, and the intercept below them. Where there is no number it is NaN, and
/// [`standing`](Estimates::standing) says why.
#[derive(Clone, Debug)]
pub struct Estimates {
    pub(crate) names: Vec<String>,
    pub(crate) features: Names,
    pub(crate) neurons: Vec<String>,
    pub(crate) parameters: Array2<f64>,
    /// Means of the features.
    pub(crate) mean: Vec<f64>,
    pub(crate) each: Vec<OfNeuron>,
    pub(crate) link: Arc<dyn HostLink>,
    pub(crate) information: Information,
    pub(crate) covariance_title: String,
    pub(crate) notes: Vec<String>,
}

/// What is known of one neuron.
#[derive(Clone, Debug)]
pub(crate) struct OfNeuron {
    /// `[n_parameters, n_parameters]`
    pub(crate) covariance: Result<Symmetric, Unavailable>,
    /// `[n_parameters, n_null]`: directions that no row sees.
    pub(crate) null: Array2<f64>,
    pub(crate) free: Vec<bool>,
    pub(crate) reference: Reference,
}

// A direction is seen by the rows if what it has of the others is no more than this share of it.
pub(crate) const ESTIMABLE: f64 = 1e-8;

impl<B: Backend> Inference<'_, B> {
    /// Coefficients with a covariance: standard errors, statistics, intervals, curves, Wald tests.
    ///
    /// # Errors
    /// [`Error::NotNormal`] after a lasso; if a covariance needs a ridge, at least two clusters, labels for each row, or times, and
    /// there are none.
    pub fn estimates(&self, covariance: &Covariance) -> Result<Estimates, Error> {
        let made = self.covariances(covariance)?;
        let (n_parameters, width) = (self.parameters.n_parameters(), self.columns.width());
        let of_neurons = made.covariance.into_iter().zip(made.reference).zip(&self.of_neurons);
        let each = of_neurons.map(|((covariance, reference), of)| OfNeuron {
            covariance,
            null: of
                .bread
                .as_ref()
                .map_or_else(|_| Array2::zeros((n_parameters, 0)), |bread| bread.null.clone()),
            free: (0..n_parameters)
                .map(|parameter| parameter % width == width - 1 || of.free.contains(&parameter))
                .collect(),
            reference,
        });
        let each = each.collect();
        Ok(Estimates {
            names: self.parameter_names(),
            features: self.model.features().clone(),
            neurons: self.model.neurons().to_vec(),
            parameters: self.model.parameters().to_array(n_parameters),
            mean: self.columns.mean.clone(),
            each,
            link: self.model.link(),
            information: self.information(),
            covariance_title: made.title,
            notes: made.notes,
        })
    }

    /// `[n_parameters]`: the names of the features, and `intercept`.
    pub(crate) fn parameter_names(&self) -> Vec<String> {
        let mut known = self.model.features().labels(self.n_features());
        known.push("intercept".into());
        known
    }
}

impl Estimates {
    /// `[n_parameters]`: the names of the parameters, the intercept last.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// `[n_neurons]`: the names of the neurons.
    pub fn neurons(&self) -> &[String] {
        &self.neurons
    }

    /// Which covariance these have, in words.
    pub fn covariance_kind(&self) -> &str {
        &self.covariance_title
    }

    /// What a reader of these numbers should know.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Which information was inverted.
    pub fn information(&self) -> Information {
        self.information
    }

    /// `[n_parameters, n_neurons]`: the parameters; NaN for a neuron of which nothing can be said. Of collinear features, those of
    /// least norm.
    pub fn parameters(&self) -> Array2<f64> {
        self.table(|parameter, neuron, _| self.parameters[(parameter, neuron)])
    }

    /// The covariance of the parameters of a neuron, `[n_parameters, n_parameters]`: zero in rows of masked coefficients.
    ///
    /// # Errors
    /// Why there is none.
    #[doc(alias("cov_params", "vcov"))]
    pub fn covariance(&self, neuron: usize) -> Result<Array2<f64>, Unavailable> {
        match self.each.get(neuron).map(|of| &of.covariance) {
            Some(Ok(covariance)) => Ok(covariance.to_array()),
            Some(Err(why)) => Err(*why),
            None => Err(Unavailable::Outside),
        }
    }

    /// What can be said of a parameter.
    pub fn standing(&self, parameter: usize, neuron: usize) -> Standing {
        let of = match self.each.get(neuron) {
            Some(of) if parameter < of.free.len() => of,
            _ => return Standing::Unavailable(Unavailable::Outside),
        };
        match &of.covariance {
            Err(why) => return Standing::Unavailable(*why),
            Ok(_) if !of.free[parameter] => return Standing::Masked,
            Ok(_) => {}
        }
        let row = of.null.row(parameter);
        if row.dot(&row).sqrt() <= ESTIMABLE {
            return Standing::Estimated;
        }
        // Those that the same directions move.
        let moved = of.null.dot(&row);
        let with = moved.iter().enumerate().filter(|(_, moved)| moved.abs() > ESTIMABLE);
        Standing::NotEstimable {
            with: with.map(|(parameter, _)| parameter).collect(),
        }
    }

    /// `[n_parameters, n_neurons]`: standard errors.
    #[doc(alias = "bse")]
    pub fn standard_errors(&self) -> Array2<f64> {
        self.estimated(|parameter, _, covariance| covariance.diagonal(parameter).max(0.0).sqrt())
    }

    /// `[n_parameters, n_neurons]`: parameters over their standard errors.
    #[doc(alias = "tvalues")]
    pub fn statistics(&self) -> Array2<f64> {
        self.estimated(|parameter, neuron, covariance| {
            self.parameters[(parameter, neuron)] / covariance.diagonal(parameter).max(0.0).sqrt()
        })
    }

    /// `[n_neurons]`: what the statistics of each neuron are compared with.
    pub fn references(&self) -> Vec<Reference> {
        self.each.iter().map(|of| of.reference).collect()
    }

    /// `[n_parameters, n_neurons]`: the probability of a statistic as far from zero, on either side, where the parameter is zero.
    /// After a ridge they are approximate: the estimate is biased towards zero.
    #[doc(alias = "pvalues")]
    pub fn p_values(&self) -> Array2<f64> {
        let statistics = self.statistics();
        Array2::from_shape_fn(statistics.dim(), |(parameter, neuron)| {
            self.each[neuron].reference.two_sided(statistics[(parameter, neuron)])
        })
    }

    /// `[n_parameters, n_neurons]`: logarithms of the p-values, which are numbers where those are too small for one.
    pub fn ln_p_values(&self) -> Array2<f64> {
        let statistics = self.statistics();
        Array2::from_shape_fn(statistics.dim(), |(parameter, neuron)| {
            self.each[neuron].reference.ln_two_sided(statistics[(parameter, neuron)])
        })
    }

    /// `[n_parameters, n_neurons, 2]`: Wald's interval at this level (0.95), estimate ± quantile · standard error.
    ///
    /// # Errors
    /// [`Error::Level`] unless the level lies between 0 and 1.
    #[doc(alias("conf_int", "confint"))]
    pub fn confidence(&self, level: f64) -> Result<Array3<f64>, Error> {
        check_level(level)?;
        let errors = self.standard_errors();
        let (n_parameters, n_neurons) = errors.dim();
        let critical: Vec<f64> = self.each.iter().map(|of| of.reference.critical(level)).collect();
        Ok(Array3::from_shape_fn((n_parameters, n_neurons, 2), |(parameter, neuron, end)| {
            let half = critical[neuron] * errors[(parameter, neuron)];
            self.parameters[(parameter, neuron)] + if end == 0 { -half } else { half }
        }))
    }

    /// `[n_parameters, n_neurons, 3]`: exponentials of the parameters and of the ends of their intervals: under an exponential link,
    /// what one unit of a feature multiplies the rate with (of a spike before, the gain that it brings).
    ///
    /// # Errors
    /// As [`confidence`](Estimates::confidence).
    pub fn gains(&self, level: f64) -> Result<Array3<f64>, Error> {
        let ends = self.confidence(level)?;
        let (n_parameters, n_neurons, _) = ends.dim();
        Ok(Array3::from_shape_fn(
            (n_parameters, n_neurons, 3),
            |(parameter, neuron, place)| match place {
                0 if ends[(parameter, neuron, 0)].is_nan() => f64::NAN,
                0 => self.parameters[(parameter, neuron)].exp(),
                end => ends[(parameter, neuron, end - 1)].exp(),
            },
        ))
    }

    fn table(&self, of: impl Fn(usize, usize, &Symmetric) -> f64) -> Array2<f64> {
        Array2::from_shape_fn(self.parameters.dim(), |(parameter, neuron)| match &self.each[neuron].covariance {
            Ok(covariance) => of(parameter, neuron, covariance),
            Err(_) => f64::NAN,
        })
    }

    fn estimated(&self, of: impl Fn(usize, usize, &Symmetric) -> f64) -> Array2<f64> {
        self.table(|parameter, neuron, covariance| match self.standing(parameter, neuron) {
            Standing::Estimated => of(parameter, neuron, covariance),
            _ => f64::NAN,
        })
    }

    /// Whether rows see a direction of the parameters.
    pub(crate) fn is_estimable(&self, direction: ndarray::ArrayView1<'_, f64>, neuron: usize) -> bool {
        let of = &self.each[neuron];
        // A coefficient that is held is known.
        let free: Array1<f64> = direction
            .iter()
            .zip(&of.free)
            .map(|(x, free)| if *free { *x } else { 0.0 })
            .collect();
        let unseen = of.null.t().dot(&free);
        unseen.dot(&unseen).sqrt() <= ESTIMABLE * free.dot(&free).sqrt()
    }
}
