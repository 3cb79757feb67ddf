//! Fitted models of many neurons.

use std::fmt;

use ndarray::{ArrayView1, ArrayView2, ShapeBuilder, s};
use nemos_core::{Backend, Design, Names, Samples, ToDesign};
use nemos_solvers::{Outcome, Parameters, Regularizer};

use crate::engine::by_row;
use crate::engine::measure::{Described, From, Quantity};
use crate::engine::problems::Problems;
use crate::fit::task::pearson_chi2;
use crate::fitted::fit::Fit;
use crate::fitted::{null, table};
use crate::{Error, Exp, FittedGlm, InverseLink, ObservationModel, Poisson, PopulationGlm, Score};

/// What fitting a [`PopulationGlm`] gives: coefficients and intercepts under the names of features and neurons, and how the
/// fit of each neuron ended. Prints as a table.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct FittedPopulationGlm<O = Poisson, L = Exp> {
    specification: PopulationGlm<O, L>,
    fit: Fit,
}

impl<O: ObservationModel, L: InverseLink> FittedPopulationGlm<O, L> {
    pub(crate) fn new(specification: PopulationGlm<O, L>, fit: Fit) -> Self {
        FittedPopulationGlm { specification, fit }
    }

    /// A model whose parameters were given rather than fitted.
    pub(crate) fn given(specification: PopulationGlm<O, L>, parameters: Parameters) -> Self {
        let fit = Fit::given(parameters, 1, specification.observation.scale().start());
        Self::new(specification, fit)
    }

    /// Takes other scales and residual degrees of freedom, one of each per neuron: for models that were fitted elsewhere.
    ///
    /// # Errors
    /// [`Error::Parameters`] unless there is one per neuron.
    pub fn with_scale(mut self, scale: Vec<f64>, dof_resid: Vec<f64>) -> Result<Self, Error> {
        self.fit.one_per_neuron(scale.len())?;
        self.fit.one_per_neuron(dof_resid.len())?;
        (self.fit.scale, self.fit.dof_resid) = (scale, dof_resid);
        Ok(self)
    }

    /// Takes how a fit ended, one column per neuron: for models that were fitted elsewhere.
    ///
    /// # Errors
    /// [`Error::Parameters`] unless there is one per neuron.
    pub fn with_outcome(mut self, outcome: Outcome) -> Result<Self, Error> {
        self.fit.one_per_neuron(outcome.columns.len())?;
        self.fit.outcome = outcome;
        Ok(self)
    }

    /// Takes names of the features and of the neurons: for models that were fitted elsewhere.
    ///
    /// # Errors
    /// [`Error::Data`] unless there are as many of each as the model has.
    pub fn with_names(mut self, features: Names, neurons: Vec<String>) -> Result<Self, Error> {
        self.fit.set_names((features, neurons), self.n_features())?;
        Ok(self)
    }

    /// Asks for an offset in [`predict`](FittedPopulationGlm::predict): for models that were fitted with one elsewhere.
    pub fn needing_offset(mut self) -> Self {
        self.fit.has_offset = true;
        self
    }

    /// The model without its data: observation model, link, penalty and mask.
    pub fn specification(&self) -> &PopulationGlm<O, L> {
        &self.specification
    }

    /// The observation model.
    pub fn observation(&self) -> &O {
        &self.specification.observation
    }

    /// The link.
    pub fn link(&self) -> &L {
        &self.specification.link
    }

    /// The penalty.
    pub fn regularizer(&self) -> &Regularizer {
        &self.specification.options.regularizer
    }

