//! Fitted models in and out of files.

use std::path::Path;

use nemos_glm::{
    ClassifierPopulationGlm, FittedClassifierGlm, FittedClassifierPopulationGlm, FittedGlm, FittedPopulationGlm, InverseLink,
    ObservationModel, PopulationGlm,
};

use crate::saved::{Header, Kind};
use crate::{Error, SavedModel};

/// Fitted models in and out of files.
///
/// A file holds the whole model: parameters, scales, residual degrees of freedom, options, names of features and neurons,
/// how the fit of each neuron ended; and, if [asked for](SavedModel::with_basis), the basis that makes the features. What
/// is loaded equals what was saved. The target is replaced whole or not at all.
///
/// | method | format |
/// |---|---|
/// | [`save`](SaveModel::save), [`load`](SaveModel::load) | safetensors: arrays, and all else as JSON |
/// | [`save_nemos`](SaveModel::save_nemos), [`load_nemos`](SaveModel::load_nemos) | the `.npz` of NeMoS's `save_params` and `load_model`, without names and basis |
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{Exp, FittedGlm, Glm, Poisson};
/// use nemos_io::SaveModel;
///
/// let stimulus = Matrix::<Cpu>::from_column(vec![0.0, 0.0, 1.0, 1.0]);
/// let counts = Matrix::from_column(vec![1.0, 3.0, 4.0, 8.0]);
/// let fitted = Glm::new(Poisson).fit(&stimulus, &counts)?;
///
/// let path = std::env::temp_dir().join("nemos_save_model_example.safetensors");
/// fitted.save(&path)?;
/// let loaded = FittedGlm::<Poisson, Exp>::load(&path)?;
/// assert_eq!(loaded, fitted);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait SaveModel: Sized {
    /// The model without its types.
    ///
    /// # Errors
    /// [`Error::OwnModel`] for an observation model or a link that is not built in.
    fn to_saved(&self) -> Result<SavedModel, Error>;

    /// The model with its types.
    ///
    /// # Errors
    /// [`Error::OtherModel`] says which model was saved, if not this one; [`Error::Glm`] if it has several neurons and
    /// one was asked for.
    fn from_saved(saved: &SavedModel) -> Result<Self, Error>;

    /// Writes a safetensors file.
    ///
    /// # Errors
    /// As [`to_saved`](SaveModel::to_saved) and [`SavedModel::save`].
    fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.to_saved()?.save(path)
    }

    /// Reads a safetensors file.
    ///
    /// # Errors
    /// As [`from_saved`](SaveModel::from_saved) and [`SavedModel::load`].
    fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::from_saved(&SavedModel::load(path)?)
    }

    /// Writes a `.npz` file for NeMoS's `load_model`.
    ///
    /// # Errors
    /// As [`to_saved`](SaveModel::to_saved) and [`SavedModel::save_nemos`].
    #[doc(alias = "save_params")]
    fn save_nemos(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.to_saved()?.save_nemos(path)
    }

    /// Reads a `.npz` file of NeMoS's `save_params`. How its fit ended is not in there: the status is
    /// [`Given`](nemos_glm::Status::Given).
    ///
    /// # Errors
    /// As [`from_saved`](SaveModel::from_saved) and [`SavedModel::load_nemos`].
    #[doc(alias = "load_model")]
    fn load_nemos(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::from_saved(&SavedModel::load_nemos(path)?)
    }
}

impl<O: ObservationModel, L: InverseLink> SaveModel for FittedPopulationGlm<O, L> {
    fn to_saved(&self) -> Result<SavedModel, Error> {
        let observation = self.observation().built_in().ok_or(Error::OwnModel { part: "observation model" })?;
        let link = self.link().form().ok_or(Error::OwnModel { part: "link" })?;
        Ok(SavedModel {
            header: Header {
                kind: Kind::Glm { observation, link },
                options: self.specification().options().clone(),
                outcome: self.outcome().clone(),
                has_offset: self.has_offset(),
                features: self.features().clone(),
                neurons: self.neurons().to_vec(),
                basis: None,
            },
            coef: self.coef().to_owned(),
            intercept: self.intercept().to_vec(),
            scale: self.scale().to_vec(),
            dof_resid: self.dof_resid().to_vec(),
            warnings: Vec::new(),
        })
    }

    fn from_saved(saved: &SavedModel) -> Result<Self, Error> {
        let header = &saved.header;
        let types = match &header.kind {
            Kind::Glm { observation, link } => O::from_built_in(observation).zip(L::from_form(*link)),
            Kind::Classifier { .. } => None,
        };
        let Some((observation, link)) = types else {
            return Err(Error::OtherModel {
                saved: header.kind.to_string(),
                asked: format!("{} with link {}", short::<O>(), short::<L>()),
            });
        };
        let fitted = PopulationGlm::new(observation)
            .link(link)
            .with_options(header.options.clone())
            .with_parameters(&saved.coef, &saved.intercept)?
            .with_scale(saved.scale.clone(), saved.dof_resid.clone())?
            .with_outcome(header.outcome.clone())?
            .with_names(header.features.clone(), header.neurons.clone())?;
        Ok(if header.has_offset { fitted.needing_offset() } else { fitted })
    }
}

impl<O: ObservationModel, L: InverseLink> SaveModel for FittedGlm<O, L> {
    fn to_saved(&self) -> Result<SavedModel, Error> {
        self.population().to_saved()
    }

    fn from_saved(saved: &SavedModel) -> Result<Self, Error> {
        Ok(FittedGlm::try_from_population(FittedPopulationGlm::from_saved(saved)?)?)
    }
}

impl SaveModel for FittedClassifierPopulationGlm {
    fn to_saved(&self) -> Result<SavedModel, Error> {
        let (coef, intercept) = (self.coef(), self.intercept());
        let (n_features, n_neurons, n_classes) = coef.dim();
        // The classes of a neuron lie side by side already.
        let coef = coef.into_shape_with_order((n_features, n_neurons * n_classes));
        Ok(SavedModel {
            header: Header {
                kind: Kind::Classifier { n_classes },
                options: self.specification().options().clone(),
                outcome: self.outcome().clone(),
                has_offset: false,
                features: self.features().clone(),
                neurons: self.neurons().to_vec(),
                basis: None,
            },
            coef: coef.expect("as many coefficients in another shape"),
            intercept: intercept.into_iter().collect(),
            scale: vec![1.0; n_neurons],
            dof_resid: self.dof_resid().to_vec(),
            warnings: Vec::new(),
        })
    }

    fn from_saved(saved: &SavedModel) -> Result<Self, Error> {
        let header = &saved.header;
        let Kind::Classifier { n_classes } = header.kind else {
            return Err(Error::OtherModel {
                saved: header.kind.to_string(),
                asked: "a classifier".into(),
            });
        };
        let fitted = ClassifierPopulationGlm::new(n_classes)
            .with_options(header.options.clone())
            .with_parameters(&saved.coef, &saved.intercept)?
            .with_outcome(header.outcome.clone(), saved.dof_resid.clone())?;
        Ok(fitted.with_names(header.features.clone(), header.neurons.clone())?)
    }
}

impl SaveModel for FittedClassifierGlm {
    fn to_saved(&self) -> Result<SavedModel, Error> {
        self.population().to_saved()
    }

    fn from_saved(saved: &SavedModel) -> Result<Self, Error> {
        let population = FittedClassifierPopulationGlm::from_saved(saved)?;
        Ok(FittedClassifierGlm::try_from_population(population)?)
    }
}

/// The name of a type without its path.
fn short<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    name.rsplit("::").next().unwrap_or(name)
}
