//! Fitted pipelines.

use nemos_basis::{Basis, BasisDesign, Inputs};
use nemos_core::{Backend, Design, ToDesign};
use nemos_glm::{FittedClassifierGlm, FittedClassifierPopulationGlm, FittedGlm, FittedPopulationGlm, InverseLink, ObservationModel, Score};

use crate::Error;
use crate::fold_features::Ready;
use crate::routes::Routes;

/// A pipeline that was fitted: a basis with its bounds, and a model with its coefficients.
///
/// Its parts can be saved in one file: `fitted.model().to_saved()?.with_basis(fitted.basis().clone())`.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct FittedPipeline<F> {
    pub(crate) basis: Basis,
    pub(crate) model: F,
    pub(crate) routes: Routes,
}
impl<F> FittedPipeline<F> {
    /// A basis with the bounds of the training rows, and the model that was fitted to its features: from a file, for one. A file holds
    /// no routes; [`route`](FittedPipeline::route) gives them again.
    pub fn from_parts(basis: impl Into<Basis>, model: F) -> Self {
        FittedPipeline {
            basis: basis.into(),
            model,
            routes: Routes::default(),
        }
    }

    /// Takes the columns of these names for a part of the basis, as [`Pipeline::route`](crate::Pipeline::route).
    pub fn route<N: Into<String>>(mut self, label: impl Into<String>, columns: impl IntoIterator<Item = N>) -> Self {
        self.routes.add(label.into(), columns.into_iter().map(Into::into).collect());
        self
    }

    /// The basis, with the bounds of the training rows.
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    /// The model of its features.
    pub fn model(&self) -> &F {
        &self.model
    }

    /// The features of these inputs that the model takes, one row per row of the inputs, computed on demand.
    ///
    /// # Errors
    /// If inputs do not suit the basis, their routes or, by name, the model.
    pub fn features<'a, B: Backend>(&self, inputs: impl Inputs<'a, B>) -> Result<BasisDesign<'a, B>, Error> {
        let inputs = self.routes.route(&self.basis, &inputs.designs())?;
        Ok(self.basis.design(Ready(&inputs))?)
    }
}

impl<O: ObservationModel, L: InverseLink> FittedPipeline<FittedPopulationGlm<O, L>> {
    /// The expected counts: one row per row of the inputs, under the neurons' names.
    ///
    /// # Errors
    /// If inputs do not suit the basis, their routes or, by name, the model.
    pub fn predict<'a, B: Backend>(&self, inputs: impl Inputs<'a, B>) -> Result<Design<'static, B>, Error> {
        Ok(self.model.predict(&self.features(inputs)?)?)
    }

    /// How well the pipeline describes counts.
    ///
    /// # Errors
    /// As [`predict`](FittedPipeline::predict), and as [`FittedPopulationGlm::score`].
    pub fn score<'a, B: Backend>(
        &self,
        inputs: impl Inputs<'a, B>,
        counts: &(impl ToDesign<B> + ?Sized),
        score: Score,
    ) -> Result<f64, Error> {
        Ok(self.model.score(&self.features(inputs)?, counts, score)?)
    }
}

impl<O: ObservationModel, L: InverseLink> FittedPipeline<FittedGlm<O, L>> {
    /// The expected counts: one row per row of the inputs.
    ///
    /// # Errors
    /// If inputs do not suit the basis, their routes or, by name, the model.
    pub fn predict<'a, B: Backend>(&self, inputs: impl Inputs<'a, B>) -> Result<Design<'static, B>, Error> {
        Ok(self.model.predict(&self.features(inputs)?)?)
    }

    /// How well the pipeline describes counts.
    ///
    /// # Errors
    /// As [`predict`](FittedPipeline::predict), and as [`FittedGlm::score`].
    pub fn score<'a, B: Backend>(
        &self,
        inputs: impl Inputs<'a, B>,
        counts: &(impl ToDesign<B> + ?Sized),
        score: Score,
    ) -> Result<f64, Error> {
        Ok(self.model.score(&self.features(inputs)?, counts, score)?)
    }
}

impl FittedPipeline<FittedClassifierPopulationGlm> {
    /// The most probable label of each neuron: one row per row of the inputs.
    ///
    /// # Errors
    /// If inputs do not suit the basis, their routes or, by name, the model.
    pub fn predict<'a, B: Backend>(&self, inputs: impl Inputs<'a, B>) -> Result<Design<'static, B>, Error> {
        Ok(self.model.predict(&self.features(inputs)?)?)
    }

    /// The probability of each class, neuron by neuron: one row per row of the inputs.
    ///
    /// # Errors
    /// If inputs do not suit the basis, their routes or, by name, the model.
    pub fn predict_probability<'a, B: Backend>(&self, inputs: impl Inputs<'a, B>) -> Result<Design<'static, B>, Error> {
        Ok(self.model.predict_probability(&self.features(inputs)?)?)
    }

    /// How well the pipeline describes labels.
    ///
    /// # Errors
    /// As [`predict`](FittedPipeline::predict), and as [`FittedClassifierPopulationGlm::score`].
    pub fn score<'a, B: Backend>(
        &self,
        inputs: impl Inputs<'a, B>,
        labels: &(impl ToDesign<B> + ?Sized),
        score: Score,
    ) -> Result<f64, Error> {
        Ok(self.model.score(&self.features(inputs)?, labels, score)?)
    }
}

impl FittedPipeline<FittedClassifierGlm> {
    /// The most probable label: one row per row of the inputs.
    ///
    /// # Errors
    /// If inputs do not suit the basis, their routes or, by name, the model.
    pub fn predict<'a, B: Backend>(&self, inputs: impl Inputs<'a, B>) -> Result<Design<'static, B>, Error> {
        Ok(self.model.predict(&self.features(inputs)?)?)
    }

    /// The probability of each class: one row per row of the inputs.
    ///
    /// # Errors
    /// If inputs do not suit the basis, their routes or, by name, the model.
    pub fn predict_probability<'a, B: Backend>(&self, inputs: impl Inputs<'a, B>) -> Result<Design<'static, B>, Error> {
        Ok(self.model.predict_probability(&self.features(inputs)?)?)
    }

    /// How well the pipeline describes labels.
    ///
    /// # Errors
    /// As [`predict`](FittedPipeline::predict), and as [`FittedClassifierGlm::score`].
    pub fn score<'a, B: Backend>(
        &self,
        inputs: impl Inputs<'a, B>,
        labels: &(impl ToDesign<B> + ?Sized),
        score: Score,
    ) -> Result<f64, Error> {
        Ok(self.model.score(&self.features(inputs)?, labels, score)?)
    }
}
