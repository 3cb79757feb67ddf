//! Replicates of a bootstrap: standard errors and intervals.

use ndarray::{Array2, Array3, Axis, s};

use crate::distribution::normal_quantile;
use crate::draws::quantile;
use crate::error::check_level;
use crate::{Against, Error};

/// What a bootstrap gives: parameters of every replicate and neuron.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Bootstrapped {
    /// `[n_parameters, n_neurons]`: the parameters of the fit.
    pub parameters: Array2<f64>,
    /// `[n_replicates, n_parameters, n_neurons]`: those of the replicates; NaN for those that did not converge.
    pub replicates: Array3<f64>,
    /// `[n_neurons]`: replicates that were dropped, because their likelihood has no maximum or they did not converge.
    pub dropped: Vec<usize>,
    /// What a reader of these numbers should know.
    pub notes: Vec<String>,
}

impl Bootstrapped {
    fn of(&self, what: impl Fn(&mut Vec<f64>) -> f64) -> Array2<f64> {
        Array2::from_shape_fn(self.parameters.dim(), |(parameter, neuron)| {
            let values = self.replicates.slice(s![.., parameter, neuron]);
            let mut values: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
            if values.len() < 2 { f64::NAN } else { what(&mut values) }
        })
    }

    /// `[n_parameters, n_neurons]`: standard deviations of the replicates.
    pub fn standard_errors(&self) -> Array2<f64> {
        self.of(|values| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt()
        })
    }

    /// `[n_parameters, n_neurons, 2]`: intervals between quantiles of the replicates.
    ///
    /// # Errors
    /// [`Error::Level`] unless the level lies between 0 and 1.
    pub fn percentile(&self, level: f64) -> Result<Array3<f64>, Error> {
        check_level(level)?;
        Ok(self.ends(|_, end| self.of(|values| quantile(values, if end == 0 { 0.5 - 0.5 * level } else { 0.5 + 0.5 * level }))))
    }

    /// `[n_parameters, n_neurons, 2]`: basic intervals, the quantiles reflected in the estimate.
    ///
    /// # Errors
    /// [`Error::Level`] unless the level lies between 0 and 1.
    pub fn basic(&self, level: f64) -> Result<Array3<f64>, Error> {
        let percentile = self.percentile(level)?;
        Ok(self.ends(|parameters, end| 2.0 * parameters - percentile.index_axis(Axis(2), 1 - end)))
    }

    /// `[n_parameters, n_neurons, 2]`: normal intervals with the standard errors of the bootstrap.
    ///
    /// # Errors
    /// [`Error::Level`] unless the level lies between 0 and 1.
    pub fn normal(&self, level: f64) -> Result<Array3<f64>, Error> {
        check_level(level)?;
        let half = self.standard_errors() * normal_quantile(0.5 + 0.5 * level);
        Ok(self.ends(|parameters, end| if end == 0 { parameters - &half } else { parameters + &half }))
    }

    fn ends(&self, of: impl Fn(&Array2<f64>, usize) -> Array2<f64>) -> Array3<f64> {
        let ends = [of(&self.parameters, 0), of(&self.parameters, 1)];
        let (n_parameters, n_neurons) = self.parameters.dim();
        Array3::from_shape_fn((n_parameters, n_neurons, 2), |(parameter, neuron, end)| {
            ends[end][(parameter, neuron)]
        })
    }
}

/// What a bootstrap of a classifier gives: one class against another, for every replicate and neuron.
#[derive(Clone, Debug, PartialEq)]
pub struct BootstrappedClasses {
    /// Parameters are those of all classes, class after class.
    joint: Bootstrapped,
    n_classes: usize,
}

impl BootstrappedClasses {
    pub(crate) fn new(joint: Bootstrapped, n_classes: usize) -> Self {
        BootstrappedClasses { joint, n_classes }
    }

    /// A class against another one, or against the mean of all: coefficients of the logarithm of their odds, and last its intercept.
    ///
    /// # Errors
    /// [`Error::NoSuchClass`]; [`Error::NotForClassifiers`] for a class against itself.
    pub fn of(&self, class: usize, against: Against) -> Result<Bootstrapped, Error> {
        let shares = against.shares(class, self.n_classes)?;
        let joint = &self.joint;
        let (n_replicates, n_parameters, n_neurons) = joint.replicates.dim();
        let width = n_parameters / self.n_classes;
        let mut parameters = Array2::zeros((width, n_neurons));
        let mut replicates = Array3::zeros((n_replicates, width, n_neurons));
        for (class, &share) in shares.iter().enumerate() {
            let rows = class * width..(class + 1) * width;
            parameters.scaled_add(share, &joint.parameters.slice(s![rows.clone(), ..]));
            replicates.scaled_add(share, &joint.replicates.slice(s![.., rows, ..]));
        }
        Ok(Bootstrapped {
            parameters,
            replicates,
            dropped: joint.dropped.clone(),
            notes: joint.notes.clone(),
        })
    }
}
