//! A model whatever its types: what passes over data compute with.
//!
//! The engine sees one trait object for each pair of a model and a link. Models are compiled for a burn backend, not for
//! every link, and passes not for every pair.

use std::sync::Arc;

use nemos_core::tensor::{DType, Tensor, backend::Backend as BurnBackend};
use nemos_core::{Autodiff, Curve, Scatter};

use crate::engine::loops::BothPrecisions;
use crate::models::mean::{LinkOn, Mean, SmoothLink, rate_and_steepness};
use crate::{BuiltIn, Identity, InverseLink, ObservationModel, ScalarLink, Scale, Support};

/// Which curvature of the loss.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Information {
    /// Its expectation under the model (Fisher information).
    Expected,
    /// Its own second derivative.
    Observed,
}

/// What a pass over data computes, elementwise, on one burn backend.
///
/// # Shapes
/// counts `[n_rows, n_problems]`; predictors, slopes and rates `[n_rows, n_problems · n_predictors]`, those of a problem side by
/// side; scales `[1, n_problems]`; losses and measures `[n_rows, n_problems]`.
pub(crate) trait Model<T: BurnBackend>: Send + Sync {
    /// Predictors of a problem: one, or one per class.
    fn n_predictors(&self) -> usize {
        1
    }

    /// Columns of the counts that a response takes: one, or one per class where the share of each class is given.
    fn n_targets(&self) -> usize {
        1
    }

    /// Which counts have a probability.
    fn support(&self) -> Support;

    /// Which of the built-in observation models this is, if it is one.
    fn built_in(&self) -> Option<BuiltIn> {
        None
    }

    /// Where the scale comes from.
    fn scale(&self) -> Scale;

    /// What takes the loss to the negative log-likelihood.
    fn loss_factor(&self, scale: f64) -> f64;

    /// Loops for data in host memory, where there are some.
    fn loops(&self) -> Option<BothPrecisions>;

    /// The kernel of a graphics card for the loss and its slope, where there is one.
    fn kernel(&self) -> Option<(Scatter, Curve)> {
        None
    }

    /// A bound on the curvature of the loss of one count in the predictor, where there is one.
    fn curvature_bound(&self, _count: f64) -> Option<f64> {
        None
    }

    /// `[n_rows, n_problems · n_predictors]`: the counts, or the share that each class has of a row.
    fn targets(&self, counts: Tensor<T, 2>) -> Tensor<T, 2> {
        counts
    }

