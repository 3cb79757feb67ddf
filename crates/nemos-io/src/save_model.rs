//! Fitted models in and out of files.

use std::path::Path;

use nemos_core::Backend;
use nemos_glm::{
    ClassifierPopulationGlm, FittedClassifierGlm, FittedClassifierPopulationGlm, FittedGlm, FittedPopulationGlm, InverseLink,
    ObservationModel, PopulationGlm,
};

use crate::saved::Kind;
use crate::{Error, SavedModel};

/// Fitted models in and out of files.
///
/// A file holds the whole model: parameters, scales, residual degrees of freedom, penalty, mask, and how the fit of each
/// neuron ended. Only initial parameters for another fit are left out. The target is replaced whole or not at all.
///
/// | method | format |
/// |---|---|
/// | [`save`](SaveModel::save), [`load`](SaveModel::load) | safetensors: arrays, and the specification as JSON in the metadata |
/// | [`save_nemos`](SaveModel::save_nemos), [`load_nemos`](SaveModel::load_nemos) | the `.npz` of NeMoS's `save_params` and `load_model` |
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
/// let loaded = FittedGlm::<Cpu, Poisson, Exp>::load(&path)?;
/// assert_eq!(loaded.coef(), fitted.coef());
/// assert_eq!(loaded.outcome(), fitted.outcome());
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
    fn from_saved(saved: SavedModel) -> Result<Self, Error>;

    /// Writes a safetensors file.
    ///
    /// # Errors
    /// As [`to_saved`](SaveModel::to_saved), and [`Error::Write`].
    fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.to_saved()?.write(path)
    }

    /// Reads a safetensors file.
    ///
    /// # Errors
    /// As [`from_saved`](SaveModel::from_saved) and [`SavedModel::read`].
    fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::from_saved(SavedModel::read(path)?)
    }

    /// Writes a `.npz` file for NeMoS's `load_model`.
    ///
    /// # Errors
    /// As [`to_saved`](SaveModel::to_saved) and [`SavedModel::write_nemos`].
    fn save_nemos(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.to_saved()?.write_nemos(path)
    }

    /// Reads a `.npz` file of NeMoS's `save_params`. How its fit ended is not in there: the status is
    /// [`Given`](nemos_glm::Status::Given).
    ///
    /// # Errors
    /// As [`from_saved`](SaveModel::from_saved) and [`SavedModel::read_nemos`].
    fn load_nemos(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::from_saved(SavedModel::read_nemos(path)?)
    }
}

impl<B: Backend, O: ObservationModel, L: InverseLink> SaveModel for FittedPopulationGlm<B, O, L> {
    fn to_saved(&self) -> Result<SavedModel, Error> {
        let observation = self.observation().form().ok_or(Error::OwnModel { part: "observation model" })?;
        let link = self.link().form().ok_or(Error::OwnModel { part: "link" })?;
        Ok(SavedModel {
            kind: Kind::Glm { observation, link },
            coef: self.coef().to_owned(),
            intercept: self.intercept().to_vec(),
            regularizer: self.regularizer().clone(),
            mask: self.specification().mask().cloned(),
            outcome: self.outcome().clone(),
            scale: self.scale().to_vec(),
            dof_resid: self.dof_resid().to_vec(),
            has_offset: self.has_offset(),
        })
    }

    fn from_saved(saved: SavedModel) -> Result<Self, Error> {
        let types = match saved.kind {
            Kind::Glm { observation, link } => O::from_form(observation).zip(L::from_form(link)),
            Kind::Classifier { .. } => None,
        };
        let Some((observation, link)) = types else {
            return Err(Error::OtherModel {
                saved: saved.kind.describe(),
                asked: format!("{} with link {}", short::<O>(), short::<L>()),
            });
        };
        let mut model = PopulationGlm::new(observation).link(link).regularizer(saved.regularizer);
        if let Some(mask) = saved.mask {
            model = model.feature_mask(mask);
        }
        let fitted = model
            .with_parameters(&saved.coef, &saved.intercept)?
            .with_scale(saved.scale, saved.dof_resid)?
            .with_outcome(saved.outcome)?;
        Ok(if saved.has_offset { fitted.needing_offset() } else { fitted })
    }
}

impl<B: Backend, O: ObservationModel, L: InverseLink> SaveModel for FittedGlm<B, O, L> {
    fn to_saved(&self) -> Result<SavedModel, Error> {
        self.population().to_saved()
    }

    fn from_saved(saved: SavedModel) -> Result<Self, Error> {
        Ok(FittedGlm::try_from_population(FittedPopulationGlm::from_saved(saved)?)?)
    }
}

impl<B: Backend> SaveModel for FittedClassifierPopulationGlm<B> {
    fn to_saved(&self) -> Result<SavedModel, Error> {
        let (coef, intercept) = (self.coef(), self.intercept());
        let (n_features, n_neurons, n_classes) = coef.dim();
        let column = |column: usize| (column / n_classes, column % n_classes);
        Ok(SavedModel {
            kind: Kind::Classifier { n_classes },
            coef: ndarray::Array2::from_shape_fn((n_features, n_neurons * n_classes), |(feature, index)| {
                let (neuron, class) = column(index);
                coef[(feature, neuron, class)]
            }),
            intercept: (0..n_neurons * n_classes).map(|index| intercept[column(index)]).collect(),
            regularizer: self.specification().penalty().clone(),
            mask: self.specification().mask().cloned(),
            outcome: self.outcome().clone(),
            scale: vec![1.0; n_neurons],
            dof_resid: self.dof_resid().to_vec(),
            has_offset: false,
        })
    }

    fn from_saved(saved: SavedModel) -> Result<Self, Error> {
        let Kind::Classifier { n_classes } = saved.kind else {
            return Err(Error::OtherModel {
                saved: saved.kind.describe(),
                asked: "a classifier".into(),
            });
        };
        let mut model = ClassifierPopulationGlm::new(n_classes).regularizer(saved.regularizer);
        if let Some(mask) = saved.mask {
            model = model.feature_mask(mask);
        }
        let fitted = model.with_parameters(&saved.coef, &saved.intercept)?;
        Ok(fitted.with_outcome(saved.outcome, saved.dof_resid)?)
    }
}

impl<B: Backend> SaveModel for FittedClassifierGlm<B> {
    fn to_saved(&self) -> Result<SavedModel, Error> {
        self.population().to_saved()
    }

    fn from_saved(saved: SavedModel) -> Result<Self, Error> {
        Ok(FittedClassifierGlm::try_from_population(
            FittedClassifierPopulationGlm::from_saved(saved)?,
        )?)
    }
}

/// The name of a type without its path.
fn short<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    name.rsplit("::").next().unwrap_or(name)
}
