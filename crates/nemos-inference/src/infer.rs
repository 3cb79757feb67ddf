//! What fitted models of counts can be asked.

use nemos_core::{Backend, ToDesign};
use nemos_glm::{FittedGlm, FittedPopulationGlm, InverseLink, ObservationModel};

use crate::{Covariance, Error, Inference, Settings, Summary};

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
