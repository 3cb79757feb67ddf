//! The `.npz` files that NeMoS's `save_params` writes and its `load_model` reads.
//!
//! A file is a Python dictionary laid flat: the name of an array spells the path to it (`item::strkey:coef_`), and
//! classes and functions are there by name. NaN stands for None.

use std::path::Path;

use ndarray::{Array2, ArrayD};
use nemos_core::Names;
use nemos_glm::{BuiltIn, ColumnOutcome, FeatureMask, LinkForm, NegativeBinomial, ObservationModel, Options, Outcome, Regularizer, Status};

use crate::format::Format;
use crate::names::{self, Class};
use crate::nemos_penalty::{pickled_groups, read_penalty, write_penalty};
use crate::npz_writer::NpzWriter;
use crate::saved::{Header, Kind};
use crate::{Error, NpzFile, SavedModel};

const CLASS: &str = "item::strkey:model_class";
const COEF: &str = "item::strkey:coef_";
const INTERCEPT: &str = "item::strkey:intercept_";
const SCALE: &str = "item::strkey:scale_";
const DOF_RESID: &str = "item::strkey:dof_resid_";
const LINK: &str = "item::strkey:inverse_link_function";
const OBSERVATION: &str = "dict::strkey:observation_model::item::strkey:class";
const DISPERSION: &str = "dict::strkey:observation_model::dict::strkey:params::item::strkey:scale";
const MASK: &str = "item::strkey:feature_mask";
const N_CLASSES: &str = "item::strkey:n_classes";
const LABELS: &str = "item::strkey:_classes_";

impl SavedModel {
    /// Reads a `.npz` file of NeMoS's `save_params`.
    ///
    /// NeMoS pickles the groups of a group lasso, and nothing is ever unpickled: they come back as one group of all
    /// features, with a warning. Labels of classes come back as their positions, with a warning unless they are.
    /// [`warnings`](SavedModel::warnings) has both.
    ///
    /// # Errors
    /// As [`NpzFile::array`] where an array is missing or damaged, and [`Error::Model`] where its value is not understood.
    pub fn load_nemos(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        read(path).map_err(|error| error.of_model(path))
    }

    /// Writes a `.npz` file for NeMoS's `load_model`, with names of blocks of features replaced by the features.
    ///
    /// # Errors
    /// [`Error::NotInNemos`] where NeMoS has nothing like a part of the model: an offset, a dispersion that is estimated,
    /// strengths of the groups of a population. [`Error::Glm`] where the penalty or the mask does not fit the features.
    /// [`Error::Write`] if the system refuses.
    pub fn save_nemos(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        Format::Npz.check_name(path.as_ref())?;
        self.check()?;
        if self.header.has_offset {
            return Err(Error::NotInNemos { what: "offset" });
        }
        let (regularizer, mask) = (self.penalty()?, self.mask()?);
        let (n_neurons, n_features) = (self.n_neurons(), self.n_features());
        let one = n_neurons == 1 && mask.is_none();
        let mut shape = vec![n_features];
        shape.extend((!one).then_some(n_neurons));
        let mut file = NpzWriter::new();
        let class = match &self.header.kind {
            Kind::Glm { observation, link } => {
                write_kind(&mut file, observation, *link)?;
                // NeMoS keeps the intercept of one neuron in an array.
                file.floats(INTERCEPT, &[n_neurons], self.intercept.iter().copied());
                if one { Class::Glm } else { Class::PopulationGlm }
            }
            &Kind::Classifier { n_classes } => {
                file.texts(LINK, &[], &[names::LOG_SOFTMAX]);
                file.integers(N_CLASSES, &[], [n_classes as i64]);
                file.integers(LABELS, &[n_classes], 0..n_classes as i64);
                file.floats("item::strkey:_class_to_index_", &[], [f64::NAN]);
                shape.push(n_classes);
                file.floats(INTERCEPT, &shape[1..], self.intercept.iter().copied());
                if one {
                    Class::ClassifierGlm
                } else {
                    Class::ClassifierPopulationGlm
                }
            }
        };
        file.floats(COEF, &shape, self.coef.iter().copied());
        if let Some(mask) = mask {
            let repeated = self.coef.ncols() / mask.ncols();
            let flags = mask
                .iter()
                .flat_map(|&flag| std::iter::repeat_n(f64::from(u8::from(flag)), repeated));
            file.floats(MASK, &shape, flags);
        }
        let solver = if regularizer.is_smooth() { "LBFGS" } else { "ProximalGradient" };
        write_penalty(&mut file, self, &regularizer, &shape)?;
        file.floats(SCALE, &[n_neurons], self.scale.iter().copied());
        file.floats(DOF_RESID, &[n_neurons], self.dof_resid.iter().copied());
        file.floats("item::strkey:aux_", &[], [f64::NAN]);
        file.floats("item::strkey:solver_kwargs", &[], [f64::NAN]);
        file.texts("item::strkey:solver_name", &[], &[solver]);
        let version = concat!(env!("CARGO_PKG_VERSION"), " (Rust)");
        file.texts("dict::strkey:save_metadata::item::strkey:nemos", &[], &[version]);
        file.texts(CLASS, &[], &[names::class_name(class)]);
        file.write(path.as_ref())
    }