    /// `[n_features, n_neurons]`: one column of coefficients per neuron.
    #[doc(alias("coef_", "params"))]
    pub fn coef(&self) -> ArrayView2<'_, f64> {
        self.all().slice_move(s![..-1, ..])
    }

    /// `[n_features + 1, n_neurons]`: coefficients, and intercepts below them.
    fn all(&self) -> ArrayView2<'_, f64> {
        let shape = (self.fit.parameters.n_parameters(), self.fit.parameters.n_problems());
        ArrayView2::from_shape(shape.f(), self.fit.parameters.as_slice()).expect("parameters are whole columns")
    }

    /// `[n_neurons]`: the predictors where every feature is zero.
    #[doc(alias("intercept_", "bias"))]
    pub fn intercept(&self) -> ArrayView1<'_, f64> {
        self.all().slice_move(s![-1, ..])
    }

    /// `[n_features of the block, n_neurons]`: the coefficients of a named block of features.
    ///
    /// # Errors
    /// [`Error::Data`] where the features had no names, or none this one.
    pub fn coef_of(&self, block: &str) -> Result<ArrayView2<'_, f64>, Error> {
        let columns = self.fit.features.block(block)?.columns();
        Ok(self.coef().slice_move(s![columns, ..]))
    }

    /// The names of the features, and of the blocks that they fall into.
    pub fn features(&self) -> &Names {
        &self.fit.features
    }

    /// `[n_neurons]`: the names of the neurons.
    pub fn neurons(&self) -> &[String] {
        &self.fit.neurons
    }

    /// How many features there are.
    pub fn n_features(&self) -> usize {
        self.fit.parameters.n_parameters() - 1
    }

    /// How many neurons there are.
    pub fn n_neurons(&self) -> usize {
        self.fit.parameters.n_problems()
    }

    pub(crate) fn fit(&self) -> &Fit {
        &self.fit
    }

    /// The model of one of the neurons, by its number.
    ///
    /// # Errors
    /// [`Error::Data`] if there is no such neuron.
    pub fn neuron(&self, neuron: usize) -> Result<FittedGlm<O, L>, Error> {
        Ok(FittedGlm::from_population(self.select(&[neuron])?))
    }

    /// The model of some of the neurons, by their numbers, in this order.
    ///
    /// # Errors
    /// [`Error::Data`] if there is no such neuron.
    pub fn select(&self, neurons: &[usize]) -> Result<Self, Error> {
        let available = self.n_neurons();
        if let Some(&column) = neurons.iter().find(|neuron| **neuron >= available) {
            return Err(nemos_core::Error::ColumnOutside { column, available }.into());
        }
        Ok(FittedPopulationGlm::new(self.specification.clone(), self.fit.select(neurons)))
    }

    /// How the fit of each neuron ended, with the evidence.
    pub fn outcome(&self) -> &Outcome {
        &self.fit.outcome
    }

    /// Passes the model on if the fit of every neuron converged.
    ///
    /// # Errors
    /// [`Error::NotConverged`] with the first neuron that did not, and its status.
    pub fn require_converged(self) -> Result<Self, Error> {
        self.fit.require_converged()?;
        Ok(self)
    }

    /// `[n_neurons]`: scale (dispersion) of the observations, one where the model has none.
    pub fn scale(&self) -> &[f64] {
        &self.fit.scale
    }

    /// `[n_neurons]`: residual degrees of freedom, the rows used less what was estimated from them.
    pub fn dof_resid(&self) -> &[f64] {
        &self.fit.dof_resid
    }

    /// Whether the model was fitted with an offset, and asks for one in [`predict`](FittedPopulationGlm::predict).
    pub fn has_offset(&self) -> bool {
        self.fit.has_offset
    }

    /// The expected counts: one row per row of `samples`, under the neurons' names; NaN where it holds one.
    ///
    /// # Shapes
    /// `[n_rows, n_neurons]`, in the kind of `samples`.
    ///
    /// # Errors
    /// If `samples` does not have one column per coefficient, calls them otherwise than in the fit, holds an infinity, or lacks the offset that the model was
    /// fitted with.
    pub fn predict<B: Backend, S: Samples<B>>(&self, samples: &S) -> Result<S::Output, Error> {
        let design = samples.to_design();
        self.check_design(&design)?;
        let model = self.specification.model::<B>();
        let rates = by_row::predicted(&*model, &self.fit.parameters, &design, self.n_neurons(), |predictor| {
            Ok::<_, Error>(nemos_core::Matrix::from_tensor(model.rate(predictor.into_tensor())))
        })?;
        Ok(samples.wrap(rates, self.fit.names()))
    }

    /// How well the model describes counts, over all neurons.
    ///
    /// # Errors
    /// If design and counts do not fit each other or, in shape or by name, the model.
    pub fn score<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
        score: Score,
    ) -> Result<f64, Error> {
        let data = (design.to_design(), counts.to_design());
        score.of_all(&self.described(data, |described| score.tallies(described, &self.fit.parameters))?)
    }

    /// How well the model describes the counts of each neuron: `[n_neurons]`.
    ///
    /// # Errors
    /// As [`score`](FittedPopulationGlm::score).
    #[doc(alias = "aggregate_sample_scores")]
    pub fn score_by_neuron<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
        score: Score,
    ) -> Result<Vec<f64>, Error> {
        let data = (design.to_design(), counts.to_design());
        let tallies = self.described(data, |described| score.tallies(described, &self.fit.parameters))?;
        Ok(score.of_each(&tallies))
    }

    /// How well the model describes counts, over all neurons and for each: [`score`](FittedPopulationGlm::score) and
    /// [`score_by_neuron`](FittedPopulationGlm::score_by_neuron) at the price of one.
    ///
    /// # Errors
    /// As [`score`](FittedPopulationGlm::score).
    pub fn scores<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
        score: Score,
    ) -> Result<(f64, Vec<f64>), Error> {
        let data = (design.to_design(), counts.to_design());
        let tallies = self.described(data, |described| score.tallies(described, &self.fit.parameters))?;
        Ok((score.of_all(&tallies)?, score.of_each(&tallies)))
    }

    /// The log-likelihood of every count, NaN where it, or a feature, is missing. Not weighed.
    ///
    /// # Shapes
    /// `[n_rows, n_neurons]`, in the kind of `samples`.
    ///
    /// # Errors
    /// As [`score`](FittedPopulationGlm::score).
    pub fn log_likelihood_by_sample<B: Backend, S: Samples<B>>(
        &self,
        samples: &S,
        counts: &(impl ToDesign<B> + ?Sized),
    ) -> Result<S::Output, Error> {
        let data = (samples.to_design(), counts.to_design());
        let values = self.described(data, |described| {
            let (model, at) = (described.model, (&self.fit.parameters, described.scale));
            by_row::log_likelihoods(model, at, &described.problems, &described.data.design, &described.data.counts)
        })?;
        Ok(samples.wrap(values, self.fit.names()))
    }

    /// `[n_neurons]`: the sums of squared residuals, each over its variance at scale one (Pearson's χ²).
    ///
    /// # Errors
    /// As [`score`](FittedPopulationGlm::score).
    pub fn pearson_chi2<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
    ) -> Result<Vec<f64>, Error> {
        let data = (design.to_design(), counts.to_design());
        self.check_data(&data)?;
        let problems = Problems::one_per_response(self.n_neurons());
        pearson_chi2(&*self.specification.model::<B>(), &self.fit, problems, data)
    }

    /// `[n_neurons]`: the deviances, summed over samples; for weighted rows, as if the weights were one on average.
    ///
    /// # Errors
    /// As [`score`](FittedPopulationGlm::score).
    pub fn deviance<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
    ) -> Result<Vec<f64>, Error> {
        let data = (design.to_design(), counts.to_design());
        self.described(data, |described| {
            Ok(described.sum(Quantity::Deviance, From::Parameters(&self.fit.parameters))?.totals())
        })
    }

    /// `[n_neurons]` each: the deviances of the model, and those of a constant rate, or of an intercept beside an offset.
    ///
    /// # Errors
    /// As [`score`](FittedPopulationGlm::score).
    #[doc(alias = "null_deviance")]
    pub fn deviances<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
    ) -> Result<[Vec<f64>; 2], Error> {
        let data = (design.to_design(), counts.to_design());
        self.described(data, |described| null::deviances(described, &self.fit.parameters))
    }

    /// Lets `act` describe the model on data.
    fn described<B: Backend, R>(
        &self,
        data: (Design<'_, B>, Design<'_, B>),
        act: impl FnOnce(&mut Described<'_, '_, B>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        self.check_data(&data)?;
        let model = self.specification.model::<B>();
        let mut described = Described::new(&*model, &self.fit.scale, data)?;
        described.problems = Problems::one_per_response(self.n_neurons());
        act(&mut described)
    }

    fn check_data<B: Backend>(&self, (design, counts): &(Design<'_, B>, Design<'_, B>)) -> Result<(), Error> {
        self.check_design(design)?;
        self.fit.check_counts("counts", counts)
    }

    fn check_design<B: Backend>(&self, design: &Design<'_, B>) -> Result<(), Error> {
        self.fit.check_design(design, self.n_features())?;
        if self.fit.has_offset && design.offset().is_none() {
            return Err(Error::OffsetMissing);
        }
        Ok(())
    }
}

impl<O: ObservationModel, L: InverseLink> fmt::Display for FittedPopulationGlm<O, L> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (observation, link) = (&self.specification.observation, &self.specification.link);
        let neurons = nemos_core::counted(self.n_neurons(), "neuron");
        writeln!(formatter, "{observation:?} GLM, link {link:?}, {neurons}")?;
        table::write(formatter, &self.fit, &self.fit.neurons)
    }
}
