//! A fitted model together with the data that it was fitted to: where everything that can be said of a fit begins.

use ndarray::Array2;
use nemos_core::{Backend, Design};
use nemos_glm::{GlmObjective, Information, Problems, Scale};
use nemos_solvers::{Parameters, Status};

use crate::columns::Columns;
use crate::described::{self, Described, Kind};
use crate::of_neuron::OfNeuron;
use crate::rows::Standardised;
use crate::{Error, Settings};

/// A fitted model on the data that it was fitted to: one pass over them gives the information of every neuron, and everything else
/// follows from it.
///
/// ```text
/// A = (Zᵀ W Z + S)⁻¹,   Z = (X, 1),   W = w (∂rate/∂predictor)² / variance        S: the ridge, in nats
/// ```
///
/// Weights `w` are relative: they are divided by their mean over the rows used. Parameters are the coefficients, and then the
/// intercept.
///
/// | ask for | with |
/// |---|---|
/// | standard errors, p-values, intervals | [`estimates`](Inference::estimates), [`summary`](Inference::summary) |
/// | tests of blocks of features | [`likelihood_ratio`](Inference::likelihood_ratio), [`score_test`](Inference::score_test), [`Estimates::wald`](crate::Estimates::wald) |
/// | AIC, BIC, deviance explained, bits per spike | [`criteria`](Inference::criteria), [`compare`](crate::compare) |
/// | residuals, leverage, Cook's distance | [`residuals`](Inference::residuals) |
/// | whether the spikes come as the rates say | [`time_rescaling`](Inference::time_rescaling) |
/// | what other trials would have given | [`bootstrap`](Inference::bootstrap) |
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{Glm, Poisson};
/// use nemos_inference::{Covariance, Infer};
/// let stimulus = Matrix::<Cpu>::from_column((0..200).map(|bin| f64::from(bin % 2)).collect());
/// let counts = Matrix::from_column((0..200).map(|bin| f64::from([0, 2, 1, 3, 1, 1, 0, 4][bin % 8])).collect());
/// let fitted = Glm::new(Poisson).fit(&stimulus, &counts)?;
/// let inference = fitted.inference(&stimulus, &counts)?;
/// let estimates = inference.estimates(&Covariance::Model)?;
/// // 50 spikes without the stimulus, 250 with it: the variance of a logarithm of a ratio.
/// assert!((estimates.standard_errors()[(0, 0)] - (1.0_f64 / 50.0 + 1.0 / 250.0).sqrt()).abs() < 1e-6);
/// assert!(estimates.p_values()[(0, 0)] < 1e-10);
/// # Ok::<(), nemos_inference::Error>(())
/// ```
#[derive(Debug)]
pub struct Inference<'a, B: Backend> {
    /// At scale one where the scale is estimated after the coefficients.
    pub(crate) model: Box<dyn Described<B>>,
    pub(crate) kind: Kind,
    pub(crate) design: Design<'a, B>,
    pub(crate) counts: Design<'a, B>,
    pub(crate) settings: Settings,
    pub(crate) columns: Columns,
    /// On standardised features.
    pub(crate) objective: GlmObjective<'a, B>,
    /// For standardised features.
    pub(crate) parameters: Parameters,
    /// `[n_features, n_neurons · n_predictors]`: strengths of a ridge.
    pub(crate) ridge: Option<Array2<f64>>,
    /// The name of a penalty that leaves no normal estimates.
    pub(crate) sparse: Option<&'static str>,
    pub(crate) of_neurons: Vec<OfNeuron>,
}

