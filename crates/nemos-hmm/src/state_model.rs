//! What states are models of: counts under an observation model and a link, or labels of classes.

use std::fmt::Debug;

use nemos_core::Backend;
use nemos_glm::{BuiltIn, ClassifierPopulationGlm, InverseLink, LinkForm, ObservationModel, Observations, PopulationGlm};

use crate::Error;

/// What the states of a hidden Markov model are models of: [`GlmStates`], or [`ClassStates`].
pub trait StateModel: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// The observation model on a backend.
    ///
    /// # Errors
    /// If an option of it is out of range.
    fn observations<B: Backend>(&self) -> Result<Observations<B>, Error>;

    /// Predictors of a neuron: one, or one per class.
    fn n_predictors(&self) -> usize {
        1
    }

    /// What a file says of it; nothing for models that are not built in.
    fn form(&self) -> Option<StateForm>;

    /// The model that a file says, if it is one of this type.
    fn from_form(form: &StateForm) -> Option<Self>;
}

/// A built-in model of states, as a file says it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum StateForm {
    /// Counts, under an observation model and a link.
    Counts {
        /// The observation model.
        observation: BuiltIn,
        /// The link.
        link: LinkForm,
    },
    /// Labels of classes.
    Classes {
        /// How many.
        n_classes: usize,
    },
}

/// Counts under an observation model and a link.
#[derive(Clone, Debug, PartialEq)]
pub struct GlmStates<O, L>(pub(crate) PopulationGlm<O, L>);

impl<O: ObservationModel + PartialEq, L: InverseLink + PartialEq> StateModel for GlmStates<O, L> {
    fn observations<B: Backend>(&self) -> Result<Observations<B>, Error> {
        Ok(self.0.observations::<B>())
    }

    fn form(&self) -> Option<StateForm> {
        Some(StateForm::Counts {
            observation: self.0.observation_model().built_in()?,
            link: self.0.inverse_link().form()?,
        })
    }

    fn from_form(form: &StateForm) -> Option<Self> {
        match form {
            StateForm::Counts { observation, link } => {
                let model = PopulationGlm::new(O::from_built_in(observation)?).link(L::from_form(*link)?);
                Some(GlmStates(model))
            }
            StateForm::Classes { .. } => None,
        }
    }
}

/// Labels of classes: whole numbers from zero up.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassStates(pub(crate) ClassifierPopulationGlm);

impl StateModel for ClassStates {
    fn observations<B: Backend>(&self) -> Result<Observations<B>, Error> {
        Ok(self.0.observations::<B>()?)
    }

    fn n_predictors(&self) -> usize {
        self.0.n_classes()
    }

    fn form(&self) -> Option<StateForm> {
        let n_classes = self.0.n_classes();
        Some(StateForm::Classes { n_classes })
    }

    fn from_form(form: &StateForm) -> Option<Self> {
        match form {
            StateForm::Classes { n_classes } => Some(ClassStates(ClassifierPopulationGlm::new(*n_classes))),
            StateForm::Counts { .. } => None,
        }
    }
}
