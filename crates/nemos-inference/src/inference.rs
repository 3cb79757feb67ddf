//! A fitted model together with the data that it was fitted to: where everything that can be said of a fit begins.

use ndarray::Array2;
use nemos_core::{Backend, Design, ToDesign};
use nemos_glm::{FittedGlm, FittedPopulationGlm, GlmObjective, Information, InverseLink, ObservationModel, Problems, Scale, SecondMoment};
use nemos_solvers::{Objective, Order, Parameters, Request, Status};

use crate::bread::{Bread, Known};
use crate::described::{self, Described, Kind};
use crate::rows::{Columns, Standardised};
use crate::settings::{Dispersion, Settings};
use crate::{Covariance, Error, Reference, Summary, Unavailable};

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
    /// `[n_features, n_neurons]`: strengths of a ridge.
    pub(crate) ridge: Option<Array2<f64>>,
    /// The name of a penalty that leaves no normal estimates.
    pub(crate) sparse: Option<&'static str>,
    pub(crate) of_neurons: Vec<OfNeuron>,
}

/// What is known of one neuron.
#[derive(Clone, Debug)]
pub(crate) struct OfNeuron {
    /// Features whose coefficients are free.
    pub(crate) free: Vec<usize>,
    /// Rows used: complete, with a count, of positive weight.
    pub(crate) n_rows: f64,
    /// What takes sums of losses to nats at scale one, for weights that are one on average.
    pub(crate) unit: f64,
    pub(crate) bread: Result<Bread, Unavailable>,
    /// Effective degrees of freedom, the intercept included.
    pub(crate) edf: f64,
    /// Scale of covariances.
    pub(crate) scale: f64,
    pub(crate) scale_is_estimated: bool,
}

impl OfNeuron {
    pub(crate) fn dof_resid(&self) -> f64 {
        self.n_rows - self.edf
    }

    /// What an estimate over its standard error is compared with.
    pub(crate) fn reference(&self) -> Reference {
        if self.scale_is_estimated {
            Reference::StudentT(self.dof_resid())
        } else {
            Reference::Normal
        }
    }

    /// What a quadratic form of `q` estimates, divided by `q` where the scale was estimated, is compared with.
    pub(crate) fn reference_of(&self, q: usize) -> Reference {
        if self.scale_is_estimated {
            Reference::F(q as f64, self.dof_resid())
        } else {
            Reference::ChiSquared(q as f64)
        }
    }
}

/// What a fitted model can be asked, given the data of its fit.
pub trait Infer {
    /// The model on its data, with the default [`Settings`].
    ///
    /// # Errors
    /// As [`inference_with`](Infer::inference_with).
    fn inference<'a, B: Backend>(
        &self,
        design: &'a (impl ToDesign<B> + ?Sized),
        counts: &'a (impl ToDesign<B> + ?Sized),
    ) -> Result<Inference<'a, B>, Error> {
        self.inference_with(Settings::new(), design, counts)
    }

    /// The model on its data.
    ///
    /// # Errors
    /// If design and counts do not fit each other or the model; [`Error::NotConverged`] if the fit of a neuron did not, and
    /// [`Error::OtherData`] if the model is not at its maximum on these data, unless the settings say
    /// [`even_if_not_converged`](Settings::even_if_not_converged). That a likelihood has no maximum is no error: the numbers of such
    /// a neuron are NaN, and say why.
    fn inference_with<'a, B: Backend>(
        &self,
        settings: Settings,
        design: &'a (impl ToDesign<B> + ?Sized),
        counts: &'a (impl ToDesign<B> + ?Sized),
    ) -> Result<Inference<'a, B>, Error>;

    /// The table of coefficients with their standard errors under the model, and how well it fits.
    ///
    /// # Errors
    /// As [`inference_with`](Infer::inference_with), and [`Error::NotNormal`] after a lasso.
    fn summary<B: Backend>(&self, design: &(impl ToDesign<B> + ?Sized), counts: &(impl ToDesign<B> + ?Sized)) -> Result<Summary, Error> {
        self.inference(design, counts)?.summary(&Covariance::Model)
    }
}

