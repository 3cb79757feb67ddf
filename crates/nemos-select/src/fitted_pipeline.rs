//! Fitted pipelines.

use nemos_basis::{Basis, Inputs};
use nemos_core::{Backend, Design, ToDesign};
use nemos_glm::{FittedGlm, FittedPopulationGlm, InverseLink, ObservationModel, Score};

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
    /// A basis with the bounds of the training rows, and the model that was fitted to its features: from a file, for one.
    pub fn from_parts(basis: impl Into<Basis>, model: F) -> Self {
        FittedPipeline {
            basis: basis.into(),
            model,
            routes: Routes::default(),
        }
    }

    /// The basis, with the bounds of the training rows.
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    /// The model of its features.
    pub fn model(&self) -> &F {
        &self.model
    }
}

impl<O: ObservationModel, L: InverseLink> FittedPipeline<FittedPopulationGlm<O, L>> {
    /// The expected counts: one row per row of the inputs, under the neurons' names.
    ///
    /// # Errors
    /// If inputs do not suit the basis or their routes.
    pub fn predict<'a, B: Backend>(&self, inputs: impl Inputs<'a, B>) -> Result<Design<'static, B>, Error> {
        predict(self, &self.model, inputs)
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
        scored(self, &self.model, inputs, (counts.to_design(), score))
    }
}

impl<O: ObservationModel, L: InverseLink> FittedPipeline<FittedGlm<O, L>> {
    /// The expected counts: one row per row of the inputs.
    ///
    /// # Errors
    /// If inputs do not suit the basis or their routes.
    pub fn predict<'a, B: Backend>(&self, inputs: impl Inputs<'a, B>) -> Result<Design<'static, B>, Error> {
        predict(self, self.model.population(), inputs)
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
        scored(self, self.model.population(), inputs, (counts.to_design(), score))
    }
}

fn predict<'a, B: Backend, F, O: ObservationModel, L: InverseLink>(
    pipeline: &FittedPipeline<F>,
    model: &FittedPopulationGlm<O, L>,
    inputs: impl Inputs<'a, B>,
) -> Result<Design<'static, B>, Error> {
    let inputs = pipeline.routes.route(&pipeline.basis, &inputs.designs())?;
    let features = pipeline.basis.design(Ready(&inputs))?;
    Ok(model.predict(&features)?)
}

fn scored<'a, B: Backend, F, O: ObservationModel, L: InverseLink>(
    pipeline: &FittedPipeline<F>,
    model: &FittedPopulationGlm<O, L>,
    inputs: impl Inputs<'a, B>,
    (counts, score): (Design<'_, B>, Score),
) -> Result<f64, Error> {
    let inputs = pipeline.routes.route(&pipeline.basis, &inputs.designs())?;
    let features = pipeline.basis.design(Ready(&inputs))?;
    Ok(model.score(&features, &counts, score)?)
}