impl<'a, B: Backend> Inference<'a, B> {
    pub(crate) fn new(
        fitted: Box<dyn Described<B>>,
        settings: Settings,
        (design, counts): (Design<'a, B>, Design<'a, B>),
    ) -> Result<Self, Error> {
        settings.validate()?;
        let kind = fitted.kind();
        let model = match kind.scale {
            Scale::Pearson => fitted.at_scale(vec![1.0; fitted.neurons().len()])?,
            _ => fitted,
        };
        let n_neurons = model.neurons().len();
        let n_predictors = model.n_predictors();
        let problems = Problems::one_per_response(n_neurons);
        // Columns lose their names where they are standardised.
        model.features().check_same("design", design.names())?;
        let columns = Columns::of(&design)?;
        // Checks what fits what.
        let objective = model.objective(problems, Standardised::design(&design, &columns)?, counts.clone())?;
        let failed = |status| !matches!(status, Status::Converged | Status::NoMaximum);
        if !settings.even_if_not_converged
            && let Some(neuron) = model.outcome().statuses().position(failed)
        {
            let status = model.outcome().columns[neuron].status;
            return Err(Error::NotConverged { neuron, status });
        }
        let dims = (columns.mean.len(), n_neurons * n_predictors);
        let (ridge, sparse) = match described::ridge(&model.options().regularizer, model.features(), (dims, n_predictors)) {
            Err(Error::NotNormal { penalty }) => (None, Some(penalty)),
            other => (other?, None),
        };
        let mut inference = Inference {
            parameters: columns.standardised(model.parameters()),
            of_neurons: Vec::new(),
            kind,
            design,
            counts,
            settings,
            columns,
            objective,
            ridge,
            sparse,
            model,
        };
        inference.of_neurons = inference.breads()?;
        inference.scales()?;
        inference.check_maximum()?;
        Ok(inference)
    }

    /// How many neurons there are.
    pub fn n_neurons(&self) -> usize {
        self.of_neurons.len()
    }

    /// How many features there are.
    pub fn n_features(&self) -> usize {
        self.columns.mean.len()
    }

    /// How many parameters a neuron has: coefficients and intercepts of all its predictors.
    pub(crate) fn n_parameters(&self) -> usize {
        self.model.n_predictors() * (self.n_features() + 1)
    }

    /// `[n_neurons]`: rows used, complete, with a count, of positive weight.
    pub fn n_rows(&self) -> Vec<f64> {
        self.of_neurons.iter().map(|neuron| neuron.n_rows).collect()
    }

    /// `[n_neurons]`: effective degrees of freedom of the fits, intercepts included: their ranks without a penalty, `tr (A ZᵀWZ)`
    /// under a ridge, the coefficients that are not zero under a lasso.
    pub fn edf(&self) -> Vec<f64> {
        self.of_neurons.iter().map(|neuron| neuron.edf).collect()
    }

    /// `[n_neurons]`: rows used, less the effective degrees of freedom.
    pub fn dof_resid_edf(&self) -> Vec<f64> {
        self.of_neurons.iter().map(OfNeuron::dof_resid).collect()
    }

    /// `[n_neurons]`: the dispersion that covariances are multiplied with: one where it is known, Pearson's χ² over
    /// [`dof_resid_edf`](Inference::dof_resid_edf) where it was estimated.
    pub fn scale_edf(&self) -> Vec<f64> {
        self.of_neurons.iter().map(|neuron| neuron.scale).collect()
    }

    /// `[n_parameters, n_neurons]`: the share of each parameter in the effective degrees of freedom.
    pub fn edf_by_parameter(&self) -> Array2<f64> {
        let n_parameters = self.n_features() + 1;
        Array2::from_shape_fn((n_parameters, self.n_neurons()), |(parameter, neuron)| {
            let of = &self.of_neurons[neuron];
            match &of.bread {
                Ok(bread) if parameter + 1 == n_parameters || of.free.contains(&parameter) => {
                    1.0 - bread.inverse.diagonal(parameter) * self.ridge_at(parameter, neuron)
                }
                Ok(_) => 0.0,
                Err(_) => f64::NAN,
            }
        })
    }

    /// Curvature that the ridge adds to a parameter, for standardised features, in nats.
    pub(crate) fn ridge_at(&self, parameter: usize, neuron: usize) -> f64 {
        let (predictor, feature) = (parameter / self.columns.width(), parameter % self.columns.width());
        let Some(ridge) = self.ridge.as_ref().filter(|_| feature < self.n_features()) else {
            return 0.0;
        };
        let factor = self.objective.loss_factor(neuron);
        let of_rows = self.objective.n_counts()[neuron] as f64 * factor;
        ridge[(feature, neuron * self.model.n_predictors() + predictor)] * of_rows / self.columns.deviation[feature].powi(2)
    }

    /// Which information the bread of covariances is: models that are no exponential family have the observed one only.
    pub fn information(&self) -> Information {
        if self.kind.is_exponential_family {
            self.settings.information
        } else {
            Information::Observed
        }
    }
}
