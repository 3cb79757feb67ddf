//! Models that a pipeline may end in.

use nemos_core::{Backend, Design};
use nemos_glm::{
    ClassifierGlm, ClassifierPopulationGlm, FittedClassifierGlm, FittedClassifierPopulationGlm, FittedGlm, FittedPopulationGlm, Glm,
    InverseLink, ObservationModel, Options, PopulationGlm,
};

use crate::batch::{self, Piece, differ_in_strength, merged};
use crate::searchable::{Done, Searchable, sealed};
use crate::steps::Learned;
use crate::{Error, Scoring, classes};

/// A model of one neuron or of many.
pub(crate) trait End: Searchable {
    type Population: Population;

    fn to_population(&self) -> Self::Population;

    fn with_population(population: Self::Population) -> Self;

    fn fitted(fitted: <Self::Population as sealed::Sealed>::Fitted) -> Result<Self::Fitted, Error>;
}

/// A model of many neurons.
pub(crate) trait Population: Searchable {
    fn options(&self) -> &Options;

    fn with_options(self, options: Options) -> Self;

    /// The model of the features that steps take, where `fitted` is one of those that they make.
    fn undo(steps: &Learned, fitted: Self::Fitted) -> Result<Self::Fitted, Error>;

    fn evaluate_on<B: Backend>(models: &[Self], pieces: &[Piece<'_, B>], scoring: &Scoring, done: &mut Done<'_>) -> Result<(), Error>;

    /// One model of all neurons, each under its own; nothing where they differ in more than strengths, or where models of this kind cannot be
    /// joined.
    fn merged<B: Backend>(models: &[Self], design: &Design<'_, B>) -> Result<Option<Self>, Error>;
}

impl<O: ObservationModel, L: InverseLink> Population for PopulationGlm<O, L> {
    fn options(&self) -> &Options {
        self.options()
    }

    fn with_options(self, options: Options) -> Self {
        self.with_options(options)
    }

    fn undo(steps: &Learned, fitted: Self::Fitted) -> Result<Self::Fitted, Error> {
        let (coef, intercept) = steps.undo(fitted.coef().to_owned(), fitted.intercept().to_owned());
        let made = fitted
            .specification()
            .with_parameters(&coef, &intercept.to_vec())?
            .with_scale(fitted.scale().to_vec(), fitted.dof_resid().to_vec())?
            .with_outcome(fitted.outcome().clone())?
            .with_names(steps.names().clone(), fitted.neurons().to_vec())?;
        Ok(if fitted.has_offset() { made.needing_offset() } else { made })
    }

    fn evaluate_on<B: Backend>(models: &[Self], pieces: &[Piece<'_, B>], scoring: &Scoring, done: &mut Done<'_>) -> Result<(), Error> {
        batch::evaluate(models, pieces, scoring, done)
    }

    fn merged<B: Backend>(models: &[Self], design: &Design<'_, B>) -> Result<Option<Self>, Error> {
        if !models.iter().all(|model| differ_in_strength(&models[0], model)) {
            return Ok(None);
        }
        let problems = models.iter().enumerate().map(|(neuron, model)| (model, neuron));
        merged(design, models.len(), problems).map(Some)
    }
}

impl Population for ClassifierPopulationGlm {
    fn options(&self) -> &Options {
        self.options()
    }

    fn with_options(self, options: Options) -> Self {
        self.with_options(options)
    }

    fn undo(steps: &Learned, fitted: Self::Fitted) -> Result<Self::Fitted, Error> {
        // A column for each class of each neuron.
        let (coef, intercept) = (fitted.coef(), fitted.intercept());
        let dims = (coef.dim().0, intercept.len());
        let coef = coef
            .into_shape_with_order(dims)
            .expect("invariant: a column for each class of each neuron");
        let (coef, intercept) = steps.undo(coef, intercept.iter().copied().collect());
        Ok(fitted
            .specification()
            .with_parameters(&coef, &intercept.to_vec())?
            .with_outcome(fitted.outcome().clone(), fitted.dof_resid().to_vec())?
            .with_names(steps.names().clone(), fitted.neurons().to_vec())?)
    }

    fn evaluate_on<B: Backend>(models: &[Self], pieces: &[Piece<'_, B>], scoring: &Scoring, done: &mut Done<'_>) -> Result<(), Error> {
        classes::evaluate(models, pieces, scoring, done)
    }

    fn merged<B: Backend>(_models: &[Self], _design: &Design<'_, B>) -> Result<Option<Self>, Error> {
        Ok(None)
    }
}

impl<O: ObservationModel, L: InverseLink> End for PopulationGlm<O, L> {
    type Population = Self;

    fn to_population(&self) -> Self {
        self.clone()
    }

    fn with_population(population: Self) -> Self {
        population
    }

    fn fitted(fitted: FittedPopulationGlm<O, L>) -> Result<FittedPopulationGlm<O, L>, Error> {
        Ok(fitted)
    }
}

impl<O: ObservationModel, L: InverseLink> End for Glm<O, L> {
    type Population = PopulationGlm<O, L>;

    fn to_population(&self) -> PopulationGlm<O, L> {
        self.population().clone()
    }

    fn with_population(population: PopulationGlm<O, L>) -> Self {
        Glm::from(population)
    }

    fn fitted(fitted: FittedPopulationGlm<O, L>) -> Result<FittedGlm<O, L>, Error> {
        Ok(FittedGlm::try_from_population(fitted)?)
    }
}

impl End for ClassifierPopulationGlm {
    type Population = Self;

    fn to_population(&self) -> Self {
        self.clone()
    }

    fn with_population(population: Self) -> Self {
        population
    }

    fn fitted(fitted: FittedClassifierPopulationGlm) -> Result<FittedClassifierPopulationGlm, Error> {
        Ok(fitted)
    }
}

impl End for ClassifierGlm {
    type Population = ClassifierPopulationGlm;

    fn to_population(&self) -> ClassifierPopulationGlm {
        self.population().clone()
    }

    fn with_population(population: ClassifierPopulationGlm) -> Self {
        ClassifierGlm::from(population)
    }

    fn fitted(fitted: FittedClassifierPopulationGlm) -> Result<FittedClassifierGlm, Error> {
        Ok(FittedClassifierGlm::try_from_population(fitted)?)
    }
}