    /// The rate, or the probability of each class.
    fn rate(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2>;

    /// The predictor of a rate, where it can be told in closed form.
    fn predictor(&self, rate: f64) -> Option<f64>;

    /// The rate at one predictor, where it can be told on the host.
    fn rate_of(&self, _predictor: f64) -> Option<f64> {
        None
    }

    /// Loss, and its slope in the predictors.
    fn slope(&self, counts: Tensor<T, 2>, predictor: Tensor<T, 2>, scale: Tensor<T, 2>) -> (Tensor<T, 2>, Tensor<T, 2>);

    /// Curvature of the loss in predictors `first` and `second` of each problem.
    fn curvature(&self, information: Information, counts: Tensor<T, 2>, at: At<T>, pair: (usize, usize)) -> Tensor<T, 2>;

    /// Log-likelihood.
    fn log_likelihood(&self, counts: Tensor<T, 2>, predictor: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2>;

    /// Deviance.
    fn deviance(&self, counts: Tensor<T, 2>, predictor: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2>;

    /// Squared residuals over their variances.
    fn pearson(&self, counts: Tensor<T, 2>, predictor: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2>;

    /// Variances of the counts, or of the indicators of the classes: as many as predictors.
    fn variance(&self, predictor: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2>;

    /// `[n_rows, n_problems]`: the derivative in the scale of each log-likelihood.
    fn slope_in_scale(&self, counts: Tensor<T, 2>, at: At<T>) -> Tensor<T, 2>;

    /// The same observations where the predictor is the rate itself, for models with one predictor.
    fn of_rates(&self) -> Option<Arc<dyn Model<T>>> {
        None
    }

    /// The log-likelihood of the null model of weighted class sums `[n_predictors]`, for models of classes.
    fn null_log_likelihood(&self, _classes: &[f64]) -> f64 {
        f64::NAN
    }
}

/// Where a model is looked at.
#[derive(Clone, Debug)]
pub(crate) struct At<T: BurnBackend> {
    /// `[n_rows, n_problems · n_predictors]`
    pub(crate) predictor: Tensor<T, 2>,
    /// `[1, n_problems]`
    pub(crate) scale: Tensor<T, 2>,
    /// `[1, n_problems]`: what takes losses to negative log-likelihoods.
    pub(crate) factor: Tensor<T, 2>,
}

/// An observation model and a link.
#[derive(Clone, Debug)]
pub(crate) struct Pair<O, L> {
    pub(crate) observation: O,
    pub(crate) link: L,
}

impl<T: BurnBackend, O: ObservationModel, L: InverseLink> Model<T> for Pair<O, L> {
    fn support(&self) -> Support {
        self.observation.support()
    }

    fn built_in(&self) -> Option<BuiltIn> {
        self.observation.built_in()
    }

    fn scale(&self) -> Scale {
        self.observation.scale()
    }

    fn loss_factor(&self, scale: f64) -> f64 {
        self.observation.loss_factor(scale)
    }

    fn loops(&self) -> Option<BothPrecisions> {
        self.observation.built_in()?.loops(self.link.form()?)
    }

    fn kernel(&self) -> Option<(Scatter, Curve)> {
        self.observation.built_in()?.kernel(self.link.form()?)
    }

    fn curvature_bound(&self, count: f64) -> Option<f64> {
        self.observation.built_in()?.curvature_bound(self.link.form()?, count)
    }

    fn rate(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
        // A clamp inside a link may take a NaN for a number, depending on the backend.
        let missing = predictor.clone().is_nan();
        self.link.rate(predictor).mask_fill(missing, f32::NAN)
    }

    fn predictor(&self, rate: f64) -> Option<f64> {
        self.link.predictor(rate)
    }

    fn rate_of(&self, predictor: f64) -> Option<f64> {
        Some(self.link.form()?.rate_of(predictor))
    }

    fn slope(&self, counts: Tensor<T, 2>, predictor: Tensor<T, 2>, scale: Tensor<T, 2>) -> (Tensor<T, 2>, Tensor<T, 2>) {
        slope(&self.observation, &self.link, counts, predictor, scale)
    }

    fn curvature(&self, information: Information, counts: Tensor<T, 2>, at: At<T>, _pair: (usize, usize)) -> Tensor<T, 2> {
        curvature(&self.observation, &self.link, information, counts, at)
    }

    fn log_likelihood(&self, counts: Tensor<T, 2>, predictor: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        self.observation.log_likelihood(counts, &Mean::erased(predictor, &self.link), scale)
    }

    fn deviance(&self, counts: Tensor<T, 2>, predictor: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        self.observation.deviance(counts, self.link.rate(predictor), scale)
    }

    fn pearson(&self, counts: Tensor<T, 2>, predictor: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        let rate = self.link.rate(predictor);
        let residual = counts - rate.clone();
        residual.clone() * residual / self.observation.variance(rate, scale)
    }

    fn variance(&self, predictor: Tensor<T, 2>, scale: Tensor<T, 2>) -> Tensor<T, 2> {
        let missing = predictor.clone().is_nan();
        let rate = self.link.rate(predictor);
        self.observation.variance(rate, scale).mask_fill(missing, f32::NAN)
    }

    fn slope_in_scale(&self, counts: Tensor<T, 2>, at: At<T>) -> Tensor<T, 2> {
        slope_in_scale(&self.observation, &self.link, counts, at)
    }

    fn of_rates(&self) -> Option<Arc<dyn Model<T>>> {
        Some(Arc::new(Pair {
            observation: self.observation.clone(),
            link: Identity,
        }))
    }
}

/// Loss and slope, by automatic differentiation: compiled for a model, not for every link.
fn slope<T: BurnBackend, O: ObservationModel>(
    observation: &O,
    link: &dyn SmoothLink<T>,
    counts: Tensor<T, 2>,
    predictor: Tensor<T, 2>,
    scale: Tensor<T, 2>,
) -> (Tensor<T, 2>, Tensor<T, 2>) {
    let leaf = Tensor::<Autodiff<T>, 2>::from_inner(predictor).require_grad();
    let mean = Mean::erased(leaf.clone(), link as &dyn LinkOn<Autodiff<T>>);
    let loss = observation.loss(Tensor::from_inner(counts), &mean, Tensor::from_inner(scale));
    let value = loss.clone().inner();
    // From ones in the place of each loss, which depends on one predictor: no sum is needed.
    let mut gradients = loss.backward();
    let slope = leaf.grad_remove(&mut gradients).unwrap_or_else(|| value.zeros_like());
    (value, slope)
}

/// Expected curvature from the variance where the model is an exponential family; the observed one otherwise, where asked
/// for the expected one not below zero.
fn curvature<T: BurnBackend, O: ObservationModel>(
    observation: &O,
    link: &dyn SmoothLink<T>,
    information: Information,
    counts: Tensor<T, 2>,
    at: At<T>,
) -> Tensor<T, 2> {
    if information == Information::Expected && observation.is_exponential_family() {
        // (∂rate/∂η)² / variance is that of the negative log-likelihood, which is `factor` losses.
        let (rate, steepness) = rate_and_steepness(link as &dyn LinkOn<Autodiff<T>>, at.predictor);
        let variance = observation.variance(rate, at.scale) * at.factor;
        // Where the variance underflows to zero the steepness has vanished before.
        let vanished = variance.clone().lower_equal_elem(0.0);
        return (steepness.clone() * steepness / variance).mask_fill(vanished, 0.0);
    }
    // Central differences of slopes lose least near the cube root of the precision.
    let step = if at.predictor.dtype() == DType::F64 { 6e-6 } else { 5e-3 };
    let slope_at = |offset: f64| slope(observation, link, counts.clone(), at.predictor.clone() + offset, at.scale.clone()).1;
    let observed = (slope_at(step) - slope_at(-step)) / (2.0 * step);
    match information {
        Information::Expected => observed.clamp_min(0.0),
        Information::Observed => observed,
    }
}

fn slope_in_scale<T: BurnBackend, O: ObservationModel>(
    observation: &O,
    link: &dyn SmoothLink<T>,
    counts: Tensor<T, 2>,
    at: At<T>,
) -> Tensor<T, 2> {
    // A scale of its own for each count: with one for all, burn would add up their slopes in the precision of the counts.
    let scale = at.scale.expand(counts.dims());
    let leaf = Tensor::<Autodiff<T>, 2>::from_inner(scale).require_grad();
    let mean = Mean::erased(Tensor::from_inner(at.predictor), link as &dyn LinkOn<Autodiff<T>>);
    let terms = observation.log_likelihood(Tensor::from_inner(counts.clone()), &mean, leaf.clone());
    let mut gradients = terms.backward();
    leaf.grad_remove(&mut gradients).unwrap_or_else(|| counts.zeros_like())
}