impl<O: ObservationModel, L: InverseLink> Infer for FittedPopulationGlm<O, L> {
    fn inference_with<'a, B: Backend>(
        &self,
        settings: Settings,
        design: &'a (impl ToDesign<B> + ?Sized),
        counts: &'a (impl ToDesign<B> + ?Sized),
    ) -> Result<Inference<'a, B>, Error> {
        Inference::new(Box::new(self.clone()), settings, (design.to_design(), counts.to_design()))
    }
}

impl<O: ObservationModel, L: InverseLink> Infer for FittedGlm<O, L> {
    fn inference_with<'a, B: Backend>(
        &self,
        settings: Settings,
        design: &'a (impl ToDesign<B> + ?Sized),
        counts: &'a (impl ToDesign<B> + ?Sized),
    ) -> Result<Inference<'a, B>, Error> {
        self.population().inference_with(settings, design, counts)
    }
}

// A fit that is further from its maximum than this, in nats, is no fit of these data.
const OFF: f64 = 0.1;

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
        let n_features = model.parameters().n_parameters() - 1;
        let problems = Problems::one_per_response(n_neurons);
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
        let (ridge, sparse) = match described::ridge(&model.options().regularizer, model.features(), (n_features, n_neurons)) {
            Err(Error::NotNormal { penalty }) => (None, Some(penalty)),
            other => (other?, None),
        };
        let mut inference = Inference {
            parameters: standardised(model.parameters(), &columns),
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
        if !inference.settings.even_if_not_converged && inference.sparse.is_none() {
            inference.check_maximum()?;
        }
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
        let Some(ridge) = self.ridge.as_ref().filter(|_| parameter < self.n_features()) else {
            return 0.0;
        };
        let factor = self.objective.loss_factor(neuron);
        let of_rows = self.objective.n_counts()[neuron] as f64 * factor;
        ridge[(parameter, neuron)] * of_rows / self.columns.deviation[parameter].powi(2)
    }

    /// The information of every neuron, inverted.
    fn breads(&self) -> Result<Vec<OfNeuron>, Error> {
        let free = self.free()?;
        if self.sparse.is_some() {
            let neurons = 0..self.model.neurons().len();
            return Ok(neurons.map(|neuron| self.of_neuron(neuron, &free, None)).collect());
        }
        let which = SecondMoment::Information(self.settings.information);
        let of = |neuron, information| self.of_neuron(neuron, &free, Some(information));
        Ok(self.objective.map_second_moments(&self.parameters, &which, of)?)
    }

    /// What is known of a neuron, with its information unless the penalty leaves no normal estimates.
    fn of_neuron(&self, neuron: usize, free: &Array2<bool>, information: Option<Array2<f64>>) -> OfNeuron {
        let n_rows = self.objective.n_counts()[neuron] as f64;
        let unit = self.objective.loss_factor(neuron) * n_rows / self.objective.total_weights()[neuron];
        let outcome = &self.model.outcome().columns[neuron];
        let free: Vec<usize> = (0..self.n_features()).filter(|&feature| free[(feature, neuron)]).collect();
        let ridge = self
            .ridge
            .as_ref()
            .map(|_| (0..self.n_features()).map(|feature| self.ridge_at(feature, neuron)).collect());
        let known = Known {
            columns: &self.columns,
            free: &free,
            rank: (outcome.status == Status::Converged && ridge.is_none()).then_some(outcome.rank),
            ridge,
            precision: described::precision::<B>(),
        };
        let bread = match (information, outcome.status) {
            (None, _) => Err(Unavailable::Indefinite),
            (Some(_), Status::NoMaximum) => Err(Unavailable::NoMaximum),
            (Some(information), _) => Bread::new(&(information * unit), &known),
        };
        let edf = match (&bread, self.sparse) {
            (_, Some(_)) => {
                let coef = self.model.parameters().column(neuron);
                1.0 + coef[..self.n_features()].iter().filter(|coef| **coef != 0.0).count() as f64
            }
            (Ok(bread), None) => {
                let shrunk = free
                    .iter()
                    .map(|&feature| bread.inverse.diagonal(feature) * self.ridge_at(feature, neuron));
                1.0 + bread.rank as f64 - shrunk.sum::<f64>()
            }
            (Err(_), None) => 1.0 + outcome.rank.min(free.len()) as f64,
        };
        OfNeuron {
            free,
            n_rows,
            unit,
            bread,
            edf,
            scale: 1.0,
            scale_is_estimated: false,
        }
    }

    /// `[n_features, n_neurons]`: the coefficients that were free.
    fn free(&self) -> Result<Array2<bool>, Error> {
        let dims = (self.columns.mean.len(), self.model.neurons().len());
        match &self.model.options().mask {
            None => Ok(Array2::from_elem(dims, true)),
            Some(mask) => Ok(mask.resolve(self.model.features(), dims.0, dims.1)?),
        }
    }

    /// Fills in the scales of covariances.
    fn scales(&mut self) -> Result<(), Error> {
        let known = match (self.settings.dispersion, self.kind.scale) {
            (Dispersion::Known(scale), _) => Some(scale),
            (Dispersion::Model, Scale::Pearson) | (Dispersion::Pearson, _) => None,
            (Dispersion::Model, _) => Some(1.0),
        };
        let chi2 = match known {
            Some(_) => vec![f64::NAN; self.of_neurons.len()],
            None => self.model.pearson_chi2(&self.design, &self.counts)?,
        };
        for (neuron, chi2) in self.of_neurons.iter_mut().zip(chi2) {
            neuron.scale_is_estimated = known.is_none();
            let dof = neuron.dof_resid();
            neuron.scale = known.unwrap_or(if dof > 1e-9 { chi2 / dof } else { f64::NAN });
            if neuron.scale.is_nan() && neuron.bread.is_ok() {
                neuron.bread = Err(Unavailable::NoDegreesOfFreedom);
            }
        }
        Ok(())
    }

    /// Fails where the model is not at its maximum: half of the squared Newton decrement, in nats.
    fn check_maximum(&self) -> Result<(), Error> {
        let columns: Vec<usize> = (0..self.n_neurons()).collect();
        let evaluation = self.objective.evaluate(
            &self.parameters,
            Request {
                columns: &columns,
                rows: None,
                order: Order::Gradient,
            },
        )?;
        for (neuron, of) in self.of_neurons.iter().enumerate() {
            let Ok(bread) = &of.bread else { continue };
            let (at, to_nats) = (self.parameters.column(neuron), self.objective.loss_factor(neuron) * of.n_rows);
            let slope = evaluation.gradient.column(neuron).iter().enumerate();
            let slope: ndarray::Array1<f64> = slope
                .map(|(parameter, slope)| slope * to_nats + self.ridge_at(parameter, neuron) * at[parameter])
                .collect();
            let nats = 0.5 * slope.dot(&bread.inverse.to_array().dot(&slope)) / of.scale;
            let rounding = evaluation.values[neuron].abs() * to_nats * self.objective.resolution() / of.scale;
            if nats > OFF + rounding {
                return Err(Error::OtherData { neuron, nats });
            }
        }
        Ok(())
    }

    /// Which information the bread of covariances is: models that are no exponential family have the observed one only.
    pub fn information(&self) -> Information {
        if self.kind.is_exponential_family {
            self.settings.information
        } else {
            Information::Observed
        }
    }

    /// From coordinates of standardised features to those of the features as they are.
    pub(crate) fn unstandardise(&self, of_standardised: &Array2<f64>) -> Array2<f64> {
        let half = self.unstandardise_rows(of_standardised);
        self.unstandardise_rows(&half.reversed_axes()).reversed_axes()
    }

    pub(crate) fn unstandardise_rows(&self, of_standardised: &Array2<f64>) -> Array2<f64> {
        let last = of_standardised.nrows() - 1;
        let mut changed = of_standardised.clone();
        let mut intercept = changed.row(last).to_owned();
        for feature in 0..last {
            let (mean, deviation) = (self.columns.mean[feature], self.columns.deviation[feature]);
            changed.row_mut(feature).mapv_inplace(|x| x / deviation);
            intercept.scaled_add(-mean, &changed.row(feature));
        }
        changed.row_mut(last).assign(&intercept);
        changed
    }
}

/// The same predictors where features are standardised.
pub(crate) fn standardised(parameters: &Parameters, columns: &Columns) -> Parameters {
    let mut changed = parameters.clone();
    for neuron in 0..changed.n_problems() {
        let column = changed.column_mut(neuron);
        let last = column.len() - 1;
        let shift: f64 = column[..last].iter().zip(&columns.mean).map(|(coef, mean)| coef * mean).sum();
        column[last] += shift;
        column
            .iter_mut()
            .zip(&columns.deviation)
            .for_each(|(coef, deviation)| *coef *= deviation);
    }
    changed
}