    /// The penalty on these coefficients, without names.
    fn penalty(&self) -> Result<Regularizer, Error> {
        let (n_features, n_classes) = (self.n_features(), self.header.kind.n_classes());
        let named = &self.header.options.regularizer;
        let regularizer = named.resolve(&self.header.features, n_features).map_err(nemos_glm::Error::from)?;
        let fits = regularizer.validate_classes(n_features, self.n_neurons(), n_classes);
        fits.map_err(nemos_glm::Error::from)?;
        Ok(regularizer)
    }

    /// `[n_features, n_neurons]` or `[n_features, n_neurons · n_classes]`: the mask of these coefficients, without names.
    fn mask(&self) -> Result<Option<Array2<bool>>, Error> {
        Ok(match &self.header.options.mask {
            None => None,
            Some(FeatureMask::Coefficients(mask)) if mask.dim() == self.coef.dim() => Some(mask.clone()),
            Some(mask) => Some(mask.resolve(&self.header.features, self.n_features(), self.n_neurons())?),
        })
    }
}

fn read(path: &Path) -> Result<SavedModel, Error> {
    let file = NpzFile::open(path)?;
    let mut warnings = Vec::new();
    let class = one_text(&file, CLASS)?;
    let class = names::class(&class).ok_or(part("model class", "a GLM of NeMoS"))?;
    let kind = match class {
        Class::Glm | Class::PopulationGlm => read_kind(&file)?,
        Class::ClassifierGlm | Class::ClassifierPopulationGlm => {
            warnings.extend(own_labels(&file)?);
            let n_classes = number(&file, N_CLASSES)? as usize;
            Kind::Classifier { n_classes }
        }
    };
    let intercept: Vec<f64> = file.array(INTERCEPT)?.into_iter().collect();
    let coef = matrix(file.array(COEF)?, intercept.len())?;
    let n_neurons = intercept.len() / kind.n_classes().max(1);
    let mut options = Options::default();
    options.regularizer = read_penalty(&file, coef.nrows(), n_neurons)?;
    options.mask = match file.has(MASK).then(|| file.array(MASK)).transpose()? {
        // A number alone is None.
        Some(mask) if mask.ndim() > 0 => Some(FeatureMask::Coefficients(
            matrix(mask, if class == Class::Glm { 1 } else { intercept.len() })?.mapv(|flag| flag != 0.0),
        )),
        _ => None,
    };
    if matches!(options.regularizer, Regularizer::GroupLasso { .. }) {
        warnings.extend(pickled_groups(&file));
    }
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let outcome = ColumnOutcome::new(Status::Given, coef.nrows());
    let saved = SavedModel {
        header: Header {
            kind,
            options,
            outcome: Outcome::new("none", vec![outcome; n_neurons]),
            has_offset: false,
            features: Names::none(),
            neurons: Names::none().columns_or_numbers(n_neurons),
            basis: None,
        },
        coef,
        intercept,
        scale: per_neuron(&file, SCALE, n_neurons)?,
        dof_resid: per_neuron(&file, DOF_RESID, n_neurons)?,
        warnings: warnings.into_iter().map(String::from).collect(),
    };
    saved.check()?;
    saved.penalty()?;
    saved.mask()?;
    Ok(saved)
}

fn read_kind(file: &NpzFile) -> Result<Kind, Error> {
    let unknown = |what| part(what, "one that is built in");
    let link = names::link(&one_text(file, LINK)?).ok_or(unknown("inverse link function"))?;
    let name = one_text(file, OBSERVATION)?;
    let mut observation = names::model(&name, None).ok_or(unknown("observation model"))?;
    if NegativeBinomial::from_built_in(&observation).is_some() {
        let dispersion = Some(number(file, DISPERSION)?);
        observation = names::model(&name, dispersion).ok_or(unknown("observation model"))?;
    }
    Ok(Kind::Glm { observation, link })
}

fn write_kind(file: &mut NpzWriter, observation: &BuiltIn, link: LinkForm) -> Result<(), Error> {
    let link = names::link_name(link).ok_or(Error::NotInNemos { what: "such link" })?;
    file.texts(LINK, &[], &[link]);
    file.texts(OBSERVATION, &[], &[&names::model_name(observation)]);
    if NegativeBinomial::from_built_in(observation).is_some() {
        let dispersion = observation.scale().ok_or(Error::NotInNemos {
            what: "dispersion that is estimated with the coefficients",
        })?;
        file.floats(DISPERSION, &[], [dispersion]);
    }
    Ok(())
}

/// What is said where labels are not their own positions.
fn own_labels(file: &NpzFile) -> Result<Option<&'static str>, Error> {
    let labels = if file.names().iter().any(|name| name == LABELS) {
        file.array(LABELS)?.into_iter().collect()
    } else {
        vec![f64::NAN]
    };
    let are_own = labels.iter().enumerate().any(|(position, &label)| label != position as f64);
    Ok(are_own.then_some("the classes have labels of their own; predictions are their positions in sorted order"))
}

/// `[n_features, n_columns]`, the last axes laid side by side.
fn matrix(array: ArrayD<f64>, n_columns: usize) -> Result<Array2<f64>, Error> {
    let n_features = array.shape().first().copied().unwrap_or(0);
    // A mask of a classifier may have a flag per neuron only.
    let n_columns = if array.len() == n_features * n_columns {
        n_columns
    } else {
        array.len() / n_features.max(1)
    };
    let reshaped = array.into_shape_with_order((n_features, n_columns));
    reshaped.map_err(|_| part("coefficients or mask", "an array [n_features, …] with one column per intercept"))
}

/// One number per neuron; a number alone is the same for all.
fn per_neuron(file: &NpzFile, name: &str, n_neurons: usize) -> Result<Vec<f64>, Error> {
    let values: Vec<f64> = file.array(name)?.into_iter().collect();
    Ok(match values[..] {
        [shared] => vec![shared; n_neurons],
        _ => values,
    })
}

pub(crate) fn number(file: &NpzFile, name: &str) -> Result<f64, Error> {
    let array = file.array(name)?;
    array.first().copied().ok_or(part("number", "there"))
}

pub(crate) fn one_text(file: &NpzFile, name: &str) -> Result<String, Error> {
    if !file.has(name) {
        // Says what the file has instead.
        file.array(name)?;
    }
    file.texts(name)?.into_iter().next().ok_or(part("text", "there"))
}

pub(crate) fn part(part: &'static str, expected: &'static str) -> Error {
    Error::ModelPart { part, expected }
}
